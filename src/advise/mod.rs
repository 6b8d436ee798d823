//! What to do about packages that stand in the way: which newer release keeps the GIL off, whether
//! what is asked for allows it, by which command it is taken, and whether all of it goes together.
//!
//! ```text
//! inputs    what the project's files ask for
//! releases  the newer releases, and what their tags tell
//! search    which of them to look at next
//! look      looks at them
//! bounds    what the user and the other packages ask for
//! command   how each tool takes another release
//! forks     maintained forks, from a list kept by hand
//! steps     what to do, in words
//! together  one resolution for all of it
//! words     what follows from a search, in words
//! ```
//!
//! What a release does is found out as a scan does it: by its tags, then by what its modules declare.
//! A declaration is no proof of being safe to use from several threads, and is never called one.

mod bounds;
pub mod command;
pub mod forks;
mod inputs;
mod look;
pub mod releases;
pub mod search;
mod steps;
mod together;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::StreamExt as _;
use pep440_rs::Version;
use pep508_rs::PackageName;

use self::bounds::Bounds;
use self::command::Wish;
use self::inputs::{indexes_of, of_user, requirements_of};
use self::look::{Found, Judged, Looker, Makers};
use self::steps::Facts;
use self::together::{Question, Wishes};
use self::words::wish;

use crate::fetch::cache::Cache;
use crate::fetch::client::Client;
use crate::fetch::indexes::Indexes;
use crate::input::Requirements;
use crate::judge;
use crate::model::advice::{Advice, AdviceReport, Candidate, Manager, Search};
use crate::model::distribution::DistributionFile;
use crate::model::report::{PackageReport, ScanReport, Verdict};
use crate::model::requirement::Prereleases;
use crate::pipeline::{Progress, Scene, Settings};
use crate::wheel_check::WheelCheck;

pub use self::inputs::Input;

/// What is always told with advice.
const DECLARED: &str = "to keep the GIL off is what a module declares, which was read; it is no proof \
                        of being safe to use from several threads";

/// Advises on every package of a scan's report that enables the GIL, has no wheel, or could not be
/// told.
pub async fn advise(
    report: &ScanReport,
    inputs: &[Input<'_>],
    settings: &Settings,
    client: &Arc<Client>,
    cache: &Cache,
    index: &Arc<Indexes>,
    progress: &Arc<dyn Progress>,
) -> AdviceReport {
    let mut whole = AdviceReport {
        version: 1,
        targets: report.targets.clone(),
        platforms: report.platforms.clone(),
        packages: Vec::new(),
        together: Vec::new(),
        unchecked: unchecked(report),
        gaps: report.gaps.clone(),
        notes: report.notes.clone(),
    };
    for scene in &settings.scenes {
        let checks =
            WheelCheck::new(Arc::clone(client), cache.clone(), scene.place).reusing(index.opened());
        let adviser = Adviser {
            inputs,
            settings,
            scene,
            user: of_user(inputs, settings),
            user_is_known: !inputs.iter().any(Input::is_lock_alone),
            indexes: indexes_of(inputs),
            here: report.packages.iter().filter(|one| one.place() == scene.place).collect(),
            looker: Looker::new(scene.place, Arc::clone(index), checks, settings.jobs),
            index,
            progress,
        };
        adviser.add_to(&mut whole).await;
    }
    if !whole.packages.is_empty() {
        whole.notes.push(DECLARED.to_owned());
    }
    // Stable: the places stay in their order.
    whole.packages.sort_by(|a, b| (&a.package, &a.version).cmp(&(&b.package, &b.version)));
    whole
}

/// Packages that were not looked at, each with its reason.
fn unchecked(report: &ScanReport) -> Vec<String> {
    let several = report.places().count() > 1;
    let unchecked = report.packages.iter().filter(|one| one.verdict == Verdict::Unchecked);
    unchecked
        .map(|package| {
            let version = package.version.as_deref().unwrap_or("?");
            let reason = package.reason.as_deref().unwrap_or("no reason is known");
            let label = if several {
                format!("{}: ", report.label(package.place()))
            } else {
                String::new()
            };
            format!("{label}{} {version}: {reason}", package.name)
        })
        .collect()
}

/// Whether something is advised on a package.
fn is_in_the_way(package: &PackageReport) -> bool {
    matches!(package.verdict, Verdict::EnablesGil | Verdict::NoWheel | Verdict::Undetermined)
}

/// Advises for one target on one platform.
struct Adviser<'a> {
    inputs: &'a [Input<'a>],
    settings: &'a Settings,
    scene: &'a Scene,
    user: Requirements,
    user_is_known: bool,
    indexes: BTreeMap<PackageName, String>,
    here: Vec<&'a PackageReport>,
    looker: Looker<Indexes>,
    index: &'a Arc<Indexes>,
    progress: &'a Arc<dyn Progress>,
}

