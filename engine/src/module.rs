//! From a file to the interpreter's answer: which function, what it does, what it declares.
//!
//! What a hook does is found out in [`super::emulate`], what slots mean in [`super::slots`].

use crate::closure::Closure;
use crate::emulate::{Created, Declaration, Emulator, Hook, Outcome};
use crate::filename::{ExtensionFile, Suffix, hook_suffix};
use crate::generator::generator;
use crate::image::{Export, Format, Image, Machine};
use crate::libraries::Libraries;
use crate::model::evidence::{Evidence, Gil, Init, ModuleReport, Subinterpreters};
use crate::model::platform::{Architecture, Platform};
use crate::model::target::Target;
use crate::slots::gil_of;

/// The module whose function makes the modules that cffi generates (cffi, `recompiler.py`).
const CFFI_BACKEND: &str = "_cffi_backend";

/// What came of looking at a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspection {
    /// It is an extension module, and this is the answer.
    Module(Box<ModuleReport>),
    /// It is a library and no extension module: its suffix is bare, and neither it nor what it
    /// needs exports the function that the interpreter would look for.
    NotAModule,
    /// The answer hangs on these libraries of the wheel too, given by their paths in it.
    Needs(Vec<String>),
}

/// The interpreter that a module would be imported by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interpreter {
    /// Its release.
    pub target: Target,
    /// What it runs on; `None` for whatever the file is built for.
    pub platform: Option<Platform>,
}

/// Says what loading the module would do to the GIL.
#[must_use]
pub fn inspect(
    file: &ExtensionFile,
    bytes: &[u8],
    libraries: &Libraries,
    interpreter: Interpreter,
) -> Inspection {
    let slices = match wanted_slices(bytes, interpreter.platform) {
        Ok(slices) => slices,
        Err(reason) => return Findings::default().report(file, Err(reason)),
    };
    let mut agreed: Option<Inspection> = None;
    for slice in slices {
        let mut findings = Findings::default();
        findings.evidence.format = Format::of(slice).map(|format| format.as_str().to_owned());
        let answer = examine(file, slice, libraries, interpreter, &mut findings);
        let inspected = findings.report(file, answer);
        if matches!(inspected, Inspection::Needs(_)) {
            return inspected;
        }
        agreed = Some(match agreed {
            None => inspected,
            Some(other) => joined(other, inspected),
        });
    }
    agreed.unwrap_or_else(|| Findings::default().report(file, Err("the file is empty".to_owned())))
}

/// What holds for two slices of one file: the same answer, or none.
fn joined(one: Inspection, other: Inspection) -> Inspection {
    match (one, other) {
        (Inspection::Module(one), Inspection::Module(other)) if one.gil == other.gil => {
            Inspection::Module(one)
        }
        (Inspection::Module(report), _) | (_, Inspection::Module(report)) => {
            Inspection::Module(Box::new(ModuleReport {
                gil: Gil::Undetermined,
                reason: Some("its slices for different processors differ".to_owned()),
                ..*report
            }))
        }
        (same, _) => same,
    }
}

/// The libraries of a file that the interpreter could take: of a universal binary, the one for its
/// processor.
fn wanted_slices(bytes: &[u8], platform: Option<Platform>) -> Result<Vec<&[u8]>, String> {
    let slices = Image::slices(bytes);
    let Some(platform) = platform else { return Ok(slices) };
    let [slice] = slices.as_slice() else {
        let machine = machine_of(platform.architecture);
        let fits =
            |slice: &&&[u8]| Image::load(slice).is_ok_and(|image| image.machine() == machine);
        let found = slices.iter().find(fits).copied();
        return found
            .map(|slice| vec![slice])
            .ok_or_else(|| format!("none of its slices is for {}", machine.name()));
    };
    Ok(vec![slice])
}

fn machine_of(architecture: Architecture) -> Machine {
    match architecture {
        Architecture::X86_64 => Machine::X86_64,
        Architecture::Aarch64 => Machine::Aarch64,
        // Compared with the number of no format.
        _ => Machine::Other(u32::MAX),
    }
}

/// What was found on the way, kept even where no answer is reached.
#[derive(Default)]
struct Findings {
    init: Option<Init>,
    subinterpreters: Option<Subinterpreters>,
    evidence: Evidence,
}

