//! Data processing on general-purpose registers.
//!
//! Named after the encoding classes of the Arm ARM, whose order the arms follow.

use disarm64_defn::InsnClass;

use super::instruction::{Instruction, sign_extended};
use super::{Cpu, Flags, low_half, mask};

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on general-purpose registers; `false` where it is none that is
    /// known.
    pub(super) fn integer(&mut self, instruction: Instruction, at: u64) -> bool {
        let known = match instruction.class {
            InsnClass::PCRELADDR => {
                self.address_of(instruction, at);
                Some(())
            }
            InsnClass::ADDSUB_IMM => self.add_immediate(instruction),
            InsnClass::ADDSUB_SHIFT => self.add_shifted(instruction),
            InsnClass::ADDSUB_EXT => self.add_extended(instruction),
            InsnClass::ADDSUB_CARRY => self.add_with_carry(instruction),
            InsnClass::LOG_IMM => self.logical_immediate(instruction),
            InsnClass::LOG_SHIFT => self.logical_shifted(instruction),
            InsnClass::MOVEWIDE => self.move_wide(instruction),
            InsnClass::BITFIELD => self.bitfield(instruction),
            InsnClass::EXTRACT => self.extract(instruction),
            InsnClass::CONDSEL => self.conditional_select(instruction),
            InsnClass::CONDCMP_IMM | InsnClass::CONDCMP_REG => {
                self.conditional_compare(instruction)
            }
            InsnClass::DP_1SRC => self.one_source(instruction),
            InsnClass::DP_2SRC => self.two_sources(instruction),
            InsnClass::DP_3SRC => self.three_sources(instruction),
            _ => None,
        };
        known.is_some()
    }

    fn address_of(&mut self, instruction: Instruction, at: u64) {
        let distance = instruction.signed(5, 19) << 2 | u64::from(instruction.field(29, 2));
        let address = match instruction.mnemonic {
            "adrp" => (at & !0xfff).wrapping_add(distance << 12),
            _ => at.wrapping_add(distance),
        };
        self.set(instruction.rd(), 64, address);
    }

    fn add_immediate(&mut self, instruction: Instruction) -> Option<()> {
        // The class has the tagging instructions `addg` and `subg` too.
        let sets_flags = addition(instruction.mnemonic).filter(|_| !instruction.bit(23))?;
        let shift = if instruction.bit(22) { 12 } else { 0 };
        let right = u64::from(instruction.field(10, 12)) << shift;
        let left = self.get_or_stack(instruction.rn(), instruction.width());
        self.add_or_subtract(instruction, left, right, sets_flags);
        Some(())
    }

    fn add_shifted(&mut self, instruction: Instruction) -> Option<()> {
        let sets_flags = addition(instruction.mnemonic)?;
        let right = self.shifted(instruction).filter(|_| instruction.field(22, 2) != 3)?;
        let width = instruction.width();
        let left = self.get(instruction.rn(), width);
        let result = self.sum(instruction, left, right, sets_flags);
        self.set(instruction.rd(), width, result);
        Some(())
    }

    fn add_extended(&mut self, instruction: Instruction) -> Option<()> {
        let sets_flags = addition(instruction.mnemonic)?;
        let shift = Some(instruction.field(10, 3)).filter(|shift| *shift <= 4)?;
        let right = self.extended(instruction) << shift;
        let left = self.get_or_stack(instruction.rn(), instruction.width());
        self.add_or_subtract(instruction, left, right, sets_flags);
        Some(())
    }

    /// Where flags are set the result may be thrown away, and else may be the stack pointer.
    fn add_or_subtract(
        &mut self,
        instruction: Instruction,
        left: u64,
        right: u64,
        sets_flags: bool,
    ) {
        let result = self.sum(instruction, left, right, sets_flags);
        if sets_flags {
            self.set(instruction.rd(), instruction.width(), result);
        } else {
            self.set_or_stack(instruction.rd(), instruction.width(), result);
        }
    }

    /// Adds, or subtracts by adding the complement and one.
    fn sum(&mut self, instruction: Instruction, left: u64, right: u64, sets_flags: bool) -> u64 {
        let subtracts = instruction.mnemonic.starts_with("sub");
        let right = if subtracts { !right } else { right };
        let (result, flags) = add_with_carry(left, right, subtracts, instruction.width());
        if sets_flags {
            self.flags = flags;
        }
        result
    }

    fn add_with_carry(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let left = self.get(instruction.rn(), width);
        let right = self.get(instruction.rm(), width);
        let (right, sets_flags) = match instruction.mnemonic {
            "adc" => (right, false),
            "adcs" => (right, true),
            "sbc" => (!right, false),
            "sbcs" => (!right, true),
            _ => return None,
        };
        let (result, flags) = add_with_carry(left, right, self.flags.carry, width);
        if sets_flags {
            self.flags = flags;
        }
        self.set(instruction.rd(), width, result);
        Some(())
    }

    fn logical_immediate(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let (n, rotation, last) = bitfield_operands(instruction);
        let (right, _) = bit_masks(n, last, rotation, true).filter(|_| width == 64 || n == 0)?;
        let left = self.get(instruction.rn(), width);
        let right = right & mask(width);
        let result = match instruction.mnemonic {
            "and" | "ands" => left & right,
            "orr" => left | right,
            "eor" => left ^ right,
            _ => return None,
        };
        if instruction.mnemonic == "ands" {
            self.flags = logical_flags(result, width);
            self.set(instruction.rd(), width, result);
        } else {
            self.set_or_stack(instruction.rd(), width, result);
        }
        Some(())
    }

    fn logical_shifted(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let left = self.get(instruction.rn(), width);
        let right = self.shifted(instruction)?;
        let result = match instruction.mnemonic {
            "and" | "ands" => left & right,
            "bic" | "bics" => left & !right,
            "orr" => left | right,
            "orn" => left | !right,
            "eor" => left ^ right,
            "eon" => left ^ !right,
            _ => return None,
        } & mask(width);
        if matches!(instruction.mnemonic, "ands" | "bics") {
            self.flags = logical_flags(result, width);
        }
        self.set(instruction.rd(), width, result);
        Some(())
    }

    fn move_wide(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let shift = Some(instruction.field(21, 2) * 16).filter(|shift| *shift < width)?;
        let part = u64::from(instruction.field(5, 16)) << shift;
        let value = match instruction.mnemonic {
            "movz" => part,
            "movn" => !part,
            "movk" => self.get(instruction.rd(), width) & !(0xffff << shift) | part,
            _ => return None,
        };
        self.set(instruction.rd(), width, value);
        Some(())
    }

    fn bitfield(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let (n, rotation, last) = bitfield_operands(instruction);
        let is_wide = width == 64;
        if is_wide != (n == 1) || !is_wide && (rotation >= 32 || last >= 32) {
            return None;
        }
        let (kept, top) = bit_masks(n, last, rotation, false)?;
        let source = self.get(instruction.rn(), width);
        let rotated = rotated_right(source, rotation, width);
        let before = self.get(instruction.rd(), width);
        let value = match instruction.mnemonic {
            "bfm" => {
                let low = before & !kept | rotated & kept;
                before & !top | low & top
            }
            "ubfm" => rotated & kept & top,
            "sbfm" => {
                let sign = if source >> last & 1 == 1 { u64::MAX } else { 0 };
                sign & !top | rotated & kept & top
            }
            _ => return None,
        };
        self.set(instruction.rd(), width, value);
        Some(())
    }

    fn extract(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let lowest = instruction.field(10, 6);
        if instruction.bit(22) != (width == 64) || lowest >= width {
            return None;
        }
        let high = u128::from(self.get(instruction.rn(), width)) << width;
        let both = high | u128::from(self.get(instruction.rm(), width));
        self.set(instruction.rd(), width, low_half(both >> lowest));
        Some(())
    }

    fn conditional_select(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let other = self.get(instruction.rm(), width);
        let other = match instruction.mnemonic {
            "csel" => other,
            "csinc" => other.wrapping_add(1),
            "csinv" => !other,
            "csneg" => other.wrapping_neg(),
            _ => return None,
        };
        let holds = self.flags.hold(instruction.field(12, 4));
        let value = if holds { self.get(instruction.rn(), width) } else { other };
        self.set(instruction.rd(), width, value);
        Some(())
    }

    fn conditional_compare(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let left = self.get(instruction.rn(), width);
        let right = match instruction.class {
            InsnClass::CONDCMP_IMM => u64::from(instruction.field(16, 5)),
            _ => self.get(instruction.rm(), width),
        };
        let (right, carry) = match instruction.mnemonic {
            "ccmp" => (!right, true),
            "ccmn" => (right, false),
            _ => return None,
        };
        self.flags = if self.flags.hold(instruction.field(12, 4)) {
            add_with_carry(left, right, carry, width).1
        } else {
            Flags::from_bits(instruction.field(0, 4))
        };
        Some(())
    }

    fn one_source(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let value = self.get(instruction.rn(), width);
        let top = 64 - width;
        let result = match instruction.mnemonic {
            "rbit" => value.reverse_bits() >> top,
            "rev" => value.swap_bytes() >> top,
            "rev16" => (value & 0x00ff_00ff_00ff_00ff) << 8 | value >> 8 & 0x00ff_00ff_00ff_00ff,
            "rev32" => value.swap_bytes().rotate_left(32),
            "clz" => u64::from((value << top).leading_zeros().min(width)),
            "cls" => {
                let value = sign_extended(value, width);
                let same = (value ^ (value.cast_signed() >> 63).cast_unsigned()).leading_zeros();
                u64::from(same - top - 1)
            }
            // Pointers are signed by a key that leaves them as they are, and are never found
            // forged: as on a processor whose pointer authentication is turned off.
            "pacia" | "pacib" | "pacda" | "pacdb" | "paciza" | "pacizb" | "pacdza" | "pacdzb"
            | "autia" | "autib" | "autda" | "autdb" | "autiza" | "autizb" | "autdza" | "autdzb"
            | "xpaci" | "xpacd" => return Some(()),
            _ => return None,
        };
        self.set(instruction.rd(), width, result);
        Some(())
    }

    fn two_sources(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let left = self.get(instruction.rn(), width);
        let right = self.get(instruction.rm(), width);
        let shift = u32::try_from(right & u64::from(width - 1)).ok()?;
        let result = match instruction.mnemonic {
            // Division by zero gives zero, and the one overflow wraps.
            "udiv" => left.checked_div(right).unwrap_or(0),
            "sdiv" => {
                let left = sign_extended(left, width).cast_signed();
                let right = sign_extended(right, width).cast_signed();
                if right == 0 { 0 } else { left.wrapping_div(right).cast_unsigned() }
            }
            "lslv" => left << shift,
            "lsrv" => left >> shift,
            "asrv" => (sign_extended(left, width).cast_signed() >> shift).cast_unsigned(),
            "rorv" => rotated_right(left, shift, width),
            "crc32b" => checksum(left, right, 8, CRC32),
            "crc32h" => checksum(left, right, 16, CRC32),
            "crc32w" => checksum(left, right, 32, CRC32),
            "crc32x" => self.wide_checksum(instruction, CRC32),
            "crc32cb" => checksum(left, right, 8, CRC32C),
            "crc32ch" => checksum(left, right, 16, CRC32C),
            "crc32cw" => checksum(left, right, 32, CRC32C),
            "crc32cx" => self.wide_checksum(instruction, CRC32C),
            _ => return None,
        };
        self.set(instruction.rd(), width, result);
        Some(())
    }

    /// Of the checksums only this form takes a 64-bit source, and it too gives 32 bits.
    fn wide_checksum(&self, instruction: Instruction, polynomial: u32) -> u64 {
        let sum = self.get(instruction.rn(), 32);
        checksum(sum, self.get(instruction.rm(), 64), 64, polynomial)
    }

    fn three_sources(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let (left, right) = (self.get(instruction.rn(), width), self.get(instruction.rm(), width));
        let base = self.get(instruction.ra(), width);
        let signed = |value| i128::from(sign_extended(value, 32).cast_signed());
        let narrow = (signed(left) * signed(right)).cast_unsigned();
        let signed_product = low_half(narrow);
        let product = (left & mask(32)).wrapping_mul(right & mask(32));
        let result = match instruction.mnemonic {
            "madd" => base.wrapping_add(left.wrapping_mul(right)),
            "msub" => base.wrapping_sub(left.wrapping_mul(right)),
            "smaddl" => base.wrapping_add(signed_product),
            "smsubl" => base.wrapping_sub(signed_product),
            "umaddl" => base.wrapping_add(product),
            "umsubl" => base.wrapping_sub(product),
            "smulh" => {
                let (left, right) = (left.cast_signed(), right.cast_signed());
                low_half((i128::from(left) * i128::from(right)).cast_unsigned() >> 64)
            }
            "umulh" => low_half((u128::from(left) * u128::from(right)) >> 64),
            _ => return None,
        };
        self.set(instruction.rd(), width, result);
        Some(())
    }

    /// A register operand that is shifted; `None` where the encoding is reserved.
    fn shifted(&self, instruction: Instruction) -> Option<u64> {
        let width = instruction.width();
        let amount = Some(instruction.field(10, 6)).filter(|amount| *amount < width)?;
        let value = self.get(instruction.rm(), width);
        let shifted = match instruction.field(22, 2) {
            0 => value << amount,
            1 => value >> amount,
            2 => (sign_extended(value, width).cast_signed() >> amount).cast_unsigned(),
            _ => rotated_right(value, amount, width),
        };
        Some(shifted & mask(width))
    }

    /// A register operand that is extended: from 8, 16, 32 or 64 bits, without or with its sign.
    pub(super) fn extended(&self, instruction: Instruction) -> u64 {
        let option = instruction.field(13, 3);
        let width = 8 << (option & 3);
        let value = self.get(instruction.rm(), 64);
        if option & 4 == 0 { value & mask(width) } else { sign_extended(value, width) }
    }
}

