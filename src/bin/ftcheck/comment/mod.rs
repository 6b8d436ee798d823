//! `ftcheck comment`: what a report says, in one comment on a pull request.
//!
//! What it says is made in [`words`].

mod words;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use ftcheck::config::{CommandLine, Environment, NetworkSettings};
use ftcheck::forge::comment::{Key, Wanted};
use ftcheck::forge::{self, Action, Api, FORGES, Forge, ForgeError, Outcome, Subject, Token};
use ftcheck::model::access::AccessSettings;
use ftcheck::model::index::IndexSettings;
use ftcheck::report::printable;

use self::words::Said;
use crate::Failure;
use crate::args::CommentArguments;
use crate::output::{print, say};

/// The file that a step of GitHub Actions appends to for people to read.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

pub(crate) fn run(arguments: &CommentArguments) -> Result<ExitCode, Failure> {
    let environment = Environment::of_process();
    let forge = forge(arguments, &environment)?;
    let room = forge.limit().saturating_sub(arguments.key.marked("", usize::MAX).len());
    let said = Said::of(arguments, room)?;
    let post = Post { forge, key: &arguments.key, said: &said, environment: &environment };
    if arguments.dry_run {
        return post.rehearse(arguments.pull_request);
    }
    match post.publish(arguments.pull_request, false) {
        Ok((shown, outcome)) => {
            say(&format!("{}: {}", printable(&shown), done(outcome.action)));
            tell_left_alone(&outcome);
        }
        Err(error) if error.is_setting() => return Err(failure(forge, &error)),
        Err(error) => post.fall_back(&error)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The one that is named, or else the one in whose CI this runs.
fn forge(
    arguments: &CommentArguments,
    environment: &Environment,
) -> Result<&'static dyn Forge, Failure> {
    let named = arguments.forge.as_deref().and_then(forge::by_name);
    if let Some(forge) = named.or_else(|| forge::of_environment(environment)) {
        return Ok(forge);
    }
    if let (true, Some(first)) = (arguments.dry_run, FORGES.first()) {
        return Ok(*first);
    }
    let variables: Vec<&str> = FORGES.iter().map(|forge| forge.variable()).collect();
    let problem = format!("the forge is not known: none of {} is set", variables.join(", "));
    Err(Failure::with_hint(problem, Some("name it: `--forge github`".to_owned())))
}

/// What is to be said, and where.
struct Post<'a> {
    forge: &'static dyn Forge,
    key: &'a Key,
    said: &'a Said,
    environment: &'a Environment,
}

impl Post<'_> {
    /// Writes the comment, or looks what would have to be done. Says of which pull request.
    fn publish(
        &self,
        number: Option<u64>,
        is_rehearsal: bool,
    ) -> Result<(String, Outcome), ForgeError> {
        let subject = self.forge.subject(self.environment, number)?;
        let token = Token::of(self.environment, self.forge.tokens())?;
        let access = access(self.environment)?;
        let api = forge::api(self.forge, &subject, &access, token)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|problem| ForgeError::Setting {
            name: "no runtime can be started".to_owned(),
            problem: problem.to_string(),
        })?;
        runtime.block_on(self.publish_with(&api, &subject, is_rehearsal))
    }

    async fn publish_with(
        &self,
        api: &Api,
        subject: &Subject,
        is_rehearsal: bool,
    ) -> Result<(String, Outcome), ForgeError> {
        let thread = forge::thread(self.forge, api, subject).await?;
        let body = self.body();
        let wanted = Wanted { body: &body, clean: self.said.clean };
        let outcome =
            forge::publish(self.forge, api, subject, &thread, self.key, wanted, is_rehearsal)
                .await?;
        Ok((thread.shown, outcome))
    }

    fn body(&self) -> String {
        self.key.marked(&self.said.text, self.forge.limit())
    }

    /// Says what would be done, as far as it can be known, and prints the comment.
    fn rehearse(&self, number: Option<u64>) -> Result<ExitCode, Failure> {
        match self.publish(number, true) {
            Ok((shown, outcome)) => {
                say(&format!("{}: {}", printable(&shown), would_be_done(outcome.action)));
                tell_left_alone(&outcome);
            }
            Err(error) => {
                let unknown = "what there is could not be looked at";
                say(&format!("{unknown}: {}", printable(&error.to_string())));
                say(if self.said.clean {
                    "a comment that is there already would be changed, and none be begun"
                } else {
                    "a comment would be written, or the one that is there already be changed"
                });
            }
        }
        print(self.body().as_bytes())?;
        Ok(ExitCode::SUCCESS)
    }

    /// Tells it where it can be read without the forge's API.
    fn fall_back(&self, error: &ForgeError) -> Result<(), Failure> {
        say(&format!("warning: no comment: {}", printable(&error.to_string())));
        if let Some(hint) = self.forge.hint(error) {
            say(&format!("hint: {hint}"));
        }
        let text = self.said.text.trim_end();
        if let Some(path) = self.environment.path(SUMMARY) {
            match append(&path, &format!("\n{text}\n")) {
                Ok(()) => {
                    say("the step summary has it instead");
                    return Ok(());
                }
                Err(problem) => {
                    say(&format!("warning: {}: it cannot be written: {problem}", path.display()));
                }
            }
        }
        print(format!("{text}\n").as_bytes())
    }
}

fn append(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
    file.write_all(text.as_bytes())
}

/// How servers are reached. Files in the working directory have no say: after a pull request from
/// a fork, they may be a stranger's.
fn access(environment: &Environment) -> Result<AccessSettings, ForgeError> {
    let mut trusted = environment.clone();
    trusted.variables.insert("UV_NO_CONFIG".to_owned(), "1".to_owned());
    let (command_line, project) = (CommandLine::default(), IndexSettings::default());
    let network = NetworkSettings::gather(&command_line, &trusted, Path::new(""), project)
        .map_err(|error| ForgeError::Setting { name: error.origin, problem: error.problem })?;
    if network.offline { Err(ForgeError::Offline) } else { Ok(network.access) }
}

fn failure(forge: &dyn Forge, error: &ForgeError) -> Failure {
    Failure::with_hint(printable(&error.to_string()), forge.hint(error).map(str::to_owned))
}

fn done(action: Action) -> String {
    match action {
        Action::Created => "commented".to_owned(),
        Action::Updated(id) => format!("comment {id} was changed"),
        Action::MarkedClean(id) => format!("comment {id} says now that there is nothing any more"),
        Action::Unchanged(id) => format!("comment {id} says that already"),
        Action::Nothing => "nothing to say, and no comment that said anything".to_owned(),
    }
}

fn would_be_done(action: Action) -> String {
    match action {
        Action::Created => "a comment would be written".to_owned(),
        Action::Updated(id) => format!("comment {id} would be changed"),
        Action::MarkedClean(id) => {
            format!("comment {id} would be changed to say that there is nothing any more")
        }
        Action::Unchanged(_) | Action::Nothing => done(action),
    }
}

fn tell_left_alone(outcome: &Outcome) {
    if !outcome.others.is_empty() {
        let names = printable(&outcome.others.join(", "));
        say(&format!("comments with the same marker by {names} were left alone"));
    }
    if !outcome.further.is_empty() {
        let ids: Vec<String> = outcome.further.iter().map(u64::to_string).collect();
        say(&format!("further comments of the same author were left alone: {}", ids.join(", ")));
    }
}
