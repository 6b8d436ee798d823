//! Small graphs of modules, against an executor that goes every way there is.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use proptest::prelude::*;

use super::support::{add, environment};

const MODULES: usize = 5;

/// One statement of a module's body.
#[derive(Debug, Clone)]
enum Line {
    /// `import` of a module of the package.
    Import(usize),
    /// Under a condition that nobody knows, which decides between two blocks.
    Either(usize, Vec<Line>, Vec<Line>),
    /// A module that is not there, with a handler.
    Missing(Vec<Line>),
}

fn line() -> impl Strategy<Value = Line> {
    let leaf = (0..MODULES).prop_map(Line::Import);
    leaf.prop_recursive(2, 6, 2, |inner| {
        let block = proptest::collection::vec(inner, 0..2);
        prop_oneof![
            (0..1_000_usize, block.clone(), block.clone())
                .prop_map(|(at, a, b)| Line::Either(at, a, b)),
            block.prop_map(Line::Missing),
        ]
    })
}

fn write(lines: &[Line], indent: usize, text: &mut String) {
    let space = "    ".repeat(indent);
    for line in lines {
        match line {
            Line::Import(module) => {
                let _ = writeln!(text, "{space}import m{module}");
            }
            Line::Either(_, first, second) => {
                let _ = writeln!(text, "{space}if input():");
                write(first, indent + 1, text);
                let _ = writeln!(text, "{space}    pass\n{space}else:");
                write(second, indent + 1, text);
                let _ = writeln!(text, "{space}    pass");
            }
            Line::Missing(handler) => {
                let _ = writeln!(text, "{space}try:\n{space}    import missing");
                let _ = writeln!(text, "{space}except ImportError:\n{space}    pass");
                write(handler, indent + 1, text);
            }
        }
    }
}

/// Gives each condition a number of its own.
fn number(lines: &mut [Line], next: &mut usize) {
    for line in lines {
        match line {
            Line::Import(_) => {}
            Line::Either(at, first, second) => {
                *at = *next;
                *next += 1;
                number(first, next);
                number(second, next);
            }
            Line::Missing(handler) => number(handler, next),
        }
    }
}

/// Executes a module where the conditions have these answers; whether the GIL is enabled then.
fn execute(
    module: usize,
    modules: &[Vec<Line>],
    answers: u32,
    begun: &mut BTreeSet<usize>,
) -> bool {
    if module == 0 {
        return true;
    }
    begun.insert(module) && block(&modules[module], modules, answers, begun)
}

fn block(lines: &[Line], modules: &[Vec<Line>], answers: u32, begun: &mut BTreeSet<usize>) -> bool {
    lines.iter().any(|line| match line {
        Line::Import(module) => execute(*module, modules, answers, begun),
        Line::Either(at, first, second) => {
            let way = if answers >> at & 1 == 1 { first } else { second };
            block(way, modules, answers, begun)
        }
        Line::Missing(handler) => block(handler, modules, answers, begun),
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_answer_is_that_of_every_way(
        bodies in proptest::collection::vec(proptest::collection::vec(line(), 0..4), MODULES)
    ) {
        let mut modules = bodies;
        let mut conditions = 0;
        for body in &mut modules {
            number(body, &mut conditions);
        }
        prop_assume!(conditions <= 12);
        let mut outcomes = BTreeSet::new();
        for answers in 0..1_u32 << conditions {
            outcomes.insert(execute(1, &modules, answers, &mut BTreeSet::new()));
        }
        let expected = if outcomes.len() == 1 { outcomes.pop_first() } else { None };
        let mut files = vec![("m0.so".to_owned(), "enables".to_owned())];
        for (at, body) in modules.iter().enumerate().skip(1) {
            let mut text = String::new();
            write(body, 0, &mut text);
            files.push((format!("m{at}.py"), text));
        }
        let files: Vec<(&str, &str)> =
            files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
        let mut environment = environment();
        add(&mut environment, "all", &files);
        let told = environment.import_report("m1").enables_gil;
        prop_assert_eq!(told, expected);
    }
}
