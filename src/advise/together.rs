//! Whether all that is advised for one place can be installed at once: one resolution, with as little
//! else changed as will do.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;
use std::sync::Arc;

use futures_util::StreamExt as _;
use pep440_rs::{Operator, Version, VersionSpecifier, VersionSpecifiers};
use pep508_rs::{MarkerTree, PackageName};

use super::command::Wish;
use super::inputs::{Input, requirements_of};
use super::look::{Looker, Makers};
use super::releases::Newer;

use crate::input::{Content, Manifest, Requirements};
use crate::model::advice::{Change, Holds, Together};
use crate::model::location::Location;
use crate::model::report::PackageReport;
use crate::model::requirement::{Requirement, Section, Wanted};
use crate::pipeline::{self, Plan, Scene, Settings, Subject};
use crate::resolve::{Index, pin, ranges};

/// Where bounds stand that are advised rather than written down.
const ADVISED: &str = "the advice";
/// Where releases stand that are kept as they are.
const KEPT: &str = "what is installed now";
/// Packages that change and are looked into; of more than this it is only told that they change.
const MAX_LOOKED_INTO: usize = 64;

/// What is advised: which releases of which packages.
pub(super) type Wishes = BTreeMap<PackageName, Wish>;

/// What everything here needs.
pub(super) struct Question<'a, I> {
    pub(super) inputs: &'a [Input<'a>],
    pub(super) settings: &'a Settings,
    pub(super) scene: &'a Scene,
    pub(super) index: &'a Arc<I>,
    pub(super) looker: &'a Looker<I>,
    /// What is installed now at this place.
    pub(super) here: &'a [&'a PackageReport],
    pub(super) makers: &'a Makers,
}

/// What may not change in a resolution.
struct Attempt {
    /// Packages that stay as they are.
    kept: BTreeSet<PackageName>,
    /// Whether the user's own pins may give way to newer releases.
    unpinned: bool,
    /// What had to give way, in words.
    gives_way: Option<&'static str>,
}

impl<I: Index + 'static> Question<'_, I> {
    pub(super) async fn answer(&self, wishes: &Wishes) -> Together {
        let nothing = |holds, explanation: String| Together {
            place: self.scene.place,
            holds,
            changes: Vec::new(),
            explanation: Some(explanation),
        };
        if self.settings.no_dependencies {
            let why = "what the packages depend on was not looked at (--no-deps)";
            return nothing(Holds::NotKnown, why.to_owned());
        }
        let mut last = nothing(Holds::NotKnown, "nothing could be resolved".to_owned());
        for attempt in self.attempts(wishes) {
            let manifests = self.manifests(wishes, &attempt);
            if manifests.is_empty() {
                let why = "the file names no packages by which it could be resolved anew";
                return nothing(Holds::NotKnown, why.to_owned());
            }
            let plan = pipeline::plan(&manifests, self.settings, self.scene, self.index).await;
            let plan = match plan {
                Ok(plan) if plan.problems.is_empty() => plan,
                Ok(plan) => {
                    last = nothing(Holds::No, words(&plan.problems.join("; ")));
                    continue;
                }
                Err(problem) => {
                    last = nothing(Holds::No, words(&problem.to_string()));
                    continue;
                }
            };
            return self.told(plan, &attempt).await;
        }
        last
    }

    async fn told(&self, plan: Plan, attempt: &Attempt) -> Together {
        let unknown: Vec<String> = plan.gaps.iter().map(|gap| words(gap)).collect();
        let changes = self.changes(&plan).await;
        let mut explanation: Vec<String> =
            attempt.gives_way.map(str::to_owned).into_iter().collect();
        if self.inputs.iter().any(Input::is_lock_alone) {
            explanation.push(
                "from what the lock names directly: what the project's own files allow is not known"
                    .to_owned(),
            );
        }
        let holds = if unknown.is_empty() { Holds::Yes } else { Holds::NotKnown };
        explanation.extend(unknown);
        Together {
            place: self.scene.place,
            holds,
            changes,
            explanation: (!explanation.is_empty()).then(|| explanation.join("; ")),
        }
    }

