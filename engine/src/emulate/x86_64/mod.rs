//! 64-bit x86: registers, operands, and where the next instruction is.
//!
//! What the instructions compute is in the modules below. An instruction that is not known ends the
//! run; none is passed over.
//!
//! ```text
//! integer  general-purpose registers
//! bits     shifts, and other work on single bits
//! strings  string instructions
//! machine  what the processor says about itself
//! vector   vector registers as a whole
//! packed   integers in them
//! shuffle  their parts in another order
//! float    floating-point numbers in them
//! ```

mod bits;
mod float;
mod integer;
mod machine;
mod packed;
mod shuffle;
mod strings;
mod vector;

#[cfg(test)]
mod tests;

use iced_x86::{
    Code, ConditionCode, Decoder, DecoderOptions, EncodingKind, FlowControl, Instruction, Mnemonic,
    OpKind, Register,
};

use super::memory::{Memory, THREAD};
use super::process::{
    Arguments, CALLER, CANARY, Onward, Paused, Process, STUB, Start, Stop, System,
};

/// Where glibc keeps the stack protector's canary, relative to `fs`.
const CANARY_OFFSET: u64 = 0x28;
/// Room that a caller leaves on the stack for four arguments (Windows).
const HOME_SPACE: u64 = 0x20;

/// The arithmetic flags.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a processor has one bit for each")]
struct Flags {
    zero: bool,
    sign: bool,
    carry: bool,
    overflow: bool,
    parity: bool,
    /// A carry out of the lowest four bits.
    adjust: bool,
}

struct Cpu<'r, 'l, 'p, 'd> {
    process: &'r mut Process<'l, 'p, 'd>,
    registers: [u64; 16],
    /// The lower 256 bits of the vector registers.
    vectors: [[u64; 4]; 16],
    /// The stack of the old floating-point unit, the top last. Nothing is computed with it.
    long_numbers: Vec<[u8; 10]>,
    flags: Flags,
    /// Whether string instructions go downwards.
    backwards: bool,
    /// A flag that means nothing and that programs may change.
    identification: bool,
    /// Whether an instruction was executed that may have met a floating-point exception.
    has_computed: bool,
    instruction_pointer: u64,
    /// Steps so far, and how many there may be.
    steps: &'r mut u32,
    budget: u32,
    /// The code that was last decoded from: a stretch of one library.
    code: (u64, &'d [u8]),
    /// Where code begins that the loader does not change, [`STRETCH`] bytes of it.
    unchanged: u64,
}

/// How much code is checked at a time for changes by the loader.
const STRETCH: u64 = 256;

/// The registers of a processor that was stopped.
#[derive(Clone, PartialEq)]
pub(super) struct State {
    registers: [u64; 16],
    vectors: [[u64; 4]; 16],
    long_numbers: Vec<[u8; 10]>,
    flags: Flags,
    backwards: bool,
    identification: bool,
    has_computed: bool,
    instruction_pointer: u64,
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
    let mut cpu = Cpu::new(process, 0, budget, steps);
    match start {
        Start::Function { entry, arguments } => cpu.begin_in(entry, arguments)?,
        Start::Paused(Paused::X86_64(state)) => cpu.take_over(state),
        Start::Paused(Paused::Aarch64(_)) => return Err(Stop::Paused),
    }
    while cpu.instruction_pointer != CALLER {
        cpu.count_step()?;
        let outcome = cpu.step();
        *cpu.steps = cpu.steps.saturating_add(cpu.process.take_steps_of_calls());
        outcome?;
    }
    Ok(cpu.get(Register::RAX))
}

impl<'r, 'l, 'p, 'd> Cpu<'r, 'l, 'p, 'd> {
    fn new(
        process: &'r mut Process<'l, 'p, 'd>,
        entry: u64,
        budget: u32,
        steps: &'r mut u32,
    ) -> Self {
        Self {
            process,
            registers: [0; 16],
            vectors: [[0; 4]; 16],
            long_numbers: Vec::new(),
            flags: Flags::default(),
            backwards: false,
            identification: false,
            has_computed: false,
            instruction_pointer: entry,
            steps,
            budget,
            code: (0, &[]),
            unchanged: 0,
        }
    }
}

impl Cpu<'_, '_, '_, '_> {
    fn begin_in(&mut self, entry: u64, arguments: [u64; 3]) -> Result<(), Stop> {
        self.instruction_pointer = entry;
        self.set(Register::RSP, Memory::stack_top());
        self.process.memory.write_word(THREAD, THREAD)?;
        if self.process.system == System::Linux {
            self.process.memory.write_word(THREAD + CANARY_OFFSET, CANARY)?;
        }
        self.pass(arguments);
        self.push(CALLER)
    }

