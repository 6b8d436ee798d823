//! The outcome of a scan: one verdict per package, and their sum.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;
use crate::model::evidence::ModuleReport;
use crate::model::finding::{Finding, Ignored};
use crate::model::imports::{ImportReport, Reach, SourceImport};
use crate::model::location::Location;
use crate::model::platform::Platform;
use crate::model::release::{ReleaseFiles, SourceReport};
use crate::model::target::Target;
use crate::model::tracker::TrackerEntry;
use crate::model::wheel_filename::WheelFilename;

/// What a package does to the GIL, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Some extension module of it does not declare that it runs without the GIL.
    EnablesGil,
    /// Nothing can be installed without building it from source. Of a conda package: the build that
    /// is named is not for the interpreter.
    NoWheel,
    /// It could not be fetched or read.
    Unchecked,
    /// It was read, and for some module the answer could not be told.
    Undetermined,
    /// Every extension module declares that it runs without the GIL.
    KeepsGilOff,
    /// A wheel for one platform that holds no extension module, such as a packaged program, or a
    /// conda package that does not depend on Python.
    NoExtensionModules,
    /// A wheel for any platform; told by its tag. Or a conda package for any platform.
    PurePython,
}

impl Verdict {
    /// Every verdict, worst first.
    pub const ALL: [Self; 7] = [
        Self::EnablesGil,
        Self::NoWheel,
        Self::Unchecked,
        Self::Undetermined,
        Self::KeepsGilOff,
        Self::NoExtensionModules,
        Self::PurePython,
    ];

    /// The name it has in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EnablesGil => "enables-gil",
            Self::NoWheel => "no-wheel",
            Self::Unchecked => "unchecked",
            Self::Undetermined => "undetermined",
            Self::KeepsGilOff => "keeps-gil-off",
            Self::NoExtensionModules => "no-extension-modules",
            Self::PurePython => "pure-python",
        }
    }

    /// What the verdict means for the run as a whole.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self {
            Self::EnablesGil | Self::NoWheel => Severity::Finding,
            Self::Unchecked | Self::Undetermined => Severity::NotKnown,
            Self::KeepsGilOff | Self::NoExtensionModules | Self::PurePython => Severity::Fine,
        }
    }
}

/// One interpreter on one platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The interpreter.
    pub target: Target,
    /// Where it would run.
    pub platform: Platform,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.target, self.platform)
    }
}

/// The three ends a package, and a scan, can come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Something to act on.
    Finding,
    /// Something that was not or could not be told.
    NotKnown,
    /// Looked at, and in order.
    Fine,
}

/// The wheel that was chosen for a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelReport {
    /// Its file name.
    pub filename: String,
    /// The digest that the index or lockfile states for it.
    pub sha256: Option<Sha256>,
    /// Whether the digest was computed from the bytes: only where the whole file was read.
    pub sha256_verified: bool,
    /// Its size in bytes, where known.
    pub size: Option<u64>,
}

impl WheelReport {
    /// A wheel of which nothing was read yet.
    #[must_use]
    pub fn unread(file: &DistributionFile, wheel: &WheelFilename) -> Self {
        Self {
            filename: wheel.to_string(),
            sha256: file.sha256,
            sha256_verified: false,
            size: file.size,
        }
    }
}

/// The build of a conda package, which is not opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CondaReport {
    /// The build string, where the file names one.
    pub build: Option<String>,
    /// The folder of the channel, where it is told: a platform by conda's name, or `noarch`.
    pub subdir: Option<String>,
}

/// One package of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageReport {
    /// The normalized name.
    pub name: String,
    /// The release; `None` where none could be decided on.
    pub version: Option<String>,
    /// The interpreter it would be installed for.
    pub target: Target,
    /// Where it would be installed.
    pub platform: Platform,
    /// What it does to the GIL.
    pub verdict: Verdict,
    /// The wheel it was judged by.
    pub wheel: Option<WheelReport>,
    /// What it is where it is a conda package. Packages from an index have no such member.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub conda: Option<CondaReport>,
    /// Why the verdict is what it is, where the modules do not say.
    pub reason: Option<String>,
    /// Where the user's files name it, or what leads to it.
    pub required_by: Option<Location>,
    /// The shortest chain from a package that the user's files name to this one, both included.
    /// Empty where nothing is known to lead to it.
    pub via: Vec<Step>,
    /// The packages that it requires here, sorted by name.
    pub requires: Vec<String>,
    /// Its extension modules, sorted by name.
    pub modules: Vec<ModuleReport>,
    /// What importing each of its top-level names does, sorted by name.
    pub imports: Vec<ImportReport>,
    /// What leads to its modules that enable the GIL, or of which it is not known.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub reached: Vec<Reach>,
    /// The free-threading classifiers of its metadata.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub classifiers: Vec<String>,
    /// What the release offers beside the wheel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub release: Option<ReleaseFiles>,
    /// What its source says, where there is no wheel.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source: Option<SourceReport>,
    /// What the tracker says of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tracker: Option<TrackerEntry>,
}

/// One package on the way to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The normalized name.
    pub name: String,
    /// The release, where one was decided on.
    pub version: Option<String>,
    /// Where the user's files name it, where they do.
    pub location: Option<Location>,
}

impl PackageReport {
    /// A package that nothing is known of yet. It stays unchecked unless something is found out.
    #[must_use]
    pub fn unchecked(name: String, place: Place, required_by: Location) -> Self {
        Self {
            name,
            version: None,
            target: place.target,
            platform: place.platform,
            verdict: Verdict::Unchecked,
            wheel: None,
            conda: None,
            reason: None,
            required_by: Some(required_by),
            via: Vec::new(),
            requires: Vec::new(),
            modules: Vec::new(),
            imports: Vec::new(),
            reached: Vec::new(),
            classifiers: Vec::new(),
            release: None,
            source: None,
            tracker: None,
        }
    }

