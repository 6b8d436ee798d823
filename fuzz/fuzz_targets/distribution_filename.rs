//! Any text as the file name of a wheel or a source distribution, as it stands on the page of a
//! project.
#![no_main]

use ftcheck::model::distribution::DistributionKind;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    // The names of files hold their project's: it is tried as each beginning of the text.
    let names = text.match_indices('-').map(|(at, _)| &text[..at]);
    for name in names.take(8).filter_map(|name| name.parse().ok()) {
        let Some(kind) = DistributionKind::parse(text, &name) else { continue };
        assert_eq!(kind.filename(), text);
        assert!(!kind.version().to_string().is_empty());
    }
});
