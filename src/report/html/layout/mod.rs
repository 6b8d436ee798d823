//! Where the nodes of a dependency graph are drawn: in layers from left to right, after Sugiyama,
//! Tagawa and Toda (1981). Cycles are cut, nodes put into layers, ordered so that few edges cross,
//! and moved to where their neighbours are. Knows nothing of packages.
//!
//! Edges that span several layers go by way of points in each of them. The edges to one node share
//! theirs: they all end there, so that nobody can mistake one for another, and it keeps graphs of
//! hundreds of nodes readable. Time and space are bounded by [`MOST_POINTS`].

mod order;
mod place;

use self::order::sort_layers;
use self::place::place;

/// Points of long edges, beyond which these are drawn straight.
const MOST_POINTS: usize = 20_000;
/// The height of a node.
pub(super) const NODE_HEIGHT: f64 = 26.0;
/// Room between layers, for the edges.
const LAYER_GAP: f64 = 64.0;
/// Room around all.
const MARGIN: f64 = 14.0;

/// Where one node is: the middle of its left side.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Position {
    pub(super) layer: usize,
    pub(super) x: f64,
    pub(super) y: f64,
}

/// A drawing: positions in the order of the nodes, the points that each edge goes through in the order
/// of the edges, and how large it is.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub(super) nodes: Vec<Position>,
    pub(super) edges: Vec<Vec<(f64, f64)>>,
    pub(super) width: f64,
    pub(super) height: f64,
}

/// What stands in a layer.
#[derive(Debug, Clone, Default)]
struct Item {
    layer: usize,
    /// A node of the graph, or else a point of the edges to one.
    is_node: bool,
    before: Vec<usize>,
    after: Vec<usize>,
    y: f64,
}

/// Draws nodes of these widths. Edges that name no node are left out of it, with an empty path.
pub(super) fn layout(widths: &[f64], edges: &[(usize, usize)]) -> Layout {
    if widths.is_empty() {
        return Layout::default();
    }
    let count = widths.len();
    let forward = acyclic(count, edges);
    let layer_of = layers(count, &forward);
    let (mut items, ways) = items(&layer_of, &forward);
    let mut order = vec![Vec::new(); 1 + items.iter().map(|item| item.layer).max().unwrap_or(0)];
    for (index, item) in items.iter().enumerate() {
        if let Some(layer) = order.get_mut(item.layer) {
            layer.push(index);
        }
    }
    sort_layers(&items, &mut order);
    place(&mut items, &order);

    let mut lefts = Vec::new();
    let mut x = MARGIN;
    for layer in &order {
        let of_layer = layer.iter().filter_map(|index| widths.get(*index));
        let widest = of_layer.fold(0.0_f64, |widest, width| widest.max(*width));
        lefts.push((x, widest));
        x += widest + LAYER_GAP;
    }
    let left_of = |layer: usize| lefts.get(layer).copied().unwrap_or_default();
    let nodes: Vec<Position> = items
        .iter()
        .take(count)
        .map(|item| Position { layer: item.layer, x: left_of(item.layer).0, y: item.y })
        .collect();
    let paths = forward.iter().zip(ways).map(|(edge, way)| {
        edge.map_or_else(Vec::new, |edge| path(edge, &way, widths, &nodes, &items, &left_of))
    });
    let bottom = items.iter().fold(0.0_f64, |bottom, item| bottom.max(item.y));
    Layout {
        edges: paths.collect(),
        nodes,
        width: x - LAYER_GAP + MARGIN,
        height: bottom + NODE_HEIGHT / 2.0 + MARGIN,
    }
}

/// An edge in the direction in which it is drawn.
#[derive(Debug, Clone, Copy)]
struct Edge {
    from: usize,
    to: usize,
    /// It closes a circle, and is drawn the other way round.
    is_turned: bool,
}

/// The edges, with those turned that lead back to a node they come from.
fn acyclic(count: usize, edges: &[(usize, usize)]) -> Vec<Option<Edge>> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        Open,
        Done,
    }
    let mut next = vec![Vec::new(); count];
    let mut entered = vec![false; count];
    for (index, (from, to)) in edges.iter().enumerate() {
        if *from != *to
            && *to < count
            && let Some(list) = next.get_mut(*from)
        {
            list.push((index, *to));
            if let Some(entered) = entered.get_mut(*to) {
                *entered = true;
            }
        }
    }
    let mut drawn: Vec<Option<Edge>> = vec![None; edges.len()];
    let mut seen = vec![Seen::No; count];
    // Nodes that nothing leads to come first, so that circles are cut where they lead back.
    let (inner, outer): (Vec<usize>, Vec<usize>) =
        (0..count).partition(|node| entered.get(*node).copied().unwrap_or(false));
    for start in outer.into_iter().chain(inner) {
        let mut stack = vec![(start, 0)];
        while let Some((node, at)) = stack.pop() {
            let Some(state) = seen.get_mut(node) else { continue };
            if at == 0 {
                if *state != Seen::No {
                    continue;
                }
                *state = Seen::Open;
            }
            let edge = next.get(node).and_then(|list: &Vec<(usize, usize)>| list.get(at));
            let Some((index, to)) = edge.copied() else {
                *state = Seen::Done;
                continue;
            };
            stack.push((node, at + 1));
            let back = seen.get(to) == Some(&Seen::Open);
            let (from, to_drawn) = if back { (to, node) } else { (node, to) };
            if let Some(slot) = drawn.get_mut(index) {
                *slot = Some(Edge { from, to: to_drawn, is_turned: back });
            }
            if seen.get(to) == Some(&Seen::No) {
                stack.push((to, 0));
            }
        }
    }
    drawn
}

