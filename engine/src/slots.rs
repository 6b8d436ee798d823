//! Slot arrays: how they are laid out, and what they declare.
//!
//! Two layouts: `PyModuleDef_Slot`, which a definition points to, and `PySlot` of 3.15, which
//! `PyModExport_*` returns (PEP 793, PEP 820) and which either may contain. The rules are those of
//! CPython's `PyModule_FromDefAndSpec2` and `PyModule_FromSlotsAndSpec` (`Objects/moduleobject.c`),
//! `Python/slots.c`, and `_PyImport_CheckGILForModule` (`Python/import.c`).

use crate::emulate::{Fault, Memory};
use crate::image::shown;
use crate::model::evidence::{Gil, Slot, Subinterpreters};
use crate::model::target::Target;

/// Both kinds of slot are as long: an id, flags or padding, and a word.
const SLOT_SIZE: u64 = 16;
/// There are about twenty kinds of slot; an array without an end stops here.
const MAX_SLOTS: usize = 256;
/// How deep arrays may lie in arrays (CPython, `Python/slots.c`).
const MAX_DEPTH: usize = 5;
/// `PySlot_OPTIONAL`: of no matter where the interpreter does not know the id.
const OPTIONAL: u16 = 1;

/// Ids that are known to no interpreter stand for what they say in Include/slots.h; those in pairs
/// were given a second number by 3.15.
const END: u16 = 0;
const SUBSLOTS: u16 = 92;
const LEGACY_SLOTS: u16 = 94;
const ABI: u16 = 109;
/// From `Py_mod_name` to `Py_mod_state_free`, and `Py_mod_token`.
const PLAIN: [u16; 8] = [100, 101, 102, 103, 104, 105, 106, 110];

/// What a slot is about, of those that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Subject {
    Create,
    Exec,
    MultipleInterpreters,
    Gil,
    /// Checked by the interpreter before anything else.
    Abi,
    Subslots,
    LegacySlots,
    /// The module's name and the like.
    Plain,
}

impl Subject {
    fn of(id: u16, target: Target) -> Option<Self> {
        let renumbered = target >= Target::PY315T;
        Some(match id {
            1 => Self::Create,
            2 => Self::Exec,
            3 => Self::MultipleInterpreters,
            4 => Self::Gil,
            _ if !renumbered => return None,
            84 => Self::Create,
            85 => Self::Exec,
            86 => Self::MultipleInterpreters,
            87 => Self::Gil,
            SUBSLOTS => Self::Subslots,
            LEGACY_SLOTS => Self::LegacySlots,
            ABI => Self::Abi,
            id if PLAIN.contains(&id) => Self::Plain,
            _ => return None,
        })
    }
}

/// The name that CPython's headers give a slot.
fn name(id: i32) -> Option<&'static str> {
    Some(match id {
        1 | 84 => "Py_mod_create",
        2 | 85 => "Py_mod_exec",
        3 | 86 => "Py_mod_multiple_interpreters",
        4 | 87 => "Py_mod_gil",
        92 => "Py_slot_subslots",
        94 => "Py_mod_slots",
        100 => "Py_mod_name",
        101 => "Py_mod_doc",
        102 => "Py_mod_state_size",
        103 => "Py_mod_methods",
        104 => "Py_mod_state_traverse",
        105 => "Py_mod_state_clear",
        106 => "Py_mod_state_free",
        109 => "Py_mod_abi",
        110 => "Py_mod_token",
        _ => return None,
    })
}

/// The layout of an array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// `PyModuleDef_Slot`: an int, padding, a pointer.
    Legacy,
    /// `PySlot`: a 16-bit id, 16 bits of flags, 32 bits reserved, a word.
    Flagged,
}

/// A slot whose value is a number or an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawSlot {
    /// As it stands in the array.
    id: i32,
    flags: u16,
    value: u64,
    is_address: bool,
    /// The loader put the value there: an address, whatever it is.
    is_relocated: bool,
    shown: String,
}

/// Slots in the order in which the interpreter takes them, those of inner arrays in the place of
/// the slot that names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SlotArray {
    pub(super) address: u64,
    slots: Vec<RawSlot>,
    target: Target,
    /// Where slots were read: start and length.
    stretches: Vec<(u64, u64)>,
    /// What is wrong with them, so that importing the module fails, or cannot be told.
    problem: Option<String>,
}

impl SlotArray {
    /// Reads the array at `address`, and those in it.
    ///
    /// # Errors
    /// Where the memory cannot be read, or there is no end.
    pub(super) fn read(
        memory: &mut Memory<'_, '_, '_>,
        address: u64,
        layout: Layout,
        target: Target,
    ) -> Result<Self, String> {
        let mut array =
            Self { address, slots: Vec::new(), target, stretches: Vec::new(), problem: None };
        array.append(memory, address, layout, 0)?;
        Ok(array)
    }

