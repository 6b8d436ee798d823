//! The imports in a file of the user's own that turn the GIL on.

use std::collections::{BTreeSet, HashMap};

use super::environment::{Environment, ModuleId};
use super::evaluate::Run;
use super::facts::{At, Statement};
use super::parse::parse;
use super::search::{blocks, imports_of_functions};
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
        let executed = self.executed_imports(own, &facts.body);
        let later: BTreeSet<At> =
            imports_of_functions(&facts.body).into_iter().filter_map(at).collect();
        let mut imports: Vec<SourceImport> = Vec::new();
        let mut waiting = vec![facts.body.as_slice()];
        while let Some(body) = waiting.pop() {
            for statement in body {
                waiting.extend(blocks(statement));
                let Some(place) = at(statement) else { continue };
                let how = if executed.contains(&place) {
                    How::Import
                } else if later.contains(&place) {
                    How::Later
                } else {
                    // Never executed, such as under `if TYPE_CHECKING`; or of no package.
                    continue;
                };
                for single in singles(statement) {
                    imports.extend(self.source_import(path, own, &single, place, how, answers));
                }
            }
        }
        imports.sort_by(|a, b| (&a.location, &a.import).cmp(&(&b.location, &b.import)));
        imports.dedup_by(|b, a| {
            a.location == b.location && a.by == b.by && a.enables_gil == b.enables_gil
        });
        SourceImports { imports, problem: facts.problem }
    }

    /// Where the imports stand that are made when the file is executed.
    fn executed_imports(&self, own: ModuleId, body: &[Statement]) -> BTreeSet<At> {
        let mut run = Run::exploring(self);
        run.watch(own);
        let _ = run.statements(own, body);
        run.watched()
    }

    fn source_import(
        &self,
        path: &str,
        own: ModuleId,
        statement: &Statement,
        place: At,
        how: How,
        answers: &mut Answers,
    ) -> Option<SourceImport> {
        let name = self.shown(own, statement)?;
        let report = answers.0.entry(name.clone()).or_insert_with(|| {
            let mut run = Run::new(self);
            let answer = run.statements(own, std::slice::from_ref(statement));
            self.report(&name, &run, answer)
        });
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
            by: report.by.clone()?,
            chain: report.chain.clone(),
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

/// Where an import stands.
fn at(statement: &Statement) -> Option<At> {
    match statement {
        Statement::Import(import) => Some(import.at),
        Statement::From(from) => Some(from.at),
        _ => None,
    }
}

/// An import of several names as imports of one each.
fn singles(statement: &Statement) -> Vec<Statement> {
    match statement {
        Statement::Import(import) => import
            .names
            .iter()
            .map(|alias| {
                let mut one = (**import).clone();
                (one.names, one.lazy) = (vec![alias.clone()], false);
                Statement::Import(Box::new(one))
            })
            .collect(),
        Statement::From(from) => from
            .names
            .iter()
            .map(|alias| {
                let mut one = (**from).clone();
                (one.names, one.lazy) = (vec![alias.clone()], false);
                Statement::From(Box::new(one))
            })
            .collect(),
        _ => Vec::new(),
    }
}
