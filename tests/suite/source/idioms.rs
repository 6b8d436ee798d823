//! Every way in which a source declares that it runs without the GIL, or does not.

use ftcheck::model::release::Prediction::{self, EnablesGil, KeepsGilOff, NotKnown, PurePython};

use super::{SETUP, SETUPTOOLS, of_c, predicted, signs, survey};

const HOOK: &str = "PyMODINIT_FUNC PyInit_spam(void) { return PyModuleDef_Init(&def); }\n";

#[test]
fn a_slot_of_c() {
    for (slot, expected) in [
        ("{Py_mod_gil, Py_MOD_GIL_NOT_USED},", KeepsGilOff),
        ("{Py_mod_gil, (void *)Py_MOD_GIL_NOT_USED},", KeepsGilOff),
        ("{.slot = Py_mod_gil, .value = Py_MOD_GIL_NOT_USED},", KeepsGilOff),
        ("#ifdef Py_GIL_DISABLED\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n", KeepsGilOff),
        (
            "#if PY_VERSION_HEX >= 0x030D0000\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n",
            KeepsGilOff,
        ),
        ("#ifdef Py_mod_gil\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n", KeepsGilOff),
        ("{Py_mod_gil, Py_MOD_GIL_USED},", EnablesGil),
        ("{Py_mod_exec, spam_exec},", EnablesGil),
        ("{Py_mod_gil, the_value},", NotKnown),
        ("#if 0\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n", EnablesGil),
        ("#ifndef Py_GIL_DISABLED\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n", EnablesGil),
        ("#ifdef SPAM_IS_SAFE\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n", NotKnown),
        (
            "#define SPAM_IS_SAFE 1\n#ifdef SPAM_IS_SAFE\n{Py_mod_gil, Py_MOD_GIL_NOT_USED},\n#endif\n",
            KeepsGilOff,
        ),
    ] {
        let code = format!("static PyModuleDef_Slot slots[] = {{\n{slot}\n{{0, NULL}}}};\n{HOOK}");
        assert_eq!(of_c(&code), expected, "{slot}");
    }
}

#[test]
fn a_call_of_c() {
    let module = |call: &str| {
        format!(
            "PyMODINIT_FUNC\nPyInit_spam(void)\n{{ PyObject *m = PyModule_Create(&def);\n{call}\nreturn m; }}"
        )
    };
    for (call, expected) in [
        ("PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED);", KeepsGilOff),
        (
            "#ifdef Py_GIL_DISABLED\nPyUnstable_Module_SetGIL(m.get(), Py_MOD_GIL_NOT_USED);\n#endif",
            KeepsGilOff,
        ),
        ("PyUnstable_Module_SetGIL(m, Py_MOD_GIL_USED);", EnablesGil),
        ("", EnablesGil),
    ] {
        assert_eq!(of_c(&module(call)), expected, "{call}");
    }
}

#[test]
fn a_macro_that_defines_the_hook() {
    let code = "#define MOD_INIT(name) PyMODINIT_FUNC PyInit_##name(void)\nMOD_INIT(spam) { return PyModule_Create(&d); }";
    assert_eq!(of_c(code), EnablesGil);
    let header = ("compat.h", "#define MOD_INIT(name) PyMODINIT_FUNC PyInit_##name(void)\n");
    let code = ("spam.c", "#include \"compat.h\"\nMOD_INIT(spam) { return PyModule_Create(&d); }");
    assert_eq!(predicted(&[SETUPTOOLS, SETUP, header, code]), EnablesGil);
}

#[test]
fn a_declaration_in_another_file_is_not_taken_for_one_here() {
    let other = (
        "common.c",
        "void done(PyObject *m) { PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED); }",
    );
    assert_eq!(predicted(&[SETUPTOOLS, SETUP, other, ("spam.c", HOOK)]), NotKnown);
}

