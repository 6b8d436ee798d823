//! `ftcheck completions` and `ftcheck man`: made from the arguments themselves.

use std::path::Path;
use std::process::ExitCode;

use clap::CommandFactory as _;

use crate::Failure;
use crate::args::{Arguments, CompletionsArguments, ManArguments};
use crate::output::{print, say};

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "ftcheck", &mut script);
    print(&script)?;
    Ok(ExitCode::SUCCESS)
}

/// The page of the program itself, or those of every command into a folder.
pub(crate) fn man(arguments: &ManArguments) -> Result<ExitCode, Failure> {
    let Some(folder) = &arguments.output else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Arguments::command())
            .render(&mut page)
            .map_err(|problem| Failure::new(format!("the page cannot be written: {problem}")))?;
        print(&page)?;
        return Ok(ExitCode::SUCCESS);
    };
    write_all(folder).map_err(|problem| {
        Failure::new(format!("{}: cannot be written: {problem}", folder.display()))
    })?;
    say(&format!("written to {}", folder.display()));
    Ok(ExitCode::SUCCESS)
}

fn write_all(folder: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    clap_mangen::generate_to(Arguments::command(), folder)
}
