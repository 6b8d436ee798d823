//! Floating-point numbers of single and double precision, one by one or in vectors.
//!
//! Rounding is to nearest, nothing traps, and no flag of FPSR is kept, which cannot be read. What
//! is not a number follows the Arm ARM (`FPProcessNaNs`) and not the processor that this runs on.

use disarm64_defn::InsnClass;

use super::arrange::expanded_float;
use super::instruction::{Instruction, sign_extended};
use super::vector::{element, joined};
use super::{Cpu, Flags, low_half, mask};

/// The two precisions, with what they compute as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Precision {
    Single,
    Double,
}

use Precision::{Double, Single};

type Operation<T> = fn(T, T) -> T;

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on floating-point numbers; `false` where it is none that is known.
    pub(super) fn float(&mut self, instruction: Instruction) -> bool {
        let known = match instruction.class {
            InsnClass::FLOATDP1 => self.float_one(instruction),
            InsnClass::FLOATDP2 => self.float_two(instruction),
            InsnClass::FLOATDP3 => self.float_three(instruction),
            InsnClass::FLOATCMP => self.float_compare(instruction),
            InsnClass::FLOATCCMP => self.float_conditional_compare(instruction),
            InsnClass::FLOATSEL => self.float_select(instruction),
            InsnClass::FLOATIMM => self.float_immediate(instruction),
            InsnClass::FLOAT2INT => self.float_and_integer(instruction),
            InsnClass::FLOAT2FIX => self.float_and_fixed(instruction),
            InsnClass::ASIMDSAME => self.float_vectors(instruction),
            InsnClass::ASIMDMISC => self.float_vector(instruction),
            InsnClass::ASISDMISC => self.float_scalar(instruction),
            _ => None,
        };
        known.is_some()
    }

    fn scalar(&self, number: usize, precision: Precision) -> u64 {
        low_half(self.vectors[number & 31]) & mask(precision.width())
    }

    fn float_one(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let value = self.scalar(instruction.rn(), precision);
        let result = match instruction.mnemonic {
            "fmov" => value,
            "fabs" => precision.absolute(value),
            "fneg" => precision.negated(value),
            "fsqrt" => precision.root(value),
            "fcvt" => match (precision, instruction.field(15, 2)) {
                (Single, 1) => widened(value),
                (Double, 0) => narrowed(value),
                _ => return None,
            },
            name => precision.rounded(value, Rounding::named(name.strip_prefix("frint")?)?),
        };
        self.set_scalar(instruction, result);
        Some(())
    }

    fn float_two(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let left = self.scalar(instruction.rn(), precision);
        let right = self.scalar(instruction.rm(), precision);
        let result = match instruction.mnemonic {
            "fnmul" => precision.negated(precision.computed("fmul", left, right)?),
            "fmax" => precision.extreme(left, right, true),
            "fmin" => precision.extreme(left, right, false),
            // A number counts more than what is none, unless that signals.
            name @ ("fmaxnm" | "fminnm") => {
                let (left, right) = match (precision.is_quiet(left), precision.is_quiet(right)) {
                    (true, false) => (right, right),
                    (false, true) => (left, left),
                    _ => (left, right),
                };
                precision.extreme(left, right, name == "fmaxnm")
            }
            name => precision.computed(name, left, right)?,
        };
        self.set_scalar(instruction, result);
        Some(())
    }

    fn float_three(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let left = self.scalar(instruction.rn(), precision);
        let right = self.scalar(instruction.rm(), precision);
        let addend = self.scalar(instruction.ra(), precision);
        let negated = |value| precision.negated(value);
        let (addend, left) = match instruction.mnemonic {
            "fmadd" => (addend, left),
            "fmsub" => (addend, negated(left)),
            "fnmadd" => (negated(addend), negated(left)),
            "fnmsub" => (negated(addend), left),
            _ => return None,
        };
        self.set_scalar(instruction, precision.multiplied_and_added(addend, left, right));
        Some(())
    }

    fn float_compare(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let left = self.scalar(instruction.rn(), precision);
        let with_zero = instruction.bit(3);
        let right = if with_zero { 0 } else { self.scalar(instruction.rm(), precision) };
        self.flags = precision.compared(left, right);
        Some(())
    }

    fn float_conditional_compare(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let left = self.scalar(instruction.rn(), precision);
        let right = self.scalar(instruction.rm(), precision);
        self.flags = if self.flags.hold(instruction.field(12, 4)) {
            precision.compared(left, right)
        } else {
            Flags::from_bits(instruction.field(0, 4))
        };
        Some(())
    }

    fn float_select(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let holds = self.flags.hold(instruction.field(12, 4));
        let from = if holds { instruction.rn() } else { instruction.rm() };
        self.set_scalar(instruction, self.scalar(from, precision));
        Some(())
    }

    fn float_immediate(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let value = expanded_float(instruction.field(13, 8), precision.width());
        self.set_scalar(instruction, value);
        Some(())
    }

    /// Conversions to and from whole numbers in general-purpose registers, and moves between those
    /// and vector registers.
    fn float_and_integer(&mut self, instruction: Instruction) -> Option<()> {
        let width = instruction.width();
        let (rd, rn) = (instruction.rd(), instruction.rn());
        if instruction.mnemonic == "fmov" {
            let to_general = !instruction.bit(16);
            match (width, instruction.field(22, 2), instruction.field(19, 2)) {
                (32, 0, 0) | (64, 1, 0) if to_general => {
                    self.set(rd, width, low_half(self.vectors[rn]));
                }
                (32, 0, 0) | (64, 1, 0) => self.set_scalar(instruction, self.get(rn, width)),
                // The upper half of a vector register.
                (64, 2, 1) if to_general => self.set(rd, 64, low_half(self.vectors[rn] >> 64)),
                (64, 2, 1) => self.set_element(rd, 64, 1, self.get(rn, 64)),
                _ => return None,
            }
            return Some(());
        }
        let precision = precision(instruction)?;
        match instruction.mnemonic {
            "scvtf" | "ucvtf" => {
                let value = self.get(rn, width);
                let is_signed = instruction.mnemonic == "scvtf";
                self.set_scalar(instruction, precision.of_integer(value, width, is_signed, 0));
            }
            name => {
                let (rounding, is_signed) = conversion(name)?;
                let value = self.scalar(rn, precision);
                self.set(rd, width, precision.to_integer(value, width, is_signed, rounding, 0));
            }
        }
        Some(())
    }

    /// Conversions to and from numbers with a fixed point.
    fn float_and_fixed(&mut self, instruction: Instruction) -> Option<()> {
        let precision = precision(instruction)?;
        let width = instruction.width();
        let fraction = 64 - instruction.field(10, 6);
        if fraction > width {
            return None;
        }
        let is_signed = instruction.mnemonic.ends_with('s') || instruction.mnemonic == "scvtf";
        match instruction.mnemonic {
            "scvtf" | "ucvtf" => {
                let value = self.get(instruction.rn(), width);
                let value = precision.of_integer(value, width, is_signed, fraction);
                self.set_scalar(instruction, value);
            }
            "fcvtzs" | "fcvtzu" => {
                let value = self.scalar(instruction.rn(), precision);
                let value = precision.to_integer(value, width, is_signed, Rounding::Zero, fraction);
                self.set(instruction.rd(), width, value);
            }
            _ => return None,
        }
        Some(())
    }

    fn float_vectors(&mut self, instruction: Instruction) -> Option<()> {
        let (precision, count) = vector_shape(instruction)?;
        // Half precision has the bit clear.
        if !instruction.bit(21) {
            return None;
        }
        let width = precision.width();
        let (left, right) = (self.left(instruction), self.right(instruction));
        let mut results = Vec::new();
        for index in 0..count {
            let (left, right) = (element(left, width, index), element(right, width, index));
            results.push(precision.computed(instruction.mnemonic, left, right)?);
        }
        self.set_vector(instruction, joined(width, results.into_iter()));
        Some(())
    }

    fn float_vector(&mut self, instruction: Instruction) -> Option<()> {
        if instruction.field(17, 5) != 0b1_0000 {
            return None;
        }
        let (precision, count) = vector_shape(instruction)?;
        let source = self.left(instruction);
        let width = precision.width();
        let mut results = Vec::new();
        for index in 0..count {
            results.push(one_of_vector(instruction, precision, element(source, width, index))?);
        }
        self.set_vector(instruction, joined(width, results.into_iter()));
        Some(())
    }

    fn float_scalar(&mut self, instruction: Instruction) -> Option<()> {
        if instruction.field(17, 5) != 0b1_0000
            || matches!(instruction.mnemonic, "fabs" | "fneg" | "fsqrt")
        {
            return None;
        }
        let precision = if instruction.bit(22) { Double } else { Single };
        let value = self.scalar(instruction.rn(), precision);
        let result = one_of_vector(instruction, precision, value)?;
        self.set_scalar(instruction, result);
        Some(())
    }
}

