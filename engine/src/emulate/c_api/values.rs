//! `Py_BuildValue`, as far as its formats are plain: numbers, strings and objects, one or several side by
//! side (CPython, `Python/modsupport.c`).

use super::entries;
use super::lists::new_tuple;
use crate::emulate::objects::{Object, tuple_items};
use crate::emulate::process::{Arguments, Outcome, Process, Stop};

/// More units than a format has that is written by hand.
const MOST_UNITS: usize = 64;

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    if !matches!(name, "Py_BuildValue" | "_Py_BuildValue_SizeT") {
        return None;
    }
    match built(process, arguments) {
        Ok(None) => {
            // What it is given may lie in what it makes, and be changed there.
            entries::forget_reached(process, name, arguments);
            None
        }
        Ok(Some(value)) => Some(Ok(value)),
        Err(stop) => Some(Err(stop)),
    }
}

/// What is made of a plain format; `None` of any other one.
fn built(process: &mut Process<'_, '_, '_>, arguments: &Arguments) -> Result<Option<u64>, Stop> {
    let format = process.memory.text(arguments.registers[0])?;
    if format.is_empty() || format.len() > MOST_UNITS {
        return Ok(None);
    }
    let mut items = Vec::with_capacity(format.len());
    for (index, unit) in format.iter().enumerate() {
        let given = arguments.variadic(&mut process.memory, 1, index)?;
        let Some(item) = item(process, *unit, given)? else { return Ok(None) };
        items.push(item);
    }
    if let [item] = items.as_slice() {
        let is_made = !b"ON".contains(&format[0]);
        return Ok(Some(if is_made { process.choose_or_run_short(*item) } else { *item }));
    }
    let tuple = new_tuple(process, items.len() as u64)?;
    if tuple != 0 {
        let at = tuple + tuple_items(process.minor);
        for (index, item) in items.into_iter().enumerate() {
            process.memory.write_word(at + index as u64 * 8, item)?;
        }
    }
    Ok(Some(tuple))
}

/// The object that is made of one argument; `None` where that is not told here.
fn item(process: &mut Process<'_, '_, '_>, unit: u8, given: u64) -> Result<Option<u64>, Stop> {
    let object = match unit {
        // Passed as int, which is the low half of a word.
        b'b' | b'B' | b'h' | b'H' | b'i' => {
            Object::Number((given.cast_signed() << 32 >> 32).cast_unsigned())
        }
        b'I' => Object::Number(given & u64::from(u32::MAX)),
        b'l' | b'k' | b'L' | b'K' | b'n' => Object::Number(given),
        b's' | b'z' | b'U' if given == 0 => {
            return Ok(Some(process.memory.symbol("_Py_NoneStruct")));
        }
        b's' | b'z' | b'U' => Object::Text(process.memory.text(given)?.into()),
        // Null hands on an exception.
        b'O' | b'N' | b'S' => return Ok((given != 0).then_some(given)),
        _ => return Ok(None),
    };
    Ok(Some(process.memory.object(object)))
}
