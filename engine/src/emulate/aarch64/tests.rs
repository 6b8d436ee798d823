//! What single instructions do: compared with QEMU, with independent computations, and with the
//! Arm ARM where neither serves.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::instruction::Instruction;
use super::integer::{add_with_carry, bit_masks};
use super::{Cpu, Flags, LINK, STACK, THREAD};
use crate::emulate::linked::Linked;
use crate::emulate::process::{Process, Stop, System, Variadic};

/// Words, seeds, names and outcomes, see `record.py` beside it.
const RECORDED: &str = include_str!("../../../fixtures/aarch64/instructions.txt");

const MIDDLE: u64 = 0x7fef_fffe_8000;
const CODE: u64 = MIDDLE + 0x4000;
const DATA: u64 = MIDDLE - 0x3000;
const DATA_SIZE: u64 = 0x6000;

const NUMBERS: [u64; 12] = [
    0,
    1,
    u64::MAX,
    1 << 63,
    (1 << 63) - 1,
    1 << 31,
    (1 << 31) - 1,
    (1 << 32) - 1,
    0x80,
    0x7f,
    0x8000,
    0x7fff,
];
const FLOATS: [u64; 16] = [
    0x3ff0_0000_0000_0000,
    0xbff8_0000_0000_0000,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0001,
    0x7ff4_0000_0000_0123,
    0x8000_0000_0000_0000,
    0x0000_0000_0000_0001,
    0x3f80_0000_3f80_0000,
    0xbfc0_0000_c020_0000,
    0x7f80_0000_ff80_0000,
    0x7fc0_0001_7fa0_0123,
    0x8000_0000_0000_0001,
    0x43e0_0000_0000_0000,
    0x41df_ffff_ffc0_0000,
    0x4f00_0000_4eff_ffff,
];

/// `SplitMix64`, from which `record.py` makes the same state.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = self.0;
        let mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn pick(&mut self, count: u64) -> usize {
        usize::try_from(self.next() % count).unwrap()
    }

    fn value(&mut self, for_vector: bool) -> u64 {
        let (kind, drawn) = (self.next() % 8, self.next());
        let choice = usize::try_from(drawn >> 8).unwrap();
        match kind {
            0..=2 => drawn,
            3 => drawn >> (drawn & 63),
            4 => NUMBERS[choice % NUMBERS.len()],
            5 => (drawn >> (drawn & 63)).wrapping_neg(),
            6 if for_vector => FLOATS[choice % FLOATS.len()],
            _ if for_vector && drawn & 1 == 1 => {
                drawn & 0x83ff_ffff_83ff_ffff | 0x3c00_0000_3c00_0000
            }
            _ if for_vector => drawn & 0x803f_ffff_ffff_ffff | 0x3fc0_0000_0000_0000,
            6 => drawn & 0xff,
            _ => drawn,
        }
    }

    fn address(&mut self) -> u64 {
        MIDDLE - 128 * 16 + self.pick(256) as u64 * 16
    }
}

fn data() -> Vec<u8> {
    let mut mix = SplitMix(7);
    (0..DATA_SIZE / 8).flat_map(|_| mix.next().to_le_bytes()).collect()
}

/// Makes a process of that system, without any library, and a processor in it.
fn with_cpu<T>(system: System, body: impl FnOnce(&mut Cpu<'_, '_, '_, '_>) -> T) -> T {
    let linked = Linked::new(Vec::new(), |_| true);
    let mut process = Process::new(&linked, (system, Variadic::Aarch64), 14, true);
    body(&mut Cpu::new(&mut process, CODE))
}

fn execute(cpu: &mut Cpu<'_, '_, '_, '_>, word: u32) -> Result<(), Stop> {
    cpu.execute(Instruction::decode(word).unwrap_or_else(|| panic!("{word:#x} is unknown")))
}

fn set_up(cpu: &mut Cpu<'_, '_, '_, '_>, seed: u64, word: u32, data: &[u8]) {
    let mut mix = SplitMix(seed);
    for number in 0..STACK {
        cpu.registers[number] = mix.value(false);
    }
    for number in 20..28 {
        cpu.registers[number] = mix.address();
    }
    cpu.registers[28] = mix.next() % 64;
    cpu.registers[29] = (mix.next() % 64).wrapping_neg();
    cpu.registers[STACK] = mix.address();
    for vector in &mut cpu.vectors {
        *vector = u128::from(mix.value(true)) | u128::from(mix.value(true)) << 64;
    }
    cpu.flags = Flags::from_bits(u32::try_from(mix.next() & 15).unwrap());
    cpu.process.memory.write(DATA, data).unwrap();
    cpu.process.memory.write(CODE, &word.to_le_bytes()).unwrap();
}

