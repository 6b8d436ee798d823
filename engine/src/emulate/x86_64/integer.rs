//! Instructions on general-purpose registers.
#![expect(
    clippy::cast_possible_truncation,
    reason = "a register keeps the low bits of what is computed"
)]

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::{Cpu, Flags, Stop, mask};

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on general-purpose registers; `false` where it is none.
    #[expect(clippy::too_many_lines, reason = "one arm for each instruction")]
    pub(super) fn integer(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Nop
            | Mnemonic::Fnop
            | Mnemonic::Endbr64
            | Mnemonic::Endbr32
            | Mnemonic::Rdsspq
            | Mnemonic::Rdsspd
            | Mnemonic::Pause
            | Mnemonic::Mfence
            | Mnemonic::Lfence
            | Mnemonic::Sfence
            | Mnemonic::Clflush
            | Mnemonic::Prefetcht0
            | Mnemonic::Prefetcht1
            | Mnemonic::Prefetcht2
            | Mnemonic::Prefetchnta
            | Mnemonic::Prefetch
            | Mnemonic::Prefetchw
            | Mnemonic::Prefetchwt1 => {}
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
                let address = self.offset(instruction)?;
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
            Mnemonic::Idiv => self.divide_signed(instruction)?,
            Mnemonic::Cbw => self.extend_accumulator(1),
            Mnemonic::Cwde => self.extend_accumulator(2),
            Mnemonic::Cdqe => self.extend_accumulator(4),
            Mnemonic::Cwd => self.fill_with_sign(2),
            Mnemonic::Cdq => self.fill_with_sign(4),
            Mnemonic::Cqo => self.fill_with_sign(8),
            Mnemonic::Bswap => {
                let value = self.read(instruction, 0)?;
                let value = match Self::size(instruction, 0) {
                    8 => value.swap_bytes(),
                    4 => value.swap_bytes() >> 32,
                    // Of 16 bits the result is not defined.
                    _ => return Err(super::unsupported(instruction)),
                };
                self.write(instruction, 0, value)?;
            }
            Mnemonic::Movbe => {
                let bits = Self::size(instruction, 0) * 8;
                let value = self.read(instruction, 1)?.swap_bytes() >> (64 - bits);
                self.write(instruction, 0, value)?;
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
                    self.set_part(Register::RAX, size, found);
                }
            }
            Mnemonic::Cmpxchg8b => self.exchange_pair(instruction, 4)?,
            Mnemonic::Cmpxchg16b => self.exchange_pair(instruction, 8)?,
            Mnemonic::Enter if instruction.stack_pointer_increment() < 0 => {
                self.enter(instruction)?;
            }
            Mnemonic::Xlatb => {
                let at = self.get(Register::RBX).wrapping_add(self.get(Register::RAX) & 0xff);
                if instruction.has_segment_prefix() || instruction.memory_base() != Register::RBX {
                    return Err(super::unsupported(instruction));
                }
                let value = self.load(at, 1)?;
                self.set_part(Register::RAX, 1, value);
            }
            _ if instruction.is_string_instruction() => return self.string(instruction),
            _ => return Ok(self.bits(instruction)? || self.conditional(instruction)?),
        }
        Ok(true)
    }

    /// `setcc` and `cmovcc`.
    fn conditional(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Seta
            | Mnemonic::Setae
            | Mnemonic::Setb
            | Mnemonic::Setbe
            | Mnemonic::Sete
            | Mnemonic::Setg
            | Mnemonic::Setge
            | Mnemonic::Setl
            | Mnemonic::Setle
            | Mnemonic::Setne
            | Mnemonic::Setno
            | Mnemonic::Setnp
            | Mnemonic::Setns
            | Mnemonic::Seto
            | Mnemonic::Setp
            | Mnemonic::Sets => {
                let holds = self.condition(instruction.condition_code());
                self.write(instruction, 0, u64::from(holds))?;
            }
            Mnemonic::Cmova
            | Mnemonic::Cmovae
            | Mnemonic::Cmovb
            | Mnemonic::Cmovbe
            | Mnemonic::Cmove
            | Mnemonic::Cmovg
            | Mnemonic::Cmovge
            | Mnemonic::Cmovl
            | Mnemonic::Cmovle
            | Mnemonic::Cmovne
            | Mnemonic::Cmovno
            | Mnemonic::Cmovnp
            | Mnemonic::Cmovns
            | Mnemonic::Cmovo
            | Mnemonic::Cmovp
            | Mnemonic::Cmovs => {
                // The source is read in any case, and the upper half of a register cleared.
                let source = self.read(instruction, 1)?;
                let holds = self.condition(instruction.condition_code());
                let value = if holds { source } else { self.read(instruction, 0)? };
                self.write(instruction, 0, value)?;
            }
            _ => return Ok(false),
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

    /// `imul` with two or three operands, or with one and a result twice as wide.
    fn multiply(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let (left, right) = match instruction.op_count() {
            1 => (self.get(Register::RAX), self.read(instruction, 0)?),
            2 => (self.read(instruction, 0)?, self.read(instruction, 1)?),
            _ => (self.read(instruction, 1)?, self.read(instruction, 2)?),
        };
        let signed = |value| i128::from(sign_extended(value, size).cast_signed());
        let product = signed(left) * signed(right);
        let result = low_bits(product.cast_unsigned()) & mask(size);
        let fits = signed(result) == product;
        self.flags = Flags { carry: !fits, overflow: !fits, ..logic_flags(result, size) };
        if instruction.op_count() == 1 {
            self.set_wide(size, product.cast_unsigned());
            return Ok(());
        }
        self.write(instruction, 0, result)
    }

    fn multiply_wide(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let left = self.get(Register::RAX) & mask(size);
        let product = u128::from(left) * u128::from(self.read(instruction, 0)?);
        let fits = product <= u128::from(mask(size));
        let low = low_bits(product);
        self.flags = Flags { carry: !fits, overflow: !fits, ..logic_flags(low, size) };
        self.set_wide(size, product);
        Ok(())
    }

    fn divide(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let dividend = self.wide(size);
        let divisor = u128::from(self.read(instruction, 0)?);
        let quotient = dividend.checked_div(divisor).filter(|value| *value <= mask(size).into());
        let Some(quotient) = quotient else { return Err(division_error()) };
        self.set_quotient(size, low_bits(quotient), low_bits(dividend % divisor));
        Ok(())
    }

    fn divide_signed(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let size = Self::size(instruction, 0);
        let unused = 128 - size * 16;
        let dividend = (self.wide(size) << unused).cast_signed() >> unused;
        let divisor = i128::from(sign_extended(self.read(instruction, 0)?, size).cast_signed());
        let limit = i128::from(mask(size) >> 1);
        let quotient = dividend.checked_div(divisor);
        let Some(quotient) = quotient.filter(|value| (-limit - 1..=limit).contains(value)) else {
            return Err(division_error());
        };
        let remainder = dividend.wrapping_rem(divisor);
        let (quotient, remainder) = (quotient.cast_unsigned(), remainder.cast_unsigned());
        self.set_quotient(size, low_bits(quotient), low_bits(remainder));
        Ok(())
    }

    /// A value twice as wide as `size`, which products and dividends are: in `ax`, or in the lower
    /// parts of `rdx` and `rax`.
    fn wide(&self, size: usize) -> u128 {
        if size == 1 {
            return u128::from(self.get(Register::RAX) & 0xffff);
        }
        let high = u128::from(self.get(Register::RDX) & mask(size));
        high << (size * 8) | u128::from(self.get(Register::RAX) & mask(size))
    }

    fn set_wide(&mut self, size: usize, value: u128) {
        if size == 1 {
            self.set_part(Register::RAX, 2, low_bits(value));
        } else {
            self.set_part(Register::RAX, size, low_bits(value));
            self.set_part(Register::RDX, size, low_bits(value >> (size * 8)));
        }
    }

    fn set_quotient(&mut self, size: usize, quotient: u64, remainder: u64) {
        if size == 1 {
            self.set_part(Register::RAX, 2, (remainder & 0xff) << 8 | quotient & 0xff);
        } else {
            self.set_part(Register::RAX, size, quotient);
            self.set_part(Register::RDX, size, remainder);
        }
    }

    /// `cbw` and its like: the accumulator, made twice as wide as `size`.
    fn extend_accumulator(&mut self, size: usize) {
        let value = sign_extended(self.get(Register::RAX), size);
        self.set_part(Register::RAX, size * 2, value);
    }

    /// `cwd` and its like: `rdx` takes the sign of `rax`.
    fn fill_with_sign(&mut self, size: usize) {
        let negative = is_negative(self.get(Register::RAX), size);
        self.set_part(Register::RDX, size, if negative { u64::MAX } else { 0 });
    }

    /// `cmpxchg8b` and `cmpxchg16b`, on two words of `size` bytes.
    fn exchange_pair(&mut self, instruction: &Instruction, size: usize) -> Result<(), Stop> {
        let low = self.address(instruction)?;
        let high = low.wrapping_add(size as u64);
        if size == 8 && low % 16 != 0 {
            return Err(Stop::Failure("the hook exchanges words that are not aligned".to_owned()));
        }
        let found = (self.load(low, size)?, self.load(high, size)?);
        let part = |register| self.get(register) & mask(size);
        let expected = (part(Register::RAX), part(Register::RDX));
        let new = (part(Register::RBX), part(Register::RCX));
        self.flags.zero = found == expected;
        if self.flags.zero {
            self.store(low, size, new.0)?;
            self.store(high, size, new.1)?;
        } else {
            self.set_part(Register::RAX, size, found.0);
            self.set_part(Register::RDX, size, found.1);
        }
        Ok(())
    }

    /// A frame within no other.
    fn enter(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        if instruction.immediate(1) & 31 != 0 {
            return Err(super::unsupported(instruction));
        }
        self.push(self.get(Register::RBP))?;
        let frame = self.get(Register::RSP);
        self.set(Register::RBP, frame);
        self.set(Register::RSP, frame.wrapping_sub(instruction.immediate(0)));
        Ok(())
    }
}

fn division_error() -> Stop {
    Stop::Failure("the hook divides by zero, or into more than fits".to_owned())
}

fn low_bits(value: u128) -> u64 {
    value as u64
}

pub(super) fn sign_extended(value: u64, size: usize) -> u64 {
    let unused = 64 - size.min(8) * 8;
    ((value << unused).cast_signed() >> unused).cast_unsigned()
}

fn is_negative(value: u64, size: usize) -> bool {
    value >> (size.clamp(1, 8) * 8 - 1) & 1 == 1
}

/// The flags after a bitwise operation.
pub(super) fn logic_flags(value: u64, size: usize) -> Flags {
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

pub(super) fn difference(left: u64, right: u64, borrow: u64, size: usize) -> (u64, Flags) {
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
