//! Places in files, and URLs without secrets.

use ftcheck::model::location::{Location, redacted};
use proptest::prelude::*;
use url::Url;

fn place(text: &str, offset: usize) -> (usize, usize) {
    let location = Location::of_offset("file", text, offset);
    (location.line, location.column)
}

#[test]
fn lines_and_columns_count_from_one() {
    let text = "ab\ncd\n\nef";
    assert_eq!(place(text, 0), (1, 1));
    assert_eq!(place(text, 1), (1, 2));
    assert_eq!(place(text, 2), (1, 3), "the line break belongs to the line it ends");
    assert_eq!(place(text, 3), (2, 1));
    assert_eq!(place(text, 6), (3, 1));
    assert_eq!(place(text, 8), (4, 2));
    assert_eq!(place("", 0), (1, 1));
}

#[test]
fn columns_count_characters_and_not_bytes() {
    let text = "é😀x\n€y";
    assert_eq!(place(text, text.find('x').unwrap()), (1, 3));
    assert_eq!(place(text, text.find('y').unwrap()), (2, 2));
}

#[test]
fn a_place_within_a_character_is_that_of_the_character() {
    let text = "a😀b";
    for offset in 1..5 {
        assert_eq!(place(text, offset), (1, 2));
    }
    assert_eq!(place(text, 5), (1, 3));
}

#[test]
fn windows_line_ends_are_no_part_of_the_next_line() {
    let text = "ab\r\ncd\r\nef";
    assert_eq!(place(text, text.find('c').unwrap()), (2, 1));
    assert_eq!(place(text, text.find('f').unwrap()), (3, 2));
}

#[test]
fn a_place_behind_the_end_is_the_end() {
    assert_eq!(place("ab\ncd", 99), (2, 3));
    assert_eq!(place("ab\n", 99), (2, 1));
}

#[test]
fn a_place_is_shown_as_editors_read_it() {
    let location = Location::of_offset("sub/requirements.txt", "a\nbc", 3);
    assert_eq!(location.to_string(), "sub/requirements.txt:2:2");
}

#[test]
fn nothing_that_may_hold_a_token_is_shown() {
    for (url, shown) in [
        (
            "https://user:pass@pypi.example/simple/spam/?token=abc#sha256=123",
            "https://pypi.example/simple/spam/",
        ),
        ("https://token@pypi.example:8443/simple", "https://pypi.example:8443/simple"),
        ("https://:pass@pypi.example/", "https://pypi.example/"),
        ("https://pypi.example/a?x=1&y=2", "https://pypi.example/a"),
        ("https://pypi.example/a#frag", "https://pypi.example/a"),
        ("git+https://user:pass@git.example/spam.git@v1", "git+https://git.example/spam.git@v1"),
        ("file:///home/me/spam?token=abc#frag", "file:///home/me/spam"),
        ("https://pypi.example/simple/spam/", "https://pypi.example/simple/spam/"),
    ] {
        assert_eq!(redacted(&Url::parse(url).unwrap()), shown);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// By lines and characters, counted in another way.
    #[test]
    fn a_place_is_where_counting_by_hand_finds_it(text in "[aé😀\r\n]{0,30}", at in 0..40usize) {
        let offsets: Vec<usize> = text.char_indices().map(|(offset, _)| offset).collect();
        let offset = offsets.get(at).copied().unwrap_or(text.len());
        let (mut line, mut column) = (1, 1);
        for letter in text.chars().take(at) {
            if letter == '\n' {
                line += 1;
                column = 1;
            } else {
                column += 1;
            }
        }
        prop_assert_eq!(place(&text, offset), (line, column));
    }

    #[test]
    fn no_offset_makes_it_panic(text in "\\PC*", offset: usize) {
        let (line, column) = place(&text, offset);
        prop_assert!(line >= 1 && column >= 1);
    }

    #[test]
    fn no_secret_is_shown(user in "QQ[a-z]{6}", password in "QQ[a-z%]{6}", query in "QQ[a-z&=]{6}") {
        let url = Url::parse(&format!("https://{user}:{password}@h.example/p/?t={query}#{query}"));
        prop_assert_eq!(redacted(&url.unwrap()), "https://h.example/p/");
    }
}
