//! `printf` into memory, without floating-point numbers.

use super::{Stub, place, returns};
use crate::emulate::process::{Arguments, Process, Reaction, Stop, System};

pub(super) fn find(name: &str) -> Option<Stub> {
    // Checked variants have a flag and the size of the target before the format.
    Some(match name {
        "sprintf" => |process, arguments| print(process, arguments, None, Format(1), Variadic),
        "snprintf" => |process, arguments| print(process, arguments, Some(1), Format(2), Variadic),
        "__sprintf_chk" => {
            |process, arguments| print(process, arguments, None, Format(3), Variadic)
        }
        "__snprintf_chk" => {
            |process, arguments| print(process, arguments, Some(1), Format(4), Variadic)
        }
        "vsprintf" => |process, arguments| print(process, arguments, None, Format(1), List),
        "vsnprintf" => |process, arguments| print(process, arguments, Some(1), Format(2), List),
        "__vsprintf_chk" => |process, arguments| print(process, arguments, None, Format(3), List),
        "__vsnprintf_chk" => {
            |process, arguments| print(process, arguments, Some(1), Format(4), List)
        }
        "asprintf" | "__asprintf_chk" => allocate,
        _ => return None,
    })
}

/// Where the format stands among the arguments.
struct Format(usize);

/// Where what it asks for is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// Behind the format.
    Variadic,
    /// In a `va_list` behind the format.
    List,
}
use Source::{List, Variadic};

fn print(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    limit: Option<usize>,
    format: Format,
    source: Source,
) -> Result<Reaction, Stop> {
    let target = arguments.get(&mut process.memory, 0)?;
    let limit = match limit {
        Some(index) => arguments.get(&mut process.memory, index)?,
        None => u64::MAX,
    };
    let text = formatted(process, arguments, format, source)?;
    let Some(room) = limit.checked_sub(1) else { return returns(text.len() as u64) };
    let room = usize::try_from(room).unwrap_or(usize::MAX).min(text.len());
    process.memory.write(target, &text[..room])?;
    process.memory.write(target.wrapping_add(room as u64), &[0])?;
    returns(text.len() as u64)
}

fn allocate(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let text = formatted(process, arguments, Format(1), Variadic)?;
    let address = place(process, &text)?;
    process.memory.write_word(arguments.registers[0], address)?;
    returns(text.len() as u64)
}

fn formatted(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    Format(at): Format,
    source: Source,
) -> Result<Vec<u8>, Stop> {
    let format = arguments.get(&mut process.memory, at)?;
    if source == List {
        let list = arguments.get(&mut process.memory, at + 1)?;
        return listed(process, format, list);
    }
    let format = process.memory.text(format)?;
    let mut next = 0;
    write(process, &format, |process| {
        next += 1;
        Ok(arguments.variadic(&mut process.memory, at + 1, next - 1)?)
    })
}

/// What is written by the format at an address, of what is in the `va_list` at another.
pub(super) fn listed(
    process: &mut Process<'_, '_, '_>,
    format: u64,
    list: u64,
) -> Result<Vec<u8>, Stop> {
    let format = process.memory.text(format)?;
    let mut next = 0;
    write(process, &format, |process| {
        next += 1;
        process.listed(list, next - 1)
    })
}

/// One directive: `%`, flags, width, precision, length, letter.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a directive has a flag for each")]
struct Directive {
    is_left: bool,
    pads_with_zeros: bool,
    has_plus: bool,
    is_alternate: bool,
    width: usize,
    precision: Option<usize>,
    /// Bytes of a number.
    length: usize,
}