    fn append(
        &mut self,
        memory: &mut Memory<'_, '_, '_>,
        address: u64,
        layout: Layout,
        depth: usize,
    ) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err(format!("slot arrays lie in each other more than {MAX_DEPTH} deep"));
        }
        let mut at = address;
        loop {
            let slot = read_slot(memory, at, layout)
                .map_err(|problem| format!("the slot array cannot be read: {problem}"))?;
            at = at.saturating_add(SLOT_SIZE);
            let Some(slot) = slot else { break };
            if self.slots.len() >= MAX_SLOTS {
                return Err(format!("the slot array does not end within {MAX_SLOTS} slots"));
            }
            let subject = slot.subject(self.target);
            let inner = slot.value;
            self.slots.push(slot);
            match subject {
                Some(Subject::Subslots) if inner != 0 => {
                    self.append(memory, inner, Layout::Flagged, depth + 1)?;
                }
                Some(Subject::LegacySlots) if inner != 0 => {
                    self.append(memory, inner, Layout::Legacy, depth + 1)?;
                }
                Some(Subject::Abi) => self.check_abi(memory, inner),
                _ => {}
            }
        }
        self.stretches.push((address, at - address));
        Ok(())
    }

    /// `PyABIInfo_Check` (CPython, `Python/modsupport.c`), as far as it tells builds with and
    /// without a GIL apart.
    fn check_abi(&mut self, memory: &mut Memory<'_, '_, '_>, address: u64) {
        const GIL: u16 = 2;
        const FREE_THREADED: u16 = 4;
        let problem = match memory.read::<4>(address) {
            Ok([_, _, low, high]) => {
                let flags = u16::from_le_bytes([low, high]);
                (flags & (GIL | FREE_THREADED) == GIL).then_some(
                    "it is built for an interpreter with a GIL: a free-threaded one refuses it",
                )
            }
            Err(_) => Some("what it says of its ABI cannot be read"),
        };
        if let Some(problem) = problem {
            self.problem.get_or_insert(problem.to_owned());
        }
    }

    /// The memory that was read: where each stretch begins, and how many bytes.
    pub(super) fn stretches(&self) -> &[(u64, u64)] {
        &self.stretches
    }

    /// The function that makes the module.
    pub(super) fn create(&self) -> Option<u64> {
        let is_create = |slot: &&RawSlot| slot.subject(self.target) == Some(Subject::Create);
        self.slots.iter().find(is_create).map(|slot| slot.value)
    }

    /// Ids, and values that are numbers: what is the same wherever things lie in memory.
    pub(super) fn kinds(&self) -> Vec<(i32, Option<u64>)> {
        let kind = |slot: &RawSlot| (slot.id, (!slot.is_address).then_some(slot.value));
        self.slots.iter().map(kind).collect()
    }

    pub(super) fn evidence(&self) -> Vec<Slot> {
        self.slots
            .iter()
            .map(|slot| Slot {
                id: slot.id,
                name: name(slot.id).map(str::to_owned),
                value: slot.shown.clone(),
            })
            .collect()
    }

    /// What the slots say, in an array of that layout.
    ///
    /// # Errors
    /// Where the interpreter would refuse to import the module.
    pub(super) fn declared(&self, layout: Layout) -> Result<Declared, String> {
        if let Some(problem) = &self.problem {
            return Err(problem.clone());
        }
        let mut create = None;
        let mut multiple_interpreters = None;
        let mut gil = None;
        let mut abi = None;
        for slot in &self.slots {
            let Some(subject) = slot.subject(self.target) else {
                if slot.flags & OPTIONAL != 0 {
                    continue;
                }
                return Err(format!(
                    "slot {} is unknown to this interpreter: importing the module fails with \
                     SystemError",
                    slot.id
                ));
            };
            let place = match subject {
                Subject::Create => &mut create,
                Subject::MultipleInterpreters => &mut multiple_interpreters,
                Subject::Gil => &mut gil,
                Subject::Abi => &mut abi,
                Subject::Exec | Subject::Subslots | Subject::LegacySlots | Subject::Plain => {
                    continue;
                }
            };
            let name = name(slot.id).unwrap_or("a slot");
            if slot.is_relocated && matches!(subject, Subject::Gil | Subject::MultipleInterpreters)
            {
                return Err(format!("the value of {name} is an address, which is no declaration"));
            }
            if place.replace(slot.value).is_some() && subject != Subject::Abi {
                return Err(format!(
                    "it has more than one {name} slot: importing the module fails with SystemError"
                ));
            }
        }
        if layout == Layout::Flagged && abi.is_none() {
            return Err(
                "it has no Py_mod_abi slot: importing the module fails with SystemError".to_owned()
            );
        }
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
        Ok(Declared { gil: gil_of(gil, self.target), subinterpreters })
    }
}

impl RawSlot {
    fn subject(&self, target: Target) -> Option<Subject> {
        // 3.15 keeps 16 bits of an int (CPython, `Python/slots.c`).
        let id = if target >= Target::PY315T {
            u16::from_le_bytes([self.id.to_le_bytes()[0], self.id.to_le_bytes()[1]])
        } else {
            u16::try_from(self.id).ok()?
        };
        Subject::of(id, target)
    }
}

/// The slot at `at`, or `None` for the end of the array.
fn read_slot(
    memory: &mut Memory<'_, '_, '_>,
    at: u64,
    layout: Layout,
) -> Result<Option<RawSlot>, String> {
    let failed = |problem: Fault| problem.to_string();
    let [a, b, c, d] = memory.read::<4>(at).map_err(failed)?;
    let (id, flags) = match layout {
        Layout::Legacy => (i32::from_le_bytes([a, b, c, d]), 0),
        Layout::Flagged => (i32::from(u16::from_le_bytes([a, b])), u16::from_le_bytes([c, d])),
    };
    if id == i32::from(END) {
        return Ok(None);
    }
    let value = memory.word(at.wrapping_add(8)).map_err(failed)?;
    let is_relocated = memory.is_relocated(at.wrapping_add(8), 8);
    // A number may happen to be as large as an address.
    let is_number = matches!(id, 3 | 4 | 86 | 87) && !is_relocated;
    let is_address = memory.is_mapped(value) && !is_number;
    let shown = match memory.symbol_at(value) {
        Some(import) if is_address => import.into_owned(),
        _ if is_address => shown(value),
        _ => format!("{value:#x}"),
    };
    Ok(Some(RawSlot { id, flags, value, is_address, is_relocated, shown }))
}

/// What a slot array says.
pub(super) struct Declared {
    pub(super) gil: Gil,
    pub(super) subinterpreters: Subinterpreters,
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
