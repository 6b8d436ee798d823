//! The C and C++ runtime and the system beneath it, as far as init functions call them.
//!
//! ```text
//! blocks     memory
//! strings    bytes and strings
//! format     printf
//! threads    locks, keys, thread-local data
//! system     files, clocks, what the machine is
//! cxx        what compilers emit calls to, and libstdc++
//! cxx_string std::string of libstdc++
//! libcxx     libc++
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
mod strings;
mod system;
mod threads;
mod windows;

use super::process::{Arguments, Process, Reaction, Stop, System};

pub(super) use blocks::reallocate;

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
        .or_else(|| threads::find(name))
        .or_else(|| system::find(name))
        .or_else(|| cxx::find(name))
        .or_else(|| cxx_string::find(name))
        .or_else(|| libcxx::find(name))
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
