//! Declarations that hold under a condition only.

use ftcheck::model::release::Prediction::{KeepsGilOff, NotKnown};

use super::{SETUPTOOLS, of_c, predicted};

/// A module whose slot stands between these lines.
fn of_slot(before: &str, after: &str) -> ftcheck::model::release::Prediction {
    of_c(&format!(
        "static PyModuleDef_Slot slots[] = {{\n{before}\n{{Py_mod_gil, Py_MOD_GIL_NOT_USED}},\n{after}\n\
         {{0, NULL}}}};\nPyMODINIT_FUNC PyInit_spam(void) {{ return PyModuleDef_Init(&def); }}\n"
    ))
}

/// A module of pybind11 with these options, which setup.py does not speak of.
fn of_options(options: &str) -> ftcheck::model::release::Prediction {
    let setup = "from setuptools import Extension, setup\n\
                 setup(ext_modules=[Extension(\"spam\", [\"spam.cpp\"])])\n";
    let code = format!("PYBIND11_MODULE(spam, m{options}) {{ }}\n");
    predicted(&[SETUPTOOLS, ("setup.py", setup), ("spam.cpp", &code)])
}

#[test]
fn what_a_free_threaded_build_defines_is_no_condition() {
    for condition in [
        "#ifdef Py_GIL_DISABLED",
        "#if defined(Py_mod_gil)",
        "#ifdef Py_MOD_GIL_NOT_USED",
        "#if PY_VERSION_HEX >= 0x030D0000 && !defined(PYPY_VERSION)",
        "#if (PY_MAJOR_VERSION >= 3) && (defined(Py_GIL_DISABLED) || defined(SPAM))",
        "#ifndef Py_LIMITED_API",
        "#ifndef SPAM_H\n#define SPAM_H",
    ] {
        assert_eq!(of_slot(condition, "#endif"), KeepsGilOff, "{condition}");
    }
}

#[test]
fn a_macro_that_only_looks_like_the_interpreters_is_not_taken_as_defined() {
    for condition in [
        "#ifdef PYFOO_FREE_THREADED",
        "#ifdef _WIN32",
        "#ifdef Python_FT",
        "#if PY_VERSION_HEX >= 0x030F0000",
        "#if PY_VERSION_HEX >= 0x030D0000 && defined(__SPAM__)",
        "#if SPAM_LEVEL > 2",
        "#if 0x0",
    ] {
        assert_eq!(of_slot(condition, "#endif"), NotKnown, "{condition}");
    }
}

#[test]
fn a_macro_that_a_script_defines_does_not_settle_the_opposite() {
    let setup = "from setuptools import Extension, setup\nsetup(ext_modules=[Extension(\"spam\", \
                 [\"spam.c\"], define_macros=[(\"WITH_SPAM\", \"1\")])])\n";
    let with = |condition: &str| {
        let code = format!(
            "static PyModuleDef_Slot slots[] = {{\n{condition}\n\
             {{Py_mod_gil, Py_MOD_GIL_NOT_USED}},\n#endif\n{{0, NULL}}}};\n\
             PyMODINIT_FUNC PyInit_spam(void) {{ return PyModuleDef_Init(&def); }}\n"
        );
        predicted(&[SETUPTOOLS, ("setup.py", setup), ("spam.c", &code)])
    };
    assert_eq!(with("#ifdef WITH_SPAM"), KeepsGilOff);
    for opposite in ["#ifndef WITH_SPAM", "#ifdef WITH_SPAM\n#else", "#if WITH_SPAM == 2"] {
        assert_eq!(with(opposite), NotKnown, "{opposite}");
    }
}

#[test]
fn a_macro_that_the_file_defines_under_a_condition_is_one() {
    let defined = "#ifdef _WIN32\n#define SPAM 1\n#endif\n#ifdef SPAM";
    assert_eq!(of_slot(defined, "#endif"), NotKnown);
    assert_eq!(of_slot("#define SPAM\n#undef SPAM\n#ifdef SPAM", "#endif"), NotKnown);
    assert_eq!(of_slot("#define SPAM\n#ifdef SPAM", "#endif"), KeepsGilOff);
}

#[test]
fn a_slot_below_more_conditions_than_are_followed_is_not_taken() {
    let before = format!("{}#if 0", "#if 1\n".repeat(33));
    assert_eq!(of_slot(&before, &"#endif\n".repeat(34)), NotKnown);
}

#[test]
fn a_module_and_its_slot_may_stand_under_the_same_condition() {
    let code = "#ifdef _WIN32\nstatic PyModuleDef_Slot s[] = {{Py_mod_gil, Py_MOD_GIL_NOT_USED}};\n\
                PyMODINIT_FUNC PyInit_spam(void) { return PyModuleDef_Init(&d); }\n#endif\n";
    assert_eq!(of_c(code), KeepsGilOff);
}

#[test]
fn options_of_a_macro_hang_on_conditions_and_values() {
    for plain in [
        ", py::mod_gil_not_used()",
        ", py::mod_gil_not_used(true)",
        "\n#ifdef Py_GIL_DISABLED\n, py::mod_gil_not_used()\n#endif\n",
    ] {
        assert_eq!(of_options(plain), KeepsGilOff, "{plain}");
    }
    for open in [
        "\n#ifdef ENABLE_FT\n, py::mod_gil_not_used()\n#endif\n",
        ", py::mod_gil_not_used(kFreeThreaded)",
        ", py::mod_gil_not_used(!true)",
    ] {
        assert_eq!(of_options(open), NotKnown, "{open}");
    }
}

#[test]
fn a_macro_with_more_options_than_are_read_is_not_passed_over() {
    assert_eq!(of_options(&", option()".repeat(1000)), NotKnown);
}
