//! Keys, markers, what has to be done, and what is cut.

use ftcheck::forge::comment::{Comment, Key, Step, Wanted, plan};
use proptest::prelude::*;

use super::{key, marked};

fn comment(id: u64, author: &str, body: &str) -> Comment {
    Comment { id, author: Some(author.to_owned()), body: body.to_owned() }
}

#[test]
fn keys_are_what_cannot_end_a_comment_of_html() {
    for good in ["report", "a", "scan-3.14t_linux", &"k".repeat(64)] {
        let key: Key = good.parse().unwrap();
        assert_eq!(key.marker(), format!("<!-- ftcheck:{good} -->"));
    }
    for bad in ["", "a b", "a-->", "a--b", "a-", "é", "a\nb", "<", &"k".repeat(65)] {
        let problem = bad.parse::<Key>().unwrap_err();
        assert!(problem.starts_with("expected up to 64 letters"), "{problem}");
    }
}

#[test]
fn the_marker_counts_at_the_beginning_alone() {
    assert!(key().marks(&marked("text")));
    assert!(key().marks("\u{feff}\r\n <!-- ftcheck:report --> text"));
    assert!(!key().marks("> <!-- ftcheck:report -->"));
    assert!(!key().marks("<!-- ftcheck:report2 -->"));
    assert!(!key().marks(""));
}

#[test]
fn ends_of_lines_and_of_texts_make_no_difference() {
    let wanted = marked("one\ntwo\n");
    let kept = comment(1, "scanner", &wanted.replace('\n', "\r\n"));
    let plan = plan(&[kept], &key(), "scanner", Wanted { body: &wanted, clean: false });
    assert_eq!(plan.step, Step::Unchanged(1));
}

#[test]
fn comments_of_users_who_are_gone_are_those_of_others() {
    let gone = Comment { author: None, ..comment(1, "", &marked("text")) };
    let plan = plan(&[gone], &key(), "", Wanted { body: "", clean: true });
    assert_eq!((plan.step, plan.others), (Step::Nothing, vec!["nobody".to_owned()]));
}

#[test]
fn what_is_open_where_a_text_is_cut_is_closed() {
    let text = format!("<details><summary>all</summary>\n\n```text\n{}", "a line\n".repeat(2000));
    let cut = key().marked(&text, 4000);
    assert!(cut.len() <= 4000, "{}", cut.len());
    let end = "a line\n\n```\n\n</details>\n\n**Cut here: the forge takes no longer comment.**\n";
    assert!(cut.ends_with(end), "{cut}");
}

proptest! {
    #[test]
    fn cut_texts_keep_the_limit(
        parts in prop::collection::vec("(\n|```+[a-z]*\n|~~~\n|<details>|</details>\n|[a-z ✓é]{0,40})", 0..60),
        limit in 0_usize..2000,
    ) {
        let text = parts.concat();
        let cut = key().marked(&text, limit);
        let marker = key().marker().len() + 1;
        prop_assert!(cut.len() <= limit.max(marker));
        if text.len() + marker <= limit {
            prop_assert_eq!(cut, marked(&text));
        }
    }
}
