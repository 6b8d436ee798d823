//! Any bytes as an extension module: the first picks the interpreter, the rest are the file.
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

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let target = Target::ALL[usize::from(*choice) % Target::ALL.len()];
    let hooked = Image::load(bytes).ok().and_then(|image| {
        image.exports().find_map(|(name, _)| name.strip_prefix("PyInit_").map(str::to_owned))
    });
    let module = hooked.unwrap_or_else(|| "declares".to_owned());
    let member = format!("{module}.cpython-314t-x86_64-linux-gnu.so");
    let file = ExtensionFile { member, module, suffix: Suffix::Tagged };
    let inspected = inspect(&file, bytes, &Libraries::default(), Interpreter { target, platform: None });
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
