//! A `PyModuleDef`: how it is laid out, read from the memory that a hook left behind.
//!
//! What its slots mean is told in [`super::slots`].

use crate::emulate::Memory;
use crate::image::shown;
use crate::model::evidence::Definition;
use crate::model::target::Target;
use crate::slots::{Layout, SlotArray};

/// `m_name` and `m_slots` in a `PyModuleDef` of a free-threaded 64-bit build.
pub(super) const NAME_OFFSET: u64 = 0x38;
pub(super) const METHODS_OFFSET: u64 = 0x50;
pub(super) const SLOTS_OFFSET: u64 = 0x58;
/// `m_name` in a build with a GIL, whose object header is shorter.
const NAME_OFFSET_WITH_GIL: u64 = 0x28;
/// `sizeof(PyModuleDef)`.
const DEFINITION_SIZE: u64 = 0x78;
/// `m_size`, and the start of `m_init`, which is zero in a definition that was not used yet.
pub(super) const SIZE_OFFSET: u64 = 0x48;
const UNUSED_OFFSETS: [u64; 3] = [0x20, 0x28, 0x30];

const WITH_GIL: &str = "its module definition is laid out for a build with a GIL: a free-threaded \
     interpreter cannot load it";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RawDefinition {
    address: u64,
    name: String,
    /// `None` where `m_slots` is null.
    pub(super) slots: Option<SlotArray>,
}

impl RawDefinition {
    /// Reads the definition at `address`, with its slots.
    ///
    /// # Errors
    /// Where it is not laid out as a free-threaded build's, or the interpreter would refuse it.
    pub(super) fn read(
        memory: &mut Memory<'_, '_, '_>,
        address: u64,
        target: Target,
    ) -> Result<Self, String> {
        let name = match read_name(memory, address, NAME_OFFSET) {
            Ok(name) => name,
            Err(_) if read_name(memory, address, NAME_OFFSET_WITH_GIL).is_ok() => {
                return Err(WITH_GIL.to_owned());
            }
            Err(problem) => {
                return Err(format!(
                    "the definition at {} is not laid out as a free-threaded build's: {problem}",
                    shown(address)
                ));
            }
        };
        let mut field = |offset: u64, name: &str| {
            memory
                .word(address.saturating_add(offset))
                .map_err(|problem| format!("{name} of the definition cannot be read: {problem}"))
        };
        for offset in UNUSED_OFFSETS {
            // In a build with a GIL the name stands here.
            if field(offset, "the head")? != 0 {
                return Err(WITH_GIL.to_owned());
            }
        }
        if field(SIZE_OFFSET, "m_size")?.cast_signed() < 0 {
            return Err(
                "m_size is negative: importing the module fails with SystemError".to_owned()
            );
        }
        let slots = match field(SLOTS_OFFSET, "m_slots")? {
            0 => None,
            array => Some(SlotArray::read(memory, array, Layout::Legacy, target)?),
        };
        Ok(Self { address, name, slots })
    }

    /// The memory that the answer is read from: where each stretch begins, and how many bytes.
    pub(super) fn stretches(&self) -> Vec<(u64, u64)> {
        let slots = self.slots.iter().flat_map(SlotArray::stretches);
        std::iter::once((self.address, DEFINITION_SIZE)).chain(slots.copied()).collect()
    }

    pub(super) fn evidence(&self) -> Definition {
        Definition {
            address: shown(self.address),
            name: Some(self.name.clone()),
            slots: self.slots.as_ref().map(SlotArray::evidence),
        }
    }
}

/// The module's name in a definition, which tells its layout: at another build's offset stands a
/// number, or a pointer to something that is no name.
fn read_name(
    memory: &mut Memory<'_, '_, '_>,
    definition: u64,
    offset: u64,
) -> Result<String, String> {
    let text = memory
        .word(definition.saturating_add(offset))
        .and_then(|pointer| memory.text(pointer))
        .map_err(|problem| format!("m_name cannot be read: {problem}"))?;
    let name = String::from_utf8(text).map_err(|_| "m_name is no name".to_owned())?;
    if name.is_empty() || name.chars().any(|letter| letter.is_control() || letter == ' ') {
        return Err("m_name is no name".to_owned());
    }
    Ok(name)
}
