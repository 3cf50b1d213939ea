//! `ops-alerting`: see `alerting.md`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Finding, FindingSpec, LookCx,
    MeasurementSpec, Schedule, Target, Unit, Vantage,
};
use crate::probe::{AlertDrill, AlertingAnswer, ChannelFacts, Probes};

const MISSING: FindingSpec = FindingSpec::warning(
    "alert-drill-missing",
    "Nobody has tried lately whether alerts arrive",
    "An address that changed, a filter or a muted channel swallows alerts in silence. It is found by a drill, \
     or on the night on which it is needed.",
);
const SLOW: FindingSpec = FindingSpec::critical(
    "alert-drill-slow",
    "The last alert drill was too slow, or did not arrive",
    "An alert that comes late, or on no channel, leaves customers with a broken product and nobody who knows.",
);
const NEVER: FindingSpec = FindingSpec::critical(
    "channel-never-delivered",
    "A channel has taken no message at all",
    "Whoever reads that channel believes that all is well.",
);

const PASSED: MeasurementSpec = MeasurementSpec {
    name: "drill-passed",
    metric: "launchready_alert_drill_passed_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When an alert drill passed last.",
    label: None,
    window: Duration::ZERO,
};
const SLOWEST: MeasurementSpec = MeasurementSpec {
    name: "drill-latency",
    metric: "launchready_alert_drill_latency_seconds",
    unit: Unit::Seconds,
    help: "How long the last alert drill took until the channel accepted it.",
    label: Some("channel"),
    window: Duration::ZERO,
};

/// Whether alerts arrive.
#[derive(Debug)]
pub struct Alerting;

/// Options of `ops-alerting`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning when no drill has passed for so long.
    pub drill_age: Age,
    /// Critical when the last drill took longer than this on a channel.
    pub latency: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { drill_age: Age::days(30), latency: Age::minutes(5) }
    }
}

/// What the agent remembers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    channels: Vec<ChannelFacts>,
    last: Option<AlertDrill>,
    passed_at: Option<Timestamp>,
}

impl Check for Alerting {
    const META: CheckMeta = CheckMeta {
        id: "ops-alerting",
        area: Area::Ops,
        title: "Whether alerts arrive",
        vantage: Vantage::Synthetic,
        findings: &[MISSING, SLOW, NEVER],
        measurements: &[PASSED, SLOWEST],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(10),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("alerting.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let known = probes.alerting.known(target.project.clone()).await;
        match known.map_err(CheckError::unseen)? {
            AlertingAnswer::Nobody => Err(CheckError::skipped(
                "no agent has watched with this config, so nobody is told of anything",
                "start one with `launchready agent`, then run `launchready drill alert`",
            )),
            AlertingAnswer::Known { channels, .. } if channels.is_empty() => {
                Err(CheckError::skipped(
                    "no channel tells of this project",
                    "add a [[channel]] to the config, then run `launchready drill alert`",
                ))
            }
            AlertingAnswer::Known { channels, last, passed_at } => {
                Ok((Evidence { channels, last, passed_at }, ()))
            }
        }
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        if let Some(at) = evidence.passed_at {
            out.measure(PASSED.value(None, at.as_duration().as_secs_f64()));
        }
        let age = cx.options.drill_age;
        let limit = SignedDuration::try_from(age.0).unwrap_or(SignedDuration::MAX);
        let is_old = |at: Timestamp| cx.now.duration_since(at) > limit;
        if evidence.passed_at.is_none_or(is_old) {
            out.find(missing(evidence, age, &cx.target.domain));
        }
        if let Some(last) = &evidence.last {
            drilled(evidence, last, cx.options.latency, &mut out);
        }
        for channel in &evidence.channels {
            if channel.accepted == 0 && channel.refused > 0 {
                out.find(never(channel));
            }
        }
        out.unless_seen(!evidence.channels.is_empty());
        out
    }
}

const RUN: &str = "Run `launchready drill alert` while the agent runs: a marked message goes to every channel. See \
                   that each one reaches a person.";
const NOTHING: &str = "Nothing has to be undone: the message says that it is a drill.";

fn missing(evidence: &Evidence, age: Age, domain: &str) -> Finding {
    let summary = match evidence.passed_at {
        None => "No alert drill has ever passed.".to_owned(),
        Some(at) => {
            format!("No alert drill has passed for {age}; the last one did on {}.", day(at))
        }
    };
    let lines = evidence.channels.iter().map(|channel| match (channel.accepted, channel.refused) {
        (0, 0) => format!("channel {}: never given any message", channel.name),
        (accepted, refused) => {
            format!("channel {}: {accepted} accepted, {refused} refused", channel.name)
        }
    });
    MISSING.finding(domain).summary(summary).saw_all(lines).fix(RUN).undo(NOTHING)
}

/// Judges what each channel of the config did in the last drill. One that is new since then was not drilled.
fn drilled(evidence: &Evidence, last: &AlertDrill, latency: Age, out: &mut Assessment) {
    for channel in &last.channels {
        if !evidence.channels.iter().any(|known| known.name == channel.name) {
            continue;
        }
        let summary = match channel.accepted_after_ms.map(Duration::from_millis) {
            Some(took) => {
                let measured = SLOWEST.value(Some(&channel.name), took.as_secs_f64());
                out.measure(measured.bounds(None, Some(latency.seconds())));
                if took <= latency.0 {
                    continue;
                }
                format!(
                    "The channel {} took the last drill after {}, and {latency} is the most.",
                    channel.name,
                    Age(Duration::from_secs(took.as_secs()))
                )
            }
            None => format!("The channel {} did not take the last drill.", channel.name),
        };
        out.find(
            SLOW.finding(&channel.name)
                .summary(summary)
                .saw(format!("the drill began on {}", day(last.at)))
                .fix(format!(
                    "Run `launchready notify test {}`: it says what the other side answers. Mend that, or give the \
                     channel a fallback, and then run `launchready drill alert` again.",
                    channel.name
                ))
                .undo(NOTHING),
        );
    }
}

fn never(channel: &ChannelFacts) -> Finding {
    NEVER
        .finding(&channel.name)
        .summary(format!(
            "The channel {} was given {} message{} and has taken none.",
            channel.name,
            channel.refused,
            if channel.refused == 1 { "" } else { "s" }
        ))
        .saw("accepted 0")
        .fix(format!(
            "Run `launchready notify test {}`: it says what the other side answers, such as an address that is gone or \
             a password that was changed. Correct the channel in the config.",
            channel.name
        ))
        .undo("Put the earlier address or credential back into the config.")
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
