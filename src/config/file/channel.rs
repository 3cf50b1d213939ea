//! `[[channel]]`: where messages go, and which keys each kind of channel takes.

use launchready_checks::contract::{Age, Severity, Urgency};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::config::SecretRef;

/// The words that `kind` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChannelWord {
    /// Mail.
    Email,
    /// A Slack incoming webhook.
    Slack,
    /// Any URL.
    Webhook,
    /// PagerDuty Events v2.
    PagerDuty,
    /// Alertmanager v2.
    Alertmanager,
}

/// A URL that holds a secret, or one that holds none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum UrlValue {
    /// For slack and webhook, whose URL is all that a stranger needs to write to them.
    Secret(SecretRef),
    /// For alertmanager.
    Plain(String),
}

/// One channel with the keys of every kind; the schema says which kind takes which.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelTable {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub kind: ChannelWord,
    /// The mail server: `smtps://HOST`, `smtp+starttls://HOST` or `smtp://HOST` (plain), each with `:port`
    /// where it is not 465, 587 or 25.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp: Option<String>,
    /// Who signs in at the mail server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// With this password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// The address that mail comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The addresses that it goes to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// The URL of the webhook, which is a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SecretRef>")]
    pub url: Option<UrlValue>,
    /// The key that signs each message, `whsec_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<SecretRef>,
    /// The routing key of the integration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routing_key: Option<SecretRef>,
    /// Another address of the API, such as a proxy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api: Option<String>,
    /// A bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<SecretRef>,
    /// Severities that it takes.
    #[serde(default = "usual_severities")]
    #[schemars(schema_with = "severities")]
    pub severities: Vec<Severity>,
    /// Urgencies that it takes.
    #[serde(default = "usual_urgencies")]
    #[schemars(schema_with = "urgencies")]
    pub urgency: Vec<Urgency>,
    /// Projects that it takes; all of them where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Hours of the project's zone in which only what is urgent is sent: `22:00-07:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<String>,
    /// The channel that is used when this one fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// It takes alone what nobody acknowledged within `escalate_after`.
    #[serde(default)]
    pub escalation: bool,
    /// It takes the weekly summary; true for email alone unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<bool>,
    /// A try ends after this long.
    #[serde(default = "timeout")]
    pub timeout: Age,
}

/// Slack answers within seconds; mail servers that check the sender may take longer.
fn timeout() -> Age {
    Age::secs(20)
}

/// What is only information changes no verdict, and stands on the page.
fn usual_severities() -> Vec<Severity> {
    vec![Severity::Critical, Severity::Warning]
}

/// What can wait for the weekly summary is told there.
fn usual_urgencies() -> Vec<Urgency> {
    vec![Urgency::Now, Urgency::Day]
}

fn severities(_generator: &mut SchemaGenerator) -> Schema {
    words(&[Severity::Critical, Severity::Warning, Severity::Info], &usual_severities())
}

fn urgencies(_generator: &mut SchemaGenerator) -> Schema {
    words(&[Urgency::Now, Urgency::Day, Urgency::Digest], &usual_urgencies())
}

fn words<T: Serialize>(all: &[T], usual: &[T]) -> Schema {
    json_schema!({
        "type": "array",
        "minItems": 1,
        "items": {"type": "string", "enum": json!(all)},
        "default": json!(usual),
    })
}

/// Keys that every kind takes.
const COMMON: [&str; 9] = [
    "name",
    "kind",
    "severities",
    "urgency",
    "projects",
    "quiet",
    "fallback",
    "escalation",
    "timeout",
];

/// What one kind takes beside the common keys.
struct Kind {
    word: &'static str,
    title: &'static str,
    required: &'static [&'static str],
    optional: &'static [&'static str],
}

const KINDS: [Kind; 5] = [
    Kind {
        word: "email",
        title: "an email channel",
        required: &["smtp", "from", "to"],
        optional: &["user", "password", "summary"],
    },
    Kind { word: "slack", title: "a slack channel", required: &["url"], optional: &["summary"] },
    Kind {
        word: "webhook",
        title: "a webhook channel",
        required: &["url"],
        optional: &["key", "summary"],
    },
    // A summary is nothing to be paged for.
    Kind {
        word: "pagerduty",
        title: "a pagerduty channel",
        required: &["routing_key"],
        optional: &["api"],
    },
    Kind {
        word: "alertmanager",
        title: "an alertmanager channel",
        required: &["url"],
        optional: &["token"],
    },
];

/// The schema of a channel: one branch for each kind, made of the properties of [`ChannelTable`].
pub(super) fn by_kind(flat: &Value) -> Value {
    let property = |name: &str| flat.pointer(&format!("/properties/{name}")).cloned();
    let branches: Vec<Value> = KINDS
        .iter()
        .map(|kind| {
            let names = COMMON.iter().chain(kind.required).chain(kind.optional);
            let mut properties: Map<String, Value> =
                names.filter_map(|name| Some(((*name).to_owned(), property(name)?))).collect();
            properties.insert("kind".to_owned(), json!({"const": kind.word}));
            if kind.word == "alertmanager" {
                let description = "Its address, without /api/v2/alerts.";
                let url = json!({"type": "string", "description": description});
                properties.insert("url".to_owned(), url);
            }
            let required: Vec<&str> =
                ["name", "kind"].iter().chain(kind.required).copied().collect();
            json!({
                "title": kind.title,
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            })
        })
        .collect();
    json!({"type": "object", "description": "Where messages go.", "oneOf": branches})
}
