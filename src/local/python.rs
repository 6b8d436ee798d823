//! The folders that an interpreter imports installed packages from, found without running it.
//!
//! As `Modules/getpath.py` and `Lib/site.py` of CPython lay them out: an environment is told by its
//! `pyvenv.cfg`, packages lie in `lib/python3.14t/site-packages`, on Windows in
//! `Lib/site-packages`; Debian keeps its own in `dist-packages`.

use std::path::{Path, PathBuf};

use super::files::{LocalError, in_words, read};

/// What is only looked for in a file of a few lines.
const CONFIGURATION: &str = "pyvenv.cfg";

/// The folders of installed packages that belong to an interpreter's program or to an
/// environment's folder.
pub(super) fn site_packages(python: &Path) -> Result<Vec<PathBuf>, LocalError> {
    let metadata = std::fs::metadata(python)
        .map_err(|problem| LocalError::new(python, in_words(&problem)).hint(HINT))?;
    let (prefixes, version) =
        if metadata.is_dir() { (vec![python.to_owned()], None) } else { of_program(python) };
    let mut folders = Vec::new();
    for prefix in &prefixes {
        folders = of_prefix(prefix, version.as_deref());
        if folders.is_empty() {
            continue;
        }
        if let Some(base) = system_packages(prefix)? {
            folders.extend(of_prefix(&base, None));
        }
        break;
    }
    if folders.is_empty() {
        let shown: Vec<String> =
            prefixes.iter().map(|prefix| prefix.display().to_string()).collect();
        let problem = format!("expected site-packages below {}, found none", shown.join(" or "));
        return Err(LocalError::new(python, problem).hint(HINT));
    }
    Ok(folders)
}

const HINT: &str = "name an interpreter, such as .venv/bin/python, or the folder of an environment";

/// Where the prefix of a program may be, and the release that its name tells. The program of an
/// environment is a link to another one, and belongs to where the link lies.
fn of_program(program: &Path) -> (Vec<PathBuf>, Option<String>) {
    let mut programs = vec![std::path::absolute(program).unwrap_or_else(|_| program.to_owned())];
    programs.extend(std::fs::canonicalize(program).ok());
    let prefixes: Vec<PathBuf> = programs
        .iter()
        .filter_map(|program| program.parent())
        // Windows keeps the program of an interpreter that is no environment beside its `Lib`.
        .flat_map(|folder| [folder.parent(), Some(folder)])
        .flatten()
        .map(Path::to_owned)
        .collect();
    if let Some(environment) = prefixes.iter().find(|prefix| prefix.join(CONFIGURATION).is_file()) {
        return (vec![environment.clone()], None);
    }
    let version = programs.iter().find_map(|program| {
        let name = program.file_name()?.to_str()?;
        let name = name.strip_suffix(".exe").unwrap_or(name);
        name.strip_prefix("python").filter(|rest| rest.starts_with("3.")).map(str::to_owned)
    });
    (prefixes, version)
}

/// The folders below one prefix, of one release where it is known.
fn of_prefix(prefix: &Path, version: Option<&str>) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for library in ["lib", "lib64", "local/lib"] {
        let Ok(entries) = std::fs::read_dir(prefix.join(library)) else { continue };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let Some(found) = name.to_str().and_then(|name| name.strip_prefix("python3")) else {
                continue;
            };
            // `python3` alone is where Debian keeps packages for every release.
            let fits =
                found.is_empty() || version.is_none_or(|version| format!("3{found}") == version);
            if fits {
                folders
                    .extend(["site-packages", "dist-packages"].map(|last| entry.path().join(last)));
            }
        }
    }
    folders.push(prefix.join("Lib").join("site-packages"));
    folders.sort();
    // `lib64` is a link to `lib`, and `Lib` may be the same as `lib`.
    let mut seen: Vec<PathBuf> = Vec::new();
    folders.retain(|folder| {
        let real = std::fs::canonicalize(folder).ok().filter(|real| real.is_dir());
        let new = real.filter(|real| !seen.contains(real));
        seen.extend(new.clone());
        new.is_some()
    });
    folders
}

/// The prefix whose packages an environment can import too, as its `pyvenv.cfg` says.
fn system_packages(prefix: &Path) -> Result<Option<PathBuf>, LocalError> {
    let path = prefix.join(CONFIGURATION);
    if !path.is_file() {
        return Ok(None);
    }
    let bytes = read(&path)?;
    let text = String::from_utf8_lossy(&bytes);
    let value = |wanted: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim().eq_ignore_ascii_case(wanted)).then(|| value.trim().to_owned())
        })
    };
    let included = value("include-system-site-packages")
        .is_some_and(|value| value.eq_ignore_ascii_case("true"));
    if !included {
        return Ok(None);
    }
    let home = value("home").map(PathBuf::from).ok_or_else(|| {
        LocalError::new(&path, "expected `home`, since it includes system-site-packages")
    })?;
    // The folder of the program: `bin` of the prefix, or on Windows the prefix itself.
    let above = home.parent().map(Path::to_owned);
    Ok(if home.join("Lib").is_dir() { Some(home) } else { above })
}
