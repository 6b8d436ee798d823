//! Wheels that are not what they seem: never a verdict in their favour, always a reason.

use serde_json::Value;

use super::{large_wheel, member_of, package, reason, report_of, wheel_of};
use crate::support::damage::{
    SizeLie, truncated, with_bad_crc, with_flipped_data, with_lying_sizes,
};
use crate::support::fixture_module;
use crate::support::index::IndexFile;
use crate::support::wheel::{BuiltWheel, WheelBuilder};

const MODULE: &str = "declares";

/// The report on a damaged wheel beside a sound one, which has to stay unaffected.
fn report_on(wheel: impl Into<IndexFile>) -> Value {
    let wheel = wheel.into();
    let report = report_of("damaged\nsound\n", 3, |index| {
        index.file(wheel).file(wheel_of("sound", "1.0", &[MODULE]).build())
    });
    assert_eq!(package(&report, "sound")["verdict"], "keeps-gil-off");
    assert_eq!(package(&report, "damaged")["modules"].as_array().unwrap().len(), 0);
    report
}

/// Fetched whole, and fetched in parts.
fn both_sizes() -> [BuiltWheel; 2] {
    [wheel_of("damaged", "1.0", &[MODULE]).build(), large_wheel("damaged", "1.0", &[MODULE])]
}

fn assert_unchecked(report: &Value, expected: &str) {
    assert_eq!(package(report, "damaged")["verdict"], "unchecked", "{report:#}");
    let reason = reason(report, "damaged");
    assert!(reason.contains(expected), "expected `{expected}` in `{reason}`");
}

#[test]
fn a_truncated_wheel() {
    for wheel in both_sizes() {
        for keep in [wheel.bytes.len() - 10, wheel.bytes.len() / 2, 10, 0] {
            assert_unchecked(&report_on(truncated(&wheel, keep)), "");
        }
    }
}

#[test]
fn a_module_larger_than_the_directory_says() {
    for wheel in both_sizes() {
        let wheel = with_lying_sizes(&wheel, &member_of(MODULE), SizeLie::TooSmall);
        assert_unchecked(&report_on(wheel), "larger than its declared uncompressed size");
    }
}

#[test]
fn a_module_smaller_than_the_directory_says() {
    for wheel in both_sizes() {
        let wheel = with_lying_sizes(&wheel, &member_of(MODULE), SizeLie::TooLarge);
        assert_unchecked(&report_on(wheel), "bytes, found");
    }
}

#[test]
fn a_module_with_another_checksum() {
    for wheel in both_sizes() {
        let wheel = with_bad_crc(&wheel, &member_of(MODULE));
        assert_unchecked(&report_on(wheel), "hecksum");
    }
}

#[test]
fn a_module_with_damaged_data() {
    for wheel in both_sizes() {
        let wheel = with_flipped_data(&wheel, &member_of(MODULE));
        assert_unchecked(&report_on(wheel), "damaged wheel");
    }
}

#[test]
fn a_wheel_that_is_no_zip() {
    let file = IndexFile::raw(
        "damaged",
        "1.0",
        &format!("damaged-1.0-{}.whl", super::TAG),
        b"<html>Please log in</html>".to_vec(),
    );
    assert_unchecked(&report_on(file), "damaged wheel");
}

#[test]
fn a_whole_wheel_with_another_digest() {
    let wheel = IndexFile::from(wheel_of("damaged", "1.0", &[MODULE]).build())
        .claimed_sha256(&"0".repeat(64));
    assert_unchecked(&report_on(wheel), "expected sha256 0000");
}

#[test]
fn a_wheel_of_another_distribution_under_this_name() {
    let other = wheel_of("other", "1.0", &[MODULE]).build();
    let file =
        IndexFile::raw("damaged", "1.0", &format!("damaged-1.0-{}.whl", super::TAG), other.bytes);
    assert_unchecked(&report_on(file), "expected METADATA of damaged 1.0, found that of other 1.0");
}

#[test]
fn a_module_that_is_no_library_is_undetermined() {
    let wheel = WheelBuilder::new("damaged", "1.0")
        .tag(super::TAG)
        .file(&member_of(MODULE), b"\x7fELF and nothing else".to_vec())
        .build();
    let report = report_of("damaged", 3, |index| index.file(wheel));
    let damaged = package(&report, "damaged");
    assert_eq!(damaged["verdict"], "undetermined");
    assert!(damaged["modules"][0]["reason"].as_str().unwrap().contains("ELF header"));
}

#[test]
fn a_truncated_module_is_undetermined() {
    let mut bytes = fixture_module("x86_64-linux-gnu", MODULE);
    bytes.truncate(bytes.len() / 2);
    let wheel = WheelBuilder::new("damaged", "1.0").tag(super::TAG).file(&member_of(MODULE), bytes);
    let report = report_of("damaged", 3, |index| index.file(wheel.build()));
    assert_eq!(package(&report, "damaged")["verdict"], "undetermined");
}
