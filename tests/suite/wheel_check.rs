//! Wheels on this machine, looked into as those of an index are.

use std::path::Path;
use std::sync::Arc;

use ftcheck::fetch::cache::Cache;
use ftcheck::fetch::client::{Client, FetchError};
use ftcheck::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use ftcheck::model::evidence::Gil;
use ftcheck::model::report::Place;
use ftcheck::model::target::Target;
use ftcheck::wheel_check::{WheelCheck, WheelFindings};
use url::Url;

use crate::support::fixture_module;
use crate::support::sdist::noise;
use crate::support::wheel::{BuiltWheel, WheelBuilder};

const TAG: &str = "cp314-cp314t-manylinux_2_17_x86_64";

fn wheel(module: &str) -> BuiltWheel {
    WheelBuilder::new("spam", "1.0")
        .tag(TAG)
        .file("data", noise(400_000))
        .file(
            &format!("{module}.cpython-314t-x86_64-linux-gnu.so"),
            fixture_module("x86_64-linux-gnu", module),
        )
        .build()
}

fn check(path: &Path, sha256: Option<&str>, cache: &Path) -> Result<WheelFindings, FetchError> {
    check_on("x86_64-manylinux_2_28", path, sha256, cache)
}

fn check_on(
    platform: &str,
    path: &Path,
    sha256: Option<&str>,
    cache: &Path,
) -> Result<WheelFindings, FetchError> {
    let filename = path.file_name().unwrap().to_str().unwrap();
    let kind = DistributionKind::parse(filename, &"spam".parse().unwrap()).unwrap();
    let DistributionKind::Wheel(name) = kind.clone() else { panic!("a wheel") };
    let file = DistributionFile {
        kind,
        url: Url::from_file_path(path).unwrap(),
        sha256: sha256.map(|digest| digest.parse().unwrap()),
        size: None,
        requires_python: None,
        yanked: false,
        metadata: MetadataFile::Absent,
    };
    let client = Arc::new(Client::new(true).unwrap());
    let platform = platform.parse().unwrap();
    let place = Place { target: Target::default(), platform };
    let checks = WheelCheck::new(client, Cache::at(cache.to_owned()), place);
    tokio::runtime::Runtime::new().unwrap().block_on(checks.check(&file, &name))
}

#[test]
fn a_local_wheel_is_looked_into_without_a_network() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = wheel("declares");
    let path = folder.path().join(&wheel.filename);
    std::fs::write(&path, &wheel.bytes).unwrap();
    let found = check(&path, None, folder.path()).expect("findings");
    assert_eq!(found.modules.len(), 1);
    assert_eq!(found.size, wheel.bytes.len() as u64);
    assert!(!found.sha256_verified, "no digest is stated");
    let found = check(&path, Some(&wheel.sha256), folder.path()).expect("findings");
    assert!(found.sha256_verified);
}

#[test]
fn a_local_wheel_that_changed_is_not_answered_from_the_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (wheel("declares"), wheel("declares_used"));
    let path = folder.path().join(&before.filename);
    std::fs::write(&path, &before.bytes).unwrap();
    let first = check(&path, Some(&before.sha256), folder.path()).expect("findings");
    std::fs::write(&path, &after.bytes).unwrap();
    let problem = check(&path, Some(&before.sha256), folder.path()).unwrap_err().to_string();
    assert!(problem.contains("expected sha256"), "{problem}");
    assert_ne!(check(&path, None, folder.path()).expect("findings").modules, first.modules);
}

#[test]
fn a_local_wheel_is_checked_as_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let other = WheelBuilder::new("ham", "1.0").tag(TAG).build();
    let path = folder.path().join(wheel("declares").filename);
    for (bytes, expected) in [
        (other.bytes, "expected METADATA of spam 1.0"),
        (b"not a zip".to_vec(), "damaged wheel"),
        (Vec::new(), "damaged wheel"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let problem = check(&path, None, folder.path()).unwrap_err().to_string();
        assert!(problem.contains(expected), "{problem}");
    }
    std::fs::remove_file(&path).unwrap();
    let problem = check(&path, None, folder.path()).unwrap_err().to_string();
    assert!(problem.contains("there is no such file"), "{problem}");
}

#[test]
fn of_one_wheel_for_two_architectures_each_has_its_own_answer() {
    let folder = tempfile::tempdir().unwrap();
    let wheel = WheelBuilder::new("spam", "1.0")
        .tag("cp314-cp314t-macosx_11_0_universal2")
        .file("declares.cpython-314t-darwin.so", fixture_module("x86_64-macos", "declares"))
        .build();
    let path = folder.path().join(&wheel.filename);
    std::fs::write(&path, &wheel.bytes).unwrap();
    let on = |platform: &str| {
        let found = check_on(platform, &path, Some(&wheel.sha256), folder.path());
        found.expect("findings").modules.iter().map(|module| module.gil).collect::<Vec<_>>()
    };
    assert_eq!(on("x86_64-macos_14_0"), [Gil::KeepsOff]);
    assert_eq!(on("aarch64-macos_14_0"), [Gil::Undetermined]);
    assert_eq!(on("x86_64-macos_14_0"), [Gil::KeepsOff]);
}

#[test]
fn names_in_modules_are_kept_whatever_they_belong_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut module = fixture_module("x86_64-linux-gnu", "declares");
    module.extend(b"\0of_another_wheel\0pkg.helper\0");
    let name = "declares.cpython-314t-x86_64-linux-gnu.so";
    let wheel = WheelBuilder::new("spam", "1.0").tag(TAG).file(name, module).build();
    let path = folder.path().join(&wheel.filename);
    std::fs::write(&path, &wheel.bytes).unwrap();
    let found = check(&path, None, folder.path()).expect("findings");
    for wanted in ["of_another_wheel", "pkg.helper"] {
        assert!(
            found.mentions.as_ref().unwrap()[name].iter().any(|one| one == wanted),
            "{:?}",
            found.mentions
        );
    }
}
