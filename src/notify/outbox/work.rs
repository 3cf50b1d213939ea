//! One try of one delivery, from the claim to the record.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Route, Sender, Tried, pace};
use crate::incident::ChangeKind;
use crate::notify::{Envelope, NotifyError, harmless};
use crate::store::{Attempt, AttemptOutcome, Claimed, Delivery, Notification, StoreError};

/// Characters of an error that are kept.
const ERROR: usize = 500;
/// How often a record is written again that the store did not take, such as on a full disk.
const RECORD_AGAIN: Duration = Duration::from_secs(1);

impl Sender {
    /// Sends one delivery once and records what came of it; the channel is busy until this ends.
    pub(super) async fn work(&self, claimed: Claimed) {
        let routes = self.routes.borrow().clone();
        let route = routes.channels.get(&claimed.delivery.channel);
        if route.is_none() && claimed.unreadable.is_none() {
            return self.hand_on(&routes, claimed).await;
        }
        let Claimed { delivery, notification, unreadable } = claimed;
        // The claim has counted this try.
        let number = delivery.attempts.max(1);
        let began = Instant::now();
        // What cannot be read here cannot be read for the channel that stands in either.
        let readable_for = route.filter(|_| unreadable.is_none());
        let result = match readable_for {
            Some(route) => {
                let zone = routes.timezones.get(&notification.project);
                let envelope = Envelope {
                    id: notification.id.clone(),
                    attempt: number,
                    public_url: routes.public_url.clone(),
                    timezone: zone.cloned().unwrap_or_else(|| "UTC".to_owned()),
                    instead_of: delivery.instead_of.clone(),
                };
                guarded(route, &notification, &envelope).await
            }
            None => Err(NotifyError::Permanent {
                reason: "unreadable",
                why: format!(
                    "what it says cannot be read from the store: {}",
                    unreadable.unwrap_or_default()
                ),
                remedy: "look at the open incidents instead".to_owned(),
            }),
        };
        let now = self.clock.now();
        let reason = match &result {
            Ok(()) => "accepted",
            Err(NotifyError::Transient { reason, .. } | NotifyError::Permanent { reason, .. }) => {
                reason
            }
        };
        let outcome = outcome(&delivery.id, number, result, notification.at, now);
        let (word, tell) = match &outcome {
            AttemptOutcome::Sent => ("sent", false),
            AttemptOutcome::Retry { .. } => ("retry", pace::is_too_long(number)),
            AttemptOutcome::Failed { .. } => ("failed", true),
        };
        let fallback = readable_for.and_then(|route| route.fallback.as_deref()).filter(|_| tell);
        let attempt = Attempt { at: now, duration: began.elapsed(), outcome };
        self.record(&delivery, &attempt, fallback).await;
        let sent = word == "sent";
        self.observer.tried(&Tried {
            channel: delivery.channel.clone(),
            outcome: word,
            reason,
            latency: sent.then(|| latency(&notification, now)).flatten(),
        });
        if fallback.is_some() {
            self.bell.notify_one();
        }
        if let Some(route) = route {
            let pause = route.pause.saturating_sub(began.elapsed());
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
        }
    }

    /// Writes the record until the store takes it: what was accepted must not be sent again for a disk
    /// that is full for a moment. A process that dies here sends it again, under the same id.
    pub(super) async fn record(
        &self,
        delivery: &Delivery,
        attempt: &Attempt,
        mut fallback: Option<&str>,
    ) {
        let Delivery { id, channel, .. } = delivery;
        let mut said = false;
        loop {
            let done = self.store.record_attempt(&self.agent, id, attempt, fallback).await;
            self.observer.recorded(channel, done.as_ref().copied());
            match done {
                // Missing: somebody took the delivery away, such as with its project.
                Ok(()) | Err(StoreError::Missing { .. } | StoreError::State(_)) => break,
                Err(error) if error.is_about_rows() => {
                    tracing::error!(delivery = id, channel, "{}", error.chain());
                    // Without the fallback's row it may go. What cannot be recorded at all is sent again
                    // when its lease is over.
                    if fallback.take().is_none() {
                        break;
                    }
                    continue;
                }
                Err(error) if !said => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(
                        error,
                        delivery = id,
                        "cannot record a delivery; trying until it works"
                    );
                    said = true;
                }
                Err(_again) => {}
            }
            tokio::time::sleep(RECORD_AGAIN).await;
        }
        // Whatever came of it, nothing of this channel waits for its record any more.
        self.observer.recorded(channel, Ok(()));
    }
}

/// Sends; a panic of a channel is an error of that channel alone.
async fn guarded(
    route: &Route,
    notification: &Notification,
    envelope: &Envelope,
) -> Result<(), NotifyError> {
    let send = AssertUnwindSafe(route.notifier.send(notification, envelope)).catch_unwind();
    send.await.unwrap_or_else(|_panic| {
        Err(NotifyError::Transient {
            reason: "bug",
            why: "launchready itself failed while it wrote this message".to_owned(),
            retry_after: None,
        })
    })
}

fn outcome(
    delivery: &str,
    number: u32,
    result: Result<(), NotifyError>,
    begun: Timestamp,
    now: Timestamp,
) -> AttemptOutcome {
    let cut = |text: String| harmless::line(&text, ERROR);
    match result {
        Ok(()) => AttemptOutcome::Sent,
        Err(error @ NotifyError::Permanent { .. }) => {
            AttemptOutcome::Failed { error: cut(error.to_string()) }
        }
        Err(NotifyError::Transient { why, .. }) if pace::is_last(number, begun, now) => {
            AttemptOutcome::Failed { error: cut(format!("{why}; tried {number} times")) }
        }
        Err(NotifyError::Transient { why, retry_after, .. }) => {
            let wait = pace::wait(delivery, number, retry_after);
            let at = now.checked_add(wait).unwrap_or(Timestamp::MAX);
            AttemptOutcome::Retry { at, error: cut(why) }
        }
    }
}

/// See [`Tried::latency`].
fn latency(notification: &Notification, now: Timestamp) -> Option<Duration> {
    let opened = notification.told.iter().filter(|told| told.kind == ChangeKind::Opened);
    let good = opened.filter_map(|told| told.incident.last_good).min()?;
    Some(Duration::try_from(now.duration_since(good)).unwrap_or_default())
}
