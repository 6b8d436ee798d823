//! One report that holds every verdict, every rule, and every member that a report can have: what each
//! format shows of it is kept as a snapshot.

use ftcheck::judge::{self, Ignore, Levels, NamePattern, Policy};
use ftcheck::model::evidence::{
    Definition, Evidence, Generator, Gil, Init, ModuleReport, Slot, Subinterpreters,
};
use ftcheck::model::finding::{Ignored, IgnoredBy, Level};
use ftcheck::model::imports::{How, ImportChain, ImportReport, Reach, SourceImport};
use ftcheck::model::location::Location;
use ftcheck::model::release::{Prediction, ReleaseFiles, Sign, SourceReport};
use ftcheck::model::report::{
    CondaReport, PackageReport, Place, ScanReport, Skipped, Step, Verdict, WheelReport,
};
use ftcheck::model::target::Target;
use ftcheck::model::tracker::TrackerEntry;
use jiff::civil::{Date, date};

pub(crate) fn here() -> Place {
    Place { target: Target::PY314T, platform: "x86_64-manylinux_2_28".parse().unwrap() }
}

pub(crate) fn there() -> Place {
    Place { target: Target::PY314T, platform: "x86_64-windows".parse().unwrap() }
}

pub(crate) fn at(path: &str, line: usize, column: usize) -> Location {
    Location { path: path.to_owned(), line, column }
}

/// The report, with what the rules find in it.
pub(crate) fn everything() -> ScanReport {
    let mut report = without_findings();
    judge(&mut report);
    let policy = Policy {
        ignores: vec![
            ignore(21, "accepted", "only its command line is used", Some(date(2026, 12, 31))),
            ignore(22, "lxml", "a version that declares it was announced", Some(date(2026, 6, 30))),
            ignore(23, "gone", "it was there once", None),
        ],
        ..Policy::default()
    };
    judge::apply_ignores(&mut report, &policy, date(2026, 7, 1), true);
    let known = report.findings.iter().position(|one| one.package.as_deref() == Some("known"));
    let of_baseline = |finding| Ignored {
        finding,
        by: IgnoredBy::Baseline,
        reason: "known from baseline.json".to_owned(),
        expires: None,
        location: None,
    };
    let known = report.findings.remove(known.unwrap());
    report.ignored.push(of_baseline(known));
    report
}

fn ignore(line: usize, package: &str, reason: &str, expires: Option<Date>) -> Ignore {
    Ignore {
        package: NamePattern::of_package(package).ok(),
        rule: None,
        module: None,
        reason: reason.to_owned(),
        expires,
        location: at("ftcheck.toml", line, 1),
    }
}

/// One whose only module enables the GIL, which counts no more.
fn accepted(name: &str) -> PackageReport {
    let mut package = package(name, "1.0", Verdict::EnablesGil);
    package.wheel = Some(wheel(&format!("{name}-1.0-cp314-cp314t-manylinux_2_28_x86_64.whl")));
    package.modules = vec![module(&format!("{name}._core"), Gil::Enables)];
    package
}

/// Asks every rule anew, those too that are off unless asked for.
pub(crate) fn judge(report: &mut ScanReport) {
    let mut levels = Levels::default();
    levels.0.insert("subinterpreters-unsupported", Some(Level::Note));
    levels.0.insert("pure-python-fallback", None);
    report.ignored.clear();
    judge::tell(report, &levels);
}

