//! What `pyproject.toml` and `setup.cfg` say of a build.

use configparser::ini::Ini;
use toml::{Table, Value};

use super::unit::sign;
use crate::model::pep508;
use crate::model::release::Sign;

/// Whether a build compiles anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Compiles {
    /// Nothing: the tool could not, or is not asked to.
    Nothing(Sign),
    /// Something.
    Something(Sign),
    /// The scripts tell: setuptools, or a backend in the source.
    AsScripts,
    /// It is not known of this tool.
    NotKnown(String),
}

/// What the two files say.
#[derive(Debug, Default)]
pub(super) struct Project {
    table: Table,
    text: String,
    /// Why the file could not be read.
    unread: Option<&'static str>,
    cfg_limited: Option<Sign>,
}

const PATH: &str = "pyproject.toml";

impl Project {
    /// Reads `pyproject.toml`.
    pub(super) fn pyproject(&mut self, text: &str) {
        match text.parse() {
            Ok(table) => self.table = table,
            Err(_) => self.unread = Some("pyproject.toml is not TOML"),
        }
        text.clone_into(&mut self.text);
    }

    /// Reads `setup.cfg`.
    pub(super) fn setup_cfg(&mut self, text: &str) {
        let mut ini = Ini::new();
        // As Python's `configparser` has it: lines that are indented go on with the value before.
        ini.set_multiline(true);
        if ini.read(text.to_owned()).is_err() {
            return;
        }
        for name in ["py_limited_api", "py-limited-api"] {
            if ini.get("bdist_wheel", name).is_some_and(|value| value.starts_with("cp")) {
                let line = line_of(text, name);
                self.cfg_limited = Some(sign("setup.cfg", line, name));
            }
        }
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.table.get(*first)?, |value, key| value.get(key))
    }

    fn sign(&self, word: &str) -> Sign {
        sign(PATH, line_of(&self.text, word), word)
    }

    /// The build backend, where one is named.
    fn backend(&self) -> Option<&str> {
        self.at(&["build-system", "build-backend"])?.as_str()
    }

    /// The folders that a backend in the source lies in.
    pub(super) fn backend_path(&self) -> Vec<&str> {
        let folders = self.at(&["build-system", "backend-path"]).and_then(Value::as_array);
        folders.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Scripts that the build runs, by their paths.
    pub(super) fn scripts(&self) -> Vec<&str> {
        let places: [&[&str]; 4] = [
            &["tool", "poetry", "build"],
            &["tool", "poetry", "build", "script"],
            &["tool", "pdm", "build", "custom-hook"],
            &["tool", "hatch", "build", "hooks", "custom", "path"],
        ];
        places.into_iter().filter_map(|path| self.at(path)?.as_str()).collect()
    }

    /// Whether the build requires `name`, and whether it admits a release as new as `newest`.
    /// `None` where it does not require it.
    pub(super) fn requires(&self, name: &str, newest: &str) -> Option<bool> {
        let requires = self.at(&["build-system", "requires"]).and_then(Value::as_array)?;
        let newest: pep440_rs::Version = newest.parse().ok()?;
        let mut found = None;
        for requirement in requires.iter().filter_map(Value::as_str) {
            let Ok(requirement) = pep508::requirement(requirement) else { continue };
            if requirement.name.as_ref() != name {
                continue;
            }
            found = Some(found.unwrap_or(true) && admits(&requirement, &newest));
        }
        found
    }

    /// The last part of the name of the module that maturin or setuptools-rust builds.
    pub(super) fn rust_names(&self) -> Vec<&str> {
        let maturin = self.at(&["tool", "maturin", "module-name"]).and_then(Value::as_str);
        let modules =
            self.at(&["tool", "setuptools-rust", "ext-modules"]).and_then(Value::as_array);
        let targets = modules.into_iter().flatten().filter_map(|one| one.get("target")?.as_str());
        maturin.into_iter().chain(targets).filter_map(|name| name.rsplit('.').next()).collect()
    }

    /// Texts below tables of tools in which options of a compiler or of Cython may stand.
    pub(super) fn option_texts(&self) -> Vec<&str> {
        let mut texts = Vec::new();
        let tables = ["scikit-build", "meson-python", "setuptools", "cython", "py-build-cmake"];
        let mut open: Vec<&Value> =
            tables.iter().filter_map(|name| self.at(&["tool", name])).collect();
        while let Some(value) = open.pop() {
            match value {
                Value::String(text) => texts.push(text.as_str()),
                Value::Array(values) => open.extend(values),
                Value::Table(table) => {
                    texts.extend(table.keys().map(String::as_str));
                    open.extend(table.values());
                }
                _ => {}
            }
        }
        texts
    }

    /// That it builds for the stable ABI alone. setuptools refuses that on a free-threaded build
    /// (its `bdist_wheel`), and so does meson-python; maturin and scikit-build-core build for the
    /// version instead.
    pub(super) fn limited(&self) -> Option<Sign> {
        let of_setuptools = ["py-limited-api", "py_limited_api"].into_iter().find(|name| {
            let value = self.at(&["tool", "distutils", "bdist_wheel", name]);
            value.and_then(Value::as_str).is_some_and(|value| value.starts_with("cp"))
        });
        let of_meson = self.at(&["tool", "meson-python", "limited-api"]).and_then(Value::as_bool);
        let name = of_setuptools.or_else(|| of_meson.filter(|set| *set).map(|_| "limited-api"));
        name.map(|name| self.sign(name)).or_else(|| self.cfg_limited.clone())
    }

    /// A mypyc that hatch runs.
    pub(super) fn mypyc(&self) -> Option<Sign> {
        let hook = self.hooks().into_iter().find(|hook| *hook == "mypyc")?;
        Some(self.sign(hook))
    }

    fn hooks(&self) -> Vec<&str> {
        let places: [&[&str]; 2] = [
            &["tool", "hatch", "build", "hooks"],
            &["tool", "hatch", "build", "targets", "wheel", "hooks"],
        ];
        let tables = places.into_iter().filter_map(|path| self.at(path)?.as_table());
        tables.flat_map(Table::keys).map(String::as_str).collect()
    }

    /// Whether the build compiles anything, as far as these files tell.
    pub(super) fn compiles(&self) -> Compiles {
        if let Some(unread) = self.unread {
            return Compiles::NotKnown(unread.to_owned());
        }
        for path in
            [["tool", "setuptools", "ext-modules"], ["tool", "setuptools-rust", "ext-modules"]]
        {
            if self.at(&path).is_some() {
                return Compiles::Something(self.sign("ext-modules"));
            }
        }
        if !self.backend_path().is_empty() {
            return Compiles::AsScripts;
        }
        let Some(backend) = self.backend() else { return Compiles::AsScripts };
        let tool = backend.split([':', '.']).next().unwrap_or(backend);
        let pure = Compiles::Nothing(self.sign(backend));
        match tool {
            "setuptools" | "pbr" => Compiles::AsScripts,
            "flit_core" | "flit" | "uv_build" => pure,
            "poetry" if self.at(&["tool", "poetry", "build"]).is_some() => {
                Compiles::Something(self.sign("build"))
            }
            "poetry" => pure,
            "pdm" => match self.at(&["tool", "pdm", "build"]) {
                Some(build)
                    if build.get("run-setuptools").is_some()
                        || build.get("custom-hook").is_some() =>
                {
                    Compiles::AsScripts
                }
                _ => pure,
            },
            "hatchling" => {
                let harmless = ["vcs", "version", "fancy-pypi-readme", "requirements_txt"];
                let mut hooks = self.hooks();
                hooks.retain(|hook| !harmless.contains(hook));
                match hooks.as_slice() {
                    [] => pure,
                    ["custom"] => Compiles::AsScripts,
                    [hook, ..] => Compiles::Something(self.sign(hook)),
                }
            }
            "maturin" => match self.at(&["tool", "maturin", "bindings"]).and_then(Value::as_str) {
                Some(kind @ ("bin" | "uniffi" | "cffi")) => {
                    Compiles::NotKnown(format!("maturin builds it with the bindings `{kind}`"))
                }
                _ => Compiles::Something(self.sign(backend)),
            },
            "mesonpy" | "scikit_build_core" | "py_build_cmake" => {
                Compiles::Something(self.sign(backend))
            }
            _ => Compiles::NotKnown(format!("the build backend `{backend}` is not known")),
        }
    }
}

