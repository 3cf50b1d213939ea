//! `webhook-processing`: see `processing.md`.

mod collect;
mod judge;
mod state;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Ratio, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

pub use state::{State, state};

const FAILURES: FindingSpec = FindingSpec::critical(
    "webhook-failures",
    "Events of the payment provider fail",
    "Each event that fails is a payment without an order, or a refund that nobody carried out, and \
     nobody is told.",
)
.now();
const STUCK: FindingSpec = FindingSpec::warning(
    "webhook-stuck",
    "Events are taken and never finished",
    "The provider thinks that the event has arrived and sends it no more, and the product has done \
     nothing with it.",
);
const ERROR_RATE: FindingSpec = FindingSpec::warning(
    "webhook-error-rate",
    "Too many events end in an error",
    "Some customers pay and get nothing, day after day, too few at a time for anybody to see a \
     pattern.",
);
const LAG: FindingSpec = FindingSpec::warning(
    "webhook-lag",
    "Events arrive late",
    "A customer who has paid looks at a page that says nothing has been paid, and pays again or \
     writes to support.",
);

const FAILED: MeasurementSpec = MeasurementSpec {
    name: "failed-events",
    metric: "launchready_webhook_failed_events",
    unit: Unit::Count,
    help: "Events that failed within the window and have not succeeded since.",
    label: None,
    window: Duration::ZERO,
};
const OPEN: MeasurementSpec = MeasurementSpec {
    name: "stuck-events",
    metric: "launchready_webhook_stuck_events",
    unit: Unit::Count,
    help: "Events that were taken longer ago than allowed and are not finished.",
    label: None,
    window: Duration::ZERO,
};
const RATIO: MeasurementSpec = MeasurementSpec {
    name: "error-ratio",
    metric: "launchready_webhook_error_ratio",
    unit: Unit::Ratio,
    help: "Part of the finished events of the period that failed.",
    label: None,
    window: Duration::ZERO,
};
const LATE: MeasurementSpec = MeasurementSpec {
    name: "lag-p95",
    metric: "launchready_webhook_lag_seconds",
    unit: Unit::Seconds,
    help: "From the making of an event to its arrival, the 95th percentile of the period.",
    label: None,
    window: Duration::ZERO,
};

/// The fewest events from which a percentile of the lag is taken.
const LAG_SAMPLE: u64 = 20;

/// How the product handles the events that the payment provider tells it.
#[derive(Debug)]
pub struct Processing;

/// The thresholds of `webhook-processing`, and the words of its table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How far back failed events are counted.
    pub window: Age,
    /// More failed events within the window are a finding.
    pub failures: u64,
    /// An event that is taken for longer and not finished is stuck.
    pub stuck: Age,
    /// The period of the error rate and the lag.
    pub period: Age,
    /// More than this part of the finished events in an error is a finding.
    pub error_rate: Ratio,
    /// The fewest finished events from which a rate is taken.
    pub sample: u64,
    /// More than this at the 95th percentile is a finding.
    pub lag: Age,
    /// Words of the status column for an event that failed.
    pub failed_words: Vec<String>,
    /// Words for one that is not finished.
    pub open_words: Vec<String>,
    /// Words for one that is finished.
    pub done_words: Vec<String>,
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

impl Default for Options {
    fn default() -> Self {
        Self {
            window: Age::minutes(10),
            failures: 3,
            stuck: Age::minutes(10),
            period: Age::hours(24),
            error_rate: Ratio(0.01),
            sample: 50,
            lag: Age::secs(60),
            failed_words: words(&[
                "failed",
                "failure",
                "error",
                "errored",
                "dead",
                "dead_letter",
                "exception",
                "rejected",
                "timeout",
                "timed_out",
            ]),
            open_words: words(&[
                "processing",
                "pending",
                "in_progress",
                "running",
                "received",
                "queued",
                "started",
                "new",
                "retrying",
            ]),
            done_words: words(&[
                "processed",
                "succeeded",
                "success",
                "completed",
                "complete",
                "done",
                "ok",
                "handled",
                "ignored",
                "skipped",
            ]),
        }
    }
}

/// One event of the table, by its id and type alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The provider's id, or what stands in its place.
    id: String,
    /// Such as `checkout.session.completed`.
    kind: String,
    /// When it failed, or was taken.
    at: Timestamp,
}

/// What the table of events says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The table.
    table: String,
    /// The columns that were read, by agreed name.
    columns: Vec<String>,
    /// Rows that were read.
    rows: u64,
    /// Events that failed and have not succeeded since, newest first.
    failed: Bounded<Event>,
    /// How many of them failed within the window.
    failed_in_window: u64,
    /// Events that are not finished and older than allowed, oldest first.
    stuck: Bounded<Event>,
    /// Events of the period that ended, and those of them that failed.
    finished: u64,
    /// Events of the period that failed.
    failed_in_period: u64,
    /// The 95th percentile of the lag in seconds, and of how many events.
    lag_p95: Option<f64>,
    /// How many events the percentile is of.
    lag_of: u64,
    /// Words of the status column that mean nothing to the check, with how often each stands there.
    unknown: Bounded<(String, u64)>,
    /// What could not be read of a table that is too large.
    cut: bool,
}

impl Check for Processing {
    const META: CheckMeta = CheckMeta {
        id: "webhook-processing",
        area: Area::Webhook,
        title: "Handling of the provider's events",
        vantage: Vantage::Database,
        findings: &[FAILURES, STUCK, ERROR_RATE, LAG],
        measurements: &[FAILED, OPEN, RATIO, LATE],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(1),
        needs: &[Need::Setting("project.database.events")],
        evidence_version: 1,
        doc: include_str!("../processing.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let database = probes.accounts.database.get()?;
        Ok((collect::collect(database, look.options, look.now).await?, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options, cx.now)
    }
}

#[cfg(test)]
mod tests;
