//! Bytes and strings: `<string.h>`, `<ctype.h>`, and numbers out of strings.

use super::{MAX_COPY, Stub, order, place, returns, take};
use crate::emulate::process::{Arguments, Process, Reaction, Stop};

#[expect(clippy::too_many_lines, reason = "a list of functions")]
pub(super) fn find(name: &str) -> Option<Stub> {
    // Checked variants take the size of the target behind the arguments of the plain ones.
    let plain = name.strip_prefix("__").and_then(|rest| rest.strip_suffix("_chk"));
    Some(match plain.unwrap_or(name) {
        "memcpy" | "memmove" => |process, arguments| copy(process, arguments, false),
        "mempcpy" => |process, arguments| copy(process, arguments, true),
        "bcopy" => |process, arguments| {
            let [from, to, size, ..] = arguments.registers;
            let bytes = take(process, from, size)?;
            process.memory.write(to, &bytes)?;
            returns(0)
        },
        "memset" => |process, arguments| {
            let [to, byte, size, ..] = arguments.registers;
            fill(process, to, byte, size)
        },
        "bzero" | "__bzero" => |process, arguments| {
            let [to, size, ..] = arguments.registers;
            fill(process, to, 0, size)
        },
        "memset_pattern4" => |process, arguments| pattern(process, arguments, 4),
        "memset_pattern8" => |process, arguments| pattern(process, arguments, 8),
        "memset_pattern16" => |process, arguments| pattern(process, arguments, 16),
        "memcmp" | "bcmp" => |process, arguments| {
            let [left, right, size, ..] = arguments.registers;
            let (left, right) = (take(process, left, size)?, take(process, right, size)?);
            returns(order(left.cmp(&right)))
        },
        "memchr" => memchr,
        "memrchr" => |process, arguments| {
            let [start, byte, size, ..] = arguments.registers;
            let bytes = take(process, start, size)?;
            let wanted = byte.to_le_bytes()[0];
            let at = bytes.iter().rposition(|byte| *byte == wanted);
            returns(at.map_or(0, |at| start.wrapping_add(at as u64)))
        },
        "strlen" => {
            |process, arguments| returns(process.memory.text(arguments.registers[0])?.len() as u64)
        }
        "strnlen" => |process, arguments| {
            let [text, limit, ..] = arguments.registers;
            returns((process.memory.text(text)?.len() as u64).min(limit))
        },
        "strcmp" | "strcoll" => |process, arguments| compare(process, arguments, None, false),
        "strncmp" => {
            |process, arguments| compare(process, arguments, Some(arguments.registers[2]), false)
        }
        "strcasecmp" => |process, arguments| compare(process, arguments, None, true),
        "strncasecmp" => {
            |process, arguments| compare(process, arguments, Some(arguments.registers[2]), true)
        }
        "strcpy" => |process, arguments| {
            let [to, from, ..] = arguments.registers;
            let text = process.memory.text(from)?;
            put_text(process, to, &text)?;
            returns(to)
        },
        "stpcpy" => |process, arguments| {
            let [to, from, ..] = arguments.registers;
            let text = process.memory.text(from)?;
            put_text(process, to, &text)?;
            returns(to.wrapping_add(text.len() as u64))
        },
        "strncpy" => strncpy,
        "strcat" => |process, arguments| concatenate(process, arguments, None),
        "strncat" => {
            |process, arguments| concatenate(process, arguments, Some(arguments.registers[2]))
        }
        "strchr" | "index" => |process, arguments| strchr(process, arguments, false),
        "strrchr" | "rindex" => |process, arguments| strchr(process, arguments, true),
        "strstr" => strstr,
        "strspn" => |process, arguments| span(process, arguments, true).map(Reaction::Return),
        "strcspn" => |process, arguments| span(process, arguments, false).map(Reaction::Return),
        "strpbrk" => |process, arguments| {
            let length = span(process, arguments, false)?;
            let at = arguments.registers[0].wrapping_add(length);
            let [byte] = process.memory.read::<1>(at)?;
            returns(if byte == 0 { 0 } else { at })
        },
        "strdup" => |process, arguments| {
            let text = process.memory.text(arguments.registers[0])?;
            returns(place(process, &text)?)
        },
        "strndup" => |process, arguments| {
            let [text, limit, ..] = arguments.registers;
            let mut text = process.memory.text(text)?;
            text.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            returns(place(process, &text)?)
        },
        "atoi" | "atol" | "atoll" => {
            |process, arguments| number(process, arguments.registers[0], 0, 10)
        }
        "strtol" | "strtoul" | "strtoll" | "strtoull" | "__isoc23_strtol" | "__isoc23_strtoul"
        | "__isoc23_strtoll" | "__isoc23_strtoull" => |process, arguments| {
            let [text, end, base, ..] = arguments.registers;
            number(process, text, end, base)
        },
        "toupper" => |_, arguments| returns(mapped(arguments, |byte| byte.to_ascii_uppercase())),
        "tolower" => |_, arguments| returns(mapped(arguments, |byte| byte.to_ascii_lowercase())),
        "isspace" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_whitespace())),
        "isdigit" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_digit())),
        "isalpha" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_alphabetic())),
        "isalnum" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_alphanumeric())),
        "isupper" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_uppercase())),
        "islower" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_lowercase())),
        "isxdigit" => |_, arguments| returns(is(arguments, |byte| byte.is_ascii_hexdigit())),
        "__ctype_toupper_loc" => |process, _| case_table(process, |byte| byte.to_ascii_uppercase()),
        "__ctype_tolower_loc" => |process, _| case_table(process, |byte| byte.to_ascii_lowercase()),
        "__ctype_b_loc" => |process, _| class_table(process),
        _ => return None,
    })
}

