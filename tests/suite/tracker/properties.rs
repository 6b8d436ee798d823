//! Whatever is written is read as it was meant, and no text does harm.

use std::collections::BTreeMap;

use ftcheck::model::target::Target;
use ftcheck::model::tracker::{TrackerEntry, TrackerOrigin};
use ftcheck::tracker::import::{self, RemarkKind};
use ftcheck::tracker::{Names, Tracker};
use jiff::civil::Date;
use proptest::prelude::*;

use super::{CHECK, line, page};

const ICONS: [(&str, &str); 3] = [
    ("linux", ":simple-linux:"),
    ("macos", ":simple-apple:"),
    ("windows", ":material-microsoft-windows:"),
];

prop_compose! {
    fn entry()(
        packages in prop::collection::btree_set("[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,9})?", 0..3),
        first_version in prop::option::of("[1-9][0-9]?(\\.[1-9][0-9]?){0,3}(rc[1-9])?"),
        address in prop::option::of("https://[a-z]{1,9}\\.test/[a-z0-9/#+-]{0,20}"),
        flags in any::<[bool; 4]>(),
        nightly in prop::sample::subsequence(ICONS.map(|(system, _)| system).to_vec(), 0..=3),
        fully_from in prop::option::of(prop::sample::select(Target::ALL.to_vec())),
        elsewhere in prop::option::of("[ -~]{0,20}"),
        blocked_by in prop::collection::vec("[a-z]{1,9}", 0..3),
        notes in prop::collection::vec("\\PC{0,40}", 0..3),
    ) -> TrackerEntry {
        let [tool, tested, released, name_unchecked] = flags;
        TrackerEntry {
            project: String::new(),
            packages: packages.into_iter().collect(),
            name_unchecked,
            tool,
            first_version,
            fully_from,
            issue: address.clone(),
            tested,
            released,
            released_elsewhere: elsewhere,
            nightly: nightly.into_iter().map(str::to_owned).collect(),
            nightly_page: address,
            blocked_by: blocked_by.clone(),
            alternatives: blocked_by,
            notes,
        }
    }
}

prop_compose! {
    /// Entries as a tracker may have them: sorted, no distribution and no project twice.
    fn entries()(
        rows in prop::collection::btree_map("[a-z][A-Za-z0-9]{0,12}( \\(x\\))?", entry(), 1..20),
    ) -> Vec<TrackerEntry> {
        let mut seen = std::collections::BTreeSet::new();
        let mut projects = BTreeMap::new();
        for (project, mut entry) in rows {
            entry.packages.retain(|package| seen.insert(package.clone()));
            entry.project.clone_from(&project);
            projects.insert(project.to_lowercase(), entry);
        }
        projects.into_values().collect()
    }
}

prop_compose! {
    fn origin()(
        repository in prop::option::of("[a-z]{1,9}/[a-z]{1,9}"),
        page in "\\PC{0,30}",
        commit in prop::option::of("[0-9a-f]{40}"),
    ) -> TrackerOrigin {
        TrackerOrigin { repository, page, commit }
    }
}

fn date() -> impl Strategy<Value = Date> {
    (1_i16..=9999, 1_i8..=12, 1_i8..=28)
        .prop_map(|(year, month, day)| Date::new(year, month, day).unwrap())
}

/// The row of an entry, as the page would have it.
fn written(entry: &TrackerEntry) -> String {
    let link = |address: &Option<String>| {
        address.as_ref().map(|address| format!("[:simple-github:]({address})")).unwrap_or_default()
    };
    let mark = |so: bool| if so { CHECK } else { "" };
    let icons: Vec<&str> = ICONS
        .iter()
        .filter(|(system, _)| entry.nightly.iter().any(|one| one == system))
        .map(|(_, icon)| *icon)
        .collect();
    line(&[
        &entry.project,
        &link(&entry.issue),
        mark(entry.tested),
        mark(entry.released),
        entry.first_version.as_deref().unwrap_or(""),
        &icons.join(" "),
        &link(&entry.nightly_page),
    ])
}

/// Names that say of each project what its entry has.
fn names(entries: &[TrackerEntry]) -> Names {
    let mut others = String::new();
    let mut tools = Vec::new();
    for entry in entries {
        others.push_str(&format!("{:?} = {:?}\n", entry.project, entry.packages));
        tools.extend(entry.tool.then_some(&entry.project));
    }
    let text = format!("same = []\nnone = []\ntools = {tools:?}\n[others]\n{others}");
    Names::parse(&text, "footnote = []").unwrap()
}

proptest! {
    #[test]
    fn data_that_is_written_is_read(date in date(), origin in origin(), entries in entries()) {
        let tracker = Tracker::new(date, origin.clone(), entries.clone()).unwrap();
        let text = tracker.serialize().unwrap();
        let read = Tracker::parse(&text).unwrap();
        prop_assert_eq!(read.entries(), entries.as_slice());
        prop_assert_eq!((read.date(), read.origin()), (date, &origin));
        prop_assert_eq!(read.serialize().unwrap(), text);
        for entry in &entries {
            for package in &entry.packages {
                prop_assert_eq!(read.entry_of(package), Some(entry));
            }
        }
    }

    #[test]
    fn a_table_that_is_written_is_read(entries in entries()) {
        let rows: String = entries.iter().map(written).collect();
        let import = import::read("page.md", &page(&rows), &names(&entries), 0).unwrap();
        prop_assert!(import.remarks.is_empty(), "{:?}", import.remarks);
        for (read, entry) in import.entries.iter().zip(&entries) {
            let said = TrackerEntry {
                name_unchecked: false,
                fully_from: None,
                released_elsewhere: None,
                blocked_by: Vec::new(),
                alternatives: Vec::new(),
                notes: Vec::new(),
                ..entry.clone()
            };
            prop_assert_eq!(read, &said);
        }
        prop_assert_eq!(import.rows, entries.len());
    }

    #[test]
    fn no_page_does_harm(
        rows in "([|\\[\\]\\\\\n`*_<>!(): ^#-]|spam|:material-check-bold:|1\\.0|\\[\\^1\\]|\\PC){0,200}",
        in_table in any::<bool>(),
    ) {
        let text = if in_table { page(&rows) } else { rows };
        if let Ok(import) = import::read("page.md", &text, &super::names(), 0) {
            let lost = import.remarks.iter().filter(|one| one.kind == RemarkKind::RowNotRead);
            prop_assert_eq!(import.rows, import.entries.len() + lost.count());
            let lines = text.split('\n').count();
            for remark in &import.remarks {
                prop_assert!((1..=lines).contains(&remark.location.line), "{}", remark);
            }
            let tracker = Tracker::new(Date::ZERO, TrackerOrigin::default(), import.entries);
            let text = tracker.unwrap().serialize().unwrap();
            prop_assert!(Tracker::parse(&text).is_ok());
        }
    }
}
