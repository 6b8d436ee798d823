//! One compiled file, which may lie anywhere.

use std::collections::BTreeSet;
use std::path::Path;

use super::built_for::{Platforms, is_library_name, names_an_interpreter, select, told_targets};
use super::files::{LocalError, Unpacked, read};
use super::{Findings, Settings, conclude};
use crate::inspect::Interpreter;
use crate::inspect::filename::{ExtensionFile, Suffix};
use crate::inspect::image::{Format, Image};
use crate::model::inspect_report::PassedOver;
use crate::model::target::Target;
use crate::module_check::check_all;

/// Hooks of other names that are followed in one file.
const MAX_HOOKS: usize = 16;
/// How far up folders of libraries are looked for.
const MAX_CLIMB: usize = 4;

/// Looks at a file under its own name.
pub(super) fn look_into(path: &Path, settings: &Settings) -> Result<Findings, LocalError> {
    // Large files are large parts of memory: the bytes are read again where they are needed again.
    check_kind(path, &read(path)?)?;
    let name = path.file_name().unwrap_or_default();
    let Some(name) = name.to_str() else {
        let problem = "expected a name in UTF-8: which function is called hangs on it";
        return Err(LocalError::new(path, problem));
    };
    let folder = folder_name(path);
    let member = format!("{folder}/{name}");
    let names = [name.to_owned()];
    let targets = match settings.target {
        Some(target) => BTreeSet::from([target]),
        None => told_targets(&names),
    };
    let target = targets.first().copied().unwrap_or_default();
    let platforms = settings.platform.map_or(Platforms::Told, Platforms::named);
    let selection = select(&names, target, &platforms);
    let mut findings = Findings::default();
    if selection.modules.is_empty() && names_an_interpreter(name) {
        let on = settings.platform.map(|platform| format!(" on {platform}")).unwrap_or_default();
        let reason =
            format!("its name is that of a module for another interpreter than {target}{on}");
        findings.skipped.push(PassedOver { path: path.display().to_string(), reason });
        return Ok(findings);
    }

    let mut files = beside(path, &folder);
    files.add(member.clone(), path.to_owned());
    let (stem, suffix, interpreter) = match selection.modules.first() {
        Some((file, interpreter)) => (file.module.clone(), file.suffix, *interpreter),
        None => {
            let stem = name.split('.').next().unwrap_or(name).to_owned();
            (stem, Suffix::Bare, Interpreter { target, platform: settings.platform })
        }
    };
    // A package's own module goes by the name of its folder.
    let module = if stem == "__init__" { format!("{folder}.{stem}") } else { stem };
    let as_module =
        |module: String| (ExtensionFile { member: member.clone(), module, suffix }, interpreter);
    let mut modules = check_all(&mut files, [as_module(module)])?;
    let mut notes = Vec::new();
    if modules.is_empty() {
        let others = hooks(&read(path)?, target);
        let followed: Vec<_> = others.iter().take(MAX_HOOKS).cloned().map(as_module).collect();
        modules = check_all(&mut files, followed)?;
        notes.push(if others.is_empty() {
            "no extension module: it exports no PyInit function".to_owned()
        } else {
            format!(
                "it can only be imported under another name, which its PyInit function tells: {}",
                others.iter().take(MAX_HOOKS).cloned().collect::<Vec<_>>().join(", ")
            )
        });
        if others.len() > MAX_HOOKS {
            findings.gaps.push(format!(
                "{}: {} more modules of this file",
                path.display(),
                others.len() - MAX_HOOKS
            ));
        }
    }
    for module in &mut modules {
        name.clone_into(&mut module.member);
    }
    let mut report = conclude(path, target, modules, 0);
    report.platform = settings.platform;
    report.notes = notes;
    findings.files.push(report);
    Ok(findings)
}

/// Whether the bytes are those of a compiled file.
fn check_kind(path: &Path, bytes: &[u8]) -> Result<(), LocalError> {
    if Format::of(bytes).is_some() {
        return Ok(());
    }
    let start = bytes.get(..bytes.len().min(4096)).unwrap_or_default();
    let is_text = match std::str::from_utf8(start) {
        Ok(text) => !text.contains('\0'),
        // Cut inside a letter.
        Err(problem) => problem.error_len().is_none() && !start.contains(&0),
    };
    let found = match start {
        [] => "an empty file",
        [b'P', b'K', 3, 4, ..] => "a zip",
        _ if is_text => "text",
        _ => "bytes of another kind",
    };
    let problem = format!("expected a compiled module (ELF, Mach-O or PE), found {found}");
    let error = LocalError::new(path, problem);
    let is_module_name = path.to_str().is_some_and(is_library_name);
    Err(if is_module_name {
        error
    } else {
        error.hint("name a wheel, a compiled module, or a folder that holds some")
    })
}

/// The name of the folder that a file lies in.
fn folder_name(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let folder = absolute.parent().and_then(Path::file_name).unwrap_or_default();
    folder.to_string_lossy().into_owned()
}

/// The libraries that an answer may hang on: those in the file's own folder, and where the tools
/// that complete wheels put them: `NAME.libs` (auditwheel, delvewheel) and `.dylibs` (delocate), in
/// the folders above.
fn beside(path: &Path, folder: &str) -> Unpacked {
    let mut files = Unpacked::default();
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let Some(own) = absolute.parent() else { return files };
    add_libraries(&mut files, own, folder, &absolute);
    for (climbed, above) in own.ancestors().take(MAX_CLIMB).enumerate() {
        // Paths are counted from the folder above the file's own.
        let start = if climbed == 0 { format!("{folder}/") } else { String::new() };
        let Ok(entries) = std::fs::read_dir(above) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.ends_with(".libs") || name.ends_with(".dylibs") {
                add_libraries(&mut files, &entry.path(), &format!("{start}{name}"), &absolute);
            }
        }
    }
    files
}

/// Adds what is called like a library in a folder.
fn add_libraries(files: &mut Unpacked, folder: &Path, shown: &str, except: &Path) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| is_library_name(name))
            && path != except
            && path.is_file()
        {
            files.add(format!("{shown}/{name}"), path.clone());
        }
    }
}

/// The names of the modules whose hooks a file exports.
pub(super) fn hooks(bytes: &[u8], target: Target) -> Vec<String> {
    let mut starts = vec!["PyInit_"];
    if target >= Target::PY315T {
        starts.push("PyModExport_");
    }
    let mut names = BTreeSet::new();
    for slice in Image::slices(bytes) {
        let Ok(image) = Image::load(slice) else { continue };
        for (symbol, _) in image.exports() {
            let name = starts.iter().find_map(|start| symbol.strip_prefix(start));
            names.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
        }
    }
    names.into_iter().collect()
}