    /// From the least change to the most.
    fn attempts(&self, wishes: &Wishes) -> Vec<Attempt> {
        let all: BTreeSet<PackageName> =
            self.here.iter().filter_map(|one| one.name.parse().ok()).collect();
        let others = || all.iter().filter(|name| !wishes.contains_key(*name)).cloned();
        let related = self.related(wishes);
        let unrelated = others().filter(|name| !related.contains(name.as_ref())).collect();
        let attempt = |kept, unpinned, gives_way| Attempt { kept, unpinned, gives_way };
        vec![
            attempt(others().collect(), false, None),
            attempt(unrelated, false, Some("what depends on them, or they on it, changes too")),
            attempt(BTreeSet::new(), false, Some("other packages change too")),
            attempt(
                BTreeSet::new(),
                true,
                Some("releases that the project pins have to give way to newer ones too"),
            ),
        ]
    }

    /// What leads to a package that is advised on, and what it leads to.
    fn related<'w>(&'w self, wishes: &'w Wishes) -> BTreeSet<&'w str> {
        let mut up: BTreeSet<&str> = wishes.keys().map(AsRef::as_ref).collect();
        let mut down = up.clone();
        // A round for each link of the longest chain.
        loop {
            let before = up.len() + down.len();
            for package in self.here {
                let mut requires = package.requires.iter().map(String::as_str);
                if requires.any(|name| up.contains(name)) {
                    up.insert(&package.name);
                }
                if down.contains(package.name.as_str()) {
                    down.extend(package.requires.iter().map(String::as_str));
                }
            }
            if up.len() + down.len() == before {
                break;
            }
        }
        up.extend(down);
        up
    }

    /// The user's files with what is advised in them.
    fn manifests(&self, wishes: &Wishes, attempt: &Attempt) -> Vec<Manifest> {
        let mut manifests = Vec::new();
        for input in self.inputs {
            let basis = input.basis();
            let requirements = match requirements_of(basis) {
                Some(requirements) => asked_anew(requirements, wishes, attempt.unpinned),
                None => self.named_directly(input),
            };
            manifests.push(Manifest {
                content: Content::Requirements(requirements),
                sections: basis.sections.clone(),
                prereleases: basis.prereleases,
                // What a scan could not cover, a resolution of the same files does not either.
                gaps: basis.gaps.clone(),
                ..Manifest::default()
            });
        }
        let asks = |manifest: &Manifest| match &manifest.content {
            Content::Requirements(all) => !all.required.is_empty(),
            Content::Lock(_) => false,
        };
        if !manifests.iter().any(asks) {
            return Vec::new();
        }
        let advised = wishes.iter().filter_map(|(name, wish)| {
            Some(requirement(name, VersionSpecifiers::from_str(&wish.to_string()).ok()?, ADVISED))
        });
        let kept = self.here.iter().filter_map(|package| {
            let name: PackageName = package.name.parse().ok()?;
            let version = package.version.as_ref().filter(|_| attempt.kept.contains(&name))?;
            let specifiers = VersionSpecifiers::from_str(&format!("=={version}")).ok()?;
            Some(requirement(&name, specifiers, KEPT))
        });
        let bounds =
            Requirements { constraints: advised.chain(kept).collect(), ..Requirements::default() };
        manifests.push(Manifest { content: Content::Requirements(bounds), ..Manifest::default() });
        manifests
    }

    /// What a lock names directly, where nothing tells what was asked for.
    fn named_directly(&self, input: &Input<'_>) -> Requirements {
        if !input.is_lock_alone() {
            return Requirements::default();
        }
        let direct = self.here.iter().filter(|package| package.via.len() == 1);
        let required = direct
            .filter_map(|package| {
                Some(requirement(&package.name.parse().ok()?, VersionSpecifiers::empty(), KEPT))
            })
            .collect();
        Requirements { required, ..Requirements::default() }
    }

