//! The port to mail servers.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError, Seen, TlsAnswer};

/// A greeting, EHLO and STARTTLS with one mail server; no mail is ever handed over.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SmtpQuestion {
    /// The name of the mail server, checked against its certificate.
    pub host: String,
    /// Connects to this address.
    pub address: IpAddr,
    /// The port, 25 between servers.
    pub port: u16,
}

/// What a mail server said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SmtpAnswer {
    /// Its greeting, at most 512 characters.
    pub banner: String,
    /// The keywords of its EHLO answer in upper case, at most 64.
    pub extensions: Vec<String>,
    /// The handshake after STARTTLS; `None` when it does not offer STARTTLS.
    pub starttls: Option<Seen<TlsAnswer>>,
}

/// Talks to mail servers.
pub trait Smtp: Send + Sync {
    /// Greets a server and leaves again. A time-out on every server at port 25 is
    /// [`super::AgentFault::PortBlocked`].
    fn greet(&self, question: SmtpQuestion) -> Answer<'_, Result<SmtpAnswer, ProbeError>>;
}
