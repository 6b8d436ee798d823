//! pyproject.toml, read as uv, poetry and pdm read it (`fixtures/pyproject/README.md`), and files that
//! are broken.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use ftcheck::input::{Content, FORMATS, Format, Gap, InputError, Manifest, Requirements, Source};
use ftcheck::model::index::IndexStrategy;
use ftcheck::model::requirement::{Choice, GroupName, Prereleases, Requirement, Section, Wanted};
use pep440_rs::{Version, VersionSpecifiers};
use pep508_rs::{ExtraName, MarkerTree};
use proptest::prelude::*;
use tempfile::tempdir;

use super::{fixture, line_and_column, spot};

fn format() -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == "pyproject.toml").unwrap()
}

fn read(text: &str) -> Result<Manifest, InputError> {
    let path = Path::new("/nowhere/pyproject.toml");
    format().read(&Source::of_text(path, "pyproject.toml", text.to_owned()))
}

fn read_all(text: &str) -> Manifest {
    read(text).unwrap_or_else(|problem| panic!("{text}\n{problem}"))
}

fn rejected(text: &str) -> InputError {
    match read(text) {
        Ok(read) => panic!("{text}\nwas read as {read:?}"),
        Err(problem) => problem,
    }
}

fn of_case(case: &str) -> Manifest {
    let path = fixture("pyproject").join(case).join("pyproject.toml");
    format().read(&Source::open(&path).unwrap()).unwrap_or_else(|problem| panic!("{problem}"))
}

fn requirements(manifest: &Manifest) -> &Requirements {
    match &manifest.content {
        Content::Requirements(requirements) => requirements,
        Content::Lock(_) => panic!("a lock was read"),
    }
}

fn show(one: &Requirement) -> String {
    let section = match &one.section {
        Section::Base | Section::Any => String::new(),
        Section::Extra(extra) => format!("[{extra}] "),
        Section::Group(group) => format!("({group}) "),
    };
    let extras: Vec<_> = one.extras.iter().map(ToString::to_string).collect();
    let extras = if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
    let wanted = match &one.wanted {
        Wanted::Release(range) => range.to_string().replace(' ', ""),
        Wanted::Url(url) => format!(" @ {url}"),
        Wanted::File(path) => format!(" @ {}", path.file_name().unwrap().display()),
        Wanted::Unchecked(_) => " (unchecked)".to_owned(),
    };
    let marker = one.marker.try_to_string().map(|marker| format!(" ; {marker}"));
    let index = one.index.as_ref().map(|index| format!(" from {index}"));
    format!(
        "{section}{}{extras}{wanted}{}{}",
        one.name,
        marker.unwrap_or_default(),
        index.unwrap_or_default()
    )
}

fn shown(manifest: &Manifest) -> Vec<String> {
    requirements(manifest).required.iter().map(show).collect()
}

/// What stands in the file itself, not in that of a project it asks for.
fn own(manifest: &Manifest, case: &str) -> BTreeSet<String> {
    let file = fixture("pyproject").join(case).join("pyproject.toml").display().to_string();
    let required = requirements(manifest).required.iter();
    required.filter(|one| one.location.path == file).map(show).collect()
}

fn groups<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<GroupName> {
    names.into_iter().map(GroupName::new).collect()
}

