//! A conflict in the words of the user's files.
//!
//! The solver leaves a tree of causes; the crate's reporter puts it into an order, and the sentences
//! are made here: what the user's own files ask for is told with its place in them.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::PackageName;
use pubgrub::{
    DefaultStringReporter, Derived, External, Map, Ranges, ReportFormatter, Reporter as _, Term,
};

use super::named::Named;
use super::provider::{Package, Tree};
use crate::model::location::Location;
use crate::resolve::ranges::{self, Shown};

/// Releases of which the state is told, where none can be chosen.
const MAX_TOLD: usize = 3;

/// What may stand in the way of a release.
#[derive(Debug, Clone, Copy)]
pub(super) enum State {
    /// The user's constraints.
    NotAllowed,
    /// No file of it can be installed or built for the target.
    Unusable,
    /// It is withdrawn.
    Yanked,
    /// It is a pre-release.
    Prerelease,
    /// Nothing that concerns it alone.
    Fine,
}

/// The releases of a package, oldest first.
type Releases<'a> = dyn Fn(&PackageName) -> Vec<(Version, State)> + 'a;

/// Tells why there is no answer.
pub(super) fn explain(
    tree: &Tree,
    named: &Named,
    releases: impl Fn(&PackageName) -> Vec<(Version, State)>,
) -> String {
    let words = Words { named, releases: &releases };
    let tree = shortened(&Arc::new(tree.clone()), &mut HashMap::new());
    let text = DefaultStringReporter::report_with_formatter(&tree, &words);
    match tree.as_ref() {
        Tree::External(_) => format!("{text}, which exclude each other"),
        Tree::Derived(_) => text,
    }
}

/// A package and a range, as something asks for it.
pub(super) fn wanted(package: &Package, range: &Ranges<Version>) -> String {
    if *range == Ranges::full() {
        return package.to_string();
    }
    if range.is_empty() {
        return format!("no release of {package}");
    }
    let pieces =
        Shown(range).to_string().replace(", ", ",").replace(" or ", &format!(" or {package}"));
    format!("{package}{pieces}")
}

/// The tree without what goes without saying: that the user's own project is wanted, and that there
/// is nothing between two releases. Each part is gone through once, in however many places it is.
fn shortened(tree: &Arc<Tree>, known: &mut HashMap<*const Tree, Arc<Tree>>) -> Arc<Tree> {
    let Tree::Derived(derived) = tree.as_ref() else { return Arc::clone(tree) };
    if let Some(short) = known.get(&Arc::as_ptr(tree)) {
        return Arc::clone(short);
    }
    let one = shortened(&derived.cause1, known);
    let other = shortened(&derived.cause2, known);
    let merged = match (one.as_ref(), other.as_ref()) {
        (Tree::External(External::NotRoot(..)), _) => Some(Arc::clone(&other)),
        (_, Tree::External(External::NotRoot(..))) => Some(Arc::clone(&one)),
        (Tree::External(External::NoVersions(package, range)), _) => merge(&other, package, range),
        (_, Tree::External(External::NoVersions(package, range))) => merge(&one, package, range),
        _ => None,
    };
    let short = merged.unwrap_or_else(|| {
        Arc::new(Tree::Derived(Derived { cause1: one, cause2: other, ..derived.clone() }))
    });
    known.insert(Arc::as_ptr(tree), Arc::clone(&short));
    short
}

/// `cause` together with the fact that there are no releases in `range`, where that need not be
/// said: where it only widens what holds for the releases that there are.
fn merge(cause: &Arc<Tree>, package: &Package, range: &Ranges<Version>) -> Option<Arc<Tree>> {
    match cause.as_ref() {
        Tree::External(External::FromDependencyOf(of, versions, required, wanted)) => {
            if of == package {
                let versions = versions.union(range);
                return Some(Arc::new(Tree::External(External::FromDependencyOf(
                    of.clone(),
                    versions,
                    required.clone(),
                    wanted.clone(),
                ))));
            }
            wanted.is_disjoint(range).then(|| Arc::clone(cause))
        }
        Tree::External(External::Custom(of, versions, reason)) if of == package => {
            let versions = versions.union(range);
            let cause = External::Custom(of.clone(), versions, reason.clone());
            Some(Arc::new(Tree::External(cause)))
        }
        Tree::External(_) => None,
        Tree::Derived(derived) => {
            let is_asked_for = matches!(derived.terms.get(package), Some(Term::Negative(_)));
            (!is_asked_for).then(|| Arc::clone(cause))
        }
    }
}