/// What an instruction changes, in the words of `record.py`.
fn changes(word: u32, seed: u64, data: &[u8]) -> Option<String> {
    let instruction = Instruction::decode(word)?;
    with_cpu(System::Linux, |cpu| {
        set_up(cpu, seed, word, data);
        let (registers, vectors, flags) = (cpu.registers, cpu.vectors, cpu.flags);
        cpu.execute(instruction).ok()?;
        let mut found = Vec::new();
        for (number, before) in registers.iter().enumerate() {
            if cpu.registers[number] != *before {
                found.push(format!("x{number}={:x}", cpu.registers[number]));
            }
        }
        for (number, before) in vectors.iter().enumerate() {
            if cpu.vectors[number] != *before {
                found.push(format!("v{number}={:x}", cpu.vectors[number]));
            }
        }
        if cpu.flags != flags {
            found.push(format!("f={:x}", cpu.flags.bits()));
        }
        let moved = cpu.program_counter.wrapping_sub(CODE);
        if moved != 4 {
            found.push(format!("p={moved:x}"));
        }
        let mut after = vec![0; data.len()];
        cpu.process.memory.read_into(DATA, &mut after).unwrap();
        let places: Vec<usize> = (0..data.len()).filter(|at| after[*at] != data[*at]).collect();
        if let (Some(first), Some(last)) = (places.first(), places.last()) {
            let bytes: Vec<String> =
                after[*first..=*last].iter().map(|byte| format!("{byte:02x}")).collect();
            found.push(format!("m{first:x}={}", bytes.concat()));
        }
        Some(found.join(" "))
    })
}

