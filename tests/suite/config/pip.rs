//! pip's variables and files.

use std::path::Path;

use ftcheck::model::requirement::Prereleases;
use proptest::prelude::*;

use super::Machine;

#[test]
fn a_file_says_all_that_options_say() {
    let machine = Machine::new().write(
        "home/pip.conf",
        "# a comment\n[global]\nindex-url = https://default.test/simple\nextra-index-url =\n    \
         https://one.test/simple\n    https://two.test/simple\nfind_links = wheels\n\
         cert = /etc/own.pem\nproxy = proxy.test:3128\ntimeout = 60\n\n\
         [install]\npre = yes\nconstraint = c.txt\n[list]\nformat = columns\n",
    );
    assert_eq!(
        machine.indexes(),
        ["https://one.test/simple", "https://two.test/simple", "*https://default.test/simple"]
    );
    assert_eq!(machine.links(), ["/project/wheels"]);
    let found = machine.gather();
    assert_eq!(found.prereleases, Some(Prereleases::Allow));
    assert_eq!(found.constraints, [machine.path().join("project/c.txt")]);
    assert_eq!(found.access.authorities.unwrap().paths, [Path::new("/etc/own.pem")]);
    assert_eq!(found.access.proxy.unwrap().as_str(), "http://proxy.test:3128/");
}

#[test]
fn of_each_value_only_the_most_important_counts() {
    let say = |section: &str, host: &str| {
        format!("[{section}]\nextra-index-url = https://{host}.test/\n")
    };
    let machine = Machine::new().write("etc/pip.conf", &say("global", "etc"));
    assert_eq!(machine.indexes(), ["https://etc.test/"]);
    let machine = machine.write("home/pip.conf", &say("global", "home"));
    assert_eq!(machine.indexes(), ["https://home.test/"]);
    let machine = machine.write("venv/pip.conf", &say("global", "venv"));
    assert_eq!(machine.indexes(), ["https://venv.test/"]);
    let machine = machine.write("etc/pip.conf", &say("install", "etc-install"));
    assert_eq!(machine.indexes(), ["https://etc-install.test/"]);
    let machine = machine
        .write("project/own.conf", &say("install", "own"))
        .variable("PIP_CONFIG_FILE", "own.conf");
    assert_eq!(machine.indexes(), ["https://own.test/"]);
    let machine = machine.variable("PIP_EXTRA_INDEX_URL", "https://variable.test/");
    assert_eq!(machine.indexes(), ["https://variable.test/"]);
    // No file at all, but still the variables.
    let machine = machine.variable("PIP_CONFIG_FILE", "/dev/null");
    assert_eq!(machine.indexes(), ["https://variable.test/"]);
    let machine = machine.variable("PIP_EXTRA_INDEX_URL", "");
    assert!(machine.indexes().is_empty());
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (text, expected) in [
        ("[global]\nno-index = perhaps\n", "pip.conf: no-index in [global]: expected `true`"),
        ("[global]\nindex-url = ftp://x.test\n", "pip.conf: index-url in [global]: expected an"),
        ("[global\n", "pip.conf:2: expected KEY"),
    ] {
        let problem = Machine::new().write("home/pip.conf", text).problem();
        assert!(problem.contains(expected), "{text}: {problem}");
    }
}

#[test]
fn a_file_of_other_bytes_is_told() {
    let machine = Machine::new();
    std::fs::write(machine.path().join("home/pip.conf"), [0xff, 0xfe, 0]).unwrap();
    assert!(machine.problem().contains("cannot be read"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is written, in whatever order: it is read as it was meant.
    #[test]
    fn what_was_written_is_read(
        hosts in prop::collection::vec("[a-z]{1,12}", 1..5),
        indent in "[ \t]{1,4}",
        dashes in any::<bool>(),
        noise in "([a-z]{1,5} = [a-z]{0,5}\n){0,3}",
    ) {
        let urls: Vec<String> = {
            let mut seen = std::collections::BTreeSet::new();
            let fresh = hosts.into_iter().filter(|host| seen.insert(host.clone()));
            fresh.map(|host| format!("https://{host}.test/simple?x=1:2")).collect()
        };
        let key = if dashes { "extra-index-url" } else { "extra_index_url" };
        let lines: String = urls.iter().map(|url| format!("{indent}{url}\n")).collect();
        let text = format!("[freeze]\n{noise}[global]\n{key} =\n{lines}");
        prop_assert_eq!(Machine::new().write("home/pip.conf", &text).indexes(), urls);
    }

    #[test]
    fn no_text_does_harm(text in "[ -~\n\\[\\]=]{0,200}") {
        let _ = Machine::new().write("home/pip.conf", &text).write("home/uv.toml", &text).try_gather();
    }
}
