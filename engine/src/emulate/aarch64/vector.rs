//! Arithmetic on vectors of whole numbers (Advanced SIMD), and on one such number in a vector
//! register.
//!
//! Named after the encoding classes of the Arm ARM. What a register has above the result is
//! cleared. Sizes are those of an element, in bits.

use disarm64_defn::InsnClass;

use super::instruction::{Instruction, sign_extended};
use super::{Cpu, low_half, mask};

/// What an instruction does to an element, or to those of two vectors in the same place.
type Unary = fn(u64, u32) -> u64;
type Binary = fn(u64, u64, u32) -> u64;

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on vectors of whole numbers; `false` where it is none that is known.
    pub(super) fn vector(&mut self, instruction: Instruction) -> bool {
        let known = match instruction.class {
            InsnClass::ASIMDSAME => self.same(instruction),
            InsnClass::ASISDSAME => self.scalar_same(instruction),
            InsnClass::ASIMDDIFF => self.different(instruction),
            InsnClass::ASIMDMISC => self.miscellaneous(instruction),
            InsnClass::ASISDMISC => self.scalar_miscellaneous(instruction),
            InsnClass::ASIMDSHF => self.shift(instruction),
            InsnClass::ASISDSHF => self.scalar_shift(instruction),
            InsnClass::ASIMDALL => self.across(instruction),
            InsnClass::ASISDPAIR => self.scalar_pair(instruction),
            _ => None,
        };
        known.is_some()
    }

    /// Three vectors of one shape.
    fn same(&mut self, instruction: Instruction) -> Option<()> {
        let (left, right) = (self.left(instruction), self.right(instruction));
        let before = self.vectors[instruction.rd()];
        let bitwise = match instruction.mnemonic {
            "and" => Some(left & right),
            "bic" => Some(left & !right),
            "orr" => Some(left | right),
            "orn" => Some(left | !right),
            "eor" => Some(left ^ right),
            "bsl" => Some(left & before | right & !before),
            "bit" => Some(left & right | before & !right),
            "bif" => Some(left & !right | before & right),
            _ => None,
        };
        if let Some(value) = bitwise {
            self.set_vector(instruction, value);
            return Some(());
        }
        let size = element_size(instruction);
        let count = shape(instruction, size)?;
        let both = elements(left, size, count).zip(elements(right, size, count));
        let narrow = (size < 64).then_some(());
        let value = if let Some(operation) = binary(instruction.mnemonic) {
            joined(size, both.map(|(left, right)| operation(left, right, size)))
        } else if let Some(operation) = binary_narrow(instruction.mnemonic) {
            narrow?;
            joined(size, both.map(|(left, right)| operation(left, right, size)))
        } else if matches!(instruction.mnemonic, "mla" | "mls") {
            narrow?;
            let subtracts = instruction.mnemonic == "mls";
            let sums = both.zip(elements(before, size, count));
            joined(size, sums.map(|((left, right), sum)| accumulated(sum, left, right, subtracts)))
        } else {
            let operation: Binary = match instruction.mnemonic {
                "addp" => |left, right, _| left.wrapping_add(right),
                "smaxp" if size < 64 => |left, right, size| larger(left, right, size, true),
                "umaxp" if size < 64 => |left, right, size| larger(left, right, size, false),
                "sminp" if size < 64 => |left, right, size| smaller(left, right, size, true),
                "uminp" if size < 64 => |left, right, size| smaller(left, right, size, false),
                _ => return None,
            };
            let pairs = [left, right].into_iter().flat_map(|vector| {
                (0..count / 2).map(move |index| {
                    let first = element(vector, size, index * 2);
                    operation(first, element(vector, size, index * 2 + 1), size)
                })
            });
            joined(size, pairs)
        };
        self.set_vector(instruction, value);
        Some(())
    }

    fn scalar_same(&mut self, instruction: Instruction) -> Option<()> {
        let operation = binary(instruction.mnemonic)?;
        // Those that take smaller ones too are not among them.
        if instruction.field(22, 2) != 3 {
            return None;
        }
        let left = low_half(self.left(instruction));
        let right = low_half(self.right(instruction));
        self.set_scalar(instruction, operation(left, right, 64));
        Some(())
    }

    /// Vectors of elements and of ones twice as wide.
    fn different(&mut self, instruction: Instruction) -> Option<()> {
        let size = Some(element_size(instruction)).filter(|size| *size < 64)?;
        let (name, upper) = match instruction.mnemonic.strip_suffix('2') {
            Some(name) => (name, true),
            None => (instruction.mnemonic, false),
        };
        let wide = size * 2;
        let count = 64 / size;
        let (left, right) = (self.left(instruction), self.right(instruction));
        let half = |vector: u128| if upper { vector >> 64 } else { vector };
        let is_signed = name.starts_with('s');
        let extended = move |value| if is_signed { sign_extended(value, size) } else { value };
        let narrow_right = elements(half(right), size, count).map(extended);
        if matches!(name, "addhn" | "subhn") {
            let both = elements(left, wide, count).zip(elements(right, wide, count));
            let sums = both.map(|(left, right)| match name {
                "addhn" => left.wrapping_add(right),
                _ => left.wrapping_sub(right),
            });
            let value = joined(size, sums.map(|sum| sum >> size));
            self.set_half(instruction, value, upper);
            return Some(());
        }
        let operation: fn(u64, u64) -> u64 = match name {
            "saddl" | "uaddl" | "saddw" | "uaddw" => u64::wrapping_add,
            "ssubl" | "usubl" | "ssubw" | "usubw" => u64::wrapping_sub,
            // Products of 32 bits each fit.
            "smull" | "umull" | "smlal" | "umlal" | "smlsl" | "umlsl" => u64::wrapping_mul,
            _ => return None,
        };
        let value = if name.ends_with('w') {
            let both = elements(left, wide, count).zip(narrow_right);
            joined(wide, both.map(|(left, right)| operation(left, right)))
        } else {
            let both = elements(half(left), size, count).map(extended).zip(narrow_right);
            let results = both.map(|(left, right)| operation(left, right));
            let sums = elements(self.vectors[instruction.rd()], wide, count).zip(results);
            match name {
                "smlal" | "umlal" => joined(wide, sums.map(|(sum, value)| sum.wrapping_add(value))),
                "smlsl" | "umlsl" => joined(wide, sums.map(|(sum, value)| sum.wrapping_sub(value))),
                _ => joined(wide, sums.map(|(_, value)| value)),
            }
        };
        self.vectors[instruction.rd()] = value;
        Some(())
    }

    /// One vector.
    fn miscellaneous(&mut self, instruction: Instruction) -> Option<()> {
        // FEAT_FP16 has forms of its own in this class.
        if instruction.field(17, 5) != 0b1_0000 {
            return None;
        }
        let size = element_size(instruction);
        let source = self.left(instruction);
        let name = instruction.mnemonic;
        if matches!(name, "xtn" | "xtn2") {
            if size == 64 {
                return None;
            }
            let value = joined(size, elements(source, size * 2, 64 / size));
            self.set_half(instruction, value, name == "xtn2");
            return Some(());
        }
        if matches!(name, "shll" | "shll2") {
            if size == 64 {
                return None;
            }
            let source = if name == "shll2" { source >> 64 } else { source };
            let wide = elements(source, size, 64 / size).map(|value| value << size);
            self.vectors[instruction.rd()] = joined(size * 2, wide);
            return Some(());
        }
        let count = shape(instruction, size)?;
        let value = match name {
            "rev64" | "rev32" | "rev16" => {
                let container = match name {
                    "rev64" => 64,
                    "rev32" => 32,
                    _ => 16,
                };
                if size >= container {
                    return None;
                }
                let last = container / size - 1;
                joined(size, (0..count).map(|index| element(source, size, index ^ last)))
            }
            "saddlp" | "uaddlp" if size < 64 => {
                let extended = |index| {
                    let value = element(source, size, index);
                    if name == "saddlp" { sign_extended(value, size) } else { value }
                };
                let sums = (0..count / 2)
                    .map(|index| extended(index * 2).wrapping_add(extended(index * 2 + 1)));
                joined(size * 2, sums)
            }
            // The field that else is the size tells these two apart.
            "not" => !source,
            "rbit" => joined(8, elements(source, 8, 16).map(|byte| byte.reverse_bits() >> 56)),
            "cnt" if size > 8 => return None,
            "clz" | "cls" if size == 64 => return None,
            _ => {
                let operation = unary(name)?;
                joined(size, elements(source, size, count).map(|value| operation(value, size)))
            }
        };
        self.set_vector(instruction, value);
        Some(())
    }

    fn scalar_miscellaneous(&mut self, instruction: Instruction) -> Option<()> {
        if instruction.field(17, 5) != 0b1_0000 || instruction.field(22, 2) != 3 {
            return None;
        }
        let operation = match instruction.mnemonic {
            name @ ("abs" | "neg" | "cmeq" | "cmge" | "cmgt" | "cmle" | "cmlt") => unary(name)?,
            _ => return None,
        };
        let value = operation(low_half(self.left(instruction)), 64);
        self.set_scalar(instruction, value);
        Some(())
    }

    /// A vector whose elements are shifted by a number in the instruction.
    fn shift(&mut self, instruction: Instruction) -> Option<()> {
        let (size, number) = shift_operands(instruction)?;
        let source = self.left(instruction);
        match instruction.mnemonic {
            name @ ("sshll" | "sshll2" | "ushll" | "ushll2") => {
                if size == 64 {
                    return None;
                }
                let half = if name.ends_with('2') { source >> 64 } else { source };
                let wide = elements(half, size, 64 / size).map(|value| {
                    let value =
                        if name.starts_with('s') { sign_extended(value, size) } else { value };
                    value << (number - size)
                });
                self.vectors[instruction.rd()] = joined(size * 2, wide);
            }
            name @ ("shrn" | "shrn2" | "rshrn" | "rshrn2") => {
                if size == 64 {
                    return None;
                }
                let amount = size * 2 - number;
                let rounding = if name.starts_with('r') { 1 << (amount - 1) } else { 0 };
                let narrow = elements(source, size * 2, 64 / size)
                    .map(|value| (u128::from(value) + rounding) >> amount)
                    .map(low_half);
                self.set_half(instruction, joined(size, narrow), name.ends_with('2'));
            }
            name => {
                let count = shape(instruction, size)?;
                let before = elements(self.vectors[instruction.rd()], size, count);
                let both = before.zip(elements(source, size, count));
                let mut results = Vec::new();
                for (before, value) in both {
                    results.push(shifted(name, before, value, size, number)?);
                }
                self.set_vector(instruction, joined(size, results.into_iter()));
            }
        }
        Some(())
    }

    fn scalar_shift(&mut self, instruction: Instruction) -> Option<()> {
        let (size, number) = shift_operands(instruction).filter(|(size, _)| *size == 64)?;
        let before = low_half(self.vectors[instruction.rd()]);
        let value = low_half(self.left(instruction));
        let value = shifted(instruction.mnemonic, before, value, size, number)?;
        self.set_scalar(instruction, value);
        Some(())
    }

    /// All elements of a vector, brought down to one.
    fn across(&mut self, instruction: Instruction) -> Option<()> {
        let size = element_size(instruction);
        let count = shape(instruction, size).filter(|count| size < 64 && *count > 2)?;
        let source = self.left(instruction);
        let values = elements(source, size, count);
        let signed = |value| sign_extended(value, size);
        let value = match instruction.mnemonic {
            "addv" => values.fold(0, u64::wrapping_add) & mask(size),
            "uaddlv" => values.sum(),
            "saddlv" => values.map(signed).fold(0, u64::wrapping_add) & mask(size * 2),
            "umaxv" => values.max()?,
            "uminv" => values.min()?,
            "smaxv" => values.max_by_key(|value| signed(*value).cast_signed())?,
            "sminv" => values.min_by_key(|value| signed(*value).cast_signed())?,
            _ => return None,
        };
        self.set_scalar(instruction, value);
        Some(())
    }

    fn scalar_pair(&mut self, instruction: Instruction) -> Option<()> {
        if instruction.mnemonic != "addp" || instruction.field(22, 2) != 3 {
            return None;
        }
        let source = self.left(instruction);
        self.set_scalar(instruction, low_half(source).wrapping_add(low_half(source >> 64)));
        Some(())
    }

    pub(super) fn left(&self, instruction: Instruction) -> u128 {
        self.vectors[instruction.rn()]
    }

    pub(super) fn right(&self, instruction: Instruction) -> u128 {
        self.vectors[instruction.rm()]
    }

    /// Writes 128 bits, or the lower 64 and clears the rest, as the instruction says.
    pub(super) fn set_vector(&mut self, instruction: Instruction, value: u128) {
        let value = if instruction.bit(30) { value } else { value & u128::from(u64::MAX) };
        self.vectors[instruction.rd()] = value;
    }

    /// Writes the upper half, or the lower one and clears the rest.
    fn set_half(&mut self, instruction: Instruction, value: u128, upper: bool) {
        let before = self.vectors[instruction.rd()];
        self.vectors[instruction.rd()] = if upper {
            before & u128::from(u64::MAX) | value << 64
        } else {
            value & u128::from(u64::MAX)
        };
    }

    pub(super) fn set_scalar(&mut self, instruction: Instruction, value: u64) {
        self.vectors[instruction.rd()] = u128::from(value);
    }
}