#[test]
fn instructions_do_what_qemu_does() {
    let data = data();
    let mut names = BTreeSet::new();
    let mut wrong = Vec::new();
    for line in RECORDED.lines() {
        let mut parts = line.splitn(4, ' ');
        let word = u32::from_str_radix(parts.next().unwrap(), 16).unwrap();
        let seed = u64::from_str_radix(parts.next().unwrap(), 16).unwrap();
        let name = parts.next().unwrap();
        let expected = parts.next().unwrap_or_default();
        // An address that is not mapped, or an encoding that is reserved, must not pass.
        let expected = Some(expected.to_owned()).filter(|expected| expected != "fault");
        let found = changes(word, seed, &data);
        if found != expected {
            wrong.push(format!("{line}\n    found {found:?}"));
        }
        names.extend(expected.is_some().then_some(name));
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(names.len() > 300, "only {} instructions are recorded", names.len());
}

#[test]
fn atomic_extremes_compare_narrow_numbers_with_their_sign() {
    // ldsmaxb w1, w2, [x0], ldsminh and ldsmax likewise; this is what QEMU gets wrong.
    let cases = [
        (0x3821_4002, 0x80, 0x7f, 0x7f),
        (0x3821_4002, 0x7f, 0x80, 0x7f),
        (0x7821_5002, 0x8000, 1, 0x8000),
        (0x7821_5002, 1, 0x8000, 0x8000),
        (0xb821_4002, 0x8000_0000, 5, 5),
        (0xb821_5002, 5, 0xffff_ffff, 0xffff_ffff),
    ];
    for (word, before, operand, after) in cases {
        with_cpu(System::Linux, |cpu| {
            cpu.registers[..2].copy_from_slice(&[DATA, operand]);
            cpu.process.memory.write_word(DATA, before).unwrap();
            execute(cpu, word).unwrap();
            assert_eq!(cpu.registers[2], before, "{word:#x}");
            assert_eq!(cpu.process.memory.word(DATA), Ok(after), "{word:#x}");
        });
    }
}

#[test]
fn an_exclusive_store_needs_the_load_of_the_same_place() {
    with_cpu(System::Linux, |cpu| {
        let (load, store) = (0x885f_7c01, 0x8802_7c03); // ldxr w1, [x0]; stxr w2, w3, [x0]
        cpu.process.memory.write_word(DATA, 7).unwrap();
        cpu.registers[..4].copy_from_slice(&[DATA, 0, 9, 5]);
        execute(cpu, store).unwrap();
        assert_eq!((cpu.registers[2], cpu.process.memory.word(DATA)), (1, Ok(7)));
        execute(cpu, load).unwrap();
        assert_eq!(cpu.registers[1], 7);
        execute(cpu, store).unwrap();
        assert_eq!((cpu.registers[2], cpu.process.memory.word(DATA)), (0, Ok(5)));
        // The mark is gone now.
        cpu.registers[3] = 6;
        execute(cpu, store).unwrap();
        assert_eq!((cpu.registers[2], cpu.process.memory.word(DATA)), (1, Ok(5)));
        execute(cpu, load).unwrap();
        // clrex
        execute(cpu, 0xd503_3f5f).unwrap();
        execute(cpu, store).unwrap();
        assert_eq!((cpu.registers[2], cpu.process.memory.word(DATA)), (1, Ok(5)));
        execute(cpu, load).unwrap();
        cpu.registers[0] = DATA + 4;
        execute(cpu, store).unwrap();
        assert_eq!((cpu.registers[2], cpu.process.memory.word(DATA)), (1, Ok(5)));
    });
}

#[test]
fn the_thread_is_found_as_each_system_keeps_it() {
    // mrs x3, tpidr_el0; mrs x3, tpidrro_el0
    for (word, system, found) in [
        (0xd53b_d043, System::Linux, true),
        (0xd53b_d043, System::MacOs, false),
        (0xd53b_d063, System::MacOs, true),
        (0xd53b_d063, System::Linux, false),
        (0xd53b_d043, System::Windows, false),
    ] {
        with_cpu(system, |cpu| {
            assert_eq!(execute(cpu, word).is_ok(), found, "{word:#x} {system:?}");
            assert_eq!(cpu.registers[3], if found { THREAD } else { 0 });
            assert_eq!(cpu.registers[18] == THREAD, system == System::Windows);
        });
    }
}

#[test]
fn flags_move_to_and_from_their_register() {
    with_cpu(System::Linux, |cpu| {
        cpu.registers[1] = 0xa000_0000;
        execute(cpu, 0xd51b_4201).unwrap(); // msr nzcv, x1
        assert_eq!(cpu.flags, Flags { negative: true, carry: true, ..Flags::default() });
        execute(cpu, 0xd53b_4202).unwrap(); // mrs x2, nzcv
        assert_eq!(cpu.registers[2], 0xa000_0000);
    });
}

#[test]
fn what_only_the_running_processor_knows_is_not_made_up() {
    // cntvct_el0, fpsr, id_aa64isar0_el1, svc, dc zva, pmull, sha256h, msr fpcr
    for word in [
        0xd53b_e040,
        0xd53b_4420,
        0xd538_0600,
        0xd400_0001,
        0xd50b_7420,
        0x0e22_e020,
        0x5e02_4020,
        0xd51b_4400,
    ] {
        let outcome = with_cpu(System::Linux, |cpu| execute(cpu, word));
        assert!(matches!(outcome, Err(Stop::Reason(_))), "{word:#x}: {outcome:?}");
    }
}

#[test]
fn traps_are_a_bad_end() {
    // brk, udf
    for word in [0xd420_0020, 0] {
        let outcome = with_cpu(System::Linux, |cpu| execute(cpu, word));
        assert!(matches!(outcome, Err(Stop::Failure(_))), "{word:#x}: {outcome:?}");
    }
}

#[test]
fn pointer_authentication_leaves_pointers_alone() {
    // paciasp, autiasp, xpaclri, bti c, pacia x0 x1, autda x0 x1, xpaci x0, pacibz x0
    for word in [
        0xd503_233f,
        0xd503_23bf,
        0xd503_20ff,
        0xd503_245f,
        0xdac1_0020,
        0xdac1_1820,
        0xdac1_43e0,
        0xdac1_27e0,
    ] {
        with_cpu(System::Linux, |cpu| {
            cpu.registers[..2].copy_from_slice(&[0x1234_5678, 99]);
            cpu.registers[LINK] = 0x4321;
            let before = cpu.registers;
            execute(cpu, word).unwrap();
            assert_eq!(cpu.registers, before, "{word:#x}");
        });
    }
}

#[test]
fn logical_immediates_are_rotated_runs_of_ones_in_repeated_elements() {
    let mut expected = BTreeSet::new();
    for size in [2u32, 4, 8, 16, 32, 64] {
        for ones in 1..size {
            for rotation in 0..size {
                // Bit by bit: set where the place lies in the run that was rotated to the right.
                let bit = |place: u32| u64::from((place % size + rotation) % size < ones);
                expected.insert((0..64).fold(0, |all, place| all | bit(place) << place));
            }
        }
    }
    let fields = (0..2).flat_map(|n| (0..64).flat_map(move |s| (0..64).map(move |r| (n, s, r))));
    let found: BTreeSet<u64> = fields
        .filter_map(|(n, imms, immr)| bit_masks(n, imms, immr, true).map(|(mask, _)| mask))
        .collect();
    // The count that is known of this encoding.
    assert_eq!(found.len(), 5334);
    assert_eq!(found, expected);
}

proptest! {
    #[test]
    fn sums_and_their_flags_are_those_of_exact_numbers(
        left in any::<u64>(), right in any::<u64>(), carry in any::<bool>(),
    ) {
        let (sum, flags) = add_with_carry(left, right, carry, 64);
        let (first, over) = left.overflowing_add(right);
        let (second, again) = first.overflowing_add(u64::from(carry));
        prop_assert_eq!(sum, second);
        prop_assert_eq!(flags.carry, over || again);
        let exact =
            i128::from(left.cast_signed()) + i128::from(right.cast_signed()) + i128::from(carry);
        prop_assert_eq!(flags.overflow, i64::try_from(exact).is_err());
        prop_assert_eq!(flags.negative, second.cast_signed() < 0);
        prop_assert_eq!(flags.zero, second == 0);
    }

    #[test]
    fn no_word_makes_the_processor_panic(word in any::<u32>(), seed in any::<u64>()) {
        changes(word, seed, &[0; 64]);
    }
}
