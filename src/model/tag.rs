//! The compatibility tags of PEP 425 and the order in which a free-threaded interpreter prefers them.

use std::collections::HashMap;

use crate::model::platform::Platform;
use crate::model::target::Target;
use crate::model::wheel_filename::WheelFilename;

/// Every tag that an interpreter accepts, ranked.
///
/// The order is that of `packaging.tags.sys_tags` on a free-threaded build, which pip uses: the
/// interpreter's own ABI, `abi3t`, `none`, then `abi3t` of older releases, then the pure-Python
/// tags with a platform, and last those for `any` platform. `abi3` is absent: a free-threaded
/// interpreter cannot load it.
#[derive(Debug, Clone)]
pub struct TagOrder {
    /// Interpreter and ABI of the tags that need a platform, with their place.
    with_platform: HashMap<(String, String), usize>,
    /// Interpreter of the `none-any` tags, with their place.
    any_platform: HashMap<String, usize>,
    platforms: HashMap<String, usize>,
    platform_count: usize,
    with_platform_count: usize,
}

impl TagOrder {
    /// The tags of `target` on `platform`.
    #[must_use]
    pub fn new(target: Target, platform: Platform) -> Self {
        let interpreter = target.interpreter_tag();
        let mut pairs = vec![
            (interpreter.clone(), target.abi_tag()),
            (interpreter.clone(), "abi3t".to_owned()),
            (interpreter.clone(), "none".to_owned()),
        ];
        // The limited API starts with 3.2 (PEP 384).
        for minor in (2..target.minor()).rev() {
            pairs.push((format!("cp3{minor}"), "abi3t".to_owned()));
        }
        let pure = pure_interpreters(target);
        pairs.extend(pure.iter().map(|tag| (tag.clone(), "none".to_owned())));

        let mut any = vec![interpreter];
        any.extend(pure);

        let platforms: HashMap<_, _> =
            platform.tags().into_iter().enumerate().map(|(at, tag)| (tag, at)).collect();
        Self {
            platform_count: platforms.len(),
            with_platform_count: pairs.len(),
            with_platform: pairs.into_iter().enumerate().map(|(at, pair)| (pair, at)).collect(),
            any_platform: any.into_iter().enumerate().map(|(at, tag)| (tag, at)).collect(),
            platforms,
        }
    }

    /// The place of one tag, 0 being the best, or `None` where the interpreter refuses it.
    #[must_use]
    pub fn rank_of_tag(&self, interpreter: &str, abi: &str, platform: &str) -> Option<usize> {
        if platform == "any" {
            let at = self.any_platform.get(interpreter).filter(|_| abi == "none")?;
            return Some(self.with_platform_count * self.platform_count + at);
        }
        // First what most of a release's wheels are not for, and costs no copy.
        let platform = self.platforms.get(platform)?;
        let pair = self.with_platform.get(&(interpreter.to_owned(), abi.to_owned()))?;
        Some(pair * self.platform_count + platform)
    }

    /// Whether the interpreter would take the wheel on some other platform.
    #[must_use]
    pub fn accepts_elsewhere(&self, wheel: &WheelFilename) -> bool {
        wheel.tags().any(|(interpreter, abi, _)| {
            self.with_platform.contains_key(&(interpreter.to_owned(), abi.to_owned()))
        })
    }

    /// The best place among all tags that a wheel's compressed tag set stands for.
    #[must_use]
    pub fn rank(&self, wheel: &WheelFilename) -> Option<usize> {
        wheel
            .tags()
            .filter_map(|(interpreter, abi, platform)| self.rank_of_tag(interpreter, abi, platform))
            .min()
    }
}

/// `py314`, `py3`, `py313` … `py30`, as `packaging.tags._py_interpreter_range` yields them.
fn pure_interpreters(target: Target) -> Vec<String> {
    let mut tags = vec![format!("py3{}", target.minor()), "py3".to_owned()];
    tags.extend((0..target.minor()).rev().map(|minor| format!("py3{minor}")));
    tags
}
