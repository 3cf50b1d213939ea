//! The port to TLS handshakes.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, CertificateFacts, ProbeError};

/// Whether a browser would trust a chain for a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "detail")]
pub enum Trust {
    /// It would.
    Trusted,
    /// The leaf, or a certificate above it, has run out.
    Expired,
    /// The leaf is not valid yet.
    NotYetValid,
    /// The leaf is for other names.
    NameMismatch,
    /// The leaf signed itself.
    SelfSigned,
    /// The server left out an intermediate; with the one that its issuer publishes it is trusted.
    Incomplete,
    /// The issuer is nobody a browser knows.
    UnknownIssuer,
    /// The issuer has revoked it.
    Revoked,
    /// Anything else that the verifier said.
    Other(String),
}

/// A full handshake with a modern client.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TlsQuestion {
    /// The name in SNI, checked against the certificate.
    pub host: String,
    /// Connects to this address; else to the first of the host.
    pub address: Option<IpAddr>,
    /// The port, 443 for the web.
    pub port: u16,
    /// Offers only RSA (`Some(false)`) or only ECDSA (`Some(true)`) signatures, to see both
    /// certificates of a server that has a pair.
    pub ecdsa: Option<bool>,
}

/// What a handshake showed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TlsAnswer {
    /// The address that answered.
    pub address: IpAddr,
    /// The negotiated version.
    pub version: ProtocolVersion,
    /// The negotiated cipher suite by its IANA name.
    pub suite: String,
    /// The certificates that were sent, leaf first; at most 10 are kept.
    pub chain: Vec<CertificateFacts>,
    /// Whether a browser would trust it for the name, now.
    pub trust: Trust,
    /// When a stapled or fetched OCSP answer said so: `Some(true)` is revoked.
    pub revoked: Option<bool>,
    /// Milliseconds from the first byte to the end of the handshake.
    pub handshake_ms: f64,
}

/// Protocol versions, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProtocolVersion {
    /// SSL 3.0.
    #[serde(rename = "SSLv3")]
    Ssl3,
    /// TLS 1.0.
    #[serde(rename = "TLSv1.0")]
    Tls10,
    /// TLS 1.1.
    #[serde(rename = "TLSv1.1")]
    Tls11,
    /// TLS 1.2.
    #[serde(rename = "TLSv1.2")]
    Tls12,
    /// TLS 1.3.
    #[serde(rename = "TLSv1.3")]
    Tls13,
}

impl ProtocolVersion {
    /// Every version, oldest first.
    pub const ALL: [Self; 5] = [Self::Ssl3, Self::Tls10, Self::Tls11, Self::Tls12, Self::Tls13];

    /// The usual name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ssl3 => "SSLv3",
            Self::Tls10 => "TLS 1.0",
            Self::Tls11 => "TLS 1.1",
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        }
    }
}

/// Which cipher suites a hand-made ClientHello offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuiteSet {
    /// Everything that the version knows, weak ones included.
    All,
    /// Only suites with forward secrecy and authenticated encryption.
    Strong,
    /// Only suites with forward secrecy, whatever the cipher.
    ForwardSecret,
}

/// A hand-made ClientHello: a library that cannot speak an old version cannot see it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HelloQuestion {
    /// The name in SNI.
    pub host: String,
    /// Connects to this address; else to the first of the host.
    pub address: Option<IpAddr>,
    /// The port, 443 for the web.
    pub port: u16,
    /// The only version offered.
    pub version: ProtocolVersion,
    /// The suites offered.
    pub suites: SuiteSet,
}

/// How a server answered a hand-made ClientHello.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum HelloAnswer {
    /// It chose this version and suite.
    Accepted {
        /// The version in its ServerHello.
        version: ProtocolVersion,
        /// The suite by its IANA name, or as `0x` and four digits.
        suite: String,
    },
    /// It refused with an alert, or closed the connection.
    Rejected {
        /// The alert by name, or `closed`.
        alert: String,
    },
}

/// Shakes hands. Nothing is ever sent inside the connection.
pub trait Tls: Send + Sync {
    /// A full handshake that goes on whatever the certificate, and says what a browser would say.
    fn handshake(&self, question: TlsQuestion) -> Answer<'_, Result<TlsAnswer, ProbeError>>;

    /// One hand-made ClientHello and the server's first answer.
    fn hello(&self, question: HelloQuestion) -> Answer<'_, Result<HelloAnswer, ProbeError>>;

    /// The time that certificates are judged at.
    fn now(&self) -> Timestamp;
}