    /// The interpreter and platform it would be installed for.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { target: self.target, platform: self.platform }
    }

    /// There is no wheel that the interpreter accepts; the reason says what there is instead.
    pub fn has_no_wheel(&mut self, reason: String) {
        self.verdict = Verdict::NoWheel;
        self.reason = Some(reason);
    }
}

/// A requirement that does not apply to the target and platform.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// The normalized name.
    pub name: String,
    /// The release, where one is named.
    pub version: Option<String>,
    /// Why it was left out.
    pub reason: String,
    /// Where it stands.
    pub required_by: Option<Location>,
}

/// How many packages came to what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Packages in the report.
    pub packages: usize,
    /// Those with an answer: neither unchecked nor undetermined.
    pub checked: usize,
    /// By verdict; every verdict is listed.
    pub verdicts: BTreeMap<&'static str, usize>,
}

impl Default for Summary {
    fn default() -> Self {
        Self::of([])
    }
}

impl Summary {
    /// Counts `packages`.
    pub fn of<'p>(packages: impl IntoIterator<Item = &'p PackageReport>) -> Self {
        let verdicts = Verdict::ALL.iter().map(|verdict| (verdict.as_str(), 0)).collect();
        let mut summary = Self { packages: 0, checked: 0, verdicts };
        for package in packages {
            summary.packages += 1;
            summary.checked += usize::from(package.verdict.severity() != Severity::NotKnown);
            *summary.verdicts.entry(package.verdict.as_str()).or_default() += 1;
        }
        summary
    }
}

/// The outcome of a scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanReport {
    /// The version of this form; 1.
    pub version: u32,
    /// The interpreter the scan was made for; of several the first.
    pub target: Target,
    /// The platform the scan was made for; of several the first.
    pub platform: Platform,
    /// Every interpreter the scan was made for.
    pub targets: Vec<Target>,
    /// Every platform the scan was made for.
    pub platforms: Vec<Platform>,
    /// Totals over all targets and platforms.
    #[serde(skip_deserializing)]
    pub summary: Summary,
    /// What the reader has to know to read the rest rightly.
    pub notes: Vec<String>,
    /// What the scan could not cover: with any of these its end is not a success.
    pub gaps: Vec<String>,
    /// What the rules found, heaviest first.
    pub findings: Vec<Finding>,
    /// What they found too, and the user decided on: it is told, and does not count.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub ignored: Vec<Ignored>,
    /// Lines of the user's own code whose imports turn the GIL on, where it was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub sources: Vec<SourceImport>,
    /// The packages, sorted by name and version, then in the order of the places.
    pub packages: Vec<PackageReport>,
    /// Requirements that do not apply here.
    pub skipped: Vec<Skipped>,
}

impl ScanReport {
    /// A report without packages, to be filled by [`Self::add`] and closed by [`Self::finish`].
    /// `first` stands for all places where only one can be named.
    #[must_use]
    pub fn new(first: Place, places: &[Place]) -> Self {
        let mut targets = vec![first.target];
        let mut platforms = vec![first.platform];
        for place in places {
            if !targets.contains(&place.target) {
                targets.push(place.target);
            }
            if !platforms.contains(&place.platform) {
                platforms.push(place.platform);
            }
        }
        Self {
            version: 1,
            target: first.target,
            platform: first.platform,
            targets,
            platforms,
            summary: Summary::of([]),
            notes: Vec::new(),
            gaps: Vec::new(),
            findings: Vec::new(),
            ignored: Vec::new(),
            sources: Vec::new(),
            packages: Vec::new(),
            skipped: Vec::new(),
        }
    }

    /// Every place the scan was made for: each target on each platform.
    pub fn places(&self) -> impl Iterator<Item = Place> + '_ {
        self.targets.iter().flat_map(|target| {
            let of_target = |platform: &Platform| Place { target: *target, platform: *platform };
            self.platforms.iter().map(of_target)
        })
    }

    /// What tells one place of this report from its others, shortly.
    #[must_use]
    pub fn label(&self, place: Place) -> String {
        match (self.targets.len() > 1, self.platforms.len() > 1) {
            (true, true) => format!("{} {}", place.target, place.platform),
            (true, false) => place.target.to_string(),
            (false, _) => place.platform.to_string(),
        }
    }

    /// Adds what was found at one place. Where there are several, what holds for one alone says so.
    pub fn add(
        &mut self,
        place: Place,
        packages: Vec<PackageReport>,
        skipped: Vec<Skipped>,
        notes: Vec<String>,
        gaps: Vec<String>,
    ) {
        let several = self.places().count() > 1;
        let label = self.label(place);
        let placed = |text: String| {
            if several { format!("{label}: {text}") } else { text }
        };
        self.packages.extend(packages);
        self.gaps.extend(gaps.into_iter().map(&placed));
        for mut skipped in skipped {
            skipped.reason = placed(skipped.reason);
            self.skipped.push(skipped);
        }
        // Notes are of the files, and the same everywhere.
        for note in notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
    }

    /// Sorts and counts.
    pub fn finish(&mut self) {
        // Stable: the places stay in their order.
        self.packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        self.skipped.sort_by(|a, b| {
            (&a.name, &a.version, &a.required_by).cmp(&(&b.name, &b.version, &b.required_by))
        });
        self.summary = Summary::of(&self.packages);
    }
}
