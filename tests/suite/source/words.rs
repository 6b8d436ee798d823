//! Words told from comments and strings, in every language.

use ftcheck::source::preprocessor::Code;
use ftcheck::source::scan::{Kind, Language, tokens};
use proptest::prelude::*;

const ALL: [Language; 5] =
    [Language::C, Language::Rust, Language::Python, Language::Meson, Language::CMake];

fn words(text: &str, language: Language) -> Vec<&str> {
    let all = tokens(text, language);
    all.into_iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect()
}

fn texts(text: &str, language: Language) -> Vec<&str> {
    let all = tokens(text, language);
    all.into_iter().filter(|token| token.kind == Kind::Text).map(|token| token.text).collect()
}

#[test]
fn strings_of_each_language() {
    for (language, text, expected) in [
        (
            Language::C,
            r#"a "b\"c" d 'e' u8"f" L'g' R"(h"i)""#,
            vec!["b\\\"c", "e", "f", "g", "h\"i"],
        ),
        (
            Language::Rust,
            r##"a "b" r#"c"d"# b"e" 'f' '\'' &'g h"##,
            vec!["b", "c\"d", "e", "f", "\\'"],
        ),
        (
            Language::Python,
            "a 'b' \"c\" '''d\n'e''' \"\"\"f\"\"\" rb'g' f'h'",
            vec!["b", "c", "d\n'e", "f", "g", "h"],
        ),
        (Language::Meson, "a 'b\\'c' '''d\ne''' \"f\"", vec!["b\\'c", "d\ne"]),
        (Language::CMake, "set(a \"b\\\"c\nd\" [[e]] [=[f]]g]=])", vec!["b\\\"c\nd", "e", "f]]g"]),
    ] {
        assert_eq!(texts(text, language), expected, "{language:?}");
    }
}

#[test]
fn comments_of_each_language() {
    for (language, text) in [
        (Language::C, "a // x\nb /* x\nx */ c // x \\\n x\nd"),
        (Language::Rust, "a // x\nb /* x /* x */ x */ c // x\nd"),
        (Language::Python, "a # x 'x\nb c # x\nd"),
        (Language::Meson, "a # x\nb c # x\nd"),
        (Language::CMake, "a # x\nb #[[ x\nx ]] c #[=[ x ]] x ]=]\nd"),
    ] {
        assert_eq!(words(text, language), ["a", "b", "c", "d"], "{language:?}");
    }
}

#[test]
fn lines_are_counted() {
    let last = |text, language| tokens(text, language).last().unwrap().line;
    assert_eq!(last("a\n/* \n\n */ b", Language::C), 4);
    assert_eq!(last("a\\\n\\\r\nb", Language::C), 3);
    assert_eq!(last("'''\n\n''' + b", Language::Python), 3);
}

#[test]
fn conditions_within_conditions_to_any_depth() {
    let deep = format!("{}x\n{}", "#ifdef A\n".repeat(10_000), "#endif\n".repeat(10_000));
    let code = Code::of(&deep);
    assert_eq!(code.tokens.len(), 1);
    assert_eq!(code.hangs_on(0).collect::<Vec<_>>(), [("A", true), ("too many conditions", false)]);
    // More than are told apart.
    let many: String = (0..10_000).map(|one| format!("#ifdef A{one}\nx\n#endif\n")).collect();
    assert_eq!(Code::of(&many).tokens.len(), 10_000);
    // Ends without beginnings.
    assert_eq!(Code::of("#endif\n#else\n#elif 1\nx").tokens.len(), 1);
}

#[test]
fn what_a_free_threaded_build_leaves() {
    for (text, expected) in [
        ("#if 0\nx\n#else\ny\n#endif", "y"),
        ("#if 1\nx\n#elif 1\ny\n#else\nz\n#endif", "x"),
        ("#ifdef Py_GIL_DISABLED\nx\n#else\ny\n#endif", "x"),
        ("#if !defined(Py_GIL_DISABLED)\nx\n#else\ny\n#endif", "y"),
        ("#if defined(Py_GIL_DISABLED) && PY_VERSION_HEX >= 0x030D0000\nx\n#endif", "x"),
        ("#if PY_MAJOR_VERSION < 3 || defined(PYPY_VERSION)\nx\n#else\ny\n#endif", "y"),
        (
            "#if PYBIND11_VERSION_MAJOR > 2 || (PYBIND11_VERSION_MAJOR == 2 && B)\nx\n#else\ny\n#endif",
            "x",
        ),
        ("#if (defined(Py_GIL_DISABLED) && (A || B))\nx\n#else\ny\n#endif", "x y"),
        ("#if A && !defined(Py_GIL_DISABLED) || 0\nx\n#else\ny\n#endif", "y"),
        ("#if\nx\n#endif", "x"),
        ("#if ((((\nx\n#endif", "x"),
        ("#ifdef A\nx\n#else\ny\n#endif", "x y"),
        ("#if 0\n#if 1\nx\n#endif\n#endif\ny", "y"),
        ("#define A 1\n#ifdef A\nx\n#endif", "1 x"),
    ] {
        let code = Code::of(text);
        let left: Vec<&str> = code
            .tokens
            .iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect();
        assert_eq!(left.join(" "), expected, "{text}");
    }
}

proptest! {
    /// Words that were written come back, whatever comments stand between them.
    #[test]
    fn what_was_written_is_read(
        parts in prop::collection::vec(("[a-z]{1,6}", "[a-z \"'#]{0,10}"), 1..12),
    ) {
        for language in ALL {
            let text: String = parts.iter().map(|(word, comment)| match language {
                Language::C | Language::Rust => format!("{word} /* {comment} */ // {comment}\n"),
                _ => format!("{word} # {comment}\n"),
            }).collect();
            let expected: Vec<&str> = parts.iter().map(|(word, _)| word.as_str()).collect();
            prop_assert_eq!(words(&text, language), expected);
        }
    }

    /// Any text comes to an end, and every word is a part of it, on a line that it has.
    #[test]
    fn no_text_does_harm(text in "(?s)[ -~\n\\\\\"'#/*()\\[\\]Rrbé]{0,300}") {
        for language in ALL {
            let lines = text.matches('\n').count() + 1;
            for token in tokens(&text, language) {
                prop_assert!(text.contains(token.text));
                prop_assert!(token.line as usize <= lines);
            }
        }
        let _ = Code::of(&text).tokens;
    }
}
