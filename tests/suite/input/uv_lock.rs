//! uv's lockfile: locks that uv wrote, against what uv itself exports from them
//! (`fixtures/uv-lock/README.md`), and locks that are broken.

use std::collections::BTreeSet;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::str::FromStr as _;

use ftcheck::input::{Content, FORMATS, Format, Gap, InputError, Manifest, Place, Source};
use ftcheck::model::distribution::{DistributionKind, SourceFilename};
use ftcheck::model::lock::{LockGraph, LockedPackage, LockedSource};
use ftcheck::model::requirement::{Choice, Sections};
use ftcheck::model::wheel_filename::WheelFilename;
use ftcheck::resolve::lock::select;
use pep508_rs::{MarkerTree, Requirement, VerbatimUrl, VersionOrUrl};
use proptest::prelude::*;
use tempfile::tempdir;

use super::{fixture, line_and_column};
use crate::resolve::environment;

fn format() -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == "uv.lock").unwrap()
}

/// A graph, and the parts that the project has.
#[derive(Debug)]
struct Read {
    graph: LockGraph,
    sections: Sections,
}

impl Deref for Read {
    type Target = LockGraph;

    fn deref(&self) -> &LockGraph {
        &self.graph
    }
}

impl From<Manifest> for Read {
    fn from(manifest: Manifest) -> Self {
        match manifest.content {
            Content::Lock(graph) => Self { graph, sections: manifest.sections },
            Content::Requirements(_) => panic!("requirements were read"),
        }
    }
}

fn read_file(path: &Path) -> Result<Read, InputError> {
    super::read(path).map(Read::from)
}

/// Reads a text as a lock with no pyproject.toml beside it.
fn read(text: &str) -> Result<Read, InputError> {
    let path = fixture("no-such-folder/uv.lock");
    let source = Source::of_text(&path, "uv.lock", text.to_owned());
    format().read(&source).map(Read::from)
}

fn rejected(text: &str) -> InputError {
    match read(text) {
        Ok(graph) => panic!("it was read as {graph:?}"),
        Err(problem) => problem,
    }
}

/// What would be installed, apart from the project's own code: `name==version`.
fn installed(read: &Read, target: &str, platform: &str) -> BTreeSet<String> {
    let parts = Choice::default();
    let graph = &read.graph;
    select(graph, &environment(target, platform), |section| parts.includes(section, &read.sections))
        .installed
        .into_iter()
        .map(|index| &graph.packages[index])
        .filter(|package| package.source != LockedSource::Project)
        .map(name_and_version)
        .collect()
}

fn name_and_version(package: &LockedPackage) -> String {
    let version = package.version.as_ref().map(|version| format!("=={version}"));
    format!("{}{}", package.name, version.unwrap_or_default())
}

/// What uv says: the lines of its export whose markers apply. A line that names a file or a folder
/// tells no version, and gives a name alone.
fn exported(text: &str, target: &str, platform: &str) -> BTreeSet<String> {
    let environment = environment(target, platform);
    let mut lines = BTreeSet::new();
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("./") {
            let wheel = path.parse::<WheelFilename>();
            lines.insert(wheel.map_or_else(|_| path.to_owned(), |wheel| wheel.name.to_string()));
            continue;
        }
        let requirement = Requirement::<VerbatimUrl>::from_str(line).unwrap();
        // uv 0.5 left in its markers which of the groups that exclude each other is chosen.
        let chosen = ["group-18-conflicting-groups-old".parse().unwrap()];
        if requirement.marker.evaluate(&environment, &chosen) {
            lines.insert(match requirement.version_or_url {
                Some(VersionOrUrl::VersionSpecifier(version)) => {
                    format!("{}{version}", requirement.name)
                }
                _ => requirement.name.to_string(),
            });
        }
    }
    assert!(!lines.is_empty(), "an export without lines compares with nothing");
    lines
}

/// Compares a lock with an export of it, for targets and platforms that markers tell apart.
fn agrees_with_uv(lock: &Path, export: &str) {
    let graph = read_file(lock).unwrap_or_else(|problem| panic!("{problem}"));
    for (target, platform) in [
        ("3.14t", "x86_64-manylinux_2_28"),
        ("3.13t", "x86_64-windows"),
        ("3.15t", "aarch64-macos_14_0"),
    ] {
        let expected = exported(export, target, platform);
        let found: BTreeSet<String> = installed(&graph, target, platform)
            .into_iter()
            .map(|package| match package.split_once("==") {
                Some((name, _)) if expected.contains(name) => name.to_owned(),
                _ => package,
            })
            .collect();
        assert_eq!(found, expected, "{} for {target} on {platform}", lock.display());
    }
}