fn copy(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    gives_end: bool,
) -> Result<Reaction, Stop> {
    let [to, from, size, ..] = arguments.registers;
    let bytes = take(process, from, size)?;
    process.memory.write(to, &bytes)?;
    returns(if gives_end { to.wrapping_add(size) } else { to })
}

fn fill(
    process: &mut Process<'_, '_, '_>,
    to: u64,
    byte: u64,
    size: u64,
) -> Result<Reaction, Stop> {
    let bytes = vec![byte.to_le_bytes()[0]; filled(size)?];
    process.memory.write(to, &bytes)?;
    returns(to)
}

/// Fills memory with a pattern over and over (macOS, `memset_pattern(3)`).
fn pattern(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    length: u64,
) -> Result<Reaction, Stop> {
    let [to, pattern, size, ..] = arguments.registers;
    let size = filled(size)?;
    let pattern = take(process, pattern, length)?;
    let bytes: Vec<u8> = pattern.iter().copied().cycle().take(size).collect();
    process.memory.write(to, &bytes)?;
    returns(0)
}

/// How many bytes are filled, unless they are more than a hook would.
fn filled(size: u64) -> Result<usize, Stop> {
    match usize::try_from(size) {
        Ok(size) if size as u64 <= MAX_COPY => Ok(size),
        _ => Err(Stop::Reason("the hook fills too much memory".to_owned())),
    }
}

fn memchr(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [start, byte, size, ..] = arguments.registers;
    let wanted = byte.to_le_bytes()[0];
    // The size may reach beyond what there is, as long as the byte comes before that.
    for offset in 0..size.min(MAX_COPY) {
        let [byte] = process.memory.read::<1>(start.wrapping_add(offset))?;
        if byte == wanted {
            return returns(start.wrapping_add(offset));
        }
    }
    if size > MAX_COPY {
        return Err(Stop::Reason("the hook searches too much memory".to_owned()));
    }
    returns(0)
}

fn compare(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    limit: Option<u64>,
    ignores_case: bool,
) -> Result<Reaction, Stop> {
    let limit = most(limit);
    let mut texts = [Vec::new(), Vec::new()];
    for (text, address) in texts.iter_mut().zip(arguments.registers) {
        *text = text_within(process, address, limit)?;
        if ignores_case {
            text.make_ascii_lowercase();
        }
    }
    returns(order(texts[0].cmp(&texts[1])))
}

/// How many letters count at most.
fn most(limit: Option<u64>) -> usize {
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// A text that may go on behind `limit`.
fn text_within(
    process: &mut Process<'_, '_, '_>,
    address: u64,
    limit: usize,
) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    while text.len() < limit {
        if text.len() >= 1 << 16 {
            return Err(Stop::Reason("the hook reads a text without an end".to_owned()));
        }
        match process.memory.read::<1>(address.wrapping_add(text.len() as u64))? {
            [0] => break,
            [byte] => text.push(byte),
        }
    }
    Ok(text)
}

fn put_text(process: &mut Process<'_, '_, '_>, to: u64, text: &[u8]) -> Result<(), Stop> {
    process.memory.write(to, text)?;
    Ok(process.memory.write(to.wrapping_add(text.len() as u64), &[0])?)
}

fn strncpy(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [to, from, size, ..] = arguments.registers;
    let size = filled(size)?;
    let mut text = text_within(process, from, size)?;
    text.resize(size, 0);
    process.memory.write(to, &text)?;
    returns(to)
}

fn concatenate(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    limit: Option<u64>,
) -> Result<Reaction, Stop> {
    let [to, from, ..] = arguments.registers;
    let limit = most(limit);
    let start = process.memory.text(to)?.len() as u64;
    let text = text_within(process, from, limit)?;
    put_text(process, to.wrapping_add(start), &text)?;
    returns(to)
}

fn strchr(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    from_end: bool,
) -> Result<Reaction, Stop> {
    let [start, byte, ..] = arguments.registers;
    let text = process.memory.text(start)?;
    let wanted = byte.to_le_bytes()[0];
    let at = match wanted {
        0 => Some(text.len()),
        _ if from_end => text.iter().rposition(|byte| *byte == wanted),
        _ => text.iter().position(|byte| *byte == wanted),
    };
    returns(at.map_or(0, |at| start.wrapping_add(at as u64)))
}

