//! Requirements that leave releases open, resolved: the set of releases that an installer would take.
//!
//! ```text
//! mod        what is asked, what comes out, and the passes in between
//! named      what the user's own requirements say of packages by name
//! knowledge  releases and their requirements, asked of the index once, and ahead of the solver
//! provider   what the solver is told of them
//! answer     what comes out, made of what the solver selected
//! explain    a conflict in the words of the user's files
//! ```
//!
//! The solver itself is the crate `pubgrub`. The environment is one target on one platform, so that
//! every marker is true or false and there is one answer.

mod answer;
mod explain;
mod knowledge;
mod named;
mod provider;

use std::collections::BTreeSet;
use std::sync::Arc;

use pep440_rs::Version;
use pep508_rs::{MarkerEnvironment, PackageName};
use pubgrub::PubGrubError;
use tokio::runtime::Handle;

use self::knowledge::Knowledge;
use self::named::Named;
use self::provider::{Package, Provider, Stop};
use crate::model::digest::Sha256;
use crate::model::distribution::DistributionFile;
use crate::model::requirement::{Prereleases, Requirement};
use crate::model::tag::TagOrder;
use crate::model::target::Target;
use crate::resolve::Index;
use crate::resolve::graph::Graph;

/// Rounds in which releases that require a file at a URL make the search begin anew.
const MAX_RESTARTS: usize = 64;

/// What is to be resolved.
#[derive(Debug, Clone)]
pub struct Request {
    /// What is to be installed.
    pub required: Vec<Requirement>,
    /// What bounds releases and asks for nothing itself.
    pub constraints: Vec<Requirement>,
    /// What stands in place of every other requirement of the same name.
    pub overrides: Vec<Requirement>,
    /// Whether pre-releases are chosen.
    pub prereleases: Prereleases,
    /// The interpreter.
    pub target: Target,
    /// What markers are evaluated against.
    pub environment: MarkerEnvironment,
    /// The tags of wheels that can be installed.
    pub tags: Arc<TagOrder>,
    /// Questions to the index at a time.
    pub jobs: usize,
    /// Only what is named itself, not what it requires.
    pub no_dependencies: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Resolution {
    /// What requires what; the packages by their place are those of [`Self::packages`].
    pub graph: Graph,
    /// The packages.
    pub packages: Vec<Resolved>,
    /// What an installer could not do, so that the packages are not what it would install.
    pub problems: Vec<String>,
}

/// One package of the answer.
#[derive(Debug)]
pub struct Resolved {
    /// The normalized name.
    pub name: PackageName,
    /// What is known of the release.
    pub release: ResolvedRelease,
    /// The digests that its file has to have one of; none where any file will do.
    pub hashes: Vec<Sha256>,
    /// Whether no file of the release can be installed or built.
    pub is_unusable: bool,
    /// Why its own requirements are not known, where they are not.
    pub unknown_requirements: Option<String>,
}

/// The release of a package, or why there is none.
#[derive(Debug)]
pub enum ResolvedRelease {
    /// This one, with the files that an installer would choose from.
    Chosen(Version, Vec<DistributionFile>),
    /// The user named a file.
    File(Version, Box<DistributionFile>),
    /// None could be looked for.
    NotLookedAt {
        /// The release that the user pinned, where that was done.
        pinned: Option<Version>,
        /// Why.
        reason: String,
    },
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SolveError {
    /// The requirements exclude each other; the text tells how, on several lines.
    #[error("{0}")]
    Conflict(String),
    /// An internal limit.
    #[error("{0}")]
    Internal(String),
}

/// Resolves `request`, asking `index`.
///
/// Where no installer could take what is required, because a release has no file for the target,
/// the answer names such releases all the same, and [`Resolution::problems`] says so.
///
/// # Errors
/// Where the requirements exclude each other.
pub async fn resolve<I: Index + 'static>(
    index: Arc<I>,
    request: Request,
) -> Result<Resolution, SolveError> {
    let handle = Handle::current();
    // The solver is no asynchronous code: it waits on a thread of its own, while questions to the
    // index are answered on the others.
    tokio::task::spawn_blocking(move || Passes::new(index, request, handle).run())
        .await
        .unwrap_or_else(|_| {
            Err(SolveError::Internal("an internal error of ftcheck while resolving".to_owned()))
        })
}

/// The searches for an answer, each with what the one before has shown.
struct Passes<I> {
    request: Arc<Request>,
    knowledge: Knowledge<I>,
    named: Named,
}

impl<I: Index + 'static> Passes<I> {
    fn new(index: Arc<I>, request: Request, handle: Handle) -> Self {
        let request = Arc::new(request);
        let named = Named::new(&request);
        let knowledge = Knowledge::new(index, Arc::clone(&request), named.clone(), handle);
        Self { request, knowledge, named }
    }

