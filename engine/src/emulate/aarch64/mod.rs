//! 64-bit Arm: registers, control flow, and calls.
//!
//! ```text
//! instruction  which instruction a word is, and its fields
//! integer      data processing on general-purpose registers
//! access       loads and stores, of all registers
//! structure    loads and stores of several vector registers at once
//! arrange      moves into, out of and between vector registers
//! vector       arithmetic on vectors of whole numbers
//! float        arithmetic on floating-point numbers
//! ```
//!
//! An instruction that is not known ends the run; none is passed over. So do encodings that are
//! reserved, or whose effect the architecture leaves open (`CONSTRAINED UNPREDICTABLE`).

mod access;
mod arrange;
mod float;
mod instruction;
mod integer;
mod structure;
#[cfg(test)]
mod tests;
mod vector;

use disarm64_defn::InsnClass;

use super::memory::{Memory, THREAD};
use super::process::{Arguments, CALLER, Onward, Paused, Process, STUB, Start, Stop, System};
pub(super) use instruction::Instruction;

/// Where a call leaves the address to return to.
const LINK: usize = 30;
/// The stack pointer's place among the registers. In most operands the number 31 means zero.
const STACK: usize = 31;
/// The platform register: on Windows it holds the address of the thread's block.
const PLATFORM: usize = 18;

/// The condition flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a processor has one bit for each")]
struct Flags {
    negative: bool,
    zero: bool,
    carry: bool,
    overflow: bool,
}

impl Flags {
    /// From the four bits in the order N, Z, C, V.
    fn from_bits(bits: u32) -> Self {
        let bit = |number: u32| bits >> number & 1 == 1;
        Self { negative: bit(3), zero: bit(2), carry: bit(1), overflow: bit(0) }
    }

    fn bits(self) -> u64 {
        u64::from(self.negative) << 3
            | u64::from(self.zero) << 2
            | u64::from(self.carry) << 1
            | u64::from(self.overflow)
    }

    /// Whether a condition of that number holds (Arm ARM, `ConditionHolds`).
    fn hold(self, condition: u32) -> bool {
        let holds = match condition >> 1 {
            0 => self.zero,
            1 => self.carry,
            2 => self.negative,
            3 => self.overflow,
            4 => self.carry && !self.zero,
            5 => self.negative == self.overflow,
            6 => self.negative == self.overflow && !self.zero,
            _ => return true,
        };
        holds != (condition & 1 == 1)
    }
}

struct Cpu<'r, 'l, 'p, 'd> {
    process: &'r mut Process<'l, 'p, 'd>,
    /// x0 to x30, and the stack pointer.
    registers: [u64; 32],
    vectors: [u128; 32],
    flags: Flags,
    program_counter: u64,
    /// What the last exclusive load marked: address and size.
    exclusive: Option<(u64, usize)>,
    /// The code that was last decoded from: a stretch of one library.
    code: (u64, &'d [u8]),
}

/// The registers of a processor that was stopped.
#[derive(Clone, PartialEq)]
pub(super) struct State {
    registers: [u64; 32],
    vectors: [u128; 32],
    flags: Flags,
    program_counter: u64,
    exclusive: Option<(u64, usize)>,
}

/// Calls a function, or goes on with one, and gives back what it returns.
///
/// # Errors
/// Where it does not return within `budget` steps, or does something that cannot be followed; or
/// where it was to stop.
pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    start: Start<'_>,
    budget: u32,
    steps: &mut u32,
) -> Result<u64, Stop> {
    let mut cpu = Cpu::new(process, 0);
    match start {
        Start::Function { entry, arguments } => {
            cpu.program_counter = entry;
            cpu.pass(arguments);
            cpu.registers[LINK] = CALLER;
        }
        Start::Paused(Paused::Aarch64(state)) => cpu.take_over(state),
        Start::Paused(Paused::X86_64(_)) => return Err(Stop::Paused),
    }
    while cpu.program_counter != CALLER {
        if *steps >= budget {
            return Err(Stop::Reason("the hook takes more steps than are followed".to_owned()));
        }
        let outcome = cpu.step();
        *steps = steps.saturating_add(1).saturating_add(cpu.process.take_steps_of_calls());
        outcome?;
    }
    Ok(cpu.registers[0])
}

