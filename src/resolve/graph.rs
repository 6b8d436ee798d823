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

impl Graph {
    /// For each package the shortest chain from one that the user named to it, both included; of
    /// several the one whose names come first. Empty where nothing leads to it.
    #[must_use]
    pub fn chains(&self) -> Vec<Vec<usize>> {
        let mut chains = vec![Vec::new(); self.nodes.len()];
        let mut queue: VecDeque<usize> = VecDeque::new();
        let by_name = |list: &mut Vec<usize>| {
            list.sort_by_key(|index| self.nodes.get(*index).map(|node| &node.name));
        };
        let mut direct: Vec<usize> =
            (0..self.nodes.len()).filter(|index| self.nodes[*index].direct.is_some()).collect();
        by_name(&mut direct);
        for index in direct {
            chains[index] = vec![index];
            queue.push_back(index);
        }
        while let Some(index) = queue.pop_front() {
            let mut requires = self.nodes[index].requires.clone();
            by_name(&mut requires);
            for next in requires {
                let chain = [chains[index].as_slice(), &[next]].concat();
                if let Some(known) = chains.get_mut(next).filter(|known| known.is_empty()) {
                    *known = chain;
                    queue.push_back(next);
                }
            }
        }
        chains
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