fn case_agrees_with_uv(case: &str, lock: &str) {
    let folder = fixture("uv-lock").join(case);
    let export = fs::read_to_string(folder.join("expected.txt")).unwrap();
    agrees_with_uv(&folder.join(lock), &export);
}

#[test]
fn a_plain_project_installs_what_uv_installs() {
    case_agrees_with_uv("plain", "uv.lock");
}

/// Revisions 0 to 3 of the format, as older releases of uv write them.
#[test]
fn locks_of_older_releases_install_what_those_install() {
    let folders = fs::read_dir(fixture("uv-lock/older")).unwrap();
    let mut count = 0;
    for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        let export = fs::read_to_string(folder.join("expected.txt")).unwrap();
        agrees_with_uv(&folder.join("uv.lock"), &export);
        count += 1;
    }
    assert_eq!(count, 7);
}

/// What uv writes fits what it was written for: also where it simplified a marker.
#[test]
fn a_lock_that_uv_wrote_just_now_is_up_to_date() {
    let mut count = 0;
    for case in fs::read_dir(fixture("uv-lock")).unwrap().map(|entry| entry.unwrap().path()) {
        for name in ["uv.lock", "demo.py.lock"] {
            let lock = case.join(name);
            if !lock.is_file() {
                continue;
            }
            count += 1;
            let manifest = super::read(&lock).unwrap();
            for gap in manifest.gaps {
                let is_stale = match &gap {
                    Gap::Always(_) => true,
                    Gap::Narrower { asked, known, .. } => ["3.13t", "3.14t"].iter().any(|target| {
                        let here = environment(target, "x86_64-manylinux_2_28");
                        let applies = |marker: &MarkerTree| marker.evaluate(&here, &[]);
                        applies(asked) && !known.iter().any(applies)
                    }),
                    _ => false,
                };
                assert!(!is_stale, "{}: {gap:?}", lock.display());
            }
        }
    }
    assert_eq!(count, 13);
}

/// Cut off between packages, where the format itself does not tell.
#[test]
fn a_lock_without_one_of_its_packages_is_rejected() {
    for case in ["plain", "workspace", "virtual-workspace", "forks", "default-groups"] {
        let text = fs::read_to_string(fixture("uv-lock").join(case).join("uv.lock")).unwrap();
        let starts: Vec<usize> = text.match_indices("[[package]]").map(|(at, _)| at).collect();
        for at in starts {
            let problem = rejected(&text[..at]);
            assert!(!problem.problem.is_empty());
        }
    }
}

#[test]
fn a_digest_that_is_none_is_rejected() {
    let text = fs::read_to_string(fixture("uv-lock/plain/uv.lock")).unwrap();
    let problem = rejected(&text.replacen("sha256:", "sha256:x", 1));
    assert!(problem.problem.contains("digest"), "{problem}");
    // Others are of files whose URL is given.
    assert!(read(&text.replacen("sha256:", "md5:", 1)).is_ok());
}

#[test]
fn markers_that_uv_writes_otherwise_are_evaluated() {
    case_agrees_with_uv("markers", "uv.lock");
}

#[test]
fn groups_of_a_workspace_without_a_project_are_installed() {
    case_agrees_with_uv("settings", "uv.lock");
}

#[test]
fn a_workspace_installs_the_project_at_its_root() {
    case_agrees_with_uv("workspace", "uv.lock");
}

#[test]
fn a_workspace_without_a_project_installs_every_member() {
    case_agrees_with_uv("virtual-workspace", "uv.lock");
}

#[test]
fn of_packages_locked_twice_the_one_for_the_target_is_installed() {
    case_agrees_with_uv("forks", "uv.lock");
}

#[test]
fn extras_that_exclude_each_other_are_told_apart() {
    case_agrees_with_uv("conflicting-extras", "uv.lock");
}

#[test]
fn groups_that_exclude_each_other_are_told_apart() {
    case_agrees_with_uv("conflicting-groups", "uv.lock");
}

