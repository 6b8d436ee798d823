//! Any bytes as the METADATA and the WHEEL of a wheel.
#![no_main]

use ftcheck::fetch::metadata;
use ftcheck::model::metadata::CoreMetadata;
use ftcheck::model::wheel_filename::WheelFilename;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let wheel: WheelFilename =
        "spam-1.0-cp314-cp314t-win_amd64.whl".parse().expect("a file name");
    let is_its_own = metadata::check_identity(bytes, &wheel).is_ok();
    let _ = metadata::free_threading_classifiers(bytes);
    let _ = metadata::tags(bytes);
    match CoreMetadata::parse(bytes) {
        Ok(read) => {
            let is_named = read.name == wheel.name && read.version == wheel.version;
            assert!(is_named || !is_its_own, "{read:?}");
        }
        Err(problem) => assert!(!problem.trim().is_empty()),
    }
});
