//! 64-bit x86, as far as an init function needs it whose module definition is ready in the file.
//!
//! Registers and the stack are followed, with values that may be unknown. The function ends the
//! following where it writes anywhere else, calls anything but `PyModuleDef_Init`, or branches on
//! something unknown: beyond that point its definition may have been changed.

use std::collections::HashMap;

use iced_x86::{
    ConditionCode, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind, Register,
};

use super::{Ending, Purpose, Trace};
use crate::inspect::image::{Image, shown};

/// Far above what such a function takes; an endless one ends here.
const MAX_STEPS: u32 = 4096;
/// Where the stack starts; no library is mapped there.
const STACK_TOP: u64 = 0x7fff_ffff_f000;
const STACK_SIZE: u64 = 1 << 20;
/// The address that the outermost call returns to.
const CALLER: u64 = 0x7fff_ffff_ff00;
/// Where glibc keeps the stack protector's canary, relative to `fs`.
const CANARY_OFFSET: u64 = 0x28;
/// Any value will do: it is written and compared, never used.
const CANARY: u64 = 0x00ca_0a17_5eed;

pub(super) fn follow(image: &Image<'_>, entry: u64, purpose: Purpose) -> Trace {
    let mut follower = Follower {
        image,
        purpose,
        writes: Vec::new(),
        registers: [None; 16],
        stack: HashMap::new(),
        flags: None,
        instruction_pointer: entry,
        definition: None,
    };
    follower.set_register(Register::RSP, Some(STACK_TOP));
    let mut steps = 0;
    let ending = match follower.push(Some(CALLER)) {
        Err(reason) => Ending::Stopped(reason),
        Ok(()) => loop {
            if steps == MAX_STEPS {
                break Ending::Stopped(format!("the hook did not return within {MAX_STEPS} steps"));
            }
            match follower.step() {
                Ok(None) => steps += 1,
                Ok(Some(Return(value))) => {
                    steps += 1;
                    break Ending::Returned(value);
                }
                Err(reason) => break Ending::Stopped(reason),
            }
        },
    };
    let Follower { definition, writes, .. } = follower;
    Trace { ending, definition, writes, steps }
}

/// The flags that conditions look at.
#[expect(clippy::struct_excessive_bools, reason = "a processor has one bit for each")]
#[derive(Debug, Clone, Copy)]
struct Flags {
    zero: bool,
    sign: bool,
    carry: bool,
    overflow: bool,
}

/// The outermost function is done, with this in the register for results.
struct Return(Option<u64>);

struct Follower<'image, 'data> {
    image: &'image Image<'data>,
    purpose: Purpose,
    /// Where a constructor wrote to the library's memory, and how many bytes.
    writes: Vec<(u64, u64)>,
    registers: [Option<u64>; 16],
    /// What was written to the stack, by address; eight bytes each.
    stack: HashMap<u64, Option<u64>>,
    flags: Option<Flags>,
    instruction_pointer: u64,
    definition: Option<u64>,
}

