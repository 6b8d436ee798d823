//! What the processor says about itself, its control registers, and the numbers of 80 bits that it
//! copies.

use iced_x86::{Instruction, MemorySize, Mnemonic, Register};

use super::{Cpu, Flags, Stop, unsupported};
use crate::emulate::memory::THREAD;
use crate::emulate::process::System;

/// The control and status register of vector units as a process starts with it (System V ABI,
/// x86-64, 3.2.1), and the part of it that tells which exceptions were met.
const MXCSR: u64 = 0x1f80;
const MXCSR_EXCEPTIONS: u64 = 0x3f;
/// How many numbers the old floating-point unit holds.
const LONG_NUMBERS: usize = 8;
/// Bits of the flags register: the second is always set, interrupts are enabled, and programs may
/// change the direction and, to see whether there is `cpuid`, the last of them.
const ALWAYS: u64 = 1 << 1;
const INTERRUPT: u64 = 1 << 9;
const DIRECTION: u64 = 1 << 10;
const IDENTIFICATION: u64 = 1 << 21;

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction about the machine; `false` where it is none.
    pub(super) fn machine(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        match instruction.mnemonic() {
            Mnemonic::Cpuid => {
                let leaf = self.get(Register::RAX) & 0xffff_ffff;
                let part = self.get(Register::RCX) & 0xffff_ffff;
                let registers = [Register::RAX, Register::RBX, Register::RCX, Register::RDX];
                for (register, value) in registers.into_iter().zip(identity(leaf, part)) {
                    self.set(register, u64::from(value));
                }
            }
            // Of the registers that the system saves, those that every processor has.
            Mnemonic::Xgetbv => {
                self.set(Register::RAX, 3);
                self.set(Register::RDX, 0);
            }
            Mnemonic::Rdtsc | Mnemonic::Rdtscp => {
                let ticks = self.process.ticks();
                self.set(Register::RAX, ticks & 0xffff_ffff);
                self.set(Register::RDX, ticks >> 32);
                if instruction.mnemonic() == Mnemonic::Rdtscp {
                    // On the first processor.
                    self.set(Register::RCX, 0);
                }
            }
            Mnemonic::Rdrand | Mnemonic::Rdseed => return Err(chance("random numbers")),
            Mnemonic::Rdfsbase if self.process.system == System::Linux => {
                self.write(instruction, 0, THREAD)?;
            }
            Mnemonic::Stmxcsr | Mnemonic::Vstmxcsr => {
                if self.has_computed {
                    // Which exceptions were met is not kept.
                    return Err(unsupported(instruction));
                }
                self.write(instruction, 0, MXCSR)?;
            }
            Mnemonic::Ldmxcsr | Mnemonic::Vldmxcsr => {
                if self.read(instruction, 0)? & !MXCSR_EXCEPTIONS != MXCSR {
                    return Err(unsupported(instruction));
                }
            }
            Mnemonic::Pushfq => {
                let value = self.flags.bits() | ALWAYS | INTERRUPT;
                let direction = if self.backwards { DIRECTION } else { 0 };
                let identification = if self.identification { IDENTIFICATION } else { 0 };
                self.push(value | direction | identification)?;
            }
            Mnemonic::Popfq => {
                let value = self.pop()?;
                let known = Flags::ALL | ALWAYS | INTERRUPT | DIRECTION | IDENTIFICATION;
                if value & !known != 0 {
                    return Err(unsupported(instruction));
                }
                self.flags = Flags::from_bits(value);
                self.backwards = value & DIRECTION != 0;
                self.identification = value & IDENTIFICATION != 0;
            }
            Mnemonic::Lahf => {
                let value = (self.flags.bits() | ALWAYS) & 0xff;
                let before = self.get(Register::RAX);
                self.set(Register::RAX, before & !0xff00 | value << 8);
            }
            Mnemonic::Sahf => {
                let value = self.get(Register::RAX) >> 8 & 0xff;
                let overflow = self.flags.overflow;
                self.flags = Flags { overflow, ..Flags::from_bits(value) };
            }
            Mnemonic::Fld if instruction.memory_size() == MemorySize::Float80 => {
                let address = self.address(instruction)?;
                let number = self.process.memory.read::<10>(address)?;
                if self.long_numbers.len() == LONG_NUMBERS {
                    return Err(unsupported(instruction));
                }
                self.long_numbers.push(number);
            }
            Mnemonic::Fstp if instruction.memory_size() == MemorySize::Float80 => {
                let address = self.address(instruction)?;
                let number = self.long_numbers.pop().ok_or_else(|| unsupported(instruction))?;
                self.process.memory.write(address, &number)?;
            }
            Mnemonic::Clc => self.flags.carry = false,
            Mnemonic::Stc => self.flags.carry = true,
            Mnemonic::Cmc => self.flags.carry = !self.flags.carry,
            Mnemonic::Cld => self.backwards = false,
            Mnemonic::Std => self.backwards = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Flags {
    /// Carry, parity, adjust, zero, sign and overflow.
    const ALL: u64 = 1 | 1 << 2 | 1 << 4 | 1 << 6 | 1 << 7 | 1 << 11;

    pub(super) fn bits(self) -> u64 {
        u64::from(self.carry)
            | u64::from(self.parity) << 2
            | u64::from(self.adjust) << 4
            | u64::from(self.zero) << 6
            | u64::from(self.sign) << 7
            | u64::from(self.overflow) << 11
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        let bit = |at: u32| bits >> at & 1 == 1;
        Self {
            carry: bit(0),
            parity: bit(2),
            adjust: bit(4),
            zero: bit(6),
            sign: bit(7),
            overflow: bit(11),
        }
    }
}

fn chance(what: &str) -> Stop {
    Stop::Reason(format!("the hook depends on {what}"))
}

/// What `cpuid` gives back in `eax`, `ebx`, `ecx` and `edx` (Intel SDM, `CPUID`).
///
/// The processor is of the second level of the x86-64 ABI and no more: the first of its kind, with
/// SSE4.2 and without AVX. Below that level, libraries that were built for it refuse to work; with
/// more, code chooses among more variants of itself, which make the same answer.
fn identity(leaf: u64, part: u64) -> [u32; 4] {
    match (leaf, part) {
        (0, _) => [4, word(*b"Genu"), word(*b"ntel"), word(*b"ineI")],
        // Family 6, model 26, stepping 5; one processor, lines of 64 bytes; SSE3, SSSE3, CMPXCHG16B,
        // SSE4.1, SSE4.2 and POPCNT; all that 64-bit processors have, up to SSE2.
        (1, _) => [0x0001_06a5, 0x0001_0800, 0x0098_2201, 0x078b_fbff],
        // Caches, by the old list and by the newer leaf: 32 KiB of data, 32 KiB of code, 256 KiB and
        // 8 MiB, as ways, lines and sets less one each.
        (2, _) => [0x5503_5a01, 0x00f0_b2e4, 0, 0x09ca_212c],
        (4, 0) => [0x121, 0x01c0_003f, 63, 0],
        (4, 1) => [0x122, 0x00c0_003f, 127, 0],
        (4, 2) => [0x143, 0x01c0_003f, 511, 0],
        (4, 3) => [0x163, 0x03c0_003f, 8191, 2],
        (0x8000_0000, _) => [0x8000_0008, 0, 0, 0],
        // LAHF; SYSCALL, NX, 64 bits.
        (0x8000_0001, _) => [0, 0, 1, 0x2010_0800],
        (0x8000_0006, _) => [0, 0, 0x0100_6040, 0],
        // The clock runs evenly.
        (0x8000_0007, _) => [0, 0, 0, 0x100],
        // Addresses of 36 bits, and of 48.
        (0x8000_0008, _) => [0x3024, 0, 0, 0],
        _ => [0; 4],
    }
}

fn word(text: [u8; 4]) -> u32 {
    u32::from_le_bytes(text)
}
