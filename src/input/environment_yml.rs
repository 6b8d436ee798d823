//! Environment files of conda: packages by name and range, and requirements for pip below `pip:`.
//!
//! conda writes the entries below `pip:` into a requirements file beside the environment file and
//! has pip read that (`conda/env/installers/pip.py`), so they are all that such a file may hold.
//! What conda packages they would find installed is not known.

use std::path::{Path, PathBuf};

use super::requirement::Folders;
use super::yaml::{Document, Item, Table};
use super::{Format, Gap, InputError, Manifest, Source, locked, requirements_txt};
use crate::model::conda::{
    CondaAbi, CondaDependency, CondaEnvironment, CondaPackage, archive_name,
};
use crate::model::location::Location;
use crate::model::requirement::Section;

const HINT: &str = "an environment file lists conda packages under `dependencies`: `- python=3.14`";

pub(super) struct EnvironmentYml;

impl Format for EnvironmentYml {
    fn name(&self) -> &'static str {
        "environment.yml"
    }

    /// conda takes any name.
    fn recognises(&self, filename: &str) -> bool {
        filename.ends_with(".yml") || filename.ends_with(".yaml")
    }

    fn in_directory(&self, directory: &Path) -> Option<PathBuf> {
        ["environment.yml", "environment.yaml"]
            .into_iter()
            .map(|name| directory.join(name))
            .find(|path| path.is_file())
    }

    fn read(&self, source: &Source) -> Result<Manifest, InputError> {
        let document = Document::parse(source)?;
        let Asked { conda, pip } =
            read(document.root()).map_err(|problem| problem.or_hint(HINT))?;
        if conda.packages.is_empty() && pip.is_empty() {
            let problem = "expected at least one dependency, found none";
            return Err(InputError::of_file(&source.shown, problem).hint(HINT));
        }
        let has_pip = !pip.is_empty();
        let mut manifest = if has_pip {
            let folder = source.path.parent().unwrap_or(Path::new(""));
            let entries = Source::of_parts(source, pip);
            requirements_txt::read_entries(&entries, Folders::one(folder))?
        } else {
            Manifest::default()
        };
        if has_pip && !conda.packages.is_empty() {
            manifest.notes.push(
                "the entries below `pip:` were resolved on their own: conda packages may provide \
                 some of what they require"
                    .to_owned(),
            );
        }
        let is_open = |package: &&CondaPackage| !package.is_interpreter();
        if let Some(package) = conda.packages.iter().find(is_open) {
            manifest.gaps.push(Gap::Always(format!(
                "what conda installs beside `{}` and its like is not known: an environment file names \
                 no releases; pixi.lock and conda-lock.yml do",
                package.name
            )));
        }
        manifest.conda.push(conda);
        Ok(manifest)
    }
}

/// What an environment file asks for.
struct Asked<'d> {
    conda: CondaEnvironment,
    /// What stands below `pip:`.
    pip: Vec<(&'d str, Location)>,
}

fn read(root: Item<'_>) -> Result<Asked<'_>, InputError> {
    let root: Table<'_> = root.table()?;
    let dependencies = root.required("dependencies")?;
    let mut asked = Asked {
        conda: CondaEnvironment {
            name: None,
            section: Section::Base,
            subdir: None,
            location: dependencies.location(),
            packages: Vec::new(),
        },
        pip: Vec::new(),
    };
    for dependency in dependencies.list()? {
        if let Some(text) = dependency.as_text() {
            if asked.conda.packages.len() >= locked::MOST_PACKAGES {
                let most = locked::MOST_PACKAGES;
                return Err(dependency.error(format!("expected at most {most} packages")));
            }
            asked.conda.packages.push(conda_package(dependency, text)?);
            continue;
        }
        let table = dependency
            .as_table()
            .ok_or_else(|| dependency.error("expected a conda package or `pip:`, found neither"))?;
        for (key, location, entries) in table.entries() {
            if key != "pip" {
                let problem = format!("expected a conda package or `pip:`, found `{key}:`");
                return Err(InputError::at(location, problem));
            }
            for entry in entries.list()? {
                asked.pip.push((entry.text()?, entry.location()));
            }
        }
    }
    Ok(asked)
}

fn conda_package(item: Item<'_>, text: &str) -> Result<CondaPackage, InputError> {
    let location = item.location();
    let section = Section::Base;
    if text.contains("://") {
        let mut parts = text.split(['?', '#']).next().unwrap_or(text).rsplit('/');
        let archive = parts.next().and_then(archive_name);
        let (name, version, build) = archive.ok_or_else(|| {
            item.error(format!("expected the URL of a conda package, found `{text}`"))
        })?;
        let abi = match CondaAbi::of(name, Some(build), []) {
            CondaAbi::NoPython => {
                CondaAbi::Unknown("the file does not say what it depends on".to_owned())
            }
            told => told,
        };
        return Ok(CondaPackage {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            build: Some(build.to_owned()),
            subdir: parts.next().map(str::to_owned),
            section,
            abi,
            location,
        });
    }
    let specification = CondaDependency::parse(text);
    if specification.name.is_empty() {
        return Err(item.error(format!("expected the name of a conda package, found `{text}`")));
    }
    let name = specification.name.to_lowercase();
    let (version, build) = specification.version_and_build();
    let abi = match CondaAbi::of(&name, build, []) {
        CondaAbi::Unknown(_) if name == "python" && build.is_none() => CondaAbi::Unknown(
            "conda takes a build with the GIL unless `python-freethreading` or a build such as \
             `*_cp314t` is asked for, and which it takes here is not known"
                .to_owned(),
        ),
        CondaAbi::NoPython => {
            CondaAbi::Unknown("the file does not say what it depends on".to_owned())
        }
        told => told,
    };
    Ok(CondaPackage {
        name,
        version: version.map(str::to_owned),
        build: build.map(str::to_owned),
        subdir: None,
        section,
        abi,
        location,
    })
}
