//! What importing a top-level name does to the GIL, with what shows it.

use std::sync::PoisonError;

use super::environment::{Environment, Kind};
use super::evaluate::{Answer, Met, Run};
use crate::model::imports::ImportReport;

impl Environment {
    /// What `import NAME` does in a new process.
    #[must_use]
    pub fn import_report(&self, name: &str) -> ImportReport {
        let kept = self.reports.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(report) = kept {
            return report;
        }
        let mut run = Run::new(self);
        let answer = run.import(name);
        let report = self.report(name, &run, answer);
        self.add_fine(run.led_nowhere().into_iter());
        let mut all = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(name.to_owned()).or_insert(report).clone()
    }

    pub(super) fn report(&self, import: &str, run: &Run<'_>, answer: Answer) -> ImportReport {
        let told = |enables_gil, met: Option<&Met>, reason: Option<String>| ImportReport {
            import: import.to_owned(),
            enables_gil,
            by: met.map(|met| self.name(met.module)),
            chain: met.map_or_else(Vec::new, |met| met.names(self)),
            reason,
        };
        let failure = run.failure.as_deref();
        match answer {
            Answer::Enabled(met) => return told(Some(true), Some(&met), None),
            Answer::Open => {}
        }
        if let Some(met) = &run.enabling {
            let reason = "whether the module is imported could not be told".to_owned();
            return told(None, Some(met), Some(reason));
        }
        if let Some((met, reason)) = &run.undetermined {
            return told(None, Some(met), Some(reason.clone()));
        }
        if let Some(reason) = &run.unknown {
            return told(None, None, Some(reason.clone()));
        }
        let executed =
            run.order.iter().filter(|module| self.kind(**module).0 != Kind::Folder).count();
        let modules = match executed {
            1 => "1 module is executed".to_owned(),
            several => format!("{several} modules are executed"),
        };
        let reason = match (executed, run.seen_extensions.len()) {
            (0, _) => "nothing is executed".to_owned(),
            (_, 0) => format!("{modules}, nothing compiled is imported"),
            (_, 1) => format!("{modules}, the compiled one keeps the GIL off"),
            (_, compiled) => format!("{modules}, {compiled} are compiled and keep the GIL off"),
        };
        let reason = match failure {
            Some(failure) => format!("{reason}; importing it seems to fail: {failure}"),
            None => reason,
        };
        told(Some(false), None, Some(reason))
    }
}
