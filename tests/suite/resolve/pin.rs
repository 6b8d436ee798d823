//! Which release and which wheel, against what pip does, written down a second time.
//!
//! Nothing here is taken from the code under test: tags come from lists that `packaging` made,
//! which versions fit which range from a table that `packaging` made, and file names are taken
//! apart by hand.

use std::fs;
use std::path::Path;
use std::sync::OnceLock;

use ftcheck::model::distribution::{DistributionFile, DistributionKind, MetadataFile};
use ftcheck::model::tag::TagOrder;
use ftcheck::model::target::Target;
use ftcheck::resolve::pin::{Choice, best_wheel, choose};
use pep440_rs::VersionSpecifiers;
use proptest::prelude::*;
use url::Url;

const TARGET: &str = "3.14t";
const PLATFORM: &str = "x86_64-manylinux_2_36";

fn target() -> Target {
    TARGET.parse().unwrap()
}

fn tags() -> TagOrder {
    TagOrder::new(target(), PLATFORM.parse().unwrap())
}

/// Every tag of the target on the platform, best first.
fn ordered_tags() -> &'static [String] {
    static TAGS: OnceLock<Vec<String>> = OnceLock::new();
    TAGS.get_or_init(|| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("fixtures/tags/{TARGET}-{PLATFORM}.txt"));
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    })
}

fn file(filename: &str) -> DistributionFile {
    DistributionFile {
        kind: DistributionKind::parse(filename, &"spam".parse().unwrap())
            .unwrap_or_else(|| panic!("{filename} is no file of spam")),
        url: Url::parse("https://files.example/").unwrap().join(filename).unwrap(),
        sha256: None,
        size: None,
        requires_python: None,
        yanked: false,
        metadata: MetadataFile::Absent,
    }
}

fn yanked(filename: &str) -> DistributionFile {
    DistributionFile { yanked: true, ..file(filename) }
}

fn requiring(python: &str, filename: &str) -> DistributionFile {
    DistributionFile { requires_python: Some(python.parse().unwrap()), ..file(filename) }
}

/// What is chosen: a wheel's file name, `build VERSION`, or `nothing`.
fn chosen(files: &[DistributionFile], specifiers: &str) -> String {
    let specifiers: VersionSpecifiers = specifiers.parse().unwrap();
    match choose(files, &specifiers, target(), &tags()) {
        Choice::Wheel(_, wheel) => wheel.to_string(),
        Choice::Build { version, .. } => format!("build {version}"),
        Choice::Nothing { .. } => "nothing".to_owned(),
    }
}

fn reason(files: &[DistributionFile], specifiers: &str) -> String {
    match choose(files, &specifiers.parse().unwrap(), target(), &tags()) {
        Choice::Wheel(_, wheel) => panic!("{wheel} was chosen"),
        Choice::Build { reason, .. } | Choice::Nothing { reason } => reason,
    }
}

fn best(files: &[DistributionFile]) -> Option<String> {
    best_wheel(files, &tags()).map(|(_, wheel)| wheel.to_string())
}

const WHEEL: &str = "spam-1.0-cp314-cp314t-manylinux_2_28_x86_64.whl";
const NEWER_WHEEL: &str = "spam-2.0-cp314-cp314t-manylinux_2_28_x86_64.whl";
const GIL_WHEEL: &str = "spam-1.0-cp314-cp314-manylinux_2_28_x86_64.whl";
const ABI3_WHEEL: &str = "spam-1.0-cp312-abi3-manylinux_2_28_x86_64.whl";
const PURE_WHEEL: &str = "spam-1.0-py3-none-any.whl";
const SOURCE: &str = "spam-1.0.tar.gz";

#[test]
fn the_interpreters_own_abi_comes_before_pure_python() {
    assert_eq!(best(&[file(PURE_WHEEL), file(WHEEL)]).as_deref(), Some(WHEEL));
    assert_eq!(best(&[file(WHEEL), file(PURE_WHEEL)]).as_deref(), Some(WHEEL));
}