#[test]
fn pybind11_and_boost() {
    for (code, expected) in [
        ("PYBIND11_MODULE(spam, m, py::mod_gil_not_used()) {}", KeepsGilOff),
        ("PYBIND11_MODULE(spam, m, pybind11::mod_gil_not_used(true)) {}", KeepsGilOff),
        ("PYBIND11_MODULE(spam, m, py::mod_gil_not_used(false)) {}", EnablesGil),
        ("PYBIND11_MODULE(spam, m) {}", EnablesGil),
        ("PYBIND11_MODULE(spam, m /* , py::mod_gil_not_used() */) {}", EnablesGil),
        ("PYBIND11_MODULE(spam, m) { m.doc() = \"py::mod_gil_not_used()\"; }", EnablesGil),
        ("BOOST_PYTHON_MODULE(spam, boost::python::mod_gil_not_used()) {}", KeepsGilOff),
        ("BOOST_PYTHON_MODULE(spam) {}", EnablesGil),
        (
            "#if SPAM\nPYBIND11_MODULE(spam, m, py::mod_gil_not_used())\n#else\n\
             PYBIND11_MODULE(spam, m)\n#endif\n{}",
            NotKnown,
        ),
        (
            "#if PYBIND11_VERSION_HEX >= 0x020D00F0\nPYBIND11_MODULE(spam, m, py::mod_gil_not_used())\n#else\n\
             PYBIND11_MODULE(spam, m)\n#endif\n{}",
            KeepsGilOff,
        ),
    ] {
        let setup = SETUP.1.replace("Extension", "Pybind11Extension").replace(".c\"", ".cpp\"");
        assert_eq!(
            predicted(&[SETUPTOOLS, ("setup.py", &setup), ("spam.cpp", code)]),
            expected,
            "{code}"
        );
    }
}

#[test]
fn nanobind_declares_in_the_build() {
    let build = "[build-system]\nrequires = []\nbuild-backend = \"scikit_build_core.build\"\n";
    let code = ("src/spam.cpp", "NB_MODULE(spam, m) { m.def(\"f\", &f); }");
    for (cmake, expected) in [
        ("nanobind_add_module(spam STABLE_ABI FREE_THREADED src/spam.cpp)", KeepsGilOff),
        ("nanobind_add_module(spam src/spam.cpp)", EnablesGil),
        ("nanobind_add_module(spam # FREE_THREADED\n src/spam.cpp)", EnablesGil),
        ("nanobind_add_module(spam ${OPTIONS} src/spam.cpp)", NotKnown),
        (
            "nanobind_add_module(ham FREE_THREADED ham.cpp)\nnanobind_add_module(spam spam.cpp)",
            EnablesGil,
        ),
        ("target_compile_definitions(spam PRIVATE NB_FREE_THREADED)", KeepsGilOff),
        ("", NotKnown),
    ] {
        let files = [("pyproject.toml", build), ("CMakeLists.txt", cmake), code];
        assert_eq!(predicted(&files), expected, "{cmake}");
    }
}

const MATURIN: (&str, &str) =
    ("pyproject.toml", "[build-system]\nrequires = [\"maturin\"]\nbuild-backend = \"maturin\"\n");

fn of_pyo3(code: &str, version: &str) -> Prediction {
    let manifest = format!(
        "[package]\nname = \"spam\"\n[lib]\ncrate-type = [\"cdylib\"]\n[dependencies]\npyo3 = \"{version}\"\n"
    );
    predicted(&[MATURIN, ("Cargo.toml", &manifest), ("src/lib.rs", code)])
}

#[test]
fn pyo3() {
    let module = "fn spam(m: &Bound<'_, PyModule>) -> PyResult<()> { Ok(()) }";
    for (attribute, version, expected) in [
        ("#[pymodule(gil_used = false)]", "0.23", KeepsGilOff),
        ("#[pyo3::pymodule(gil_used = false)]", "0.27.1", KeepsGilOff),
        ("#[pymodule(name = \"spam\", gil_used=false)]", "0.26", KeepsGilOff),
        ("#[cfg_attr(feature = \"python\", pymodule(gil_used = false))]", "0.26", KeepsGilOff),
        ("#[pymodule]", "0.27", EnablesGil),
        ("#[pymodule]", "0.28", KeepsGilOff),
        ("#[pymodule]", "0.28.3", KeepsGilOff),
        ("#[pymodule(gil_used = true)]", "0.28", EnablesGil),
        ("#[pymodule(gil_used = false)]", "0.22", NotKnown),
        ("#[pymodule]", ">=0.27", NotKnown),
        ("#[pymodule(gil_used = SAFE)]", "0.26", NotKnown),
        ("// #[pymodule(gil_used = false)]\n#[pymodule]", "0.27", EnablesGil),
        ("/* /* */ #[pymodule(gil_used = false)] */\n#[pymodule]", "0.27", EnablesGil),
    ] {
        let code = format!("use pyo3::prelude::*;\n{attribute}\n{module}");
        assert_eq!(of_pyo3(&code, version), expected, "{attribute} with {version}");
    }
    let called = "#[pymodule]\nfn spam(m: &Bound<'_, PyModule>) -> PyResult<()> { m.gil_used(false)?; Ok(()) }";
    assert_eq!(of_pyo3(called, "0.26"), KeepsGilOff);
}

