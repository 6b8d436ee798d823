//! String instructions, by themselves and repeated.

use iced_x86::{Instruction, Mnemonic, OpKind, Register};

use super::integer::difference;
use super::{Cpu, Stop, mask, unsupported};

/// So many repetitions count as one step.
const REPETITIONS_A_STEP: u64 = 32;

/// What a string instruction does with each element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Move,
    Store,
    Load,
    Compare,
    Scan,
}

impl Cpu<'_, '_, '_, '_> {
    /// Executes a string instruction; `false` where it is none.
    pub(super) fn string(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let (kind, size) = match instruction.mnemonic() {
            Mnemonic::Movsb => (Kind::Move, 1),
            Mnemonic::Movsw => (Kind::Move, 2),
            Mnemonic::Movsd => (Kind::Move, 4),
            Mnemonic::Movsq => (Kind::Move, 8),
            Mnemonic::Stosb => (Kind::Store, 1),
            Mnemonic::Stosw => (Kind::Store, 2),
            Mnemonic::Stosd => (Kind::Store, 4),
            Mnemonic::Stosq => (Kind::Store, 8),
            Mnemonic::Lodsb => (Kind::Load, 1),
            Mnemonic::Lodsw => (Kind::Load, 2),
            Mnemonic::Lodsd => (Kind::Load, 4),
            Mnemonic::Lodsq => (Kind::Load, 8),
            Mnemonic::Cmpsb => (Kind::Compare, 1),
            Mnemonic::Cmpsw => (Kind::Compare, 2),
            Mnemonic::Cmpsd => (Kind::Compare, 4),
            Mnemonic::Cmpsq => (Kind::Compare, 8),
            Mnemonic::Scasb => (Kind::Scan, 1),
            Mnemonic::Scasw => (Kind::Scan, 2),
            Mnemonic::Scasd => (Kind::Scan, 4),
            Mnemonic::Scasq => (Kind::Scan, 8),
            _ => return Ok(false),
        };
        let plain = (0..instruction.op_count()).all(|index| {
            matches!(
                instruction.op_kind(index),
                OpKind::MemoryESRDI | OpKind::MemorySegRSI | OpKind::Register
            )
        });
        if !plain || matches!(instruction.segment_prefix(), Register::FS | Register::GS) {
            return Err(unsupported(instruction));
        }
        let until_equal = instruction.has_repne_prefix();
        if !until_equal && !instruction.has_rep_prefix() {
            self.element(kind, size)?;
            return Ok(true);
        }
        let mut left = self.get(Register::RCX);
        let mut done = 0;
        while left != 0 {
            if done % REPETITIONS_A_STEP == 0 {
                self.count_step()?;
            }
            done += 1;
            self.element(kind, size)?;
            left -= 1;
            self.set(Register::RCX, left);
            let compares = matches!(kind, Kind::Compare | Kind::Scan);
            if compares && self.flags.zero == until_equal {
                break;
            }
        }
        Ok(true)
    }

    /// One element, and on to the next.
    fn element(&mut self, kind: Kind, size: usize) -> Result<(), Stop> {
        let (source, target) = (self.get(Register::RSI), self.get(Register::RDI));
        let accumulator = self.get(Register::RAX) & mask(size);
        match kind {
            Kind::Move => {
                let value = self.load(source, size)?;
                self.store(target, size, value)?;
            }
            Kind::Store => self.store(target, size, accumulator)?,
            Kind::Load => {
                let value = self.load(source, size)?;
                self.set_part(Register::RAX, size, value);
            }
            Kind::Compare => {
                let (left, right) = (self.load(source, size)?, self.load(target, size)?);
                self.flags = difference(left, right, 0, size).1;
            }
            Kind::Scan => {
                let found = self.load(target, size)?;
                self.flags = difference(accumulator, found, 0, size).1;
            }
        }
        let step = if self.backwards { (size as u64).wrapping_neg() } else { size as u64 };
        if matches!(kind, Kind::Move | Kind::Load | Kind::Compare) {
            self.set(Register::RSI, source.wrapping_add(step));
        }
        if kind != Kind::Load {
            self.set(Register::RDI, target.wrapping_add(step));
        }
        Ok(())
    }
}
