//! poetry's lockfile: locks that poetry wrote, against what poetry itself installs of them
//! (`fixtures/poetry-lock/README.md`), and locks that are broken.

use ftcheck::input::{Gap, Place};
use ftcheck::model::lock::{LockedSource, Walk};
use proptest::prelude::*;

use super::line_and_column;
use super::locks::{
    agrees, beside, choice, graph, installed, package, read_text, rejected, survives_truncation,
    text,
};

const LOCK: &str = "poetry.lock";

#[test]
fn a_web_application_installs_what_poetry_installs() {
    agrees("poetry-lock/web", LOCK);
}

#[test]
fn a_project_with_poetrys_own_tables_installs_what_poetry_installs() {
    agrees("poetry-lock/science", LOCK);
}

#[test]
fn a_lock_that_fits_its_project_has_no_gap_but_its_pythons() {
    for (folder, minor) in [("poetry-lock/web", "3.10"), ("poetry-lock/science", "3.9")] {
        let manifest = super::read(&super::fixture(folder).join(LOCK)).unwrap();
        let [Gap::RequiresPython(range)] = manifest.gaps.as_slice() else {
            panic!("{:?}", manifest.gaps)
        };
        assert!(range.to_string().contains(minor), "{range}");
    }
}

#[test]
fn a_project_that_has_changed_since_is_told() {
    for (folder, from, to) in [
        ("poetry-lock/web", "jinja2>=3.1", "jinja2>=3.2"),
        ("poetry-lock/science", "^4.66", "^4.67"),
    ] {
        let project = text(format!("{folder}/pyproject.toml")).replace(from, to);
        let manifest = beside(folder, LOCK, "pyproject.toml", &project).unwrap();
        let told = manifest
            .gaps
            .iter()
            .any(|gap| matches!(gap, Gap::Always(text) if text.contains("has changed")));
        assert!(told, "{:?}", manifest.gaps);
    }
}

#[test]
fn direct_dependencies_are_named_where_the_project_names_them() {
    let manifest = super::read(&super::fixture("poetry-lock/science").join(LOCK)).unwrap();
    let named = &graph(&manifest).named;
    let place = &named[&"pandas".parse().unwrap()];
    assert!(place.path.ends_with("pyproject.toml"));
    assert_eq!((place.line, place.column), (14, 1));
}

#[test]
fn sources_are_read() {
    let manifest = super::read(&super::fixture("poetry-lock/science").join(LOCK)).unwrap();
    let graph = graph(&manifest);
    assert_eq!(graph.walk, Walk::Roots);
    let six = package(graph, "six");
    assert_eq!(six.source, LockedSource::Files);
    assert_eq!(six.files.len(), 1);
    assert!(six.files[0].sha256.is_some());
    let LockedSource::Index { index, hashes } = &package(graph, "tqdm").source else { panic!() };
    assert_eq!(index.as_deref(), Some("index"));
    assert_eq!(hashes.len(), 2);
    assert_eq!(manifest.indexes.indexes[0].url.as_str(), "https://pypi.org/simple");
}

/// A package in the middle of a lock.
fn lock(body: &str) -> String {
    format!(
        "[[package]]\nname = \"spam\"\nversion = \"1.0\"\noptional = false\n\
         python-versions = \">=3.9\"\n{body}\n\n[metadata]\nlock-version = \"2.1\"\n\
         python-versions = \">=3.9\"\ncontent-hash = \"00\"\n"
    )
}

#[test]
fn every_kind_of_source_is_told() {
    let with = |source: &str| {
        let text = lock(&format!("groups = [\"main\"]\nfiles = []\n[package.source]\n{source}"));
        let manifest = read_text(LOCK, &text).unwrap_or_else(|problem| panic!("{problem}"));
        package(graph(&manifest), "spam").source.clone()
    };
    let built = |source| matches!(with(source), LockedSource::Built(_));
    assert!(built("type = \"git\"\nurl = \"https://git.example/spam\"\nreference = \"main\""));
    assert!(built("type = \"directory\"\nurl = \"../spam\""));
    assert!(built("type = \"url\"\nurl = \"https://h.example/main.zip\""));
    assert_eq!(with("type = \"directory\"\nurl = \".\""), LockedSource::Project);
    let wheel = "type = \"file\"\nurl = \"dist/spam-1.0-py3-none-any.whl\"";
    assert_eq!(with(wheel), LockedSource::Files);
    assert_eq!(
        read_text(LOCK, &lock("groups = [\"main\"]\nfiles = []"))
            .map(|manifest| { package(graph(&manifest), "spam").source.clone() }),
        Ok(LockedSource::Index { index: None, hashes: Vec::new() })
    );
}

