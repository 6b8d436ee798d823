//! Builds source distributions with files in them, where the stand-ins of
//! `super::wheel` do not do.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::index::IndexFile;

/// Collects what goes into a source distribution.
#[derive(Clone, Debug)]
pub(crate) struct SdistBuilder {
    name: String,
    version: String,
    files: Vec<(String, Vec<u8>)>,
}

impl SdistBuilder {
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self { name: name.to_owned(), version: version.to_owned(), files: Vec::new() }
    }

    /// Adds a file, by its path below the folder of the release.
    pub(crate) fn file(mut self, path: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let path = format!("{}-{}/{path}", self.name, self.version);
        self.files.push((path, bytes.into()));
        self
    }

    /// Adds a `PKG-INFO` of that metadata version with further lines.
    pub(crate) fn pkg_info(self, metadata_version: &str, lines: &str) -> Self {
        let text = format!(
            "Metadata-Version: {metadata_version}\nName: {}\nVersion: {}\n{lines}\n\nA text.\n",
            self.name, self.version
        );
        self.file("PKG-INFO", text)
    }

    pub(crate) fn tar(&self) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, bytes) in &self.files {
            let mut header = tar::Header::new_ustar();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            builder.append_data(&mut header, path, bytes.as_slice()).expect("memory takes it");
        }
        builder.into_inner().expect("memory takes it")
    }

    pub(crate) fn tar_gz(&self) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&self.tar()).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    }

    pub(crate) fn zip(&self) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (path, bytes) in &self.files {
            writer.start_file(path, SimpleFileOptions::default()).expect("memory takes it");
            writer.write_all(bytes).expect("memory takes it");
        }
        writer.finish().expect("memory takes it").into_inner()
    }

    /// What an index would serve, as a `.tar.gz`.
    pub(crate) fn build(&self) -> IndexFile {
        self.as_file("tar.gz", self.tar_gz())
    }

    /// The same as a `.zip`.
    pub(crate) fn build_zip(&self) -> IndexFile {
        self.as_file("zip", self.zip())
    }

    fn as_file(&self, ending: &str, bytes: Vec<u8>) -> IndexFile {
        let filename = format!("{}-{}.{ending}", self.name, self.version);
        IndexFile::raw(&self.name, &self.version, &filename, bytes)
    }
}

/// Bytes that no compression shrinks, the same in every run.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(size)
    .collect()
}