fn strstr(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Reaction, Stop> {
    let [start, wanted, ..] = arguments.registers;
    let (text, wanted) = (process.memory.text(start)?, process.memory.text(wanted)?);
    let at = if wanted.is_empty() {
        Some(0)
    } else {
        process.memory.charge(text.len().saturating_mul(wanted.len()));
        text.windows(wanted.len()).position(|part| part == wanted)
    };
    returns(at.map_or(0, |at| start.wrapping_add(at as u64)))
}

/// The length of the start of a text that consists of bytes of a set, or of others.
fn span(
    process: &mut Process<'_, '_, '_>,
    arguments: &Arguments,
    of_set: bool,
) -> Result<u64, Stop> {
    let [text, set, ..] = arguments.registers;
    let (text, set) = (process.memory.text(text)?, process.memory.text(set)?);
    process.memory.charge(text.len().saturating_mul(set.len()));
    Ok(text.iter().take_while(|byte| set.contains(byte) == of_set).count() as u64)
}

/// A whole number at the start of a text; where it ends is written to `end`.
fn number(
    process: &mut Process<'_, '_, '_>,
    start: u64,
    end: u64,
    base: u64,
) -> Result<Reaction, Stop> {
    let text = process.memory.text(start)?;
    let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let rest = &text[blank..];
    let sign = rest.first().filter(|byte| matches!(byte, b'+' | b'-'));
    let rest = &rest[usize::from(sign.is_some())..];
    let prefixed = matches!(rest, [b'0', b'x' | b'X', ..]) && matches!(base, 0 | 16);
    let base: u32 = match base {
        0 if prefixed => 16,
        0 if rest.first() == Some(&b'0') => 8,
        0 => 10,
        other => u32::try_from(other).unwrap_or(10).clamp(2, 36),
    };
    let digits = &rest[if prefixed { 2 } else { 0 }..];
    let mut value = 0u64;
    let mut count = 0;
    for digit in digits.iter().map_while(|byte| char::from(*byte).to_digit(base)) {
        value = value.saturating_mul(u64::from(base)).saturating_add(u64::from(digit));
        count += 1;
    }
    let value = if sign == Some(&b'-') { value.wrapping_neg() } else { value };
    if end != 0 {
        let used = match count {
            0 => 0,
            count => text.len() - digits.len() + count,
        };
        process.memory.write_word(end, start.wrapping_add(used as u64))?;
    }
    returns(value)
}

fn mapped(arguments: &Arguments, with: impl Fn(u8) -> u8) -> u64 {
    let letter = arguments.registers[0];
    u8::try_from(letter).map_or(letter, |byte| u64::from(with(byte)))
}

fn is(arguments: &Arguments, class: impl Fn(u8) -> bool) -> u64 {
    // An int, of which the upper half of the register says nothing.
    let letter = arguments.registers[0] & 0xffff_ffff;
    u64::from(u8::try_from(letter).is_ok_and(class))
}

/// glibc's table of what each letter becomes, for −128 to 255, behind two pointers.
fn case_table(
    process: &mut Process<'_, '_, '_>,
    with: impl Fn(u8) -> u8,
) -> Result<Reaction, Stop> {
    let entry = |letter: i32| match u8::try_from(letter) {
        Ok(byte) => i32::from(with(byte)),
        Err(_) => letter,
    };
    let bytes: Vec<u8> = (-128..256).flat_map(|letter| entry(letter).to_le_bytes()).collect();
    behind_pointer(process, &bytes, 128 * 4)
}

/// glibc's table of what each letter is, for −128 to 255, in bits of 16 (`<ctype.h>`).
fn class_table(process: &mut Process<'_, '_, '_>) -> Result<Reaction, Stop> {
    let classes = |byte: u8| {
        [
            (byte.is_ascii_uppercase(), 8),
            (byte.is_ascii_lowercase(), 9),
            (byte.is_ascii_alphabetic(), 10),
            (byte.is_ascii_digit(), 11),
            (byte.is_ascii_hexdigit(), 12),
            (byte.is_ascii_whitespace() || byte == 0x0b, 13),
            (byte.is_ascii_graphic() || byte == b' ', 14),
            (byte.is_ascii_graphic(), 15),
            (byte == b' ' || byte == b'\t', 0),
            (byte.is_ascii_control(), 1),
            (byte.is_ascii_punctuation(), 2),
            (byte.is_ascii_alphanumeric(), 3),
        ]
        .into_iter()
        .filter(|(holds, _)| *holds)
        .fold(0u16, |bits, (_, bit)| bits | 1 << bit)
    };
    let bytes: Vec<u8> = (-128..256)
        .flat_map(|letter: i32| u8::try_from(letter).map_or(0, classes).to_le_bytes())
        .collect();
    behind_pointer(process, &bytes, 128 * 2)
}

/// Puts a table into memory, and the address `offset` bytes into it into a word of its own.
fn behind_pointer(
    process: &mut Process<'_, '_, '_>,
    table: &[u8],
    offset: u64,
) -> Result<Reaction, Stop> {
    let address = process.memory.allocate(table.len() as u64)?;
    process.memory.write(address, table)?;
    let pointer = process.memory.allocate(8)?;
    process.memory.write_word(pointer, address + offset)?;
    returns(pointer)
}