impl Follower<'_, '_> {
    /// Executes one instruction; the value returned once the outermost function is done.
    fn step(&mut self) -> Result<Option<Return>, String> {
        let at = self.instruction_pointer;
        if let Some(name) = self.image.import_at(at) {
            self.import(name)?;
            return self.return_to_caller();
        }
        let code =
            self.image.code(at).map_err(|problem| format!("no code to follow: {problem}"))?;
        let mut decoder = Decoder::with_ip(64, code, at, DecoderOptions::NONE);
        let instruction = decoder.decode();
        if instruction.is_invalid() {
            return Err(format!("the bytes at {} are no instruction", shown(at)));
        }
        if self.image.is_relocated(at, instruction.len() as u64) {
            return Err(format!("the loader changes the code at {}", shown(at)));
        }
        self.instruction_pointer = instruction.next_ip();
        match instruction.flow_control() {
            FlowControl::Next => self.execute(&instruction).map(|()| None),
            FlowControl::UnconditionalBranch => {
                self.instruction_pointer = instruction.near_branch_target();
                Ok(None)
            }
            FlowControl::IndirectBranch => {
                self.instruction_pointer = self.target(&instruction)?;
                Ok(None)
            }
            FlowControl::ConditionalBranch => {
                let taken = self.condition(instruction.condition_code()).ok_or_else(|| {
                    format!(
                        "the hook branches at {} on something known only at run time",
                        shown(at)
                    )
                })?;
                if taken {
                    self.instruction_pointer = instruction.near_branch_target();
                }
                Ok(None)
            }
            FlowControl::Call | FlowControl::IndirectCall
                if instruction.stack_pointer_increment() != -8 =>
            {
                Err(unsupported(&instruction))
            }
            FlowControl::Call => {
                self.push(Some(instruction.next_ip()))?;
                self.instruction_pointer = instruction.near_branch_target();
                Ok(None)
            }
            FlowControl::IndirectCall => {
                let target = self.target(&instruction)?;
                self.push(Some(instruction.next_ip()))?;
                self.instruction_pointer = target;
                Ok(None)
            }
            FlowControl::Return
                if instruction.mnemonic() == Mnemonic::Ret
                    && instruction.op_count() == 0
                    && instruction.stack_pointer_increment() == 8 =>
            {
                self.return_to_caller()
            }
            _ => Err(unsupported(&instruction)),
        }
    }

    fn return_to_caller(&mut self) -> Result<Option<Return>, String> {
        let target = self.pop()?.ok_or("the hook returns to an unknown address")?;
        if target == CALLER {
            return Ok(Some(Return(self.register(Register::RAX))));
        }
        self.instruction_pointer = target;
        Ok(None)
    }

    /// The one imported function whose effect is known: it returns the definition it is given
    /// (CPython, `Objects/moduleobject.c`, `PyModuleDef_Init`).
    fn import(&mut self, name: &str) -> Result<(), String> {
        if name != "PyModuleDef_Init" {
            return Err(format!("the hook calls `{name}`, whose outcome is not followed yet"));
        }
        let definition = self
            .register(Register::RDI)
            .ok_or("the hook calls `PyModuleDef_Init` on an unknown definition")?;
        self.definition = Some(definition);
        self.registers = [
            // A function may overwrite every register that its caller does not rely on.
            Some(definition),
            None,
            None,
            self.registers[3],
            self.registers[4],
            self.registers[5],
            None,
            None,
            None,
            None,
            None,
            None,
            self.registers[12],
            self.registers[13],
            self.registers[14],
            self.registers[15],
        ];
        self.flags = None;
        Ok(())
    }

    fn execute(&mut self, instruction: &Instruction) -> Result<(), String> {
        match instruction.mnemonic() {
            Mnemonic::Nop | Mnemonic::Endbr64 => Ok(()),
            Mnemonic::Push if instruction.stack_pointer_increment() == -8 => {
                let value = self.operand(instruction, 0)?;
                self.push(value)
            }
            Mnemonic::Pop if instruction.stack_pointer_increment() == 8 => {
                let value = self.pop()?;
                self.set_operand(instruction, value)
            }
            Mnemonic::Mov | Mnemonic::Movzx => {
                let value = self.operand(instruction, 1)?;
                self.set_operand(instruction, value)
            }
            Mnemonic::Lea => {
                let address = self.effective_address(instruction)?;
                self.set_operand(instruction, address)
            }
            Mnemonic::Xor if is_zeroing(instruction) => {
                self.flags = Some(Flags { zero: true, sign: false, carry: false, overflow: false });
                self.set_operand(instruction, Some(0))
            }
            Mnemonic::Xor => self.arithmetic(instruction, true, |a, b| a ^ b),
            Mnemonic::And => self.arithmetic(instruction, true, |a, b| a & b),
            Mnemonic::Or => self.arithmetic(instruction, true, |a, b| a | b),
            Mnemonic::Test => self.arithmetic(instruction, false, |a, b| a & b),
            Mnemonic::Shr | Mnemonic::Sar => self.shift_right(instruction),
            Mnemonic::Add => self.addition(instruction),
            Mnemonic::Sub => self.subtraction(instruction, true),
            Mnemonic::Cmp => self.subtraction(instruction, false),
            _ => Err(unsupported(instruction)),
        }
    }

