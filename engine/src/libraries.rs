//! The libraries that lie in the same wheel as a module, and where a loader looks for them.
//!
//! The dynamic loader looks for a symbol in a library and in everything that it needs, so an answer
//! may hang on more files than one. Inspecting never fetches: it says which files it lacks, and is
//! asked again once they are here.

use std::collections::BTreeMap;

use crate::filename::installed_path;

/// The shared libraries of a wheel, by their paths in it.
#[derive(Debug, Default)]
pub struct Libraries {
    members: BTreeMap<String, Member>,
}

/// A library of the wheel.
#[derive(Debug)]
struct Member {
    size: u64,
    /// `None` where they were not fetched.
    bytes: Option<Vec<u8>>,
}

/// What is known of a library that another one needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library<'a> {
    /// It is not in the wheel: the system has it, or another distribution, or nobody.
    Elsewhere,
    /// It is in the wheel, and was not fetched yet.
    Missing {
        /// Its path.
        member: &'a str,
        /// Its size in bytes.
        size: u64,
    },
    /// It is in the wheel.
    Here {
        /// Its path.
        member: &'a str,
        /// Its bytes.
        bytes: &'a [u8],
    },
}

impl Libraries {
    /// The wheel's files of these paths and sizes in bytes, none of them fetched.
    #[must_use]
    pub fn named(members: impl Iterator<Item = (String, u64)>) -> Self {
        let members = members.map(|(member, size)| (member, Member { size, bytes: None }));
        Self { members: members.collect() }
    }

    /// Adds the bytes of one.
    pub fn insert(&mut self, member: String, bytes: Vec<u8>) {
        let size = bytes.len() as u64;
        self.members.insert(member, Member { size, bytes: Some(bytes) });
    }

    /// Looks up the library that the one at the path `by` asks for as `needed`, with these search
    /// paths: as the loaders of Linux (`ld.so(8)`), macOS (`dyld(1)`) and Windows do with what lies
    /// in the wheel.
    #[must_use]
    pub fn find<'s>(
        &self,
        needed: &str,
        by: &str,
        search_paths: impl Iterator<Item = &'s str>,
    ) -> Library<'_> {
        let folder = installed_path(by).rsplit_once('/').map_or("", |(folder, _)| folder);
        let name = needed.rsplit(['/', '\\']).next().unwrap_or(needed);
        let mut places: Vec<String> = Vec::new();
        if let Some(rest) = own_folder(needed) {
            places.push(format!("{folder}/{rest}"));
        } else {
            let rest = needed.strip_prefix("@rpath/").unwrap_or(name);
            for path in search_paths {
                if let Some(own) = own_folder(path) {
                    places.push(format!("{folder}/{own}/{rest}"));
                }
            }
            // Windows looks beside the library itself.
            places.push(format!("{folder}/{rest}"));
        }
        let found = places
            .iter()
            .map(|place| normalised(place))
            .find_map(|place| self.members.iter().find(|(member, _)| is_at(member, &place)))
            .or_else(|| self.by_name(name));
        match found {
            None => Library::Elsewhere,
            Some((member, Member { size, bytes: None })) => {
                Library::Missing { member, size: *size }
            }
            Some((member, Member { bytes: Some(bytes), .. })) => Library::Here { member, bytes },
        }
    }

    /// The one library of that name, wherever it lies: packages load libraries beforehand, or add
    /// folders to the search, in code of their own. Of several it is not known which.
    fn by_name(&self, name: &str) -> Option<(&String, &Member)> {
        let mut found = self.members.iter().filter(|(member, _)| {
            member.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name))
        });
        let first = found.next();
        first.filter(|_| found.next().is_none())
    }
}

/// The rest of a path that starts from the library's own folder.
fn own_folder(path: &str) -> Option<&str> {
    ["$ORIGIN", "${ORIGIN}", "@loader_path"]
        .into_iter()
        .find_map(|start| path.strip_prefix(start))
        .map(|rest| rest.trim_start_matches('/'))
}

/// Whether a member is installed at that place; Windows, whose names these may be, takes no heed of
/// case.
fn is_at(member: &str, place: &str) -> bool {
    let installed = installed_path(member);
    installed == place || place.ends_with(".dll") && installed.eq_ignore_ascii_case(place)
}

/// A path without `.` and `..`.
fn normalised(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
