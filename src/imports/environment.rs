//! The modules of all packages that would be installed side by side, by their names.
//!
//! Found as `FileFinder` of `importlib._bootstrap_external` finds them in one folder: a folder with
//! an `__init__` first, then a file, extension modules before source before bytecode, and a folder
//! without `__init__` last (PEP 420), which several packages may share.

mod lookup;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

pub(super) use self::lookup::relative;
use super::facts::{Facts, Name};
use super::parse::parse;
use crate::inspect::filename::suffixes;
use crate::model::evidence::Gil;
use crate::model::imports::ImportReport;
use crate::model::platform::Platform;
use crate::model::target::Target;

/// Places where a name is looked for that is searched elsewhere than usual.
const MAX_VENDORED: usize = 8;

/// The files of one installed package.
pub trait Files: Send + Sync {
    /// The paths of all of them, with `/` between the parts, as in the wheel.
    fn names(&self) -> &[String];

    /// The bytes of a Python file; `None` where they are not at hand.
    fn source(&self, member: &str) -> Option<Cow<'_, [u8]>>;

    /// The facts of a Python file; `None` where they are not at hand. They are kept by the
    /// environment once they were asked for.
    fn facts(&self, member: &str) -> Option<Arc<Facts>> {
        self.source(member).map(|source| Arc::new(parse(&source)))
    }
}

/// What is known of one extension module.
#[derive(Debug, Clone)]
pub struct Extension {
    /// Its path among the files.
    pub member: String,
    /// What loading it does.
    pub gil: Gil,
    /// Names that stand among its bytes, as [`super::mentions`] finds them, whether or not there are
    /// modules of these names: its own imports happen in compiled code.
    pub mentions: Vec<String>,
}

/// One package to be installed.
pub struct Distribution {
    /// Its normalized name.
    pub name: String,
    /// Its files.
    pub files: Arc<dyn Files>,
    /// Its extension modules; `None` where it was not inspected. A file that is named as a module
    /// and does not stand here has no hook, and importing it fails.
    pub extensions: Option<Vec<Extension>>,
}

/// A module of the environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct ModuleId(pub(super) u32);

/// What a module is made from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A folder without `__init__`.
    Folder,
    /// A Python file.
    Source { member: String },
    /// A compiled file, with the Python file of the same name beside it.
    Extension { member: String, source: Option<String> },
    /// Python bytecode alone.
    Bytecode,
}

/// The files that one name may be found in.
#[derive(Debug, Default, Clone)]
struct Found {
    /// Path and rank of the suffix; the lowest wins.
    extension: Option<(usize, String, usize)>,
    source: Option<(String, usize)>,
    bytecode: Option<usize>,
}

/// One name.
#[derive(Debug, Default)]
struct Node {
    name: Name,
    parent: Option<ModuleId>,
    children: BTreeMap<Name, ModuleId>,
    /// `name/__init__`
    package: Found,
    /// `name` with a suffix.
    file: Found,
    /// The packages that hold something of it.
    distributions: BTreeSet<usize>,
}

/// All packages side by side.
pub struct Environment {
    pub(super) target: Target,
    pub(super) platform: Platform,
    suffixes: Vec<String>,
    nodes: Vec<Node>,
    top: BTreeMap<Name, ModuleId>,
    distributions: Vec<Distribution>,
    extensions: HashMap<(usize, String), usize>,
    facts: Mutex<HashMap<ModuleId, Arc<Facts>>>,
    /// The modules that compiled ones name.
    mentioned: Mutex<HashMap<ModuleId, Arc<Vec<String>>>>,
    /// What importing top-level names does, once it was asked.
    pub(super) reports: Mutex<HashMap<String, ImportReport>>,
    /// Modules of which an answer has shown that executing them enables nothing.
    fine: Mutex<HashSet<ModuleId>>,
    /// Packages of which nothing is known, with the names that they may have.
    not_seen: Vec<(String, Option<Vec<String>>)>,
    /// What mypyc compiled the modules of a package into.
    groups_of: HashMap<usize, Vec<ModuleId>>,
}

impl Environment {
    /// One without packages.
    #[must_use]
    pub fn new(target: Target, platform: Platform) -> Self {
        Self {
            target,
            platform,
            suffixes: suffixes(target, platform).into_iter().map(|(suffix, _)| suffix).collect(),
            nodes: Vec::new(),
            top: BTreeMap::new(),
            distributions: Vec::new(),
            extensions: HashMap::new(),
            facts: Mutex::default(),
            mentioned: Mutex::default(),
            reports: Mutex::default(),
            fine: Mutex::default(),
            not_seen: Vec::new(),
            groups_of: HashMap::new(),
        }
    }

    /// Adds a package. Of two files for one path the later stays, as when one is installed over the
    /// other.
    pub fn add(&mut self, distribution: Distribution) {
        self.forget();
        let index = self.distributions.len();
        let files = Arc::clone(&distribution.files);
        for (at, extension) in distribution.extensions.iter().flatten().enumerate() {
            self.extensions.insert((index, extension.member.clone()), at);
        }
        self.distributions.push(distribution);
        for member in files.names() {
            self.add_member(index, member);
        }
    }

    /// Says that a package will be there of which nothing is known, so that an import that finds
    /// nothing is not taken to fail.
    ///
    /// Where the names are known that can be imported from it, no other name may be of it.
    pub fn add_not_seen(&mut self, name: String, top_level_names: Option<Vec<String>>) {
        self.forget();
        self.not_seen.push((name, top_level_names));
    }

