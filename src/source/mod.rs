//! What a build from source would presumably do to the GIL: read from the files of a source
//! distribution, of which nothing is run.
//!
//! Files come in one by one, in any order, and only what they say is kept. Neither where they come
//! from is known here, nor what a verdict is: what comes out is a prediction with its signs.
//!
//! ```text
//! scan, preprocessor   words, without comments, and what holds in a free-threaded build
//! c, cython, rust      the modules that a file defines, and what each says
//! script, project      what the build compiles, and with which options
//! predict              all of it together
//! ```

mod c;
mod cython;
mod interest;
mod predict;
pub mod preprocessor;
mod project;
mod rust;
pub mod scan;
mod script;
mod unit;

use std::collections::BTreeSet;

use self::interest::Interest;
use self::project::Project;
use self::rust::Crates;
use self::scan::Language;
use self::script::Scripts;
use self::unit::{MOST, Unit, stem};
use crate::model::release::{Sign, SourceReport};

/// Counts up whenever the same source may come to another prediction.
pub const SURVEY_VERSION: u32 = 2;

/// The longest file that is read.
const MAX_FILE: u64 = 16 << 20;
/// The longest file of C that is read word by word, but for what Cython wrote.
const MAX_CODE: usize = 4 << 20;
/// How much of a Python file is read: what a tool is told by comments stands at its head.
const PYTHON_HEAD: u64 = 64 << 10;
/// The longest script of a build that is read.
const MAX_SCRIPT: u64 = 1 << 20;

/// The most names of files that are kept.
const MOST_SOURCES: usize = 64 << 10;

/// What a file is to a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Pyproject,
    SetupCfg,
    CargoToml,
    CargoLock,
    C,
    Cython,
    Rust,
    Swig,
    F2py,
    /// A script of the build, or a module of the package.
    Python,
    Script(Language),
}

/// The files of one source distribution.
#[derive(Debug)]
pub struct Survey {
    c: Interest,
    rust: Interest,
    project: Project,
    scripts: Scripts,
    crates: Crates,
    units: Vec<Unit>,
    /// Python files that Cython would read options from: modules only where a script names them.
    marked: Vec<Unit>,
    /// Files of Cython that others include, by path.
    included: BTreeSet<String>,
    /// Declarations in files that define no module.
    loose: Option<Sign>,
    limited: Vec<Sign>,
    /// Files that were not read, with the reason.
    unread: Vec<String>,
    has_setup: bool,
    files: usize,
    /// The names of files that can be compiled, without endings.
    sources: BTreeSet<String>,
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            c: Interest::of(&c::INTEREST),
            rust: Interest::of(&rust::INTEREST),
            project: Project::default(),
            scripts: Scripts::default(),
            crates: Crates::default(),
            units: Vec::new(),
            marked: Vec::new(),
            included: BTreeSet::new(),
            loose: None,
            limited: Vec::new(),
            unread: Vec::new(),
            has_setup: false,
            files: 0,
            sources: BTreeSet::new(),
        }
    }
}

impl Survey {
    /// How many bytes of the member at `path` are to be read; `None` where it does not matter.
    #[must_use]
    pub fn wants(path: &str) -> Option<u64> {
        match role(&below_top(path)?)? {
            // What may be a script of the build is read whole.
            Role::Python if is_deep(path) => Some(PYTHON_HEAD),
            Role::Python | Role::Script(_) => Some(MAX_SCRIPT),
            _ => Some(MAX_FILE),
        }
    }

    /// Takes a member that is wanted: its beginning, and whether that is all of it.
    pub fn add(&mut self, path: &str, bytes: &[u8], is_whole: bool) {
        let Some(path) = below_top(path) else { return };
        let Some(role) = role(&path) else { return };
        self.files += 1;
        self.has_setup |= path == "setup.py";
        if matches!(role, Role::C | Role::Cython | Role::Swig | Role::F2py)
            && self.sources.len() < MOST_SOURCES
        {
            self.sources.insert(stem(&path).to_owned());
        }
        let is_code = role == Role::C && bytes.len() > MAX_CODE && !c::is_cythons(bytes);
        let is_cut = !is_whole && (role != Role::Python || !path.contains('/'));
        let interest = match role {
            Role::C if is_whole => Some(&self.c),
            Role::Rust if is_whole => Some(&self.rust),
            _ => None,
        };
        if interest.is_some_and(|interest| !interest.holds(bytes)) {
            return;
        }
        if is_cut || is_code {
            if self.unread.len() < MOST {
                self.unread.push(format!("{path} is too long to be read"));
            }
            return;
        }
        let text = String::from_utf8_lossy(bytes);
        match role {
            Role::Pyproject => self.project.pyproject(&text),
            Role::SetupCfg => self.project.setup_cfg(&text),
            // What tests or other projects along with it are built with is their own affair.
            Role::CargoToml | Role::CargoLock if is_aside(&path) || is_vendored(&path) => {}
            Role::CargoToml => self.crates.manifest(&text),
            Role::CargoLock => self.crates.lock(&text),
            Role::C => self.add_c(&path, &text),
            Role::Cython => {
                let included = cython::included(&path, &text);
                let room = (16 * MOST).saturating_sub(self.included.len());
                self.included.extend(included.into_iter().take(room));
                if path.ends_with(".pyx") || path.contains(".pyx.") {
                    self.push(cython::unit(&path, &text));
                }
            }
            Role::Rust => self.push_all(rust::units(&path, &text)),
            Role::Swig => self.push_all(cython::swig(&path, &text)),
            Role::F2py => self.push_all(cython::f2py(&path, &text)),
            Role::Python => self.add_python(&path, &text),
            Role::Script(language) => self.add_script(&path, language, &text),
        }
    }

