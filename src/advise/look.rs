//! Looks into the wheels of releases, each once, and walks a search to its end.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use pep440_rs::Version;
use pep508_rs::PackageName;
use tokio::sync::Semaphore;

use super::releases::{self, Newer};
use super::search::{Outcome, Search, Seen};
use crate::judge;
use crate::model::advice::Candidate;
use crate::model::distribution::DistributionFile;
use crate::model::evidence::ModuleReport;
use crate::model::report::{Place, Severity, Verdict};
use crate::model::tag::TagOrder;
use crate::model::wheel_filename::WheelFilename;
use crate::resolve::Index;
use crate::resolve::candidates::Candidates;
use crate::wheel_check::WheelCheck;

/// Wheels of one package that could not be fetched before the others are not asked for: an index
/// that does not answer would be asked in vain each time, and waited for.
const MAX_FAILURES: usize = 3;

/// What is in a wheel, or why that is not known.
type Opened = Result<Vec<ModuleReport>, String>;

/// Looks at releases for one target on one platform.
pub(super) struct Looker<I> {
    pub(super) place: Place,
    pub(super) tags: Arc<TagOrder>,
    index: Arc<I>,
    checks: WheelCheck,
    permits: Semaphore,
    opened: Mutex<BTreeMap<String, Opened>>,
}

/// Modules that others are made by, by distribution: what they declare is what those do.
pub(super) type Makers = Vec<(String, Vec<ModuleReport>)>;

/// What a release does, as far as it was looked at.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    pub(super) candidate: Candidate,
    /// Whether its wheel could not be had.
    pub(super) failed: bool,
    /// The modules of other packages that it hangs on.
    pub(super) makers: Vec<String>,
    pub(super) modules: Vec<ModuleReport>,
}

/// A search that came to its end.
pub(super) struct Found {
    pub(super) outcome: Outcome,
    /// The first release that keeps the GIL off.
    pub(super) first: Option<Judged>,
    /// Whether an installer that is asked for the first one or newer takes one that keeps it off.
    pub(super) newest: bool,
    /// What was looked at, oldest first.
    pub(super) looked_at: Vec<(Version, Candidate)>,
    pub(super) opened: usize,
    pub(super) not_opened: usize,
    pub(super) without_wheel: usize,
    /// Why it was broken off, or what could not be fetched.
    pub(super) failure: Option<String>,
    /// The modules of other packages that some release hangs on.
    pub(super) makers: Vec<String>,
}

impl<I: Index> Looker<I> {
    pub(super) fn new(place: Place, index: Arc<I>, checks: WheelCheck, jobs: usize) -> Self {
        Self {
            place,
            tags: Arc::new(TagOrder::new(place.target, place.platform)),
            index,
            checks,
            permits: Semaphore::new(jobs.max(1)),
            opened: Mutex::default(),
        }
    }

    pub(super) fn index(&self) -> &I {
        &self.index
    }

    /// The releases of a package.
    pub(super) async fn candidates(
        &self,
        name: &PackageName,
        from: Option<&str>,
    ) -> Result<Candidates, String> {
        // Never closed.
        let _permit = self.permits.acquire().await;
        let files = self.index.files(name, from).await.map_err(|problem| problem.to_string())?;
        Ok(Candidates::new(files, &[], self.place.target, Arc::clone(&self.tags)))
    }

    /// Searches `newer` for the first release that keeps the GIL off.
    pub(super) async fn search(&self, newer: &[Newer], makers: &Makers) -> Found {
        let with_wheel: Vec<&Newer> = newer.iter().filter(|one| one.wheel.is_some()).collect();
        let is_pure =
            |one: &&Newer| one.wheel.as_ref().is_some_and(|(_, wheel)| wheel.is_any_platform());
        let known =
            with_wheel.iter().map(|one| is_pure(one).then_some(Seen::Fine)).collect::<Vec<_>>();
        let mut search = Search::new(known);
        let mut judged: BTreeMap<usize, Judged> = BTreeMap::new();
        let mut failures = 0;
        while let Some(at) = search.next() {
            let Some(release) = with_wheel.get(at) else { break };
            let found = self.judge(release, makers).await;
            failures += usize::from(found.failed);
            search.tell(at, seen(found.candidate.verdict));
            judged.insert(at, found);
            if failures >= MAX_FAILURES {
                break;
            }
        }
        let outcome = search.outcome();
        let first = match outcome.first.and_then(|at| Some((at, with_wheel.get(at)?))) {
            Some((at, release)) => match judged.get(&at) {
                Some(judged) => Some(judged.clone()),
                None => Some(self.judge(release, makers).await),
            },
            None => None,
        };
        let newest = newer.iter().rfind(|one| one.usable);
        let newest = newest.is_some_and(|one| one.wheel.is_some()) && outcome.newest;
        Found {
            outcome,
            newest,
            looked_at: looked_at(newer, &with_wheel, &judged, first.as_ref()),
            opened: judged.len(),
            not_opened: (0..with_wheel.len()).filter(|at| search.seen(*at).is_none()).count(),
            without_wheel: newer.len() - with_wheel.len(),
            failure: failure(&judged, failures >= MAX_FAILURES),
            makers: judged.values().flat_map(|one| one.makers.iter().cloned()).collect(),
            first,
        }
    }

