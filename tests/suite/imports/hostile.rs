//! Files that nobody would write.

use std::fmt::Write as _;

use ftcheck::imports::parse::{MAX_SOURCE, parse};

use super::support::{add, environment, import};

#[test]
fn deep_nesting_is_refused_and_does_not_overflow() {
    let many = 200_000;
    let texts = [
        format!("x = {}1", "-".repeat(many)),
        format!("x = {}1{}", "(".repeat(many), ")".repeat(many)),
        format!("x = {}{}", "[".repeat(many), "]".repeat(many)),
        format!("x = {}1", "not ".repeat(many)),
        format!("x = {}1", "lambda a, b: ".repeat(many)),
        format!("x = y{}", ".z".repeat(many)),
        format!("x = y{}", "()".repeat(many)),
        format!("x = 1{}", "+ 1".repeat(many)),
        format!("x = {}1", "a if b else ".repeat(many)),
        format!("x = {}", "f'{".repeat(many)),
        format!("match x:\n  case {}1", "[".repeat(many)),
    ];
    for text in texts {
        let facts = parse(text.as_bytes());
        assert!(facts.problem.is_some(), "{}", &text[..20]);
    }
    // Less, so that it is parsed, and too deep for the interpreter all the same.
    for text in [
        format!("x = {}1", "-".repeat(5_000)),
        format!("x = y{}", ".z".repeat(5_000)),
        format!("x = {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
    ] {
        let _ = parse(text.as_bytes());
    }
    let mut blocks = String::new();
    for depth in 0..3_000 {
        let _ = writeln!(blocks, "{}if x:", " ".repeat(depth));
    }
    assert!(parse(blocks.as_bytes()).problem.is_some());
}

#[test]
fn long_sums_and_tables_are_fine() {
    let sum = format!("x = {}'end'\nimport json", "'a' + ".repeat(5_000));
    assert_eq!(parse(sum.as_bytes()).problem, None);
    let table = format!("x = [{}]\nimport json", "-1, ".repeat(200_000));
    assert_eq!(parse(table.as_bytes()).problem, None);
    let lambdas = format!("x = {{{}}}\nimport json", "'a': lambda a, b: a + b, ".repeat(10_000));
    assert_eq!(parse(lambdas.as_bytes()).problem, None);
    let mut tests = "if x: pass\n".to_owned();
    for number in 0..5_000 {
        let _ = writeln!(tests, "elif x == {number}: pass");
    }
    assert_eq!(parse(tests.as_bytes()).problem, None);
}

#[test]
fn large_and_broken_files_are_not_known() {
    let large = vec![b'\n'; MAX_SOURCE + 1];
    assert!(parse(&large).problem.unwrap().starts_with("larger than"));
    assert_eq!(parse(b"x = '\xff'").problem.unwrap(), "not UTF-8");
    assert_eq!(parse(b"# coding: latin-1\nx = '\xff'").problem, None);
    assert!(parse(b"\0\0\0").problem.is_some());
    assert_eq!(parse(b"\xef\xbb\xbfimport json").problem, None);
    let report = import(&[("pkg/__init__.py", "import (")]);
    assert_eq!(report.enables_gil, None);
    assert!(report.reason.unwrap().starts_with("line 1"));
}

#[test]
fn cycles_end() {
    let report = import(&[
        ("pkg/__init__.py", "from .a import *"),
        ("pkg/a.py", "from .b import *\n__all__ = ['x'] + __all__"),
        ("pkg/b.py", "from .a import *\nfrom pkg import *\nfrom .b import *"),
    ]);
    assert_eq!(report.enables_gil, Some(false));
    let report = import(&[("pkg/__init__.py", "def f(): return f()\nf()\nwhile True:\n    f()")]);
    assert_eq!(report.enables_gil, Some(false));
    let report = import(&[(
        "pkg/__init__.py",
        "def __getattr__(name):\n    from pkg import other\n    return other\nfrom pkg import thing",
    )]);
    assert_eq!(report.enables_gil, Some(false));
}

#[test]
fn a_chain_of_ten_thousand_modules_does_not_overflow() {
    let count = 10_000;
    let mut files: Vec<(String, String)> = (0..count)
        .map(|at| (format!("pkg/m{at}.py"), format!("from . import m{}", at + 1)))
        .collect();
    files.push(("pkg/__init__.py".to_owned(), "from . import m0".to_owned()));
    files.push((format!("pkg/m{count}.so"), "enables".to_owned()));
    let files: Vec<(&str, &str)> =
        files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let mut environment = environment();
    add(&mut environment, "pkg", &files);
    let report = environment.import_report("pkg");
    assert_eq!(report.enables_gil, None);
    assert_eq!(report.reason.unwrap(), "more than 1000 imports lie in one another");
    let reach = environment.reach(&environment.graph(["pkg.m10000"]), "pkg.m10000", &[]).unwrap();
    assert!(reach.chains[0].modules.len() > 9_000, "{}", reach.chains[0].modules.len());
}

#[test]
fn many_unknown_conditions_take_linear_time() {
    let mut text = String::new();
    for _ in 0..2_000 {
        text.push_str("if input():\n    x = 1\nelse:\n    from . import plain\n");
    }
    let report = import(&[("pkg/__init__.py", &text), ("pkg/plain.py", "")]);
    assert_eq!(report.enables_gil, Some(false));
    // Functions that call one another twice each.
    let mut text = "def f0(): pass\n".to_owned();
    for at in 1..60 {
        let _ = writeln!(text, "def f{at}():\n    f{0}()\n    if input(): f{0}()", at - 1);
    }
    text.push_str("f30()\n");
    let report = import(&[("pkg/__init__.py", &text)]);
    assert_eq!(report.enables_gil, Some(false));
}

#[test]
fn a_call_that_is_given_up_may_have_imported() {
    let text = "
def burn(n):
    for a in range(100):
        for b in range(100):
            for c in range(100):
                step(a, b, c)
    from . import bad
def step(a, b, c): return a
burn(1)
";
    let report = import(&[("pkg/__init__.py", text), ("pkg/bad.so", "enables")]);
    assert_eq!(report.enables_gil, None);
    assert_eq!(report.by.unwrap(), "pkg.bad");
}
