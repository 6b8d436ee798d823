//! Ways in which packages put imports off.

use super::support::{enables, import, import_beside, keeps_off};

/// `pkg/__init__.py`, which is lazy, and what imports a name of it.
fn lazily(lazy: &str, user: &str) -> Option<bool> {
    import_beside(&[
        ("pkg", &[("pkg.py", user)]),
        (
            "lazy",
            &[
                ("lazy/__init__.py", lazy),
                ("lazy/bad.so", "enables"),
                ("lazy/sub.py", "from .bad import Thing\nother = 1"),
                ("lazy/plain.py", "value = 1"),
            ],
        ),
    ])
    .enables_gil
}

const GETATTR: &str = "
import importlib
_names = {'Thing': 'sub', 'value': 'plain'}
def __getattr__(name):
    if name in _names:
        module = importlib.import_module(f'.{_names[name]}', __name__)
        return getattr(module, name)
    raise AttributeError(name)
";

#[test]
fn a_getattr_of_the_module_is_asked() {
    assert_eq!(lazily(GETATTR, "import lazy"), Some(false));
    assert_eq!(lazily(GETATTR, "from lazy import value"), Some(false));
    assert_eq!(lazily(GETATTR, "from lazy import Thing"), Some(true));
    assert_eq!(lazily(GETATTR, "import lazy\nlazy.Thing"), Some(true));
    assert_eq!(lazily(GETATTR, "import lazy\nlazy.value"), Some(false));
    // What it does not know is looked for as a submodule.
    assert_eq!(lazily(GETATTR, "from lazy import sub"), Some(true));
    assert_eq!(lazily(GETATTR, "import lazy\nclass A(lazy.Thing): pass"), Some(true));
    assert_eq!(lazily(GETATTR, "import lazy\ndef f():\n    return lazy.Thing"), Some(false));
}

const LOADER: &str = "
import importlib, os, sys
def attach(package_name, submodules=None, submod_attrs=None):
    submodules = set(submodules) if submodules else set()
    attr_to_modules = {
        attr: mod for mod, attrs in (submod_attrs or {}).items() for attr in attrs
    }
    __all__ = sorted(submodules | attr_to_modules.keys())
    def __getattr__(name):
        if name in submodules:
            return importlib.import_module(f'{package_name}.{name}')
        elif name in attr_to_modules:
            submod = importlib.import_module(f'{package_name}.{attr_to_modules[name]}')
            return getattr(submod, name)
        else:
            raise AttributeError(name)
    def __dir__():
        return __all__
    return __getattr__, __dir__, __all__
def attach_stub(package_name, filename):
    with open(filename + 'i') as f:
        tree = parse(f.read())
    return attach(package_name, tree.submodules, tree.attrs)
";

#[test]
fn a_lazy_loader_is_followed() {
    let lazy = "import loader\n__getattr__, __dir__, __all__ = loader.attach(__name__, submodules=['plain', 'bad'], submod_attrs={'sub': ['Thing']})";
    let with = |user: &str| {
        import_beside(&[
            ("pkg", &[("pkg.py", user)]),
            ("loader", &[("loader.py", LOADER)]),
            (
                "lazy",
                &[
                    ("lazy/__init__.py", lazy),
                    ("lazy/bad.so", "enables"),
                    ("lazy/sub.py", "from .bad import Thing"),
                    ("lazy/plain.py", "value = 1"),
                ],
            ),
        ])
        .enables_gil
    };
    assert_eq!(with("import lazy"), Some(false));
    assert_eq!(with("import lazy\nlazy.plain.value"), Some(false));
    assert_eq!(with("from lazy import Thing"), Some(true));
    assert_eq!(with("import lazy\nlazy.bad"), Some(true));
}

#[test]
fn a_stub_tells_the_names_of_a_lazy_package() {
    let lazy = "from loader import attach_stub\n__getattr__, __dir__, __all__ = attach_stub(__name__, __file__)";
    let with = |user: &str| {
        import_beside(&[
            ("pkg", &[("pkg.py", user)]),
            ("loader", &[("loader.py", LOADER)]),
            (
                "lazy",
                &[
                    ("lazy/__init__.py", lazy),
                    ("lazy/__init__.pyi", "from . import plain\nfrom .sub import Thing\n"),
                    ("lazy/bad.so", "enables"),
                    ("lazy/sub.py", "from .bad import Thing"),
                    ("lazy/plain.py", "value = 1"),
                ],
            ),
        ])
        .enables_gil
    };
    assert_eq!(with("import lazy"), Some(false));
    assert_eq!(with("from lazy import plain"), Some(false));
    assert_eq!(with("from lazy import Thing"), Some(true));
}

const LAZY_MODULE: &str = "
import importlib, sys
from types import ModuleType
class _LazyModule(ModuleType):
    def __init__(self, name, module_file, import_structure, module_spec=None):
        super().__init__(name)
        self._modules = set(import_structure.keys())
        self._class_to_module = {}
        for key, values in import_structure.items():
            for value in values:
                self._class_to_module[value] = key
    def __getattr__(self, name):
        if name in self._modules:
            value = self._get_module(name)
        elif name in self._class_to_module.keys():
            module = self._get_module(self._class_to_module[name])
            value = getattr(module, name)
        else:
            raise AttributeError(name)
        return value
    def _get_module(self, module_name):
        return importlib.import_module('.' + module_name, self.__name__)
_import_structure = {'plain': ['value']}
_import_structure['sub'] = ['Thing']
sys.modules[__name__] = _LazyModule(__name__, globals()['__file__'], _import_structure, module_spec=__spec__)
";

#[test]
fn a_module_that_replaces_itself_is_asked() {
    assert_eq!(lazily(LAZY_MODULE, "import lazy"), Some(false));
    assert_eq!(lazily(LAZY_MODULE, "from lazy import value"), Some(false));
    assert_eq!(lazily(LAZY_MODULE, "from lazy import Thing"), Some(true));
    assert_eq!(lazily(LAZY_MODULE, "from lazy.sub import other"), Some(true));
}

#[test]
fn lazy_imports_are_made_where_the_name_is_used() {
    keeps_off("lazy import pkg.bad");
    keeps_off("lazy from pkg import bad");
    enables("lazy from pkg import bad\nbad.thing");
    enables("lazy import pkg.bad as b\nprint(b)");
    enables("lazy from pkg import bad\nbad");
}

#[test]
fn names_made_in_a_loop_are_known() {
    enables("for _name in ['x']:\n    globals()[_name] = True\nif x:\n    from . import bad");
    enables("globals().update({'x': 1})\nif x:\n    from . import bad");
}

#[test]
fn modules_may_be_registered_by_hand() {
    let report = import(&[
        (
            "pkg/__init__.py",
            "import sys\nfrom . import inner\nsys.modules[__name__ + '.alias'] = inner\nfrom pkg.alias import value\nif value:\n    from . import bad",
        ),
        ("pkg/inner.py", "value = True"),
        ("pkg/bad.so", "enables"),
    ]);
    assert_eq!(report.enables_gil, Some(true));
}
