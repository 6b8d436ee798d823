//! How far down each node stands.

use super::{Item, MARGIN, NODE_HEIGHT, middle};

/// Passes over the layers.
const PASSES: usize = 8;
/// Distances from the middle of one to the middle of the next in the same layer.
const NODE_STEP: f64 = 34.0;
const POINT_STEP: f64 = 12.0;

/// Moves everything to the middle of its neighbours, as near as the order and the distances allow.
pub(super) fn place(items: &mut [Item], order: &[Vec<usize>]) {
    let mut at: Vec<f64> = vec![0.0; items.len()];
    for layer in order {
        let offsets = offsets(items, layer);
        for (index, offset) in layer.iter().zip(offsets) {
            if let Some(slot) = at.get_mut(*index) {
                *slot = offset;
            }
        }
    }
    for pass in 0..PASSES {
        let forward = pass % 2 == 0;
        for step in 0..order.len() {
            let number = if forward { step } else { order.len() - 1 - step };
            let Some(layer) = order.get(number) else { continue };
            let offsets = offsets(items, layer);
            let wanted: Vec<f64> = layer
                .iter()
                .zip(&offsets)
                .map(|(index, offset)| {
                    let item = items.get(*index);
                    let near = item.map(|item| if forward { &item.before } else { &item.after });
                    let own = at.get(*index).copied().unwrap_or(0.0);
                    middle(near.into_iter().flatten(), &at).unwrap_or(own) - offset
                })
                .collect();
            for ((index, base), offset) in layer.iter().zip(rising(&wanted)).zip(&offsets) {
                if let Some(slot) = at.get_mut(*index) {
                    *slot = base + offset;
                }
            }
        }
    }
    let top = at.iter().fold(f64::INFINITY, |top, y| top.min(*y));
    for (item, y) in items.iter_mut().zip(at) {
        item.y = y - top + MARGIN + NODE_HEIGHT / 2.0;
    }
}

/// How far below the first of a layer each has to be at least.
fn offsets(items: &[Item], layer: &[usize]) -> Vec<f64> {
    let step = |index: &usize| {
        if items.get(*index).is_some_and(|item| item.is_node) { NODE_STEP } else { POINT_STEP }
    };
    let mut offsets = Vec::with_capacity(layer.len());
    let (mut y, mut last) = (0.0, None);
    for index in layer {
        if let Some(last) = last {
            y += f64::midpoint(last, step(index));
        }
        last = Some(step(index));
        offsets.push(y);
    }
    offsets
}

/// The rising numbers that are nearest to the wanted ones: neighbours that would fall are pooled.
fn rising(wanted: &[f64]) -> Vec<f64> {
    let mut pools: Vec<(f64, f64)> = Vec::new();
    for value in wanted {
        let mut pool = (*value, 1.0);
        while let Some(last) = pools.last()
            && last.0 / last.1 > pool.0 / pool.1
        {
            pool = (pool.0 + last.0, pool.1 + last.1);
            pools.pop();
        }
        pools.push(pool);
    }
    let mut numbers = Vec::with_capacity(wanted.len());
    for (sum, count) in pools {
        let mut left = count;
        while left > 0.5 {
            numbers.push(sum / count);
            left -= 1.0;
        }
    }
    numbers
}
