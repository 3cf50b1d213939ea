//! What a world is made of, as data: the types behind `scenarios/*.toml`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

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

/// One host name on the web, at all or some of its addresses.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SitePlan {
    /// The host name, where the key is not it.
    #[serde(default)]
    pub host: Option<String>,
    /// The addresses where it is served.
    pub addresses: Vec<IpAddr>,
    /// What it answers on port 80.
    #[serde(default)]
    pub http: PlainHttp,
    /// The status of the redirect on port 80.
    #[serde(default = "permanent")]
    pub http_status: u16,
    /// Whether anything listens on port 443.
    #[serde(default = "yes")]
    pub https: bool,
    /// Its certificate.
    #[serde(default)]
    pub certificate: CertificatePlan,
    /// The old protocol versions that it accepts, of `SSLv3`, `TLSv1.0` and `TLSv1.1`.
    #[serde(default)]
    pub old_tls: Vec<OldVersion>,
    /// Whether it speaks TLS 1.2.
    #[serde(default = "yes")]
    pub tls12: bool,
    /// Whether it speaks TLS 1.3.
    #[serde(default = "yes")]
    pub tls13: bool,
    /// What is wrong with the bytes that it sends.
    #[serde(default)]
    pub fault: Option<WireFault>,
    /// Headers of every answer; an empty value takes a header away.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The first route that fits answers.
    #[serde(default)]
    pub routes: Vec<RoutePlan>,
    /// Changes of bodies, for defects.
    #[serde(default)]
    pub edits: Vec<Edit>,
}

/// What a site answers on port 80.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PlainHttp {
    /// A redirect to the same URL with https.
    #[default]
    Redirect,
    /// The same as on port 443.
    Serve,
}

/// A protocol version that no library speaks any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum OldVersion {
    /// SSL 3.0.
    #[serde(rename = "SSLv3")]
    Ssl3,
    /// TLS 1.0.
    #[serde(rename = "TLSv1.0")]
    Tls10,
    /// TLS 1.1.
    #[serde(rename = "TLSv1.1")]
    Tls11,
}

impl OldVersion {
    /// The version on the wire.
    pub const fn wire(self) -> u16 {
        match self {
            Self::Ssl3 => 0x0300,
            Self::Tls10 => 0x0301,
            Self::Tls11 => 0x0302,
        }
    }
}

/// A certificate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CertificatePlan {
    /// What is wrong with it.
    pub kind: CertificateKind,
    /// The names it is for; the host alone when empty.
    pub names: Vec<String>,
    /// Days since it was issued, instead of the kind's own.
    pub age_days: Option<i64>,
    /// Days until it runs out, instead of the kind's own.
    pub left_days: Option<i64>,
}

/// The kinds of certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CertificateKind {
    /// Nothing is wrong: 90 days long, a month old.
    #[default]
    Good,
    /// It ran out two days ago.
    Expired,
    /// It starts in three days.
    NotYetValid,
    /// It is for another host.
    WrongName,
    /// It signed itself.
    SelfSigned,
    /// Its authority is nobody that anybody knows.
    Untrusted,
    /// The intermediate is left out.
    Incomplete,
    /// It is valid for 400 days.
    LongLife,
    /// Its intermediate runs out before it.
    IntermediateFirst,
}

/// What is wrong with the bytes of a server, below HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WireFault {
    /// Garbage instead of a TLS handshake.
    Garbage,
    /// Accepts the connection and closes it.
    Close,
    /// Accepts the connection and says nothing.
    Silence,
    /// A head that never ends.
    EndlessHead,
}

/// One header's value or values.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Values {
    /// One value.
    One(String),
    /// A header that is sent several times.
    Many(Vec<String>),
}

impl Values {
    /// The values that are sent.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
        .iter()
        .map(String::as_str)
        .filter(|value| !value.is_empty())
    }
}

/// One route of a site.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoutePlan {
    /// An exact path, or a prefix that ends in `*`.
    pub path: String,
    /// The methods that it answers; `*` for any.
    #[serde(default = "reading")]
    pub methods: Vec<String>,
    /// Only requests that have this header.
    #[serde(default)]
    pub when: Option<Condition>,
    /// The status.
    #[serde(default = "ok")]
    pub status: u16,
    /// Where it redirects to; placeholders of the request are filled in.
    #[serde(default)]
    pub redirect: Option<String>,
    /// Headers over those of the site; an empty value takes a header away.
    #[serde(default)]
    pub headers: BTreeMap<String, Values>,
    /// The body; placeholders are filled in.
    #[serde(default)]
    pub body: String,
    /// A body that is not text.
    #[serde(default)]
    pub content: Option<Content>,
    /// Milliseconds before it answers.
    #[serde(default)]
    pub delay_ms: u64,
    /// What is wrong with its body.
    #[serde(default)]
    pub fault: Option<BodyFault>,
}

/// A condition on a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The header that must be there, in lower case.
    pub header: String,
    /// Its whole value; any when absent.
    #[serde(default)]
    pub equals: Option<String>,
}

/// A body that is not text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Content {
    /// The intermediate certificate in DER.
    Intermediate,
    /// A small picture.
    Icon,
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyFault {
    /// It never ends.
    Endless,
    /// Some kilobytes that unpack to a gigabyte.
    GzipBomb,
    /// One byte every 200 ms.
    SlowDrip,
}

/// A change of the bodies of some routes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// The path of the routes as it is written there.
    pub path: String,
    /// The text that is replaced, each time; it has to be there.
    pub find: String,
    /// The text instead.
    pub put: String,
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

const fn ok() -> u16 {
    200
}

const fn permanent() -> u16 {
    308
}

fn reading() -> Vec<String> {
    vec!["GET".to_owned(), "HEAD".to_owned()]
}
