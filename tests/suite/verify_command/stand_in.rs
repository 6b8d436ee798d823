//! A program that speaks the protocol of `src/interpreter/child.py` and runs no Python: compiled by
//! the tests, not a module of theirs.
//!
//! What it says it is stands in `about` beside it; what loading a module does, in a file beside that
//! module, `MODULE.does`.

use std::io::{BufRead as _, Write as _};

fn main() {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).unwrap();
    let token = value(&line, "token");
    let told = |facts: &str| {
        let mut output = std::io::stdout().lock();
        writeln!(output, "\n{token}{facts}").unwrap();
    };
    let arguments: Vec<String> = std::env::args().collect();
    if arguments[1] != "-I" || arguments[2] != "-c" || !arguments[3].contains("_is_gil_enabled") {
        return told(r#"{"before": false, "after": false, "error": "it was not run as expected"}"#);
    }
    if let Some((name, _)) = std::env::vars().find(|(name, _)| name.starts_with("PYTHON")) {
        return told(&format!(
            r#"{{"before": false, "after": false, "error": "{name} is set"}}"#
        ));
    }
    let program = std::env::current_exe().unwrap();
    if value(&line, "mode") == "probe" {
        let folder = program.parent().unwrap();
        let about = std::fs::read_to_string(folder.join("about")).unwrap();
        let prefix = folder.parent().unwrap().to_str().unwrap().replace('\\', "\\\\");
        return told(&format!(r#"{{{}, "prefix": "{prefix}"}}"#, about.trim()));
    }
    let (name, mut path) = (value(&line, "name"), value(&line, "path"));
    if value(&line, "mode") == "import" {
        // What importing a name does stands beside the packages.
        let site = program.parent().unwrap().parent().unwrap().join("lib/python3.14t/site-packages");
        path = site.join(&name).display().to_string();
    } else {
        assert!(std::path::Path::new(&path).is_file(), "{path}");
    }
    let does = std::fs::read_to_string(format!("{path}.does")).unwrap_or_default();
    let (verb, rest) = does.trim().split_once(' ').unwrap_or((does.trim(), ""));
    match verb {
        "enables" => told(&format!(
            r#"{{"before": false, "after": true, "by": "{name}", "init": "multi-phase"}}"#
        )),
        "loads" => told(&format!(r#"{{"before": false, "after": true, "by": "{rest}"}}"#)),
        "unnamed" => told(r#"{"before": false, "after": true, "by": null}"#),
        "forgets" => told(r#"{"by": null, "init": "multi-phase"}"#),
        "fails" => told(&format!(
            r#"{{"before": false, "after": true, "by": "{rest}", "error": "ImportError: no"}}"#
        )),
        "raises" => told(&format!(r#"{{"before": false, "after": false, "error": "{rest}"}}"#)),
        "was-on" => told(r#"{"before": true, "after": true}"#),
        "exits" => {
            eprintln!("first line\nlast words\n");
            std::process::exit(rest.parse().unwrap());
        }
        "crashes" => std::process::abort(),
        "hangs" => std::thread::sleep(std::time::Duration::from_secs(120)),
        "mumbles" => told("{"),
        "chatters" => {
            let mut output = std::io::stdout().lock();
            for _ in 0..10_000 {
                writeln!(output, "ftcheck-0: {{\"after\": true}}").unwrap();
            }
            drop(output);
            told(r#"{"before": false, "after": false, "init": "multi-phase"}"#);
        }
        _ => told(r#"{"before": false, "after": false, "by": null, "init": "multi-phase"}"#),
    }
}

/// A text of the one line of JSON, whose values are all plain.
fn value(line: &str, key: &str) -> String {
    let Some((_, rest)) = line.split_once(&format!("\"{key}\":\"")) else { return String::new() };
    let mut text = String::new();
    let mut letters = rest.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => break,
            '\\' => text.extend(letters.next()),
            letter => text.push(letter),
        }
    }
    text
}
