//! From a file to the interpreter's answer: which function, what it does, what it declares.
//!
//! How a definition is laid out and what its slots mean is told in [`super::definition`].

use crate::inspect::definition::{Declared, RawDefinition, gil_of};
use crate::inspect::emulate::{self, Outcome};
use crate::inspect::filename::{ExtensionFile, Suffix, hook_suffix};
use crate::inspect::follow::{self, Ending, Purpose};
use crate::inspect::image::{Export, Format, Image, shown};
use crate::inspect::libraries::{Libraries, Library};
use crate::model::evidence::{Evidence, Gil, Init, ModuleReport, Subinterpreters};
use crate::model::target::Target;

/// Steps that constructors are followed for, all together.
const CONSTRUCTOR_STEPS: u32 = 1 << 16;
/// What came of looking at a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inspection {
    /// It is an extension module, and this is the answer.
    Module(Box<ModuleReport>),
    /// It is a library and no extension module: its suffix is bare, and neither it nor what it
    /// needs exports the function that the interpreter would look for.
    NotAModule,
    /// The answer hangs on these libraries of the wheel too.
    Needs(Vec<String>),
}

/// Says what loading the module would do to the GIL.
#[must_use]
pub fn inspect(
    file: &ExtensionFile,
    bytes: &[u8],
    libraries: &Libraries,
    target: Target,
) -> Inspection {
    let mut findings = Findings::default();
    findings.evidence.format = Format::of(bytes).map(|format| format.as_str().to_owned());
    let (gil, reason) = match examine(file, bytes, libraries, target, &mut findings) {
        Ok(Answer::NotAModule) => return Inspection::NotAModule,
        Ok(Answer::Needs(names)) => return Inspection::Needs(names),
        Ok(Answer::Gil(gil)) => (gil, None),
        Err(reason) => (Gil::Undetermined, Some(reason)),
    };
    Inspection::Module(Box::new(ModuleReport {
        module: file.module.clone(),
        member: file.member.clone(),
        gil,
        init: findings.init,
        subinterpreters: findings.subinterpreters,
        reason,
        evidence: findings.evidence,
    }))
}

/// What was found on the way, kept even where no answer is reached.
#[derive(Default)]
struct Findings {
    init: Option<Init>,
    subinterpreters: Option<Subinterpreters>,
    evidence: Evidence,
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
    target: Target,
    findings: &mut Findings,
) -> Result<Answer, String> {
    let image = Image::load(bytes).map_err(|problem| problem.to_string())?;
    findings.evidence.machine = Some(image.machine().name().into_owned());
    let suffix = hook_suffix(&file.module);

    if target >= Target::PY315T {
        // PEP 793: looked for first, and no way back from it.
        let export_hook = format!("PyModExport{suffix}");
        if image.export(&export_hook).is_some() {
            findings.evidence.hook = Some(export_hook);
            return Err("modules that export their slots (PEP 793) are not read yet".to_owned());
        }
    }
    let hook = format!("PyInit{suffix}");
    let Some(place) = image.export(&hook) else {
        return missing_hook(file, &image, libraries, &hook);
    };
    findings.evidence.hook = Some(hook);
    if file.suffix == Suffix::StableWithGil {
        return Err("built for the stable ABI with a GIL (abi3): a free-threaded interpreter \
             cannot load it"
            .to_owned());
    }

    let Export::At(entry) = place else {
        return Err("which function is its hook is chosen while it is loaded".to_owned());
    };
    let trace = follow::follow(&image, entry, Purpose::Result);
    findings.evidence.steps = Some(trace.steps);
    let definition = match trace.ending {
        Ending::Returned(Some(value)) if trace.definition == Some(value) => {
            if image.is_zero_filled(value) {
                return Err(format!("the definition at {} is filled in at run time", shown(value)));
            }
            RawDefinition::read(&image, value)?
        }
        Ending::Returned(_) => {
            return Err("the hook returns something other than a module definition".to_owned());
        }
        Ending::Stopped(_) => match emulated(&image, libraries, entry, target, findings)? {
            Emulated::Definition(definition) => definition,
            Emulated::Answer(answer) => return Ok(answer),
        },
    };
    check_constructors(&image, &definition)?;
    findings.init = Some(Init::MultiPhase);
    let slots = definition.slots.clone();
    findings.evidence.definition = Some(definition.into_evidence());
    let Some(slots) = slots else {
        return Ok(Answer::Gil(Gil::Enables));
    };
    let declared = Declared::read(&slots, target)?;
    findings.subinterpreters = Some(declared.subinterpreters);
    if declared.gil == Gil::KeepsOff
        && let Some(create) = declared.create
        && !makes_modules(&image, create)
    {
        return Err("the module is made by a function of its own, which may return something \
             other than a module"
            .to_owned());
    }
    Ok(Answer::Gil(declared.gil))
}

/// What came of running the hook.
enum Emulated {
    Definition(RawDefinition),
    Answer(Answer),
}

