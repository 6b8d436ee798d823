//! An index on this machine that is as far away as it is told to be, and a plain client for it.
//!
//! A connection takes one latency to come about and each answer another; all answers share one line.
//! HTTP/1.1 with keep-alive, in plain sockets: what is measured is the program, not a library here.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// How much is sent at once by one connection, before the others have their turn.
const PIECE: usize = 16 << 10;

/// How far away the index is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Distance {
    pub(crate) latency: Duration,
    pub(crate) bytes_per_second: u64,
}

/// One request that was answered.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) path: String,
    pub(crate) range: Option<String>,
    /// Of the body.
    pub(crate) bytes: u64,
}

/// What was asked since the last look.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    pub(crate) served: Vec<Served>,
    pub(crate) connections: usize,
}

impl Traffic {
    pub(crate) fn bytes(&self) -> u64 {
        self.served.iter().map(|one| one.bytes).sum()
    }
}

struct Shared {
    distance: Distance,
    files: Mutex<HashMap<String, Arc<Vec<u8>>>>,
    traffic: Mutex<Traffic>,
    /// When the line is free again.
    line: Mutex<Instant>,
}

/// Serves until the process ends.
pub(crate) struct Server {
    shared: Arc<Shared>,
    pub(crate) address: SocketAddr,
}

impl Server {
    pub(crate) fn start(distance: Distance) -> Result<Self, Failure> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            distance,
            files: Mutex::default(),
            traffic: Mutex::default(),
            line: Mutex::new(Instant::now()),
        });
        let of_thread = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().filter_map(Result::ok) {
                let shared = Arc::clone(&of_thread);
                // A client that hangs up is no concern of others.
                thread::spawn(move || shared.serve(&stream));
            }
        });
        Ok(Self { shared, address })
    }

    pub(crate) fn add(&self, filename: &str, bytes: Vec<u8>) {
        lock(&self.shared.files).insert(format!("/files/{filename}"), Arc::new(bytes));
    }

    /// What was asked since this was asked last.
    pub(crate) fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut *lock(&self.shared.traffic))
    }
}

impl Shared {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        lock(&self.traffic).connections += 1;
        thread::sleep(self.distance.latency);
        let mut reader = BufReader::new(stream);
        while let Some((path, range)) = read_request(&mut reader)? {
            let file = lock(&self.files).get(&path).cloned();
            thread::sleep(self.distance.latency);
            let Some(file) = file else {
                (&mut &*stream).write_all(b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n")?;
                continue;
            };
            let size = file.len();
            let part = range.as_deref().and_then(|range| part(range, size));
            let (head, body) = match part {
                Some((first, end)) => {
                    let last = end - 1;
                    let head = format!("206 \r\nContent-Range: bytes {first}-{last}/{size}");
                    (head, file.get(first..end).unwrap_or_default())
                }
                None => ("200 ".to_owned(), file.as_slice()),
            };
            let length = body.len();
            let head = format!("HTTP/1.1 {head}\r\nContent-Length: {length}\r\n\r\n");
            lock(&self.traffic).served.push(Served { path, range, bytes: length as u64 });
            (&mut &*stream).write_all(head.as_bytes())?;
            for piece in body.chunks(PIECE) {
                self.wait_for_line(piece.len());
                (&mut &*stream).write_all(piece)?;
            }
        }
        Ok(())
    }

    /// Waits until the line has taken so many bytes.
    fn wait_for_line(&self, bytes: usize) {
        let nanoseconds = bytes as u64 * 1_000_000_000 / self.distance.bytes_per_second;
        let until = {
            let mut free = lock(&self.line);
            *free = (*free).max(Instant::now()) + Duration::from_nanos(nanoseconds);
            *free
        };
        thread::sleep(until.saturating_duration_since(Instant::now()));
    }
}

/// How long a client takes that does nothing but ask the same again, on as many connections.
pub(crate) fn floor(address: SocketAddr, traffic: &Traffic) -> Result<Duration, Failure> {
    let mut requests = traffic.served.clone();
    // The largest last, where they are taken from: what takes longest is begun first.
    requests.sort_by_key(|request| request.bytes);
    let requests = Mutex::new(requests);
    let begun = Instant::now();
    thread::scope(|scope| {
        let clients: Vec<_> = (0..traffic.connections)
            .map(|_| scope.spawn(|| ask_for_all(address, &requests)))
            .collect();
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        Ok::<_, Failure>(())
    })?;
    Ok(begun.elapsed())
}

fn ask_for_all(address: SocketAddr, requests: &Mutex<Vec<Served>>) -> io::Result<()> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(PIECE, &stream);
    loop {
        let Some(Served { path, range, .. }) = lock(requests).pop() else { return Ok(()) };
        let range = range.map(|range| format!("Range: {range}\r\n")).unwrap_or_default();
        let head = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{range}\r\n");
        (&mut &stream).write_all(head.as_bytes())?;
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            if line.trim_end().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length:") {
                length = value.trim().parse().unwrap_or_default();
            }
        }
        io::copy(&mut reader.by_ref().take(length), &mut io::sink())?;
    }
}

/// The path and the range of a request; nothing at the end.
fn read_request(reader: &mut impl BufRead) -> io::Result<Option<(String, Option<String>)>> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let Some(path) = line.split_whitespace().nth(1).map(str::to_owned) else { return Ok(None) };
    let mut range = None;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            return Ok(Some((path, range)));
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("range")
        {
            range = Some(value.trim().to_owned());
        }
    }
}

/// The first byte and the one behind the last of `bytes=1-9` or `bytes=-9`.
fn part(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (first, end) = match first {
        "" => (size.saturating_sub(last.parse().ok()?), size),
        _ => (first.parse().ok()?, last.parse::<usize>().ok()?.checked_add(1)?.min(size)),
    };
    (first < end).then_some((first, end))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
