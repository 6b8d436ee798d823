//! numpy's C interface, which other packages reach through capsules: the functions whose results
//! code looks into. Which functions there are is in `data/numpy-c-api.txt`.

use crate::emulate::objects::{Object, TYPE};
use crate::emulate::process::{Arguments, Outcome, Process, Stop};

pub(super) fn call(
    process: &mut Process<'_, '_, '_>,
    name: &str,
    arguments: &Arguments,
) -> Option<Outcome> {
    let [first, second, ..] = arguments.registers;
    Some(match name {
        // import_array asks for versions and byte order: the ABI of numpy 2, little-endian, and
        // newer than whatever is asked for.
        "PyArray_GetNDArrayCVersion" => {
            process.uses_arrays = true;
            Ok(0x0200_0000)
        }
        "PyArray_GetEndianness" => Ok(1),
        "PyArray_GetNDArrayCFeatureVersion" => Ok(0x7f),
        // An object out of another, through a pointer.
        "PyArray_DescrConverter"
        | "PyArray_DescrConverter2"
        | "PyArray_Converter"
        | "PyArray_DescrAlignConverter" => {
            let object = process.memory.object(Object::Foreign);
            match process.memory.write_word(second, object) {
                Ok(()) => Ok(process.choose(1, 0)),
                Err(fault) => Err(fault.into()),
            }
        }
        "PyArrayInitDTypeMeta_FromSpec" => init_data_type(process, first, second),
        _ => return None,
    })
}

/// `PyArrayDTypeMeta_Spec`: the type of scalars, flags, casts, slots.
const SPEC_SCALAR: u64 = 0x00;
const SPEC_FLAGS: u64 = 0x08;
const SPEC_SLOTS: u64 = 0x18;
/// `NPY_DT_legacy_descriptor_proto`, which is only looked for in the first slot.
const DESCRIPTOR_PROTOTYPE: i32 = 0x7ff;
/// `PyArray_DTypeMeta`, behind its `PyHeapTypeObject`.
const SINGLETON: u64 = 0x00;
const TYPE_NUMBER: u64 = 0x08;
const SCALAR_TYPE: u64 = 0x10;
const FLAGS: u64 = 0x18;
const PRIVATE: u64 = 0x20;
/// The flag of a data type that has a number, `_NPY_DT_LEGACY_FLAG`.
const IS_NUMBERED: u64 = 1;
/// The first number of a data type that numpy did not define, `NPY_USERDEF`.
const FIRST_NUMBER: u32 = 256;
/// `typeobj` of a `PyArray_Descr` and of the prototype, the letters behind it, and `type_num`.
const DESCRIBED: u64 = 0x20;
const LETTERS: u64 = 0x28;
const NUMBER: u64 = 0x2c;
/// `elsize` and `alignment`, which are ints in the prototype and words in what is made of it.
const PROTOTYPE_SIZES: u64 = 0x30;
const SIZES: u64 = 0x38;

/// The size of a `PyHeapTypeObject` (CPython, `Include/cpython/object.h`): 3.14 put a token and a
/// number for the counting of references into it, 3.15 one more word.
fn heap_type_size(minor: u8) -> u64 {
    match minor {
        ..=13 => 0x3b0,
        14 => 0x3c0,
        15.. => 0x3c8,
    }
}

/// Fills a data type from what describes it, by which that becomes known to numpy
/// (`numpy/dtype_api.h`; numpy, `dtypemeta.c`). One that is described by the prototype of a
/// descriptor is given a number and its only descriptor, which the caller takes from there.
fn init_data_type(process: &mut Process<'_, '_, '_>, of: u64, spec: u64) -> Outcome {
    if process.choose(0, 1) != 0 {
        process.raise("PyExc_RuntimeError");
        return Ok(u64::MAX);
    }
    let field = |offset: u64| of.wrapping_add(heap_type_size(process.minor)).wrapping_add(offset);
    let [singleton, number, scalar_type, flags_of, private] =
        [SINGLETON, TYPE_NUMBER, SCALAR_TYPE, FLAGS, PRIVATE].map(field);
    let scalar = process.memory.word(spec.wrapping_add(SPEC_SCALAR))?;
    let flags = u64::from(u32::from_le_bytes(process.memory.read(spec.wrapping_add(SPEC_FLAGS))?));
    let slots = process.memory.word(spec.wrapping_add(SPEC_SLOTS))?;
    let prototype = prototype(process, slots)?;

    // What numpy itself keeps for it, in no layout that headers give.
    let kept = process.memory.object(Object::Foreign);
    process.memory.write_word(private, kept)?;
    process.memory.write_word(scalar_type, scalar)?;
    let Some(prototype) = prototype else {
        process.memory.write_word(flags_of, flags)?;
        process.memory.write(number, &(-1i32).to_le_bytes())?;
        return Ok(0);
    };
    let descriptor = describe(process, of, prototype)?;
    process.memory.write_word(flags_of, flags | IS_NUMBERED)?;
    process.memory.write(number, &FIRST_NUMBER.to_le_bytes())?;
    process.memory.write_word(singleton, descriptor)?;
    Ok(0)
}

/// The prototype of a descriptor, where the first slot holds one.
fn prototype(process: &mut Process<'_, '_, '_>, slots: u64) -> Result<Option<u64>, Stop> {
    if slots == 0 || i32::from_le_bytes(process.memory.read(slots)?) != DESCRIPTOR_PROTOTYPE {
        return Ok(None);
    }
    Ok(Some(process.memory.word(slots.wrapping_add(8))?))
}

/// The descriptor that is made of a prototype, for the data type `of`.
fn describe(process: &mut Process<'_, '_, '_>, of: u64, prototype: u64) -> Outcome {
    let descriptor = process.memory.object(Object::Foreign);
    let described = process.memory.word(prototype.wrapping_add(DESCRIBED))?;
    let letters = process.memory.read::<4>(prototype.wrapping_add(LETTERS))?;
    let mut sizes = [0; 2];
    for (index, size) in sizes.iter_mut().enumerate() {
        let place = prototype.wrapping_add(PROTOTYPE_SIZES + index as u64 * 4);
        *size = i64::from(i32::from_le_bytes(process.memory.read(place)?));
    }
    process.memory.write_word(descriptor + TYPE as u64, of)?;
    process.memory.write_word(descriptor + DESCRIBED, described)?;
    process.memory.write(descriptor + LETTERS, &letters)?;
    process.memory.write(descriptor + NUMBER, &FIRST_NUMBER.to_le_bytes())?;
    for (index, size) in sizes.into_iter().enumerate() {
        process.memory.write_word(descriptor + SIZES + index as u64 * 8, size.cast_unsigned())?;
    }
    Ok(descriptor)
}
