//! pdm's lockfile: locks that pdm wrote, against what pdm itself installs of them
//! (`fixtures/pdm-lock/README.md`), and locks that are broken.

use ftcheck::input::{Gap, Place};
use ftcheck::model::lock::LockedSource;
use proptest::prelude::*;

use super::line_and_column;
use super::locks::{
    agrees, beside, choice, graph, installed, package, read_text, rejected, survives_truncation,
    text,
};
use crate::resolve::environment;

const LOCK: &str = "pdm.lock";

#[test]
fn a_web_application_installs_what_pdm_installs() {
    agrees("pdm-lock/web", LOCK);
}

#[test]
fn a_lock_with_static_urls_installs_what_pdm_installs() {
    agrees("pdm-lock/science", LOCK);
    let manifest = super::read(&super::fixture("pdm-lock/science").join(LOCK)).unwrap();
    let numpy = package(graph(&manifest), "numpy");
    assert_eq!(numpy.source, LockedSource::Files);
    assert!(numpy.files.iter().all(|file| file.sha256.is_some()));
    assert!(numpy.files.iter().any(|file| file.kind.filename().contains("cp314t-manylinux")));
}

#[test]
fn a_lock_for_several_platforms_installs_what_pdm_installs() {
    agrees("pdm-lock/targets", LOCK);
}

#[test]
fn locks_that_do_not_say_what_is_installed_install_what_pdm_installs() {
    for folder in ["pdm-lock/4.4", "pdm-lock/4.2"] {
        agrees(folder, LOCK);
        let manifest = super::read(&super::fixture(folder).join(LOCK)).unwrap();
        assert!(manifest.notes.is_empty() && manifest.gaps.is_empty(), "{:?}", manifest.gaps);
        survives_truncation(folder, LOCK);
    }
    // Since 4.3 files stand with their package; before, in a list of their own.
    let lock = text("pdm-lock/4.2/pdm.lock");
    let start = lock.find("\"werkzeug 3.1.9\"").unwrap();
    assert!(rejected(LOCK, &lock[..start]).problem.contains("werkzeug"));
}

#[test]
fn older_locks_without_a_project_install_everything() {
    let manifest = read_text(LOCK, &text("pdm-lock/4.4/pdm.lock")).unwrap();
    assert!(manifest.notes[0].contains("no pyproject.toml"), "{:?}", manifest.notes);
    let all = installed(&manifest, "3.14t", "linux", &choice("no-default-groups"));
    assert!(all.contains("colorama==0.4.6") && all.contains("pytest==9.2.0"), "{all:?}");
}

/// Reads a lock beside a pyproject.toml.
fn read_with(lock: &str, project: &str) -> ftcheck::input::Manifest {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK);
    std::fs::write(&path, lock).unwrap();
    std::fs::write(folder.path().join("pyproject.toml"), project).unwrap();
    super::read(&path).unwrap_or_else(|problem| panic!("{problem}"))
}

#[test]
fn what_a_lock_does_not_have_is_no_success() {
    let names = |manifest: &ftcheck::input::Manifest| -> Vec<String> {
        installed(manifest, "3.14t", "linux", &choice("")).into_iter().collect()
    };
    let dependencies = "dependencies = [\"lost>1\", \"gone; sys_platform == 'win32'\", \"left>2\"]";
    let project = "[project]\nname = \"x\"\ndependencies = [\"spam\"]\n\
                   [tool.pdm.resolution]\nexcludes = [\"left\"]\n";
    let inheriting = lock(dependencies);
    for lock in [inheriting.replace("inherit_metadata", "cross_platform"), inheriting] {
        let manifest = read_with(&lock, project);
        assert_eq!(names(&manifest), ["lost", "spam==1.0"], "{lock}");
        let lost = package(graph(&manifest), "lost");
        assert_eq!((&lost.source, lost.files.len()), (&LockedSource::Files, 0));
    }
}

