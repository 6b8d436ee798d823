//! Machine code of the fuzzer's own in the hook of a sound module.
//!
//! The first byte picks one of the fixtures and the second the interpreter. Patches follow, each of
//! two bytes that say where, one that says how long, and the bytes: where the highest bit of the
//! place is set, it counts from the hook, otherwise from the start of the file. Changes to data are
//! made in that way too.
//!
//! Whatever the code does, there is an answer only with evidence for it: above all, nothing keeps
//! the GIL off without a slot or a call that says so.
#![no_main]

use ftcheck::inspect::filename::{ExtensionFile, Suffix};
use ftcheck::inspect::image::{Export, Image};
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::evidence::{Gil, Init, ModuleReport};
use ftcheck::model::target::Target;
use libfuzzer_sys::fuzz_target;

macro_rules! modules {
    ($($folder:literal, $suffix:literal);*) => {
        [$(
            ("declares_used", include_bytes!(concat!("../../fixtures/modules/built/", $folder, "/declares_used", $suffix))),
            ("single_withdraws", include_bytes!(concat!("../../fixtures/modules/built/", $folder, "/single_withdraws", $suffix))),
            ("calls_helper_first", include_bytes!(concat!("../../fixtures/modules/built/", $folder, "/calls_helper_first", $suffix))),
            ("filled_at_run_time", include_bytes!(concat!("../../fixtures/modules/built/", $folder, "/filled_at_run_time", $suffix)))
        ),*]
    };
}

static MODULES: [(&str, &[u8]); 24] = modules!(
    "x86_64-linux-gnu", ".so";
    "aarch64-linux-gnu", ".so";
    "x86_64-macos", ".so";
    "aarch64-macos", ".so";
    "x86_64-windows-gnu", ".pyd";
    "aarch64-windows-gnu", ".pyd"
);

fuzz_target!(|data: &[u8]| {
    let [module, target, patches @ ..] = data else { return };
    let (name, bytes) = MODULES[usize::from(*module) % MODULES.len()];
    let target = Target::ALL[usize::from(*target) % Target::ALL.len()];
    let hook = place_of_hook(name, bytes);
    let mut bytes = bytes.to_vec();
    let mut rest = patches;
    while let [high, low, length, behind @ ..] = rest {
        let place = usize::from(u16::from_be_bytes([*high & 0x7f, *low]));
        let place = if high & 0x80 != 0 { hook + place } else { place };
        let (patch, behind) = behind.split_at(usize::from(*length).min(behind.len()));
        if let Some(there) = bytes.get_mut(place..).and_then(|there| there.get_mut(..patch.len())) {
            there.copy_from_slice(patch);
        }
        rest = behind;
    }
    let file = ExtensionFile {
        member: format!("{name}.so"),
        module: name.to_owned(),
        suffix: Suffix::Tagged,
    };
    let interpreter = Interpreter { target, platform: None };
    match inspect(&file, &bytes, &Libraries::default(), interpreter) {
        Inspection::Module(report) => check(&report, target),
        other => panic!("it is a module, and there is no other library: {other:?}"),
    }
});

/// Where the hook stands in the file.
fn place_of_hook(name: &str, bytes: &[u8]) -> usize {
    let image = Image::load(bytes).expect("the fixture is sound");
    let Some(Export::At(address)) = image.export(&format!("PyInit_{name}")) else {
        panic!("the fixture has its hook");
    };
    let code = image.code(*address).expect("the hook is code");
    code.as_ptr() as usize - bytes.as_ptr() as usize
}

fn check(report: &ModuleReport, target: Target) {
    let evidence = &report.evidence;
    let decided = report.gil != Gil::Undetermined;
    assert_eq!(decided, report.reason.is_none(), "{report:?}");
    if !decided {
        return;
    }
    assert!(evidence.hook.is_some() && evidence.steps.is_some(), "{report:?}");
    // What keeps the GIL off: 1, and before 3.15 anything but 0.
    let keeps_off = |value: &str| value == "0x1" || value != "0x0" && target < Target::PY315T;
    let says_so = match report.init {
        Some(Init::MultiPhase) => {
            let definition = evidence.definition.as_ref().expect("a definition is behind it");
            let mut slots = definition.slots.iter().flatten();
            slots.any(|slot| matches!(slot.id & 0xffff, 4 | 87) && keeps_off(&slot.value))
        }
        Some(Init::SinglePhase) => evidence.set_gil.as_deref().is_some_and(keeps_off),
        None => panic!("decided without a way to initialise: {report:?}"),
    };
    // No module of these is made by a function of its own that fails.
    assert_eq!(says_so, report.gil == Gil::KeepsOff, "{report:?}");
}
