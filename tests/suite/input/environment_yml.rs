use std::fs;

use ftcheck::input::{InputError, Manifest};
use ftcheck::model::conda::CondaAbi;
use ftcheck::model::requirement::Wanted;
use proptest::prelude::*;

use super::conda::{named, part, tag};
use super::locks::{self, rejected};
use super::{line_and_column, requirements};

const FILE: &str = "environment.yml";

fn read(text: &str) -> Manifest {
    locks::read_text(FILE, text).unwrap_or_else(|problem| panic!("{problem} in\n{text}"))
}

/// Reads it as a file, beside others.
fn beside(text: &str, others: &[(&str, &str)]) -> Result<Manifest, InputError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in others {
        fs::write(folder.path().join(name), content).unwrap();
    }
    let path = folder.path().join(FILE);
    fs::write(&path, text).unwrap();
    super::read(&path)
}

#[test]
fn a_file_that_conda_lock_wrote_is_read() {
    let path = super::fixture("environment-yml/science").join(FILE);
    let manifest = super::read(&path).unwrap();
    let conda: Vec<String> = manifest.conda[0]
        .packages
        .iter()
        .map(|one| {
            format!("{} {} {}", one.name, part(one.version.as_ref()), part(one.build.as_ref()))
        })
        .collect();
    let expected = locks::text("conda-lock/science/expected-conda.txt");
    let block = expected.split("group=docs]\n").nth(1).unwrap().split('[').next().unwrap();
    assert_eq!(conda, block.lines().collect::<Vec<_>>());
    assert_eq!(named(&manifest, "python").abi, tag("cp314t"));
    assert!(matches!(named(&manifest, "numpy").abi, CondaAbi::Unknown(_)));
    assert_eq!(named(&manifest, "numpy").location.line, 10);
    assert_eq!(named(&manifest, "numpy").location.column, 5);
    assert!(!manifest.notes.is_empty() && !manifest.gaps.is_empty());
    let required = requirements(manifest);
    let names: Vec<String> = required.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["contourpy", "cycler", "python-dateutil"]);
    assert!(required.iter().all(|one| one.hashes.len() == 1));
    assert_eq!((required[0].location.line, required[0].location.column), (18, 9));
}

#[test]
fn specifications_are_read_in_every_form() {
    for (text, version, build) in [
        ("python", "-", "-"),
        ("python=3.14", "3.14", "-"),
        ("python==3.14.0", "==3.14.0", "-"),
        ("python >=3.14,<3.15", ">=3.14,<3.15", "-"),
        ("'python >= 3.14, < 3.15'", ">= 3.14, < 3.15", "-"),
        ("python=3.14=*_cp314t", "3.14", "*_cp314t"),
        ("python 3.14.* *_cp314t", "3.14.*", "*_cp314t"),
        ("conda-forge::python=3.14.*=2_cp314t", "3.14.*", "2_cp314t"),
        ("conda-forge/linux-64::python 3.14.* *_cp314t", "3.14.*", "*_cp314t"),
        ("python=3.14[build=*_cp314t]", "3.14", "*_cp314t"),
        ("python[version='>=3.14',build='*_cp314t']", ">=3.14", "*_cp314t"),
        ("Python 3.14.*   *_cp314t", "3.14.*", "*_cp314t"),
        ("https://c.example/linux-64/python-3.14.0-h0_2_cp314t.conda", "3.14.0", "h0_2_cp314t"),
    ] {
        let manifest = read(&format!("dependencies:\n- \"{}\"\n", text.trim_matches('\'')));
        let python = named(&manifest, "python");
        assert_eq!(
            (part(python.version.as_ref()), part(python.build.as_ref())),
            (version, build),
            "{text}"
        );
        match build {
            "-" => assert!(matches!(python.abi, CondaAbi::Unknown(_)), "{text}"),
            _ => assert_eq!(python.abi, tag("cp314t"), "{text}"),
        }
    }
    let abi =
        |text: &str| read(&format!("dependencies: [\"{text}\"]")).conda[0].packages[0].abi.clone();
    assert_eq!(abi("python 3.14.* *_cp314"), tag("cp314"));
    assert_eq!(
        abi("python 3.12.* *_cpython").clone(),
        CondaAbi::Unknown("its build is left open: `*_cpython`".to_owned())
    );
    assert!(matches!(abi("python 3.14.* *_cp314*"), CondaAbi::Unknown(_)));
    assert_eq!(abi("python-gil"), CondaAbi::Gil("python-gil"));
    assert!(matches!(abi("zlib"), CondaAbi::Unknown(_)));
}

#[test]
fn what_stands_below_pip_is_a_requirements_file() {
    let text = "name: x\ndependencies:\n  - python=3.14\n  - pip\n  - pip:\n      - --extra-index-url https://i.example/simple\n      \
                - -r more.txt\n      - -c bounds.txt\n      - spam[a]>=1 ; sys_platform == 'linux'\n      - \"./local-1.0-py3-none-any.whl\"\n";
    let manifest = beside(text, &[("more.txt", "ham==1\n"), ("bounds.txt", "spam<2\n")]).unwrap();
    assert_eq!(manifest.indexes.indexes.len(), 1);
    let path = &manifest.conda[0].location.path;
    assert!(path.ends_with(FILE), "{path}");
    let required = requirements(manifest);
    let names: Vec<String> = required.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(names, ["ham", "spam", "local"]);
    assert!(required[0].location.path.ends_with("more.txt"));
    assert_eq!((required[1].location.line, required[1].location.column), (9, 9));
    let Wanted::File(file) = &required[2].wanted else { panic!("{:?}", required[2]) };
    assert!(file.parent().unwrap().is_absolute(), "{}", file.display());
}

