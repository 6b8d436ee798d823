//! Instructions that move parts of vectors about: unpack, pack, shuffle, blend, widen, insert,
//! extract.
//!
//! Those on 256 bits work within each half unless their name says otherwise.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a part keeps the low bits of what is computed"
)]

use iced_x86::{Instruction, Mnemonic, OpKind};

use super::float::last_immediate;
use super::vector::{from_lanes, lane, set_lane};
use super::{Cpu, Stop};

impl Cpu<'_, '_, '_, '_> {
    /// Executes an instruction that moves parts about; `false` where it is none that is known.
    pub(super) fn shuffle(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        if let Some((bits, high)) = unpacking(instruction.mnemonic()) {
            let (left, right) = self.pair(instruction)?;
            let lanes = 128 / bits;
            let result = from_lanes(bits, |index| {
                let from =
                    index / lanes * lanes + index % lanes / 2 + if high { lanes / 2 } else { 0 };
                lane(if index % 2 == 0 { &left } else { &right }, bits, from)
            });
            self.target(instruction, result)?;
            return Ok(true);
        }
        if let Some((from, to, signed)) = widening(instruction.mnemonic()) {
            let source = self.source(instruction, 1)?;
            let result = from_lanes(to, |index| {
                let value = lane(&source, from, index);
                let unused = 64 - from;
                if signed {
                    ((value << unused).cast_signed() >> unused).cast_unsigned()
                } else {
                    value
                }
            });
            self.target(instruction, result)?;
            return Ok(true);
        }
        Ok(self.pack(instruction)?
            || self.shuffle_one(instruction)?
            || self.shuffle_two(instruction)?
            || self.blend(instruction)?
            || self.insert(instruction)?
            || self.extract(instruction)?
            || self.permute(instruction)?)
    }

    /// Narrows the parts of two vectors to half of their width, as far as they fit.
    fn pack(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let (bits, narrow): (usize, fn(u64) -> u64) = match instruction.mnemonic() {
            Mnemonic::Packsswb | Mnemonic::Vpacksswb => {
                (8, |value| (value as i16).clamp(i8::MIN.into(), i8::MAX.into()) as u64)
            }
            Mnemonic::Packuswb | Mnemonic::Vpackuswb => {
                (8, |value| (value as i16).clamp(0, u8::MAX.into()) as u64)
            }
            Mnemonic::Packssdw | Mnemonic::Vpackssdw => {
                (16, |value| (value as i32).clamp(i16::MIN.into(), i16::MAX.into()) as u64)
            }
            Mnemonic::Packusdw | Mnemonic::Vpackusdw => {
                (16, |value| (value as i32).clamp(0, u16::MAX.into()) as u64)
            }
            _ => return Ok(false),
        };
        let (left, right) = self.pair(instruction)?;
        let lanes = 128 / bits;
        let result = from_lanes(bits, |index| {
            let (half, place) = (index / lanes, index % lanes);
            let vector = if place < lanes / 2 { &left } else { &right };
            narrow(lane(vector, bits * 2, half * (lanes / 2) + place % (lanes / 2)))
        });
        self.target(instruction, result)?;
        Ok(true)
    }

    /// Instructions that take the parts of one vector in another order.
    fn shuffle_one(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let immediate = instruction.op_count() == 3 && instruction.op_kind(2) == OpKind::Immediate8;
        let (bits, from): (usize, fn(u64, usize) -> usize) = match instruction.mnemonic() {
            Mnemonic::Pshufd | Mnemonic::Vpshufd => {
                (32, |order, index| index / 4 * 4 + pick(order, index % 4, 2))
            }
            Mnemonic::Vpermilps if immediate => {
                (32, |order, index| index / 4 * 4 + pick(order, index % 4, 2))
            }
            Mnemonic::Vpermilpd if immediate => {
                (64, |order, index| index / 2 * 2 + pick(order, index, 1))
            }
            Mnemonic::Pshuflw | Mnemonic::Vpshuflw => (16, |order, index| match index % 8 {
                place @ 0..4 => index / 8 * 8 + pick(order, place, 2),
                _ => index,
            }),
            Mnemonic::Pshufhw | Mnemonic::Vpshufhw => (16, |order, index| match index % 8 {
                place @ 4..8 => index / 8 * 8 + 4 + pick(order, place - 4, 2),
                _ => index,
            }),
            Mnemonic::Vpermq | Mnemonic::Vpermpd => (64, |order, index| pick(order, index, 2)),
            Mnemonic::Movddup | Mnemonic::Vmovddup => (64, |_, index| index / 2 * 2),
            Mnemonic::Movsldup | Mnemonic::Vmovsldup => (32, |_, index| index / 2 * 2),
            Mnemonic::Movshdup | Mnemonic::Vmovshdup => (32, |_, index| index / 2 * 2 + 1),
            Mnemonic::Vpbroadcastb => (8, |_, _| 0),
            Mnemonic::Vpbroadcastw => (16, |_, _| 0),
            Mnemonic::Vpbroadcastd | Mnemonic::Vbroadcastss => (32, |_, _| 0),
            Mnemonic::Vpbroadcastq | Mnemonic::Vbroadcastsd => (64, |_, _| 0),
            Mnemonic::Vbroadcastf128 | Mnemonic::Vbroadcasti128 => (64, |_, index| index % 2),
            _ => return Ok(false),
        };
        let source = self.source(instruction, 1)?;
        let order = last_immediate(instruction);
        let result = from_lanes(bits, |index| lane(&source, bits, from(order, index)));
        self.target(instruction, result)?;
        Ok(true)
    }

