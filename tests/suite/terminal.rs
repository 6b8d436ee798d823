//! What the environment asks for and terminals can do: colours and links.

use crate::support::index::FakeIndex;
use crate::support::wheel::WheelBuilder;
use crate::support::{Sandbox, fixture_module};

#[test]
fn colours_are_there_where_the_environment_forces_them() {
    let sandbox = Sandbox::new();
    let colored = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = sandbox.command();
        let outcome = command.envs(variables.iter().copied()).args(arguments).assert();
        let output = outcome.get_output();
        [&output.stdout, &output.stderr].iter().any(|text| text.contains(&0x1b))
    };
    for arguments in [["scan", "missing.txt"].as_slice(), &["scan", "--help"], &["nonsense"]] {
        assert!(!colored(&[], arguments));
        assert!(colored(&[("FORCE_COLOR", "1")], arguments), "{arguments:?}");
        assert!(!colored(&[("FORCE_COLOR", "")], arguments));
        assert!(!colored(&[("FORCE_COLOR", "0")], arguments));
        assert!(!colored(&[("FORCE_COLOR", "1"), ("NO_COLOR", "1")], arguments));
    }
    let never = ["--color", "never", "scan", "missing.txt"];
    assert!(!colored(&[("FORCE_COLOR", "1")], &[never[2], never[3], never[0], never[1]]));
}

#[test]
fn links_lead_to_files_where_the_terminal_opens_them() {
    let module = fixture_module("x86_64-linux-gnu", "declares_used");
    let wheel = WheelBuilder::new("offender", "1.0").tag("cp314-cp314t-manylinux_2_17_x86_64");
    let wheel = wheel.file("declares_used.cpython-314t-x86_64-linux-gnu.so", module);
    let index = FakeIndex::builder().file(wheel.build()).start();
    let sandbox = Sandbox::new();
    let path = sandbox.write("a folder/requirements.txt", "offender\n");
    let shown = |variables: &[(&str, &str)], more: &[&str]| {
        let mut command = sandbox.command();
        command.envs(variables.iter().copied()).args(["scan", "a folder/requirements.txt"]);
        command.args(["--platform", "linux", "--index-url", &index.simple_url()]).args(more);
        let outcome = command.assert().code(1);
        String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
    };
    let url = url::Url::from_file_path(std::path::absolute(&path).unwrap()).unwrap();
    let text = "a folder/requirements.txt:1:1";
    let link = format!("\x1b]8;;{url}\x1b\\{text}\x1b]8;;\x1b\\");
    assert!(link.contains("/a%20folder/requirements.txt"));
    let forced = ("FORCE_HYPERLINK", "1");
    assert!(shown(&[forced], &[]).contains(&link), "{}", shown(&[forced], &[]));
    // A pipe, a terminal that acts on nothing, and one who wants plain text.
    for (variables, more) in [
        (vec![("TERM_PROGRAM", "WezTerm")], vec![]),
        (vec![forced, ("TERM", "dumb")], vec![]),
        (vec![forced], vec!["--color", "never"]),
    ] {
        let plain = shown(&variables, &more);
        assert!(plain.contains(text) && !plain.contains('\x1b'), "{plain}");
    }
    // What stands on the standard input is no file.
    let mut command = sandbox.command();
    command.envs([forced]).args(["check", "offender", "--platform", "linux"]);
    let outcome = command.args(["--index-url", &index.simple_url()]).assert().code(1);
    assert!(!String::from_utf8_lossy(&outcome.get_output().stdout).contains("\x1b]8"));
}
