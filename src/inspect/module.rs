//! From a file to the interpreter's answer: hook, definition, slots, rule.
//!
//! The rules are those of CPython's `_PyImport_CheckGILForModule` (`Python/import.c`) and
//! `PyModule_FromDefAndSpec2` (`Objects/moduleobject.c`).

use crate::inspect::emulate::{self, Outcome};
use crate::inspect::filename::{ExtensionFile, Suffix, hook_suffix};
use crate::inspect::follow::{self, Ending, Purpose};
use crate::inspect::image::{Export, Format, Image, ReadError, shown};
use crate::inspect::libraries::{Libraries, Library};
use crate::inspect::view::View;
use crate::model::evidence::{
    Definition, Evidence, Gil, Init, ModuleReport, Slot, Subinterpreters,
};
use crate::model::target::Target;

/// `m_name` and `m_slots` in a `PyModuleDef` of a free-threaded 64-bit build.
const NAME_OFFSET: u64 = 0x38;
const SLOTS_OFFSET: u64 = 0x58;
/// `m_name` in a build with a GIL, whose object header is shorter.
const NAME_OFFSET_WITH_GIL: u64 = 0x28;
/// `sizeof(PyModuleDef_Slot)`: an int, padding, a pointer.
const SLOT_SIZE: u64 = 16;
/// `sizeof(PyModuleDef)`.
const DEFINITION_SIZE: u64 = 0x78;
/// `m_size`, and the start of `m_init`, which is zero in a definition that was not used yet.
const SIZE_OFFSET: u64 = 0x48;
const UNUSED_OFFSETS: [u64; 3] = [0x20, 0x28, 0x30];
/// Steps that constructors are followed for, all together.
const CONSTRUCTOR_STEPS: u32 = 1 << 16;
/// There are fewer than ten kinds of slot; an array without an end stops here.
const MAX_SLOTS: u64 = 256;

const CREATE: i32 = 1;
const EXEC: i32 = 2;
const MULTIPLE_INTERPRETERS: i32 = 3;
const GIL: i32 = 4;

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
            read_definition(&image, value)?
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
            return read_definition(&*memory, address).map(Emulated::Definition);
        }
        Outcome::Module(gil) => {
            findings.init = Some(Init::SinglePhase);
            Answer::Gil(match gil {
                None | Some(0) => Gil::Enables,
                Some(1) => Gil::KeepsOff,
                Some(_) if target >= Target::PY315T => Gil::Enables,
                Some(_) => Gil::KeepsOff,
            })
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

/// Functions without which no single-phase module can declare anything: the one that does, and those
/// by which a library could get hold of it.
const DECLARING: [&str; 4] = ["PyUnstable_Module_SetGIL", "dlsym", "dlopen", "dlvsym"];

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

/// A slot whose value is a number or a pointer.
#[derive(Debug, Clone)]
struct RawSlot {
    id: i32,
    value: u64,
    /// The loader put it there: an address, whatever its value.
    is_address: bool,
    shown: String,
}

struct RawDefinition {
    address: u64,
    name: String,
    /// Where the slot array lies.
    array: u64,
    slots: Option<Vec<RawSlot>>,
}

impl RawDefinition {
    /// The memory that the answer is read from: where it begins, and how many bytes.
    fn stretches(&self) -> [(u64, u64); 2] {
        let count = self.slots.as_ref().map_or(0, |slots| slots.len() as u64 + 1);
        [(self.address, DEFINITION_SIZE), (self.array, count * SLOT_SIZE)]
    }

    fn into_evidence(self) -> Definition {
        Definition {
            address: shown(self.address),
            name: self.name,
            slots: self.slots.map(|slots| {
                slots
                    .into_iter()
                    .map(|slot| Slot {
                        id: slot.id,
                        name: slot_name(slot.id).map(str::to_owned),
                        value: slot.shown,
                    })
                    .collect()
            }),
        }
    }
}

fn slot_name(id: i32) -> Option<&'static str> {
    match id {
        CREATE | 84 => Some("Py_mod_create"),
        EXEC | 85 => Some("Py_mod_exec"),
        MULTIPLE_INTERPRETERS | 86 => Some("Py_mod_multiple_interpreters"),
        GIL | 87 => Some("Py_mod_gil"),
        _ => None,
    }
}

