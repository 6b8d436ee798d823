//! Loads and stores, of general-purpose and of vector registers.

use disarm64_defn::InsnClass;

use super::instruction::{Instruction, sign_extended};
use super::{Cpu, STACK, Stop, mask};

/// Where an access is, and what the base register holds afterwards.
struct Place {
    address: u64,
    base_after: Option<u64>,
}

/// What a load or store of one register moves.
enum Kind {
    Store,
    Load,
    /// With its sign, to that many bits.
    LoadSigned(u32),
    StoreVector,
    LoadVector,
    /// Nothing: memory is hinted at.
    Prefetch,
}

impl Cpu<'_, '_, '_, '_> {
    /// Executes a load or store; `false` where it is none that is known.
    pub(super) fn access(&mut self, instruction: Instruction, at: u64) -> Result<bool, Stop> {
        let name = instruction.mnemonic;
        match instruction.class {
            InsnClass::LDST_POS
            | InsnClass::LDST_REGOFF
            | InsnClass::LDST_IMM9
            | InsnClass::LDST_UNSCALED => {
                // The classes have the instructions of the tagging extension too.
                let plain = ["ldr", "str", "ldur", "stur", "ldapur", "stlur", "prfm", "prfum"];
                if !plain.iter().any(|start| name.starts_with(start)) {
                    return Ok(false);
                }
                self.one_register(instruction)
            }
            InsnClass::LOADLIT => self.literal(instruction, at),
            InsnClass::LDSTPAIR_OFF | InsnClass::LDSTPAIR_INDEXED | InsnClass::LDSTNAPAIR_OFFS
                if matches!(name, "ldp" | "stp" | "ldpsw" | "ldnp" | "stnp") =>
            {
                self.pair(instruction)
            }
            InsnClass::LDSTEXCL => self.exclusive_or_ordered(instruction),
            InsnClass::LSE_ATOMIC => self.atomic(instruction),
            _ => Ok(false),
        }
    }

    /// Loads and stores of one register: `size 111 V .. opc`.
    fn one_register(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        let (size, opc) = (instruction.field(30, 2), instruction.field(22, 2));
        let (scale, kind) = if instruction.bit(26) {
            let scale = (opc & 2) << 1 | size;
            (scale, if opc & 1 == 1 { Kind::LoadVector } else { Kind::StoreVector })
        } else {
            let kind = match opc {
                0 => Kind::Store,
                1 => Kind::Load,
                2 if size < 3 => Kind::LoadSigned(64),
                2 if instruction.class != InsnClass::LDST_IMM9 => Kind::Prefetch,
                3 if size < 2 => Kind::LoadSigned(32),
                _ => return Ok(false),
            };
            (size, kind)
        };
        if scale > 4 {
            return Ok(false);
        }
        let Some(place) = self.place_of_one(instruction, scale) else { return Ok(false) };
        let number = instruction.rd();
        let is_vector = matches!(kind, Kind::LoadVector | Kind::StoreVector);
        // A base that is written back as well as loaded or stored is left open.
        let base = instruction.rn();
        if place.base_after.is_some() && !is_vector && base == number && base != STACK {
            return Ok(false);
        }
        self.move_one(&kind, number, place.address, 1 << scale)?;
        self.write_back(instruction, &place);
        Ok(true)
    }

    fn move_one(
        &mut self,
        kind: &Kind,
        number: usize,
        address: u64,
        size: usize,
    ) -> Result<(), Stop> {
        match kind {
            Kind::Store => self.store(address, size, self.get(number, 64)),
            Kind::Load => {
                let value = self.load(address, size)?;
                self.set(number, 64, value);
                Ok(())
            }
            Kind::LoadSigned(width) => {
                let value = self.load(address, size)?;
                self.set(number, *width, sign_extended(value, bits(size)));
                Ok(())
            }
            Kind::Prefetch => Ok(()),
            Kind::StoreVector => self.store_wide(address, size, self.vectors[number & 31]),
            Kind::LoadVector => {
                self.vectors[number & 31] = self.load_wide(address, size)?;
                Ok(())
            }
        }
    }

