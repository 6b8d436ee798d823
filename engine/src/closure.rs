//! A module and the libraries of its wheel that it needs, in the order in which the dynamic loader
//! looks for a symbol: the module, what it needs, what those need.

use crate::emulate::Loaded;
use crate::image::{Export, Image};
use crate::libraries::{Libraries, Library};

/// Each library takes its own stretch of the memory that a run sees, and more of them would reach
/// into what lies behind.
const MAX_LIBRARIES: usize = 160;

/// The module, and what is at hand of the libraries it needs.
pub(super) struct Closure<'a> {
    /// Paths in the wheel; that of the module comes first.
    members: Vec<String>,
    images: Vec<Image<'a>>,
    missing: Vec<Missing>,
}

/// A library of the wheel that was not fetched.
struct Missing {
    member: String,
    size: u64,
    /// How many links it is away from the module.
    depth: usize,
}

/// Libraries up to this size in bytes are fetched together.
const SMALL: u64 = 4 << 20;

impl<'a> Closure<'a> {
    /// # Errors
    /// Where a library is damaged, or there are too many of them.
    pub(super) fn of(
        member: &str,
        module: Image<'a>,
        libraries: &'a Libraries,
    ) -> Result<Self, String> {
        let mut closure =
            Self { members: vec![member.to_owned()], images: vec![module], missing: Vec::new() };
        let mut depths = vec![0];
        let mut at = 0;
        while at < closure.images.len() {
            let (by, depth) = (closure.members[at].clone(), depths[at] + 1);
            let needed: Vec<String> = closure.images[at].needed().map(str::to_owned).collect();
            for name in needed {
                match libraries.find(&name, &by, closure.images[at].search_paths()) {
                    Library::Elsewhere => {}
                    Library::Missing { member, size } => {
                        if closure.missing.iter().all(|known| known.member != member) {
                            let member = member.to_owned();
                            closure.missing.push(Missing { member, size, depth });
                        }
                    }
                    Library::Here { member, bytes } => {
                        if closure.members.iter().any(|known| known == member) {
                            continue;
                        }
                        if closure.images.len() > MAX_LIBRARIES {
                            return Err(format!(
                                "it needs more than {MAX_LIBRARIES} libraries of its wheel"
                            ));
                        }
                        let image = closure.load(bytes).map_err(|problem| {
                            format!("it needs `{name}`, which cannot be loaded: {problem}")
                        })?;
                        closure.members.push(member.to_owned());
                        closure.images.push(image);
                        depths.push(depth);
                    }
                }
            }
            at += 1;
        }
        Ok(closure)
    }

    /// A library, of a universal binary the one for the module's processor.
    fn load(&self, bytes: &'a [u8]) -> Result<Image<'a>, String> {
        let machine = self.module().machine();
        let mut problem = "it has no code for the module's processor".to_owned();
        for slice in Image::slices(bytes) {
            match Image::load(slice) {
                Ok(image) if image.machine() == machine => return Ok(image),
                Ok(_) => {}
                Err(error) => problem = error.to_string(),
            }
        }
        Err(problem)
    }

    pub(super) fn module(&self) -> &Image<'a> {
        // Made with one.
        &self.images[0]
    }

    /// The library that has the exported symbol, as `dlsym` finds it, and its place.
    pub(super) fn export(&self, name: &str) -> Option<(usize, &Export<'a>)> {
        let mut images = self.images.iter().enumerate();
        images.find_map(|(index, image)| image.export(name).map(|place| (index, place)))
    }

    /// The path of a library, by its place.
    pub(super) fn member(&self, index: usize) -> Option<&str> {
        self.members.get(index).map(String::as_str)
    }

    /// The libraries as they are seen by a run.
    pub(super) fn loaded(&self) -> Vec<Loaded<'_, 'a>> {
        self.members
            .iter()
            .zip(&self.images)
            .map(|(member, image)| Loaded {
                name: member.rsplit('/').next().unwrap_or(member),
                image,
            })
            .collect()
    }

    /// The libraries to fetch next, none where all are here: of those not at hand the nearest,
    /// which the loader searches first.
    pub(super) fn wanted(&self) -> Vec<String> {
        let nearest = self.missing.iter().map(|missing| missing.depth).min();
        let missing = self.missing.iter().filter(|missing| Some(missing.depth) == nearest);
        missing.map(|missing| missing.member.clone()).collect()
    }

    /// The libraries to fetch next for a symbol that none at hand has.
    ///
    /// What C++ calls by a mangled name is the same wherever it is defined (the one-definition
    /// rule), so that small libraries are looked at before large ones, which may be hundreds of
    /// megabytes; for other names the loader's order is kept.
    pub(super) fn wanted_for(&self, symbol: &str) -> Vec<String> {
        let is_mangled = symbol.starts_with("_Z") || symbol.starts_with('?');
        let smallest = self.missing.iter().map(|missing| missing.size).min();
        let Some(smallest) = smallest.filter(|_| is_mangled) else { return self.wanted() };
        let missing = self.missing.iter().filter(|one| one.size <= smallest.max(SMALL));
        missing.map(|missing| missing.member.clone()).collect()
    }
}
