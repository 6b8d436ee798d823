//! The packages of the table: what stands in a row, and what is unfolded below it.

use super::findings::numbers;
use super::graph::class;
use super::parts::Parts;
use crate::model::evidence::{Gil, Init, ModuleReport};
use crate::model::finding::{Finding, Level};
use crate::model::imports::{ImportChain, ImportReport, Reach};
use crate::model::release::{Prediction, ReleaseFiles, SourceReport};
use crate::model::report::{CondaReport, PackageReport, Place, ScanReport, Step};
use crate::report::evidence::grounds;
use crate::report::foreign::web_address;
use crate::report::merged::{grouped, labels};
use crate::report::outcome::words;
use crate::report::table::explanation;
use crate::report::text::printable;
use crate::report::{Detail, bytes};

/// Modules, chains and files that are named of one package; the rest is counted.
const MOST_LISTED: usize = 150;

/// What comes to the same at several places.
pub(super) struct Row<'r> {
    pub(super) package: &'r PackageReport,
    /// The packages of the other places, which differ in files alone.
    pub(super) all: Vec<&'r PackageReport>,
    pub(super) places: Vec<Place>,
}

/// A row as it is shown.
pub(super) struct RowView {
    pub(super) id: String,
    pub(super) class: &'static str,
    pub(super) verdict: &'static str,
    pub(super) words: &'static str,
    /// Its place in the order of verdicts, worst first.
    pub(super) rank: usize,
    pub(super) name: String,
    pub(super) version: Option<String>,
    pub(super) is_direct: bool,
    /// Names on the way to it, the first of which the user's files name.
    pub(super) steps: Vec<String>,
    pub(super) location: Option<String>,
    pub(super) why: Parts,
    pub(super) labels: Option<String>,
    pub(super) places: String,
    pub(super) levels: Vec<Counted>,
    pub(super) level_words: String,
    pub(super) weight: usize,
    pub(super) search: String,
    pub(super) lines: Vec<Line>,
    pub(super) modules: Vec<ModuleView>,
    pub(super) more_modules: usize,
    pub(super) node: Option<String>,
}

/// Findings of one level.
pub(super) struct Counted {
    pub(super) level: &'static str,
    pub(super) count: usize,
    pub(super) words: String,
}

/// Something that is known of a package: what it is, and its value.
pub(super) struct Line {
    pub(super) label: &'static str,
    pub(super) text: String,
    pub(super) link: Option<String>,
}

pub(super) struct ModuleView {
    pub(super) name: String,
    pub(super) class: &'static str,
    pub(super) icon: &'static str,
    pub(super) words: &'static str,
    pub(super) grounds: String,
}

/// The packages, worst first, those that come to the same at several places once.
pub(super) fn rows(report: &ScanReport) -> Vec<Row<'_>> {
    let mut packages: Vec<&PackageReport> = report.packages.iter().collect();
    // Stable: the places stay in their order.
    packages
        .sort_by(|a, b| (a.verdict, &a.name, &a.version).cmp(&(b.verdict, &b.name, &b.version)));
    let mut rows: Vec<Row<'_>> = Vec::new();
    for package in packages {
        // Only rows of the same release can be the same, and there is one for each place at most.
        let same = rows
            .iter_mut()
            .rev()
            .take_while(|row| {
                row.package.name == package.name && row.package.version == package.version
            })
            .find(|row| is_same(row.package, package));
        match same {
            Some(row) => {
                row.places.push(package.place());
                row.all.push(package);
            }
            None => {
                rows.push(Row { package, all: vec![package], places: vec![package.place()] });
            }
        }
    }
    rows
}

fn is_same(one: &PackageReport, other: &PackageReport) -> bool {
    let answers = |package: &PackageReport| -> Vec<_> {
        let modules = package.modules.iter();
        modules.map(|module| (module.module.clone(), module.gil, module.reason.clone())).collect()
    };
    one.verdict == other.verdict
        && one.reason == other.reason
        && one.via == other.via
        && one.required_by == other.required_by
        && one.imports == other.imports
        && one.reached == other.reached
        && answers(one) == answers(other)
}

/// Why a package is judged as it is.
pub(super) fn why(package: &PackageReport) -> String {
    match &package.reason {
        Some(reason) => reason.clone(),
        None => explanation(package, Detail::Normal),
    }
}