#[test]
fn members_that_exclude_each_other_are_told_apart() {
    case_agrees_with_uv("conflicting-members", "uv.lock");
}

/// `uv export` with each of these options, for a workspace with a project at its root.
#[test]
fn what_is_asked_for_is_installed() {
    super::locks::agrees("uv-lock/choices", "uv.lock");
}

#[test]
fn a_scripts_lock_installs_what_uv_installs() {
    case_agrees_with_uv("script", "demo.py.lock");
}

#[test]
fn every_kind_of_source_is_read() {
    case_agrees_with_uv("sources", "uv.lock");
}

/// Copies the lock of `default-groups` beside another pyproject.toml.
fn with_default_groups(pyproject: &str, export: &str) {
    let from = fixture("uv-lock/default-groups");
    let folder = tempdir().unwrap();
    let lock = folder.path().join("uv.lock");
    fs::copy(from.join("uv.lock"), &lock).unwrap();
    fs::write(folder.path().join("pyproject.toml"), pyproject).unwrap();
    agrees_with_uv(&lock, &fs::read_to_string(from.join(export)).unwrap());
}

#[test]
fn the_groups_that_pyproject_toml_names_are_installed() {
    case_agrees_with_uv("default-groups", "uv.lock");
    with_default_groups("[tool.uv]\ndefault-groups = [\"Test.Suite\"]\n", "expected.txt");
    with_default_groups("[tool.uv]\ndefault-groups = \"all\"\n", "expected-all.txt");
    with_default_groups("[tool.uv]\ndefault-groups = []\n", "expected-none.txt");
}

#[test]
fn the_group_dev_is_installed_where_pyproject_toml_names_none() {
    let from = fixture("uv-lock/default-groups");
    let none = fs::read_to_string(from.join("expected-none.txt")).unwrap();
    // The member of `dev`, in that lock.
    let export = format!("{none}iniconfig==2.3.1\n");
    let folder = tempdir().unwrap();
    let lock = folder.path().join("uv.lock");
    fs::copy(from.join("uv.lock"), &lock).unwrap();
    fs::write(folder.path().join("pyproject.toml"), "[project]\nname = \"x\"\n").unwrap();
    agrees_with_uv(&lock, &export);
}

#[test]
fn a_pyproject_toml_that_cannot_be_read_is_told_with_its_place() {
    let folder = tempdir().unwrap();
    let lock = folder.path().join("uv.lock");
    fs::copy(fixture("uv-lock/plain/uv.lock"), &lock).unwrap();
    fs::write(folder.path().join("pyproject.toml"), "[tool.uv]\ndefault-groups = [\n").unwrap();
    let problem = read_file(&lock).unwrap_err();
    let Place::Spot(place) = &problem.place else { panic!("{problem}") };
    assert!(place.path.ends_with("pyproject.toml"), "{problem}");
    assert!(place.line >= 2, "{problem}");
}

#[test]
fn where_a_package_comes_from_is_told() {
    let graph = read_file(&fixture("uv-lock/workspace/uv.lock")).unwrap();
    let source = |graph: &LockGraph, name: &str| {
        let package = graph.packages.iter().find(|package| package.name.to_string() == name);
        package.unwrap_or_else(|| panic!("{name} is not locked")).source.clone()
    };
    assert_eq!(source(&graph, "roof"), LockedSource::Project);
    assert_eq!(source(&graph, "wall"), LockedSource::Project);
    assert_eq!(source(&graph, "door"), LockedSource::Project);
    assert_eq!(source(&graph, "idna"), LockedSource::Files);
}

