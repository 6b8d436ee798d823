//! Wheels as heavy as recorded ones, and locks that name them.
//!
//! What they hold is made up: a module is one of the fixtures with bytes behind it that deflate as the
//! recorded one did, Python files are functions that call each other, and the rest, which nothing reads,
//! is noise.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Cursor, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use crate::Failure;

const RECORDED: &str = include_str!("wheels.tsv");
const TAG: &str = "cp314-cp314t-manylinux_2_17_x86_64";
const SUFFIX: &str = "cpython-314t-x86_64-linux-gnu.so";
/// The recorded wheel whose modules enable the GIL, so that the Python files of all are read too.
const OFFENDER: &str = "pydantic-core";
/// Files that a lock names beside the wheel that is chosen, as those of other platforms.
const OTHER_FILES: usize = 24;
/// What text like that of [`python_file`] shrinks to.
const PYTHON_RATIO: u64 = 3;

/// What one wheel weighs, in bytes.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    name: String,
    size: u64,
    members: u64,
    /// As they lie in the wheel.
    python: u64,
    /// Expanded, and as they lie in the wheel.
    modules: Vec<(u64, u64)>,
}

impl Record {
    /// A wheel with one module, and as much else.
    pub(crate) fn of_one_module(module: u64, other: u64) -> Self {
        let size = module / 2 + other;
        Self {
            name: "single".to_owned(),
            size,
            members: 10,
            python: 1000,
            modules: vec![(module, module / 2)],
        }
    }
}

/// The recorded ones.
pub(crate) fn recorded() -> Result<Vec<Record>, Failure> {
    let lines = RECORDED.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let mut fields = line.split('\t');
            let name = fields.next().unwrap_or_default().to_owned();
            let mut number =
                || fields.next().ok_or("a field is missing")?.parse::<u64>().map_err(Failure::from);
            let (size, members, python) = (number()?, number()?, number()?);
            let modules = fields.next().unwrap_or_default().split_whitespace();
            let modules = modules
                .map(|module| {
                    let (expanded, packed) = module.split_once('/').ok_or("expected two sizes")?;
                    Ok((expanded.parse()?, packed.parse()?))
                })
                .collect::<Result<_, Failure>>()?;
            Ok(Record { name, size, members, python, modules })
        })
        .collect()
}

/// A finished wheel.
pub(crate) struct Wheel {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) filename: String,
    /// Until they are taken to be served.
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_pure: bool,
    size: usize,
    sha256: String,
    record: usize,
    round: usize,
}

/// Makes wheels; what is alike in several is packed once.
pub(crate) struct Workshop {
    records: Vec<Record>,
    packed: HashMap<usize, Vec<u8>>,
    declares: Vec<u8>,
    declares_used: Vec<u8>,
}

impl Workshop {
    pub(crate) fn new(records: Vec<Record>) -> Result<Self, Failure> {
        let fixture = |stem: &str| {
            let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/modules/built");
            std::fs::read(built.join("x86_64-linux-gnu").join(format!("{stem}.so")))
        };
        Ok(Self {
            records,
            packed: HashMap::new(),
            declares: fixture("declares")?,
            declares_used: fixture("declares_used")?,
        })
    }

    /// So many wheels: some of the recorded ones, all of them, or all of them several times.
    pub(crate) fn wheels(&mut self, count: usize) -> Result<Vec<Wheel>, Failure> {
        let known = self.records.len();
        (0..count)
            .map(|at| {
                let record = if count < known { at * known / count } else { at % known };
                self.wheel(record, at / known, "1.0")
            })
            .collect()
    }

    /// Another release of a project.
    pub(crate) fn release(&mut self, wheel: &Wheel, version: &str) -> Result<Wheel, Failure> {
        self.wheel(wheel.record, wheel.round, version)
    }