#[test]
fn digests_of_other_algorithms_are_a_gap() {
    let text = lock("groups = [\"main\"]\nfiles = [{file = \"a\", hash = \"md5:00\"}]");
    let gaps = read_text(LOCK, &text).unwrap().gaps;
    assert!(gaps.iter().any(|gap| matches!(gap, Gap::Always(text) if text.contains("`spam`"))));
}

#[test]
fn groups_without_pyproject_toml_are_installed() {
    let text = lock("groups = [\"dev\"]\nfiles = []");
    let manifest = read_text(LOCK, &text).unwrap();
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("")).len(), 1);
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("no-default-groups")).len(), 0);
}

#[test]
fn pythons_that_poetry_writes_in_its_own_way_are_read() {
    let gaps = |versions: &str| {
        let text = lock("groups = [\"main\"]\nfiles = []").replace(
            "python-versions = \">=3.9\"\ncontent",
            &format!("python-versions = \"{versions}\"\ncontent"),
        );
        read_text(LOCK, &text).unwrap().gaps
    };
    let range = |versions: &str| match gaps(versions).as_slice() {
        [Gap::RequiresPython(range)] => range.to_string(),
        others => panic!("{others:?}"),
    };
    assert_eq!(range("^3.9"), ">=3.9, <4");
    assert_eq!(range("~3.9"), ">=3.9, <3.10");
    assert_eq!(range(">= 3.9, < 3.15"), ">=3.9, <3.15");
    assert_eq!(range(">=3.9 <3.15"), ">=3.9, <3.15");
    assert_eq!(range("*"), "");
    assert_eq!(range("3.12.*"), "==3.12.*");
    assert!(matches!(gaps("~3.9 || ^3.13").as_slice(), [Gap::Environments(_)]));
}

#[test]
fn bad_locks_are_rejected_with_their_place() {
    let good = lock("groups = [\"main\"]\nfiles = []");
    for (text, place) in [
        (good.replace("\"2.1\"", "\"3.0\""), (10, 16)),
        (good.replace("\"1.0\"", "1.0"), (3, 11)),
        (good.replace("groups = [\"main\"]\n", ""), (1, 1)),
        (good.replace("groups = [\"main\"]", "groups = [\"main\"]\nmarkers = \"spam ==\""), (1, 1)),
        (good.replace("files = []", "<<<<<<< HEAD\nfiles = []"), (7, 1)),
        (good.replace("files = []", "files = [{file = \"a\", hash = \"sha256:0\"}]"), (1, 1)),
        (good.replace(">=3.9\"\ncontent", "nonsense\"\ncontent"), (11, 19)),
    ] {
        assert_ne!(text, good);
        let problem = rejected(LOCK, &text);
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
    }
    let empty = good.split("[metadata]").nth(1).unwrap();
    let problem = rejected(LOCK, &format!("[metadata]{empty}"));
    assert!(matches!(problem.place, Place::File(_)), "{problem}");
}