#[test]
fn a_higher_build_tag_wins_among_equal_tags_only() {
    let first = "spam-1.0-2-cp314-cp314t-manylinux_2_28_x86_64.whl";
    let second = "spam-1.0-10-cp314-cp314t-manylinux_2_28_x86_64.whl";
    let pure = "spam-1.0-99-py3-none-any.whl";
    assert_eq!(best(&[file(first), file(second), file(pure)]).as_deref(), Some(second));
    assert_eq!(best(&[file(second), file(first), file(WHEEL)]).as_deref(), Some(second));
}

#[test]
fn of_equal_wheels_the_first_is_taken() {
    let other = "spam-1.0-cp314-cp314t-manylinux_2_28_x86_64.manylinux_2_17_x86_64.whl";
    assert_eq!(best(&[file(WHEEL), file(other)]).as_deref(), Some(WHEEL));
    assert_eq!(best(&[file(other), file(WHEEL)]).as_deref(), Some(other));
}

/// PEP 825: an installer that does not know variants passes over wheels with a label.
#[test]
fn a_wheel_with_a_variant_label_is_never_taken() {
    let labelled = "spam-2.0-cp314-cp314t-manylinux_2_28_x86_64-x86_64_v3.whl";
    assert_eq!(best(&[file(labelled)]), None);
    assert_eq!(chosen(&[file(labelled), file(PURE_WHEEL)], ""), PURE_WHEEL);
}

#[test]
fn an_abi3_wheel_is_never_taken_on_a_free_threaded_target() {
    let platforms = [
        ("x86_64-manylinux_2_36", "manylinux_2_17_x86_64.manylinux2014_x86_64"),
        ("x86_64-musllinux_1_2", "musllinux_1_1_x86_64"),
        ("aarch64-macos_14_0", "macosx_11_0_arm64"),
        ("x86_64-windows", "win_amd64"),
    ];
    for target in Target::ALL {
        for (platform, tag) in platforms {
            let tags = TagOrder::new(target, platform.parse().unwrap());
            for python in ["cp32", "cp37", "cp312", "cp313", "cp314", "cp315", "cp37.cp38"] {
                let wheel = file(&format!("spam-1.0-{python}-abi3-{tag}.whl"));
                assert!(best_wheel([&wheel], &tags).is_none(), "{target} {platform} {python}");
                let files = [wheel, file(SOURCE)];
                let choice = choose(&files, &VersionSpecifiers::empty(), target, &tags);
                assert!(matches!(choice, Choice::Build { .. }), "{target} {platform} {python}");
            }
        }
    }
}

#[test]
fn an_abi3_wheel_is_named_as_what_there_is_instead() {
    let files = [file(ABI3_WHEEL), file(SOURCE)];
    assert!(reason(&files, "").contains("abi3"), "{}", reason(&files, ""));
}

#[test]
fn the_newest_release_is_taken() {
    let files = [
        file("spam-9.0-py3-none-any.whl"),
        file("spam-10.0-py3-none-any.whl"),
        file("spam-1!0.1-py3-none-any.whl"),
    ];
    assert_eq!(chosen(&files, ""), "spam-1!0.1-py3-none-any.whl");
    assert_eq!(chosen(&files, "<11"), "spam-10.0-py3-none-any.whl");
    assert_eq!(chosen(&files, "==9.*"), "spam-9.0-py3-none-any.whl");
}

#[test]
fn a_wheel_comes_before_source_of_the_same_release_and_not_of_a_newer_one() {
    assert_eq!(chosen(&[file(SOURCE), file(PURE_WHEEL)], ""), PURE_WHEEL);
    // pip builds the newer one, unless told to prefer wheels.
    assert_eq!(chosen(&[file(PURE_WHEEL), file("spam-2.0.tar.gz")], ""), "build 2.0");
}

