//! Several modules in one source: what one declares is not what another does.

use ftcheck::model::release::Prediction::{EnablesGil, KeepsGilOff, NotKnown, PurePython};

use super::{SETUPTOOLS, of_c, predicted};

const KEEPS: &str = "static PyModuleDef_Slot s[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}, {0, NULL}};\n\
                     PyMODINIT_FUNC PyInit_keep(void) { return PyModuleDef_Init(&d); }\n";
const SILENT: &str = "PyMODINIT_FUNC PyInit_other(void) { return PyModule_Create(&e); }\n";

#[test]
fn one_slot_does_not_speak_for_two_modules_of_a_file() {
    assert_eq!(of_c(&format!("{KEEPS}{SILENT}")), NotKnown);
    let both = KEEPS.replace("keep", "other");
    assert_eq!(of_c(&format!("{KEEPS}{both}")), KeepsGilOff);
}

#[test]
fn a_call_in_one_module_of_rust_does_not_speak_for_another() {
    let with = |code: &str| {
        let cargo = "[package]\nname = \"k\"\n[dependencies]\npyo3 = \"0.24\"\n";
        let pyproject = "[build-system]\nrequires = [\"maturin\"]\nbuild-backend = \"maturin\"\n";
        let all = [("pyproject.toml", pyproject), ("Cargo.toml", cargo), ("src/lib.rs", code)];
        predicted(&all)
    };
    let module = |name: &str, body: &str| {
        format!(
            "#[pymodule]\nfn {name}(m: &Bound<PyModule>) -> PyResult<()> {{\n{body}Ok(())\n}}\n"
        )
    };
    let not_used = "m.gil_used(false)?;\n";
    assert_eq!(with(&module("k", not_used)), KeepsGilOff);
    assert_eq!(with(&module("k", "m.gil_used(true)?;\n")), EnablesGil);
    for open in
        ["#[cfg(feature = \"ft\")]\nm.gil_used(false)?;\n", "if x { m.gil_used(false)?; }\n"]
    {
        assert_eq!(with(&module("k", open)), NotKnown, "{open}");
    }
    let two = format!("{}{}", module("j", not_used), module("l", ""));
    assert_eq!(with(&two), EnablesGil);
}

#[test]
fn the_release_of_pyo3_is_not_that_of_an_example() {
    let all = [
        (
            "pyproject.toml",
            "[build-system]\nrequires = [\"maturin\"]\nbuild-backend = \"maturin\"\n",
        ),
        ("Cargo.toml", "[package]\nname = \"k\"\n[dependencies]\npyo3 = \"0.24\"\n"),
        ("src/lib.rs", "#[pymodule]\nfn k(m: &Bound<PyModule>) -> PyResult<()> { Ok(()) }\n"),
        ("examples/x/Cargo.lock", "[[package]]\nname = \"pyo3\"\nversion = \"0.28.0\"\n"),
    ];
    assert_eq!(predicted(&all), EnablesGil);
}

#[test]
fn options_of_cython_in_one_script_or_extension_do_not_speak_for_another() {
    let a = ("pkg/a.pyx", "x = 1\n");
    let b = ("pkg/b.pyx", "y = 1\n");
    let setup = "from Cython.Build import cythonize\nfrom setuptools import setup\nimport build_b\n\
                 setup(ext_modules=cythonize([\"pkg/a.pyx\"]) + build_b.b())\n";
    let helper = "from Cython.Build import cythonize\ndef b():\n    return cythonize([\"pkg/b.pyx\"], \
                  compiler_directives={\"freethreading_compatible\": True})\n";
    let two = [SETUPTOOLS, ("setup.py", setup), ("build_b.py", helper), a, b];
    assert_eq!(predicted(&two), NotKnown);

    let extensions = "from setuptools import Extension, setup\n\
                      a = Extension(\"pkg.a\", [\"pkg/a.pyx\"])\n\
                      b = Extension(\"pkg.b\", [\"pkg/b.pyx\"])\n";
    let one = "a.cython_directives = {\"freethreading_compatible\": True}\n";
    let each =
        "for one in [a, b]:\n    one.cython_directives = {\"freethreading_compatible\": True}\n";
    for (options, expected) in [(one, NotKnown), (each, KeepsGilOff)] {
        let setup = format!("{extensions}{options}setup(ext_modules=[a, b])\n");
        assert_eq!(predicted(&[SETUPTOOLS, ("setup.py", &setup), a, b]), expected, "{options}");
    }
}

#[test]
fn a_wrapper_of_swig_does_not_stand_for_another_interface() {
    let setup = "from setuptools import Extension, setup\nsetup(ext_modules=[\
                 Extension(\"_a\", [\"a_wrap.c\"]), Extension(\"_b\", [\"b.i\"])])\n";
    let of = |interface: &str| {
        predicted(&[
            SETUPTOOLS,
            ("setup.py", setup),
            ("a_wrap.c", KEEPS),
            (interface, "%module b\n"),
        ])
    };
    assert_eq!(of("b.i"), EnablesGil);
    let own = [SETUPTOOLS, ("setup.py", setup), ("a_wrap.c", KEEPS), ("a.i", "%module a\n")];
    assert_eq!(predicted(&own), KeepsGilOff);
}

