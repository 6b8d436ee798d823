//! A `PyModuleDef` and its slots: how they are laid out, and what they declare.
//!
//! The rules are those of CPython's `_PyImport_CheckGILForModule` (`Python/import.c`) and
//! `PyModule_FromDefAndSpec2` (`Objects/moduleobject.c`).

use crate::inspect::image::{ReadError, shown};
use crate::inspect::view::View;
use crate::model::evidence::{Definition, Gil, Slot, Subinterpreters};
use crate::model::target::Target;

/// `m_name` and `m_slots` in a `PyModuleDef` of a free-threaded 64-bit build.
const NAME_OFFSET: u64 = 0x38;
pub(super) const SLOTS_OFFSET: u64 = 0x58;
/// `m_name` in a build with a GIL, whose object header is shorter.
const NAME_OFFSET_WITH_GIL: u64 = 0x28;
/// `sizeof(PyModuleDef_Slot)`: an int, padding, a pointer.
pub(super) const SLOT_SIZE: u64 = 16;
/// `sizeof(PyModuleDef)`.
const DEFINITION_SIZE: u64 = 0x78;
/// `m_size`, and the start of `m_init`, which is zero in a definition that was not used yet.
pub(super) const SIZE_OFFSET: u64 = 0x48;
const UNUSED_OFFSETS: [u64; 3] = [0x20, 0x28, 0x30];
/// There are fewer than ten kinds of slot; an array without an end stops here.
const MAX_SLOTS: u64 = 256;

const CREATE: i32 = 1;
const EXEC: i32 = 2;
const MULTIPLE_INTERPRETERS: i32 = 3;
const GIL: i32 = 4;

/// A slot whose value is a number or a pointer.
#[derive(Debug, Clone)]
pub(super) struct RawSlot {
    id: i32,
    value: u64,
    /// The loader put it there: an address, whatever its value.
    is_address: bool,
    shown: String,
}

pub(super) struct RawDefinition {
    address: u64,
    name: String,
    /// Where the slot array lies.
    array: u64,
    pub(super) slots: Option<Vec<RawSlot>>,
}

impl RawDefinition {
    /// Reads the definition at `address`, with its slots.
    ///
    /// # Errors
    /// Where it is not laid out as a free-threaded build's, or the interpreter would refuse it.
    pub(super) fn read(image: &dyn View, address: u64) -> Result<Self, String> {
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
            return Err(
                "m_size is negative: importing the module fails with SystemError".to_owned()
            );
        }
        let array = field(SLOTS_OFFSET, "m_slots")?;
        let slots = if array == 0 { None } else { Some(read_slots(image, array)?) };
        Ok(Self { address, name, array, slots })
    }

    /// The memory that the answer is read from: where it begins, and how many bytes.
    pub(super) fn stretches(&self) -> [(u64, u64); 2] {
        let count = self.slots.as_ref().map_or(0, |slots| slots.len() as u64 + 1);
        [(self.address, DEFINITION_SIZE), (self.array, count * SLOT_SIZE)]
    }

    pub(super) fn into_evidence(self) -> Definition {
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
pub(super) struct Declared {
    pub(super) gil: Gil,
    pub(super) subinterpreters: Subinterpreters,
    /// The function of the `Py_mod_create` slot.
    pub(super) create: Option<u64>,
}

impl Declared {
    pub(super) fn read(slots: &[RawSlot], target: Target) -> Result<Self, String> {
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
        let gil = gil_of(gil, target);
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

/// What a value of the GIL slot, or the argument of `PyUnstable_Module_SetGIL`, declares; or none.
pub(super) fn gil_of(value: Option<u64>, target: Target) -> Gil {
    match value {
        None | Some(0) => Gil::Enables,
        // 3.15 compares with Py_MOD_GIL_NOT_USED; earlier releases with Py_MOD_GIL_USED.
        Some(1) => Gil::KeepsOff,
        Some(_) if target >= Target::PY315T => Gil::Enables,
        Some(_) => Gil::KeepsOff,
    }
}
