//! Builds for the stable ABI, and builds of which it is not known what they do.

use ftcheck::model::release::Prediction::{self, EnablesGil, KeepsGilOff, NotKnown, StableAbiOnly};

use super::{SETUP, SETUPTOOLS, predicted, survey};

const MODULE: (&str, &str) = (
    "spam.c",
    "PyMODINIT_FUNC PyInit_spam(void) { PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED); }\n",
);

fn of_setup(arguments: &str) -> Prediction {
    let setup = format!(
        "import sys, sysconfig\nsetup(ext_modules=[Extension(\"spam\", [\"spam.c\"], {arguments})])\n"
    );
    predicted(&[SETUPTOOLS, ("setup.py", &setup), MODULE])
}

#[test]
fn setuptools_and_the_stable_abi() {
    for (arguments, expected) in [
        ("py_limited_api=True", StableAbiOnly),
        ("define_macros=[(\"Py_LIMITED_API\", \"0x03090000\")]", StableAbiOnly),
        ("options={\"bdist_wheel\": {\"py_limited_api\": \"cp39\"}}", StableAbiOnly),
        ("py_limited_api=not sysconfig.get_config_var(\"Py_GIL_DISABLED\")", KeepsGilOff),
        ("py_limited_api=True if sys.version_info > (3, 9) else False", NotKnown),
        ("py_limited_api=False", KeepsGilOff),
        ("", KeepsGilOff),
    ] {
        assert_eq!(of_setup(arguments), expected, "{arguments}");
    }
    let cfg = ("setup.cfg", "[bdist_wheel]\npy_limited_api = cp39\n");
    assert_eq!(predicted(&[SETUPTOOLS, SETUP, cfg, MODULE]), StableAbiOnly);
    let table =
        format!("{}[tool.distutils.bdist_wheel]\npy-limited-api = \"cp39\"\n", SETUPTOOLS.1);
    assert_eq!(predicted(&[("pyproject.toml", &table), SETUP, MODULE]), StableAbiOnly);
    let asking = (
        "setup.py",
        "LIMITED = not sysconfig.get_config_var('Py_GIL_DISABLED')\nif LIMITED:\n    o = {'py_limited_api': 'cp39'}\nsetup(ext_modules=[Extension('spam', ['spam.c'])])\n",
    );
    assert_eq!(predicted(&[SETUPTOOLS, asking, MODULE]), KeepsGilOff);
}

#[test]
fn the_macro_in_the_code() {
    let limited = |lines: &str| format!("{lines}\n#include <Python.h>\n{}", MODULE.1);
    for (lines, expected) in [
        ("#define Py_LIMITED_API 0x03090000", StableAbiOnly),
        ("#ifndef Py_GIL_DISABLED\n#define Py_LIMITED_API 0x03090000\n#endif", KeepsGilOff),
        ("// #define Py_LIMITED_API 0x03090000", KeepsGilOff),
    ] {
        let code = limited(lines);
        assert_eq!(predicted(&[SETUPTOOLS, SETUP, ("spam.c", &code)]), expected, "{lines}");
    }
}

#[test]
fn tools_that_build_for_the_version_instead() {
    let maturin = (
        "pyproject.toml",
        "[build-system]\nrequires = [\"maturin\"]\nbuild-backend = \"maturin\"\n",
    );
    let manifest = (
        "Cargo.toml",
        "[package]\nname = \"spam\"\n[dependencies]\npyo3 = { version = \"0.26\", features = [\"abi3-py39\"] }\n",
    );
    assert_eq!(
        predicted(&[maturin, manifest, ("src/lib.rs", "#[pymodule]\nmod spam {}")]),
        EnablesGil
    );
    let meson = |limited: bool| {
        format!(
            "[build-system]\nrequires = []\nbuild-backend = \"mesonpy\"\n[tool.meson-python]\nlimited-api = {limited}\n"
        )
    };
    assert_eq!(predicted(&[("pyproject.toml", &meson(true)), MODULE]), StableAbiOnly);
    assert_eq!(predicted(&[("pyproject.toml", &meson(false)), MODULE]), KeepsGilOff);
}

#[test]
fn what_is_not_known_says_why() {
    for (files, expected) in [
        (vec![], "nothing was found in it"),
        (vec![("pyproject.toml", "[build-system")], "is not TOML"),
        (
            vec![(
                "pyproject.toml",
                "[build-system]\nrequires = []\nbuild-backend = \"sipbuild.api\"\n",
            )],
            "`sipbuild.api` is not known",
        ),
        (
            vec![(
                "pyproject.toml",
                "[build-system]\nrequires = []\nbuild-backend = \"maturin\"\n[tool.maturin]\nbindings = \"bin\"\n",
            )],
            "bindings `bin`",
        ),
        (vec![SETUPTOOLS, SETUP], "no extension module was found"),
        (
            vec![SETUPTOOLS, ("setup.py", "import setuptools\nsetuptools.setup()\n"), MODULE],
            "no script of the build was seen",
        ),
    ] {
        let report = survey(&files);
        assert_eq!(report.prediction, NotKnown, "{files:?}");
        let reason = report.reason.unwrap();
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_backend_in_the_source_is_read_as_a_script() {
    let build = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\"build_hook\"]\n";
    let backend = (
        "build_hook/backend.py",
        "def build_wheel():\n    cythonize(\"spam.pyx\", compiler_directives={\"freethreading_compatible\": True})\n",
    );
    assert_eq!(
        predicted(&[("pyproject.toml", build), backend, ("spam.pyx", "x = 1\n")]),
        KeepsGilOff
    );
}
