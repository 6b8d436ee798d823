//! A proxy that has one page, and notes whatever else it is asked for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Where the page is, for a browser that goes by way of the proxy.
pub(crate) const PAGE: &str = "http://report.example/";

pub(crate) struct Server {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn of(page: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (page, noted) = (page.clone(), Arc::clone(&noted));
                // Browsers open connections ahead and say nothing on them.
                std::thread::spawn(move || answer(&stream, &page, &noted));
            }
        });
        Self { address, asked }
    }

    /// What the page's host was asked for, once the page itself was.
    pub(crate) fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|line| line.contains("report.example")).cloned().collect()
    }
}

fn answer(mut stream: &TcpStream, page: &str, noted: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    noted.lock().unwrap().push(first.clone());
    // The head ends with an empty line.
    for _ in lines.by_ref().take_while(|line| !line.is_empty()) {}
    let found = first.starts_with(&format!("GET {PAGE} "));
    let (status, body) = if found { ("200 OK", page) } else { ("404 Not Found", "") };
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
}
