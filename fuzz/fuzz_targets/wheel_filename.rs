//! Any text as the file name of a wheel.
#![no_main]

use ftcheck::model::wheel_filename::WheelFilename;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(wheel) = text.parse::<WheelFilename>() else { return };
    assert_eq!(wheel.to_string(), text);
    assert_eq!(wheel.as_str(), text);
    assert!(wheel.tags().next().is_some());
    assert!(
        wheel.tags().all(|(python, abi, platform)| {
            !python.is_empty() && !abi.is_empty() && !platform.is_empty()
        }),
        "{wheel:?}"
    );
    assert!(wheel.compare_build(&wheel).is_eq());
});