#[test]
fn a_newer_release_without_any_file_for_the_target_is_passed_over() {
    let files = [file("spam-2.0-cp314-cp314-manylinux_2_28_x86_64.whl"), file(WHEEL)];
    assert_eq!(chosen(&files, ""), WHEEL);
    assert_eq!(chosen(&[file("spam-2.0-cp312-abi3-win_amd64.whl"), file(SOURCE)], ""), "build 1.0");
}

#[test]
fn a_release_spelled_in_two_ways_is_one_release() {
    let files = [file("spam-1-cp314-cp314t-win_amd64.whl"), file("spam-1.tar.gz"), file(WHEEL)];
    assert_eq!(chosen(&files, ""), WHEEL);
}

#[test]
fn a_file_for_other_pythons_is_not_taken() {
    let files = [requiring(">=3.15", NEWER_WHEEL), requiring(">=3.11", WHEEL)];
    assert_eq!(chosen(&files, ""), WHEEL);
    assert_eq!(chosen(&[requiring("<3.14", WHEEL)], ""), "nothing");
    assert!(reason(&[requiring("<3.14", WHEEL)], "").contains("requires-python"));
    // Each file has its own.
    assert_eq!(chosen(&[requiring("<3.14", WHEEL), requiring(">=3.14", SOURCE)], ""), "build 1.0");
}

#[test]
fn a_yanked_file_is_only_taken_when_pinned() {
    let files = [yanked(NEWER_WHEEL), file(WHEEL)];
    assert_eq!(chosen(&files, ""), WHEEL);
    assert_eq!(chosen(&files, ">=1.0"), WHEEL);
    assert_eq!(chosen(&files, ">=2.0"), "nothing");
    assert!(reason(&files, ">=2.0").contains("yanked"));
    assert_eq!(chosen(&files, "==2.0"), NEWER_WHEEL);
    assert_eq!(chosen(&files, "===2.0"), NEWER_WHEEL);
    // pip's `is_pinned`: a prefix match pins nothing.
    assert_eq!(chosen(&files, "==2.*"), "nothing");
    assert_eq!(chosen(&files, "~=2.0"), "nothing");
}

/// PEP 592: yanked files must be ignored where the constraints can be satisfied without them. pip
/// takes one only if everything that fits is yanked (`all_yanked` in its `factory.py`).
#[test]
fn a_yanked_file_is_not_taken_while_a_file_of_the_pinned_release_is_left() {
    assert_eq!(chosen(&[yanked(WHEEL), file(PURE_WHEEL)], "==1.0"), PURE_WHEEL);
    assert_eq!(chosen(&[yanked(WHEEL), file(SOURCE)], "==1.0"), "build 1.0");
    // `==1.0` fits a local version too, which is newer.
    let local = "spam-1.0+cpu-cp314-cp314t-manylinux_2_28_x86_64.whl";
    assert_eq!(chosen(&[yanked(local), file(WHEEL)], "==1.0"), WHEEL);
}

#[test]
fn a_pre_release_is_taken_where_nothing_else_is_or_one_is_named() {
    let pre = "spam-2.0rc1-py3-none-any.whl";
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], ""), PURE_WHEEL);
    assert_eq!(chosen(&[file(pre)], ""), pre);
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], ">1.0"), pre);
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], ">=1.0rc1"), pre);
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], ">=1.0.dev0"), pre);
    // What is excluded is not asked for.
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], "!=2.0rc2"), PURE_WHEEL);
    // A post-release is no pre-release.
    let post = "spam-1.0.post1-py3-none-any.whl";
    assert_eq!(chosen(&[file(post), file(PURE_WHEEL)], ""), post);
}

/// PEP 440: `<V` "must not allow a pre-release of the specified version unless the specified version
/// is itself a pre-release".
#[test]
fn a_range_below_a_pre_release_holds_the_pre_releases_before_it() {
    let pre = "spam-2.0a1-py3-none-any.whl";
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], "<2.0b1"), pre);
    assert_eq!(chosen(&[file(pre), file(PURE_WHEEL)], "<2.0"), PURE_WHEEL);
}

