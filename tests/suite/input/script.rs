//! Scripts with a block of their own (PEP 723).

use std::path::Path;

use ftcheck::input::{Content, FORMATS, Format, Gap, InputError, Manifest, Source};

use super::line_and_column;

fn read(text: &str) -> Result<Manifest, InputError> {
    let format: &dyn Format =
        *FORMATS.iter().find(|format| format.recognises("script.py")).unwrap();
    let path = Path::new("/nowhere/script.py");
    format.read(&Source::of_text(path, "script.py", text.to_owned()))
}

const SCRIPT: &str = "#!/usr/bin/env python\n# /// script\n# requires-python = \">=3.12\"\n# dependencies = [\n#   \"idna>=3\",  # /// why\n#\n#   \"h11\",\n# ]\n# [tool.uv.sources]\n# h11 = { index = \"here\" }\n# [[tool.uv.index]]\n# name = \"here\"\n# url = \"https://h.example/simple\"\n# explicit = true\n# ///\n\nimport idna\n";

#[test]
fn a_block_is_read_with_its_places() {
    for text in [SCRIPT.to_owned(), SCRIPT.replace('\n', "\r\n")] {
        let read = read(&text).unwrap();
        assert!(matches!(read.gaps.as_slice(), [Gap::RequiresPython(_)]));
        assert_eq!(read.indexes.indexes.len(), 1);
        let Content::Requirements(read) = read.content else { panic!() };
        let places: Vec<_> = read
            .required
            .iter()
            .map(|one| (one.name.to_string(), one.location.to_string(), one.index.clone()))
            .collect();
        assert_eq!(
            places,
            [
                ("idna".to_owned(), "script.py:5:5".to_owned(), None),
                ("h11".to_owned(), "script.py:7:5".to_owned(), Some("here".to_owned())),
            ]
        );
    }
}

#[test]
fn broken_blocks_are_told_with_their_place() {
    for (text, place) in [
        ("# /// script\n# dependencies = []\n", Some((1, 1))),
        ("import x\n# /// script\n# dependencies = [\n# ///\n", Some((3, 19))),
        ("# /// script\n# dependencies = 'x'\n# ///\n", Some((2, 18))),
        ("# /// script\n# dependencies = ['x $']\n# ///\n", Some((2, 22))),
        (&format!("{SCRIPT}\n# /// script\n# ///\n"), Some((19, 1))),
        ("import x\n", None),
        ("# /// script\n# dependencies = []\n# ///\n", None),
        ("# /// other\n# dependencies = ['x']\n# ///\n", None),
    ] {
        let problem = read(text).unwrap_err();
        match place {
            Some(place) => assert_eq!(line_and_column(&problem), place, "{text}\n{problem}"),
            None => assert!(problem.problem.contains("script"), "{text}\n{problem}"),
        }
    }
}
