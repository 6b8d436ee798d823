//! Credentials, certificates and proxies: who the client says it is, and whom it believes.
//!
//! Credentials go to the host they are for and nowhere else, and are never shown: neither in an
//! error nor in a key of the cache nor by `Debug`.

use std::fmt;
use std::path::Path;
use std::str::FromStr as _;
use std::sync::{PoisonError, RwLock};

use netrc::Netrc;
use percent_encoding::percent_decode_str;
use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy};
use url::Url;

use crate::model::access::{AccessSettings, Authorities};

/// The longest file of credentials or certificates that is read.
const MAX_FILE: u64 = 16 << 20;

/// Why the settings for access cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// Certificates that cannot be read.
    #[error("{origin}: {path}: {problem}")]
    Certificates {
        /// The setting that names them.
        origin: String,
        /// Where they should be.
        path: String,
        /// What was expected and what was found.
        problem: String,
    },
    /// A client cannot be set up at all.
    #[error("{0}")]
    Client(#[from] reqwest::Error),
}

/// A user name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub(super) user: String,
    pub(super) password: Option<String>,
}

impl Credential {
    /// Those that a URL holds.
    fn of(url: &Url) -> Option<Self> {
        if url.username().is_empty() && url.password().is_none() {
            return None;
        }
        let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
        Some(Self { user: decoded(url.username()), password: url.password().map(decoded) })
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(****)")
    }
}

/// What is known of them: those of indexes, and those of the user's netrc.
#[derive(Default)]
pub struct Credentials {
    /// By the root of an index, without the credentials themselves.
    indexes: RwLock<Vec<(Url, Credential)>>,
    netrc: Netrc,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(****)")
    }
}

impl Credentials {
    /// Those of a netrc file. One that is missing or damaged counts as empty, as in pip: without
    /// credentials the server refuses, which is told then.
    #[must_use]
    pub fn of_netrc(path: Option<&Path>) -> Self {
        let text = path.and_then(|path| read(path).ok()).unwrap_or_default();
        let netrc = Netrc::from_str(&String::from_utf8_lossy(&text)).unwrap_or_default();
        Self { indexes: RwLock::default(), netrc }
    }

    /// Remembers those that the URL of an index holds, for its pages and for files on its host.
    pub fn add_index(&self, root: &Url) {
        let Some(credential) = Credential::of(root) else { return };
        let mut root = root.clone();
        let _ = root.set_username("");
        let _ = root.set_password(None);
        let mut indexes = self.indexes.write().unwrap_or_else(PoisonError::into_inner);
        let entry = (root, credential);
        if !indexes.contains(&entry) {
            indexes.push(entry);
        }
    }

    /// Those to ask for `url` with: its own, else those of the index on the same scheme, host and
    /// port whose root is nearest, else those of netrc. A user name alone is completed by netrc.
    #[must_use]
    pub fn of(&self, url: &Url) -> Option<Credential> {
        let own = Credential::of(url);
        if let Some(own) = own {
            if own.password.is_some() {
                return Some(own);
            }
            let completed = self.of_host(url).filter(|known| known.user == own.user);
            return Some(completed.unwrap_or(own));
        }
        self.of_index(url).or_else(|| self.of_host(url))
    }

    fn of_index(&self, url: &Url) -> Option<Credential> {
        let indexes = self.indexes.read().unwrap_or_else(PoisonError::into_inner);
        let mut best: Option<(usize, &Credential)> = None;
        for (root, credential) in indexes.iter().filter(|(root, _)| is_same_host(root, url)) {
            let folder = root.path().trim_end_matches('/');
            let is_below =
                url.path().strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
            let nearness = if is_below { folder.len() + 1 } else { 0 };
            if best.is_none_or(|(known, _)| nearness > known) {
                best = Some((nearness, credential));
            }
        }
        best.map(|(_, credential)| credential.clone())
    }

    fn of_host(&self, url: &Url) -> Option<Credential> {
        let hosts = &self.netrc.hosts;
        let entry = hosts.get(url.host_str()?).or_else(|| hosts.get("default"))?;
        let password = Some(entry.password.clone());
        Some(Credential { user: entry.login.clone(), password })
    }
}

/// Credentials for one of them are for the other too.
fn is_same_host(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Sets a client up with the certificates and the proxy of the settings.
pub(crate) fn set_up(
    mut builder: ClientBuilder,
    settings: &AccessSettings,
) -> Result<ClientBuilder, AccessError> {
    if let Some(authorities) = &settings.authorities {
        builder = builder.tls_certs_only(certificates(authorities)?);
    }
    if let Some(proxy) = &settings.proxy {
        builder = builder.proxy(Proxy::all(proxy.clone())?.no_proxy(NoProxy::from_env()));
    }
    Ok(builder)
}

/// Whether the user's settings can be used, as far as can be told without reading every certificate:
/// that takes longer than a scan does which asks for nothing.
///
/// # Errors
/// Where the certificates that they name cannot be read, or their proxy is none.
pub(crate) fn check(settings: &AccessSettings) -> Result<(), AccessError> {
    if let Some(proxy) = &settings.proxy {
        Proxy::all(proxy.clone())?;
    }
    let Some(authorities) = &settings.authorities else { return Ok(()) };
    for path in &authorities.paths {
        let failed = |problem: String| unusable(authorities, path, problem);
        if path.is_dir() {
            std::fs::read_dir(path).map_err(|problem| failed(problem.to_string()))?;
        } else {
            let text = read(path).map_err(|problem| failed(unreadable(&problem)))?;
            if !text.windows(MARK.len()).any(|part| part == MARK) {
                return Err(failed(NONE.to_owned()));
            }
        }
    }
    Ok(())
}

/// What begins each certificate of a PEM file (RFC 7468).
const MARK: &[u8] = b"-----BEGIN CERTIFICATE-----";
const NONE: &str = "expected PEM certificates, found none";

fn certificates(authorities: &Authorities) -> Result<Vec<Certificate>, AccessError> {
    let mut found = Vec::new();
    for path in &authorities.paths {
        let failed = |problem: String| unusable(authorities, path, problem);
        if path.is_dir() {
            // As OpenSSL has it, files that are none are passed over.
            let entries = std::fs::read_dir(path).map_err(|problem| failed(problem.to_string()))?;
            let mut files: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
            files.sort();
            for file in files.iter().filter(|file| file.is_file()) {
                let text = read(file).unwrap_or_default();
                found.extend(Certificate::from_pem_bundle(&text).unwrap_or_default());
            }
        } else {
            let text = read(path).map_err(|problem| failed(unreadable(&problem)))?;
            let certificates = Certificate::from_pem_bundle(&text).unwrap_or_default();
            if certificates.is_empty() {
                return Err(failed(NONE.to_owned()));
            }
            found.extend(certificates);
        }
    }
    Ok(found)
}

fn unusable(authorities: &Authorities, path: &Path, problem: String) -> AccessError {
    let origin = authorities.origin.clone();
    AccessError::Certificates { origin, path: path.display().to_string(), problem }
}

fn unreadable(problem: &std::io::Error) -> String {
    match problem.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => format!("it cannot be read: {problem}"),
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(MAX_FILE).read_to_end(&mut bytes)?;
    Ok(bytes)
}