/// A directory that is no member of the workspace is a dependency like others, only that its wheel
/// is nowhere yet.
#[test]
fn a_directory_and_a_repository_are_built_and_a_url_is_not() {
    let text = r#"
        version = 1
        [[package]]
        name = "app"
        source = { virtual = "." }
        dependencies = [{ name = "lib" }, { name = "repo" }, { name = "wheel" }]
        [[package]]
        name = "lib"
        source = { directory = "../lib" }
        [[package]]
        name = "repo"
        version = "1.0"
        source = { git = "https://git.example/repo?rev=v1#0123456789abcdef0123456789abcdef01234567" }
        [[package]]
        name = "wheel"
        version = "1.0"
        source = { url = "https://h.example/wheel-1.0-py3-none-any.whl" }
        wheels = [{ url = "https://h.example/wheel-1.0-py3-none-any.whl", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }]
    "#;
    let graph = read(text).unwrap();
    let sources: Vec<_> = graph.packages.iter().map(|package| &package.source).collect();
    assert_eq!(sources[0], &LockedSource::Project);
    assert!(matches!(sources[1], LockedSource::Built(what) if what.contains("../lib")));
    assert!(matches!(sources[2], LockedSource::Built(what) if what.contains("git")));
    assert_eq!(sources[3], &LockedSource::Files);
    assert_eq!(
        installed(&graph, "3.14t", "linux"),
        ["lib", "repo==1.0", "wheel==1.0"].map(str::to_owned).into()
    );
}

/// `{ url = …, subdirectory = … }`, as in the fixture `sources`.
#[test]
fn an_archive_with_a_subdirectory_is_read() {
    let text = r#"
        version = 1
        [[package]]
        name = "app"
        source = { virtual = "." }
        dependencies = [{ name = "pack" }]
        [[package]]
        name = "pack"
        version = "1.0"
        source = { url = "https://h.example/pack-1.0.tar.gz", subdirectory = "python" }
        sdist = { hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }
    "#;
    let graph = read(text).unwrap_or_else(|problem| panic!("{problem}"));
    assert_eq!(installed(&graph, "3.14t", "linux"), ["pack==1.0".to_owned()].into());
}

/// The same file, read by nothing but a TOML parser.
#[test]
fn every_file_of_a_package_is_read_with_url_and_digest() {
    let path = fixture("uv-lock/plain/uv.lock");
    let graph = read_file(&path).unwrap();
    let lock: toml::Table = fs::read_to_string(&path).unwrap().parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    assert_eq!(packages.len(), graph.packages.len());
    let mut files = 0;
    for (expected, package) in packages.iter().zip(&graph.packages) {
        let text = |value: &toml::Value, key: &str| value[key].as_str().unwrap().to_owned();
        assert_eq!(package.name.to_string(), text(expected, "name"));
        assert_eq!(package.version.as_ref().unwrap().to_string(), text(expected, "version"));
        let wheels = expected.get("wheels").and_then(toml::Value::as_array);
        let listed: BTreeSet<(String, String)> = wheels
            .into_iter()
            .flatten()
            .chain(expected.get("sdist"))
            .map(|file| (text(file, "url"), text(file, "hash")))
            .collect();
        let read: BTreeSet<(String, String)> = package
            .files
            .iter()
            .map(|file| (file.url.to_string(), format!("sha256:{}", file.sha256.unwrap())))
            .collect();
        assert_eq!(read, listed, "{}", package.name);
        files += listed.len();
    }
    assert!(files > 50, "the fixture holds too little to compare");
}

