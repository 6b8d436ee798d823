//! A small HTTP/1.1 server on a free port of 127.0.0.1, stopped on drop.
//!
//! Written over plain sockets because the tests need answers that a well-behaved
//! server library refuses to give, such as a `Content-Length` longer than the
//! body. It knows keep-alive and bodies of a stated length, and nothing about
//! indexes or forges.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Connections served at once, each by its own thread; further ones wait. More
/// than any client here opens, since an idle one keeps its place.
const MAX_CONNECTIONS: usize = 64;
/// How long a connection may lie idle before its place is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// Far above any real request head, so a runaway client cannot fill the memory.
const MAX_HEAD_BYTES: u64 = 64 * 1024;
const THREAD_STACK_BYTES: usize = 512 * 1024;

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub method: String,
    /// Percent-decoded, without the query.
    pub path: String,
    /// The path and query as they were sent.
    pub target: String,
    pub body: Vec<u8>,
    /// The host whose address was asked for, where the server was taken for a proxy.
    pub as_proxy_for: Option<String>,
    headers: Vec<(String, String)>,
    keep_alive: bool,
}

impl Request {
    /// All values of a header joined with commas, or nothing when it is absent.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}

/// How much of a response reaches the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// The headers promise the whole body, but the connection is closed after
    /// this many bytes of it.
    BodyCutAfter(usize),
    /// The same, but the connection is reset rather than closed.
    ResetAfter(usize),
    /// The connection is closed without a word.
    Nothing,
    /// One byte of the body after the other, with this pause between them.
    Drip(Duration),
}

#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub delay: Duration,
    pub delivery: Delivery,
}

impl Response {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
            delay: Duration::ZERO,
            delivery: Delivery::Whole,
        }
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// How many bytes of the body this server will put on the wire.
    pub(crate) fn body_bytes_for(&self, request: &Request) -> usize {
        if request.method == "HEAD" || !self.may_have_body() {
            return 0;
        }
        match self.delivery {
            Delivery::Whole | Delivery::Drip(_) => self.body.len(),
            Delivery::BodyCutAfter(limit) | Delivery::ResetAfter(limit) => {
                limit.min(self.body.len())
            }
            Delivery::Nothing => 0,
        }
    }

    const fn may_have_body(&self) -> bool {
        !matches!(self.status, 204 | 304)
    }
}

type Handler = dyn Fn(&Request) -> Response + Send + Sync;

#[derive(Default)]
struct State {
    stopping: bool,
    next_connection: u64,
    /// Second handles to the open sockets, to break off blocked reads and writes
    /// when the server stops.
    connections: HashMap<u64, TcpStream>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panicking connection thread must not take the stopping of the
        // server down with it, and no update here leaves the state half done.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits for a free place. Returns false when the server is stopping.
    fn wait_for_place(&self) -> bool {
        let state = self
            .changed
            .wait_while(self.lock(), |state| {
                !state.stopping && state.connections.len() >= MAX_CONNECTIONS
            })
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        !state.stopping
    }

    /// Sleeps, but wakes when the server stops, so that a long delay does not
    /// hold up the end of a test. Returns false when the server is stopping.
    fn pause(&self, delay: Duration) -> bool {
        let deadline = Instant::now() + delay;
        let mut state = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if state.stopping || left.is_zero() {
                return !state.stopping;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(std::sync::PoisonError::into_inner)
                .0;
        }
    }
}

/// Takes a connection off the list and closes it, also when its thread panics:
/// the client would otherwise wait for an answer that never comes.
struct OpenConnection<'shared> {
    shared: &'shared Shared,
    number: u64,
}

impl<'shared> OpenConnection<'shared> {
    fn register(shared: &'shared Shared, stream: &TcpStream) -> io::Result<Option<Self>> {
        let second_handle = stream.try_clone()?;
        let mut state = shared.lock();
        if state.stopping {
            return Ok(None);
        }
        let number = state.next_connection;
        state.next_connection += 1;
        state.connections.insert(number, second_handle);
        Ok(Some(Self { shared, number }))
    }
}

impl OpenConnection<'_> {
    /// Closes every handle without a shutdown, which would end the connection in good order.
    fn reset(&self, stream: TcpStream) {
        drop(self.shared.lock().connections.remove(&self.number));
        drop(stream);
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        let stream = self.shared.lock().connections.remove(&self.number);
        if let Some(stream) = stream {
            // Fails only when the client closed first.
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }
}