impl<'r, 'l, 'p, 'd> Cpu<'r, 'l, 'p, 'd> {
    fn new(process: &'r mut Process<'l, 'p, 'd>, entry: u64) -> Self {
        let mut cpu = Self {
            process,
            registers: [0; 32],
            vectors: [0; 32],
            flags: Flags::default(),
            program_counter: entry,
            exclusive: None,
            code: (0, &[]),
        };
        cpu.registers[STACK] = Memory::stack_top();
        if cpu.process.system == System::Windows {
            cpu.registers[PLATFORM] = THREAD;
        }
        cpu
    }

    fn state(&self) -> State {
        State {
            registers: self.registers,
            vectors: self.vectors,
            flags: self.flags,
            program_counter: self.program_counter,
            exclusive: self.exclusive,
        }
    }

    fn take_over(&mut self, state: &State) {
        self.registers = state.registers;
        self.vectors = state.vectors;
        self.flags = state.flags;
        self.program_counter = state.program_counter;
        self.exclusive = state.exclusive;
    }

    fn step(&mut self) -> Result<(), Stop> {
        let at = self.program_counter;
        let decoded = &self.process.memory.linked.aarch64;
        if let Some(instruction) = decoded.get(at) {
            return self.execute(instruction);
        }
        if self.process.is_outside(at) {
            return if at == STUB { self.come_back() } else { self.leave(at) };
        }
        let instruction = self.decode(at)?;
        if self.process.memory.is_relocated(at, 4) {
            return Err(Stop::Reason("the loader changes the code of the hook".to_owned()));
        }
        decoded.keep(at, instruction);
        self.execute(instruction)
    }

    fn decode(&mut self, at: u64) -> Result<Instruction, Stop> {
        if !at.is_multiple_of(4) {
            return Err(Stop::Failure(format!("the hook jumps between instructions, to {at:#x}")));
        }
        let offset = at.wrapping_sub(self.code.0);
        let here = usize::try_from(offset).ok().and_then(|offset| self.code.1.get(offset..));
        let word = match here.and_then(<[u8]>::first_chunk) {
            Some(word) => *word,
            None => {
                let bytes = self.process.memory.code(at)?;
                self.code = (at, bytes);
                *bytes.first_chunk().ok_or_else(|| no_instruction(at))?
            }
        };
        Instruction::decode(u32::from_le_bytes(word)).ok_or_else(|| no_instruction(at))
    }

    /// Executes the instruction that the program counter points to.
    fn execute(&mut self, instruction: Instruction) -> Result<(), Stop> {
        let at = self.program_counter;
        self.program_counter = at.wrapping_add(4);
        let known = self.control(instruction, at)?
            || self.integer(instruction, at)
            || self.access(instruction, at)?
            || self.structure(instruction)?
            || self.arrange(instruction)
            || self.vector(instruction)
            || self.float(instruction);
        if known { Ok(()) } else { Err(unsupported(instruction)) }
    }

