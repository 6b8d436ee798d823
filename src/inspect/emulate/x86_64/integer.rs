//! Instructions on general-purpose registers.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a register keeps the low bits of what is computed"
)]

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::{Cpu, Flags, Stop, mask};

/// Repetitions of a string instruction; more is no part of an init function.
const MAX_REPETITIONS: u64 = 1 << 20;

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on general-purpose registers; `false` where it is none.
    #[expect(clippy::too_many_lines, reason = "one arm for each instruction")]
    pub(super) fn integer(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Nop
            | Mnemonic::Endbr64
            | Mnemonic::Pause
            | Mnemonic::Mfence
            | Mnemonic::Lfence
            | Mnemonic::Sfence
            | Mnemonic::Prefetcht0
            | Mnemonic::Prefetchnta
            | Mnemonic::Prefetchw => {}
            Mnemonic::Mov if Self::is_plain(instruction) => {
                let value = self.read(instruction, 1)?;
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Movzx => {
                let value = self.read(instruction, 1)?;
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Movsx | Mnemonic::Movsxd => {
                let size = Self::size(instruction, 1);
                let value = sign_extended(self.read(instruction, 1)?, size);
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Lea => {
                let address = self.address(instruction)?;
                self.write(instruction, 0, address)?;
            }
            Mnemonic::Push if instruction.stack_pointer_increment() == -8 => {
                let value = self.read(instruction, 0)?;
                self.push(value)?;
            }
            Mnemonic::Pop if instruction.stack_pointer_increment() == 8 => {
                let value = self.pop()?;
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Leave => {
                self.set(Register::RSP, self.get(Register::RBP));
                let value = self.pop()?;
                self.set(Register::RBP, value);
            }
            Mnemonic::Xor => self.bitwise(instruction, |a, b| a ^ b)?,
            Mnemonic::And => self.bitwise(instruction, |a, b| a & b)?,
            Mnemonic::Or => self.bitwise(instruction, |a, b| a | b)?,
            Mnemonic::Test => {
                let size = Self::size(instruction, 0);
                let value = self.read(instruction, 0)? & self.read(instruction, 1)?;
                self.flags = logic_flags(value, size);
            }
            Mnemonic::Not => {
                let value = !self.read(instruction, 0)?;
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Add => self.add(instruction, 0)?,
            Mnemonic::Adc => self.add(instruction, u64::from(self.flags.carry))?,
            Mnemonic::Sub => self.subtract(instruction, 0, true)?,
            Mnemonic::Sbb => self.subtract(instruction, u64::from(self.flags.carry), true)?,
            Mnemonic::Cmp => self.subtract(instruction, 0, false)?,
            Mnemonic::Inc | Mnemonic::Dec => {
                let size = Self::size(instruction, 0);
                let value = self.read(instruction, 0)?;
                let carry = self.flags.carry;
                let (result, flags) = if instruction.mnemonic() == Mnemonic::Inc {
                    sum(value, 1, 0, size)
                } else {
                    difference(value, 1, 0, size)
                };
                self.flags = Flags { carry, ..flags };
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Neg => {
                let size = Self::size(instruction, 0);
                let (result, flags) = difference(0, self.read(instruction, 0)?, 0, size);
                self.flags = flags;
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Imul => self.multiply(instruction)?,
            Mnemonic::Mul => self.multiply_wide(instruction)?,
            Mnemonic::Div => self.divide(instruction)?,
            Mnemonic::Shl | Mnemonic::Sal | Mnemonic::Shr | Mnemonic::Sar => {
                self.shift(instruction)?;
            }
            Mnemonic::Rol | Mnemonic::Ror => self.rotate(instruction)?,
            Mnemonic::Cdqe => {
                let value = sign_extended(self.get(Register::RAX) & mask(4), 4);
                self.set(Register::RAX, value);
            }
            Mnemonic::Cwde => {
                let value = sign_extended(self.get(Register::RAX) & mask(2), 2) & mask(4);
                self.set(Register::RAX, value);
            }
            Mnemonic::Cqo => {
                let negative = self.get(Register::RAX) >> 63 == 1;
                self.set(Register::RDX, if negative { u64::MAX } else { 0 });
            }
            Mnemonic::Cdq => {
                let negative = self.get(Register::RAX) >> 31 & 1 == 1;
                self.set(Register::RDX, if negative { mask(4) } else { 0 });
            }
            Mnemonic::Bswap => {
                let value = self.read(instruction, 0)?;
                let value = match Self::size(instruction, 0) {
                    8 => value.swap_bytes(),
                    _ => value.swap_bytes() >> 32,
                };
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Bt | Mnemonic::Bts | Mnemonic::Btr
                if instruction.op0_kind() == OpKind::Register =>
            {
                let bits = Self::size(instruction, 0) as u64 * 8;
                let value = self.read(instruction, 0)?;
                let bit = 1 << (self.read(instruction, 1)? % bits);
                self.flags.carry = value & bit != 0;
                match instruction.mnemonic() {
                    Mnemonic::Bts => self.write(instruction, 0, value | bit)?,
                    Mnemonic::Btr => self.write(instruction, 0, value & !bit)?,
                    _ => {}
                }
            }
            Mnemonic::Bsf
            | Mnemonic::Tzcnt
            | Mnemonic::Bsr
            | Mnemonic::Lzcnt
            | Mnemonic::Popcnt => {
                self.count_bits(instruction)?;
            }
            Mnemonic::Xchg => {
                let (left, right) = (self.read(instruction, 0)?, self.read(instruction, 1)?);
                self.write(instruction, 0, right)?;
                self.write(instruction, 1, left)?;
            }
            Mnemonic::Xadd => {
                let size = Self::size(instruction, 0);
                let (left, right) = (self.read(instruction, 0)?, self.read(instruction, 1)?);
                let (result, flags) = sum(left, right, 0, size);
                self.flags = flags;
                self.write(instruction, 1, left)?;
                self.write(instruction, 0, result)?;
            }
            Mnemonic::Cmpxchg => {
                let size = Self::size(instruction, 0);
                let expected = self.get(Register::RAX) & mask(size);
                let found = self.read(instruction, 0)?;
                self.flags = difference(expected, found, 0, size).1;
                if expected == found {
                    let value = self.read(instruction, 1)?;
                    self.write(instruction, 0, value)?;
                } else {
                    let kept = if size >= 4 { 0 } else { self.get(Register::RAX) & !mask(size) };
                    self.set(Register::RAX, kept | found);
                }
            }
            Mnemonic::Stosb
            | Mnemonic::Stosd
            | Mnemonic::Stosq
            | Mnemonic::Movsb
            | Mnemonic::Movsq => return self.string(instruction),
            // A processor that can do nothing beyond what every x86-64 one can.
            Mnemonic::Cpuid => {
                for register in [Register::RAX, Register::RBX, Register::RCX, Register::RDX] {
                    self.set(register, 0);
                }
            }
            Mnemonic::Xgetbv | Mnemonic::Rdtsc => {
                self.set(Register::RAX, 0);
                self.set(Register::RDX, 0);
            }
            _ => return self.conditional(instruction),
        }
        Ok(true)
    }

    /// `setcc` and `cmovcc`.
    fn conditional(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let name = format!("{:?}", instruction.mnemonic());
        let holds = self.condition(instruction.condition_code());
        if name.starts_with("Set") {
            self.write(instruction, 0, u64::from(holds))?;
        } else if name.starts_with("Cmov") {
            let value = self.read(instruction, u32::from(holds))?;
            self.write(instruction, 0, value)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    /// `mov` also goes to segment and control registers.
    fn is_plain(instruction: &Instruction) -> bool {
        let plain = |index: u32| {
            instruction.op_kind(index) != OpKind::Register
                || instruction.op_register(index).is_gpr()
        };
        plain(0) && plain(1)
    }

    fn bitwise(
        &mut self,
        instruction: &Instruction,
        operation: impl Fn(u64, u64) -> u64,
    ) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let value = operation(self.read(instruction, 0)?, self.read(instruction, 1)?) & mask(size);
        self.flags = logic_flags(value, size);
        self.write(instruction, 0, value)
    }

    fn add(&mut self, instruction: &Instruction, carry: u64) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let (left, right) = (self.read(instruction, 0)?, self.read(instruction, 1)?);
        let (result, flags) = sum(left, right, carry, size);
        self.flags = flags;
        self.write(instruction, 0, result)
    }

    fn subtract(
        &mut self,
        instruction: &Instruction,
        borrow: u64,
        keeps: bool,
    ) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let (left, right) = (self.read(instruction, 0)?, self.read(instruction, 1)?);
        let (result, flags) = difference(left, right, borrow, size);
        self.flags = flags;
        if keeps { self.write(instruction, 0, result) } else { Ok(()) }
    }

    /// `imul` with two or three operands; the one-operand form is not met in init functions.
    fn multiply(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let (left, right) = match instruction.op_count() {
            2 => (self.read(instruction, 0)?, self.read(instruction, 1)?),
            3 => (self.read(instruction, 1)?, self.read(instruction, 2)?),
            _ => return Err(super::unsupported(instruction)),
        };
        let signed = |value| i128::from(sign_extended(value, size).cast_signed());
        let product = signed(left) * signed(right);
        let result = low_bits(product) & mask(size);
        let fits = signed(result) == product;
        self.flags = Flags { carry: !fits, overflow: !fits, ..logic_flags(result, size) };
        self.write(instruction, 0, result)
    }

    fn multiply_wide(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let left = self.get(Register::RAX) & mask(size);
        let product = u128::from(left) * u128::from(self.read(instruction, 0)?);
        let (low, high) = match size {
            8 => (product as u64, (product >> 64) as u64),
            4 => (product as u64 & mask(4), (product >> 32) as u64 & mask(4)),
            _ => return Err(super::unsupported(instruction)),
        };
        self.set(Register::RAX, low);
        self.set(Register::RDX, high);
        self.flags = Flags { carry: high != 0, overflow: high != 0, ..logic_flags(low, size) };
        Ok(())
    }

    fn divide(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        if size < 4 {
            return Err(super::unsupported(instruction));
        }
        let bits = size * 8;
        let high = u128::from(self.get(Register::RDX) & mask(size));
        let dividend = high << bits | u128::from(self.get(Register::RAX) & mask(size));
        let divisor = u128::from(self.read(instruction, 0)?);
        let quotient = dividend.checked_div(divisor).and_then(|value| u64::try_from(value).ok());
        let Some(quotient) = quotient.filter(|value| *value <= mask(size)) else {
            return Err(Stop::Failure("the hook divides by zero".to_owned()));
        };
        self.set(Register::RAX, quotient);
        self.set(Register::RDX, (dividend % divisor) as u64);
        Ok(())
    }

    fn shift(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u64 * 8;
        let count = self.read(instruction, 1)? & if size == 8 { 63 } else { 31 };
        let value = self.read(instruction, 0)?;
        if count == 0 {
            return Ok(());
        }
        let bit = |value: u64, at: u64| at < 64 && value >> at & 1 == 1;
        let (result, carry) = match instruction.mnemonic() {
            Mnemonic::Shr => (value.unbounded_shr(shift_of(count)), bit(value, count - 1)),
            Mnemonic::Sar => {
                let signed = sign_extended(value, size).cast_signed();
                (
                    signed.unbounded_shr(shift_of(count)).cast_unsigned(),
                    signed >> (count - 1).min(63) & 1 == 1,
                )
            }
            _ => (value.unbounded_shl(shift_of(count)), count <= bits && bit(value, bits - count)),
        };
        let result = result & mask(size);
        let flags = logic_flags(result, size);
        let sign = bit(value, bits - 1);
        let overflow = match instruction.mnemonic() {
            Mnemonic::Shr => sign,
            Mnemonic::Sar => false,
            _ => flags.sign != carry,
        };
        self.flags = Flags { carry, overflow, ..flags };
        self.write(instruction, 0, result)
    }

    fn rotate(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let bits = size as u64 * 8;
        let count = (self.read(instruction, 1)? & if size == 8 { 63 } else { 31 }) % bits;
        let value = self.read(instruction, 0)?;
        if count == 0 {
            return Ok(());
        }
        let left = if instruction.mnemonic() == Mnemonic::Rol { count } else { bits - count };
        let result = (value << left | value >> (bits - left)) & mask(size);
        self.flags.carry = if instruction.mnemonic() == Mnemonic::Rol {
            result & 1 == 1
        } else {
            result >> (bits - 1) & 1 == 1
        };
        self.write(instruction, 0, result)
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

    /// `rep stos` and `rep movs`, forwards.
    fn string(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let (size, copies) = match instruction.mnemonic() {
            Mnemonic::Stosb => (1, false),
            Mnemonic::Stosd => (4, false),
            Mnemonic::Stosq => (8, false),
            Mnemonic::Movsb => (1, true),
            _ => (8, true),
        };
        let repeats = instruction.has_rep_prefix();
        let count = if repeats { self.get(Register::RCX) } else { 1 };
        if count > MAX_REPETITIONS {
            return Err(Stop::Reason("the hook fills too much memory".to_owned()));
        }
        for _ in 0..count {
            let target = self.get(Register::RDI);
            let value = if copies {
                let source = self.get(Register::RSI);
                self.set(Register::RSI, source.wrapping_add(size as u64));
                self.load(source, size)?
            } else {
                self.get(Register::RAX)
            };
            self.store(target, size, value)?;
            self.set(Register::RDI, target.wrapping_add(size as u64));
        }
        if repeats {
            self.set(Register::RCX, 0);
        }
        Ok(true)
    }
}

fn low_bits(value: i128) -> u64 {
    value as u64
}

fn shift_of(count: u64) -> u32 {
    // At most 63: the count was masked.
    count as u32
}

fn sign_extended(value: u64, size: usize) -> u64 {
    let unused = 64 - size.min(8) * 8;
    ((value << unused).cast_signed() >> unused).cast_unsigned()
}

fn is_negative(value: u64, size: usize) -> bool {
    value >> (size.clamp(1, 8) * 8 - 1) & 1 == 1
}

/// The flags after a bitwise operation.
fn logic_flags(value: u64, size: usize) -> Flags {
    let value = value & mask(size);
    Flags {
        zero: value == 0,
        sign: is_negative(value, size),
        carry: false,
        overflow: false,
        parity: (value & 0xff).count_ones().is_multiple_of(2),
        adjust: false,
    }
}

fn sum(left: u64, right: u64, carry: u64, size: usize) -> (u64, Flags) {
    let (left, right) = (left & mask(size), right & mask(size));
    let wide = u128::from(left) + u128::from(right) + u128::from(carry);
    let result = wide as u64 & mask(size);
    let same = is_negative(left, size) == is_negative(right, size);
    let flags = Flags {
        carry: wide > u128::from(mask(size)),
        overflow: same && is_negative(result, size) != is_negative(left, size),
        adjust: (left ^ right ^ result) & 0x10 != 0,
        ..logic_flags(result, size)
    };
    (result, flags)
}

fn difference(left: u64, right: u64, borrow: u64, size: usize) -> (u64, Flags) {
    let (left, right) = (left & mask(size), right & mask(size));
    let result = left.wrapping_sub(right).wrapping_sub(borrow) & mask(size);
    let differ = is_negative(left, size) != is_negative(right, size);
    let flags = Flags {
        carry: u128::from(left) < u128::from(right) + u128::from(borrow),
        overflow: differ && is_negative(result, size) != is_negative(left, size),
        adjust: (left ^ right ^ result) & 0x10 != 0,
        ..logic_flags(result, size)
    };
    (result, flags)
}
