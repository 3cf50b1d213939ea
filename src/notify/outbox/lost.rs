//! Where a delivery goes whose channel the config no longer has: nothing that waits is lost by a rename.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use launchready_checks::contract::json;
use tokio::time::Instant;

use super::{Routes, Sender, Tried, pace};
use crate::incident::{Change, ChannelRule, Tell, route};
use crate::store::{Attempt, AttemptOutcome, Claimed, Notification, NotificationKind, StoreError};

/// The name in the store of the fallbacks of all channels that the config has, or had.
const FALLBACKS: &str = "channel-fallbacks";
/// The most channels whose fallbacks are remembered, those of the present config aside.
const REMEMBERED: usize = 500;

/// The channel that stands in for each channel.
type Fallbacks = BTreeMap<String, String>;

impl Sender {
    /// Remembers the fallback of each channel, so that it is known still when the channel is gone.
    pub(super) async fn remember(&self, routes: &Routes) -> Result<(), StoreError> {
        let before = self.fallbacks().await?;
        let mut known = before.clone();
        for (name, route) in &routes.channels {
            match &route.fallback {
                Some(fallback) => known.insert(name.clone(), fallback.clone()),
                None => known.remove(name),
            };
        }
        if known.len() > routes.channels.len().saturating_add(REMEMBERED) {
            known.retain(|name, _| routes.channels.contains_key(name));
        }
        if known != before {
            let text = serde_json::to_string(&known).unwrap_or_default();
            self.store.put(FALLBACKS, &text).await?;
        }
        Ok(())
    }

    async fn fallbacks(&self) -> Result<Fallbacks, StoreError> {
        let kept = self.store.get(FALLBACKS).await?.unwrap_or_default();
        Ok(json::from_str(&kept).unwrap_or_default())
    }

    /// Hands a delivery on whose channel is gone; where nobody takes it, it stays and is asked again.
    pub(super) async fn hand_on(&self, routes: &Routes, claimed: Claimed) {
        let Claimed { delivery, notification, .. } = claimed;
        let (began, now) = (Instant::now(), self.clock.now());
        let lost = delivery.channel.as_str();
        let fallbacks = self.fallbacks().await.unwrap_or_default();
        let heirs = heirs(routes, lost, &fallbacks, &notification, now);
        let attempt =
            |outcome| Attempt { at: now, duration: began.elapsed().min(Duration::MAX), outcome };
        let Some((last, others)) = heirs.split_last() else {
            let at = now.checked_add(pace::wait(&delivery.id, delivery.attempts, None));
            let error = format!(
                "the config has no channel {lost:?}, and no other takes this message; add that \
                 channel again, or let another one take it"
            );
            tracing::error!(channel = lost, message = notification.id, "a message waits: {error}");
            let outcome = AttemptOutcome::Retry { at: at.unwrap_or(now), error };
            self.record(&delivery, &attempt(outcome), None).await;
            self.observer.tried(&Tried {
                channel: delivery.channel,
                outcome: "retry",
                reason: "no_channel",
                latency: None,
            });
            return;
        };
        let to = heirs.join(", ");
        let error = format!("the config has no channel {lost:?}; told to {to} instead");
        tracing::warn!(channel = lost, message = notification.id, "{error}");
        // It is given up here only with the last of those who take it: a crash between them repeats
        // what is done already, which changes nothing.
        for heir in others {
            let outcome = AttemptOutcome::Retry { at: now, error: error.clone() };
            self.record(&delivery, &attempt(outcome), Some(heir)).await;
        }
        let outcome = AttemptOutcome::Failed { error };
        self.record(&delivery, &attempt(outcome), Some(last)).await;
        self.bell.notify_one();
    }
}

/// Who tells what a channel that is gone was to tell: its fallback, else everyone who takes such a
/// message, else everyone who takes its severity.
fn heirs(
    routes: &Routes,
    lost: &str,
    fallbacks: &Fallbacks,
    notification: &Notification,
    now: jiff::Timestamp,
) -> Vec<String> {
    let mut asked = BTreeSet::new();
    let mut next = fallbacks.get(lost);
    while let Some(fallback) = next.filter(|fallback| asked.insert(fallback.as_str())) {
        if routes.channels.contains_key(fallback) {
            return vec![fallback.clone()];
        }
        next = fallbacks.get(fallback);
    }
    let mut takers = BTreeSet::new();
    for told in &notification.told {
        let change = Change {
            kind: told.kind,
            incident: told.incident.clone(),
            members: told.members.clone(),
            tell: match notification.kind {
                NotificationKind::Escalation => Tell::Escalation,
                _ => Tell::Grouped,
            },
        };
        takers.extend(route(&change, &routes.book, now).into_iter().map(|(name, _)| name));
    }
    let mut rules: Vec<&ChannelRule> = routes.book.channels.iter().collect();
    if notification.told.is_empty() {
        let is_summary = notification.kind == NotificationKind::Summary;
        rules.retain(|rule| if is_summary { rule.summary } else { !rule.escalation });
    } else if takers.is_empty() {
        rules.retain(|rule| {
            let is_theirs = rule.tells_of(&notification.project);
            let mut told = notification.told.iter();
            is_theirs && told.any(|told| rule.severities.contains(&told.incident.severity))
        });
    } else {
        rules.retain(|rule| takers.contains(&rule.name));
    }
    let names = rules.into_iter().map(|rule| rule.name.clone());
    names.filter(|name| routes.channels.contains_key(name)).collect()
}
