//! Wheels whose directory was read for their metadata, kept for whoever looks into them next, so
//! that nothing is fetched twice in one run.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use url::Url;

use crate::fetch::wheel::RemoteWheel;

/// Wheels by their address, each for one taker.
#[derive(Default)]
pub struct Opened {
    wheels: Mutex<HashMap<Url, RemoteWheel>>,
}

impl Opened {
    /// Keeps a wheel.
    pub fn keep(&self, wheel: RemoteWheel) {
        let mut wheels = self.wheels.lock().unwrap_or_else(PoisonError::into_inner);
        wheels.insert(wheel.url().clone(), wheel);
    }

    /// Takes the wheel at `url`, where it was kept.
    #[must_use]
    pub fn take(&self, url: &Url) -> Option<RemoteWheel> {
        self.wheels.lock().unwrap_or_else(PoisonError::into_inner).remove(url)
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}
