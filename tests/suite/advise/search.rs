//! The search by itself, against one that looks at every release.

use ftcheck::advise::search::{MAX_LOOKS, Outcome, Search, Seen};
use proptest::prelude::*;

/// Lets a search look at what is there. Each release is one of which the tags tell, or not.
fn search(releases: &[(Seen, bool)]) -> (Outcome, Vec<usize>) {
    let known = releases.iter().map(|(seen, told)| told.then_some(*seen)).collect();
    let mut search = Search::new(known);
    let mut looks = Vec::new();
    while let Some(at) = search.next() {
        assert!(!looks.contains(&at) && !releases[at].1, "looked twice at {at}: {looks:?}");
        looks.push(at);
        search.tell(at, releases[at].0);
    }
    (search.outcome(), looks)
}

/// The first of all that keeps the GIL off.
fn oracle(releases: &[(Seen, bool)]) -> Option<usize> {
    releases.iter().position(|(seen, _)| *seen == Seen::Fine)
}

fn of(text: &str) -> Vec<(Seen, bool)> {
    text.chars()
        .map(|letter| match letter {
            '+' => (Seen::Fine, false),
            '-' => (Seen::Bad, false),
            '?' => (Seen::NotTold, false),
            'P' => (Seen::Fine, true),
            other => panic!("{other}"),
        })
        .collect()
}

#[test]
fn the_newest_is_looked_at_first_and_then_the_middle() {
    let (outcome, looks) = search(&of("--------++++++++++++++++++++"));
    assert_eq!(outcome.first, Some(8));
    assert_eq!(looks[..3], [27, 13, 6]);
    assert!(looks.contains(&7), "the one before was looked at: {looks:?}");
    assert!(looks.len() <= 6, "{looks:?}");
    assert!(!outcome.certain && outcome.newest && !outcome.went_back);
}

#[test]
fn few_releases_are_all_looked_at_where_they_matter() {
    let (outcome, looks) = search(&of("----+++"));
    assert_eq!((outcome.first, outcome.certain), (Some(4), true));
    assert_eq!(looks, [6, 3, 5, 4, 0, 1, 2]);
}

#[test]
fn where_support_went_away_the_first_is_still_found() {
    let (outcome, _) = search(&of("--+--"));
    assert_eq!((outcome.first, outcome.certain, outcome.newest), (Some(2), true, false));
    assert!(outcome.went_back);
    // A gap in between that bisection steps into.
    let (outcome, _) = search(&of("-+-+++++"));
    assert_eq!((outcome.first, outcome.certain), (Some(1), true));
}

#[test]
fn where_none_does_the_newest_are_looked_at() {
    let many = "-".repeat(100);
    let (outcome, looks) = search(&of(&many));
    assert_eq!((outcome.first, outcome.certain), (None, false));
    assert_eq!(looks, [99, 98, 97, 96, 95, 94, 93, 92]);
    assert_eq!(outcome.not_looked_at, 92);
    assert!(search(&of("-----")).0.certain);
    assert!(search(&[]).0.certain);
}

#[test]
fn what_tags_tell_is_not_looked_at() {
    let (outcome, looks) = search(&of("PPPP"));
    assert_eq!((outcome.first, outcome.certain, outcome.newest), (Some(0), true, true));
    assert!(looks.is_empty());
    let (outcome, looks) = search(&of("--P-+"));
    assert_eq!((outcome.first, outcome.certain), (Some(2), true));
    assert!(!looks.contains(&2));
}

#[test]
fn releases_that_cannot_be_told_are_counted() {
    let (outcome, _) = search(&of("--????++++"));
    assert_eq!((outcome.first, outcome.certain), (Some(6), false));
    assert!(outcome.not_told + outcome.not_looked_at >= 4, "{outcome:?}");
}

fn release() -> impl Strategy<Value = (Seen, bool)> {
    prop_oneof![
        5 => Just((Seen::Fine, false)),
        5 => Just((Seen::Bad, false)),
        1 => Just((Seen::NotTold, false)),
        1 => Just((Seen::Fine, true)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_called_first_is_first_or_its_bound_is_said(
        releases in prop::collection::vec(release(), 0..60)
    ) {
        let (outcome, looks) = search(&releases);
        prop_assert!(looks.len() <= MAX_LOOKS);
        let first = oracle(&releases);
        if outcome.certain {
            prop_assert_eq!(outcome.first, first);
        } else {
            prop_assert!(outcome.not_looked_at + outcome.not_told > 0);
        }
        if let Some(at) = outcome.first {
            prop_assert_eq!(releases[at].0, Seen::Fine);
            // The one before was looked at, as far as any number of looks allows.
            if let Some(before) = at.checked_sub(1) {
                let told = releases[before].1 || looks.contains(&before);
                prop_assert!(told || outcome.not_looked_at > 0);
            }
        }
        if outcome.newest {
            prop_assert_eq!(releases.last().map(|one| one.0), Some(Seen::Fine));
        }
    }

    #[test]
    fn where_support_came_to_stay_the_first_is_found(
        before in 0..200usize, after in 1..200usize
    ) {
        let releases: Vec<(Seen, bool)> = std::iter::repeat_n((Seen::Bad, false), before)
            .chain(std::iter::repeat_n((Seen::Fine, false), after))
            .collect();
        let (outcome, looks) = search(&releases);
        prop_assert_eq!(outcome.first, oracle(&releases));
        prop_assert!(outcome.newest && !outcome.went_back);
        // The release before the first was looked at.
        prop_assert!(before == 0 || looks.contains(&(before - 1)));
        prop_assert!(looks.len() <= 10, "{} of {}", looks.len(), releases.len());
    }
}
