//! The account, and who is told what.

use launchready_checks::probe::{Destination, EventScope, PaymentAccount, PaymentEvent};
use serde::Deserialize;

use super::{Ref, id, listed, time};

/// The most demands of each kind that are kept.
const DEMANDS: usize = 50;

listed!(WebhookShape, EventShape);

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct AccountShape {
    id: String,
    country: Option<String>,
    #[serde(default)]
    charges_enabled: bool,
    #[serde(default)]
    payouts_enabled: bool,
    #[serde(default)]
    details_submitted: bool,
    requirements: Option<Requirements>,
}

#[derive(Debug, Default, Deserialize)]
struct Requirements {
    disabled_reason: Option<String>,
    past_due: Option<Vec<String>>,
    currently_due: Option<Vec<String>>,
    current_deadline: Option<i64>,
}

impl AccountShape {
    pub(in crate::connect::stripe) fn normal(self) -> PaymentAccount {
        let requirements = self.requirements.unwrap_or_default();
        let few = |list: Option<Vec<String>>| {
            list.unwrap_or_default().into_iter().take(DEMANDS).collect()
        };
        PaymentAccount {
            id: self.id,
            country: self.country,
            charges_enabled: self.charges_enabled,
            payouts_enabled: self.payouts_enabled,
            details_submitted: self.details_submitted,
            disabled_reason: requirements.disabled_reason,
            past_due: few(requirements.past_due),
            currently_due: few(requirements.currently_due),
            deadline: requirements.current_deadline.map(time),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct WebhookShape {
    id: String,
    url: String,
    status: String,
    #[serde(default)]
    enabled_events: Vec<String>,
    api_version: Option<String>,
    #[serde(default)]
    livemode: bool,
    application: Option<String>,
}

impl WebhookShape {
    pub(in crate::connect::stripe) fn normal(self) -> Destination {
        Destination {
            id: self.id,
            kind: "webhook_endpoint".to_owned(),
            url: Some(self.url),
            enabled: self.status == "enabled",
            events: self.enabled_events,
            api_version: self.api_version,
            live: self.livemode,
            thin: false,
            // The list does not tell an endpoint for connected accounts from one for the own account.
            scope: if self.application.is_some() {
                EventScope::Connect
            } else {
                EventScope::Unsaid
            },
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct ModernPage {
    pub(in crate::connect::stripe) data: Vec<ModernShape>,
    pub(in crate::connect::stripe) next_page_url: Option<String>,
}

/// An event destination of the newer API.
#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct ModernShape {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    status: String,
    #[serde(default)]
    enabled_events: Vec<String>,
    event_payload: Option<String>,
    #[serde(default)]
    events_from: Option<Vec<String>>,
    #[serde(default)]
    livemode: bool,
    snapshot_api_version: Option<String>,
    webhook_endpoint: Option<ModernWebhook>,
}

#[derive(Debug, Deserialize)]
struct ModernWebhook {
    url: Option<String>,
}

impl ModernShape {
    pub(in crate::connect::stripe) fn normal(self) -> Destination {
        let from = self.events_from.unwrap_or_default();
        let scope = match (from.iter().any(|from| from == "self"), from.is_empty()) {
            (_, true) => EventScope::Unsaid,
            (true, false) => EventScope::Account,
            (false, false) => EventScope::Connect,
        };
        Destination {
            id: self.id,
            kind: self.kind,
            url: self.webhook_endpoint.and_then(|webhook| webhook.url),
            enabled: self.status == "enabled",
            events: self.enabled_events,
            api_version: self.snapshot_api_version,
            live: self.livemode,
            thin: self.event_payload.is_some_and(|payload| payload == "thin"),
            scope,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct EventShape {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    created: i64,
    #[serde(default)]
    pending_webhooks: u32,
    data: Option<EventData>,
    account: Option<String>,
    #[serde(default)]
    livemode: bool,
}

#[derive(Debug, Deserialize)]
struct EventData {
    object: EventObject,
}

#[derive(Debug, Deserialize)]
struct EventObject {
    id: Option<String>,
    object: Option<String>,
    payment_intent: Option<Ref>,
}

impl EventShape {
    pub(in crate::connect::stripe) fn normal(self) -> PaymentEvent {
        let object = self.data.map(|data| data.object);
        let (own, kind, intent) = object.map_or((None, None, None), |object| {
            (object.id, object.object, id(object.payment_intent))
        });
        let is_payment = kind.is_some_and(|kind| kind == "payment_intent");
        PaymentEvent {
            id: self.id,
            kind: self.kind,
            created: time(self.created),
            pending: self.pending_webhooks,
            payment_intent: if is_payment { own.clone() } else { intent },
            object: own,
            account: self.account,
            live: self.livemode,
        }
    }
}
