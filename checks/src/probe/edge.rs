//! The account at the edge network in front of a site: settings of a zone, and the records that it serves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// One zone with its settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeZone {
    /// The vendor's id.
    pub id: String,
    /// The zone serves the domain; one that is pending or has moved away does not.
    pub active: bool,
    /// The vendor's word for its state.
    pub status: String,
    /// The edge is switched off for the whole zone.
    pub paused: bool,
    /// Settings by the vendor's name, such as `ssl` = `strict`.
    pub settings: BTreeMap<String, String>,
    /// Settings that could not be read, with the reason.
    pub unseen: BTreeMap<String, String>,
}

/// One record that leads to an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EdgeRecord {
    /// The vendor's id.
    #[serde(default)]
    pub id: String,
    /// The name in full.
    pub name: String,
    /// `A`, `AAAA` or `CNAME`.
    pub kind: String,
    /// What it leads to.
    pub content: String,
    /// Requests go through the edge.
    #[serde(default)]
    pub proxied: bool,
}

/// The records of a zone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EdgeRecords {
    /// Those that lead to an address.
    pub all: Vec<EdgeRecord>,
    /// There are more.
    pub cut: bool,
}

/// Asks the edge network about a zone. Nothing is changed.
pub trait Edge: Send + Sync {
    /// The vendor's name, for people.
    fn vendor(&self) -> &'static str;

    /// The zone of a domain; `None` where the account, or the token, has none of that name.
    fn zone(&self, domain: String) -> Answer<'_, Result<Option<EdgeZone>, ProbeError>>;

    /// The records of a zone that lead to an address.
    fn records(&self, zone: String) -> Answer<'_, Result<EdgeRecords, ProbeError>>;
}
