//! The walk through a lockfile's graph. Locks written by uv are compared in `input/uv_lock.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use ftcheck::model::location::Location;
use ftcheck::model::lock::{Edge, LockGraph, LockedPackage, LockedSource, Root, Walk};
use ftcheck::model::requirement::Section;
use ftcheck::resolve::lock::{Selection, select};
use pep508_rs::{ExtraName, MarkerTree};
use proptest::prelude::*;

use super::environment;

/// A graph by names: `("spam", "1.0")` is a node, and edges are written as uv and pip write them,
/// `eggs[fast]==2.0 ; marker`, the version only where a name is locked twice.
#[derive(Default)]
struct Graph {
    graph: LockGraph,
    labels: Vec<(String, String)>,
}

impl Graph {
    fn new(nodes: &[(&str, &str)]) -> Self {
        let mut graph = Self::default();
        for (name, version) in nodes {
            graph.labels.push(((*name).to_owned(), (*version).to_owned()));
            graph.graph.packages.push(LockedPackage {
                name: name.parse().unwrap(),
                version: Some(version.parse().unwrap()),
                source: LockedSource::Files,
                files: Vec::new(),
                dependencies: Vec::new(),
                extras: BTreeMap::new(),
                location: Location { path: "lock".to_owned(), line: 1, column: 1 },
                extra_markers: BTreeMap::new(),
                project_marker: None,
            });
        }
        graph
    }

    fn index(&self, name: &str, version: Option<&str>) -> usize {
        self.labels
            .iter()
            .position(|label| label.0 == name && version.is_none_or(|version| label.1 == version))
            .unwrap_or_else(|| panic!("there is no {name} {version:?}"))
    }

    fn edge(&self, text: &str) -> Edge {
        let (text, marker) = text.split_once(" ; ").unwrap_or((text, ""));
        let (text, version) =
            text.split_once("==").map_or((text, None), |(text, version)| (text, Some(version)));
        let (name, extras) = text.trim_end_matches(']').split_once('[').unwrap_or((text, ""));
        Edge {
            target: self.index(name, version),
            extras: extras.split(',').filter(|extra| !extra.is_empty()).map(extra).collect(),
            marker: if marker.is_empty() {
                MarkerTree::default()
            } else {
                MarkerTree::from_str(marker).unwrap()
            },
        }
    }

    fn edges(&self, texts: &[&str]) -> Vec<Edge> {
        texts.iter().map(|text| self.edge(text)).collect()
    }

    fn roots(mut self, texts: &[&str]) -> Self {
        self.graph.roots = roots(self.edges(texts));
        self
    }

    fn depends(mut self, on: &str, texts: &[&str]) -> Self {
        let at = self.edge(on).target;
        self.graph.packages[at].dependencies = self.edges(texts);
        self
    }

    fn extra(mut self, of: &str, name: &str, texts: &[&str]) -> Self {
        let at = self.index(of, None);
        let edges = self.edges(texts);
        self.graph.packages[at].extras.insert(extra(name), edges);
        self
    }

    /// Names an extra as markers of a lock with conflicts do.
    fn extra_in_markers(mut self, of: &str, name: &str, marker_name: &str) -> Self {
        let at = self.index(of, None);
        self.graph.packages[at].extra_markers.insert(extra(name), extra(marker_name));
        self
    }

    fn activated(mut self, names: &[&str]) -> Self {
        self.graph.activated = names.iter().map(|name| (Section::Base, extra(name))).collect();
        self
    }

    /// What is installed for 3.14t on Linux, as `name==version`.
    fn installed(&self) -> Vec<String> {
        self.installed_on("3.14t", "linux")
    }

    fn installed_on(&self, target: &str, platform: &str) -> Vec<String> {
        let selection = select(&self.graph, &environment(target, platform), |_| true);
        selection
            .installed
            .iter()
            .map(|index| {
                let (name, version) = &self.labels[*index];
                format!("{name}=={version}")
            })
            .collect()
    }
}

fn roots(edges: Vec<Edge>) -> Vec<Root> {
    edges.into_iter().map(|edge| Root { section: Section::Base, edge }).collect()
}

fn extra(name: &str) -> ExtraName {
    name.parse().unwrap()
}

#[test]
fn what_the_roots_lead_to_is_installed_and_the_rest_left_out() {
    let graph = Graph::new(&[("app", "1"), ("b", "1"), ("c", "1"), ("loose", "1"), ("d", "1")])
        .roots(&["app"])
        .depends("app", &["d", "b"])
        .depends("b", &["c"])
        .depends("loose", &["c"]);
    let selection = select(&graph.graph, &environment("3.14t", "linux"), |_| true);
    // In the order of the file, whatever the order of the walk.
    let Selection { installed, elsewhere, unasked, .. } = selection;
    assert_eq!((installed, elsewhere, unasked), (vec![0, 1, 2, 4], vec![], vec![3]));
}

