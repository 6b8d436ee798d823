//! `ftcheck comment` as a workflow runs it, against forges on this machine.

use std::fs;
use std::path::Path;

use assert_cmd::assert::Assert;
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::forge::{FakeForge, Kind, TOKEN, refusal};
use crate::support::http::Response;
use crate::support::index::FakeIndex;
use crate::support::wheel::WheelBuilder;
use crate::support::{Sandbox, fixture_module};

const BOTH: [Kind; 2] = [Kind::GitHub, Kind::GitLab];
const PLATFORM: &str = "x86_64-manylinux_2_28";

/// A checkout with reports, and the forge it is hosted on.
struct Job {
    sandbox: Sandbox,
    fake: FakeForge,
    kind: Kind,
}

impl Job {
    fn new(kind: Kind) -> Self {
        Self { sandbox: Sandbox::new(), fake: FakeForge::start(kind), kind }
    }

    /// Scans what the requirements name, and keeps the report under a name.
    fn scan(&self, requirements: &str, report: &str) {
        let module = |stem| fixture_module("x86_64-linux-gnu", stem);
        let wheel = |name, version| {
            WheelBuilder::new(name, version).tag("cp314-cp314t-manylinux_2_17_x86_64")
        };
        let suffix = "cpython-314t-x86_64-linux-gnu.so";
        let index = FakeIndex::builder()
            .file(WheelBuilder::new("pure", "1.0").build())
            .file(
                wheel("spam", "1.0").file(&format!("{ENABLES}.{suffix}"), module(ENABLES)).build(),
            )
            .file(wheel("spam", "2.0").file(&format!("{KEEPS}.{suffix}"), module(KEEPS)).build())
            .file(
                wheel("eggs", "1.0").file(&format!("{ENABLES}.{suffix}"), module(ENABLES)).build(),
            )
            .start();
        self.sandbox.write("requirements.txt", requirements);
        // What it ends with is none of the comment's business.
        let _ = self
            .sandbox
            .command()
            .args(["scan", "--platform", PLATFORM, "--index-url", &index.simple_url()])
            .args(["--output", report])
            .assert();
        assert!(self.sandbox.path().join(report).is_file());
    }

    /// Runs in the forge's CI, for the pull request with the number 7.
    fn command(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = self.sandbox.command();
        match self.kind {
            Kind::GitHub => {
                let event = json!({ "pull_request": { "number": 7 } }).to_string();
                command
                    .env("GITHUB_ACTIONS", "true")
                    .env("GITHUB_API_URL", self.fake.api())
                    .env("GITHUB_REPOSITORY", "owner/name")
                    .env("GITHUB_EVENT_PATH", self.sandbox.write("../event.json", event))
                    .env("GITHUB_STEP_SUMMARY", self.sandbox.path().join("../summary.md"))
                    .env("GITHUB_TOKEN", TOKEN);
            }
            Kind::GitLab => {
                command
                    .env("GITLAB_CI", "true")
                    .env("CI_API_V4_URL", self.fake.api())
                    .env("CI_PROJECT_ID", "group/name")
                    .env("CI_MERGE_REQUEST_IID", "7")
                    .env("GITLAB_TOKEN", TOKEN);
            }
        }
        command.arg("comment").args(arguments);
        command
    }

    fn comment(&self, arguments: &[&str]) -> String {
        let outcome = self.command(arguments).assert().success();
        assert_eq!(stdout(&outcome), "");
        stderr(&outcome)
    }

    fn summary(&self) -> String {
        fs::read_to_string(self.sandbox.path().join("../summary.md")).unwrap_or_default()
    }
}

const ENABLES: &str = "declares_nothing";
const KEEPS: &str = "declares";

fn stdout(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stdout).into_owned()
}

fn stderr(outcome: &Assert) -> String {
    String::from_utf8_lossy(&outcome.get_output().stderr).into_owned()
}

