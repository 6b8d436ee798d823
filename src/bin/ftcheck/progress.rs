//! The progress bar on the standard error: what is being worked on, and what was received so far.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ftcheck::fetch::client::Client;
use ftcheck::pipeline::Progress;
use ftcheck::report;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::{interrupt, terminal};

const RESOLVING: &str = "{spinner} resolving  {received}";
/// Not as wide as the terminal: what it shows where Ctrl-C is pressed would begin another line then,
/// and that one be cleared in place of this.
const LOOKING: &str = "{spinner} {pos}/{len} {bar:30} {received}  {msg}";
/// Letters of a name that are shown.
const NAME: usize = 40;

/// A bar that is drawn on terminals only. Ctrl-C clears it.
pub(crate) struct Bar {
    drawn: ProgressBar,
    client: Arc<Client>,
    wheels: AtomicU64,
    /// The packages that are worked on, the oldest first.
    at_work: Mutex<Vec<String>>,
}

impl Bar {
    pub(crate) fn new(shown: bool, client: &Arc<Client>) -> Self {
        let target = if shown && terminal::may_draw() {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let whole = Self {
            drawn: bar.clone(),
            client: Arc::clone(client),
            wheels: AtomicU64::new(0),
            at_work: Mutex::default(),
        };
        whole.draw_as(RESOLVING);
        whole.drawn.enable_steady_tick(Duration::from_millis(100));
        interrupt::before_end(move || bar.finish_and_clear());
        whole
    }

    /// The sizes of all wheels that were looked into, in bytes.
    pub(crate) fn wheel_bytes(&self) -> u64 {
        self.wheels.load(Ordering::Relaxed)
    }

    pub(crate) fn clear(&self) {
        self.drawn.finish_and_clear();
    }

    fn draw_as(&self, template: &str) {
        let client = Arc::clone(&self.client);
        let received = move |_: &ProgressState, to: &mut dyn Write| {
            // There is nowhere to tell that a bar could not be drawn.
            let _ = to.write_str(&report::bytes(client.traffic().bytes()));
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.drawn.set_style(style.with_key("received", received));
        }
    }

    fn change(&self, change: impl FnOnce(&mut Vec<String>)) {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut at_work);
        let message = match at_work.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [first, others @ ..] => format!("{first} and {} more", others.len()),
        };
        self.drawn.set_message(message);
    }
}

impl Drop for Bar {
    /// Nothing of it stays above an error.
    fn drop(&mut self) {
        self.clear();
    }
}

impl Progress for Bar {
    fn start(&self, packages: usize) {
        // Of several platforms each has its own packages.
        self.drawn.set_length(self.drawn.length().unwrap_or(0) + packages as u64);
        self.draw_as(LOOKING);
    }

    fn begin(&self, name: &str) {
        self.change(|at_work| at_work.push(shown(name)));
    }

    fn finish(&self, name: &str) {
        let name = shown(name);
        self.change(|at_work| {
            if let Some(at) = at_work.iter().position(|other| *other == name) {
                at_work.remove(at);
            }
        });
        self.drawn.inc(1);
    }

    fn wheel(&self, size: u64) {
        self.wheels.fetch_add(size, Ordering::Relaxed);
    }
}

fn shown(name: &str) -> String {
    report::printable(name).chars().take(NAME).collect()
}