#[test]
fn extras_that_are_locked_together_lead_to_what_they_ask_for_together() {
    let entry = |name: &str, rest: &str| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"1.0\"\n{rest}\n")
    };
    let lock = "[metadata]\ngroups = [\"default\"]\nlock_version = \"4.4\"\n".to_owned()
        + &entry("spam", "")
        + &entry(
            "spam",
            "extras = [\"a\", \"b\"]\ndependencies = [\"spam==1.0\", \"ham\", \"eggs\"]",
        )
        + &entry("spam", "extras = [\"a\"]\ndependencies = [\"spam==1.0\", \"ham\"]")
        + &entry("ham", "")
        + &entry("eggs", "");
    for (asked, expected) in [
        ("spam[b,a]", vec!["eggs==1.0", "ham==1.0", "spam==1.0"]),
        ("spam[a]", vec!["ham==1.0", "spam==1.0"]),
        ("spam", vec!["spam==1.0"]),
    ] {
        let project =
            format!("[project]\nname = \"x\"\ndependencies = [\"{asked}\"]\n[tool.pdm]\n");
        let manifest = read_with(&lock, &project);
        let found = installed(&manifest, "3.14t", "linux", &choice(""));
        assert_eq!(found.into_iter().collect::<Vec<_>>(), expected, "{asked}");
    }
}

#[test]
fn the_targets_of_a_lock_are_the_environments_it_covers() {
    let manifest = super::read(&super::fixture("pdm-lock/targets").join(LOCK)).unwrap();
    let [Gap::Environments(markers)] = manifest.gaps.as_slice() else {
        panic!("{:?}", manifest.gaps)
    };
    let covers = |target: &str, platform: &str| {
        let environment = environment(target, platform);
        markers.iter().any(|marker| marker.evaluate(&environment, &[]))
    };
    assert!(covers("3.14t", "x86_64-manylinux_2_28"));
    assert!(covers("3.14t", "x86_64-windows"));
    assert!(!covers("3.14t", "aarch64-macos_14_0"));
    assert!(!covers("3.14t", "aarch64-manylinux_2_28"));
}

#[test]
fn a_lock_that_fits_its_project_has_no_gap_but_its_targets() {
    for folder in ["pdm-lock/web", "pdm-lock/science"] {
        let manifest = super::read(&super::fixture(folder).join(LOCK)).unwrap();
        assert!(matches!(manifest.gaps.as_slice(), [Gap::Environments(_)]), "{:?}", manifest.gaps);
    }
}

#[test]
fn a_project_that_has_changed_since_is_told() {
    let project = text("pdm-lock/web/pyproject.toml").replace("jinja2>=3.1", "jinja2>=3.2");
    let manifest = beside("pdm-lock/web", LOCK, "pyproject.toml", &project).unwrap();
    let told = |gap: &Gap| matches!(gap, Gap::Always(text) if text.contains("has changed"));
    assert!(manifest.gaps.iter().any(told), "{:?}", manifest.gaps);
}

/// A lock with one package.
fn lock(keys: &str) -> String {
    format!(
        "[metadata]\ngroups = [\"default\", \"dev\"]\nstrategy = [\"inherit_metadata\"]\n\
         lock_version = \"4.5.0\"\n\n[[package]]\nname = \"spam\"\nversion = \"1.0\"\n\
         groups = [\"default\"]\n{keys}\n"
    )
}

/// Without a digest of the project, names are compared, as in locks of pdm 2.29.
#[test]
fn a_dependency_that_the_lock_does_not_know_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(LOCK);
    std::fs::write(&path, lock("")).unwrap();
    let project = "[project]\nname = \"x\"\ndependencies = [\"spam\", \"eggs>=1\"]\n\
                   [project.optional-dependencies]\nunlocked = [\"ham\"]\n";
    std::fs::write(folder.path().join("pyproject.toml"), project).unwrap();
    let gaps = super::read(&path).unwrap().gaps;
    assert!(matches!(gaps.as_slice(), [Gap::Always(text)] if text.contains("`eggs`")), "{gaps:?}");
}

#[test]
fn every_kind_of_source_is_told() {
    let source = |keys: &str| {
        let manifest = read_text(LOCK, &lock(keys)).unwrap_or_else(|problem| panic!("{problem}"));
        package(graph(&manifest), "spam").source.clone()
    };
    let built = |keys| matches!(source(keys), LockedSource::Built(_));
    assert!(built("git = \"https://h.example/r\"\nrevision = \"0\""));
    assert!(built("path = \"./lib\""));
    assert!(built("url = \"https://h.example/main.zip\""));
    assert_eq!(source("path = \".\"\neditable = true"), LockedSource::Project);
    let wheel = "url = \"https://h.example/spam-1.0-py3-none-any.whl\"";
    assert_eq!(source(wheel), LockedSource::Files);
    assert_eq!(source(""), LockedSource::Index { index: None, hashes: Vec::new() });
}