struct Words<'a> {
    named: &'a Named,
    releases: &'a Releases<'a>,
}

type Cause = External<Package, Ranges<Version>, String>;
type Terms = Map<Package, Term<Ranges<Version>>>;
type Step = Derived<Package, Ranges<Version>, String>;

impl Words<'_> {
    /// A package and a range of it, as short as the releases that there are allow.
    fn some(&self, package: &Package, range: &Ranges<Version>) -> String {
        let Some(name) = package.name() else { return package.to_string() };
        let versions = self.versions(name);
        let simple = range.simplify(versions.iter());
        // One release is named by itself, whatever stands around it.
        let mut within = versions.iter().filter(|version| simple.contains(*version));
        if let (Some(one), None) = (within.next(), within.next()) {
            return format!("{package}=={one}");
        }
        if simple == Ranges::full() {
            return format!("every release of {package}");
        }
        wanted(package, &ranges::tidied(&simple, &versions))
    }

    /// What is left to ask of a package after some steps.
    fn left(&self, package: &Package, range: &Ranges<Version>) -> String {
        let Some(name) = package.name() else { return package.to_string() };
        wanted(package, &ranges::tidied(range, &self.versions(name)))
    }

    fn versions(&self, name: &PackageName) -> Vec<Version> {
        (self.releases)(name).into_iter().map(|(version, _)| version).collect()
    }

    /// What the user's files ask for, and where.
    fn asked(&self, package: &Package, range: &Ranges<Version>) -> String {
        let name = package.name();
        let overridden = name.is_some_and(|name| self.named.overrides.contains_key(name));
        let all = if overridden {
            told(name.and_then(|name| self.named.override_places.get(name)), "asks instead for")
        } else {
            told(name.and_then(|name| self.named.places.get(name)), "asks for")
        };
        if all.is_empty() {
            return format!("the project asks for {}", wanted(package, range));
        }
        all.join(" and ")
    }

    /// What the user's constraints leave of a package, and where.
    fn bounds(&self, package: &Package) -> Vec<String> {
        let name = package.name();
        told(name.and_then(|name| self.named.constraint_places.get(name)), "allows only")
    }

    /// What a release asks for, and what the user's files make of it.
    fn required(&self, package: &Package, range: &Ranges<Version>) -> String {
        let overrides = package.name().and_then(|name| self.named.override_places.get(name));
        let aside = told(overrides, "asks instead for");
        let text = wanted(package, range);
        if aside.is_empty() { text } else { format!("{text} ({})", aside.join(" and ")) }
    }

    /// That there is nothing to choose from, and why.
    fn nothing(&self, package: &Package, range: &Ranges<Version>) -> String {
        let states = package.name().map(|name| (self.releases)(name)).unwrap_or_default();
        let within: Vec<String> = states
            .iter()
            .rev()
            .filter(|(version, _)| range.contains(version))
            .map(|(version, state)| match state {
                State::NotAllowed => {
                    format!("{version} is kept out: {}", self.bounds(package).join(" and "))
                }
                State::Unusable => format!("{version} has no file that can be installed here"),
                State::Yanked => format!("{version} is withdrawn"),
                State::Prerelease => format!("{version} is a pre-release"),
                State::Fine => version.to_string(),
            })
            .collect();
        if within.is_empty() {
            return format!("there is no release of {}", wanted(package, range));
        }
        let mut told = within.iter().take(MAX_TOLD).cloned().collect::<Vec<_>>().join(", ");
        if within.len() > MAX_TOLD {
            let _ = write!(told, ", and so on for {} more", within.len() - MAX_TOLD);
        }
        format!("no release of {} can be chosen ({told})", wanted(package, range))
    }
}

