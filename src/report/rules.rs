//! The rules, listed and explained, for people.

use comfy_table::{ContentArrangement, presets};

use crate::judge::{CHECKS, Rule};

/// What its level is called: `off` where it has to be asked for.
fn level(rule: &Rule) -> &'static str {
    rule.level.map_or("off", crate::model::finding::Level::as_str)
}

/// Every rule, one a line, within `width` columns.
#[must_use]
pub fn list_rules(width: Option<u16>) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(presets::NOTHING);
    match width {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    for check in CHECKS {
        let rule = check.rule();
        table.add_row([rule.id, level(rule), rule.summary]);
    }
    if let Some(first) = table.column_mut(0) {
        first.set_padding((0, 1));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// All there is to know of a rule, in lines of up to `width` columns.
#[must_use]
pub fn explain(rule: &Rule, width: usize) -> String {
    let outcome = match rule.level {
        _ if rule.about_unknown => "exit code 3: something is not known",
        Some(crate::model::finding::Level::Note) | None => "no effect on the exit code",
        Some(_) => "exit code 1",
    };
    let paragraphs = [rule.summary, rule.explanation, rule.action]
        .map(|text| textwrap::fill(text, width))
        .join("\n\n");
    format!("{} ({}, {outcome})\n\n{paragraphs}\n", rule.id, level(rule))
}
