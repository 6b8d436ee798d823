//! A free-threaded interpreter of the user's, asked in fresh processes: what it is, and what loading
//! one module or importing one name does to its GIL.
//!
//! The only place that runs code of others. What it runs is a program that the user named, with
//! `child.py`; what that loads lies in an environment of the user's. How its answers compare with
//! those of the engine is told in [`crate::verify`].

use std::ffi::OsStr;
use std::hash::{BuildHasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::model::evidence::Init;
use crate::model::platform::Platform;
use crate::model::target::Target;

const CHILD: &str = include_str!("child.py");
/// Far more than an answer needs; modules may write beside it.
const MAX_OUTPUT: u64 = 1024 * 1024;
/// Of what was written to the standard error, so much is shown.
const MAX_SHOWN: usize = 300;

/// Why an interpreter cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum InterpreterError {
    /// There is none at this place.
    #[error("{}: {problem}", .path.display())]
    NotFound {
        /// What was named.
        path: PathBuf,
        /// What was expected and found.
        problem: String,
    },
    /// It gave no answer that could be read.
    #[error("{}: expected an interpreter that tells what it is: {problem}", .path.display())]
    NoAnswer {
        /// What was run.
        path: PathBuf,
        /// What happened instead.
        problem: NoAnswer,
    },
    /// It is none that ftcheck knows the rules of.
    #[error("{}: expected a free-threaded CPython 3.13t, 3.14t or 3.15t, found {found}", .path.display())]
    NotOurs {
        /// What was run.
        path: PathBuf,
        /// What it is.
        found: String,
    },
    /// Something enables the GIL in every process.
    #[error("{}: expected the GIL to be off before anything is loaded, found it on", .path.display())]
    AlreadyOn {
        /// What was run.
        path: PathBuf,
    },
}

impl InterpreterError {
    /// What may help.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NotFound { .. } | Self::NoAnswer { .. } => {
                "name an interpreter, such as .venv/bin/python, or the folder of an environment"
            }
            Self::NotOurs { .. } => "the build without the GIL is called python3.14t",
            Self::AlreadyOn { .. } => {
                "a .pth file or sitecustomize of the environment may import a module that enables it"
            }
        })
    }
}

/// Why a process gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// It could not be run at all.
    #[error("it could not be run: {0}")]
    NotRun(String),
    /// It was ended for taking too long.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// It ended without an answer.
    #[error("the process {0}")]
    Crashed(String),
    /// Python raised an exception: a missing library, for one.
    #[error("{0}")]
    Raised(String),
    /// What it told says nothing of the module.
    #[error("{0}")]
    Unclear(String),
}

/// What one process told of a module or an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Whether the GIL is on afterwards.
    pub enables_gil: bool,
    /// The module that the interpreter's warning names.
    pub by: Option<String>,
    /// How the module initialised; `None` for imports.
    pub init: Option<Init>,
}

/// What is asked of one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// Loading an extension module from its file.
    Module {
        /// Its dotted name.
        name: String,
        /// Its file.
        path: PathBuf,
    },
    /// `import name`.
    Import {
        /// The name.
        name: String,
    },
}

#[derive(Serialize)]
struct Job<'j> {
    token: &'j str,
    mode: &'static str,
    name: &'j str,
    path: Option<&'j Path>,
}

#[derive(Deserialize)]
struct About {
    implementation: String,
    version: [u32; 3],
    free_threaded: bool,
    gil: bool,
    prefix: PathBuf,
    /// As wheels are tagged for it.
    platform: String,
}

#[derive(Deserialize)]
struct Facts {
    /// Whether the GIL was on before and after.
    before: bool,
    after: bool,
    by: Option<String>,
    init: Option<Init>,
    parent: Option<String>,
    error: Option<String>,
}

/// An interpreter that answered, and is one whose rules the engine knows.
#[derive(Debug, Clone)]
pub struct Interpreter {
    program: PathBuf,
    prefix: PathBuf,
    target: Target,
    version: String,
    platform: Option<Platform>,
    timeout: Duration,
}