#[test]
fn a_file_that_includes_another_does_not_stand_for_one_of_that_name_elsewhere() {
    let setup = "from setuptools import Extension, setup\nfrom Cython.Build import cythonize\n\
                 setup(ext_modules=cythonize([Extension(\"a.core\", [\"a/core.pyx\"]), \
                 Extension(\"b.x\", [\"b/x.pyx\"])]))\n";
    let x = ("b/x.pyx", "# cython: freethreading_compatible=True\ninclude \"core.pyx\"\n");
    let of = |path: &str| {
        predicted(&[SETUPTOOLS, ("setup.py", setup), x, ("a/core.pyx", "x = 1\n"), (path, "")])
    };
    assert_eq!(of("b/core.pxi"), EnablesGil);
    let own = [SETUPTOOLS, ("setup.py", setup), x, ("b/core.pyx", "x = 1\n")];
    assert_eq!(predicted(&own), KeepsGilOff);
}

#[test]
fn a_script_that_is_too_long_is_not_taken_as_one_that_compiles_nothing() {
    let setup = format!("{}\n", "#".repeat(1_100_000));
    assert_eq!(predicted(&[SETUPTOOLS, ("setup.py", &setup)]), NotKnown);
    assert_eq!(predicted(&[SETUPTOOLS, ("setup.py", "import setuptools\n")]), PurePython);
}

#[test]
fn an_extension_of_numpys_old_tools_is_one() {
    let setup = "from numpy.distutils.misc_util import Configuration\nc = Configuration(\"k\")\n\
                 c.add_extension(\"_k\", sources=[\"k.f90\"])\n";
    assert_eq!(predicted(&[SETUPTOOLS, ("setup.py", setup)]), NotKnown);
}

#[test]
fn a_file_to_compile_that_is_not_there_is_not_passed_over() {
    let setup = "from setuptools import Extension, setup\nsetup(ext_modules=[\
                 Extension(\"keep\", [\"keep.c\"]), Extension(\"gen\", [\"gen/gen.c\"])])\n";
    let keep = ("keep.c", KEEPS);
    assert_eq!(predicted(&[SETUPTOOLS, ("setup.py", setup), keep]), NotKnown);
    // A library beside it, which defines no module.
    let all = [SETUPTOOLS, ("setup.py", setup), keep, ("gen/gen.c", "int one;\n")];
    assert_eq!(predicted(&all), KeepsGilOff);
}

#[test]
fn a_folder_whose_name_begins_like_that_of_tests_is_none_of_them() {
    let setup = "import glob\nfrom setuptools import Extension, setup\n\
                 setup(ext_modules=[Extension(p, [p]) for p in glob.glob(\"*/*.c\")])\n";
    let keep = ("other/keep.c", KEEPS);
    let of = |path: &str| predicted(&[SETUPTOOLS, ("setup.py", setup), keep, (path, SILENT)]);
    assert_eq!(of("testkit/speed.c"), EnablesGil);
    assert_eq!(of("tests/speed.c"), KeepsGilOff);
}

#[test]
fn a_module_of_hpy_is_not_passed_over() {
    let hpy = "#include <hpy.h>\nHPy_MODINIT(spam, moduledef)\n";
    assert_eq!(of_c(hpy), NotKnown);
    let setup = super::SETUP.1.replace("[\"spam.c\"]", "[\"spam.c\", \"keep.c\"]");
    let both = [SETUPTOOLS, ("setup.py", setup.as_str()), ("keep.c", KEEPS), ("spam.c", hpy)];
    assert_eq!(predicted(&both), NotKnown);
}

#[test]
fn a_release_of_cffi_that_setup_py_holds_to_counts() {
    let of = |requires: &str| {
        let setup = format!(
            "from setuptools import setup\nsetup(setup_requires=[{requires}], cffi_modules=[\"b.py:ffi\"])\n"
        );
        predicted(&[SETUPTOOLS, ("setup.py", &setup)])
    };
    assert_eq!(of("\"cffi<2\""), NotKnown);
    assert_eq!(of("\"cffi>=1.17\""), KeepsGilOff);
}

#[test]
fn prose_that_speaks_of_the_gil_does_not_ask_for_it() {
    let of = |description: &str| {
        let setup = format!(
            "from setuptools import Extension, setup\nsetup(ext_modules=[Extension(\"keep\", \
             [\"keep.c\"], py_limited_api=True)], description={description})\n"
        );
        predicted(&[SETUPTOOLS, ("setup.py", &setup), ("keep.c", KEEPS)])
    };
    assert_eq!(of("\"runs with nogil\""), ftcheck::model::release::Prediction::StableAbiOnly);
    assert_eq!(of("sysconfig.get_config_var(\"Py_GIL_DISABLED\")"), KeepsGilOff);
}
