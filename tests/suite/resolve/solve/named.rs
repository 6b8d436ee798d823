//! One case each for everything that users can ask for.

use std::sync::Arc;

use ftcheck::model::requirement::Prereleases::{
    Allow, Disallow, Explicit, IfNecessary, IfNecessaryOrExplicit,
};
use ftcheck::resolve::solve::{Request, ResolvedRelease};

use super::world::{World, answer, ask, constrained, hash, overridden, resolve};

const ONE: &str = "https://files.example/c-1-py3-none-any.whl";
const TWO: &str = "https://files.example/c-2-py3-none-any.whl";

#[test]
fn extras_add_what_they_name() {
    let world = "a 1 | b & c; extra == 'x' & d; extra == 'y'\nb 1\nc 1\nd 1";
    assert_eq!(answer(world, ask("a")), "a 1\nb 1");
    assert_eq!(answer(world, ask("a[x]")), "a 1\nb 1\nc 1");
    assert_eq!(answer(world, ask("a[x,y]")), "a 1\nb 1\nc 1\nd 1");
    assert_eq!(answer(world, ask("a[x]\na[y]")), "a 1\nb 1\nc 1\nd 1");
    assert_eq!(answer(world, ask("a[nothing]")), "a 1\nb 1");
}

#[test]
fn an_extra_may_ask_for_others_of_the_same_package() {
    let world = "
        a 1 | b; extra == 'x' & c; extra == 'y' & a[x,y]; extra == 'all'
        a 2 | b; extra == 'x' & c; extra == 'y' & a[x,y]; extra == 'all'
        b 1\nc 1";
    assert_eq!(answer(world, ask("a[all]")), "a 2\nb 1\nc 1");
    assert_eq!(answer(world, ask("a[all]\na<2")), "a 1\nb 1\nc 1");
    assert_eq!(answer("a 1 | a[x] & b; extra == 'x'\nb 1", ask("a")), "a 1\nb 1");
    // What one release requires of another of the same package, nothing has.
    assert_eq!(answer("a 1 | a>=2\na 0", ask("a")), "a 0");
    assert_eq!(answer("a 1 | a[x]>=2; extra == 'x'\na 0", ask("a[x]")), "a 0");
    let text = answer("a 1 | a>=2\na 2 | a<2", ask("a"));
    assert!(
        text.starts_with("conflict:\nbecause a==1 is out of question (it requires a>=2)"),
        "{text}"
    );
}

#[test]
fn the_release_with_an_extra_is_that_without() {
    let world = "a 1\na 2\na 3 | c; extra == 'x'\nb 1 | a<3\nc 1";
    assert_eq!(answer(world, ask("a[x]\nb")), "a 2\nb 1");
    assert_eq!(answer(world, ask("b\na[x]>1")), "a 2\nb 1");
}

/// Each extra is asked for by itself, as pip does it.
#[test]
fn a_marker_that_denies_an_extra_keeps_its_place_in_the_graph() {
    let world = Arc::new(World::new("a 1 | b; extra != 'x' & c; extra == 'x'\nb 1\nc 1"));
    let resolution = resolve(&world, ask("a[x]")).unwrap();
    assert_eq!(resolution.packages.len(), 3);
    assert!(resolution.graph.chains().iter().all(|chain| !chain.is_empty()));
}

#[test]
fn overrides_stand_in_place_of_what_releases_require() {
    let world = "a 1 | b<2\nb 1\nb 2\nb 3";
    assert_eq!(answer(world, ask("a")), "a 1\nb 1");
    assert_eq!(answer(world, overridden("a", "b>=2,<3")), "a 1\nb 2");
    assert_eq!(answer(world, overridden("a\nb<2", "b==3")), "a 1\nb 3");
    assert_eq!(answer(world, overridden("a", "b; sys_platform == 'win32'")), "a 1");
    assert_eq!(answer(world, overridden("a", "c==1")), "a 1\nb 1");
}

/// `uv pip compile` 0.13.9 with `click` and an override of `colorama`, which click requires on
/// Windows alone.
#[test]
fn overrides_stand_in_place_of_markers() {
    let world =
        "a 1 | b; sys_platform == 'win32' & c; extra == 'x' and sys_platform == 'win32'\nb 1\nc 1";
    assert_eq!(answer(world, ask("a")), "a 1");
    assert_eq!(answer(world, overridden("a", "b==1")), "a 1\nb 1");
    assert_eq!(answer(world, overridden("a", "c==1")), "a 1");
    assert_eq!(answer(world, overridden("a[x]", "c==1")), "a 1\nc 1");
}

