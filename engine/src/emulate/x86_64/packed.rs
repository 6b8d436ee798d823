//! Integers in vector registers: operations that work on each part of two vectors alike, and
//! comparisons and shifts of them.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part keeps the low bits of what is computed"
)]

use iced_x86::{Instruction, Mnemonic, OpKind};

use super::float::horizontal;
use super::vector::{Vector, each_of, from_lanes, lane};
use super::{Cpu, Flags, Stop, mask};

/// What an operation makes of two parts.
type Operation = fn(u64, u64) -> u64;

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on packed integers; `false` where it is none that is known.
    pub(super) fn packed(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let mnemonic = instruction.mnemonic();
        if let Some(operation) = bitwise(mnemonic) {
            let (left, right) = self.pair(instruction)?;
            let mut result = left;
            for (word, right) in result.iter_mut().zip(right) {
                *word = operation(*word, right);
            }
            self.target(instruction, result)?;
        } else if let Some((bits, operation)) =
            arithmetic(mnemonic).or_else(|| products(mnemonic)).or_else(|| comparison(mnemonic))
        {
            let (left, right) = self.pair(instruction)?;
            self.target(instruction, each_of(bits, &left, &right, operation))?;
        } else if let Some((bits, operation)) = joining(mnemonic) {
            let (left, right) = self.pair(instruction)?;
            self.target(instruction, horizontal(bits, &left, &right, operation))?;
        } else if let Some((bits, operation)) = shift(mnemonic) {
            self.shift_lanes(instruction, bits, operation)?;
        } else {
            return self.other_packed(instruction);
        }
        Ok(true)
    }

    /// Shifts each part by the same count: an immediate, or the lowest word of a vector.
    fn shift_lanes(
        &mut self,
        instruction: &Instruction,
        bits: usize,
        operation: Operation,
    ) -> Result<(), Stop> {
        let last = instruction.op_count().saturating_sub(1);
        let count = match instruction.op_kind(last) {
            OpKind::Immediate8 => instruction.immediate(last),
            _ => lane(&self.source(instruction, last)?, 64, 0),
        };
        let vector = self.source(instruction, Self::first(instruction))?;
        let result = from_lanes(bits, |index| operation(lane(&vector, bits, index), count));
        self.target(instruction, result)
    }

    fn other_packed(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let magnitude = |bits: usize| match bits {
            8 => (|value| u64::from((value as i8).unsigned_abs())) as fn(u64) -> u64,
            16 => |value| u64::from((value as i16).unsigned_abs()),
            _ => |value| u64::from((value as i32).unsigned_abs()),
        };
        let bits = match instruction.mnemonic() {
            Mnemonic::Pabsb | Mnemonic::Vpabsb => 8,
            Mnemonic::Pabsw | Mnemonic::Vpabsw => 16,
            Mnemonic::Pabsd | Mnemonic::Vpabsd => 32,
            Mnemonic::Ptest | Mnemonic::Vptest => {
                let (left, right) = (self.source(instruction, 0)?, self.source(instruction, 1)?);
                self.test_vectors(&left, &right, u64::MAX);
                return Ok(true);
            }
            Mnemonic::Vtestps | Mnemonic::Vtestpd => {
                let (left, right) = (self.source(instruction, 0)?, self.source(instruction, 1)?);
                let signs = match instruction.mnemonic() {
                    Mnemonic::Vtestps => 0x8000_0000_8000_0000,
                    _ => 1 << 63,
                };
                self.test_vectors(&left, &right, signs);
                return Ok(true);
            }
            Mnemonic::Psadbw | Mnemonic::Vpsadbw => {
                let (left, right) = self.pair(instruction)?;
                let result = each_of(64, &left, &right, differences);
                self.target(instruction, result)?;
                return Ok(true);
            }
            Mnemonic::Pmovmskb | Mnemonic::Vpmovmskb => {
                self.signs(instruction, 8)?;
                return Ok(true);
            }
            Mnemonic::Movmskps | Mnemonic::Vmovmskps => {
                self.signs(instruction, 32)?;
                return Ok(true);
            }
            Mnemonic::Movmskpd | Mnemonic::Vmovmskpd => {
                self.signs(instruction, 64)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let source = self.source(instruction, 1)?;
        let operation = magnitude(bits);
        let result = from_lanes(bits, |index| operation(lane(&source, bits, index)));
        self.target(instruction, result)?;
        Ok(true)
    }

    fn test_vectors(&mut self, left: &Vector, right: &Vector, bits: u64) {
        let none = |keep: fn(u64, u64) -> u64| {
            left.iter().zip(right).all(|(left, right)| keep(*left, *right) & bits == 0)
        };
        self.flags = Flags {
            zero: none(|left, right| left & right),
            carry: none(|left, right| !left & right),
            sign: false,
            overflow: false,
            parity: false,
            adjust: false,
        };
    }

    /// Gathers the highest bit of each part.
    fn signs(&mut self, instruction: &Instruction, bits: usize) -> Result<(), Stop> {
        let source = self.source(instruction, 1)?;
        let value = (0..256 / bits)
            .map(|index| (lane(&source, bits, index) >> (bits - 1)) << index)
            .fold(0, |all, bit| all | bit);
        self.write(instruction, 0, value)
    }
}

fn bitwise(mnemonic: Mnemonic) -> Option<Operation> {
    Some(match mnemonic {
        Mnemonic::Pxor
        | Mnemonic::Xorps
        | Mnemonic::Xorpd
        | Mnemonic::Vpxor
        | Mnemonic::Vxorps
        | Mnemonic::Vxorpd => |a, b| a ^ b,
        Mnemonic::Pand
        | Mnemonic::Andps
        | Mnemonic::Andpd
        | Mnemonic::Vpand
        | Mnemonic::Vandps
        | Mnemonic::Vandpd => |a, b| a & b,
        Mnemonic::Pandn
        | Mnemonic::Andnps
        | Mnemonic::Andnpd
        | Mnemonic::Vpandn
        | Mnemonic::Vandnps
        | Mnemonic::Vandnpd => |a, b| !a & b,
        Mnemonic::Por
        | Mnemonic::Orps
        | Mnemonic::Orpd
        | Mnemonic::Vpor
        | Mnemonic::Vorps
        | Mnemonic::Vorpd => |a, b| a | b,
        _ => return None,
    })
}

fn arithmetic(mnemonic: Mnemonic) -> Option<(usize, Operation)> {
    let operation: Operation = match mnemonic {
        Mnemonic::Paddb
        | Mnemonic::Vpaddb
        | Mnemonic::Paddw
        | Mnemonic::Vpaddw
        | Mnemonic::Paddd
        | Mnemonic::Vpaddd
        | Mnemonic::Paddq
        | Mnemonic::Vpaddq => u64::wrapping_add,
        Mnemonic::Psubb
        | Mnemonic::Vpsubb
        | Mnemonic::Psubw
        | Mnemonic::Vpsubw
        | Mnemonic::Psubd
        | Mnemonic::Vpsubd
        | Mnemonic::Psubq
        | Mnemonic::Vpsubq => u64::wrapping_sub,
        Mnemonic::Paddsb | Mnemonic::Vpaddsb => {
            |a, b| (a as i8).saturating_add(b as i8).cast_unsigned().into()
        }
        Mnemonic::Paddsw | Mnemonic::Vpaddsw => {
            |a, b| (a as i16).saturating_add(b as i16).cast_unsigned().into()
        }
        Mnemonic::Psubsb | Mnemonic::Vpsubsb => {
            |a, b| (a as i8).saturating_sub(b as i8).cast_unsigned().into()
        }
        Mnemonic::Psubsw | Mnemonic::Vpsubsw => {
            |a, b| (a as i16).saturating_sub(b as i16).cast_unsigned().into()
        }
        Mnemonic::Paddusb | Mnemonic::Vpaddusb => |a, b| (a + b).min(0xff),
        Mnemonic::Paddusw | Mnemonic::Vpaddusw => |a, b| (a + b).min(0xffff),
        Mnemonic::Psubusb | Mnemonic::Vpsubusb | Mnemonic::Psubusw | Mnemonic::Vpsubusw => {
            u64::saturating_sub
        }
        Mnemonic::Pavgb | Mnemonic::Vpavgb | Mnemonic::Pavgw | Mnemonic::Vpavgw => {
            |a, b| (a + b + 1) >> 1
        }
        Mnemonic::Pminub
        | Mnemonic::Vpminub
        | Mnemonic::Pminuw
        | Mnemonic::Vpminuw
        | Mnemonic::Pminud
        | Mnemonic::Vpminud => u64::min,
        Mnemonic::Pmaxub
        | Mnemonic::Vpmaxub
        | Mnemonic::Pmaxuw
        | Mnemonic::Vpmaxuw
        | Mnemonic::Pmaxud
        | Mnemonic::Vpmaxud => u64::max,
        Mnemonic::Pminsb | Mnemonic::Vpminsb => |a, b| if (a as i8) < b as i8 { a } else { b },
        Mnemonic::Pminsw | Mnemonic::Vpminsw => |a, b| if (a as i16) < b as i16 { a } else { b },
        Mnemonic::Pminsd | Mnemonic::Vpminsd => |a, b| if (a as i32) < b as i32 { a } else { b },
        Mnemonic::Pmaxsb | Mnemonic::Vpmaxsb => |a, b| if a as i8 > b as i8 { a } else { b },
        Mnemonic::Pmaxsw | Mnemonic::Vpmaxsw => |a, b| if a as i16 > b as i16 { a } else { b },
        Mnemonic::Pmaxsd | Mnemonic::Vpmaxsd => |a, b| if a as i32 > b as i32 { a } else { b },
        Mnemonic::Psignb | Mnemonic::Vpsignb => |a, b| signed_like(a, i64::from(b as i8)),
        Mnemonic::Psignw | Mnemonic::Vpsignw => |a, b| signed_like(a, i64::from(b as i16)),
        Mnemonic::Psignd | Mnemonic::Vpsignd => |a, b| signed_like(a, i64::from(b as i32)),
        Mnemonic::Vpsllvd | Mnemonic::Vpsllvq => {
            return Some(match mnemonic {
                Mnemonic::Vpsllvd => (32, |a, count| shifted_left(32, a, count)),
                _ => (64, |a, count| shifted_left(64, a, count)),
            });
        }
        Mnemonic::Vpsrlvd => return Some((32, |a, count| shifted_right(32, a, count))),
        Mnemonic::Vpsrlvq => return Some((64, |a, count| shifted_right(64, a, count))),
        Mnemonic::Vpsravd => return Some((32, |a, count| (a as i32 >> count.min(31)) as u64)),
        _ => return None,
    };
    Some((width(mnemonic), operation))
}

/// How wide the parts are that [`arithmetic`] works on, in bits.
fn width(mnemonic: Mnemonic) -> usize {
    match mnemonic {
        Mnemonic::Paddb
        | Mnemonic::Vpaddb
        | Mnemonic::Psubb
        | Mnemonic::Vpsubb
        | Mnemonic::Paddsb
        | Mnemonic::Vpaddsb
        | Mnemonic::Psubsb
        | Mnemonic::Vpsubsb
        | Mnemonic::Paddusb
        | Mnemonic::Vpaddusb
        | Mnemonic::Psubusb
        | Mnemonic::Vpsubusb
        | Mnemonic::Pavgb
        | Mnemonic::Vpavgb
        | Mnemonic::Pminub
        | Mnemonic::Vpminub
        | Mnemonic::Pmaxub
        | Mnemonic::Vpmaxub
        | Mnemonic::Pminsb
        | Mnemonic::Vpminsb
        | Mnemonic::Pmaxsb
        | Mnemonic::Vpmaxsb
        | Mnemonic::Psignb
        | Mnemonic::Vpsignb => 8,
        Mnemonic::Paddd
        | Mnemonic::Vpaddd
        | Mnemonic::Psubd
        | Mnemonic::Vpsubd
        | Mnemonic::Pminud
        | Mnemonic::Vpminud
        | Mnemonic::Pmaxud
        | Mnemonic::Vpmaxud
        | Mnemonic::Pminsd
        | Mnemonic::Vpminsd
        | Mnemonic::Pmaxsd
        | Mnemonic::Vpmaxsd
        | Mnemonic::Psignd
        | Mnemonic::Vpsignd => 32,
        Mnemonic::Paddq | Mnemonic::Vpaddq | Mnemonic::Psubq | Mnemonic::Vpsubq => 64,
        _ => 16,
    }
}

fn products(mnemonic: Mnemonic) -> Option<(usize, Operation)> {
    Some(match mnemonic {
        Mnemonic::Pmullw | Mnemonic::Vpmullw => (16, u64::wrapping_mul),
        Mnemonic::Pmulld | Mnemonic::Vpmulld => (32, u64::wrapping_mul),
        Mnemonic::Pmulhuw | Mnemonic::Vpmulhuw => (16, |a, b| (a * b) >> 16),
        Mnemonic::Pmulhw | Mnemonic::Vpmulhw => {
            (16, |a, b| ((i32::from(a as i16) * i32::from(b as i16)) >> 16) as u64)
        }
        Mnemonic::Pmulhrsw | Mnemonic::Vpmulhrsw => (16, |a, b| {
            let product = i32::from(a as i16) * i32::from(b as i16);
            (((product >> 14) + 1) >> 1) as u64
        }),
        Mnemonic::Pmuludq | Mnemonic::Vpmuludq => (64, |a, b| (a & mask(4)) * (b & mask(4))),
        Mnemonic::Pmuldq | Mnemonic::Vpmuldq => {
            (64, |a, b| (i64::from(a as i32) * i64::from(b as i32)).cast_unsigned())
        }
        Mnemonic::Pmaddwd | Mnemonic::Vpmaddwd => (32, |a, b| {
            let part = |shift: u32| {
                i32::from((a >> shift) as i16).wrapping_mul(i32::from((b >> shift) as i16))
            };
            u64::from(part(0).wrapping_add(part(16)).cast_unsigned())
        }),
        // Unsigned bytes by signed ones.
        Mnemonic::Pmaddubsw | Mnemonic::Vpmaddubsw => (16, |a, b| {
            let part = |shift: u32| i32::from((a >> shift) as u8) * i32::from((b >> shift) as i8);
            (part(0) + part(8)).clamp(i16::MIN.into(), i16::MAX.into()) as u64
        }),
        _ => return None,
    })
}

fn comparison(mnemonic: Mnemonic) -> Option<(usize, Operation)> {
    Some(match mnemonic {
        Mnemonic::Pcmpeqb | Mnemonic::Vpcmpeqb => (8, |a, b| all_ones(a == b)),
        Mnemonic::Pcmpeqw | Mnemonic::Vpcmpeqw => (16, |a, b| all_ones(a == b)),
        Mnemonic::Pcmpeqd | Mnemonic::Vpcmpeqd => (32, |a, b| all_ones(a == b)),
        Mnemonic::Pcmpeqq | Mnemonic::Vpcmpeqq => (64, |a, b| all_ones(a == b)),
        Mnemonic::Pcmpgtb | Mnemonic::Vpcmpgtb => (8, |a, b| all_ones(a as i8 > b as i8)),
        Mnemonic::Pcmpgtw | Mnemonic::Vpcmpgtw => (16, |a, b| all_ones(a as i16 > b as i16)),
        Mnemonic::Pcmpgtd | Mnemonic::Vpcmpgtd => (32, |a, b| all_ones(a as i32 > b as i32)),
        Mnemonic::Pcmpgtq | Mnemonic::Vpcmpgtq => {
            (64, |a, b| all_ones(a.cast_signed() > b.cast_signed()))
        }
        _ => return None,
    })
}

/// Operations on neighbours.
fn joining(mnemonic: Mnemonic) -> Option<(usize, Operation)> {
    Some(match mnemonic {
        Mnemonic::Phaddw | Mnemonic::Vphaddw => (16, u64::wrapping_add),
        Mnemonic::Phaddd | Mnemonic::Vphaddd => (32, u64::wrapping_add),
        Mnemonic::Phsubw | Mnemonic::Vphsubw => (16, u64::wrapping_sub),
        Mnemonic::Phsubd | Mnemonic::Vphsubd => (32, u64::wrapping_sub),
        Mnemonic::Phaddsw | Mnemonic::Vphaddsw => {
            (16, |a, b| (a as i16).saturating_add(b as i16) as u64)
        }
        Mnemonic::Phsubsw | Mnemonic::Vphsubsw => {
            (16, |a, b| (a as i16).saturating_sub(b as i16) as u64)
        }
        _ => return None,
    })
}

fn shift(mnemonic: Mnemonic) -> Option<(usize, Operation)> {
    Some(match mnemonic {
        Mnemonic::Psllw | Mnemonic::Vpsllw => (16, |a, count| shifted_left(16, a, count)),
        Mnemonic::Pslld | Mnemonic::Vpslld => (32, |a, count| shifted_left(32, a, count)),
        Mnemonic::Psllq | Mnemonic::Vpsllq => (64, |a, count| shifted_left(64, a, count)),
        Mnemonic::Psrlw | Mnemonic::Vpsrlw => (16, |a, count| shifted_right(16, a, count)),
        Mnemonic::Psrld | Mnemonic::Vpsrld => (32, |a, count| shifted_right(32, a, count)),
        Mnemonic::Psrlq | Mnemonic::Vpsrlq => (64, |a, count| shifted_right(64, a, count)),
        Mnemonic::Psraw | Mnemonic::Vpsraw => (16, |a, count| (a as i16 >> count.min(15)) as u64),
        Mnemonic::Psrad | Mnemonic::Vpsrad => (32, |a, count| (a as i32 >> count.min(31)) as u64),
        _ => return None,
    })
}

fn all_ones(holds: bool) -> u64 {
    if holds { u64::MAX } else { 0 }
}

/// `value`, its negative, or zero, by the sign of another one.
fn signed_like(value: u64, sign: i64) -> u64 {
    match sign.signum() {
        -1 => value.wrapping_neg(),
        0 => 0,
        _ => value,
    }
}

/// Nothing is left of a part that is shifted by its width or more.
fn shifted_left(bits: u64, value: u64, count: u64) -> u64 {
    if count < bits { value << count } else { 0 }
}

fn shifted_right(bits: u64, value: u64, count: u64) -> u64 {
    if count < bits { value >> count } else { 0 }
}

/// The sum of the differences of eight bytes.
fn differences(left: u64, right: u64) -> u64 {
    let pairs = left.to_le_bytes().into_iter().zip(right.to_le_bytes());
    pairs.map(|(left, right)| u64::from(left.abs_diff(right))).sum()
}
