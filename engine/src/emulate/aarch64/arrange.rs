//! Moves into, out of and between vector registers, element by element.

use disarm64_defn::InsnClass;

use super::instruction::{Instruction, sign_extended};
use super::integer::repeated;
use super::vector::{element, element_size, elements, joined, shape};
use super::{Cpu, low_half, mask};

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction that moves elements; `false` where it is none that is known.
    pub(super) fn arrange(&mut self, instruction: Instruction) -> bool {
        let known = match instruction.class {
            InsnClass::ASIMDINS | InsnClass::ASISDONE => self.one_element(instruction),
            InsnClass::ASIMDIMM => self.modified_immediate(instruction),
            InsnClass::ASIMDEXT => self.extract_vector(instruction),
            InsnClass::ASIMDPERM => self.permute(instruction),
            InsnClass::ASIMDTBL => self.look_up(instruction),
            _ => None,
        };
        known.is_some()
    }

    /// Copies of one element. The lowest bit that is set in a field tells the size, the bits above
    /// it tell which element.
    fn one_element(&mut self, instruction: Instruction) -> Option<()> {
        let place = instruction.field(16, 5);
        let scale = Some(place.trailing_zeros()).filter(|scale| *scale <= 3)?;
        let size = 8 << scale;
        let index = place >> (scale + 1);
        let source = element(self.left(instruction), size, index);
        let is_wide = instruction.bit(30);
        if instruction.class == InsnClass::ASISDONE {
            self.set_scalar(instruction, source);
            return Some(());
        }
        let general = self.get(instruction.rn(), 64);
        match (instruction.mnemonic, instruction.field(11, 4)) {
            ("dup", form @ (0 | 1)) => {
                let count = shape(instruction, size)?;
                let value = if form == 0 { source } else { general };
                let copies = std::iter::repeat_n(value, usize::try_from(count).ok()?);
                self.set_vector(instruction, joined(size, copies));
            }
            ("ins", from) => {
                let value = if instruction.bit(29) {
                    element(self.left(instruction), size, from >> scale)
                } else {
                    general
                };
                self.set_element(instruction.rd(), size, index, value);
            }
            ("umov", _) if is_wide == (size == 64) => {
                self.set(instruction.rd(), 64, source);
            }
            ("smov", _) if size < 32 || size == 32 && is_wide => {
                let width = if is_wide { 64 } else { 32 };
                self.set(instruction.rd(), width, sign_extended(source, size));
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn set_element(&mut self, register: usize, size: u32, index: u32, value: u64) {
        let vector = &mut self.vectors[register & 31];
        let at = size * index;
        *vector = *vector & !(u128::from(mask(size)) << at) | u128::from(value & mask(size)) << at;
    }

    /// `movi`, `mvni`, `orr`, `bic` and `fmov` with a number (Arm ARM, `AdvSIMDExpandImm`).
    fn modified_immediate(&mut self, instruction: Instruction) -> Option<()> {
        let byte = instruction.field(16, 3) << 5 | instruction.field(5, 5);
        let (mode, op) = (instruction.field(12, 4), instruction.bit(29));
        // Of half precision.
        if instruction.bit(11) {
            return None;
        }
        let value = u64::from(byte);
        let expanded = match mode {
            0..=7 => repeated(value << (mode >> 1 << 3), 32),
            8..=11 => repeated(value << ((mode >> 1 & 1) << 3), 16),
            12 => repeated(value << 8 | 0xff, 32),
            13 => repeated(value << 16 | 0xffff, 32),
            14 if op => (0..8)
                .filter(|number| value >> number & 1 == 1)
                .fold(0, |all, number| all | 0xff << (number * 8)),
            14 => repeated(value, 8),
            _ if op => expanded_float(byte, 64),
            _ => repeated(expanded_float(byte, 32), 32),
        };
        let expanded = u128::from(expanded) << 64 | u128::from(expanded);
        let before = self.vectors[instruction.rd()];
        let value = match instruction.mnemonic {
            "movi" => expanded,
            "fmov" if instruction.bit(30) || !op => expanded,
            "mvni" => !expanded,
            "orr" => before | expanded,
            "bic" => before & !expanded,
            _ => return None,
        };
        self.set_vector(instruction, value);
        Some(())
    }

    fn extract_vector(&mut self, instruction: Instruction) -> Option<()> {
        let lowest = instruction.field(11, 4);
        let (left, right) = (self.left(instruction), self.right(instruction));
        let value = if instruction.bit(30) {
            elements(left, 8, 16).chain(elements(right, 8, 16)).skip(lowest as usize)
        } else {
            let lowest = Some(lowest).filter(|lowest| *lowest < 8)?;
            elements(left, 8, 8).chain(elements(right, 8, 8)).skip(lowest as usize)
        };
        self.set_vector(instruction, joined(8, value));
        Some(())
    }

    fn permute(&mut self, instruction: Instruction) -> Option<()> {
        let size = element_size(instruction);
        let count = shape(instruction, size)?;
        let (left, right) = (self.left(instruction), self.right(instruction));
        let second = u32::from(instruction.mnemonic.ends_with('2'));
        // Elements of both vectors, those of the right one behind.
        let both = |index| {
            if index < count {
                element(left, size, index)
            } else {
                element(right, size, index - count)
            }
        };
        let from: fn(u32, u32, u32) -> u32 = match instruction.mnemonic {
            "zip1" | "zip2" => {
                |index, count, second| index / 2 + second * (count / 2) + (index % 2) * count
            }
            "uzp1" | "uzp2" => |index, _, second| index * 2 + second,
            "trn1" | "trn2" => |index, count, second| index / 2 * 2 + second + (index % 2) * count,
            _ => return None,
        };
        let value = joined(size, (0..count).map(|index| both(from(index, count, second))));
        self.set_vector(instruction, value);
        Some(())
    }

    /// Bytes of a table of one to four registers, by their numbers.
    fn look_up(&mut self, instruction: Instruction) -> Option<()> {
        let length = u64::from(instruction.field(13, 2) + 1) * 16;
        let numbers = self.right(instruction);
        let before = self.vectors[instruction.rd()];
        let keeps = match instruction.mnemonic {
            "tbl" => false,
            "tbx" => true,
            _ => return None,
        };
        let first = instruction.rn();
        let bytes = (0..16).map(|index| {
            let number = element(numbers, 8, index);
            if number < length {
                let register = (first + (number / 16) as usize) & 31;
                low_half(self.vectors[register] >> (number % 16 * 8))
            } else if keeps {
                element(before, 8, index)
            } else {
                0
            }
        });
        let value = joined(8, bytes);
        self.set_vector(instruction, value);
        Some(())
    }
}

/// A floating-point number that is told by eight bits: sign, three bits of the exponent, four of
/// the fraction (Arm ARM, `VFPExpandImm`).
pub(super) fn expanded_float(byte: u32, width: u32) -> u64 {
    let (exponent_bits, fraction_bits) = if width == 64 { (11, 52) } else { (8, 23) };
    let byte = u64::from(byte);
    let high = byte >> 6 & 1;
    let exponent = (high ^ 1) << (exponent_bits - 1)
        | if high == 1 { mask(exponent_bits - 3) << 2 } else { 0 }
        | byte >> 4 & 3;
    (byte >> 7) << (width - 1) | exponent << fraction_bits | (byte & 0xf) << (fraction_bits - 4)
}
