//! A conflict in the words of the user's files.
//!
//! The solver leaves a tree of causes; the crate's reporter puts it into an order, and the sentences
//! are made here: what the user's own files ask for is told with its place in them.

use std::fmt::Write as _;

use pep440_rs::Version;
use pep508_rs::PackageName;
use pubgrub::{
    DefaultStringReporter, Derived, External, Map, Ranges, ReportFormatter, Reporter as _, Term,
};

use super::named::Named;
use super::provider::{Package, Tree};
use crate::model::location::Location;
use crate::resolve::ranges::Shown;

/// Tells why there is no answer; `versions` gives the releases of a package, oldest first.
pub(super) fn explain(
    tree: &Tree,
    named: &Named,
    versions: impl Fn(&PackageName) -> Vec<Version>,
) -> String {
    let words = Words { named, versions: &versions };
    DefaultStringReporter::report_with_formatter(tree, &words)
}

struct Words<'a> {
    named: &'a Named,
    versions: &'a dyn Fn(&PackageName) -> Vec<Version>,
}

type Cause = External<Package, Ranges<Version>, String>;
type Terms = Map<Package, Term<Ranges<Version>>>;
type Step = Derived<Package, Ranges<Version>, String>;

impl Words<'_> {
    /// A package and a range of it, as short as the releases that there are allow.
    fn some(&self, package: &Package, range: &Ranges<Version>) -> String {
        let Some(name) = package.name() else { return package.to_string() };
        let versions = (self.versions)(name);
        let simple = range.simplify(versions.iter());
        if simple == Ranges::full() {
            return format!("every release of {package}");
        }
        format!("{package} {}", Shown(&simple))
    }

    /// A package and a range, as something asks for it.
    fn wanted(package: &Package, range: &Ranges<Version>) -> String {
        if *range == Ranges::full() {
            return package.to_string();
        }
        format!("{package} {}", Shown(range))
    }

    /// What the user's files ask for, and where.
    fn asked(&self, package: &Package, range: &Ranges<Version>) -> String {
        let places = |all: Option<&Vec<(Location, String)>>, verb: &str| -> Vec<String> {
            let all = all.map(Vec::as_slice).unwrap_or_default();
            all.iter().map(|(location, text)| format!("{location} {verb} {text}")).collect()
        };
        let name = package.name();
        let named = name.and_then(|name| self.named.places.get(name));
        let bounds = name.and_then(|name| self.named.constraint_places.get(name));
        let mut all = places(named, "asks for");
        all.extend(places(bounds, "allows only"));
        if all.is_empty() {
            return format!("the project asks for {}", Self::wanted(package, range));
        }
        all.join(" and ")
    }
}

impl ReportFormatter<Package, Ranges<Version>, String> for Words<'_> {
    type Output = String;

    fn format_external(&self, external: &Cause) -> String {
        match external {
            External::NotRoot(package, _) => format!("{package} is what is asked for"),
            External::NoVersions(package, range) => {
                format!("there is no release of {}", Self::wanted(package, range))
            }
            External::Custom(package, range, reason) => {
                format!("{} is out of question ({reason})", self.some(package, range))
            }
            External::FromDependencyOf(Package::Root, _, package, range) => {
                self.asked(package, range)
            }
            External::FromDependencyOf(package, range, required, wanted) => {
                format!("{} requires {}", self.some(package, range), Self::wanted(required, wanted))
            }
        }
    }

    fn format_terms(&self, terms: &Terms) -> String {
        let terms: Vec<_> = terms.iter().collect();
        match terms.as_slice() {
            [] | [(Package::Root, _)] => "there is no answer".to_owned(),
            [(package, Term::Positive(range))] => {
                format!("{} is out of question", self.some(package, range))
            }
            [(package, Term::Negative(range))] => {
                format!("{} is needed", Self::wanted(package, range))
            }
            [(one, Term::Positive(range)), (other, Term::Negative(wanted))]
            | [(other, Term::Negative(wanted)), (one, Term::Positive(range))] => {
                format!("{} needs {}", self.some(one, range), Self::wanted(other, wanted))
            }
            all => {
                let shown: Vec<String> = all
                    .iter()
                    .filter(|(package, _)| **package != Package::Root)
                    .map(|(package, term)| match term {
                        Term::Positive(range) => self.some(package, range),
                        Term::Negative(range) => {
                            format!("the lack of {}", Self::wanted(package, range))
                        }
                    })
                    .collect();
                format!("{} exclude each other", shown.join(" and "))
            }
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