fn without_findings() -> ScanReport {
    let mut report = ScanReport::new(here(), &[here(), there()]);
    let packages = vec![
        enabling(here()),
        late(),
        without_wheel("built", Prediction::KeepsGilOff, other_interpreter()),
        without_wheel("stable", Prediction::StableAbiOnly, stable_abi()),
        without_wheel("elsewhere", Prediction::PurePython, elsewhere()),
        without_wheel("source", Prediction::EnablesGil, source_only()),
        without_wheel("bounded", Prediction::NotKnown, excluded()),
        unchecked(),
        undetermined(),
        accepted("accepted"),
        accepted("known"),
        keeping_off(here()),
        program(),
        pure(),
        conda(),
    ];
    let skipped = vec![Skipped {
        name: "colorama".to_owned(),
        version: Some("0.4.6".to_owned()),
        reason: "its marker does not apply: sys_platform == 'win32'".to_owned(),
        required_by: Some(at("pyproject.toml", 9, 5)),
    }];
    let notes = vec!["poetry's tables are not followed, since uv's are there".to_owned()];
    let gaps = vec!["the lock does not cover 3.14t".to_owned()];
    report.add(here(), packages, skipped, notes, gaps);
    report.add(there(), vec![enabling(there()), keeping_off(there())], vec![], vec![], vec![]);
    report.sources = sources();
    report.finish();
    report
}

pub(crate) fn package(name: &str, version: &str, verdict: Verdict) -> PackageReport {
    let direct = at("pyproject.toml", 7, 5);
    let mut package = PackageReport::unchecked(name.to_owned(), here(), direct.clone());
    package.version = Some(version.to_owned());
    package.verdict = verdict;
    package.via = vec![Step {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        location: Some(direct),
    }];
    package
}

fn wheel(filename: &str) -> WheelReport {
    WheelReport {
        filename: filename.to_owned(),
        sha256: "0123456789abcdef".repeat(4).parse().ok(),
        sha256_verified: true,
        size: Some(1_234_567),
    }
}

fn module(name: &str, gil: Gil) -> ModuleReport {
    ModuleReport {
        module: name.to_owned(),
        member: format!("{}.so", name.replace('.', "/")),
        gil,
        init: Some(Init::MultiPhase),
        subinterpreters: Some(Subinterpreters::PerInterpreterGil),
        reason: (gil == Gil::Undetermined).then(|| "the hook calls what is not known".to_owned()),
        evidence: Evidence { format: Some("elf".to_owned()), ..Evidence::default() },
    }
}

fn enabling(place: Place) -> PackageReport {
    let mut package = package("lxml", "6.1.3", Verdict::EnablesGil);
    (package.target, package.platform) = (place.target, place.platform);
    package.wheel = Some(wheel("lxml-6.1.3-cp314-cp314t-manylinux_2_28_x86_64.whl"));
    package.required_by = Some(at("uv.lock", 40, 1));
    package.via = vec![
        Step {
            name: "reports".to_owned(),
            version: Some("2.0".to_owned()),
            location: Some(at("pyproject.toml", 8, 5)),
        },
        Step { name: "lxml".to_owned(), version: Some("6.1.3".to_owned()), location: None },
    ];
    package.requires = vec!["fine".to_owned()];
    let slot = |id, name: &str, value: &str| Slot {
        id,
        name: Some(name.to_owned()),
        value: value.to_owned(),
    };
    let etree = ModuleReport {
        subinterpreters: Some(Subinterpreters::Unspecified),
        evidence: Evidence {
            format: Some("elf".to_owned()),
            machine: Some("x86_64".to_owned()),
            generator: Some(Generator {
                name: "Cython".to_owned(),
                version: Some("3.1.2".to_owned()),
            }),
            hook: Some("PyInit_etree".to_owned()),
            library: Some("lxml.libs/libetree.so".to_owned()),
            definition: Some(Definition {
                address: "0x5a3c0".to_owned(),
                name: Some("etree".to_owned()),
                slots: Some(vec![slot(2, "Py_mod_exec", "0x1360")]),
            }),
            set_gil: Some("0x1".to_owned()),
            delegates_to: Some("_cffi_backend".to_owned()),
            settled_by: Some("cffi".to_owned()),
            steps: Some(120),
        },
        ..module("lxml.etree", Gil::Enables)
    };
    package.modules = vec![etree];
    package.imports = vec![ImportReport {
        import: "lxml".to_owned(),
        enables_gil: Some(true),
        by: Some("lxml.etree".to_owned()),
        chain: vec!["lxml".to_owned(), "lxml.etree".to_owned()],
        reason: None,
    }];
    let chain = ImportChain {
        package: "lxml".to_owned(),
        how: How::Import,
        certain: true,
        modules: vec!["lxml".to_owned(), "lxml.etree".to_owned()],
    };
    package.reached =
        vec![Reach { module: "lxml.etree".to_owned(), how: How::Import, chains: vec![chain] }];
    package.classifiers =
        vec!["Programming Language :: Python :: Free Threading :: 3 - Stable".to_owned()];
    package.tracker = Some(TrackerEntry {
        project: "lxml".to_owned(),
        packages: vec!["lxml".to_owned()],
        first_version: Some("6.0".to_owned()),
        issue: Some("https://bugs.launchpad.net/lxml/+bug/1".to_owned()),
        tested: true,
        released: true,
        notes: vec!["on Linux alone".to_owned()],
        ..TrackerEntry::default()
    });
    package
}

