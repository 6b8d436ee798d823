//! A headless Chromium, spoken to over the `DevTools` protocol, as far as these tests need it.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::{Message, WebSocket};

/// How long anything may take; machines that build at the same time are slow.
const PATIENCE: Duration = Duration::from_mins(1);

/// The browser, with one page.
pub(crate) struct Browser {
    process: Child,
    socket: RefCell<WebSocket<TcpStream>>,
    session: String,
    state: RefCell<State>,
    _profile: TempDir,
}

#[derive(Default)]
struct State {
    next: u64,
    events: Vec<Value>,
}

impl Browser {
    /// Starts one that reaches nothing but the proxy.
    ///
    /// # Panics
    /// Where there is no Chromium: whoever asks for these tests wants them to run.
    pub(crate) fn start(proxy: &str) -> Self {
        let profile = TempDir::new().unwrap();
        let program = std::env::var("FTCHECK_CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
        let mut process = Command::new(&program)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--hide-scrollbars",
                "--remote-debugging-port=0",
                // Loopback too, so that everything is seen.
                "--proxy-bypass-list=<-loopback>",
            ])
            .arg(format!("--proxy-server={proxy}"))
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|problem| {
                panic!(
                    "`{program}` cannot be started: {problem}; these tests need Chromium (Debian's \
                     package `chromium`), or FTCHECK_CHROMIUM naming one"
                )
            });
        let told = profile.path().join("DevToolsActivePort");
        let started = Instant::now();
        let (port, path) = loop {
            let text = std::fs::read_to_string(&told).unwrap_or_default();
            if let Some((port, path)) = text.split_once('\n') {
                break (port.trim().to_owned(), path.trim().to_owned());
            }
            assert!(process.try_wait().unwrap().is_none(), "`{program}` ended at once");
            assert!(started.elapsed() < PATIENCE, "`{program}` does not listen");
            std::thread::sleep(Duration::from_millis(20));
        };
        let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let (socket, _) =
            tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream).unwrap();
        let mut browser = Self {
            process,
            socket: RefCell::new(socket),
            session: String::new(),
            state: RefCell::default(),
            _profile: profile,
        };
        let page = browser.call("Target.createTarget", &json!({"url": "about:blank"}));
        let attached = browser
            .call("Target.attachToTarget", &json!({"targetId": page["targetId"], "flatten": true}));
        attached["sessionId"].as_str().unwrap().clone_into(&mut browser.session);
        for part in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{part}.enable"), &json!({}));
        }
        browser.size(1280, 900);
        browser
    }

    /// Calls a method and waits for what it returns.
    pub(crate) fn call(&self, method: &str, parameters: &Value) -> Value {
        let id = {
            let mut state = self.state.borrow_mut();
            state.next += 1;
            state.next
        };
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if !self.session.is_empty() && !method.starts_with("Browser.") {
            message["sessionId"] = json!(self.session);
        }
        self.socket.borrow_mut().send(Message::text(message.to_string())).unwrap();
        loop {
            let answer = self.read();
            if answer["id"] == json!(id) {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.state.borrow_mut().events.push(answer);
        }
    }

    fn read(&self) -> Value {
        loop {
            let message = self.socket.borrow_mut().read().unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// Opens a page and waits until it is there.
    pub(crate) fn open(&self, address: &str) {
        self.call("Page.navigate", &json!({"url": address}));
        let started = Instant::now();
        loop {
            let loaded = |event: &Value| event["method"] == "Page.loadEventFired";
            if self.state.borrow().events.iter().any(loaded) {
                self.state.borrow_mut().events.retain(|event| !loaded(event));
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{address} does not load");
            let event = self.read();
            self.state.borrow_mut().events.push(event);
        }
    }

    /// The value of an expression in the page.
    pub(crate) fn value(&self, expression: &str) -> Value {
        let parameters =
            json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &parameters);
        assert!(answer["exceptionDetails"].is_null(), "{expression}: {answer}");
        answer["result"]["value"].clone()
    }

    pub(crate) fn text(&self, expression: &str) -> String {
        self.value(expression)
            .as_str()
            .unwrap_or_else(|| panic!("{expression}: no text"))
            .to_owned()
    }

    /// Presses a key, as the user would. What it writes is its own name where that is one letter.
    pub(crate) fn press(&self, key: &str) {
        self.press_with(key, 0);
    }

    /// The same with Alt (1), Control (2) or Shift (8) held.
    pub(crate) fn press_with(&self, key: &str, modifiers: u32) {
        let (name, code) = match key {
            "Tab" => ("Tab", 9),
            "Enter" => ("Enter", 13),
            "Escape" => ("Escape", 27),
            " " => ("Space", 32),
            "ArrowLeft" => ("ArrowLeft", 37),
            "ArrowUp" => ("ArrowUp", 38),
            "ArrowRight" => ("ArrowRight", 39),
            "ArrowDown" => ("ArrowDown", 40),
            _ => ("", 0),
        };
        let written = match key {
            "Enter" => "\r",
            _ if key.chars().count() == 1 => key,
            _ => "",
        };
        let kind = if written.is_empty() { "rawKeyDown" } else { "keyDown" };
        for (kind, text) in [(kind, written), ("keyUp", "")] {
            self.call(
                "Input.dispatchKeyEvent",
                &json!({"type": kind, "key": key, "code": name, "text": text,
                        "windowsVirtualKeyCode": code, "modifiers": modifiers}),
            );
        }
    }

    pub(crate) fn write(&self, text: &str) {
        for letter in text.chars() {
            self.press(&letter.to_string());
        }
    }

    /// Clicks on the middle of the first element that the selector finds.
    pub(crate) fn click(&self, selector: &str) {
        let place = self.value(&format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{block: \
             'center', behavior: 'instant'}}); const box = it.getBoundingClientRect(); return [box.x + \
             box.width / 2, box.y + box.height / 2]; }})()"
        ));
        for kind in ["mousePressed", "mouseReleased"] {
            self.call(
                "Input.dispatchMouseEvent",
                &json!({"type": kind, "x": place[0], "y": place[1], "button": "left",
                        "clickCount": 1}),
            );
        }
    }

    pub(crate) fn size(&self, width: u32, height: u32) {
        self.call(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        );
    }

    /// What the system is said to prefer.
    pub(crate) fn prefer(&self, theme: &str) {
        self.call(
            "Emulation.setEmulatedMedia",
            &json!({"features": [{"name": "prefers-color-scheme", "value": theme},
                                 {"name": "prefers-reduced-motion", "value": "reduce"}]}),
        );
    }

    /// Writes what is to be seen into the folder that `FTCHECK_SCREENSHOTS` names, if it does.
    pub(crate) fn screenshot(&self, name: &str, whole: bool) {
        use base64::Engine as _;
        let Some(folder) = std::env::var_os("FTCHECK_SCREENSHOTS") else { return };
        let parameters = json!({"format": "png", "captureBeyondViewport": whole});
        let shot = self.call("Page.captureScreenshot", &parameters);
        let shot = base64::engine::general_purpose::STANDARD
            .decode(shot["data"].as_str().unwrap())
            .unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), shot).unwrap();
    }

    /// What the page asked for, and what it complained of: errors, warnings, refused requests.
    pub(crate) fn requests_and_complaints(&self) -> (Vec<String>, Vec<String>) {
        // What was sent before this answer was read has been read, too.
        self.value("new Promise((done) => setTimeout(done, 200))");
        let state = self.state.borrow();
        let (mut requests, mut complaints) = (Vec::new(), Vec::new());
        for event in &state.events {
            let told = &event["params"];
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => {
                    requests.push(told["request"]["url"].as_str().unwrap().to_owned());
                }
                "Runtime.exceptionThrown"
                | "Runtime.consoleAPICalled"
                | "Log.entryAdded"
                | "Network.loadingFailed" => complaints.push(told.to_string()),
                _ => {}
            }
        }
        (requests, complaints)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It ends its own children when it is asked to; where it no longer hears, it is ended.
        let close = json!({"id": 0, "method": "Browser.close"}).to_string();
        let _ = self.socket.get_mut().send(Message::text(close));
        let started = Instant::now();
        while started.elapsed() < Duration::from_secs(5) {
            match self.process.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(20)),
                Err(problem) if problem.kind() == ErrorKind::Interrupted => {}
                _ => return,
            }
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