/// An advice, and what others hang on of it.
struct Advised {
    advice: Advice,
    /// What to ask for.
    wish: Option<(PackageName, Wish)>,
    /// The modules of the release that is asked for.
    modules: Option<Judged>,
    /// The modules of other packages that its releases hang on.
    makers: Vec<String>,
}

impl Adviser<'_> {
    async fn add_to(&self, whole: &mut AdviceReport) {
        let in_the_way: Vec<&PackageReport> =
            self.here.iter().copied().filter(|package| is_in_the_way(package)).collect();
        self.progress.start(in_the_way.len());
        let makers: Makers = self
            .here
            .iter()
            .filter(|package| !package.modules.is_empty())
            .map(|package| (package.name.clone(), package.modules.clone()))
            .collect();
        let mut advised: Vec<Advised> = futures_util::stream::iter(&in_the_way)
            .map(|package| async {
                let advised = self.package(package, &makers).await;
                self.progress.finish(&package.name);
                advised
            })
            .buffered(self.settings.jobs.max(1))
            .collect()
            .await;
        let makers = self.with_makers(&in_the_way, &mut advised, makers).await;
        let wishes: Wishes = advised.iter().filter_map(|one| one.wish.clone()).collect();
        if !wishes.is_empty() {
            let question = Question {
                inputs: self.inputs,
                settings: self.settings,
                scene: self.scene,
                index: self.index,
                looker: &self.looker,
                here: &self.here,
                makers: &makers,
            };
            whole.together.push(question.answer(&wishes).await);
        }
        whole.packages.extend(advised.into_iter().map(|one| one.advice));
    }

    /// Looks again at packages whose modules are made by those of a package that is advised on: with
    /// the release that is advised.
    async fn with_makers(
        &self,
        in_the_way: &[&PackageReport],
        advised: &mut [Advised],
        mut makers: Makers,
    ) -> Makers {
        // Which modules come with an advised release, and of which package.
        let mut new: Vec<(PackageName, String, Judged)> = Vec::new();
        for one in advised.iter() {
            if let (Some((name, _)), Some(judged)) = (&one.wish, &one.modules) {
                new.push((name.clone(), judged.candidate.version.clone(), judged.clone()));
            }
        }
        for (name, version, judged) in &new {
            makers.retain(|(other, _)| other != name.as_ref());
            makers.push((format!("{name} {version}"), judged.modules.clone()));
        }
        for (package, one) in in_the_way.iter().zip(advised) {
            let own = package.modules.iter().filter_map(|one| one.evidence.delegates_to.as_ref());
            let hangs_on: Vec<&String> = own.chain(&one.makers).collect();
            let maker = new.iter().find(|(name, _, judged)| {
                name.as_ref() != package.name
                    && judged.modules.iter().any(|module| hangs_on.contains(&&module.module))
            });
            let Some((maker, version, _)) = maker else { continue };
            let now = settled_now(package, &makers);
            if now == Verdict::KeepsGilOff {
                one.advice.steps = vec![steps::follows(maker.as_ref(), version)];
                one.advice.follows = true;
                one.advice.bounds = None;
                one.advice.first = None;
                one.advice.allowed = None;
                one.advice.obstacles = Vec::new();
                one.wish = None;
            } else {
                *one = self.package(package, &makers).await;
            }
        }
        makers
    }

    async fn package(&self, package: &PackageReport, makers: &Makers) -> Advised {
        let mut advice = Advice {
            package: package.name.clone(),
            version: package.version.clone(),
            place: package.place(),
            verdict: package.verdict,
            first: None,
            certain: false,
            allowed: None,
            follows: false,
            obstacles: Vec::new(),
            looked_at: Vec::new(),
            search: Search::default(),
            bounds: None,
            steps: Vec::new(),
            tracker_first: package.tracker.as_ref().and_then(|one| one.first_version.clone()),
            location: package
                .via
                .first()
                .and_then(|step| step.location.clone())
                .or_else(|| package.required_by.clone()),
        };
        let nothing = |advice| Advised { advice, wish: None, modules: None, makers: Vec::new() };
        if package.conda.is_some() {
            advice.steps = steps::of_conda(package);
            advice.bounds = Some("no other build was looked for".to_owned());
            return nothing(advice);
        }
        let found = match self.search(package, makers).await {
            Ok(found) => found,
            Err(problem) => {
                advice.bounds = Some(format!("no newer release was looked for: {problem}"));
                advice.search.failure = Some(problem);
                return nothing(advice);
            }
        };
        self.fill(advice, package, found)
    }

    async fn search(&self, package: &PackageReport, makers: &Makers) -> Result<Searched, String> {
        let name: PackageName =
            package.name.parse().map_err(|_| "its name is none of a package".to_owned())?;
        let current = package.version.as_deref().map(str::parse::<Version>);
        let current = current.transpose().map_err(|problem| problem.to_string())?;
        let from = self.indexes.get(&name).map(String::as_str);
        let candidates = self.looker.candidates(&name, from).await?;
        let mut bounds = Bounds::of_user(&self.user, &name, self.scene);
        bounds::add_packages(
            &mut bounds,
            &name,
            &self.here,
            &self.indexes,
            self.scene,
            &self.looker,
        )
        .await;
        let prereleases = releases::prereleases_count(
            self.settings.prereleases.or_else(|| self.prereleases()).unwrap_or_default(),
            bounds.name_prerelease(),
            &candidates,
            current.as_ref(),
        );
        let newer = self.looker.newer(&candidates, current.as_ref(), prereleases);
        let found = self.looker.search(&newer, makers).await;
        let inside: Vec<_> =
            newer.iter().filter(|one| bounds.allow(&one.version)).cloned().collect();
        let allowed = if inside.len() == newer.len() {
            None
        } else {
            Some(self.looker.search(&inside, makers).await)
        };
        let pure = current.as_ref().filter(|_| package.verdict != Verdict::NoWheel);
        let pure = pure.and_then(|current| {
            let (target, tags) = (self.scene.place.target, &self.looker.tags);
            releases::pure_wheel(&candidates, current, target, tags).cloned()
        });
        Ok(Searched { name, bounds, newer: newer.len(), found, allowed, pure })
    }

    fn prereleases(&self) -> Option<Prereleases> {
        self.inputs.iter().find_map(|input| input.basis().prereleases)
    }

    fn fill(&self, mut advice: Advice, package: &PackageReport, searched: Searched) -> Advised {
        let Searched { name, bounds, newer, found, allowed, pure } = searched;
        let first = wish(&found);
        let inside = allowed.as_ref().unwrap_or(&found);
        let nearest = wish(inside);
        advice.search = Search {
            newer,
            without_wheel: found.without_wheel,
            opened: found.opened,
            not_opened: found.not_opened,
            not_told: found.outcome.not_told,
            failure: found
                .failure
                .clone()
                .or_else(|| allowed.as_ref().and_then(|found| found.failure.clone())),
        };
        advice.certain = found.outcome.certain;
        advice.bounds = words::of_bounds(&found, newer);
        advice.first = found.first.as_ref().map(|one| one.candidate.clone());
        advice.allowed = inside.first.as_ref().map(|one| one.candidate.clone());
        if let Some((version, _)) = &first {
            advice.obstacles = bounds.in_the_way(version).map(bounds::Bound::obstacle).collect();
        }
        let mut looked_at = found.looked_at.clone();
        if let Some(allowed) = &allowed {
            looked_at.extend(allowed.looked_at.iter().cloned());
        }
        looked_at.sort_by(|(a, _), (b, _)| a.cmp(b));
        looked_at.dedup_by(|(a, _), (b, _)| a == b);
        advice.looked_at = looked_at.into_iter().map(|(_, candidate)| candidate).collect();
        advice.steps = steps::steps(&Facts {
            name: &name,
            package,
            manager: self.manager(&name, package),
            bounds: &bounds,
            allowed: nearest.as_ref(),
            first: first.as_ref(),
            pure: pure.as_ref(),
            user_is_known: self.user_is_known,
        });
        let modules = inside.first.clone().or_else(|| found.first.clone());
        let makers = [found.makers, allowed.map(|found| found.makers).unwrap_or_default()].concat();
        let wish = nearest.or(first).map(|(_, wish)| (name, wish));
        Advised { advice, wish, modules, makers }
    }

    /// The tool of the file that names a package, or the first there is.
    fn manager(&self, name: &PackageName, package: &PackageReport) -> Option<&Manager> {
        let names = |input: &&Input<'_>| {
            requirements_of(input.basis())
                .is_some_and(|all| all.required.iter().any(|one| one.name == *name))
        };
        let path = package.required_by.as_ref().map(|place| place.path.as_str());
        let is_at = |input: &&Input<'_>| {
            input.manager.as_ref().is_some_and(|manager| Some(manager.file.as_str()) == path)
        };
        let inputs = || self.inputs.iter().filter(|input| input.manager.is_some());
        inputs()
            .find(names)
            .or_else(|| inputs().find(is_at))
            .or_else(|| inputs().next())
            .and_then(|input| input.manager.as_ref())
    }
}

/// What the release that is installed does beside other makers.
fn settled_now(package: &PackageReport, makers: &Makers) -> Verdict {
    let candidate = Candidate {
        version: package.name.clone(),
        verdict: package.verdict,
        wheel: None,
        reason: None,
    };
    let mut modules = package.modules.clone();
    for module in modules.iter_mut().filter(|one| one.evidence.settled_by.is_some()) {
        module.evidence.settled_by = None;
    }
    judge::verdict(&look::settled(&candidate, modules, makers))
}

/// What was found out about the releases of one package.
struct Searched {
    name: PackageName,
    bounds: Bounds,
    newer: usize,
    found: Found,
    /// The same within what is asked for, where that does not allow all.
    allowed: Option<Found>,
    pure: Option<DistributionFile>,
}