    /// What a plan would install otherwise than now, and what that does.
    async fn changes(&self, plan: &Plan) -> Vec<Change> {
        let mut now: BTreeMap<&str, Option<&str>> = BTreeMap::new();
        for package in self.here.iter().filter(|package| package.conda.is_none()) {
            now.insert(&package.name, package.version.as_deref());
        }
        let mut changes = Vec::new();
        let mut looks = Vec::new();
        for task in &plan.tasks {
            let to = match &task.subject {
                Subject::Files { version, .. }
                | Subject::Installed { version, .. }
                | Subject::Unchecked { version, .. } => version.clone(),
                Subject::Release { version, .. } => Some(version.to_string()),
                Subject::File(file) => Some(file.kind.version().to_string()),
            };
            let from = now.remove(task.name.as_ref());
            if from.is_some_and(|from| from == to.as_deref()) {
                continue;
            }
            if let (Subject::Files { files, .. }, Some(version)) = (&task.subject, &to)
                && looks.len() < MAX_LOOKED_INTO
                && let Ok(version) = version.parse::<Version>()
            {
                let wheel = pin::best_wheel(files, &self.looker.tags);
                let wheel = wheel.map(|(file, wheel)| (file.clone(), wheel.clone()));
                looks.push((changes.len(), Newer { version, usable: true, wheel }));
            }
            let from = from.flatten().map(str::to_owned);
            changes.push(Change { name: task.name.to_string(), from, to, verdict: None });
        }
        let mut judged = futures_util::stream::iter(looks)
            .map(|(at, release)| async move {
                (at, self.looker.judge(&release, self.makers).await.candidate.verdict)
            })
            .buffer_unordered(self.settings.jobs.max(1));
        while let Some((at, verdict)) = judged.next().await {
            if let Some(change) = changes.get_mut(at) {
                change.verdict = Some(verdict);
            }
        }
        drop(judged);
        // What is left is no longer installed.
        changes.extend(now.into_iter().map(|(name, from)| Change {
            name: name.to_owned(),
            from: from.map(str::to_owned),
            to: None,
            verdict: None,
        }));
        changes.sort_by(|a, b| a.name.cmp(&b.name));
        changes
    }
}

/// What the user asks for, with what is advised in place of what excludes it.
fn asked_anew(requirements: &Requirements, wishes: &Wishes, unpinned: bool) -> Requirements {
    let fits = |one: &Requirement, wish: &Wish| {
        let (Wish::AtLeast(version) | Wish::Exactly(version)) = wish;
        match &one.wanted {
            Wanted::Release(specifiers) => ranges::of_specifiers(specifiers).contains(version),
            Wanted::Url(_) | Wanted::File(_) | Wanted::Unchecked(_) => false,
        }
    };
    let keep = |one: &&Requirement| wishes.get(&one.name).is_none_or(|wish| fits(one, wish));
    let mut required = Vec::new();
    for one in &requirements.required {
        let mut one = one.clone();
        if let Some(wish) = wishes.get(&one.name) {
            one.hashes.clear();
            if !fits(&one, wish)
                && let Ok(specifiers) = VersionSpecifiers::from_str(&wish.to_string())
            {
                one.wanted = Wanted::Release(specifiers);
            }
        } else if unpinned
            && let Wanted::Release(specifiers) = &one.wanted
            && let Some(pin) = pin_of(specifiers)
            && let Ok(specifiers) = VersionSpecifiers::from_str(&format!(">={pin}"))
        {
            one.hashes.clear();
            one.wanted = Wanted::Release(specifiers);
        }
        required.push(one);
    }
    Requirements {
        required,
        constraints: requirements.constraints.iter().filter(keep).cloned().collect(),
        overrides: requirements.overrides.iter().filter(keep).cloned().collect(),
    }
}

/// The one release that specifiers name.
fn pin_of(specifiers: &VersionSpecifiers) -> Option<&Version> {
    let is_pin = |operator: &Operator| matches!(operator, Operator::Equal | Operator::ExactEqual);
    specifiers.iter().find(|one| is_pin(one.operator())).map(VersionSpecifier::version)
}

/// A requirement that stands in no file.
fn requirement(name: &PackageName, specifiers: VersionSpecifiers, place: &str) -> Requirement {
    Requirement {
        name: name.clone(),
        extras: Vec::new(),
        wanted: Wanted::Release(specifiers),
        marker: MarkerTree::default(),
        hashes: Vec::new(),
        index: None,
        section: Section::Any,
        location: Location { path: place.to_owned(), line: 1, column: 1 },
    }
}

/// A problem of the solver's on one line, where what stands in no file has no line either.
fn words(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines
        .join("; ")
        .replace(&format!("{ADVISED}:1:1"), ADVISED)
        .replace(&format!("{KEPT}:1:1"), KEPT)
}
