//! Why a package has no wheel that could be installed: which of the rules on that is the one to
//! speak. Each package without a wheel is spoken of by exactly one of them.

use super::Draft;
use crate::model::release::{Prediction, ReleaseFiles, SourceReport};
use crate::model::report::{PackageReport, Verdict};

/// What stands in the way of a wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Every file of it excludes the interpreter by its requires-python.
    RequiresPython,
    /// There is nothing but a source distribution.
    SourceOnly,
    /// The interpreter is served on other platforms.
    OtherPlatform,
    /// There are wheels of the stable ABI, and none besides that could be loaded.
    StableAbi,
    /// There are wheels for other interpreters alone, or it is not known what there is.
    OtherInterpreter,
}

pub(super) fn why(package: &PackageReport) -> Option<Why> {
    if package.verdict != Verdict::NoWheel {
        return None;
    }
    Some(package.release.as_ref().map_or(Why::OtherInterpreter, of_files))
}

fn of_files(files: &ReleaseFiles) -> Why {
    if files.excluded_by.is_some() {
        Why::RequiresPython
    } else if files.wheels == 0 && files.source {
        Why::SourceOnly
    } else if !files.elsewhere.is_empty() {
        Why::OtherPlatform
    } else if files.stable_abi {
        Why::StableAbi
    } else {
        Why::OtherInterpreter
    }
}

/// A finding on a package without a wheel, if this is why.
pub(super) fn draft(package: &PackageReport, wanted: Why) -> Vec<Draft> {
    if why(package) != Some(wanted) {
        return Vec::new();
    }
    let reason = package.reason.as_deref().unwrap_or("there is no wheel for it");
    let mut draft = Draft::new(format!("nothing can be installed without a build: {reason}"));
    if let Some(source) = &package.source {
        draft = draft.hint(predicted(source));
    }
    vec![draft]
}

/// What a build would presumably do, in words.
fn predicted(source: &SourceReport) -> String {
    let signs: Vec<String> = source
        .signs
        .iter()
        .take(2)
        .map(|sign| match sign.line {
            Some(line) => format!("{} in {}:{line}", sign.what, sign.path),
            None => format!("{} in {}", sign.what, sign.path),
        })
        .collect();
    let signs = if signs.is_empty() { String::new() } else { format!(" ({})", signs.join(", ")) };
    let file = &source.filename;
    match source.prediction {
        Prediction::PurePython => format!("prediction: {file} compiles nothing{signs}"),
        Prediction::KeepsGilOff => {
            format!("prediction: a build of {file} would keep the GIL off{signs}")
        }
        Prediction::EnablesGil => {
            format!("prediction: a build of {file} would enable the GIL{signs}")
        }
        Prediction::StableAbiOnly => format!(
            "prediction: {file} builds for the stable ABI alone, which no free-threaded build loads{signs}"
        ),
        Prediction::NotKnown => {
            let reason = source.reason.as_deref().unwrap_or("its source does not say");
            format!("what a build of {file} would do is not known: {reason}")
        }
    }
}
