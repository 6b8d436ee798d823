//! What leads to a module.

use ftcheck::imports::graph::Graph;
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

fn towards(environment: &ftcheck::imports::Environment, modules: &[&str]) -> Graph {
    let modules: Vec<String> = modules.iter().map(|module| (*module).to_owned()).collect();
    environment.graph_towards(&modules)
}

#[test]
fn chains_lead_from_each_package() {
    let environment = plotting();
    let graph = towards(&environment, &["fonts.misc.bezier"]);
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
    let graph = towards(&environment, &["fonts.misc.later", "fonts.lua54", "fonts.misc.alone"]);
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
    let reach = environment.reach(&towards(&environment, &["pkg.bad"]), "pkg.bad", &[]).unwrap();
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
        let reach = environment.reach(&towards(&environment, &[&bad]), &bad, &[]).unwrap();
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
    let reach = environment.reach(&towards(&environment, &["pkg.bad"]), "pkg.bad", &[]).unwrap();
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
        let reach =
            environment.reach(&towards(&environment, &["pkg.bad"]), "pkg.bad", &[]).unwrap();
        assert_eq!(reach.how, How::Submodule, "{source}");
        assert_eq!(reach.chains[0].modules, ["pkg.loads", "pkg.bad"], "{source}");
    }
}

/// What was executed for a report and did not come to the module need not be executed again.
#[test]
fn reports_that_were_asked_for_before_change_nothing_of_what_leads_to_a_module() {
    let goals = ["fonts.misc.bezier", "fonts.misc.alone", "fonts.misc.later", "fonts.lua54"];
    let before = connected();
    let after = connected();
    for top in ["plots", "fonts", "app", "by_name", "by_list", "second", "third", "prose", "aside"]
    {
        let _ = after.import_report(top);
    }
    let (graph, behind) = (towards(&before, &goals), towards(&after, &goals));
    for goal in goals {
        let expected = before.reach(&graph, goal, &[]);
        assert_eq!(after.reach(&behind, goal, &[]), expected, "{goal}");
    }
}

/// As short as a lazy loader can be.
const LOADER: &str = "
import importlib
def attach(package, submod_attrs):
    names = {name: module for module, all in submod_attrs.items() for name in all}
    def __getattr__(name):
        module = importlib.import_module(f'{package}.{names[name]}')
        return getattr(module, name)
    return __getattr__, lambda: list(names), list(names)
";

/// Its package's own import leads nowhere; a name that is asked of it does (PEP 562).
#[test]
fn a_package_that_imports_for_names_leads_on() {
    let lazy = "import importlib\n__all__ = ['Thing']\n";
    let function = "def __getattr__(name):\n    if name == 'Thing':\n        \
                    from . import impl\n        return impl.Thing\n    \
                    raise AttributeError(name)\n";
    let table = "import lazy_loader as lazy\n\
                 __getattr__, __dir__, __all__ = lazy.attach(\n\
                 \x20   __name__, submod_attrs={'impl': ['Thing']})\n";
    for init in [format!("{lazy}{function}"), table.to_owned()] {
        let mut environment = environment();
        let files = [
            ("lazy/__init__.py", init.as_str()),
            ("lazy/impl.py", "from . import bad\nclass Thing: pass\n"),
            ("lazy/bad.so", "enables"),
        ];
        add(&mut environment, "lazy", &files);
        let user = [("user/__init__.py", ""), ("user/part.py", "from lazy import Thing\n")];
        add(&mut environment, "user", &user);
        add(&mut environment, "lazy-loader", &[("lazy_loader.py", LOADER)]);
        assert_eq!(environment.import_report("lazy").enables_gil, Some(false), "{init}");
        assert_eq!(environment.import_report("user").enables_gil, Some(false), "{init}");
        let graph = towards(&environment, &["lazy.bad"]);
        let reach = environment.reach(&graph, "lazy.bad", &["user".to_owned()]).unwrap();
        let chain: Vec<_> = reach.chains.iter().filter(|chain| chain.package == "user").collect();
        assert!(!chain.is_empty(), "{init}\n{reach:?}");
        assert_eq!(chain[0].modules, ["user.part", "lazy.impl", "lazy.bad"], "{init}");
    }
}