/// Places and what stands there.
fn told(places: Option<&Vec<(Location, String)>>, verb: &str) -> Vec<String> {
    let places = places.map(Vec::as_slice).unwrap_or_default();
    places.iter().map(|(location, text)| format!("{location} {verb} {text}")).collect()
}

impl ReportFormatter<Package, Ranges<Version>, String> for Words<'_> {
    type Output = String;

    fn format_external(&self, external: &Cause) -> String {
        match external {
            External::NotRoot(package, _) => format!("{package} is what is asked for"),
            External::NoVersions(package, range) => self.nothing(package, range),
            External::Custom(package, range, reason) => {
                format!("{} is out of question ({reason})", self.some(package, range))
            }
            External::FromDependencyOf(Package::Root, _, package, range) => {
                self.asked(package, range)
            }
            External::FromDependencyOf(package @ Package::Extra(name, _), range, of, wanted)
                if *of == Package::Named(name.clone()) && ranges::is_exact(wanted) =>
            {
                format!("{} is part of {}", self.some(package, range), self.some(of, wanted))
            }
            External::FromDependencyOf(package, range, required, wanted) if wanted.is_empty() => {
                let some = self.some(package, range);
                format!("what {some} requires of {required} excludes itself")
            }
            External::FromDependencyOf(package, range, required, wanted) => {
                format!(
                    "{} requires {}",
                    self.some(package, range),
                    self.required(required, wanted)
                )
            }
        }
    }

    fn format_terms(&self, terms: &Terms) -> String {
        let mut there = Vec::new();
        let mut lacking = Vec::new();
        let mut root = false;
        // In a fixed order: the map has none.
        let mut terms: Vec<_> = terms.iter().collect();
        terms.sort_by_key(|(package, _)| package.to_string());
        for (package, term) in terms {
            match term {
                Term::Positive(_) if *package == Package::Root => root = true,
                Term::Positive(range) => there.push(self.some(package, range)),
                Term::Negative(range) => lacking.push(self.left(package, range)),
            }
        }
        let lacking = lacking.join(" or ");
        match (there.as_slice(), lacking.as_str()) {
            ([], "") => "there is no answer".to_owned(),
            ([], lacking) if root => format!("the project needs {lacking}"),
            ([], lacking) => format!("{lacking} is needed"),
            ([one], "") => format!("{one} is out of question"),
            ([one], lacking) => format!("{one} needs {lacking}"),
            (all, "") => format!("{} exclude each other", all.join(" and ")),
            (all, lacking) => format!("{} together need {lacking}", all.join(" and ")),
        }
    }

    fn explain_both_external(&self, one: &Cause, other: &Cause, terms: &Terms) -> String {
        format!(
            "because {} and {}, {}",
            self.format_external(one),
            self.format_external(other),
            self.format_terms(terms)
        )
    }

    fn explain_both_ref(
        &self,
        one_line: usize,
        one: &Step,
        other_line: usize,
        other: &Step,
        terms: &Terms,
    ) -> String {
        format!(
            "because {} ({one_line}) and {} ({other_line}), {}",
            self.format_terms(&one.terms),
            self.format_terms(&other.terms),
            self.format_terms(terms)
        )
    }

    fn explain_ref_and_external(
        &self,
        line: usize,
        step: &Step,
        cause: &Cause,
        terms: &Terms,
    ) -> String {
        format!(
            "because {} ({line}) and {}, {}",
            self.format_terms(&step.terms),
            self.format_external(cause),
            self.format_terms(terms)
        )
    }

    fn and_explain_external(&self, cause: &Cause, terms: &Terms) -> String {
        format!("and because {}, {}", self.format_external(cause), self.format_terms(terms))
    }

    fn and_explain_ref(&self, line: usize, step: &Step, terms: &Terms) -> String {
        let mut text = format!("and because {} ({line})", self.format_terms(&step.terms));
        let _ = write!(text, ", {}", self.format_terms(terms));
        text
    }

    fn and_explain_prior_and_external(
        &self,
        prior: &Cause,
        cause: &Cause,
        terms: &Terms,
    ) -> String {
        format!(
            "and because {} and {}, {}",
            self.format_external(prior),
            self.format_external(cause),
            self.format_terms(terms)
        )
    }
}