/// What is shown of a row.
pub(super) fn view(
    number: usize,
    row: &Row<'_>,
    report: &ScanReport,
    all: &[Place],
    findings: &[&Finding],
) -> RowView {
    let package = row.package;
    let name = printable(&package.name);
    let levels = counted(findings);
    let why = why(package);
    let names = package.modules.iter().map(|module| printable(&module.module));
    let search = [name.to_lowercase(), why.to_lowercase()]
        .into_iter()
        .chain(package.version.as_deref().map(str::to_lowercase))
        .chain(std::iter::once(words(package.verdict).to_lowercase()))
        .chain(names.map(|name| name.to_lowercase()).take(MOST_LISTED))
        .chain(findings.iter().map(|finding| finding.rule.to_string()));
    let location = package.via.first().and_then(|step| step.location.as_ref());
    let location = location.or(package.required_by.as_ref());
    RowView {
        id: format!("p{number}"),
        class: class(package.verdict),
        verdict: package.verdict.as_str(),
        words: words(package.verdict),
        rank: package.verdict as usize,
        version: package.version.as_deref().map(printable),
        is_direct: package.via.len() == 1,
        steps: package.via.iter().map(|step| printable(&step.name)).collect(),
        location: location.map(|at| printable(&format!("{}:{}", at.path, at.line))),
        why: Parts::of(&why),
        labels: labels(&row.places, report),
        places: numbers(&row.places, all),
        level_words: levels.iter().map(|one| one.level).collect::<Vec<_>>().join(" "),
        weight: findings.iter().map(|finding| weight(finding.level)).min().unwrap_or(3),
        levels,
        search: printable(&search.collect::<Vec<_>>().join(" ")),
        lines: lines(row, report),
        modules: modules(row, report),
        more_modules: package.modules.len().saturating_sub(MOST_LISTED),
        node: None,
        name,
    }
}

fn weight(level: Level) -> usize {
    match level {
        Level::Error => 0,
        Level::Warning => 1,
        Level::Note => 2,
    }
}

fn counted(findings: &[&Finding]) -> Vec<Counted> {
    [Level::Error, Level::Warning, Level::Note]
        .into_iter()
        .filter_map(|level| {
            let count = findings.iter().filter(|finding| finding.level == level).count();
            let ending = if count == 1 { "" } else { "s" };
            let words = format!("{count} {}{ending}", level.as_str());
            (count > 0).then(|| Counted { level: level.as_str(), count, words })
        })
        .collect()
}

/// The modules of a row, which come to the same at all of its places, for which the grounds may differ.
fn modules(row: &Row<'_>, report: &ScanReport) -> Vec<ModuleView> {
    let modules = row.package.modules.iter().take(MOST_LISTED).enumerate();
    let view = |(at, first): (usize, &ModuleReport)| {
        let grounds = by_place(row, report, |package| {
            package.modules.get(at).map(|one| module(one).grounds).into_iter().collect()
        });
        ModuleView { grounds: grounds.join("; "), ..module(first) }
    };
    modules.map(view).collect()
}

/// What is known of a row's packages, each once, with the places where it does not hold for all of the
/// row's.
fn by_place(
    row: &Row<'_>,
    report: &ScanReport,
    texts: impl Fn(&PackageReport) -> Vec<String>,
) -> Vec<String> {
    let of_package = |package: &&PackageReport| {
        let place = package.place();
        texts(package).into_iter().map(move |text| (text, place)).collect::<Vec<_>>()
    };
    let all = row.all.iter().flat_map(of_package).filter(|(text, _)| !text.is_empty());
    grouped(all, |(text, _)| text.clone(), |(_, place)| Some(*place))
        .into_iter()
        .map(|((text, _), places)| {
            if row.places.iter().all(|place| places.contains(place)) {
                return text;
            }
            let labels: Vec<String> = places.iter().map(|place| report.label(*place)).collect();
            format!("{text} ({})", labels.join(", "))
        })
        .collect()
}

fn module(module: &ModuleReport) -> ModuleView {
    let (class, icon, words) = match module.gil {
        Gil::Enables => ("bad", "enables-gil", "enables the GIL"),
        Gil::KeepsOff => ("fine", "keeps-gil-off", "keeps the GIL off"),
        Gil::Undetermined => ("unknown", "undetermined", "undetermined"),
    };
    let declared = match (module.gil, module.init) {
        (Gil::KeepsOff, Some(Init::MultiPhase)) => "declared, multi-phase",
        (Gil::KeepsOff, Some(Init::SinglePhase)) => "declared, single-phase",
        (Gil::KeepsOff, None) => "declared",
        _ => "",
    };
    ModuleView {
        name: printable(&module.module),
        class,
        icon,
        words,
        grounds: grounds(module).map_or_else(|| declared.to_owned(), |text| printable(&text)),
    }
}

