//! All signs of a source together: what a build of it would presumably do.

use super::project::Compiles;
use super::rust::Pyo3;
use super::scan::Language;
use super::script::Directive;
use super::unit::{Says, Tool, Unit, stem};
use super::{MOST_SOURCES, Survey, is_aside, is_vendored};
use crate::model::release::{Prediction, Sign, SourceReport};

/// Signs of one kind that are told.
const TOLD: usize = 12;
/// The word under which SWIG's output declares.
const SWIG_MACRO: &str = "SWIGPYTHON_NOGIL";
/// The first release of mypyc of which every kind of module declares.
const MYPYC: &str = "1.18";
/// The first release of cffi whose modules declare.
const CFFI: &str = "2.0";

/// What is to be expected of one module.
#[derive(Debug)]
enum Expected {
    KeepsOff(Sign),
    Enables(Sign),
    NotKnown(String),
}

/// What `survey` comes to.
pub(super) fn predict(mut survey: Survey, filename: &str) -> SourceReport {
    let backend: Vec<String> =
        survey.project.backend_path().into_iter().map(str::to_owned).collect();
    let hooks: Vec<String> = survey.project.scripts().into_iter().map(str::to_owned).collect();
    survey.scripts.read(|path, language| {
        let is_root = !path.contains('/');
        let of_backend = backend.iter().any(|folder| {
            let folder = folder.trim_start_matches("./").trim_end_matches('/');
            folder == "." || path.starts_with(&format!("{folder}/"))
        });
        match language {
            Language::Python => is_root || of_backend || hooks.iter().any(|hook| hook == path),
            _ => !is_aside(path),
        }
    });
    let texts: Vec<String> = survey.project.option_texts().into_iter().map(str::to_owned).collect();
    for text in &texts {
        survey.scripts.add_words(text);
    }

    let report = |prediction, signs: Vec<Sign>, reason: Option<String>| SourceReport {
        filename: filename.to_owned(),
        prediction,
        signs: signs.into_iter().take(TOLD).collect(),
        reason,
    };
    let compiles = match compiled(&survey) {
        Ok(Some(sign)) => sign,
        Ok(None) => {
            let backend = match survey.project.compiles() {
                Compiles::Nothing(sign) => vec![sign],
                _ => Vec::new(),
            };
            return report(Prediction::PurePython, backend, None);
        }
        Err(reason) => return report(Prediction::NotKnown, Vec::new(), Some(reason)),
    };
    if let Some(sign) = limited(&survey) {
        return report(Prediction::StableAbiOnly, vec![sign], None);
    }
    if let Some(sign) = survey.scripts.maybe_limited.clone().filter(|_| !survey.scripts.asks) {
        let reason = "whether it builds for the stable ABI hangs on a condition";
        return report(Prediction::NotKnown, vec![sign], Some(reason.to_owned()));
    }
    let (mut keeping, mut enabling, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for expected in modules(&survey) {
        match expected {
            Expected::KeepsOff(sign) => keeping.push(sign),
            Expected::Enables(sign) => enabling.push(sign),
            Expected::NotKnown(reason) => unknown.push(reason),
        }
    }
    keeping.dedup();
    if !enabling.is_empty() {
        return report(Prediction::EnablesGil, enabling, None);
    }
    let missing = missing(&survey);
    unknown.extend(survey.unread);
    if let Some(reason) = unknown.into_iter().next() {
        return report(Prediction::NotKnown, keeping, Some(reason));
    }
    if keeping.is_empty() {
        let reason = "it compiles something, and no extension module was found in its source";
        return report(Prediction::NotKnown, vec![compiles], Some(reason.to_owned()));
    }
    if let Some(reason) = missing {
        return report(Prediction::NotKnown, keeping, Some(reason));
    }
    report(Prediction::KeepsGilOff, keeping, None)
}

/// The sign that something is compiled, `None` where nothing is.
fn compiled(survey: &Survey) -> Result<Option<Sign>, String> {
    match survey.project.compiles() {
        Compiles::Nothing(_) => Ok(None),
        Compiles::Something(sign) => Ok(Some(sign)),
        Compiles::NotKnown(reason) => Err(reason),
        Compiles::AsScripts => {
            if let Some(sign) = survey.scripts.compiles.first() {
                return Ok(Some(sign.clone()));
            }
            let unit = survey.units.iter().find(|unit| !is_aside(&unit.sign.path));
            match unit {
                // What was not read may ask for anything.
                _ if !survey.unread.is_empty() => {
                    Err(survey.unread.first().cloned().unwrap_or_default())
                }
                // setuptools compiles nothing that it is not asked to.
                Some(unit) if survey.has_setup || !survey.project.backend_path().is_empty() => {
                    Err(format!(
                        "{} is there to be compiled, and no script of the build was seen to do so",
                        unit.sign.path
                    ))
                }
                _ if survey.files == 0 => {
                    Err("nothing was found in it that could be built".to_owned())
                }
                _ => Ok(None),
            }
        }
    }
}

/// The sign that it builds for the stable ABI whatever the interpreter.
fn limited(survey: &Survey) -> Option<Sign> {
    if survey.scripts.asks {
        return None;
    }
    let of_code = survey.limited.iter().find(|sign| !is_aside(&sign.path));
    survey.project.limited().or_else(|| survey.scripts.limited.clone()).or_else(|| of_code.cloned())
}

/// What is to be expected of each module.
fn modules(survey: &Survey) -> Vec<Expected> {
    let python = compiled_python(survey);
    let units: Vec<&Unit> = survey.units.iter().chain(&python).collect();
    let units: Vec<&Unit> =
        units.iter().copied().filter(|unit| !is_replaced(unit, &units, survey)).collect();
    let is_named = |unit: &Unit| survey.scripts.named.contains(unit.stem());
    let some_are_named = units.iter().any(|unit| is_named(unit));
    let mut all = Vec::new();
    for unit in units.iter().copied() {
        // A Python file stands for itself where the script that compiles it is the sign.
        let is_of_script = unit.sign.what.ends_with(".py");
        let can_be_named =
            unit.tool != Tool::Pyo3 && !unit.sign.path.ends_with(".rs") && !is_of_script;
        let named = can_be_named && is_named(unit);
        // A test that happens to be called like something that is compiled does not count.
        let path = &unit.sign.path;
        let is_meant = named && !is_vendored(path) && survey.scripts.names_file(path);
        if is_aside(path) && !is_meant {
            continue;
        }
        let expected = match (of_unit(unit, survey), source_of(unit, &units)) {
            (expected, None) => expected,
            (output, Some(source)) => agreed(output, of_unit(source, survey)),
        };
        let is_left_out = can_be_named && !named && some_are_named && !survey.scripts.finds;
        all.push(match expected {
            Expected::Enables(sign) if is_left_out => Expected::NotKnown(format!(
                "{} declares nothing, and it could not be told whether it is compiled",
                sign.path
            )),
            expected => expected,
        });
    }
    let mypyc = survey.scripts.mypyc.clone().or_else(|| survey.project.mypyc());
    all.extend(
        mypyc.map(|sign| made_by(sign, "mypyc", survey.project.requires("mypy", MYPYC), MYPYC)),
    );
    // A module of it may be made where setup.py alone says which release makes it.
    let cffi = survey.scripts.cffi.clone();
    let cffi_release = match survey.scripts.admits("cffi", CFFI) {
        Some(false) => Some(false),
        _ => survey.project.requires("cffi", CFFI),
    };
    all.extend(cffi.map(|sign| made_by(sign, "cffi", cffi_release, CFFI)));
    all
}

/// A file that is to be compiled, and of which nothing was seen: a script of the build makes it.
fn missing(survey: &Survey) -> Option<String> {
    if survey.sources.len() >= MOST_SOURCES {
        return None;
    }
    let sign = survey.scripts.sources.iter().find(|sign| {
        let stem = stem(&sign.what);
        !survey.sources.contains(stem)
    })?;
    Some(format!(
        "{}:{} compiles {}, which is not in the source",
        sign.path,
        sign.line.unwrap_or(1),
        sign.what
    ))
}

/// A module of a generator whose newer releases declare for what they make.
fn made_by(sign: Sign, tool: &str, admits_newest: Option<bool>, since: &str) -> Expected {
    if admits_newest == Some(false) {
        return Expected::NotKnown(format!(
            "it is made by a release of {tool} before {since}, which is held to"
        ));
    }
    Expected::KeepsOff(sign)
}

/// Python files that Cython compiles. What the head of one says counts where it is known.
fn compiled_python(survey: &Survey) -> Vec<Unit> {
    let cythonizes = survey.scripts.compiles.iter().any(|sign| sign.what == "cythonize");
    let marked = |unit: &&Unit| cythonizes && survey.scripts.named.contains(unit.stem());
    let mut units: Vec<Unit> = survey.marked.iter().filter(marked).cloned().collect();
    for sign in &survey.scripts.compiled_python {
        let is_known = units.iter().any(|unit| {
            unit.sign.path == sign.what || unit.sign.path.ends_with(&format!("/{}", sign.what))
        });
        if !is_known {
            let sign = sign.clone();
            units.push(Unit { tool: Tool::Cython, sign, names: Vec::new(), says: Says::Nothing });
        }
    }
    units
}

/// The file that Cython's output was made of, where that is there too.
fn source_of<'u>(unit: &Unit, units: &[&'u Unit]) -> Option<&'u Unit> {
    let is_source = |other: &&&Unit| other.tool == Tool::Cython && is_beside(other, unit);
    (unit.tool == Tool::CythonOutput).then(|| units.iter().find(is_source).copied()).flatten()
}

