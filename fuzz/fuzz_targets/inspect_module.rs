//! Any bytes as an extension module: the first picks the interpreter and what it runs on, or that
//! it runs on whatever the file is for, the rest are the file.
//!
//! The module is called `declares`, or after the first hook that the file exports, so that every
//! fixture is a seed that leads somewhere.
//!
//! Besides "no panic, no hang", whatever is answered has to be a report that makes sense: a reason
//! exactly where nothing was decided, and slots or a lack of them behind each decision.
#![no_main]

use ftcheck::inspect::filename::{ExtensionFile, Suffix};
use ftcheck::inspect::image::Image;
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::evidence::Gil;
use ftcheck::model::target::Target;
use libfuzzer_sys::fuzz_target;

const PLATFORMS: [&str; 6] = [
    "x86_64-linux",
    "aarch64-linux",
    "x86_64-macos",
    "aarch64-macos",
    "x86_64-windows",
    "aarch64-windows",
];

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let choice = usize::from(*choice);
    let target = Target::ALL[choice % Target::ALL.len()];
    let platform = match choice / Target::ALL.len() % (PLATFORMS.len() + 1) {
        0 => None,
        other => Some(PLATFORMS[other - 1].parse().expect("a platform")),
    };
    let hooked = Image::load(bytes).ok().and_then(|image| {
        image.exports().find_map(|(name, _)| name.strip_prefix("PyInit_").map(str::to_owned))
    });
    let module = hooked.unwrap_or_else(|| "declares".to_owned());
    let member = format!("{module}.cpython-314t-x86_64-linux-gnu.so");
    let file = ExtensionFile { member, module, suffix: Suffix::Tagged };
    let inspected = inspect(&file, bytes, &Libraries::default(), Interpreter { target, platform });
    let Inspection::Module(report) = inspected else {
        panic!("a tagged suffix says that it is a module, and there is no other library")
    };
    let decided = report.gil != Gil::Undetermined;
    assert_eq!(decided, report.reason.is_none(), "{report:?}");
    if let Some(reason) = &report.reason {
        assert!(!reason.trim().is_empty());
    }
    if decided {
        assert!(report.init.is_some() && report.evidence.hook.is_some(), "{report:?}");
    }
});