/// The size of an element, as most classes tell it.
pub(super) fn element_size(instruction: Instruction) -> u32 {
    8 << instruction.field(22, 2)
}

/// How many elements there are; `None` for a single one of 64 bits, which is reserved.
pub(super) fn shape(instruction: Instruction, size: u32) -> Option<u32> {
    match (instruction.bit(30), size) {
        (false, 64) => None,
        (false, size) => Some(64 / size),
        (true, size) => Some(128 / size),
    }
}

pub(super) fn element(vector: u128, size: u32, index: u32) -> u64 {
    low_half(vector >> (size * index)) & mask(size)
}

pub(super) fn elements(vector: u128, size: u32, count: u32) -> impl Iterator<Item = u64> {
    (0..count).map(move |index| element(vector, size, index))
}

/// A vector of the lowest bits of each value.
pub(super) fn joined(size: u32, values: impl Iterator<Item = u64>) -> u128 {
    values
        .zip(0..128 / size)
        .fold(0, |all, (value, index)| all | u128::from(value & mask(size)) << (size * index))
}

/// Operations on elements of any size.
fn binary(mnemonic: &str) -> Option<Binary> {
    Some(match mnemonic {
        "add" => |left, right, _| left.wrapping_add(right),
        "sub" => |left, right, _| left.wrapping_sub(right),
        "cmeq" => |left, right, _| all_ones(left == right),
        "cmtst" => |left, right, _| all_ones(left & right != 0),
        "cmhi" => |left, right, _| all_ones(left > right),
        "cmhs" => |left, right, _| all_ones(left >= right),
        "cmgt" => |left, right, size| all_ones(signed(left, size) > signed(right, size)),
        "cmge" => |left, right, size| all_ones(signed(left, size) >= signed(right, size)),
        "ushl" => |value, by, size| shifted_by_register(value, by, size, false),
        "sshl" => |value, by, size| shifted_by_register(value, by, size, true),
        _ => return None,
    })
}

