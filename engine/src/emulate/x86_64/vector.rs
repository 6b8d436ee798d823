//! Vector registers: how instructions reach them, and those that move whole vectors or their lowest
//! words.
//!
//! What is computed in them is in [`super::float`], [`super::packed`] and [`super::shuffle`]. Of
//! encodings, the old one and VEX are followed: 128 and 256 bits.

use iced_x86::{EncodingKind, Instruction, Mnemonic, OpKind, Register};

use super::{Cpu, Stop, mask, unsupported};

/// A vector register, lowest word first.
pub(super) type Vector = [u64; 4];

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction on vector registers; `false` where it is none that is known.
    pub(super) fn vector(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        if self.moves(instruction)? || self.packed(instruction)? || self.shuffle(instruction)? {
            return Ok(true);
        }
        let computes = self.float(instruction)?;
        self.has_computed |= computes;
        Ok(computes)
    }

    fn moves(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Vzeroupper => {
                for vector in &mut self.vectors {
                    vector[2..].fill(0);
                }
            }
            Mnemonic::Vzeroall => self.vectors.fill([0; 4]),
            Mnemonic::Movaps
            | Mnemonic::Movups
            | Mnemonic::Movapd
            | Mnemonic::Movupd
            | Mnemonic::Movdqa
            | Mnemonic::Movdqu
            | Mnemonic::Lddqu
            | Mnemonic::Movntdq
            | Mnemonic::Movntps
            | Mnemonic::Movntpd
            | Mnemonic::Movntdqa
            | Mnemonic::Vmovaps
            | Mnemonic::Vmovups
            | Mnemonic::Vmovapd
            | Mnemonic::Vmovupd
            | Mnemonic::Vmovdqa
            | Mnemonic::Vmovdqu
            | Mnemonic::Vlddqu
            | Mnemonic::Vmovntdq
            | Mnemonic::Vmovntps
            | Mnemonic::Vmovntpd
            | Mnemonic::Vmovntdqa => {
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
            Mnemonic::Movss | Mnemonic::Vmovss => self.move_scalar(instruction, 4)?,
            Mnemonic::Movsd | Mnemonic::Vmovsd => self.move_scalar(instruction, 8)?,
            Mnemonic::Movhps | Mnemonic::Movhpd | Mnemonic::Vmovhps | Mnemonic::Vmovhpd => {
                self.move_word(instruction, 1)?;
            }
            Mnemonic::Movlps | Mnemonic::Movlpd | Mnemonic::Vmovlps | Mnemonic::Vmovlpd => {
                self.move_word(instruction, 0)?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// The lowest number: between registers it leaves what lies above, from memory it clears that.
    fn move_scalar(&mut self, instruction: &Instruction, size: usize) -> Result<(), Stop> {
        let last = instruction.op_count().saturating_sub(1);
        let value = self.low(instruction, last, size)? & mask(size);
        let between_registers =
            (0..=last).all(|index| instruction.op_kind(index) == OpKind::Register);
        if !between_registers {
            return self.set_low(instruction, value, size);
        }
        let mut vector = self.source(instruction, Self::first(instruction))?;
        set_lane(&mut vector, size * 8, 0, value);
        self.target(instruction, vector)
    }

    /// One of the two lowest words, from or to memory.
    fn move_word(&mut self, instruction: &Instruction, place: usize) -> Result<(), Stop> {
        let address = self.address(instruction)?;
        if instruction.op0_kind() != OpKind::Register {
            let vector = self.source(instruction, 1)?;
            return self.store(address, 8, lane(&vector, 64, place));
        }
        let mut vector = self.source(instruction, Self::first(instruction))?;
        set_lane(&mut vector, 64, place, self.load(address, 8)?);
        self.target(instruction, vector)
    }

    /// Which operand is the first that is read, where an instruction reads two vectors: the old form
    /// overwrites its first, the new one has three.
    pub(super) fn first(instruction: &Instruction) -> u32 {
        u32::from(is_vex(instruction))
    }

    /// The two vectors that an instruction works on.
    pub(super) fn pair(&mut self, instruction: &Instruction) -> Result<(Vector, Vector), Stop> {
        let first = Self::first(instruction);
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
                let mut bytes = [0; 32];
                let part = bytes.get_mut(..width_in_memory(instruction)?);
                self.process.memory.read_into(address, part.unwrap_or_default())?;
                for (word, part) in vector.iter_mut().zip(bytes.chunks_exact(8)) {
                    *word = part.first_chunk().map_or(0, |part| u64::from_le_bytes(*part));
                }
            }
            _ => return Err(unsupported(instruction)),
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
                if is_vex(instruction) {
                    vector[words..].fill(0);
                }
                Ok(())
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                let mut bytes = [0; 32];
                for (part, word) in bytes.chunks_exact_mut(8).zip(value) {
                    part.copy_from_slice(&word.to_le_bytes());
                }
                let part = bytes.get(..width_in_memory(instruction)?).unwrap_or_default();
                Ok(self.process.memory.write(address, part)?)
            }
            _ => Err(unsupported(instruction)),
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
                let vector = &mut self.vectors[vector_number(instruction.op0_register())];
                vector[..2].copy_from_slice(&[value, 0]);
                if is_vex(instruction) {
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
        _ => Err(unsupported(instruction)),
    }
}

/// How many bytes of memory an operand takes: at most as many as a register has.
fn width_in_memory(instruction: &Instruction) -> Result<usize, Stop> {
    match instruction.memory_size().size() {
        size @ 1..=32 => Ok(size),
        _ => Err(unsupported(instruction)),
    }
}

/// Whether the newer encoding is used, whose instructions clear what they do not write.
fn is_vex(instruction: &Instruction) -> bool {
    instruction.encoding() == EncodingKind::VEX
}

/// The part of `bits` bits at `index`; zero beyond the vector.
pub(super) fn lane(vector: &Vector, bits: usize, index: usize) -> u64 {
    let at = bits * index;
    vector.get(at / 64).map_or(0, |word| word >> (at % 64) & mask(bits / 8))
}

/// Writes the part of `bits` bits at `index`; nothing beyond the vector.
pub(super) fn set_lane(vector: &mut Vector, bits: usize, index: usize, value: u64) {
    let at = bits * index;
    if let Some(word) = vector.get_mut(at / 64) {
        let part = mask(bits / 8);
        *word = *word & !(part << (at % 64)) | (value & part) << (at % 64);
    }
}

/// A vector of parts of `bits` bits.
pub(super) fn from_lanes(bits: usize, mut value: impl FnMut(usize) -> u64) -> Vector {
    let mut vector = [0; 4];
    for index in 0..256 / bits {
        set_lane(&mut vector, bits, index, value(index));
    }
    vector
}

/// Applies an operation to each two parts of `bits` bits.
pub(super) fn each_of(
    bits: usize,
    left: &Vector,
    right: &Vector,
    operation: impl Fn(u64, u64) -> u64,
) -> Vector {
    from_lanes(bits, |index| operation(lane(left, bits, index), lane(right, bits, index)))
}
