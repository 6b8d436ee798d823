//! The progress bar on the standard error, and the count of what wheels weigh.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ftcheck::pipeline::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that is drawn on terminals only.
pub(crate) struct Bar {
    bar: ProgressBar,
    wheels: AtomicU64,
}

impl Bar {
    pub(crate) fn new(shown: bool) -> Self {
        let target =
            if shown { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {bar:30} {msg}") {
            bar.set_style(style);
        }
        Self { bar, wheels: AtomicU64::new(0) }
    }

    /// The sizes of all wheels that were looked into, in bytes.
    pub(crate) fn wheel_bytes(&self) -> u64 {
        self.wheels.load(Ordering::Relaxed)
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn start(&self, packages: usize) {
        self.bar.set_length(packages as u64);
        self.bar.enable_steady_tick(Duration::from_millis(100));
    }

    fn finish(&self, name: &str) {
        self.bar.set_message(name.to_owned());
        self.bar.inc(1);
    }

    fn wheel(&self, size: u64) {
        self.wheels.fetch_add(size, Ordering::Relaxed);
    }
}