#[test]
fn nothing_is_installed_without_a_root() {
    let graph = Graph::new(&[("a", "1"), ("b", "1")]).depends("a", &["b"]);
    assert_eq!(graph.installed(), [""; 0]);
}

#[test]
fn a_marker_decides_for_the_target_and_not_for_this_machine() {
    let graph = Graph::new(&[("app", "1"), ("win", "1"), ("backport", "1"), ("deep", "1")])
        .roots(&["app"])
        .depends("app", &["win ; sys_platform == 'win32'", "backport ; python_version < '3.14'"])
        .depends("win", &["deep"]);
    assert_eq!(graph.installed_on("3.14t", "linux"), ["app==1"]);
    assert_eq!(graph.installed_on("3.14t", "windows"), ["app==1", "win==1", "deep==1"]);
    assert_eq!(graph.installed_on("3.13t", "macos"), ["app==1", "backport==1"]);
}

#[test]
fn one_edge_that_applies_is_enough() {
    let graph = Graph::new(&[("app", "1"), ("a", "1"), ("shared", "1")])
        .roots(&["app"])
        .depends("app", &["shared ; sys_platform == 'win32'", "a"])
        .depends("a", &["shared"]);
    assert_eq!(graph.installed(), ["app==1", "a==1", "shared==1"]);
}

#[test]
fn an_extra_is_installed_where_it_is_asked_for() {
    let nodes = [("app", "1"), ("http", "1"), ("h2", "1"), ("brotli", "1")];
    let graph = |root: &str| {
        Graph::new(&nodes)
            .extra("http", "http2", &["h2"])
            .extra("http", "brotli", &["brotli"])
            .depends("app", &[root])
            .roots(&["app"])
    };
    assert_eq!(graph("http").installed(), ["app==1", "http==1"]);
    assert_eq!(graph("http[http2]").installed(), ["app==1", "http==1", "h2==1"]);
    assert_eq!(
        graph("http[http2,brotli]").installed(),
        ["app==1", "http==1", "h2==1", "brotli==1"]
    );
    // uv asks for extras that a release does not have, with a warning.
    assert_eq!(graph("http[unknown]").installed(), ["app==1", "http==1"]);
}

#[test]
fn an_extra_counts_even_where_the_package_was_reached_without_it() {
    let graph = Graph::new(&[("app", "1"), ("http", "1"), ("other", "1"), ("h2", "1")])
        .roots(&["app"])
        .depends("app", &["http", "other"])
        .depends("other", &["http[http2]"])
        .extra("http", "http2", &["h2"]);
    assert_eq!(graph.installed(), ["app==1", "http==1", "other==1", "h2==1"]);
}

#[test]
fn an_extra_asked_for_by_an_edge_that_does_not_apply_is_left_out() {
    let graph = Graph::new(&[("app", "1"), ("http", "1"), ("h2", "1")])
        .roots(&["app"])
        .depends("app", &["http", "http[http2] ; sys_platform == 'win32'"])
        .extra("http", "http2", &["h2"]);
    assert_eq!(graph.installed(), ["app==1", "http==1"]);
}

/// `all = ["spam[fast,pretty]"]` of a package `spam`, as many projects have it.
#[test]
fn an_extra_may_ask_for_extras_of_its_own_package() {
    let graph = Graph::new(&[("app", "1"), ("spam", "1"), ("x", "1"), ("y", "1")])
        .roots(&["app"])
        .depends("app", &["spam[all]"])
        .extra("spam", "all", &["spam[fast,pretty]"])
        .extra("spam", "fast", &["x"])
        .extra("spam", "pretty", &["y", "spam[all]"]);
    assert_eq!(graph.installed(), ["app==1", "spam==1", "x==1", "y==1"]);
}

#[test]
fn the_groups_among_the_roots_are_installed() {
    let graph = Graph::new(&[("app", "1"), ("dep", "1"), ("pytest", "1"), ("colorama", "1")])
        .roots(&["app", "pytest", "colorama ; sys_platform == 'win32'"])
        .depends("app", &["dep"]);
    assert_eq!(graph.installed(), ["app==1", "dep==1", "pytest==1"]);
}

