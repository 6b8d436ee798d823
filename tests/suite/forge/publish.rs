//! What both forges have in common, held against both.

use ftcheck::forge::Action;

use super::{BOTH, Job, Kind, marked};
use crate::support::forge::FakeForge;

fn action(job: &Job, text: &str) -> Action {
    job.says(text).unwrap().action
}

#[test]
fn a_comment_is_written_changed_in_place_and_left_as_it_is() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        fake.write("someone", "What do you think?");
        let job = Job::on(&fake, kind);
        assert_eq!(action(&job, "one finding"), Action::Created);
        assert_eq!(action(&job, "two findings"), Action::Updated(1001));
        let before = fake.asked().len();
        assert_eq!(action(&job, "two findings"), Action::Unchanged(1001));
        assert!(fake.asked()[before..].iter().all(|one| one.method == "GET"));
        assert_eq!(fake.bodies(), ["What do you think?".to_owned(), marked("two findings")]);
    }
}

#[test]
fn what_is_clean_is_marked_and_no_comment_is_begun_for_it() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        let job = Job::on(&fake, kind);
        assert_eq!(job.is_clean().unwrap().action, Action::Nothing);
        assert_eq!(fake.bodies(), [""; 0]);
        assert_eq!(action(&job, "one finding"), Action::Created);
        assert_eq!(job.is_clean().unwrap().action, Action::MarkedClean(1000));
        assert_eq!(job.is_clean().unwrap().action, Action::Unchanged(1000));
        assert_eq!(fake.bodies(), [marked("Nothing any more.")]);
        // What comes back stands where it stood.
        assert_eq!(action(&job, "one finding"), Action::Updated(1000));
        assert_eq!(fake.bodies(), [marked("one finding")]);
    }
}

#[test]
fn comments_beyond_a_page_are_seen() {
    for kind in BOTH {
        for before in [99, 100, 250] {
            let fake = FakeForge::start(kind);
            for at in 0..before {
                fake.write("someone", &format!("remark {at}"));
            }
            fake.write("scanner", &marked("one finding"));
            fake.write("someone", "the last word");
            let job = Job::on(&fake, kind);
            assert_eq!(action(&job, "two findings"), Action::Updated(1000 + before));
            assert_eq!(fake.written().len() as u64, before + 2);
            let lists = fake.asked().iter().filter(|one| one.target.contains("per_page")).count();
            assert_eq!(lists as u64, (before + 2).div_ceil(100), "{kind:?}, {before}");
        }
    }
}

#[test]
fn comments_of_others_with_the_marker_are_left_alone() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        fake.write("mallory", &marked("all is well"));
        let job = Job::on(&fake, kind);
        let outcome = job.says("one finding").unwrap();
        assert_eq!((outcome.action, outcome.others), (Action::Created, vec!["mallory".to_owned()]));
        assert_eq!(action(&job, "two findings"), Action::Updated(1001));
        assert_eq!(job.is_clean().unwrap().action, Action::MarkedClean(1001));
        assert_eq!(fake.bodies(), [marked("all is well"), marked("Nothing any more.")]);
    }
}

#[test]
fn other_keys_have_comments_of_their_own() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        let other = "<!-- ftcheck:report-2 -->\nof another scan".to_owned();
        fake.write("scanner", &other);
        fake.write("scanner", "as <!-- ftcheck:report --> in a sentence");
        assert_eq!(action(&Job::on(&fake, kind), "one finding"), Action::Created);
        assert_eq!(fake.bodies()[0], other);
    }
}

#[test]
fn of_several_the_first_is_kept_up_to_date() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        fake.write("scanner", &marked("first"));
        fake.write("scanner", &marked("second"));
        let outcome = Job::on(&fake, kind).says("third").unwrap();
        assert_eq!((outcome.action, outcome.further), (Action::Updated(1000), vec![1001]));
        assert_eq!(fake.bodies(), [marked("third"), marked("second")]);
    }
}

#[test]
fn a_rehearsal_changes_nothing() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        let job = Job { is_rehearsal: true, ..Job::on(&fake, kind) };
        assert_eq!(action(&job, "one finding"), Action::Created);
        fake.write("scanner", &marked("one finding"));
        assert_eq!(action(&job, "two findings"), Action::Updated(1000));
        assert_eq!(job.is_clean().unwrap().action, Action::MarkedClean(1000));
        assert_eq!(fake.bodies(), [marked("one finding")]);
        assert!(fake.methods().iter().all(|method| method == "GET"));
    }
}

#[test]
fn a_body_over_the_limit_is_cut_and_taken() {
    for kind in BOTH {
        let fake = FakeForge::start(kind);
        let limit = if kind == Kind::GitHub { 65_536 } else { 1_000_000 };
        let text = "<details>\n\n- a finding, “quoted” ✓\n".repeat(limit / 20);
        assert_eq!(action(&Job::on(&fake, kind), &text), Action::Created);
        let body = &fake.bodies()[0];
        assert!(body.len() <= limit && body.len() > limit - 1000, "{}", body.len());
        assert!(body.starts_with("<!-- ftcheck:report -->\n<details>"));
        assert!(body.contains("Cut here"));
        // The same is the same again.
        assert_eq!(action(&Job::on(&fake, kind), &text), Action::Unchanged(1000));
    }
}
