//! The manifest as of a git revision, with real repositories.

use std::fs;

use super::{changes, diff, diff_in, index, json, notes, stderr, stdout};
use crate::support::Sandbox;
use crate::support::git::{commit, git, repository, try_git};
use crate::support::index::FakeIndex;

const JSON: [&str; 4] = ["--platform", "linux", "--format", "json"];

/// A repository whose first commit has these files.
fn project(files: &[(&str, &str)]) -> (FakeIndex, Sandbox) {
    let sandbox = Sandbox::new();
    for (path, text) in files {
        sandbox.write(path, text);
    }
    repository(&sandbox.path());
    (index(), sandbox)
}

fn against(sandbox: &Sandbox, index: &FakeIndex, code: i32, arguments: &[&str]) -> Vec<String> {
    changes(&diff_in(sandbox, "", index, &[&JSON, arguments].concat()).code(code))
}

const SPAM_WORSENED: &str = "worsened spam: 1 keeps-gil-off -> 2 enables-gil";

#[test]
fn exactly_what_changed_and_nothing_is_touched() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\nmend==1\npure==1\n")]);
    sandbox.write("requirements.txt", "mend==2\nspam==2\npure==1\n");
    sandbox.write("other.txt", "not committed");
    let before = (
        git(&sandbox.path(), &["status", "--porcelain=v2"]),
        fs::metadata(sandbox.path().join(".git/index")).unwrap().modified().unwrap(),
    );
    let outcome = diff(&sandbox, &index, &["--git", "main"]).code(1);
    let id = git(&sandbox.path(), &["rev-parse", "--short=12", "main"]);
    insta::assert_snapshot!(stdout(&outcome).replace(&id, "ID"), @r"
    worsened  spam 1 -> 2  keeps-gil-off -> enables-gil
    fixed     mend 1 -> 2  enables-gil -> keeps-gil-off

    error[gil-enabled-on-import] spam 2: `import declares_nothing` enables the GIL: declares_nothing does not declare that it runs without the GIL
      --> requirements.txt:2:1
      reached by declares_nothing

    gone[gil-enabled-on-import] mend 1

    1 worsened, 1 fixed; 1 new finding, 1 gone
    requirements.txt at main (ID) -> requirements.txt
    ");
    let index_file = fs::metadata(sandbox.path().join(".git/index")).unwrap();
    assert_eq!(index_file.modified().unwrap(), before.1);
    assert_eq!(git(&sandbox.path(), &["status", "--porcelain=v2"]), before.0);
    assert_eq!(
        against(&sandbox, &index, 1, &["--git", "main", "requirements.txt"]),
        [SPAM_WORSENED, "fixed mend: 1 enables-gil -> 2 keeps-gil-off"]
    );
}

#[test]
fn a_lock_with_the_project_beside_it() {
    let entry = |name: &str, version: &str, file: &str, index: &FakeIndex| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \"{}\" }}\n\
             wheels = [{{ url = \"{}\" }}]\n",
            index.simple_url(),
            index.file_url(file)
        )
    };
    let lock = |spam: &str, index: &FakeIndex| {
        let file = format!("spam-{spam}-cp314-cp314t-manylinux_2_17_x86_64.whl");
        let head = "version = 1\nrevision = 3\nrequires-python = \">=3.14\"\n\n[[package]]\nname = \"app\"\n\
                    version = \"1\"\nsource = { virtual = \".\" }\ndependencies = [{ name = \"pure\" }, { name = \"spam\" }]\n";
        format!(
            "{head}{}{}",
            entry("pure", "1", "pure-1-py3-none-any.whl", index),
            entry("spam", spam, &file, index)
        )
    };
    let (index, sandbox) = (index(), Sandbox::new());
    sandbox.write("uv.lock", lock("1", &index));
    sandbox.write(
        "pyproject.toml",
        "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.14\"\ndependencies = [\"pure\", \"spam\"]\n",
    );
    repository(&sandbox.path());
    sandbox.write("uv.lock", lock("2", &index));
    assert_eq!(against(&sandbox, &index, 1, &["--git", "HEAD"]), [SPAM_WORSENED]);
    // A change of the tool that names dependencies: from a lock to requirements.
    fs::remove_file(sandbox.path().join("uv.lock")).unwrap();
    fs::remove_file(sandbox.path().join("pyproject.toml")).unwrap();
    sandbox.write("requirements.txt", "spam==2\npure==2\n");
    assert_eq!(
        against(&sandbox, &index, 1, &["--git", "HEAD"]),
        [SPAM_WORSENED, "changed pure: 1 pure-python -> 2 pure-python"]
    );
}

