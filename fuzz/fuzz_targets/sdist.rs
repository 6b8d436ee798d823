//! Any bytes as a tar of a source distribution, and what it says of itself.
#![no_main]

use std::io::Write as _;

use ftcheck::fetch::sdist::{Said, Texts};
use ftcheck::model::metadata::CoreMetadata;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // Most damage to compressed bytes ends in their checksum.
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    gzip.write_all(bytes).expect("memory takes it");
    let _ = Texts::of_tar_gz(bytes);
    let Ok(texts) = Texts::of_tar_gz(gzip.finish().expect("memory takes it").as_slice()) else {
        return;
    };
    let name = "spam".parse().expect("a name");
    let version = "1.0".parse().expect("a version");
    if let Ok(Said::Metadata(text)) = texts.said(&name, &version) {
        let metadata = CoreMetadata::parse(text.as_bytes()).expect("what is said can be read");
        assert_eq!((metadata.name, metadata.version), (name, version));
    }
});
