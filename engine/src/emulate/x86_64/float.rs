//! Floating-point numbers in vector registers, as IEEE 754 has them with the rounding and the masks
//! that a process starts with (System V ABI, x86-64, 3.2.1: `mxcsr` is 0x1f80).
//!
//! What to do with numbers that are none is said here for each operation and not left to the
//! machine that this runs on (Intel SDM, volume 1, table 4-7): the first operand that is none is
//! given back, made quiet; where there is none, the result is the default one.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "these conversions and comparisons are what the instructions are for"
)]

use iced_x86::{Instruction, Mnemonic};

use super::vector::{Vector, each_of, from_lanes, lane, set_lane};
use super::{Cpu, Flags, Stop, mask};

/// How wide a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Single,
    Double,
}

impl Width {
    fn bytes(self) -> usize {
        match self {
            Self::Single => 4,
            Self::Double => 8,
        }
    }

    fn bits(self) -> usize {
        self.bytes() * 8
    }

    /// The bit that tells a quiet number that is none from a signalling one.
    fn quiet(self) -> u64 {
        match self {
            Self::Single => 1 << 22,
            Self::Double => 1 << 51,
        }
    }

    /// What an operation without a result gives.
    fn default(self) -> u64 {
        match self {
            Self::Single => 0xffc0_0000,
            Self::Double => 0xfff8_0000_0000_0000,
        }
    }

    fn is_nan(self, bits: u64) -> bool {
        match self {
            Self::Single => f32::from_bits(bits as u32).is_nan(),
            Self::Double => f64::from_bits(bits).is_nan(),
        }
    }
}