#[test]
fn files_that_it_refers_to_are_those_of_the_revision() {
    let (index, sandbox) = project(&[
        ("app/requirements/dev.txt", "-r ../../common/base.txt\n-c pins.txt\npure\n"),
        ("app/requirements/pins.txt", "pure==1\n"),
        ("common/base.txt", "spam==1\n"),
    ]);
    sandbox.write("common/base.txt", "spam==2\n");
    sandbox.write("app/requirements/pins.txt", "pure==2\n");
    let expected = [SPAM_WORSENED, "changed pure: 1 pure-python -> 2 pure-python"];
    let path = "app/requirements/dev.txt";
    assert_eq!(against(&sandbox, &index, 1, &["--git", "HEAD", path]), expected);
    // From folders below, above and beside, and by a full path.
    for (folder, path) in [
        ("app", "requirements/dev.txt".to_owned()),
        ("app/requirements", "dev.txt".to_owned()),
        ("common", "../app/requirements/dev.txt".to_owned()),
        ("..", "work/app/requirements/dev.txt".to_owned()),
        ("common", sandbox.path().join(path).to_string_lossy().into_owned()),
    ] {
        let outcome =
            diff_in(&sandbox, folder, &index, &[&JSON[..], &["--git", "HEAD", &path]].concat())
                .code(1);
        assert_eq!(changes(&outcome), expected, "{folder} {path}");
    }
}

#[test]
fn a_workspace_with_its_members() {
    let member = |spam: &str| {
        format!(
            "[project]\nname = \"member\"\nversion = \"1\"\nrequires-python = \">=3.14\"\ndependencies = [\"spam=={spam}\"]\n"
        )
    };
    let (index, sandbox) = project(&[
        (
            "pyproject.toml",
            "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.14\"\ndependencies = [\"member\"]\n\
             [tool.uv.sources]\nmember = { workspace = true }\n[tool.uv.workspace]\nmembers = [\"packages/*\"]\n",
        ),
        ("packages/member/pyproject.toml", &member("1")),
    ]);
    sandbox.write("packages/member/pyproject.toml", member("2"));
    assert_eq!(against(&sandbox, &index, 1, &["--git", "HEAD"]), [SPAM_WORSENED]);
}

#[test]
fn a_renamed_manifest_is_compared_under_its_old_name() {
    let (index, sandbox) =
        project(&[("requirements.txt", "spam==1\npure==1\n# much else\n# that stays\n")]);
    git(&sandbox.path(), &["mv", "requirements.txt", "deps.txt"]);
    sandbox.write("deps.txt", "spam==2\npure==1\n# much else\n# that stays\n");
    // As soon as the index knows.
    let outcome =
        diff_in(&sandbox, "", &index, &[&JSON[..], &["--git", "HEAD", "deps.txt"]].concat())
            .code(1);
    assert_eq!(changes(&outcome), [SPAM_WORSENED]);
    assert!(
        notes(&outcome).contains("deps.txt was renamed from requirements.txt"),
        "{}",
        notes(&outcome)
    );
    commit(&sandbox.path(), "rename");
    assert_eq!(against(&sandbox, &index, 1, &["--git", "HEAD~1", "deps.txt"]), [SPAM_WORSENED]);
    // Asked for by its old name, as in a hook that was not changed yet.
    let outcome = diff_in(
        &sandbox,
        "",
        &index,
        &[&JSON[..], &["--git", "HEAD~1", "requirements.txt"]].concat(),
    )
    .code(1);
    assert_eq!(changes(&outcome), [SPAM_WORSENED]);
    assert!(notes(&outcome).contains("requirements.txt was renamed to deps.txt"));
}

