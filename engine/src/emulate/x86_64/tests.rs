//! Instructions against what a processor did: see `fixtures/x86-64-instructions/README.md`.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use iced_x86::Register;

use super::{Cpu, Flags, Stop};
use crate::emulate::linked::{Linked, Loaded};
use crate::emulate::memory::Memory;
use crate::emulate::process::{Process, System, Variadic};
use crate::image::{BASE, Image};

/// Where the code lies in the file and in the library.
const CODE: usize = 0x1000;
/// Where `rdi` points to in the 64 bytes of memory that a case may have.
const MIDDLE: u64 = 32;
const REGISTERS: [(&str, Register); 6] = [
    ("rax", Register::RAX),
    ("rcx", Register::RCX),
    ("rdx", Register::RDX),
    ("rbx", Register::RBX),
    ("rsi", Register::RSI),
    ("rdi", Register::RDI),
];

/// A library of nothing but code.
fn library(code: &[u8]) -> Vec<u8> {
    let size = (code.len() as u64).to_le_bytes();
    let start = (CODE as u64).to_le_bytes();
    let mut bytes = vec![0; CODE];
    bytes[..20].copy_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x3e\0");
    bytes[20] = 1;
    // One program header of 56 bytes behind the header of 64: a stretch to read and execute.
    bytes[32] = 64;
    bytes[52..58].copy_from_slice(&[64, 0, 56, 0, 1, 0]);
    bytes[64] = 1;
    bytes[68] = 5;
    for (at, value) in [(72, start), (80, start), (88, start), (96, size), (104, size)] {
        bytes[at..at + 8].copy_from_slice(&value);
    }
    bytes[113] = 0x10;
    bytes.extend_from_slice(code);
    bytes
}

/// A memory's start, steps, and what to do with the processor before and after it ran `code`.
fn run<T>(
    code: &[u8],
    before: impl FnOnce(&mut Cpu<'_, '_, '_, '_>, u64),
    after: impl FnOnce(&mut Cpu<'_, '_, '_, '_>, u64, Result<(), Stop>) -> T,
) -> T {
    // Something has to follow, so that the last instruction can be told to be the last.
    let bytes = library(&[code, &[0x90; 16]].concat());
    let image = Image::load(&bytes).unwrap();
    let linked = Linked::new(vec![Loaded { name: "module.so", image: &image }], |_| false);
    let mut process = Process::new(&linked, (System::Linux, Variadic::X86_64), 14, false);
    let memory = process.memory.allocate(64).unwrap();
    let start = BASE + CODE as u64;
    let mut steps = 0;
    let mut cpu = Cpu::new(&mut process, start, 10_000, &mut steps);
    cpu.set(Register::RSP, Memory::stack_top());
    before(&mut cpu, memory);
    let mut ending = Ok(());
    while ending.is_ok() && cpu.instruction_pointer != start + code.len() as u64 {
        ending = cpu.count_step().and_then(|()| cpu.step());
    }
    after(&mut cpu, memory, ending)
}

/// What a line says of a state: `rax=5 ymm0=… memory=… flags=1`.
fn fields(text: &str) -> HashMap<&str, &str> {
    text.split_whitespace().map(|field| field.split_once('=').unwrap()).collect()
}

fn number(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap()
}

