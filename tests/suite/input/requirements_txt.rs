//! Requirements files, as pip reads them (`pip/_internal/req/req_file.py`).

use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use ftcheck::input::{Content, FORMATS, Format, Gap, InputError, Manifest, Source};
use ftcheck::model::index::{IndexSource, LinksSource};
use ftcheck::model::requirement::{Prereleases, Requirement, Section, Wanted};
use pep440_rs::VersionSpecifiers;
use pep508_rs::{MarkerTree, PackageName};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::{fixture, line_and_column, requirements, spot};

fn format() -> &'static dyn Format {
    *FORMATS.iter().find(|format| format.name() == "requirements.txt").unwrap()
}

/// Reads a text that refers to no other file.
fn read(text: &str) -> Result<Vec<Requirement>, InputError> {
    let path = Path::new("/nowhere/requirements.txt");
    let source = Source::of_text(path, "requirements.txt", text.to_owned());
    format().read(&source).map(requirements)
}

/// As [`read`], where the text is right.
fn read_all(text: &str) -> Vec<Requirement> {
    read(text).unwrap_or_else(|problem| panic!("{text:?}: {problem}"))
}

fn rejected(text: &str) -> InputError {
    match read(text) {
        Ok(read) => panic!("{text:?} was read as {:?}", shown(&read)),
        Err(problem) => problem,
    }
}

/// Name and what is wanted, in one line.
fn show(requirement: &Requirement) -> String {
    let name = &requirement.name;
    match &requirement.wanted {
        Wanted::Release(specifiers) => format!("{name}{}", specifiers.to_string().replace(' ', "")),
        Wanted::Url(url) => format!("{name} @ {url}"),
        Wanted::File(path) => format!("{name} @ {}", path.display()),
        Wanted::Unchecked(_) => format!("{name} (local)"),
    }
}

fn shown(requirements: &[Requirement]) -> Vec<String> {
    requirements.iter().map(show).collect()
}

fn lines(requirements: &[Requirement]) -> Vec<(usize, usize)> {
    requirements.iter().map(|read| (read.location.line, read.location.column)).collect()
}

/// Files in a folder of their own, of which the first is read.
struct Files(TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(folder)
    }

    fn read(&self, name: &str) -> Result<Vec<Requirement>, InputError> {
        super::read(&self.0.path().join(name)).map(requirements)
    }
}

#[test]
fn a_projects_files_are_read_as_pip_reads_them() {
    let read = requirements(super::read(&fixture("requirements/requirements.txt")).unwrap());
    // In the order of the lines, included files where they are included.
    assert_eq!(
        shown(&read),
        [
            "certifi",
            "idna>=3",
            "cffi==2.0.0",
            "pycparser==2.23",
            "certifi",
            "idna>=3",
            "pytest>=8,!=9.0.0",
            "flask>=3.0,<4",
            "uvloop==0.22.1",
            "zope-interface",
            "numpy~=2.3",
            "lxml>=6.0",
            "torch @ https://download.example/whl/torch-2.9.0-cp314-cp314t-manylinux_2_28_x86_64.whl#sha256=0123",
            "sparse-grid @ https://download.example/whl/Sparse_Grid-1.2.0-cp314-cp314t-win_amd64.whl",
            "project (local)",
            "lint-rules (local)",
            "left-pad (local)",
            "spam (local)",
        ]
    );
    let place = |at: usize| {
        let location = &read[at].location;
        let file = Path::new(&location.path).file_name().unwrap().to_str().unwrap().to_owned();
        (file, location.line, location.column)
    };
    assert_eq!(place(0), ("base.txt".to_owned(), 1, 1));
    assert_eq!(place(2), ("production.txt".to_owned(), 4, 1));
    assert_eq!(place(3), ("production.txt".to_owned(), 8, 1));
    assert_eq!(place(6), ("testing.txt".to_owned(), 2, 1));
    assert_eq!(place(7), ("requirements.txt".to_owned(), 5, 1));
    assert_eq!(place(10), ("requirements.txt".to_owned(), 8, 5));
    assert_eq!(place(17), ("requirements.txt".to_owned(), 19, 1));

    let marker = |text| MarkerTree::from_str(text).unwrap();
    assert_eq!(read[3].marker, marker("implementation_name != 'PyPy'"));
    assert_eq!(read[8].marker, marker("sys_platform != 'win32' and python_version >= '3.11'"));
    assert_eq!(read[7].marker, MarkerTree::default());
}

#[test]
fn a_comment_begins_at_the_start_of_a_line_or_behind_a_blank() {
    let read = read_all(
        "# flask\n   # numpy\nidna # comment\ncertifi\t# comment\nspam @ https://h.example/s.whl#egg=x # c\n",
    );
    assert_eq!(shown(&read), ["idna", "certifi", "spam @ https://h.example/s.whl#egg=x"]);
}