#[test]
fn of_a_forked_package_the_version_for_the_target_is_installed() {
    let graph = Graph::new(&[("app", "1"), ("spam", "1.0"), ("spam", "2.0"), ("old", "1")])
        .roots(&["app"])
        .depends(
            "app",
            &[
                "spam==1.0 ; python_full_version < '3.14'",
                "spam==2.0 ; python_full_version >= '3.14'",
            ],
        )
        .depends("spam==1.0", &["old"]);
    assert_eq!(graph.installed_on("3.14t", "linux"), ["app==1", "spam==2.0"]);
    assert_eq!(graph.installed_on("3.13t", "linux"), ["app==1", "spam==1.0", "old==1"]);
}

#[test]
fn a_cycle_ends() {
    let graph = Graph::new(&[("app", "1"), ("a", "1"), ("b", "1"), ("self", "1")])
        .roots(&["app"])
        .depends("app", &["a", "self"])
        .depends("a", &["b"])
        .depends("b", &["a", "app"])
        .depends("self", &["self"]);
    assert_eq!(graph.installed(), ["app==1", "a==1", "b==1", "self==1"]);
}

const CPU: &str = "torch==1.0 ; extra == 'extra-3-foo-cpu'";
const GPU: &str = "torch==2.0 ; extra != 'extra-3-foo-cpu'";

#[test]
fn a_chosen_extra_decides_between_conflicting_packages() {
    let graph = || {
        Graph::new(&[("foo", "1"), ("torch", "1.0"), ("torch", "2.0")])
            .roots(&["foo"])
            .depends("foo", &[CPU, GPU])
    };
    assert_eq!(graph().installed(), ["foo==1", "torch==2.0"]);
    assert_eq!(graph().activated(&["extra-3-foo-cpu"]).installed(), ["foo==1", "torch==1.0"]);
}

/// The edge that asks for the extra comes last, and what depends on it was walked before.
#[test]
fn an_extra_reached_on_the_way_decides_too() {
    let graph =
        Graph::new(&[("app", "1"), ("foo", "1"), ("torch", "1.0"), ("torch", "2.0"), ("z", "1")])
            .roots(&["app"])
            .depends("app", &["foo", "z"])
            .depends("foo", &[CPU, GPU])
            .depends("z", &["foo[cpu]"])
            .extra("foo", "cpu", &[])
            .extra_in_markers("foo", "cpu", "extra-3-foo-cpu");
    assert_eq!(graph.installed(), ["app==1", "foo==1", "torch==1.0", "z==1"]);
}

#[test]
fn an_extra_that_is_not_reached_decides_nothing() {
    let graph = Graph::new(&[("app", "1"), ("foo", "1"), ("torch", "1.0"), ("torch", "2.0")])
        .roots(&["app"])
        .depends("app", &["foo", "foo[cpu] ; sys_platform == 'win32'"])
        .depends("foo", &[CPU, GPU])
        .extra("foo", "cpu", &[])
        .extra_in_markers("foo", "cpu", "extra-3-foo-cpu");
    assert_eq!(graph.installed_on("3.14t", "linux"), ["app==1", "foo==1", "torch==2.0"]);
    assert_eq!(graph.installed_on("3.14t", "windows"), ["app==1", "foo==1", "torch==1.0"]);
}

/// An edge of a random graph: where to, whether it applies, and with which extras.
type RandomEdge = (usize, bool, Vec<usize>);

#[derive(Debug, Clone)]
struct RandomNode {
    dependencies: Vec<RandomEdge>,
    extras: Vec<Vec<RandomEdge>>,
}

const NODES: usize = 6;
const EXTRAS: usize = 2;

fn random_edges() -> impl Strategy<Value = Vec<RandomEdge>> {
    let edge = (0..NODES, prop::bool::weighted(0.7), prop::collection::vec(0..EXTRAS, 0..=EXTRAS));
    prop::collection::vec(edge, 0..3)
}

fn random_node() -> impl Strategy<Value = RandomNode> {
    (random_edges(), prop::collection::vec(random_edges(), EXTRAS))
        .prop_map(|(dependencies, extras)| RandomNode { dependencies, extras })
}

