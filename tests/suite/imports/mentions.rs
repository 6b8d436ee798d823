//! Names among the bytes of compiled files.

use ftcheck::imports::mentions::Mentions;

#[test]
fn names_are_found_where_they_stand_alone() {
    let names = ["pkg.bad", "pkg.bad.inner", "single", "abc", "other.one"];
    let mentions = Mentions::of(names.map(str::to_owned));
    let find = |bytes: &[u8]| mentions.find("other.core", bytes);
    assert_eq!(find(b"\0pkg.bad\0"), ["pkg.bad"]);
    assert_eq!(find(b"\0pkg.bad.inner\0single\0"), ["pkg.bad.inner", "single"]);
    assert_eq!(find(b"import pkg.bad failed"), ["pkg.bad"]);
    assert_eq!(find(b"\0xpkg.bad\0pkg.badly\0"), Vec::<String>::new());
    // A word in a sentence is no name of a module.
    assert_eq!(find(b"a single one"), Vec::<String>::new());
    // Too short.
    assert_eq!(find(b"\0abc\0"), Vec::<String>::new());
    // A module itself, and one beside it by the last part of its name.
    assert_eq!(mentions.find("pkg.bad", b"\0pkg.bad\0"), Vec::<String>::new());
    let beside = Mentions::of(["pkg._inner".to_owned()]);
    assert_eq!(beside.find("pkg.core", b"\0_inner\0"), ["pkg._inner"]);
    assert_eq!(beside.find("other.core", b"\0_inner\0"), Vec::<String>::new());
    assert_eq!(Mentions::of([]).find("pkg", b"anything"), Vec::<String>::new());
}
