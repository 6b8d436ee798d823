//! The engine's answers for an environment beside those of its own interpreter, which is run once for
//! each extension module.
//!
//! Modules are loaded one by one; what importing a name does is told in `imports.rs`.
//!
//! What is run, and how, is told in [`crate::interpreter`]; what the engine says comes from
//! [`crate::local`], by files alone.

mod imports;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::fetch::metadata;
use crate::interpreter::{Interpreter, NoAnswer, Observation, Question};
use crate::local::{self, LocalError};
use crate::model::evidence::Gil;
use crate::model::inspect_report::FileReport;
use crate::model::report::Verdict;
use crate::model::verify_report::{Comparison, Ran, Verified, VerifyReport};

/// Every module of an environment with the engine's answer, before anything is run.
#[derive(Debug)]
pub struct Predictions {
    is_of_imports: bool,
    rows: Vec<(Question, Verified)>,
    notes: Vec<String>,
    gaps: Vec<String>,
}

impl Predictions {
    /// What the engine says of the modules that are installed beside the interpreter.
    ///
    /// # Errors
    /// Where the environment cannot be read.
    pub fn of(interpreter: &Interpreter) -> Result<Self, Vec<LocalError>> {
        let settings =
            local::Settings { target: Some(interpreter.target()), ..local::Settings::default() };
        let place = local::Place::Python(interpreter.prefix().to_owned());
        let report = local::inspect(&[place], &settings)?;
        let mut all =
            Self { is_of_imports: false, rows: Vec::new(), notes: report.notes, gaps: report.gaps };
        all.notes.extend(
            report.skipped.iter().map(|one| format!("passed over: {}: {}", one.path, one.reason)),
        );
        for file in &report.files {
            let name = file.name.as_ref().unwrap_or(&file.path);
            all.notes.extend(file.notes.iter().map(|note| format!("{name}: {note}")));
            if file.verdict == Verdict::Unchecked {
                let reason = file.reason.as_deref().unwrap_or("it was not looked at");
                all.gaps.push(format!("{name}: {reason}"));
            }
            all.add(file);
        }
        all.expect_some("no compiled module is installed there");
        Ok(all)
    }

    /// Nothing that was compared is no agreement.
    fn expect_some(&mut self, problem: &str) {
        if self.rows.is_empty() {
            self.gaps.push(format!("nothing was compared: {problem}"));
        }
    }

    fn add(&mut self, file: &FileReport) {
        let wheel = wheel_of(file);
        for module in &file.modules {
            let path = Path::new(&file.path).join(&module.member);
            let row = Verified {
                distribution: file.name.clone(),
                version: file.version.clone(),
                wheel: wheel.clone(),
                name: module.module.clone(),
                member: Some(module.member.clone()),
                comparison: Comparison::NotObserved,
                predicted: match module.gil {
                    Gil::Enables => Some(true),
                    Gil::KeepsOff => Some(false),
                    Gil::Undetermined => None,
                },
                predicted_reason: module.reason.clone(),
                observed: None,
                observed_reason: None,
                by: None,
                init: None,
            };
            // A child runs in a folder of its own.
            let path = std::path::absolute(&path).unwrap_or(path);
            self.rows.push((Question::Module { name: module.module.clone(), path }, row));
        }
    }

    /// How many processes it takes to ask for all of them.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rows.len()
    }

    /// The files that would be loaded.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.rows.iter().filter_map(|(question, _)| match question {
            Question::Module { path, .. } => Some(path.as_path()),
            Question::Import { .. } => None,
        })
    }

    /// Asks the interpreter, `jobs` processes at a time, and compares. `done` is called with the name
    /// of each that was asked.
    pub async fn compare(
        self,
        interpreter: &Interpreter,
        jobs: usize,
        done: impl Fn(&str),
    ) -> VerifyReport {
        let imports = self.is_of_imports;
        let permits = Arc::new(Semaphore::new(jobs.max(1)));
        let mut running = JoinSet::new();
        for (question, row) in self.rows {
            let (interpreter, permits) = (interpreter.clone(), Arc::clone(&permits));
            running.spawn(async move {
                let _permit = permits.acquire_owned().await;
                let answer = interpreter.observe(&question).await;
                compared(row, answer)
            });
        }
        let mut gaps = self.gaps;
        let mut rows = Vec::new();
        while let Some(finished) = running.join_next().await {
            match finished {
                Ok(row) => {
                    done(&row.name);
                    rows.push(row);
                }
                Err(_) => gaps.push("a module: an internal error of ftcheck".to_owned()),
            }
        }
        let ran = Ran {
            program: interpreter.program().display().to_string(),
            version: interpreter.version().to_owned(),
            target: interpreter.target(),
        };
        VerifyReport::new(ran, imports, self.notes, gaps, rows)
    }
}

/// Both answers in one row.
fn compared(mut row: Verified, answer: Result<Observation, NoAnswer>) -> Verified {
    match answer {
        Ok(observation) => {
            row.observed = Some(observation.enables_gil);
            row.by = observation.by;
            row.init = observation.init;
        }
        Err(problem) => row.observed_reason = Some(problem.to_string()),
    }
    row.comparison = match (row.predicted, row.observed) {
        (_, None) => Comparison::NotObserved,
        (None, Some(_)) => Comparison::NotPredicted,
        (Some(predicted), Some(observed)) if predicted == observed => Comparison::Agrees,
        _ => Comparison::Differs,
    };
    row
}

/// The name of the wheel that a distribution was installed from, by the tags that its `WHEEL` states:
/// installers write one line for each (PEP 427).
fn wheel_of(file: &FileReport) -> Option<String> {
    let (name, version) = (file.name.as_ref()?, file.version.as_ref()?);
    let folder = PathBuf::from(&file.path).join(format!("{name}-{version}.dist-info"));
    let tags = metadata::tags(&std::fs::read(folder.join("WHEEL")).ok()?);
    let mut parts: [Vec<&str>; 3] = Default::default();
    for tag in &tags {
        for (known, part) in parts.iter_mut().zip(tag.splitn(3, '-')) {
            if !known.contains(&part) {
                known.push(part);
            }
        }
    }
    let tag = parts.map(|part| part.join(".")).join("-");
    (!tags.is_empty()).then(|| format!("{name}-{version}-{tag}.whl"))
}