/// The definition, written down: the least set that holds what the roots ask for and whatever
/// something in the set asks for. An element is a package, or a package with one of its extras.
fn by_definition(nodes: &[RandomNode], roots: &[RandomEdge]) -> BTreeSet<usize> {
    let mut wanted: BTreeSet<(usize, Option<usize>)> = BTreeSet::new();
    loop {
        let mut edges: Vec<&RandomEdge> = roots.iter().collect();
        for (node, extra) in &wanted {
            edges.extend(match extra {
                None => &nodes[*node].dependencies,
                Some(extra) => &nodes[*node].extras[*extra],
            });
        }
        let before = wanted.len();
        let next: Vec<_> = edges
            .into_iter()
            .filter(|(_, applies, _)| *applies)
            .flat_map(|(target, _, extras)| {
                let with_extras = extras.iter().map(|extra| (*target, Some(*extra)));
                with_extras.chain([(*target, None)]).collect::<Vec<_>>()
            })
            .collect();
        wanted.extend(next);
        if wanted.len() == before {
            return wanted.into_iter().map(|(node, _)| node).collect();
        }
    }
}

fn real_edges(edges: &[RandomEdge]) -> Vec<Edge> {
    edges
        .iter()
        .map(|(target, applies, extras)| Edge {
            target: *target,
            extras: extras.iter().map(|at| extra(&format!("extra{at}"))).collect(),
            marker: if *applies {
                MarkerTree::default()
            } else {
                MarkerTree::from_str("sys_platform == 'win32'").unwrap()
            },
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_walk_reaches_what_the_definition_says(
        nodes in prop::collection::vec(random_node(), NODES),
        roots in random_edges(),
    ) {
        let names: Vec<String> = (0..NODES).map(|at| format!("n{at}")).collect();
        let labels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
        let mut graph = Graph::new(&labels).graph;
        graph.roots = super::lock::roots(real_edges(&roots));
        for (package, node) in graph.packages.iter_mut().zip(&nodes) {
            package.dependencies = real_edges(&node.dependencies);
            for (at, edges) in node.extras.iter().enumerate() {
                package.extras.insert(extra(&format!("extra{at}")), real_edges(edges));
            }
        }
        let expected = by_definition(&nodes, &roots);
        let selection = select(&graph, &environment("3.14t", "linux"), |_| true);
        let left_out: Vec<usize> = (0..NODES).filter(|at| !expected.contains(at)).collect();
        prop_assert_eq!(selection.installed, expected.into_iter().collect::<Vec<_>>());
        let mut others = [selection.elsewhere, selection.unasked].concat();
        others.sort_unstable();
        prop_assert_eq!(others, left_out);
    }
}

/// A graph whose edges stand for ranges.
fn ranges(graph: Graph) -> Graph {
    Graph { graph: LockGraph { walk: Walk::Ranges, ..graph.graph }, ..graph }
}

#[test]
fn of_ranges_the_newest_release_is_taken_that_all_allow() {
    let nodes = [("a", "1"), ("b", "1"), ("b", "2"), ("b", "3rc1"), ("c", "1")];
    let any = ["a", "b==1", "b==2", "b==3rc1"];
    let graph = ranges(Graph::new(&nodes).roots(&any).depends("b==1", &["c"]));
    assert_eq!(graph.installed(), ["a==1", "b==2"]);
    let graph = graph.depends("a", &["b==1"]);
    assert_eq!(graph.installed(), ["a==1", "b==1", "c==1"]);
}

#[test]
fn a_release_that_gives_way_asks_for_nothing() {
    // The old release of `a` asks for the old `b`, and it is not installed.
    let nodes = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "2"), ("x", "1")];
    let graph = ranges(
        Graph::new(&nodes)
            .roots(&["a==1", "a==2", "x"])
            .depends("a==1", &["b==1"])
            .depends("x", &["b==1", "b==2"]),
    );
    assert_eq!(graph.installed(), ["a==2", "b==2", "x==1"]);
}

#[test]
fn releases_that_ask_for_themselves_are_told_apart() {
    let nodes = [("a", "1"), ("a", "2"), ("plugin", "1")];
    let graph = ranges(
        Graph::new(&nodes)
            .roots(&["a==1", "a==2"])
            .depends("a==1", &["plugin"])
            .depends("a==2", &["plugin"])
            .depends("plugin", &["a==1", "a==2"]),
    );
    assert_eq!(graph.installed(), ["a==2", "plugin==1"]);
}

#[test]
fn where_it_does_not_follow_all_releases_are_taken() {
    let nodes = [("a", "1"), ("b", "1"), ("b", "2")];
    let graph = ranges(Graph::new(&nodes).roots(&["a", "b==1"]).depends("a", &["b==2"]));
    assert_eq!(graph.installed(), ["a==1", "b==1", "b==2"]);
    // Of two with one version too: they come from different places.
    let nodes = [("b", "1"), ("b", "1")];
    let mut graph = ranges(Graph::new(&nodes).roots(&["b", "b"]));
    graph.graph.roots[1].edge.target = 1;
    assert_eq!(graph.installed().len(), 2);
}
