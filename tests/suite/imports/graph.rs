//! What leads to a module.

use ftcheck::model::imports::How;

use super::support::{add, environment};

fn plotting() -> ftcheck::imports::Environment {
    let mut environment = environment();
    add(
        &mut environment,
        "plots",
        &[
            ("plots/__init__.py", "from . import figure"),
            ("plots/figure.py", "def save(kind):\n    from .backends import pdf"),
            ("plots/backends/__init__.py", ""),
            ("plots/backends/pdf.py", "from plots import _type"),
            ("plots/_type.py", "import fonts.subset"),
        ],
    );
    add(
        &mut environment,
        "fonts",
        &[
            ("fonts/__init__.py", ""),
            ("fonts/subset/__init__.py", "from fonts.misc import bezier"),
            ("fonts/misc/__init__.py", ""),
            ("fonts/misc/bezier.so", "enables"),
            ("fonts/misc/alone.so", "enables"),
            ("fonts/later.py", "def f():\n    from fonts.misc import later\n"),
            ("fonts/misc/later.so", "enables"),
            (
                "fonts/newest.py",
                "import importlib\ndef f(n):\n    return importlib.import_module(n)",
            ),
            ("fonts/lua54.so", "enables"),
        ],
    );
    add(&mut environment, "app", &[("app/__init__.py", "import plots.backends.pdf")]);
    environment
}

#[test]
fn chains_lead_from_each_package() {
    let environment = plotting();
    let graph = environment.graph(["fonts.misc.bezier"]);
    let first = ["plots".to_owned()];
    let reach = environment.reach(&graph, "fonts.misc.bezier", &first).unwrap();
    assert_eq!(reach.how, How::Import);
    let chains: Vec<_> = reach
        .chains
        .iter()
        .map(|chain| (chain.package.as_str(), chain.how, chain.modules.join(" > ")))
        .collect();
    assert_eq!(
        chains,
        [
            (
                "plots",
                How::Submodule,
                "plots.backends.pdf > plots._type > fonts.subset > fonts.misc.bezier".to_owned()
            ),
            (
                "app",
                How::Import,
                "app > plots.backends.pdf > plots._type > fonts.subset > fonts.misc.bezier"
                    .to_owned()
            ),
            ("fonts", How::Submodule, "fonts.subset > fonts.misc.bezier".to_owned()),
        ]
    );
    assert!(reach.chains.iter().all(|chain| chain.certain));
    assert_eq!(environment.import_report("plots").enables_gil, Some(false));
    assert_eq!(environment.import_report("app").enables_gil, Some(true));
}

#[test]
fn functions_lead_to_a_module_later() {
    let environment = plotting();
    let graph = environment.graph(["fonts.misc.later", "fonts.lua54", "fonts.misc.alone"]);
    let reach = environment.reach(&graph, "fonts.misc.later", &[]).unwrap();
    assert_eq!(reach.how, How::Later);
    assert_eq!(reach.chains[0].modules, ["fonts.later", "fonts.misc.later"]);
    let computed = environment.reach(&graph, "fonts.lua54", &[]).unwrap();
    assert_eq!(computed.chains[0].modules, ["fonts.newest", "fonts.lua54"]);
    let alone = environment.reach(&graph, "fonts.misc.alone", &[]).unwrap();
    assert_eq!(alone.how, How::NotFound);
    assert_eq!(alone.chains, []);
    assert_eq!(environment.reach(&graph, "fonts.nothing", &[]), None);
}

#[test]
fn an_import_under_a_condition_is_not_certain() {
    let mut environment = environment();
    add(
        &mut environment,
        "pkg",
        &[("pkg/__init__.py", "if input():\n    from . import bad"), ("pkg/bad.so", "enables")],
    );
    let reach = environment.reach(&environment.graph(["pkg.bad"]), "pkg.bad", &[]).unwrap();
    assert_eq!(reach.how, How::Import);
    assert!(!reach.chains[0].certain);
}