#[test]
fn a_report_is_told_changed_in_place_and_marked_when_clean() {
    for kind in BOTH {
        let job = Job::new(kind);
        let shown = if kind == Kind::GitHub { "owner/name#7" } else { "group/name!7" };
        job.scan("pure\n", "report.json");
        assert_eq!(
            job.comment(&[]),
            format!("{shown}: nothing to say, and no comment that said anything\n")
        );
        job.scan("spam==1.0\n", "report.json");
        assert_eq!(job.comment(&[]), format!("{shown}: commented\n"));
        assert_eq!(job.comment(&[]), format!("{shown}: comment 1000 says that already\n"));
        job.scan("spam==1.0\neggs\n", "report.json");
        assert_eq!(job.comment(&[]), format!("{shown}: comment 1000 was changed\n"));
        let bodies = job.fake.bodies();
        assert!(bodies[0].starts_with("<!-- ftcheck:report -->\n## ❌ ftcheck:"), "{bodies:?}");
        assert!(bodies[0].contains("eggs") && bodies[0].contains("spam"), "{bodies:?}");
        job.scan("spam==2.0\n", "report.json");
        let told = format!("{shown}: comment 1000 says now that there is nothing any more\n");
        assert_eq!(job.comment(&[]), told);
        assert_eq!(
            job.fake.bodies(),
            ["<!-- ftcheck:report -->\n✅ **ftcheck**: nothing stands in the way any more.\n"]
        );
        assert_eq!(job.summary(), "");
    }
}

#[test]
fn what_could_not_be_checked_is_something_to_say() {
    let job = Job::new(Kind::GitHub);
    job.scan("pure\nmissing\n", "report.json");
    assert_eq!(job.comment(&[]), "owner/name#7: commented\n");
}

#[test]
fn a_report_that_is_too_long_leaves_out_what_matters_least() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    let path = job.sandbox.path().join("report.json");
    let mut report: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let (package, finding) = (report["packages"][0].clone(), report["findings"][0].clone());
    for at in 0..2000 {
        for (list, one) in [("packages", &package), ("findings", &finding)] {
            let mut another = one.clone();
            let name = if list == "packages" { "name" } else { "package" };
            another[name] = json!(format!("spam-{at}"));
            report[list].as_array_mut().unwrap().push(another);
        }
    }
    fs::write(&path, report.to_string()).unwrap();
    assert_eq!(job.comment(&[]), "owner/name#7: commented\n");
    let body = &job.fake.bodies()[0];
    assert!(body.starts_with("<!-- ftcheck:report -->\n## ❌ ftcheck: 2001 packages"), "{body}");
    assert!(body.len() <= 65_536 && body.len() > 50_000, "{}", body.len());
    // The form itself knows what to leave out.
    assert!(!body.contains("Cut here"));
}

#[test]
fn with_a_base_only_the_change_is_told() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "base.json");
    job.scan("spam==1.0\npure\n", "report.json");
    let told = job.comment(&["--base", "base.json"]);
    assert_eq!(told, "owner/name#7: nothing to say, and no comment that said anything\n");
    job.scan("spam==1.0\neggs\n", "report.json");
    job.comment(&["--base", "base.json"]);
    assert_snapshot!(job.fake.bodies()[0]);
    job.comment(&["--base", "base.json", "--all", "--key", "all"]);
    assert!(job.fake.bodies()[1].starts_with("<!-- ftcheck:all -->\n## ❌ ftcheck: 2 packages"));
    job.scan("spam==2.0\n", "report.json");
    assert_eq!(job.comment(&["--base", "base.json"]), "owner/name#7: comment 1000 was changed\n");
    assert!(job.fake.bodies()[0].contains("fixed"), "{}", job.fake.bodies()[0]);
}

