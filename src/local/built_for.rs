//! What files are built for, told by their names: the interpreters, the platforms, and which files
//! such an interpreter would import.
//!
//! Where nobody says what to look with, a wheel's tags say it (PEP 425), and outside of wheels the
//! suffixes of the modules (`EXT_SUFFIX` of CPython's `configure.ac`, PEP 803).

use std::collections::{BTreeMap, BTreeSet};

use crate::inspect::Interpreter;
use crate::inspect::filename::{ExtensionFile, Suffix, extension_files, suffixes};
use crate::model::platform::Platform;
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;

/// One platform for each suffix that CPython gives its extension modules.
const PLATFORMS: [&str; 20] = [
    "x86_64-linux",
    "aarch64-linux",
    "i686-linux",
    "armv7l-linux",
    "ppc64le-linux",
    "s390x-linux",
    "riscv64-linux",
    "loongarch64-linux",
    "x86_64-linux-musl",
    "aarch64-linux-musl",
    "i686-linux-musl",
    "armv7l-linux-musl",
    "ppc64le-linux-musl",
    "s390x-linux-musl",
    "riscv64-linux-musl",
    "loongarch64-linux-musl",
    "x86_64-macos",
    "x86_64-windows",
    "aarch64-windows",
    "x86-windows",
];

/// The suffixes that modules end in, whatever they are for.
const ENDS: [&str; 2] = [".so", ".pyd"];

/// Whether a path ends as a module or another library does: `.so`, `.so.1`, `.pyd`, `.dll`,
/// `.dylib`.
pub(super) fn is_library_name(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    [".so", ".pyd", ".dll", ".dylib"].iter().any(|end| lower.ends_with(end))
        || lower.contains(".so.")
}

/// A platform whose suffixes are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Decides on the suffixes.
    platform: Platform,
    /// What is known of where the files are to run.
    runs_on: Option<Platform>,
}

/// The platforms that files may be for.
#[derive(Debug, Clone)]
pub(super) enum Platforms {
    /// These alone.
    Known(Vec<Candidate>),
    /// Those that the files' names tell.
    Told,
}

impl Platforms {
    /// One that somebody named.
    pub(super) fn named(platform: Platform) -> Self {
        Self::Known(vec![Candidate { platform, runs_on: Some(platform) }])
    }

    /// Those of a wheel's tags.
    pub(super) fn of_wheel(wheel: &WheelFilename) -> Self {
        let tags: BTreeSet<&str> = wheel.tags().map(|(_, _, platform)| platform).collect();
        let mut candidates: Vec<Candidate> = Vec::new();
        for tag in tags {
            let candidate = match Platform::from_tag(tag) {
                Some(platform) => Some(Candidate { platform, runs_on: Some(platform) }),
                // For several processors: each slice is looked at.
                None if tag.starts_with("macosx_") => macos(),
                None => return Self::Told,
            };
            let same_suffixes = |known: &Candidate, new: &Candidate| {
                known.platform.extension_tag("") == new.platform.extension_tag("")
            };
            let Some(candidate) = candidate else { continue };
            match candidates.iter_mut().find(|known| same_suffixes(known, &candidate)) {
                Some(known)
                    if known.platform.architecture != candidate.platform.architecture
                        || candidate.runs_on.is_none() =>
                {
                    known.runs_on = None;
                }
                Some(_) => {}
                None => candidates.push(candidate),
            }
        }
        Self::Known(candidates)
    }

    /// The one platform, where there is just one.
    pub(super) fn single(&self) -> Option<Platform> {
        match self {
            Self::Known(candidates) => match candidates.as_slice() {
                [candidate] => candidate.runs_on,
                _ => None,
            },
            Self::Told => None,
        }
    }

    fn candidates(&self, names: &[String], target: Target) -> Vec<Candidate> {
        match self {
            Self::Known(candidates) => candidates.clone(),
            Self::Told => told_platforms(names, target),
        }
    }
}

fn macos() -> Option<Candidate> {
    let platform = "x86_64-macos".parse().ok()?;
    Some(Candidate { platform, runs_on: None })
}

/// The suffixes that name both a release and a platform.
fn own_suffixes(target: Target, platform: Platform) -> impl Iterator<Item = String> {
    suffixes(target, platform).into_iter().filter_map(|(text, suffix)| {
        let with_platform = match suffix {
            Suffix::Tagged => true,
            Suffix::StableFreeThreaded => text.contains('-'),
            Suffix::StableWithGil | Suffix::Bare => false,
        };
        with_platform.then_some(text)
    })
}

fn platforms() -> impl Iterator<Item = Platform> {
    PLATFORMS.into_iter().filter_map(|text| text.parse().ok())
}