#[test]
fn overrides_stand_in_place_of_files_digests_and_pins() {
    let world = "c 1 hash=1\nc 2 hash=2";
    assert_eq!(answer(world, overridden(&format!("c @ {ONE}"), "c==2")), "c 2");
    assert_eq!(answer(world, overridden("c==1 --hash=1", "c==2")), "c 2");
    assert_eq!(answer(world, overridden("c: built from source", "c==2")), "c 2");
    let requires_url = format!("a 1 | c @ {ONE}\nc 1\nc 2");
    assert_eq!(answer(&requires_url, overridden("a", "c")), "a 1\nc 2");
}

#[test]
fn constraints_bound_and_do_not_ask() {
    let world = "a 1 | b\nb 1\nb 2\nc 1";
    assert_eq!(answer(world, constrained("a", "b<2\nc==1")), "a 1\nb 1");
    assert_eq!(answer(world, constrained("a", "b<2; sys_platform == 'win32'")), "a 1\nb 2");
    assert_eq!(answer(world, constrained("b", "b<2\nb!=1.5")), "b 1");
    assert_eq!(
        answer(world, constrained("b", &format!("b @ {}", ONE.replace("c-1", "b-1")))),
        format!("b 1 at {}", ONE.replace("c-1", "b-1"))
    );
}

#[test]
fn a_file_that_the_user_names_is_the_only_one() {
    let world = "a 1 | c>=1\nc 1\nc 2";
    let direct = format!("a\nc @ {ONE}");
    assert_eq!(answer(world, ask(&direct)), format!("a 1\nc 1 at {ONE}"));
    let world = "a 1 | c\na 2 | c>=2\nc 1\nc 2";
    assert_eq!(answer(world, ask(&direct)), format!("a 1\nc 1 at {ONE}"));
    assert_eq!(
        answer(world, ask("c @ git+https://git.example/c\na")),
        "a 2\nc not looked at: a version-controlled project, which would be built from source"
    );
}

#[test]
fn a_release_may_require_a_file() {
    let world = format!("a 1 | b & c @ {ONE}\nb 1 | c\nc 1\nc 2");
    assert_eq!(answer(&world, ask("a")), format!("a 1\nb 1\nc 1 at {ONE}"));
    assert_eq!(answer(&world, ask("b\na")), format!("a 1\nb 1\nc 1 at {ONE}"));
    assert_eq!(
        answer(&world, ask(&format!("a\nc @ {ONE}#sha256={}", hash('1')))),
        format!("a 1\nb 1\nc 1 at {ONE}#sha256={}", hash('1'))
    );
    // It is not on the page of the index, and what it requires is looked at as well.
    let world = format!("a 1 | c @ {ONE}\nc 1 url | d\nd 1");
    assert_eq!(answer(&world, ask("a")), format!("a 1\nc 1 at {ONE}\nd 1"));
}

#[test]
fn a_file_that_only_a_discarded_release_requires_is_not_taken() {
    // `a 2` is tried first, and its file of `c` is not what the rest gets.
    let world = format!("a 1 | c\na 2 | c @ {ONE} & d>=2\nb 1 | d<2\nc 1\nc 2\nd 1\nd 2");
    assert_eq!(answer(&world, ask("a\nb")), "a 1\nb 1\nc 2\nd 1");
}

#[test]
fn what_a_release_requires_from_a_repository_is_not_taken_from_the_index() {
    let git = "git+https://git.example/c";
    let reason = "a version-controlled project, which would be built from source";
    for required in ["a", "c\na", "a\nc", "b\na"] {
        let world = format!("a 1 | c @ {git}\nb 1 | c\nc 1");
        let text = answer(&world, ask(required));
        assert!(text.contains(&format!("c not looked at: {reason}")), "{required}: {text}");
        assert!(!text.contains("c 1"), "{required}: {text}");
    }
}

#[test]
fn two_files_of_one_package_exclude_each_other() {
    let world = "c 1\nc 2";
    assert_eq!(
        answer(world, ask(&format!("c @ {ONE}\nc @ {TWO}"))),
        format!(
            "conflict:\nreq.txt:1:1 asks for c @ {ONE} and req.txt:2:1 for c @ {TWO}, which are \
             different files"
        )
    );
    assert_eq!(answer(world, ask(&format!("c @ {ONE}\nc @ {ONE}"))), format!("c 1 at {ONE}"));
    let world = format!("a 1 | c @ {TWO}\na 0\nc 1\nc 2");
    assert_eq!(answer(&world, ask(&format!("c @ {ONE}\na"))), format!("a 0\nc 1 at {ONE}"));
}

