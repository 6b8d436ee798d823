//! Which names a wheel has.

use ftcheck::imports::top_level_names;
use ftcheck::model::target::Target;

use super::support::linux;

fn names(members: &[&str]) -> Vec<String> {
    let members: Vec<String> = members.iter().map(|name| (*name).to_owned()).collect();
    top_level_names(&members, Target::PY314T, linux())
}

#[test]
fn packages_files_and_extension_modules_are_names() {
    let found = names(&[
        "_one.cpython-314t-x86_64-linux-gnu.so",
        "two.py",
        "three/__init__.py",
        "four/inner/module.py",
        "0123__mypyc.cpython-314t-x86_64-linux-gnu.so",
        "five.pyc",
        "six-1.0.data/purelib/six.py",
        "six-1.0.data/platlib/seven/core.so",
    ]);
    assert_eq!(found, ["0123__mypyc", "_one", "five", "four", "seven", "six", "three", "two"]);
}

#[test]
fn what_cannot_be_imported_is_none() {
    let found = names(&[
        "one-1.0.dist-info/METADATA",
        "one-1.0.data/scripts/tool.py",
        "one-1.0.data/headers/one.h",
        "one.libs/libz.so",
        "types-stubs/__init__.pyi",
        "share/man/one.1",
        "include/one.h",
        "one.cpython-313-x86_64-linux-gnu.so",
        "one.pth",
        "LICENSE",
    ]);
    assert_eq!(found, Vec::<String>::new());
}