fn read_definition(image: &dyn View, address: u64) -> Result<RawDefinition, String> {
    let name = read_name(image, address, NAME_OFFSET).map_err(|problem| {
        if read_name(image, address, NAME_OFFSET_WITH_GIL).is_ok() {
            WITH_GIL.to_owned()
        } else {
            format!(
                "the definition at {} is not laid out as a free-threaded build's: {problem}",
                shown(address)
            )
        }
    })?;
    let field = |offset: u64, name: &str| {
        image
            .word(address.saturating_add(offset))
            .map_err(|problem| format!("{name} of the definition cannot be read: {problem}"))
    };
    for offset in UNUSED_OFFSETS {
        // In a build with a GIL the name stands here.
        if field(offset, "the head")? != 0 {
            return Err(WITH_GIL.to_owned());
        }
    }
    if field(SIZE_OFFSET, "m_size")?.cast_signed() < 0
        && !image.holds_address(address.saturating_add(SIZE_OFFSET))
    {
        return Err("m_size is negative: importing the module fails with SystemError".to_owned());
    }
    let array = field(SLOTS_OFFSET, "m_slots")?;
    let slots = if array == 0 { None } else { Some(read_slots(image, array)?) };
    Ok(RawDefinition { address, name, array, slots })
}

const WITH_GIL: &str = "its module definition is laid out for a build with a GIL: a free-threaded \
     interpreter cannot load it";

/// The module's name in a definition, which tells its layout: at another build's offset stands a
/// number, or a pointer to something that is no name.
fn read_name(image: &dyn View, definition: u64, offset: u64) -> Result<String, String> {
    let name = definition
        .checked_add(offset)
        .ok_or(ReadError::Outside(definition))
        .and_then(|at| image.word(at))
        .and_then(|pointer| {
            // A null pointer is no address, even in an image that starts at 0.
            if pointer == 0 { Err(ReadError::Outside(0)) } else { image.text(pointer) }
        })
        .map_err(|problem| format!("m_name cannot be read: {problem}"))?;
    if name.is_empty() || name.chars().any(|letter| letter.is_control() || letter == ' ') {
        return Err("m_name is no name".to_owned());
    }
    Ok(name)
}

fn read_slots(image: &dyn View, array: u64) -> Result<Vec<RawSlot>, String> {
    let failed = |problem: ReadError| format!("the slot array cannot be read: {problem}");
    let mut slots = Vec::new();
    for index in 0..MAX_SLOTS {
        let at = array.saturating_add(index * SLOT_SIZE);
        let id = image.half(at).map_err(failed)?.cast_signed();
        if id == 0 {
            return Ok(slots);
        }
        let value = image.word(at + 8).map_err(failed)?;
        let is_address = image.holds_address(at + 8);
        let shown = match image.symbol(value) {
            Some(import) if is_address => import,
            _ if is_address => shown(value),
            _ => format!("{value:#x}"),
        };
        slots.push(RawSlot { id, value, is_address, shown });
    }
    Err(format!("the slot array does not end within {MAX_SLOTS} slots"))
}

/// What a slot array says.
struct Declared {
    gil: Gil,
    subinterpreters: Subinterpreters,
    /// The function of the `Py_mod_create` slot.
    create: Option<u64>,
}

impl Declared {
    fn read(slots: &[RawSlot], target: Target) -> Result<Self, String> {
        let renumbered = target >= Target::PY315T;
        let mut create = None;
        let mut multiple_interpreters = None;
        let mut gil = None;
        for slot in slots {
            let place = match slot.id {
                EXEC => continue,
                85 if renumbered => continue,
                CREATE => &mut create,
                84 if renumbered => &mut create,
                MULTIPLE_INTERPRETERS => &mut multiple_interpreters,
                86 if renumbered => &mut multiple_interpreters,
                GIL => &mut gil,
                87 if renumbered => &mut gil,
                id if renumbered => {
                    return Err(format!("slot {id} is not read yet"));
                }
                id => {
                    return Err(format!(
                        "slot {id} is unknown to this interpreter: importing the module fails \
                         with SystemError"
                    ));
                }
            };
            let name = slot_name(slot.id).unwrap_or("a slot");
            let is_function = matches!(slot.id, CREATE | 84);
            if slot.is_address && !is_function {
                return Err(format!("the value of {name} is an address, which is no declaration"));
            }
            if place.replace(slot.value).is_some() {
                return Err(format!(
                    "it has more than one {name} slot: importing the module fails with SystemError"
                ));
            }
        }
        let gil = match gil {
            None | Some(0) => Gil::Enables,
            // 3.15 compares with Py_MOD_GIL_NOT_USED; earlier releases with Py_MOD_GIL_USED.
            Some(1) => Gil::KeepsOff,
            Some(_) if renumbered => Gil::Enables,
            Some(_) => Gil::KeepsOff,
        };
        let subinterpreters = match multiple_interpreters {
            None => Subinterpreters::Unspecified,
            Some(0) => Subinterpreters::NotSupported,
            Some(1) => Subinterpreters::SharedGil,
            Some(2) => Subinterpreters::PerInterpreterGil,
            Some(other) => {
                return Err(format!(
                    "Py_mod_multiple_interpreters has the unknown value {other:#x}"
                ));
            }
        };
        Ok(Self { gil, subinterpreters, create })
    }
}
