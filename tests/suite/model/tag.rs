//! The order of tags, against what PyPI's `packaging` says (`fixtures/tags/generate.py`).

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use ftcheck::model::platform::Platform;
use ftcheck::model::tag::TagOrder;
use ftcheck::model::target::Target;
use ftcheck::model::wheel_filename::WheelFilename;

/// One list of `fixtures/tags`.
struct List {
    name: String,
    target: Target,
    platform: Platform,
    tags: Vec<(String, String, String)>,
}

impl List {
    fn order(&self) -> TagOrder {
        TagOrder::new(self.target, self.platform)
    }
}

fn lists() -> Vec<List> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/tags");
    let lists: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "txt"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let (target, platform) = name.split_once('-').unwrap();
            let (target, platform) = (target.parse().unwrap(), platform.parse().unwrap());
            let tags = fs::read_to_string(&path).unwrap().lines().map(parts).collect();
            List { name, target, platform, tags }
        })
        .collect();
    // Three targets on eight platforms: a list that is lost must not pass for one that agrees.
    assert_eq!(lists.len(), 24);
    lists
}

fn parts(tag: &str) -> (String, String, String) {
    let mut parts = tag.splitn(3, '-').map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap())
}

fn order(target: &str, platform: &str) -> TagOrder {
    TagOrder::new(target.parse().unwrap(), platform.parse().unwrap())
}

fn rank(order: &TagOrder, filename: &str) -> Option<usize> {
    order.rank(&filename.parse::<WheelFilename>().unwrap())
}

/// What is wrong with a few of many, since a list holds thousands.
fn first_few(problems: &[String]) -> String {
    format!("{} tags, among them\n{}", problems.len(), problems[..problems.len().min(5)].join("\n"))
}

#[test]
fn tags_are_ranked_in_the_order_of_packaging() {
    let mut problems = Vec::new();
    for list in lists() {
        let order = list.order();
        let mut previous = None;
        for (interpreter, abi, platform) in &list.tags {
            let rank = order.rank_of_tag(interpreter, abi, platform);
            // `None` is less than any rank: a tag that is refused is a problem too.
            if rank <= previous {
                problems.push(format!(
                    "{}: {interpreter}-{abi}-{platform} has rank {rank:?} after {previous:?}",
                    list.name
                ));
            }
            previous = previous.max(rank);
        }
    }
    assert!(problems.is_empty(), "{}", first_few(&problems));
}

/// Every combination of parts that occur anywhere, and some that must not: what is not in the list
/// is refused by pip, and a verdict about it would be a verdict about a file nobody gets.
#[test]
fn tags_that_packaging_does_not_list_are_refused() {
    let lists = lists();
    let all = |part: fn(&(String, String, String)) -> &String| -> BTreeSet<String> {
        lists.iter().flat_map(|list| &list.tags).map(|tag| part(tag).clone()).collect()
    };
    let mut interpreters = all(|tag| &tag.0);
    interpreters
        .extend(["cp31", "cp316", "py2", "py27", "py316", "pp311", "cp3"].map(str::to_owned));
    let mut abis = all(|tag| &tag.1);
    let gil_builds = ["abi3", "cp313", "cp314", "cp315", "cp316t", "cp314td", "cp314d", "any", ""];
    abis.extend(gil_builds.map(str::to_owned));
    let mut platforms = all(|tag| &tag.2);
    let newer_or_other = [
        "manylinux_2_37_x86_64",
        "manylinux_2_29_aarch64",
        "manylinux_2_4_x86_64",
        "manylinux2014_armv7l",
        "musllinux_1_3_x86_64",
        "musllinux_1_2_aarch64",
        "macosx_15_0_arm64",
        "macosx_14_1_arm64",
        "macosx_14_0_x86_64",
        "macosx_10_3_x86_64",
        "win32",
        "linux_armv7l",
        "android_24_arm64_v8a",
        "ios_13_0_arm64_iphoneos",
        "",
    ];
    platforms.extend(newer_or_other.map(str::to_owned));

    let mut problems = Vec::new();
    for list in &lists {
        let order = list.order();
        let listed: HashSet<(&str, &str, &str)> = list
            .tags
            .iter()
            .map(|(interpreter, abi, platform)| (&**interpreter, &**abi, &**platform))
            .collect();
        for interpreter in &interpreters {
            for abi in &abis {
                for platform in &platforms {
                    let accepted = order.rank_of_tag(interpreter, abi, platform).is_some();
                    if accepted && !listed.contains(&(&**interpreter, &**abi, &**platform)) {
                        problems.push(format!("{}: {interpreter}-{abi}-{platform}", list.name));
                    }
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", first_few(&problems));
}

#[test]
fn a_wheel_ranks_as_the_best_tag_of_its_set() {
    let order = order("3.14t", "x86_64-manylinux_2_28");
    let compressed = "spam-1.0-cp314-cp314t-manylinux_2_17_x86_64.manylinux2014_x86_64.manylinux_2_24_x86_64.whl";
    let best = rank(&order, "spam-1.0-cp314-cp314t-manylinux_2_24_x86_64.whl");
    assert!(best.is_some());
    assert_eq!(rank(&order, compressed), best);
    assert_eq!(
        rank(&order, "spam-1.0-py2.py3-none-any.whl"),
        order.rank_of_tag("py3", "none", "any"),
        "the half for Python 2 says nothing"
    );
}

/// PEP 803: `abi3t` serves the release it is named after and later ones.
#[test]
fn a_wheel_for_the_stable_abi_of_3_15t_is_not_for_3_14t() {
    let name = "spam-1.0-cp315-abi3.abi3t-manylinux_2_28_x86_64.whl";
    assert!(rank(&order("3.15t", "linux"), name).is_some());
    assert_eq!(rank(&order("3.14t", "linux"), name), None);
    assert_eq!(rank(&order("3.13t", "linux"), name), None);
}

#[test]
fn a_wheel_for_the_build_with_the_gil_is_refused() {
    for name in [
        "spam-1.0-cp314-cp314-manylinux_2_28_x86_64.whl",
        "spam-1.0-cp314-abi3-manylinux_2_28_x86_64.whl",
        "spam-1.0-cp37-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    ] {
        assert_eq!(rank(&order("3.14t", "x86_64-manylinux_2_28"), name), None, "{name}");
    }
}

/// `packaging.tags.Tag` lowers all three parts before it compares them.
#[test]
fn tags_are_compared_without_case() {
    let order = order("3.14t", "windows");
    assert_eq!(
        rank(&order, "spam-1.0-CP314-cp314T-win_AMD64.whl"),
        rank(&order, "spam-1.0-cp314-cp314t-win_amd64.whl")
    );
}
