//! Source distributions as bytes: that what is in them is read, and that none does harm.

use ftcheck::fetch::source_files::of_tar_gz;
use ftcheck::model::release::{Prediction, SourceReport};
use ftcheck::source::Survey;
use proptest::prelude::*;

use super::{SETUP, SETUPTOOLS};
use crate::support::sdist::{SdistBuilder, noise};

const MODULE: &str =
    "PyMODINIT_FUNC PyInit_spam(void) { PyUnstable_Module_SetGIL(m, Py_MOD_GIL_NOT_USED); }\n";

fn spam() -> SdistBuilder {
    SdistBuilder::new("spam", "1.0").file(SETUPTOOLS.0, SETUPTOOLS.1).file(SETUP.0, SETUP.1)
}

fn read(bytes: &[u8]) -> Result<SourceReport, String> {
    let mut survey = Survey::default();
    of_tar_gz(bytes, &mut survey).map_err(|problem| problem.to_string())?;
    Ok(survey.finish("spam-1.0.tar.gz"))
}

#[test]
fn a_source_is_read_out_of_its_archive() {
    let report =
        read(&spam().file("spam.c", MODULE).file("data", noise(100_000)).tar_gz()).unwrap();
    assert_eq!(report.prediction, Prediction::KeepsGilOff);
}

#[test]
fn paths_that_lead_elsewhere_are_not_read() {
    for path in [
        "/spam-1.0/setup.py",
        "../setup.py",
        "spam-1.0/../setup.py",
        "spam-1.0/src/../../setup.py",
        "spam-1.0\\setup.py",
        "setup.py",
        "",
        "/",
    ] {
        assert_eq!(Survey::wants(path), None, "{path}");
    }
    for path in ["spam-1.0/setup.py", "./spam-1.0/setup.py", "spam-1.0//setup.py"] {
        assert!(Survey::wants(path).is_some(), "{path}");
    }
}

#[test]
fn a_truncated_archive_is_told() {
    let whole = spam().file("spam.c", MODULE).file("data", noise(50_000)).tar_gz();
    for length in [0, 1, 20, whole.len() / 2] {
        let problem = read(&whole[..length]).unwrap_err();
        assert!(problem.starts_with("damaged source distribution"), "{problem}");
    }
}

#[test]
fn a_bomb_ends_with_an_error() {
    // Two GiB of zeros in one member that nobody asks for.
    let mut header = tar::Header::new_ustar();
    header.set_path("spam-1.0/zeros").unwrap();
    header.set_size(2 << 30);
    header.set_cksum();
    let gzip = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, bytes).unwrap();
        gzip.finish().unwrap()
    };
    // A gzip of several parts is read as one.
    let bomb = [gzip(header.as_bytes()), gzip(&vec![0; 16 << 20]).repeat(70)].concat();
    let problem = read(&bomb).unwrap_err();
    assert!(problem.contains("expands to more than"), "{problem}");
}

#[test]
fn files_that_are_too_long_leave_it_open() {
    let long = format!("{MODULE}{}", " ".repeat(5 << 20));
    let report = read(&spam().file("spam.c", long).tar_gz()).unwrap();
    assert_eq!(report.prediction, Prediction::NotKnown);
    assert!(report.reason.unwrap().contains("spam.c is too long"));
    // One that holds nothing of interest does not matter.
    let report = read(&spam().file("spam.c", MODULE).file("big.c", " ".repeat(5 << 20)).tar_gz());
    assert_eq!(report.unwrap().prediction, Prediction::KeepsGilOff);
}

#[test]
fn a_claim_of_a_member_is_not_believed() {
    let mut header = tar::Header::new_ustar();
    header.set_path("spam-1.0/setup.py").unwrap();
    header.set_size(1 << 32);
    header.set_cksum();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, header.as_bytes()).unwrap();
    assert!(read(&gzip.finish().unwrap()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_bytes_do_harm(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut tar = spam().file("spam.c", MODULE).file("Cargo.toml", "[package]").tar();
        for (at, byte) in flips {
            let at = at.index(tar.len());
            tar[at] = byte;
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &tar).unwrap();
        let _ = read(&gzip.finish().unwrap());
    }
}