/// Whether one of the four additions sets flags; `None` for any other name.
fn addition(mnemonic: &str) -> Option<bool> {
    match mnemonic {
        "add" | "sub" => Some(false),
        "adds" | "subs" => Some(true),
        _ => None,
    }
}

/// Arm ARM, `AddWithCarry`: the sum, and flags that compare it with the exact one.
pub(super) fn add_with_carry(left: u64, right: u64, carry: bool, width: u32) -> (u64, Flags) {
    let (left, right) = (left & mask(width), right & mask(width));
    let exact = u128::from(left) + u128::from(right) + u128::from(carry);
    let result = low_half(exact) & mask(width);
    let signed = |value| i128::from(sign_extended(value, width).cast_signed());
    let exact_signed = signed(left) + signed(right) + i128::from(carry);
    let flags = Flags {
        negative: result >> (width - 1) & 1 == 1,
        zero: result == 0,
        carry: u128::from(result) != exact,
        overflow: signed(result) != exact_signed,
    };
    (result, flags)
}

fn logical_flags(result: u64, width: u32) -> Flags {
    Flags {
        negative: result >> (width - 1) & 1 == 1,
        zero: result == 0,
        carry: false,
        overflow: false,
    }
}

fn bitfield_operands(instruction: Instruction) -> (u32, u32, u32) {
    (instruction.field(22, 1), instruction.field(16, 6), instruction.field(10, 6))
}

