//! Comments on pull requests, against forges on this machine.

mod access;
mod faults;
mod github;
mod gitlab;
mod plan;
mod publish;

use std::collections::BTreeMap;
use std::path::PathBuf;

use ftcheck::config::{Environment, System};
use ftcheck::forge::comment::{Key, Wanted};
use ftcheck::forge::{self, Forge, ForgeError, Outcome, Token};
use ftcheck::model::access::AccessSettings;

use crate::support::forge::{FakeForge, Kind, TOKEN};

pub(crate) fn environment(variables: &[(&str, &str)]) -> Environment {
    let variables: BTreeMap<String, String> =
        variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Environment::on(System::Unix, variables, None, PathBuf::from("/"))
}

/// The environment of a job for the pull request with the number 7.
fn job(kind: Kind, api: &str) -> Environment {
    match kind {
        Kind::GitHub => environment(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", api),
            ("GITHUB_REPOSITORY", "owner/name"),
            ("GITHUB_TOKEN", TOKEN),
        ]),
        Kind::GitLab => environment(&[
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", api),
            ("CI_PROJECT_ID", "group/name"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("GITLAB_TOKEN", TOKEN),
        ]),
    }
}

fn forge_of(kind: Kind) -> &'static dyn Forge {
    match kind {
        Kind::GitHub => forge::by_name("github").unwrap(),
        Kind::GitLab => forge::by_name("gitlab").unwrap(),
    }
}

fn key() -> Key {
    "report".parse().unwrap()
}

fn marked(text: &str) -> String {
    format!("<!-- ftcheck:report -->\n{text}")
}

struct Job {
    kind: Kind,
    environment: Environment,
    is_rehearsal: bool,
}

impl Job {
    fn on(fake: &FakeForge, kind: Kind) -> Self {
        Self { kind, environment: job(kind, &fake.api()), is_rehearsal: false }
    }

    fn says(&self, text: &str) -> Result<Outcome, ForgeError> {
        self.publish(text, false)
    }

    fn is_clean(&self) -> Result<Outcome, ForgeError> {
        self.publish("Nothing any more.", true)
    }

    fn publish(&self, text: &str, clean: bool) -> Result<Outcome, ForgeError> {
        let forge = forge_of(self.kind);
        let number = (self.kind == Kind::GitHub).then_some(7);
        let subject = forge.subject(&self.environment, number)?;
        let token = Token::of(&self.environment, forge.tokens())?;
        let api = forge::api(forge, &subject, &AccessSettings::default(), token)?;
        assert!(!format!("{api:?}").contains(TOKEN));
        let body = key().marked(text, forge.limit());
        let wanted = Wanted { body: &body, clean };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let thread = forge::thread(forge, &api, &subject).await?;
            forge::publish(forge, &api, &subject, &thread, &key(), wanted, self.is_rehearsal).await
        })
    }
}

const BOTH: [Kind; 2] = [Kind::GitHub, Kind::GitLab];
