//! How servers are reached: what the user's settings say of credentials, certificates and proxies.
//!
//! Which settings those are is told in [`crate::config`]; they are put to use in
//! [`crate::fetch::access`].

use std::path::PathBuf;

use url::Url;

/// How servers are reached.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AccessSettings {
    /// The file of user names and passwords by host.
    pub netrc: Option<PathBuf>,
    /// The authorities that servers' certificates have to be of, in files or folders of PEM
    /// certificates; those of the system where nothing is said.
    pub authorities: Option<Authorities>,
    /// The proxy that is asked for everything, where the environment's own variables
    /// (`HTTPS_PROXY` and its like) are not what counts. It may hold a password.
    pub proxy: Option<Url>,
}

/// Files and folders of PEM certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorities {
    /// Where they lie.
    pub paths: Vec<PathBuf>,
    /// What names them, such as `SSL_CERT_FILE`.
    pub origin: String,
}

/// Without the proxy, whose URL may hold a password.
impl std::fmt::Debug for AccessSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessSettings")
            .field("netrc", &self.netrc)
            .field("authorities", &self.authorities)
            .finish_non_exhaustive()
    }
}
