//! What command line, environment and files say of indexes, and which of them counts.

mod pip;
mod places;
mod uv;

use std::path::Path;

use ftcheck::config::{CommandLine, ConfigError, Environment, NetworkSettings};
use ftcheck::model::index::{IndexSettings, IndexSource, LinksSource};
use tempfile::TempDir;
use url::Url;

/// A machine of its own: a folder with a home and a project, and variables.
struct Machine {
    folder: TempDir,
    environment: Environment,
    command_line: CommandLine,
    manifest: IndexSettings,
}

impl Machine {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let below = |path: &str| folder.path().join(path);
        let environment = Environment {
            home: Some(below("home")),
            folder: below("project"),
            uv_files: vec![below("home/uv.toml"), below("etc/uv.toml")],
            pip_files: vec![below("etc/pip.conf"), below("home/pip.conf"), below("venv/pip.conf")],
            ..Environment::default()
        };
        let machine = Self {
            environment,
            command_line: CommandLine::default(),
            manifest: IndexSettings::default(),
            folder,
        };
        machine.write("project/.keep", "").write("home/.keep", "")
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(self, path: &str, text: &str) -> Self {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    fn variables(self, all: &[(&str, &str)]) -> Self {
        all.iter().fold(self, |machine, (name, value)| machine.variable(name, value))
    }

    fn try_gather(&self) -> Result<NetworkSettings, ConfigError> {
        let project = self.path().join("project");
        let manifest = self.manifest.clone();
        NetworkSettings::gather(&self.command_line, &self.environment, &project, manifest)
    }

    fn gather(&self) -> NetworkSettings {
        self.try_gather().expect("sound settings")
    }

    /// The indexes as texts: `NAME=URL`, `*` before the default one, `!` before explicit ones.
    fn indexes(&self) -> Vec<String> {
        self.gather().indexes.indexes.iter().map(shown).collect()
    }

    fn problem(&self) -> String {
        self.try_gather().expect_err("an error").to_string()
    }

    fn links(&self) -> Vec<String> {
        let root = self.path().display().to_string();
        let links = self.gather().indexes.find_links;
        links
            .iter()
            .map(|place| match place {
                LinksSource::Path(path) => path.display().to_string().replace(&root, ""),
                LinksSource::Page(url) => url.to_string(),
            })
            .collect()
    }
}

fn shown(source: &IndexSource) -> String {
    let default = if source.is_default { "*" } else { "" };
    let explicit = if source.explicit { "!" } else { "" };
    let name = source.name.as_ref().map(|name| format!("{name}=")).unwrap_or_default();
    format!("{default}{explicit}{name}{}", source.url)
}

fn index(url: &str, is_default: bool) -> IndexSource {
    IndexSource { is_default, ..IndexSource::new(Url::parse(url).unwrap()) }
}

#[test]
fn without_settings_nothing_is_said() {
    assert_eq!(Machine::new().gather(), NetworkSettings::default());
}

#[test]
fn of_default_indexes_the_most_important_counts() {
    let mut machine = Machine::new();
    machine.command_line.default_index = Some("https://line.test/".to_owned());
    let machine = machine
        .variable("UV_DEFAULT_INDEX", "https://variable.test/")
        .write("project/uv.toml", "index-url = 'https://project.test/'")
        .write("home/uv.toml", "index-url = 'https://home.test/'")
        .write("etc/uv.toml", "index-url = 'https://etc.test/'")
        .variable("PIP_INDEX_URL", "https://pip.test/")
        .write("home/pip.conf", "[global]\nindex-url = https://pip-home.test/");
    let mut machine = machine;
    machine.manifest.indexes.push(index("https://manifest.test/", true));
    assert_eq!(machine.indexes(), ["*https://line.test/"]);
    machine.command_line.default_index = None;
    assert_eq!(machine.indexes(), ["*https://variable.test/"]);
    machine.environment.variables.remove("UV_DEFAULT_INDEX");
    assert_eq!(machine.indexes(), ["*https://project.test/"]);
    std::fs::remove_file(machine.path().join("project/uv.toml")).unwrap();
    assert_eq!(machine.indexes(), ["*https://manifest.test/"]);
    machine.manifest.indexes.clear();
    assert_eq!(machine.indexes(), ["*https://home.test/"]);
    std::fs::remove_file(machine.path().join("home/uv.toml")).unwrap();
    assert_eq!(machine.indexes(), ["*https://etc.test/"]);
    std::fs::remove_file(machine.path().join("etc/uv.toml")).unwrap();
    assert_eq!(machine.indexes(), ["*https://pip.test/"]);
    machine.environment.variables.clear();
    assert_eq!(machine.indexes(), ["*https://pip-home.test/"]);
}

#[test]
fn other_indexes_add_up_in_order_of_importance() {
    let mut machine = Machine::new()
        .variable("UV_EXTRA_INDEX_URL", "https://b.test/ https://c.test/")
        .write("home/uv.toml", "[[index]]\nname = 'd'\nurl = 'https://d.test/'\nexplicit = true")
        .variable("PIP_EXTRA_INDEX_URL", "https://e.test/\nhttps://b.test/");
    machine.command_line.index = vec!["a=https://a.test/simple".to_owned()];
    assert_eq!(
        machine.indexes(),
        [
            "a=https://a.test/simple",
            "https://b.test/",
            "https://c.test/",
            "!d=https://d.test/",
            "https://e.test/",
        ]
    );
}

#[test]
fn an_option_stands_in_for_its_variable() {
    let mut machine = Machine::new().variables(&[
        ("UV_INDEX", "v=https://v.test/"),
        ("UV_EXTRA_INDEX_URL", "https://w.test/"),
        ("UV_FIND_LINKS", "wheels,https://links.test/page"),
    ]);
    assert_eq!(machine.indexes(), ["v=https://v.test/", "https://w.test/"]);
    assert_eq!(machine.links(), ["/project/wheels", "https://links.test/page"]);
    machine.command_line.index = vec!["https://a.test/".to_owned()];
    machine.command_line.find_links = vec!["other".to_owned()];
    assert_eq!(machine.indexes(), ["https://a.test/", "https://w.test/"]);
    assert_eq!(machine.links(), ["/project/other"]);
}

#[test]
fn an_index_may_be_a_folder() {
    let mut machine = Machine::new().write("project/simple/spam/index.html", "");
    machine.command_line.index = vec!["simple".to_owned()];
    assert!(machine.indexes()[0].starts_with("file:///"), "{:?}", machine.indexes());
    assert!(machine.indexes()[0].ends_with("/project/simple/"));
    machine.command_line.index = vec!["nowhere".to_owned()];
    assert!(machine.problem().contains("--index: expected a URL or the path of a folder"));
}

#[test]
fn what_is_wrong_is_told_with_its_origin_and_without_passwords() {
    for (name, value, expected) in [
        ("UV_INDEX_URL", "ftp://user:hunter2@x.test/", "UV_INDEX_URL: expected an http"),
        ("UV_INDEX", "https://user:hunter2@[/", "UV_INDEX: expected a URL"),
        ("PIP_INDEX_URL", "https://user:hunter2@[/", "PIP_INDEX_URL: expected a URL"),
        ("PIP_PROXY", "http://user:hunter2@[/", "PIP_PROXY: expected the URL"),
        ("UV_INDEX_STRATEGY", "any", "UV_INDEX_STRATEGY: expected `first-index`"),
        ("UV_PRERELEASE", "some", "UV_PRERELEASE: expected `allow`"),
        ("UV_OFFLINE", "maybe", "UV_OFFLINE: expected `true`"),
        ("PIP_NO_INDEX", "maybe", "PIP_NO_INDEX: expected `true`"),
        ("UV_CONFIG_FILE", "/nonexistent/uv.toml", "UV_CONFIG_FILE: /nonexistent/uv.toml"),
    ] {
        let problem = Machine::new().variable(name, value).problem();
        assert!(problem.starts_with(expected), "{name}: {problem}");
        assert!(!problem.contains("hunter2"), "{problem}");
    }
}

#[test]
fn named_indexes_take_their_credentials_from_variables() {
    let mut machine = Machine::new().variables(&[
        ("UV_INDEX_MY_INDEX_USERNAME", "us@er"),
        ("UV_INDEX_MY_INDEX_PASSWORD", "hunter2"),
        ("UV_INDEX_OTHER_PASSWORD", "token"),
    ]);
    machine.command_line.index = vec![
        "my-index=https://old:one@a.test/".to_owned(),
        "other=https://b.test/".to_owned(),
        "third=https://c.test/".to_owned(),
    ];
    assert_eq!(
        machine.indexes(),
        [
            "my-index=https://us%40er:hunter2@a.test/",
            "other=https://:token@b.test/",
            "third=https://c.test/",
        ]
    );
}

#[test]
fn certificates_are_those_of_the_most_important_variable() {
    let names = ["SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];
    let mut machine = names
        .iter()
        .fold(Machine::new(), |machine, name| machine.variable(name, &format!("/{name}.pem")));
    for name in names {
        let found = machine.gather().access.authorities.expect("certificates");
        assert_eq!(found.origin, name);
        assert_eq!(found.paths, [Path::new(&format!("/{name}.pem"))]);
        machine.environment.variables.remove(name);
    }
    assert_eq!(machine.gather().access.authorities, None);
    let machine = machine.variable("SSL_CERT_DIR", "/certs");
    assert_eq!(machine.gather().access.authorities.unwrap().paths, [Path::new("/certs")]);
}

#[test]
fn netrc_is_where_the_variable_says_or_at_home() {
    let machine = Machine::new();
    assert_eq!(machine.gather().access.netrc, None);
    let machine = machine.write("home/_netrc", "");
    assert_eq!(machine.gather().access.netrc, Some(machine.path().join("home/_netrc")));
    let machine = machine.write("home/.netrc", "");
    assert_eq!(machine.gather().access.netrc, Some(machine.path().join("home/.netrc")));
    let machine = machine.variable("NETRC", "/else/netrc");
    assert_eq!(machine.gather().access.netrc.as_deref(), Some(Path::new("/else/netrc")));
}