/// One element of an instruction on one vector.
fn one_of_vector(instruction: Instruction, precision: Precision, value: u64) -> Option<u64> {
    let width = precision.width();
    Some(match instruction.mnemonic {
        "fabs" => precision.absolute(value),
        "fneg" => precision.negated(value),
        "fsqrt" => precision.root(value),
        "scvtf" => precision.of_integer(value, width, true, 0),
        "ucvtf" => precision.of_integer(value, width, false, 0),
        name => {
            let (rounding, is_signed) = conversion(name)?;
            precision.to_integer(value, width, is_signed, rounding, 0)
        }
    })
}

/// The precision that the field `ptype` tells; not half precision.
fn precision(instruction: Instruction) -> Option<Precision> {
    match instruction.field(22, 2) {
        0 => Some(Single),
        1 => Some(Double),
        _ => None,
    }
}

fn vector_shape(instruction: Instruction) -> Option<(Precision, u32)> {
    match (instruction.bit(22), instruction.bit(30)) {
        (false, false) => Some((Single, 2)),
        (false, true) => Some((Single, 4)),
        (true, true) => Some((Double, 2)),
        (true, false) => None,
    }
}

/// How `fcvt` to a whole number rounds, and whether that has a sign.
fn conversion(mnemonic: &str) -> Option<(Rounding, bool)> {
    let rest = mnemonic.strip_prefix("fcvt")?;
    let (rounding, is_signed) = match rest.strip_suffix('s') {
        Some(rounding) => (rounding, true),
        None => (rest.strip_suffix('u')?, false),
    };
    Some((Rounding::named(rounding).filter(|_| !matches!(rounding, "i" | "x"))?, is_signed))
}

