//! uv's variables and files.

use ftcheck::model::index::IndexStrategy;
use ftcheck::model::requirement::Prereleases;

use super::Machine;

const FILE: &str = r#"
    index-url = "https://default.test/"
    extra-index-url = ["https://extra.test/"]
    find-links = ["wheels", "https://links.test/page"]
    index-strategy = "unsafe-best-match"
    prerelease = "allow"
    offline = true
    cache-dir = "/somewhere"
    [[index]]
    name = "own"
    url = "https://own.test/simple"
    explicit = true
    [[index]]
    url = "flat"
    format = "flat"
    [pip]
    no-deps = true
"#;

#[test]
fn a_file_says_all_that_options_say() {
    for path in ["home/uv.toml", "etc/uv.toml", "project/uv.toml", "uv.toml"] {
        let machine = Machine::new().write(path, FILE);
        assert_eq!(
            machine.indexes(),
            ["!own=https://own.test/simple", "https://extra.test/", "*https://default.test/"]
        );
        let folder = path.strip_suffix("/uv.toml").map(|it| format!("/{it}")).unwrap_or_default();
        let links = [
            format!("{folder}/flat"),
            format!("{folder}/wheels"),
            "https://links.test/page".to_owned(),
        ];
        assert_eq!(machine.links(), links);
        let found = machine.gather();
        assert_eq!(found.indexes.strategy, Some(IndexStrategy::BestMatch));
        assert_eq!(found.prereleases, Some(Prereleases::Allow));
        assert!(found.offline);
    }
}

#[test]
fn the_nearest_file_above_the_project_counts() {
    let own = "[[index]]\nname = 'own'\nurl = 'https://own.test/'\n";
    let machine = Machine::new()
        .write("uv.toml", "index-url = 'https://above.test/'")
        .write("project/pyproject.toml", "[project]\nname = 'x'");
    assert_eq!(machine.indexes(), ["*https://above.test/"]);
    let machine =
        machine.write("project/pyproject.toml", &own.replace("[[index", "[[tool.uv.index"));
    assert_eq!(machine.indexes(), ["own=https://own.test/"]);
    // In one folder the file of its own.
    let machine = machine.write("project/uv.toml", "index-url = 'https://beside.test/'");
    assert_eq!(machine.indexes(), ["*https://beside.test/"]);
}

#[test]
fn the_same_index_in_manifest_and_file_is_one() {
    let text = "[[tool.uv.index]]\nname = 'own'\nurl = 'https://own.test/'\n";
    let mut machine = Machine::new().write("project/pyproject.toml", text);
    let named = machine.gather().indexes.indexes[0].clone();
    machine.manifest.indexes.push(named);
    assert_eq!(machine.indexes(), ["own=https://own.test/"]);
}

#[test]
fn files_can_be_forbidden_or_replaced() {
    let machine = Machine::new().write("project/uv.toml", FILE).write("home/uv.toml", FILE);
    let machine = machine.variable("UV_NO_CONFIG", "1");
    assert!(machine.indexes().is_empty());
    let machine = machine
        .write("project/own.toml", "index-url = 'https://only.test/'")
        .variable("UV_CONFIG_FILE", "own.toml");
    assert_eq!(machine.indexes(), ["*https://only.test/"]);
}

#[test]
fn variables_say_the_rest() {
    let machine = Machine::new().variables(&[
        ("UV_NO_INDEX", "true"),
        ("UV_OFFLINE", "1"),
        ("UV_INDEX_STRATEGY", "first-index"),
        ("UV_PRERELEASE", "explicit"),
        ("UV_CONSTRAINT", "a.txt b.txt"),
        ("UV_OVERRIDE", "c.txt"),
        ("UV_INDEX_URL", "  "),
    ]);
    let found = machine.gather();
    assert!(found.indexes.no_index && found.offline);
    assert!(found.indexes.indexes.is_empty());
    assert_eq!(found.indexes.strategy, Some(IndexStrategy::FirstIndex));
    assert_eq!(found.prereleases, Some(Prereleases::Explicit));
    let below = |name: &str| machine.path().join("project").join(name);
    assert_eq!(found.constraints, [below("a.txt"), below("b.txt")]);
    assert_eq!(found.overrides, [below("c.txt")]);
}

#[test]
fn a_file_that_is_wrong_is_told_with_its_place() {
    for (text, expected) in [
        ("index-url = 3\n", "uv.toml:1:13: "),
        ("\n\n[index", "uv.toml:3:"),
        ("index-url = 'ftp://x.test/'", "uv.toml: index-url: expected an http"),
        ("[[index]]\nurl = 'https://x.test/'\nformat = 'x'", "uv.toml: index: expected the format"),
        (
            "[[index]]\nurl = 'https://x.test/'\nignore-error-codes = [99]",
            "uv.toml: index.ignore-error-codes: expected",
        ),
        ("index-strategy = 'x'", "uv.toml: index-strategy: expected"),
    ] {
        let problem = Machine::new().write("home/uv.toml", text).problem();
        assert!(problem.contains(expected), "{text}: {problem}");
        assert!(!problem.ends_with('.') && !problem.contains('\n'), "{problem}");
    }
}

#[test]
fn an_index_may_say_which_statuses_mean_that_something_is_not_there() {
    let text = "[[index]]\nurl = 'https://x.test/'\nignore-error-codes = [401, 403]";
    let found = Machine::new().write("project/uv.toml", text).gather();
    assert_eq!(found.indexes.indexes[0].ignored_statuses, [401, 403]);
}