fn late() -> PackageReport {
    let mut package = package("late", "1.4", Verdict::EnablesGil);
    package.wheel = Some(wheel("late-1.4-cp314-cp314t-manylinux_2_28_x86_64.whl"));
    let reach = |module: &str, how| Reach {
        module: module.to_owned(),
        how,
        chains: vec![ImportChain {
            package: "reports".to_owned(),
            how: How::Later,
            certain: false,
            modules: vec!["reports.pdf".to_owned(), module.to_owned()],
        }],
    };
    package.modules = vec![
        ModuleReport {
            init: Some(Init::SinglePhase),
            subinterpreters: None,
            ..module("late._never", Gil::Enables)
        },
        ModuleReport {
            subinterpreters: Some(Subinterpreters::NotSupported),
            evidence: Evidence { format: Some("mach-o".to_owned()), ..Evidence::default() },
            ..module("late._speed", Gil::Enables)
        },
        ModuleReport {
            subinterpreters: Some(Subinterpreters::SharedGil),
            evidence: Evidence { format: Some("pe".to_owned()), ..Evidence::default() },
            ..module("late._writer", Gil::Enables)
        },
    ];
    package.imports = vec![ImportReport {
        import: "late".to_owned(),
        enables_gil: Some(false),
        by: None,
        chain: vec![],
        reason: Some("no module that enables it is imported".to_owned()),
    }];
    package.reached = vec![
        Reach { chains: vec![], ..reach("late._never", How::NotFound) },
        reach("late._speed", How::Submodule),
        reach("late._writer", How::Later),
    ];
    package
}

fn without_wheel(name: &str, prediction: Prediction, release: ReleaseFiles) -> PackageReport {
    let mut package = package(name, "5.0", Verdict::NoWheel);
    package.reason = Some("nothing that 3.14t can load".to_owned());
    package.release = Some(release);
    let known = prediction != Prediction::NotKnown;
    let sign =
        Sign { path: "src/speed.c".to_owned(), line: Some(12), what: "Py_mod_gil".to_owned() };
    package.source = Some(SourceReport {
        filename: format!("{name}-5.0.tar.gz"),
        prediction,
        signs: if known { vec![sign] } else { vec![] },
        reason: (!known).then(|| "its build backend is not known".to_owned()),
    });
    package
}

fn other_interpreter() -> ReleaseFiles {
    ReleaseFiles { source: true, wheels: 2, compiled: true, ..ReleaseFiles::default() }
}

fn stable_abi() -> ReleaseFiles {
    ReleaseFiles { stable_abi: true, ..other_interpreter() }
}

fn elsewhere() -> ReleaseFiles {
    let wheel = "elsewhere-5.0-cp314-cp314t-win_amd64.whl".to_owned();
    ReleaseFiles { elsewhere: vec![wheel], ..other_interpreter() }
}

