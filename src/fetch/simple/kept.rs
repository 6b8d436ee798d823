//! What an index says of a project, by release, in the form in which it is kept: opened rather than
//! parsed.
//!
//! A popular project has thousands of files, of which a resolver looks at those of one or two releases.
//! Only these are made into [`DistributionFile`]s, when they are asked for; what lies in between is
//! [postcard](https://postcard.jamesmunns.com/wire-format)'s form of a `Head`, and behind it, one after
//! the other, that of the `File`s of each release.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use pep440_rs::Version;
use pep508_rs::PackageName;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Link, Validators, read, requires_python};
use crate::model::digest::Sha256;
use crate::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use crate::model::index::ProjectStatus;
use crate::model::project_files::{Listing, ProjectFiles};

/// What an index says of a project.
#[derive(Debug)]
pub struct ProjectPage {
    /// The project as a whole.
    pub status: ProjectStatus,
    validators: Validators,
    /// How many files stand on the page, of whatever kind.
    links: u64,
    /// Releases of which an installer would take some file, oldest first.
    versions: Vec<Version>,
    files: Arc<Files>,
}

/// The files of a page.
#[derive(Debug)]
struct Files {
    name: PackageName,
    /// What the addresses of all begin with.
    prefix: String,
    /// Where those of each release lie.
    releases: Vec<Range<usize>>,
    bytes: Bytes,
}

#[derive(Serialize, Deserialize)]
struct Head<'a> {
    validators: Validators,
    status: ProjectStatus,
    links: u64,
    prefix: &'a str,
    /// Each with how many bytes its files take.
    #[serde(borrow)]
    releases: Vec<(&'a str, usize)>,
}

#[derive(Serialize, Deserialize)]
struct File<'a> {
    filename: &'a str,
    /// Behind the prefix; without the name of the file, where it ends with that.
    address: &'a str,
    ends_with_filename: bool,
    sha256: Option<Sha256>,
    size: Option<u64>,
    requires_python: Option<&'a str>,
    yanked: bool,
    metadata: MetadataFile,
}

impl ProjectPage {
    /// What a page says of the project `name`: the body of an answer of that content type from `url`.
    ///
    /// # Errors
    /// Where it is no page of a simple index (PEP 503, PEP 691).
    pub fn parse(
        body: &str,
        content_type: &str,
        url: &Url,
        name: &PackageName,
    ) -> Result<Self, String> {
        let (links, status) = read(body, content_type, url)?;
        Self::new(&links, status, Validators::default(), name)
            .ok_or_else(|| "an internal error of ftcheck".to_owned())
    }

    /// What these links come to; `None` only by a defect of ours.
    pub(super) fn new(
        links: &[Link],
        status: ProjectStatus,
        validators: Validators,
        name: &PackageName,
    ) -> Option<Self> {
        let mut releases: BTreeMap<Version, Vec<&Link>> = BTreeMap::new();
        for link in links {
            // Of the project, and of a kind that an installer would take.
            if let Some(kind) = DistributionKind::parse(&link.filename, name) {
                releases.entry(kind.version().clone()).or_default().push(link);
            }
        }
        let prefix = common_prefix(releases.values().flatten().map(|link| link.url.as_str()));
        let versions: Vec<String> = releases.keys().map(Version::to_string).collect();
        let mut head = Head {
            validators,
            status,
            links: links.len() as u64,
            prefix,
            releases: Vec::with_capacity(versions.len()),
        };
        let mut files = Vec::new();
        for (version, links) in versions.iter().zip(releases.values()) {
            let of_release: Vec<File<'_>> =
                links.iter().map(|link| File::of(link, prefix)).collect();
            let before = files.len();
            files = postcard::to_extend(&of_release, files).ok()?;
            head.releases.push((version, files.len() - before));
        }
        let mut bytes = postcard::to_stdvec(&head).ok()?;
        bytes.append(&mut files);
        Self::open(bytes.into(), name)
    }

    /// Opens what was kept of the page of `name`; `None` where it is not of this form. All of it is looked
    /// through, so that nothing is missing later on.
    pub(super) fn open(bytes: Bytes, name: &PackageName) -> Option<Self> {
        let (head, rest) = postcard::take_from_bytes::<Head<'_>>(&bytes).ok()?;
        let mut at = bytes.len() - rest.len();
        let mut versions = Vec::with_capacity(head.releases.len());
        let mut releases = Vec::with_capacity(head.releases.len());
        for (version, length) in head.releases {
            let place = at..at.checked_add(length)?;
            at = place.end;
            let (_, rest) =
                postcard::take_from_bytes::<Vec<File<'_>>>(bytes.get(place.clone())?).ok()?;
            if !rest.is_empty() {
                return None;
            }
            versions.push(version.parse().ok()?);
            releases.push(place);
        }
        let (status, validators, links) = (head.status, head.validators, head.links);
        let prefix = head.prefix.to_owned();
        let files = Arc::new(Files { name: name.clone(), prefix, releases, bytes });
        Some(Self { status, validators, links, versions, files })
    }

    /// What [`Self::open`] opens.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.files.bytes
    }

    pub(super) fn validators(&self) -> &Validators {
        &self.validators
    }

    pub(super) fn links(&self) -> u64 {
        self.links
    }

    /// The files of the page, as far as an installer would take them.
    #[must_use]
    pub fn files(&self) -> ProjectFiles {
        let page: Arc<dyn Listing> = Arc::<Files>::clone(&self.files);
        ProjectFiles::listed(&page, self.versions.iter().cloned())
    }
}

impl Listing for Files {
    fn files(&self, release: usize) -> Vec<DistributionFile> {
        let bytes = self.releases.get(release).and_then(|place| self.bytes.get(place.clone()));
        // They were read once already, when the page was opened.
        let files: Vec<File<'_>> =
            bytes.and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default();
        files.iter().filter_map(|file| file.made(&self.prefix, &self.name)).collect()
    }
}

impl<'a> File<'a> {
    fn of(link: &'a Link, prefix: &str) -> Self {
        let address = link.url.as_str();
        let address = address.strip_prefix(prefix).unwrap_or(address);
        let directory = address.strip_suffix(link.filename.as_str());
        Self {
            filename: &link.filename,
            address: directory.unwrap_or(address),
            ends_with_filename: directory.is_some(),
            sha256: link.sha256,
            size: link.size,
            requires_python: link.requires_python.as_deref(),
            yanked: link.yanked,
            metadata: link.metadata,
        }
    }

    fn made(&self, prefix: &str, name: &PackageName) -> Option<DistributionFile> {
        let filename = if self.ends_with_filename { self.filename } else { "" };
        Some(DistributionFile {
            kind: DistributionKind::parse(self.filename, name)?,
            url: Url::parse(&[prefix, self.address, filename].concat()).ok()?,
            sha256: self.sha256,
            size: self.size,
            requires_python: requires_python(self.requires_python),
            yanked: self.yanked,
            metadata: self.metadata,
        })
    }
}

/// The longest text that all of them begin with.
fn common_prefix<'a>(mut texts: impl Iterator<Item = &'a str>) -> &'a str {
    let Some(first) = texts.next() else { return "" };
    let shared = texts.fold(first.len(), |shared, text| {
        first.bytes().zip(text.bytes()).take(shared).take_while(|(one, other)| one == other).count()
    });
    // Addresses are ASCII; were one not, it would share less.
    first.get(..shared).unwrap_or("")
}