#[test]
fn a_lock_that_is_cut_off_is_an_error() {
    survives_truncation("poetry-lock/science", LOCK);
    let whole = text("poetry-lock/science/poetry.lock");
    // `[metadata]` stands last: without it the file is no lock.
    rejected(LOCK, &whole[..whole.find("[metadata]").unwrap()]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A lock written from a model installs what the model says.
    #[test]
    fn a_lock_made_of_a_model_is_read_back(
        packages in prop::collection::vec((0..3usize, 0..3usize, prop::bool::ANY), 1..8),
    ) {
        let groups = ["main", "dev", "docs"];
        let markers = ["sys_platform == 'linux'", "sys_platform == 'win32'", "extra == 'more'"];
        let mut lock = String::new();
        let mut expected = std::collections::BTreeSet::new();
        for (at, (group, marker, marked)) in packages.iter().enumerate() {
            lock += &format!(
                "[[package]]\nname = \"p{at}\"\nversion = \"{at}.0\"\noptional = false\n\
                 python-versions = \"*\"\ngroups = [\"{}\"]\nfiles = []\n", groups[*group]
            );
            if *marked {
                lock += &format!("markers = \"{}\"\n", markers[*marker]);
            }
            if !*marked || *marker == 0 {
                expected.insert(format!("p{at}=={at}.0"));
            }
        }
        lock += "[extras]\nmore = []\n[metadata]\nlock-version = \"2.1\"\npython-versions = \"*\"\n";
        let manifest = read_text(LOCK, &lock).unwrap();
        prop_assert_eq!(installed(&manifest, "3.14t", "linux", &choice("")), expected);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        prop_assert!(read_text(LOCK, &text).is_err());
    }
}

#[test]
fn locks_that_do_not_say_what_is_installed_install_what_poetry_installs() {
    for folder in ["poetry-lock/2.0", "poetry-lock/2.0-categories", "poetry-lock/1.1"] {
        agrees(folder, LOCK);
        let manifest = super::read(&super::fixture(folder).join(LOCK)).unwrap();
        assert_eq!(graph(&manifest).walk, Walk::Ranges);
        assert!(manifest.notes.is_empty(), "{:?}", manifest.notes);
        let [Gap::RequiresPython(_)] = manifest.gaps.as_slice() else {
            panic!("{:?}", manifest.gaps)
        };
        survives_truncation(folder, LOCK);
    }
}

/// Reads a lock beside a pyproject.toml.
fn read_with(
    lock: &str,
    project: &str,
) -> Result<ftcheck::input::Manifest, ftcheck::input::InputError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK);
    std::fs::write(&path, lock).unwrap();
    std::fs::write(folder.path().join("pyproject.toml"), project).unwrap();
    super::read(&path)
}

/// An entry of a lock before version 2.1.
fn entry(name: &str, version: &str, rest: &str) -> String {
    format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{rest}\n")
}

const OLDER: &str = "[metadata]\nlock-version = \"2.0\"\npython-versions = \"*\"\n";

fn names(manifest: &ftcheck::input::Manifest, words: &str) -> Vec<String> {
    installed(manifest, "3.14t", "linux", &choice(words)).into_iter().collect()
}

#[test]
fn older_locks_without_a_project_install_what_is_not_optional() {
    let mut lock = text("poetry-lock/1.1/poetry.lock");
    let manifest = read_text(LOCK, &lock).unwrap();
    let [note] = manifest.notes.as_slice() else { panic!("{:?}", manifest.notes) };
    assert!(note.contains("no pyproject.toml"), "{note}");
    let all = names(&manifest, "");
    assert!(all.contains(&"pytest==8.4.2".to_owned()) && all.contains(&"flask==3.1.3".to_owned()));
    // Optional, and asked for by the extra `cache`.
    assert!(!all.iter().any(|name| name.starts_with("redis")));
    assert!(names(&manifest, "extra=cache").iter().any(|name| name.starts_with("redis")));
    // Of the category `dev`.
    assert!(!names(&manifest, "no-default-groups").iter().any(|name| name.starts_with("pytest")));
    // The files stand behind the packages: those of the last ones are cut off.
    lock.truncate(lock.find("werkzeug = [").unwrap());
    assert!(rejected(LOCK, &lock).problem.contains("werkzeug"));
}

/// Written by hand after what poetry 1.1 reads: no version of the format, markers of packages, and
/// `python` for a dependency. Before that, digests alone.
#[test]
fn locks_of_poetry_1_0_and_before_are_read() {
    let digest = "0".repeat(64);
    let packages = entry(
        "Spam",
        "1.0",
        "category = \"main\"\noptional = false\n[package.dependencies]\nham = \"*\"\n\
         [package.dependencies.eggs]\nversion = \">=1\"\npython = \"<3.9\"\n",
    ) + &entry(
        "eggs",
        "1.0",
        "category = \"main\"\noptional = false\nmarker = \"python_version < \\\"3.9\\\"\"\n",
    ) + &entry("ham", "1.0", "category = \"dev\"\noptional = false\n");
    let file = format!("[{{file = \"a\", hash = \"sha256:{digest}\"}}]");
    let files = format!(
        "[metadata]\npython-versions = \"*\"\n[metadata.files]\nspam = {file}\neggs = {file}\nham = {file}\n"
    );
    let hashes = format!(
        "[metadata]\npython-versions = \"*\"\n[metadata.hashes]\nspam = [\"{digest}\"]\neggs = [\"{digest}\"]\nham = [\"{digest}\"]\n"
    );
    let project = "[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\nspam = \"^1\"\n";
    for metadata in [files, hashes] {
        let lock = packages.clone() + &metadata;
        let manifest = read_with(&lock, project).unwrap();
        assert_eq!(names(&manifest, ""), ["ham==1.0", "spam==1.0"]);
        let LockedSource::Index { hashes, .. } = &package(graph(&manifest), "spam").source else {
            panic!()
        };
        assert_eq!(hashes.len(), 1);
        // Without the project, the package's own marker counts.
        let alone = read_text(LOCK, &lock).unwrap();
        assert_eq!(names(&alone, "no-default-groups"), ["spam==1.0"]);
        assert_eq!(names(&alone, ""), ["ham==1.0", "spam==1.0"]);
    }
}

