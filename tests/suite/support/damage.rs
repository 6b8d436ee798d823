//! Makes broken wheels out of good ones, for bad-input tests.
//!
//! Every function returns a new wheel whose `sha256` fits the damaged bytes, so
//! that the reader gets past the digest check and meets the damage itself.

use std::ops::Range;

use super::wheel::BuiltWheel;

const LOCAL_HEADER_SIGNATURE: &[u8] = b"PK\x03\x04";
const CENTRAL_HEADER_SIGNATURE: &[u8] = b"PK\x01\x02";
const END_OF_DIRECTORY_SIGNATURE: &[u8] = b"PK\x05\x06";

/// Which way the central directory misstates a member's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SizeLie {
    /// Claims one byte: a reader that trusts it for a limit reads on past it.
    TooSmall,
    /// Claims close to 4 GiB: a reader that trusts it for a buffer runs out of
    /// memory. One below the value that would mean "see the ZIP64 record".
    TooLarge,
}

impl SizeLie {
    pub(crate) const fn claimed(self) -> u32 {
        match self {
            Self::TooSmall => 1,
            Self::TooLarge => u32::MAX - 1,
        }
    }
}

/// Where the parts of one member lie in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MemberPlace {
    /// Offset of the member's record in the central directory.
    pub central_header: usize,
    /// Offset of the local header before the member's data.
    pub local_header: usize,
    /// The member's data as stored, compressed or not.
    pub data: Range<usize>,
}

/// Keeps only the first bytes, as a broken-off upload would.
pub(crate) fn truncated(wheel: &BuiltWheel, keep_bytes: usize) -> BuiltWheel {
    wheel.with_bytes(wheel.bytes[..keep_bytes.min(wheel.bytes.len())].to_vec())
}

/// Makes both headers of `member` state a false uncompressed size, so that only reading the data can
/// find it out.
pub(crate) fn with_lying_sizes(wheel: &BuiltWheel, member: &str, lie: SizeLie) -> BuiltWheel {
    let place = member_place(wheel, member);
    let mut bytes = wheel.bytes.clone();
    for at in [place.central_header + 24, place.local_header + 22] {
        bytes[at..at + 4].copy_from_slice(&lie.claimed().to_le_bytes());
    }
    wheel.with_bytes(bytes)
}

/// Spoils the checksum of `member` in both places it is stated, so that only
/// reading the data can find it out.
pub(crate) fn with_bad_crc(wheel: &BuiltWheel, member: &str) -> BuiltWheel {
    let place = member_place(wheel, member);
    let mut bytes = wheel.bytes.clone();
    for at in [place.central_header + 16, place.local_header + 14] {
        bytes[at] ^= 0xff;
    }
    wheel.with_bytes(bytes)
}

/// Inverts every bit in `range`.
pub(crate) fn flip_bytes(wheel: &BuiltWheel, range: Range<usize>) -> BuiltWheel {
    let mut bytes = wheel.bytes.clone();
    for byte in &mut bytes[range] {
        *byte ^= 0xff;
    }
    wheel.with_bytes(bytes)
}

/// Inverts every bit of the stored data of `member` and leaves all headers
/// alone.
pub(crate) fn with_flipped_data(wheel: &BuiltWheel, member: &str) -> BuiltWheel {
    flip_bytes(wheel, member_place(wheel, member).data)
}

/// Finds `member` by walking the central directory. Panics when it is missing:
/// that is a mistake in the test.
pub(crate) fn member_place(wheel: &BuiltWheel, member: &str) -> MemberPlace {
    let bytes = &wheel.bytes;
    let end = find_last(bytes, END_OF_DIRECTORY_SIGNATURE)
        .unwrap_or_else(|| panic!("{} has no end-of-directory record", wheel.filename));
    let count = read_u16(bytes, end + 10);
    let mut at = read_u32(bytes, end + 16);
    for _ in 0..count {
        assert!(bytes[at..].starts_with(CENTRAL_HEADER_SIGNATURE));
        let name_length = read_u16(bytes, at + 28);
        let name_start = at + 46;
        let name_end = name_start + name_length;
        if &bytes[name_start..name_end] == member.as_bytes() {
            let local_header = read_u32(bytes, at + 42);
            assert!(bytes[local_header..].starts_with(LOCAL_HEADER_SIGNATURE));
            // The lengths of the variable fields are stated again in the local
            // header and may differ from those in the directory.
            let data_start = local_header
                + 30
                + read_u16(bytes, local_header + 26)
                + read_u16(bytes, local_header + 28);
            return MemberPlace {
                central_header: at,
                local_header,
                data: data_start..data_start + read_u32(bytes, at + 20),
            };
        }
        at = name_end + read_u16(bytes, at + 30) + read_u16(bytes, at + 32);
    }
    panic!("{} has no member {member:?}", wheel.filename);
}

fn find_last(bytes: &[u8], signature: &[u8]) -> Option<usize> {
    bytes.windows(signature.len()).rposition(|window| window == signature)
}

fn read_u16(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn read_u32(bytes: &[u8], at: usize) -> usize {
    let four = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
    usize::try_from(u32::from_le_bytes(four)).expect("offsets fit the address space")
}
