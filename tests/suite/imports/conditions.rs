//! Conditions, as the interpreter would find them.

use ftcheck::model::target::Target;

use super::support::{add, enables, keeps_off, not_known};

#[track_caller]
fn holds(condition: &str, before: &str) {
    enables(&format!("{before}\nif {condition}:\n    from . import bad\n"));
    keeps_off(&format!("{before}\nif not ({condition}):\n    from . import bad\n"));
    keeps_off(&format!("{before}\nif {condition}:\n    pass\nelse:\n    from . import bad\n"));
}

#[test]
fn of_the_interpreter() {
    holds("sys.version_info >= (3, 9)", "import sys");
    holds("sys.version_info[:2] == (3, 14)", "import sys");
    holds("sys.version_info.minor > 9 and sys.version_info[0] == 3", "import sys");
    holds("sys.version_info < (4,)", "import sys");
    holds("sys.hexversion >= 0x03080000", "import sys");
    holds("implementation.name == 'cpython'", "from sys import implementation");
    holds("platform.python_implementation() != 'PyPy'", "import platform");
    holds("hasattr(sys, '_is_gil_enabled')", "import sys");
    holds("not sys._is_gil_enabled()", "import sys");
    holds("not getattr(sys, 'frozen', False)", "import sys");
    holds("sysconfig.get_config_var('Py_GIL_DISABLED')", "import sysconfig");
    holds("sys.maxsize > 2**32", "import sys");
    holds("__debug__", "");
}

#[test]
fn of_the_platform() {
    holds("sys.platform == 'linux'", "import sys");
    holds("not sys.platform.startswith('win')", "import sys");
    holds("os.name == 'posix'", "import os");
    holds("platform.system() == 'Linux'", "import platform");
    holds("platform.machine().lower() in ('amd64', 'x86_64')", "import platform");
    holds("sys.byteorder == 'little'", "import sys");
}

#[test]
fn of_the_environment() {
    holds("'PKG_PURE' not in os.environ", "import os");
    holds("os.environ.get('PKG_PURE') is None", "import os");
    holds("os.getenv('PKG_PURE', '0') == '0'", "import os");
    holds("not os.environ.get('PKG_PURE', '')", "from os import environ\nimport os");
    not_known("import os\nif 'x' in os.environ['PATH']:\n    from . import bad");
}

#[test]
fn of_type_checkers() {
    keeps_off("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import bad");
    keeps_off("import typing as t\nif t.TYPE_CHECKING:\n    from . import bad");
    keeps_off("TYPE_CHECKING = False\nif TYPE_CHECKING:\n    from . import bad");
    keeps_off("if __name__ == '__main__':\n    from . import bad");
    enables("import typing\nif typing.TYPE_CHECKING:\n    pass\nelse:\n    from . import bad");
}

#[test]
fn of_names_that_were_bound() {
    enables(
        "try:\n    import json\n    HAS = True\nexcept ImportError:\n    HAS = False\nif HAS:\n    from . import bad",
    );
    keeps_off(
        "try:\n    import nothing\n    HAS = True\nexcept ImportError:\n    HAS = False\nif HAS:\n    from . import bad",
    );
    keeps_off(
        "try:\n    import nothing\nexcept ImportError:\n    nothing = None\nif nothing is not None:\n    from . import bad",
    );
    enables(
        "try:\n    from . import plain\nexcept ImportError:\n    plain = None\nif plain:\n    from . import bad",
    );
    enables("from .plain import value\nif value:\n    from . import bad");
    enables("from . import plain\nif plain.value == 1:\n    from . import bad");
    enables(
        "from importlib.util import find_spec\nif find_spec('pkg.plain') is not None:\n    from . import bad",
    );
    keeps_off(
        "import importlib.util\nif importlib.util.find_spec('nothing'):\n    from . import bad",
    );
    enables(
        "VERSION = '1.26.4'\nif tuple(map(int, VERSION.split('.')[:2])) >= (1, 20):\n    from . import bad",
    );
    keeps_off(
        "import importlib.metadata as m\ntry:\n    m.version('nothing')\nexcept m.PackageNotFoundError:\n    pass\nelse:\n    from . import bad",
    );
}

