//! Which packages can lead to a module at all, told by the names in their files.
//!
//! Where an import leads from one package to another, the top-level name of that one stands in the
//! file: behind `import`, `from` or a comma, or in quotes where a function is given it. Looking for
//! such names takes a small part of what parsing the files and executing them takes. What is found
//! beside them, such as prose in quotes, only means that more is followed.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::environment::{Environment, ModuleId};
use super::mentions::ANYTHING;

/// Top-level names by their place among all of them.
type Names = BTreeSet<usize>;

impl Environment {
    /// The packages from which a chain of imports may lead to one of these modules: those that name
    /// the package of one, those that name one of those, and so on. Packages that share a folder may
    /// import each other without naming it.
    pub(super) fn packages_towards(&self, goals: &[ModuleId]) -> BTreeSet<usize> {
        let tops: Vec<ModuleId> = self.top_level().collect();
        let texts: Vec<String> = tops.iter().map(|top| self.name(*top)).collect();
        let places: HashMap<&[u8], usize> =
            texts.iter().enumerate().map(|(at, name)| (name.as_bytes(), at)).collect();
        let count = self.distributions().len();
        let mut own: Vec<Names> = vec![Names::new(); count];
        for (at, top) in tops.iter().enumerate() {
            for package in self.distributions_of(*top) {
                own.get_mut(*package).into_iter().for_each(|names| _ = names.insert(at));
            }
        }
        let named = on_all_cores(count, |package| self.names_in_package(package, &places));
        let mut wanted: Names = goals
            .iter()
            .filter_map(|goal| tops.iter().position(|top| *top == self.outermost(*goal)))
            .collect();
        let mut found = BTreeSet::new();
        loop {
            let before = found.len();
            for (package, (own, named)) in own.iter().zip(&named).enumerate() {
                let leads = !wanted.is_disjoint(own)
                    || named.as_ref().is_none_or(|named| !wanted.is_disjoint(named));
                if leads && found.insert(package) {
                    wanted.extend(own);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// The top-level names that the files of a package may import; `None` where it may be any.
    fn names_in_package(&self, package: usize, places: &HashMap<&[u8], usize>) -> Option<Names> {
        let mut found = Names::new();
        let package = self.distributions().get(package)?;
        for mention in package.extensions.iter().flatten().flat_map(|one| &one.mentions) {
            if mention == ANYTHING {
                return None;
            }
            let top = mention.split('.').next().unwrap_or_default();
            found.extend(places.get(top.as_bytes()));
        }
        for member in package.files.names().iter().filter(|name| name.ends_with(".py")) {
            if let Some(text) = package.files.source(member) {
                add_names(&text, places, &mut found);
            }
        }
        Some(found)
    }

    /// The top-level package that a module lies in.
    fn outermost(&self, module: ModuleId) -> ModuleId {
        let mut outermost = module;
        while let Some(parent) = self.parent(outermost) {
            outermost = parent;
        }
        outermost
    }
}

/// Adds the known names that stand where a name may that is imported.
fn add_names(text: &[u8], known: &HashMap<&[u8], usize>, found: &mut Names) {
    let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_' || !byte.is_ascii();
    // Whether what comes next may be such a name.
    let mut opens = false;
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        if is_of_name(first) {
            let length = rest.iter().position(|byte| !is_of_name(byte)).unwrap_or(rest.len());
            let (word, behind) = rest.split_at(length);
            if opens {
                found.extend(known.get(word));
            }
            opens = matches!(word, b"import" | b"from");
            rest = behind;
        } else {
            opens = match first {
                b',' | b'\'' | b'"' => true,
                // A backslash lets a statement go on in the next line.
                b' ' | b'\t' | b'\\' | b'\r' | b'\n' | b'\x0c' => opens,
                _ => false,
            };
            rest = behind;
        }
    }
}

/// What `work` makes of each number below `count`, in order.
pub fn on_all_cores<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..cores.min(count) {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        break;
                    }
                    let outcome = work(at);
                    done.lock().unwrap_or_else(PoisonError::into_inner).push((at, outcome));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, outcome)| outcome).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<&'static str> {
        const KNOWN: [&str; 3] = ["alpha", "beta", "gamma"];
        let places = KNOWN.iter().enumerate().map(|(at, name)| (name.as_bytes(), at)).collect();
        let mut found = Names::new();
        add_names(text.as_bytes(), &places, &mut found);
        found.into_iter().map(|at| KNOWN[at]).collect()
    }

    #[test]
    fn every_form_of_an_import_is_seen() {
        for text in [
            "import alpha",
            "import\talpha.part as other",
            "from alpha.part import thing",
            "import os, alpha",
            "import os,alpha",
            "import \\\n    alpha",
            "import os as o, \\\n    alpha",
            "if x: import alpha",
            "x = 1;import alpha",
            "importlib.import_module('alpha')",
            "__import__(\"alpha.part\")",
            "names = ['alpha']",
            "call(f'alpha.{part}', rb\"x\")",
            "lazy from alpha import thing",
        ] {
            assert_eq!(names(text), ["alpha"], "{text}");
        }
    }

    #[test]
    fn other_words_are_not() {
        for text in [
            "alpha = 1",
            "x.alpha()",
            "from .alpha import beta_",
            "# the alpha of it",
            "import alphabet",
        ] {
            assert_eq!(names(text), Vec::<&str>::new(), "{text}");
        }
    }
}
