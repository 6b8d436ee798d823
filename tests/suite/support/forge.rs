//! A fake GitHub and a fake GitLab: the few questions that comments need, answered over real HTTP as
//! their documentation has it, and in awkward ways on request.

use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use super::http::{Delivery, Request, Response, Server};

/// What the fakes take for a good token.
pub(crate) const TOKEN: &str = "secret-token-4711";

/// Where GitLab has the notes of the merge request.
const NOTES: &str = "/projects/group%2Fname/merge_requests/7/notes";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    GitHub,
    GitLab,
}

/// A comment on the pull request with the number 7.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub id: u64,
    pub author: String,
    pub body: String,
    pub system: bool,
}

/// One request as the forge saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub method: String,
    pub target: String,
    pub token: Option<String>,
    pub accept: Option<String>,
    pub body: String,
}

/// An answer in place of the good one.
#[derive(Clone)]
pub(crate) struct Spoiled {
    method: &'static str,
    path_contains: &'static str,
    times: usize,
    response: Response,
    /// Whether what was asked for is done all the same.
    is_done: bool,
}

#[derive(Default)]
struct State {
    user: String,
    /// A token of an app: it may not ask for its user.
    is_app: bool,
    /// Nor by GraphQL.
    is_mute: bool,
    written: Vec<Written>,
    pulls: Value,
    spoiled: Vec<Spoiled>,
    asked: Vec<Asked>,
}

pub(crate) struct FakeForge {
    kind: Kind,
    root: String,
    state: Arc<Mutex<State>>,
    _server: Server,
}

impl FakeForge {
    pub(crate) fn start(kind: Kind) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("cannot bind a local port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let root = format!("http://{address}");
        let state = State { user: "scanner".to_owned(), pulls: json!([]), ..State::default() };
        let state = Arc::new(Mutex::new(state));
        let (for_server, base) = (Arc::clone(&state), root.clone());
        let server = Server::start(listener, move |request| {
            let mut state = for_server.lock().expect("a request handler panicked");
            state.handle(kind, &base, request)
        });
        Self { kind, root, state, _server: server }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a request handler panicked")
    }

    /// The address that the forge's CI would state.
    pub(crate) fn api(&self) -> String {
        match self.kind {
            Kind::GitHub => format!("{}/api/v3", self.root),
            Kind::GitLab => format!("{}/api/v4", self.root),
        }
    }

    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    pub(crate) fn user(self, name: &str) -> Self {
        name.clone_into(&mut self.lock().user);
        self
    }

    /// Answers as to the token of GitHub Actions, with or without GraphQL.
    pub(crate) fn app(self, is_mute: bool) -> Self {
        let mut state = self.lock();
        (state.is_app, state.is_mute) = (true, is_mute);
        "github-actions[bot]".clone_into(&mut state.user);
        drop(state);
        self
    }

    /// Adds a comment, and says under which number.
    pub(crate) fn write(&self, author: &str, body: &str) -> u64 {
        self.lock().write(author, body, false)
    }

    pub(crate) fn write_system(&self, author: &str, body: &str) -> u64 {
        self.lock().write(author, body, true)
    }

    pub(crate) fn pulls(&self, pulls: Value) {
        self.lock().pulls = pulls;
    }

    /// Answers otherwise, so many times.
    pub(crate) fn spoil(
        &self,
        method: &'static str,
        path_contains: &'static str,
        times: usize,
        response: Response,
    ) {
        let spoiled = Spoiled { method, path_contains, times, response, is_done: false };
        self.lock().spoiled.push(spoiled);
    }

    /// Does what it is asked for, once, and answers otherwise.
    pub(crate) fn spoil_answer(&self, method: &'static str, response: Response) {
        let spoiled = Spoiled { method, path_contains: "", times: 1, response, is_done: true };
        self.lock().spoiled.push(spoiled);
    }

    pub(crate) fn written(&self) -> Vec<Written> {
        self.lock().written.clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        self.written().into_iter().map(|one| one.body).collect()
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.lock().asked.clone()
    }

    /// The methods of all requests, in their order.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.asked().into_iter().map(|one| one.method).collect()
    }
}

/// An error as GitHub and GitLab word it.
pub(crate) fn refusal(status: u16, message: &str) -> Response {
    answer(status, &json!({ "message": message }))
}

/// No answer at all.
pub(crate) fn silence() -> Response {
    Response { delivery: Delivery::Nothing, ..Response::new(200, "text/plain", "") }
}

fn answer(status: u16, body: &Value) -> Response {
    Response::new(status, "application/json; charset=utf-8", body.to_string())
}

impl State {
    fn write(&mut self, author: &str, body: &str, system: bool) -> u64 {
        let id = 1000 + self.written.len() as u64;
        let (author, body) = (author.to_owned(), body.to_owned());
        self.written.push(Written { id, author, body, system });
        id
    }

    fn handle(&mut self, kind: Kind, root: &str, request: &Request) -> Response {
        let token = match kind {
            Kind::GitHub => request.header("Authorization"),
            Kind::GitLab => request.header("PRIVATE-TOKEN"),
        };
        self.asked.push(Asked {
            method: request.method.clone(),
            target: request.target.clone(),
            token: token.clone(),
            accept: request.header("Accept"),
            body: String::from_utf8_lossy(&request.body).into_owned(),
        });
        let rule = self.spoiled.iter_mut().find(|rule| {
            rule.times > 0
                && rule.method == request.method
                && request.target.contains(rule.path_contains)
        });
        let rule = rule.map(|rule| {
            rule.times -= 1;
            rule.clone()
        });
        if let Some(rule) = rule.as_ref().filter(|rule| !rule.is_done) {
            return rule.response.clone();
        }
        let expected = match kind {
            Kind::GitHub => format!("Bearer {TOKEN}"),
            Kind::GitLab => TOKEN.to_owned(),
        };
        if token != Some(expected) {
            return refusal(401, "Bad credentials");
        }
        let good = match kind {
            Kind::GitHub => self.github(root, request),
            Kind::GitLab => self.gitlab(request),
        };
        rule.map_or(good, |rule| rule.response)
    }