/// pip sees only files it could use when it asks whether there are final releases.
#[test]
fn a_final_release_that_cannot_be_installed_does_not_keep_a_pre_release_out() {
    let pre = "spam-2.0rc1-py3-none-any.whl";
    assert_eq!(chosen(&[file(GIL_WHEEL), file(pre)], ""), pre);
    assert_eq!(chosen(&[requiring("<3.14", PURE_WHEEL), file(pre)], ""), pre);
}

#[test]
fn nothing_is_said_to_be_built_where_there_is_no_source() {
    for files in [vec![], vec![file(GIL_WHEEL)], vec![file(WHEEL)]] {
        let specifiers =
            if files.iter().any(|file| file.kind.filename() == WHEEL) { ">1" } else { "" };
        let reason = reason(&files, specifiers);
        assert!(!reason.contains("would be built"), "{reason}");
    }
    assert!(reason(&[file(GIL_WHEEL), file(SOURCE)], "").contains("would be built from source"));
}

// From here on: random lists of files, and the same decisions made by brute force.

/// Versions in ascending order as they stand in file names, with their rank: two spellings of one
/// release have one.
const VERSIONS: [(&str, usize); 11] = [
    ("0.9", 0),
    ("1.0.dev3", 1),
    ("1.0rc1", 2),
    ("1.0", 3),
    ("1", 3),
    ("1.0+cpu", 4),
    ("1.0.post1", 5),
    ("1.1", 6),
    ("2.0a1", 7),
    ("2.0", 8),
    ("1!0.1", 9),
];

fn is_pre_release(version: &str) -> bool {
    ["dev", "rc", "a1"].iter().any(|part| version.contains(part))
}

/// Ranges, which of [`VERSIONS`] fit, and whether the range names a pre-release: what
/// `packaging.specifiers.SpecifierSet` says of `contains(version, prereleases=True)` and of
/// `prereleases`.
const RANGES: [(&str, &str, bool); 16] = [
    ("", "xxxxxxxxxxx", false),
    ("==1.0", "...xxx.....", false),
    ("===1.0", "...x.......", false),
    ("==1.*", ".xxxxxxx...", false),
    ("==1.0.post1", "......x....", false),
    (">=1.0", "...xxxxxxxx", false),
    ("<2", "xxxxxxxx...", false),
    ("~=1.0", "...xxxxx...", false),
    ("!=1.0", "xxx...xxxxx", false),
    (">1.0", ".......xxxx", false),
    (">=2.0a1", "........xxx", true),
    ("!=2.0a1", "xxxxxxxx.xx", false),
    ("==2.0a1", "........x..", true),
    ("==1.0,<2", "...xxx.....", false),
    ("<=1.0", "xxxxxx.....", false),
    (">=3", "..........x", false),
];

/// pip's `is_pinned`.
fn is_pinned(range: &str) -> bool {
    range.split(',').any(|part| part.starts_with("==") && !part.ends_with(".*"))
}

/// Values of requires-python, and whether 3.14.0 fits.
const PYTHONS: [(&str, bool); 8] = [
    (">=3.9", true),
    (">=3.14", true),
    (">=3.15", false),
    ("<3.14", false),
    ("!=3.14.*", false),
    (">=3.8,<4", true),
    ("<=3.14", true),
    ("==3.14.*", true),
];

