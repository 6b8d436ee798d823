//! Where the configuration is looked for.

use std::path::Path;

use ftcheck::settings::find;
use tempfile::{TempDir, tempdir};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// The file that is found from a folder below, by its path.
fn found(folder: &TempDir, below: &str) -> Option<String> {
    let root = std::fs::canonicalize(folder.path()).unwrap();
    let found = find(&root.join(below)).unwrap()?.path?;
    Some(found.strip_prefix(&root).unwrap().display().to_string().replace('\\', "/"))
}

const TABLE: &str = "[tool.ftcheck]\n";

#[test]
fn of_both_in_one_folder_ftcheck_toml_counts() {
    let both = folder(&[("ftcheck.toml", ""), ("pyproject.toml", TABLE)]);
    assert_eq!(found(&both, ""), Some("ftcheck.toml".to_owned()));
    let shared = folder(&[("pyproject.toml", TABLE)]);
    assert_eq!(found(&shared, ""), Some("pyproject.toml".to_owned()));
    assert_eq!(found(&folder(&[("pyproject.toml", "[project]\n")]), ""), None);
    assert_eq!(found(&folder(&[]), ""), None);
}

#[test]
fn above_the_project_up_to_the_root_of_the_repository() {
    let above = folder(&[
        ("ftcheck.toml", "this is beyond the repository, and not even read"),
        ("repo/.git/HEAD", ""),
        ("repo/pyproject.toml", TABLE),
        ("repo/a/pyproject.toml", "[project]\n"),
        ("repo/a/b/c/requirements.txt", ""),
        ("repo/near/ftcheck.toml", ""),
        ("bare/.git/HEAD", ""),
    ]);
    assert_eq!(found(&above, "repo/a/b/c"), Some("repo/pyproject.toml".to_owned()));
    assert_eq!(found(&above, "repo/near"), Some("repo/near/ftcheck.toml".to_owned()));
    assert_eq!(found(&above, "bare"), None);
}

#[test]
fn outside_of_a_repository_only_beside_the_project() {
    let outside = folder(&[("ftcheck.toml", ""), ("a/requirements.txt", "")]);
    assert_eq!(found(&outside, "a"), None);
    assert_eq!(found(&outside, ""), Some("ftcheck.toml".to_owned()));
    assert_eq!(find(Path::new("there/is/no/such/folder")), Ok(None));
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_a_way_out() {
    let broken = folder(&[("pyproject.toml", "[tool.ftcheck\n")]);
    let problem = find(broken.path()).unwrap_err();
    assert!(problem.to_string().contains("pyproject.toml:1:"), "{problem}");
    assert!(problem.hint.unwrap().contains("--no-config"));
}