    fn github(&mut self, root: &str, request: &Request) -> Response {
        let (path, query) = split(&request.target);
        let Some(rest) = path.strip_prefix("/api/v3") else {
            return match (request.method.as_str(), path) {
                ("POST", "/api/graphql") if !self.is_mute => {
                    answer(200, &json!({ "data": { "viewer": { "login": self.user } } }))
                }
                _ => refusal(404, "Not Found"),
            };
        };
        match (request.method.as_str(), rest) {
            ("GET", "/user") if self.is_app => {
                refusal(403, "Resource not accessible by integration")
            }
            ("GET", "/user") => answer(200, &json!({ "login": self.user })),
            ("GET", "/repos/owner/name/pulls") => answer(200, &self.pulls),
            ("GET", "/repos/owner/name/issues/7/comments") => {
                let (page, size) = (number(query, "page", 1), number(query, "per_page", 30));
                let all: Vec<Value> = self.written.iter().map(Written::on_github).collect();
                let mut response = answer(200, &json!(slice(&all, page, size)));
                if page * size < all.len() {
                    let at = |page| format!("{root}{path}?per_page={size}&page={page}");
                    let last = all.len().div_ceil(size);
                    let link =
                        format!("<{}>; rel=\"last\", <{}>; rel=\"next\"", at(last), at(page + 1));
                    response = response.with_header("Link", link);
                }
                response
            }
            ("POST", "/repos/owner/name/issues/7/comments") => self.create(request, 65_536),
            ("PATCH", rest) => {
                let id = rest.strip_prefix("/repos/owner/name/issues/comments/");
                self.change(id, request, 65_536)
            }
            _ => refusal(404, "Not Found"),
        }
    }

    fn gitlab(&mut self, request: &Request) -> Response {
        const NOTES: &str = "/projects/group%2Fname/merge_requests/7/notes";
        let (path, query) = split(&request.target);
        let Some(rest) = path.strip_prefix("/api/v4") else {
            return refusal(404, "404 Not Found");
        };
        match (request.method.as_str(), rest) {
            ("GET", "/user") => answer(200, &json!({ "username": self.user, "id": 1 })),
            ("GET", NOTES) => {
                assert!(query.contains("sort=asc"), "{query}");
                let (page, size) = (number(query, "page", 1), number(query, "per_page", 20));
                let all: Vec<Value> = self.written.iter().map(Written::on_gitlab).collect();
                let more = page * size < all.len();
                let next = if more { (page + 1).to_string() } else { String::new() };
                answer(200, &json!(slice(&all, page, size)))
                    .with_header("X-Next-Page", next)
                    // As of a server that does not know its own address.
                    .with_header("Link", "<http://gitlab.invalid/?page=2>; rel=\"next\"")
            }
            ("POST", NOTES) => self.create(request, 1_000_000),
            ("PUT", rest) => {
                let id = rest.strip_prefix(NOTES).and_then(|rest| rest.strip_prefix('/'));
                self.change(id, request, 1_000_000)
            }
            _ => refusal(404, "404 Not Found"),
        }
    }

    fn create(&mut self, request: &Request, limit: usize) -> Response {
        let Some(body) = body(request, limit) else {
            return refusal(422, "Validation Failed: Body is too long");
        };
        let author = self.user.clone();
        let id = self.write(&author, &body, false);
        answer(201, &json!({ "id": id }))
    }

    fn change(&mut self, id: Option<&str>, request: &Request, limit: usize) -> Response {
        let id: Option<u64> = id.and_then(|id| id.parse().ok());
        let found = self.written.iter_mut().find(|one| Some(one.id) == id);
        match (found, body(request, limit)) {
            (None, _) => refusal(404, "Not Found"),
            (Some(one), _) if one.author != self.user => refusal(403, "Forbidden"),
            (_, None) => refusal(422, "Validation Failed: Body is too long"),
            (Some(one), Some(body)) => {
                one.body = body;
                answer(200, &json!({ "id": id }))
            }
        }
    }
}

impl Written {
    fn on_github(&self) -> Value {
        json!({ "id": self.id, "body": self.body, "user": { "login": self.author, "id": 1 } })
    }

    fn on_gitlab(&self) -> Value {
        json!({
            "id": self.id,
            "body": self.body,
            "author": { "username": self.author, "id": 1 },
            "system": self.system,
        })
    }
}

fn body(request: &Request, limit: usize) -> Option<String> {
    assert_eq!(request.header("Content-Type").as_deref(), Some("application/json"));
    let sent: Value = serde_json::from_slice(&request.body).expect("a body of JSON");
    let body = sent["body"].as_str().expect("a text");
    (body.chars().count() <= limit).then(|| body.to_owned())
}

fn split(target: &str) -> (&str, &str) {
    target.split_once('?').unwrap_or((target, ""))
}

fn number(query: &str, name: &str, otherwise: usize) -> usize {
    let found =
        query.split('&').filter_map(|pair| pair.split_once('=')).find(|(one, _)| *one == name);
    found.map_or(otherwise, |(_, value)| value.parse().expect("a number"))
}

fn slice(all: &[Value], page: usize, size: usize) -> &[Value] {
    let size = size.min(100);
    let begin = ((page - 1) * size).min(all.len());
    &all[begin..(begin + size).min(all.len())]
}