#[test]
fn a_package_with_extras_is_one_with_that_without() {
    let text = lock("marker = \"sys_platform == 'win32'\"")
        + "\n[[package]]\nname = \"spam\"\nversion = \"1.0\"\nextras = [\"fast\"]\ngroups = [\"dev\"]\n";
    let manifest = read_text(LOCK, &text).unwrap();
    assert_eq!(graph(&manifest).packages.len(), 1);
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("")).len(), 1);
    assert_eq!(installed(&manifest, "3.14t", "linux", &choice("no-default-groups")).len(), 0);
}

#[test]
fn bad_locks_are_rejected_with_their_place() {
    let good = lock("marker = \"sys_platform == 'linux'\"\nfiles = []");
    for (text, place) in [
        (good.replace("4.5.0", "5.0"), (4, 16)),
        (good.replace("\"1.0\"", "1.0"), (8, 11)),
        (good.replace("version = \"1.0\"\n", ""), (6, 1)),
        (good.replace("== 'linux'", "=="), (6, 1)),
        (good.replace("files", "<<<<<<< HEAD\nfiles"), (11, 1)),
        (good.replace("[]\n", "[{file = \"a\", hash = \"sha256:0\"}]\n"), (6, 1)),
        (
            good.replace(
                "\n\n[[package",
                "\n[[metadata.targets]]\nplatform = \"amiga\"\n[[package",
            ),
            (5, 1),
        ),
    ] {
        assert_ne!(text, good);
        let problem = rejected(LOCK, &text);
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
    }
    let empty = rejected(LOCK, good.split("[[package]]").next().unwrap());
    assert!(matches!(empty.place, Place::File(_)), "{empty}");
}

#[test]
fn a_lock_that_is_cut_off_does_not_panic() {
    survives_truncation("pdm-lock/science", LOCK);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A lock written from a model installs what the model says.
    #[test]
    fn a_lock_made_of_a_model_is_read_back(
        packages in prop::collection::vec((0..2usize, prop::option::of(prop::bool::ANY)), 1..8),
    ) {
        let groups = ["default", "dev"];
        let mut lock = "[metadata]\nstrategy = [\"inherit_metadata\"]\nlock_version = \"4.4\"\n".to_owned();
        let mut expected = [std::collections::BTreeSet::new(), std::collections::BTreeSet::new()];
        for (at, (group, marker)) in packages.iter().enumerate() {
            lock += &format!(
                "[[package]]\nname = \"p{at}\"\nversion = \"{at}.0\"\ngroups = [\"{}\"]\n",
                groups[*group]
            );
            if let Some(here) = marker {
                let system = if *here { "linux" } else { "win32" };
                lock += &format!("marker = \"sys_platform == '{system}'\"\n");
            }
            if marker.unwrap_or(true) {
                expected[*group].insert(format!("p{at}=={at}.0"));
            }
        }
        let manifest = read_text(LOCK, &lock).unwrap();
        let only = installed(&manifest, "3.14t", "linux", &choice("only-group=dev"));
        prop_assert_eq!(&only, &expected[1]);
        let base = installed(&manifest, "3.14t", "linux", &choice("no-default-groups"));
        prop_assert_eq!(&base, &expected[0]);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        prop_assert!(read_text(LOCK, &text).is_err());
    }
}

/// Cut off between packages, where the format itself does not tell.
#[test]
fn a_lock_without_its_last_packages_is_no_success() {
    for folder in ["pdm-lock/web", "pdm-lock/science", "pdm-lock/4.4"] {
        let (lock, project) =
            (text(format!("{folder}/pdm.lock")), text(format!("{folder}/pyproject.toml")));
        let names = |lock: &str| {
            let manifest = read_with(lock, &project);
            installed(&manifest, "3.14t", "x86_64-manylinux_2_28", &choice(""))
        };
        let whole = names(&lock);
        let starts = lock.match_indices("[[package]]").map(|(at, _)| at);
        for at in starts.skip(1) {
            let found = names(&lock[..at]);
            // What is missing stands without a release.
            let is_told = found.iter().any(|name| !name.contains("=="));
            assert!(is_told || found == whole, "{folder} without {}", &lock[at..at + 60]);
        }
    }
}
