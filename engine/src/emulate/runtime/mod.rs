//! The C and C++ runtime and the system beneath it, as far as init functions call them.
//!
//! ```text
//! blocks     memory
//! strings    bytes and strings
//! format     printf
//! sort       qsort
//! threads    locks, keys, thread-local data
//! system     files, clocks, what the machine is
//! cxx        what compilers emit calls to, and libstdc++
//! libcxx     libc++
//! cxx_string std::string of both
//! windows    the system beneath it on Windows
//! msvc       what else Microsoft's runtime and compiler call
//! ```
//!
//! Each file lists its functions in one `find`. What is not listed is not followed.

mod blocks;
mod cxx;
mod cxx_string;
mod format;
mod libcxx;
mod msvc;
mod sort;
mod strings;
mod system;
mod threads;
mod windows;

use std::cmp::Ordering;

use super::process::{Arguments, Process, Reaction, Stop, System};

pub(super) use blocks::reallocate;
pub(super) use sort::Sorting;

/// What a function of the runtime does.
type Stub = fn(&mut Process<'_, '_, '_>, &Arguments) -> Result<Reaction, Stop>;

/// Copies and fills larger than this are no part of an init function.
const MAX_COPY: u64 = 1 << 24;

fn find(system: System, name: &str) -> Option<Stub> {
    if system == System::Windows
        && let Some(stub) = windows::find(name).or_else(|| msvc::find(name))
    {
        return Some(stub);
    }
    blocks::find(name)
        .or_else(|| strings::find(name))
        .or_else(|| format::find(name))
        .or_else(|| sort::find(name))
        .or_else(|| threads::find(name))
        .or_else(|| system::find(name))
        .or_else(|| cxx::find(name))
        .or_else(|| libcxx::find(name))
        .or_else(|| cxx_string::find(name))
}

/// Whether a name is one of those that [`call`] follows.
pub(super) fn knows(system: System, name: &str) -> bool {
    find(system, name).is_some()
}

/// What a function of the runtime does; `None` where `name` is none that is followed.
pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Result<Reaction, Stop>> {
    find(process.system, name).map(|stub| stub(process, arguments))
}

/// Does nothing, and reports success or null.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a stub")]
fn nothing(_: &mut Process<'_, '_, '_>, _: &Arguments) -> Result<Reaction, Stop> {
    Ok(Reaction::Return(0))
}

/// Does nothing, and reports −1.
#[expect(clippy::unnecessary_wraps, reason = "the shape of a stub")]
fn fails(_: &mut Process<'_, '_, '_>, _: &Arguments) -> Result<Reaction, Stop> {
    Ok(Reaction::Return(u64::MAX))
}

#[expect(clippy::unnecessary_wraps, reason = "the shape of a stub")]
fn returns(value: u64) -> Result<Reaction, Stop> {
    Ok(Reaction::Return(value))
}

/// An order as C's comparing functions give it back, in an int.
fn order(ordering: Ordering) -> u64 {
    match ordering {
        Ordering::Less => u64::from(u32::MAX),
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// Where `wanted` stands in a text, from a place on; the largest number for nowhere, as
/// `std::string::npos`.
fn position(text: &[u8], wanted: &[u8], from: u64) -> u64 {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let Some(rest) = text.get(from..) else { return u64::MAX };
    let found = match wanted {
        [] => Some(0),
        wanted => rest.windows(wanted.len()).position(|part| part == wanted),
    };
    found.map_or(u64::MAX, |at| (from + at) as u64)
}

/// The first letter from a place on that is wanted.
fn first(text: &[u8], from: u64, is_wanted: impl Fn(u8) -> bool) -> u64 {
    let from = usize::try_from(from).unwrap_or(usize::MAX);
    let mut letters = text.iter().enumerate().skip(from);
    letters.find(|(_, letter)| is_wanted(**letter)).map_or(u64::MAX, |(at, _)| at as u64)
}

/// The last letter up to a place that is wanted.
fn last(text: &[u8], upto: u64, is_wanted: impl Fn(u8) -> bool) -> u64 {
    let end = usize::try_from(upto).unwrap_or(usize::MAX).saturating_add(1).min(text.len());
    let found = text[..end].iter().rposition(|letter| is_wanted(*letter));
    found.map_or(u64::MAX, |at| at as u64)
}

/// The bytes of a stretch of memory.
fn take(process: &mut Process<'_, '_, '_>, address: u64, size: u64) -> Result<Vec<u8>, Stop> {
    if size > MAX_COPY {
        return Err(Stop::Reason("the hook copies too much memory".to_owned()));
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(0)];
    process.memory.read_into(address, &mut bytes)?;
    Ok(bytes)
}

/// Puts a zero-terminated text into memory of its own.
fn place(process: &mut Process<'_, '_, '_>, text: &[u8]) -> Result<u64, Stop> {
    let address = process.memory.allocate(text.len() as u64 + 1)?;
    process.memory.write(address, text)?;
    process.memory.write(address.wrapping_add(text.len() as u64), &[0])?;
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::super::linked::Linked;
    use super::super::process::{System, Variadic};
    use super::*;

    /// Calls a stub and gives back what it returns.
    pub(super) fn call_stub(process: &mut Process<'_, '_, '_>, name: &str, values: &[u64]) -> u64 {
        let mut registers = [0; 8];
        registers[..values.len()].copy_from_slice(values);
        let arguments = Arguments { registers, count: 6, stack: 0, variadic_on_stack: false };
        match call(process, name, &arguments) {
            Some(Ok(Reaction::Return(value))) => value,
            other => panic!("{name}: {other:?}"),
        }
    }

    pub(super) fn with_process(
        machine: (System, Variadic),
        test: impl Fn(&mut Process<'_, '_, '_>),
    ) {
        let linked = Linked::new(Vec::new(), |_| false);
        test(&mut Process::new(&linked, machine, 14, true));
    }

    /// The comparing function is played by the test: it reads the two numbers it is given.
    #[test]
    fn elements_are_sorted_by_what_the_function_says() {
        for numbers in [vec![3u32, 1, 2], vec![1, 2, 3, 4], vec![5, 4, 3, 2, 1, 1, 9, 0]] {
            with_process((System::Linux, Variadic::X86_64), |process| {
                let bytes: Vec<u8> = numbers.iter().flat_map(|one| one.to_le_bytes()).collect();
                let start = process.memory.allocate(bytes.len() as u64).unwrap();
                process.memory.write(start, &bytes).unwrap();
                let registers = [start, numbers.len() as u64, 4, 0x1234, 0, 0, 0, 0];
                let arguments =
                    Arguments { registers, count: 6, stack: 0, variadic_on_stack: false };
                let Some(Ok(Reaction::Enter { function, mut arguments, .. })) =
                    call(process, "qsort", &arguments)
                else {
                    panic!("nothing is compared")
                };
                assert_eq!(function, 0x1234);
                let mut sorting = process.sortings.pop().unwrap();
                let mut compared = 0;
                loop {
                    let [left, right] = [arguments[0], arguments[1]]
                        .map(|at| u32::from_le_bytes(process.memory.read(at).unwrap()));
                    compared += 1;
                    let result = order(left.cmp(&right));
                    match sorting.advance(&mut process.memory, result).unwrap() {
                        Some((_, next)) => arguments = next,
                        None => break,
                    }
                }
                assert!(compared < numbers.len() * numbers.len());
                let mut expected = numbers.clone();
                expected.sort_unstable();
                let sorted = take(process, start, bytes.len() as u64).unwrap();
                let expected: Vec<u8> = expected.iter().flat_map(|one| one.to_le_bytes()).collect();
                assert_eq!(sorted, expected);
            });
        }
    }
}
