//! Any bytes as a zip, of which everything is read.
#![no_main]

use std::io::Cursor;

use ftcheck::fetch::archive::Archive;
use ftcheck::model::limits::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut archive) = Archive::open(Cursor::new(bytes), &Limits::default()) else { return };
    let members = archive.names().len();
    for member in 0..members.min(64) {
        if archive.expanded_size(member) > 16 << 20 {
            continue;
        }
        let stated = archive.expanded_size(member);
        if let Ok(content) = archive.read(member) {
            assert_eq!(content.len() as u64, stated);
        }
    }
});
