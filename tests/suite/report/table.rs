//! The table at a terminal, without colours.

use ftcheck::report::{Detail, Style};
use insta::assert_snapshot;

use super::{everything, plain, written, written_in};

#[test]
fn everything_in_the_table() {
    assert_snapshot!(written("table", &everything()));
}

#[test]
fn texts_of_several_lines_stay_such() {
    let text = "it cannot be resolved:\nspam wants eggs<2\nand ham wants eggs>=2".to_owned();
    let mut report = everything();
    report.notes = vec![text.clone()];
    report.findings.truncate(1);
    report.findings[0].hints = vec![text.clone()];
    report.ignored.truncate(1);
    report.ignored[0].reason = text.clone();
    report.skipped[0].reason = text.clone();
    report.packages[0].modules.clear();
    report.packages[0].reason = Some(text);
    for detail in [Detail::Normal, Detail::Verbose] {
        let shown = written_in("table", &report, &Style { detail, ..plain() });
        assert!(!shown.contains('\u{fffd}'), "{shown}");
        assert!(shown.contains("note: it cannot be resolved:\n  spam wants eggs<2\n"), "{shown}");
    }
}