    /// Executes an instruction that branches, or has to do with the system; `false` where it is
    /// none.
    fn control(&mut self, instruction: Instruction, at: u64) -> Result<bool, Stop> {
        let to = |lowest, width| at.wrapping_add(instruction.signed(lowest, width) << 2);
        match (instruction.class, instruction.mnemonic) {
            (InsnClass::BRANCH_IMM, name) => {
                if name == "bl" {
                    self.registers[LINK] = at.wrapping_add(4);
                }
                self.program_counter = to(0, 26);
            }
            (InsnClass::CONDBRANCH, _) => {
                if self.flags.hold(instruction.field(0, 4)) {
                    self.program_counter = to(5, 19);
                }
            }
            (InsnClass::COMPBRANCH, name @ ("cbz" | "cbnz")) => {
                let value = self.get(instruction.rd(), instruction.width());
                if (value == 0) == (name == "cbz") {
                    self.program_counter = to(5, 19);
                }
            }
            (InsnClass::TESTBRANCH, name) => {
                let number = instruction.field(31, 1) << 5 | instruction.field(19, 5);
                let set = self.get(instruction.rd(), 64) >> number & 1 == 1;
                if set == (name == "tbnz") {
                    self.program_counter = to(5, 14);
                }
            }
            // Authentication leaves a pointer that was never signed as it is.
            (InsnClass::BRANCH_REG, "br" | "braa" | "braaz" | "brab" | "brabz" | "ret") => {
                self.program_counter = self.get(instruction.rn(), 64);
            }
            (InsnClass::BRANCH_REG, "blr" | "blraa" | "blraaz" | "blrab" | "blrabz") => {
                let target = self.get(instruction.rn(), 64);
                self.registers[LINK] = at.wrapping_add(4);
                self.program_counter = target;
            }
            (InsnClass::BRANCH_REG, "retaa" | "retab") => {
                self.program_counter = self.registers[LINK];
            }
            (InsnClass::EXCEPTION, "brk" | "udf" | "hlt") => {
                return Err(Stop::Failure("the hook ends the process".to_owned()));
            }
            (InsnClass::IC_SYSTEM, name) => return self.system(instruction, name),
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Hints, barriers and system registers.
    fn system(&mut self, instruction: Instruction, name: &str) -> Result<bool, Stop> {
        match name {
            // There is one thread, and no pointer is ever signed: pac, aut, xpac and bti are hints.
            "hint" | "dmb" | "dsb" | "isb" | "sb" => {}
            "clrex" => self.exclusive = None,
            "mrs" => {
                let Some(value) = self.system_register(instruction) else {
                    return Err(unsupported(instruction));
                };
                self.set(instruction.rd(), 64, value);
            }
            "msr" => match SystemRegister::of(instruction) {
                Some(SystemRegister::Flags) => {
                    let value = self.get(instruction.rd(), 64) >> 28 & 0xf;
                    self.flags = Flags::from_bits(u32::try_from(value).unwrap_or(0));
                }
                _ => return Ok(false),
            },
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn system_register(&self, instruction: Instruction) -> Option<u64> {
        Some(match SystemRegister::of(instruction)? {
            SystemRegister::Flags => self.flags.bits() << 28,
            // Rounding to nearest, no traps.
            SystemRegister::FloatControl => 0,
            // A common value: lines of 64 bytes, nothing to invalidate by hand (CTR_EL0).
            SystemRegister::CacheType => 0x8444_c004,
            // `dc zva` is prohibited (DCZID_EL0.DZP).
            SystemRegister::ZeroBlock => 0x10,
            SystemRegister::Thread => match self.process.system {
                System::Linux => THREAD,
                System::MacOs | System::Windows => return None,
            },
            SystemRegister::ReadOnlyThread => match self.process.system {
                System::MacOs => THREAD,
                System::Linux | System::Windows => return None,
            },
        })
    }

    fn pass(&mut self, arguments: [u64; 3]) {
        self.registers[..arguments.len()].copy_from_slice(&arguments);
    }

    /// A call or jump to a function outside of the wheel's libraries (Procedure Call Standard for
    /// the Arm 64-bit Architecture). Apple's variant of it passes what stands behind the named
    /// arguments of a variadic function on the stack alone.
    fn leave(&mut self, target: u64) -> Result<(), Stop> {
        if self.process.is_thread_descriptor(target) {
            // Takes the descriptor and gives back its second word, both in x0.
            self.registers[0] = self.load(self.registers[0].wrapping_add(8), 8)?;
            self.program_counter = self.registers[LINK];
            return Ok(());
        }
        if self.process.pauses() {
            self.process.paused = Some(Paused::Aarch64(Box::new(self.state())));
            return Err(Stop::Paused);
        }
        let mut arguments = Arguments {
            registers: [0; 8],
            count: 8,
            stack: self.registers[STACK],
            variadic_on_stack: self.process.system == System::MacOs,
        };
        arguments.registers.copy_from_slice(&self.registers[..8]);
        let reaction = self.process.call(target, &arguments)?;
        let onward = self.process.after(reaction, self.registers[LINK]);
        self.go(onward);
        Ok(())
    }

    /// A function returns that a stub had called.
    fn come_back(&mut self) -> Result<(), Stop> {
        let onward = self.process.come_back(self.registers[0])?;
        self.go(onward);
        Ok(())
    }

    fn go(&mut self, onward: Onward) {
        match onward {
            Onward::Enter { function, arguments } => {
                self.registers[LINK] = STUB;
                self.pass(arguments);
                self.program_counter = function;
            }
            Onward::Return { to, results } => {
                for (register, result) in self.registers.iter_mut().zip(results) {
                    if let Some(result) = result {
                        *register = result;
                    }
                }
                self.program_counter = to;
            }
        }
    }

    /// A general-purpose register of that many bits, where 31 means zero.
    fn get(&self, number: usize, width: u32) -> u64 {
        if number == STACK { 0 } else { self.get_or_stack(number, width) }
    }

    /// The same, where 31 means the stack pointer.
    fn get_or_stack(&self, number: usize, width: u32) -> u64 {
        self.registers[number & 31] & mask(width)
    }

    /// Writes a general-purpose register, where 31 takes nothing. One of 32 bits clears the upper
    /// half.
    fn set(&mut self, number: usize, width: u32, value: u64) {
        if number != STACK {
            self.set_or_stack(number, width, value);
        }
    }

    /// The same, where 31 means the stack pointer.
    fn set_or_stack(&mut self, number: usize, width: u32, value: u64) {
        self.registers[number & 31] = value & mask(width);
    }
}

/// The system registers that programs read.
#[derive(Clone, Copy)]
enum SystemRegister {
    Flags,
    FloatControl,
    CacheType,
    ZeroBlock,
    Thread,
    ReadOnlyThread,
}

impl SystemRegister {
    /// By op0, op1, `CRn`, `CRm` and op2, which stand side by side in the word.
    fn of(instruction: Instruction) -> Option<Self> {
        Some(match instruction.field(5, 16) {
            // S3_3_C4_C2_0: NZCV
            0xda10 => Self::Flags,
            // S3_3_C4_C4_0: FPCR
            0xda20 => Self::FloatControl,
            // S3_3_C0_C0_1: CTR_EL0
            0xd801 => Self::CacheType,
            // S3_3_C0_C0_7: DCZID_EL0
            0xd807 => Self::ZeroBlock,
            // S3_3_C13_C0_2: TPIDR_EL0
            0xde82 => Self::Thread,
            // S3_3_C13_C0_3: TPIDRRO_EL0
            0xde83 => Self::ReadOnlyThread,
            _ => return None,
        })
    }
}

/// The lowest `width` bits.
fn mask(width: u32) -> u64 {
    if width >= 64 { u64::MAX } else { (1 << width) - 1 }
}

/// The lower half of a wide value; the upper one is dropped.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is not wanted")]
fn low_half(value: u128) -> u64 {
    value as u64
}

fn no_instruction(at: u64) -> Stop {
    Stop::Reason(format!("the bytes at {at:#x} are no instruction"))
}

fn unsupported(instruction: Instruction) -> Stop {
    Stop::Reason(format!("the hook's instruction `{}` is not followed yet", instruction.mnemonic))
}
