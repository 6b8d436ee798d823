//! What stands behind the answer for one module, in a line and in full.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as TextStyle};

use super::Style;
use super::text::printable;
use crate::model::evidence::{Definition, Gil, Init, ModuleReport, Subinterpreters};
use crate::model::report::{Severity, Verdict};

/// The slot that decides, by the name that CPython's headers give it.
const GIL_SLOT: &str = "Py_mod_gil";
/// Where the second column of the evidence begins, counted from its first.
const LABEL_WIDTH: usize = 17;
/// The longest answer on a module, `keeps-gil-off`.
const WORD_WIDTH: usize = 13;

/// Why the answer is what it is: the reason where it is not known, what was not declared where the
/// module enables the GIL.
pub(super) fn grounds(module: &ModuleReport) -> Option<String> {
    if let Some(reason) = &module.reason {
        return Some(printable(reason));
    }
    if module.gil != Gil::Enables {
        return None;
    }
    if let Some(maker) = &module.evidence.settled_by {
        return Some(format!("{} makes it, and enables the GIL", printable(maker)));
    }
    if let Some(argument) = &module.evidence.set_gil {
        return Some(format!("it calls PyUnstable_Module_SetGIL with {argument} last"));
    }
    if module.init == Some(Init::SinglePhase) {
        return Some("made in a single phase, without declaring that it needs no GIL".to_owned());
    }
    let definition = module.evidence.definition.as_ref()?;
    let Some(slots) = &definition.slots else { return Some("it has no slots".to_owned()) };
    let slot = slots.iter().find(|slot| slot.name.as_deref() == Some(GIL_SLOT));
    Some(match slot {
        None => format!("it has no {GIL_SLOT} slot"),
        Some(slot) => {
            format!("its {GIL_SLOT} slot is {}", shown_value(slot.name.as_deref(), &slot.value))
        }
    })
}

/// The module's answer on a line, its name padded to so many letters.
pub(super) fn write_answer(
    module: &ModuleReport,
    name_width: usize,
    style: Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let verdict = match module.gil {
        Gil::Enables => Verdict::EnablesGil,
        Gil::KeepsOff => Verdict::KeepsGilOff,
        Gil::Undetermined => Verdict::Undetermined,
    };
    let (color, bold) = colors(verdict, style);
    let name = printable(&module.module);
    let width = WORD_WIDTH;
    write!(output, "  {color}{:<width$}{color:#}  ", verdict.as_str())?;
    match grounds(module) {
        Some(grounds) => writeln!(output, "{bold}{name:<name_width$}{bold:#}  {grounds}"),
        None => writeln!(output, "{bold}{name}{bold:#}"),
    }
}

/// How a verdict and what it is on are shown.
pub(super) fn colors(verdict: Verdict, style: Style) -> (TextStyle, TextStyle) {
    if !style.color {
        return (TextStyle::new(), TextStyle::new());
    }
    let color = match verdict.severity() {
        Severity::Finding => AnsiColor::Red,
        Severity::NotKnown => AnsiColor::Yellow,
        Severity::Fine => AnsiColor::Green,
    };
    (color.on_default(), TextStyle::new().bold())
}

/// Everything that was read on the way to the answer, a line each.
pub(super) fn write_evidence(module: &ModuleReport, output: &mut dyn Write) -> io::Result<()> {
    for (label, text) in lines(module) {
        writeln!(output, "      {label:<LABEL_WIDTH$}{}", printable(&text))?;
    }
    Ok(())
}

/// The evidence as far as it went: what it is, and its value.
fn lines(module: &ModuleReport) -> Vec<(String, String)> {
    let evidence = &module.evidence;
    let mut lines = Vec::new();
    let mut add = |label: &str, text: String| lines.push((label.to_owned(), text));
    let built_for: Vec<&str> =
        [&evidence.format, &evidence.machine].into_iter().flatten().map(String::as_str).collect();
    add(
        "file",
        if built_for.is_empty() {
            module.member.clone()
        } else {
            format!("{} ({})", module.member, built_for.join(", "))
        },
    );
    if let Some(generator) = &evidence.generator {
        let version = generator.version.as_ref().map(|version| format!(" {version}"));
        add("generator", format!("{}{}", generator.name, version.unwrap_or_default()));
    }
    if let Some(hook) = &evidence.hook {
        let init = match module.init {
            Some(Init::MultiPhase) => ", multi-phase",
            Some(Init::SinglePhase) => ", single-phase",
            None => "",
        };
        let steps = match evidence.steps {
            Some(1) => ", 1 step".to_owned(),
            Some(steps) => format!(", {steps} steps"),
            None => String::new(),
        };
        let library = evidence.library.as_ref().map(|library| format!(" of {library}"));
        add("hook", format!("{hook}{}{init}{steps}", library.unwrap_or_default()));
    }
    if let Some(argument) = &evidence.set_gil {
        let value = shown_value(Some(GIL_SLOT), argument);
        add("call", format!("PyUnstable_Module_SetGIL with {value}"));
    }
    if let Some(maker) = &evidence.delegates_to {
        let settled = evidence.settled_by.as_ref().map(|by| format!(", looked at in {by}"));
        add("made by", format!("{maker}{}", settled.unwrap_or_default()));
    }
    if let Some(Definition { address, name, slots }) = &evidence.definition {
        let name = name.as_ref().map(|name| format!("{name} ")).unwrap_or_default();
        add("definition", format!("{name}at {address}"));
        match slots {
            None => add("slots", "none".to_owned()),
            Some(slots) => {
                for slot in slots {
                    let name = slot.name.as_deref();
                    let value = shown_value(name, &slot.value);
                    let text = name.map_or(value.clone(), |name| format!("{name} = {value}"));
                    add(&format!("  slot {}", slot.id), text);
                }
            }
        }
    }
    if let Some(subinterpreters) = module.subinterpreters {
        let word = match subinterpreters {
            Subinterpreters::Unspecified => "unspecified",
            Subinterpreters::NotSupported => "not supported",
            Subinterpreters::SharedGil => "with a shared GIL",
            Subinterpreters::PerInterpreterGil => "with a GIL for each",
        };
        add("subinterpreters", word.to_owned());
    }
    lines
}

/// A slot's value, with the name that CPython's headers give it.
fn shown_value(slot: Option<&str>, value: &str) -> String {
    let name = match (slot, value) {
        (Some(GIL_SLOT), "0x0") => "Py_MOD_GIL_USED",
        (Some(GIL_SLOT), "0x1") => "Py_MOD_GIL_NOT_USED",
        _ => return value.to_owned(),
    };
    format!("{value} ({name})")
}
