//! Instructions on the bits of general-purpose registers: shifts, rotates, tests and counts of bits,
//! and the extensions BMI1, BMI2, and ADX.
#![expect(
    clippy::cast_possible_truncation,
    reason = "counts of shifts are masked to less than 64, products are taken apart"
)]

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::integer::{logic_flags, sign_extended};
use super::{Cpu, Flags, Stop, mask};

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on bits; `false` where it is none.
    pub(super) fn bits(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Shl | Mnemonic::Sal | Mnemonic::Shr | Mnemonic::Sar => {
                self.shift(instruction)?;
            }
            Mnemonic::Shld | Mnemonic::Shrd => self.double_shift(instruction)?,
            Mnemonic::Rol | Mnemonic::Ror => self.rotate(instruction)?,
            Mnemonic::Rcl | Mnemonic::Rcr => self.rotate_through_carry(instruction)?,
            Mnemonic::Bt | Mnemonic::Bts | Mnemonic::Btr | Mnemonic::Btc => {
                self.test_bit(instruction)?;
            }
            Mnemonic::Bsf
            | Mnemonic::Tzcnt
            | Mnemonic::Bsr
            | Mnemonic::Lzcnt
            | Mnemonic::Popcnt => self.count_bits(instruction)?,
            Mnemonic::Crc32 => {
                let size = Self::size(instruction, 1);
                let crc = self.read(instruction, 0)? as u32;
                let data = self.read(instruction, 1)?.to_le_bytes();
                let crc = data.iter().take(size).fold(crc, |crc, byte| castagnoli(crc, *byte));
                self.write(instruction, 0, u64::from(crc))?;
            }
            _ => return self.manipulate(instruction),
        }
        Ok(true)
    }

    /// BMI1, BMI2 and ADX.
    fn manipulate(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Andn => {
                let size = Self::size(instruction, 0);
                let value = !self.read(instruction, 1)? & self.read(instruction, 2)?;
                self.flags = logic_flags(value, size);
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Bextr => {
                let size = Self::size(instruction, 0);
                let (value, control) = (self.read(instruction, 1)?, self.read(instruction, 2)?);
                let (start, length) = (control as u32 & 0xff, control as u32 >> 8 & 0xff);
                let value = value.unbounded_shr(start) & low_bits(length);
                self.flags = logic_flags(value, size);
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Blsi | Mnemonic::Blsr | Mnemonic::Blsmsk => {
                let size = Self::size(instruction, 0);
                let value = self.read(instruction, 1)?;
                let below = value.wrapping_sub(1);
                let (result, carry) = match instruction.mnemonic() {
                    Mnemonic::Blsi => (value & value.wrapping_neg(), value != 0),
                    Mnemonic::Blsr => (value & below, value == 0),
                    _ => (value ^ below, value == 0),
                };
                self.flags = Flags { carry, ..logic_flags(result, size) };
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Bzhi => {
                let size = Self::size(instruction, 0);
                let value = self.read(instruction, 1)?;
                let from = self.read(instruction, 2)? as u32 & 0xff;
                let result = value & low_bits(from);
                let carry = from as usize >= size * 8;
                self.flags = Flags { carry, ..logic_flags(result, size) };
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Pdep | Mnemonic::Pext => {
                let (value, places) = (self.read(instruction, 1)?, self.read(instruction, 2)?);
                let deposits = instruction.mnemonic() == Mnemonic::Pdep;
                let mut result = 0;
                let places = (0..64).filter(|place| places >> place & 1 == 1);
                for (index, place) in places.enumerate() {
                    let (from, to) = if deposits { (index, place) } else { (place, index) };
                    result |= (value >> from & 1) << to;
                }
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Rorx => {
                let bits = Self::size(instruction, 0) as u32 * 8;
                let value = self.read(instruction, 1)?;
                let count = self.read(instruction, 2)? as u32 % bits;
                let result = value >> count | value.unbounded_shl(bits - count);
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Shlx | Mnemonic::Shrx | Mnemonic::Sarx => {
                let size = Self::size(instruction, 0);
                let value = self.read(instruction, 1)?;
                let count = self.read(instruction, 2)? % (size as u64 * 8);
                let result = match instruction.mnemonic() {
                    Mnemonic::Shlx => value << count,
                    Mnemonic::Shrx => value >> count,
                    _ => (sign_extended(value, size).cast_signed() >> count).cast_unsigned(),
                };
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Mulx => {
                let size = Self::size(instruction, 0);
                let left = self.get(Register::RDX) & mask(size);
                let product = u128::from(left) * u128::from(self.read(instruction, 2)?);
                // Where both go to one register, it keeps the upper half.
                self.write(instruction, 1, product as u64)?;
                self.write(instruction, 0, (product >> (size * 8)) as u64)?;
            }
            Mnemonic::Adcx | Mnemonic::Adox => {
                let size = Self::size(instruction, 0);
                let by_carry = instruction.mnemonic() == Mnemonic::Adcx;
                let before = if by_carry { self.flags.carry } else { self.flags.overflow };
                let sum = u128::from(self.read(instruction, 0)?)
                    + u128::from(self.read(instruction, 1)?)
                    + u128::from(before);
                let carries = sum > u128::from(mask(size));
                if by_carry {
                    self.flags.carry = carries;
                } else {
                    self.flags.overflow = carries;
                }
                self.write(instruction, 0, sum as u64)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The count of a shift or rotate, which is masked to the width of the registers.
    fn count(&mut self, instruction: &Instruction, index: u32) -> Result<u32, Stop> {
        let wide = Self::size(instruction, 0) == 8;
        Ok(self.read(instruction, index)? as u32 & if wide { 63 } else { 31 })
    }

    fn shift(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u32 * 8;
        let count = self.count(instruction, 1)?;
        let value = self.read(instruction, 0)?;
        if count == 0 {
            // A register of 32 bits is written nonetheless: its upper half is cleared.
            return self.write_register(instruction, value);
        }
        let (result, carry) = match instruction.mnemonic() {
            Mnemonic::Shr => (value.unbounded_shr(count), bit(value, count - 1)),
            Mnemonic::Sar => {
                let signed = sign_extended(value, size);
                let result = signed.cast_signed().unbounded_shr(count).cast_unsigned();
                (result, bit(signed, (count - 1).min(63)))
            }
            _ => (value.unbounded_shl(count), count <= bits && bit(value, bits - count)),
        };
        let result = result & mask(size);
        let flags = logic_flags(result, size);
        let overflow = match instruction.mnemonic() {
            Mnemonic::Shr => bit(value, bits - 1),
            Mnemonic::Sar => false,
            _ => flags.sign != carry,
        };
        self.flags = Flags { carry, overflow, ..flags };
        self.write(instruction, 0, result)
    }

    /// `shld` and `shrd`: bits of a second register follow.
    fn double_shift(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u32 * 8;
        let count = self.count(instruction, 2)?;
        let (value, filler) = (self.read(instruction, 0)?, self.read(instruction, 1)?);
        if count == 0 {
            return self.write_register(instruction, value);
        }
        if count > bits {
            // Words shifted by more than 16: the result is not defined.
            return Err(super::unsupported(instruction));
        }
        let (result, carry) = if instruction.mnemonic() == Mnemonic::Shld {
            let result = value.unbounded_shl(count) | filler.unbounded_shr(bits - count);
            (result, bit(value, bits - count))
        } else {
            let result = value.unbounded_shr(count) | filler.unbounded_shl(bits - count);
            (result, bit(value, count - 1))
        };
        let result = result & mask(size);
        let flags = logic_flags(result, size);
        let overflow = flags.sign != bit(value, bits - 1);
        self.flags = Flags { carry, overflow, ..flags };
        self.write(instruction, 0, result)
    }

    fn rotate(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u32 * 8;
        let left = instruction.mnemonic() == Mnemonic::Rol;
        let masked = self.count(instruction, 1)?;
        let value = self.read(instruction, 0)?;
        if masked == 0 {
            return self.write_register(instruction, value);
        }
        let count = masked % bits;
        let count = if left { count } else { (bits - count) % bits };
        let result = (value.unbounded_shl(count) | value.unbounded_shr(bits - count)) & mask(size);
        let highest = bit(result, bits - 1);
        if left {
            self.flags.carry = bit(result, 0);
            self.flags.overflow = highest != self.flags.carry;
        } else {
            self.flags.carry = highest;
            self.flags.overflow = highest != bit(result, bits - 2);
        }
        self.write(instruction, 0, result)
    }

    /// `rcl` and `rcr`, one bit after the other.
    fn rotate_through_carry(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u32 * 8;
        let count = self.count(instruction, 1)? % (bits + 1);
        let mut value = self.read(instruction, 0)?;
        let left = instruction.mnemonic() == Mnemonic::Rcl;
        let mut carry = self.flags.carry;
        for _ in 0..count {
            let filler = u64::from(carry);
            if left {
                carry = bit(value, bits - 1);
                value = (value << 1 | filler) & mask(size);
            } else {
                carry = bit(value, 0);
                value = value >> 1 | filler << (bits - 1);
            }
        }
        if count != 0 {
            let highest = bit(value, bits - 1);
            self.flags.carry = carry;
            self.flags.overflow = highest != if left { carry } else { bit(value, bits - 2) };
        }
        self.write(instruction, 0, value)
    }

    /// Writes a destination that did not change, if it is a register.
    fn write_register(&mut self, instruction: &Instruction, value: u64) -> Result<(), Stop> {
        match instruction.op0_kind() {
            OpKind::Register => self.write(instruction, 0, value),
            _ => Ok(()),
        }
    }

    fn test_bit(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u64 * 8;
        let number = self.read(instruction, 1)?;
        let bit = 1 << (number % bits);
        let changed = |value: u64| match instruction.mnemonic() {
            Mnemonic::Bts => Some(value | bit),
            Mnemonic::Btr => Some(value & !bit),
            Mnemonic::Btc => Some(value ^ bit),
            _ => None,
        };
        let by_register = instruction.op1_kind() == OpKind::Register;
        if instruction.op0_kind() == OpKind::Memory && by_register {
            // The register reaches beyond the operand, to both sides.
            let words = sign_extended(number, size).cast_signed().div_euclid(bits.cast_signed());
            let distance = words.wrapping_mul(bits.cast_signed() / 8);
            let address = self.address(instruction)?.wrapping_add_signed(distance);
            let value = self.load(address, size)?;
            self.flags.carry = value & bit != 0;
            return match changed(value) {
                Some(value) => self.store(address, size, value),
                None => Ok(()),
            };
        }
        let value = self.read(instruction, 0)?;
        self.flags.carry = value & bit != 0;
        match changed(value) {
            Some(value) => self.write(instruction, 0, value),
            None => Ok(()),
        }
    }

    fn count_bits(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u64 * 8;
        let value = self.read(instruction, 1)?;
        let unused = 64 - bits;
        let result = match instruction.mnemonic() {
            Mnemonic::Popcnt => u64::from(value.count_ones()),
            Mnemonic::Tzcnt => u64::from(value.trailing_zeros()).min(bits),
            Mnemonic::Lzcnt => u64::from(value.leading_zeros()) - unused,
            // Of zero these leave the register as it is.
            _ if value == 0 => {
                self.flags.zero = true;
                return Ok(());
            }
            Mnemonic::Bsf => u64::from(value.trailing_zeros()),
            _ => 63 - u64::from(value.leading_zeros()),
        };
        self.flags = match instruction.mnemonic() {
            Mnemonic::Tzcnt | Mnemonic::Lzcnt => {
                Flags { zero: result == 0, carry: value == 0, ..Flags::default() }
            }
            _ => Flags { zero: value == 0, ..Flags::default() },
        };
        self.write(instruction, 0, result)
    }
}

fn bit(value: u64, at: u32) -> bool {
    value.unbounded_shr(at) & 1 == 1
}

/// So many bits set, from the lowest.
fn low_bits(count: u32) -> u64 {
    1_u64.checked_shl(count).map_or(u64::MAX, |bit| bit - 1)
}

/// One byte more in a checksum by Castagnoli's polynomial, as `crc32` has it: reflected, without
/// inversions (Intel SDM, `CRC32`).
fn castagnoli(crc: u32, byte: u8) -> u32 {
    (0..8).fold(
        crc ^ u32::from(byte),
        |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0x82f6_3b78 } else { crc >> 1 }
        },
    )
}
