//! What looks like a declaration and is none, and modules that differ.

use ftcheck::model::release::Prediction::{EnablesGil, KeepsGilOff, NotKnown};

use super::{SETUP, SETUPTOOLS, of_c, predicted};

const DECLARING: &str =
    "PyMODINIT_FUNC PyInit_spam(void) { PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED); }\n";
const SILENT: &str = "PyMODINIT_FUNC PyInit_ham(void) { return PyModule_Create(&def); }\n";

#[test]
fn comments_and_strings_of_c_do_not_count() {
    for trap in [
        "// {Py_mod_gil, Py_MOD_GIL_NOT_USED}",
        "// a line that goes on \\\n{Py_mod_gil, Py_MOD_GIL_NOT_USED}",
        "/* {Py_mod_gil,\n Py_MOD_GIL_NOT_USED} */",
        "const char *s = \"{Py_mod_gil, Py_MOD_GIL_NOT_USED}\";",
        "const char *s = \"\\\"\" \"Py_mod_gil, Py_MOD_GIL_NOT_USED\";",
        "auto s = R\"x(PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED);)\" )x\";",
        "char c = '\"'; /* \" */ // Py_mod_gil, Py_MOD_GIL_NOT_USED",
        "#error Py_mod_gil, Py_MOD_GIL_NOT_USED",
    ] {
        let code = format!("{trap}\nPyMODINIT_FUNC PyInit_spam(void) {{ return 0; }}\n");
        assert_eq!(of_c(&code), EnablesGil, "{trap}");
    }
    // And what only looks like a comment counts.
    for code in [
        "const char *s = \"/*\"; static S slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}};",
        "char c = '\"'; static S slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}}; char d = '\"';",
        "int n = 1'000; static S slots[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}};",
        "static S slots[] = {{Py_mod_gil, /* safe */ \\\n Py_MOD_GIL_NOT_USED}};",
    ] {
        let code = format!("{code}\nPyMODINIT_FUNC PyInit_spam(void) {{ return 0; }}\n");
        assert_eq!(of_c(&code), KeepsGilOff, "{code}");
    }
}

#[test]
fn a_prototype_is_no_module() {
    let setup = "setup(ext_modules=[Extension(\"spam\", [\"spam.c\", \"main.c\"])])";
    let main = (
        "main.c",
        "PyMODINIT_FUNC PyInit_ham(void);\nint main() { PyImport_AppendInittab(\"ham\", PyInit_ham); }",
    );
    assert_eq!(
        predicted(&[SETUPTOOLS, ("setup.py", setup), main, ("spam.c", DECLARING)]),
        KeepsGilOff
    );
}

#[test]
fn one_module_that_says_nothing_is_enough() {
    let setup =
        "setup(ext_modules=[Extension(\"spam\", [\"spam.c\"]), Extension(\"ham\", [\"ham.c\"])])";
    assert_eq!(
        predicted(&[SETUPTOOLS, ("setup.py", setup), ("spam.c", DECLARING), ("ham.c", SILENT)]),
        EnablesGil
    );
    // One that no script names may not be compiled at all.
    assert_eq!(predicted(&[SETUPTOOLS, SETUP, ("spam.c", DECLARING), ("ham.c", SILENT)]), NotKnown);
    // Unless the scripts find files by themselves.
    let finding = "from glob import glob\nsetup(ext_modules=[Extension(\"spam\", [\"spam.c\"])] + [Extension(f, [f]) for f in glob(\"*.c\")])";
    assert_eq!(
        predicted(&[SETUPTOOLS, ("setup.py", finding), ("spam.c", DECLARING), ("ham.c", SILENT)]),
        EnablesGil
    );
}

#[test]
fn modules_that_are_there_to_test_count_where_they_are_built() {
    let aside = ("tests/ham.c", SILENT);
    assert_eq!(predicted(&[SETUPTOOLS, SETUP, ("spam.c", DECLARING), aside]), KeepsGilOff);
    let setup = "setup(ext_modules=[Extension(\"spam\", [\"spam.c\"]), Extension(\"tests.ham\", [\"tests/ham.c\"])])";
    assert_eq!(
        predicted(&[SETUPTOOLS, ("setup.py", setup), ("spam.c", DECLARING), aside]),
        EnablesGil
    );
}

#[test]
fn prose_about_an_option_is_none() {
    let build = (
        "pyproject.toml",
        "[build-system]\nrequires = [\"cython\"]\nbuild-backend = \"setuptools.build_meta\"\n",
    );
    let setup = "\"\"\"Build.\n\nPass -Xfreethreading_compatible=True to declare.\n\"\"\"\nsetup(ext_modules=cythonize(\"spam.pyx\"))\n";
    assert_eq!(predicted(&[build, ("setup.py", setup), ("spam.pyx", "x = 1\n")]), EnablesGil);
}

#[test]
fn scripts_of_tests_do_not_speak_for_the_build() {
    let build = (
        "pyproject.toml",
        "[build-system]\nrequires = [\"cython\"]\nbuild-backend = \"mesonpy\"\n",
    );
    let own = ("meson.build", "py.extension_module('spam', 'spam.pyx')\n");
    let other = (
        "spam/tests/meson.build",
        "add_project_arguments('-Xfreethreading_compatible=true', language: 'cython')\n",
    );
    assert_eq!(predicted(&[build, own, other, ("spam.pyx", "x = 1\n")]), EnablesGil);
}