/// `requires-dist` and `requires-dev` of the lock that uv wrote, in the words of [`show`].
fn as_uv_reads(case: &str) -> BTreeSet<String> {
    let lock = fs::read_to_string(fixture("pyproject").join(case).join("uv.lock")).unwrap();
    let lock: toml::Table = lock.parse().unwrap();
    let packages = lock["package"].as_array().unwrap();
    let root = |package: &&toml::Value| {
        package["source"].get("virtual").is_some_and(|path| path.as_str() == Some("."))
    };
    let metadata = &packages.iter().find(root).unwrap()["metadata"];
    let mut lines = BTreeSet::new();
    let mut add = |group: Option<&str>, entry: &toml::Value| {
        let name = entry["name"].as_str().unwrap();
        let text = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        if name == "harbour" || !text("editable").is_empty() {
            return;
        }
        let mut marker = match text("marker") {
            "" => MarkerTree::TRUE,
            marker => MarkerTree::from_str(marker).unwrap(),
        };
        let mut section =
            group.map_or(Section::Base, |group| Section::Group(GroupName::new(group)));
        for extra in ["web", "cli", "all"] {
            if text("marker").contains(&format!("extra == '{extra}'")) {
                let extra = ExtraName::from_str(extra).unwrap();
                marker = marker.simplify_extras(std::slice::from_ref(&extra));
                section = Section::Extra(extra);
            }
        }
        let extras = entry.get("extras").and_then(toml::Value::as_array);
        lines.insert(show(&Requirement {
            name: name.parse().unwrap(),
            extras: extras
                .into_iter()
                .flatten()
                .map(|extra| extra.as_str().unwrap().parse().unwrap())
                .collect(),
            wanted: Wanted::Release(text("specifier").parse().unwrap()),
            marker,
            hashes: Vec::new(),
            index: Some("internal".to_owned()).filter(|_| entry.get("index").is_some()),
            section,
            location: ftcheck::model::location::Location::of_offset("", "", 0),
        }));
    };
    for entry in metadata["requires-dist"].as_array().unwrap() {
        add(None, entry);
    }
    for (group, entries) in metadata["requires-dev"].as_table().unwrap() {
        for entry in entries.as_array().unwrap() {
            add(Some(group), entry);
        }
    }
    lines
}

#[test]
fn uv_s_tables_are_read_as_uv_reads_them() {
    let read = of_case("uv");
    let mut found = own(&read, "uv");
    // uv keeps the project's own extras by name; here they stand in full.
    for line in ["[all] sniffio>=1.3 from internal", "(dev) sniffio>=1.3 from internal"] {
        assert!(found.remove(line), "{line}: {found:?}");
    }
    // The group `dev` includes the project, whose own requirements it then has too.
    let in_base: Vec<_> =
        found.iter().filter(|line| !line.starts_with(['[', '('])).cloned().collect();
    for line in in_base {
        assert!(found.remove(&format!("(dev) {line}")), "{line}");
    }
    found.retain(|line| !line.starts_with("[all] "));
    assert_eq!(found, as_uv_reads("uv"));

    assert_eq!(read.sections.groups, groups(["dev", "docs", "lint"]));
    assert_eq!(read.sections.default_groups, groups(["dev", "docs"]));
    let extras: Vec<_> = read.sections.extras.iter().map(ToString::to_string).collect();
    assert_eq!(extras, ["all", "cli", "web"]);
    let projects: BTreeSet<_> = read.projects.iter().map(|one| one.name.to_string()).collect();
    assert_eq!(projects, BTreeSet::from(["left".to_owned(), "thing".to_owned()]));
    let all = shown(&read);
    for line in [
        "packaging",
        "attrs ; sys_platform == 'linux'",
        "typing-extensions",
        "six>=1.16",
        "(dev) six>=1.16",
    ] {
        assert!(all.iter().any(|found| found == line), "{line}: {all:?}");
    }
    assert!(!all.iter().any(|line| line.contains("wheel")), "an extra that is not asked for");
    let bounds = requirements(&read);
    assert_eq!(bounds.constraints.iter().map(show).collect::<Vec<_>>(), ["click<8.3"]);
    assert_eq!(bounds.overrides.iter().map(show).collect::<Vec<_>>(), ["idna>=3.5"]);
    assert_eq!(read.prereleases, Some(Prereleases::IfNecessary));
    let [index] = read.indexes.indexes.as_slice() else { panic!("{:?}", read.indexes) };
    assert!(index.explicit && index.name.as_deref() == Some("internal"));
    let gaps = &read.gaps;
    assert!(matches!(gaps.as_slice(), [Gap::Environments(_), Gap::RequiresPython(_)]), "{gaps:?}");
}

/// Final releases that ranges tell apart.
fn sample() -> Vec<Version> {
    let mut versions = Vec::new();
    for major in 0..6 {
        for minor in 0..6 {
            for patch in [0, 1, 3, 4, 9] {
                versions.push(Version::new([major, minor, patch]));
            }
        }
    }
    versions.extend([8, 9, 26, 14].map(|minor| Version::new([1, minor])));
    versions.extend(
        ["8.1", "8.2", "8.9", "7", "9", "4.21.2", "0.19", "0.14.3"].map(|v| v.parse().unwrap()),
    );
    versions
}

