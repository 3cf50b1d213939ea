//! What a world is made of, as data: the types behind `scenarios/*.toml`.

mod api;
mod site;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde::Deserialize;

pub use self::api::{ApiFault, ApiPlan};
pub use self::site::{
    BodyFault, CertificateKind, CertificatePlan, Condition, Content, Edit, OldVersion, PlainHttp,
    RoutePlan, SitePlan, Values, WireFault,
};

/// A whole world. Everything is keyed by name, so that a defect can change one part of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The `[[project]]` table of the config, handed on as it is.
    pub project: toml::Table,
    /// What the registries say, by registrable domain.
    #[serde(default)]
    pub registration: BTreeMap<String, RegistrationPlan>,
    /// Zones by origin; `.` is the root.
    pub zone: BTreeMap<String, ZonePlan>,
    /// Name servers by host name.
    pub name_server: BTreeMap<String, NameServerPlan>,
    /// Resolvers by any name; the config lists them in the order of their names.
    pub resolver: BTreeMap<String, ResolverPlan>,
    /// Web sites by any name, which is the host unless `host` says otherwise.
    #[serde(default)]
    pub site: BTreeMap<String, SitePlan>,
    /// Mail servers by host name.
    #[serde(default)]
    pub mail_server: BTreeMap<String, MailServerPlan>,
    /// Addresses that refuse every connection.
    #[serde(default)]
    pub down: BTreeSet<IpAddr>,
    /// Outside systems by name.
    #[serde(default)]
    pub api: BTreeMap<String, ApiPlan>,
    /// The shop's database, where the world has one.
    #[serde(default)]
    pub shop: Option<crate::shop::ShopPlan>,
    /// Files of the lab's folder that hold credentials, by name; the config names them.
    #[serde(default)]
    pub secret: BTreeMap<String, String>,
    /// What people have signed, by item; it is written beside the config.
    #[serde(default)]
    pub attestation: BTreeMap<String, AttestationPlan>,
}

/// What somebody has signed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttestationPlan {
    /// Who.
    pub by: String,
    /// What was done.
    pub note: String,
    /// Days since then.
    pub ago_days: i64,
    /// Days from then on for which it holds.
    pub valid_days: i64,
    /// How long it took, such as `12m`.
    pub took: Option<String>,
    /// How many systems there are.
    pub systems: Option<u32>,
    /// It was taken back.
    #[serde(default)]
    pub gone: bool,
}

/// What the registry publishes about one domain.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegistrationPlan {
    /// Status values such as `client transfer prohibited`.
    pub status: Vec<String>,
    /// Days since it was registered.
    pub age_days: i64,
    /// Days until it runs out; negative when it has.
    pub left_days: i64,
    /// The registrar's name.
    pub registrar: String,
    /// Whether the registry holds a DS record.
    #[serde(default)]
    pub signed: bool,
    /// The name servers that the registry knows.
    #[serde(default)]
    pub name_servers: Vec<String>,
}

/// One zone.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZonePlan {
    /// One record per line in the syntax of zone files: owner, time to live, type, data.
    pub records: Vec<String>,
    /// Whether and how well it is signed.
    #[serde(default)]
    pub signing: Signing,
}

/// How a zone is signed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signing {
    /// Not at all.
    #[default]
    Unsigned,
    /// Signed, and the parent holds the right DS record.
    Intact,
    /// Signed, but the parent holds no DS record.
    NoDs,
    /// Signed, but the signatures ran out yesterday.
    Expired,
    /// Signed, but the parent holds a DS record of another key.
    WrongDs,
    /// Not signed, although the parent holds a DS record.
    NoKey,
}

impl Signing {
    /// Whether the zone holds signatures.
    pub const fn is_signed(self) -> bool {
        !matches!(self, Self::Unsigned | Self::NoKey)
    }

    /// Whether the parent holds a DS record.
    pub const fn has_ds(self) -> bool {
        !matches!(self, Self::Unsigned | Self::NoDs)
    }

    /// Whether a validating resolver refuses the zone.
    pub const fn is_bogus(self) -> bool {
        matches!(self, Self::Expired | Self::WrongDs | Self::NoKey)
    }
}

/// One name server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameServerPlan {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The zones that it is an authority for; it refuses all others.
    pub zones: Vec<String>,
    /// Hands out whole zones to anybody.
    #[serde(default)]
    pub transfer: bool,
    /// Never answers.
    #[serde(default)]
    pub silent: bool,
    /// Its own copy of a zone differs, by origin.
    #[serde(default)]
    pub differs: BTreeMap<String, ZoneDifference>,
}

/// How one server's copy of a zone differs from the others'.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ZoneDifference {
    /// Lines that only this server has.
    #[serde(default)]
    pub add: Vec<String>,
    /// Beginnings of lines that this server lacks.
    #[serde(default)]
    pub remove: Vec<String>,
}

/// One resolver.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolverPlan {
    /// Names for which it answers wrongly.
    #[serde(default)]
    pub faults: BTreeMap<String, ResolverFault>,
}

/// What a resolver does wrong for a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResolverFault {
    /// SERVFAIL.
    Servfail,
    /// NXDOMAIN.
    Nxdomain,
    /// Nothing at all.
    Silent,
}

/// One mail server.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailServerPlan {
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// The software that its greeting names.
    #[serde(default)]
    pub banner: String,
    /// Whether it offers STARTTLS.
    #[serde(default = "yes")]
    pub starttls: bool,
    /// Its certificate.
    #[serde(default)]
    pub certificate: CertificatePlan,
}

const fn yes() -> bool {
    true
}