#[test]
fn digests_leave_the_files_that_have_them() {
    let world = "a 1 hash=1\na 2 hash=2\na 3 hash=3";
    assert_eq!(answer(world, ask("a --hash=12")), "a 2");
    assert_eq!(answer(world, ask("a --hash=12\na --hash=13")), "a 1");
    assert_eq!(answer(world, constrained("a", "a --hash=1")), "a 1");
    assert_eq!(
        answer(world, ask("a --hash=4")),
        "a not looked at: no file of it has one of the required hashes"
    );
    assert_eq!(
        answer(world, ask("a --hash=1\na --hash=2")),
        "a not looked at: no file can have the hashes that several requirements ask for"
    );
    let resolution = resolve(&Arc::new(World::new(world)), ask("a --hash=12")).unwrap();
    assert_eq!(resolution.packages[0].hashes, [hash('1'), hash('2')]);
}

#[test]
fn digests_hold_for_files_at_urls_too() {
    let digest = |required: &str, world: &str| {
        let resolution = resolve(&Arc::new(World::new(world)), ask(required)).unwrap();
        let package = resolution.packages.into_iter().find(|one| one.name.as_ref() == "c").unwrap();
        match package.release {
            ResolvedRelease::File(_, file) => {
                file.sha256.map_or("none".to_owned(), |one| one.to_string())
            }
            ResolvedRelease::Chosen(..) => "chosen".to_owned(),
            ResolvedRelease::NotLookedAt { reason, .. } => reason,
        }
    };
    let one = hash('1').to_string();
    assert_eq!(digest(&format!("c @ {ONE}"), "c 1"), "none");
    assert_eq!(digest(&format!("c @ {ONE} --hash=1"), "c 1"), one);
    assert_eq!(digest(&format!("c @ {ONE}\nc --hash=1"), "c 1"), one);
    assert_eq!(digest(&format!("c @ {ONE}#sha256={one} --hash=12"), "c 1"), one);
    assert_eq!(
        digest(&format!("c @ {ONE}#sha256={one} --hash=2"), "c 1"),
        "its URL states another hash than those required"
    );
    assert_eq!(
        digest(&format!("c @ {ONE} --hash=12"), "c 1"),
        "which of the required hashes it has is not known"
    );
    // The same for what a release requires.
    assert_eq!(digest("a\nc --hash=1", &format!("a 1 | c @ {ONE}\nc 1")), one);
    assert_eq!(
        digest("a\nc --hash=2", &format!("a 1 | c @ {ONE}#sha256={one}\nc 1")),
        "its URL states another hash than those required"
    );
}

#[test]
fn a_package_is_asked_of_the_index_it_has_to_come_from() {
    let world = Arc::new(World::new("a 1 | b\nb 1\nc 1"));
    resolve(&world, ask("a --index=one\nb --index=two\nc")).unwrap();
    let mut asked = world.asked.lock().unwrap().clone();
    asked.sort();
    let expected = [("a", Some("one")), ("b", Some("two")), ("c", None)];
    let expected: Vec<_> =
        expected.map(|(name, from)| (name.to_owned(), from.map(str::to_owned))).into();
    assert_eq!(asked, expected);
    assert_eq!(
        answer("a 1", ask("a --index=one\na --index=two")),
        "a not looked at: it is asked for from two indexes, `one` and `two`"
    );
}

#[test]
fn withdrawn_releases_count_only_where_they_are_pinned() {
    let world = "a 1\na 2 yanked\nb 1 | a==2";
    assert_eq!(answer(world, ask("a")), "a 1");
    assert_eq!(answer(world, ask("a==2")), "a 2");
    assert_eq!(answer(world, ask("a===2")), "a 2");
    assert_eq!(answer(world, constrained("a", "a==2")), "a 2");
    let text = answer(world, ask("a>1"));
    assert!(text.starts_with("a 2\nproblem: no installer can install this as it is: "), "{text}");
    assert!(text.contains("2 is withdrawn"), "{text}");
}

