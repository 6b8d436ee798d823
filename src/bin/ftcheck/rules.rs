//! `ftcheck rules` and `ftcheck explain`.

use std::process::ExitCode;

use ftcheck::judge::{self, CHECKS};
use ftcheck::model::nearest::nearest;
use ftcheck::report;

use crate::Failure;
use crate::args::ExplainArguments;
use crate::options::terminal_width;
use crate::output::print;

/// Lines longer than this are hard to read.
const WIDEST: u16 = 100;

pub(crate) fn list() -> Result<ExitCode, Failure> {
    print(report::list_rules(terminal_width()).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn explain(arguments: &ExplainArguments) -> Result<ExitCode, Failure> {
    let Some(rule) = judge::rule(&arguments.rule) else {
        let ids = CHECKS.iter().map(|check| check.rule().id);
        let near = nearest(&arguments.rule, ids).map(|id| format!("did you mean `{id}`?"));
        let hint = near.unwrap_or_else(|| "`ftcheck rules` lists them".to_owned());
        let problem = format!("expected the name of a rule, found `{}`", arguments.rule);
        return Err(Failure::with_hint(problem, Some(hint)));
    };
    let width = terminal_width().unwrap_or(WIDEST).min(WIDEST);
    print(report::explain(rule, usize::from(width)).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}