/// The running server.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves on an already bound listener: the caller needs to know the
    /// address before it can make a handler that writes absolute addresses.
    pub(crate) fn start(
        listener: TcpListener,
        handler: impl Fn(&Request) -> Response + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::new(Shared::default());
        let for_thread = Arc::clone(&shared);
        let accepting = thread::spawn(move || accept(&listener, &for_thread, &handler));
        Self { address, shared, accepting: Some(accepting) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.stopping = true;
        for stream in state.connections.values() {
            let _ = stream.shutdown(Shutdown::Both);
        }
        drop(state);
        self.shared.changed.notify_all();
        // The accepting thread sits in a blocking call; a connection wakes it.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.accepting.take()
            && thread.join().is_err()
            && !thread::panicking()
        {
            panic!("the test server panicked, see the message above");
        }
    }
}

fn accept(listener: &TcpListener, shared: &Shared, handler: &Handler) {
    thread::scope(|scope| {
        while shared.wait_for_place() {
            let Ok((stream, _)) = listener.accept() else {
                continue;
            };
            let Ok(Some(connection)) = OpenConnection::register(shared, &stream) else {
                continue;
            };
            thread::Builder::new()
                .stack_size(THREAD_STACK_BYTES)
                .spawn_scoped(scope, move || {
                    let connection = connection;
                    // A client that goes away mid-answer is part of the tests.
                    let served = serve_connection(&stream, connection.shared, handler);
                    if served.is_err_and(|problem| problem.kind() == io::ErrorKind::Other) {
                        connection.reset(stream);
                    }
                })
                .expect("cannot start a thread for a connection");
        }
    });
}

fn serve_connection(stream: &TcpStream, shared: &Shared, handler: &Handler) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader)? {
        let response = handler(&request);
        if !shared.pause(response.delay) || response.delivery == Delivery::Nothing {
            break;
        }
        if let Delivery::Drip(pause) = response.delivery {
            let head = Response { delivery: Delivery::BodyCutAfter(0), ..response.clone() };
            write_response(stream, &request, &head)?;
            for byte in &response.body {
                if !shared.pause(pause) {
                    break;
                }
                (&mut &*stream).write_all(&[*byte])?;
            }
            break;
        }
        write_response(stream, &request, &response)?;
        if matches!(response.delivery, Delivery::ResetAfter(_)) {
            // Closed now, it throws away what is under way and answers with a reset.
            socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO))?;
            return Err(io::Error::other("to be reset"));
        }
        if !request.keep_alive || response.delivery != Delivery::Whole {
            break;
        }
    }
    Ok(())
}

/// Reads one request, or returns nothing when the client closed the connection
/// or sent something that is not HTTP.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut head = reader.by_ref().take(MAX_HEAD_BYTES);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let [method, target, version] = words[..] else {
        return Ok(None);
    };
    // A proxy is asked by the whole address.
    let host = target.strip_prefix("http://").and_then(|rest| rest.split('/').next());
    let target = host.map_or(target, |host| &target["http://".len() + host.len()..]);
    let path = target.split('?').next().unwrap_or_default();
    let mut request = Request {
        method: method.to_owned(),
        path: percent_decode(path),
        target: target.to_owned(),
        body: Vec::new(),
        as_proxy_for: host.map(str::to_owned),
        headers: Vec::new(),
        keep_alive: version == "HTTP/1.1",
    };
    loop {
        let mut line = String::new();
        if head.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        if line.trim_end().is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            return Ok(None);
        };
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    if request.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        request.keep_alive = false;
    }
    // One left unread would be taken for the next request.
    let body_length =
        request.header("Content-Length").and_then(|value| value.parse().ok()).unwrap_or(0);
    reader.take(body_length).read_to_end(&mut request.body)?;
    Ok(Some(request))
}

fn write_response(
    mut stream: &TcpStream,
    request: &Request,
    response: &Response,
) -> io::Result<()> {
    // No reason phrase: clients must not depend on it.
    let mut message = format!("HTTP/1.1 {} \r\n", response.status);
    for (name, value) in &response.headers {
        message.push_str(&format!("{name}: {value}\r\n"));
    }
    if response.may_have_body() {
        message.push_str(&format!("Content-Length: {}\r\n", response.body.len()));
    }
    if !request.keep_alive {
        message.push_str("Connection: close\r\n");
    }
    message.push_str("\r\n");
    let mut message = message.into_bytes();
    let body_bytes = response.body_bytes_for(request);
    message.extend_from_slice(&response.body[..body_bytes]);
    stream.write_all(&message)
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = (bytes[at] == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escape.unwrap_or(bytes[at]));
        at += if escape.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