#[test]
fn the_lockfile_decides_which_pyo3() {
    let files = [
        MATURIN,
        ("Cargo.toml", "[package]\nname = \"spam\"\n[dependencies]\npyo3 = \">=0.23\"\n"),
        ("Cargo.lock", "[[package]]\nname = \"pyo3\"\nversion = \"0.27.2\"\n"),
        ("src/lib.rs", "#[pymodule]\nmod spam {}"),
    ];
    assert_eq!(predicted(&files), EnablesGil);
}

#[test]
fn a_module_of_rust_within_a_module_is_not_loaded_by_itself() {
    let code = "#[pymodule(gil_used = false)]\nmod spam {\n#[pymodule]\nmod inner {}\n}";
    assert_eq!(of_pyo3(code, "0.26"), KeepsGilOff);
    let code = "#[pymodule]\nmod spam {\n#[pymodule(gil_used = false)]\nmod inner {}\n}";
    assert_eq!(of_pyo3(code, "0.26"), EnablesGil);
}

#[test]
fn a_hook_of_rust_by_hand() {
    for (value, expected) in [("Py_MOD_GIL_NOT_USED", KeepsGilOff), ("Py_MOD_GIL_USED", EnablesGil)]
    {
        let code = format!(
            "use pyo3_ffi::{{Py_mod_gil, {value}}};\npub unsafe extern \"C\" fn PyInit_spam() -> *mut PyObject {{\n\
             let slots = [PyModuleDef_Slot {{ slot: Py_mod_gil, value: {value} }}];\n}}"
        );
        assert_eq!(of_pyo3(&code, "0.26"), expected, "{code}");
    }
    let declared_elsewhere = "extern \"C\" { fn PyInit_other() -> *mut PyObject; }\n#[pymodule(gil_used = false)]\nmod spam {}";
    assert_eq!(of_pyo3(declared_elsewhere, "0.26"), KeepsGilOff);
}

fn of_cython(setup: &str, pyx: &str) -> Prediction {
    let build = "[build-system]\nrequires = [\"setuptools\", \"Cython>=3.1\"]\nbuild-backend = \"setuptools.build_meta\"\n";
    predicted(&[("pyproject.toml", build), ("setup.py", setup), ("spam.pyx", pyx)])
}

#[test]
fn cython_by_its_head() {
    let setup = "from Cython.Build import cythonize\nsetup(ext_modules=cythonize(\"spam.pyx\"))\n";
    for (pyx, expected) in [
        ("# cython: freethreading_compatible = True\n", KeepsGilOff),
        ("#cython:freethreading_compatible=True\n", KeepsGilOff),
        (
            "# a comment\n\n# cython: language_level=3, freethreading_compatible=True\nx = 1\n",
            KeepsGilOff,
        ),
        ("# cython: freethreading_compatible = False\n", EnablesGil),
        ("# cython: language_level = 3\n", EnablesGil),
        ("x = 1\n# cython: freethreading_compatible = True\n", EnablesGil),
        ("\"\"\"\n# cython: freethreading_compatible = True\n\"\"\"\n", EnablesGil),
    ] {
        assert_eq!(of_cython(setup, pyx), expected, "{pyx}");
    }
}

