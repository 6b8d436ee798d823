//! Lines of the user's own files.

use ftcheck::imports::source::Answers;
use ftcheck::model::imports::How;

use super::support::{add, environment};

#[test]
fn the_lines_that_turn_the_gil_on_are_found() {
    let mut environment = environment();
    add(
        &mut environment,
        "lxml",
        &[
            ("lxml/__init__.py", ""),
            ("lxml/etree.so", "enables"),
            ("lxml/html.py", "from . import etree"),
        ],
    );
    let text = "\
import json, lxml
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import lxml.etree as for_types
import lxml.etree

def parse():
    from lxml import html
    return html

def read():
    import lxml.etree

if __name__ == '__main__':
    read()
    from . import neighbour
";
    let mut answers = Answers::default();
    let found = environment.of_source("app/main.py", text.as_bytes(), &mut answers);
    assert_eq!(found.problem, None);
    let lines: Vec<_> = found
        .imports
        .iter()
        .map(|one| (one.location.to_string(), one.import.as_str(), one.how, one.chain.join(" > ")))
        .collect();
    assert_eq!(
        lines,
        [
            ("app/main.py:5:1".to_owned(), "lxml.etree", How::Import, "lxml.etree".to_owned()),
            (
                "app/main.py:8:5".to_owned(),
                "lxml.html",
                How::Later,
                "lxml.html > lxml.etree".to_owned()
            ),
            ("app/main.py:12:5".to_owned(), "lxml.etree", How::Import, "lxml.etree".to_owned()),
        ]
    );
    assert!(found.imports.iter().all(|one| one.enables_gil == Some(true)));
    assert!(found.imports.iter().all(|one| one.by.as_deref() == Some("lxml.etree")));
}

#[test]
fn a_file_with_an_error_is_told() {
    let environment = environment();
    let found = environment.of_source("a.py", b"import json\nimport (", &mut Answers::default());
    assert!(found.problem.unwrap().starts_with("line 2, column"));
}

/// The lines of a file that enable the GIL, beside packages that do.
fn lines_of(text: &str) -> Vec<(usize, How, Option<bool>)> {
    let mut environment = environment();
    add(
        &mut environment,
        "bad",
        &[("bad.so", "enables"), ("odd.py", "import importlib\nimportlib.import_module(input())")],
    );
    let found = environment.of_source("app.py", text.as_bytes(), &mut Answers::default());
    assert_eq!(found.problem, None, "{text}");
    found.imports.iter().map(|one| (one.location.line, one.how, one.enables_gil)).collect()
}

#[test]
fn calls_that_import_are_lines_too() {
    let import = [(2, How::Import, Some(true))];
    assert_eq!(lines_of("import importlib\nimportlib.import_module('bad')"), import);
    assert_eq!(lines_of("import importlib\nimportlib.import_module(name='bad')"), import);
    assert_eq!(lines_of("from importlib import import_module as i\ni('bad')"), import);
    assert_eq!(lines_of("import importlib\nimportlib.import_module('b' + 'ad')"), import);
    let later = [(1, How::Later, Some(true))];
    assert_eq!(lines_of("f = lambda: __import__('bad')"), later);
    assert_eq!(lines_of("f = lambda: __import__('bad')\nf()"), [(1, How::Import, Some(true))]);
    assert_eq!(
        lines_of("from importlib import import_module as i\ndef f():\n    return [i('bad')]"),
        [(3, How::Later, Some(true))]
    );
    assert_eq!(lines_of("def f(n):\n    return __import__('app.' + n)"), []);
    assert_eq!(lines_of("def f():\n    return __import__('json')"), []);
}

#[test]
fn a_lazy_import_that_a_function_makes_is_a_line() {
    assert_eq!(lines_of("lazy import bad\ndef f():\n    bad.thing"), [(1, How::Later, Some(true))]);
}

#[test]
fn an_answer_that_hangs_on_no_module_is_told_all_the_same() {
    let mut environment = environment();
    add(&mut environment, "spam", &[("spam.py", "import other")]);
    environment.add_not_seen("other".to_owned(), None);
    let found = environment.of_source("app.py", b"import spam", &mut Answers::default());
    let [one] = found.imports.as_slice() else { panic!("{found:?}") };
    assert_eq!((one.enables_gil, one.by.as_deref()), (None, None));
}

#[test]
fn what_a_known_condition_excludes_is_no_line() {
    assert_eq!(lines_of("import sys\nif sys.platform == 'win32':\n    import bad"), []);
    assert_eq!(lines_of("try:\n    import json\nexcept ImportError:\n    import bad"), []);
    assert_eq!(
        lines_of("try:\n    import nothing\nexcept ImportError:\n    import bad"),
        [(4, How::Import, Some(true))]
    );
}

#[test]
fn a_file_that_is_given_up_says_so_and_keeps_its_lines() {
    let mut environment = environment();
    add(&mut environment, "bad", &[("bad.so", "enables")]);
    let text = "
for a in range(100):
  for b in range(100):
    for c in range(100):
      for d in range(100):
        x = a
import bad
";
    let found = environment.of_source("app.py", text.as_bytes(), &mut Answers::default());
    assert_eq!(found.problem.as_deref(), Some("more is executed than is followed"));
    assert_eq!(found.imports.len(), 1);
    assert_eq!(found.imports[0].how, How::Import);
}