/// Runs the hook, with the libraries of the wheel that it needs.
fn emulated(
    image: &Image<'_>,
    libraries: &Libraries,
    entry: u64,
    target: Target,
    findings: &mut Findings,
) -> Result<Emulated, String> {
    let closure = Closure::of(image, libraries)?;
    let images: Vec<&Image<'_>> = std::iter::once(image).chain(&closure.images).collect();
    let can_declare = images.iter().any(|image| {
        DECLARING.into_iter().any(|function| image.imported().any(|name| name == function))
    });
    let run = emulate::run(&images, entry, target.minor(), can_declare);
    findings.evidence.steps = Some(run.steps);
    let answer = match run.outcome {
        Outcome::Definition(address, memory) => {
            return RawDefinition::read(&*memory, address).map(Emulated::Definition);
        }
        Outcome::Module(gil) => {
            findings.init = Some(Init::SinglePhase);
            Answer::Gil(gil_of(gil, target))
        }
        // Whatever else a library of the wheel might do, it has to be here to be known.
        Outcome::Needs(_) | Outcome::Undeclared if !closure.missing.is_empty() => {
            Answer::Needs(closure.missing)
        }
        Outcome::Undeclared => {
            findings.init = Some(Init::SinglePhase);
            Answer::Gil(Gil::Enables)
        }
        Outcome::Needs(name) => {
            return Err(format!("the hook calls `{name}`, whose outcome is not followed yet"));
        }
        Outcome::Delegated => {
            return Err(
                "cffi makes the module: the answer is that of the installed cffi, which is \
                 not looked at yet"
                    .to_owned(),
            );
        }
        Outcome::Stopped(reason) => return Err(reason),
    };
    Ok(Emulated::Answer(answer))
}

/// Functions without which nothing can be declared: the two by which modules do, and those by which a
/// library could get hold of them. Where none is imported, the first module made settles the answer.
const DECLARING: [&str; 5] =
    ["PyUnstable_Module_SetGIL", "PyModuleDef_Init", "dlsym", "dlopen", "dlvsym"];

/// Each library takes its own stretch of the memory that a run sees, and more of them would reach
/// into what lies behind.
const MAX_LIBRARIES: usize = 160;

/// The libraries of the wheel that a library needs, and those that they need.
struct Closure<'a> {
    names: Vec<String>,
    images: Vec<Image<'a>>,
    missing: Vec<String>,
}

impl<'a> Closure<'a> {
    fn of(image: &Image<'_>, libraries: &'a Libraries) -> Result<Self, String> {
        let mut names: Vec<String> = image.needed().map(str::to_owned).collect();
        let mut closure = Self { names: Vec::new(), images: Vec::new(), missing: Vec::new() };
        let mut at = 0;
        while let Some(name) = names.get(at).cloned() {
            at += 1;
            if closure.images.len() > MAX_LIBRARIES {
                return Err(format!("it needs more than {MAX_LIBRARIES} libraries of its wheel"));
            }
            match libraries.find(&name) {
                Library::Elsewhere => {}
                Library::Missing => closure.missing.push(name),
                Library::Here(bytes) => {
                    let needed = Image::load(bytes).map_err(|problem| {
                        format!("it needs `{name}`, which is damaged: {problem}")
                    })?;
                    for further in needed.needed() {
                        if names.iter().all(|known| known != further) {
                            names.push(further.to_owned());
                        }
                    }
                    closure.names.push(name);
                    closure.images.push(needed);
                }
            }
        }
        Ok(closure)
    }
}

/// `dlsym` finds the hook also in a library that the file needs. Where none has it, a file with a
/// bare suffix is just a library, and any other cannot be imported.
fn missing_hook(
    file: &ExtensionFile,
    image: &Image<'_>,
    libraries: &Libraries,
    hook: &str,
) -> Result<Answer, String> {
    let closure = Closure::of(image, libraries)?;
    let holder = closure.images.iter().position(|needed| needed.export(hook).is_some());
    if let Some(name) = holder.and_then(|index| closure.names.get(index)) {
        return Err(format!("`{hook}` lies in `{name}`, which is not followed yet"));
    }
    if !closure.missing.is_empty() {
        return Ok(Answer::Needs(closure.missing));
    }
    match file.suffix {
        Suffix::Bare => Ok(Answer::NotAModule),
        _ => Err(format!("it does not export `{hook}`: importing it fails")),
    }
}

/// Whether a `Py_mod_create` function can be taken to return a module: the library imports a
/// function that makes one, and this one does not return without calling anything.
fn makes_modules(image: &Image<'_>, create: u64) -> bool {
    let imports = ["PyModule_NewObject", "PyModule_New", "PyModule_FromDefAndSpec2"]
        .into_iter()
        .any(|function| image.imports(function));
    let trace = follow::follow(image, create, Purpose::Result);
    imports && matches!(trace.ending, Ending::Stopped(_))
}

/// The loader runs a library's constructors before anybody calls its hook. As far as they can be
/// followed, none of them may write to what the answer was read from.
fn check_constructors(image: &Image<'_>, definition: &RawDefinition) -> Result<(), String> {
    let mut budget = CONSTRUCTOR_STEPS;
    for constructor in image.constructors() {
        let trace = follow::follow(image, *constructor, Purpose::Constructor);
        for (address, size) in trace.writes {
            let mut parts = definition.stretches().into_iter();
            if parts.any(|(start, length)| {
                address < start.saturating_add(length) && start < address.saturating_add(size)
            }) {
                return Err(
                    "a constructor of the library changes the module's definition".to_owned()
                );
            }
        }
        budget = budget.saturating_sub(trace.steps.max(1));
        if budget == 0 {
            break;
        }
    }
    Ok(())
}
