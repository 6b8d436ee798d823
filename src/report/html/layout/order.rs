//! The order of the nodes in each layer, so that few edges cross.

use super::{Item, middle};

/// Passes over the layers.
const PASSES: usize = 12;

/// Orders each layer by where the neighbours stand, from left to right and back again.
pub(super) fn sort_layers(items: &[Item], order: &mut [Vec<usize>]) {
    let mut rank = vec![0.0_f64; items.len()];
    let note = |layer: &[usize], rank: &mut Vec<f64>| {
        let mut at = 0.0;
        for index in layer {
            if let Some(slot) = rank.get_mut(*index) {
                *slot = at;
            }
            at += 1.0;
        }
    };
    for layer in order.iter() {
        note(layer, &mut rank);
    }
    let mut best = order.to_vec();
    let mut fewest = crossings(items, order, &rank);
    for pass in 0..PASSES {
        let forward = pass % 2 == 0;
        let count = order.len();
        for step in 0..count {
            let at = if forward { step } else { count - 1 - step };
            let Some(layer) = order.get_mut(at) else { continue };
            layer.sort_by_cached_key(|index| {
                let item = items.get(*index);
                let neighbours = item.map(|item| if forward { &item.before } else { &item.after });
                let own = rank.get(*index).copied().unwrap_or(0.0);
                let middle = middle(neighbours.into_iter().flatten(), &rank).unwrap_or(own);
                Ranked(middle)
            });
            note(layer, &mut rank);
        }
        let now = crossings(items, order, &rank);
        if now < fewest {
            fewest = now;
            best.clone_from_slice(order);
        }
    }
    order.clone_from_slice(&best);
}

/// A float with the order of IEEE 754.
#[derive(Debug, Clone, Copy)]
struct Ranked(f64);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// How many edges cross: pairs that stand in another order on their other side.
fn crossings(items: &[Item], order: &[Vec<usize>], rank: &[f64]) -> usize {
    let mut total = 0_usize;
    for layer in order {
        let mut ends: Vec<Ranked> = Vec::new();
        for index in layer {
            let Some(item) = items.get(*index) else { continue };
            let mut of_item: Vec<Ranked> =
                item.after.iter().map(|to| Ranked(rank.get(*to).copied().unwrap_or(0.0))).collect();
            of_item.sort();
            ends.extend(of_item);
        }
        total = total.saturating_add(inversions(&mut ends));
    }
    total
}

/// Pairs in the wrong order, by merging sorted halves.
fn inversions(list: &mut [Ranked]) -> usize {
    if list.len() < 2 {
        return 0;
    }
    let half = list.len() / 2;
    let (left, right) = list.split_at_mut(half);
    let mut count = inversions(left) + inversions(right);
    let mut below = 0;
    for one in left.iter() {
        below += right.iter().skip(below).take_while(|other| *other < one).count();
        count += below;
    }
    list.sort();
    count
}