#[test]
fn a_backslash_continues_a_line() {
    let read = read_all("flask \\\n  >=3 \\\n  ,<4\nidna\n");
    assert_eq!(shown(&read), ["flask>=3,<4", "idna"]);
    assert_eq!(lines(&read), [(1, 1), (4, 1)]);
    // At the end of the file, and with Windows' line ends.
    assert_eq!(shown(&read_all("flask \\")), ["flask"]);
    let read = read_all("flask \\\r\n  >=3\r\nidna\r\n");
    assert_eq!(shown(&read), ["flask>=3", "idna"]);
    assert_eq!(lines(&read), [(1, 1), (3, 1)]);
}

#[test]
fn a_comment_ends_a_continued_line() {
    // `COMMENT_RE` in pip's `join_lines`.
    let read = read_all("flask \\\n# why\nidna\n");
    assert_eq!(shown(&read), ["flask", "idna"]);
    // A backslash at the end of a comment continues nothing.
    assert_eq!(shown(&read_all("# why \\\nidna\n  # why \\\ncertifi")), ["idna", "certifi"]);
}

/// pip joins lines before it takes comments away, so that a comment behind a requirement swallows
/// the line that it is continued on.
#[test]
fn a_comment_behind_a_requirement_may_be_continued() {
    assert_eq!(shown(&read_all("flask  # the \\\nweb\nidna\n")), ["flask", "idna"]);
}

#[test]
fn hashes_of_a_requirement_are_kept_and_build_options_passed_over() {
    let (zeros, ones) = ("0".repeat(64), "1".repeat(64));
    for (text, hashes) in [
        (format!("flask==3.0 --hash=sha256:{zeros} --hash sha256:{ones}"), 2),
        (format!("flask==3.0\t--hash=sha256:{zeros}"), 1),
        (format!("flask==3.0 \\\n    --hash=sha256:{zeros} \\\n    --hash=sha256:{ones}"), 2),
        ("flask==3.0 --config-settings=--build-option=x".to_owned(), 0),
    ] {
        let read = read_all(&text);
        assert_eq!(shown(&read), ["flask==3.0"], "{text:?}");
        assert_eq!(read[0].hashes.len(), hashes, "{text:?}");
    }
    let read = read_all(&format!("flask==3.0 ; python_version > '3' --hash=sha256:{zeros}"));
    assert_eq!(shown(&read), ["flask==3.0"]);
    assert_eq!(read[0].marker, MarkerTree::from_str("python_version > '3'").unwrap());
}

/// pip installs nothing that has another hash, so one that is not understood is not passed over.
#[test]
fn a_hash_that_cannot_be_compared_is_rejected() {
    for hash in ["sha256:00", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:", ""] {
        rejected(&format!("flask==3.0 --hash={hash}"));
    }
    rejected("flask==3.0 --global-option=x");
}

#[test]
fn credentials_in_a_malformed_line_are_not_repeated() {
    for text in [
        "lxml= @ https://user:secret@h.example/x.whl",
        "foo bar @ https://user:secret@h.example/x.whl",
        "lxml >= 1 https://user:secret@h.example/",
        "-r https://user:secret@h.example/requirements.txt",
        "--find-links https://user:secret@h.example/",
    ] {
        let problem = rejected(text).to_string();
        assert!(!problem.contains("secret"), "{problem}");
    }
}

