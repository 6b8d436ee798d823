//! Compares predictions from source with what a real free-threaded interpreter did with the wheels
//! of the same releases.
//!
//! Takes source distributions on this machine, and rows in the form of `fixtures/ground-truth/`;
//! prints the prediction of each beside the interpreter's answer. Exits with 1 where something was
//! predicted to keep the GIL off that enables it.
//!
//! ```text
//! cargo run --example sources -- --rows fixtures/ground-truth/sample-cp314t-linux-x86_64.jsonl sdists/*.tar.gz
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ftcheck::fetch::source_files::of_tar_gz;
use ftcheck::model::evidence::Gil;
use ftcheck::model::release::{Prediction, SourceReport};
use ftcheck::source::Survey;
use serde::Deserialize;

#[derive(Parser)]
#[command(about = "Compares predictions from source with what a real interpreter did")]
struct Arguments {
    /// Source distributions, as .tar.gz
    files: Vec<PathBuf>,
    /// Rows, one JSON object a line
    #[arg(long)]
    rows: Option<PathBuf>,
    /// Print the signs too
    #[arg(long)]
    signs: bool,
}

#[derive(Deserialize)]
struct Row {
    wheel: String,
    gil: Gil,
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = Arguments::parse();
    let mut truth: BTreeMap<String, Gil> = BTreeMap::new();
    if let Some(rows) = &arguments.rows {
        for line in std::io::BufReader::new(std::fs::File::open(rows)?).lines() {
            let row: Row = serde_json::from_str(&line?)?;
            let mut parts = row.wheel.split('-');
            let release = [parts.next(), parts.next()].map(Option::unwrap_or_default).join("-");
            let worst = truth.entry(release).or_insert(Gil::KeepsOff);
            if row.gil == Gil::Enables {
                *worst = Gil::Enables;
            }
        }
    }
    let mut output = std::io::stdout().lock();
    let (mut right, mut wrong, mut not_known, mut falsely_fine) = (0, 0, 0, 0);
    for path in &arguments.files {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let mut survey = Survey::default();
        let report = match of_tar_gz(std::fs::File::open(path)?, &mut survey) {
            Ok(()) => survey.finish(&name),
            Err(problem) => SourceReport {
                filename: name.clone(),
                prediction: Prediction::NotKnown,
                signs: Vec::new(),
                reason: Some(problem.to_string()),
            },
        };
        let release = name.trim_end_matches(".tar.gz").to_ascii_lowercase();
        let answer = truth.get(&release);
        let judged = match (report.prediction, answer) {
            (_, None) => "",
            (Prediction::NotKnown, _) => "not known",
            // The wheels were built by other means than their source tells.
            (Prediction::PurePython, _) => "not compiled",
            (Prediction::KeepsGilOff, Some(Gil::KeepsOff)) => "right",
            (Prediction::EnablesGil, Some(Gil::Enables)) => "right",
            (Prediction::KeepsGilOff, _) => "WRONG: falsely fine",
            _ => "wrong",
        };
        match judged {
            "right" => right += 1,
            "not known" => not_known += 1,
            "" | "not compiled" => {}
            _ => wrong += 1,
        }
        falsely_fine += u32::from(judged.starts_with("WRONG"));
        writeln!(
            output,
            "{release:40} {:16} {:12} {judged:12} {}",
            format!("{:?}", report.prediction),
            answer.map_or(String::new(), |answer| format!("{answer:?}")),
            report.reason.unwrap_or_default()
        )?;
        if arguments.signs {
            for sign in report.signs {
                writeln!(output, "    {}:{} {}", sign.path, sign.line.unwrap_or(0), sign.what)?;
            }
        }
    }
    writeln!(output, "{right} right, {wrong} wrong, {not_known} not known")?;
    Ok(if falsely_fine > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