/// What else is known of a package, a line each.
fn lines(row: &Row<'_>, report: &ScanReport) -> Vec<Line> {
    let package = row.package;
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |label: &'static str, text: String| {
        lines.push(Line { label, text: printable(&text), link: None });
    };
    if !package.via.is_empty() {
        add("required through", chain(&package.via));
    }
    for import in package.imports.iter().take(MOST_LISTED) {
        add("import", imported(import));
    }
    for reach in package.reached.iter().take(MOST_LISTED) {
        for chain in reach.chains.iter().take(3) {
            add("reached by", reached(reach, chain, package));
        }
    }
    for one in &row.all {
        if let Some(wheel) = &one.wheel {
            let size = wheel.size.map(|size| format!(", {}", bytes(size)));
            let digest = wheel.sha256.as_ref().map(|digest| {
                let verified = if wheel.sha256_verified { "verified" } else { "as stated" };
                format!(", sha256 {digest} ({verified})")
            });
            let (size, digest) = (size.unwrap_or_default(), digest.unwrap_or_default());
            add("wheel", format!("{}{size}{digest}", wheel.filename));
        }
    }
    let mut add_each = |label: &'static str, texts: &dyn Fn(&PackageReport) -> Vec<String>| {
        for text in by_place(row, report, texts) {
            add(label, text);
        }
    };
    add_each("conda package", &|package| package.conda.iter().map(built).collect());
    add_each("the release has", &|package| package.release.iter().map(offered).collect());
    add_each("prediction", &|package| package.source.iter().map(predicted).collect());
    add_each("classifier", &|package| package.classifiers.clone());
    add_each("requires", &|package| vec![required(&package.requires)]);
    if let Some(entry) = &package.tracker {
        let first = entry.first_version.as_ref();
        let text = match first {
            Some(version) => format!("support since {version}"),
            None => "names no version with support".to_owned(),
        };
        let parts = std::iter::once(text).chain(entry.notes.iter().cloned());
        let text = parts.collect::<Vec<_>>().join("; ");
        let link = entry.issue.as_deref().and_then(web_address).map(|url| url.to_string());
        lines.push(Line { label: "tracker", text: printable(&text), link });
    }
    lines
}

fn built(conda: &CondaReport) -> String {
    let parts = [conda.subdir.as_deref(), conda.build.as_deref()];
    parts.into_iter().flatten().collect::<Vec<&str>>().join(" ")
}

fn required(requires: &[String]) -> String {
    let shown: Vec<&str> = requires.iter().take(MOST_LISTED).map(String::as_str).collect();
    let more = requires.len().saturating_sub(MOST_LISTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}

fn chain(via: &[Step]) -> String {
    let steps: Vec<String> = via
        .iter()
        .map(|step| {
            let version = step.version.as_deref().map(|version| format!(" {version}"));
            let location = step.location.as_ref().map(|location| format!(" ({location})"));
            let (version, location) = (version.unwrap_or_default(), location.unwrap_or_default());
            format!("{}{version}{location}", step.name)
        })
        .collect();
    steps.join(" → ")
}

fn imported(import: &ImportReport) -> String {
    let what = match import.enables_gil {
        Some(true) => "enables the GIL",
        Some(false) => "keeps the GIL off",
        None => "could not be told",
    };
    let chain = match (import.chain.is_empty(), &import.by) {
        (false, _) => format!(": {}", import.chain.join(" → ")),
        (true, Some(by)) => format!(": {by}"),
        (true, None) => String::new(),
    };
    let reason = import.reason.as_ref().map(|reason| format!(" ({reason})"));
    format!("import {} {what}{chain}{}", import.import, reason.unwrap_or_default())
}

fn reached(reach: &Reach, chain: &ImportChain, package: &PackageReport) -> String {
    let perhaps = if chain.certain { "" } else { "perhaps " };
    let of = if chain.package == package.name {
        String::new()
    } else {
        format!(" (begins in {})", chain.package)
    };
    let modules =
        if chain.modules.is_empty() { reach.module.clone() } else { chain.modules.join(" → ") };
    format!("{perhaps}{modules}{of}")
}

fn offered(release: &ReleaseFiles) -> String {
    let wheels = match release.wheels {
        0 => "no wheel".to_owned(),
        1 => "1 wheel".to_owned(),
        wheels => format!("{wheels} wheels"),
    };
    let mut text = wheels;
    text.push_str(if release.source {
        " and a source distribution"
    } else {
        ", no source distribution"
    });
    if release.stable_abi {
        text.push_str("; some for the stable ABI, which no free-threaded build loads");
    }
    if let Some(excluded) = &release.excluded_by {
        text.push_str("; requires-python ");
        text.push_str(excluded);
    }
    if !release.elsewhere.is_empty() {
        let shown: Vec<&str> = release.elsewhere.iter().take(5).map(String::as_str).collect();
        let more = release.elsewhere.len().saturating_sub(shown.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str("; for other platforms ");
        text.push_str(&shown.join(", "));
        text.push_str(&more);
    }
    text
}

fn predicted(source: &SourceReport) -> String {
    let what = match source.prediction {
        Prediction::PurePython => "compiles nothing",
        Prediction::KeepsGilOff => "a build would declare that it runs without the GIL",
        Prediction::EnablesGil => "a build would enable the GIL",
        Prediction::StableAbiOnly => {
            "builds for the stable ABI alone, which no free-threaded build loads"
        }
        Prediction::NotKnown => "not known",
    };
    let signs: Vec<String> = source
        .signs
        .iter()
        .take(5)
        .map(|sign| match sign.line {
            Some(line) => format!("{} in {}:{line}", sign.what, sign.path),
            None => format!("{} in {}", sign.what, sign.path),
        })
        .collect();
    let signs = if signs.is_empty() { String::new() } else { format!(" ({})", signs.join(", ")) };
    let reason = source.reason.as_ref().map(|reason| format!(": {reason}"));
    format!("{}: {what}{signs}{}", source.filename, reason.unwrap_or_default())
}
