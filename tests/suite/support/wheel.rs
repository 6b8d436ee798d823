//! Builds small but proper wheels and stand-in source distributions in memory.
//!
//! The wheels carry everything the binary distribution format asks for
//! (`METADATA`, `WHEEL`, `RECORD`, escaped file name), so that a test which
//! fails does so for the reason it names and not because of a sloppy fixture.
//! The bytes are the same in every run, which keeps digests fit for snapshots.
//! Broken wheels are made from good ones by `super::damage`.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// A finished wheel: what an index would serve, and under which name.
#[derive(Clone, Debug)]
pub(crate) struct BuiltWheel {
    /// The project name as it was given, not normalised.
    pub name: String,
    pub version: String,
    pub filename: String,
    pub bytes: Vec<u8>,
    /// Lower-case hexadecimal digest of `bytes`.
    pub sha256: String,
    /// The `METADATA` file alone, for indexes that serve it beside the wheel.
    pub metadata: Vec<u8>,
}

impl BuiltWheel {
    /// The same wheel holding other bytes, with the digest made to fit: an
    /// index must stay consistent with what it serves, or every bad-input test
    /// would stop at the digest check.
    pub(crate) fn with_bytes(&self, bytes: Vec<u8>) -> Self {
        Self { sha256: sha256_hex(&bytes), bytes, ..self.clone() }
    }
}

/// Collects what goes into a wheel.
#[derive(Clone, Debug)]
pub(crate) struct WheelBuilder {
    name: String,
    version: String,
    build_number: Option<String>,
    tag: String,
    files: Vec<(String, Vec<u8>)>,
    metadata_lines: Vec<String>,
    compression: CompressionMethod,
}

impl WheelBuilder {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            build_number: None,
            tag: "py3-none-any".to_owned(),
            files: Vec::new(),
            metadata_lines: Vec::new(),
            compression: CompressionMethod::Deflated,
        }
    }

    /// Sets the tag as it stands in the file name. Compressed sets such as
    /// `cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64` are allowed.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        assert_eq!(tag.split('-').count(), 3, "a wheel tag is PYTHON-ABI-PLATFORM, got {tag:?}");
        tag.clone_into(&mut self.tag);
        self
    }

    /// Sets the optional build number, the part between version and tag.
    pub(crate) fn build_number(mut self, build_number: &str) -> Self {
        self.build_number = Some(build_number.to_owned());
        self
    }

    pub(crate) fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push((path.to_owned(), bytes.into()));
        self
    }

    /// Adds a header line to `METADATA`, for example `Requires-Python: >=3.9`.
    pub(crate) fn metadata_line(mut self, line: &str) -> Self {
        self.metadata_lines.push(line.to_owned());
        self
    }

    pub(crate) fn requires(self, requirement: &str) -> Self {
        self.metadata_line(&format!("Requires-Dist: {requirement}"))
    }

    /// Writes every member without compression.
    pub(crate) fn stored(mut self) -> Self {
        self.compression = CompressionMethod::Stored;
        self
    }

    pub(crate) fn build(self) -> BuiltWheel {
        let stem = format!("{}-{}", escape_name(&self.name), escape_version(&self.version));
        let metadata = self.metadata_file();
        let dist_info = format!("{stem}.dist-info");

        let mut members = self.files.clone();
        members.push((format!("{dist_info}/METADATA"), metadata.clone()));
        members.push((format!("{dist_info}/WHEEL"), self.wheel_file()));
        let record_path = format!("{dist_info}/RECORD");
        let record = record_file(&members, &record_path);
        members.push((record_path, record));

        let bytes = self.archive(&members);
        let build_number =
            self.build_number.as_ref().map(|number| format!("-{number}")).unwrap_or_default();
        BuiltWheel {
            filename: format!("{stem}{build_number}-{}.whl", self.tag),
            sha256: sha256_hex(&bytes),
            bytes,
            metadata,
            name: self.name,
            version: self.version,
        }
    }

    fn metadata_file(&self) -> Vec<u8> {
        let mut text =
            format!("Metadata-Version: 2.1\nName: {}\nVersion: {}\n", self.name, self.version);
        for line in &self.metadata_lines {
            text.push_str(line);
            text.push('\n');
        }
        text.into_bytes()
    }

    fn wheel_file(&self) -> Vec<u8> {
        let purelib = self.tag.ends_with("-none-any");
        let mut text =
            format!("Wheel-Version: 1.0\nGenerator: ftcheck-tests\nRoot-Is-Purelib: {purelib}\n");
        for tag in expand_tag(&self.tag) {
            text.push_str(&format!("Tag: {tag}\n"));
        }
        if let Some(number) = &self.build_number {
            text.push_str(&format!("Build: {number}\n"));
        }
        text.into_bytes()
    }

    fn archive(&self, members: &[(String, Vec<u8>)]) -> Vec<u8> {
        // A fixed time and fixed permissions: the writer would otherwise take
        // them from the clock and the platform, and the digest would move.
        let options = SimpleFileOptions::default()
            .compression_method(self.compression)
            .last_modified_time(DateTime::default())
            .unix_permissions(0o644);
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in members {
            writer
                .start_file(path.as_str(), options)
                .unwrap_or_else(|error| panic!("cannot add {path} to the wheel: {error}"));
            writer.write_all(bytes).expect("writing to memory cannot fail");
        }
        writer.finish().expect("writing to memory cannot fail").into_inner()
    }
}

