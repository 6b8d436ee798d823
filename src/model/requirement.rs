//! A requirement as the user's files state it, and the part of the project it belongs to.
//!
//! What a release on an index requires is in [`crate::model::metadata`].

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use pep440_rs::VersionSpecifiers;
use pep508_rs::{ExtraName, MarkerTree, PackageName};
use url::Url;

use crate::model::digest::Sha256;
use crate::model::location::Location;

/// One requirement of the user's.
#[derive(Debug, Clone)]
pub struct Requirement {
    /// The normalized name.
    pub name: PackageName,
    /// The extras asked of it.
    pub extras: Vec<ExtraName>,
    /// What is wanted of it.
    pub wanted: Wanted,
    /// When it applies.
    pub marker: MarkerTree,
    /// The digests that the file has to have one of; none where any file will do.
    pub hashes: Vec<Sha256>,
    /// The one index it may come from, by name; any of them where there is none.
    pub index: Option<String>,
    /// The part of the project that asks for it.
    pub section: Section,
    /// Where it stands.
    pub location: Location,
}

/// Which release, or which file, is wanted.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// Any release that fits.
    Release(VersionSpecifiers),
    /// The file at a URL.
    Url(Url),
    /// A wheel or source distribution on this machine.
    File(PathBuf),
    /// Something that is not looked at; the text says what it is and why.
    Unchecked(String),
}

/// A part of a project that is installed where it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Section {
    /// What is always installed, unless only groups are asked for.
    #[default]
    Base,
    /// An extra (an optional dependency) of the project itself.
    Extra(ExtraName),
    /// A dependency group (PEP 735), or what other tools call so.
    Group(GroupName),
    /// Whatever is asked for: the file's own markers tell what belongs to which part.
    Any,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("the project itself"),
            Self::Extra(name) => write!(f, "extra `{name}`"),
            Self::Group(name) => write!(f, "group `{name}`"),
            Self::Any => f.write_str("any part of the project"),
        }
    }
}

/// The name of a dependency group, compared as names of projects are (PEP 735).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupName(String);

impl GroupName {
    /// A group of that name. Names that no project could have are kept as they are.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let text = text.trim();
        Self(PackageName::from_str(text).map_or_else(|_| text.to_owned(), |name| name.to_string()))
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The parts that a project has, whether something stands in them or not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sections {
    /// Its extras.
    pub extras: BTreeSet<ExtraName>,
    /// Its groups.
    pub groups: BTreeSet<GroupName>,
    /// The groups that its tool installs without being asked.
    pub default_groups: BTreeSet<GroupName>,
    /// Whether each group is an environment by itself, so that asking for one leaves out the default
    /// ones.
    pub separate: bool,
}

/// Which parts are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    /// These extras.
    pub extras: Vec<ExtraName>,
    /// Every extra.
    pub all_extras: bool,
    /// These groups, beside the default ones.
    pub groups: Vec<GroupName>,
    /// Every group.
    pub all_groups: bool,
    /// Not the groups that are installed without being asked for.
    pub no_default_groups: bool,
    /// These groups, and neither the project's own dependencies nor the default groups.
    pub only_groups: Vec<GroupName>,
}

impl Choice {
    /// Whether a part of a project with these `sections` is asked for.
    #[must_use]
    pub fn includes(&self, section: &Section, sections: &Sections) -> bool {
        match section {
            Section::Any => true,
            Section::Base => self.only_groups.is_empty(),
            Section::Extra(extra) => {
                self.only_groups.is_empty() && (self.all_extras || self.extras.contains(extra))
            }
            Section::Group(group) => {
                if self.only_groups.contains(group) || self.groups.contains(group) {
                    return true;
                }
                let instead = sections.separate
                    && self.groups.iter().any(|one| sections.groups.contains(one));
                let by_default =
                    !self.no_default_groups && !instead && sections.default_groups.contains(group);
                self.only_groups.is_empty() && (self.all_groups || by_default)
            }
        }
    }

    /// What is asked for and none of `known` has, as users name it: ``extra `docs` ``.
    #[must_use]
    pub fn unknown(&self, known: &[&Sections]) -> Vec<String> {
        let has_extra = |extra| known.iter().any(|all| all.extras.contains(extra));
        let has_group = |group| known.iter().any(|all| all.groups.contains(group));
        let extras = self.extras.iter().filter(|extra| !has_extra(*extra));
        let groups = self.groups.iter().chain(&self.only_groups).filter(|group| !has_group(*group));
        extras
            .map(|extra| format!("extra `{extra}`"))
            .chain(groups.map(|group| format!("group `{group}`")))
            .collect()
    }

    /// The parts of a project that are not asked for, as users name them.
    #[must_use]
    pub fn left_out(&self, sections: &Sections) -> Vec<String> {
        let extras = sections.extras.iter().map(|extra| Section::Extra(extra.clone()));
        let groups = sections.groups.iter().map(|group| Section::Group(group.clone()));
        extras
            .chain(groups)
            .filter(|section| !self.includes(section, sections))
            .map(|section| section.to_string())
            .collect()
    }
}

/// Whether pre-releases are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Prereleases {
    /// Always.
    Allow,
    /// Never.
    Disallow,
    /// Where a package has nothing else.
    IfNecessary,
    /// Where one of the user's own requirements names one.
    Explicit,
    /// Either of the last two, which is what pip and uv do unasked.
    #[default]
    IfNecessaryOrExplicit,
}