#[test]
fn a_manifest_that_was_deleted_or_is_new() {
    let (index, sandbox) = project(&[("README", ""), ("spam.txt", "spam==2\n")]);
    fs::remove_file(sandbox.path().join("spam.txt")).unwrap();
    let outcome =
        diff_in(&sandbox, "", &index, &[&JSON[..], &["--git", "HEAD", "spam.txt"]].concat())
            .code(0);
    assert_eq!(changes(&outcome), ["removed spam: 2 enables-gil -> -"]);
    assert!(notes(&outcome).contains("spam.txt is no longer there"));
    sandbox.write("requirements.txt", "mend==1\n");
    let outcome = diff_in(&sandbox, "", &index, &[&JSON[..], &["--git", "HEAD"]].concat()).code(1);
    assert_eq!(changes(&outcome), ["added mend: - -> 1 enables-gil"]);
    assert!(notes(&outcome).contains("all of it is new"));
    for path in ["nowhere.txt", "no/such/folder/a.txt"] {
        let outcome = diff(&sandbox, &index, &["--git", "HEAD", path]).code(2);
        assert!(stderr(&outcome).contains("found none"), "{}", stderr(&outcome));
    }
    // A folder that is new, too.
    sandbox.write("tool/requirements.txt", "pure\n");
    let outcome =
        diff_in(&sandbox, "tool", &index, &[&JSON[..], &["--git", "HEAD"]].concat()).code(0);
    assert_eq!(changes(&outcome), ["added pure: - -> 2 pure-python"]);
}

#[test]
fn a_manifest_that_is_there_and_cannot_be_read_is_not_taken_for_a_deleted_one() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\n")]);
    sandbox.write("requirements.txt", "spam=1\n");
    diff(&sandbox, &index, &["--git", "HEAD"]).code(2);
    commit(&sandbox.path(), "broken");
    sandbox.write("requirements.txt", "spam==1\n");
    let outcome = diff(&sandbox, &index, &["--git", "HEAD"]).code(2);
    assert!(stderr(&outcome).contains("at HEAD ("), "{}", stderr(&outcome));
}

#[test]
fn a_branch_is_compared_with_where_it_began() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\nmend==1\n")]);
    git(&sandbox.path(), &["checkout", "--quiet", "-b", "topic"]);
    sandbox.write("requirements.txt", "spam==2\nmend==1\n");
    commit(&sandbox.path(), "topic");
    git(&sandbox.path(), &["checkout", "--quiet", "main"]);
    sandbox.write("requirements.txt", "spam==1\nmend==2\n");
    commit(&sandbox.path(), "main goes on");
    git(&sandbox.path(), &["checkout", "--quiet", "topic"]);
    assert_eq!(against(&sandbox, &index, 1, &["--git", "main"]), [SPAM_WORSENED]);
    assert_eq!(
        against(&sandbox, &index, 1, &["--git", "main", "--exact"]),
        ["worsened mend: 2 keeps-gil-off -> 1 enables-gil", SPAM_WORSENED]
    );
    // Histories that have nothing in common.
    git(&sandbox.path(), &["checkout", "--quiet", "--orphan", "alone"]);
    commit(&sandbox.path(), "alone");
    let outcome = diff(&sandbox, &index, &["--git", "main"]).code(2);
    assert!(stderr(&outcome).contains("--exact"), "{}", stderr(&outcome));
}

#[test]
fn a_shallow_clone_without_the_base() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\n")]);
    git(&sandbox.path(), &["checkout", "--quiet", "-b", "topic"]);
    sandbox.write("requirements.txt", "spam==2\n");
    commit(&sandbox.path(), "topic");
    let url = format!("file://{}", sandbox.path().display());
    let clone = sandbox.path().join("../clone");
    let clone_path = clone.to_string_lossy().into_owned();
    git(&sandbox.path(), &["clone", "--quiet", "--depth=1", "--branch=topic", &url, &clone_path]);
    let outcome = diff_in(&sandbox, "../clone", &index, &["--git", "origin/main"]).code(2);
    let told = stderr(&outcome);
    assert!(told.contains("in this shallow clone"), "{told}");
    assert!(
        told.contains("hint: fetch it first: `git fetch origin main:refs/remotes/origin/main`"),
        "{told}"
    );
    // Fetched as told, the commits are there and their common ancestor is not.
    git(&clone, &["fetch", "--quiet", "--depth=1", "origin", "main:refs/remotes/origin/main"]);
    let told = stderr(&diff_in(&sandbox, "../clone", &index, &["--git", "origin/main"]).code(2));
    assert!(told.contains("expected a common ancestor") && told.contains("--unshallow"), "{told}");
    let arguments = [&JSON[..], &["--git", "origin/main", "--exact"]].concat();
    assert_eq!(
        changes(&diff_in(&sandbox, "../clone", &index, &arguments).code(1)),
        [SPAM_WORSENED]
    );
    git(&clone, &["fetch", "--quiet", "--unshallow", "origin", "main"]);
    let arguments = [&JSON[..], &["--git", "origin/main"]].concat();
    assert_eq!(
        changes(&diff_in(&sandbox, "../clone", &index, &arguments).code(1)),
        [SPAM_WORSENED]
    );
}

