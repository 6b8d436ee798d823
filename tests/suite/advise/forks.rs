//! The list of forks.

use std::str::FromStr;

use ftcheck::advise::forks;
use pep440_rs::Version;
use pep508_rs::PackageName;

#[test]
fn every_entry_of_the_list_can_be_used() {
    for fork in forks::all().unwrap() {
        for name in [&fork.name, &fork.fork] {
            assert_eq!(PackageName::from_str(name).unwrap().to_string(), *name);
        }
        Version::from_str(&fork.since).unwrap();
        assert!(fork.source.starts_with("https://"), "{}", fork.source);
        assert!(!fork.why.is_empty() && !fork.why.ends_with('.'), "{}", fork.why);
        assert_eq!(fork.checked.len(), "2026-01-01".len());
    }
}
