//! The imports in a file of the user's own that turn the GIL on.

use std::collections::HashMap;

use super::environment::{Environment, ModuleId};
use super::evaluate::{Run, Watched};
use super::facts::{Alias, At, Import, Name, Statement};
use super::parse::parse;
use super::search::{Importing, imports as imports_in};
use crate::model::imports::{How, ImportReport, SourceImport};
use crate::model::location::Location;

/// The imports of one file, and what could not be read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceImports {
    /// Those that enable the GIL, or of which it is not known, in the order of the file.
    pub imports: Vec<SourceImport>,
    /// Why the file is not known, or not wholly.
    pub problem: Option<String>,
}

/// Answers for statements, kept while many files are looked at.
#[derive(Default)]
pub struct Answers(HashMap<String, ImportReport>);

impl Environment {
    /// The imports of a Python file that does not belong to any package. `path` is named in the
    /// answers as it is.
    ///
    /// Imports of the file's own neighbours are not followed: they are looked at by themselves.
    #[must_use]
    pub fn of_source(&self, path: &str, text: &[u8], answers: &mut Answers) -> SourceImports {
        let facts = parse(text);
        let own = self.no_module();
        let watched = self.executed(own, &facts.body);
        let mut imports: Vec<SourceImport> = Vec::new();
        for found in imports_in(&facts.body) {
            let Some(place) = found.what.at() else { continue };
            let computed = watched.computed.contains(&place);
            let how = if watched.made.contains_key(&place) || computed {
                How::Import
            } else if found.is_inside {
                How::Later
            } else if watched.excluded.contains(&place) {
                // Never executed, such as under `if TYPE_CHECKING`.
                continue;
            } else if watched.problem.is_some() {
                How::Import
            } else {
                // Put off, or behind something that is not followed.
                How::Later
            };
            for single in singles(&found.what) {
                imports.extend(self.source_import(path, own, &single, place, how, answers));
            }
            if let (Importing::Call(_), None) = (&found.what, found.what.constant_name()) {
                // What the name was, where it was made up of what is known.
                for module in watched.made.get(&place).into_iter().flatten() {
                    let single = Single::of_module(self.name(*module));
                    imports.extend(self.source_import(path, own, &single, place, how, answers));
                }
            }
        }
        imports.sort_by(|a, b| (&a.location, &a.import).cmp(&(&b.location, &b.import)));
        imports.dedup_by(|b, a| {
            a.location == b.location && a.by == b.by && a.enables_gil == b.enables_gil
        });
        SourceImports { imports, problem: facts.problem.or(watched.problem) }
    }

    /// What is noted when the file is executed.
    fn executed(&self, own: ModuleId, body: &[Statement]) -> Watched {
        let mut run = Run::exploring(self);
        run.watch(own);
        // The GIL being enabled ends nothing here; how far it came is noted.
        let _ = run.statements(own, body);
        run.watched()
    }

    fn source_import(
        &self,
        path: &str,
        own: ModuleId,
        single: &Single,
        place: At,
        how: How,
        answers: &mut Answers,
    ) -> Option<SourceImport> {
        let name = match single.statements.as_slice() {
            [statement] => self.shown(own, statement)?,
            _ => single.name.clone(),
        };
        let of_this = || {
            let mut run = Run::new(self);
            let answer = run.statements(own, &single.statements);
            self.report(&name, &run, answer)
        };
        let report = match &single.key {
            Some(key) => answers.0.entry(format!("{key} {name}")).or_insert_with(of_this).clone(),
            None => of_this(),
        };
        if report.enables_gil == Some(false) {
            return None;
        }
        Some(SourceImport {
            location: Location {
                path: path.to_owned(),
                line: usize::try_from(place.0).unwrap_or(usize::MAX),
                column: usize::try_from(place.1).unwrap_or(usize::MAX),
            },
            import: name,
            how,
            enables_gil: report.enables_gil,
            by: report.by,
            chain: report.chain,
        })
    }

    /// The dotted name that a statement imports.
    fn shown(&self, own: ModuleId, statement: &Statement) -> Option<String> {
        match statement {
            Statement::Import(import) => import.names.first().map(|alias| alias.0.to_string()),
            Statement::From(from) => {
                let base = self.absolute(own, from.level, &from.module)?;
                let alias = from.names.first()?;
                let whole = format!("{base}.{}", alias.0);
                Some(if alias.0 == "*" { format!("{base}.*") } else { whole })
            }
            _ => None,
        }
    }
}

/// An import of one name.
struct Single {
    /// What it does.
    statements: Vec<Statement>,
    /// How it is shown, unless its one statement tells.
    name: String,
    /// What it has in common with all that have the same name and answer.
    key: Option<&'static str>,
}

impl Single {
    /// `import module`
    fn of_module(module: String) -> Self {
        let import =
            Import { names: vec![Alias(Name::new(&module), None)], at: At(0, 0), lazy: false };
        Self {
            statements: vec![Statement::Import(Box::new(import))],
            name: module,
            key: Some("import"),
        }
    }
}

/// An import of several names as imports of one each.
fn singles(importing: &Importing<'_>) -> Vec<Single> {
    let single = |key, statement| Single {
        statements: vec![statement],
        name: String::new(),
        key: Some(key),
    };
    match importing {
        Importing::Statement(Statement::Import(import)) => import
            .names
            .iter()
            .map(|alias| {
                let mut one = (**import).clone();
                (one.names, one.lazy) = (vec![alias.clone()], false);
                single("import", Statement::Import(Box::new(one)))
            })
            .collect(),
        Importing::Statement(Statement::From(from)) => from
            .names
            .iter()
            .map(|alias| {
                let mut one = (**from).clone();
                (one.names, one.lazy) = (vec![alias.clone()], false);
                single("from", Statement::From(Box::new(one)))
            })
            .collect(),
        Importing::Statement(_) => Vec::new(),
        Importing::Call(_) => {
            let name = importing.constant_name();
            let name = name.map_or_else(|| "a computed name".to_owned(), ToString::to_string);
            vec![Single { statements: importing.statements(), name, key: None }]
        }
    }
}