#[test]
fn of_functions() {
    enables("def load():\n    from . import bad\nload()");
    keeps_off("def load():\n    from . import bad");
    keeps_off("def wanted():\n    return False\nif wanted():\n    from . import bad");
    enables(
        "def wanted(x, y=1):\n    if x:\n        return y\n    return 0\nif wanted(True):\n    from . import bad",
    );
    enables("wanted = lambda: True\nif wanted():\n    from . import bad");
    enables(
        "class Loader:\n    def __init__(self, name):\n        self.name = name\n    def load(self):\n        import importlib\n        importlib.import_module(self.name)\nLoader('pkg.bad').load()",
    );
    enables("class Settings:\n    from . import bad");
    enables("import functools\n@functools.lru_cache\ndef load():\n    from . import bad\nload()");
    enables("def decorate(f):\n    from . import bad\n    return f\n@decorate\ndef g(): pass");
    enables(
        "def outer():\n    def inner():\n        from . import bad\n    return inner\nouter()()",
    );
    keeps_off("import atexit\ndef late():\n    from . import bad\natexit.register(late)");
    enables(
        "class A:\n    def go(self):\n        from . import bad\nclass B(A):\n    def go(self):\n        super().go()\nB().go()",
    );
    not_known("def load():\n    from . import bad\n@unknown.decorator\ndef f():\n    load()\nf()");
}

#[test]
fn of_what_is_not_known() {
    not_known("if input():\n    from . import bad");
    enables("if input():\n    from . import bad\nelse:\n    from .sub import value");
    enables(
        "if input():\n    from . import bad\nelif input():\n    from . import sub\nelse:\n    import pkg.bad",
    );
    keeps_off("if input():\n    from . import plain");
    not_known("while input():\n    from . import bad");
    not_known("for x in input():\n    from . import bad");
    not_known(
        "match input():\n    case 'a':\n        from . import bad\n    case _:\n        pass",
    );
    enables("match 'a':\n    case 'b':\n        pass\n    case 'a':\n        from . import bad");
    not_known("input() and __import__('pkg.bad')");
    not_known("x = __import__('pkg.bad') if input() else None");
}

#[test]
fn a_way_that_enables_the_gil_needs_no_memory() {
    // As loaders choose among builds for several processors.
    enables(
        "loaded = False\nif input():\n    from . import bad\n    loaded = True\nif not loaded:\n    from . import sub",
    );
    not_known(
        "loaded = False\nif input():\n    from . import bad\n    loaded = True\nif not loaded:\n    from . import plain",
    );
}

#[test]
fn unknown_calls_may_fail() {
    not_known(
        "try:\n    import something_unknown_is_called as s\nexcept ImportError:\n    s = input\ntry:\n    s()\nexcept Exception:\n    from . import bad",
    );
    keeps_off("try:\n    input()\nexcept ImportError:\n    from . import bad");
}

#[test]
fn a_way_that_ends_the_program_is_not_gone() {
    enables("if input():\n    raise RuntimeError('unsupported')\nfrom . import bad");
    enables("import sys\nif input():\n    sys.exit(1)\nfrom . import bad");
}

#[test]
fn versions_are_compared() {
    let version =
        "class Version:\n    def __init__(self, text):\n        self.parts = parse(text)\n";
    enables(&format!("{version}if Version('2.10') >= Version('2.9'):\n    from . import bad"));
    keeps_off(&format!("{version}if Version('2.10') < Version('2.9'):\n    from . import bad"));
}

#[test]
fn of_other_platforms_and_releases() {
    let text = "import sys\nif sys.platform == 'win32' and sys.version_info >= (3, 15):\n    from . import bad";
    let files = [("pkg/__init__.py", text), ("pkg/bad.pyd", "")];
    let on = |target: Target, platform: &str| {
        let mut environment = ftcheck::imports::Environment::new(target, platform.parse().unwrap());
        add(&mut environment, "pkg", &files);
        let report = environment.import_report("pkg");
        // Without an answer for `bad.pyd`, it is a file without a hook where it is imported.
        report.reason.unwrap_or_default()
    };
    assert!(on(Target::PY315T, "windows").contains("compiled"));
    assert!(on(Target::PY314T, "windows").contains("nothing compiled"));
    assert!(on(Target::PY315T, "linux").contains("nothing compiled"));
}
