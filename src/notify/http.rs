//! The one client of all channels that are reached by HTTP, and what each status means.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Url, redirect};
use rustls::ClientConfig;

use super::{BuildError, ChannelSettings, NotifyError};
use crate::config::Secret;
use crate::probe::{Reach, provider, roots};

/// Bytes of an answer that are read; a channel answers with a word or a small object.
const ANSWER_BYTES: usize = 8 * 1024;
/// The longest wait that another side may ask for.
const LONGEST_WAIT: Duration = Duration::from_hours(1);

/// Finds the host of a channel with the settings of `[network]`.
struct Finder {
    reach: Arc<Reach>,
    port: u16,
}

impl Resolve for Finder {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, port) = (Arc::clone(&self.reach), self.port);
        Box::pin(async move {
            let found = reach.addresses(name.as_str(), port).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// The address of a channel, and the client that reaches it: strict about certificates, follows nothing,
/// bounded in time.
///
/// # Errors
/// A sentence with the channel's name and never the URL, when it is none, when a file of extra roots
/// cannot be read, or this build cannot speak TLS.
pub(super) fn door(settings: &ChannelSettings, text: &str) -> Result<(Url, Client), BuildError> {
    let mut url = address(settings, text)?;
    let port = url.port_or_known_default().unwrap_or(443);
    let mut headers = HeaderMap::new();
    let is_name = matches!(url.host(), Some(url::Host::Domain(_)));
    if let (true, Some(host), Some(port)) = (is_name, url.host_str(), url.port()) {
        // The client takes a port of the URL before the one that it is led to, so that the port goes
        // into the header alone.
        let authority = HeaderValue::try_from(format!("{host}:{port}"));
        if !settings.network.connect_to.is_empty()
            && let Ok(authority) = authority
            && url.set_port(None).is_ok()
        {
            headers.insert(HOST, authority);
        }
    }
    Ok((url, client(settings, port, headers)?))
}

fn client(settings: &ChannelSettings, port: u16, headers: HeaderMap) -> Result<Client, BuildError> {
    let tls = |source: rustls::Error| BuildError::Client {
        channel: settings.name.clone(),
        source: source.into(),
    };
    let roots = roots(&settings.network.extra_roots)
        .map_err(|source| BuildError::Roots { channel: settings.name.clone(), source })?;
    let config = ClientConfig::builder_with_provider(provider().into())
        .with_safe_default_protocol_versions()
        .map_err(tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(config)
        .dns_resolver(Arc::new(Finder { reach: Arc::new(Reach::new(&settings.network)), port }))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .connect_timeout(settings.timeout)
        .timeout(settings.timeout)
        .user_agent(concat!("launchready/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .build()
        .map_err(|source| BuildError::Client {
            channel: settings.name.clone(),
            source: source.without_url().into(),
        })
}

/// A URL that a channel may post to.
///
/// # Errors
/// A sentence with the channel's name and never the URL.
fn address(settings: &ChannelSettings, text: &str) -> Result<Url, BuildError> {
    let url = Url::parse(text.trim()).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https") && url.host().is_some())
        .ok_or_else(|| BuildError::Url { channel: settings.name.clone() })
}

/// Who answers: the host of a URL, which is all of it that is ever shown.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or("the other side").to_owned()
}

/// How one other side is spoken of, and what helps when it refuses.
#[derive(Debug)]
pub(super) struct Side {
    /// The host.
    pub(super) host: String,
    /// What to do when the credential or address is refused (401, 403, 404, 410).
    pub(super) credential: &'static str,
    /// What to do when the message is refused (other 4xx).
    pub(super) message: &'static str,
    /// Words that the other side answers with, each harmless to show; anything else is left out, because
    /// a server may send back what it was sent.
    pub(super) words: &'static [&'static str],
}

/// Posts JSON once.
pub(super) async fn post(
    request: RequestBuilder,
    body: Vec<u8>,
    side: &Side,
    now: Timestamp,
) -> Result<(), NotifyError> {
    let request = request.header(CONTENT_TYPE, "application/json").body(body);
    let mut answer = request.send().await.map_err(|error| failed(&error, &side.host))?;
    let status = answer.status().as_u16();
    let wait = retry_after(answer.headers(), now);
    let mut text = Vec::new();
    // The status is the answer; a body that is cut off or too long changes nothing about it.
    while let Ok(Some(chunk)) = answer.chunk().await {
        let room = ANSWER_BYTES.saturating_sub(text.len());
        text.extend_from_slice(chunk.get(..room.min(chunk.len())).unwrap_or_default());
        if text.len() >= ANSWER_BYTES {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let word = side.words.iter().find(|word| text.trim().eq_ignore_ascii_case(word));
    verdict(status, wait, word.copied(), side)
}

/// What a status means: 2xx is accepted, what may pass is tried again, anything else never will.
pub(super) fn verdict(
    status: u16,
    wait: Option<Duration>,
    word: Option<&str>,
    side: &Side,
) -> Result<(), NotifyError> {
    let word = word.map(|word| format!(" ({word})")).unwrap_or_default();
    let why = format!("{} answered {status}{word}", side.host);
    let later =
        |reason| Err(NotifyError::Transient { reason, why: why.clone(), retry_after: wait });
    let never = |reason, remedy: &str| {
        Err(NotifyError::Permanent { reason, why: why.clone(), remedy: remedy.to_owned() })
    };
    match status {
        200..=299 => Ok(()),
        429 => later("rate_limited"),
        408 | 425 => later("timeout"),
        500..=599 => later("server_error"),
        300..=399 => never("moved", "write the address that it leads to into the config"),
        401 | 403 => never("unauthorized", side.credential),
        404 | 410 => never("gone", side.credential),
        413 => never("too_large", side.message),
        _ => never("invalid", side.message),
    }
}

/// `Retry-After` as seconds or as a date (RFC 9110 10.2.3), at most an hour.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let date = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(date.duration_since(now)).unwrap_or_default()
    };
    Some(wait.min(LONGEST_WAIT))
}

/// Why nothing was answered; never a path or query.
fn failed(error: &reqwest::Error, host: &str) -> NotifyError {
    let mut source: Option<&dyn std::error::Error> = Some(error);
    let mut kind = None;
    let mut tls = false;
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            kind = Some(io.kind());
            tls = tls
                || io.get_ref().is_some_and(|inner| {
                    let inner: &(dyn std::error::Error + Send + Sync) = inner;
                    inner.is::<rustls::Error>()
                });
        }
        tls = tls || inner.is::<rustls::Error>();
        source = inner.source();
    }
    let (reason, why) = if error.is_timeout() {
        ("timeout", format!("{host} did not answer in time"))
    } else if tls {
        ("tls", format!("{host} cannot be reached securely: its certificate is not accepted"))
    } else if kind == Some(std::io::ErrorKind::ConnectionRefused) {
        ("refused", format!("{host} refuses the connection"))
    } else if error.is_connect() {
        ("unreachable", format!("{host} cannot be reached"))
    } else {
        ("closed", format!("{host} closed the connection without an answer"))
    };
    NotifyError::Transient { reason, why, retry_after: None }
}

/// A header value that holds a secret and is never logged.
///
/// # Errors
/// When it holds what no header may.
pub(super) fn bearer(
    settings: &ChannelSettings,
    token: &Secret,
) -> Result<HeaderValue, BuildError> {
    let text = format!("Bearer {}", token.expose());
    let mut value = HeaderValue::try_from(text)
        .map_err(|_source| BuildError::Token { channel: settings.name.clone() })?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIDE: fn() -> Side = || Side {
        host: "hooks.example".to_owned(),
        credential: "make a new webhook",
        message: "report it",
        words: &["no_service"],
    };

    #[test]
    fn every_status_has_its_verdict() {
        for status in 100..=599 {
            let verdict = verdict(status, Some(Duration::from_secs(7)), None, &SIDE());
            match (status, verdict) {
                (200..=299, Ok(())) => {}
                (
                    408 | 425 | 429 | 500..=599,
                    Err(NotifyError::Transient { retry_after, why, .. }),
                ) => {
                    assert_eq!(retry_after, Some(Duration::from_secs(7)));
                    assert_eq!(why, format!("hooks.example answered {status}"));
                }
                (_, Err(NotifyError::Permanent { remedy, .. })) => assert!(!remedy.is_empty()),
                (status, other) => panic!("{status}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_wait_is_read_as_seconds_or_as_a_date_and_is_at_most_an_hour() {
        let now = "2026-11-22T07:15:00Z".parse().unwrap();
        let wait = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("17"), Some(17));
        assert_eq!(wait("Sun, 22 Nov 2026 07:17:00 GMT"), Some(120));
        assert_eq!(wait("Sun, 22 Nov 2026 07:10:00 GMT"), Some(0));
        assert_eq!(wait("86400"), Some(3_600));
        assert_eq!(wait("99999999999999999999999"), None);
        assert_eq!(wait("soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