/// What a constraint as poetry writes it allows of a sample.
fn allowed(constraint: &str) -> Vec<bool> {
    let ranges: Vec<VersionSpecifiers> = constraint
        .split("||")
        .map(|range| match range.trim() {
            "*" => VersionSpecifiers::empty(),
            range if range.starts_with(|letter: char| letter.is_ascii_digit()) => {
                format!("=={range}").parse().unwrap()
            }
            range => range.parse().unwrap(),
        })
        .collect();
    sample().iter().map(|version| ranges.iter().any(|range| range.contains(version))).collect()
}

fn agrees_with_poetry(case: &str, unchecked: &[&str]) -> Manifest {
    let read = of_case(case);
    let expected =
        fs::read_to_string(fixture("pyproject").join(case).join("expected.tsv")).unwrap();
    let file = fixture("pyproject").join(case).join("pyproject.toml").display().to_string();
    let mut found: BTreeMap<(String, String, String), Vec<&Requirement>> = BTreeMap::new();
    for one in requirements(&read).required.iter().filter(|one| one.location.path == file) {
        let (group, extra) = match &one.section {
            Section::Base | Section::Any => ("main".to_owned(), String::new()),
            Section::Extra(extra) => ("main".to_owned(), extra.to_string()),
            Section::Group(group) => (group.to_string(), String::new()),
        };
        found.entry((group, extra, one.name.to_string())).or_default().push(one);
    }
    let projects: BTreeSet<_> = read.projects.iter().map(|one| one.name.to_string()).collect();
    for line in expected.lines().filter(|line| line.contains('\t')) {
        let columns: Vec<_> = line.split('\t').collect();
        let [group, _, _, extras, name, constraint, marker, source] = columns.as_slice() else {
            panic!("{line}")
        };
        if projects.contains(*name) {
            continue;
        }
        let marker = match *marker {
            "" => MarkerTree::TRUE,
            marker => MarkerTree::from_str(marker).unwrap(),
        };
        for extra in extras.split('|') {
            let key = ((*group).to_owned(), extra.to_owned(), (*name).to_owned());
            let list = found.get_mut(&key).unwrap_or_else(|| panic!("{key:?} was not read"));
            let at = list
                .iter()
                .position(|one| one.marker == marker)
                .unwrap_or_else(|| panic!("{line}: {list:?}"));
            let one = list.remove(at);
            if list.is_empty() {
                found.remove(&key);
            }
            assert_eq!(one.index.as_deref().unwrap_or_default(), *source, "{line}");
            match &one.wanted {
                Wanted::Release(range) => {
                    let found: Vec<_> = sample().iter().map(|one| range.contains(one)).collect();
                    assert_eq!(found, allowed(constraint), "{line}: {range}");
                }
                Wanted::Unchecked(_) => assert!(unchecked.contains(name), "{line}"),
                Wanted::Url(_) => assert_eq!(*constraint, "*", "{line}"),
                Wanted::File(_) => panic!("{line}"),
            }
        }
    }
    assert!(found.is_empty(), "poetry has none of {found:?}");
    read
}

#[test]
fn poetry_s_own_tables_are_read_as_poetry_reads_them() {
    let read = agrees_with_poetry("poetry", &["vcs", "apart"]);
    // Alternatives that a range cannot say are not followed; a hole between series can be said.
    let lines = shown(&read);
    assert!(lines.contains(&"apart>=1.0,!=2.*,<4".to_owned()), "{lines:?}");
    assert!(lines.contains(&"either>=1.0,<3".to_owned()), "{lines:?}");
    assert!(lines.contains(&"attrs>=23".to_owned()), "{lines:?}");
    assert!(lines.contains(&"[fast] uvloop[test]>=0.19".to_owned()), "{lines:?}");
    assert_eq!(read.sections.groups, groups(["test", "docs", "ci", "dev"]));
    assert_eq!(read.sections.default_groups, groups(["test", "ci", "dev"]));
    assert_eq!(read.gaps, [Gap::RequiresPython(">=3.12,<4".parse().unwrap())]);
    let [index] = read.indexes.indexes.as_slice() else { panic!("{:?}", read.indexes) };
    assert!(index.explicit && !index.is_default);
}

