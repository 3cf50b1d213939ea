//! What `dns-resolution` saw: bounded in number and length, the names of servers told by index.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::Bounded;
use crate::dns::records::RecordSet;
use crate::probe::{Rcode, Seen, Transfer};

/// The most hosts that are looked at.
pub(super) const HOSTS: usize = 24;
/// The most addresses of name servers that are asked.
pub(super) const SERVERS: usize = 16;
/// The most different answers to one question that are kept.
pub(super) const ANSWERS: usize = 3;
/// The most records of one answer that are kept, and the most characters of each.
pub(super) const LINES: usize = 5;
pub(super) const CHARACTERS: usize = 120;
/// The most keys or signatures of one server, or DS records, that are kept.
pub(super) const KEYS: usize = 10;
/// The most name servers whose signatures are kept.
pub(super) const SIGNERS: usize = 6;

/// What was seen of a domain's name servers, records and hosts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    pub(super) zone: String,
    pub(super) parent: Option<String>,
    pub(super) hosts: Bounded<HostView>,
    pub(super) servers: Bounded<ServerView>,
    /// What the zone's name servers answer at its apex.
    pub(super) sets: Vec<SetViews>,
    pub(super) delegation: Delegation,
    pub(super) resolvers: Vec<String>,
    /// What the resolvers answer at the apex.
    pub(super) resolver_sets: Vec<SetViews>,
    pub(super) validation: Vec<Validation>,
    pub(super) signers: Vec<Signer>,
    pub(super) caa_sets: Bounded<CaaSet>,
}

/// One host as resolvers and name servers see it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HostView {
    pub(super) name: String,
    /// It is the domain itself or was declared.
    pub(super) declared: bool,
    pub(super) look: Seen<HostAnswer>,
    /// Resolvers fail with it, unless they are asked not to validate.
    pub(super) bogus: bool,
    /// What each name server of the zone says; empty for a host outside the zone.
    pub(super) servers: Vec<OutcomeView>,
    /// What each resolver says.
    pub(super) resolvers: Vec<OutcomeView>,
    /// The alias that a name server of the zone publishes.
    pub(super) alias: Option<String>,
    /// The types of the records that stand at the name beside its alias.
    pub(super) beside: Vec<String>,
    /// The times to live of its address or alias records at the name servers.
    pub(super) ttl: Option<Ttls>,
    /// The name at which the climb from the host finds CAA records.
    pub(super) caa: Seen<Option<String>>,
    /// The same for the climb from the name above, which is what counts for a wildcard.
    pub(super) caa_above: Seen<Option<String>>,
    /// The certificate in use; `None` where no CAA record asks for it.
    pub(super) issuer: Option<Seen<Issuer>>,
}

/// The lowest and the highest time to live, in seconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Ttls {
    pub(super) least: u32,
    pub(super) most: u32,
}

/// What the configured resolvers answer for a host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HostAnswer {
    pub(super) rcode: Rcode,
    pub(super) addresses: usize,
    /// The platform that the first address belongs to.
    pub(super) platform: Option<String>,
    /// How many aliases there are on the way.
    pub(super) aliases: usize,
    /// The first aliases and the last.
    pub(super) path: Vec<String>,
    /// An alias that leads back to itself.
    pub(super) loops: bool,
}

/// What one or more servers say about the existence of a host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct OutcomeView {
    pub(super) outcome: Outcome,
    /// Indexes of servers or resolvers.
    pub(super) by: Vec<usize>,
}

/// What a server says about the existence of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Outcome {
    /// An address or an alias.
    Answers,
    /// NXDOMAIN.
    NoSuchName,
    /// The name exists without an address.
    NoAddress,
    /// An answer code that is an error.
    Fails,
}

/// One address of one name server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ServerView {
    pub(super) name: String,
    /// `None` for a name server whose name has no address.
    pub(super) address: Option<IpAddr>,
    pub(super) state: Seen<ServerState>,
    pub(super) transfer: Option<Seen<Transfer>>,
}

/// What a name server says about the zone's SOA record.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ServerState {
    pub(super) rcode: Rcode,
    pub(super) authoritative: bool,
    pub(super) serial: Option<u32>,
    pub(super) primary: Option<String>,
}

impl ServerState {
    /// It answers for the zone with authority.
    pub(super) fn is_sound(&self) -> bool {
        self.rcode == Rcode::NoError && self.authoritative && self.serial.is_some()
    }
}

/// The different answers to one question.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SetViews {
    /// The type asked for.
    pub(super) kind: String,
    pub(super) answers: Bounded<SetView>,
    pub(super) ttl: Option<Ttls>,
}

/// One answer and who gave it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SetView {
    pub(super) set: RecordSet,
    /// Indexes of servers or resolvers.
    pub(super) by: Vec<usize>,
}

/// What the parent zone says.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Delegation {
    /// The name servers that it hands the zone to; `None` when none of its servers could be asked.
    pub(super) names: Option<Vec<String>>,
    /// Its DS records; `None` when nobody could be asked.
    pub(super) ds: Option<Bounded<DsFact>>,
}

/// A DS record in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DsFact {
    pub(super) key_tag: u16,
    pub(super) algorithm: u8,
    pub(super) digest_type: u8,
}

/// Whether one resolver can answer for the zone, validating and not.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Validation {
    pub(super) plain: Option<Rcode>,
    pub(super) unchecked: Option<Rcode>,
    /// It says that it validated the answer.
    pub(super) authenticated: bool,
}

/// The keys and signatures of one name server.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Signer {
    /// Index of the server.
    pub(super) server: usize,
    pub(super) keys: Bounded<KeyFact>,
    pub(super) signatures: Bounded<SignatureFact>,
}

/// A DNSKEY record in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyFact {
    pub(super) key_tag: u16,
    pub(super) algorithm: u8,
}

/// An RRSIG record in short; times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignatureFact {
    pub(super) covered: String,
    pub(super) key_tag: u16,
    pub(super) inception: i64,
    pub(super) expiration: i64,
}

/// The CAA records at one name.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CaaSet {
    pub(super) at: String,
    pub(super) records: Bounded<CaaRecord>,
}

/// One CAA record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct CaaRecord {
    pub(super) critical: bool,
    pub(super) tag: String,
    pub(super) value: String,
}

/// The certificate that a host uses, as far as CAA is concerned.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Issuer {
    /// Distinguished name of who issued it.
    pub(super) name: String,
    /// The host is covered by a wildcard only.
    pub(super) wildcard: bool,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
}
