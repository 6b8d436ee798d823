//! What only GitLab has: notes of its own, projects of forks.

use ftcheck::forge::{Action, Change, of_environment};

use super::{Job, Kind, environment, forge_of, job, marked};
use crate::support::forge::FakeForge;

#[test]
fn notes_that_gitlab_writes_itself_are_passed_over() {
    let fake = FakeForge::start(Kind::GitLab);
    fake.write_system("scanner", &marked("changed the description"));
    let outcome = Job::on(&fake, Kind::GitLab).says("one finding").unwrap();
    assert_eq!(outcome.action, Action::Created);
    assert_eq!(outcome.further, [0; 0]);
}

#[test]
fn of_a_fork_the_merge_request_is_in_the_other_project() {
    let variables = [
        ("CI_PROJECT_ID", "2"),
        ("CI_MERGE_REQUEST_PROJECT_ID", "1"),
        ("CI_MERGE_REQUEST_IID", "7"),
    ];
    let subject = forge_of(Kind::GitLab).subject(&environment(&variables), None).unwrap();
    assert_eq!((subject.project.as_str(), subject.change), ("1", Change::Number(7)));
    assert_eq!(subject.api.as_str(), "https://gitlab.com/api/v4");
}

#[test]
fn what_is_missing_is_told() {
    let subject = |variables: &[(&str, &str)], number| {
        forge_of(Kind::GitLab).subject(&environment(variables), number)
    };
    let problem = subject(&[("CI_PROJECT_ID", "1")], None).unwrap_err();
    assert!(problem.to_string().starts_with("no merge request: CI_MERGE_REQUEST_IID is not set"));
    assert!(!problem.is_setting());
    assert!(subject(&[], Some(7)).unwrap_err().is_setting());
    let odd = [("CI_PROJECT_ID", "1"), ("CI_MERGE_REQUEST_IID", "seven")];
    assert!(subject(&odd, None).unwrap_err().is_setting());
    // What is stated counts before what is there.
    let found = subject(&odd, Some(9)).unwrap();
    assert_eq!(found.change, Change::Number(9));
}

#[test]
fn the_forge_is_that_of_the_ci() {
    for kind in super::BOTH {
        let forge = of_environment(&job(kind, "https://forge.example")).unwrap();
        assert_eq!(forge.name(), forge_of(kind).name());
    }
    assert!(of_environment(&environment(&[("CI", "true")])).is_none());
    assert!(of_environment(&environment(&[("GITLAB_CI", "false")])).is_none());
}