impl Interpreter {
    /// Asks the program, or that of the environment's folder, what it is; each process may take as
    /// long as `timeout`.
    ///
    /// # Errors
    /// Where there is no program, it gives no answer, or is no free-threaded CPython.
    pub async fn ask(place: &Path, timeout: Duration) -> Result<Self, InterpreterError> {
        let program = program_of(place)?;
        let job = Job { token: &token(), mode: "probe", name: "", path: None };
        let about: About = run(&program, &job, timeout)
            .await
            .map_err(|problem| InterpreterError::NoAnswer { path: program.clone(), problem })?;
        let [major, minor, micro] = about.version;
        let version = format!("{major}.{minor}.{micro}");
        let target = (about.implementation == "cpython" && about.free_threaded)
            .then(|| format!("{major}.{minor}t").parse::<Target>().ok())
            .flatten();
        let Some(target) = target else {
            let kind = if about.free_threaded { ", free-threaded" } else { " with the GIL" };
            let found = format!("{} {version}{kind}", about.implementation);
            return Err(InterpreterError::NotOurs { path: program, found });
        };
        if about.gil {
            return Err(InterpreterError::AlreadyOn { path: program });
        }
        let platform = Platform::from_tag(&about.platform);
        Ok(Self { program, prefix: about.prefix, target, version, platform, timeout })
    }

    /// The program that is run.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The folder of the environment, `sys.prefix`.
    #[must_use]
    pub fn prefix(&self) -> &Path {
        &self.prefix
    }

    /// Which interpreter it is.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// Its release in full, such as 3.14.2.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Where it runs; `None` where that is none that ftcheck knows.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        self.platform
    }

    /// What loading the module, or the import, does in a process of its own.
    ///
    /// # Errors
    /// Where the process does not tell: it takes too long, crashes, a library is missing, or another
    /// module enables the GIL first.
    pub async fn observe(&self, question: &Question) -> Result<Observation, NoAnswer> {
        let token = token();
        let job = match question {
            Question::Module { name, path } => {
                Job { token: &token, mode: "module", name, path: Some(path) }
            }
            Question::Import { name } => Job { token: &token, mode: "import", name, path: None },
        };
        let facts: Facts = run(&self.program, &job, self.timeout).await?;
        judge(question, facts)
    }
}

/// What the facts say of what was asked.
fn judge(question: &Question, facts: Facts) -> Result<Observation, NoAnswer> {
    if facts.before {
        return Err(NoAnswer::Unclear("the GIL was on before anything was loaded".to_owned()));
    }
    match (question, facts.error) {
        // An import that fails may have enabled it all the same.
        (Question::Import { .. }, Some(_)) if facts.after => {}
        (_, Some(error)) => return Err(NoAnswer::Raised(shown(&error))),
        (_, None) => {}
    }
    if let Some(parent) = facts.parent {
        let by = facts.by.map_or_else(String::new, |by| format!(" ({by})"));
        return Err(NoAnswer::Unclear(format!(
            "it can only be loaded after {parent}, whose import enables the GIL{by}"
        )));
    }
    if let (Question::Module { name, .. }, true) = (question, facts.after) {
        match &facts.by {
            Some(by) if by == name => {}
            Some(by) => {
                let problem = format!("loading it loads {by}, which enables the GIL first");
                return Err(NoAnswer::Unclear(problem));
            }
            None => {
                let problem = "loading it enables the GIL, and no warning says for which module";
                return Err(NoAnswer::Unclear(problem.to_owned()));
            }
        }
    }
    Ok(Observation {
        enables_gil: facts.after,
        by: facts.by.filter(|_| facts.after),
        init: facts.init,
    })
}