#[test]
fn of_two_releases_the_one_is_installed_that_all_requirements_allow() {
    let lock =
        entry("a", "1.0", "files = []\n[package.dependencies]\nb = \"*\"\nc = \"<2 || >3\"\n")
            + &entry("b", "1.0", "files = []\n")
            + &entry("b", "2.0", "files = []\n[package.dependencies]\nd = \"*\"\n")
            + &entry("c", "1.0", "files = []\n")
            + &entry("c", "2.5", "files = []\n")
            + &entry("d", "1.0", "files = []\n")
            + OLDER;
    let with = |dependencies: &str| {
        let head = "[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\na = \"*\"\n";
        let manifest = read_with(&lock, &format!("{head}{dependencies}")).unwrap();
        names(&manifest, "")
    };
    assert_eq!(with(""), ["a==1.0", "b==2.0", "c==1.0", "d==1.0"]);
    let several = "b = [{version = \"^1\", markers = \"sys_platform == 'linux'\"}, \
                   {version = \"^2\", markers = \"sys_platform != 'linux'\"}]\n";
    assert_eq!(with(several), ["a==1.0", "b==1.0", "c==1.0"]);
}

#[test]
fn what_a_lock_does_not_have_is_no_success() {
    let lock = entry(
        "a",
        "1.0",
        "files = []\n[package.dependencies]\nlost = \"*\"\nsetuptools = \"*\"\n\
         gone = {version = \"*\", markers = \"sys_platform == 'win32'\"}\n\
         more = {version = \"*\", optional = true}\n[package.extras]\nall = [\"more\"]\n",
    ) + OLDER;
    let head = "[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\n";
    let manifest = read_with(&lock, &format!("{head}a = \"*\"\n")).unwrap();
    // A package without files is one that is not known.
    assert_eq!(names(&manifest, ""), ["a==1.0", "lost"]);
    let lost = package(graph(&manifest), "lost");
    assert_eq!((&lost.source, lost.files.len()), (&LockedSource::Files, 0));
    let [note] = manifest.notes.as_slice() else { panic!("{:?}", manifest.notes) };
    assert!(note.contains("setuptools"), "{note}");
    let more = format!("{head}a = {{version = \"*\", extras = [\"all\"]}}\nother = \"*\"\n");
    let manifest = read_with(&lock, &more).unwrap();
    assert_eq!(names(&manifest, ""), ["a==1.0", "lost", "more", "other"]);
}

#[test]
fn a_project_that_has_changed_since_an_older_lock_is_told() {
    for folder in ["poetry-lock/1.1", "poetry-lock/2.0-categories"] {
        let project =
            text(format!("{folder}/pyproject.toml")).replace("pytest = \"^8", "pytest = \"^8.0");
        let manifest = beside(folder, LOCK, "pyproject.toml", &project).unwrap();
        let told = |gap: &Gap| matches!(gap, Gap::Always(text) if text.contains("has changed"));
        assert!(manifest.gaps.iter().any(told), "{folder}: {:?}", manifest.gaps);
    }
}

#[test]
fn a_requirement_that_is_no_range_does_not_choose() {
    let lock = entry("c", "1.0", "files = []\n") + &entry("c", "2.5", "files = []\n") + OLDER;
    let project = "[tool.poetry]\nname = \"x\"\n[tool.poetry.dependencies]\nc = \"<2 || >3\"\n";
    let gaps = read_with(&lock, project).unwrap().gaps;
    assert!(
        gaps.iter().any(|gap| matches!(gap, Gap::Always(text) if text.contains("`c`"))),
        "{gaps:?}"
    );
}