#[test]
fn cython_by_the_script() {
    let with = |directives: &str| {
        format!(
            "from Cython.Build import cythonize\nsetup(ext_modules=cythonize(\"spam.pyx\", {directives}))\n"
        )
    };
    for (setup, expected) in [
        (with("compiler_directives={\"freethreading_compatible\": True}"), KeepsGilOff),
        (with("compiler_directives=dict(freethreading_compatible=True)"), KeepsGilOff),
        (with("compiler_directives={\"freethreading_compatible\": False}"), EnablesGil),
        (with("# compiler_directives={\"freethreading_compatible\": True}\n"), EnablesGil),
        (with("compiler_directives={\"boundscheck\": False}"), EnablesGil),
        (
            format!(
                "if FAST:\n    directives[\"freethreading_compatible\"] = True\n{}",
                with("compiler_directives=directives")
            ),
            NotKnown,
        ),
        (
            format!(
                "if Cython.__version__ > \"3.1\":\n    directives[\"freethreading_compatible\"] = True\n{}",
                with("compiler_directives=directives")
            ),
            KeepsGilOff,
        ),
        (with("define_macros=[(\"CYTHON_FREETHREADING_COMPATIBLE\", \"1\")]"), KeepsGilOff),
        (with("extra_compile_args=[\"-DCYTHON_FREETHREADING_COMPATIBLE=1\"]"), KeepsGilOff),
        (with("extra_compile_args=[\"-DCYTHON_FREETHREADING_COMPATIBLE=0\"]"), EnablesGil),
    ] {
        assert_eq!(of_cython(&setup, "x = 1\n"), expected, "{setup}");
    }
    let within = "if BUILD:\n    setup(ext_modules=cythonize(\"spam.pyx\",\n        compiler_directives={\"freethreading_compatible\": True}))\n";
    assert_eq!(of_cython(within, "x = 1\n"), KeepsGilOff);
    let two = "cythonize(\"spam.pyx\", compiler_directives={\"freethreading_compatible\": True})\ncythonize(\"ham.pyx\")\n";
    assert_eq!(of_cython(two, "x = 1\n"), NotKnown);
}

#[test]
fn cython_by_meson() {
    let build =
        "[build-system]\nrequires = [\"meson-python\", \"Cython\"]\nbuild-backend = \"mesonpy\"\n";
    let args = "cython_args = ['@INPUT@']\ncython_args += ['-Xfreethreading_compatible=True']\n";
    let module = "py.extension_module('spam', gen.process('spam.pyx'))\n";
    for (meson, expected) in [
        (
            format!(
                "{args}gen = generator(cython, arguments: cython_args, output: '@BASENAME@.c')\n{module}"
            ),
            KeepsGilOff,
        ),
        (
            format!(
                "{args}more = ['--cplus'] + cython_args\ngen = generator(cython, arguments: more, output: '@BASENAME@.c')\n{module}"
            ),
            KeepsGilOff,
        ),
        (
            format!(
                "gen = generator(cython, arguments: ['@INPUT@'], output: '@BASENAME@.c')\n{module}"
            ),
            EnablesGil,
        ),
        // As in a project of which all but the C++ modules declare.
        (
            format!(
                "{args}gen = generator(cython, arguments: cython_args, output: '@BASENAME@.c')\n\
                 cpp = generator(cython, arguments: ['--cplus'], output: '@BASENAME@.cpp')\n{module}"
            ),
            NotKnown,
        ),
        (format!("# {args}\npy.extension_module('spam', 'spam.pyx')\n"), EnablesGil),
        (
            "add_project_arguments('-Xfreethreading_compatible=true', language: 'cython')\n\
             py.extension_module('spam', sources)\n"
                .to_owned(),
            KeepsGilOff,
        ),
        (
            format!("{args}py.extension_module('spam', 'spam.pyx', cython_args: cython_args)\n"),
            KeepsGilOff,
        ),
        (format!("{args}py.extension_module('spam', 'spam.pyx', cython_args: [])\n"), EnablesGil),
    ] {
        let files = [("pyproject.toml", build), ("meson.build", &meson), ("spam.pyx", "x = 1\n")];
        assert_eq!(predicted(&files), expected, "{meson}");
    }
}