    fn state(&self) -> State {
        State {
            registers: self.registers,
            vectors: self.vectors,
            long_numbers: self.long_numbers.clone(),
            flags: self.flags,
            backwards: self.backwards,
            identification: self.identification,
            has_computed: self.has_computed,
            instruction_pointer: self.instruction_pointer,
        }
    }

    fn take_over(&mut self, state: &State) {
        self.registers = state.registers;
        self.vectors = state.vectors;
        self.long_numbers.clone_from(&state.long_numbers);
        self.flags = state.flags;
        self.backwards = state.backwards;
        self.identification = state.identification;
        self.has_computed = state.has_computed;
        self.instruction_pointer = state.instruction_pointer;
    }

    fn count_step(&mut self) -> Result<(), Stop> {
        if *self.steps >= self.budget {
            return Err(Stop::Reason("the hook takes more steps than are followed".to_owned()));
        }
        *self.steps += 1;
        Ok(())
    }

    fn step(&mut self) -> Result<(), Stop> {
        let at = self.instruction_pointer;
        let decoded = &self.process.memory.linked.x86_64;
        let instruction = match decoded.get(at) {
            Some(instruction) => instruction,
            None if self.process.is_outside(at) => {
                return if at == STUB { self.come_back() } else { self.leave(at) };
            }
            None => {
                let instruction = self.decode(at)?;
                if self.is_changed(at, instruction.len() as u64) {
                    return Err(Stop::Reason("the loader changes the code of the hook".to_owned()));
                }
                decoded.keep(at, instruction);
                instruction
            }
        };
        self.instruction_pointer = instruction.next_ip();
        match instruction.flow_control() {
            FlowControl::Call | FlowControl::IndirectCall
                if instruction.stack_pointer_increment() != -8 =>
            {
                return Err(unsupported(&instruction));
            }
            FlowControl::Next => {}
            FlowControl::UnconditionalBranch => {
                self.instruction_pointer = instruction.near_branch_target();
                return Ok(());
            }
            FlowControl::IndirectBranch if instruction.is_jmp_near_indirect() => {
                self.instruction_pointer = self.read(&instruction, 0)?;
                return Ok(());
            }
            FlowControl::ConditionalBranch => return self.branch(&instruction),
            FlowControl::Call => {
                self.push(instruction.next_ip())?;
                self.instruction_pointer = instruction.near_branch_target();
                return Ok(());
            }
            FlowControl::IndirectCall => {
                let target = self.read(&instruction, 0)?;
                self.push(instruction.next_ip())?;
                self.instruction_pointer = target;
                return Ok(());
            }
            FlowControl::Return
                if matches!(instruction.code(), Code::Retnq | Code::Retnq_imm16) =>
            {
                self.instruction_pointer = self.pop()?;
                if instruction.op_count() == 1 {
                    let freed = instruction.immediate(0);
                    self.set(Register::RSP, self.get(Register::RSP).wrapping_add(freed));
                }
                return Ok(());
            }
            _ if matches!(
                instruction.mnemonic(),
                Mnemonic::Ud0 | Mnemonic::Ud1 | Mnemonic::Ud2
            ) || matches!(instruction.mnemonic(), Mnemonic::Hlt | Mnemonic::Int3) =>
            {
                return Err(Stop::Failure("the hook ends the process".to_owned()));
            }
            // xbegin, syscall and others that leave the process.
            _ => return Err(unsupported(&instruction)),
        }
        if !matches!(instruction.encoding(), EncodingKind::Legacy | EncodingKind::VEX) {
            return Err(unsupported(&instruction));
        }
        let known = self.integer(&instruction)?
            || self.vector(&instruction)?
            || self.machine(&instruction)?;
        if known { Ok(()) } else { Err(unsupported(&instruction)) }
    }

