//! Each key of the configuration, and what is wrong with one, where it stands.

use std::path::Path;

use ftcheck::input::{InputError, Source};
use ftcheck::judge::FailOn;
use ftcheck::model::finding::Level;
use ftcheck::settings::{ProjectSettings, read};
use insta::assert_snapshot;
use jiff::civil::date;

fn of(name: &str, text: &str) -> Result<Option<ProjectSettings>, InputError> {
    read(Source::of_text(Path::new(name), name, text.to_owned()))
}

fn own(text: &str) -> ProjectSettings {
    of("ftcheck.toml", text).unwrap().unwrap()
}

/// What is wrong, with what may help on a line of its own.
fn problem(text: &str) -> String {
    let problem = of("ftcheck.toml", text).unwrap_err();
    let hint = problem.hint.as_ref().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{problem}{hint}")
}

fn problems(texts: &[&str]) -> String {
    texts.iter().map(|text| problem(text) + "\n").collect()
}

#[test]
fn every_key() {
    let settings = own(r#"
targets = ["3.14t", "3.15t"]
platforms = ["linux", "aarch64-macos_14_0"]
groups = ["Test_Group"]
extras = ["plot"]
fail-on = ["error", "sdist-only"]
rules = { sdist-only = "note", tracker-disagrees = "off" }

[[ignore]]
package = "Typing_Extensions*"
rule = "gil-enabled-on-import"
module = "spam.*"
reason = "  only the build uses it "
expires = 2027-06-30
"#);
    let texts = |all: Vec<String>| all.join(" ");
    assert_eq!(texts(settings.targets.iter().map(ToString::to_string).collect()), "3.14t 3.15t");
    assert_eq!(
        texts(settings.platforms.iter().map(ToString::to_string).collect()),
        "x86_64-manylinux_2_28 aarch64-macos_14_0"
    );
    assert_eq!(texts(settings.groups.iter().map(ToString::to_string).collect()), "test-group");
    assert_eq!(texts(settings.extras.iter().map(ToString::to_string).collect()), "plot");
    assert_eq!(
        settings.fail_on,
        Some(FailOn { level: Some(Level::Error), rules: ["sdist-only"].into() })
    );
    assert_eq!(settings.levels.0["sdist-only"], Some(Level::Note));
    assert_eq!(settings.levels.0["tracker-disagrees"], None);
    let [ignore] = settings.ignores.as_slice() else { panic!("{settings:?}") };
    assert_eq!(ignore.package.as_ref().unwrap().to_string(), "typing-extensions*");
    assert_eq!(ignore.rule, Some("gil-enabled-on-import"));
    assert_eq!(ignore.module.as_ref().unwrap().to_string(), "spam.*");
    assert_eq!(ignore.reason, "only the build uses it");
    assert_eq!(ignore.expires, Some(date(2027, 6, 30)));
    assert_eq!((ignore.location.line, ignore.location.column), (9, 1));
}

#[test]
fn an_empty_file_says_nothing() {
    let settings = own("");
    assert!(settings.path.is_some());
    assert_eq!(ProjectSettings { path: None, ..settings }, ProjectSettings::default());
}

#[test]
fn the_same_in_a_table_of_pyproject_toml() {
    let text = "[project]\nname = \"spam\"\n[tool.ftcheck]\ntargets = [\"3.15t\"]\n\
                ignore = [{ package = \"a\", reason = \"b\", expires = \"2027-01-02\" }]\n";
    let settings = of("pyproject.toml", text).unwrap().unwrap();
    assert_eq!(settings.targets.len(), 1);
    assert_eq!(settings.ignores[0].expires, Some(date(2027, 1, 2)));
    assert_eq!(of("pyproject.toml", "[tool.other]\n"), Ok(None));
    // What stands outside of the table is for others to check.
    assert!(of("pyproject.toml", "targts = 1\n[tool.ftcheck]\n").unwrap().is_some());
}

#[test]
fn fail_on_may_be_a_single_word_and_may_be_empty() {
    let level = |level| Some(FailOn { level, rules: [].into() });
    assert_eq!(own("fail-on = \"note\"").fail_on, level(Some(Level::Note)));
    assert_eq!(own("fail-on = []").fail_on, level(None));
    assert_eq!(own("fail-on = [\"error\", \"note\"]").fail_on, level(Some(Level::Note)));
}

#[test]
fn unknown_keys_are_errors_with_the_nearest_name() {
    assert_snapshot!(problems(&[
        "target = [\"3.14t\"]",
        "\nfail_on = \"error\"",
        "exclude = []",
        "ignore = [{ package = \"a\", reason = \"b\", expire = 2027-01-01 }]",
        "[rules]\ngil-enabled-on-imprt = \"off\"",
        "[rules]\nGIL = \"off\"",
    ]), @r"
    ftcheck.toml:1:1: unknown key `target`
    hint: did you mean `targets`?
    ftcheck.toml:2:1: unknown key `fail_on`
    hint: did you mean `fail-on`?
    ftcheck.toml:1:1: unknown key `exclude`
    hint: there are: targets, platforms, groups, extras, fail-on, rules, limits, ignore
    ftcheck.toml:1:42: unknown key `expire`
    hint: did you mean `expires`?
    ftcheck.toml:2:1: expected the name of a rule, found `gil-enabled-on-imprt`
    hint: did you mean `gil-enabled-on-import`?
    ftcheck.toml:2:1: expected the name of a rule, found `GIL`
    ");
}

#[test]
fn values_of_another_kind_are_told_where_they_stand() {
    assert_snapshot!(problems(&[
        "targets = \"3.14t\"",
        "targets = [3.14]",
        "targets = [\"3.14t\", \"3.14\"]",
        "platforms = [\"beos\"]",
        "groups = { a = 1 }",
        "extras = [\"a b\"]",
        "fail-on = 1",
        "fail-on = [\"warnings\"]",
        "fail-on = \"everything\"",
        "rules = [\"off\"]",
        "rules = { sdist-only = false }",
        "rules = { sdist-only = \"warn\" }",
        "ignore = { package = \"a\", reason = \"b\" }",
        "ignore = [\"a\"]",
        "targets = [",
    ]), @r"
    ftcheck.toml:1:11: expected a list for `targets`, found a string
    ftcheck.toml:1:12: expected a string for `targets`, found float
    ftcheck.toml:1:21: expected one of 3.13t, 3.14t, 3.15t, found `3.14`
    ftcheck.toml:1:14: expected linux, macos, windows or a longer form such as x86_64-manylinux_2_28, x86_64-musllinux_1_2, aarch64-macos_14_0, x86_64-windows, found `beos`
    ftcheck.toml:1:10: expected a list for `groups`, found a table
    ftcheck.toml:1:11: expected the name of an extra, found `a b`
    ftcheck.toml:1:11: expected a string for `fail-on`, found integer
    ftcheck.toml:1:12: expected a level (error, warning, note) or the name of a rule, found `warnings`
    hint: did you mean `warning`?
    ftcheck.toml:1:11: expected a level (error, warning, note) or the name of a rule, found `everything`
    ftcheck.toml:1:9: expected a table for `rules`, found a list
    ftcheck.toml:1:24: expected a string for `sdist-only`, found true or false
    ftcheck.toml:1:24: expected error, warning, note or off for `sdist-only`, found `warn`
    hint: did you mean `warning`?
    ftcheck.toml:1:10: expected a list for `ignore`, found a table
    ftcheck.toml:1:11: expected a table for `ignore`, found a string
    ftcheck.toml:1:12: unclosed array, expected `]`
    ");
}

#[test]
fn an_ignore_has_a_reason_and_says_what_it_is_for() {
    assert_snapshot!(problems(&[
        "ignore = [{ package = \"a\" }]",
        "ignore = [{ package = \"a\", reason = \" \" }]",
        "ignore = [{ reason = \"a\" }]",
        "ignore = [{ module = \"a\", reason = \"a\" }]",
        "ignore = [{ package = \"a b\", reason = \"a\" }]",
        "ignore = [{ package = \"\", reason = \"a\" }]",
        "ignore = [{ package = \"[a]\", reason = \"a\" }]",
        "ignore = [{ package = \"a\", module = \"a-b\", reason = \"a\" }]",
        "ignore = [{ rule = \"sdist\", reason = \"a\" }]",
    ]), @r#"
    ftcheck.toml:1:11: expected a `reason` for what is ignored, found none
    hint: say why: `reason = "only used by the build"`
    ftcheck.toml:1:37: expected a `reason` for what is ignored, found an empty one
    ftcheck.toml:1:11: expected a `package` or a `rule` to ignore, found neither
    ftcheck.toml:1:11: expected a `package` or a `rule` to ignore, found neither
    ftcheck.toml:1:23: expected a name, in which `*` may stand for any letters, found `a b`
    ftcheck.toml:1:23: expected a name, in which `*` may stand for any letters, found ``
    ftcheck.toml:1:23: expected a name, in which `*` may stand for any letters, found `[a]`
    ftcheck.toml:1:37: expected a name, in which `*` may stand for any letters, found `a-b`
    ftcheck.toml:1:20: expected the name of a rule, found `sdist`
    hint: did you mean `sdist-only`?
    "#);
}

#[test]
fn an_expiry_is_a_day() {
    let with =
        |date: &str| format!("ignore = [{{ package = \"a\", reason = \"b\", expires = {date} }}]");
    let texts: Vec<String> = [
        "\"2027-02-29\"",
        "2027-01-01T00:00:00Z",
        "\"tomorrow\"",
        "2027",
        "\"20270101\"",
        "10:00:00",
    ]
    .map(with)
    .into();
    assert_snapshot!(problems(&texts.iter().map(String::as_str).collect::<Vec<_>>()), @r"
    ftcheck.toml:1:52: expected a date such as 2027-06-30 for `expires`, found `2027-02-29`
    ftcheck.toml:1:52: expected a date such as 2027-06-30 for `expires`, found `2027-01-01T00:00:00Z`
    ftcheck.toml:1:52: expected a date such as 2027-06-30 for `expires`, found `tomorrow`
    ftcheck.toml:1:52: expected a date such as 2027-06-30 for `expires`, found integer
    ftcheck.toml:1:52: expected a date such as 2027-06-30 for `expires`, found `20270101`
    ftcheck.toml:1:52: expected a date such as 2027-06-30 for `expires`, found `10:00:00`
    ");
}
