//! Small random indexes, against all assignments tried one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ftcheck::resolve::solve::ResolvedRelease;
use pep440_rs::{Version, VersionSpecifiers};
use proptest::prelude::*;

use super::world::{World, constrained, resolve, told};

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
/// Not on the index.
const GHOST: &str = "ghost";
const VERSIONS: [&str; 4] = ["1", "2", "3a1", "3"];
const RANGES: [&str; 8] = ["", "", "", ">=2", "<2", "==1", "!=2", ">1"];
const MARKERS: [(&str, Applies); 5] = [
    ("", Applies::Always),
    ("python_version >= '3.13'", Applies::Always),
    ("sys_platform == 'win32'", Applies::Never),
    ("extra == 'x'", Applies::WithExtra),
    ("extra == 'x' and os_name == 'posix'", Applies::WithExtra),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applies {
    Always,
    Never,
    WithExtra,
}

#[derive(Debug, Clone)]
struct Wants {
    name: &'static str,
    extra: bool,
    range: &'static str,
    marker: usize,
}

#[derive(Debug, Clone)]
struct Release {
    version: &'static str,
    flag: &'static str,
    wants: Vec<Wants>,
}

#[derive(Debug, Clone)]
struct Case {
    packages: BTreeMap<&'static str, Vec<Release>>,
    required: Vec<Wants>,
    constraints: Vec<Wants>,
}

/// The packages of an answer.
type Assignment = BTreeMap<&'static str, &'static str>;

fn fits(range: &str, version: &str) -> bool {
    let range: VersionSpecifiers = range.parse().unwrap();
    range.contains(&version.parse::<Version>().unwrap())
}

impl Wants {
    fn text(&self) -> String {
        let extra = if self.extra { "[x]" } else { "" };
        let marker = MARKERS[self.marker].0;
        let marker = if marker.is_empty() { String::new() } else { format!("; {marker}") };
        format!("{}{extra}{}{marker}", self.name, self.range)
    }
}

impl Case {
    fn world(&self) -> World {
        let mut text = String::new();
        for (name, releases) in &self.packages {
            for Release { version, flag, wants } in releases {
                let wants: Vec<String> = wants.iter().map(Wants::text).collect();
                text.push_str(&format!("{name} {version} {flag} | {}\n", wants.join(" & ")));
            }
        }
        World::new(&text)
    }

    fn lines(wants: &[Wants]) -> String {
        wants.iter().map(|one| one.text() + "\n").collect()
    }

    fn release(&self, name: &str, version: &str) -> &Release {
        self.packages[name].iter().find(|release| release.version == version).unwrap()
    }

    fn is_pinned(&self, name: &str, version: &str) -> bool {
        let all = self.required.iter().chain(&self.constraints);
        all.filter(|one| one.name == name).any(|one| one.range == format!("=={version}"))
    }

    /// Whether an installer may take a release.
    fn may_be_taken(&self, name: &str, release: &Release) -> bool {
        match release.flag {
            "" | "source" => true,
            "yanked" => self.is_pinned(name, release.version),
            _ => false,
        }
    }

    /// What `assignment` has to hold, if it is an answer. Where `leniently`, requirements that no
    /// release at all fits are none.
    fn needed(&self, assignment: &Assignment, leniently: bool) -> Option<BTreeSet<&'static str>> {
        let mut seen: BTreeSet<(&'static str, bool)> = BTreeSet::new();
        let mut queue: Vec<&Wants> = self.required.iter().collect();
        while let Some(wants) = queue.pop() {
            let Some(releases) = self.packages.get(wants.name) else { continue };
            let bounded = |version: &str| {
                let of_constraints = self.constraints.iter().filter(|one| one.name == wants.name);
                fits(wants.range, version)
                    && of_constraints.clone().all(|one| fits(one.range, version))
            };
            if leniently && !releases.iter().any(|release| bounded(release.version)) {
                continue;
            }
            let version = assignment.get(wants.name).filter(|version| bounded(version))?;
            for extra in [false, wants.extra] {
                if seen.insert((wants.name, extra)) {
                    let release = self.release(wants.name, version);
                    queue.extend(release.wants.iter().filter(|one| match MARKERS[one.marker].1 {
                        // It cannot be read: that is told as such.
                        _ if release.flag == "invalid" => false,
                        Applies::Always => true,
                        Applies::Never => false,
                        Applies::WithExtra => extra,
                    }));
                }
            }
        }
        Some(seen.into_iter().map(|(name, _)| name).collect())
    }

    /// Every choice of one release for each package.
    fn assignments(&self, leniently: bool) -> Vec<Assignment> {
        let mut all = vec![Assignment::new()];
        for (name, releases) in &self.packages {
            let choices: Vec<&Release> =
                releases.iter().filter(|one| leniently || self.may_be_taken(name, one)).collect();
            if choices.is_empty() {
                continue;
            }
            all = all
                .iter()
                .flat_map(|known| {
                    choices.iter().map(|release| {
                        let mut more = known.clone();
                        more.insert(*name, release.version);
                        more
                    })
                })
                .collect();
        }
        all
    }

    fn has_answer(&self, leniently: bool) -> bool {
        self.assignments(leniently).iter().any(|one| self.needed(one, leniently).is_some())
    }

    /// Packages that nothing anywhere bounds and that require nothing, with their newest release.
    fn unbounded(&self) -> Assignment {
        let wants: Vec<&Wants> = self
            .packages
            .values()
            .flatten()
            .flat_map(|release| &release.wants)
            .chain(&self.required)
            .chain(&self.constraints)
            .collect();
        let mut newest = Assignment::new();
        for (name, releases) in &self.packages {
            let bounded = wants.iter().any(|one| one.name == *name && !one.range.is_empty());
            if bounded || releases.iter().any(|release| !release.wants.is_empty()) {
                continue;
            }
            let usable = || releases.iter().filter(|release| self.may_be_taken(name, release));
            let by_version = |release: &&Release| release.version.parse::<Version>().unwrap();
            let finals = usable().filter(|release| release.version != "3a1").max_by_key(by_version);
            if let Some(release) = finals.or_else(|| usable().max_by_key(by_version)) {
                newest.insert(*name, release.version);
            }
        }
        newest
    }
}

fn wants(names: &'static [&'static str], markers: usize) -> impl Strategy<Value = Wants> {
    let range = prop::sample::select(&RANGES[..]);
    (prop::sample::select(names), prop::bool::weighted(0.3), range, 0..markers)
        .prop_map(|(name, extra, range, marker)| Wants { name, extra, range, marker })
}