    /// A wheel of the weight of the recorded one, of a project that is named by it and a number.
    fn wheel(&mut self, record: usize, round: usize, version: &str) -> Result<Wheel, Failure> {
        let known = self.records.get(record).ok_or("there is no such record")?.clone();
        if !self.packed.contains_key(&record) {
            let packed = self.pack(&known)?;
            self.packed.insert(record, packed);
        }
        let packed = self.packed.get(&record).ok_or("it was packed")?;
        let name = if round == 0 { known.name.clone() } else { format!("{}-{round}", known.name) };
        let import = name.replace('-', "_");
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let mut members = ZipArchive::new(Cursor::new(packed))?;
        for at in 0..members.len() {
            let member = members.by_index_raw(at)?;
            let path = format!("{import}/{}", member.name()?);
            writer.raw_copy_file_rename(member, path)?;
        }
        let is_pure = known.modules.is_empty();
        let tag = if is_pure { "py3-none-any" } else { TAG };
        let options = SimpleFileOptions::default();
        let info = format!("{import}-{version}.dist-info");
        for (file, text) in [
            ("METADATA", format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")),
            (
                "WHEEL",
                format!(
                    "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: {is_pure}\nTag: {tag}\n"
                ),
            ),
            ("RECORD", format!("{info}/RECORD,,\n")),
        ] {
            writer.start_file(format!("{info}/{file}"), options)?;
            writer.write_all(text.as_bytes())?;
        }
        let bytes = writer.finish()?.into_inner();
        let mut sha256 = String::new();
        for byte in Sha256::digest(&bytes) {
            write!(sha256, "{byte:02x}")?;
        }
        let filename = format!("{import}-{version}-{tag}.whl");
        let (version, size) = (version.to_owned(), bytes.len());
        Ok(Wheel { name, version, filename, bytes, is_pure, size, sha256, record, round })
    }

    /// All members of a wheel but those that hold its name.
    fn pack(&self, record: &Record) -> Result<Vec<u8>, Failure> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let mut noise = Noise(0x2545_f491_4f6c_dd1d);
        let fast = SimpleFileOptions::default().compression_level(Some(1));
        let fixed = 3 + 1 + record.modules.len() as u64;
        let files = record.members.saturating_sub(fixed).max(1);
        for at in 0..files {
            writer.start_file(format!("file_{at}.py"), fast)?;
            let text = python_file(record.python * PYTHON_RATIO / files, &mut noise);
            writer.write_all(text.as_bytes())?;
        }
        // The modules lie scattered among what nothing reads, as in real wheels.
        let needed: u64 =
            record.modules.iter().map(|(_, packed)| packed).sum::<u64>() + record.python;
        let other = record.size.saturating_sub(needed) / (record.modules.len() as u64 + 1);
        let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
        for (at, (expanded, packed)) in record.modules.iter().enumerate() {
            writer.start_file(format!("data_{at}.bin"), stored)?;
            writer.write_all(&noise.bytes(other, 1, 1))?;
            let (stem, module) = if record.name == OFFENDER {
                ("declares_used", &self.declares_used)
            } else {
                ("declares", &self.declares)
            };
            writer.start_file(format!("part_{at}/{stem}.{SUFFIX}"), fast)?;
            writer.write_all(module)?;
            let rest = expanded.saturating_sub(module.len() as u64);
            writer.write_all(&noise.bytes(rest, *packed, *expanded))?;
        }
        writer.start_file("data.bin", stored)?;
        writer.write_all(&noise.bytes(other, 1, 1))?;
        Ok(writer.finish()?.into_inner())
    }
}

/// A `uv.lock` of a project that needs all of these, at `host`.
pub(crate) fn lock(wheels: &[Wheel], host: &str) -> Result<String, Failure> {
    let mut text = "version = 1\nrevision = 3\nrequires-python = \">=3.14\"\n\n[[package]]\n\
                    name = \"app\"\nversion = \"0.1.0\"\nsource = { virtual = \".\" }\ndependencies = [\n"
        .to_owned();
    for wheel in wheels {
        writeln!(text, "    {{ name = \"{}\" }},", wheel.name)?;
    }
    text.push_str("]\n");
    for wheel in wheels {
        let Wheel { name, version, filename, size, sha256, .. } = wheel;
        let folder = format!("http://{host}/files");
        write!(
            text,
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n\
             source = {{ registry = \"http://{host}/simple\" }}\n\
             sdist = {{ url = \"{folder}/{name}-{version}.tar.gz\", hash = \"sha256:{sha256}\", size = {size} }}\n\
             wheels = [\n"
        )?;
        if !wheel.is_pure {
            for at in 0..OTHER_FILES {
                let import = name.replace('-', "_");
                let other =
                    format!("{import}-{version}-cp314-cp314-macosx_{}_0_arm64.whl", 11 + at);
                writeln!(
                    text,
                    "    {{ url = \"{folder}/{other}\", hash = \"sha256:{sha256}\", size = {size} }},"
                )?;
            }
        }
        writeln!(
            text,
            "    {{ url = \"{folder}/{filename}\", hash = \"sha256:{sha256}\", size = {size} }},\n]"
        )?;
    }
    Ok(text)
}

/// Functions that call each other, to about so many bytes.
fn python_file(bytes: u64, noise: &mut Noise) -> String {
    let mut text = "import functools\nfrom collections import abc\n\n".to_owned();
    while (text.len() as u64) < bytes {
        let (name, number) = (noise.next() >> 40, noise.next() >> 44);
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "def of_{name:x}(values, *, limit={number}):\n    found = [one for one in values if one < limit]\n    \
             return functools.reduce(lambda left, right: left + right, found, {name})\n\n\n"
        );
    }
    text
}

/// xorshift: the bytes only have to be as random as is said, and the same in every run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// So many bytes that deflate to about this share of them.
    fn bytes(&mut self, count: u64, share: u64, of: u64) -> Vec<u8> {
        const BLOCK: u64 = 512;
        let random = (BLOCK * share / of.max(1)).min(BLOCK);
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < count {
            for at in 0..BLOCK / 8 {
                let word = if at * 8 < random { self.next() } else { 0 };
                bytes.extend(word.to_le_bytes());
            }
        }
        bytes.truncate(usize::try_from(count).unwrap_or_default());
        bytes
    }
}
