//! What differs between two reports, and between a report and a baseline.

mod baseline;
mod compare;
mod read;
mod text;

use ftcheck::judge::{Levels, tell};
use ftcheck::model::evidence::{Evidence, Gil, ModuleReport};
use ftcheck::model::location::Location;
use ftcheck::model::report::{PackageReport, Place, ScanReport, Verdict};
use proptest::prelude::*;

fn place(target: &str, platform: &str) -> Place {
    Place { target: target.parse().unwrap(), platform: platform.parse().unwrap() }
}

fn linux() -> Place {
    place("3.14t", "linux")
}

/// A package that does this; modules that decide are made up.
fn package(name: &str, version: &str, verdict: Verdict) -> PackageReport {
    let location = Location { path: "requirements.txt".to_owned(), line: 3, column: 1 };
    let mut package = PackageReport::unchecked(name.to_owned(), linux(), location);
    package.version = Some(version.to_owned());
    package.verdict = verdict;
    let module = |gil| vec![module(&format!("{name}._a"), gil)];
    match verdict {
        Verdict::EnablesGil => package.modules = module(Gil::Enables),
        Verdict::Undetermined => package.modules = module(Gil::Undetermined),
        Verdict::KeepsGilOff => package.modules = module(Gil::KeepsOff),
        _ => {}
    }
    package
}

fn module(name: &str, gil: Gil) -> ModuleReport {
    ModuleReport {
        module: name.to_owned(),
        member: format!("{name}.so"),
        gil,
        init: None,
        subinterpreters: None,
        reason: None,
        evidence: Evidence::default(),
    }
}

fn at(place: Place, mut package: PackageReport) -> PackageReport {
    (package.target, package.platform) = (place.target, place.platform);
    package
}

fn report_for(places: &[Place], packages: Vec<PackageReport>) -> ScanReport {
    let mut report = ScanReport::new(places[0], places);
    report.packages = packages;
    report.finish();
    tell(&mut report, &Levels::default());
    report
}

fn report(packages: Vec<PackageReport>) -> ScanReport {
    report_for(&[linux()], packages)
}

/// Reports of a few packages in a few releases, at two places.
fn reports() -> impl Strategy<Value = ScanReport> {
    let verdict = prop::sample::select(Verdict::ALL.to_vec());
    let facts = ("[a-d]", "[12]", verdict, any::<bool>(), any::<bool>());
    prop::collection::vec(facts, 0..8).prop_map(|all| {
        let places = [linux(), place("3.15t", "windows")];
        let packages = all.into_iter().map(|(name, version, verdict, elsewhere, more)| {
            let mut package = package(&name, &version, verdict);
            if more && verdict == Verdict::EnablesGil {
                package.modules.push(module(&format!("{name}._b"), Gil::Enables));
            }
            at(places[usize::from(elsewhere)], package)
        });
        let mut report = report_for(&places, packages.collect());
        report.gaps.push("the lock is for other environments".to_owned());
        tell(&mut report, &Levels::default());
        report
    })
}