/// Operations on elements of at most 32 bits.
fn binary_narrow(mnemonic: &str) -> Option<Binary> {
    Some(match mnemonic {
        "mul" => |left, right, _| left.wrapping_mul(right),
        "smax" => |left, right, size| larger(left, right, size, true),
        "umax" => |left, right, size| larger(left, right, size, false),
        "smin" => |left, right, size| smaller(left, right, size, true),
        "umin" => |left, right, size| smaller(left, right, size, false),
        "uabd" => |left, right, _| left.abs_diff(right),
        "sabd" => |left, right, size| signed(left, size).abs_diff(signed(right, size)),
        "uhadd" => |left, right, _| (left + right) >> 1,
        "urhadd" => |left, right, _| (left + right + 1) >> 1,
        _ => return None,
    })
}

fn unary(mnemonic: &str) -> Option<Unary> {
    Some(match mnemonic {
        "neg" => |value, _| value.wrapping_neg(),
        "abs" => |value, size| signed(value, size).unsigned_abs(),
        "cmeq" => |value, _| all_ones(value == 0),
        "cmge" => |value, size| all_ones(signed(value, size) >= 0),
        "cmgt" => |value, size| all_ones(signed(value, size) > 0),
        "cmle" => |value, size| all_ones(signed(value, size) <= 0),
        "cmlt" => |value, size| all_ones(signed(value, size) < 0),
        "cnt" => |value, _| u64::from(value.count_ones()),
        "clz" => |value, size| u64::from(value.leading_zeros() - (64 - size)),
        "cls" => |value, size| {
            let value = sign_extended(value, size);
            let same = value ^ (value.cast_signed() >> 63).cast_unsigned();
            u64::from(same.leading_zeros() - (64 - size) - 1)
        },
        _ => return None,
    })
}

