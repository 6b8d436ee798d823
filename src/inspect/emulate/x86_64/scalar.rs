//! Arithmetic with one floating-point number at a time, as hash tables do with their load factors.
//!
//! Numbers are rounded to the nearest, as in every process that was not asked for anything else.

use std::cmp::Ordering;

use iced_x86::{Instruction, Mnemonic};

use super::vector::vector_number;
use super::{Cpu, Stop, mask};

/// How wide a number is, in bytes.
const SINGLE: usize = 4;
const DOUBLE: usize = 8;

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on single numbers; `false` where it is none that is known.
    pub(super) fn scalar(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        use Mnemonic as M;
        let size = match instruction.mnemonic() {
            M::Addss | M::Subss | M::Mulss | M::Divss | M::Minss | M::Maxss | M::Sqrtss => SINGLE,
            M::Addsd | M::Subsd | M::Mulsd | M::Divsd | M::Minsd | M::Maxsd | M::Sqrtsd => DOUBLE,
            M::Vmovss => return self.move_number(instruction, SINGLE),
            M::Vmovsd => return self.move_number(instruction, DOUBLE),
            // The instruction on strings has the same name, and fewer operands.
            M::Cmpss if instruction.op_count() == 3 => return self.mark(instruction, SINGLE),
            M::Cmpsd if instruction.op_count() == 3 => return self.mark(instruction, DOUBLE),
            M::Comiss | M::Ucomiss => return self.compare_numbers(instruction, SINGLE),
            M::Comisd | M::Ucomisd => return self.compare_numbers(instruction, DOUBLE),
            M::Cvtsi2ss => return self.number_of_integer(instruction, SINGLE),
            M::Cvtsi2sd => return self.number_of_integer(instruction, DOUBLE),
            M::Cvttss2si => return self.integer_of_number(instruction, SINGLE, f64::trunc),
            M::Cvttsd2si => return self.integer_of_number(instruction, DOUBLE, f64::trunc),
            M::Cvtss2si => {
                return self.integer_of_number(instruction, SINGLE, f64::round_ties_even);
            }
            M::Cvtsd2si => {
                return self.integer_of_number(instruction, DOUBLE, f64::round_ties_even);
            }
            M::Cvtss2sd => {
                let value = self.low(instruction, 1, SINGLE)?;
                self.put_number(instruction, f64::from(single(value)).to_bits(), DOUBLE);
                return Ok(true);
            }
            M::Cvtsd2ss => {
                let value = self.low(instruction, 1, DOUBLE)?;
                self.put_number(instruction, narrowed(f64::from_bits(value)), SINGLE);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let (left, right) = (self.low(instruction, 0, size)?, self.low(instruction, 1, size)?);
        let value = if size == SINGLE {
            let (left, right) = (single(left), single(right));
            u64::from(single_result(instruction.mnemonic(), left, right).to_bits())
        } else {
            let (left, right) = (f64::from_bits(left), f64::from_bits(right));
            double_result(instruction.mnemonic(), left, right).to_bits()
        };
        self.put_number(instruction, value, size);
        Ok(true)
    }

    /// Replaces the lowest number of a register; the rest of it stays.
    fn put_number(&mut self, instruction: &Instruction, value: u64, size: usize) {
        let word = &mut self.vectors[vector_number(instruction.op0_register())][0];
        *word = *word & !mask(size) | value & mask(size);
    }

    /// With three operands the rest comes from the second.
    fn move_number(&mut self, instruction: &Instruction, size: usize) -> Result<bool, Stop> {
        if instruction.op_count() == 2 {
            let value = self.low(instruction, 1, size)? & mask(size);
            self.set_low(instruction, value, size)?;
            return Ok(true);
        }
        let value = self.low(instruction, 2, size)? & mask(size);
        let [low, high, ..] = self.source(instruction, 1)?;
        self.target(instruction, [low & !mask(size) | value, high, 0, 0])?;
        Ok(true)
    }

    /// All ones where a comparison holds, else zero.
    fn mark(&mut self, instruction: &Instruction, size: usize) -> Result<bool, Stop> {
        let (left, right) = (self.low(instruction, 0, size)?, self.low(instruction, 1, size)?);
        let order = widened(left, size).partial_cmp(&widened(right, size));
        let predicate = instruction.immediate(2);
        let holds = match predicate & 3 {
            0 => order == Some(Ordering::Equal),
            1 => order == Some(Ordering::Less),
            2 => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            _ => order.is_none(),
        };
        // The other four are the opposites.
        let is_opposite = predicate & 4 != 0;
        self.put_number(instruction, if holds == is_opposite { 0 } else { u64::MAX }, size);
        Ok(true)
    }

    fn compare_numbers(&mut self, instruction: &Instruction, size: usize) -> Result<bool, Stop> {
        let (left, right) = (self.low(instruction, 0, size)?, self.low(instruction, 1, size)?);
        let order = widened(left, size).partial_cmp(&widened(right, size));
        let is_unordered = order.is_none();
        self.flags.zero = is_unordered || order == Some(Ordering::Equal);
        self.flags.carry = is_unordered || order == Some(Ordering::Less);
        self.flags.parity = is_unordered;
        self.flags.overflow = false;
        self.flags.sign = false;
        Ok(true)
    }

    fn number_of_integer(&mut self, instruction: &Instruction, size: usize) -> Result<bool, Stop> {
        let value = self.read(instruction, 1)?;
        let unused = 64 - Self::size(instruction, 1) * 8;
        let value = (value << unused).cast_signed() >> unused;
        let value = if size == SINGLE {
            u64::from(rounded_single(value).to_bits())
        } else {
            rounded_double(value).to_bits()
        };
        self.put_number(instruction, value, size);
        Ok(true)
    }

    /// What does not fit, and what is no number, gives the least integer.
    fn integer_of_number(
        &mut self,
        instruction: &Instruction,
        size: usize,
        round: fn(f64) -> f64,
    ) -> Result<bool, Stop> {
        let value = round(widened(self.low(instruction, 1, size)?, size));
        let width = Self::size(instruction, 0);
        // Powers of two, exactly.
        let limit = if width == 8 { 9_223_372_036_854_775_808.0 } else { 2_147_483_648.0 };
        let least = 1u64 << (width * 8 - 1);
        let result = if value >= -limit && value < limit { whole(value) } else { least };
        self.write(instruction, 0, result & mask(width))?;
        Ok(true)
    }
}

fn single(value: u64) -> f32 {
    let [a, b, c, d, ..] = value.to_le_bytes();
    f32::from_le_bytes([a, b, c, d])
}

fn widened(value: u64, size: usize) -> f64 {
    if size == SINGLE { f64::from(single(value)) } else { f64::from_bits(value) }
}

#[expect(clippy::cast_possible_truncation, reason = "rounding is what the instruction does")]
fn narrowed(value: f64) -> u64 {
    u64::from((value as f32).to_bits())
}

#[expect(clippy::cast_precision_loss, reason = "rounding is what the instruction does")]
fn rounded_single(value: i64) -> f32 {
    value as f32
}

#[expect(clippy::cast_precision_loss, reason = "rounding is what the instruction does")]
fn rounded_double(value: i64) -> f64 {
    value as f64
}

#[expect(clippy::cast_possible_truncation, reason = "a whole number that fits")]
fn whole(value: f64) -> u64 {
    (value as i64).cast_unsigned()
}

fn single_result(mnemonic: Mnemonic, left: f32, right: f32) -> f32 {
    match mnemonic {
        Mnemonic::Addss => left + right,
        Mnemonic::Subss => left - right,
        Mnemonic::Mulss => left * right,
        Mnemonic::Divss => left / right,
        Mnemonic::Sqrtss => right.sqrt(),
        // The second wherever the comparison does not hold.
        Mnemonic::Minss if left < right => left,
        Mnemonic::Maxss if left > right => left,
        _ => right,
    }
}

fn double_result(mnemonic: Mnemonic, left: f64, right: f64) -> f64 {
    match mnemonic {
        Mnemonic::Addsd => left + right,
        Mnemonic::Subsd => left - right,
        Mnemonic::Mulsd => left * right,
        Mnemonic::Divsd => left / right,
        Mnemonic::Sqrtsd => right.sqrt(),
        Mnemonic::Minsd if left < right => left,
        Mnemonic::Maxsd if left > right => left,
        _ => right,
    }
}
