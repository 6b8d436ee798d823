//! The way to the index as the environment has it: settings, certificates, proxies, credentials.

use std::fs;

use assert_cmd::Command;

use super::{PLATFORM, stderr, stdout, wheel_of};
use crate::support::Sandbox;
use crate::support::index::{FakeIndex, FakeIndexBuilder, basic};
use crate::support::tls::TlsFront;

fn index() -> FakeIndexBuilder {
    FakeIndex::builder().relative_urls(true).file(wheel_of("fine", "1.0", &["declares"]).build())
}

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("requirements.txt", "fine\n");
    sandbox
}

/// A scan that is told nothing of indexes.
fn scan(sandbox: &Sandbox) -> Command {
    let mut command = sandbox.command();
    command.args(["scan", "--platform", PLATFORM]);
    command
}

/// A scan of an index at this address.
fn scan_of(sandbox: &Sandbox, url: &str) -> Command {
    let mut command = scan(sandbox);
    command.env("UV_DEFAULT_INDEX", url);
    command
}

#[test]
fn certificates_are_those_that_the_environment_names() {
    let index = index().start();
    let front = TlsFront::before(&index);
    let url = format!("{}/simple/", front.base_url());
    let sandbox = sandbox();
    let file = sandbox.write("certs/authority.pem", front.authority());
    let folder = file.parent().unwrap();
    let outcome = scan_of(&sandbox, &url).assert().code(3);
    assert!(stdout(&outcome).contains("certificate"), "{}", stdout(&outcome));
    for (name, value) in [
        ("SSL_CERT_FILE", file.as_path()),
        ("SSL_CERT_DIR", folder),
        ("PIP_CERT", &file),
        ("REQUESTS_CA_BUNDLE", &file),
        ("CURL_CA_BUNDLE", &file),
    ] {
        scan_of(&sandbox, &url).env(name, value).assert().code(0);
    }
    let outcome = scan_of(&sandbox, &url).env("PIP_CERT", "/nonexistent.pem").assert().code(2);
    assert!(stderr(&outcome).contains("PIP_CERT: /nonexistent.pem"), "{}", stderr(&outcome));
}

#[test]
fn proxies_are_those_that_the_environment_names() {
    let proxy = index().start();
    let url = "http://index.invalid/simple/";
    let address = proxy.base_url();
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "PIP_PROXY"] {
        let sandbox = sandbox();
        proxy.clear_requests();
        scan_of(&sandbox, url).env(name, address).assert().code(0);
        let requests = proxy.requests();
        assert_eq!(requests.len(), 2, "{name}");
        for request in requests {
            assert_eq!(request.as_proxy_for.as_deref(), Some("index.invalid"), "{name}");
        }
        proxy.clear_requests();
        let mut excepted = scan_of(&sandbox, url);
        excepted.env(name, address).env("NO_PROXY", "index.invalid").assert().code(3);
        assert!(proxy.requests().is_empty(), "{name}");
    }
}

#[test]
fn credentials_come_from_variables_or_netrc_and_are_never_shown() {
    let index = index().login("user", "hunter2").start();
    let url = index.simple_url();
    let refused = scan_of(&sandbox(), &url).assert().code(3);
    assert!(stdout(&refused).contains("no credentials are given"), "{}", stdout(&refused));

    let netrc = "machine 127.0.0.1 login user password hunter2\n";
    let by_url = scan_of(&sandbox(), &index.url_with("user:hunter2"));
    let mut by_variable = scan_of(&sandbox(), &format!("own={url}"));
    let mut by_netrc = scan_of(&sandbox(), &url);
    let folder = sandbox();
    by_variable.env("UV_INDEX_OWN_USERNAME", "user").env("UV_INDEX_OWN_PASSWORD", "hunter2");
    by_netrc.env("NETRC", folder.write("netrc", netrc));
    let at_home = sandbox();
    fs::write(at_home.home().join(".netrc"), netrc).unwrap();
    let sandboxes: Vec<Sandbox> = (0..4).map(|_| sandbox()).collect();
    let commands = [by_url, by_variable, by_netrc, scan_of(&at_home, &url)];
    for (mut command, sandbox) in commands.into_iter().zip(&sandboxes) {
        index.clear_requests();
        let outcome = command
            .current_dir(sandbox.path())
            .env("FTCHECK_CACHE_DIR", sandbox.cache_dir())
            .arg("--verbose")
            .assert()
            .code(0);
        assert!(!stdout(&outcome).contains("hunter2"));
        assert!(!stderr(&outcome).contains("hunter2"));
        let requests = index.requests();
        assert_eq!(requests.len(), 2, "a page and a wheel");
        let expected = Some(basic("user", "hunter2"));
        assert!(requests.iter().all(|request| request.authorization == expected));
    }
    let outcome = scan_of(&sandbox(), &index.url_with("user:wrong-password")).assert().code(3);
    assert!(stdout(&outcome).contains("are refused"), "{}", stdout(&outcome));
    assert!(!stdout(&outcome).contains("wrong-password"));
}

#[test]
fn files_of_uv_and_pip_are_read() {
    let index = index().start();
    let url = index.simple_url();
    for (path, text) in [
        (".config/uv/uv.toml", format!("index-url = '{url}'")),
        (".config/pip/pip.conf", format!("[global]\nindex-url = {url}\n")),
    ] {
        let sandbox = sandbox();
        let path = sandbox.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        let mut command = scan(&sandbox);
        command.env_remove("UV_NO_CONFIG").env_remove("PIP_CONFIG_FILE").assert().code(0);
    }
    assert_eq!(index.requests_for("/simple/fine/").len(), 2);
}

#[test]
fn wheels_in_a_folder_are_looked_at_without_a_network() {
    let sandbox = sandbox();
    let wheel = wheel_of("fine", "1.0", &["declares_used"]).build();
    sandbox.write(format!("wheels/{}", wheel.filename), &wheel.bytes);
    for arguments in [
        ["--find-links", "wheels", "--no-index"].as_slice(),
        &["--find-links", "wheels", "--no-index", "--offline"],
    ] {
        let outcome = scan(&sandbox).args(arguments).assert().code(1);
        assert!(stdout(&outcome).contains("declares_used"), "{}", stdout(&outcome));
    }
    sandbox.write(format!("wheels/{}", wheel.filename), &wheel.bytes[..wheel.bytes.len() - 9]);
    let outcome = scan(&sandbox).args(["-f", "wheels", "--no-index"]).assert().code(3);
    assert!(stdout(&outcome).contains("damaged"), "{}", stdout(&outcome));
}

#[test]
fn settings_that_are_wrong_end_the_run() {
    let sandbox = sandbox();
    for (name, value) in
        [("UV_INDEX_STRATEGY", "any"), ("UV_INDEX", "gopher://user:hunter2@x.test")]
    {
        let outcome = scan(&sandbox).env(name, value).assert().code(2);
        assert!(stderr(&outcome).contains(name), "{}", stderr(&outcome));
        assert!(!stderr(&outcome).contains("hunter2"));
    }
}
