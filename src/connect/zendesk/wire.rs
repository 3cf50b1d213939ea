//! What Zendesk sends, and what a conversation is made of it.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{Conversation, Email, Origin, TAGS};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Found {
    pub(super) results: Vec<FoundTicket>,
}

#[derive(Deserialize)]
pub(super) struct FoundTicket {
    pub(super) id: u64,
    pub(super) created_at: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct Count {
    pub(super) count: u64,
}

#[derive(Deserialize)]
pub(super) struct Many {
    pub(super) tickets: Vec<Ticket>,
    #[serde(default)]
    pub(super) metric_sets: Vec<MetricSet>,
    #[serde(default)]
    pub(super) users: Vec<User>,
}

#[derive(Deserialize)]
pub(super) struct Ticket {
    pub(super) id: u64,
    pub(super) created_at: Timestamp,
    #[serde(default)]
    pub(super) status: String,
    pub(super) priority: Option<String>,
    pub(super) requester_id: Option<u64>,
    pub(super) submitter_id: Option<u64>,
    pub(super) assignee_id: Option<u64>,
    pub(super) group_id: Option<u64>,
    #[serde(default)]
    pub(super) tags: Vec<String>,
    pub(super) external_id: Option<String>,
    #[serde(default)]
    pub(super) via: Via,
    pub(super) metric_set: Option<MetricSet>,
}

#[derive(Default, Deserialize)]
pub(super) struct Via {
    #[serde(default)]
    pub(super) channel: serde_json::Value,
    #[serde(default)]
    pub(super) source: Source,
}

#[derive(Default, Deserialize)]
pub(super) struct Source {
    pub(super) rel: Option<String>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct MetricSet {
    #[serde(default)]
    pub(super) ticket_id: u64,
    #[serde(default)]
    pub(super) replies: u64,
    #[serde(default)]
    pub(super) reply_time_in_minutes: Minutes,
    pub(super) requester_updated_at: Option<Timestamp>,
    pub(super) assignee_updated_at: Option<Timestamp>,
}

#[derive(Clone, Default, Deserialize)]
pub(super) struct Minutes {
    pub(super) calendar: Option<f64>,
}

#[derive(Deserialize)]
pub(super) struct User {
    pub(super) id: u64,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) role: String,
}

#[derive(Deserialize)]
pub(super) struct Comments {
    pub(super) comments: Vec<Comment>,
    #[serde(default)]
    pub(super) users: Vec<User>,
}

#[derive(Deserialize)]
pub(super) struct Comment {
    pub(super) author_id: Option<u64>,
    #[serde(default)]
    pub(super) public: bool,
    pub(super) created_at: Timestamp,
}

#[derive(Deserialize)]
pub(super) struct Audits {
    pub(super) audits: Vec<Audit>,
}

#[derive(Deserialize)]
pub(super) struct Audit {
    pub(super) created_at: Timestamp,
    pub(super) author_id: Option<i64>,
    #[serde(default)]
    pub(super) events: Vec<Event>,
}

#[derive(Deserialize)]
pub(super) struct Event {
    #[serde(rename = "type", default)]
    pub(super) kind: String,
    pub(super) field_name: Option<String>,
    #[serde(default)]
    pub(super) value: serde_json::Value,
    #[serde(default)]
    pub(super) via: Via,
    #[serde(default)]
    pub(super) recipients: Vec<serde_json::Value>,
}

/// A number, or the text of one.
pub(super) fn number(value: &serde_json::Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

impl Many {
    /// Each ticket with its metrics and the address of whoever asks.
    pub(super) fn into_rows(self) -> Vec<(Ticket, MetricSet, Option<Email>)> {
        let metrics: HashMap<u64, MetricSet> =
            self.metric_sets.into_iter().map(|metric| (metric.ticket_id, metric)).collect();
        let emails: HashMap<u64, Email> = self
            .users
            .into_iter()
            .filter_map(|user| Some((user.id, Email::new(&user.email?)?)))
            .collect();
        let row = |mut ticket: Ticket| {
            let own = ticket.metric_set.take();
            let metric = own.or_else(|| metrics.get(&ticket.id).cloned()).unwrap_or_default();
            let requester = ticket.requester_id.and_then(|id| emails.get(&id).cloned());
            (ticket, metric, requester)
        };
        self.tickets.into_iter().map(row).collect()
    }
}

impl Ticket {
    pub(super) fn origin(&self) -> Origin {
        let same = self.submitter_id.is_none() || self.submitter_id == self.requester_id;
        match self.via.channel.as_str() {
            Some("api") => Origin::Product,
            Some("web" | "voice" | "phone") if !same => Origin::Hand,
            Some(_) => Origin::Customer,
            None => Origin::Unsaid,
        }
    }

    pub(super) fn conversation(
        self,
        metric: &MetricSet,
        waiting_since: Option<Timestamp>,
        requester: Option<Email>,
    ) -> Conversation {
        let minutes = metric.reply_time_in_minutes.calendar.filter(|minutes| minutes.is_finite());
        let after =
            minutes.and_then(|minutes| SignedDuration::try_from_secs_f64(minutes * 60.0).ok());
        Conversation {
            origin: self.origin(),
            id: self.id.to_string(),
            created: self.created_at,
            waiting_since,
            assigned: Some(self.assignee_id.is_some()),
            queue: self.group_id.map(|group| group.to_string()),
            tags: Some(self.tags.into_iter().take(TAGS).collect()),
            first_reply: after.and_then(|after| self.created_at.checked_add(after).ok()),
            priority: self.priority,
            submission: self.external_id.filter(|id| !id.is_empty()),
            requester,
        }
    }
}
