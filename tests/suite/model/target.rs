//! The interpreters a scan is made for.

use ftcheck::model::target::Target;

#[test]
fn every_target_is_read_from_what_it_is_shown_as() {
    for (target, text) in
        [(Target::PY313T, "3.13t"), (Target::PY314T, "3.14t"), (Target::PY315T, "3.15t")]
    {
        assert_eq!(target.to_string(), text);
        assert_eq!(text.parse(), Ok(target));
        assert_eq!(serde_json::to_value(target).unwrap(), text);
    }
    assert_eq!(Target::ALL.map(|target| target.to_string()), ["3.13t", "3.14t", "3.15t"]);
}

/// A build with the GIL has nothing to scan for, and no build before 3.13 is free-threaded.
#[test]
fn other_texts_are_rejected_with_what_was_expected() {
    for text in
        ["", "3.14", "314t", "3.12t", "3.16t", "3.14T", " 3.14t", "3.14t ", "3.014t", "4.14t"]
    {
        let problem = text.parse::<Target>().unwrap_err().to_string();
        assert_eq!(problem, format!("expected one of 3.13t, 3.14t, 3.15t, found `{text}`"));
    }
}

#[test]
fn a_target_knows_its_tags_and_versions() {
    let target = Target::PY315T;
    assert_eq!(target.minor(), 15);
    assert_eq!(target.interpreter_tag(), "cp315");
    assert_eq!(target.abi_tag(), "cp315t");
    assert_eq!(target.python_version(), "3.15");
    assert_eq!(target.python_full_version().to_string(), "3.15.0");
}
