//! The report for programs.

use insta::assert_snapshot;

use super::{everything, written};

#[test]
fn everything_in_json() {
    assert_snapshot!(written("json", &everything()));
}

#[test]
fn what_a_terminal_acts_on_is_escaped_and_read_back() {
    let mut report = everything();
    let hostile = "\u{1b}[2J \u{9b}31m \u{202e}gpj.exe \u{7f} \u{2028} \u{e0041}";
    report.gaps = vec![hostile.to_owned()];
    let text = written("json", &report);
    assert!(
        text.contains(r"\u001b[2J \u009b31m \u202egpj.exe \u007f \u2028 \udb40\udc41"),
        "{text}"
    );
    let read: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(read["gaps"][0], hostile);
}
