//! The table for spreadsheets.

use insta::assert_snapshot;

use super::{everything, ignoring_what_is_about_no_package, written};

#[test]
fn everything_in_csv() {
    assert_snapshot!(written("csv", &everything()));
}

#[test]
fn no_cell_is_a_formula() {
    let starts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "＝1", "\n=1", " =1", "'=1"];
    for start in starts {
        let mut report = everything();
        report.packages[0].name = start.to_owned();
        report.packages[0].reason = Some(start.to_owned());
        let text = written("csv", &report);
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let row = rows.records().next().unwrap().unwrap();
        assert!(row[0].starts_with('\''), "{start:?}: {row:?}");
        assert!(row[7].starts_with('\''), "{start:?}: {row:?}");
    }
}

#[test]
fn what_is_ignored_about_no_package_has_a_row() {
    let text = written("csv", &ignoring_what_is_about_no_package());
    let mut rows = csv::Reader::from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    let row = rows.last().unwrap();
    assert!(row[0].is_empty() && row[4].is_empty() && row[6].is_empty(), "{row:?}");
    assert!(row[7].contains("the lock does not cover 3.14t"), "{row:?}");
    assert_eq!(&row[11], "not-checked");
}