const WANTED: [&str; 16] =
    ["a", "b", "c", "d", "e", "a", "b", "c", "d", "e", "a", "b", "c", "d", "e", GHOST];

fn cases() -> impl Strategy<Value = Case> {
    let flags = prop::sample::select(
        &["", "", "", "", "", "", "source", "yanked", "windows", "python=<3", "invalid"][..],
    );
    let release = (flags, prop::collection::vec(wants(&WANTED, MARKERS.len()), 0..3));
    let releases = prop::collection::btree_map(prop::sample::select(&VERSIONS[..]), release, 1..4)
        .prop_map(|releases| {
            releases
                .into_iter()
                .map(|(version, (flag, wants))| Release { version, flag, wants })
                .collect::<Vec<_>>()
        });
    let packages = prop::collection::vec(releases, NAMES.len())
        .prop_map(|all| NAMES.into_iter().zip(all).collect::<BTreeMap<_, _>>());
    let required = prop::collection::vec(wants(&WANTED, 1), 1..4);
    let constraints = prop::collection::vec(wants(&NAMES, 1), 0..2).prop_map(|all| {
        all.into_iter().map(|one| Wants { extra: false, ..one }).collect::<Vec<_>>()
    });
    (packages, required, constraints).prop_map(|(packages, required, constraints)| Case {
        packages,
        required,
        constraints,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn the_answer_is_one_and_there_is_none_where_none_is_found(case in cases(), seed: u64) {
        let request = || constrained(&Case::lines(&case.required), &Case::lines(&case.constraints));
        let answer = resolve(&Arc::new(case.world()), request());
        let text = told(&answer);

        let mut slow = case.world();
        slow.delays = Some(seed);
        let slow = Arc::new(slow);
        prop_assert_eq!(&told(&resolve(&slow, request())), &text, "not the same twice");

        let Ok(resolution) = answer else {
            prop_assert!(!case.has_answer(false), "there is an answer\n{}", text);
            prop_assert!(!case.has_answer(true), "there is an answer with other releases\n{}", text);
            return Ok(());
        };
        let is_strict = resolution.problems.is_empty();
        prop_assert_eq!(is_strict, case.has_answer(false), "{}", text);
        let mut assignment = Assignment::new();
        for package in &resolution.packages {
            let version = match &package.release {
                ResolvedRelease::Chosen(version, files) => {
                    prop_assert!(!files.is_empty());
                    version.to_string()
                }
                ResolvedRelease::File(..) => return Err(TestCaseError::fail("nobody asked for a file")),
                ResolvedRelease::NotLookedAt { .. } => {
                    prop_assert!(!is_strict || package.name.as_ref() == GHOST, "{}", text);
                    continue;
                }
            };
            let name = NAMES.into_iter().find(|name| *name == package.name.as_ref()).unwrap();
            let release = case.packages[name].iter().find(|one| one.version == version).unwrap();
            prop_assert!(!is_strict || case.may_be_taken(name, release), "{} {}\n{}", name, version, text);
            assignment.insert(name, release.version);
        }
        let needed = case.needed(&assignment, !is_strict);
        let found: BTreeSet<&str> = assignment.keys().copied().collect();
        prop_assert_eq!(needed, Some(found), "{}", text);
        if !is_strict {
            return Ok(());
        }
        for (name, newest) in case.unbounded() {
            let chosen = assignment.get(name);
            prop_assert!(chosen.is_none_or(|version| *version == newest), "{} {}\n{}", name, newest, text);
        }
    }
}
