//! Reports made by hand: one with every verdict and what every rule finds, and one of the size of a
//! large project. The browser test looks at the same ones.

use ftcheck::judge::{Levels, findings};
use ftcheck::model::evidence::{Evidence, Gil, Init, ModuleReport};
use ftcheck::model::finding::Level;
use ftcheck::model::imports::{How, ImportChain, ImportReport, Reach, SourceImport};
use ftcheck::model::location::Location;
use ftcheck::model::release::{Prediction, ReleaseFiles, Sign, SourceReport};
use ftcheck::model::report::{
    PackageReport, Place, ScanReport, Skipped, Step, Verdict, WheelReport,
};
use ftcheck::model::target::Target;
use ftcheck::model::tracker::TrackerEntry;

pub(crate) fn place(platform: &str) -> Place {
    Place { target: Target::default(), platform: platform.parse().unwrap() }
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn line(number: usize) -> Location {
    Location { path: "pyproject.toml".to_owned(), line: number, column: 5 }
}

pub(crate) fn module(name: &str, gil: Gil) -> ModuleReport {
    ModuleReport {
        module: name.to_owned(),
        member: format!("{}.so", name.replace('.', "/")),
        gil,
        init: Some(Init::MultiPhase),
        subinterpreters: None,
        reason: (gil == Gil::Undetermined)
            .then(|| "the hook calls `PyFancy_New`, which is not known".to_owned()),
        evidence: Evidence {
            set_gil: (gil == Gil::Enables).then(|| "0x0".to_owned()),
            ..Evidence::default()
        },
    }
}

/// A package that the first names of `via` lead to; the first is named in a line of its own.
pub(crate) fn package(place: Place, name: &str, verdict: Verdict, via: &[&str]) -> PackageReport {
    let mut package = PackageReport::unchecked(name.to_owned(), place, line(12));
    package.version = Some("1.2.0".to_owned());
    package.verdict = verdict;
    package.via = via
        .iter()
        .chain([&name])
        .enumerate()
        .map(|(index, name)| Step {
            name: (*name).to_owned(),
            version: Some("1.2.0".to_owned()),
            location: (index == 0).then(|| line(12)),
        })
        .collect();
    package
}

/// What every rule that is on finds, and one that has to be asked for.
fn judged(mut report: ScanReport) -> ScanReport {
    report.finish();
    let asked = Levels([("subinterpreters-unsupported", Some(Level::Note))].into());
    report.findings = findings(&report, &asked);
    report
}

fn offender(here: Place) -> PackageReport {
    let mut lxml = package(here, "lxml", Verdict::EnablesGil, &["web"]);
    lxml.version = Some("6.1.3".to_owned());
    lxml.modules = vec![
        module("lxml._elementpath", Gil::Enables),
        module("lxml.etree", Gil::Enables),
        module("lxml.objectify", Gil::Enables),
        module("lxml.sax", Gil::KeepsOff),
    ];
    lxml.imports = vec![ImportReport {
        import: "lxml".to_owned(),
        enables_gil: Some(true),
        by: Some("lxml.etree".to_owned()),
        chain: strings(&["lxml", "lxml.etree"]),
        reason: None,
    }];
    let reach = |module: &str, how: How, chain: &[&str]| Reach {
        module: module.to_owned(),
        how,
        chains: vec![ImportChain {
            package: "lxml".to_owned(),
            how,
            certain: how == How::Import,
            modules: strings(chain),
        }],
    };
    lxml.reached = vec![
        reach("lxml.etree", How::Import, &["lxml", "lxml.etree"]),
        reach("lxml._elementpath", How::Import, &["lxml", "lxml.etree", "lxml._elementpath"]),
        reach("lxml.objectify", How::Submodule, &["lxml.objectify"]),
    ];
    lxml.classifiers =
        vec!["Programming Language :: Python :: Free Threading :: 3 - Stable".to_owned()];
    lxml.tracker = Some(TrackerEntry {
        project: "lxml".to_owned(),
        packages: strings(&["lxml"]),
        first_version: Some("6.0".to_owned()),
        issue: Some("https://github.com/lxml/lxml/issues/1".to_owned()),
        tested: true,
        released: true,
        ..TrackerEntry::default()
    });
    lxml.wheel = Some(WheelReport {
        filename: "lxml-6.1.3-cp314-cp314t-manylinux_2_28_x86_64.whl".to_owned(),
        sha256: None,
        sha256_verified: false,
        size: Some(5_100_000),
    });
    lxml
}

/// Packages without a wheel, one for each reason that has a rule of its own.
fn without_wheel(here: Place) -> Vec<PackageReport> {
    let some = ReleaseFiles { source: true, wheels: 2, ..ReleaseFiles::default() };
    let of = |name: &str, reason: &str, files: ReleaseFiles| {
        let mut package = package(here, name, Verdict::NoWheel, &[]);
        package.reason = Some(reason.to_owned());
        package.release = Some(files);
        package
    };
    let mut source = of(
        "only-source",
        "there is only a source distribution",
        ReleaseFiles { wheels: 0, ..some.clone() },
    );
    source.source = Some(SourceReport {
        filename: "only_source-1.2.0.tar.gz".to_owned(),
        prediction: Prediction::KeepsGilOff,
        signs: vec![Sign {
            path: "src/module.c".to_owned(),
            line: Some(40),
            what: "Py_mod_gil".to_owned(),
        }],
        reason: None,
    });
    vec![
        of("orjson", "none of its wheels is for 3.14t; would be built from source", some.clone()),
        of(
            "mac-only",
            "its wheels for 3.14t are for macOS",
            ReleaseFiles {
                elsewhere: strings(&["mac_only-1.2.0-cp314-cp314t-macosx_11_0_arm64.whl"]),
                ..some.clone()
            },
        ),
        of(
            "stable-abi",
            "its wheels are for the stable ABI",
            ReleaseFiles { stable_abi: true, ..some.clone() },
        ),
        source,
        of(
            "too-old",
            "requires-python `<3.13` excludes 3.14t",
            ReleaseFiles { excluded_by: Some("<3.13".to_owned()), ..some },
        ),
    ]
}

/// Every verdict, and what every rule finds, at these places.
pub(crate) fn everything(platforms: &[&str]) -> ScanReport {
    let places: Vec<Place> = platforms.iter().map(|platform| place(platform)).collect();
    let mut report = ScanReport::new(places[0], &places);
    for here in &places {
        let mut web = package(*here, "web", Verdict::PurePython, &[]);
        web.reason = Some("told by its tag, not opened".to_owned());
        web.requires = strings(&["lxml", "markupsafe", "riddle"]);
        let mut markupsafe = package(*here, "markupsafe", Verdict::KeepsGilOff, &["web"]);
        markupsafe.modules = vec![module("markupsafe._speedups", Gil::KeepsOff)];
        let mut riddle = package(*here, "riddle", Verdict::Undetermined, &["web"]);
        riddle.modules = vec![module("riddle._c", Gil::Undetermined)];
        riddle.requires = strings(&["markupsafe"]);
        let mut lost = package(*here, "lost", Verdict::Unchecked, &[]);
        lost.reason = Some("the index does not answer".to_owned());
        lost.version = None;
        let mut slow = package(*here, "slow", Verdict::PurePython, &["web"]);
        slow.release = Some(ReleaseFiles { compiled: true, wheels: 4, ..ReleaseFiles::default() });
        slow.reason = Some("told by its tag, not opened".to_owned());
        let ruff = package(*here, "ruff", Verdict::NoExtensionModules, &[]);
        let mut packages = vec![web, offender(*here), markupsafe, riddle, lost, slow, ruff];
        packages.extend(without_wheel(*here));
        if platforms.len() > 1 && *here != places[0] {
            packages.retain(|package| package.name != "mac-only");
        }
        let skipped = vec![Skipped {
            name: "colorama".to_owned(),
            version: None,
            reason: "its marker does not apply: sys_platform == 'win32'".to_owned(),
            required_by: Some(line(30)),
        }];
        report.add(
            *here,
            packages,
            skipped,
            vec!["the group `dev` was not asked for".to_owned()],
            Vec::new(),
        );
    }
    report.gaps.push("the lock is out of date: `pyproject.toml` names `httpx`".to_owned());
    report.sources.push(SourceImport {
        location: Location { path: "src/app/main.py".to_owned(), line: 7, column: 1 },
        import: "lxml.etree".to_owned(),
        how: How::Import,
        enables_gil: Some(true),
        by: Some("lxml.etree".to_owned()),
        chain: strings(&["lxml.etree"]),
    });
    judged(report)
}

/// So many packages in layers, each requiring some of the next, a few of them not in order.
pub(crate) fn large(count: usize) -> ScanReport {
    let here = place("linux");
    let mut report = ScanReport::new(here, &[here]);
    // xorshift: any graph will do, as long as it is the same in every run.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |most: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % most.max(1) as u64).unwrap()
    };
    let words = ["async", "data", "http", "core", "graph", "image", "json", "crypto", "log", "web"];
    let name = |number: usize| format!("{}-{}", words[number % words.len()], number);
    let layer_of = |number: usize| (number * 7) / count;
    let mut via: Vec<Vec<usize>> = Vec::new();
    let mut requires: Vec<Vec<usize>> = vec![Vec::new(); count];
    for number in 0..count {
        let before: Vec<usize> =
            (0..number).filter(|other| layer_of(*other) < layer_of(number)).collect();
        let mut way = Vec::new();
        for _ in 0..=next(2) {
            if let Some(parent) = before.get(next(before.len())) {
                requires[*parent].push(number);
                let longer = &via[*parent];
                if way.is_empty() || longer.len() + 1 < way.len() {
                    way.clone_from(longer);
                    way.push(*parent);
                }
            }
        }
        via.push(way);
    }
    let mut packages = Vec::new();
    for number in 0..count {
        let verdict = match number % 61 {
            40 => Verdict::EnablesGil,
            50 => Verdict::NoWheel,
            57 => Verdict::Undetermined,
            rest if rest % 3 == 0 => Verdict::KeepsGilOff,
            _ => Verdict::PurePython,
        };
        let way: Vec<String> = via[number].iter().map(|other| name(*other)).collect();
        let way: Vec<&str> = way.iter().map(String::as_str).collect();
        let mut package = package(here, &name(number), verdict, &way);
        package.requires = requires[number].iter().map(|other| name(*other)).collect();
        match verdict {
            Verdict::EnablesGil => {
                package.modules = vec![module(&format!("m{number}._c"), Gil::Enables)];
            }
            Verdict::Undetermined => {
                package.modules = vec![module(&format!("m{number}._c"), Gil::Undetermined)];
            }
            Verdict::KeepsGilOff => {
                package.modules = vec![module(&format!("m{number}._c"), Gil::KeepsOff)];
            }
            _ => package.reason = Some("told by its tag, not opened".to_owned()),
        }
        packages.push(package);
    }
    report.add(here, packages, Vec::new(), Vec::new(), Vec::new());
    judged(report)
}
