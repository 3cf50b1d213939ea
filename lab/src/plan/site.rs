//! Web sites as data: certificates, protocol versions, routes and what is wrong with them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::yes;

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

const fn ok() -> u16 {
    200
}

const fn permanent() -> u16 {
    308
}

fn reading() -> Vec<String> {
    vec!["GET".to_owned(), "HEAD".to_owned()]
}
