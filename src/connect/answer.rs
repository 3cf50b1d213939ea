//! An answer of an outside system, and what its headers say about time.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::json;
use launchready_checks::probe::{ProbeError, TargetFault};
use reqwest::header::{HeaderMap, HeaderName, RETRY_AFTER};
use serde::de::DeserializeOwned;

use super::Vendor;

/// An answer that is not an error.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The body as JSON.
    ///
    /// # Errors
    /// It is none, or of another shape.
    pub fn json<T: DeserializeOwned>(&self, vendor: &Vendor) -> Result<T, ProbeError> {
        json::from_slice(&self.body).map_err(|error| {
            let what = format!("{} sends JSON of another shape: {error}", vendor.name);
            TargetFault::Malformed(what).into()
        })
    }
}

/// How long the other side asks to wait: seconds, or a date (RFC 9110 section 10.2.3). Some vendors say it in
/// a header of their own, or as the seconds of `X-RateLimit-Reset` where nothing is left; a larger number there
/// is a point in time, and no wait.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name)?.to_str().ok().map(str::trim);
    let own = || text(HeaderName::from_static("x-ratelimit-retry-after"));
    let Some(text) = text(RETRY_AFTER).or_else(own) else {
        let left = text(HeaderName::from_static("x-ratelimit-remaining"))?;
        let reset = text(HeaderName::from_static("x-ratelimit-reset"))?.parse().ok()?;
        return (left == "0" && reset <= 3600).then_some(Duration::from_secs(reset));
    };
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let seconds = http_date(text)?.as_second() - now.as_second();
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp())
}
