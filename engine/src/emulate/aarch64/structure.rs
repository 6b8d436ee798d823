//! Loads and stores of one to four vector registers, whose elements may lie interleaved in memory.

use disarm64_defn::InsnClass;

use super::instruction::Instruction;
use super::vector::{element, joined};
use super::{Cpu, Stop};

/// Registers taken one by one, or together: one element of each in turn.
struct Multiple {
    repetitions: u32,
    together: u32,
}

impl Cpu<'_, '_, '_, '_> {
    /// Executes a load or store of structures; `false` where it is none that is known.
    pub(super) fn structure(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        match instruction.class {
            InsnClass::ASISDLSE | InsnClass::ASISDLSEP => self.multiple(instruction),
            InsnClass::ASISDLSO | InsnClass::ASISDLSOP => self.single(instruction),
            _ => Ok(false),
        }
    }

    fn multiple(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        let (repetitions, together) = match instruction.field(12, 4) {
            0b0000 => (1, 4),
            0b0010 => (4, 1),
            0b0100 => (1, 3),
            0b0110 => (3, 1),
            0b0111 => (1, 1),
            0b1000 => (1, 2),
            0b1010 => (2, 1),
            _ => return Ok(false),
        };
        let shape = Multiple { repetitions, together };
        let size = 8 << instruction.field(10, 2);
        let whole = if instruction.bit(30) { 128 } else { 64 };
        if size == whole && shape.together > 1 {
            return Ok(false);
        }
        let bytes = u64::from(size / 8);
        let base = self.get_or_stack(instruction.rn(), 64);
        let mut address = base;
        for repetition in 0..shape.repetitions {
            for index in 0..whole / size {
                for part in 0..shape.together {
                    let number = (instruction.rd() + (repetition + part) as usize) & 31;
                    if instruction.bit(22) {
                        let value = self.load(address, (size / 8) as usize)?;
                        if index == 0 {
                            self.vectors[number] = 0;
                        }
                        self.set_element(number, size, index, value);
                    } else {
                        let value = element(self.vectors[number], size, index);
                        self.store(address, (size / 8) as usize, value)?;
                    }
                    address = address.wrapping_add(bytes);
                }
            }
        }
        self.step_base(instruction, base, address);
        Ok(true)
    }

    fn single(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        let (opcode, size) = (instruction.field(13, 3), instruction.field(10, 2));
        let (wide, s) = (instruction.field(30, 1), instruction.field(12, 1));
        let together = ((opcode & 1) << 1 | instruction.field(21, 1)) + 1;
        let is_load = instruction.bit(22);
        let (scale, index) = match (opcode >> 1, size) {
            (0, _) => (0, Some(wide << 3 | s << 2 | size)),
            (1, 0 | 2) => (1, Some(wide << 2 | s << 1 | size >> 1)),
            (2, 0) => (2, Some(wide << 1 | s)),
            (2, 1) if s == 0 => (3, Some(wide)),
            // One element into all places.
            (3, scale) if is_load && s == 0 => (scale, None),
            _ => return Ok(false),
        };
        let bits = 8 << scale;
        let bytes: usize = 1 << scale;
        let base = self.get_or_stack(instruction.rn(), 64);
        let mut address = base;
        for part in 0..together {
            let number = (instruction.rd() + part as usize) & 31;
            match index {
                None => {
                    let value = self.load(address, bytes)?;
                    let count = if wide == 1 { 16 } else { 8 } / bytes;
                    self.vectors[number] = joined(bits, std::iter::repeat_n(value, count));
                }
                Some(index) if is_load => {
                    let value = self.load(address, bytes)?;
                    self.set_element(number, bits, index, value);
                }
                Some(index) => {
                    let value = element(self.vectors[number], bits, index);
                    self.store(address, bytes, value)?;
                }
            }
            address = address.wrapping_add(bytes as u64);
        }
        self.step_base(instruction, base, address);
        Ok(true)
    }

    /// Where the base is written back, it is moved past what was accessed, or by a register.
    fn step_base(&mut self, instruction: Instruction, base: u64, behind: u64) {
        if matches!(instruction.class, InsnClass::ASISDLSEP | InsnClass::ASISDLSOP) {
            let after = match instruction.rm() {
                31 => behind,
                number => base.wrapping_add(self.get(number, 64)),
            };
            self.set_or_stack(instruction.rn(), 64, after);
        }
    }
}