/// What is computed from two numbers; those that take one take the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Minimum,
    Maximum,
    SquareRoot,
}

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on floating-point numbers; `false` where it is none that is known.
    pub(super) fn float(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        if let Some((operation, width)) = scalar(instruction.mnemonic()) {
            self.scalar(instruction, width, |a, b| compute(operation, width, a, b))?;
            return Ok(true);
        }
        if let Some((operation, width)) = packed(instruction.mnemonic()) {
            let (left, right) = if operation == Operation::SquareRoot {
                let source = self.source(instruction, 1)?;
                (source, source)
            } else {
                self.pair(instruction)?
            };
            let result =
                each_of(width.bits(), &left, &right, |a, b| compute(operation, width, a, b));
            self.target(instruction, result)?;
            return Ok(true);
        }
        Ok(self.conversion(instruction)?
            || self.comparison(instruction)?
            || self.alternating(instruction)?)
    }

    /// Changes the lowest number of the first operand by that of the second; what lies above is
    /// that of the first.
    fn scalar(
        &mut self,
        instruction: &Instruction,
        width: Width,
        operation: impl Fn(u64, u64) -> u64,
    ) -> Result<(), Stop> {
        let first = Self::first(instruction);
        let mut vector = self.source(instruction, first)?;
        let right = self.low(instruction, first + 1, width.bytes())? & mask(width.bytes());
        let left = lane(&vector, width.bits(), 0);
        set_lane(&mut vector, width.bits(), 0, operation(left, right) & mask(width.bytes()));
        self.target(instruction, vector)
    }

    fn conversion(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        use Width::{Double, Single};
        match instruction.mnemonic() {
            Mnemonic::Cvtsi2sd | Mnemonic::Vcvtsi2sd => {
                self.convert_integer(instruction, Double)?;
            }
            Mnemonic::Cvtsi2ss | Mnemonic::Vcvtsi2ss => {
                self.convert_integer(instruction, Single)?;
            }
            Mnemonic::Cvttsd2si | Mnemonic::Vcvttsd2si => {
                self.convert_number(instruction, Double, true)?;
            }
            Mnemonic::Cvttss2si | Mnemonic::Vcvttss2si => {
                self.convert_number(instruction, Single, true)?;
            }
            Mnemonic::Cvtsd2si | Mnemonic::Vcvtsd2si => {
                self.convert_number(instruction, Double, false)?;
            }
            Mnemonic::Cvtss2si | Mnemonic::Vcvtss2si => {
                self.convert_number(instruction, Single, false)?;
            }
            Mnemonic::Cvtss2sd | Mnemonic::Vcvtss2sd => {
                let first = Self::first(instruction);
                let mut vector = self.source(instruction, first)?;
                let number = self.low(instruction, first + 1, 4)?;
                set_lane(&mut vector, 64, 0, widened(number & mask(4)));
                self.target(instruction, vector)?;
            }
            Mnemonic::Cvtsd2ss | Mnemonic::Vcvtsd2ss => {
                let first = Self::first(instruction);
                let mut vector = self.source(instruction, first)?;
                let number = self.low(instruction, first + 1, 8)?;
                set_lane(&mut vector, 32, 0, narrowed(number));
                self.target(instruction, vector)?;
            }
            Mnemonic::Roundsd | Mnemonic::Vroundsd => {
                let mode = last_immediate(instruction);
                self.scalar(instruction, Double, |_, number| rounded(Double, number, mode))?;
            }
            Mnemonic::Roundss | Mnemonic::Vroundss => {
                let mode = last_immediate(instruction);
                self.scalar(instruction, Single, |_, number| rounded(Single, number, mode))?;
            }
            _ => return self.packed_conversion(instruction),
        }
        Ok(true)
    }

    fn packed_conversion(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        use Width::{Double, Single};
        // From and to lanes of so many bits. The wider side fills the register.
        let (from, to, convert): (usize, usize, fn(u64) -> u64) = match instruction.mnemonic() {
            Mnemonic::Cvtdq2pd | Mnemonic::Vcvtdq2pd => (32, 64, |a| integer_to(Double, a, 4)),
            Mnemonic::Cvtdq2ps | Mnemonic::Vcvtdq2ps => (32, 32, |a| integer_to(Single, a, 4)),
            Mnemonic::Cvttps2dq | Mnemonic::Vcvttps2dq => {
                (32, 32, |a| number_to_integer(Single, a, 4, true))
            }
            Mnemonic::Cvtps2dq | Mnemonic::Vcvtps2dq => {
                (32, 32, |a| number_to_integer(Single, a, 4, false))
            }
            Mnemonic::Cvttpd2dq | Mnemonic::Vcvttpd2dq => {
                (64, 32, |a| number_to_integer(Double, a, 4, true))
            }
            Mnemonic::Cvtpd2dq | Mnemonic::Vcvtpd2dq => {
                (64, 32, |a| number_to_integer(Double, a, 4, false))
            }
            Mnemonic::Cvtps2pd | Mnemonic::Vcvtps2pd => (32, 64, widened),
            Mnemonic::Cvtpd2ps | Mnemonic::Vcvtpd2ps => (64, 32, narrowed),
            Mnemonic::Roundpd | Mnemonic::Vroundpd => return self.round_all(instruction, Double),
            Mnemonic::Roundps | Mnemonic::Vroundps => return self.round_all(instruction, Single),
            _ => return Ok(false),
        };
        let source = self.source(instruction, 1)?;
        let count = 256 / from.max(to);
        let mut result = [0; 4];
        for index in 0..count {
            set_lane(&mut result, to, index, convert(lane(&source, from, index)) & mask(to / 8));
        }
        self.target(instruction, result)?;
        Ok(true)
    }

    fn round_all(&mut self, instruction: &Instruction, width: Width) -> Result<bool, Stop> {
        let source = self.source(instruction, 1)?;
        let mode = last_immediate(instruction);
        let result = from_lanes(width.bits(), |index| {
            rounded(width, lane(&source, width.bits(), index), mode)
        });
        self.target(instruction, result)?;
        Ok(true)
    }

    fn convert_integer(&mut self, instruction: &Instruction, width: Width) -> Result<(), Stop> {
        let first = Self::first(instruction);
        let mut vector = self.source(instruction, first)?;
        let size = Self::size(instruction, first + 1);
        let number = self.read(instruction, first + 1)?;
        set_lane(&mut vector, width.bits(), 0, integer_to(width, number, size));
        self.target(instruction, vector)
    }

    fn convert_number(
        &mut self,
        instruction: &Instruction,
        width: Width,
        truncates: bool,
    ) -> Result<(), Stop> {
        let number = self.low(instruction, 1, width.bytes())? & mask(width.bytes());
        let size = Self::size(instruction, 0);
        self.write(instruction, 0, number_to_integer(width, number, size, truncates))
    }

    fn comparison(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        use Width::{Double, Single};
        let (width, whole) = match instruction.mnemonic() {
            Mnemonic::Ucomisd | Mnemonic::Comisd | Mnemonic::Vucomisd | Mnemonic::Vcomisd => {
                self.compare_to_flags(instruction, Double)?;
                return Ok(true);
            }
            Mnemonic::Ucomiss | Mnemonic::Comiss | Mnemonic::Vucomiss | Mnemonic::Vcomiss => {
                self.compare_to_flags(instruction, Single)?;
                return Ok(true);
            }
            Mnemonic::Cmpsd | Mnemonic::Vcmpsd => (Double, false),
            Mnemonic::Cmpss | Mnemonic::Vcmpss => (Single, false),
            Mnemonic::Cmppd | Mnemonic::Vcmppd => (Double, true),
            Mnemonic::Cmpps | Mnemonic::Vcmpps => (Single, true),
            _ => return Ok(false),
        };
        let predicate = last_immediate(instruction);
        let answer = |a: u64, b: u64| if holds(width, a, b, predicate) { u64::MAX } else { 0 };
        if whole {
            let (left, right) = self.pair(instruction)?;
            let result = each_of(width.bits(), &left, &right, answer);
            self.target(instruction, result)?;
        } else {
            self.scalar(instruction, width, answer)?;
        }
        Ok(true)
    }

    fn compare_to_flags(&mut self, instruction: &Instruction, width: Width) -> Result<(), Stop> {
        let left = as_double(width, self.low(instruction, 0, width.bytes())?);
        let right = as_double(width, self.low(instruction, 1, width.bytes())?);
        let unordered = left.is_nan() || right.is_nan();
        self.flags = Flags {
            zero: unordered || left == right,
            parity: unordered,
            carry: unordered || left < right,
            sign: false,
            overflow: false,
            adjust: false,
        };
        Ok(())
    }

    /// Sums and differences of neighbours (SSE3).
    fn alternating(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        use Operation::{Add, Subtract};
        use Width::{Double, Single};
        let (width, operation) = match instruction.mnemonic() {
            Mnemonic::Haddpd | Mnemonic::Vhaddpd => (Double, Some(Add)),
            Mnemonic::Haddps | Mnemonic::Vhaddps => (Single, Some(Add)),
            Mnemonic::Hsubpd | Mnemonic::Vhsubpd => (Double, Some(Subtract)),
            Mnemonic::Hsubps | Mnemonic::Vhsubps => (Single, Some(Subtract)),
            Mnemonic::Addsubpd | Mnemonic::Vaddsubpd => (Double, None),
            Mnemonic::Addsubps | Mnemonic::Vaddsubps => (Single, None),
            _ => return Ok(false),
        };
        let (left, right) = self.pair(instruction)?;
        let bits = width.bits();
        let result = match operation {
            None => from_lanes(bits, |index| {
                let operation = if index % 2 == 0 { Subtract } else { Add };
                compute(operation, width, lane(&left, bits, index), lane(&right, bits, index))
            }),
            Some(operation) => {
                horizontal(bits, &left, &right, |a, b| compute(operation, width, a, b))
            }
        };
        self.target(instruction, result)?;
        Ok(true)
    }
}

