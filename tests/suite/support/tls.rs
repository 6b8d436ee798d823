//! A front that speaks TLS and hands everything on to a fake index.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::index::FakeIndex;

/// A running front. It stops when dropped.
pub(crate) struct TlsFront {
    port: u16,
    authority: String,
    stopping: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl TlsFront {
    pub(crate) fn before(index: &FakeIndex) -> Self {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = params.self_signed(&key).expect("an authority").pem();
        let issuer = Issuer::new(params, key);
        let own_key = KeyPair::generate().expect("a key");
        let own = CertificateParams::new(["localhost".to_owned()])
            .and_then(|params| params.signed_by(&own_key, &issuer))
            .expect("a certificate");
        let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(own_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_no_client_auth()
            .with_single_cert(vec![own.der().clone()], private)
            .expect("a sound certificate");

        let listener = TcpListener::bind("127.0.0.1:0").expect("cannot bind a local port");
        let port = listener.local_addr().expect("an address").port();
        let stopping = Arc::new(AtomicBool::new(false));
        let (config, for_thread) = (Arc::new(config), Arc::clone(&stopping));
        let behind = index.base_url().trim_start_matches("http://").to_owned();
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if for_thread.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                // A client that does not believe the certificate hangs up.
                let _ = hand_on(stream, Arc::clone(&config), &behind);
            }
        });
        Self { port, authority, stopping, accepting: Some(accepting) }
    }

    /// `https://localhost:PORT`
    pub(crate) fn base_url(&self) -> String {
        format!("https://localhost:{}", self.port)
    }

    /// The certificate to believe in, as PEM.
    pub(crate) fn authority(&self) -> &str {
        &self.authority
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.accepting.take() {
            let _ = thread.join();
        }
    }
}

/// One request of a connection, and its answer.
fn hand_on(stream: TcpStream, config: Arc<ServerConfig>, behind: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(std::time::Duration::from_secs(10)))?;
    let connection = ServerConnection::new(config).map_err(std::io::Error::other)?;
    let mut outside = StreamOwned::new(connection, stream);
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        outside.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    head.truncate(head.len() - 2);
    head.extend_from_slice(b"connection: close\r\n\r\n");
    let mut inside = TcpStream::connect(behind)?;
    inside.write_all(&head)?;
    let mut answer = Vec::new();
    inside.read_to_end(&mut answer)?;
    outside.write_all(&answer)?;
    outside.conn.send_close_notify();
    outside.flush()
}
