//! `/heartbeat/TOKEN`: jobs call here when they begin, when they have ended, and when they have failed.
//!
//! The token is the credential, so the route is open; whoever does not know one learns nothing, not even
//! whether it would have been taken. GET and HEAD count like POST, because a job calls with whatever it has.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::{constant_time, digest};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};

use super::Facts;
use super::fault::Fault;
use super::route::Web;
use crate::config::Secret;
use crate::store::{HeartbeatCall, HeartbeatKey, Signal};

/// The start of every address that a job calls.
pub(super) const PATH: &str = "/heartbeat/";
/// The check that judges the calls.
pub(super) const CHECK: &str = "ops-heartbeat";
/// The most calls of one job within [`WINDOW`].
const CALLS: u32 = 60;
/// The time in which calls are counted.
const WINDOW: SignedDuration = SignedDuration::from_mins(1);
/// The most bytes of a body that are read, to be polite to whoever sends it; not one is kept.
const BODY_BYTES: usize = 64 * 1024;
/// How long a body may take.
const BODY: Duration = Duration::from_secs(2);

/// A promise and the hash of the token that opens it.
#[derive(Clone)]
pub struct HeartbeatDoor {
    /// Which promise.
    pub key: HeartbeatKey,
    hash: [u8; 32],
}

impl HeartbeatDoor {
    /// The door of a promise.
    pub fn new(key: HeartbeatKey, token: &Secret) -> Self {
        Self { key, hash: hash(token.expose()) }
    }
}

impl fmt::Debug for HeartbeatDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeartbeatDoor").field("key", &self.key).finish_non_exhaustive()
    }
}

fn hash(token: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, token.as_bytes()).as_ref());
    hash
}

/// The promise that a token opens. Every door is tried, and each in the same time.
fn open<'f>(facts: &'f Facts, token: &str) -> Option<&'f HeartbeatKey> {
    let hash = hash(token);
    let mut opened = None;
    for door in &facts.heartbeats {
        if constant_time::verify_slices_are_equal(&door.hash, &hash).is_ok() {
            opened = Some(&door.key);
        }
    }
    opened
}

/// What the end of an address says: nothing or `0` that the job ended well.
fn signal(end: Option<&str>) -> Option<(Signal, Option<u8>)> {
    match end {
        None => Some((Signal::Success, None)),
        Some("start") => Some((Signal::Start, None)),
        Some("fail") => Some((Signal::Failure, None)),
        Some(code) if code.bytes().all(|byte| byte.is_ascii_digit()) => {
            let code: u8 = code.parse().ok()?;
            let signal = if code == 0 { Signal::Success } else { Signal::Failure };
            Some((signal, (code != 0).then_some(code)))
        }
        Some(_) => None,
    }
}

/// How often each job has called of late.
#[derive(Debug, Default)]
pub(super) struct Pace(Mutex<HashMap<HeartbeatKey, (Timestamp, u32)>>);

impl Pace {
    /// Counts a call; the seconds to wait where there were too many.
    fn count(&self, key: &HeartbeatKey, now: Timestamp) -> Result<(), u64> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // There are as many entries as jobs that have called within the window.
        all.retain(|_, (since, _)| {
            (SignedDuration::ZERO..WINDOW).contains(&now.duration_since(*since))
        });
        let (since, calls) = all.entry(key.clone()).or_insert((now, 0));
        if *calls >= CALLS {
            let left = WINDOW - now.duration_since(*since);
            return Err(u64::try_from(left.as_secs()).unwrap_or_default().saturating_add(1));
        }
        *calls += 1;
        Ok(())
    }
}

pub(super) async fn call(
    State(web): State<Arc<Web>>,
    request: Request,
) -> Result<&'static str, Fault> {
    let unknown = || Fault::of_status(StatusCode::NOT_FOUND);
    let facts = web.site.facts();
    let now = web.site.clock.now();
    let path = request.uri().path().strip_prefix(PATH).ok_or_else(unknown)?;
    let (token, end) = match path.split_once('/') {
        Some((token, end)) => (token, Some(end)),
        None => (path, None),
    };
    let key = open(&facts, token);
    let (Some(key), Some((signal, exit))) = (key, signal(end)) else { return Err(unknown()) };
    web.pace.count(key, now).map_err(too_often)?;
    let store = &web.site.store;
    store.record_call(key, &HeartbeatCall { at: now, signal, exit }).await?;
    if signal != Signal::Start {
        // A failure is told at once, and so is the end of one.
        store.make_due(&key.project, Some(CHECK), now).await?;
    }
    // The call counts whatever its body does.
    drop(tokio::time::timeout(BODY, throw_away(request.into_body())).await);
    Ok("ok\n")
}

fn too_often(seconds: u64) -> Fault {
    Fault {
        header: Some(Box::new((header::RETRY_AFTER, HeaderValue::from(seconds)))),
        ..Fault::new(
            StatusCode::TOO_MANY_REQUESTS,
            format!("The job has called {CALLS} times within a minute."),
            format!("Wait {seconds} seconds, and let it call once for each run."),
        )
    }
}

/// Reads a body without keeping any of it.
async fn throw_away(body: Body) {
    let mut parts = body.into_data_stream();
    let mut read = 0;
    while let Some(Ok(part)) = parts.next().await {
        read += part.len();
        if read > BODY_BYTES {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_an_address_says_how_the_job_fares() {
        assert_eq!(signal(None), Some((Signal::Success, None)));
        assert_eq!(signal(Some("start")), Some((Signal::Start, None)));
        assert_eq!(signal(Some("fail")), Some((Signal::Failure, None)));
        assert_eq!(signal(Some("0")), Some((Signal::Success, None)));
        assert_eq!(signal(Some("127")), Some((Signal::Failure, Some(127))));
        assert_eq!(signal(Some("255")), Some((Signal::Failure, Some(255))));
        for none in ["", "256", "-1", "+1", "Start", "log", "1/2", "start/", "9999999999999"] {
            assert_eq!(signal(Some(none)), None, "{none:?}");
        }
    }

    #[test]
    fn a_job_that_calls_without_end_waits_and_others_do_not() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let key = |name: &str| HeartbeatKey { project: "harbor".into(), name: name.into() };
        let pace = Pace::default();
        for _ in 0..CALLS {
            assert_eq!(pace.count(&key("a"), at(0)), Ok(()));
        }
        assert_eq!(pace.count(&key("a"), at(20)), Err(41));
        assert_eq!(pace.count(&key("b"), at(20)), Ok(()));
        assert_eq!(pace.count(&key("a"), at(60)), Ok(()));
        // A clock that was put back does not keep it waiting.
        assert_eq!(pace.count(&key("a"), at(-500)), Ok(()));
    }

    #[test]
    fn a_door_prints_nothing_of_its_token() {
        let key = HeartbeatKey { project: "harbor".into(), name: "backup".into() };
        let door = HeartbeatDoor::new(key, &Secret::new("s3cret-0123456789"));
        let printed = format!("{door:?}");
        assert!(printed.contains("backup") && !printed.contains("s3cret"), "{printed}");
        assert!(!printed.contains(&door.hash[0].to_string()), "{printed}");
    }

    #[test]
    fn the_check_is_one_of_the_registry() {
        assert!(launchready_checks::registry::find(CHECK).is_some());
    }
}
