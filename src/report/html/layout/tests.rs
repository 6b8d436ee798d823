//! Layouts of small graphs, and what holds for all.

use proptest::prelude::*;

use super::{NODE_HEIGHT, layout};

fn wide(count: usize) -> Vec<f64> {
    vec![80.0; count]
}

#[test]
fn a_chain_runs_from_left_to_right_on_one_line() {
    let drawn = layout(&wide(3), &[(0, 1), (1, 2)]);
    let layers: Vec<usize> = drawn.nodes.iter().map(|node| node.layer).collect();
    assert_eq!(layers, [0, 1, 2]);
    assert!(drawn.nodes.iter().all(|node| (node.y - drawn.nodes[0].y).abs() < 0.01));
    assert!(drawn.nodes[0].x + 80.0 < drawn.nodes[1].x);
}

#[test]
fn a_circle_is_cut_and_its_edges_stay_in_their_direction() {
    let drawn = layout(&wide(2), &[(0, 1), (1, 0)]);
    assert_eq!(drawn.edges[0].first(), drawn.edges[1].last());
    assert_eq!(drawn.edges[0].last(), drawn.edges[1].first());
}

#[test]
fn a_long_edge_goes_around_what_stands_between() {
    let drawn = layout(&wide(3), &[(0, 1), (1, 2), (0, 2)]);
    assert_eq!(drawn.edges[2].len(), 4);
    assert!((drawn.edges[2][1].1 - drawn.nodes[1].y).abs() >= NODE_HEIGHT / 2.0);
}

#[test]
fn edges_that_name_no_node_have_no_path() {
    let drawn = layout(&wide(1), &[(0, 7), (7, 0), (0, 0)]);
    assert!(drawn.edges.iter().all(Vec::is_empty));
    assert!(layout(&[], &[(0, 1)]).nodes.is_empty());
}

#[test]
fn a_graph_of_many_long_edges_is_drawn_soon() {
    let count = 1_500;
    let chain = (1..count).map(|to| (to - 1, to));
    let all: Vec<(usize, usize)> = chain.chain((2..count).map(|to| (0, to))).collect();
    assert_eq!(layout(&wide(count), &all).nodes.len(), count);
}

proptest! {
    #[test]
    fn nodes_never_overlap_and_edges_lead_to_the_right(
        count in 1_usize..40,
        edges in proptest::collection::vec((0_usize..40, 0_usize..40), 0..120),
    ) {
        let drawn = layout(&wide(count), &edges);
        prop_assert_eq!(drawn.nodes.len(), count);
        prop_assert_eq!(drawn.edges.len(), edges.len());
        for (index, one) in drawn.nodes.iter().enumerate() {
            prop_assert!(one.x >= 0.0 && one.x + 80.0 <= drawn.width);
            prop_assert!(one.y >= NODE_HEIGHT / 2.0 && one.y + NODE_HEIGHT / 2.0 <= drawn.height);
            for other in drawn.nodes.iter().skip(index + 1) {
                let apart = (one.y - other.y).abs() >= NODE_HEIGHT;
                prop_assert!(one.layer != other.layer || apart);
            }
        }
        for path in drawn.edges.iter().filter(|path| !path.is_empty()) {
            let rising = path.windows(2).all(|pair| pair[0].0 <= pair[1].0);
            let falling = path.windows(2).all(|pair| pair[0].0 >= pair[1].0);
            prop_assert!(rising || falling);
        }
    }
}
