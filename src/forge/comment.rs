//! The one comment: by what it is known again, and what has to be done to it. Knows no forge.

use std::fmt;
use std::str::FromStr;

/// What keys are at most, in characters.
const LONGEST_KEY: usize = 64;
/// Folded parts that are closed where a text is cut.
const CLOSED: usize = 16;
const CLOSE: &str = "</details>\n";

/// Tells the comments of several scans of one repository apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl FromStr for Key {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        // Two hyphens may end a comment of HTML.
        let fits = (1..=LONGEST_KEY).contains(&text.len()) && !text.contains("--");
        if fits && text.bytes().all(plain) && !text.ends_with('-') {
            return Ok(Self(text.to_owned()));
        }
        Err(format!(
            "expected up to {LONGEST_KEY} letters, digits, `.`, `_` and single `-`, found `{text}`"
        ))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Key {
    /// What a comment begins with; readers of the page do not see it.
    #[must_use]
    pub fn marker(&self) -> String {
        format!("<!-- ftcheck:{} -->", self.0)
    }

    /// Whether a comment is one of this key, whoever wrote it.
    #[must_use]
    pub fn marks(&self, body: &str) -> bool {
        body.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).starts_with(&self.marker())
    }

    /// The text as it is sent: behind the marker, and shortened where it would pass `limit` bytes.
    #[must_use]
    pub fn marked(&self, text: &str, limit: usize) -> String {
        let marker = self.marker();
        let rest = limit.saturating_sub(marker.len() + 1);
        format!("{marker}\n{}", shortened(text, rest))
    }
}

/// A comment as a forge has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    /// By what the forge knows it.
    pub id: u64,
    /// The user who wrote it; none where that user is gone.
    pub author: Option<String>,
    /// Its text.
    pub body: String,
}

/// What the comment is to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// The whole text, with the marker.
    pub body: &'a str,
    /// Whether it says no more than that there is nothing to say, for which no comment is begun.
    pub clean: bool,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// There is none yet.
    Create,
    /// It says something else.
    Update(u64),
    /// It says something else, and there is nothing to be said any more.
    MarkClean(u64),
    /// It says that already.
    Unchanged(u64),
    /// There is none, and nothing to be said.
    Nothing,
}

/// What has to be done, and what is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What has to be done.
    pub step: Step,
    /// Further comments of this author under the key: the first is kept up to date.
    pub further: Vec<u64>,
    /// Others who wrote comments with the marker.
    pub others: Vec<String>,
}

/// Decides what has to be done, where `comments` are all there are, in the order in which they were
/// written, and `author` is whom the token belongs to.
#[must_use]
pub fn plan(comments: &[Comment], key: &Key, author: &str, wanted: Wanted<'_>) -> Plan {
    let marked = comments.iter().filter(|comment| key.marks(&comment.body));
    let (own, others): (Vec<&Comment>, Vec<&Comment>) =
        marked.partition(|comment| comment.author.as_deref() == Some(author));
    let step = match own.first() {
        None if wanted.clean => Step::Nothing,
        None => Step::Create,
        Some(first) if is_same(&first.body, wanted.body) => Step::Unchanged(first.id),
        Some(first) if wanted.clean => Step::MarkClean(first.id),
        Some(first) => Step::Update(first.id),
    };
    let name = |comment: &&Comment| comment.author.clone().unwrap_or_else(|| "nobody".to_owned());
    let mut others: Vec<String> = others.iter().map(name).collect();
    others.sort_unstable();
    others.dedup();
    Plan { step, further: own.iter().skip(1).map(|comment| comment.id).collect(), others }
}

/// Whether two texts are one but for what forges do to ends of lines and of texts.
fn is_same(one: &str, other: &str) -> bool {
    let lines = |text: &str| text.trim().replace("\r\n", "\n");
    lines(one) == lines(other)
}

/// A text of at most `limit` bytes: the beginning of a longer one, up to the end of a line, with
/// what was open there closed and a note that it was cut.
fn shortened(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let note = "\n**Cut here: the forge takes no longer comment.**\n";
    // What closes a block of code is no longer than the line that opens it.
    let room = limit.saturating_sub(note.len() + CLOSED * CLOSE.len());
    let mut kept = up_to(text, room);
    // One line that fills most of the room is cut within.
    if let Some(end) = kept.rfind('\n').filter(|end| *end >= room / 2) {
        kept = &kept[..=end];
    }
    let mut open = opened(kept);
    while let Some(fence) = open.fence
        && kept.len() + fence.len() + 2 > room
    {
        let end = kept.trim_end_matches('\n').rfind('\n').map_or(0, |end| end + 1);
        kept = &kept[..end];
        open = opened(kept);
    }
    let mut whole = kept.to_owned();
    if let Some(fence) = open.fence {
        whole.push('\n');
        whole.push_str(fence);
        whole.push('\n');
    }
    if open.folded > 0 {
        whole.push('\n');
        whole.push_str(&CLOSE.repeat(open.folded.min(CLOSED - 1)));
    }
    whole.push_str(note);
    // A limit below what the note takes.
    up_to(&whole, limit).to_owned()
}

fn up_to(text: &str, limit: usize) -> &str {
    let mut end = limit.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What a text leaves open.
struct Opened<'a> {
    /// What the block of code began with.
    fence: Option<&'a str>,
    /// Folded parts.
    folded: usize,
}

fn opened(text: &str) -> Opened<'_> {
    let mut open = Opened { fence: None, folded: 0 };
    for line in text.lines().map(str::trim) {
        let length = line.len() - line.trim_start_matches(['`', '~']).len();
        let fence = &line[..length];
        match open.fence {
            Some(begun) if fence == line && fence.starts_with(begun) => open.fence = None,
            Some(_) => {}
            None if length >= 3 && (fence.starts_with("```") || fence.starts_with("~~~")) => {
                open.fence = Some(fence);
            }
            None => {
                open.folded += line.matches("<details").count();
                open.folded = open.folded.saturating_sub(line.matches("</details").count());
            }
        }
    }
    open
}
