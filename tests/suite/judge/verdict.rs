//! Verdicts from findings, made by hand.

use ftcheck::judge::{reason, settle, verdict};
use ftcheck::model::evidence::{Gil, ModuleReport};
use ftcheck::model::report::Verdict;

use super::module;

/// A module that `maker` makes.
fn made_by(maker: &str) -> ModuleReport {
    let mut made = module("made", Gil::Undetermined);
    made.evidence.delegates_to = Some(maker.to_owned());
    made
}

fn settled(makers: &[Gil]) -> ModuleReport {
    let mut own = vec![made_by("backend"), module("other", Gil::Undetermined)];
    let mut theirs: Vec<Vec<ModuleReport>> =
        makers.iter().map(|gil| vec![module("backend", *gil)]).collect();
    let mut groups = vec![("own 1.0".to_owned(), &mut own)];
    groups.extend(theirs.iter_mut().map(|modules| ("maker 2.0".to_owned(), modules)));
    settle(&mut groups);
    // What nobody else makes is left alone.
    assert_eq!(own[1], module("other", Gil::Undetermined));
    own.swap_remove(0)
}

#[test]
fn a_delegated_module_has_the_answer_of_its_maker() {
    for gil in [Gil::KeepsOff, Gil::Enables] {
        let made = settled(&[gil]);
        assert_eq!((made.gil, made.reason), (gil, None));
        assert_eq!(made.evidence.settled_by.as_deref(), Some("maker 2.0"));
    }
}

#[test]
fn a_delegated_module_stays_open_without_a_maker_that_is_known() {
    for makers in [&[][..], &[Gil::Undetermined], &[Gil::KeepsOff, Gil::Enables]] {
        let made = settled(makers);
        assert_eq!(made, made_by("backend"), "{makers:?}");
    }
}

#[test]
fn two_makers_that_agree_settle_it() {
    assert_eq!(settled(&[Gil::Enables, Gil::Enables]).gil, Gil::Enables);
}

#[test]
fn one_module_that_enables_outweighs_all_others() {
    use Gil::{Enables, KeepsOff, Undetermined};
    for (gils, expected) in [
        (&[][..], Verdict::NoExtensionModules),
        (&[KeepsOff], Verdict::KeepsGilOff),
        (&[KeepsOff, Undetermined], Verdict::Undetermined),
        (&[KeepsOff, Undetermined, Enables], Verdict::EnablesGil),
    ] {
        let modules: Vec<ModuleReport> = gils.iter().map(|gil| module("one", *gil)).collect();
        assert_eq!(verdict(&modules), expected, "{gils:?}");
        assert_eq!(reason(&modules).is_some(), expected == Verdict::Undetermined);
    }
}