#[test]
fn a_rehearsal_tells_and_sends_nothing() {
    for kind in BOTH {
        let job = Job::new(kind);
        job.scan("spam==1.0\n", "report.json");
        let outcome = job.command(&["--dry-run"]).assert().success();
        assert!(stderr(&outcome).ends_with("7: a comment would be written\n"));
        assert!(stdout(&outcome).starts_with("<!-- ftcheck:report -->\n## ❌ ftcheck:"));
        job.comment(&[]);
        job.scan("eggs\n", "report.json");
        let outcome = job.command(&["--dry-run"]).assert().success();
        assert!(stderr(&outcome).ends_with("7: comment 1000 would be changed\n"));
        assert!(!job.fake.bodies()[0].contains("eggs"));
        // Without a token, nothing is asked either.
        let before = job.fake.asked().len();
        let variable = if kind == Kind::GitHub { "GITHUB_TOKEN" } else { "GITLAB_TOKEN" };
        let outcome = job.command(&["--dry-run"]).env_remove(variable).assert().success();
        assert!(stderr(&outcome).contains("no token"), "{}", stderr(&outcome));
        assert!(stdout(&outcome).contains("eggs"));
        assert_eq!(job.fake.asked().len(), before);
    }
    // Nor does it need a forge.
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    let outcome = job.sandbox.command().args(["comment", "--dry-run"]).assert().success();
    assert!(stdout(&outcome).starts_with("<!-- ftcheck:report -->\n"));
}

#[test]
fn where_a_fork_may_not_comment_the_summary_has_it() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    fs::write(job.sandbox.path().join("../summary.md"), "before\n").unwrap();
    job.fake.spoil("POST", "", 9, refusal(403, "Resource not accessible by integration"));
    let told = job.comment(&[]);
    let told = told.replace(job.fake.root(), "ROOT");
    assert_snapshot!(told, @r"
    warning: no comment: ROOT/api/v3/repos/owner/name/issues/7/comments: refused with HTTP status 403: Resource not accessible by integration
    hint: the job needs `permissions: pull-requests: write`; what comes from a fork has it only in a workflow that runs afterwards, on `workflow_run`
    the step summary has it instead
    ");
    let summary = job.summary();
    assert!(summary.starts_with("before\n\n## ❌ ftcheck:"), "{summary}");
    assert!(!summary.contains("<!--"), "{summary}");
}

#[test]
fn where_nothing_else_is_there_the_text_is_printed() {
    let job = Job::new(Kind::GitLab);
    job.scan("spam==1.0\n", "report.json");
    let outcome = job.command(&[]).env_remove("GITLAB_TOKEN").assert().success();
    assert!(stdout(&outcome).starts_with("## ❌ ftcheck:"), "{}", stdout(&outcome));
    assert_snapshot!(stderr(&outcome), @r"
    warning: no comment: no token: GITLAB_TOKEN is not set
    hint: a project access token in a masked variable is one; the job's own may not write notes, and merge requests from forks see none
    ");
    assert!(job.fake.asked().is_empty());
    // Nor is a summary that cannot be written.
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    let outcome = job
        .command(&[])
        .env("GITHUB_STEP_SUMMARY", job.sandbox.path())
        .env_remove("GITHUB_TOKEN")
        .assert()
        .success();
    assert!(stdout(&outcome).starts_with("## ❌ ftcheck:"), "{}", stdout(&outcome));
}

#[test]
fn limits_and_faults_lead_to_the_summary() {
    for bad in [
        refusal(429, "slow down").with_header("Retry-After", "3600"),
        refusal(403, "API rate limit exceeded").with_header("Retry-After", "3600"),
        refusal(401, "Bad credentials"),
        Response::new(502, "text/html", ""),
        Response::new(200, "text/html", "<html>log in</html>"),
        Response::new(307, "text/html", "").with_header("Location", "http://127.0.0.1:1/"),
    ] {
        let job = Job::new(Kind::GitHub);
        job.scan("spam==1.0\n", "report.json");
        job.fake.spoil("GET", "", 99, bad);
        let told = job.comment(&[]);
        assert!(told.starts_with("warning: no comment: http://127.0.0.1"), "{told}");
        assert!(told.ends_with("the step summary has it instead\n"), "{told}");
        assert!(job.summary().contains("ftcheck: 1 package"));
    }
}

#[test]
fn an_event_about_no_pull_request_leads_to_the_summary() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    let event = job.sandbox.write("../push.json", "{}");
    let outcome = job.command(&[]).env("GITHUB_EVENT_PATH", event).assert().success();
    assert!(stderr(&outcome).contains("no pull request"), "{}", stderr(&outcome));
    assert!(job.summary().contains("ftcheck: 1 package"));
    assert!(job.fake.asked().is_empty());
}

