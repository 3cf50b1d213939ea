//! `[agent]` and `[metrics]`: the page, the store, and what the agent does beside looking.

use launchready_checks::contract::Age;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::SecretRef;

/// The agent.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AgentTable {
    /// Where the page, the API and the metrics are, `IP:port`.
    pub listen: String,
    /// The database: `sqlite:FILE`, where a relative path counts from this file, or
    /// `postgres://USER@HOST/DATABASE`, which several agents may share. With a password it is a secret.
    pub store: StoreValue,
    /// Where people reach the page, for the links in messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_url: Option<String>,
    /// A URL that is called while all is well, so that somebody notices when the agent dies.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heartbeat_url: Option<SecretRef>,
    /// How often it is called.
    pub heartbeat_every: Age,
    /// Looks that may be under way at once.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_in_flight: u32,
    /// Hourly figures are kept for this long; resolved incidents and the past of checks for 400 days, or as long.
    pub keep: Age,
    /// When the weekly summary is sent, as five-field cron in `defaults.timezone`; `never` for none.
    pub summary: String,
    /// Hosts and URLs that `/probe` may be asked for beside those of the projects.
    pub probe_targets: Vec<String>,
    /// Who may see the page and the metrics.
    pub auth: AuthTable,
}

impl Default for AgentTable {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:9797".to_owned(),
            store: StoreValue::Plain("sqlite:launchready.db".to_owned()),
            public_url: None,
            heartbeat_url: None,
            // healthchecks.io takes five calls a minute at most.
            heartbeat_every: Age::minutes(1),
            max_in_flight: 200,
            keep: Age::days(90),
            summary: "0 8 * * 1".to_owned(),
            probe_targets: Vec::new(),
            auth: AuthTable::default(),
        }
    }
}

/// The address of the store, or where it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum StoreValue {
    /// An address without a password.
    Plain(String),
    /// Where an address with a password is kept.
    Secret(SecretRef),
}

/// Who may see the page and the metrics.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthTable {
    /// The password of the page and the API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// The bearer token of `/metrics` and `/probe`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metrics_token: Option<SecretRef>,
}

/// The metrics.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsTable {
    /// Above so many checks `/metrics` has to be asked in shards.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub max_checks: u32,
}

impl Default for MetricsTable {
    fn default() -> Self {
        Self { max_checks: 20_000 }
    }
}