/// Cython's output is compiled as it is where it is newer than its source, and made anew where not.
fn agreed(output: Expected, source: Expected) -> Expected {
    match (output, source) {
        (Expected::KeepsOff(sign), Expected::Enables(_))
        | (Expected::Enables(sign), Expected::KeepsOff(_)) => Expected::NotKnown(format!(
            "{} says otherwise than what Cython would make of its source",
            sign.path
        )),
        (output, _) => output,
    }
}

/// Whether two files lie in one folder and have one name, but for their endings.
fn is_beside(one: &Unit, other: &Unit) -> bool {
    let folder =
        |unit: &Unit| unit.sign.path.rsplit_once('/').map_or("", |(folder, _)| folder).len();
    one.stem() == other.stem()
        && folder(one) == folder(other)
        && one.sign.path.get(..folder(one)) == other.sign.path.get(..folder(other))
}

/// Whether another unit stands for this one.
fn is_replaced(unit: &Unit, units: &[&Unit], survey: &Survey) -> bool {
    let of_same_name =
        |tool: Tool| units.iter().any(|other| other.tool == tool && is_beside(other, unit));
    let makes_cython = survey.project.requires("cython", "3.1").is_some();
    match unit.tool {
        Tool::Cython => {
            // Where the output is in the source, it is either compiled as it is or made anew only
            // where it is older: both are asked.
            survey.included.contains(&unit.sign.path)
                || !makes_cython && of_same_name(Tool::CythonOutput)
        }
        Tool::Pyo3 => {
            // Modules within a module are not loaded by themselves.
            let is_library = |unit: &&Unit| unit.names.iter().any(|name| is_library(name, survey));
            !is_library(&unit)
                && units.iter().any(|other| other.tool == Tool::Pyo3 && is_library(other))
        }
        // Its wrapper is in the source, and says more than the interface.
        Tool::Swig => units.iter().any(|other| {
            let stem = other.stem();
            let wrapped = stem.strip_suffix("_wrap").or_else(|| stem.strip_suffix("Wrap"));
            let bare = |name: &str| {
                let name = name.to_ascii_lowercase();
                name.trim_start_matches('_').trim_end_matches("_python").to_owned()
            };
            let is_of = |wrapped: &str| {
                let names = unit.names.iter().map(String::as_str);
                names.chain([unit.stem()]).any(|name| bare(name) == bare(wrapped))
            };
            other.tool == Tool::Hand && wrapped.is_some_and(is_of)
        }),
        _ => false,
    }
}

