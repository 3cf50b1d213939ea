//! The shape of config.toml, version 1.

mod accounts;
mod agent;
mod channel;
mod drill;
mod heartbeat;
mod owner;
mod policy;
mod project;
mod schema;

use std::collections::BTreeMap;
use std::path::PathBuf;

use launchready_checks::contract::Age;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use accounts::{
    AccountTables, AutomationKind, AutomationTable, CrmKind, CrmTable, DatabaseTable, EdgeKind,
    EdgeTable, HostingKind, HostingTable, StripeTable, SupabaseTable, SupportKind, SupportTable,
};
pub use agent::{AgentTable, AuthTable, MetricsTable, StoreValue};
pub use channel::{ChannelTable, ChannelWord, UrlValue};
pub use drill::{DrillTable, Expected, OwnedTable, RequestTable, UserTable};
pub use heartbeat::HeartbeatTable;
pub use owner::OwnerTable;
pub use policy::{AgeOrNever, PolicyTable};
pub use project::{MailTable, ProjectTable, RegistrationTable, SourceTable, WebTable};
pub(in crate::config) use schema::WHEN;
pub use schema::schema;

/// The whole file.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct File {
    /// The agent: its page, its store, and whom it tells that it lives.
    pub agent: AgentTable,
    /// The metrics.
    pub metrics: MetricsTable,
    /// When something is believed, repeated and told, for all projects.
    pub defaults: PolicyTable,
    /// How this machine reaches the world.
    pub network: NetworkTable,
    /// Options and schedules of the checks, by id, for all projects.
    pub checks: BTreeMap<String, Value>,
    /// Where messages go.
    pub channel: Vec<ChannelTable>,
    /// Announced work, during which nobody is told.
    pub maintenance: Vec<MaintenanceTable>,
    /// The audited products.
    pub project: Vec<ProjectTable>,
}

/// Announced work: once, weekly, or by cron.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceTable {
    /// What is done.
    pub name: String,
    /// The projects it touches; all of them where none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<String>,
    /// Once: when it begins, with an offset or in `defaults.timezone`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Once: when it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Each week, in `defaults.timezone`: `Sun 02:00-04:00`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weekly: Option<String>,
    /// A five-field cron expression in `defaults.timezone`, with `length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// How long it lasts each time, with `cron`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Age>,
}

/// How this machine reaches the world.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NetworkTable {
    /// Resolvers, `IP` or `IP:port`; the system's where none are given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resolvers: Vec<String>,
    /// PEM files of certificate authorities beside the usual ones.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extra_roots: Vec<PathBuf>,
    /// Follow the product to private addresses.
    pub allow_private: bool,
    /// Connect elsewhere than the DNS says, as curl's --connect-to does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub connect_to: Vec<ConnectToTable>,
    /// An RDAP server that is asked instead of the registry's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rdap: Option<String>,
}

/// One rule of `network.connect_to`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConnectToTable {
    /// `HOST:PORT` or `ADDRESS:PORT` as asked for; `*` matches any.
    pub from: String,
    /// `ADDRESS:PORT` to connect to.
    pub to: String,
}