    /// What a release does: by its tags where they tell, else by its wheel.
    pub(super) async fn judge(&self, release: &Newer, makers: &Makers) -> Judged {
        let mut candidate = Candidate {
            version: release.version.to_string(),
            verdict: Verdict::NoWheel,
            wheel: None,
            reason: None,
        };
        let nothing = |candidate| Judged {
            candidate,
            failed: false,
            makers: Vec::new(),
            modules: Vec::new(),
        };
        let Some((file, wheel)) = &release.wheel else { return nothing(candidate) };
        candidate.wheel = Some(wheel.to_string());
        if wheel.is_any_platform() {
            candidate.verdict = Verdict::PurePython;
            return nothing(candidate);
        }
        match self.open(file, wheel).await {
            Ok(modules) => {
                let makers_of =
                    modules.iter().filter_map(|module| module.evidence.delegates_to.clone());
                let names = makers_of.collect();
                let modules = settled(&candidate, modules, makers);
                candidate.verdict = judge::verdict(&modules);
                candidate.reason = judge::reason(&modules);
                Judged { candidate, failed: false, makers: names, modules }
            }
            Err(problem) => {
                candidate.verdict = Verdict::Unchecked;
                candidate.reason = Some(problem);
                Judged { failed: true, ..nothing(candidate) }
            }
        }
    }

    /// The modules of a wheel, which is opened once.
    async fn open(&self, file: &DistributionFile, wheel: &WheelFilename) -> Opened {
        let key = file.url.as_str();
        let known = |all: &BTreeMap<String, Opened>| all.get(key).cloned();
        let opened = || self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known(&opened()) {
            return known;
        }
        // Never closed.
        let _permit = self.permits.acquire().await;
        let found = self.checks.check(file, wheel).await;
        let found = found.map(|found| found.modules).map_err(|problem| problem.to_string());
        opened().insert(key.to_owned(), found.clone());
        found
    }

    /// The releases newer than `current`, oldest first.
    pub(super) fn newer(
        &self,
        candidates: &Candidates,
        current: Option<&Version>,
        prereleases: bool,
    ) -> Vec<Newer> {
        releases::newer(candidates, current, prereleases, self.place.target, &self.tags)
    }
}

/// Modules with the answers of those that make them.
pub(super) fn settled(
    candidate: &Candidate,
    mut modules: Vec<ModuleReport>,
    makers: &Makers,
) -> Vec<ModuleReport> {
    let mut makers = makers.clone();
    let mut groups: Vec<(String, &mut Vec<ModuleReport>)> = makers
        .iter_mut()
        .map(|(name, modules)| (name.clone(), modules))
        .chain(std::iter::once((candidate.version.clone(), &mut modules)))
        .collect();
    judge::settle(&mut groups);
    modules
}

fn seen(verdict: Verdict) -> Seen {
    match verdict.severity() {
        Severity::Fine => Seen::Fine,
        Severity::Finding => Seen::Bad,
        Severity::NotKnown => Seen::NotTold,
    }
}

fn failure(judged: &BTreeMap<usize, Judged>, broken_off: bool) -> Option<String> {
    let failed: Vec<&Judged> = judged.values().filter(|one| one.failed).collect();
    let last = failed.last()?;
    let reason = last.candidate.reason.as_deref().unwrap_or("unknown");
    let versions: Vec<&str> = failed.iter().map(|one| one.candidate.version.as_str()).collect();
    let broken_off = if broken_off { ", and the search was broken off" } else { "" };
    Some(format!("{} could not be looked at{broken_off}: {reason}", versions.join(", ")))
}

/// What was opened, and beside it what the answer hangs on that tags told: the first release itself
/// and the one before it.
fn looked_at(
    newer: &[Newer],
    with_wheel: &[&Newer],
    judged: &BTreeMap<usize, Judged>,
    first: Option<&Judged>,
) -> Vec<(Version, Candidate)> {
    let mut all: BTreeMap<Version, Candidate> = BTreeMap::new();
    for (at, one) in judged {
        if let Some(release) = with_wheel.get(*at) {
            all.insert(release.version.clone(), one.candidate.clone());
        }
    }
    let Some(first) = first else { return all.into_iter().collect() };
    let place = newer.iter().position(|one| one.version.to_string() == first.candidate.version);
    if let Some(place) = place {
        if let Some(release) = newer.get(place) {
            all.entry(release.version.clone()).or_insert_with(|| first.candidate.clone());
        }
        if let Some(before) = place.checked_sub(1).and_then(|place| newer.get(place))
            && before.wheel.is_none()
        {
            all.entry(before.version.clone()).or_insert_with(|| Candidate {
                version: before.version.to_string(),
                verdict: Verdict::NoWheel,
                wheel: None,
                reason: None,
            });
        }
    }
    all.into_iter().collect()
}