/// The platforms that the suffixes of these files name; where none does, one whose modules end in
/// `.so` and one whose modules end in `.pyd`.
fn told_platforms(names: &[String], target: Target) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = platforms()
        .filter(|platform| {
            let mut own = own_suffixes(target, *platform);
            own.any(|suffix| names.iter().any(|name| name.ends_with(&suffix)))
        })
        // The suffixes of macOS name no processor.
        .map(|platform| Candidate {
            platform,
            runs_on: Some(platform).filter(|platform| !platform.is_macos()),
        })
        .collect();
    if candidates.is_empty() {
        for windows in [false, true] {
            let any = platforms().find(|platform| platform.is_windows() == windows);
            candidates.extend(any.map(|platform| Candidate { platform, runs_on: None }));
        }
    }
    candidates
}

/// The releases there are, in words.
pub(super) fn known_targets() -> String {
    Target::ALL.map(|target| target.to_string()).join(", ")
}

/// The releases that the suffixes of these files name.
pub(super) fn told_targets(names: &[String]) -> BTreeSet<Target> {
    let platforms: Vec<Platform> = platforms().collect();
    let modules: Vec<&String> =
        names.iter().filter(|name| ENDS.iter().any(|end| name.ends_with(end))).collect();
    let names_it = |target: &Target| {
        let mut own: BTreeSet<String> =
            platforms.iter().flat_map(|platform| own_suffixes(*target, *platform)).collect();
        if *target >= Target::PY315T {
            own.insert(".abi3t.so".to_owned());
        }
        modules.iter().any(|name| own.iter().any(|suffix| name.ends_with(suffix)))
    };
    Target::ALL.into_iter().filter(names_it).collect()
}

/// The releases that a wheel is built for, none where no free-threaded interpreter takes it.
pub(super) fn wheel_targets(wheel: &WheelFilename) -> BTreeSet<Target> {
    let mut targets: BTreeSet<Target> = wheel
        .tags()
        .filter_map(|(interpreter, abi, _)| {
            if abi == "abi3t" {
                // Each release takes it from the one on that it names; it came with 3.15 (PEP 803).
                let minor: u8 = interpreter.strip_prefix("cp3")?.parse().ok()?;
                let first = minor.max(Target::PY315T.minor());
                return Target::ALL.into_iter().find(|target| target.minor() >= first);
            }
            let own = |target: &Target| {
                abi == target.abi_tag() || abi == "none" && interpreter == target.interpreter_tag()
            };
            Target::ALL.into_iter().find(own)
        })
        .filter(|target| takes(wheel, *target))
        .collect();
    if targets.is_empty() {
        let usual = [Target::default()].into_iter().chain(Target::ALL);
        targets.extend(usual.into_iter().find(|target| takes(wheel, *target)));
    }
    targets
}

/// Whether an interpreter of that release takes the wheel on some platform.
pub(super) fn takes(wheel: &WheelFilename, target: Target) -> bool {
    let Some(platform) = platforms().next() else { return false };
    let order = TagOrder::new(target, platform);
    order.rank(wheel).is_some() || order.accepts_elsewhere(wheel)
}

/// What an interpreter would import of some files.
pub(super) struct Selection {
    /// The modules it tries, each with what is known of where it is to run.
    pub(super) modules: Vec<(ExtensionFile, Interpreter)>,
    /// Paths of modules that are named for other interpreters or platforms.
    pub(super) others: Vec<String>,
}

/// Tells apart what `target` would import and what is for others.
pub(super) fn select(names: &[String], target: Target, platforms: &Platforms) -> Selection {
    let candidates = platforms.candidates(names, target);
    let mut chosen: BTreeMap<String, (ExtensionFile, Interpreter)> = BTreeMap::new();
    for candidate in &candidates {
        let paths = names.iter().map(String::as_str);
        for file in extension_files(paths, target, candidate.platform) {
            let interpreter = Interpreter { target, platform: candidate.runs_on };
            chosen
                .entry(file.member.clone())
                // Taken on several platforms, so that it may be for any of them.
                .and_modify(|(_, known)| known.platform = None)
                .or_insert((file, interpreter));
        }
    }
    let windows = candidates.iter().any(|candidate| candidate.platform.is_windows());
    let others = names
        .iter()
        .filter(|name| !chosen.contains_key(*name))
        .filter(|name| names_an_interpreter(name) || !windows && is_module_path(name, ".pyd"))
        .cloned()
        .collect();
    Selection { modules: chosen.into_values().collect(), others }
}

/// Whether a path is that of a module whose suffix names some interpreter: `.cpython-313-darwin.so`,
/// `.cp314-win_amd64.pyd`, `.abi3.so`, `.pypy311-pp73-x86_64-linux-gnu.so`.
pub(super) fn names_an_interpreter(path: &str) -> bool {
    ENDS.iter().any(|end| {
        let Some((path, tag)) = path.strip_suffix(end).and_then(|rest| rest.rsplit_once('.'))
        else {
            return false;
        };
        let starts = ["cpython-", "cp3", "abi3", "pypy", "graalpy"];
        starts.iter().any(|start| tag.starts_with(start)) && !path.contains('.') && !path.is_empty()
    })
}

fn is_module_path(path: &str, end: &str) -> bool {
    path.strip_suffix(end).is_some_and(|path| !path.contains('.'))
}