/// A stand-in for a source distribution. ftcheck never opens these, so only
/// the file name is real; the bytes merely start like a gzip file.
#[derive(Clone, Debug)]
pub(crate) struct Sdist {
    pub name: String,
    pub version: String,
    pub filename: String,
    pub bytes: Vec<u8>,
    pub sha256: String,
}

impl Sdist {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let filename = format!("{}-{}.tar.gz", escape_name(name), escape_version(version));
        let mut bytes = vec![0x1f, 0x8b, 0x08, 0x00];
        bytes.extend_from_slice(format!("stand-in for {filename}").as_bytes());
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            filename,
            sha256: sha256_hex(&bytes),
            bytes,
        }
    }
}

/// Lower-case hexadecimal SHA-256.
pub(crate) fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The project name as it stands in index addresses: lower case, and each run
/// of `-`, `_` and `.` made one `-`.
pub(crate) fn normalize_name(name: &str) -> String {
    let mut normalized = String::with_capacity(name.len());
    for character in name.chars() {
        if !matches!(character, '-' | '_' | '.') {
            normalized.push(character.to_ascii_lowercase());
        } else if !normalized.ends_with('-') {
            normalized.push('-');
        }
    }
    normalized
}

/// In file names `-` parts the fields, so the name may not hold one.
fn escape_name(name: &str) -> String {
    normalize_name(name).replace('-', "_")
}

fn escape_version(version: &str) -> String {
    version.replace('-', "_")
}

/// `cp39.cp310-abi3-any` stands for one tag per combination; `WHEEL` lists them
/// one a line.
fn expand_tag(tag: &str) -> BTreeSet<String> {
    let mut expanded = BTreeSet::from([String::new()]);
    for field in tag.split('-') {
        expanded = expanded
            .iter()
            .flat_map(|prefix| {
                field.split('.').map(move |part| match prefix.as_str() {
                    "" => part.to_owned(),
                    _ => format!("{prefix}-{part}"),
                })
            })
            .collect();
    }
    expanded
}

/// `RECORD` lists every member with digest and size, and itself with neither.
fn record_file(members: &[(String, Vec<u8>)], record_path: &str) -> Vec<u8> {
    let mut text = String::new();
    for (path, bytes) in members {
        let digest = base64_url(&Sha256::digest(bytes));
        let path = quote_csv(path);
        text.push_str(&format!("{path},sha256={digest},{}\n", bytes.len()));
    }
    text.push_str(&format!("{},,\n", quote_csv(record_path)));
    text.into_bytes()
}

fn quote_csv(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// URL-safe base64 without padding, as `RECORD` wants it. Written out because
/// nothing else in the project needs a base64 crate.
pub(super) fn base64_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut group = 0_u32;
        for position in 0..3 {
            group = (group << 8) | u32::from(chunk.get(position).copied().unwrap_or(0));
        }
        // One more character than the chunk has bytes; the rest is padding.
        for position in 0..=chunk.len() {
            let index = (group >> (18 - 6 * position)) & 0x3f;
            text.push(char::from(ALPHABET[index as usize]));
        }
    }
    text
}
