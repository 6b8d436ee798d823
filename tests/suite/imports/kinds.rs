//! What each kind of import executes.

use super::support::{body, enables, import, import_beside, keeps_off};

#[test]
fn an_import_executes_each_package_on_the_way() {
    enables("import pkg.sub");
    enables("import pkg.sub.nothing");
    keeps_off("import pkg.plain");
    keeps_off("import pkg.good");
}

#[test]
fn a_name_is_a_submodule_unless_the_package_binds_it() {
    enables("from pkg import bad");
    enables("from . import sub");
    enables("from .sub import value");
    keeps_off("from . import plain");
    let bound = import(&[
        ("pkg/__init__.py", "from .inner import bad"),
        ("pkg/inner/__init__.py", "bad = 1"),
        ("pkg/inner/bad.so", "enables"),
    ]);
    assert_eq!(bound.enables_gil, Some(false));
}

#[test]
fn a_submodule_is_bound_in_its_package_once_it_was_imported() {
    // The second line finds the attribute, and imports nothing.
    let report = import(&[
        ("pkg/__init__.py", "from . import a\nfrom . import b"),
        ("pkg/a.py", "import pkg.b"),
        ("pkg/b/__init__.py", ""),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(false));
    assert_eq!(report.reason.unwrap(), "3 modules are executed, nothing compiled is imported");
}

#[test]
fn a_star_imports_the_submodules_that_all_names() {
    let with_all = |all: &str| {
        import(&[
            ("pkg/__init__.py", "from .inner import *"),
            ("pkg/inner/__init__.py", all),
            ("pkg/inner/bad.so", "enables"),
        ])
        .enables_gil
    };
    assert_eq!(with_all("__all__ = ['bad']"), Some(true));
    assert_eq!(with_all("__all__ = []\n__all__ += ['bad']"), Some(true));
    assert_eq!(with_all("__all__ = []\n__all__.append('bad')"), Some(true));
    assert_eq!(with_all("__all__ = ['x']\n__all__.extend(['bad'])\nx = 1"), Some(true));
    assert_eq!(with_all("__all__ = ['good']\ngood = 1"), Some(false));
    assert_eq!(with_all(""), Some(false));
}

#[test]
fn relative_imports_count_from_the_package() {
    let report = import(&[
        ("pkg/__init__.py", "import pkg.a.b.c"),
        ("pkg/a/__init__.py", ""),
        ("pkg/a/b/__init__.py", ""),
        ("pkg/a/b/c.py", "from ... import bad"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
    assert_eq!(report.by.unwrap(), "pkg.bad");
    assert_eq!(report.chain, ["pkg", "pkg.a.b.c", "pkg.bad"]);
}

#[test]
fn of_one_name_a_package_comes_before_an_extension_before_source() {
    let both = |first: &str, second: &str| {
        import(&[("pkg/__init__.py", "from . import one"), (first, "enables"), (second, "x = 1")])
            .enables_gil
    };
    assert_eq!(both("pkg/one.so", "pkg/one.py"), Some(true));
    assert_eq!(both("pkg/one.so", "pkg/one/__init__.py"), Some(false));
    assert_eq!(both("pkg/one/__init__.so", "pkg/one.py"), Some(true));
    // A folder without `__init__` comes last.
    assert_eq!(both("pkg/one/other.so", "pkg/one.py"), Some(false));
}

#[test]
fn namespace_packages_span_distributions() {
    let report = import_beside(&[
        ("pkg", &[("pkg/__init__.py", "import space.second.bad")]),
        ("first", &[("space/first/__init__.py", "")]),
        ("second", &[("space/second/bad.so", "enables")]),
    ]);
    assert_eq!(report.enables_gil, Some(true));
}

#[test]
fn files_under_data_are_found_where_they_are_installed() {
    let report = import(&[
        ("pkg/__init__.py", "from . import bad"),
        ("pkg-1.0.data/platlib/pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
}

#[test]
fn constant_names_are_imported() {
    enables("import importlib\nimportlib.import_module('pkg.bad')");
    enables("from importlib import import_module\nimport_module('.bad', __name__)");
    enables("from importlib import import_module as i\ni('.bad', package=__package__)");
    enables("__import__('pkg.bad')");
    enables("__import__('pkg', fromlist=['bad'])");
    enables("__import__('bad', globals(), locals(), [], 1)");
    enables(
        "import importlib\nfor name in ('plain', 'bad'):\n    importlib.import_module('.' + name, __name__)",
    );
    enables("import importlib\n[importlib.import_module(f'{__name__}.{n}') for n in ['bad']]");
    enables("exec('from . import bad')");
    keeps_off("import importlib\nimportlib.import_module('.plain', __name__)");
}

#[test]
fn computed_names_may_be_any_module_of_the_package() {
    let text = "import importlib\ndef load(name):\n    return importlib.import_module(f'.{name}', __name__)\nload(input())";
    assert_eq!(body(text), None);
    // Not called: later.
    keeps_off(
        "import importlib\ndef load(name):\n    return importlib.import_module(f'.{name}', __name__)",
    );
    // Names without anything that could matter.
    let report = import(&[
        ("pkg/__init__.py", "import importlib\nimportlib.import_module('.x' + input(), __name__)"),
        ("pkg/xa.py", ""),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(false));
}

#[test]
fn modules_that_pkgutil_lists_are_known() {
    enables(
        "import pkgutil, importlib\nfor _, name, _ in pkgutil.iter_modules(__path__):\n    importlib.import_module('.' + name, __name__)",
    );
}

#[test]
fn what_fails_to_import_is_caught() {
    enables("try:\n    import nothing\nexcept ImportError:\n    from . import bad");
    enables("try:\n    import nothing\nexcept ModuleNotFoundError:\n    from . import bad");
    enables("try:\n    import nothing\nexcept:\n    from . import bad");
    enables("try:\n    import nothing\nexcept (ValueError, ImportError):\n    from . import bad");
    enables("try:\n    import nothing\nexcept Exception:\n    from . import bad");
    enables("try:\n    from .plain import nothing\nexcept ImportError:\n    from . import bad");
    enables(
        "try:\n    import nothing\nexcept ValueError:\n    pass\nexcept ImportError:\n    from . import bad",
    );
    enables("try:\n    import nothing\nexcept ImportError:\n    pass\nfrom . import bad");
    enables("try:\n    import nothing\nfinally:\n    from . import bad");
    enables(
        "try:\n    import pkg.plain\nexcept ImportError:\n    pass\nelse:\n    from . import bad",
    );
    enables(
        "from contextlib import suppress\nwith suppress(ImportError):\n    import nothing\nfrom . import bad",
    );
    keeps_off("try:\n    import pkg.plain\nexcept ImportError:\n    from . import bad");
    keeps_off("try:\n    import nothing\n    from . import bad\nexcept ImportError:\n    pass");
    keeps_off(
        "from contextlib import suppress\nwith suppress(ImportError):\n    import nothing\n    from . import bad",
    );
    keeps_off("try:\n    import json\nexcept ImportError:\n    from . import bad");
    enables("try:\n    import msvcrt\nexcept ImportError:\n    from . import bad");
}

#[test]
fn a_module_that_fails_fails_for_whoever_imports_it() {
    let report = import(&[
        (
            "pkg/__init__.py",
            "try:\n    from . import inner\nexcept ImportError:\n    from . import bad",
        ),
        ("pkg/inner.py", "raise ImportError('not here')"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
}

#[test]
fn cycles_see_what_is_there_so_far() {
    let report = import(&[
        ("pkg/__init__.py", "from . import a\nfrom . import bad"),
        ("pkg/a.py", "from . import b\nx = 1"),
        ("pkg/b.py", "from . import a\nfrom pkg.a import x"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
}

#[test]
fn a_library_without_a_hook_cannot_be_imported() {
    let mut environment = super::support::environment();
    environment.add(ftcheck::imports::Distribution {
        name: "pkg".to_owned(),
        extensions: Some(Vec::new()),
        files: std::sync::Arc::new(Only(vec![
            "pkg/lib.so".to_owned(),
            "pkg/__init__.py".to_owned(),
        ])),
    });
    let report = environment.import_report("pkg");
    assert_eq!(report.enables_gil, Some(false), "{report:?}");
}

/// `pkg/__init__.py` tries to import a library.
struct Only(Vec<String>);

impl ftcheck::imports::Files for Only {
    fn names(&self) -> &[String] {
        &self.0
    }

    fn source(&self, member: &str) -> Option<std::borrow::Cow<'_, [u8]>> {
        let text: &[u8] = b"try:\n    from . import lib\nexcept ImportError:\n    pass\n";
        member.ends_with(".py").then_some(std::borrow::Cow::Borrowed(text))
    }
}

#[test]
fn undetermined_modules_are_named() {
    let report =
        import(&[("pkg/__init__.py", "from . import core"), ("pkg/core.so", "undetermined")]);
    assert_eq!(report.enables_gil, None);
    assert_eq!(report.by.unwrap(), "pkg.core");
    assert_eq!(report.chain, ["pkg", "pkg.core"]);
    assert_eq!(report.reason.unwrap(), "what loading it does is not known");
}

#[test]
fn what_was_not_looked_at_leaves_a_name_open() {
    let mut environment = super::support::environment();
    super::support::add(
        &mut environment,
        "pkg",
        &[("pkg/__init__.py", "try:\n    import other\nexcept ImportError:\n    pass")],
    );
    environment.add_not_seen("other".to_owned(), None);
    let report = environment.import_report("pkg");
    assert_eq!(report.enables_gil, None);
    assert_eq!(report.reason.unwrap(), "other is imported, and other was not looked at");
}

#[test]
fn what_compiled_code_names_is_perhaps_imported() {
    let report = import(&[
        ("pkg/__init__.py", "from . import core"),
        ("pkg/core.so", "keeps pkg.bad"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, None);
    assert_eq!(report.by.unwrap(), "pkg.bad");
    assert_eq!(report.chain, ["pkg", "pkg.core", "pkg.bad"]);
}

#[test]
fn a_compiled_module_does_what_its_source_does() {
    let report = import(&[
        ("pkg/__init__.py", "from . import core"),
        ("pkg/core.so", "keeps"),
        ("pkg/core.py", "import cython\nfrom . import bad"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
    assert_eq!(report.chain, ["pkg", "pkg.core", "pkg.bad"]);
}

#[test]
fn what_mypyc_compiled_loads_its_group() {
    let report = import(&[
        ("pkg/__init__.so", "keeps"),
        ("pkg/__init__.py", ""),
        ("0123456789__mypyc.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
    assert_eq!(report.by.unwrap(), "0123456789__mypyc");
}

#[test]
fn what_was_not_looked_at_may_say_its_names() {
    let mut environment = super::support::environment();
    let text = "try:\n    import other\nexcept ImportError:\n    pass";
    super::support::add(&mut environment, "pkg", &[("pkg/__init__.py", text)]);
    environment.add_not_seen("unrelated".to_owned(), Some(vec!["unrelated".to_owned()]));
    assert_eq!(environment.import_report("pkg").enables_gil, Some(false));
    environment.add_not_seen("other-thing".to_owned(), Some(vec!["other".to_owned()]));
    assert_eq!(environment.import_report("pkg").enables_gil, None);
}

#[test]
fn folders_that_are_searched_too_are_looked_into() {
    let with = |text: &str| {
        import(&[
            ("pkg/__init__.py", text),
            ("pkg/_vendor/thing/__init__.py", "from . import bad"),
            ("pkg/_vendor/thing/bad.so", "enables"),
        ])
        .enables_gil
    };
    assert_eq!(
        with(
            "import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), '_vendor'))\nimport thing"
        ),
        None
    );
    assert_eq!(with("__path__.append('_vendor')\nimport pkg.thing"), None);
    assert_eq!(with("__path__ = ['_vendor']\nfrom pkg.thing import x"), None);
    assert_eq!(with("try:\n    import thing\nexcept ImportError:\n    pass"), Some(false));
}

#[test]
fn specs_are_followed() {
    enables(
        "from importlib.util import find_spec, module_from_spec\nspec = find_spec('pkg.bad')\nif spec:\n    module = module_from_spec(spec)\n    spec.loader.exec_module(module)",
    );
    keeps_off(
        "import importlib.util as u\nspec = u.find_spec('pkg.bad')\nloader = u.LazyLoader(spec.loader)\nmodule = u.module_from_spec(spec)\nloader.exec_module(module)",
    );
    assert_eq!(
        body(
            "import importlib.util as u\nspec = u.spec_from_file_location('x', 'y')\nspec.loader.exec_module(u.module_from_spec(spec))"
        ),
        None
    );
    assert_eq!(
        body(
            "import threading\ndef load():\n    from . import bad\nthreading.Thread(target=load).start()"
        ),
        None
    );
    assert_eq!(body("exec(open('x').read())"), None);
}

#[test]
fn a_compiled_module_imports_what_it_names_of_other_packages_and_in_python() {
    let other = import_beside(&[
        ("pkg", &[("pkg/__init__.py", "from . import good"), ("pkg/good.so", "keeps other_bad")]),
        ("other", &[("other_bad.so", "enables")]),
    ]);
    assert_eq!(other.enables_gil, None);
    assert_eq!(other.by.unwrap(), "other_bad");
    let helper = import(&[
        ("pkg/__init__.py", "from . import good"),
        ("pkg/good.so", "keeps helper"),
        ("pkg/helper.py", "from . import bad"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(helper.enables_gil, None);
    assert_eq!(helper.by.unwrap(), "pkg.bad");
}