/// Sets of tags as they occur: some for the target, some not, some for it by one tag of many.
const TAG_SETS: [&str; 20] = [
    "cp314-cp314t-manylinux_2_28_x86_64",
    "cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp314-cp314t-manylinux2014_x86_64.manylinux_2_17_x86_64",
    "cp314-cp314t-manylinux_2_28_x86_64.musllinux_1_2_x86_64",
    "cp314-cp314t-linux_x86_64",
    "cp314-cp314t-manylinux_2_39_x86_64",
    "cp314-cp314t-win_amd64",
    "cp313-cp313t-manylinux_2_28_x86_64",
    "cp314-cp314-manylinux_2_28_x86_64",
    "cp312-abi3-manylinux_2_28_x86_64",
    "cp314-abi3t-manylinux_2_28_x86_64",
    "cp315-abi3.abi3t-manylinux_2_28_x86_64",
    "cp310-abi3t.abi3-manylinux_2_5_x86_64.manylinux1_x86_64",
    "cp314-none-manylinux_2_28_x86_64",
    "cp314-none-any",
    "py3-none-manylinux_2_28_x86_64",
    "py3-none-any",
    "py2.py3-none-any",
    "py314.py313-none-any",
    "py2-none-any",
];

#[derive(Debug, Clone)]
struct RandomFile {
    version: usize,
    wheel: Option<RandomWheel>,
    python: Option<usize>,
    yanked: bool,
}

#[derive(Debug, Clone)]
struct RandomWheel {
    build: Option<(u32, &'static str)>,
    tags: String,
    labelled: bool,
}

impl RandomWheel {
    /// The best tag's place in the list, by looking each tag of the list up in the set.
    fn place(&self) -> Option<usize> {
        let parts: Vec<Vec<&str>> =
            self.tags.split('-').map(|part| part.split('.').collect()).collect();
        ordered_tags().iter().position(|tag| {
            tag.splitn(3, '-').zip(&parts).all(|(wanted, offered)| offered.contains(&wanted))
        })
    }

    fn usable_place(&self) -> Option<usize> {
        if self.labelled { None } else { self.place() }
    }
}

impl RandomFile {
    fn filename(&self) -> String {
        let version = VERSIONS[self.version].0;
        match &self.wheel {
            None => format!("spam-{version}.tar.gz"),
            Some(RandomWheel { build, tags, labelled }) => {
                let build =
                    build.map_or(String::new(), |(number, text)| format!("{number}{text}-"));
                let label = if *labelled { "-x86_64_v3" } else { "" };
                format!("spam-{version}-{build}{tags}{label}.whl")
            }
        }
    }

    fn file(&self) -> DistributionFile {
        DistributionFile {
            requires_python: self.python.map(|at| PYTHONS[at].0.parse().unwrap()),
            yanked: self.yanked,
            ..file(&self.filename())
        }
    }

    fn rank(&self) -> usize {
        VERSIONS[self.version].1
    }

