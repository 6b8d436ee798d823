//! How much is taken of what comes from outside, and how long it is waited for.
//!
//! What was not read for a limit is told as not checked, with the limit's name. Sizes in what is
//! read are claims of whoever made it; these are not.

use std::fmt;
use std::time::Duration;

use jiff::SignedDuration;

/// How long servers are waited for, and how often they are asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// `connect-timeout`: how long a connection may take to come about.
    pub connect: Duration,
    /// `read-timeout`: how long a server may be silent, before an answer or in the middle of it.
    pub silence: Duration,
    /// `retries`: repetitions of a request after the first attempt.
    pub attempts: u64,
    /// `retry-delay`: the pause before the first repetition; it doubles with each.
    pub delay: Duration,
    /// `retry-time`: after this long nothing is tried once more.
    pub retries: Duration,
    /// A body that is longer under way than this has to come at [`Self::slowest`] at least.
    pub slow: Duration,
    /// `min-speed`: bytes in a second.
    pub slowest: u64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            silence: Duration::from_secs(30),
            attempts: 4,
            delay: Duration::from_millis(250),
            retries: Duration::from_mins(1),
            slow: Duration::from_mins(1),
            slowest: 2048,
        }
    }
}

/// How far the user's own files may lead to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nesting {
    /// `included-files`: files that a requirements file includes, directly and through others.
    pub files: u64,
    /// `included-depth`: files that include each other, one in the other.
    pub depth: u64,
    /// `project-depth`: projects on this machine that ask for each other.
    pub projects: u64,
}

impl Default for Nesting {
    fn default() -> Self {
        Self { files: 256, depth: 16, projects: 32 }
    }
}

/// Every limit that can be set, under the keys that [`Limits::KEYS`] lists. Sizes are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest project page, before and after decoding. The largest known ones are below 40 MB.
    pub page_size: u64,
    /// The files that a project page may list.
    pub page_files: u64,
    /// The projects that are asked for in one run.
    pub projects: u64,
    /// The longest metadata of a distribution: the descriptions of projects are in it too.
    pub metadata_size: u64,
    /// The largest wheel.
    pub wheel_size: u64,
    /// The longest directory of a zip.
    pub directory_size: u64,
    /// The members of an archive.
    pub members: u64,
    /// The largest member of a zip, expanded.
    pub member_size: u64,
    /// How many times its size in the zip a member of 16 MiB or more may expand to. Deflate comes to
    /// 1032 at most: more is not true.
    pub ratio: u64,
    /// All members that are expanded of one zip, each time they are.
    pub expanded_size: u64,
    /// How much of all wheels that are worked on is held at a time, as it lies in the zips: others
    /// wait. One that is larger is worked on alone.
    pub held_size: u64,
    /// The Python files of one wheel, as they lie in the zip.
    pub python_size: u64,
    /// How much of a source distribution is read in search of its metadata.
    pub sdist_size: u64,
    /// The largest source distribution whose sources are looked into.
    pub source_size: u64,
    /// How much a source distribution may expand to.
    pub sdist_expanded: u64,
    /// How long one package may take.
    pub package_time: Duration,
    /// How long all of a scan may take.
    pub total_time: Duration,
    /// How far the user's own files may lead.
    pub nesting: Nesting,
    /// How long servers are waited for.
    pub patience: Patience,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_size: 256 << 20,
            page_files: 200_000,
            projects: 10_000,
            metadata_size: 16 << 20,
            wheel_size: 4 << 30,
            directory_size: 32 << 20,
            members: 1 << 18,
            member_size: 2 << 30,
            ratio: 1032,
            expanded_size: 16 << 30,
            held_size: 64 << 20,
            python_size: 256 << 20,
            sdist_size: 128 << 20,
            source_size: 64 << 20,
            sdist_expanded: 1 << 30,
            package_time: Duration::from_mins(15),
            total_time: Duration::from_hours(1),
            nesting: Nesting::default(),
            patience: Patience::default(),
        }
    }
}

