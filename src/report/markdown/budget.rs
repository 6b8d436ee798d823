//! A text that may not grow beyond a limit. What does not fit is counted and said, and no element
//! that was opened stays open.

/// Bytes kept for saying what was left out.
const RESERVED: usize = 600;

/// The text so far.
pub(super) struct Budget {
    text: String,
    limit: usize,
    /// What was left out, in words.
    missing: Vec<String>,
}

impl Budget {
    pub(super) fn new(limit: Option<usize>) -> Self {
        Self { text: String::new(), limit: limit.unwrap_or(usize::MAX), missing: Vec::new() }
    }

    fn fits(&self, bytes: usize) -> bool {
        let taken = self.text.len().saturating_add(RESERVED);
        taken.saturating_add(bytes) <= self.limit
    }

    /// Adds a part that is only worth something as a whole.
    pub(super) fn part(&mut self, part: &str, what: &str) {
        if self.fits(part.len()) {
            self.text.push_str(part);
        } else {
            self.missing.push(what.to_owned());
        }
    }

    /// Adds as many lines as fit, between `head` and `tail`; nothing where there are none.
    pub(super) fn list(&mut self, head: &str, lines: &[String], tail: &str, what: &str) {
        if lines.is_empty() {
            return;
        }
        let around = head.len() + tail.len();
        let mut shown = 0;
        if lines.first().is_some_and(|line| self.fits(around + line.len())) {
            self.text.push_str(head);
            for line in lines {
                if !self.fits(line.len() + tail.len()) {
                    break;
                }
                self.text.push_str(line);
                shown += 1;
            }
            self.text.push_str(tail);
        }
        let left = lines.len() - shown;
        if left > 0 {
            self.missing.push(format!("{left} {what}"));
        }
    }

    /// The text, with what is missing said at its end.
    pub(super) fn finish(mut self) -> String {
        if self.missing.is_empty() {
            return self.text;
        }
        let notice = format!(
            "\n**Cut to fit the limit of {} bytes.** Left out: {}. Another format shows all of it.\n",
            self.limit,
            self.missing.join(", ")
        );
        let room = self.limit.saturating_sub(self.text.len());
        if notice.len() <= room {
            self.text.push_str(&notice);
        } else if self.text.is_empty() {
            // There is room for less than a sentence.
            self.text = "**Cut: the report does not fit.**\n".chars().take(self.limit).collect();
        }
        self.text
    }
}