    /// A bitwise operation, which clears carry and overflow.
    fn arithmetic(
        &mut self,
        instruction: &Instruction,
        keeps: bool,
        operation: impl Fn(u64, u64) -> u64,
    ) -> Result<(), String> {
        let bits = operand_bits(instruction);
        let values = self.operand(instruction, 0)?.zip(self.operand(instruction, 1)?);
        let value = values.map(|(left, right)| operation(left, right) & mask(bits));
        self.flags = value.map(|value| Flags {
            zero: value == 0,
            sign: value >> (bits - 1) & 1 == 1,
            carry: false,
            overflow: false,
        });
        if keeps { self.set_operand(instruction, value) } else { Ok(()) }
    }

    /// By a number that the instruction itself states, as the start-up code of libraries has it.
    fn shift_right(&mut self, instruction: &Instruction) -> Result<(), String> {
        let bits = operand_bits(instruction);
        let by = instruction.op1_kind() == OpKind::Immediate8;
        let count = instruction.immediate8() as usize;
        if !by && instruction.op_count() == 2 || count == 0 || count >= bits {
            return Err(unsupported(instruction));
        }
        let value = self.operand(instruction, 0)?.map(|value| {
            let unused = 64 - bits;
            match instruction.mnemonic() {
                Mnemonic::Shr => value >> count,
                _ => {
                    ((value << unused).cast_signed() >> unused >> count).cast_unsigned()
                        & mask(bits)
                }
            }
        });
        let before = self.operand(instruction, 0)?;
        self.flags = value.zip(before).map(|(value, before)| Flags {
            zero: value == 0,
            sign: value >> (bits - 1) & 1 == 1,
            carry: before >> (count - 1) & 1 == 1,
            // Only looked at after a shift by one, which these flags then do not tell.
            overflow: false,
        });
        self.set_operand(instruction, value)
    }

    fn addition(&mut self, instruction: &Instruction) -> Result<(), String> {
        let bits = operand_bits(instruction);
        let values = self.operand(instruction, 0)?.zip(self.operand(instruction, 1)?);
        let sum = values.map(|(left, right)| left.wrapping_add(right) & mask(bits));
        self.flags = values.zip(sum).map(|((left, right), sum)| {
            let sign = |value: u64| value >> (bits - 1) & 1 == 1;
            Flags {
                zero: sum == 0,
                sign: sign(sum),
                carry: sum < left & mask(bits),
                overflow: sign(left) == sign(right) && sign(sum) != sign(left),
            }
        });
        self.set_operand(instruction, sum)
    }

    fn subtraction(&mut self, instruction: &Instruction, keeps: bool) -> Result<(), String> {
        let bits = operand_bits(instruction);
        let values = self.operand(instruction, 0)?.zip(self.operand(instruction, 1)?);
        let difference = values.map(|(left, right)| left.wrapping_sub(right) & mask(bits));
        self.flags = values.zip(difference).map(|((left, right), difference)| {
            let sign = |value: u64| value >> (bits - 1) & 1 == 1;
            Flags {
                zero: difference == 0,
                sign: sign(difference),
                carry: left & mask(bits) < right & mask(bits),
                overflow: sign(left) != sign(right) && sign(difference) != sign(left),
            }
        });
        if keeps { self.set_operand(instruction, difference) } else { Ok(()) }
    }

