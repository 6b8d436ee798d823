//! Verdicts, and what the rules say of them.

mod policy;
mod rules;
mod verdict;

use ftcheck::model::evidence::{Evidence, Gil, ModuleReport};
use ftcheck::model::location::Location;
use ftcheck::model::report::{PackageReport, Place, ScanReport, Verdict};
use ftcheck::model::target::Target;

fn module(name: &str, gil: Gil) -> ModuleReport {
    ModuleReport {
        module: name.to_owned(),
        member: format!("{name}.so"),
        gil,
        init: None,
        subinterpreters: None,
        reason: (gil == Gil::Undetermined).then(|| "not known".to_owned()),
        evidence: Evidence::default(),
    }
}

fn place() -> Place {
    Place { target: Target::default(), platform: "linux".parse().unwrap() }
}

fn package(name: &str, verdict: Verdict) -> PackageReport {
    let location = Location { path: "requirements.txt".to_owned(), line: 3, column: 1 };
    let mut package = PackageReport::unchecked(name.to_owned(), place(), location);
    package.version = Some("1.0".to_owned());
    package.verdict = verdict;
    package
}

fn report(packages: Vec<PackageReport>) -> ScanReport {
    let mut report = ScanReport::new(place(), &[place()]);
    report.packages = packages;
    report.finish();
    report
}