fn signed(value: u64, size: u32) -> i64 {
    sign_extended(value, size).cast_signed()
}

fn all_ones(condition: bool) -> u64 {
    if condition { u64::MAX } else { 0 }
}

fn larger(left: u64, right: u64, size: u32, is_signed: bool) -> u64 {
    let left_is = if is_signed { signed(left, size) > signed(right, size) } else { left > right };
    if left_is { left } else { right }
}

fn smaller(left: u64, right: u64, size: u32, is_signed: bool) -> u64 {
    if larger(left, right, size, is_signed) == left { right } else { left }
}

fn accumulated(sum: u64, left: u64, right: u64, subtracts: bool) -> u64 {
    let product = left.wrapping_mul(right);
    if subtracts { sum.wrapping_sub(product) } else { sum.wrapping_add(product) }
}

/// Shifts left by the lowest byte of `by`, a number with a sign; by a negative one to the right.
fn shifted_by_register(value: u64, by: u64, size: u32, is_signed: bool) -> u64 {
    let amount = signed(by & 0xff, 8);
    let distance = u32::try_from(amount.unsigned_abs()).unwrap_or(u32::MAX);
    if amount >= 0 {
        value.checked_shl(distance).unwrap_or(0)
    } else if is_signed {
        (signed(value, size) >> distance.min(63)).cast_unsigned()
    } else {
        value.checked_shr(distance).unwrap_or(0)
    }
}

/// The size that `immh` tells by its highest bit, and the number that `immh` and `immb` make.
fn shift_operands(instruction: Instruction) -> Option<(u32, u32)> {
    let highest = instruction.field(19, 4).checked_ilog2()?;
    Some((8 << highest, instruction.field(16, 7)))
}

/// One element after a shift that keeps its size. The number is the size plus the distance to the
/// left, or twice the size less the distance to the right.
fn shifted(name: &str, before: u64, value: u64, size: u32, number: u32) -> Option<u64> {
    let right = size * 2 - number;
    let shifted_right = |is_signed: bool| {
        let value = if is_signed { signed(value, size).cast_unsigned() } else { value };
        let value = if is_signed { i128::from(value.cast_signed()) } else { i128::from(value) };
        low_half((value >> right).cast_unsigned())
    };
    Some(match name {
        "shl" => value << (number - size),
        "sli" => value << (number - size) | before & mask(number - size),
        "sri" => shifted_right(false) | before & !mask(size - right),
        "ushr" => shifted_right(false),
        "sshr" => shifted_right(true),
        "usra" => before.wrapping_add(shifted_right(false)),
        "ssra" => before.wrapping_add(shifted_right(true)),
        _ => return None,
    })
}
