//! Alertmanager's API v2: an alert's labels are its identity, and it is over when `endsAt` has passed.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::Severity;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Url};
use serde_json::{Value, json};

use super::http::{self, Side};
use super::message::{Message, Role, draw, page_of};
use super::{BuildError, ChannelSettings, Envelope, Notifier, NotifyError};
use crate::clock::Clock;
use crate::config::Secret;
use crate::incident::{ChangeKind, Incident, State};
use crate::store::{Notification, NotificationKind, Told};

/// An alert burns for so long unless the agent says more: Alertmanager ends what it does not hear of
/// again, and the agent speaks when something changes and at each reminder.
const BURNS: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A text of the agent itself is shown for so long.
const SHOWN: SignedDuration = SignedDuration::from_mins(15);

/// Sends to one Alertmanager.
pub(super) struct Alertmanager {
    client: Client,
    url: Url,
    token: Option<HeaderValue>,
    side: Side,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Alertmanager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Alertmanager").field("host", &self.side.host).finish_non_exhaustive()
    }
}

impl Alertmanager {
    pub(super) fn new(
        settings: &ChannelSettings,
        url: &str,
        token: Option<&Secret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let base = url.trim_end_matches('/').trim_end_matches("/api/v2/alerts");
        let (url, client) = http::door(settings, &format!("{base}/api/v2/alerts"))?;
        let token = token.map(|token| http::bearer(settings, token)).transpose()?;
        let side = Side {
            host: http::host(&url),
            credential: "check the address and the token of this channel: the address is that of \
                         Alertmanager's page, without /api/v2/alerts",
            message: "check that the address leads to an Alertmanager of version 0.16 or later",
            words: &[],
        };
        Ok(Self { client, url, token, side, clock })
    }
}

#[async_trait]
impl Notifier for Alertmanager {
    async fn send(
        &self,
        notification: &Notification,
        envelope: &Envelope,
    ) -> Result<(), NotifyError> {
        let body = Value::Array(alerts(notification, envelope)).to_string().into_bytes();
        let mut request = self.client.post(self.url.clone());
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token.clone());
        }
        http::post(request, body, &self.side, self.clock.now()).await
    }
}

/// The alerts of a notification; the last change of an incident counts.
fn alerts(notification: &Notification, envelope: &Envelope) -> Vec<Value> {
    if notification.told.is_empty() {
        return vec![plain(notification, &draw(notification, envelope))];
    }
    let mut alerts = Vec::new();
    for (index, told) in notification.told.iter().enumerate() {
        let later = notification.told.get(index + 1..).unwrap_or_default();
        if !later.iter().any(|other| other.incident.id == told.incident.id) {
            alerts.extend(of_incident(told, notification, envelope));
        }
    }
    alerts
}

/// The severity is a label and so part of the identity: the alert of the present severity burns, and
/// those of the others end, so that none is left over when an incident gets worse.
fn of_incident(told: &Told, notification: &Notification, envelope: &Envelope) -> [Value; 3] {
    let incident = &told.incident;
    let over = told.kind.is_end()
        || (told.kind == ChangeKind::Calm && matches!(incident.state, State::Resolved));
    let alone = Notification { told: vec![told.clone()], ..notification.clone() };
    let alone = Notification { kind: NotificationKind::Changes, ..alone };
    let message = draw(&alone, envelope);
    [Severity::Critical, Severity::Warning, Severity::Info].map(|severity| {
        let burns = severity == incident.severity && !over;
        let ends =
            if burns { later(told.at, BURNS) } else { incident.resolved_at.unwrap_or(told.at) };
        json!({
            "labels": labels(incident, severity),
            "annotations": annotations(incident, &message),
            "startsAt": incident.first_seen,
            "endsAt": ends.max(incident.first_seen),
            "generatorURL": page_of(incident, envelope).unwrap_or_default(),
        })
    })
}

fn labels(incident: &Incident, severity: Severity) -> Value {
    json!({
        "alertname": "LaunchreadyIncident",
        "project": incident.key.project,
        "check": incident.key.check,
        "code": incident.key.code,
        "instance": incident.key.target,
        "severity": severity,
    })
}

fn annotations(incident: &Incident, message: &Message) -> Value {
    let part = |role| {
        let section = message.sections.first();
        section
            .and_then(|section| section.point(role))
            .map_or(String::new(), |p| p.lines.join("\n"))
    };
    json!({
        "summary": message.headline,
        "description": part(Role::What),
        "why": part(Role::Why),
        "fix": part(Role::Fix),
        "undo": part(Role::Undo),
        "recheck": part(Role::Recheck),
        "incident": incident.id,
    })
}

fn plain(notification: &Notification, message: &Message) -> Value {
    let name = match notification.kind {
        NotificationKind::Test => "LaunchreadyTest",
        NotificationKind::Summary => "LaunchreadySummary",
        _ => "LaunchreadyAgent",
    };
    let severity = if notification.kind == NotificationKind::Agent { "warning" } else { "info" };
    json!({
        "labels": {"alertname": name, "project": notification.project, "severity": severity,
                   "message": notification.id},
        "annotations": {"summary": message.headline, "description": message.paragraphs.join("\n")},
        "startsAt": notification.at,
        "endsAt": later(notification.at, SHOWN),
        "generatorURL": message.page.as_deref().unwrap_or_default(),
    })
}

fn later(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::sample;

    #[test]
    fn each_incident_is_an_alert_that_burns_or_ends() {
        for (name, notification, envelope) in sample::all() {
            let alerts = alerts(&notification, &envelope);
            for alert in &alerts {
                let time = |name: &str| alert[name].as_str().unwrap().parse::<Timestamp>().unwrap();
                assert!(time("startsAt") <= time("endsAt"), "{alert}");
            }
            insta::assert_json_snapshot!(format!("alertmanager_{name}"), alerts);
        }
    }
}