/// The program of an interpreter: itself, or that of an environment's folder. A bare name is left
/// for the system to find on the PATH.
fn program_of(place: &Path) -> Result<PathBuf, InterpreterError> {
    if place.components().count() == 1 && !place.exists() {
        return Ok(place.to_owned());
    }
    let not_found =
        |problem: String| InterpreterError::NotFound { path: place.to_owned(), problem };
    let metadata = std::fs::metadata(place).map_err(|problem| match problem.kind() {
        std::io::ErrorKind::NotFound => not_found("there is no such file or directory".to_owned()),
        _ => not_found(problem.to_string()),
    })?;
    if !metadata.is_dir() {
        // A program is looked for from the child's own folder otherwise.
        return std::path::absolute(place).map_err(|problem| not_found(problem.to_string()));
    }
    ["bin/python3", "bin/python", "Scripts/python.exe", "python.exe"]
        .iter()
        .map(|program| place.join(program))
        .find(|program| program.is_file())
        .and_then(|program| std::path::absolute(program).ok())
        .ok_or_else(|| {
            not_found(
                "expected bin/python or Scripts/python.exe below it, found neither".to_owned(),
            )
        })
}

/// A word that nothing which is loaded writes by chance.
fn token() -> String {
    format!("ftcheck-{:016x}:", RandomState::new().hash_one(0))
}

/// Runs a program with one job, in a folder of its own that is removed afterwards.
async fn run<A: DeserializeOwned>(
    program: &Path,
    job: &Job<'_>,
    timeout: Duration,
) -> Result<A, NoAnswer> {
    let failed = |problem: &dyn std::fmt::Display| NoAnswer::NotRun(problem.to_string());
    let folder = tempfile::tempdir().map_err(|problem| failed(&problem))?;
    let mut line = serde_json::to_vec(job).map_err(|problem| failed(&problem))?;
    line.push(b'\n');
    // `-I`: neither the current folder nor the variables of the user decide what is imported.
    let mut command = Command::new(program);
    command
        .args(["-I", "-c", CHILD])
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    for variable in std::env::vars_os().map(|(name, _)| name).filter(|name| is_pythons(name)) {
        command.env_remove(variable);
    }
    let mut child = command.spawn().map_err(|problem| failed(&problem))?;
    let (input, output, errors) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let whole = async {
        if let Some(mut input) = input {
            // A child that ends at once is told by how it ends.
            let _ = input.write_all(&line).await;
        }
        let (output, errors) = tokio::join!(read(output), read(errors));
        (output, errors, child.wait().await)
    };
    let Ok((output, errors, ended)) = tokio::time::timeout(timeout, whole).await else {
        return Err(NoAnswer::TimedOut(timeout));
    };
    let output = String::from_utf8_lossy(&output);
    let answer = output.lines().find_map(|line| line.strip_prefix(job.token));
    let answer = answer.map(serde_json::from_str::<A>);
    match (answer, ended) {
        (Some(Ok(answer)), _) => Ok(answer),
        (Some(Err(problem)), _) => {
            Err(NoAnswer::Unclear(format!("its answer could not be read: {problem}")))
        }
        (None, Ok(status)) => Err(NoAnswer::Crashed(how(status, &errors))),
        (None, Err(problem)) => Err(failed(&problem)),
    }
}

/// Variables that change what an interpreter does: `PYTHON_GIL` and `PYTHONWARNINGS` above all.
fn is_pythons(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| name.to_ascii_uppercase().starts_with("PYTHON"))
}

/// All that is written, of which no more is kept than an answer may take.
async fn read(from: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut kept = Vec::new();
    let Some(mut from) = from else { return kept };
    // An answer that was cut off is told as none.
    if (&mut from).take(MAX_OUTPUT).read_to_end(&mut kept).await.is_ok() {
        let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    }
    kept
}

/// How a process ended that told nothing.
fn how(status: ExitStatus, errors: &[u8]) -> String {
    let ended = signal(status).map_or_else(
        || match status.code() {
            // What Windows says of a process that it ended, such as 0xC0000005.
            Some(code) if code < 0 => format!("ended with {code:#010X}"),
            Some(code) => format!("ended with exit code {code}"),
            None => "was ended".to_owned(),
        },
        |signal| format!("was ended by signal {signal}"),
    );
    let errors = String::from_utf8_lossy(errors);
    match errors.lines().rfind(|line| !line.trim().is_empty()) {
        Some(last) => format!("{ended}: {}", shown(last)),
        None => ended,
    }
}

#[cfg(unix)]
fn signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn signal(_: ExitStatus) -> Option<i32> {
    None
}

/// One line, not too long.
fn shown(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