/// Arm ARM, `DecodeBitMasks`: the mask that a logical immediate stands for, or for bitfield moves
/// the bits that are taken from the rotated source; and those that are no extension. `None` where
/// the encoding is reserved.
///
/// `last` is the field `imms`, `rotation` the field `immr`.
pub(super) fn bit_masks(
    n: u32,
    last: u32,
    rotation: u32,
    is_immediate: bool,
) -> Option<(u64, u64)> {
    // The element's size is told by the highest bit that is set.
    let length = (n << 6 | !last & 0x3f).checked_ilog2().filter(|length| *length >= 1)?;
    let size = 1 << length;
    let levels = size - 1;
    if is_immediate && last & levels == levels {
        return None;
    }
    let (last, rotation) = (last & levels, rotation & levels);
    let element = rotated_right(mask(last + 1), rotation, size);
    let top = mask((last.wrapping_sub(rotation) & levels) + 1);
    Some((repeated(element, size), repeated(top, size)))
}

/// Fills 64 bits with copies of the lowest `size`.
pub(super) fn repeated(element: u64, size: u32) -> u64 {
    (0..64 / size).fold(0, |all, index| all | element << (index * size))
}

/// Rotates within the lowest `width` bits, by less than that.
fn rotated_right(value: u64, amount: u32, width: u32) -> u64 {
    let value = value & mask(width);
    if amount == 0 { value } else { (value >> amount | value << (width - amount)) & mask(width) }
}

const CRC32: u32 = 0xedb8_8320;
const CRC32C: u32 = 0x82f6_3b78;

/// Feeds `width` bits into a checksum, the lowest first. The polynomials are reversed, as the
/// bits are.
fn checksum(sum: u64, value: u64, width: u32, polynomial: u32) -> u64 {
    let mut sum = sum & mask(32);
    for number in 0..width {
        let bit = (sum ^ value >> number) & 1;
        sum = (sum >> 1) ^ (bit * u64::from(polynomial));
    }
    sum
}