/// Joins neighbours, within each 128 bits those of the first vector before those of the second.
pub(super) fn horizontal(
    bits: usize,
    left: &Vector,
    right: &Vector,
    join: impl Fn(u64, u64) -> u64,
) -> Vector {
    let lanes = 128 / bits;
    from_lanes(bits, |index| {
        let (half, place) = (index / lanes * lanes, index % lanes);
        let (vector, place) =
            if place < lanes / 2 { (left, place) } else { (right, place - lanes / 2) };
        let first = half + place * 2;
        join(lane(vector, bits, first), lane(vector, bits, first + 1))
    })
}

/// The immediate that ends an instruction's operands; zero where there is none.
pub(super) fn last_immediate(instruction: &Instruction) -> u64 {
    instruction.try_immediate(instruction.op_count().saturating_sub(1)).unwrap_or(0)
}

fn scalar(mnemonic: Mnemonic) -> Option<(Operation, Width)> {
    use Operation::{Add, Divide, Maximum, Minimum, Multiply, SquareRoot, Subtract};
    use Width::{Double, Single};
    Some(match mnemonic {
        Mnemonic::Addsd | Mnemonic::Vaddsd => (Add, Double),
        Mnemonic::Subsd | Mnemonic::Vsubsd => (Subtract, Double),
        Mnemonic::Mulsd | Mnemonic::Vmulsd => (Multiply, Double),
        Mnemonic::Divsd | Mnemonic::Vdivsd => (Divide, Double),
        Mnemonic::Minsd | Mnemonic::Vminsd => (Minimum, Double),
        Mnemonic::Maxsd | Mnemonic::Vmaxsd => (Maximum, Double),
        Mnemonic::Sqrtsd | Mnemonic::Vsqrtsd => (SquareRoot, Double),
        Mnemonic::Addss | Mnemonic::Vaddss => (Add, Single),
        Mnemonic::Subss | Mnemonic::Vsubss => (Subtract, Single),
        Mnemonic::Mulss | Mnemonic::Vmulss => (Multiply, Single),
        Mnemonic::Divss | Mnemonic::Vdivss => (Divide, Single),
        Mnemonic::Minss | Mnemonic::Vminss => (Minimum, Single),
        Mnemonic::Maxss | Mnemonic::Vmaxss => (Maximum, Single),
        Mnemonic::Sqrtss | Mnemonic::Vsqrtss => (SquareRoot, Single),
        _ => return None,
    })
}

