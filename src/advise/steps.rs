//! What to do, in words and commands, best first. Pure.

use pep440_rs::Version;
use pep508_rs::PackageName;

use super::bounds::{Bound, Bounds};
use super::command::{self, Told, Wish};
use super::forks;
use crate::model::advice::{Asker, Manager, Step};
use crate::model::distribution::DistributionFile;
use crate::model::location::redacted;
use crate::model::release::Prediction;
use crate::model::report::{PackageReport, Verdict};

/// Everything that an advice on a package is made of.
pub(super) struct Facts<'a> {
    pub(super) name: &'a PackageName,
    pub(super) package: &'a PackageReport,
    pub(super) manager: Option<&'a Manager>,
    pub(super) bounds: &'a Bounds,
    /// The nearest release that is allowed, and which ones to ask for.
    pub(super) allowed: Option<&'a (Version, Wish)>,
    /// The first one of all.
    pub(super) first: Option<&'a (Version, Wish)>,
    /// A wheel of the same release for any platform.
    pub(super) pure: Option<&'a DistributionFile>,
    /// Whether what the user's own files ask for is known.
    pub(super) user_is_known: bool,
}

/// What to do about a package from an index.
pub(super) fn steps(facts: &Facts<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    match (facts.allowed, facts.first) {
        (Some((version, wish)), _) => steps.push(within(facts, version, wish)),
        (None, Some((version, wish))) => outside(facts, version, wish, &mut steps),
        (None, None) => {}
    }
    steps.extend(same_release(facts));
    if facts.first.is_none() {
        steps.extend(forks::steps(facts.name));
        steps.extend(upstream(facts));
        steps.push(Step::told(
            "PYTHON_GIL=0 or -X gil=0 keeps the GIL off whatever a module declares: that overrides \
             the declaration, and makes the module no safer",
        ));
    }
    steps
}

/// A release that is allowed.
fn within(facts: &Facts<'_>, version: &Version, wish: &Wish) -> Step {
    let name = facts.name;
    let release = match wish {
        Wish::AtLeast(_) => format!("take {name} {version} or newer"),
        Wish::Exactly(_) => format!("take {name} {version}"),
    };
    let mut what = if !facts.user_is_known {
        format!(
            "{release}; whether the project's own files allow it is not known, since they are not beside \
             the lock"
        )
    } else if facts.bounds.unknown.is_empty() {
        format!("{release}, which what is asked for allows")
    } else {
        format!("{release}; {}", facts.bounds.unknown.join("; "))
    };
    if let Wish::Exactly(_) = wish {
        what.push_str("; no newer one, since the newest does not keep the GIL off");
    }
    let Some(manager) = facts.manager else { return Step::told(what) };
    step(what, command::take(manager, name, &[], wish))
}

/// A release that something keeps out.
fn outside(facts: &Facts<'_>, version: &Version, wish: &Wish, steps: &mut Vec<Step>) {
    let in_the_way: Vec<&Bound> = facts.bounds.in_the_way(version).collect();
    let own = in_the_way.iter().filter(|bound| bound.own.is_some());
    for bound in own {
        steps.push(change(facts, bound, wish));
    }
    let mut parents: Vec<&str> = Vec::new();
    let mut asked: Vec<String> = Vec::new();
    for bound in in_the_way.iter().filter(|bound| bound.own.is_none()) {
        let Asker::Package(package) = &bound.from else { continue };
        let place = bound.location.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
        asked.push(format!("{package} requires {}{place}", bound.text));
        parents.extend(package.split(' ').next());
    }
    if asked.is_empty() {
        return;
    }
    parents.dedup();
    let what = format!(
        "{}: {} {wish} needs a release of {} that allows it",
        asked.join(", "),
        facts.name,
        parents.join(" and "),
    );
    steps.push(match facts.manager {
        Some(manager) => step(what, command::take(manager, facts.name, &parents, wish)),
        None => Step::told(what),
    });
}

/// What the user's own files ask for gives way.
fn change(facts: &Facts<'_>, bound: &Bound, wish: &Wish) -> Step {
    let place = bound.location.as_ref().map(ToString::to_string).unwrap_or_default();
    let (name, text) = (facts.name, &bound.text);
    let told = match (&bound.from, &bound.own, facts.manager) {
        (Asker::Project, Some(own), Some(manager)) => command::ask(manager, own, wish),
        (_, _, Some(manager)) => {
            let remark = format!("that line has to let {name}{wish} through");
            Told { remark: Some(remark), ..command::take(manager, name, &[], wish) }
        }
        (_, _, None) => Told::default(),
    };
    let remark = told.remark.unwrap_or_else(|| format!("ask for {name}{wish}"));
    let verb = match bound.from {
        Asker::Override => "overrides it with",
        Asker::Constraint => "bounds it to",
        Asker::Project | Asker::Package(_) => "asks for",
    };
    Step { what: format!("{place} {verb} {text}: {remark}"), command: told.command }
}

/// What the release that is installed offers beside its wheel.
fn same_release(facts: &Facts<'_>) -> Vec<Step> {
    let (name, package) = (facts.name, facts.package);
    let version = package.version.as_deref().unwrap_or("?");
    let mut steps = Vec::new();
    if let Some(file) = facts.pure {
        let what = format!(
            "{} is a wheel of {name} {version} without compiled code: installers pass it over for the \
             compiled one unless it is asked for by its URL",
            file.kind.filename()
        );
        let own = facts.bounds.own();
        let url = redacted(&file.url);
        steps.push(match facts.manager {
            Some(manager) => step(what, command::take_file(manager, name, own, &url)),
            None => Step::told(what),
        });
    }
    let source = package.source.as_ref().filter(|_| package.verdict == Verdict::NoWheel);
    let Some(source) = source else { return steps };
    let what = match source.prediction {
        Prediction::PurePython => format!(
            "{} presumably compiles nothing: a build of it would keep the GIL off (a prediction; \
             nothing was built)",
            source.filename
        ),
        Prediction::KeepsGilOff => format!(
            "{} compiles modules that presumably declare that they keep the GIL off (a prediction; \
             nothing was built): building it needs a compiler",
            source.filename
        ),
        Prediction::EnablesGil | Prediction::StableAbiOnly | Prediction::NotKnown => return steps,
    };
    steps.push(match facts.manager {
        Some(manager) => step(what, command::build(manager, name)),
        None => Step::told(what),
    });
    steps
}

fn upstream(facts: &Facts<'_>) -> Option<Step> {
    let entry = facts.package.tracker.as_ref()?;
    let issue = entry.issue.as_ref()?;
    Some(Step::told(format!("it is followed upstream: {issue}")))
}

/// What to do about a conda package, of which no release is looked for.
pub(super) fn of_conda(package: &PackageReport) -> Vec<Step> {
    let name = &package.name;
    let abi = package.target.abi_tag();
    vec![Step::told(format!(
        "conda packages are not opened, and no other build of {name} was looked for: the channel has to \
         have one for {abi}, which solving the environment with `python-freethreading` shows"
    ))]
}

/// That a package only does what another one does, which was advised on already.
pub(super) fn follows(maker: &str, version: &str) -> Step {
    Step::told(format!(
        "nothing to do here: its modules are made by {maker}, and with {maker} {version} they keep the \
         GIL off"
    ))
}

fn step(what: String, told: Told) -> Step {
    let what = match told.remark {
        Some(remark) => format!("{what}: {remark}"),
        None => what,
    };
    Step { what, command: told.command }
}