    /// Instructions that choose parts of two vectors, or of one by another.
    fn shuffle_two(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let order = || last_immediate(instruction);
        let result = match instruction.mnemonic() {
            Mnemonic::Movlhps | Mnemonic::Vmovlhps => {
                let (left, right) = self.pair(instruction)?;
                [lane(&left, 64, 0), lane(&right, 64, 0), 0, 0]
            }
            Mnemonic::Movhlps | Mnemonic::Vmovhlps => {
                let (left, right) = self.pair(instruction)?;
                [lane(&right, 64, 1), lane(&left, 64, 1), 0, 0]
            }
            Mnemonic::Shufps | Mnemonic::Vshufps => {
                let (left, right) = self.pair(instruction)?;
                let order = order();
                from_lanes(32, |index| {
                    let vector = if index % 4 < 2 { &left } else { &right };
                    lane(vector, 32, index / 4 * 4 + pick(order, index % 4, 2))
                })
            }
            Mnemonic::Shufpd | Mnemonic::Vshufpd => {
                let (left, right) = self.pair(instruction)?;
                let order = order();
                from_lanes(64, |index| {
                    let vector = if index % 2 == 0 { &left } else { &right };
                    lane(vector, 64, index / 2 * 2 + pick(order, index, 1))
                })
            }
            Mnemonic::Pshufb | Mnemonic::Vpshufb => {
                let (left, right) = self.pair(instruction)?;
                from_lanes(8, |index| match lane(&right, 8, index) {
                    from if from & 0x80 != 0 => 0,
                    from => lane(&left, 8, index / 16 * 16 + (from & 15) as usize),
                })
            }
            Mnemonic::Palignr | Mnemonic::Vpalignr => {
                let (left, right) = self.pair(instruction)?;
                let by = order() as usize;
                from_lanes(8, |index| {
                    let half = index / 16 * 16;
                    match index % 16 + by {
                        from @ 0..16 => lane(&right, 8, half + from),
                        from @ 16..32 => lane(&left, 8, half + from - 16),
                        _ => 0,
                    }
                })
            }
            Mnemonic::Pslldq | Mnemonic::Vpslldq => {
                let source = self.source(instruction, Self::first(instruction))?;
                let by = order() as usize;
                from_lanes(8, |index| match (index % 16).checked_sub(by) {
                    Some(from) => lane(&source, 8, index / 16 * 16 + from),
                    None => 0,
                })
            }
            Mnemonic::Psrldq | Mnemonic::Vpsrldq => {
                let source = self.source(instruction, Self::first(instruction))?;
                let by = order() as usize;
                from_lanes(8, |index| match index % 16 + by {
                    from @ 0..16 => lane(&source, 8, index / 16 * 16 + from),
                    _ => 0,
                })
            }
            Mnemonic::Vpermilps => {
                let (left, right) = self.pair(instruction)?;
                from_lanes(32, |index| {
                    let from = (lane(&right, 32, index) & 3) as usize;
                    lane(&left, 32, index / 4 * 4 + from)
                })
            }
            Mnemonic::Vpermilpd => {
                let (left, right) = self.pair(instruction)?;
                from_lanes(64, |index| {
                    let from = (lane(&right, 64, index) >> 1 & 1) as usize;
                    lane(&left, 64, index / 2 * 2 + from)
                })
            }
            // The order is the first of the two.
            Mnemonic::Vpermd | Mnemonic::Vpermps => {
                let (order, source) = self.pair(instruction)?;
                from_lanes(32, |index| lane(&source, 32, (lane(&order, 32, index) & 7) as usize))
            }
            _ => return Ok(false),
        };
        self.target(instruction, result)?;
        Ok(true)
    }