    fn decode(&mut self, at: u64) -> Result<Instruction, Stop> {
        let offset = at.wrapping_sub(self.code.0);
        let here = usize::try_from(offset).ok().and_then(|offset| self.code.1.get(offset..));
        let bytes = match here {
            // The longest instruction takes 15 bytes.
            Some(bytes) if bytes.len() >= 15 => bytes,
            _ => {
                let bytes = self.process.memory.code(at)?;
                self.code = (at, bytes);
                bytes
            }
        };
        let mut decoder = Decoder::with_ip(64, bytes, at, DecoderOptions::NONE);
        let instruction = decoder.decode();
        if instruction.is_invalid() {
            return Err(Stop::Reason(format!("the bytes at {at:#x} are no instruction")));
        }
        Ok(instruction)
    }

    /// Whether the loader changes any of `size` bytes of code.
    fn is_changed(&mut self, at: u64, size: u64) -> bool {
        let offset = at.wrapping_sub(self.unchanged);
        if offset < STRETCH && offset + size <= STRETCH {
            return false;
        }
        if self.process.memory.is_relocated(at, STRETCH) {
            return self.process.memory.is_relocated(at, size);
        }
        self.unchanged = at;
        false
    }

    /// The registers that arguments are passed in, in their order.
    fn argument_registers(&self) -> &'static [Register] {
        use Register::{R8, R9, RCX, RDI, RDX, RSI};
        match self.process.system {
            System::Windows => &[RCX, RDX, R8, R9],
            System::Linux | System::MacOs => &[RDI, RSI, RDX, RCX, R8, R9],
        }
    }

    fn pass(&mut self, arguments: [u64; 3]) {
        for (register, value) in self.argument_registers().iter().zip(arguments) {
            self.set(*register, value);
        }
    }

    /// A call or jump to a function outside of the wheel's libraries.
    fn leave(&mut self, target: u64) -> Result<(), Stop> {
        if self.process.is_thread_descriptor(target) {
            // Takes the descriptor and gives back its second word, both in rax.
            let offset = self.load(self.get(Register::RAX).wrapping_add(8), 8)?;
            self.set(Register::RAX, offset);
            self.instruction_pointer = self.pop()?;
            return Ok(());
        }
        if self.process.pauses() {
            self.process.paused = Some(Paused::X86_64(Box::new(self.state())));
            return Err(Stop::Paused);
        }
        let mut arguments = Arguments {
            registers: [0; 8],
            count: self.argument_registers().len(),
            stack: self.get(Register::RSP).wrapping_add(8),
            variadic_on_stack: false,
        };
        if self.process.system == System::Windows {
            arguments.stack = arguments.stack.wrapping_add(HOME_SPACE);
        }
        for (place, register) in arguments.registers.iter_mut().zip(self.argument_registers()) {
            *place = self.get(*register);
        }
        let reaction = self.process.call(target, &arguments)?;
        let back_to = self.pop()?;
        let onward = self.process.after(reaction, back_to);
        self.go(onward)
    }

    /// A function returns that a stub had called.
    fn come_back(&mut self) -> Result<(), Stop> {
        let onward = self.process.come_back(self.get(Register::RAX))?;
        self.go(onward)
    }

