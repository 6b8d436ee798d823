//! One instruction: which it is, by the decoder's tables, and the fields of its word.

use disarm64::InsnOpcode;
use disarm64::decoder;
use disarm64_defn::InsnClass;

/// A decoded instruction.
#[derive(Debug, Clone, Copy)]
pub(in crate::emulate) struct Instruction {
    /// The encoding class, much as the Arm Architecture Reference Manual (Arm ARM) divides them.
    pub(super) class: InsnClass,
    /// The name of the instruction itself, never of an alias.
    pub(super) mnemonic: &'static str,
    word: u32,
}

impl Instruction {
    /// `None` where the word is no instruction.
    pub(super) fn decode(word: u32) -> Option<Self> {
        let definition = decoder::decode(word)?.definition();
        Some(Self { class: definition.class, mnemonic: definition.mnemonic, word })
    }

    /// `width` bits of the word from bit `lowest` on.
    pub(super) fn field(self, lowest: u32, width: u32) -> u32 {
        self.word >> lowest & ((1 << width) - 1)
    }

    /// The same, as a number with a sign.
    pub(super) fn signed(self, lowest: u32, width: u32) -> u64 {
        let field = u64::from(self.field(lowest, width));
        sign_extended(field, width)
    }

    pub(super) fn bit(self, number: u32) -> bool {
        self.field(number, 1) == 1
    }

    /// The number of the register in the five bits from `lowest` on.
    pub(super) fn register(self, lowest: u32) -> usize {
        self.field(lowest, 5) as usize
    }

    /// Where the result goes; `Rt` of loads and stores stands in the same place.
    pub(super) fn rd(self) -> usize {
        self.register(0)
    }

    pub(super) fn rn(self) -> usize {
        self.register(5)
    }

    pub(super) fn rm(self) -> usize {
        self.register(16)
    }

    /// `Ra`, or `Rt2` of loads and stores.
    pub(super) fn ra(self) -> usize {
        self.register(10)
    }

    /// How wide the general-purpose registers are that it works on, in bits.
    pub(super) fn width(self) -> u32 {
        if self.bit(31) { 64 } else { 32 }
    }
}

/// The lowest `width` bits, 1 to 64, as a number with a sign.
pub(super) fn sign_extended(value: u64, width: u32) -> u64 {
    let unused = 64 - width;
    ((value << unused).cast_signed() >> unused).cast_unsigned()
}
