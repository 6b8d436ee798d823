//! What importing the top-level names of an environment does, as it is told by their files.

use super::Predictions;
use crate::interpreter::{Interpreter, Question};
use crate::local::{self, ImportableName, LocalError};
use crate::model::imports::ImportReport;
use crate::model::platform::Platform;
use crate::model::verify_report::{Comparison, Verified};

impl Predictions {
    /// What is said of every name that can be imported from what is installed beside the
    /// interpreter, which runs on `platform`.
    ///
    /// # Errors
    /// Where the environment cannot be read.
    pub fn of_imports(
        interpreter: &Interpreter,
        platform: Platform,
    ) -> Result<Self, Vec<LocalError>> {
        let (target, prefix) = (interpreter.target(), interpreter.prefix());
        let settings = local::Settings {
            target: Some(target),
            platform: Some(platform),
            ..local::Settings::default()
        };
        let place = local::Place::Python(prefix.to_owned());
        let report = local::inspect(&[place], &settings)?;
        let found = local::importable(prefix, &report.files, target, platform)
            .map_err(|problem| vec![problem])?;
        let mut all =
            Self { is_of_imports: true, rows: Vec::new(), notes: found.notes, gaps: report.gaps };
        all.gaps.extend(found.gaps);
        for one in found.names {
            let report = found.environment.import_report(&one.name);
            let question = Question::Import { name: one.name.clone() };
            all.rows.push((question, row(one, report)));
        }
        all.expect_some("nothing that can be imported is installed there");
        Ok(all)
    }
}

fn row(one: ImportableName, report: ImportReport) -> Verified {
    let (distribution, version) = one.distribution.unzip();
    Verified {
        distribution,
        version,
        wheel: None,
        name: one.name,
        member: None,
        comparison: Comparison::NotObserved,
        predicted: report.enables_gil,
        predicted_reason: report.reason,
        observed: None,
        observed_reason: None,
        by: None,
        init: None,
    }
}
