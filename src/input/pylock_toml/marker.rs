//! The markers that only `pylock.toml` has: `'name' in extras`, `'name' in dependency_groups`.
//!
//! They are rewritten to comparisons with `extra`, which has no meaning of its own in such a file;
//! [`extra_name`] and [`group_name`] tell the names used there.

use std::fmt::Write as _;
use std::str::FromStr;

use pep508_rs::ExtraName;

/// What rewritten markers call an extra of the project.
pub(super) fn extra_name(extra: &ExtraName) -> Option<ExtraName> {
    ExtraName::from_str(&format!("in-extras-{extra}")).ok()
}

/// What rewritten markers call a group of the project.
pub(super) fn group_name(group: &str) -> Option<ExtraName> {
    ExtraName::from_str(&format!("in-dependency-groups-{}", group.trim())).ok()
}

/// A piece of a marker, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// With its quotes.
    Quoted(&'a str),
    Word(&'a str),
    /// Spaces, comparisons, parentheses.
    Other(&'a str),
}

/// Rewrites a marker.
///
/// # Errors
/// Where it compares with `extra`, which says nothing in such a file, or names what no extra and
/// no group can be called.
pub(super) fn rewritten(text: &str) -> Result<String, String> {
    let tokens = tokens(text);
    let mut rewritten = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if let Token::Quoted(quoted) = token
            && let Some((is_in, variable, length)) = membership(tokens.get(at + 1..))
        {
            let name = quoted.trim_matches(['"', '\'']);
            let known = match variable {
                "extras" => ExtraName::from_str(name).ok().as_ref().and_then(extra_name),
                _ => group_name(name),
            };
            let known = known.ok_or_else(|| format!("nothing can be called `{name}`"))?;
            let comparison = if is_in { "==" } else { "!=" };
            // Writing to a text cannot fail.
            let _ = write!(rewritten, "extra {comparison} '{known}'");
            at += 1 + length;
            continue;
        }
        match token {
            Token::Word("extra") => {
                return Err(
                    "expected `in extras` or `in dependency_groups`, found `extra`, which \
                            says nothing in such a file"
                        .to_owned(),
                );
            }
            Token::Quoted(text) | Token::Word(text) | Token::Other(text) => {
                rewritten.push_str(text);
            }
        }
        at += 1;
    }
    Ok(rewritten)
}

/// Whether `in` or `not in` a set follows, which, and how many tokens that takes.
fn membership<'a>(tokens: Option<&[Token<'a>]>) -> Option<(bool, &'a str, usize)> {
    let tokens = tokens?;
    let mut words = tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| !matches!(token, Token::Other(text) if text.trim().is_empty()));
    let (_, mut token) = words.next()?;
    let is_in = match token {
        Token::Word("in") => true,
        Token::Word("not") => {
            (_, token) = words.next()?;
            if *token != Token::Word("in") {
                return None;
            }
            false
        }
        _ => return None,
    };
    let (last, token) = words.next()?;
    match token {
        Token::Word(variable @ ("extras" | "dependency_groups")) => {
            Some((is_in, variable, last + 1))
        }
        _ => None,
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_' || letter == '.';
    while let Some(first) = rest.chars().next() {
        let length = if matches!(first, '"' | '\'') {
            // A quote without an end is for the marker's own parser to tell.
            rest[1..].find(first).map_or(rest.len(), |end| end + 2)
        } else if is_word(first) {
            rest.find(|letter| !is_word(letter)).unwrap_or(rest.len())
        } else if first.is_whitespace() {
            rest.find(|letter: char| !letter.is_whitespace()).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (piece, after) = rest.split_at(length);
        tokens.push(match first {
            '"' | '\'' => Token::Quoted(piece),
            _ if is_word(first) => Token::Word(piece),
            _ => Token::Other(piece),
        });
        rest = after;
    }
    tokens
}
