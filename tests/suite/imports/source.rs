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
    assert!(found.imports.iter().all(|one| one.by == "lxml.etree"));
}

#[test]
fn a_file_with_an_error_is_told() {
    let environment = environment();
    let found = environment.of_source("a.py", b"import json\nimport (", &mut Answers::default());
    assert!(found.problem.unwrap().starts_with("line 2, column"));
}
