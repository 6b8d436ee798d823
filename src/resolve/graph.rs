//! What requires what among the packages that are installed, and the shortest way from what the user
//! named to each of them.

use std::collections::VecDeque;

use crate::model::location::Location;

/// Packages and what they require.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    /// The packages; others name them by their place here.
    pub nodes: Vec<Node>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The normalized name.
    pub name: String,
    /// The release, where one was decided on.
    pub version: Option<String>,
    /// Whether the user's own files name it, and where.
    pub direct: Option<Location>,
    /// What it requires here, sorted.
    pub requires: Vec<usize>,
}

/// Nobody reads longer ways from one package to another. One that is longer is this long, and between
/// its two halves others are left out.
pub const LONGEST_CHAIN: usize = 200;

/// How a package is reached.
#[derive(Clone, Copy)]
struct Way {
    /// What requires it; `None` for what the user named.
    before: Option<usize>,
    /// How many packages are on the way, both ends included.
    length: usize,
    /// The last one of the first half of the longest chain, on the way to it.
    half: usize,
}

/// The chain to one package, by the ways to all.
fn chain(ways: &[Option<Way>], index: usize) -> Vec<usize> {
    let (mut at, mut chain) = (Some(index), Vec::new());
    while let Some((here, way)) = at.and_then(|here| Some((here, (*ways.get(here)?)?))) {
        let is_in_middle = chain.len() == LONGEST_CHAIN / 2 && way.length > LONGEST_CHAIN / 2;
        if is_in_middle {
            chain.push(way.half);
            at = ways.get(way.half).copied().flatten().and_then(|way| way.before);
            continue;
        }
        chain.push(here);
        at = way.before;
    }
    chain.reverse();
    chain
}

impl Graph {
    /// For each package the shortest chain from one that the user named to it, both included; of
    /// several the one whose names come first. Empty where nothing leads to it. Of one that is longer
    /// than [`LONGEST_CHAIN`] the middle is left out.
    #[must_use]
    pub fn chains(&self) -> Vec<Vec<usize>> {
        let mut ways: Vec<Option<Way>> = vec![None; self.nodes.len()];
        let mut queue: VecDeque<usize> = VecDeque::new();
        let by_name = |list: &mut Vec<usize>| {
            list.sort_by_key(|index| self.nodes.get(*index).map(|node| &node.name));
        };
        let mut direct: Vec<usize> =
            (0..self.nodes.len()).filter(|index| self.nodes[*index].direct.is_some()).collect();
        by_name(&mut direct);
        for index in direct {
            ways[index] = Some(Way { before: None, length: 1, half: index });
            queue.push_back(index);
        }
        while let Some(index) = queue.pop_front() {
            let Some(way) = ways[index] else { continue };
            let length = way.length + 1;
            let mut requires = self.nodes[index].requires.clone();
            by_name(&mut requires);
            for next in requires {
                if let Some(unknown) = ways.get_mut(next).filter(|known| known.is_none()) {
                    let half = if length > LONGEST_CHAIN / 2 { way.half } else { next };
                    *unknown = Some(Way { before: Some(index), length, half });
                    queue.push_back(next);
                }
            }
        }
        (0..self.nodes.len()).map(|index| chain(&ways, index)).collect()
    }

    /// The place in a chain before which others are left out, if any are.
    #[must_use]
    pub fn left_out(&self, chain: &[usize]) -> Option<usize> {
        let middle = LONGEST_CHAIN / 2;
        let before = self.nodes.get(*chain.get(middle - 1)?)?;
        (!before.requires.contains(chain.get(middle)?)).then_some(middle)
    }

    /// Whether each package is `wanted` or leads to one that is.
    #[must_use]
    pub fn leading_to(&self, wanted: impl Fn(&Node) -> bool) -> Vec<bool> {
        let mut leads: Vec<bool> = self.nodes.iter().map(wanted).collect();
        let mut required_by: Vec<Vec<usize>> = vec![Vec::new(); self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            for required in &node.requires {
                if let Some(list) = required_by.get_mut(*required) {
                    list.push(index);
                }
            }
        }
        let mut queue: Vec<usize> = (0..leads.len()).filter(|index| leads[*index]).collect();
        while let Some(index) = queue.pop() {
            for parent in &required_by[index] {
                if !leads[*parent] {
                    leads[*parent] = true;
                    queue.push(*parent);
                }
            }
        }
        leads
    }
}