    /// The place that an access of `1 << scale` bytes names; `None` where the encoding is reserved.
    fn place_of_one(&self, instruction: Instruction, scale: u32) -> Option<Place> {
        let base = self.get_or_stack(instruction.rn(), 64);
        let at = |offset| Place { address: base.wrapping_add(offset), base_after: None };
        match instruction.class {
            InsnClass::LDST_POS => Some(at(u64::from(instruction.field(10, 12)) << scale)),
            InsnClass::LDST_UNSCALED => Some(at(instruction.signed(12, 9))),
            InsnClass::LDST_REGOFF => {
                // Only words and double words are extended here.
                let shift = if instruction.bit(12) { scale } else { 0 };
                instruction.bit(14).then(|| at(self.extended(instruction) << shift))
            }
            InsnClass::LDST_IMM9 => {
                let after = base.wrapping_add(instruction.signed(12, 9));
                match instruction.field(10, 2) {
                    1 => Some(Place { address: base, base_after: Some(after) }),
                    3 => Some(Place { address: after, base_after: Some(after) }),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn write_back(&mut self, instruction: Instruction, place: &Place) {
        if let Some(after) = place.base_after {
            self.set_or_stack(instruction.rn(), 64, after);
        }
    }

    fn literal(&mut self, instruction: Instruction, at: u64) -> Result<bool, Stop> {
        let address = at.wrapping_add(instruction.signed(5, 19) << 2);
        let (size, kind) = match (instruction.bit(26), instruction.field(30, 2)) {
            (false, 0) => (4, Kind::Load),
            (false, 1) => (8, Kind::Load),
            (false, 2) => (4, Kind::LoadSigned(64)),
            (true, 0) => (4, Kind::LoadVector),
            (true, 1) => (8, Kind::LoadVector),
            (true, 2) => (16, Kind::LoadVector),
            (false, 3) => (8, Kind::Prefetch),
            _ => return Ok(false),
        };
        self.move_one(&kind, instruction.rd(), address, size)?;
        Ok(true)
    }

    fn pair(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        let (is_vector, is_load) = (instruction.bit(26), instruction.bit(22));
        let (size, kind) = match (is_vector, instruction.field(30, 2), is_load) {
            (false, 0, false) => (4, Kind::Store),
            (false, 0, true) => (4, Kind::Load),
            (false, 1, true) => (4, Kind::LoadSigned(64)),
            (false, 2, false) => (8, Kind::Store),
            (false, 2, true) => (8, Kind::Load),
            (true, opc @ 0..=2, false) => (4 << opc, Kind::StoreVector),
            (true, opc @ 0..=2, true) => (4 << opc, Kind::LoadVector),
            _ => return Ok(false),
        };
        let (first, second, base) = (instruction.rd(), instruction.ra(), instruction.rn());
        let base_value = self.get_or_stack(base, 64);
        let moved = base_value.wrapping_add(instruction.signed(15, 7).wrapping_mul(size));
        let (address, base_after) = match instruction.field(23, 3) {
            // Without a hint to the cache, or with.
            0 | 2 => (moved, None),
            1 => (base_value, Some(moved)),
            3 => (moved, Some(moved)),
            _ => return Ok(false),
        };
        let clashes = base_after.is_some()
            && !is_vector
            && base != STACK
            && (base == first || base == second);
        if clashes || is_load && first == second {
            return Ok(false);
        }
        let bytes = usize::try_from(size).unwrap_or(0);
        self.move_one(&kind, first, address, bytes)?;
        self.move_one(&kind, second, address.wrapping_add(size), bytes)?;
        self.write_back(instruction, &Place { address, base_after });
        Ok(true)
    }

    /// Exclusive accesses, and those that order others. There is one thread, so that order means
    /// nothing, and nobody takes what an exclusive load marked.
    fn exclusive_or_ordered(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        let name = instruction.mnemonic;
        let address = self.get_or_stack(instruction.rn(), 64);
        let size: usize = 1 << instruction.field(30, 2);
        let first = instruction.rd();
        let starts = |names: &[&str]| names.iter().any(|start| name.starts_with(start));
        if starts(&["ldxp", "ldaxp", "stxp", "stlxp"]) {
            let half = if instruction.bit(30) { 8 } else { 4 };
            return self.exclusive_pair(instruction, address, half);
        }
        if !is_aligned(address, size) {
            return Ok(false);
        }
        if starts(&["ldar", "ldapr", "ldlar"]) {
            let value = self.load(address, size)?;
            self.set(first, 64, value);
        } else if starts(&["stlr", "stllr"]) {
            self.store(address, size, self.get(first, 64))?;
        } else if starts(&["ldxr", "ldaxr"]) {
            let value = self.load(address, size)?;
            self.exclusive = Some((address, size));
            self.set(first, 64, value);
        } else if starts(&["stxr", "stlxr"]) {
            if Self::status_clashes(instruction, &[first]) {
                return Ok(false);
            }
            if self.takes_mark(instruction, address, size) {
                self.store(address, size, self.get(first, 64))?;
            }
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn exclusive_pair(
        &mut self,
        instruction: Instruction,
        address: u64,
        half: usize,
    ) -> Result<bool, Stop> {
        let (first, second) = (instruction.rd(), instruction.ra());
        if !is_aligned(address, half * 2) {
            return Ok(false);
        }
        let behind = address.wrapping_add(half as u64);
        if instruction.bit(22) {
            if first == second {
                return Ok(false);
            }
            let (low, high) = (self.load(address, half)?, self.load(behind, half)?);
            self.exclusive = Some((address, half * 2));
            self.set(first, 64, low);
            self.set(second, 64, high);
        } else {
            if Self::status_clashes(instruction, &[first, second]) {
                return Ok(false);
            }
            let (low, high) = (self.get(first, 64), self.get(second, 64));
            if self.takes_mark(instruction, address, half * 2) {
                self.store(address, half, low)?;
                self.store(behind, half, high)?;
            }
        }
        Ok(true)
    }

    /// Whether the register for the outcome is one that is stored from or to.
    fn status_clashes(instruction: Instruction, stored: &[usize]) -> bool {
        let (status, base) = (instruction.rm(), instruction.rn());
        stored.contains(&status) || status == base && base != STACK
    }

    /// Ends an exclusive access, with success where it marked just that.
    fn takes_mark(&mut self, instruction: Instruction, address: u64, size: usize) -> bool {
        let holds = self.exclusive.take() == Some((address, size));
        self.set(instruction.rm(), 32, u64::from(!holds));
        holds
    }

    /// Atomic accesses (`FEAT_LSE`). The class has later extensions too, which are told by fixed bits.
    fn atomic(&mut self, instruction: Instruction) -> Result<bool, Stop> {
        let address = self.get_or_stack(instruction.rn(), 64);
        let size: usize = 1 << instruction.field(30, 2);
        let (operand, register) = (instruction.rm(), instruction.rd());
        // Atomic memory operations: size 111 0 00 A R 1 Rs o3 opc 00 Rn Rt
        if instruction.field(24, 6) == 0b11_1000
            && instruction.bit(21)
            && instruction.field(10, 2) == 0
        {
            if !is_aligned(address, size) {
                return Ok(false);
            }
            let right = self.get(operand, bits(size));
            let before = self.load(address, size)?;
            let signed = |value| sign_extended(value, bits(size)).cast_signed();
            let value = match instruction.field(12, 4) {
                0 => before.wrapping_add(right),
                1 => before & !right,
                2 => before ^ right,
                3 => before | right,
                4 => signed(before).max(signed(right)).cast_unsigned(),
                5 => signed(before).min(signed(right)).cast_unsigned(),
                6 => before.max(right),
                7 => before.min(right),
                8 => right,
                _ => return Ok(false),
            };
            self.store(address, size, value)?;
            self.set(register, 64, before);
            return Ok(true);
        }
        // Compare and swap: size 001000 1 L 1 Rs o0 11111 Rn Rt
        if instruction.field(23, 7) == 0b001_0001 && instruction.bit(21) {
            if !is_aligned(address, size) {
                return Ok(false);
            }
            let before = self.load(address, size)?;
            if before == self.get(operand, bits(size)) {
                self.store(address, size, self.get(register, 64))?;
            }
            self.set(operand, 64, before);
            return Ok(true);
        }
        // Compare and swap pair: 0 sz 001000 0 L 1 Rs o0 11111 Rn Rt
        if instruction.field(23, 7) == 0b001_0000 && instruction.bit(21) && !instruction.bit(31) {
            return self.compare_pair(instruction, address);
        }
        Ok(false)
    }

    fn compare_pair(&mut self, instruction: Instruction, address: u64) -> Result<bool, Stop> {
        let half: usize = if instruction.bit(30) { 8 } else { 4 };
        let (compared, new) = (instruction.rm(), instruction.rd());
        if !compared.is_multiple_of(2) || !new.is_multiple_of(2) || !is_aligned(address, half * 2) {
            return Ok(false);
        }
        let behind = address.wrapping_add(half as u64);
        let (low, high) = (self.load(address, half)?, self.load(behind, half)?);
        let wanted = (self.get(compared, bits(half)), self.get(compared + 1, bits(half)));
        if (low, high) == wanted {
            self.store(address, half, self.get(new, 64))?;
            self.store(behind, half, self.get(new + 1, 64))?;
        }
        self.set(compared, 64, low);
        self.set(compared + 1, 64, high);
        Ok(true)
    }

    /// Up to eight bytes of memory.
    pub(super) fn load(&mut self, address: u64, size: usize) -> Result<u64, Stop> {
        let wide = self.load_wide(address, size)?;
        // At most eight bytes were asked for.
        Ok(u64::try_from(wide & u128::from(mask(64))).unwrap_or(0))
    }

    pub(super) fn store(&mut self, address: u64, size: usize, value: u64) -> Result<(), Stop> {
        self.store_wide(address, size, u128::from(value))
    }

    /// Up to sixteen bytes of memory.
    pub(super) fn load_wide(&mut self, address: u64, size: usize) -> Result<u128, Stop> {
        let mut bytes = [0; 16];
        let part = bytes.get_mut(..size).ok_or_else(|| too_wide(size))?;
        self.process.memory.read_into(address, part)?;
        Ok(u128::from_le_bytes(bytes))
    }

    pub(super) fn store_wide(
        &mut self,
        address: u64,
        size: usize,
        value: u128,
    ) -> Result<(), Stop> {
        let bytes = value.to_le_bytes();
        let part = bytes.get(..size).ok_or_else(|| too_wide(size))?;
        Ok(self.process.memory.write(address, part)?)
    }
}

/// Exclusive and atomic accesses that are not aligned fault on most processors.
fn is_aligned(address: u64, size: usize) -> bool {
    address.is_multiple_of(size as u64)
}

fn bits(size: usize) -> u32 {
    u32::try_from(size * 8).unwrap_or(64).clamp(1, 64)
}

fn too_wide(size: usize) -> Stop {
    Stop::Reason(format!("the hook uses an operand of {size} bytes, which is not followed yet"))
}
