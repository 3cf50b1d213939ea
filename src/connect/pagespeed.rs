//! `PageSpeed` Insights behind the port that has pages measured in a browser.

use std::fmt;
use std::time::Duration;

use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, FieldSpeed, PageSpeed, ProbeError, Speed, TargetFault, lighthouse_report,
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::answer::Reply;
use super::api::{Api, Vendor};
use super::reach::Reach;
use super::shown::Shown;
use crate::config::Secret;

/// The vendor's address.
const ADDRESS: &str = "https://www.googleapis.com";
/// The service loads the page while it is waited for.
const LONGEST: Duration = Duration::from_secs(90);
/// The most characters of what the service says about an error.
const WORDS: usize = 240;

const VENDOR: Vendor = Vendor {
    name: "PageSpeed Insights",
    // A key may ask 240 times a minute; a look asks for four pages at most.
    pace: Duration::from_millis(250),
    headers: &[],
    permission: message,
    where_to: "https://console.cloud.google.com/apis/credentials",
};

/// The service, with a key.
pub struct Pagespeed {
    api: Api,
}

impl fmt::Debug for Pagespeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pagespeed").finish_non_exhaustive()
    }
}

impl Pagespeed {
    /// The service at the vendor's address, or at `address`.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(key: Secret, address: Option<&str>, reach: &Reach) -> Result<Self, ProbeError> {
        // In a header, and never in the address: addresses are written into logs.
        let shown = Shown::Header("x-goog-api-key", key);
        let api = Api::new(VENDOR, address.unwrap_or(ADDRESS), shown, reach)?;
        Ok(Self { api: api.patient(LONGEST) })
    }

    async fn measure(&self, url: &str) -> Result<PageSpeed, ProbeError> {
        let query = [("url", url), ("strategy", "mobile"), ("category", "performance")];
        let path = "pagespeedonline/v5/runPagespeed";
        let reply = self.api.any(Method::GET, path, &query, None).await?;
        if !(200..300).contains(&reply.status) {
            return self.failed(&reply);
        }
        let shape: Shape = reply.json(self.api.vendor())?;
        Ok(PageSpeed {
            lab: lighthouse_report(&shape.lighthouse),
            field: shape.experience.and_then(Experience::field),
        })
    }

    /// An answer that is an error: a page that could not be loaded is about the page.
    fn failed(&self, reply: &Reply) -> Result<PageSpeed, ProbeError> {
        let body: Value = json::value(&reply.body).unwrap_or_default();
        let text = message(&body).unwrap_or_default();
        if text.contains("API key not valid") || text.contains("API_KEY_INVALID") {
            let what =
                format!("{} knows no such key; make one at {}", VENDOR.name, VENDOR.where_to);
            return Err(AgentFault::BadCredential(what).into());
        }
        if text.starts_with("Lighthouse returned error") {
            return Ok(PageSpeed { lab: Err(text), field: None });
        }
        match reply.status {
            400 => {
                let what = format!("{} answers 400: {text}", VENDOR.name);
                Err(TargetFault::Malformed(what).into())
            }
            _ => Err(self.api.refused(reply)),
        }
    }
}

impl Speed for Pagespeed {
    fn page(&self, url: String) -> Answer<'_, Result<PageSpeed, ProbeError>> {
        Box::pin(async move { self.measure(&url).await })
    }
}

fn message(body: &Value) -> Option<String> {
    let text = body.pointer("/error/message")?.as_str()?;
    Some(text.chars().take(WORDS).collect())
}

/// The part of the answer that is read.
#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(rename = "lighthouseResult")]
    lighthouse: Value,
    #[serde(rename = "loadingExperience", default)]
    experience: Option<Experience>,
}

/// What real visitors saw.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Experience {
    metrics: Metrics,
    origin_fallback: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct Metrics {
    largest_contentful_paint_ms: Option<Metric>,
    interaction_to_next_paint: Option<Metric>,
    cumulative_layout_shift_score: Option<Metric>,
}

#[derive(Debug, Deserialize)]
struct Metric {
    percentile: f64,
}

impl Experience {
    /// Nothing where the service knows too few visitors: it leaves the numbers out then.
    fn field(self) -> Option<FieldSpeed> {
        let Metrics {
            largest_contentful_paint_ms: paint,
            interaction_to_next_paint: interaction,
            cumulative_layout_shift_score: shift,
        } = self.metrics;
        if paint.is_none() && interaction.is_none() && shift.is_none() {
            return None;
        }
        let number = |metric: Option<Metric>| metric.map(|metric| metric.percentile);
        Some(FieldSpeed {
            paint_ms: number(paint),
            interaction_ms: number(interaction),
            // The service gives hundredths.
            shift: number(shift).map(|hundredths| hundredths / 100.0),
            of_host: self.origin_fallback,
        })
    }
}
