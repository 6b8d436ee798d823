//! Which files of a wheel the interpreter would import as extension modules, and under what name.
//!
//! Told by path alone, as `importlib` does: the suffixes of `_PyImport_DynLoadFiletab`
//! (`Python/dynload_shlib.c`, `Python/dynload_win.c`) in their order, and directories and stems
//! that a dotted name can reach.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::model::platform::{OperatingSystem, Platform};
use crate::model::target::Target;

/// A file that would be tried as an extension module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtensionFile {
    /// The path inside the wheel.
    pub member: String,
    /// The dotted name. A package's own module keeps its `__init__`.
    pub module: String,
    /// How the suffix names the interpreter.
    pub suffix: Suffix,
}

/// The kinds of suffix, in the order in which the interpreter tries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Suffix {
    /// Names this very interpreter, such as `.cpython-314t-x86_64-linux-gnu.so`.
    Tagged,
    /// `.abi3t.so`, the stable ABI of free-threaded builds (PEP 803), with or without a platform.
    StableFreeThreaded,
    /// `.abi3.so`, the stable ABI of builds with a GIL.
    StableWithGil,
    /// `.so` or `.pyd` alone: a library as well as a module may have that name.
    Bare,
}

/// The suffixes that the interpreter tries, in order.
#[must_use]
pub fn suffixes(target: Target, platform: Platform) -> Vec<(String, Suffix)> {
    let tag = platform.extension_tag(&format!("3{}t", target.minor()));
    if platform.is_windows() {
        return vec![(format!(".{tag}.pyd"), Suffix::Tagged), (".pyd".to_owned(), Suffix::Bare)];
    }
    let mut suffixes = vec![(format!(".{tag}.so"), Suffix::Tagged)];
    if target >= Target::PY315T {
        let stable = tag.replacen(&format!("cpython-3{}t", target.minor()), "abi3t", 1);
        suffixes.push((format!(".{stable}.so"), Suffix::StableFreeThreaded));
        suffixes.push((".abi3t.so".to_owned(), Suffix::StableFreeThreaded));
    } else {
        suffixes.push((".abi3.so".to_owned(), Suffix::StableWithGil));
    }
    suffixes.push((".so".to_owned(), Suffix::Bare));
    suffixes
}

/// The extension modules among a wheel's members, each once: of two files for one name the
/// interpreter takes the one whose suffix it tries first.
#[must_use]
pub fn extension_files<'a>(
    members: impl Iterator<Item = &'a str>,
    target: Target,
    platform: Platform,
) -> Vec<ExtensionFile> {
    let suffixes = suffixes(target, platform);
    let mut files: Vec<(usize, ExtensionFile)> = members
        .filter_map(|member| {
            suffixes.iter().enumerate().find_map(|(rank, (text, suffix))| {
                let module = module_name(member, text)?;
                let member = member.to_owned();
                Some((rank, ExtensionFile { member, module, suffix: *suffix }))
            })
        })
        .collect();
    files.sort_by(|(a_rank, a), (b_rank, b)| {
        (&a.module, a_rank, &a.member).cmp(&(&b.module, b_rank, &b.member))
    });
    files.dedup_by(|(_, later), (_, first)| later.module == first.module);
    files.into_iter().map(|(_, file)| file).collect()
}

/// The dotted name of `member`, where it ends in `suffix` and a dotted name can reach it.
fn module_name(member: &str, suffix: &str) -> Option<String> {
    let path = installed_path(member).strip_suffix(suffix)?;
    let parts: Vec<&str> = path.split('/').collect();
    // A dot would part the name in another place: `numpy.libs/libfoo.so`, and modules built for
    // another interpreter, `foo.cpython-314-x86_64-linux-gnu.so`.
    let reachable = parts.iter().all(|part| !part.is_empty() && !part.contains('.'));
    reachable.then(|| parts.join("."))
}

/// Where a member lies once installed, relative to site-packages: wheels may keep files under
/// `{name}-{version}.data/platlib` or `purelib` (the binary distribution format).
pub(super) fn installed_path(member: &str) -> &str {
    let Some((first, rest)) = member.split_once('/') else { return member };
    if !first.ends_with(".data") {
        return member;
    }
    rest.strip_prefix("platlib/").or_else(|| rest.strip_prefix("purelib/")).unwrap_or(member)
}

/// Two members that would be installed as one file: which of them is there then hangs on the
/// installer. On Windows and macOS the case of letters does not count.
#[must_use]
pub fn installed_twice<'a>(
    members: impl Iterator<Item = &'a str>,
    platform: Option<Platform>,
) -> Option<(&'a str, &'a str)> {
    let system = platform.map(|platform| platform.system);
    let has_case =
        !matches!(system, Some(OperatingSystem::Windows | OperatingSystem::Macos { .. }));
    let mut places = HashMap::new();
    for member in members.filter(|member| !member.ends_with('/')) {
        let path = installed_path(member);
        let path = if has_case { Cow::Borrowed(path) } else { Cow::Owned(path.to_lowercase()) };
        if let Some(other) = places.insert(path, member) {
            return Some((other, member));
        }
    }
    None
}

/// The names of the functions that the interpreter looks for, given a module's dotted name: the
/// suffix shared by `PyInit` and `PyModExport`, such as `_etree` or `U_mdulo_mya`.
///
/// As `get_encoded_name` in CPython's `Python/importdl.c`: the last component, in ASCII as it is
/// and otherwise in punycode, with `_` for `-` in both. A package's `__init__` goes by the name of the package.
#[must_use]
pub fn hook_suffix(module: &str) -> String {
    let module = module.strip_suffix(".__init__").unwrap_or(module);
    let name = module.rsplit('.').next().unwrap_or(module);
    if name.is_ascii() {
        return format!("_{}", name.replace('-', "_"));
    }
    let encoded = idna_punycode(name).replace('-', "_");
    format!("U_{encoded}")
}

fn idna_punycode(name: &str) -> String {
    // Fails only where a name has more code points than fit in 32 bits.
    idna::punycode::encode_str(name).unwrap_or_default()
}