/// Ways of rounding to a whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    Even,
    Away,
    Down,
    Up,
    Zero,
}

impl Rounding {
    /// By the letter that mnemonics have for it; the one that is set is rounding to nearest.
    fn named(letter: &str) -> Option<Self> {
        Some(match letter {
            "n" | "i" | "x" => Self::Even,
            "a" => Self::Away,
            "m" => Self::Down,
            "p" => Self::Up,
            "z" => Self::Zero,
            _ => return None,
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "conversions round and saturate just as the instructions do"
)]
impl Precision {
    pub(super) fn width(self) -> u32 {
        match self {
            Single => 32,
            Double => 64,
        }
    }

    fn fraction_bits(self) -> u32 {
        match self {
            Single => 23,
            Double => 52,
        }
    }

    fn sign(self) -> u64 {
        1 << (self.width() - 1)
    }

    fn absolute(self, value: u64) -> u64 {
        value & !self.sign()
    }

    fn negated(self, value: u64) -> u64 {
        value ^ self.sign()
    }

    fn infinity(self) -> u64 {
        mask(self.width() - 1 - self.fraction_bits()) << self.fraction_bits()
    }

    fn quiet_bit(self) -> u64 {
        1 << (self.fraction_bits() - 1)
    }

    fn default_nan(self) -> u64 {
        self.infinity() | self.quiet_bit()
    }

    fn is_nan(self, value: u64) -> bool {
        self.absolute(value) > self.infinity()
    }

    fn is_quiet(self, value: u64) -> bool {
        self.is_nan(value) && value & self.quiet_bit() != 0
    }

    /// Of what is no number the first that signals, else the first; made quiet.
    fn nan_of(self, values: &[u64]) -> Option<u64> {
        let signalling = |value: &&u64| self.is_nan(**value) && !self.is_quiet(**value);
        let found = values.iter().find(signalling);
        let found = found.or_else(|| values.iter().find(|value| self.is_nan(**value)));
        found.map(|value| value | self.quiet_bit())
    }

    /// A result, where what is no number is the default one.
    fn cleaned(self, value: u64) -> u64 {
        if self.is_nan(value) { self.default_nan() } else { value }
    }

    fn single(value: u64) -> f32 {
        f32::from_bits(value as u32)
    }

    /// As a number of double precision, which is exact.
    fn number(self, value: u64) -> f64 {
        match self {
            Single => f64::from(Self::single(value)),
            Double => f64::from_bits(value),
        }
    }

    fn computed(self, name: &str, left: u64, right: u64) -> Option<u64> {
        let (single, double): (Operation<f32>, Operation<f64>) = match name {
            "fadd" => (|a, b| a + b, |a, b| a + b),
            "fsub" => (|a, b| a - b, |a, b| a - b),
            "fmul" => (|a, b| a * b, |a, b| a * b),
            "fdiv" => (|a, b| a / b, |a, b| a / b),
            _ => return None,
        };
        if let Some(nan) = self.nan_of(&[left, right]) {
            return Some(nan);
        }
        Some(self.cleaned(match self {
            Single => u64::from(single(Self::single(left), Self::single(right)).to_bits()),
            Double => double(f64::from_bits(left), f64::from_bits(right)).to_bits(),
        }))
    }

    fn root(self, value: u64) -> u64 {
        self.nan_of(&[value]).unwrap_or_else(|| {
            self.cleaned(match self {
                Single => u64::from(Self::single(value).sqrt().to_bits()),
                Double => f64::from_bits(value).sqrt().to_bits(),
            })
        })
    }

    /// Arm ARM, `FPMulAdd`: rounded once.
    fn multiplied_and_added(self, addend: u64, left: u64, right: u64) -> u64 {
        let is_infinite = |value| self.absolute(value) == self.infinity();
        let is_zero = |value| self.absolute(value) == 0;
        let invalid = is_infinite(left) && is_zero(right) || is_zero(left) && is_infinite(right);
        if self.is_quiet(addend) && invalid {
            return self.default_nan();
        }
        self.nan_of(&[addend, left, right]).unwrap_or_else(|| {
            self.cleaned(match self {
                Single => u64::from(
                    Self::single(left).mul_add(Self::single(right), Self::single(addend)).to_bits(),
                ),
                Double => f64::from_bits(left)
                    .mul_add(f64::from_bits(right), f64::from_bits(addend))
                    .to_bits(),
            })
        })
    }

    /// The larger or smaller of two; of two zeros the one with the fitting sign.
    fn extreme(self, left: u64, right: u64, larger: bool) -> u64 {
        if let Some(nan) = self.nan_of(&[left, right]) {
            return nan;
        }
        // Numbers are ordered as their bits are, those below zero the other way round.
        let order = |value| {
            let magnitude = i128::from(self.absolute(value));
            if value & self.sign() == 0 { magnitude } else { -1 - magnitude }
        };
        if (order(left) > order(right)) == larger { left } else { right }
    }

    fn compared(self, left: u64, right: u64) -> Flags {
        match self.number(left).partial_cmp(&self.number(right)) {
            None => Flags::from_bits(0b0011),
            Some(std::cmp::Ordering::Less) => Flags::from_bits(0b1000),
            Some(std::cmp::Ordering::Equal) => Flags::from_bits(0b0110),
            Some(std::cmp::Ordering::Greater) => Flags::from_bits(0b0010),
        }
    }

    fn rounded(self, value: u64, rounding: Rounding) -> u64 {
        if let Some(nan) = self.nan_of(&[value]) {
            return nan;
        }
        let whole = whole(self.number(value), rounding);
        match self {
            // A whole number next to one of single precision is one, too.
            Single => u64::from((whole as f32).to_bits()),
            Double => whole.to_bits(),
        }
    }

    /// A whole number, or one with that many binary places.
    fn of_integer(self, value: u64, width: u32, is_signed: bool, fraction: u32) -> u64 {
        let signed = sign_extended(value, width).cast_signed();
        // A power of two, so that nothing is rounded twice.
        match self {
            Single => {
                let number = if is_signed { signed as f32 } else { value as f32 };
                u64::from((number * f32::from_bits((127 - fraction) << 23)).to_bits())
            }
            Double => {
                let number = if is_signed { signed as f64 } else { value as f64 };
                (number * f64::from_bits(u64::from(1023 - fraction) << 52)).to_bits()
            }
        }
    }

    /// To the nearest that fits; what is no number becomes zero.
    fn to_integer(
        self,
        value: u64,
        width: u32,
        is_signed: bool,
        rounding: Rounding,
        fraction: u32,
    ) -> u64 {
        let scaled = self.number(value) * f64::from_bits(u64::from(1023 + fraction) << 52);
        let whole = whole(scaled, rounding);
        match (width, is_signed) {
            (32, true) => u64::from((whole as i32).cast_unsigned()),
            (32, false) => u64::from(whole as u32),
            (_, true) => (whole as i64).cast_unsigned(),
            (_, false) => whole as u64,
        }
    }
}

fn whole(number: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Even => number.round_ties_even(),
        Rounding::Away => number.round(),
        Rounding::Down => number.floor(),
        Rounding::Up => number.ceil(),
        Rounding::Zero => number.trunc(),
    }
}

/// From single to double precision.
fn widened(value: u64) -> u64 {
    if Single.is_nan(value) {
        let fraction = value & mask(23);
        return (value >> 31) << 63 | Double.infinity() | fraction << 29 | Double.quiet_bit();
    }
    Single.number(value).to_bits()
}

/// From double to single precision.
#[expect(clippy::cast_possible_truncation, reason = "rounds as the instruction does")]
fn narrowed(value: u64) -> u64 {
    if Double.is_nan(value) {
        let fraction = value >> 29 & mask(23);
        return (value >> 63) << 31 | Single.infinity() | fraction | Single.quiet_bit();
    }
    u64::from((f64::from_bits(value) as f32).to_bits())
}