fn is_library(name: &str, survey: &Survey) -> bool {
    survey.crates.libraries.contains(name) || survey.project.rust_names().contains(&name)
}

/// What is to be expected of one module.
fn of_unit(unit: &Unit, survey: &Survey) -> Expected {
    let enables = || Expected::Enables(unit.sign.clone());
    let keeps = |sign: Option<&Sign>| Expected::KeepsOff(sign.unwrap_or(&unit.sign).clone());
    let path = &unit.sign.path;
    if unit.tool == Tool::Pyo3 && survey.crates.pyo3() == Pyo3::Refuses {
        return Expected::NotKnown(
            "it is built with a release of PyO3 before 0.23, which refuses free-threaded Python"
                .to_owned(),
        );
    }
    match &unit.says {
        Says::NotUsed(sign) => return Expected::KeepsOff(sign.clone()),
        Says::Used(_)
            if unit.tool == Tool::CythonOutput && survey.scripts.cython_macro.is_some() =>
        {
            return keeps(survey.scripts.cython_macro.as_ref());
        }
        Says::Used(sign) => return Expected::Enables(sign.clone()),
        Says::Unclear(reason) => return Expected::NotKnown(reason.clone()),
        Says::Hangs(sign, words) => {
            let open =
                words.iter().find(|(word, settles)| !settles || !survey.scripts.names_word(word));
            return match open {
                None => Expected::KeepsOff(sign.clone()),
                Some((word, true)) if word == SWIG_MACRO => enables(),
                Some((word, true)) => Expected::NotKnown(format!(
                    "what {path} declares hangs on `{word}`, which no script of the build was seen to define"
                )),
                Some((word, false)) => Expected::NotKnown(format!(
                    "what {path} declares hangs on a condition with `{word}`"
                )),
            };
        }
        Says::Nothing => {}
    }
    match unit.tool {
        Tool::Hand => match &survey.loose {
            Some(loose) => Expected::NotKnown(format!(
                "{path} defines a module, and the declaration stands in {}",
                loose.path
            )),
            None => enables(),
        },
        Tool::Code | Tool::CythonOutput => enables(),
        Tool::Cython => match survey.scripts.directive() {
            Directive::All(sign) => Expected::KeepsOff(sign),
            _ if survey.scripts.cython_macro.is_some() => {
                keeps(survey.scripts.cython_macro.as_ref())
            }
            Directive::Some(sign) => Expected::NotKnown(format!(
                "freethreading_compatible is given to some calls of Cython, and not for sure to that of {}:{}",
                sign.path,
                sign.line.unwrap_or(1)
            )),
            Directive::None => enables(),
        },
        Tool::Nanobind => nanobind(unit, survey),
        Tool::Pyo3 => match survey.crates.pyo3() {
            Pyo3::NotUsed => Expected::KeepsOff(unit.sign.clone()),
            Pyo3::Used => enables(),
            Pyo3::Refuses | Pyo3::NotKnown => Expected::NotKnown(format!(
                "{path} does not say whether it needs the GIL, and the release of PyO3 decides, which is not known"
            )),
        },
        Tool::Swig => {
            if survey.scripts.names_word("-nogil") || survey.scripts.names_word(SWIG_MACRO) {
                Expected::KeepsOff(unit.sign.clone())
            } else {
                enables()
            }
        }
        Tool::F2py => match survey.scripts.f2py() {
            Some(sign) => Expected::KeepsOff(sign.clone()),
            None if survey.scripts.asks => Expected::NotKnown(format!(
                "f2py makes a module of {path}, and it could not be told with which options"
            )),
            None => enables(),
        },
        Tool::Pythran => Expected::NotKnown(format!(
            "Pythran makes a module of {path}, and its release decides what that declares"
        )),
    }
}

/// A module of nanobind, by the target that the build makes of it.
fn nanobind(unit: &Unit, survey: &Survey) -> Expected {
    let targets = &survey.scripts.nanobind;
    let path = &unit.sign.path;
    if survey.scripts.names_word("NB_FREE_THREADED") {
        return Expected::KeepsOff(unit.sign.clone());
    }
    let own: Vec<_> = targets.iter().filter(|(name, ..)| unit.names.contains(name)).collect();
    let own = if own.is_empty() { targets.iter().collect() } else { own };
    let with: Vec<&Sign> = own.iter().filter_map(|(_, sign, _)| sign.as_ref()).collect();
    match with.first() {
        Some(sign) if with.len() == own.len() => Expected::KeepsOff((*sign).clone()),
        None if !own.is_empty() && own.iter().all(|(.., may_be_hidden)| !may_be_hidden) => {
            Expected::Enables(unit.sign.clone())
        }
        _ => Expected::NotKnown(format!(
            "nanobind makes a module of {path}, and it could not be told with which options"
        )),
    }
}
