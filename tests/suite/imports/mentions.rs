//! Names among the bytes of compiled files.

use ftcheck::imports::mentions::{leading, names_in};

/// The names of these that the bytes of a module lead to.
fn found(among: &[&str], module: &str, bytes: &[u8]) -> Vec<String> {
    let package = module.rsplit_once('.').map_or("", |(package, _)| package);
    leading(module, package, &names_in(bytes), |name| among.contains(&name))
}

#[test]
fn names_are_found_where_they_stand_alone() {
    let names = ["pkg.bad", "pkg.bad.inner", "single", "abc", "other.one"];
    let find = |bytes: &[u8]| found(&names, "other.core", bytes);
    assert_eq!(find(b"\0pkg.bad\0"), ["pkg.bad"]);
    assert_eq!(find(b"\0pkg.bad.inner\0single\0"), ["pkg.bad.inner", "single"]);
    assert_eq!(find(b"import pkg.bad failed"), ["pkg.bad"]);
    assert_eq!(find(b"\0xpkg.bad\0pkg.badly\0"), Vec::<String>::new());
    // A word in a sentence is no name of a module.
    assert_eq!(find(b"a single one"), Vec::<String>::new());
    // Too short.
    assert_eq!(find(b"\0abc\0"), Vec::<String>::new());
    // A module itself, and one beside it by the last part of its name.
    assert_eq!(found(&names, "pkg.bad", b"\0pkg.bad\0"), Vec::<String>::new());
    assert_eq!(found(&["pkg._inner"], "pkg.core", b"\0_inner\0"), ["pkg._inner"]);
    assert_eq!(found(&["pkg._inner"], "other.core", b"\0_inner\0"), Vec::<String>::new());
    assert_eq!(found(&[], "pkg", b"anything"), Vec::<String>::new());
}

#[test]
fn every_name_is_kept_whatever_it_belongs_to() {
    assert_eq!(
        names_in(b"x\0other_wheel\0from .sub.helper import\0_ZN4core3fmt\0a1.2b\0"),
        ["other_wheel", "sub.helper"]
    );
    // More than is kept may be anything.
    let many: Vec<u8> = (0..2_000_000).flat_map(|at| format!("\0n{at:07}").into_bytes()).collect();
    assert_eq!(names_in(&many), ["*"]);
}