#[test]
fn a_top_level_name_that_sounds_like_tests_is_followed_too() {
    for name in ["testing", "test", "tests", "setup", "benchmarks", "conftest"] {
        let mut environment = environment();
        let (init, so) = (format!("{name}/__init__.py"), format!("{name}/bad.so"));
        add(&mut environment, "pkg", &[(&init, "from . import bad"), (&so, "enables")]);
        let bad = format!("{name}.bad");
        let reach = environment.reach(&environment.graph([bad.as_str()]), &bad, &[]).unwrap();
        assert_eq!(reach.how, How::Import, "{name}");
    }
}

#[test]
fn a_module_that_only_tests_lead_to_is_found() {
    let mut environment = environment();
    let files = [
        ("pkg/__init__.py", ""),
        ("pkg/testing.py", "from . import bad"),
        ("pkg/bad.so", "enables"),
    ];
    add(&mut environment, "pkg", &files);
    let reach = environment.reach(&environment.graph(["pkg.bad"]), "pkg.bad", &[]).unwrap();
    assert_eq!(reach.how, How::Submodule);
}

/// What is computed from texts is followed, though no statement names it.
#[test]
fn a_module_that_a_text_names_is_found() {
    for source in [
        "import importlib\nfor name in ['bad']:\n    importlib.import_module('pkg.' + name)",
        "import importlib\nf = importlib.import_module\nfor name in ['.bad']:\n    f(name, 'pkg')",
        "from helper import load\nload('pkg.bad')",
    ] {
        let mut environment = environment();
        let helper = "import importlib\ndef load(name):\n    return importlib.import_module(name)";
        add(&mut environment, "helper", &[("helper.py", helper)]);
        let files = [("pkg/__init__.py", ""), ("pkg/loads.py", source), ("pkg/bad.so", "enables")];
        add(&mut environment, "pkg", &files);
        let reach = environment.reach(&environment.graph(["pkg.bad"]), "pkg.bad", &[]).unwrap();
        assert_eq!(reach.how, How::Submodule, "{source}");
        assert_eq!(reach.chains[0].modules, ["pkg.loads", "pkg.bad"], "{source}");
    }
}

/// They are most of what is installed, and nobody's program imports them.
#[test]
fn tests_of_packages_do_not_lead_anywhere() {
    let mut environment = environment();
    let files = [("pkg/__init__.py", "from . import bad"), ("pkg/bad.so", "enables")];
    add(&mut environment, "pkg", &files);
    let tests = [("other/__init__.py", ""), ("other/tests/test_bad.py", "import pkg.bad")];
    add(&mut environment, "other", &tests);
    let reach = environment.reach(&environment.graph(["pkg.bad"]), "pkg.bad", &[]).unwrap();
    let packages: Vec<_> = reach.chains.iter().map(|chain| chain.package.as_str()).collect();
    assert_eq!(packages, ["pkg"]);
}

/// Packages are passed over whose files do not name the one that is asked for, in whatever form.
#[test]
fn no_package_is_passed_over_that_leads_there() {
    let mut environment = plotting();
    let by_list = "for name in ['os', 'fonts.misc.alone']:\n    __import__(name)\n";
    let packages: [(&str, &[(&str, &str)]); 5] = [
        ("by-list", &[("by_list.py", by_list)]),
        ("shared-one", &[("shared/one.py", "import fonts.misc.alone\n")]),
        ("shared-two", &[("shared/two.py", "from . import one\n")]),
        ("second", &[("second.py", "import json, \\\n    by_list\n")]),
        ("other", &[("other.py", "# Does without fonts.\n")]),
    ];
    for (name, files) in packages {
        add(&mut environment, name, files);
    }
    let goal = "fonts.misc.alone";
    let reach = environment.reach(&environment.graph([goal]), goal, &[]).unwrap();
    let found: Vec<_> = reach.chains.iter().map(|chain| chain.package.as_str()).collect();
    for package in ["by-list", "shared-one", "shared-two", "second"] {
        assert!(found.contains(&package), "{package}: {found:?}");
    }
    assert!(!found.contains(&"other"));
}
