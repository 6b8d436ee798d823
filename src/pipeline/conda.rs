//! The conda packages of a manifest, for one target on one platform: for which Python each of them
//! was built.
//!
//! Conda packages are not opened. What their dependencies tell can show that one does not fit, or
//! that it holds nothing to look at; that a build for the target keeps the GIL off it cannot show.

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, Scene, Settings};
use crate::input::Manifest;
use crate::model::conda::{CondaAbi, CondaEnvironment, CondaPackage, subdir_of};
use crate::model::report::{CondaReport, PackageReport, Place, Skipped, Verdict};

/// Packages named for each ABI before the rest is counted.
const NAMED: usize = 3;

/// Adds what a manifest's environments install here.
pub(super) fn add(plan: &mut Plan, manifest: &Manifest, settings: &Settings, scene: &Scene) {
    let included = |section| settings.choice.includes(section, &manifest.sections);
    let here = subdir_of(scene.place.platform);
    let is_here = |environment: &&CondaEnvironment| {
        environment.subdir.is_none() || environment.subdir == here
    };
    let mut by_name: BTreeMap<Option<&str>, Vec<&CondaEnvironment>> = BTreeMap::new();
    for environment in &manifest.conda {
        if included(&environment.section) {
            by_name.entry(environment.name.as_deref()).or_default().push(environment);
        }
    }
    let mut seen = BTreeSet::new();
    for (name, environments) in by_name {
        if !environments.iter().any(is_here) {
            plan.gaps.push(not_here(name, &environments, here.as_deref(), scene));
        }
        for environment in environments.into_iter().filter(is_here) {
            let packages = environment.packages.iter().filter(|one| included(&one.section));
            let packages: Vec<&CondaPackage> = packages.collect();
            plan.notes.extend(mixed(name, &packages));
            for package in packages {
                let key = (&package.name, &package.version, &package.build, &package.location);
                if seen.insert(key) {
                    add_package(plan, package, scene.place);
                }
            }
        }
    }
}

/// That a file holds nothing for the platform.
fn not_here(
    name: Option<&str>,
    environments: &[&CondaEnvironment],
    here: Option<&str>,
    scene: &Scene,
) -> String {
    let what = match name {
        Some(name) => format!("the environment `{name}`"),
        None => "the conda lock".to_owned(),
    };
    let Some(here) = here else {
        return format!("{what} is not for {}: conda has no packages for it", scene.place.platform);
    };
    let locked: BTreeSet<&str> =
        environments.iter().filter_map(|one| one.subdir.as_deref()).collect();
    let locked = locked.into_iter().collect::<Vec<_>>().join(", ");
    format!("{what} is not locked for {here}: it is for {locked}")
}

/// That packages which are installed together were built for different ABIs.
fn mixed(name: Option<&str>, packages: &[&CondaPackage]) -> Option<String> {
    let mut by_abi: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut gil = Vec::new();
    for package in packages {
        match &package.abi {
            // Builds of older interpreters name none.
            CondaAbi::Tag(abi) if abi.starts_with("cp") => {
                by_abi.entry(abi).or_default().push(&package.name);
            }
            CondaAbi::Gil(_) => gil.push(package.name.as_str()),
            _ => {}
        }
    }
    if by_abi.keys().any(|abi| abi.ends_with('t')) && !gil.is_empty() {
        by_abi.insert("any with the GIL", gil);
    }
    if by_abi.len() < 2 {
        return None;
    }
    let of_abi = |(abi, names): (&&str, &Vec<&str>)| {
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let named: Vec<&str> = names.iter().take(NAMED).copied().collect();
        format!("{abi} ({}{more})", named.join(", "))
    };
    let all = by_abi.iter().map(of_abi).collect::<Vec<_>>().join(", ");
    let of = name.map(|name| format!(" of the environment `{name}`")).unwrap_or_default();
    Some(format!("the conda packages{of} were built for different ABIs: {all}"))
}

fn add_package(plan: &mut Plan, package: &CondaPackage, place: Place) {
    let wanted = place.target.abi_tag();
    let location = package.location.clone();
    if package.is_interpreter() && package.abi == CondaAbi::Tag(wanted.clone()) {
        plan.skipped.push(Skipped {
            name: package.name.clone(),
            version: package.version.clone(),
            reason: format!("the interpreter itself, built for {wanted}"),
            required_by: Some(location),
        });
        return;
    }
    let mut report = PackageReport::unchecked(package.name.clone(), place, location);
    report.version.clone_from(&package.version);
    report.conda =
        Some(CondaReport { build: package.build.clone(), subdir: package.subdir.clone() });
    let (verdict, reason) = match &package.abi {
        CondaAbi::Tag(abi) if *abi != wanted => {
            (Verdict::NoWheel, format!("the conda build is for {abi}, not for {wanted}"))
        }
        CondaAbi::Gil(needs) => (
            Verdict::NoWheel,
            format!("the conda build is for interpreters with the GIL alone (`{needs}`)"),
        ),
        CondaAbi::Tag(_) | CondaAbi::Open if package.is_noarch() => {
            (Verdict::PurePython, "a conda package for any platform (noarch)".to_owned())
        }
        CondaAbi::Tag(abi) => (
            Verdict::Unchecked,
            format!("the conda build is for {abi}; conda packages are not opened"),
        ),
        CondaAbi::Open => (
            Verdict::Unchecked,
            "the conda package depends on python, and does not say on which ABI".to_owned(),
        ),
        CondaAbi::NoPython => {
            (Verdict::NoExtensionModules, "the conda package does not depend on python".to_owned())
        }
        CondaAbi::Unknown(why) => {
            (Verdict::Unchecked, format!("a conda package of which the ABI is not known: {why}"))
        }
    };
    report.verdict = verdict;
    report.reason = Some(reason);
    plan.conda.push(report);
}
