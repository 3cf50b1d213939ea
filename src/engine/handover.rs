//! What the config and the store say of a project beside what its checks see, for whoever takes it over.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What config and store say. It holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Handover {
    /// Who holds which account, in the order of the config.
    pub accounts: Vec<Account>,
    /// Where each credential is kept that the config names.
    pub secrets: Vec<SecretPlace>,
    /// Who is told.
    pub channels: Vec<Channel>,
    /// What is looked at, and how often.
    pub watched: Vec<Watched>,
    /// When the agent looked last, where one has.
    pub last_look: Option<Timestamp>,
    /// What was mended while the agent watched, newest first.
    pub mended: Vec<Mended>,
}

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is what `[[project.account]]` says under the same name")]
pub struct Account {
    pub system: String,
    pub account: Option<String>,
    pub owner: Option<String>,
    pub second: Option<String>,
    pub mfa: Option<bool>,
    pub renews: Option<Date>,
    pub recovery: Option<String>,
    pub cost: Option<String>,
}

/// Where a credential is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPlace {
    /// The key of the config that names it, such as `stripe.key`.
    pub key: String,
    /// `variable NAME` or `file PATH`.
    pub kept: String,
    /// Whether it is there and can be read.
    pub is_there: bool,
}

/// A channel of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// `email`, `slack`, ….
    pub kind: String,
    /// Severities that it takes.
    pub severities: Vec<String>,
    /// The channel that is told when this one fails.
    pub fallback: Option<String>,
    /// Messages that it accepted, and that it refused for good, as far as the store remembers.
    pub delivered: u64,
    /// Messages that it did not take.
    pub failed: u64,
}

/// A check with its rhythm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The check's id.
    pub check: String,
    /// When it looks, such as `every 1m`.
    pub rhythm: String,
}

/// An incident that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// What was wrong.
    pub title: String,
    /// The finding code.
    pub code: String,
    /// When it was seen first.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
    /// Who said so; none where a look saw it.
    pub by: Option<String>,
}