    fn go(&mut self, onward: Onward) -> Result<(), Stop> {
        match onward {
            Onward::Enter { function, arguments } => {
                self.push(STUB)?;
                self.pass(arguments);
                self.instruction_pointer = function;
            }
            Onward::Return { to, results } => {
                for (register, result) in [Register::RAX, Register::RDX].into_iter().zip(results) {
                    if let Some(result) = result {
                        self.set(register, result);
                    }
                }
                self.instruction_pointer = to;
            }
        }
        Ok(())
    }

    fn branch(&mut self, instruction: &Instruction) -> Result<(), Stop> {
        let taken = match instruction.condition_code() {
            ConditionCode::None => match instruction.code() {
                Code::Jrcxz_rel8_64 => self.get(Register::RCX) == 0,
                Code::Jecxz_rel8_64 => self.get(Register::RCX) & mask(4) == 0,
                Code::Loop_rel8_64_RCX => self.count_down() != 0,
                _ => return Err(unsupported(instruction)),
            },
            condition => {
                let more = match instruction.code() {
                    Code::Loope_rel8_64_RCX | Code::Loopne_rel8_64_RCX => self.count_down() != 0,
                    _ => instruction.is_jcc_short_or_near(),
                };
                more && self.condition(condition)
            }
        };
        if taken {
            self.instruction_pointer = instruction.near_branch_target();
        }
        Ok(())
    }

    /// What `loop` does before it looks.
    fn count_down(&mut self) -> u64 {
        let count = self.get(Register::RCX).wrapping_sub(1);
        self.set(Register::RCX, count);
        count
    }

    fn condition(&self, condition: ConditionCode) -> bool {
        let Flags { zero, sign, carry, overflow, parity, .. } = self.flags;
        match condition {
            ConditionCode::None => true,
            ConditionCode::o => overflow,
            ConditionCode::no => !overflow,
            ConditionCode::b => carry,
            ConditionCode::ae => !carry,
            ConditionCode::e => zero,
            ConditionCode::ne => !zero,
            ConditionCode::be => carry || zero,
            ConditionCode::a => !carry && !zero,
            ConditionCode::s => sign,
            ConditionCode::ns => !sign,
            ConditionCode::p => parity,
            ConditionCode::np => !parity,
            ConditionCode::l => sign != overflow,
            ConditionCode::ge => sign == overflow,
            ConditionCode::le => zero || sign != overflow,
            ConditionCode::g => !zero && sign == overflow,
        }
    }

    /// A general-purpose register as a whole.
    fn get(&self, register: Register) -> u64 {
        self.registers[register.number() & 15]
    }

    fn set(&mut self, register: Register, value: u64) {
        self.registers[register.number() & 15] = value;
    }

    /// Writes the lowest `size` bytes of a register. The upper half is cleared where 32 bits are
    /// written, and left where fewer are.
    fn set_part(&mut self, register: Register, size: usize, value: u64) {
        let kept = if size >= 4 { 0 } else { self.get(register) & !mask(size) };
        self.set(register, kept | value & mask(size));
    }

    /// The value of an operand, as wide as it is.
    fn read(&mut self, instruction: &Instruction, index: u32) -> Result<u64, Stop> {
        match instruction.op_kind(index) {
            OpKind::Register => {
                let register = instruction.op_register(index);
                if !register.is_gpr() {
                    return Err(unsupported(instruction));
                }
                let whole = self.get(register.full_register());
                let whole = if is_high_byte(register) { whole >> 8 } else { whole };
                Ok(whole & mask(register.size()))
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                self.load(address, instruction.memory_size().size())
            }
            OpKind::Immediate8
            | OpKind::Immediate16
            | OpKind::Immediate32
            | OpKind::Immediate64
            | OpKind::Immediate8to16
            | OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate32to64 => Ok(instruction.immediate(index)),
            _ => Err(unsupported(instruction)),
        }
    }