#[test]
fn the_token_is_in_no_output() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    job.fake.spoil("GET", "", 1, refusal(401, &format!("what is {TOKEN}?")));
    for arguments in [&["--dry-run"][..], &[], &["--pull-request", "8"]] {
        let outcome = job.command(arguments).assert().success();
        let output = format!("{}{}{}", stdout(&outcome), stderr(&outcome), job.summary());
        assert!(!output.contains(TOKEN), "{output}");
    }
    assert!(job.fake.asked().iter().any(|asked| asked.target.contains("/issues/8/")));
}

#[test]
fn what_cannot_be_told_at_all_fails() {
    let job = Job::new(Kind::GitHub);
    let fails = |command: &mut assert_cmd::Command| stderr(&command.assert().code(2));
    assert!(fails(&mut job.command(&[])).contains("report.json: the file cannot be read"));
    job.sandbox.write("report.json", "{}");
    assert!(fails(&mut job.command(&[])).contains("expected the report of a scan"));
    job.scan("spam==1.0\n", "report.json");
    assert!(fails(&mut job.command(&["--base", "nowhere.json"])).contains("nowhere.json"));
    let told = fails(job.command(&[]).env("GITHUB_REPOSITORY", "nonsense"));
    assert!(told.contains("GITHUB_REPOSITORY: expected `owner/name`"), "{told}");
    let told = fails(job.command(&[]).env("GITHUB_API_URL", "http://forge.example"));
    assert!(told.contains("GITHUB_API_URL: expected an https address"), "{told}");
    let told = fails(job.command(&[]).env_remove("GITHUB_ACTIONS"));
    assert!(told.contains("the forge is not known"), "{told}");
    assert!(fails(&mut job.command(&["--key", "a b"])).contains("expected up to 64 letters"));
    assert!(fails(&mut job.command(&["--forge", "gitea"])).contains("gitea"));
    assert!(fails(&mut job.command(&["--all"])).contains("--base"));
    assert!(job.fake.asked().is_empty());
    assert_eq!(job.summary(), "");
}

#[test]
fn files_in_the_working_directory_do_not_say_how_the_forge_is_reached() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    let stranger = FakeForge::start(Kind::GitHub);
    for file in ["uv.toml", "pip.conf", "pip.ini", ".netrc"] {
        let text = format!("https-proxy = \"{0}\"\nhttp-proxy = \"{0}\"\n", stranger.root());
        job.sandbox.write(Path::new(file), text);
    }
    let outcome = job.command(&[]).env_remove("UV_NO_CONFIG").assert().success();
    assert_eq!(stderr(&outcome), "owner/name#7: commented\n");
    assert!(stranger.asked().is_empty());
}

/// What the user accepts is no failure, and still there.
#[test]
fn what_is_accepted_is_not_told_as_if_there_were_nothing() {
    let job = Job::new(Kind::GitHub);
    job.scan("spam==1.0\n", "report.json");
    job.comment(&[]);
    job.sandbox.write("ftcheck.toml", "[[ignore]]\npackage = \"*\"\nreason = \"known\"\n");
    job.scan("spam==1.0\n", "report.json");
    let told = job.comment(&[]);
    assert_eq!(told, "owner/name#7: comment 1000 says now that there is nothing any more\n");
    assert_eq!(
        job.fake.bodies(),
        [
            "<!-- ftcheck:report -->\n✅ **ftcheck**: 1 package enables the GIL; nothing that fails the scan.\n"
        ]
    );
}
