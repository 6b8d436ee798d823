//! Any bytes as files of a source distribution, and as its archive.
#![no_main]

use ftcheck::fetch::source_files::of_tar_gz;
use ftcheck::model::release::Prediction;
use ftcheck::source::Survey;
use libfuzzer_sys::fuzz_target;

/// One of each kind that is read.
const PATHS: [&str; 14] = [
    "s/pyproject.toml",
    "s/setup.cfg",
    "s/setup.py",
    "s/meson.build",
    "s/CMakeLists.txt",
    "s/Cargo.toml",
    "s/Cargo.lock",
    "s/a.c",
    "s/b.cpp",
    "s/c.h",
    "s/d.pyx",
    "s/e.rs",
    "s/f.i",
    "s/g.pyf",
];

fuzz_target!(|bytes: &[u8]| {
    let _ = of_tar_gz(bytes, &mut Survey::default());
    // Files in a row: each a byte for its kind, and its text up to a zero.
    let mut survey = Survey::default();
    let mut is_whole = true;
    for file in bytes.split(|byte| *byte == 0) {
        let Some((kind, text)) = file.split_first() else { continue };
        let Some(path) = PATHS.get(usize::from(*kind) % PATHS.len()) else { continue };
        survey.add(path, text, *kind < 200);
        is_whole &= *kind < 200;
    }
    let report = survey.finish("s-1.tar.gz");
    assert_eq!(report.prediction == Prediction::NotKnown, report.reason.is_some());
    assert!(is_whole || report.prediction != Prediction::KeepsGilOff);
});
