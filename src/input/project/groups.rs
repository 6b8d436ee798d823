//! Dependency groups (PEP 735), each with those that it includes.

use std::collections::BTreeMap;

use super::super::InputError;
use super::super::document::{Item, Table};
use crate::model::requirement::GroupName;

/// Elements of all groups together; a file that goes beyond it was made to.
const MAX_ELEMENTS: usize = 100_000;

/// The groups of a file, in its order, and the texts of each: its own, and those of the groups it
/// includes, where it includes them.
///
/// # Errors
/// Where a group includes itself or one that is not there, two are of one name, or an element is of
/// another kind.
pub(crate) fn expanded(root: Table<'_>) -> Result<Vec<(GroupName, Vec<Item<'_>>)>, InputError> {
    let mut names = Vec::new();
    let mut groups: BTreeMap<GroupName, Item<'_>> = BTreeMap::new();
    for item in root.table("dependency-groups")?.into_iter().flat_map(Table::items) {
        let name = GroupName::new(item.key());
        if groups.insert(name.clone(), item).is_some() {
            return Err(InputError::at(
                item.key_location(),
                format!("expected groups of different names, found `{name}` twice"),
            ));
        }
        names.push(name);
    }
    let mut expander = Expander { groups: &groups, open: Vec::new(), elements: 0 };
    names
        .into_iter()
        .map(|name| {
            let mut items = Vec::new();
            let group = groups.get(&name).copied();
            if let Some(group) = group {
                expander.expand(&name, group, &mut items)?;
            }
            Ok((name, items))
        })
        .collect()
}

struct Expander<'a, 'd> {
    groups: &'a BTreeMap<GroupName, Item<'d>>,
    /// The groups being expanded, each included by the one before.
    open: Vec<GroupName>,
    elements: usize,
}

impl<'d> Expander<'_, 'd> {
    fn expand(
        &mut self,
        name: &GroupName,
        group: Item<'d>,
        items: &mut Vec<Item<'d>>,
    ) -> Result<(), InputError> {
        self.open.push(name.clone());
        for element in group.list()? {
            self.elements += 1;
            if self.elements > MAX_ELEMENTS {
                return Err(element.error("too many elements in dependency groups"));
            }
            if element.as_text().is_some() {
                items.push(element);
            } else {
                self.include(element, items)?;
            }
        }
        self.open.pop();
        Ok(())
    }

    fn include(&mut self, element: Item<'d>, items: &mut Vec<Item<'d>>) -> Result<(), InputError> {
        let expected = "a requirement or `{ include-group = \"NAME\" }`";
        let table = element.table().map_err(|_| element.unexpected(expected))?;
        let mut entries = table.items();
        let (Some(included), None) = (entries.next(), entries.next()) else {
            return Err(element.unexpected(expected));
        };
        if included.key() != "include-group" {
            return Err(element.unexpected(expected));
        }
        let name = GroupName::new(included.text()?);
        if self.open.contains(&name) {
            return Err(included.error(format!("the group `{name}` includes itself")));
        }
        let Some(group) = self.groups.get(&name).copied() else {
            return Err(included.error(format!("expected the name of a group, found `{name}`")));
        };
        self.expand(&name, group, items)
    }
}
