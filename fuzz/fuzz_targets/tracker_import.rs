//! Any text as the tracker's page: what is read of it can be written and read again.
#![no_main]

use std::sync::OnceLock;

use ftcheck::model::tracker::TrackerOrigin;
use ftcheck::tracker::import::{self, RemarkKind};
use ftcheck::tracker::{Names, Tracker};
use libfuzzer_sys::fuzz_target;

static NAMES: OnceLock<Names> = OnceLock::new();

fuzz_target!(|text: &str| {
    let names = NAMES.get_or_init(|| Names::built_in().expect("the names are in order"));
    match import::read("page.md", text, names, 0) {
        Ok(import) => {
            let lost = import.remarks.iter().filter(|one| one.kind == RemarkKind::RowNotRead);
            assert_eq!(import.rows, import.entries.len() + lost.count());
            let lines = text.split('\n').count();
            for remark in &import.remarks {
                assert!((1..=lines).contains(&remark.location.line), "{remark}");
            }
            let date = Tracker::built_in().date();
            let tracker = Tracker::new(date, TrackerOrigin::default(), import.entries)
                .expect("what is imported is in order");
            let written = tracker.serialize().expect("a tracker can be written");
            let read = Tracker::parse(&written).expect("what is written can be read");
            assert_eq!(read.entries(), tracker.entries());
        }
        Err(problem) => assert!(!problem.problem.trim().is_empty()),
    }
});