#[test]
fn cython_by_cmake() {
    let build = "[build-system]\nrequires = [\"scikit-build-core\", \"cython\"]\nbuild-backend = \"scikit_build_core.build\"\n";
    for (cmake, expected) in [
        ("cython_transpile(spam.pyx CYTHON_ARGS -X freethreading_compatible=True)", KeepsGilOff),
        (
            "set(ARGS \"-Xfreethreading_compatible=True\")\ncython_transpile(spam.pyx CYTHON_ARGS ${ARGS})",
            KeepsGilOff,
        ),
        ("cython_transpile(spam.pyx)", EnablesGil),
        (
            "#[[\ncython_transpile(spam.pyx CYTHON_ARGS -X freethreading_compatible=True)\n]]\ncython_transpile(spam.pyx)",
            EnablesGil,
        ),
    ] {
        let files = [("pyproject.toml", build), ("CMakeLists.txt", cmake), ("spam.pyx", "x = 1\n")];
        assert_eq!(predicted(&files), expected, "{cmake}");
    }
}

#[test]
fn what_cython_wrote() {
    let output = |argument: &str| {
        format!(
            "/* Generated by Cython 3.2.9 */\n#define __Pyx_FREETHREADING_COMPATIBLE Py_MOD_GIL_NOT_USED\n\
             __Pyx_PyMODINIT_FUNC PyInit_spam(void) CYTHON_SMALL_CODE; /*proto*/\n\
             /* \n * PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED) \n */\n\
             {{Py_mod_gil, __Pyx_FREETHREADING_COMPATIBLE}},\n  PyUnstable_Module_SetGIL(__pyx_m, {argument});\n"
        )
    };
    assert_eq!(of_c(&output("Py_MOD_GIL_NOT_USED")), KeepsGilOff);
    assert_eq!(of_c(&output("Py_MOD_GIL_USED")), EnablesGil);
    // Which of the two is compiled hangs on their ages.
    let build = (
        "pyproject.toml",
        "[build-system]\nrequires = [\"setuptools\", \"cython\"]\nbuild-backend = \"setuptools.build_meta\"\n",
    );
    let directive = ("spam.pyx", "# cython: freethreading_compatible = True\n");
    let old = output("Py_MOD_GIL_USED");
    assert_eq!(predicted(&[build, SETUP, directive, ("spam.c", &old)]), NotKnown);
    let new = output("Py_MOD_GIL_NOT_USED");
    assert_eq!(predicted(&[build, SETUP, directive, ("spam.c", &new)]), KeepsGilOff);
}

#[test]
fn a_file_that_is_included_is_no_module() {
    let setup = "setup(ext_modules=cythonize(\"spam.pyx\"))\n";
    let build = (
        "pyproject.toml",
        "[build-system]\nrequires = [\"cython\"]\nbuild-backend = \"setuptools.build_meta\"\n",
    );
    let main = ("spam.pyx", "# cython: freethreading_compatible = True\ninclude \"part.pyx\"\n");
    assert_eq!(
        predicted(&[build, ("setup.py", setup), main, ("part.pyx", "x = 1\n")]),
        KeepsGilOff
    );
}

#[test]
fn python_that_cython_compiles() {
    let setup =
        "setup(ext_modules=cythonize([Extension(\"spam.a\", [\"spam/a.py\"]), \"spam/b.pyx\"]))\n";
    let build = (
        "pyproject.toml",
        "[build-system]\nrequires = [\"cython\"]\nbuild-backend = \"setuptools.build_meta\"\n",
    );
    let declaring = "# cython: freethreading_compatible = True\n";
    let pyx = ("spam/b.pyx", declaring);
    let of = |python| predicted(&[build, ("setup.py", setup), pyx, ("spam/a.py", python)]);
    assert_eq!(of(declaring), KeepsGilOff);
    assert_eq!(of("# cython: language_level = 3\n"), EnablesGil);
    assert_eq!(of("x = 1\n"), EnablesGil);
}

#[test]
fn swig() {
    let wrapper = "#ifdef SWIGPYTHON_NOGIL\n{ Py_mod_gil, Py_MOD_GIL_NOT_USED },\n#endif\nPyMODINIT_FUNC PyInit__spam(void) { return 0; }\n";
    let interface = "%module spam\n%{\n#include \"spam.h\"\n%}\n";
    for (setup, interface, wrapper, expected) in [
        ("", interface, Some(wrapper), EnablesGil),
        ("", interface, None, EnablesGil),
        ("swig_opts=[\"-c++\", \"-nogil\"],", interface, None, KeepsGilOff),
        ("define_macros=[(\"SWIGPYTHON_NOGIL\", None)],", interface, Some(wrapper), KeepsGilOff),
        ("", "%module spam\n%{\n#define SWIGPYTHON_NOGIL\n%}\n", None, KeepsGilOff),
    ] {
        let setup = format!("setup(ext_modules=[Extension(\"_spam\", [\"spam.i\"], {setup})])\n");
        let mut files = vec![SETUPTOOLS, ("setup.py", setup.as_str()), ("spam.i", interface)];
        files.extend(wrapper.map(|wrapper| ("spam_wrap.c", wrapper)));
        assert_eq!(predicted(&files), expected, "{setup}");
    }
}

