//! `std::string`: what its member functions do, over the layouts of three libraries.
//!
//! ```text
//! cxx11   libstdc++
//! cow     libstdc++ before C++11
//! libcxx  libc++
//! ```
//!
//! What a function does to the characters is told here, once. A layout tells where they are, and
//! lists the functions that only its library has.

mod cow;
mod cxx11;
mod libcxx;

use super::{MAX_COPY, Stub, first, last, nothing, order, position, returns, take};
use crate::emulate::process::{Arguments, Process, Reaction, Stop};
use cow::Cow;
use cxx11::Cxx11;
use libcxx::LibCxx;

/// How a library lays out a string.
trait Layout {
    /// The class in the names of its members, behind `_ZN` or `_ZNK`.
    const CLASS: &'static str;
    /// What parameters call the class and its allocator. Where the class is written out these are
    /// substitutions, which count the parts of it (Itanium C++ ABI, "Compression").
    const OWN: &'static str;
    const ALLOCATOR: &'static str;

    /// The characters of a string.
    fn content(process: &mut Process<'_, '_, '_>, string: u64) -> Result<Vec<u8>, Stop>;

    /// Gives a string other characters.
    fn put(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<(), Stop>;

    /// Makes a string in memory that may hold anything.
    fn construct(process: &mut Process<'_, '_, '_>, string: u64, new: &[u8]) -> Result<(), Stop> {
        Self::put(process, string, new)
    }

    /// A function that only this library has, or that has to do with the layout.
    fn find(member: &str) -> Option<Stub>;
}

pub(super) fn find(name: &str) -> Option<Stub> {
    let rest = name.strip_prefix("_ZN")?;
    let rest = rest.strip_prefix('K').unwrap_or(rest);
    find_in::<Cxx11>(rest).or_else(|| find_in::<Cow>(rest)).or_else(|| find_in::<LibCxx>(rest))
}

fn find_in<L: Layout>(rest: &str) -> Option<Stub> {
    let member = plain::<L>(rest.strip_prefix(L::CLASS)?);
    L::find(&member)
        .or_else(|| find_constructor::<L>(&member))
        .or_else(|| find_change::<L>(&member))
        .or_else(|| find_question::<L>(&member))
}

/// The name of a member as the lists have it: with the abbreviations that the class before C++11
/// and its allocator have (`Ss`, `SaIcE`), and whole objects for bases, which are made and destroyed
/// the same way.
fn plain<L: Layout>(member: &str) -> String {
    let member = member.replace(L::ALLOCATOR, "SaIcE").replace(L::OWN, "Ss");
    match member.get(..3) {
        Some("C2E") => member.replacen("C2E", "C1E", 1),
        Some("D2E") => member.replacen("D2E", "D1E", 1),
        _ => member,
    }
}

fn find_constructor<L: Layout>(member: &str) -> Option<Stub> {
    Some(match member {
        "C1ERKSs" => |process, arguments| {
            let new = other::<L>(process, arguments)?;
            construct::<L>(process, arguments, &new)
        },
        "C1EPKcRKSaIcE" => |process, arguments| {
            let new = text(process, arguments, 1)?;
            construct::<L>(process, arguments, &new)
        },
        "C1EPKcmRKSaIcE" => |process, arguments| {
            let new = stretch(process, arguments, 1)?;
            construct::<L>(process, arguments, &new)
        },
        "C1EmcRKSaIcE" => |process, arguments| {
            let [_, size, letter, ..] = arguments.registers;
            construct::<L>(process, arguments, &vec![byte(letter); filled(size)])
        },
        "C1EOSs" => |process, arguments| {
            let new = other::<L>(process, arguments)?;
            L::construct(process, arguments.registers[1], &[])?;
            construct::<L>(process, arguments, &new)
        },
        "D1Ev" => nothing,
        _ => return None,
    })
}

fn find_change<L: Layout>(member: &str) -> Option<Stub> {
    Some(match member {
        "6appendEPKcm" | "9_M_appendEPKcm" => |process, arguments| {
            let new = stretch(process, arguments, 1)?;
            change::<L>(process, arguments, |content| content.extend_from_slice(&new))
        },
        "6appendEPKc" | "pLEPKc" => |process, arguments| {
            let new = text(process, arguments, 1)?;
            change::<L>(process, arguments, |content| content.extend_from_slice(&new))
        },
        "6appendERKSs" | "pLERKSs" => |process, arguments| {
            let new = other::<L>(process, arguments)?;
            change::<L>(process, arguments, |content| content.extend_from_slice(&new))
        },
        "9push_backEc" | "pLEc" => |process, arguments| {
            let letter = byte(arguments.registers[1]);
            change::<L>(process, arguments, |content| content.push(letter))
        },
        "6assignEPKcm" => |process, arguments| {
            let new = stretch(process, arguments, 1)?;
            change::<L>(process, arguments, |content| *content = new)
        },
        "6assignEPKc" | "aSEPKc" => |process, arguments| {
            let new = text(process, arguments, 1)?;
            change::<L>(process, arguments, |content| *content = new)
        },
        "6assignERKSs" | "9_M_assignERKSs" | "aSERKSs" => |process, arguments| {
            let new = other::<L>(process, arguments)?;
            change::<L>(process, arguments, |content| *content = new)
        },
        "6insertEmPKc" => |process, arguments| {
            let new = text(process, arguments, 2)?;
            replace::<L>(process, arguments, 0, &new)
        },
        "6insertEmPKcm" => |process, arguments| {
            let new = stretch(process, arguments, 2)?;
            replace::<L>(process, arguments, 0, &new)
        },
        "5eraseEmm" | "8_M_eraseEmm" => |process, arguments| {
            let removed = arguments.registers[2];
            replace::<L>(process, arguments, removed, &[])
        },
        "7replaceEmmPKcm" | "10_M_replaceEmmPKcm" => |process, arguments| {
            let removed = arguments.registers[2];
            let new = stretch(process, arguments, 3)?;
            replace::<L>(process, arguments, removed, &new)
        },
        "14_M_replace_auxEmmmc" => |process, arguments| {
            let [_, _, removed, count, ..] = arguments.registers;
            let letter = byte(arguments.get(&mut process.memory, 4)?);
            replace::<L>(process, arguments, removed, &vec![letter; filled(count)])
        },
        "6resizeEmc" => |process, arguments| {
            let [_, size, letter, ..] = arguments.registers;
            change::<L>(process, arguments, |content| content.resize(filled(size), byte(letter)))
        },
        _ => return None,
    })
}

fn find_question<L: Layout>(member: &str) -> Option<Stub> {
    Some(match member {
        "7compareEPKc" => |process, arguments| {
            let (own, other) = (own::<L>(process, arguments)?, text(process, arguments, 1)?);
            returns(order(own.cmp(&other)))
        },
        "7compareERKSs" => |process, arguments| {
            let (own, other) = (own::<L>(process, arguments)?, other::<L>(process, arguments)?);
            returns(order(own.cmp(&other)))
        },
        "4findEPKcmm" => |process, arguments| {
            let (own, wanted, from) = search::<L>(process, arguments)?;
            returns(position(&own, &wanted, from))
        },
        "4findEcm" => |process, arguments| {
            let [_, letter, from, ..] = arguments.registers;
            returns(position(&own::<L>(process, arguments)?, &[byte(letter)], from))
        },
        "5rfindEcm" => |process, arguments| {
            let [_, wanted, from, ..] = arguments.registers;
            let own = own::<L>(process, arguments)?;
            returns(last(&own, from, |letter| letter == byte(wanted)))
        },
        "13find_first_ofEPKcmm" => |process, arguments| {
            let (own, set, from) = search::<L>(process, arguments)?;
            returns(first(&own, from, |letter| set.contains(&letter)))
        },
        "17find_first_not_ofEPKcmm" => |process, arguments| {
            let (own, set, from) = search::<L>(process, arguments)?;
            returns(first(&own, from, |letter| !set.contains(&letter)))
        },
        "16find_last_not_ofEPKcmm" => |process, arguments| {
            let (own, set, from) = search::<L>(process, arguments)?;
            returns(last(&own, from, |letter| !set.contains(&letter)))
        },
        _ => return None,
    })
}

/// The characters of the string itself.
fn own<L: Layout>(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
) -> Result<Vec<u8>, Stop> {
    L::content(process, arguments.registers[0])
}

/// The characters of the string that is the argument.
fn other<L: Layout>(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
) -> Result<Vec<u8>, Stop> {
    L::content(process, arguments.registers[1])
}

/// The zero-terminated text at the argument of that place.
fn text(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    index: usize,
) -> Result<Vec<u8>, Stop> {
    let address = arguments.get(&mut process.memory, index)?;
    Ok(process.memory.text(address)?)
}

/// The characters at the argument of that place, whose number is the argument behind it.
fn stretch(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    index: usize,
) -> Result<Vec<u8>, Stop> {
    let address = arguments.get(&mut process.memory, index)?;
    let size = arguments.get(&mut process.memory, index + 1)?;
    take(process, address, size)
}

/// The string itself, the characters that are looked for, and where the search begins. They come in
/// the order characters, beginning, number.
fn search<L: Layout>(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
) -> Result<(Vec<u8>, Vec<u8>, u64), Stop> {
    let [string, wanted, from, size, ..] = arguments.registers;
    Ok((L::content(process, string)?, take(process, wanted, size)?, from))
}

/// Makes the string, and gives its place back.
fn construct<L: Layout>(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    new: &[u8],
) -> Result<Reaction, Stop> {
    let string = arguments.registers[0];
    L::construct(process, string, new)?;
    returns(string)
}

/// Changes what the string holds, and gives the string back.
fn change<L: Layout>(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    with: impl FnOnce(&mut Vec<u8>),
) -> Result<Reaction, Stop> {
    let string = arguments.registers[0];
    let mut content = L::content(process, string)?;
    with(&mut content);
    L::put(process, string, &content)?;
    returns(string)
}

/// Puts characters in the place of so many, from the place that the first argument names.
fn replace<L: Layout>(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    removed: u64,
    new: &[u8],
) -> Result<Reaction, Stop> {
    let at = arguments.registers[1];
    change::<L>(process, arguments, |content| {
        let start = index(at).min(content.len());
        let end = start.saturating_add(index(removed)).min(content.len());
        content.splice(start..end, new.iter().copied());
    })
}

/// A place in a string; the largest where it is too large for any.
fn index(place: u64) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}

/// How many letters a string is filled with.
fn filled(count: u64) -> usize {
    usize::try_from(count.min(MAX_COPY)).unwrap_or(0)
}

/// A letter as it is passed in a register.
fn byte(register: u64) -> u8 {
    register.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call_stub, with_process};
    use super::super::{knows, place};
    use super::*;
    use crate::emulate::process::{System, Variadic};

