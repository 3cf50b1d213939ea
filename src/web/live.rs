//! `/events`: tells an open page that something has changed, so that it draws itself anew.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Mutex, OwnedSemaphorePermit};
use tokio::time::Instant;

use super::fault::Fault;
use super::route::Web;
use super::{Site, standing};

/// How often the store is asked whether something has changed.
const EVERY: Duration = Duration::from_secs(10);
/// Silent connections are closed by proxies after a minute or so.
const KEEP_ALIVE: Duration = Duration::from_secs(25);

/// nginx would hold each event back until a page of them has come together.
const UNHELD: [(&str, &str); 1] = [("x-accel-buffering", "no")];

struct Follower {
    web: Arc<Web>,
    last: Option<[u8; 32]>,
    _place: OwnedSemaphorePermit,
}

/// What would look different on a page, in short: states of incidents, and silences.
async fn state(site: &Site) -> Option<[u8; 32]> {
    let incidents = standing::unresolved(site, None, standing::MOST_INCIDENTS).await.ok()?;
    let silences = site.store.silences(site.clock.now()).await.ok()?;
    let mut hash = Sha256::new();
    for incident in &incidents {
        hash.update(&incident.id);
        hash.update(incident.state.as_str());
        hash.update(incident.severity.as_str());
        hash.update(incident.member_count().to_be_bytes());
    }
    for silence in &silences {
        hash.update(&silence.id);
    }
    Some(hash.finalize().into())
}

/// What was read last, with when: shared, so that many open pages cost the store as much as one.
#[derive(Debug, Default)]
pub(super) struct Seen(Mutex<Option<(Instant, [u8; 32])>>);

impl Seen {
    async fn state(&self, site: &Site) -> Option<[u8; 32]> {
        let mut seen = self.0.lock().await;
        if let Some((at, state)) = *seen
            && at.elapsed() < EVERY / 2
        {
            return Some(state);
        }
        let state = state(site).await?;
        *seen = Some((Instant::now(), state));
        Some(state)
    }
}

impl Follower {
    /// Waits until something has changed.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if self.last.is_some() {
                tokio::time::sleep(EVERY).await;
            }
            let state = self.web.seen.state(&self.web.site).await;
            let is_first = self.last.is_none();
            if state.is_some() && state != self.last {
                self.last = state;
                let name = if is_first { "begun" } else { "changed" };
                return Some((Ok(Event::default().event(name).data(name)), self));
            }
            if is_first {
                // The store is away: the page asks again by itself.
                return None;
            }
        }
    }
}

pub(super) async fn events(State(web): State<Arc<Web>>) -> Result<Response, Fault> {
    let place = Arc::clone(&web.followers).try_acquire_owned().map_err(|_full| {
        Fault::new(
            axum::http::StatusCode::SERVICE_UNAVAILABLE,
            "Too many pages follow changes.",
            "Load the page by hand.",
        )
    })?;
    let follower = Follower { web, last: None, _place: place };
    let stream = stream::unfold(follower, Follower::next);
    let stream = Sse::new(stream).keep_alive(KeepAlive::new().interval(KEEP_ALIVE));
    Ok((UNHELD, stream).into_response())
}
