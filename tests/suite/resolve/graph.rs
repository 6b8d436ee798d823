//! Chains, and what leads where.

use ftcheck::model::location::Location;
use ftcheck::resolve::graph::{Graph, LONGEST_CHAIN, Node};
use proptest::prelude::*;

/// One package a line: `NAME > REQUIRED REQUIRED`, with a `*` before those that the user named.
fn graph(text: &str) -> Graph {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let name =
        |line: &str| line.split('>').next().unwrap().trim().trim_start_matches('*').to_owned();
    let names: Vec<String> = lines.iter().map(|line| name(line)).collect();
    let place = |wanted: &str| names.iter().position(|name| name == wanted).unwrap();
    let nodes = lines.iter().map(|line| Node {
        name: name(line),
        version: None,
        direct: line.starts_with('*').then(|| Location::of_offset("req.txt", "", 0)),
        requires: line
            .split_once('>')
            .map(|(_, required)| required.split_whitespace().map(place).collect())
            .unwrap_or_default(),
    });
    Graph { nodes: nodes.collect() }
}

fn chain(graph: &Graph, name: &str) -> String {
    let index = graph.nodes.iter().position(|node| node.name == name).unwrap();
    let names: Vec<&str> =
        graph.chains()[index].iter().map(|index| graph.nodes[*index].name.as_str()).collect();
    names.join(" ")
}

#[test]
fn the_shortest_chain_is_told() {
    let graph = graph("*a > b\nb > c\nc > d\nd\n*e > c\nf > d");
    assert_eq!(chain(&graph, "a"), "a");
    assert_eq!(chain(&graph, "b"), "a b");
    assert_eq!(chain(&graph, "c"), "e c");
    assert_eq!(chain(&graph, "d"), "e c d");
    assert_eq!(chain(&graph, "f"), "");
}

#[test]
fn of_equal_chains_the_first_by_name_is_told() {
    let graph = graph("z\n*c > z\n*b > y x\nx > z w\ny > w\nw");
    assert_eq!(chain(&graph, "z"), "c z");
    assert_eq!(chain(&graph, "w"), "b x w");
}

#[test]
fn what_requires_itself_in_a_circle_comes_to_an_end() {
    let graph = graph("*a > b a\nb > c\nc > a b");
    assert_eq!(chain(&graph, "c"), "a b c");
    assert_eq!(graph.leading_to(|node| node.name == "c"), [true; 3]);
}

#[test]
fn what_leads_to_a_package() {
    let graph = graph("*a > b\nb > c\nc\n*d > e\ne");
    let leads = graph.leading_to(|node| node.name == "c");
    assert_eq!(leads, [true, true, true, false, false]);
    assert_eq!(graph.leading_to(|_| false), [false; 5]);
}

/// A lock may be one chain, of as many packages as anyone likes to write.
#[test]
fn a_long_chain_is_told_without_its_middle_and_in_no_time() {
    let chain_of = |count: usize| {
        let node = |index: usize| Node {
            name: format!("p{index}"),
            version: None,
            direct: (index == 0).then(|| Location::of_offset("req.txt", "", 0)),
            requires: if index + 1 < count { vec![index + 1] } else { Vec::new() },
        };
        Graph { nodes: (0..count).map(node).collect() }
    };
    let whole = chain_of(LONGEST_CHAIN);
    let last = whole.chains().pop().unwrap();
    assert_eq!(last, (0..LONGEST_CHAIN).collect::<Vec<_>>());
    assert_eq!(whole.left_out(&last), None);

    let begun = std::time::Instant::now();
    let (count, half) = (100_000, LONGEST_CHAIN / 2);
    let long = chain_of(count);
    let last = long.chains().pop().unwrap();
    assert_eq!(last, (0..half).chain(count - half..count).collect::<Vec<_>>());
    assert_eq!(long.left_out(&last), Some(half));
    // A quadratic number of steps would take minutes.
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

/// No chain is shorter by going through every way there is, whatever the order of the packages.
fn distance(graph: &Graph, to: usize) -> Option<usize> {
    let mut reached: Vec<usize> =
        (0..graph.nodes.len()).filter(|index| graph.nodes[*index].direct.is_some()).collect();
    for steps in 1..=graph.nodes.len() {
        if reached.contains(&to) {
            return Some(steps);
        }
        reached = reached.iter().flat_map(|index| graph.nodes[*index].requires.clone()).collect();
        reached.sort_unstable();
        reached.dedup();
    }
    None
}

proptest! {
    #[test]
    fn chains_are_shortest_and_hold_together(
        requires in prop::collection::vec(prop::collection::vec(0usize..8, 0..3), 8),
        direct in prop::collection::vec(any::<bool>(), 8),
    ) {
        let nodes = requires.into_iter().zip(direct).enumerate().map(|(index, (requires, direct))| Node {
            name: format!("p{index}"),
            version: None,
            direct: direct.then(|| Location::of_offset("req.txt", "", 0)),
            requires,
        });
        let graph = Graph { nodes: nodes.collect() };
        for (index, chain) in graph.chains().iter().enumerate() {
            prop_assert_eq!((!chain.is_empty()).then_some(chain.len()), distance(&graph, index));
            for pair in chain.windows(2) {
                prop_assert!(graph.nodes[pair[0]].requires.contains(&pair[1]));
            }
            if let (Some(first), Some(last)) = (chain.first(), chain.last()) {
                prop_assert!(graph.nodes[*first].direct.is_some());
                prop_assert_eq!(*last, index);
                let leads = graph.leading_to(|node| node.name == format!("p{index}"));
                prop_assert!(chain.iter().all(|index| leads[*index]));
            }
        }
    }
}