    /// A member as a library of that layout exports it, from its name in the lists.
    fn exported<L: Layout>(member: &str) -> String {
        let member = member.replace("SaIcE", L::ALLOCATOR).replace("Ss", L::OWN);
        format!("_ZN{}{member}", L::CLASS)
    }

    fn holds_what_was_put_into_it<L: Layout>(machine: (System, Variadic)) {
        with_process(machine, |process| {
            let string = process.memory.allocate(64).unwrap();
            let other = process.memory.allocate(64).unwrap();
            // What stood in the memory before is of no matter to a constructor.
            process.memory.write(other, &[0xff; 64]).unwrap();
            L::construct(process, string, b"spam").unwrap();
            let more = place(process, b" and a good deal of eggs").unwrap();
            let mut call = |member: &str, arguments: &[u64]| {
                let result = call_stub(process, &exported::<L>(member), arguments);
                (result, L::content(process, string).unwrap(), L::content(process, other))
            };
            let (result, content, _) = call("6appendEPKcm", &[string, more, 4]);
            assert_eq!((result, content.as_slice()), (string, b"spam and".as_slice()));
            let (_, content, _) = call("6appendEPKc", &[string, more]);
            assert_eq!(content, b"spam and and a good deal of eggs");
            let (result, _, copy) = call("C2ERKSs", &[other, string]);
            assert_eq!((result, copy.unwrap().as_slice()), (other, content.as_slice()));
            let (_, content, _) = call("5eraseEmm", &[string, 4, 24]);
            assert_eq!(content, b"spameggs");
            let (_, content, _) = call("6insertEmPKcm", &[string, 4, more, 5]);
            assert_eq!(content, b"spam and eggs");
            let (_, content, copy) = call("6appendERKSs", &[string, other]);
            assert_eq!(content, b"spam and eggsspam and and a good deal of eggs");
            assert_eq!(copy.unwrap(), b"spam and and a good deal of eggs");
            let (_, content, _) = call("7replaceEmmPKcm", &[string, 0, 9, more, 3]);
            assert_eq!(content, b" aneggsspam and and a good deal of eggs");
            let (_, content, _) = call("6resizeEmc", &[string, 3, 0]);
            assert_eq!(content, b" an");
            let (_, content, _) = call("9push_backEc", &[string, u64::from(b'd')]);
            assert_eq!(content, b" and");
            assert_eq!(call("7compareEPKc", &[string, more]).0, u64::from(u32::MAX));
            assert_eq!(call("7compareERKSs", &[string, string]).0, 0);
            assert_eq!(call("7compareERKSs", &[other, string]).0, 1);
            assert_eq!(call("4findEcm", &[string, u64::from(b'n'), 0]).0, 2);
            assert_eq!(call("4findEcm", &[string, u64::from(b'n'), 3]).0, u64::MAX);
            let (_, content, _) = call("aSERKSs", &[string, other]);
            assert_eq!(content, b"spam and and a good deal of eggs");
        });
    }

