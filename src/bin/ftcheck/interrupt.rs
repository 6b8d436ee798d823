//! Ctrl-C: what is put in order before the program ends with 130.
//!
//! A thread of its own waits for it, so that it is heeded however busy all others are.

use std::sync::{Mutex, PoisonError};

use crate::INTERRUPTED;
use crate::output::say;

type Step = Box<dyn FnOnce() + Send>;

/// What there is to do, the latest first.
static STEPS: Mutex<Vec<Step>> = Mutex::new(Vec::new());

/// Waits for Ctrl-C from now on. Where the system does not tell of it, the program ends by it as any
/// other does.
pub(crate) fn watch() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let Ok(runtime) = runtime else { return };
    let wait = move || {
        if runtime.block_on(tokio::signal::ctrl_c()).is_ok() {
            end();
        }
    };
    // Without a thread the default stays in place: nothing was registered yet.
    let _ = std::thread::Builder::new().name("interrupt".to_owned()).spawn(wait);
}

/// Remembers what has to be done before the program may end.
pub(crate) fn before_end(step: impl FnOnce() + Send + 'static) {
    STEPS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(step));
}

fn end() -> ! {
    let steps = std::mem::take(&mut *STEPS.lock().unwrap_or_else(PoisonError::into_inner));
    for step in steps.into_iter().rev() {
        step();
    }
    say("interrupted");
    std::process::exit(INTERRUPTED)
}
