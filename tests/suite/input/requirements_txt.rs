//! Requirements files, as pip reads them (`pip/_internal/req/req_file.py`).

use std::fs;
use std::path::Path;
use std::str::FromStr as _;

use ftcheck::input::{FORMATS, Format, InputError, Source};
use ftcheck::model::requirement::{Requirement, Wanted};
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
    for (text, name) in [
        ("-e .", "project"),
        ("-e ./sub/My_Pack", "my-pack"),
        ("--editable=sub", "sub"),
        ("-e git+https://h.example/spam", "spam"),
        (".", "project"),
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
        ("spam @ file:///abs/spam-1.0-py3-none-any.whl", "spam"),
    ] {
        assert_eq!(shown(&read_all(text)), [format!("{name} (local)")], "{text}");
    }
    for text in ["./spam-1.0-py3-none-any.whl", "spam-1.0-py3-none-any.whl"] {
        let read = read_all(text);
        assert!(matches!(read[0].wanted, Wanted::Unchecked(_)), "{text}");
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

/// A scan that passed over them would look at other files than pip installs.
#[test]
fn options_that_change_what_is_installed_are_refused_by_name() {
    for (text, option) in [
        ("-i https://h.example/simple", "-i"),
        ("--index-url https://h.example/simple", "--index-url"),
        ("--index-url=https://h.example/simple", "--index-url"),
        ("--extra-index-url https://h.example/simple", "--extra-index-url"),
        ("-f https://h.example/links", "-f"),
        ("--find-links=links", "--find-links"),
        ("--no-index", "--no-index"),
        ("-c constraints.txt", "-c"),
        ("--constraint constraints.txt", "--constraint"),
        ("--no-binary :all:", "--no-binary"),
        ("--only-binary=:all:", "--only-binary"),
        ("--pre", "--pre"),
        ("--unknown", "--unknown"),
        ("-", "-"),
    ] {
        let problem = rejected(&format!("idna\n {text}\n"));
        assert_eq!(line_and_column(&problem), (2, 2), "{text}");
        assert!(problem.problem.contains(&format!("`{option}`")), "{problem}");
    }
}

/// pip's sort key puts it before the version: with it an older wheel is installed rather than a
/// newer release without one. It is refused, or the requirements would be read wrongly.
#[test]
fn prefer_binary_is_not_passed_over() {
    assert_eq!(line_and_column(&rejected("--prefer-binary\nidna\n")), (1, 1));
}

#[test]
fn options_that_change_nothing_are_passed_over() {
    for text in ["--require-hashes", "--use-feature=fast-deps", "--use-feature fast-deps"] {
        assert_eq!(shown(&read_all(&format!("{text}\nidna"))), ["idna"], "{text}");
    }
}

#[test]
fn an_environment_variable_is_refused_rather_than_read_as_text() {
    let problem = rejected("idna\nspam @ https://${TOKEN}@h.example/spam-1.0-py3-none-any.whl\n");
    assert_eq!(spot(&problem).line, 2);
    assert!(problem.problem.contains("environment variables"), "{problem}");
}

/// pip expands them in URLs without a name, too.
#[test]
fn an_environment_variable_in_a_bare_url_is_refused_too() {
    let problem = rejected("https://${TOKEN}@h.example/spam-1.0-py3-none-any.whl\n");
    assert!(problem.problem.contains("environment variables"), "{problem}");
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
        match read(&text) {
            Ok(read) => {
                prop_assert!(!read.is_empty());
                for requirement in read {
                    prop_assert!((1..=lines).contains(&requirement.location.line));
                }
            }
            Err(InputError { place: ftcheck::input::Place::Spot(place), .. }) => {
                prop_assert!((1..=lines).contains(&place.line));
            }
            Err(_) => {}
        }
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