    #[test]
    fn strings_hold_what_was_put_into_them() {
        holds_what_was_put_into_it::<Cow>((System::Linux, Variadic::X86_64));
        holds_what_was_put_into_it::<Cxx11>((System::Linux, Variadic::Aarch64));
        holds_what_was_put_into_it::<LibCxx>((System::MacOs, Variadic::X86_64));
        holds_what_was_put_into_it::<LibCxx>((System::MacOs, Variadic::Pointer));
    }

    /// As `nm` shows them in `libstdc++.so.6` and `libc++.1.dylib`.
    #[test]
    fn members_are_known_by_the_names_that_libraries_export() {
        for name in [
            "_ZNSsC1ERKSs",
            "_ZNSsC2EPKcRKSaIcE",
            "_ZNSs6appendERKSs",
            "_ZNKSs7compareERKSs",
            "_ZNSsD1Ev",
            "_ZNSs4_Rep10_M_destroyERKSaIcE",
            "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC1ERKS4_",
            "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC2EPKcRKS3_",
            "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEC1EOS4_",
            "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE9_M_assignERKS4_",
            "_ZNKSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE7compareERKS4_",
            "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEED2Ev",
            "_ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEC1ERKS5_",
            "_ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEEaSERKS5_",
            "_ZNSt3__112basic_stringIcNS_11char_traitsIcEENS_9allocatorIcEEED1Ev",
        ] {
            assert!(knows(System::Linux, name), "{name}");
        }
        // Another function: the parameter is not the class.
        assert!(!knows(
            System::Linux,
            "_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE6appendERKS5_"
        ));
    }
}