fn octets(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn vector(text: &str) -> [u64; 4] {
    [48, 32, 16, 0].map(|at| number(&text[at..at + 16]))
}

/// The difference between what a line expects and what happened; nothing where there is none.
fn difference(line: &str) -> String {
    let [_, code, mask, input, expected] = line.split('|').collect::<Vec<_>>()[..] else {
        panic!("expected five fields, found {line}");
    };
    let (mask, input) = (number(mask), fields(input));
    let set = |cpu: &mut Cpu<'_, '_, '_, '_>, memory: u64| {
        for (name, register) in REGISTERS {
            cpu.set(register, input.get(name).map_or(0, |value| number(value)));
        }
        if input.contains_key("rsi") {
            cpu.set(Register::RSI, memory + number(input["rsi"]));
        }
        cpu.set(Register::RDI, memory + MIDDLE);
        for (index, name) in ["ymm0", "ymm1", "ymm2"].into_iter().enumerate() {
            cpu.vectors[index] = input.get(name).map_or([0; 4], |value| vector(value));
        }
        if let Some(bytes) = input.get("memory") {
            cpu.process.memory.write(memory, &octets(bytes)).unwrap();
        }
        cpu.flags = Flags::from_bits(number(input["flags"]));
    };
    run(&octets(code), set, |cpu, memory, ending| {
        let mut different = String::new();
        match (ending, expected) {
            (Err(Stop::Failure(_)), "fault") => return different,
            (Ok(()), "fault") => return "did not fail".to_owned(),
            (Err(stop), _) => return format!("{stop:?}"),
            (Ok(()), _) => {}
        }
        let expected = fields(expected);
        let wanted = |name: &str| expected.get(name).or_else(|| input.get(name)).copied();
        for (name, register) in REGISTERS {
            let found = cpu.get(register);
            let found = match name {
                "rsi" if input.contains_key("rsi") => found.wrapping_sub(memory),
                "rdi" => found.wrapping_sub(memory),
                _ => found,
            };
            let untold = if name == "rdi" { MIDDLE } else { 0 };
            let value = wanted(name).map_or(untold, number);
            if found != value {
                write!(different, "{name} is {found:x}, not {value:x}; ").unwrap();
            }
        }
        for (index, name) in ["ymm0", "ymm1", "ymm2"].into_iter().enumerate() {
            let (found, value) = (cpu.vectors[index], wanted(name).map_or([0; 4], vector));
            if found != value {
                write!(different, "{name} is {found:x?}, not {value:x?}; ").unwrap();
            }
        }
        let mut found = [0; 64];
        cpu.process.memory.read_into(memory, &mut found).unwrap();
        let value = wanted("memory").map_or_else(|| vec![0; 64], octets);
        if found[..] != value[..] {
            write!(different, "memory is {found:x?}, not {value:x?}; ").unwrap();
        }
        let (found, value) = (cpu.flags.bits() & mask, number(expected["flags"]));
        if found != value {
            write!(different, "flags are {found:x}, not {value:x}; ").unwrap();
        }
        different
    })
}

#[test]
fn instructions_do_what_a_processor_did() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/x86-64-instructions");
    let file = std::env::var_os("FTCHECK_INSTRUCTIONS")
        .map_or_else(|| folder.join("vectors.txt"), PathBuf::from);
    let lines = std::fs::read_to_string(file).unwrap();
    let wrong: Vec<String> = lines
        .lines()
        .map(|line| (line, difference(line)))
        .filter(|(_, difference)| !difference.is_empty())
        .map(|(line, difference)| format!("{difference}\n    {line}"))
        .collect();
    let shown = wrong.iter().take(40).map(String::as_str).collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {}:\n{shown}", wrong.len(), lines.lines().count());
    assert!(lines.lines().count() >= 300);
}

/// The ending of a run of `code` with everything zero.
fn ending(code: &[u8]) -> Result<(), Stop> {
    run(code, |_, _| {}, |_, _, ending| ending)
}

#[test]
fn what_is_not_known_ends_the_run() {
    let unknown: [(&str, &[u8]); 8] = [
        ("vaddpd zmm0, zmm1, zmm2", b"\x62\xf1\xf5\x48\x58\xc2"),
        ("vaddpd xmm0, xmm1, xmm2, by EVEX", b"\x62\xf1\xf5\x08\x58\xc2"),
        ("paddb mm0, mm1", b"\x0f\xfc\xc1"),
        ("rcpps xmm0, xmm1", b"\x0f\x53\xc1"),
        ("fsin", b"\xd9\xfe"),
        ("syscall", b"\x0f\x05"),
        ("rdrand eax", b"\x0f\xc7\xf0"),
        ("mov ds, eax", b"\x8e\xd8"),
    ];
    for (name, code) in unknown {
        assert!(matches!(ending(code), Err(Stop::Reason(_))), "{name}: {:?}", ending(code));
    }
    assert!(matches!(ending(b"\x0f\x0b"), Err(Stop::Failure(_))), "ud2");
}