fn packed(mnemonic: Mnemonic) -> Option<(Operation, Width)> {
    use Operation::{Add, Divide, Maximum, Minimum, Multiply, SquareRoot, Subtract};
    use Width::{Double, Single};
    Some(match mnemonic {
        Mnemonic::Addpd | Mnemonic::Vaddpd => (Add, Double),
        Mnemonic::Subpd | Mnemonic::Vsubpd => (Subtract, Double),
        Mnemonic::Mulpd | Mnemonic::Vmulpd => (Multiply, Double),
        Mnemonic::Divpd | Mnemonic::Vdivpd => (Divide, Double),
        Mnemonic::Minpd | Mnemonic::Vminpd => (Minimum, Double),
        Mnemonic::Maxpd | Mnemonic::Vmaxpd => (Maximum, Double),
        Mnemonic::Sqrtpd | Mnemonic::Vsqrtpd => (SquareRoot, Double),
        Mnemonic::Addps | Mnemonic::Vaddps => (Add, Single),
        Mnemonic::Subps | Mnemonic::Vsubps => (Subtract, Single),
        Mnemonic::Mulps | Mnemonic::Vmulps => (Multiply, Single),
        Mnemonic::Divps | Mnemonic::Vdivps => (Divide, Single),
        Mnemonic::Minps | Mnemonic::Vminps => (Minimum, Single),
        Mnemonic::Maxps | Mnemonic::Vmaxps => (Maximum, Single),
        Mnemonic::Sqrtps | Mnemonic::Vsqrtps => (SquareRoot, Single),
        _ => return None,
    })
}

fn compute(operation: Operation, width: Width, a: u64, b: u64) -> u64 {
    let (x, y) = (as_double(width, a), as_double(width, b));
    match operation {
        // The second where the numbers are no different, or one is none.
        Operation::Minimum => return if x < y { a } else { b },
        Operation::Maximum => return if x > y { a } else { b },
        Operation::SquareRoot if y.is_nan() => return b | width.quiet(),
        Operation::SquareRoot => {}
        _ if x.is_nan() => return a | width.quiet(),
        _ if y.is_nan() => return b | width.quiet(),
        _ => {}
    }
    let result = match width {
        Width::Double => double(operation, x, y).to_bits(),
        Width::Single => {
            single(operation, f32::from_bits(a as u32), f32::from_bits(b as u32)).to_bits().into()
        }
    };
    if width.is_nan(result) { width.default() } else { result }
}