fn source_only() -> ReleaseFiles {
    ReleaseFiles { source: true, ..ReleaseFiles::default() }
}

fn excluded() -> ReleaseFiles {
    ReleaseFiles { excluded_by: Some("<3.14".to_owned()), ..other_interpreter() }
}

fn unchecked() -> PackageReport {
    let mut package = package("nowhere", "7.0", Verdict::Unchecked);
    package.version = None;
    package.reason = Some("the index has no such package".to_owned());
    package
}

fn undetermined() -> PackageReport {
    let mut package = package("riddle", "6.0", Verdict::Undetermined);
    package.wheel = Some(WheelReport {
        sha256: None,
        sha256_verified: false,
        size: None,
        ..wheel("riddle.whl")
    });
    package.modules = vec![ModuleReport {
        init: None,
        subinterpreters: None,
        ..module("riddle._guess", Gil::Undetermined)
    }];
    package.reason = Some("1 of 1 extension modules could not be told".to_owned());
    package.imports = vec![ImportReport {
        import: "riddle".to_owned(),
        enables_gil: None,
        by: Some("riddle._guess".to_owned()),
        chain: vec!["riddle".to_owned(), "riddle._guess".to_owned()],
        reason: Some("what the module does is not known".to_owned()),
    }];
    package
}

fn keeping_off(place: Place) -> PackageReport {
    let mut package = package("fine", "2.0", Verdict::KeepsGilOff);
    (package.target, package.platform) = (place.target, place.platform);
    package.wheel = Some(wheel("fine-2.0-cp314-cp314t-manylinux_2_28_x86_64.whl"));
    package.modules = vec![module("fine._speed", Gil::KeepsOff)];
    package
}

fn program() -> PackageReport {
    let mut package = package("program", "4.0", Verdict::NoExtensionModules);
    package.wheel = Some(wheel("program-4.0-py3-none-manylinux_2_28_x86_64.whl"));
    package
}

fn pure() -> PackageReport {
    let mut package = package("pure", "3.0", Verdict::PurePython);
    package.wheel = Some(wheel("pure-3.0-py3-none-any.whl"));
    package.release = Some(ReleaseFiles { any_platform: true, ..other_interpreter() });
    package
}

fn conda() -> PackageReport {
    let mut package = package("zlib", "1.3.1", Verdict::NoExtensionModules);
    package.conda = Some(CondaReport {
        build: Some("hb9d3cd8_2".to_owned()),
        subdir: Some("linux-64".to_owned()),
    });
    package.reason = Some("it does not depend on Python".to_owned());
    package.required_by = None;
    package.via = vec![];
    package
}

fn sources() -> Vec<SourceImport> {
    let import = |line, how, enables_gil, chain: &[&str]| SourceImport {
        location: at("src/app/main.py", line, 1),
        import: "lxml".to_owned(),
        how,
        enables_gil,
        by: Some("lxml.etree".to_owned()),
        chain: chain.iter().map(|name| (*name).to_owned()).collect(),
    };
    vec![
        import(3, How::Import, Some(true), &["lxml", "lxml.etree"]),
        import(20, How::Later, None, &["lxml.etree"]),
    ]
}

mod tests {
    use std::collections::BTreeSet;

    use ftcheck::judge::CHECKS;
    use ftcheck::model::report::Verdict;

    use super::everything;

    #[test]
    fn everything_is_there() {
        let report = everything();
        let verdicts: BTreeSet<Verdict> = report.packages.iter().map(|one| one.verdict).collect();
        assert_eq!(verdicts.len(), Verdict::ALL.len());
        let ignored = report.ignored.iter().map(|ignored| &ignored.finding);
        let found = report.findings.iter().chain(ignored);
        let rules: BTreeSet<&str> = found.map(|finding| &*finding.rule).collect();
        for check in CHECKS {
            assert!(rules.contains(check.rule().id), "{} finds nothing", check.rule().id);
        }
    }
}
