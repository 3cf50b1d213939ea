//! What systemd is told; without it nothing happens.

use std::time::Duration;

use sd_notify::{NotifyState, notify, watchdog_enabled};

/// The agent has started.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The agent is about to end.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The agent does its work.
pub(super) fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// How often systemd wants to hear so: half of what it waits, as it advises. None without a watchdog.
pub(super) fn watchdog() -> Option<Duration> {
    watchdog_enabled().map(|within| within / 2)
}

fn tell(what: &[NotifyState<'_>]) {
    if let Err(error) = notify(what) {
        tracing::warn!("systemd cannot be told: {error}");
    }
}