fn write(
    process: &mut Process<'_, '_, '_>,
    format: &[u8],
    mut next: impl FnMut(&mut Process<'_, '_, '_>) -> Result<u64, Stop>,
) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    let mut letters = format.iter().copied().peekable();
    while let Some(letter) = letters.next() {
        if letter != b'%' {
            text.push(letter);
            continue;
        }
        let mut directive = Directive { length: 4, ..Directive::default() };
        let mut precise = false;
        let mut is_long = false;
        let conversion = loop {
            let Some(letter) = letters.next() else { break b'%' };
            match letter {
                b'-' => directive.is_left = true,
                b'+' => directive.has_plus = true,
                b'#' => directive.is_alternate = true,
                b' ' => {}
                b'0' if !precise && directive.width == 0 => directive.pads_with_zeros = true,
                b'0'..=b'9' => {
                    let digit = usize::from(letter - b'0');
                    let place = if precise {
                        directive.precision.get_or_insert(0)
                    } else {
                        &mut directive.width
                    };
                    *place = place.saturating_mul(10).saturating_add(digit).min(MAX_WIDTH);
                }
                b'*' => {
                    let value = usize::try_from(next(process)? & 0xffff_ffff).unwrap_or(0);
                    let value = value.min(MAX_WIDTH);
                    if precise {
                        directive.precision = Some(value);
                    } else {
                        directive.width = value;
                    }
                }
                b'.' => {
                    precise = true;
                    directive.precision = Some(0);
                }
                b'h' => directive.length = if directive.length == 2 { 1 } else { 2 },
                // `long` has four bytes on Windows.
                b'l' if !is_long && process.system == System::Windows => is_long = true,
                b'l' | b'z' | b'j' | b't' | b'q' => directive.length = 8,
                b'L' => {}
                other => break other,
            }
        };
        let piece = piece(process, conversion, &directive, &mut next)?;
        pad(&mut text, piece, &directive, conversion);
        if text.len() > MAX_TEXT {
            return Err(Stop::Reason("the hook formats too long a text".to_owned()));
        }
    }
    Ok(text)
}

const MAX_WIDTH: usize = 4096;
const MAX_TEXT: usize = 1 << 20;

fn piece(
    process: &mut Process<'_, '_, '_>,
    conversion: u8,
    directive: &Directive,
    next: &mut impl FnMut(&mut Process<'_, '_, '_>) -> Result<u64, Stop>,
) -> Result<Vec<u8>, Stop> {
    let unsigned = |value: u64| match directive.length {
        1 => value & 0xff,
        2 => value & 0xffff,
        4 => value & 0xffff_ffff,
        _ => value,
    };
    let signed = |value: u64| {
        let unused = 64 - directive.length * 8;
        (value << unused).cast_signed() >> unused
    };
    let text = match conversion {
        b'%' => return Ok(b"%".to_vec()),
        b'c' => return Ok(vec![next(process)?.to_le_bytes()[0]]),
        b's' => {
            let address = next(process)?;
            if address == 0 {
                return Ok(b"(null)".to_vec());
            }
            let mut text = process.memory.text(address)?;
            text.truncate(directive.precision.unwrap_or(usize::MAX));
            return Ok(text);
        }
        b'd' | b'i' => {
            let value = signed(next(process)?);
            if directive.has_plus { format!("{value:+}") } else { value.to_string() }
        }
        b'u' => unsigned(next(process)?).to_string(),
        b'x' => {
            let value = unsigned(next(process)?);
            if directive.is_alternate { format!("{value:#x}") } else { format!("{value:x}") }
        }
        b'X' => format!("{:X}", unsigned(next(process)?)),
        b'o' => format!("{:o}", unsigned(next(process)?)),
        b'p' => format!("{:#x}", next(process)?),
        other => {
            return Err(Stop::Reason(format!(
                "the hook formats with `%{}`, which is not followed",
                char::from(other)
            )));
        }
    };
    let digits = text.trim_start_matches(['-', '+']).len();
    let missing = directive.precision.unwrap_or(0).saturating_sub(digits);
    let (sign, digits) = text.split_at(text.len() - digits);
    Ok(format!("{sign}{}{digits}", "0".repeat(missing)).into_bytes())
}

fn pad(text: &mut Vec<u8>, piece: Vec<u8>, directive: &Directive, conversion: u8) {
    let missing = directive.width.saturating_sub(piece.len());
    let is_number = matches!(conversion, b'd' | b'i' | b'u' | b'x' | b'X' | b'o');
    if directive.is_left {
        text.extend(piece);
        text.extend(std::iter::repeat_n(b' ', missing));
    } else if directive.pads_with_zeros && is_number && directive.precision.is_none() {
        let sign = usize::from(matches!(piece.first(), Some(b'-' | b'+')));
        text.extend_from_slice(&piece[..sign]);
        text.extend(std::iter::repeat_n(b'0', missing));
        text.extend_from_slice(&piece[sign..]);
    } else {
        text.extend(std::iter::repeat_n(b' ', missing));
        text.extend(piece);
    }
}