#[test]
fn prereleases_count_as_the_policy_has_it() {
    let world = "a 1\na 2a1\nb 1a1\nc 1 | a>=2a1";
    let with =
        |prereleases, required: &str| answer(world, Request { prereleases, ..ask(required) });
    for (policy, plain, explicit, necessary) in [
        (Allow, "a 2a1", "a 2a1", "b 1a1"),
        (Disallow, "a 1", "a 1", "b not looked at: no release fits `any version`"),
        (IfNecessary, "a 1", "a 1", "b 1a1"),
        (Explicit, "a 1", "a 2a1", "b not looked at: no release fits `any version`"),
        (IfNecessaryOrExplicit, "a 1", "a 2a1", "b 1a1"),
    ] {
        assert_eq!(with(policy, "a"), plain, "{policy:?}");
        assert_eq!(with(policy, "a>=1a1"), explicit, "{policy:?}");
        assert_eq!(with(policy, "a\na!=3a1"), plain, "{policy:?}");
        assert_eq!(with(policy, "b").lines().next(), Some(necessary), "{policy:?}");
    }
    assert!(with(Disallow, "b").contains("1a1 is a pre-release"), "{}", with(Disallow, "b"));
    assert_eq!(with(IfNecessaryOrExplicit, "c"), "a 2a1\nc 1");
}

#[test]
fn releases_for_other_pythons_are_passed_over() {
    assert_eq!(answer("a 1\na 2 python=<3.14", ask("a")), "a 1");
    assert_eq!(answer("a 1\na 2 says-python=<3.14", ask("a")), "a 1");
    let text = answer("a 2 python=<3.14", ask("a"));
    assert!(text.starts_with("a 2\nproblem: "), "{text}");
    let text = answer("a 2 says-python=<3.14", ask("a"));
    assert!(text.starts_with("a 2\nproblem: "), "{text}");
    assert!(text.contains("it is for Python <3.14"), "{text}");
}

#[test]
fn releases_without_a_file_for_the_target_are_passed_over() {
    assert_eq!(answer("a 1\na 2 windows", ask("a")), "a 1");
    assert_eq!(answer("a 1\na 2 source", ask("a")), "a 2");
    let text = answer("a 2 windows | b\nb 1", ask("a"));
    assert!(text.starts_with("a 2\nb 1\nproblem: no installer can"), "{text}");
}

#[test]
fn metadata_that_is_invalid_leads_to_an_older_release() {
    assert_eq!(answer("a 1\na 2 invalid", ask("a")), "a 1");
    let text = answer("a 2 invalid", ask("a"));
    assert!(
        text.starts_with("a 2, requiring who knows what: its metadata is broken\nproblem: "),
        "{text}"
    );
}

#[test]
fn metadata_that_is_not_known_is_told() {
    assert_eq!(
        answer("a 1\na 2 needs-build", ask("a")),
        "a 2, requiring who knows what: its requirements are dynamic"
    );
    assert_eq!(
        answer("a 1\na 2 unavailable", ask("a")),
        "a 2, requiring who knows what: the server is silent"
    );
}

#[test]
fn packages_that_are_not_there_are_told() {
    let reason = |name: &str| {
        format!(
            "{name} not looked at: the index has no such package (https://index.example/{name}/)"
        )
    };
    assert_eq!(answer("a 1", ask("a\nb")), format!("a 1\n{}", reason("b")));
    assert_eq!(answer("a 1 | b>=2", ask("a")), format!("a 1\n{}", reason("b")));
    assert_eq!(answer("a 1 url", ask("a")), "a not looked at: the index lists no files for it");
}

#[test]
fn packages_may_require_each_other() {
    let world = "a 1 | b\na 2 | b<2\nb 1 | a\nb 2 | a<2";
    assert_eq!(answer(world, ask("a")), "a 2\nb 1");
    assert_eq!(answer(world, ask("b==2")), "a 1\nb 2");
}

#[test]
fn without_dependencies_only_what_is_named_is_there() {
    let request = Request { no_dependencies: true, ..ask("a[x]\nc") };
    assert_eq!(answer("a 1 invalid | b & d; extra == 'x'\nb 1\nc 1", request), "a 1\nc 1");
}

#[test]
fn what_only_a_discarded_release_requires_is_not_there() {
    let world = "a 1\na 2 | b & c<2\nb 1\nc 1\nc 2\nd 1 | c>=2";
    assert_eq!(answer(world, ask("a\nd")), "a 1\nc 2\nd 1");
}

#[test]
fn the_graph_says_what_requires_what() {
    let world = Arc::new(World::new("a 1 | b & a[x] & c; extra == 'x'\nb 1 | c & gone\nc 1 | a"));
    let graph = resolve(&world, ask("a\nc")).unwrap().graph;
    let name = |index: &usize| graph.nodes[*index].name.as_str();
    let lines: Vec<String> = graph
        .nodes
        .iter()
        .map(|node| {
            let requires: Vec<&str> = node.requires.iter().map(name).collect();
            let direct = node.direct.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{} [{}] {direct}", node.name, requires.join(" "))
        })
        .collect();
    assert_eq!(lines, ["a [b c] req.txt:1:1", "b [c gone] ", "c [a] req.txt:2:1", "gone [] "]);
}
