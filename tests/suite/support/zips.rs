//! Zips written byte by byte, to say what no library would write.

use flate2::Crc;

use super::wheel::BuiltWheel;

/// One member, with what each of its two headers says.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub local: Header,
    pub central: Header,
    /// The data as stored.
    pub data: Vec<u8>,
    /// What stands behind the data, such as a data descriptor.
    pub behind: Vec<u8>,
    /// Whether the directory names it.
    pub is_listed: bool,
    /// Where the directory says that it begins, in place of where it does.
    pub offset: Option<u32>,
    /// Attributes of the file system.
    pub attributes: u32,
}

/// What a header says of a member.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub name: Vec<u8>,
    pub flags: u16,
    pub method: u16,
    pub crc: u32,
    pub compressed: u32,
    pub expanded: u32,
    pub extra: Vec<u8>,
}

impl Entry {
    /// A sound member, stored.
    pub(crate) fn new(name: &str, data: impl Into<Vec<u8>>) -> Self {
        let data = data.into();
        let mut crc = Crc::new();
        crc.update(&data);
        let size = u32::try_from(data.len()).expect("a small member");
        let header = Header {
            name: name.as_bytes().to_vec(),
            flags: 0,
            method: 0,
            crc: crc.sum(),
            compressed: size,
            expanded: size,
            extra: Vec::new(),
        };
        Self {
            local: header.clone(),
            central: header,
            data,
            behind: Vec::new(),
            is_listed: true,
            offset: None,
            attributes: 0,
        }
    }

    /// The same with another name in both headers.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.local.name = name.as_bytes().to_vec();
        self.central.name.clone_from(&self.local.name);
        self
    }

    /// Changes both headers.
    pub(crate) fn both(mut self, change: impl Fn(&mut Header)) -> Self {
        change(&mut self.local);
        change(&mut self.central);
        self
    }

    /// Changes the header before the data alone.
    pub(crate) fn local(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.local);
        self
    }

    /// Changes the directory's entry alone.
    pub(crate) fn central(mut self, change: impl FnOnce(&mut Header)) -> Self {
        change(&mut self.central);
        self
    }
}

/// All of a zip.
#[derive(Clone, Debug, Default)]
pub(crate) struct Zip {
    pub entries: Vec<Entry>,
    /// What stands before the first member.
    pub prefix: Vec<u8>,
    /// What stands between the last member and the directory.
    pub gap: Vec<u8>,
    pub comment: Vec<u8>,
    /// What stands behind the end.
    pub trailing: Vec<u8>,
    /// How many members the end says there are, in place of how many there are.
    pub count: Option<u16>,
    /// Whether the end is that of a ZIP64.
    pub is_zip64: bool,
}

impl Zip {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.prefix.clone();
        let mut directory = Vec::new();
        let mut count: u16 = 0;
        for entry in &self.entries {
            let start = entry.offset.unwrap_or_else(|| u32::try_from(bytes.len()).unwrap());
            bytes.extend_from_slice(b"PK\x03\x04\x14\x00");
            fields(&mut bytes, &entry.local);
            bytes.extend_from_slice(&entry.local.name);
            bytes.extend_from_slice(&entry.local.extra);
            bytes.extend_from_slice(&entry.data);
            bytes.extend_from_slice(&entry.behind);
            if entry.is_listed {
                count += 1;
                directory.extend_from_slice(b"PK\x01\x02\x14\x03\x14\x00");
                fields(&mut directory, &entry.central);
                // No comment, no other disk, no inner attributes.
                directory.extend_from_slice(&[0; 6]);
                directory.extend_from_slice(&entry.attributes.to_le_bytes());
                directory.extend_from_slice(&start.to_le_bytes());
                directory.extend_from_slice(&entry.central.name);
                directory.extend_from_slice(&entry.central.extra);
            }
        }
        bytes.extend_from_slice(&self.gap);
        let start = u32::try_from(bytes.len()).unwrap();
        let size = u32::try_from(directory.len()).unwrap();
        bytes.extend_from_slice(&directory);
        let count = self.count.unwrap_or(count);
        if self.is_zip64 {
            let end = bytes.len() as u64;
            bytes.extend_from_slice(b"PK\x06\x06");
            bytes.extend_from_slice(&44_u64.to_le_bytes());
            bytes.extend_from_slice(&[45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [u64::from(count), u64::from(count), u64::from(size), u64::from(start)] {
                bytes.extend_from_slice(&number.to_le_bytes());
            }
            bytes.extend_from_slice(b"PK\x06\x07\0\0\0\0");
            bytes.extend_from_slice(&end.to_le_bytes());
            bytes.extend_from_slice(&1_u32.to_le_bytes());
            end_of(&mut bytes, u16::MAX, u32::MAX, u32::MAX, &self.comment);
        } else {
            end_of(&mut bytes, count, size, start, &self.comment);
        }
        bytes.extend_from_slice(&self.trailing);
        bytes
    }

    /// It under the name of a wheel.
    pub(crate) fn as_wheel(&self, wheel: &BuiltWheel) -> BuiltWheel {
        wheel.with_bytes(self.bytes())
    }
}

/// The end of a directory.
pub(crate) fn end_of(bytes: &mut Vec<u8>, count: u16, size: u32, start: u32, comment: &[u8]) {
    bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&count.to_le_bytes());
    bytes.extend_from_slice(&size.to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes.extend_from_slice(&u16::try_from(comment.len()).unwrap().to_le_bytes());
    bytes.extend_from_slice(comment);
}

/// What both kinds of headers have in common: from the flags to the length of the extra field.
fn fields(bytes: &mut Vec<u8>, header: &Header) {
    bytes.extend_from_slice(&header.flags.to_le_bytes());
    bytes.extend_from_slice(&header.method.to_le_bytes());
    // The first moment that zips know.
    bytes.extend_from_slice(&[0, 0, 0x21, 0]);
    for number in [header.crc, header.compressed, header.expanded] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for length in [header.name.len(), header.extra.len()] {
        bytes.extend_from_slice(&u16::try_from(length).unwrap().to_le_bytes());
    }
}