    /// Forgets what hangs on all packages.
    fn forget(&mut self) {
        self.mentioned.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.reports.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.fine.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
        self.facts.get_mut().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn add_member(&mut self, distribution: usize, member: &str) {
        let Some(path) = importable_path(member) else { return };
        let mut parts: Vec<&str> = path.split('/').collect();
        let Some(file) = parts.pop() else { return };
        if parts.iter().any(|part| part.is_empty() || part.contains('.')) {
            return;
        }
        let (stem, kind) = match self.stem(file) {
            Some(found) => found,
            // Whatever lies in a folder makes it one that can be imported.
            None => ("__init__", None),
        };
        let is_init = stem == "__init__" && !parts.is_empty();
        let mut id = None;
        for part in parts.iter().chain((!is_init && kind.is_some()).then_some(&stem)) {
            let child = self.child_or_new(id, part);
            if let Some(node) = self.node_mut(child) {
                node.distributions.insert(distribution);
            }
            id = Some(child);
        }
        let (Some(id), Some(kind)) = (id, kind) else { return };
        let Some(node) = self.node_mut(id) else { return };
        let found = if is_init { &mut node.package } else { &mut node.file };
        match kind {
            Suffix::Extension(rank) => {
                let is_group = stem.ends_with("__mypyc");
                if found.extension.as_ref().is_none_or(|(best, ..)| rank <= *best) {
                    found.extension = Some((rank, member.to_owned(), distribution));
                }
                if is_group {
                    let groups = self.groups_of.entry(distribution).or_default();
                    if !groups.contains(&id) {
                        groups.push(id);
                    }
                }
            }
            Suffix::Source => found.source = Some((member.to_owned(), distribution)),
            Suffix::Bytecode => found.bytecode = Some(distribution),
        }
    }

    /// A file's name without a suffix that the interpreter tries.
    fn stem<'f>(&self, file: &'f str) -> Option<(&'f str, Option<Suffix>)> {
        let extensions = self.suffixes.iter().enumerate();
        let extensions =
            extensions.map(|(rank, suffix)| (suffix.as_str(), Suffix::Extension(rank)));
        let mut all = extensions.chain([(".py", Suffix::Source), (".pyc", Suffix::Bytecode)]);
        all.find_map(|(suffix, kind)| {
            let stem = file.strip_suffix(suffix)?;
            (!stem.is_empty() && !stem.contains('.')).then_some((stem, Some(kind)))
        })
    }

    fn child_or_new(&mut self, parent: Option<ModuleId>, name: &str) -> ModuleId {
        if let Some(found) = self.child(parent, name) {
            return found;
        }
        let id = ModuleId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX));
        self.nodes.push(Node { name: Name::new(name), parent, ..Node::default() });
        let siblings = match parent {
            None => Some(&mut self.top),
            Some(parent) => self.node_mut(parent).map(|node| &mut node.children),
        };
        if let Some(siblings) = siblings {
            siblings.insert(Name::new(name), id);
        }
        id
    }

    /// The module of that name within a package, or at the top.
    pub(super) fn child(&self, parent: Option<ModuleId>, name: &str) -> Option<ModuleId> {
        match parent {
            None => self.top.get(name).copied(),
            Some(parent) => self.node(parent)?.children.get(name).copied(),
        }
    }

    fn node(&self, id: ModuleId) -> Option<&Node> {
        self.nodes.get(id.0 as usize)
    }

    fn node_mut(&mut self, id: ModuleId) -> Option<&mut Node> {
        self.nodes.get_mut(id.0 as usize)
    }

    /// The module of a dotted name, wherever it lies.
    pub(super) fn find(&self, dotted: &str) -> Option<ModuleId> {
        let mut id = None;
        for part in dotted.split('.') {
            id = Some(self.child(id, part)?);
        }
        id
    }

    /// The modules that lie in no package.
    pub(super) fn top_level(&self) -> impl Iterator<Item = ModuleId> + '_ {
        self.top.values().copied()
    }

    /// All modules.
    pub(super) fn modules(&self) -> impl Iterator<Item = ModuleId> + use<> {
        (0..u32::try_from(self.nodes.len()).unwrap_or(u32::MAX)).map(ModuleId)
    }
}

impl Found {
    fn is_found(&self) -> bool {
        self.extension.is_some() || self.source.is_some() || self.bytecode.is_some()
    }
}

#[derive(Clone, Copy)]
enum Suffix {
    Extension(usize),
    Source,
    Bytecode,
}

/// Where a member lies below the folder that imports search, once installed (the binary
/// distribution format); `None` for what is installed elsewhere.
fn importable_path(member: &str) -> Option<&str> {
    let Some((first, rest)) = member.split_once('/') else { return Some(member) };
    if first.ends_with(".data") {
        return rest.strip_prefix("platlib/").or_else(|| rest.strip_prefix("purelib/"));
    }
    Some(member)
}

/// The names that can be imported from a wheel or package with these files: its packages, folders
/// that hold modules, Python files and extension modules. Sorted.
#[must_use]
pub fn top_level_names(members: &[String], target: Target, platform: Platform) -> Vec<String> {
    let mut environment = Environment::new(target, platform);
    for member in members {
        environment.add_member(0, member);
    }
    let names = environment.top.iter();
    let names = names.filter(|(name, id)| !name.contains('-') && environment.holds_module(**id));
    names.map(|(name, _)| name.to_string()).collect()
}

impl Environment {
    /// Whether it, or anything in it, is a file that can be imported.
    fn holds_module(&self, id: ModuleId) -> bool {
        let mut waiting = vec![id];
        while let Some(id) = waiting.pop() {
            if !self.is_folder(id) {
                return true;
            }
            waiting.extend(self.children(id));
        }
        false
    }
}
