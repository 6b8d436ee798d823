//! The words of a source file: what is left of it once comments are gone and texts are told apart.
//!
//! One scanner for every language that a build is written in, since all that is asked of them is
//! which word stands where. It knows no grammar, never fails, and takes time in proportion to the
//! text. What a preprocessor would do is told in [`super::preprocessor`].

/// How comments and texts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// C and C++ (C11 6.4, C++20 `[lex]`).
    C,
    /// Rust, with nested comments and raw strings.
    Rust,
    /// Python.
    Python,
    /// Meson's own language: like Python, without prefixes.
    Meson,
    /// `CMake`, with bracket comments and arguments.
    CMake,
}

/// What kind of word one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An identifier, keyword or number. In `CMake` any argument that is not quoted.
    Word,
    /// The content of a string, as it is written.
    Text,
    /// One character that is neither.
    Mark,
    /// The end of a line that ends a statement: outside of comments and strings. Only told for
    /// [`Language::C`], where it ends a directive.
    Line,
}

/// One word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    /// What it is.
    pub kind: Kind,
    /// How it is written, without quotes.
    pub text: &'t str,
    /// The line it begins on, from 1.
    pub line: u32,
}

impl Token<'_> {
    /// Whether it is this identifier.
    #[must_use]
    pub fn is_word(&self, text: &str) -> bool {
        self.kind == Kind::Word && self.text == text
    }

    /// Whether it is this character.
    #[must_use]
    pub fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark && self.text.chars().eq([mark])
    }
}

/// The words of `text`, in their order.
#[must_use]
pub fn tokens(text: &str, language: Language) -> Vec<Token<'_>> {
    let mut scanner = Scanner { text, language, at: 0, line: 1, tokens: Vec::new() };
    scanner.run();
    scanner.tokens
}

/// What stands between the bracket that follows the word at `at` and the one that closes it, which
/// has to come within `limit` words. `None` where no bracket follows, or none closes it.
#[must_use]
pub fn bracketed<'c, 't>(
    tokens: &'c [Token<'t>],
    at: usize,
    open: char,
    close: char,
    limit: usize,
) -> Option<&'c [Token<'t>]> {
    let rest = tokens.get(at + 1..)?;
    if !rest.first()?.is_mark(open) {
        return None;
    }
    let mut depth = 0usize;
    for (end, token) in rest.iter().enumerate().take(limit) {
        if token.is_mark(open) {
            depth += 1;
        } else if token.is_mark(close) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return rest.get(1..end);
            }
        }
    }
    None
}

struct Scanner<'t> {
    text: &'t str,
    language: Language,
    at: usize,
    line: u32,
    tokens: Vec<Token<'t>>,
}

impl<'t> Scanner<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes on by `length` bytes, which have to end between characters.
    fn skip(&mut self, length: usize) {
        let passed = self.rest().get(..length).unwrap_or_default();
        let lines = passed.bytes().filter(|byte| *byte == b'\n').count();
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.at = self.at.saturating_add(length).min(self.text.len());
    }

    fn push(&mut self, kind: Kind, text: &'t str) {
        self.tokens.push(Token { kind, text, line: self.line });
    }

    fn run(&mut self) {
        while let Some(first) = self.rest().chars().next() {
            let rest = self.rest();
            if first == '\n' {
                if self.language == Language::C {
                    self.push(Kind::Line, rest.get(..1).unwrap_or_default());
                }
                self.skip(1);
            } else if first == '\\' {
                // A line that goes on in the next one.
                let end = rest
                    .strip_prefix("\\\r\n")
                    .map_or_else(|| rest.strip_prefix("\\\n").map_or(0, |_| 2), |_| 3);
                if end > 0 { self.skip(end) } else { self.mark(first) }
            } else if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if let Some(length) = self.comment() {
                self.skip(length);
            } else if !self.string() {
                self.word(first);
            }
        }
    }

    fn mark(&mut self, mark: char) {
        self.push(Kind::Mark, self.rest().get(..mark.len_utf8()).unwrap_or_default());
        self.skip(mark.len_utf8());
    }

    fn word(&mut self, first: char) {
        let rest = self.rest();
        let is_part = |letter: char| match self.language {
            Language::CMake => !letter.is_whitespace() && !"()\"#".contains(letter),
            _ => letter == '_' || letter.is_alphanumeric(),
        };
        if !is_part(first) {
            self.mark(first);
            return;
        }
        let is_number = first.is_ascii_digit();
        let mut end = rest.len();
        let mut previous = ' ';
        for (at, letter) in rest.char_indices() {
            // `1'000'000`: the marks are part of the number, and begin no character.
            let separator = is_number
                && self.language == Language::C
                && letter == '\''
                && rest
                    .get(at + 1..)
                    .is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_hexdigit()))
                && previous.is_ascii_hexdigit();
            if !is_part(letter) && !separator {
                end = at;
                break;
            }
            previous = letter;
        }
        self.push(Kind::Word, rest.get(..end).unwrap_or_default());
        self.skip(end);
    }

    /// The length of the comment that begins here.
    fn comment(&self) -> Option<usize> {
        let rest = self.rest();
        let line_end = || rest.find('\n').unwrap_or(rest.len());
        match self.language {
            Language::C if rest.starts_with("//") => Some(continued_line(rest)),
            Language::C => {
                let body = rest.strip_prefix("/*")?;
                Some(body.find("*/").map_or(rest.len(), |end| end + 4))
            }
            Language::Rust if rest.starts_with("//") => Some(line_end()),
            Language::Rust => rest.starts_with("/*").then(|| nested(rest)),
            Language::Python | Language::Meson => rest.starts_with('#').then(line_end),
            Language::CMake => {
                let body = rest.strip_prefix('#')?;
                Some(bracket(body).map_or_else(line_end, |(_, _, whole)| whole + 1))
            }
        }
    }

    /// Takes the string that begins here, if one does.
    fn string(&mut self) -> bool {
        let rest = self.rest();
        let Some((start, end, whole)) = (match self.language {
            Language::C => c_string(rest),
            Language::Rust => rust_string(rest),
            Language::Python => python_string(rest, true),
            Language::Meson => python_string(rest, false),
            Language::CMake => bracket(rest).or_else(|| quoted(rest, 0, "\"", true)),
        }) else {
            return false;
        };
        self.push(Kind::Text, rest.get(start..end).unwrap_or_default());
        self.skip(whole);
        true
    }
}

