//! A changed config, or what was signed beside it, taken over while the agent runs; one that holds errors changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use super::setup::{Setup, Shared};
use crate::clock::Clock;
use crate::config::Attestations;

/// How often the file is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// Sends a new setup on SIGHUP and when the file changes, until dropped.
pub(super) async fn follow(
    path: PathBuf,
    clock: Arc<dyn Clock>,
    shared: Shared,
    setup: watch::Sender<Arc<Setup>>,
) {
    let mut hangup = match signal(SignalKind::hangup()) {
        Ok(hangup) => hangup,
        Err(error) => {
            tracing::error!("a changed config is not noticed: {error}");
            return std::future::pending().await;
        }
    };
    let signed = Attestations::path(path.parent().unwrap_or(Path::new(".")));
    let mut known = (stamp(&path), stamp(&signed));
    loop {
        let asked = tokio::select! {
            _ = hangup.recv() => true,
            () = tokio::time::sleep(LOOK) => false,
        };
        let present = (stamp(&path), stamp(&signed));
        if !asked && present == known {
            continue;
        }
        known = present;
        let read = Setup::read(&path, &*clock, &shared);
        match read.and_then(|new| new.routes(&clock).map(|_routes| new)) {
            Ok(new) => {
                let old = Arc::clone(&setup.borrow());
                for what in fixed(&old, &new) {
                    tracing::warn!("{what} takes effect when the agent is started again");
                }
                new.warn();
                setup.send_replace(Arc::new(new));
                tracing::info!("the config was read again");
            }
            Err(error) => {
                tracing::error!("the config was not read again, the old one stays: {error:#}");
            }
        }
    }
}

/// When the file was written, and how long it is.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let facts = std::fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}

/// What differs and cannot change while the agent runs.
fn fixed(old: &Setup, new: &Setup) -> Vec<&'static str> {
    let mut changed = Vec::new();
    if old.agent.listen != new.agent.listen {
        changed.push("agent.listen");
    }
    if old.agent.store != new.agent.store {
        changed.push("agent.store");
    }
    if old.agent.max_in_flight != new.agent.max_in_flight {
        changed.push("agent.max_in_flight");
    }
    changed
}