#[test]
fn the_control_register_of_vectors_cannot_be_changed() {
    // stmxcsr [rdi]; ldmxcsr [rdi], then with another rounding.
    let kept = b"\x0f\xae\x1f\x0f\xae\x17".as_slice();
    let at_memory = |cpu: &mut Cpu<'_, '_, '_, '_>, memory| cpu.set(Register::RDI, memory);
    run(kept, at_memory, |_, _, ending| ending).unwrap();
    // stmxcsr [rdi]; or byte [rdi+1], 0x60; ldmxcsr [rdi]
    let changed = b"\x0f\xae\x1f\x80\x4f\x01\x60\x0f\xae\x17".as_slice();
    let ending = run(changed, at_memory, |_, _, ending| ending);
    assert!(matches!(ending, Err(Stop::Reason(_))), "{ending:?}");
}

#[test]
fn exceptions_of_numbers_are_not_made_up() {
    // divsd xmm0, xmm0; stmxcsr [rdi]
    let code = b"\xf2\x0f\x5e\xc0\x0f\xae\x1f".as_slice();
    let ending = run(code, |cpu, memory| cpu.set(Register::RDI, memory), |_, _, ending| ending);
    assert!(matches!(ending, Err(Stop::Reason(_))), "{ending:?}");
}

/// A hook that measures how fast the clock goes divides by the difference of two looks at it.
#[test]
fn the_clock_goes_on() {
    // rdtsc; shl rdx, 32; or rax, rdx; mov rbx, rax; rdtscp; shl rdx, 32; or rax, rdx
    let look = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\x48\x89\xc3\
        \x0f\x01\xf9\x48\xc1\xe2\x20\x48\x09\xd0";
    run(
        look.as_slice(),
        |_, _| {},
        |cpu, _, ending| {
            ending.unwrap();
            let (first, second) = (cpu.get(Register::RBX), cpu.get(Register::RAX));
            assert!(first > u64::from(u32::MAX) && second > first, "{first} {second}");
            // The processor that it was read on.
            assert_eq!(cpu.get(Register::RCX), 0);
        },
    );
}

#[test]
fn long_repetitions_take_steps() {
    // rep stosb
    let ending = run(
        b"\xf3\xaa",
        |cpu, memory| {
            cpu.set(Register::RDI, memory);
            cpu.set(Register::RCX, 1 << 40);
        },
        |_, _, ending| ending,
    );
    assert!(ending.is_err());
}

#[test]
fn thread_local_addresses_are_relative_to_the_thread() {
    // mov rax, fs:[0]; lea rbx, fs:[0]
    let code = b"\x64\x48\x8b\x04\x25\0\0\0\0\x64\x48\x8d\x1c\x25\0\0\0\0".as_slice();
    let own = crate::emulate::memory::THREAD;
    run(
        code,
        |cpu, _| cpu.process.memory.write_word(own, own).unwrap(),
        |cpu, _, ending| {
            ending.unwrap();
            assert_eq!(cpu.get(Register::RAX), own);
            assert_eq!(cpu.get(Register::RBX), 0);
        },
    );
}

#[test]
fn processor_is_of_the_second_level_and_no_more() {
    let leaf = |leaf: u64| {
        run(
            b"\x0f\xa2",
            |cpu, _| cpu.set(Register::RAX, leaf),
            |cpu, _, ending| {
                ending.unwrap();
                [Register::RAX, Register::RBX, Register::RCX, Register::RDX]
                    .map(|register| cpu.get(register))
            },
        )
    };
    // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT, and LAHF (System V ABI, x86-64, table 3.1).
    let second = 1 | 1 << 9 | 1 << 13 | 1 << 19 | 1 << 20 | 1 << 23;
    assert_eq!(leaf(1)[2], second);
    assert_eq!(leaf(0x8000_0001)[2], 1);
    // CMOV, CMPXCHG8B, FPU, FXSR, MMX, SSE, SSE2.
    let first = 1 << 15 | 1 << 8 | 1 | 1 << 24 | 1 << 23 | 1 << 25 | 1 << 26;
    assert_eq!(leaf(1)[3] & first, first);
    // Nothing that is asked of leaf 7 is there: AVX2, BMI.
    assert_eq!(leaf(7), [0; 4]);
}
