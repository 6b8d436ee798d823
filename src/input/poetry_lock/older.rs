//! Versions 1.0, 1.1 and 2.0 (poetry 1.0 to 1.8): a package does not say when it is installed.
//!
//! It follows from a walk, from what pyproject.toml beside the lock asks for over what each package
//! depends on, as poetry's solver makes it with nothing but the packages of the lock.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use pep508_rs::{ExtraName, MarkerTree, PackageName};

use super::super::document::{Document, Table};
use super::super::locked::ranges::{EdgeList, Releases, Required};
use super::super::locked::{self, Digests};
use super::super::project::{Project, leading_name};
use super::super::pyproject::{self, Tool, poetry};
use super::super::{InputError, Source};
use super::schema::{Lock, Package};
use super::{HINT, Reader};
use crate::model::location::Location;
use crate::model::lock::{Edge, Root, Walk};
use crate::model::requirement::{GroupName, Section};

/// What poetry did not lock (`Provider.UNSAFE_PACKAGES`): they are of the environment that it
/// installs into.
const OF_THE_ENVIRONMENT: [&str; 4] = ["setuptools", "distribute", "pip", "wheel"];

/// Adds packages, and what leads to them.
pub(super) fn read(
    reader: &mut Reader<'_>,
    lock: &Lock,
    project: Option<&Project>,
    notes: &mut Vec<String>,
) -> Result<(), InputError> {
    for spanned in &lock.packages {
        let location = reader.source.location(spanned.span().start);
        let package = spanned.get_ref();
        let digests = digests(lock, package, &location)?;
        let package = reader.package(package, digests, location)?;
        reader.graph.packages.push(package);
    }
    let Some(project) = project else {
        notes.push(
            "there is no pyproject.toml beside the lock, which alone tells what is installed of it: \
             every package was taken that is not optional, whatever its markers"
                .to_owned(),
        );
        return everything(reader, lock);
    };
    let (asks, sections) = pyproject::asks_of_locked(project, Tool::Poetry)?;
    reader.sections = sections;
    // What lies behind the packages in the graph is what is not locked.
    let source =
        Source::of_text(&reader.source.path, &reader.source.shown, reader.source.text.clone());
    let document = Document::parse(source)?;
    let mut releases = Releases::new(&mut reader.graph)?;
    releases.left_out =
        OF_THE_ENVIRONMENT.iter().filter_map(|name| PackageName::from_str(name).ok()).collect();
    releases.require_asks(asks, |required| (required, false));
    for (index, item) in document.root().list("package")?.into_iter().enumerate() {
        let (dependencies, extras) = edges(item.table()?, &item.location(), &mut releases)?;
        releases.set(index, dependencies, extras);
    }
    reader.gaps.extend(releases.gaps());
    if !releases.not_locked.is_empty() {
        let names: Vec<_> = releases.not_locked.iter().map(ToString::to_string).collect();
        notes.push(format!(
            "poetry of that time locked nothing of {}, which come with the environment",
            names.join(", ")
        ));
    }
    Ok(())
}

/// Without the project, every package is a root.
fn everything(reader: &mut Reader<'_>, lock: &Lock) -> Result<(), InputError> {
    reader.graph.walk = Walk::Roots;
    for (target, spanned) in lock.packages.iter().enumerate() {
        let package = spanned.get_ref();
        let location = reader.source.location(spanned.span().start);
        let text = package.marker.as_deref();
        let marker = text.map(|text| locked::marker(text, &package.name, &location)).transpose()?;
        let marker = marker.unwrap_or(MarkerTree::TRUE);
        let mut sections = Vec::new();
        if package.optional {
            let wanting = lock.extras.iter().filter(|(_, names)| {
                names.iter().any(|name| leading_name(name).as_ref() == Some(&package.name))
            });
            sections.extend(wanting.map(|(extra, _)| Section::Extra(extra.clone())));
        } else if package.category.as_deref().is_none_or(|category| category == super::MAIN) {
            sections.push(Section::Base);
        } else if let Some(category) = &package.category {
            let group = GroupName::new(category);
            reader.sections.groups.insert(group.clone());
            reader.sections.default_groups.insert(group.clone());
            sections.push(Section::Group(group));
        }
        for section in sections {
            let edge = Edge { target, extras: Vec::new(), marker: marker.clone() };
            reader.graph.roots.push(Root { section, edge });
        }
    }
    reader.add_edges(lock);
    Ok(())
}

/// The digests of a package's files, which stood at the end of the file before version 2.0.
fn digests(lock: &Lock, package: &Package, location: &Location) -> Result<Digests, InputError> {
    let metadata = &lock.metadata;
    let name = &package.name;
    if let Some(files) = &metadata.files {
        let Some(files) = files.get(name) else { return Err(no_files(package, location)) };
        return Digests::parse(files.iter().map(|file| file.hash.as_str()), location);
    }
    if let Some(hashes) = &metadata.hashes {
        let Some(hashes) = hashes.get(name) else { return Err(no_files(package, location)) };
        let texts: Vec<String> = hashes.iter().map(|hash| format!("sha256:{hash}")).collect();
        return Digests::parse(texts.iter().map(String::as_str), location);
    }
    match &package.files {
        Some(files) => Digests::parse(files.iter().map(|file| file.hash.as_str()), location),
        None => Err(no_files(package, location)),
    }
}

fn no_files(package: &Package, location: &Location) -> InputError {
    let problem = format!("expected files of `{}`, found none", package.name);
    InputError::at(location.clone(), problem).hint(HINT)
}

/// What a package depends on, and what its extras do.
fn edges(
    package: Table<'_>,
    location: &Location,
    releases: &mut Releases<'_>,
) -> Result<(EdgeList, BTreeMap<ExtraName, EdgeList>), InputError> {
    let of_extras = names_of_extras(package)?;
    let (mut base, mut extras) = (EdgeList::default(), BTreeMap::new());
    for dependency in poetry::locked_dependencies(package.table("dependencies")?)? {
        let mut require = |list: &mut EdgeList, marker: MarkerTree| {
            let (name, extras) = (dependency.name.clone(), dependency.extras.clone());
            let required = Required { name, extras, marker };
            releases.require(list, required, location, |locked| {
                let version = locked.version.as_ref();
                let constraint = dependency.constraint.as_ref();
                constraint.is_none_or(|range| version.is_some_and(|version| range.allows(version)))
            });
        };
        if !dependency.is_optional {
            require(&mut base, dependency.marker.clone());
        }
        for extra in of_extras.get(&dependency.name).into_iter().flatten() {
            let chosen = std::slice::from_ref(extra);
            let marker = dependency.marker.clone().simplify_extras(chosen);
            if dependency.is_optional || marker != dependency.marker {
                require(extras.entry(extra.clone()).or_default(), marker);
            }
        }
    }
    Ok((base, extras))
}

/// The extras that ask for each name.
fn names_of_extras(
    package: Table<'_>,
) -> Result<BTreeMap<PackageName, Vec<ExtraName>>, InputError> {
    let mut names: BTreeMap<PackageName, Vec<ExtraName>> = BTreeMap::new();
    for item in package.table("extras")?.into_iter().flat_map(Table::items) {
        // One of another name cannot be asked for.
        let Ok(extra) = ExtraName::from_str(item.key()) else { continue };
        for listed in item.list()? {
            if let Some(name) = leading_name(listed.text()?) {
                names.entry(name).or_default().push(extra.clone());
            }
        }
    }
    Ok(names)
}