    /// Writes an operand, as wide as it is.
    fn write(&mut self, instruction: &Instruction, index: u32, value: u64) -> Result<(), Stop> {
        match instruction.op_kind(index) {
            OpKind::Register => {
                let register = instruction.op_register(index);
                if !register.is_gpr() {
                    return Err(unsupported(instruction));
                }
                let full = register.full_register();
                if is_high_byte(register) {
                    let before = self.get(full);
                    self.set(full, before & !0xff00 | (value & 0xff) << 8);
                } else {
                    self.set_part(full, register.size(), value);
                }
                Ok(())
            }
            OpKind::Memory => {
                let address = self.address(instruction)?;
                self.store(address, instruction.memory_size().size(), value)
            }
            _ => Err(unsupported(instruction)),
        }
    }

    /// How wide an operand is, in bytes.
    fn size(instruction: &Instruction, index: u32) -> usize {
        match instruction.op_kind(index) {
            OpKind::Register => instruction.op_register(index).size(),
            _ => instruction.memory_size().size(),
        }
    }

    /// The address of the memory operand.
    fn address(&self, instruction: &Instruction) -> Result<u64, Stop> {
        let segment = match instruction.segment_prefix() {
            Register::FS if self.process.system == System::Linux => THREAD,
            Register::GS if self.process.system != System::Linux => THREAD,
            Register::None | Register::DS | Register::SS | Register::CS | Register::ES => 0,
            _ => return Err(unsupported(instruction)),
        };
        Ok(self.offset(instruction)?.wrapping_add(segment))
    }

    /// The address of the memory operand within its segment.
    fn offset(&self, instruction: &Instruction) -> Result<u64, Stop> {
        if instruction.is_ip_rel_memory_operand() {
            return Ok(instruction.ip_rel_memory_address());
        }
        let mut width = 8;
        let mut part = |register: Register| match register {
            Register::None => Ok(0),
            register if register.is_gpr64() => Ok(self.get(register)),
            register if register.is_gpr32() => {
                width = 4;
                Ok(self.get(register.full_register()))
            }
            _ => Err(unsupported(instruction)),
        };
        let base = part(instruction.memory_base())?;
        let index = part(instruction.memory_index())?;
        let sum = base
            .wrapping_add(index.wrapping_mul(u64::from(instruction.memory_index_scale())))
            .wrapping_add(instruction.memory_displacement64());
        Ok(sum & mask(width))
    }

    /// Up to eight bytes of memory.
    fn load(&mut self, address: u64, size: usize) -> Result<u64, Stop> {
        let mut bytes = [0; 8];
        let part = bytes.get_mut(..size).ok_or_else(|| too_wide(size))?;
        self.process.memory.read_into(address, part)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn store(&mut self, address: u64, size: usize, value: u64) -> Result<(), Stop> {
        let bytes = value.to_le_bytes();
        let part = bytes.get(..size).ok_or_else(|| too_wide(size))?;
        Ok(self.process.memory.write(address, part)?)
    }

    fn push(&mut self, value: u64) -> Result<(), Stop> {
        let top = self.get(Register::RSP).wrapping_sub(8);
        self.set(Register::RSP, top);
        Ok(self.process.memory.write_word(top, value)?)
    }

    fn pop(&mut self) -> Result<u64, Stop> {
        let top = self.get(Register::RSP);
        self.set(Register::RSP, top.wrapping_add(8));
        Ok(self.process.memory.word(top)?)
    }
}

fn is_high_byte(register: Register) -> bool {
    matches!(register, Register::AH | Register::BH | Register::CH | Register::DH)
}

/// The bits of a value of `size` bytes.
fn mask(size: usize) -> u64 {
    if size >= 8 { u64::MAX } else { (1 << (size * 8)) - 1 }
}

fn too_wide(size: usize) -> Stop {
    Stop::Reason(format!("the hook uses an operand of {size} bytes, which is not followed yet"))
}

fn unsupported(instruction: &Instruction) -> Stop {
    Stop::Reason(format!(
        "the hook's instruction `{:?}` is not followed yet",
        instruction.mnemonic()
    ))
}