    fn run(&self) -> Result<Resolution, SolveError> {
        if let Some(clash) = &self.named.clash {
            return Err(SolveError::Conflict(clash.clone()));
        }
        let strict = match self.pass(false)? {
            Ok(resolution) => return Ok(resolution),
            Err(explanation) => explanation,
        };
        // No installer finds an answer. What stands in its way is of interest: with releases that
        // cannot be installed there may be one.
        match self.pass(true)? {
            Ok(mut resolution) => {
                let unusable: Vec<String> = resolution
                    .packages
                    .iter()
                    .filter(|package| package.is_unusable)
                    .map(|package| package.name.to_string())
                    .collect();
                // The solver tells of every release that was tried, where one word is enough.
                let problem = if unusable.is_empty() {
                    // One line, as every other problem is.
                    let lines: Vec<&str> = strict.lines().filter(|line| !line.is_empty()).collect();
                    format!("no installer can install this as it is: {}", lines.join("; "))
                } else {
                    format!(
                        "no installer can install this as it is: what fits of {} has no file for {} \
                         here",
                        unusable.join(", "),
                        self.request.target
                    )
                };
                resolution.problems.insert(0, problem);
                Ok(resolution)
            }
            Err(explanation) => Err(SolveError::Conflict(explanation)),
        }
    }

    /// One search: an answer, or why there is none.
    fn pass(&self, unusable_too: bool) -> Result<Result<Resolution, String>, SolveError> {
        let mut forbidden = BTreeSet::new();
        let mut early: Vec<PackageName> = Vec::new();
        let mut restarts = 0;
        while restarts < MAX_RESTARTS {
            let provider = Provider::new(
                &self.request,
                &self.knowledge,
                &self.named,
                &early,
                unusable_too,
                forbidden.clone(),
            );
            let stop = match pubgrub::resolve(&provider, Package::Root, Version::new([0])) {
                Ok(selected) => match provider.needless_file(&selected) {
                    None => return Ok(Ok(provider.resolution(&selected))),
                    // What required the file did not fit in the end: the file is out of place too.
                    Some(name) => {
                        self.knowledge.unset_file(&name);
                        forbidden.insert(name);
                        restarts += 1;
                        continue;
                    }
                },
                Err(PubGrubError::NoSolution(tree)) => return Ok(Err(provider.explain(&tree))),
                Err(
                    PubGrubError::ErrorRetrievingDependencies { source, .. }
                    | PubGrubError::ErrorChoosingVersion { source, .. }
                    | PubGrubError::ErrorInShouldCancel(source),
                ) => source,
            };
            match stop {
                Stop::NeedsFile(name, file) => {
                    restarts += 1;
                    self.knowledge.set_file(&name, *file);
                }
                // Once for each package: the search comes to an end.
                Stop::DecideEarlier(name) => early.push(name),
            }
        }
        Err(SolveError::Internal("too many releases require files at URLs".to_owned()))
    }
}