impl Findings {
    fn report(self, file: &ExtensionFile, answer: Result<Answer, String>) -> Inspection {
        let (gil, reason) = match answer {
            Ok(Answer::NotAModule) => return Inspection::NotAModule,
            Ok(Answer::Needs(members)) => return Inspection::Needs(members),
            Ok(Answer::Gil(gil)) => (gil, None),
            Err(reason) => (Gil::Undetermined, Some(reason)),
        };
        Inspection::Module(Box::new(ModuleReport {
            module: file.module.clone(),
            member: file.member.clone(),
            gil,
            init: self.init,
            subinterpreters: self.subinterpreters,
            reason,
            evidence: self.evidence,
        }))
    }
}

enum Answer {
    NotAModule,
    Needs(Vec<String>),
    Gil(Gil),
}

fn examine(
    file: &ExtensionFile,
    bytes: &[u8],
    libraries: &Libraries,
    interpreter: Interpreter,
    findings: &mut Findings,
) -> Result<Answer, String> {
    let target = interpreter.target;
    let image = Image::load(bytes).map_err(|problem| problem.to_string())?;
    findings.evidence.machine = Some(image.machine().name().into_owned());
    findings.evidence.generator = generator(&image);
    check_fit(&image, interpreter)?;
    let closure = Closure::of(&file.member, image, libraries)?;
    let Some(found) = find_hook(&closure, file, target) else {
        return missing_hook(file, &closure, target);
    };
    findings.evidence.hook = Some(found.name.clone());
    if found.library != 0 {
        findings.evidence.library = closure.member(found.library).map(str::to_owned);
    }
    if file.suffix == Suffix::StableWithGil {
        return Err("built for the stable ABI with a GIL (abi3): a free-threaded interpreter \
             cannot load it"
            .to_owned());
    }
    let entry = match found.place {
        Export::At(entry) => *entry,
        Export::Chosen => {
            return Err("which function is its hook is chosen while it is loaded".to_owned());
        }
        Export::Elsewhere { library, .. } => {
            let wanted = closure.wanted();
            if !wanted.is_empty() {
                return Ok(Answer::Needs(wanted));
            }
            return Err(format!("its hook lies in `{library}`, which is not in the wheel"));
        }
    };
    let all_here = closure.wanted().is_empty();
    let emulator = Emulator::new(closure.loaded(), all_here, target)?;
    let run = emulator.run(found.hook, found.library, entry);
    findings.evidence.steps = Some(run.steps);
    match run.outcome {
        Outcome::Declares { declaration, created } => {
            if emulator.constructors_change(found.hook, &declaration) {
                return Err(
                    "a constructor of the library changes the module's definition".to_owned()
                );
            }
            declared(&declaration, created, findings)
        }
        Outcome::Module(gil) => {
            findings.init = Some(Init::SinglePhase);
            findings.evidence.set_gil = gil.map(|argument| format!("{argument:#x}"));
            Ok(Answer::Gil(gil_of(gil, target)))
        }
        Outcome::Needs(name) => {
            // Whatever else a library of the wheel might do, it has to be here to be known.
            let wanted = closure.wanted_for(&name);
            if !wanted.is_empty() {
                return Ok(Answer::Needs(wanted));
            }
            Err(format!("the hook calls `{name}`, whose outcome is not followed yet"))
        }
        Outcome::Undeclared => {
            let wanted = closure.wanted();
            if !wanted.is_empty() {
                return Ok(Answer::Needs(wanted));
            }
            findings.init = Some(Init::SinglePhase);
            Ok(Answer::Gil(Gil::Enables))
        }
        Outcome::Delegated => {
            findings.init = Some(Init::SinglePhase);
            findings.evidence.delegates_to = Some(CFFI_BACKEND.to_owned());
            Err("cffi makes the module: the answer is that of the installed cffi, and none was \
                 looked at"
                .to_owned())
        }
        Outcome::Stopped(_) if emulator.is_open() => Ok(Answer::Needs(closure.wanted())),
        Outcome::Stopped(reason) => Err(reason),
    }
}