#[test]
fn standard_tables_with_poetry_s_beside_them_are_read_as_poetry_reads_them() {
    let read = agrees_with_poetry("poetry-standard", &[]);
    assert_eq!(read.sections.default_groups, groups(["test", "lint"]));
    let names: Vec<_> = read
        .indexes
        .indexes
        .iter()
        .map(|one| (one.name.as_deref().unwrap(), one.is_default))
        .collect();
    assert_eq!(names, [("PyPI", false), ("internal", true)]);
    assert_eq!(read.indexes.strategy, Some(IndexStrategy::FirstIndex));
}

#[test]
fn pdm_s_tables_are_read_as_pdm_reads_them() {
    let read = of_case("pdm");
    let expected = fs::read_to_string(fixture("pyproject/pdm/expected.tsv")).unwrap();
    let expected: BTreeSet<String> = expected
        .lines()
        .filter(|line| !line.contains("-e "))
        .map(|line| {
            let (group, text) = line.split_once('\t').unwrap();
            let text = text.replace('"', "'").replace("; ", " ; ");
            match group {
                "default" => text,
                "web" | "all" => format!("[{group}] {text}"),
                _ => format!("({group}) {text}"),
            }
        })
        .collect();
    assert_eq!(own(&read, "pdm"), expected);
    assert!(shown(&read).contains(&"(lint) attrs>=23".to_owned()));
    assert_eq!(read.projects.len(), 1);
    assert_eq!(read.sections.default_groups, groups(["test", "ci", "lint"]));
    assert_eq!(read.indexes.indexes.len(), 1);
    assert_eq!(read.indexes.find_links.len(), 1);
    assert_eq!(read.indexes.strategy, Some(IndexStrategy::FirstIndex));
    let overrides: Vec<_> = requirements(&read).overrides.iter().map(show).collect();
    assert_eq!(overrides, ["urllib3==1.26.18", "attrs>=22"]);
}

#[test]
fn what_is_asked_for_is_found_by_part() {
    let read = of_case("uv");
    let chosen = |choice: &Choice| -> BTreeSet<String> {
        let required = requirements(&read).required.iter();
        required
            .filter(|one| choice.includes(&one.section, &read.sections))
            .map(|one| one.name.to_string())
            .collect()
    };
    let default = chosen(&Choice::default());
    assert!(default.contains("pygments") && default.contains("iniconfig"), "{default:?}");
    assert!(!default.contains("click"), "{default:?}");
    let cli = Choice { extras: vec!["cli".parse().unwrap()], ..Choice::default() };
    assert!(chosen(&cli).contains("click"));
    let docs = Choice { only_groups: vec![GroupName::new("Docs")], ..Choice::default() };
    assert_eq!(chosen(&docs), BTreeSet::from(["pygments".to_owned()]));
}

const HEAD: &str = "[project]\nname = 'app'\ndependencies = ['idna']\n";

#[test]
fn places_are_those_of_the_strings() {
    let read = read_all(
        "[project]\nname = 'app'\ndependencies = [\n  # why\n  \"idna\",\n]\n[dependency-groups]\ndev = ['a', { include-group = 'é' }]\n'é' = ['b']\n",
    );
    let places: Vec<_> = requirements(&read)
        .required
        .iter()
        .map(|one| (one.name.to_string(), one.location.line, one.location.column))
        .collect();
    let place = |name: &str, line, column| (name.to_owned(), line, column);
    assert_eq!(places, [place("idna", 5, 3), place("a", 8, 8), place("b", 9, 8), place("b", 9, 8)]);
}

#[test]
fn what_only_a_build_tells_is_a_gap() {
    let read = read_all(
        "[project]\nname = 'app'\ndynamic = ['dependencies', 'version']\n[dependency-groups]\ndev = ['idna']",
    );
    assert!(matches!(read.gaps.as_slice(), [Gap::Always(text)] if text.contains("dependencies")));
    assert_eq!(shown(&read), ["(dev) idna"]);
}