#[test]
fn within_a_hook_and_with_words_that_look_like_options() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\n")]);
    sandbox.write("requirements.txt", "spam==2\n");
    let elsewhere = sandbox.home().to_string_lossy().into_owned();
    let outcome = sandbox
        .command()
        .envs(crate::support::git::ALONE)
        .env("GIT_DIR", &elsewhere)
        .env("GIT_INDEX_FILE", "nowhere")
        .args(["diff", "--git", "HEAD", "--index-url", &index.simple_url()])
        .args(JSON)
        .assert()
        .code(1);
    assert_eq!(changes(&outcome), [SPAM_WORSENED]);
    for name in ["--output=evil", "-O", "--upload-pack=evil", "HEAD:requirements.txt"] {
        let outcome = diff(&sandbox, &index, &[&format!("--git={name}")]).code(2);
        assert!(stderr(&outcome).contains("stands for none"), "{}", stderr(&outcome));
    }
    assert!(!sandbox.path().join("evil").exists());
    let bare = Sandbox::new();
    bare.write("requirements.txt", "pure\n");
    let outcome = diff(&bare, &index, &["--git", "HEAD"]).code(2);
    assert!(stderr(&outcome).contains("expected a git repository"), "{}", stderr(&outcome));
    git(&bare.path(), &["init", "--quiet"]);
    diff(&bare, &index, &["--git", "HEAD"]).code(2);
    assert!(!try_git(&bare.path(), &["rev-parse", "HEAD"]).status.success());
}

#[test]
fn the_configuration_of_the_working_tree_counts_for_both_sides() {
    let (index, sandbox) = project(&[
        ("requirements.txt", "spam==1\n"),
        ("ftcheck.toml", "fail-on = \"error\"\ntargets = [\"3.15t\"]\n"),
    ]);
    sandbox.write("requirements.txt", "spam==2\n");
    sandbox.write("ftcheck.toml", "fail-on = []\ntargets = [\"3.14t\"]\n");
    let outcome = diff_in(&sandbox, "", &index, &[&JSON[..], &["--git", "HEAD"]].concat()).code(0);
    assert_eq!(changes(&outcome), [SPAM_WORSENED]);
    assert_eq!(json(&outcome)["places"][0]["target"], "3.14t");
}

#[test]
fn a_manifest_that_was_renamed_is_found_where_its_directory_is_asked() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\npure==1\n")]);
    git(&sandbox.path(), &["mv", "requirements.txt", "requirements-app.txt"]);
    sandbox.write("requirements-app.txt", "spam==2\npure==1\n");
    git(&sandbox.path(), &["add", "."]);
    assert_eq!(against(&sandbox, &index, 1, &["--git", "main"]), [SPAM_WORSENED]);
}

#[test]
fn a_directory_that_no_longer_names_dependencies_is_no_success() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\n"), ("notes.md", "text")]);
    fs::remove_file(sandbox.path().join("requirements.txt")).unwrap();
    let outcome = diff(&sandbox, &index, &["--git", "main"]).code(3);
    let told = stdout(&outcome);
    assert!(told.contains("not covered: requirements.txt is no longer there"), "{told}");
    // Named, it was removed.
    diff(&sandbox, &index, &["--git", "main", "requirements.txt"]).code(0);
}

#[test]
fn the_root_of_the_repository_may_be_named_from_anywhere() {
    let (index, sandbox) = project(&[("requirements.txt", "spam==1\n"), ("sub/notes.md", "text")]);
    sandbox.write("requirements.txt", "spam==2\n");
    let root = sandbox.path();
    let name = format!("../{}", root.file_name().unwrap().to_string_lossy());
    for path in [root.to_str().unwrap(), &name, "."] {
        assert_eq!(against(&sandbox, &index, 1, &["--git", "main", path]), [SPAM_WORSENED]);
    }
    let arguments = [&JSON[..], &["--git", "main", ".."]].concat();
    let outcome = diff_in(&sandbox, "sub", &index, &arguments).code(1);
    assert_eq!(changes(&outcome), [SPAM_WORSENED]);
}
