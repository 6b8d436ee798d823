//! A wheel that lies on this machine.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::built_for::{Platforms, known_targets, select, takes, wheel_targets};
use super::files::{LocalError, open};
use super::{Findings, Settings, conclude};
use crate::fetch::archive::{Archive, ArchiveError};
use crate::fetch::metadata;
use crate::inspect::filename::installed_twice;
use crate::model::inspect_report::PassedOver;
use crate::model::report::Verdict;
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::model::wheel_filename::{WheelFilename, WheelFilenameError};
use crate::module_check::{Members, check_all};

impl Members for Archive<BufReader<File>> {
    type Error = ArchiveError;

    fn names(&self) -> &[String] {
        self.names()
    }

    fn size(&self, member: usize) -> u64 {
        self.expanded_size(member)
    }

    fn read(&mut self, member: usize) -> Result<Vec<u8>, ArchiveError> {
        self.read(member)
    }
}

/// Looks into a wheel, once for each release that it is built for.
pub(super) fn look_into(path: &Path, settings: &Settings) -> Result<Findings, LocalError> {
    let failed = |problem: String| LocalError::new(path, problem);
    let name = path.file_name().unwrap_or_default();
    let name = name.to_str().ok_or_else(|| failed("expected a name in UTF-8".to_owned()))?;
    let wheel: WheelFilename = name
        .parse()
        .map_err(|problem: WheelFilenameError| failed(problem.to_string()))
        .map_err(|problem| problem.hint("wheels are named NAME-VERSION-PYTHON-ABI-PLATFORM.whl"))?;
    let mut archive = Archive::open(BufReader::new(open(path)?), &settings.limits)
        .map_err(|problem| failed(problem.to_string()))?;
    check_metadata(&mut archive, &wheel).map_err(failed)?;

    let mut findings = Findings::default();
    let targets = match settings.target {
        Some(target) => BTreeSet::from([target]),
        None => wheel_targets(&wheel),
    };
    let fits = |target: &Target| match settings.platform {
        Some(platform) => TagOrder::new(*target, platform).rank(&wheel).is_some(),
        None => takes(&wheel, *target),
    };
    let targets: Vec<Target> = targets.into_iter().filter(fits).collect();
    if targets.is_empty() {
        let on = settings.platform.map(|platform| format!(" on {platform}")).unwrap_or_default();
        let reason = match settings.target {
            Some(target) => format!("its tags are not among those that {target} takes{on}"),
            None => format!("its tags are those of none of {}{on}", known_targets()),
        };
        findings.skipped.push(PassedOver { path: path.display().to_string(), reason });
        return Ok(findings);
    }
    let platforms = match settings.platform {
        Some(platform) => Platforms::named(platform),
        None => Platforms::of_wheel(&wheel),
    };
    let names = archive.names().iter().map(String::as_str);
    if let Some((one, other)) = installed_twice(names, platforms.single()) {
        let problem = format!("`{one}` and `{other}` would be installed as one file");
        return Err(failed(format!("damaged wheel: {problem}")));
    }
    for target in targets {
        let selection = select(archive.names(), target, &platforms);
        let modules = check_all(&mut archive, selection.modules)
            .map_err(|problem| failed(problem.to_string()))?;
        let mut report = conclude(path, target, modules, selection.others.len());
        report.wheel = Some(wheel.to_string());
        report.name = Some(wheel.name.to_string());
        report.version = Some(wheel.version.to_string());
        report.platform = platforms.single();
        if report.verdict == Verdict::NoExtensionModules && wheel.is_any_platform() {
            report.verdict = Verdict::PurePython;
        }
        findings.files.push(report);
    }
    Ok(findings)
}

fn check_metadata(
    archive: &mut Archive<BufReader<File>>,
    wheel: &WheelFilename,
) -> Result<(), String> {
    let [metadata, wheel_file] = metadata::members(archive.names(), wheel)?;
    let metadata = archive.read(metadata).map_err(|problem| problem.to_string())?;
    let wheel_file = archive.read(wheel_file).map_err(|problem| problem.to_string())?;
    metadata::check(&metadata, &wheel_file, wheel)
}
