//! What cannot be read ends with 2 and a reason, never with a verdict.

use insta::assert_snapshot;

use super::{TAG, failure, put, wheel_of};
use crate::support::Sandbox;
use crate::support::damage::{
    SizeLie, truncated, with_bad_crc, with_flipped_data, with_lying_sizes,
};
use crate::support::wheel::WheelBuilder;

const MEMBER: &str = "fine/declares.cpython-314t-x86_64-linux-gnu.so";

#[test]
fn a_path_that_is_not_there_is_told_with_what_may_help() {
    assert_snapshot!(failure(&Sandbox::new(), &["nowhere.whl"]), @r"
    error: nowhere.whl: there is no such file or directory
    hint: name a wheel, a compiled module, or a folder that holds some
    ");
    assert_snapshot!(failure(&Sandbox::new(), &["dist/*.whl"]), @r"
    error: dist/*.whl: there is no such file or directory
    hint: no file fits this pattern, so that the shell left it as it is
    ");
}

#[test]
fn every_path_that_cannot_be_read_is_told() {
    let sandbox = Sandbox::new();
    let good = put(&sandbox, ".", &wheel_of("fine", &["declares"]).build());
    let message = failure(&sandbox, &["one.whl", &good, "two.whl"]);
    assert!(message.contains("one.whl") && message.contains("two.whl"), "{message}");
}

#[test]
fn damaged_wheels_are_told() {
    let sandbox = Sandbox::new();
    let good = wheel_of("fine", &["declares"]).build();
    for (damaged, part) in [
        (truncated(&good, good.bytes.len() - 30), "damaged wheel"),
        (truncated(&good, 0), "damaged wheel"),
        (with_bad_crc(&good, MEMBER), "damaged wheel: `fine/declares"),
        (with_flipped_data(&good, MEMBER), "damaged wheel: `fine/declares"),
        (with_lying_sizes(&good, MEMBER, SizeLie::TooSmall), "larger than its declared"),
        (with_lying_sizes(&good, MEMBER, SizeLie::TooLarge), "expected at most 2147483648 bytes"),
    ] {
        let path = put(&sandbox, ".", &damaged);
        let message = failure(&sandbox, &[&path]);
        assert!(message.contains(part), "{part}: {message}");
    }
}

#[test]
fn a_wheel_that_is_not_what_its_name_says_is_told() {
    let sandbox = Sandbox::new();
    let wheel = wheel_of("fine", &["declares"]).build();
    let path = format!("other-1.0-{TAG}.whl");
    sandbox.write(&path, &wheel.bytes);
    let message = failure(&sandbox, &[&path]);
    assert!(
        message.contains("expected METADATA of other 1.0, found that of fine 1.0"),
        "{message}"
    );
    sandbox.write("fine.whl", &wheel.bytes);
    assert_snapshot!(failure(&sandbox, &["fine.whl"]), @r"
    error: fine.whl: expected a wheel file name, found `fine.whl`: it has 1 parts
    hint: wheels are named NAME-VERSION-PYTHON-ABI-PLATFORM.whl
    ");
}

#[test]
fn a_member_that_expands_hugely_takes_no_more_than_it_is_allowed() {
    // A thousandfold, which is what deflate can do; the claim is true and the file small.
    let wheel = WheelBuilder::new("bomb", "1.0").tag(TAG);
    let wheel = wheel.file("bomb/declares.so", vec![0; 64 << 20]).build();
    assert!(wheel.bytes.len() < 1 << 17);
    let sandbox = Sandbox::new();
    let path = put(&sandbox, ".", &wheel);
    // Read, and no library of any kind.
    let report = super::report(&sandbox, &[&path], 3);
    assert_eq!(super::only(&report)["verdict"], "undetermined");
}

#[test]
fn files_of_other_kinds_are_told() {
    let sandbox = Sandbox::new();
    sandbox.write("fine-1.0.tar.gz", [0x1f, 0x8b, 8, 0, 0xff]);
    let message = failure(&sandbox, &["fine-1.0.tar.gz"]);
    assert!(message.contains("hint: name a wheel, a compiled module, or a folder"), "{message}");
}

#[test]
fn usage_errors_end_with_2() {
    let sandbox = Sandbox::new();
    for arguments in [
        &["inspect"][..],
        &["inspect", ".", "--target", "3.12t"],
        &["inspect", ".", "--platform", "amiga"],
        &["inspect", ".", "--format", "xml"],
        &["inspect", ".", "--quiet", "--verbose"],
    ] {
        sandbox.command().args(arguments).assert().code(2);
    }
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn a_broken_link_is_told_as_that() {
        let sandbox = Sandbox::new();
        symlink("nowhere", sandbox.path().join("link.so")).unwrap();
        assert_snapshot!(failure(&sandbox, &["link.so"]), @"error: link.so: expected a file or directory, found a broken link");
    }

    #[test]
    fn something_that_never_ends_is_not_read() {
        let message = failure(&Sandbox::new(), &["/dev/zero"]);
        assert!(message.contains("expected an ordinary file"), "{message}");
    }

    #[test]
    fn a_file_that_may_not_be_read_is_told() {
        let sandbox = Sandbox::new();
        let path = put(&sandbox, ".", &wheel_of("fine", &["declares"]).build());
        let file = sandbox.path().join(&path);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::read(&file).is_ok() {
            // The superuser may read everything.
            return;
        }
        let message = failure(&sandbox, &[&path]);
        assert!(message.contains("cannot be read: permission denied"), "{message}");
    }
}
