//! The port to a service that measures how fast a page is in a browser, and the reader of Lighthouse's
//! report, which the service and the program of that name share.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Answer, ProbeError};

/// What one load of a page in a browser took, on the phone that Lighthouse imitates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabSpeed {
    /// The version of Lighthouse.
    pub version: String,
    /// The score, 0 to 100.
    pub performance: f64,
    /// Largest contentful paint.
    pub paint_ms: f64,
    /// Total blocking time.
    pub blocked_ms: f64,
    /// Cumulative layout shift.
    pub shift: f64,
}

/// What real visitors saw in the last 28 days, at the 75th percentile.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FieldSpeed {
    /// Largest contentful paint.
    pub paint_ms: Option<f64>,
    /// Interaction to next paint.
    pub interaction_ms: Option<f64>,
    /// Cumulative layout shift.
    pub shift: Option<f64>,
    /// The numbers are of the whole host, because the page alone has too few visitors.
    pub of_host: bool,
}

/// What a service measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageSpeed {
    /// The load in a browser, or why there was none.
    pub lab: Result<LabSpeed, String>,
    /// Real visitors; absent where there are too few.
    pub field: Option<FieldSpeed>,
}

/// Asks a service. The page is loaded from its own machines, as a stranger would.
pub trait Speed: Send + Sync {
    /// Has one page measured.
    fn page(&self, url: String) -> Answer<'_, Result<PageSpeed, ProbeError>>;
}

/// The most characters of what Lighthouse says about itself.
const WORDS: usize = 200;

/// Reads the report of Lighthouse, version 6 and later.
///
/// # Errors
/// It could not load the page, or a number is missing.
pub fn lighthouse_report(report: &Value) -> Result<LabSpeed, String> {
    let words = |pointer: &str| {
        let text = report.pointer(pointer).and_then(Value::as_str)?;
        Some(text.chars().take(WORDS).collect::<String>())
    };
    if let Some(code) = words("/runtimeError/code").filter(|code| code != "NO_ERROR") {
        let message = words("/runtimeError/message").unwrap_or_default();
        return Err(format!("Lighthouse could not load the page: {code} {message}"));
    }
    let number = |pointer: &str| {
        let number = report.pointer(pointer).and_then(Value::as_f64);
        number.filter(|number| number.is_finite() && *number >= 0.0).ok_or_else(|| {
            let name = pointer.trim_start_matches("/audits/").trim_end_matches("/numericValue");
            format!("the report of Lighthouse holds no {name}")
        })
    };
    let score = number("/categories/performance/score")?;
    if score > 1.0 {
        return Err("the score of Lighthouse is above 1".to_owned());
    }
    Ok(LabSpeed {
        version: words("/lighthouseVersion").unwrap_or_default(),
        performance: (score * 100.0).round(),
        paint_ms: number("/audits/largest-contentful-paint/numericValue")?,
        blocked_ms: number("/audits/total-blocking-time/numericValue")?,
        shift: number("/audits/cumulative-layout-shift/numericValue")?,
    })
}