#[test]
fn f2py_and_pythran() {
    let build = ("pyproject.toml", "[build-system]\nrequires = []\nbuild-backend = \"mesonpy\"\n");
    let signature = ("spam.pyf", "python module spam\nend python module spam\n");
    let meson = |options: &str| {
        format!(
            "py.extension_module('spam', 'spam.c', 'spam.pyf')\ncustom_target(command: [f2py, {options}])\n"
        )
    };
    assert_eq!(
        predicted(&[build, ("meson.build", &meson("'--freethreading-compatible'")), signature]),
        KeepsGilOff
    );
    assert_eq!(predicted(&[build, ("meson.build", &meson("'@INPUT@'")), signature]), EnablesGil);
    let kernel = ("spam.py", "# pythran export f(int)\ndef f(x): return x\n");
    assert_eq!(
        predicted(&[build, ("meson.build", "py.extension_module('spam', gen)"), kernel]),
        NotKnown
    );
}

#[test]
fn mypyc_and_cffi() {
    let requires = |what: &str| {
        format!(
            "[build-system]\nrequires = [\"setuptools\", \"{what}\"]\nbuild-backend = \"setuptools.build_meta\"\n"
        )
    };
    for (required, setup, expected) in [
        ("mypy", "setup(ext_modules=mypycify([\"spam.py\"]))", KeepsGilOff),
        ("mypy==1.14", "setup(ext_modules=mypycify([\"spam.py\"]))", NotKnown),
        ("mypy<1.15", "setup(ext_modules=mypycify([\"spam.py\"]))", NotKnown),
        ("cffi>=1.12", "setup(cffi_modules=[\"build.py:ffi\"])", KeepsGilOff),
        ("cffi<2", "setup(cffi_modules=[\"build.py:ffi\"])", NotKnown),
    ] {
        let build = requires(required);
        assert_eq!(
            predicted(&[("pyproject.toml", &build), ("setup.py", setup)]),
            expected,
            "{required}"
        );
    }
}

#[test]
fn nothing_compiled() {
    for backend in [
        "flit_core.buildapi",
        "hatchling.build",
        "poetry.core.masonry.api",
        "uv_build",
        "pdm.backend",
        "setuptools.build_meta",
    ] {
        let build = format!("[build-system]\nrequires = []\nbuild-backend = \"{backend}\"\n");
        let files =
            [("pyproject.toml", build.as_str()), ("spam/__init__.py", ""), ("spam/c.c", "")];
        assert_eq!(predicted(&files), PurePython, "{backend}");
    }
    assert_eq!(
        predicted(&[("setup.py", "from setuptools import setup\nsetup(name='spam')\n")]),
        PurePython
    );
    // A tool that is not told to compile does not.
    let flit = (
        "pyproject.toml",
        "[build-system]\nrequires = []\nbuild-backend = \"flit_core.buildapi\"\n",
    );
    assert_eq!(predicted(&[flit, ("spam.c", HOOK)]), PurePython);
}

#[test]
fn each_sign_has_its_place() {
    let report = survey(&[
        SETUPTOOLS,
        SETUP,
        (
            "src/spam.c",
            "\n\nPyMODINIT_FUNC PyInit_spam(void) {\n PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED);\n}",
        ),
    ]);
    assert_eq!(signs(&report), ["src/spam.c:4 PyUnstable_Module_SetGIL"]);
    let report =
        survey(&[SETUPTOOLS, SETUP, ("src/spam.c", "\n\nPyMODINIT_FUNC PyInit_spam(void) {}")]);
    assert_eq!(signs(&report), ["src/spam.c:3 PyMODINIT_FUNC"]);
    assert_eq!(report.filename, "spam-1.0.tar.gz");
}