/// A file for another system, processor or interpreter cannot be loaded at all.
fn check_fit(image: &Image<'_>, interpreter: Interpreter) -> Result<(), String> {
    if let Some(platform) = interpreter.platform {
        let format = if platform.is_windows() {
            Format::Pe
        } else if platform.is_macos() {
            Format::MachO
        } else {
            Format::Elf
        };
        let machine = machine_of(platform.architecture);
        let is_read = matches!(machine, Machine::X86_64 | Machine::Aarch64);
        if image.format() != format || is_read && image.machine() != machine {
            return Err(format!(
                "it is an {} library for {}, which an interpreter on {platform} cannot load",
                image.format().as_str(),
                image.machine().name()
            ));
        }
    }
    let minor = interpreter.target.minor();
    let own = [format!("python3{minor}t.dll"), "python3t.dll".to_owned()];
    for needed in image.needed().filter(|_| image.format() == Format::Pe) {
        let lower = needed.to_ascii_lowercase();
        let version = lower.strip_prefix("python3").and_then(|rest| rest.strip_suffix(".dll"));
        let is_python = version.is_some_and(|version| {
            version.trim_end_matches('t').bytes().all(|byte| byte.is_ascii_digit())
        });
        if is_python && !own.contains(&lower) {
            return Err(format!(
                "it is linked against {needed}, the library of another interpreter"
            ));
        }
    }
    Ok(())
}

/// The function that the interpreter calls.
struct Found<'c, 'a> {
    name: String,
    hook: Hook,
    /// The library it lies in, by its place in the closure.
    library: usize,
    place: &'c Export<'a>,
}

fn find_hook<'c, 'a>(
    closure: &'c Closure<'a>,
    file: &ExtensionFile,
    target: Target,
) -> Option<Found<'c, 'a>> {
    let suffix = hook_suffix(&file.module);
    hooks(target).into_iter().find_map(|(prefix, hook)| {
        let name = format!("{prefix}{suffix}");
        let (library, place) = closure.export(&name)?;
        Some(Found { name, hook, library, place })
    })
}

/// What the interpreter looks for, in its order: since 3.15 the export of slots comes first, and
/// there is no way back from it (PEP 793).
fn hooks(target: Target) -> Vec<(&'static str, Hook)> {
    let mut hooks = vec![("PyInit", Hook::Init)];
    if target >= Target::PY315T {
        hooks.insert(0, ("PyModExport", Hook::Export));
    }
    hooks
}

/// `dlsym` finds the hook also in a library that the file needs. Where none has it, a file with a
/// bare suffix is just a library, and any other cannot be imported.
fn missing_hook(
    file: &ExtensionFile,
    closure: &Closure<'_>,
    target: Target,
) -> Result<Answer, String> {
    let wanted = closure.wanted();
    if !wanted.is_empty() {
        return Ok(Answer::Needs(wanted));
    }
    if file.suffix == Suffix::Bare {
        return Ok(Answer::NotAModule);
    }
    let suffix = hook_suffix(&file.module);
    let names: Vec<String> =
        hooks(target).into_iter().map(|(prefix, _)| format!("`{prefix}{suffix}`")).collect();
    Err(format!("it does not export {}: importing it fails", names.join(" or ")))
}

/// The answer that follows from what the hook returned.
fn declared(
    declaration: &Declaration,
    created: Option<Created>,
    findings: &mut Findings,
) -> Result<Answer, String> {
    findings.init = Some(Init::MultiPhase);
    findings.evidence.definition = Some(declaration.evidence());
    let layout = declaration.layout();
    let Some(slots) = declaration.slots() else {
        return Ok(Answer::Gil(Gil::Enables));
    };
    let declared = slots.declared(layout)?;
    findings.subinterpreters = Some(declared.subinterpreters);
    // What is no module enables the GIL, whatever the slots say.
    match created {
        Some(Created::Other) if declared.gil == Gil::KeepsOff => {
            Err("the module is made by a function of its own, which may return something other \
                 than a module"
                .to_owned())
        }
        Some(Created::Unknown(reason)) if declared.gil == Gil::KeepsOff => {
            Err(format!("the module is made by a function of its own: {reason}"))
        }
        _ => Ok(Answer::Gil(declared.gil)),
    }
}
