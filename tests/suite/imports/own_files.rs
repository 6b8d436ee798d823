//! Which Python files below a folder are the user's own.

use std::fs;

use ftcheck::local::sources;

#[cfg(unix)]
#[test]
fn a_folder_that_is_a_link_is_looked_into() {
    use std::os::unix::fs::symlink;

    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    fs::create_dir_all(at("app")).unwrap();
    fs::create_dir_all(at("real")).unwrap();
    fs::write(at("real/a.py"), "import one\n").unwrap();
    symlink("../real", at("app/link")).unwrap();
    // Leads back to where it lies, which is read already; nowhere; and to no text of Python.
    symlink("..", at("app/again")).unwrap();
    symlink("nowhere", at("app/gone")).unwrap();
    symlink("nobody@nowhere", at("app/.#b.py")).unwrap();
    let (files, problems) = sources(&at("app"));
    let names: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert!(matches!(names.as_slice(), [one] if one.ends_with("link/a.py")), "{names:?}");
    assert!(problems.is_empty(), "{problems:?}");

    symlink("nowhere.py", at("app/b.py")).unwrap();
    assert!(!sources(&at("app")).1.is_empty());
}