/// A value and how it is written.
enum Field<'l> {
    Size(&'l mut u64),
    Count(&'l mut u64),
    Time(&'l mut Duration),
}

/// What is wrong with a limit that was set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LimitError {
    /// There is none of that name.
    #[error("expected the name of a limit, found `{0}`")]
    Unknown(String),
    /// Its value is of another kind.
    #[error("expected {expected} for `{key}`, found `{found}`")]
    Malformed {
        /// Which.
        key: String,
        /// What its values are.
        expected: &'static str,
        /// What was found.
        found: String,
    },
}

impl Limits {
    /// The names of all of them.
    pub const KEYS: [&'static str; 26] = [
        "page-size",
        "page-files",
        "projects",
        "metadata-size",
        "wheel-size",
        "directory-size",
        "members",
        "member-size",
        "ratio",
        "expanded-size",
        "held-size",
        "python-size",
        "sdist-size",
        "source-size",
        "sdist-expanded",
        "included-files",
        "included-depth",
        "project-depth",
        "package-time",
        "total-time",
        "connect-timeout",
        "read-timeout",
        "min-speed",
        "retries",
        "retry-delay",
        "retry-time",
    ];

    fn field(&mut self, key: &str) -> Option<Field<'_>> {
        Some(match key {
            "page-size" => Field::Size(&mut self.page_size),
            "page-files" => Field::Count(&mut self.page_files),
            "projects" => Field::Count(&mut self.projects),
            "metadata-size" => Field::Size(&mut self.metadata_size),
            "wheel-size" => Field::Size(&mut self.wheel_size),
            "directory-size" => Field::Size(&mut self.directory_size),
            "members" => Field::Count(&mut self.members),
            "member-size" => Field::Size(&mut self.member_size),
            "ratio" => Field::Count(&mut self.ratio),
            "expanded-size" => Field::Size(&mut self.expanded_size),
            "held-size" => Field::Size(&mut self.held_size),
            "python-size" => Field::Size(&mut self.python_size),
            "sdist-size" => Field::Size(&mut self.sdist_size),
            "source-size" => Field::Size(&mut self.source_size),
            "sdist-expanded" => Field::Size(&mut self.sdist_expanded),
            "included-files" => Field::Count(&mut self.nesting.files),
            "included-depth" => Field::Count(&mut self.nesting.depth),
            "project-depth" => Field::Count(&mut self.nesting.projects),
            "package-time" => Field::Time(&mut self.package_time),
            "total-time" => Field::Time(&mut self.total_time),
            "connect-timeout" => Field::Time(&mut self.patience.connect),
            "read-timeout" => Field::Time(&mut self.patience.silence),
            "min-speed" => Field::Size(&mut self.patience.slowest),
            "retries" => Field::Count(&mut self.patience.attempts),
            "retry-delay" => Field::Time(&mut self.patience.delay),
            "retry-time" => Field::Time(&mut self.patience.retries),
            _ => return None,
        })
    }

    /// Sets one, written as in the configuration: a number, a size such as `64 MiB`, or a time such
    /// as `30 s`.
    ///
    /// # Errors
    /// Where there is none of that name, or the value is of another kind.
    pub fn set(&mut self, key: &str, value: &str) -> Result<(), LimitError> {
        let malformed = |expected| LimitError::Malformed {
            key: key.to_owned(),
            expected,
            found: value.to_owned(),
        };
        match self.field(key).ok_or_else(|| LimitError::Unknown(key.to_owned()))? {
            Field::Size(place) => {
                *place = size(value)
                    .ok_or_else(|| malformed("a size in bytes, or one such as `64 MiB`"))?;
            }
            Field::Count(place) => {
                *place = value.parse().map_err(|_| malformed("a whole number"))?;
            }
            Field::Time(place) => {
                let time = value.parse().ok().and_then(|time: SignedDuration| time.try_into().ok());
                *place = time.ok_or_else(|| malformed("a time such as `30 s` or `15 min`"))?;
            }
        }
        Ok(())
    }
}

/// Bytes, or so many `KiB`, `MiB` or `GiB`.
fn size(text: &str) -> Option<u64> {
    let (number, shift) = [("KiB", 10), ("MiB", 20), ("GiB", 30)]
        .into_iter()
        .find_map(|(unit, shift)| Some((text.strip_suffix(unit)?.trim_end(), shift)))
        .unwrap_or((text, 0));
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

/// How a limit is named where it is passed: what it is called, and how more is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(pub &'static str);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "limit `{}`, which --limit or [limits] raises", self.0)
    }
}