/// Where the content of a string starts and ends, and the length of it all.
type Found = Option<(usize, usize, usize)>;

/// A `//` comment of C goes on where its line ends with a backslash.
fn continued_line(rest: &str) -> usize {
    let mut from = 0;
    loop {
        let Some(end) = rest.get(from..).and_then(|rest| rest.find('\n')) else {
            return rest.len();
        };
        let end = from + end;
        let line = rest.get(..end).unwrap_or_default();
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.ends_with('\\') {
            return end;
        }
        from = end + 1;
    }
}

/// The length of a comment of Rust, in which others may stand.
fn nested(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0usize, 0);
    while let Some(pair) = bytes.get(at..at + 2) {
        match pair {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// A string between two `quote`s, the first of which stands at `open`. One that never ends goes to
/// the end of its line, or of the text where it may have several.
fn quoted(rest: &str, open: usize, quote: &str, lines: bool) -> Found {
    let start = open + quote.len();
    if rest.get(open..start)? != quote {
        return None;
    }
    let bytes = rest.as_bytes();
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        match byte {
            // Quotes and backslashes are of one byte, so that no character is cut in two.
            b'\\' => at += 2,
            b'\n' if !lines => return Some((start, at, at)),
            _ if bytes.get(at..).is_some_and(|rest| rest.starts_with(quote.as_bytes())) => {
                return Some((start, at, at + quote.len()));
            }
            _ => at += 1,
        }
    }
    Some((start, rest.len(), rest.len()))
}

/// How many letters of a prefix stand before the quote at its end.
fn prefix(rest: &str, letters: &str, most: usize) -> usize {
    let count = rest.bytes().take_while(|byte| letters.as_bytes().contains(byte)).count();
    if count > most { 0 } else { count }
}

fn c_string(rest: &str) -> Found {
    let before = prefix(rest, "uUL8R", 3);
    let after = rest.get(before..)?;
    if after.starts_with('"') && rest.get(..before)?.ends_with('R') {
        // R"delimiter(content)delimiter", the delimiter being of at most 16 characters.
        let open = after.bytes().take(18).position(|byte| byte == b'(')?;
        let end = format!("){}\"", after.get(1..open)?);
        let start = before + open + 1;
        let length = rest.get(start..)?.find(&end);
        return Some(match length {
            Some(length) => (start, start + length, start + length + end.len()),
            None => (start, rest.len(), rest.len()),
        });
    }
    quoted(rest, before, "\"", false).or_else(|| quoted(rest, before, "'", false))
}

fn rust_string(rest: &str) -> Found {
    let before = prefix(rest, "bcr", 2);
    let after = rest.get(before..)?;
    let is_raw = rest.get(..before)?.ends_with('r');
    let hashes = after.bytes().take_while(|byte| is_raw && *byte == b'#').count();
    if is_raw && after.get(hashes..)?.starts_with('"') {
        let start = before + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let length = rest.get(start..)?.find(&end);
        return Some(match length {
            Some(length) => (start, start + length, start + length + end.len()),
            None => (start, rest.len(), rest.len()),
        });
    }
    if after.starts_with('\'') {
        // A lifetime has no second quote behind one character.
        let mut letters = after.chars().skip(1);
        let is_character = match letters.next() {
            Some('\\') => true,
            Some(_) => letters.next() == Some('\''),
            None => false,
        };
        return is_character.then(|| quoted(rest, before, "'", false)).flatten();
    }
    quoted(rest, before, "\"", true)
}

fn python_string(rest: &str, prefixes: bool) -> Found {
    let before = if prefixes { prefix(rest, "rRbBuUfFtT", 2) } else { 0 };
    if prefixes {
        let tripled = quoted(rest, before, "\"\"\"", true);
        if tripled.is_some() {
            return tripled;
        }
    }
    quoted(rest, before, "'''", true)
        .or_else(|| quoted(rest, before, "'", false))
        .or_else(|| if prefixes { quoted(rest, before, "\"", false) } else { None })
}

/// `[[ … ]]` and `[=[ … ]=]` of `CMake`.
fn bracket(rest: &str) -> Found {
    let body = rest.strip_prefix('[')?;
    let level = body.bytes().take_while(|byte| *byte == b'=').count();
    if !body.get(level..)?.starts_with('[') {
        return None;
    }
    let start = level + 2;
    let end = format!("]{}]", "=".repeat(level));
    let length = rest.get(start..)?.find(&end);
    Some(match length {
        Some(length) => (start, start + length, start + length + end.len()),
        None => (start, rest.len(), rest.len()),
    })
}