/// setuptools reads them from files where it is told to.
#[test]
fn what_the_build_reads_from_files_is_read_there() {
    let folder = tempdir().unwrap();
    let text = "[project]\nname = 'app'\ndynamic = ['dependencies', 'optional-dependencies']\n\
                [tool.setuptools.dynamic]\ndependencies = { file = ['base.in'] }\n\
                optional-dependencies.web = { file = 'web.in' }\n";
    for (name, text) in
        [("pyproject.toml", text), ("base.in", "# why\n  idna>=3 # x\n"), ("web.in", "flask\n")]
    {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let path = folder.path().join("pyproject.toml");
    let read = format().read(&Source::open(&path).unwrap()).unwrap();
    assert_eq!(shown(&read), ["idna>=3", "[web] flask"]);
    assert_eq!(read.gaps, []);
    let place = &requirements(&read).required[0].location;
    assert!(place.path.ends_with("base.in") && (place.line, place.column) == (2, 3), "{place}");
}

/// uv reads nothing of poetry's table, and would find no dependencies.
#[test]
fn poetry_s_dependencies_are_read_beside_settings_of_uv() {
    let read = read_all(
        "[tool.poetry.dependencies]\nidna = '^3'\n[tool.uv]\ndev-dependencies = ['h11']\n",
    );
    assert_eq!(shown(&read), ["idna>=3,<4"]);
    assert_eq!(read.notes.len(), 1);
}

#[test]
fn settings_of_uv_that_change_releases_and_are_not_followed_are_gaps() {
    for setting in [
        "resolution = 'lowest'",
        "exclude-newer = '2025-01-01T00:00:00Z'",
        "no-binary = true",
        "no-binary-package = ['idna']",
        "index-strategy = 'unsafe-first-match'",
    ] {
        let read = read_all(&format!("{HEAD}[tool.uv]\n{setting}\n"));
        assert!(matches!(read.gaps.as_slice(), [Gap::Always(_)]), "{setting}: {:?}", read.gaps);
    }
    let read = read_all(&format!("{HEAD}[tool.uv]\nresolution = 'highest'\nno-binary = false\n"));
    assert_eq!(read.gaps, []);
}

#[test]
fn what_uv_leaves_out_is_an_override_that_never_applies() {
    let read = read_all(&format!("{HEAD}[tool.uv]\nexclude-dependencies = ['werkzeug']\n"));
    let [one] = requirements(&read).overrides.as_slice() else { panic!() };
    assert!(one.marker.is_false() && one.name.to_string() == "werkzeug");
}

#[test]
fn broken_files_are_told_with_their_place() {
    let mut wrong = Vec::new();
    for (text, place, found) in [
        ("[project]\nname = 'app'\ndependencies = 'idna'\n", (3, 16), "expected a list"),
        ("[project]\nname = 'app'\ndependencies = [1]\n", (3, 17), "expected a string"),
        ("[project]\nname = 'app'\ndependencies = ['idna $']\n", (3, 23), "malformed"),
        ("[project]\nname = 'app'\ndependencies = ['idna'\n", (3, 23), "unclosed"),
        ("[project]\nname = '-'\n", (2, 8), "name of a package"),
        ("project = 1\n[dependency-groups]\na = []", (1, 11), "expected a table"),
        ("[project]\nname = 'app'\n<<<<<<< HEAD\n", (3, 1), "merge-conflict marker"),
        ("[project]\nname = 'app'\nrequires-python = 'x'\n", (3, 19), "version range"),
        ("[project]\nname = 'app'\n[project.optional-dependencies]\n'-' = []\n", (4, 1), "extra"),
        (
            "[project]\nname = 'app'\n[project.optional-dependencies]\na-b = []\na_b = []",
            (5, 1),
            "twice",
        ),
        (
            "[project]\nname = 'app'\n[project.optional-dependencies]\na = ['app[b]']\n",
            (4, 6),
            "no extra",
        ),
        ("[dependency-groups]\na = [{ include-group = 'b' }]\n", (2, 24), "name of a group"),
        ("[dependency-groups]\na = [{ include-group = 'a' }]\n", (2, 24), "includes itself"),
        (
            "[dependency-groups]\na = [{ include-group = 'b' }]\nb = [{ include-group = 'A' }]",
            (3, 24),
            "includes itself",
        ),
        ("[dependency-groups]\na = [{ include = 'b' }]\n", (2, 6), "include-group"),
        ("[dependency-groups]\na_b = []\n'A-B' = []\n", (3, 1), "twice"),
        ("[tool.poetry.dependencies]\nidna = '^^1'\n", (2, 9), "version range"),
        ("[tool.poetry.dependencies]\nidna = 1\n", (2, 8), "version range or a table"),
        ("[tool.poetry.dependencies]\nidna = { markers = 'x' }\n", (2, 21), "malformed"),
        ("[tool.poetry.group.a]\ninclude-groups = ['b']\n", (2, 19), "name of a group"),
        ("[tool.poetry.group.a]\ninclude-groups = ['a']\n", (2, 19), "includes itself"),
        (&format!("{HEAD}[tool.uv]\ndefault-groups = ['x']\n"), (5, 18), "names of groups"),
        (&format!("{HEAD}[tool.uv]\nprerelease = 'x'\n"), (5, 14), "`allow`"),
        (&format!("{HEAD}[tool.uv.sources]\nidna = {{ workspace = true }}\n"), (5, 8), "workspace"),
        (&format!("{HEAD}[tool.uv.sources]\nidna = {{ }}\n"), (5, 8), "`index`"),
        (&format!("{HEAD}[[tool.uv.index]]\nname = 'x'\n"), (4, 1), "`url`"),
        (
            &format!("{HEAD}[[tool.uv.index]]\nurl = 'https://h/'\nignore-error-codes = [7]\n"),
            (6, 23),
            "status code",
        ),
        (
            &format!("{HEAD}[[tool.uv.index]]\nurl = 'https://h/'\nignore-error-codes = ['x']\n"),
            (6, 23),
            "whole number",
        ),
    ] {
        let problem = rejected(text);
        assert_eq!(spot(&problem).path, "pyproject.toml");
        if line_and_column(&problem) != place || !problem.problem.contains(found) {
            wrong.push(format!("{text}\n{problem}\nexpected {place:?} {found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn an_index_may_say_which_statuses_mean_that_something_is_not_there() {
    let text =
        format!("{HEAD}[[tool.uv.index]]\nurl = 'https://h/'\nignore-error-codes = [401, 0x193]\n");
    assert_eq!(read_all(&text).indexes.indexes[0].ignored_statuses, [401, 403]);
}

#[test]
fn a_file_of_settings_alone_is_rejected() {
    for text in ["", "[tool.ruff]\n", "[build-system]\nrequires = ['setuptools']\n", "[tool.uv]\n"]
    {
        assert!(rejected(text).problem.contains("expected dependencies"), "{text}");
    }
}

/// Extras that name each other, and many of them.
#[test]
fn extras_that_include_each_other_end() {
    let cycle = read_all(
        "[project]\nname = 'app'\n[project.optional-dependencies]\na = ['app[b]', 'x']\nb = ['app[a]', 'y']\n",
    );
    let lines: BTreeSet<_> = shown(&cycle).into_iter().collect();
    for line in ["[a] x", "[a] y", "[b] x", "[b] y"] {
        assert!(lines.contains(line), "{lines:?}");
    }
    let extra = |at: usize| {
        let next = (at + 1) % 200;
        format!("e{at} = ['app[e{next},e{}]']\n", (at + 2) % 200)
    };
    let text: String = (0..200).map(extra).collect();
    let start = std::time::Instant::now();
    let _ = read(&format!("[project]\nname = 'app'\n[project.optional-dependencies]\n{text}"));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn a_directory_is_read_from_pyproject_where_that_names_dependencies() {
    let folder = tempdir().unwrap();
    let found = |text: &str| {
        fs::write(folder.path().join("pyproject.toml"), text).unwrap();
        fs::write(folder.path().join("requirements.txt"), "idna").unwrap();
        let (path, _) = ftcheck::input::find(folder.path()).unwrap();
        path.file_name().unwrap().to_str().unwrap().to_owned()
    };
    assert_eq!(found(HEAD), "pyproject.toml");
    assert_eq!(found("[tool.poetry.dependencies]\nidna = '*'"), "pyproject.toml");
    assert_eq!(found("[tool.ruff]\nline-length = 100"), "requirements.txt");
    // One that cannot be read is told, not passed over.
    assert_eq!(found("[project"), "pyproject.toml");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Dependencies written into each kind of table are read back, each in its part.
    #[test]
    fn what_is_written_is_read_back(
        base in prop::collection::btree_map("[a-z]{1,6}", r"(>=|==|~=|<)[0-9]\.[0-9]", 0..5),
        extra in prop::collection::btree_map("[a-z]{1,6}", r"!=[0-9]\.[0-9]\.\*", 1..4),
        group in prop::collection::btree_map("[a-z]{1,6}", r"<=[0-9]\.[0-9]\.post1", 1..4),
    ) {
        let list = |all: &BTreeMap<String, String>| {
            let quoted: Vec<_> = all.iter().map(|(name, range)| format!("{:?}", format!("{name}{range}"))).collect();
            format!("[{}]", quoted.join(", "))
        };
        let text = format!(
            "[project]\nname = 'the-project'\ndependencies = {}\n[project.optional-dependencies]\nx = {}\n[dependency-groups]\ny = {}\n",
            list(&base), list(&extra), list(&group)
        );
        let expected: Vec<String> = base
            .iter()
            .map(|(name, range)| format!("{name}{range}"))
            .chain(extra.iter().map(|(name, range)| format!("[x] {name}{range}")))
            .chain(group.iter().map(|(name, range)| format!("(y) {name}{range}")))
            .collect();
        prop_assert_eq!(shown(&read_all(&text)), expected);
    }

    /// Poetry's caret and tilde, beside their definitions.
    #[test]
    fn poetry_s_ranges_are_what_poetry_defines(
        parts in prop::collection::vec(0..4u64, 1..4),
        caret in any::<bool>(),
    ) {
        let version: Vec<_> = parts.iter().map(ToString::to_string).collect();
        let operator = if caret { "^" } else { "~" };
        let text = format!("[tool.poetry.dependencies]\nspam = '{operator}{}'\n", version.join("."));
        let read = read_all(&text);
        let Wanted::Release(range) = &requirements(&read).required[0].wanted else { panic!() };
        let at = |index: usize| parts.get(index).copied().unwrap_or_default();
        for other in sample() {
            let of = |index: usize| other.release().get(index).copied().unwrap_or_default();
            let not_lower = (of(0), of(1), of(2)) >= (at(0), at(1), at(2));
            let compatible = if caret {
                match parts.iter().position(|part| *part > 0).unwrap_or(parts.len() - 1) {
                    0 => of(0) == at(0),
                    1 => (of(0), of(1)) == (at(0), at(1)),
                    _ => (of(0), of(1), of(2)) == (at(0), at(1), at(2)),
                }
            } else if parts.len() == 1 {
                of(0) == at(0)
            } else {
                (of(0), of(1)) == (at(0), at(1))
            };
            prop_assert_eq!(range.contains(&other), not_lower && compatible, "{} {}", text, other);
        }
    }

    #[test]
    fn no_text_makes_it_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "[project]\n", "name = 'a'\n", "dependencies = ", "['b']\n", "[]\n", "1\n", "'^1 || 2'\n",
        "[tool.poetry.dependencies]\n", "b = ", "c = ", "{ path = '.' }\n", "{ version = '~=1' }\n",
        "[dependency-groups]\n", "[{ include-group = 'b' }]\n", "[tool.uv]\n", "[tool.uv.sources]\n",
        "{ index = 'x' }\n", "[[tool.uv.index]]\n", "url = 'https://h/'\n", "[project.optional-dependencies]\n",
        "['a[b]']\n", "[tool.pdm.dev-dependencies]\n", "['-e .']\n", "'é'\n", "\u{0}", "=",
    ]), 0..10)) {
        let _ = read(&pieces.concat());
    }
}
