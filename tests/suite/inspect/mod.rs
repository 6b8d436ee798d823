//! Mirrors `engine/src`.

mod containers;
mod crafted;
mod crafted_mach_o;
mod declaring;
mod filename;
mod hostile;
mod hostile_everywhere;
mod libraries;
mod mach_o;
mod module;
mod pe;

use ftcheck::inspect::filename::{ExtensionFile, Suffix, extension_files, suffixes};
use ftcheck::inspect::libraries::Libraries;
use ftcheck::inspect::{Inspection, Interpreter, inspect};
use ftcheck::model::evidence::ModuleReport;
use ftcheck::model::platform::Platform;
use ftcheck::model::target::Target;

/// The platform whose modules the fixtures in a folder of that name are.
fn platform_of(folder: &str) -> Platform {
    folder.trim_end_matches("-gnu").parse().unwrap()
}

/// The file that `module` is installed as, found as in a wheel. A package's own module is written
/// `package.__init__`.
fn installed(module: &str, suffix: Suffix, target: Target, platform: Platform) -> ExtensionFile {
    let (text, _) = suffixes(target, platform)
        .into_iter()
        .find(|(_, kind)| *kind == suffix)
        .unwrap_or_else(|| panic!("{target} on {platform} knows no suffix of the kind {suffix:?}"));
    let member = format!("{}{text}", module.replace('.', "/"));
    let files = extension_files([member.as_str()].into_iter(), target, platform);
    let [file] = files.as_slice() else { panic!("{member} is not taken for a module: {files:?}") };
    assert_eq!((file.module.as_str(), file.suffix), (module, suffix));
    file.clone()
}

/// The answer for a file that lies in its wheel alone; `None` where it is no module.
fn inspect_alone(file: &ExtensionFile, bytes: &[u8], target: Target) -> Option<ModuleReport> {
    match inspect(file, bytes, &Libraries::default(), Interpreter { target, platform: None }) {
        Inspection::Module(report) => Some(*report),
        Inspection::NotAModule => None,
        Inspection::Needs(names) => panic!("{} asks for {names:?}, of no library", file.member),
    }
}