    fn can_be_used(&self) -> bool {
        self.wheel.as_ref().is_none_or(|wheel| wheel.usable_place().is_some())
            && self.python.is_none_or(|at| PYTHONS[at].1)
    }
}

fn random_wheel() -> impl Strategy<Value = RandomWheel> {
    let tags = prop_oneof![
        3 => prop::sample::select(TAG_SETS.to_vec()).prop_map(str::to_owned),
        1 => any::<prop::sample::Index>()
            .prop_map(|at| at.get(ordered_tags()).clone()),
    ];
    let build = prop::option::weighted(
        0.3,
        (prop::sample::select(vec![0, 1, 2, 10]), prop::sample::select(vec!["", "a", "_b"])),
    );
    (build, tags, prop::bool::weighted(0.05)).prop_map(|(build, tags, labelled)| RandomWheel {
        build,
        tags,
        labelled,
    })
}

fn random_file() -> impl Strategy<Value = RandomFile> {
    (
        0..VERSIONS.len(),
        prop::option::weighted(0.8, random_wheel()),
        prop::option::weighted(0.3, 0..PYTHONS.len()),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(version, wheel, python, yanked)| RandomFile {
            version,
            wheel,
            python,
            yanked,
        })
}

/// Walks the list of tags; at the first that any wheel carries, the highest build tag of those
/// wheels wins, and the first listed of those.
fn best_by_brute_force(files: &[(usize, &RandomFile)]) -> Option<usize> {
    let wheels = || files.iter().filter_map(|(at, file)| Some((*at, file.wheel.as_ref()?)));
    let place = wheels().filter_map(|(_, wheel)| wheel.usable_place()).min()?;
    let mut best: Option<(usize, Option<(u32, &str)>)> = None;
    for (at, wheel) in wheels().filter(|(_, wheel)| wheel.usable_place() == Some(place)) {
        if best.is_none_or(|(_, build)| wheel.build > build) {
            best = Some((at, wheel.build));
        }
    }
    best.map(|(at, _)| at)
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    Wheel(usize),
    /// The rank of the release.
    Build(usize),
    Nothing,
}

/// pip: the files that fit, can be installed or built, and are not yanked (or, for a pin, are all
/// that is left); then PEP 440's rule for pre-releases; then the newest release; then a wheel.
fn chosen_by_brute_force(files: &[RandomFile], range: usize) -> Expected {
    let (range, fits, names_pre_release) = RANGES[range];
    let fit: Vec<(usize, &RandomFile)> = files
        .iter()
        .enumerate()
        .filter(|(_, file)| fits.as_bytes()[file.version] == b'x' && file.can_be_used())
        .collect();
    let all_yanked = fit.iter().all(|(_, file)| file.yanked);
    let mut candidates = fit;
    if !(all_yanked && is_pinned(range)) {
        candidates.retain(|(_, file)| !file.yanked);
    }
    let is_final = |file: &RandomFile| !is_pre_release(VERSIONS[file.version].0);
    if !names_pre_release && candidates.iter().any(|(_, file)| is_final(file)) {
        candidates.retain(|(_, file)| is_final(file));
    }
    let Some(newest) = candidates.iter().map(|(_, file)| file.rank()).max() else {
        return Expected::Nothing;
    };
    candidates.retain(|(_, file)| file.rank() == newest);
    best_by_brute_force(&candidates).map_or(Expected::Build(newest), Expected::Wheel)
}

fn index_of(files: &[DistributionFile], file: &DistributionFile) -> usize {
    files.iter().position(|candidate| std::ptr::eq(candidate, file)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 1024,
        ..ProptestConfig::default()
    })]

    #[test]
    fn the_best_wheel_is_the_one_with_the_first_tag_of_the_list(
        random in prop::collection::vec(random_file(), 0..12),
    ) {
        let files: Vec<_> = random.iter().map(RandomFile::file).collect();
        let found = best_wheel(&files, &tags()).map(|(file, wheel)| {
            assert_eq!(file.kind.filename(), wheel.as_str());
            index_of(&files, file)
        });
        let listed: Vec<_> = random.iter().enumerate().collect();
        prop_assert_eq!(found, best_by_brute_force(&listed));
    }

    #[test]
    fn the_choice_is_that_of_pip(
        random in prop::collection::vec(random_file(), 0..10),
        range in 0..RANGES.len(),
    ) {
        let files: Vec<_> = random.iter().map(RandomFile::file).collect();
        let names: Vec<_> = random.iter().map(RandomFile::filename).collect();
        let expected = chosen_by_brute_force(&random, range);
        let specifiers = RANGES[range].0.parse().unwrap();
        match choose(&files, &specifiers, target(), &tags()) {
            Choice::Wheel(file, _) => {
                prop_assert_eq!(expected, Expected::Wheel(index_of(&files, file)), "{:?}", names);
            }
            // pip finds no distribution; here the release is named that has none for the target.
            Choice::Build { reason, .. } if reason.ends_with("nothing to build either") => {
                prop_assert_eq!(expected, Expected::Nothing, "{:?}", names);
            }
            Choice::Build { version, .. } => {
                let rank = VERSIONS.iter().find(|(text, _)| *version == text.parse().unwrap());
                let rank = rank.unwrap().1;
                prop_assert_eq!(expected, Expected::Build(rank), "{:?}", names);
            }
            Choice::Nothing { .. } => prop_assert_eq!(expected, Expected::Nothing, "{:?}", names),
        }
    }
}