    /// Instructions that take each part from one vector or the other.
    fn blend(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let immediate = match instruction.mnemonic() {
            Mnemonic::Pblendw | Mnemonic::Vpblendw => Some(16),
            Mnemonic::Blendps | Mnemonic::Vblendps | Mnemonic::Vpblendd => Some(32),
            Mnemonic::Blendpd | Mnemonic::Vblendpd => Some(64),
            _ => None,
        };
        if let Some(bits) = immediate {
            let (left, right) = self.pair(instruction)?;
            let chosen = last_immediate(instruction);
            let result = from_lanes(bits, |index| {
                // Eight words are chosen within each half, wider parts over all.
                let second = chosen >> (index % 8) & 1 == 1;
                lane(if second { &right } else { &left }, bits, index)
            });
            self.target(instruction, result)?;
            return Ok(true);
        }
        // By the highest bit of each part of a third vector.
        let (bits, old) = match instruction.mnemonic() {
            Mnemonic::Pblendvb => (8, true),
            Mnemonic::Blendvps => (32, true),
            Mnemonic::Blendvpd => (64, true),
            Mnemonic::Vpblendvb => (8, false),
            Mnemonic::Vblendvps => (32, false),
            Mnemonic::Vblendvpd => (64, false),
            _ => return Ok(false),
        };
        let (left, right) = self.pair(instruction)?;
        let chosen = if old { self.vectors[0] } else { self.source(instruction, 3)? };
        let result = from_lanes(bits, |index| {
            let second = lane(&chosen, bits, index) >> (bits - 1) == 1;
            lane(if second { &right } else { &left }, bits, index)
        });
        self.target(instruction, result)?;
        Ok(true)
    }