#[test]
fn a_size_is_read_where_it_is_stated() {
    let text = r#"
        version = 1
        [[package]]
        name = "app"
        source = { editable = "." }
        dependencies = [{ name = "spam" }]
        [[package]]
        name = "spam"
        version = "1.0"
        source = { registry = "https://pypi.org/simple" }
        sdist = { url = "https://h.example/spam-1.0.tar.gz", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000", size = 12 }
        wheels = [
            { url = "https://h.example/spam-1.0-py3-none-any.whl", hash = "md5:00", size = 345 },
            { url = "https://h.example/spam-1.0%2Bcpu-py3-none-any.whl" },
        ]
    "#;
    let graph = read(text).unwrap();
    let spam = &graph.packages[1];
    let sizes: Vec<_> = spam.files.iter().map(|file| (file.kind.filename(), file.size)).collect();
    assert_eq!(
        sizes,
        [
            ("spam-1.0-py3-none-any.whl", Some(345)),
            ("spam-1.0+cpu-py3-none-any.whl", None),
            ("spam-1.0.tar.gz", Some(12)),
        ]
    );
    // A digest of another kind is no SHA-256 digest.
    let has_digest: Vec<_> = spam.files.iter().map(|file| file.sha256.is_some()).collect();
    assert_eq!(has_digest, [false, false, true]);
    assert!(spam.files.iter().all(|file| !file.yanked && file.requires_python.is_none()));
}

/// `[tool.uv.sources] spam = { path = … }` and a folder of wheels as an index.
#[test]
fn files_on_this_machine_are_read_by_their_names() {
    let text = r#"
        version = 1
        [[package]]
        name = "app"
        source = { virtual = "." }
        dependencies = [{ name = "spam" }, { name = "eggs" }]
        [[package]]
        name = "spam"
        version = "1.0"
        source = { path = "links/spam-1.0-py3-none-any.whl" }
        wheels = [{ filename = "spam-1.0-py3-none-any.whl", hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000" }]
        [[package]]
        name = "eggs"
        version = "2.0"
        source = { registry = "links" }
        sdist = { path = "eggs-2.0.tar.gz" }
        wheels = [{ path = "eggs-2.0-py3-none-any.whl" }]
    "#;
    let graph = read(text).unwrap();
    let names = |at: usize| -> Vec<_> {
        graph.packages[at].files.iter().map(|file| file.kind.filename().to_owned()).collect()
    };
    assert_eq!(names(1), ["spam-1.0-py3-none-any.whl"]);
    assert_eq!(names(2), ["eggs-2.0-py3-none-any.whl", "eggs-2.0.tar.gz"]);
    let eggs = graph.packages[2].name.clone();
    let source = SourceFilename::parse("eggs-2.0.tar.gz", &eggs).unwrap();
    assert_eq!(graph.packages[2].files[1].kind, DistributionKind::Source(source));
}

#[test]
fn a_package_stands_where_its_table_begins() {
    let path = fixture("uv-lock/plain/uv.lock");
    let graph = read_file(&path).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for package in &graph.packages {
        let line = package.location.line;
        // The header, or the line below it that names the package.
        let rest = &lines[line - 1..=line];
        let name = format!("name = \"{}\"", package.name);
        assert!(rest.contains(&name.as_str()), "{}: {rest:?}", package.location);
        assert_eq!(package.location.column, 1);
    }
}

fn plain() -> String {
    fs::read_to_string(fixture("uv-lock/plain/uv.lock")).unwrap()
}

#[test]
fn a_truncated_lock_is_told_at_its_end() {
    let text = plain();
    // Within a string of a list of files.
    let cut = text.find("/httpx-").unwrap();
    let problem = rejected(&text[..cut]);
    let last = text[..cut].lines().count();
    assert_eq!(line_and_column(&problem).0, last, "{problem}");
    // Within a list, between two files.
    let cut = text.find("wheels = [\n").unwrap() + "wheels = [\n".len();
    let problem = rejected(&text[..cut]);
    let end = text[..cut].lines().count();
    let (line, _) = line_and_column(&problem);
    assert!(line == end || line == end + 1, "{problem}");
}

#[test]
fn a_merge_conflict_is_told_where_it_begins() {
    let text = plain().replace(
        "version = \"0.28.1\"\n",
        "<<<<<<< HEAD\nversion = \"0.28.1\"\n=======\nversion = \"0.28.0\"\n>>>>>>> other\n",
    );
    let line = text.lines().position(|line| line.starts_with("<<<<<<<")).unwrap() + 1;
    assert_eq!(line_and_column(&rejected(&text)).0, line);
}

#[test]
fn another_version_of_the_format_is_rejected_by_its_number() {
    let text = plain().replacen("version = 1\n", "version = 2\n", 1);
    let problem = rejected(&text);
    assert!(problem.to_string().contains("version 1"), "{problem}");
    assert!(problem.to_string().contains('2'), "{problem}");
}

/// uv reads the number first, for a new version is there because the rest has changed.
#[test]
fn a_newer_version_is_told_even_where_the_rest_is_not_understood() {
    let text = "version = 2\n[[package]]\nid = \"spam@1.0\"\nsource = { index = 0 }\n";
    let problem = rejected(text);
    assert!(problem.to_string().contains("version 1"), "{problem}");
}

/// uv raises the revision for additions that older readers may pass over.
#[test]
fn a_newer_revision_and_unknown_keys_are_read() {
    let text = plain().replacen("revision = 5\n", "revision = 99\nsurprise = [1]\n", 1).replacen(
        "[[package]]\n",
        "[[package]]\nsurprise = { a = 1 }\n",
        1,
    );
    assert_ne!(text, plain());
    let before = installed(&read(&plain()).unwrap(), "3.14t", "linux");
    assert_eq!(installed(&read(&text).unwrap(), "3.14t", "linux"), before);
}

const HEAD: &str = "version = 1\n[[package]]\nname = \"app\"\nsource = { virtual = \".\" }\n";

#[test]
fn a_dependency_that_is_not_locked_is_told_with_both_names() {
    let problem = rejected(&format!("{HEAD}dependencies = [{{ name = \"spam\" }}]\n"));
    for part in ["uv.lock", "`app`", "`spam`", "not locked"] {
        assert!(problem.to_string().contains(part), "{problem}");
    }
    assert!(problem.hint.is_some());
}

/// Of a package that is locked twice, a dependency says which is meant.
#[test]
fn a_dependency_that_two_packages_answer_to_is_rejected() {
    let package = |version: &str| {
        format!(
            "[[package]]\nname = \"spam\"\nversion = \"{version}\"\n\
             source = {{ registry = \"https://pypi.org/simple\" }}\n"
        )
    };
    let both = format!("{}{}", package("1.0"), package("2.0"));
    let lock = |dependency: &str| format!("{HEAD}dependencies = [{{ {dependency} }}]\n{both}");
    assert!(read(&lock("name = \"spam\"")).is_err());
    assert!(read(&lock("name = \"spam\", version = \"3.0\"")).is_err());
    let graph = read(&lock("name = \"spam\", version = \"2.0\"")).unwrap();
    assert_eq!(installed(&graph, "3.14t", "linux"), ["spam==2.0".to_owned()].into());
}

#[test]
fn a_malformed_value_is_told_with_its_place() {
    for (line, place) in [
        ("version = \"one\"\n", (5, 11)),
        ("dependencies = [{ name = \"!\" }]\n", (5, 26)),
        ("wheels = 1\n", (5, 10)),
        ("source = { virtual = \".\" }\n", (5, 1)),
    ] {
        let problem = rejected(&format!("{HEAD}{line}"));
        assert_eq!(line_and_column(&problem), place, "{problem}");
    }
}

#[test]
fn a_malformed_marker_is_rejected_with_its_text() {
    let text = format!(
        "{HEAD}dependencies = [{{ name = \"spam\", marker = \"os_name ==\" }}]\n\
         [[package]]\nname = \"spam\"\nversion = \"1\"\nsource = {{ registry = \"r\" }}\n"
    );
    let problem = rejected(&text);
    assert!(problem.to_string().contains("`os_name ==`"), "{problem}");
}

#[test]
fn a_lock_that_installs_nothing_is_rejected() {
    for text in ["version = 1\n", HEAD] {
        assert!(rejected(text).to_string().contains("found none"));
    }
    assert!(read("").is_err());
}

#[test]
fn bytes_that_are_no_utf_8_are_told_with_their_place() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("uv.lock");
    fs::write(&path, b"version = 1\n# \xff\n").unwrap();
    assert_eq!(line_and_column(&read_file(&path).unwrap_err()), (2, 3));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 128,
        ..ProptestConfig::default()
    })]

    /// Whatever a failed download or a disk that ran full leaves: an answer or an error, and the
    /// place of the error lies within what is there.
    #[test]
    fn no_cut_and_no_flipped_byte_makes_it_panic(
        at: prop::sample::Index,
        byte in prop::option::of(0..128u8),
    ) {
        let text = fs::read_to_string(fixture("uv-lock/conflicting-groups/uv.lock")).unwrap();
        let at = at.index(text.len());
        let text = match byte {
            None => text[..at].to_owned(),
            Some(byte) => format!("{}{}{}", &text[..at], char::from(byte), &text[at + 1..]),
        };
        if let Err(InputError { place: Place::Spot(place), .. }) = read(&text) {
            prop_assert!((1..=text.split('\n').count()).contains(&place.line));
        }
    }

    #[test]
    fn no_text_makes_it_panic(
        text in prop_oneof![
            "\\PC{0,60}",
            "version = 1\n(\\[\\[package\\]\\]\n|[a-z]{1,8} = [\\[\\]{}\"a-z0-9]{0,6}\n){0,6}",
        ],
    ) {
        // Nothing that short holds a project with dependencies.
        prop_assert!(read(&text).is_err());
    }
}