    fn condition(&self, condition: ConditionCode) -> Option<bool> {
        let Flags { zero, sign, carry, overflow } = self.flags?;
        Some(match condition {
            ConditionCode::e => zero,
            ConditionCode::ne => !zero,
            ConditionCode::s => sign,
            ConditionCode::ns => !sign,
            ConditionCode::b => carry,
            ConditionCode::ae => !carry,
            ConditionCode::be => carry || zero,
            ConditionCode::a => !carry && !zero,
            ConditionCode::o => overflow,
            ConditionCode::no => !overflow,
            ConditionCode::l => sign != overflow,
            ConditionCode::ge => sign == overflow,
            ConditionCode::le => zero || sign != overflow,
            ConditionCode::g => !zero && sign == overflow,
            _ => return None,
        })
    }

    /// Where an indirect branch or call goes.
    fn target(&mut self, instruction: &Instruction) -> Result<u64, String> {
        self.operand(instruction, 0)?.ok_or_else(|| {
            format!("the hook branches at {} to an unknown address", shown(instruction.ip()))
        })
    }

    fn operand(&self, instruction: &Instruction, index: u32) -> Result<Option<u64>, String> {
        match instruction.op_kind(index) {
            OpKind::Register => {
                let register = instruction.op_register(index);
                if !register.is_gpr() || is_high_byte(register) {
                    return Err(unsupported(instruction));
                }
                let value = self.register(register.full_register());
                Ok(value.map(|value| value & mask(register.size() * 8)))
            }
            OpKind::Memory => self.load(instruction),
            OpKind::Immediate8
            | OpKind::Immediate16
            | OpKind::Immediate32
            | OpKind::Immediate64
            | OpKind::Immediate8to16
            | OpKind::Immediate8to32
            | OpKind::Immediate8to64
            | OpKind::Immediate32to64 => Ok(Some(instruction.immediate(index))),
            _ => Err(unsupported(instruction)),
        }
    }

    /// Writes the first operand.
    fn set_operand(&mut self, instruction: &Instruction, value: Option<u64>) -> Result<(), String> {
        match instruction.op0_kind() {
            OpKind::Register => {
                let register = instruction.op0_register();
                if !register.is_gpr() || is_high_byte(register) {
                    return Err(unsupported(instruction));
                }
                let full = register.full_register();
                let value = match register.size() {
                    8 => value,
                    // A 32-bit write clears the upper half.
                    4 => value.map(|value| value & mask(32)),
                    size => value
                        .zip(self.register(full))
                        .map(|(value, before)| before & !mask(size * 8) | value & mask(size * 8)),
                };
                self.set_register(full, value);
                Ok(())
            }
            OpKind::Memory => self.store(instruction, value),
            _ => Err(unsupported(instruction)),
        }
    }

    /// The address of the memory operand; `None` where a register in it is unknown.
    fn effective_address(&self, instruction: &Instruction) -> Result<Option<u64>, String> {
        if instruction.is_ip_rel_memory_operand() {
            return Ok(Some(instruction.ip_rel_memory_address()));
        }
        let part = |register: Register| match register {
            Register::None => Ok(Some(0)),
            register if register.is_gpr64() => Ok(self.register(register)),
            _ => Err(unsupported(instruction)),
        };
        let base = part(instruction.memory_base())?;
        let index = part(instruction.memory_index())?;
        let scale = u64::from(instruction.memory_index_scale());
        Ok(base.zip(index).map(|(base, index)| {
            base.wrapping_add(index.wrapping_mul(scale))
                .wrapping_add(instruction.memory_displacement64())
        }))
    }

    fn load(&self, instruction: &Instruction) -> Result<Option<u64>, String> {
        let address = self.effective_address(instruction)?;
        if instruction.has_segment_prefix() {
            return match (instruction.segment_prefix(), address) {
                (Register::FS, Some(CANARY_OFFSET)) => Ok(Some(CANARY)),
                _ => Ok(None),
            };
        }
        let Some(address) = address else { return Ok(None) };
        let size = instruction.memory_size().size();
        if is_stack(address) {
            let slot = self.stack.get(&(address & !7)).copied().flatten();
            return Ok(slot
                .filter(|_| address % 8 + size as u64 <= 8)
                .map(|value| value >> (address % 8 * 8) & mask(size * 8)));
        }
        if self
            .writes
            .iter()
            .any(|(written, length)| overlap(*written, *length, address, size as u64))
        {
            return Ok(None);
        }
        // Memory without bytes in the file is zero when the hook runs for the first time, and
        // whatever would have written it has ended the following.
        if self.image.is_zero_filled(address) {
            return Ok(Some(0));
        }
        let value = match size {
            8 => self.image.word(address),
            4 => self.image.half(address).map(u64::from),
            1 => self.image.byte(address).map(u64::from),
            _ => return Err(unsupported(instruction)),
        };
        Ok(value.ok())
    }