    /// What all of it says.
    #[must_use]
    pub fn finish(self, filename: &str) -> SourceReport {
        predict::predict(self, filename)
    }

    fn push_all(&mut self, units: impl IntoIterator<Item = Unit>) {
        for unit in units {
            self.push(unit);
        }
    }

    fn push(&mut self, unit: Unit) {
        if self.units.len() < MOST {
            self.units.push(unit);
        } else if self.unread.len() < MOST {
            self.unread.push(format!("more than {MOST} modules"));
        }
    }

    fn add_script(&mut self, path: &str, language: Language, text: &str) {
        if !self.scripts.add(path, language, text) && self.unread.len() < MOST {
            self.unread.push(format!("{path} was not read: there are too many scripts"));
        }
    }

    fn add_c(&mut self, path: &str, text: &str) {
        let found = c::read(path, text);
        if self.loose.is_none() {
            self.loose = found.loose;
        }
        let is_unit = !found.units.is_empty();
        self.push_all(found.units);
        if is_unit && self.limited.len() < MOST {
            self.limited.extend(found.limited);
        }
    }

    fn add_python(&mut self, path: &str, text: &str) {
        let depth = path.matches('/').count();
        // Helpers of setup.py lie beside it, or below a folder that pyproject.toml names.
        if depth == 0 || depth <= 2 && speaks_of_building(text) {
            self.add_script(path, Language::Python, text);
        }
        if cython::is_marked(text) && self.marked.len() < MOST {
            self.marked.push(cython::unit(path, text));
        }
        self.push_all(cython::pythran(path, text));
    }
}

/// Whether a Python file may be a helper of a build.
fn speaks_of_building(text: &str) -> bool {
    ["Extension", "ext_modules", "cythonize", "cffi", "mypycify"]
        .iter()
        .any(|word| text.contains(word))
}

/// Whether a member lies more than two folders deep in a source.
fn is_deep(path: &str) -> bool {
    path.split('/').filter(|part| !matches!(*part, "" | ".")).count() > 4
}

/// The path below the one folder that a source distribution consists of (PEP 625, PEP 517). `None`
/// for one that leads elsewhere, and for what lies beside that folder.
fn below_top(path: &str) -> Option<String> {
    if path.starts_with('/') || path.contains('\\') || path.contains('\0') {
        return None;
    }
    let mut parts = path.split('/').filter(|part| !matches!(*part, "" | "."));
    let _top = parts.next().filter(|top| *top != "..")?;
    let rest: Vec<&str> = parts.collect();
    (!rest.is_empty() && !rest.contains(&"..")).then(|| rest.join("/"))
}

fn role(path: &str) -> Option<Role> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let is_top = !path.contains('/');
    let role = match name {
        "pyproject.toml" if is_top => Role::Pyproject,
        "setup.cfg" if is_top => Role::SetupCfg,
        "Cargo.toml" => Role::CargoToml,
        "Cargo.lock" => Role::CargoLock,
        "meson.build" => Role::Script(Language::Meson),
        "CMakeLists.txt" => Role::Script(Language::CMake),
        _ => {
            let (stem, ending) = name.rsplit_once('.')?;
            match ending {
                "c" | "h" | "cc" | "cpp" | "cxx" | "c++" | "hpp" | "hh" | "hxx" | "inl" | "cu"
                | "mm" | "m" => Role::C,
                "pyx" | "pxi" => Role::Cython,
                "in" | "tp" | "template" | "src" => match stem.rsplit_once('.')?.1 {
                    "pyx" | "pxi" => Role::Cython,
                    "c" | "cpp" | "h" | "cc" => Role::C,
                    "pyf" => Role::F2py,
                    _ => return None,
                },
                "rs" => Role::Rust,
                "i" | "swg" => Role::Swig,
                "pyf" => Role::F2py,
                "py" => Role::Python,
                "cmake" => Role::Script(Language::CMake),
                _ => return None,
            }
        }
    };
    Some(role)
}

/// Whether a path lies among what is there to test or explain a package.
fn is_aside(path: &str) -> bool {
    const FOLDERS: [&str; 24] = [
        "test",
        "tests",
        "testing",
        "testdata",
        "test_data",
        "test cases",
        "test_cases",
        "test-data",
        "testsuite",
        "unittest",
        "unittests",
        "doc",
        "docs",
        "example",
        "examples",
        "demo",
        "demos",
        "benchmark",
        "benchmarks",
        "bench",
        "samples",
        "fuzz",
        "tutorial",
        "tutorials",
    ];
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let is_test = |name: &str| name.to_ascii_lowercase().starts_with("test_");
    is_test(name)
        || folders.split('/').any(|part| FOLDERS.contains(&part.to_ascii_lowercase().as_str()))
}

/// Whether a path lies in another project's source that is kept along.
fn is_vendored(path: &str) -> bool {
    const FOLDERS: [&str; 6] =
        ["third_party", "thirdparty", "3rdparty", "extern", "external", "subprojects"];
    path.split('/').any(|part| {
        let part = part.to_ascii_lowercase();
        part.starts_with("vendor") || FOLDERS.contains(&part.as_str())
    })
}