/// Programs and tests are not asked themselves, and what others import of them is followed.
#[test]
fn tests_that_a_module_imports_lead_on() {
    let mut environment = environment();
    let files = [
        ("pkg/__init__.py", ""),
        ("pkg/uses.py", "from pkg import (  # for users\n    testing,\n)\n"),
        ("pkg/testing/__init__.py", "from .tests import helper"),
        ("pkg/testing/tests/__init__.py", ""),
        ("pkg/testing/tests/helper.py", "import pkg.bad"),
        ("pkg/testing/tests/test_bad.py", "import pkg.bad"),
        ("pkg/bad.so", "enables"),
    ];
    add(&mut environment, "pkg", &files);
    assert_eq!(environment.import_report("pkg").enables_gil, Some(false));
    let reach = environment.reach(&towards(&environment, &["pkg.bad"]), "pkg.bad", &[]).unwrap();
    assert_eq!(reach.how, How::Submodule);
    let first = &reach.chains[0].modules;
    assert_eq!(first, &["pkg.uses", "pkg.testing", "pkg.testing.tests.helper", "pkg.bad"]);
}

/// They are most of what is installed, and nobody's program imports them.
#[test]
fn tests_of_packages_do_not_lead_anywhere() {
    let mut environment = environment();
    let files = [("pkg/__init__.py", "from . import bad"), ("pkg/bad.so", "enables")];
    add(&mut environment, "pkg", &files);
    let tests = [("other/__init__.py", ""), ("other/tests/test_bad.py", "import pkg.bad")];
    add(&mut environment, "other", &tests);
    let reach = environment.reach(&towards(&environment, &["pkg.bad"]), "pkg.bad", &[]).unwrap();
    let packages: Vec<_> = reach.chains.iter().map(|chain| chain.package.as_str()).collect();
    assert_eq!(packages, ["pkg"]);
}

/// Packages that lead to each other in all the ways there are, and some that do not.
fn connected() -> ftcheck::imports::Environment {
    let mut environment = plotting();
    let packages: [(&str, &[(&str, &str)]); 8] = [
        (
            "by-name",
            &[("by_name.py", "import importlib\nimportlib.import_module('fonts.misc.alone')\n")],
        ),
        (
            "by-list",
            &[("by_list.py", "for name in ['os', 'fonts.misc.alone']:\n    __import__(name)\n")],
        ),
        ("shared-one", &[("shared/one.py", "import fonts.lua54\n")]),
        ("shared-two", &[("shared/two.py", "from . import one\n")]),
        ("second", &[("second.py", "import json, \\\n    by_name\n"), ("third.py", "")]),
        ("prose", &[("prose.py", "\"\"\"Uses fonts, by 'fonts'.\"\"\"\n")]),
        (
            "aside",
            &[("aside/__init__.py", "import json\n"), ("aside/fonts.py", "from .fonts import x\n")],
        ),
        ("user-of-aside", &[("user.py", "def f():\n    import aside\n")]),
    ];
    for (name, files) in packages {
        add(&mut environment, name, files);
    }
    environment
}

#[test]
fn the_packages_that_name_a_module_tell_as_much_of_what_leads_to_it_as_all_do() {
    let environment = connected();
    let all = environment.graph();
    let goals = ["bezier", "alone", "later"].map(|name| format!("fonts.misc.{name}"));
    for goal in goals.iter().chain(&["fonts.lua54".to_owned()]) {
        let some = environment.graph_towards(std::slice::from_ref(goal));
        let expected = environment.reach(&all, goal, &[]);
        assert!(expected.is_some());
        assert_eq!(environment.reach(&some, goal, &[]), expected, "{goal}");
    }
    let some = environment.graph_towards(&goals);
    for goal in &goals {
        assert_eq!(environment.reach(&some, goal, &[]), environment.reach(&all, goal, &[]));
    }
}
