//! PagerDuty's Events API v2: the incident's id is the `dedup_key`.

use std::sync::Arc;

use async_trait::async_trait;
use launchready_checks::contract::Severity;
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::http::{self, Side};
use super::message::{Message, draw, page_of, text};
use super::{BuildError, ChannelSettings, Envelope, Notifier, NotifyError, harmless};
use crate::clock::Clock;
use crate::config::Secret;
use crate::incident::{ChangeKind, State};
use crate::store::{Notification, NotificationKind, Told};

/// Characters of a summary (PagerDuty's limit is 1,024).
const SUMMARY: usize = 1_024;
/// Characters of the text in the details; PagerDuty takes 512 KB in all.
const DETAILS: usize = 8_000;

/// Sends to one integration.
pub(super) struct PagerDuty {
    client: Client,
    url: Url,
    key: Secret,
    side: Side,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PagerDuty").field("host", &self.side.host).finish_non_exhaustive()
    }
}

impl PagerDuty {
    pub(super) fn new(
        settings: &ChannelSettings,
        key: &Secret,
        api: &str,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let api = api.trim_end_matches('/').trim_end_matches("/v2/enqueue");
        let (url, client) = http::door(settings, &format!("{api}/v2/enqueue"))?;
        let side = Side {
            host: http::host(&url),
            credential: "open PagerDuty, Services, your service, Integrations, and put the integration \
                         key of an \"Events API V2\" integration where the config reads it from",
            message: "check that the integration key is that of an \"Events API V2\" integration: it has \
                      32 characters",
            words: &[],
        };
        Ok(Self { client, url, key: key.clone(), side, clock })
    }
}

#[async_trait]
impl Notifier for PagerDuty {
    async fn send(
        &self,
        notification: &Notification,
        envelope: &Envelope,
    ) -> Result<(), NotifyError> {
        // Every event is idempotent by its key, so that a try that broke off is simply made again.
        for mut event in events(notification, envelope) {
            if let Some(event) = event.as_object_mut() {
                event.insert("routing_key".to_owned(), json!(self.key.expose()));
            }
            let body = event.to_string().into_bytes();
            let request = self.client.post(self.url.clone());
            http::post(request, body, &self.side, self.clock.now()).await?;
        }
        Ok(())
    }
}

/// The events of a notification without the routing key, in order.
fn events(notification: &Notification, envelope: &Envelope) -> Vec<Value> {
    let message = draw(notification, envelope);
    if notification.told.is_empty() {
        return plain(notification, &message);
    }
    notification.told.iter().map(|told| event(told, notification, envelope)).collect()
}

const fn action(told: &Told) -> &'static str {
    match told.kind {
        ChangeKind::Acknowledged => "acknowledge",
        ChangeKind::Resolved | ChangeKind::Expired => "resolve",
        ChangeKind::Calm if matches!(told.incident.state, State::Resolved) => "resolve",
        ChangeKind::Opened
        | ChangeKind::Worsened
        | ChangeKind::Unmuted
        | ChangeKind::Joined
        | ChangeKind::Reminded
        | ChangeKind::Escalated
        | ChangeKind::Flapping
        | ChangeKind::Calm => "trigger",
    }
}

fn event(told: &Told, notification: &Notification, envelope: &Envelope) -> Value {
    let incident = &told.incident;
    let action = action(told);
    let mut event = json!({"event_action": action, "dedup_key": incident.id});
    if action == "trigger" {
        let alone = Notification { told: vec![told.clone()], ..notification.clone() };
        let alone = Notification { kind: NotificationKind::Changes, ..alone };
        let message = draw(&alone, envelope);
        let severity = match incident.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let payload = json!({
            "summary": harmless::cut(&message.subject, SUMMARY),
            "source": incident.key.target,
            "severity": severity,
            "timestamp": incident.first_seen,
            "component": incident.key.check,
            "group": incident.key.project,
            "class": incident.key.code,
            "custom_details": {
                "message": harmless::cut(&text(&message), DETAILS),
                "change_id": told.change,
                "members": incident.member_count(),
            },
        });
        insert(&mut event, "payload", payload);
        insert(&mut event, "client", json!("launchready"));
        if let Some(page) = page_of(incident, envelope) {
            insert(&mut event, "links", json!([{"href": page, "text": "Details"}]));
        }
    }
    event
}

/// A text of the agent. A test is resolved at once, so that it proves the way and wakes nobody for long.
fn plain(notification: &Notification, message: &Message) -> Vec<Value> {
    let key = notification.id.as_str();
    let severity = if notification.kind == NotificationKind::Agent { "warning" } else { "info" };
    let payload = json!({
        "summary": harmless::cut(&message.subject, SUMMARY),
        "source": "launchready",
        "severity": severity,
        "timestamp": notification.at,
        "class": notification.kind,
        "custom_details": {"message": harmless::cut(&text(message), DETAILS)},
    });
    let trigger = json!({"event_action": "trigger", "dedup_key": key, "payload": payload, "client": "launchready"});
    let mut events = vec![trigger];
    if notification.kind == NotificationKind::Test {
        events.push(json!({"event_action": "resolve", "dedup_key": key}));
    }
    events
}

fn insert(event: &mut Value, name: &str, value: Value) {
    if let Some(event) = event.as_object_mut() {
        event.insert(name.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample;

    #[test]
    fn each_change_is_an_event_of_its_incident() {
        for (name, notification, envelope) in sample::all() {
            let events = events(&notification, &envelope);
            for event in &events {
                assert!(event.to_string().len() < 512 * 1024);
                let summary = event["payload"]["summary"].as_str();
                assert!(summary.is_none_or(|summary| summary.chars().count() <= SUMMARY));
            }
            insta::assert_json_snapshot!(format!("pagerduty_{name}"), events);
        }
    }
}