/// Whether a requirement admits `newest` or anything after it.
pub(super) fn admits(
    requirement: &pep508_rs::Requirement<pep508_rs::VerbatimUrl>,
    newest: &pep440_rs::Version,
) -> bool {
    match &requirement.version_or_url {
        None => true,
        Some(pep508_rs::VersionOrUrl::VersionSpecifier(range)) => is_open_above(range, newest),
        Some(pep508_rs::VersionOrUrl::Url(_)) => false,
    }
}

/// Whether a range admits `newest` or anything after it.
fn is_open_above(range: &pep440_rs::VersionSpecifiers, newest: &pep440_rs::Version) -> bool {
    use pep440_rs::Operator;
    range.iter().all(|one| match one.operator() {
        Operator::LessThan => one.version() > newest,
        Operator::LessThanEqual | Operator::Equal | Operator::ExactEqual => one.version() >= newest,
        Operator::EqualStar | Operator::TildeEqual => {
            one.contains(newest) || one.version() >= newest
        }
        _ => true,
    })
}

/// The first line that holds `word`, from 1.
fn line_of(text: &str, word: &str) -> u32 {
    let at =
        text.lines().position(|line| line.contains(word) && !line.trim_start().starts_with('#'));
    at.and_then(|at| u32::try_from(at + 1).ok()).unwrap_or(1)
}