fn double(operation: Operation, a: f64, b: f64) -> f64 {
    match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
        Operation::Minimum => a.min(b),
        Operation::Maximum => a.max(b),
        Operation::SquareRoot => b.sqrt(),
    }
}

fn single(operation: Operation, a: f32, b: f32) -> f32 {
    match operation {
        Operation::Add => a + b,
        Operation::Subtract => a - b,
        Operation::Multiply => a * b,
        Operation::Divide => a / b,
        Operation::Minimum => a.min(b),
        Operation::Maximum => a.max(b),
        Operation::SquareRoot => b.sqrt(),
    }
}

/// The number that `bits` stand for; each single one is a double one too.
fn as_double(width: Width, bits: u64) -> f64 {
    match width {
        Width::Single => f64::from(f32::from_bits(bits as u32)),
        Width::Double => f64::from_bits(bits),
    }
}

/// A single number as a double one.
fn widened(bits: u64) -> u64 {
    let number = f32::from_bits(bits as u32);
    if number.is_nan() {
        let sign = bits >> 31 & 1;
        let content = (bits & 0x7f_ffff) << 29;
        return sign << 63 | 0x7ff8_0000_0000_0000 | content;
    }
    f64::from(number).to_bits()
}

/// A double number as the nearest single one.
fn narrowed(bits: u64) -> u64 {
    let number = f64::from_bits(bits);
    if number.is_nan() {
        let sign = bits >> 63;
        let content = bits >> 29 & 0x3f_ffff;
        return sign << 31 | 0x7fc0_0000 | content;
    }
    u64::from((number as f32).to_bits())
}

/// A signed integer of `size` bytes as the nearest number.
fn integer_to(width: Width, value: u64, size: usize) -> u64 {
    let value =
        if size == 4 { i64::from((value as u32).cast_signed()) } else { value.cast_signed() };
    match width {
        Width::Single => u64::from((value as f32).to_bits()),
        Width::Double => (value as f64).to_bits(),
    }
}

/// A number as a signed integer of `size` bytes; the least one stands for what does not fit.
fn number_to_integer(width: Width, bits: u64, size: usize, truncates: bool) -> u64 {
    let number = as_double(width, bits);
    let number = if truncates { number.trunc() } else { number.round_ties_even() };
    // The limits are powers of two, so that they are exact.
    let limit = if size == 4 { 2_147_483_648.0 } else { 9_223_372_036_854_775_808.0 };
    if number >= -limit && number < limit {
        (number as i64).cast_unsigned() & mask(size)
    } else {
        1 << (size * 8 - 1)
    }
}

/// A number rounded to an integral one (Intel SDM, table of `ROUNDPD`).
fn rounded(width: Width, bits: u64, mode: u64) -> u64 {
    let number = as_double(width, bits);
    if number.is_nan() {
        return bits | width.quiet();
    }
    let number = match mode & 7 {
        1 => number.floor(),
        2 => number.ceil(),
        3 => number.trunc(),
        // Bit 2 asks for the way of the control register, which is this one too.
        _ => number.round_ties_even(),
    };
    match width {
        Width::Single => u64::from((number as f32).to_bits()),
        Width::Double => number.to_bits(),
    }
}

/// Whether a comparison holds (Intel SDM, table of `CMPPD`); the fifth bit of the predicate is about
/// exceptions alone.
fn holds(width: Width, a: u64, b: u64, predicate: u64) -> bool {
    let (a, b) = (as_double(width, a), as_double(width, b));
    let unordered = a.is_nan() || b.is_nan();
    match predicate & 15 {
        0 => a == b,
        1 => a < b,
        2 => a <= b,
        3 => unordered,
        4 => unordered || a != b,
        5 => unordered || a >= b,
        6 => unordered || a > b,
        7 => !unordered,
        8 => unordered || a == b,
        9 => unordered || a < b,
        10 => unordered || a <= b,
        11 => false,
        12 => !unordered && a != b,
        13 => a >= b,
        14 => a > b,
        _ => true,
    }
}