    fn insert(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let bits = match instruction.mnemonic() {
            Mnemonic::Pinsrb | Mnemonic::Vpinsrb => 8,
            Mnemonic::Pinsrw | Mnemonic::Vpinsrw => 16,
            Mnemonic::Pinsrd | Mnemonic::Vpinsrd => 32,
            Mnemonic::Pinsrq | Mnemonic::Vpinsrq => 64,
            Mnemonic::Insertps | Mnemonic::Vinsertps => {
                let order = last_immediate(instruction);
                let first = Self::first(instruction);
                let mut vector = self.source(instruction, first)?;
                let source = self.source(instruction, first + 1)?;
                let in_memory = instruction.op_kind(first + 1) == OpKind::Memory;
                let from = if in_memory { 0 } else { pick(order, 3, 2) };
                set_lane(&mut vector, 32, pick(order, 2, 2), lane(&source, 32, from));
                for index in (0..4).filter(|index| order >> index & 1 == 1) {
                    set_lane(&mut vector, 32, index, 0);
                }
                self.target(instruction, vector)?;
                return Ok(true);
            }
            Mnemonic::Vinserti128 | Mnemonic::Vinsertf128 => {
                let mut vector = self.source(instruction, 1)?;
                let part = self.source(instruction, 2)?;
                let place = pick(last_immediate(instruction), 0, 1) * 2;
                for index in 0..2 {
                    set_lane(&mut vector, 64, place + index, lane(&part, 64, index));
                }
                self.target(instruction, vector)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let first = Self::first(instruction);
        let mut vector = self.source(instruction, first)?;
        let value = self.read(instruction, first + 1)?;
        let place = last_immediate(instruction) as usize % (128 / bits);
        set_lane(&mut vector, bits, place, value);
        self.target(instruction, vector)?;
        Ok(true)
    }

    fn extract(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        let bits = match instruction.mnemonic() {
            Mnemonic::Pextrb | Mnemonic::Vpextrb => 8,
            Mnemonic::Pextrw | Mnemonic::Vpextrw => 16,
            Mnemonic::Pextrd | Mnemonic::Vpextrd => 32,
            Mnemonic::Extractps | Mnemonic::Vextractps => 32,
            Mnemonic::Pextrq | Mnemonic::Vpextrq => 64,
            Mnemonic::Vextracti128 | Mnemonic::Vextractf128 => {
                let source = self.source(instruction, 1)?;
                let place = pick(last_immediate(instruction), 0, 1) * 2;
                let result = [lane(&source, 64, place), lane(&source, 64, place + 1), 0, 0];
                self.target(instruction, result)?;
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let source = self.source(instruction, 1)?;
        let place = last_immediate(instruction) as usize % (128 / bits);
        self.write(instruction, 0, lane(&source, bits, place))?;
        Ok(true)
    }

    /// Halves of two vectors, or none, for each half.
    fn permute(&mut self, instruction: &Instruction) -> Result<bool, Stop> {
        if !matches!(instruction.mnemonic(), Mnemonic::Vperm2f128 | Mnemonic::Vperm2i128) {
            return Ok(false);
        }
        let (left, right) = self.pair(instruction)?;
        let order = last_immediate(instruction);
        let result = from_lanes(64, |index| {
            let chosen = order >> (index / 2 * 4) & 15;
            if chosen & 8 != 0 {
                return 0;
            }
            let vector = if chosen & 2 == 0 { &left } else { &right };
            lane(vector, 64, (chosen & 1) as usize * 2 + index % 2)
        });
        self.target(instruction, result)?;
        Ok(true)
    }
}

/// The number of `bits` bits at `index` of what an immediate lists.
fn pick(order: u64, index: usize, bits: usize) -> usize {
    (order >> (index * bits)) as usize & ((1 << bits) - 1)
}

/// The width of the parts that are taken from two vectors in turn, and whether from their upper
/// halves.
fn unpacking(mnemonic: Mnemonic) -> Option<(usize, bool)> {
    Some(match mnemonic {
        Mnemonic::Punpcklbw | Mnemonic::Vpunpcklbw => (8, false),
        Mnemonic::Punpckhbw | Mnemonic::Vpunpckhbw => (8, true),
        Mnemonic::Punpcklwd | Mnemonic::Vpunpcklwd => (16, false),
        Mnemonic::Punpckhwd | Mnemonic::Vpunpckhwd => (16, true),
        Mnemonic::Punpckldq | Mnemonic::Vpunpckldq | Mnemonic::Unpcklps | Mnemonic::Vunpcklps => {
            (32, false)
        }
        Mnemonic::Punpckhdq | Mnemonic::Vpunpckhdq | Mnemonic::Unpckhps | Mnemonic::Vunpckhps => {
            (32, true)
        }
        Mnemonic::Punpcklqdq | Mnemonic::Vpunpcklqdq | Mnemonic::Unpcklpd | Mnemonic::Vunpcklpd => {
            (64, false)
        }
        Mnemonic::Punpckhqdq | Mnemonic::Vpunpckhqdq | Mnemonic::Unpckhpd | Mnemonic::Vunpckhpd => {
            (64, true)
        }
        _ => return None,
    })
}

/// From and to parts of so many bits, and whether they have a sign.
fn widening(mnemonic: Mnemonic) -> Option<(usize, usize, bool)> {
    Some(match mnemonic {
        Mnemonic::Pmovsxbw | Mnemonic::Vpmovsxbw => (8, 16, true),
        Mnemonic::Pmovsxbd | Mnemonic::Vpmovsxbd => (8, 32, true),
        Mnemonic::Pmovsxbq | Mnemonic::Vpmovsxbq => (8, 64, true),
        Mnemonic::Pmovsxwd | Mnemonic::Vpmovsxwd => (16, 32, true),
        Mnemonic::Pmovsxwq | Mnemonic::Vpmovsxwq => (16, 64, true),
        Mnemonic::Pmovsxdq | Mnemonic::Vpmovsxdq => (32, 64, true),
        Mnemonic::Pmovzxbw | Mnemonic::Vpmovzxbw => (8, 16, false),
        Mnemonic::Pmovzxbd | Mnemonic::Vpmovzxbd => (8, 32, false),
        Mnemonic::Pmovzxbq | Mnemonic::Vpmovzxbq => (8, 64, false),
        Mnemonic::Pmovzxwd | Mnemonic::Vpmovzxwd => (16, 32, false),
        Mnemonic::Pmovzxwq | Mnemonic::Vpmovzxwq => (16, 64, false),
        Mnemonic::Pmovzxdq | Mnemonic::Vpmovzxdq => (32, 64, false),
        _ => return None,
    })
}
