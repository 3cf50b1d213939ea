//! `PageSpeed` Insights as its users see it: one call that loads a page, and the words of Google for errors.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Ask, Reply};
use crate::data::typed;

/// What the service knows.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Service {
    /// The keys that it takes.
    keys: Vec<String>,
    /// The version of Lighthouse.
    #[serde(default = "version")]
    version: String,
    /// Pages by URL.
    #[serde(default)]
    page: BTreeMap<String, Page>,
}

/// How fast one page is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    /// The score, 0 to 1.
    performance: f64,
    paint_ms: f64,
    blocked_ms: f64,
    shift: f64,
    /// What real visitors see; too few of them where absent.
    #[serde(default)]
    interaction_ms: Option<u32>,
    /// The code of what keeps Lighthouse from loading it, such as `NO_FCP`.
    #[serde(default)]
    error: Option<String>,
}

fn version() -> String {
    "13.5.0".to_owned()
}

pub(super) fn make(
    table: &toml::Table,
    _now: Timestamp,
) -> Result<Arc<dyn Api>, serde_json::Error> {
    let service: Service = typed(table)?;
    Ok(Arc::new(service))
}

impl Api for Service {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let (Ok(reply) | Err(reply)) = self.route(ask);
        reply
    }
}

impl Service {
    fn route(&self, ask: &Ask<'_>) -> Result<Reply, Reply> {
        if ask.path != "/pagespeedonline/v5/runPagespeed" || ask.method != "GET" {
            return Err(error(404, "Requested entity was not found.", "NOT_FOUND"));
        }
        let shown = ask.header("x-goog-api-key").or_else(|| ask.query("key"));
        let Some(shown) = shown else {
            let message = "Quota exceeded for quota metric 'Queries' and limit 'Queries per day' of \
                           service 'pagespeedonline.googleapis.com'.";
            return Err(error(429, message, "RESOURCE_EXHAUSTED"));
        };
        if !self.keys.iter().any(|key| key == shown) {
            let message = "API key not valid. Please pass a valid API key.";
            return Err(error(400, message, "INVALID_ARGUMENT"));
        }
        let Some(url) = ask.query("url") else {
            return Err(error(400, "Missing required parameter: url", "INVALID_ARGUMENT"));
        };
        let Some(page) = self.page.get(url) else {
            let message = "Lighthouse returned error: FAILED_DOCUMENT_REQUEST. Lighthouse was unable to \
                           reliably load the page you requested.";
            return Err(error(400, message, "INVALID_ARGUMENT"));
        };
        Ok(Reply::json(200, &self.result(url, page)))
    }

    fn result(&self, url: &str, page: &Page) -> Value {
        let audit = |id: &str, value: f64, unit: &str| json!({"id": id, "score": 1, "scoreDisplayMode": "numeric", "numericValue": value, "numericUnit": unit});
        let mut lighthouse = json!({
            "requestedUrl": url,
            "finalUrl": url,
            "lighthouseVersion": self.version,
            "audits": {
                "largest-contentful-paint": audit("largest-contentful-paint", page.paint_ms, "millisecond"),
                "total-blocking-time": audit("total-blocking-time", page.blocked_ms, "millisecond"),
                "cumulative-layout-shift": audit("cumulative-layout-shift", page.shift, "unitless"),
            },
            "categories": {
                "performance": {"id": "performance", "title": "Performance", "score": page.performance},
            },
        });
        if let (Some(code), Some(object)) = (&page.error, lighthouse.as_object_mut()) {
            let message = "The page did not paint any content.";
            object.insert("runtimeError".to_owned(), json!({"code": code, "message": message}));
        }
        let mut answer = json!({
            "captchaResult": "CAPTCHA_NOT_NEEDED",
            "kind": "pagespeedonline#result",
            "id": url,
            "loadingExperience": {"initial_url": url},
            "lighthouseResult": lighthouse,
        });
        if let (Some(ms), Some(experience)) =
            (page.interaction_ms, answer.pointer_mut("/loadingExperience"))
        {
            *experience = json!({
                "id": url,
                "initial_url": url,
                "overall_category": "FAST",
                "metrics": {
                    "LARGEST_CONTENTFUL_PAINT_MS": {"percentile": page.paint_ms.round(), "category": "FAST"},
                    "INTERACTION_TO_NEXT_PAINT": {"percentile": ms, "category": "FAST"},
                    "CUMULATIVE_LAYOUT_SHIFT_SCORE": {
                        "percentile": (page.shift * 100.0).round(),
                        "category": "FAST",
                    },
                },
            });
        }
        answer
    }
}

/// An error in Google's form.
fn error(code: u16, message: &str, status: &str) -> Reply {
    Reply::json(code, &json!({"error": {"code": code, "message": message, "status": status}}))
}
