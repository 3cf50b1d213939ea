//! `web-speed`: see `speed.md`.

mod judge;
mod look;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::look::{PageLook, look_at, pages};
use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Vantage,
};
use crate::probe::{Probes, Seen};

const PERFORMANCE: FindingSpec = FindingSpec::warning(
    "page-performance-low",
    "A page is slow as a whole",
    "Visitors who come from an advertisement leave a slow page before they have seen it, and the click \
     has been paid for.",
);
const PAINT: FindingSpec = FindingSpec::warning(
    "page-paint-late",
    "The main content of a page appears late",
    "Until the largest text or picture is there, a visitor looks at an empty page and leaves.",
);
const BLOCKED: FindingSpec = FindingSpec::warning(
    "page-blocked",
    "Scripts keep a page from answering",
    "The page is there and does not react: visitors press the button again and again, or give up.",
);
const INTERACTION: FindingSpec = FindingSpec::warning(
    "page-interaction-slow",
    "A page answers real visitors late",
    "Real visitors, at home and on their own phones, wait after each click, and some of them do not wait \
     at the checkout.",
);
const SHIFT: FindingSpec = FindingSpec::warning(
    "page-shifts",
    "A page moves while it loads",
    "What a visitor wants to press moves away under the finger, and something else is pressed.",
);

const fn measured(
    name: &'static str,
    metric: &'static str,
    unit: Unit,
    help: &'static str,
) -> MeasurementSpec {
    MeasurementSpec { name, metric, unit, help, label: Some("page"), window: Duration::ZERO }
}

const SCORE: MeasurementSpec = measured(
    "performance",
    "launchready_web_performance_score",
    Unit::Score,
    "Lighthouse performance of the page on a phone, 0 to 100.",
);
const PAINT_SECONDS: MeasurementSpec = measured(
    "largest-contentful-paint",
    "launchready_web_largest_contentful_paint_seconds",
    Unit::Seconds,
    "When the largest content of the page appears on a phone.",
);
const BLOCKED_SECONDS: MeasurementSpec = measured(
    "total-blocking-time",
    "launchready_web_total_blocking_time_seconds",
    Unit::Seconds,
    "How long scripts keep the page from answering while it loads.",
);
const INTERACTION_SECONDS: MeasurementSpec = measured(
    "interaction-to-next-paint",
    "launchready_web_interaction_to_next_paint_seconds",
    Unit::Seconds,
    "From an interaction of a real visitor to the next paint, the 75th percentile of 28 days.",
);
const SHIFT_VALUE: MeasurementSpec = measured(
    "layout-shift",
    "launchready_web_layout_shift",
    Unit::Count,
    "Cumulative layout shift of the page while it loads.",
);

/// How fast pages are in a browser.
#[derive(Debug)]
pub struct Speed;

/// Pages, thresholds and the program of `web-speed`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Paths or URLs that are measured, at most 4; the home page where none are named.
    #[schemars(length(max = 4))]
    pub pages: Vec<String>,
    /// Warning when the performance is below this, of 100.
    pub performance_warning: u8,
    /// Critical when it is below this.
    pub performance_critical: u8,
    /// Warning when the largest contentful paint is later than this.
    pub paint_warning: Age,
    /// Critical when it is later than this.
    pub paint_critical: Age,
    /// Warning when scripts block for longer than this while the page loads.
    pub blocked_warning: Age,
    /// Warning when real visitors wait for longer than this after an interaction.
    pub interaction_warning: Age,
    /// Warning when the page moves more than this while it loads.
    pub shift_warning: f64,
    /// The absolute path of a local `lighthouse`, which is run instead of asking the service.
    #[schemars(example = "/usr/local/bin/lighthouse")]
    pub lighthouse: Option<String>,
    /// The absolute path of the Chromium that it starts; found by itself where none is named.
    #[schemars(example = "/usr/bin/chromium")]
    pub chromium: Option<String>,
    /// Whether Chromium locks itself in; it cannot where launchready runs as root.
    pub sandbox: bool,
    /// Local runs of each page, of which the median counts; 1 to 5.
    #[schemars(range(min = 1, max = 5))]
    pub runs: u8,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            performance_warning: 90,
            performance_critical: 50,
            paint_warning: Age::millis(2500),
            paint_critical: Age::secs(4),
            blocked_warning: Age::millis(200),
            interaction_warning: Age::millis(200),
            shift_warning: 0.1,
            lighthouse: None,
            chromium: None,
            sandbox: true,
            runs: 3,
        }
    }
}

/// What each page was like, in the order of the options.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    pages: Vec<(String, Seen<PageLook>)>,
}

impl Check for Speed {
    const META: CheckMeta = CheckMeta {
        id: "web-speed",
        area: Area::Web,
        title: "Speed in a browser",
        vantage: Vantage::Outside,
        findings: &[PERFORMANCE, PAINT, BLOCKED, INTERACTION, SHIFT],
        measurements: &[SCORE, PAINT_SECONDS, BLOCKED_SECONDS, INTERACTION_SECONDS, SHIFT_VALUE],
        default_schedule: Schedule::Every(Duration::from_hours(24)),
        min_interval: Duration::from_hours(1),
        // Four pages of three runs of twenty seconds, and a minute to spare.
        timeout: Duration::from_mins(5),
        needs: &[Need::Setting("project.pagespeed, or checks.web-speed.lighthouse")],
        evidence_version: 1,
        doc: include_str!("../speed.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let service = match (probes.accounts.speed.get(), &look.options.lighthouse) {
            (Ok(service), _) => Some(service),
            (Err(_), Some(_)) => None,
            (Err(missing), None) => return Err(missing.into()),
        };
        let mut seen = Vec::new();
        // One after the other: two browsers at once slow each other down.
        for page in pages(look.options, target)? {
            let answer = look_at(&page, look.options, service, probes.command.as_ref()).await;
            seen.push((page, answer.into()));
        }
        Ok((Evidence { pages: seen }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options)
    }
}
