//! `[[project]]`: one audited product.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;
use launchready_checks::contract::Goal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AccountTables, DrillTable, HeartbeatTable, OwnerTable, PolicyTable};

/// One audited product. The schema, and not this type, refuses unknown keys: serde cannot do it beside
/// `flatten`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ProjectTable {
    /// Its name in reports and metrics.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// Its hosts, relative (`www`) or full; the apex need not be named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hosts: Vec<String>,
    /// What it has to be ready for.
    #[serde(default)]
    pub goal: Goal,
    /// Show it on the public status page.
    #[serde(default)]
    pub public: bool,
    /// Parts that the product does not have, so that their absence is no oversight.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_used: Vec<String>,
    /// The token, of 16 characters or more, of which the TXT record at `_launchready.<domain>` is made that active
    /// probes need; `launchready config check` prints the record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ownership: Option<String>,
    /// Facts about the web site.
    #[serde(default)]
    pub web: WebTable,
    /// Facts about mail.
    #[serde(default)]
    pub mail: MailTable,
    /// Facts about the registration.
    #[serde(default)]
    pub registration: RegistrationTable,
    /// The source folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceTable>,
    /// Jobs that call when they have ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heartbeat: Vec<HeartbeatTable>,
    /// Who holds which account, for the handover report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<OwnerTable>,
    /// What its drills may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill: Option<DrillTable>,
    /// Its accounts.
    #[serde(flatten)]
    pub accounts: AccountTables,
    /// What differs from `[defaults]`.
    #[serde(flatten)]
    pub policy: PolicyTable,
    /// Options and schedules of the checks, by id, for this project alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Value>,
}

/// Facts about the web site.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WebTable {
    /// CSV file with the header line `from,to,status`; status may be empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect_map: Option<PathBuf>,
    /// URLs or paths at which webhooks arrive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhook_paths: Vec<String>,
    /// Paths to which an identity provider sends the browser back.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub oauth_paths: Vec<String>,
    /// Paths of the privacy, terms and refund pages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub legal_pages: Vec<String>,
    /// URLs of Edge Functions that browsers call.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub functions: Vec<String>,
}

/// Facts about mail.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MailTable {
    /// Domains in the From header of the product's mail.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sends_from: Vec<String>,
    /// DKIM selectors, `name` or `name@domain`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub selectors: Vec<String>,
    /// Sending tools, such as `resend` or `hubspot`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
}

/// Facts about the registration that no server publishes.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationTable {
    /// The expiry date, `2027-03-01`, where the registry publishes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub expires: Option<Date>,
    /// Somebody has seen that auto-renew is on and the card is valid.
    pub auto_renew: bool,
}

/// The source folder.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceTable {
    /// The folder, relative to the config file.
    pub path: PathBuf,
}
