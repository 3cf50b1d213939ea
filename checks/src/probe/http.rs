//! The port to web servers.

use std::net::IpAddr;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError, Trust};

/// The methods that a check may use.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Reads.
    #[default]
    Get,
    /// Reads the head.
    Head,
    /// Asks what is allowed, as a browser's preflight does.
    Options,
    /// Sends an empty JSON object to an endpoint of the project's own; needs proven ownership.
    Post,
}

impl Method {
    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Post => "POST",
        }
    }
}

/// One request. Redirects are never followed by the port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// Absolute URL, http or https.
    pub url: String,
    /// Extra headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Connects to this address and keeps name and SNI of the URL.
    pub address: Option<IpAddr>,
    /// The most bytes of decoded body that are kept; the rest is not read.
    pub max_body: usize,
    /// May be answered by the same request of another check in this audit.
    pub shared: bool,
    /// Asks on a connection that nobody else uses or will use.
    pub fresh_connection: bool,
    /// The user wrote this very URL in the config: it may lead to a private address.
    pub chosen: bool,
    /// After this many milliseconds it has timed out.
    pub timeout_ms: u64,
}

impl HttpRequest {
    /// The most bytes of a page that checks read: 2 MiB.
    pub const PAGE_BYTES: usize = 2 * 1024 * 1024;

    /// A shared GET of a page, ten seconds, at most [`Self::PAGE_BYTES`].
    pub fn get(url: impl Into<String>) -> Self {
        Self {
            method: Method::Get,
            url: url.into(),
            headers: Vec::new(),
            address: None,
            max_body: Self::PAGE_BYTES,
            shared: true,
            fresh_connection: false,
            chosen: false,
            timeout_ms: 10_000,
        }
    }

    /// Another method; never shared unless it is HEAD or OPTIONS.
    #[must_use]
    pub fn method(mut self, method: Method) -> Self {
        self.method = method;
        self.shared = self.shared && method != Method::Post;
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_ascii_lowercase(), value.into()));
        self
    }

    /// Connects to one address of the host.
    #[must_use]
    pub fn at(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Keeps at most so many bytes of the body.
    #[must_use]
    pub fn at_most(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Asks anew, whatever other checks have asked.
    #[must_use]
    pub fn unshared(mut self) -> Self {
        self.shared = false;
        self
    }

    /// Asks on a connection of its own.
    #[must_use]
    pub fn on_a_fresh_connection(mut self) -> Self {
        self.shared = false;
        self.fresh_connection = true;
        self
    }

    /// Asks an address that the user wrote in the config, wherever it leads.
    #[must_use]
    pub fn chosen_by_the_user(mut self) -> Self {
        self.chosen = true;
        self
    }

    /// Gives up after so many milliseconds.
    #[must_use]
    pub fn within_ms(mut self, milliseconds: u64) -> Self {
        self.timeout_ms = milliseconds;
        self
    }
}

/// How long each part took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timings {
    /// Connecting and, for https, the handshake; 0 on a warm connection.
    pub connect_ms: f64,
    /// From sending the request to the head of the answer.
    pub first_byte_ms: f64,
    /// From the beginning to the last byte that was read.
    pub total_ms: f64,
}

/// An answer with its head and a bounded body.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpAnswer {
    /// The URL that was asked.
    pub url: String,
    /// The address that answered.
    pub address: IpAddr,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// Names in lower case, values as they came; bytes outside ASCII as U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The decoded body, at most `max_body` bytes.
    pub body: Bytes,
    /// There was more body than was kept.
    pub body_cut: bool,
    /// How long it took.
    pub timings: Timings,
    /// Whether a browser would have trusted the connection; `None` without TLS. The port goes on
    /// over an untrusted one, because a bad certificate is the business of another check.
    pub trust: Option<Trust>,
}

impl HttpAnswer {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a header, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.headers.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text; invalid UTF-8 becomes U+FFFD.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether the status is a redirect with a target.
    pub fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308) && self.header("location").is_some()
    }

    /// Where a redirect leads, resolved against the URL that was asked.
    pub fn location(&self) -> Option<url::Url> {
        let location = self.header("location")?;
        url::Url::parse(&self.url).ok()?.join(location).ok()
    }
}

/// Asks web servers. Caps, the connection pool, shared answers, the address guard and the limits
/// per host are the adapter's. At most 64 KiB of head, then it is [`super::TargetFault::TooLarge`].
pub trait Http: Send + Sync {
    /// Sends one request and follows nothing.
    fn send(&self, request: HttpRequest) -> Answer<'_, Result<HttpAnswer, ProbeError>>;
}