    fn store(&mut self, instruction: &Instruction, value: Option<u64>) -> Result<(), String> {
        let address = self.effective_address(instruction)?;
        let address = address.filter(|_| !instruction.has_segment_prefix());
        let size = instruction.memory_size().size() as u64;
        if self.purpose == Purpose::Constructor
            && let Some(address) = address.filter(|at| !is_stack(*at))
        {
            self.writes.push((address, size));
            return Ok(());
        }
        let address = address.filter(|at| is_stack(*at));
        let Some(address) = address else {
            return Err(format!(
                "the hook writes to memory at {}, which is not followed yet",
                shown(instruction.ip())
            ));
        };
        let whole = size == 8 && address.is_multiple_of(8);
        let first = address & !7;
        let last = (address + size.max(1) - 1) & !7;
        for slot in (first..=last).step_by(8) {
            self.stack.insert(slot, value.filter(|_| whole));
        }
        Ok(())
    }

    fn push(&mut self, value: Option<u64>) -> Result<(), String> {
        let top = self.register(Register::RSP).ok_or("the stack pointer is unknown")?;
        let top = top.wrapping_sub(8);
        if !is_stack(top) || !top.is_multiple_of(8) {
            return Err("the hook left its stack".to_owned());
        }
        self.stack.insert(top, value);
        self.set_register(Register::RSP, Some(top));
        Ok(())
    }

    fn pop(&mut self) -> Result<Option<u64>, String> {
        let top = self.register(Register::RSP).ok_or("the stack pointer is unknown")?;
        if !is_stack(top) || !top.is_multiple_of(8) {
            return Err("the hook left its stack".to_owned());
        }
        self.set_register(Register::RSP, Some(top.wrapping_add(8)));
        Ok(self.stack.get(&top).copied().flatten())
    }

    fn register(&self, register: Register) -> Option<u64> {
        self.registers[register.number()]
    }

    fn set_register(&mut self, register: Register, value: Option<u64>) {
        self.registers[register.number()] = value;
    }
}

fn overlap(left: u64, left_size: u64, right: u64, right_size: u64) -> bool {
    left < right.saturating_add(right_size) && right < left.saturating_add(left_size)
}

fn is_stack(address: u64) -> bool {
    (STACK_TOP - STACK_SIZE..STACK_TOP).contains(&address)
}

fn is_high_byte(register: Register) -> bool {
    matches!(register, Register::AH | Register::BH | Register::CH | Register::DH)
}

/// `xor r, r`, which is zero whatever the register held.
fn is_zeroing(instruction: &Instruction) -> bool {
    instruction.op0_kind() == OpKind::Register
        && instruction.op1_kind() == OpKind::Register
        && instruction.op0_register() == instruction.op1_register()
}

fn operand_bits(instruction: &Instruction) -> usize {
    let size = match instruction.op0_kind() {
        OpKind::Register => instruction.op0_register().size(),
        _ => instruction.memory_size().size(),
    };
    size.clamp(1, 8) * 8
}

fn mask(bits: usize) -> u64 {
    if bits >= 64 { u64::MAX } else { (1 << bits) - 1 }
}

fn unsupported(instruction: &Instruction) -> String {
    format!(
        "the hook's instruction `{:?}` at {} is not followed yet",
        instruction.mnemonic(),
        shown(instruction.ip())
    )
}