#[test]
fn lists_on_one_line_and_aliases_are_read() {
    let text = "dependencies: [python=3.14, pip: [&a 'ham>1', spam, *a]]\n";
    let required = requirements(read(text));
    let spots: Vec<_> =
        required.iter().map(|one| (one.name.to_string(), one.location.column)).collect();
    let place = |text_of: &str| text.find(text_of).unwrap() + 1;
    let expected = [
        ("ham".to_owned(), place("'ham")),
        ("spam".to_owned(), place("spam")),
        ("ham".to_owned(), place("*a")),
    ];
    assert_eq!(spots[1..], expected[1..]);
    assert_eq!(spots[0].0, "ham");
}

#[test]
fn bad_files_are_rejected_with_their_place() {
    for (text, place) in [
        ("name: x\n", (1, 1)),
        ("dependencies: {a: b}\n", (1, 15)),
        ("dependencies:\n- [a]\n", (2, 3)),
        ("dependencies:\n- npm:\n  - a\n", (2, 3)),
        ("dependencies:\n- pip:\n  - a: b\n", (3, 5)),
        ("dependencies:\n- pip: a\n", (2, 8)),
        ("dependencies:\n- '>=3'\n", (2, 3)),
        ("dependencies:\n- https://c.example/linux-64/x\n", (2, 3)),
        ("dependencies:\n- a\n- pip:\n  - 'spam=='\n", (4, 9)),
        ("dependencies:\n- pip:\n  - ok\n  - --frobnicate\n", (4, 5)),
        ("dependencies:\n- pip:\n  - -r environment.yml\n", (3, 5)),
        ("dependencies:\n- pip:\n  - -r absent.txt\n", (3, 5)),
        ("dependencies:\n- a\n<<<<<<< HEAD\n- b\n=======\n", (3, 1)),
        ("dependencies:\n\t- a\n", (2, 2)),
        ("dependencies: [a\n", (2, 1)),
        ("[]", (1, 1)),
    ] {
        let problem = match beside(text, &[]) {
            Ok(manifest) => panic!("{text} was read as {manifest:?}"),
            Err(problem) => problem,
        };
        assert_eq!(line_and_column(&problem), place, "{problem} in\n{text}");
    }
    for text in ["", "# nothing\n", "dependencies: []\n"] {
        rejected(FILE, text);
    }
}

#[test]
fn bytes_that_are_no_utf_8_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(FILE);
    fs::write(&path, b"dependencies:\n- a\xff\n").unwrap();
    assert_eq!(line_and_column(&super::read(&path).unwrap_err()), (2, 4));
}

#[test]
fn a_directory_with_nothing_else_has_its_environment_file_taken() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("environment.yaml"), "dependencies:\n- zlib\n").unwrap();
    assert_eq!(super::read(folder.path()).unwrap().conda.len(), 1);
    fs::write(folder.path().join("requirements.txt"), "spam\n").unwrap();
    assert_eq!(super::read(folder.path()).unwrap().conda.len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

    /// A file written from a model asks for what the model asks for, and knows where.
    #[test]
    fn a_file_made_of_a_model_is_read_back(
        conda in prop::collection::vec(("[a-z][a-z0-9_-]{0,8}[a-z0-9]", 0..3usize), 0..8),
        pip in prop::collection::vec("[a-z][a-z0-9]{0,8}", 0..8),
    ) {
        prop_assume!(!conda.is_empty() || !pip.is_empty());
        let forms = ["", "=1.0", " >=2,<3"];
        let mut text = "channels: [conda-forge]\ndependencies:\n".to_owned();
        for (name, form) in &conda {
            text += &format!("  - \"{name}{}\"\n", forms[*form]);
        }
        text += "  - pip:\n";
        for name in &pip {
            text += &format!("    - {name}x ~= 1.0\n");
        }
        let manifest = read(&text);
        let found: Vec<_> = manifest.conda[0].packages.iter()
            .map(|one| (one.name.clone(), part(one.version.as_ref()).to_owned(), one.location.line))
            .collect();
        let versions = ["-", "1.0", ">=2,<3"];
        let expected: Vec<_> = conda.iter().enumerate()
            .map(|(at, (name, form))| (name.clone(), versions[*form].to_owned(), at + 3))
            .collect();
        prop_assert_eq!(found, expected);
        let found: Vec<_> = requirements(manifest).iter()
            .map(|one| (one.name.to_string(), one.location.line, one.location.column))
            .collect();
        let first = conda.len() + 4;
        let expected: Vec<_> = pip.iter().enumerate()
            .map(|(at, name)| (format!("{name}x"), first + at, 7))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*") {
        prop_assert!(locks::read_text(FILE, &text).is_err());
    }
}
