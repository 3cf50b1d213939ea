//! A limit on requests within a window of time, as vendors count it.

use std::sync::Mutex;

use jiff::Timestamp;

use crate::kept::locked;

/// So many requests within so many seconds.
#[derive(Debug)]
pub(super) struct Rate {
    most: u64,
    seconds: i64,
    /// The window that is counted, and the requests in it.
    window: Mutex<(i64, u64)>,
}

impl Rate {
    pub(super) fn new(most: u64, seconds: i64) -> Self {
        Self { most, seconds: seconds.max(1), window: Mutex::new((0, 0)) }
    }

    /// Takes one request: how many are left, or in how many seconds the next window begins.
    pub(super) fn take(&self, now: Timestamp) -> Result<u64, i64> {
        let (window, into) =
            (now.as_second().div_euclid(self.seconds), now.as_second().rem_euclid(self.seconds));
        let mut state = locked(&self.window);
        if state.0 != window {
            *state = (window, 0);
        }
        state.1 += 1;
        self.most.checked_sub(state.1).ok_or(self.seconds - into)
    }
}