/// Each node's layer: one more than the last of those that lead to it.
fn layers(count: usize, edges: &[Option<Edge>]) -> Vec<usize> {
    let mut after = vec![Vec::new(); count];
    let mut waits_for = vec![0_usize; count];
    for edge in edges.iter().flatten() {
        if let (Some(list), Some(number)) = (after.get_mut(edge.from), waits_for.get_mut(edge.to)) {
            list.push(edge.to);
            *number += 1;
        }
    }
    let mut layer_of = vec![0_usize; count];
    let mut ready: Vec<usize> =
        (0..count).filter(|node| waits_for.get(*node) == Some(&0)).collect();
    while let Some(node) = ready.pop() {
        let layer = layer_of.get(node).copied().unwrap_or(0) + 1;
        for to in after.get(node).into_iter().flatten() {
            if let Some(slot) = layer_of.get_mut(*to) {
                *slot = layer.max(*slot);
            }
            if let Some(number) = waits_for.get_mut(*to) {
                *number -= 1;
                if *number == 0 {
                    ready.push(*to);
                }
            }
        }
    }
    layer_of
}

/// The nodes, then the points of long edges, each with its neighbours, and the points of each edge.
fn items(layer_of: &[usize], edges: &[Option<Edge>]) -> (Vec<Item>, Vec<Vec<usize>>) {
    let mut items: Vec<Item> = layer_of
        .iter()
        .map(|layer| Item { layer: *layer, is_node: true, ..Item::default() })
        .collect();
    let layer = |node: usize| layer_of.get(node).copied().unwrap_or(0);
    // The points on the way to each node, the one next to it first.
    let mut points: Vec<Vec<usize>> = vec![Vec::new(); layer_of.len()];
    let mut ways = Vec::with_capacity(edges.len());
    for edge in edges {
        let Some(Edge { from, to, .. }) = *edge else {
            ways.push(Vec::new());
            continue;
        };
        let between = layer(to).saturating_sub(layer(from) + 1);
        let Some(points) = points.get_mut(to) else {
            ways.push(Vec::new());
            continue;
        };
        let mut way: Vec<usize> = Vec::new();
        let mut last = to;
        if items.len().saturating_add(between) <= layer_of.len() + MOST_POINTS {
            for step in 0..between {
                let point = points.get(step).copied().unwrap_or_else(|| {
                    let layer = layer(to).saturating_sub(step + 1);
                    let point = items.len();
                    items.push(Item { layer, ..Item::default() });
                    points.push(point);
                    join(&mut items, point, last);
                    point
                });
                way.push(point);
                last = point;
            }
        }
        join(&mut items, from, last);
        way.reverse();
        ways.push(way);
    }
    (items, ways)
}

fn join(items: &mut [Item], from: usize, to: usize) {
    if let Some(item) = items.get_mut(from) {
        item.after.push(to);
    }
    if let Some(item) = items.get_mut(to) {
        item.before.push(from);
    }
}

/// The points of an edge, from the side of the node that requires to that of the required one.
fn path(
    edge: Edge,
    way: &[usize],
    widths: &[f64],
    nodes: &[Position],
    items: &[Item],
    left_of: &impl Fn(usize) -> (f64, f64),
) -> Vec<(f64, f64)> {
    let (Some(from), Some(to)) = (nodes.get(edge.from), nodes.get(edge.to)) else {
        return Vec::new();
    };
    let width = widths.get(edge.from).copied().unwrap_or(0.0);
    let mut points = vec![(from.x + width, from.y)];
    for item in way.iter().filter_map(|index| items.get(*index)) {
        let (left, wide) = left_of(item.layer);
        points.push((left, item.y));
        points.push((left + wide, item.y));
    }
    points.push((to.x, to.y));
    if edge.is_turned {
        points.reverse();
    }
    points
}

/// The mean of where they are; none where there are none.
fn middle<'i>(neighbours: impl Iterator<Item = &'i usize>, at: &[f64]) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for index in neighbours {
        sum += at.get(*index).copied().unwrap_or(0.0);
        count += 1.0;
    }
    (count > 0.0).then(|| sum / count)
}

#[cfg(test)]
mod tests;
