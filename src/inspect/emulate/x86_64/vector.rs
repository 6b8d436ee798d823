//! Instructions on vector registers: the moves that compilers emit to copy and clear structures, and
//! the integer operations met beside them.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::{Cpu, Stop, mask};

/// A vector register, lowest word first.
type Vector = [u64; 4];

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on vector registers; `false` where it is none that is known.
    #[expect(clippy::too_many_lines, reason = "one arm for each instruction")]
    pub(super) fn vector(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Vzeroupper => {
                for vector in &mut self.vectors {
                    vector[2..].fill(0);
                }
            }
            Mnemonic::Movaps
            | Mnemonic::Movups
            | Mnemonic::Movapd
            | Mnemonic::Movupd
            | Mnemonic::Movdqa
            | Mnemonic::Movdqu
            | Mnemonic::Lddqu
            | Mnemonic::Movntdq
            | Mnemonic::Vmovaps
            | Mnemonic::Vmovups
            | Mnemonic::Vmovapd
            | Mnemonic::Vmovupd
            | Mnemonic::Vmovdqa
            | Mnemonic::Vmovdqu
                if instruction.op_count() == 2 =>
            {
                let value = self.source(instruction, 1)?;
                self.target(instruction, value)?;
            }
            // The lowest word, the rest cleared where it goes to a vector register.
            Mnemonic::Movq | Mnemonic::Vmovq | Mnemonic::Movd | Mnemonic::Vmovd => {
                let size = match instruction.mnemonic() {
                    Mnemonic::Movd | Mnemonic::Vmovd => 4,
                    _ => 8,
                };
                let value = self.low(instruction, 1, size)? & mask(size);
                self.set_low(instruction, value, size)?;
            }
            Mnemonic::Movss | Mnemonic::Movsd if instruction.op_count() == 2 => {
                let size = if instruction.mnemonic() == Mnemonic::Movss { 4 } else { 8 };
                let value = self.low(instruction, 1, size)? & mask(size);
                let between_registers = instruction.op0_kind() == OpKind::Register
                    && instruction.op1_kind() == OpKind::Register;
                if between_registers {
                    let number = vector_number(instruction.op0_register());
                    let word = &mut self.vectors[number][0];
                    *word = *word & !mask(size) | value;
                } else {
                    self.set_low(instruction, value, size)?;
                }
            }
            Mnemonic::Movhps | Mnemonic::Movhpd => match instruction.op0_kind() {
                OpKind::Register => {
                    let address = self.address(instruction)?;
                    let value = self.load(address, 8)?;
                    self.vectors[vector_number(instruction.op0_register())][1] = value;
                }
                _ => {
                    let value = self.vectors[vector_number(instruction.op1_register())][1];
                    let address = self.address(instruction)?;
                    self.store(address, 8, value)?;
                }
            },
            Mnemonic::Movlps | Mnemonic::Movlpd => match instruction.op0_kind() {
                OpKind::Register => {
                    let address = self.address(instruction)?;
                    let value = self.load(address, 8)?;
                    self.vectors[vector_number(instruction.op0_register())][0] = value;
                }
                _ => {
                    let value = self.vectors[vector_number(instruction.op1_register())][0];
                    let address = self.address(instruction)?;
                    self.store(address, 8, value)?;
                }
            },
            Mnemonic::Pinsrq => {
                let value = self.read(instruction, 1)?;
                let lane = instruction.immediate(2) & 1;
                self.vectors[vector_number(instruction.op0_register())][usize::from(lane == 1)] =
                    value;
            }
            Mnemonic::Vpinsrq => {
                let mut vector = self.source(instruction, 1)?;
                let value = self.read(instruction, 2)?;
                vector[usize::from(instruction.immediate(3) & 1 == 1)] = value;
                vector[2..].fill(0);
                self.target(instruction, vector)?;
            }
            Mnemonic::Vinserti128 | Mnemonic::Vinsertf128 => {
                let mut vector = self.source(instruction, 1)?;
                let part = self.source(instruction, 2)?;
                let lane = usize::from(instruction.immediate(3) & 1 == 1) * 2;
                vector[lane..lane + 2].copy_from_slice(&part[..2]);
                self.target(instruction, vector)?;
            }
            Mnemonic::Pshufd => {
                let source = self.source(instruction, 1)?;
                let order = instruction.immediate(2);
                let lane = |index: u64| {
                    let from = order >> (index * 2) & 3;
                    let word = source[usize::from(from >= 2)];
                    word >> (from % 2 * 32) & mask(4)
                };
                let low = lane(0) | lane(1) << 32;
                let high = lane(2) | lane(3) << 32;
                self.target(instruction, [low, high, 0, 0])?;
            }
            _ => return self.lanes(instruction),
        }
        Ok(true)
    }

    /// Operations that work on each word of two vectors alike.
    fn lanes(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let whole: fn(u64, u64) -> u64 = match instruction.mnemonic() {
            Mnemonic::Pxor
            | Mnemonic::Xorps
            | Mnemonic::Xorpd
            | Mnemonic::Vpxor
            | Mnemonic::Vxorps
            | Mnemonic::Vxorpd => |a, b| a ^ b,
            Mnemonic::Pand | Mnemonic::Andps | Mnemonic::Andpd | Mnemonic::Vpand => |a, b| a & b,
            Mnemonic::Pandn | Mnemonic::Andnps | Mnemonic::Andnpd => |a, b| !a & b,
            Mnemonic::Por | Mnemonic::Orps | Mnemonic::Orpd | Mnemonic::Vpor => |a, b| a | b,
            Mnemonic::Paddq | Mnemonic::Vpaddq => u64::wrapping_add,
            Mnemonic::Psubq => u64::wrapping_sub,
            Mnemonic::Paddd => |a, b| each(a, b, 32, u64::wrapping_add),
            Mnemonic::Psubd => |a, b| each(a, b, 32, u64::wrapping_sub),
            Mnemonic::Pcmpeqb => |a, b| each(a, b, 8, equal),
            Mnemonic::Pcmpeqd => |a, b| each(a, b, 32, equal),
            _ => return self.unpack(instruction),
        };
        let (left, right) = self.pair(instruction)?;
        let mut result = [0; 4];
        for (index, word) in result.iter_mut().enumerate() {
            *word = whole(left[index], right[index]);
        }
        self.target(instruction, result)?;
        Ok(true)
    }

    /// Operations that bring words of two vectors together.
    fn unpack(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let mnemonic = instruction.mnemonic();
        match mnemonic {
            Mnemonic::Pmovmskb => {
                let source = self.source(instruction, 1)?;
                let bytes = source[..2].iter().flat_map(|word| word.to_le_bytes());
                let bits = bytes.enumerate().map(|(at, byte)| u64::from(byte >> 7) << at);
                let value = bits.fold(0, |all, bit| all | bit);
                self.write(instruction, 0, value)?;
                return Ok(true);
            }
            Mnemonic::Movddup => {
                let word = self.low(instruction, 1, 8)?;
                self.target(instruction, [word, word, 0, 0])?;
                return Ok(true);
            }
            Mnemonic::Punpcklqdq
            | Mnemonic::Vpunpcklqdq
            | Mnemonic::Movlhps
            | Mnemonic::Unpcklpd
            | Mnemonic::Punpckhqdq
            | Mnemonic::Movhlps
            | Mnemonic::Punpckldq
            | Mnemonic::Unpcklps => {}
            _ => return Ok(false),
        }
        let (left, right) = self.pair(instruction)?;
        let interleaved = |a: u64, b: u64| a & mask(4) | (b & mask(4)) << 32;
        let result = match mnemonic {
            Mnemonic::Punpckhqdq => [left[1], right[1], 0, 0],
            Mnemonic::Movhlps => [right[1], left[1], 0, 0],
            Mnemonic::Punpckldq | Mnemonic::Unpcklps => {
                [interleaved(left[0], right[0]), interleaved(left[0] >> 32, right[0] >> 32), 0, 0]
            }
            _ => [left[0], right[0], 0, 0],
        };
        self.target(instruction, result)?;
        Ok(true)
    }

    /// The two vectors that an instruction works on: those of the older form, which overwrites its
    /// first operand, or of the newer one with three.
    fn pair(&mut self, instruction: &Instruction) -> Result<(Vector, Vector), Stop> {
        let first = u32::from(instruction.op_count() == 3);
        Ok((self.source(instruction, first)?, self.source(instruction, first + 1)?))
    }

    /// A vector operand, as wide as it is.
    pub(super) fn source(&mut self, instruction: &Instruction, index: u32) -> Result<Vector, Stop> {
        let mut vector = [0; 4];
        match instruction.op_kind(index) {
            OpKind::Register => {
                let register = instruction.op_register(index);
                let words = words_of(instruction, register)?;
                vector[..words].copy_from_slice(&self.vectors[vector_number(register)][..words]);
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                let size = instruction.memory_size().size().min(32);
                let mut bytes = [0; 32];
                self.process.memory.read_into(address, &mut bytes[..size])?;
                for (word, part) in vector.iter_mut().zip(bytes.chunks_exact(8)) {
                    *word = part.first_chunk().map_or(0, |part| u64::from_le_bytes(*part));
                }
            }
            _ => return Err(super::unsupported(instruction)),
        }
        Ok(vector)
    }

    /// Writes the first operand. The older instructions leave the upper half of the register, the
    /// newer ones clear it.
    pub(super) fn target(&mut self, instruction: &Instruction, value: Vector) -> Result<(), Stop> {
        match instruction.op0_kind() {
            OpKind::Register => {
                let register = instruction.op0_register();
                let words = words_of(instruction, register)?;
                let vector = &mut self.vectors[vector_number(register)];
                vector[..words].copy_from_slice(&value[..words]);
                if format!("{:?}", instruction.mnemonic()).starts_with('V') {
                    vector[words..].fill(0);
                }
                Ok(())
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                let size = instruction.memory_size().size().min(32);
                let bytes: Vec<u8> = value.iter().flat_map(|word| word.to_le_bytes()).collect();
                Ok(self.process.memory.write(address, &bytes[..size])?)
            }
            _ => Err(super::unsupported(instruction)),
        }
    }

    /// The lowest word of an operand of any kind.
    pub(super) fn low(
        &mut self,
        instruction: &Instruction,
        index: u32,
        size: usize,
    ) -> Result<u64, Stop> {
        match instruction.op_kind(index) {
            OpKind::Register if instruction.op_register(index).is_vector_register() => {
                Ok(self.vectors[vector_number(instruction.op_register(index))][0])
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                self.load(address, size)
            }
            _ => self.read(instruction, index),
        }
    }

    /// Writes the lowest word of the first operand and clears the rest of a vector register.
    pub(super) fn set_low(
        &mut self,
        instruction: &Instruction,
        value: u64,
        size: usize,
    ) -> Result<(), Stop> {
        match instruction.op0_kind() {
            OpKind::Register if instruction.op0_register().is_vector_register() => {
                let keeps_upper = !format!("{:?}", instruction.mnemonic()).starts_with('V');
                let vector = &mut self.vectors[vector_number(instruction.op0_register())];
                vector[..2].copy_from_slice(&[value, 0]);
                if !keeps_upper {
                    vector[2..].fill(0);
                }
                Ok(())
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                self.store(address, size, value)
            }
            _ => self.write(instruction, 0, value),
        }
    }
}

pub(super) fn vector_number(register: Register) -> usize {
    register.number() & 15
}

/// How many 64-bit words a vector register has. 512-bit registers and those beyond the sixteenth
/// are not followed.
fn words_of(instruction: &Instruction, register: Register) -> Result<usize, Stop> {
    match register.size() {
        size @ (16 | 32) if register.is_vector_register() && register.number() < 16 => Ok(size / 8),
        _ => Err(super::unsupported(instruction)),
    }
}

/// Applies an operation to each part of `bits` bits.
fn each(left: u64, right: u64, bits: u32, operation: fn(u64, u64) -> u64) -> u64 {
    let part = (1 << bits) - 1;
    (0..64 / bits)
        .map(|index| index * bits)
        .map(|at| (operation(left >> at & part, right >> at & part) & part) << at)
        .fold(0, |all, value| all | value)
}

fn equal(left: u64, right: u64) -> u64 {
    if left == right { u64::MAX } else { 0 }
}