/// Each line asked where it begins by counting all lines before it.
#[test]
fn a_long_file_takes_no_more_than_its_length() {
    let text = "# comment\nflask\n".repeat(50_000);
    let start = std::time::Instant::now();
    let read = read_all(&text);
    assert_eq!(lines(&read).last(), Some(&(100_000, 1)));
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn windows_line_ends_and_a_missing_last_one_change_nothing() {
    let read = read_all("flask>=3\r\n\r\n# c\r\nidna");
    assert_eq!(shown(&read), ["flask>=3", "idna"]);
    assert_eq!(lines(&read), [(1, 1), (4, 1)]);
}

#[test]
fn a_wheel_at_a_url_tells_its_name() {
    let url = "https://h.example/Some_Pack-1.0-cp314-cp314t-win_amd64.whl";
    assert_eq!(shown(&read_all(url)), [format!("some-pack @ {url}")]);
    let with_query = format!("{url}?token=x#sha256=00");
    assert_eq!(shown(&read_all(&with_query)), [format!("some-pack @ {with_query}")]);
}

/// `+` is percent-encoded in the links of indexes, such as the one of `torch` itself.
#[test]
fn a_wheel_at_a_url_with_an_encoded_local_version_is_a_wheel() {
    let url = "https://h.example/torch-2.9.0%2Bcpu-cp314-cp314t-manylinux_2_28_x86_64.whl";
    assert_eq!(shown(&read_all(url)), [format!("torch @ {url}")]);
}

/// pip's documentation: `<archive url/path> ; markers`, with the blank before the semicolon.
#[test]
fn a_wheel_at_a_url_may_have_a_marker() {
    let url = "https://h.example/spam-1.0-py3-none-any.whl";
    let read = read_all(&format!("{url} ; sys_platform == 'win32'"));
    assert_eq!(shown(&read), [format!("spam @ {url}")]);
    assert_eq!(read[0].marker, MarkerTree::from_str("sys_platform == 'win32'").unwrap());
}

#[test]
fn a_named_file_at_a_url_is_wanted_as_it_is() {
    let read = read_all("spam[x] @ https://h.example/spam.tar.gz ; sys_platform == 'win32'");
    assert_eq!(shown(&read), ["spam @ https://h.example/spam.tar.gz"]);
    assert_eq!(read[0].marker, MarkerTree::from_str("sys_platform == 'win32'").unwrap());
}

#[test]
fn what_would_be_built_is_told_as_local() {
    // Paths count from the working directory, which has a project: that of this repository.
    for (text, name) in [
        ("-e ..", "project"),
        ("-e ./sub/My_Pack", "my-pack"),
        ("--editable=sub", "sub"),
        ("-e git+https://h.example/spam", "spam"),
        ("..", "project"),
        ("./spam", "spam"),
        ("../spam/", "spam"),
        ("/abs/spam", "spam"),
        ("sub/spam", "spam"),
        ("C:\\work\\spam", "spam"),
        ("file:///abs/spam", "spam"),
        ("git+ssh://git@h.example/team/spam", "spam"),
        ("hg+https://h.example/spam", "spam"),
        ("spam @ git+https://h.example/team/repo", "spam"),
    ] {
        assert_eq!(shown(&read_all(text)), [format!("{name} (local)")], "{text}");
    }
}

#[test]
fn an_archive_on_this_machine_is_wanted_as_it_is() {
    for (text, name, path) in [
        ("./spam-1.0-py3-none-any.whl", "spam", "./spam-1.0-py3-none-any.whl"),
        ("spam-1.0-py3-none-any.whl", "spam", "spam-1.0-py3-none-any.whl"),
        ("spam @ file:///abs/spam-1.0-py3-none-any.whl", "spam", "/abs/spam-1.0-py3-none-any.whl"),
        ("file:///abs/left-pad-1.0.tar.gz", "left-pad", "/abs/left-pad-1.0.tar.gz"),
        ("file:sub/left_pad-1.0.zip[x] ; python_version > '3'", "left-pad", "sub/left_pad-1.0.zip"),
    ] {
        let read = read_all(text);
        let Wanted::File(found) = &read[0].wanted else { panic!("{text}: {:?}", read[0]) };
        assert!(found.ends_with(path.trim_start_matches("./")), "{text}: {}", found.display());
        assert_eq!(read[0].name.to_string(), name);
    }
}

/// pip: "-e option requires 1 argument".
#[test]
fn an_option_without_its_value_is_rejected() {
    for text in ["-e", "--editable", "-e   ", "--editable=", "-r", "--requirement"] {
        assert_eq!(line_and_column(&rejected(&format!("idna\n{text}\n"))), (2, 1), "{text}");
    }
}

#[test]
fn included_files_are_found_beside_the_file_that_includes_them() {
    let files = Files::new(&[
        ("requirements.txt", "-r sub/a.txt\nidna"),
        ("sub/a.txt", "--requirement b.txt # beside\n-rc.txt\n--requirement=../d.txt"),
        ("sub/b.txt", "b"),
        ("sub/c.txt", "# nothing in it\n"),
        ("d.txt", "d"),
        ("b.txt", "wrong"),
    ]);
    assert_eq!(shown(&files.read("requirements.txt").unwrap()), ["b", "d", "idna"]);
}

#[test]
fn a_file_may_be_included_twice() {
    let files = Files::new(&[
        ("requirements.txt", "-r a.txt\n-r b.txt"),
        ("a.txt", "-r base.txt\na"),
        ("b.txt", "-r base.txt\nb"),
        ("base.txt", "base"),
    ]);
    assert_eq!(shown(&files.read("requirements.txt").unwrap()), ["base", "a", "base", "b"]);
}

#[test]
fn files_that_include_each_other_are_rejected() {
    for files in [
        vec![("requirements.txt", "idna\n-r requirements.txt\n")],
        vec![("requirements.txt", "-r a.txt"), ("a.txt", "-r requirements.txt")],
        // Twice each: what is read must not double with each level.
        vec![
            ("requirements.txt", "-r a.txt\n-r a.txt"),
            ("a.txt", "-r requirements.txt\n-r a.txt"),
        ],
    ] {
        let files = Files::new(&files);
        let problem = files.read("requirements.txt").unwrap_err();
        assert!(spot(&problem).path.ends_with(".txt"));
        assert!(problem.hint.is_some_and(|hint| hint.contains("include each other")));
    }
}

#[test]
fn an_included_file_that_is_not_there_is_told_at_the_line_that_includes_it() {
    let files = Files::new(&[("requirements.txt", "-r a.txt"), ("a.txt", "\n  -r missing.txt\n")]);
    let problem = files.read("requirements.txt").unwrap_err();
    assert!(spot(&problem).path.ends_with("a.txt"), "{problem}");
    assert_eq!(line_and_column(&problem), (2, 3));
    assert!(problem.problem.contains("missing.txt"), "{problem}");
}

#[test]
fn a_mistake_in_an_included_file_is_told_where_it_is() {
    let files = Files::new(&[("requirements.txt", "-r a.txt"), ("a.txt", "idna\nflask $\n")]);
    let problem = files.read("requirements.txt").unwrap_err();
    assert!(spot(&problem).path.ends_with("a.txt"), "{problem}");
    assert_eq!(line_and_column(&problem), (2, 7));
}

#[test]
fn a_malformed_requirement_is_told_with_line_and_column() {
    for (text, place) in [
        ("flask $1.0", (1, 7)),
        ("idna\n\n   flask $1.0", (3, 10)),
        ("idna\r\nflask $1.0\r\n", (2, 7)),
        ("$", (1, 1)),
        // Columns are characters, where the parser counts bytes.
        ("flask ; os_name == 'é€' $", (1, 25)),
        ("flask[", (1, 6)),
    ] {
        let problem = rejected(text);
        assert_eq!(line_and_column(&problem), place, "{text:?}: {problem}");
        assert_eq!(spot(&problem).path, "requirements.txt");
        assert!(problem.problem.contains("malformed requirement"), "{problem}");
        assert!(problem.hint.is_some());
    }
}

#[test]
fn a_mistake_on_a_continued_line_is_told_on_that_line() {
    let problem = rejected("idna\nflask \\\n    $1.0\n");
    assert_eq!(line_and_column(&problem), (3, 5), "{problem}");
    let problem = rejected("flask>=3 \\\r\n  ; \\\r\n  spam == '3'\r\n");
    assert_eq!(line_and_column(&problem), (3, 3), "{problem}");
}

#[test]
fn texts_that_name_nothing_are_rejected() {
    for text in [
        "flask = 1.0",
        "flask 1.0",
        "flask>=",
        "flask>=x",
        "flask ; ",
        "flask ; python_version",
        "flask ; spam == '1'",
        "flask[a",
        "[a]",
        "==1.0",
        "fläsk",
        "flask @",
        "flask, idna",
        "<<<<<<< HEAD",
        "=======",
        ">>>>>>> branch",
    ] {
        let problem = rejected(&format!("idna\n{text}\n"));
        assert_eq!(spot(&problem).line, 2, "{text}: {problem}");
    }
}

/// PEP 508: a name ends in a letter or a digit.
#[test]
fn a_name_that_ends_in_a_separator_is_rejected() {
    for text in ["flask-", "flask_", "flask.", "flask- >=1", "flask-!", "flask-[x]", "flask-;"] {
        assert_eq!(spot(&rejected(&format!("idna\n{text}\n"))).line, 2, "{text}");
    }
}

/// `SUPPORTED_OPTIONS` in pip's `req_file.py`; everything else is an error there, too.
#[test]
fn an_unknown_option_is_refused_by_name() {
    for (text, option) in [
        ("--unknown", "--unknown"),
        ("-", "-"),
        ("-x", "-x"),
        ("--global-option=x", "--global-option"),
        ("--no", "--no"),
    ] {
        let problem = rejected(&format!("idna\n {text}\n"));
        assert_eq!(line_and_column(&problem), (2, 2), "{text}");
        assert!(problem.problem.contains(&format!("`{option}`")), "{problem}");
    }
}

fn read_manifest(text: &str) -> Manifest {
    let path = Path::new("/nowhere/requirements.txt");
    let source = Source::of_text(path, "requirements.txt", text.to_owned());
    format().read(&source).unwrap_or_else(|problem| panic!("{text:?}: {problem}"))
}

fn index(url: &str, is_default: bool) -> IndexSource {
    IndexSource { is_default, ..IndexSource::new(url.parse().unwrap()) }
}

#[test]
fn indexes_are_kept_as_pip_asks_them() {
    let (a, b, c) = ("https://a.example/simple", "https://b.example/", "https://c.example/");
    for (text, indexes) in [
        (format!("-i {a}\n--extra-index-url {b}\nidna"), vec![index(a, true), index(b, false)]),
        (
            format!("--index-url={a} --extra-index-url={b}\nidna"),
            vec![index(a, true), index(b, false)],
        ),
        // A new one takes the place of all before it.
        (format!("--extra-index-url {b}\n-i{c}\nidna"), vec![index(c, true)]),
        // `optparse` takes the beginning of a name for the whole.
        (format!("--extra-index '{b}'\nidna"), vec![index(b, false)]),
        (format!("-i {a}\n--no-index\n--extra-index-url {b}\nidna"), vec![]),
    ] {
        let read = read_manifest(&text);
        assert_eq!(read.indexes.indexes, indexes, "{text}");
        assert_eq!(read.indexes.no_index, text.contains("--no-index"));
    }
    let problem = rejected("idna\n-i nonsense\n");
    assert_eq!(line_and_column(&problem), (2, 1));
    assert!(problem.problem.contains("URL of an index"), "{problem}");
}

#[test]
fn folders_and_pages_of_files_are_kept() {
    let files = Files::new(&[
        ("requirements.txt", "-f wheels\n--find-links=https://h.example/x\n-f missing\nidna"),
        ("wheels/x", ""),
    ]);
    let read = super::read(&files.0.path().join("requirements.txt")).unwrap();
    assert_eq!(
        read.indexes.find_links,
        [
            LinksSource::Path(files.0.path().join("wheels")),
            LinksSource::Page("https://h.example/x".parse().unwrap()),
            LinksSource::Path("missing".into()),
        ]
    );
}

#[test]
fn pre_releases_are_kept() {
    for (text, expected) in [
        ("--pre", Some(Prereleases::Allow)),
        ("--all-releases :all:", Some(Prereleases::Allow)),
        ("--only-final=:all:", Some(Prereleases::Disallow)),
        ("", None),
    ] {
        assert_eq!(read_manifest(&format!("{text}\nidna")).prereleases, expected, "{text}");
    }
}

/// With `--no-binary` a wheel that was looked at is not what is installed; with the others pip may
/// install an older release, and one without a wheel is never reported as fine.
#[test]
fn what_is_not_followed_is_told() {
    for text in ["--no-binary :all:", "--no-binary=idna,certifi", "--only-final=idna"] {
        let read = read_manifest(&format!("{text}\nidna"));
        assert!(matches!(read.gaps.as_slice(), [Gap::Always(_)]), "{text}: {:?}", read.gaps);
    }
    for text in ["--prefer-binary", "--only-binary=:all:"] {
        let read = read_manifest(&format!("{text}\nidna"));
        assert_eq!((read.gaps.len(), read.notes.len()), (0, 1), "{text}");
    }
    let read = read_manifest("--no-binary :none:\n--only-binary :none:\nidna");
    assert_eq!((read.gaps.len(), read.notes.len()), (0, 0));
}

#[test]
fn options_that_change_nothing_are_passed_over() {
    for text in [
        "--require-hashes",
        "--use-feature=fast-deps",
        "--use-feature fast-deps",
        "--trusted-host h.example",
    ] {
        let read = read_manifest(&format!("{text}\nidna"));
        assert_eq!((read.gaps.len(), read.notes.len()), (0, 0), "{text}");
        assert_eq!(shown(&requirements(read)), ["idna"], "{text}");
    }
}

#[test]
fn constraints_bound_and_ask_for_nothing() {
    let files = Files::new(&[
        ("requirements.txt", "flask\n-c constraints.txt\n--constraint=more/c.txt"),
        ("constraints.txt", "idna<4  # why\nspam @ https://h.example/spam-1.0-py3-none-any.whl\n"),
        ("more/c.txt", "-c d.txt\nclick>=8 ; python_version > '3'"),
        ("more/d.txt", "h11"),
    ]);
    let read = super::read(&files.0.path().join("requirements.txt")).unwrap();
    let Content::Requirements(read) = read.content else { panic!("a lock was read") };
    assert_eq!(shown(&read.required), ["flask"]);
    assert_eq!(
        shown(&read.constraints),
        ["idna<4", "spam @ https://h.example/spam-1.0-py3-none-any.whl", "h11", "click>=8"]
    );
    assert!(read.constraints[0].location.path.ends_with("constraints.txt"));
}

/// `check_invalid_constraint_type` in pip's `req_install.py`.
#[test]
fn a_constraint_that_pip_refuses_is_refused() {
    for text in ["flask[async]<4", "-e .", "./spam"] {
        let files = Files::new(&[
            ("requirements.txt", "flask\n-c c.txt"),
            ("c.txt", &format!("idna\n{text}\n")),
        ]);
        let problem = files.read("requirements.txt").unwrap_err();
        assert!(spot(&problem).path.ends_with("c.txt"), "{problem}");
        assert_eq!(line_and_column(&problem), (2, 1), "{problem}");
        assert!(problem.problem.contains("constraint"), "{problem}");
    }
}

#[test]
fn environment_variables_that_are_set_are_put_in() {
    // Cargo sets it for tests.
    let name = std::env::var("CARGO_PKG_NAME").unwrap();
    let read = read_all("${CARGO_PKG_NAME}==1 # ${X}\nidna\n");
    assert_eq!(shown(&read), [format!("{name}==1"), "idna".to_owned()]);
    assert_eq!(lines(&read), [(1, 1), (2, 1)]);
    // Those that are not set, and names that are none, stay as they are.
    for variable in ["${NO_SUCH_VARIABLE_4711}", "${cargo_pkg_name}", "$CARGO_PKG_NAME", "${}"] {
        rejected(&format!("{variable}==1"));
        let text = format!("https://{variable}@h.example/spam-1.0-py3-none-any.whl");
        assert_eq!(read_all(&text).len(), 1, "{text}");
    }
}

/// It may be a token.
#[test]
fn what_a_variable_holds_is_not_repeated() {
    let problem = rejected("idna\nspam = 1 ${CARGO_PKG_DESCRIPTION}\n");
    let held = std::env::var("CARGO_PKG_DESCRIPTION").unwrap();
    assert_eq!(spot(&problem).line, 2);
    assert!(!problem.problem.contains(&held), "{problem}");
    assert!(problem.problem.contains("${CARGO_PKG_DESCRIPTION}"), "{problem}");
}

#[test]
fn a_file_at_a_url_is_not_included() {
    for url in ["https://h.example/r.txt", "HTTP://h.example/r.txt"] {
        let problem = rejected(&format!("idna\n-r {url}"));
        assert_eq!(line_and_column(&problem), (2, 1));
        assert!(problem.hint.is_some(), "{problem}");
    }
}

#[test]
fn merge_conflicts_are_told_as_such() {
    for marker in ["<<<<<<< HEAD", "=======", ">>>>>>> main", "||||||| base"] {
        let problem = rejected(&format!("idna\n{marker}\n"));
        assert_eq!(line_and_column(&problem), (2, 1));
        assert!(problem.problem.contains("merge-conflict marker"), "{problem}");
    }
}

#[test]
fn standard_input_is_read_from_the_working_directory() {
    let text = b"idna\n./no-such-wheel-1.0-py3-none-any.whl\nflask $\n";
    let source = Source::from_reader(Path::new("-"), "<stdin>", text.as_slice()).unwrap();
    let problem = format().read(&source).unwrap_err();
    assert_eq!(problem.to_string().split(' ').next(), Some("<stdin>:3:7:"), "{problem}");
    let text = b"./no-such-1.0-py3-none-any.whl\n-r Cargo.toml\n";
    let source = Source::from_reader(Path::new("-"), "<stdin>", text.as_slice()).unwrap();
    let problem = format().read(&source).unwrap_err();
    assert_eq!(spot(&problem).path, "Cargo.toml", "{problem}");
    let problem =
        Source::from_reader(Path::new("-"), "<stdin>", b"a\n\xff".as_slice()).unwrap_err();
    assert_eq!(problem.to_string(), "<stdin>:2:1: expected UTF-8, found a byte that is not");
}

#[test]
fn a_million_lines_are_read_in_a_moment() {
    let text = "idna==3.10 # c\n".repeat(1_000_000);
    let start = std::time::Instant::now();
    assert_eq!(read_all(&text).len(), 1_000_000);
    // A second where it is built to be used; this one is not.
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

/// What a local project asks for stands in its own file, and is asked for with it.
#[test]
fn a_local_project_asks_for_what_its_file_says() {
    let pyproject = "[project]\nname = 'My.App'\ndependencies = [\n  'idna>=3',\n  'h11; python_version < \"3.15\"',\n]\n[project.optional-dependencies]\nweb = ['flask']\nall = ['my-app[web]', 'click']\ndocs = ['sphinx']\n";
    let files = Files::new(&[
        ("requirements.txt", "-e ./app[all] ; sys_platform == 'linux'\ncertifi"),
        ("app/pyproject.toml", pyproject),
    ]);
    let read = super::read(&files.0.path().join("requirements.txt")).unwrap();
    assert_eq!(read.gaps, []);
    let [project] = read.projects.as_slice() else { panic!("{:?}", read.projects) };
    assert_eq!(project.name.to_string(), "my-app");
    assert_eq!((project.location.line, project.location.column), (1, 1));
    let read = requirements(read);
    assert_eq!(shown(&read), ["idna>=3", "h11", "flask", "click", "certifi"]);
    assert!(read[0].location.path.ends_with("pyproject.toml"));
    assert_eq!(lines(&read)[..2], [(4, 3), (5, 3)]);
    let marker = "python_version < '3.15' and sys_platform == 'linux'";
    assert_eq!(read[1].marker, MarkerTree::from_str(marker).unwrap());
    assert!(read.iter().all(|one| one.section == Section::Base));
}

#[test]
fn what_a_build_would_tell_is_a_gap() {
    let dynamic = "[project]\nname = 'app'\ndynamic = ['dependencies']\n";
    for (files, is_known) in [
        (vec![("app/pyproject.toml", dynamic)], false),
        (vec![("app/setup.py", "setup(install_requires=open('x').read())")], false),
        (vec![("app/pyproject.toml", "[build-system]\nrequires = []")], false),
        (
            vec![(
                "app/setup.cfg",
                "[options]\ninstall_requires =\n    idna>=3\n    # why\n    h11; sys_platform == 'linux'\n[options.extras_require]\nweb = flask\n",
            )],
            true,
        ),
        (vec![("app/setup.cfg", "[options]\ninstall_requires = file: x.txt\n")], false),
        (
            vec![
                ("app/setup.cfg", "[options]\ninstall_requires = idna"),
                ("app/setup.py", "exec(1)"),
            ],
            false,
        ),
    ] {
        let mut files = files;
        files.push(("requirements.txt", "certifi\n./app[web]\n"));
        let folder = Files::new(&files);
        let read = super::read(&folder.0.path().join("requirements.txt")).unwrap();
        assert_eq!(read.gaps.is_empty(), is_known, "{files:?}: {:?}", read.gaps);
        let expected: &[&str] =
            if is_known { &["certifi", "idna>=3", "h11", "flask"] } else { &["certifi"] };
        assert_eq!(shown(&requirements(read)), expected, "{files:?}");
    }
}

/// Two projects that ask for each other are read once each.
#[test]
fn local_projects_may_ask_for_each_other() {
    let folder = tempdir().unwrap();
    for (own, other) in [("left", "right"), ("right", "left")] {
        let url = url::Url::from_file_path(folder.path().join(other)).unwrap();
        fs::create_dir(folder.path().join(own)).unwrap();
        let text =
            format!("[project]\nname = '{own}'\ndependencies = ['{other} @ {url}', 'idna']\n");
        fs::write(folder.path().join(own).join("pyproject.toml"), text).unwrap();
    }
    fs::write(folder.path().join("requirements.txt"), "./left").unwrap();
    let read = super::read(&folder.path().join("requirements.txt")).unwrap();
    assert_eq!(read.projects.len(), 2);
    assert_eq!(shown(&requirements(read)), ["idna", "idna"]);
}

/// Name and version of each line, as a reader of the tool's own file would take them.
fn pinned(text: &str) -> Vec<String> {
    let lines = text.lines().filter(|line| line.contains("==") && !line.starts_with([' ', '#']));
    lines
        .map(|line| line.split([' ', ';']).next().unwrap().trim_end_matches('\\').to_lowercase())
        .map(|pin| pin.replace(['_', '.'], "-"))
        .collect()
}

/// Files that uv, pip-tools and pip wrote (`fixtures/requirements/README.md`).
#[test]
fn what_tools_write_is_read() {
    for (file, count) in [
        ("uv-compile.txt", 0),
        ("uv-annotated.txt", 0),
        ("pip-compile.txt", 0),
        ("pip-freeze.txt", 0),
    ] {
        let path = fixture("requirements/written").join(file);
        let text = fs::read_to_string(&path).unwrap();
        let read = requirements(super::read(&path).unwrap());
        let found: Vec<_> =
            read.iter().map(|one| show(one).replace(['_', '.'], "-").to_lowercase()).collect();
        assert_eq!(found, pinned(&text), "{file}");
        assert!(found.len() > count);
        let hashes: usize = read.iter().map(|one| one.hashes.len()).sum();
        assert_eq!(hashes, text.matches("--hash=sha256:").count(), "{file}");
        let markers = read.iter().filter(|one| !one.marker.is_true()).count();
        assert_eq!(markers, text.lines().filter(|line| line.contains(" ; ")).count(), "{file}");
    }
}

#[test]
fn a_file_without_requirements_is_rejected() {
    for text in ["", "\n\n", "# nothing\n", " \t\r\n", "\\", "--require-hashes\n"] {
        let problem = rejected(text);
        assert_eq!(
            problem.to_string(),
            "requirements.txt: expected at least one requirement, found none"
        );
    }
}

/// A requirement with the parts it has to be read back as.
#[derive(Debug)]
struct Generated {
    line: String,
    name: String,
    specifiers: String,
    marker: String,
}

prop_compose! {
    fn requirement()(
        name in "[A-Za-z0-9]([A-Za-z0-9._-]{0,8}[A-Za-z0-9])?",
        extras in prop::collection::vec("[a-z][a-z0-9-]{0,4}[a-z0-9]", 0..3),
        specifiers in prop::collection::vec(
            (
                "==|!=|<=|>=|<|>|~=",
                r"[0-9]{1,3}\.[0-9]{1,3}(\.[0-9])?(rc[0-9]|\.post[0-9]|\.dev[0-9])?",
            ),
            0..3,
        ),
        marker in prop::sample::select(vec![
            "",
            "python_version >= '3.11'",
            "sys_platform == 'win32' or extra == 'x'",
            "(os_name == \"posix\") and platform_machine != 'arm64'",
        ]),
        blank in "[ \t]{0,2}",
        continued in any::<bool>(),
        tail in prop::sample::select(vec!["", "  ", " # comment", "\t# --hash=sha256:00"]),
        hashes in 0..3usize,
        indent in "[ \t]{0,3}",
    ) -> Generated {
        let blank = if continued { format!("{blank} \\\n  ") } else { blank };
        let extras =
            if extras.is_empty() { String::new() } else { format!("[{}]", extras.join(",")) };
        let specifiers: Vec<_> =
            specifiers.iter().map(|(operator, version)| format!("{operator}{version}")).collect();
        let with_marker =
            if marker.is_empty() { String::new() } else { format!("{blank}; {marker}") };
        let hashes: String =
            (0..hashes).map(|at| format!(" \\\n    --hash=sha256:{at:064}")).collect();
        Generated {
            line: format!(
                "{indent}{name}{extras}{blank}{}{with_marker}{hashes}{tail}",
                specifiers.join(&format!(",{blank}"))
            ),
            name,
            specifiers: specifiers.join(","),
            marker: marker.to_owned(),
        }
    }
}

/// Pieces that decide something in these files, in any order.
fn nearly_a_file() -> impl Strategy<Value = String> {
    let pieces = vec![
        "flask",
        "-",
        "--",
        "-r",
        "-e",
        "-c",
        " ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "\\",
        "\\\n",
        "#",
        ";",
        "==",
        ">=1.0",
        "[",
        "]",
        "(",
        ")",
        ",",
        "@",
        "'",
        "\"",
        "https://h/a-1-py3-none-any.whl",
        "/",
        ":\\",
        "${X}",
        "--hash=sha256:0",
        "é",
        "😀",
        "\u{feff}",
        "\u{0}",
        "\u{a0}",
        "\u{2028}",
        "=",
        "python_version",
        ".whl",
        "git+",
        "~",
        "missing.txt",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn valid_lines_are_read_back(
        generated in prop::collection::vec(requirement(), 1..6),
        line_end in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let text: String =
            generated.iter().map(|one| format!("{}\n", one.line)).collect::<String>();
        let text = text.replace('\n', line_end);
        let read = read(&text)
            .map_err(|problem| TestCaseError::fail(format!("{text}: {problem}")))?;
        prop_assert_eq!(read.len(), generated.len());
        let mut line = 1;
        for (read, expected) in read.iter().zip(&generated) {
            prop_assert_eq!(&read.name, &PackageName::from_str(&expected.name).unwrap());
            let Wanted::Release(specifiers) = &read.wanted else {
                return Err(TestCaseError::fail(format!("{read:?}")));
            };
            let wanted = VersionSpecifiers::from_str(&expected.specifiers).unwrap();
            prop_assert_eq!(specifiers, &wanted);
            let marker = if expected.marker.is_empty() {
                MarkerTree::default()
            } else {
                MarkerTree::from_str(&expected.marker).unwrap()
            };
            prop_assert_eq!(&read.marker, &marker);
            prop_assert_eq!(read.location.line, line);
            line += expected.line.matches('\n').count() + 1;
        }
    }

    #[test]
    fn no_text_makes_it_panic_or_point_outside(text in prop_oneof!["\\PC{0,40}", nearly_a_file()]) {
        let lines = text.split('\n').count();
        let path = Path::new("/nowhere/requirements.txt");
        let source = Source::of_text(path, "requirements.txt", text.clone());
        match format().read(&source) {
            Ok(manifest) => {
                // The project in the folder of the run asks for nothing of itself: `.` names it.
                let is_own = !manifest.projects.is_empty();
                let read = requirements(manifest);
                prop_assert!(is_own || !read.is_empty());
                for requirement in read {
                    prop_assert!(is_own || (1..=lines).contains(&requirement.location.line));
                }
            }
            Err(InputError { place: ftcheck::input::Place::Spot(place), .. }) => {
                prop_assert!((1..=lines).contains(&place.line));
            }
            Err(_) => {}
        }
    }
}

/// A fragment with nothing before it was taken for the folder of the run, with whatever lies there.
#[test]
fn a_path_of_nothing_is_rejected() {
    for text in ["-e#", "-e \"#egg=spam\"", "-e file:", "-e file:#egg=spam"] {
        let problem = read(text).unwrap_err().to_string();
        assert!(problem.contains("expected a path"), "{text}: {problem}");
    }
}

/// Found by fuzzing: the parser of requirements panics on extras that end so, wherever they end.
#[test]
fn an_extra_that_ends_in_a_separator_is_rejected() {
    for text in [
        "spam[eggs.]==1",
        "spam[eggs-,ham]",
        "spam[eggs. ham",
        "spam[ eggs_",
        "spam [eggs.",
        "spam[a,b.\rc]",
    ] {
        rejected(text);
    }
}

/// Found by fuzzing: the parser counts letters beyond ASCII as one byte, and slices inside them.
#[test]
fn letters_beyond_ascii_behind_a_marker_are_rejected() {
    for text in ["o;' ;'<'&<o9';\u{437}", "spam;'\u{437}'<'\u{437}';\u{437}", "spam; \u{437}"] {
        rejected(text);
    }
}
