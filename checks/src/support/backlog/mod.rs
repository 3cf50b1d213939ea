//! `support-backlog`: see `backlog.md`.

mod judge;
mod look;
#[cfg(test)]
mod tests;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hours::{OpenHours, Zone};
use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

use look::Evidence;

const WAITING: FindingSpec = FindingSpec::critical(
    "support-customer-waiting",
    "A customer has waited too long for an answer",
    "Somebody who asks and hears nothing asks the bank for the money back, or says in public what it was \
     like.",
);
const RISING: FindingSpec = FindingSpec::warning(
    "support-backlog-rising",
    "More and more customers wait for an answer",
    "Requests come in faster than they are answered: without a change everybody waits longer each day, \
     and often one defect of the product is behind it.",
)
.noted();
const UNASSIGNED: FindingSpec = FindingSpec::warning(
    "support-unassigned",
    "Nobody is responsible for a request",
    "What belongs to everybody is answered by nobody: such a request is found only by chance.",
);
const UNTAGGED: FindingSpec = FindingSpec::warning(
    "support-untagged",
    "A request has no tag",
    "Without a tag nobody sees that ten customers ask about the same defect, and no rule can route the \
     request.",
)
.noted();
const WRONG_QUEUE: FindingSpec = FindingSpec::warning(
    "support-wrong-queue",
    "A request lies in a queue that nobody works on",
    "Whoever should answer never sees it: the customer waits although everybody believes that all is \
     answered.",
)
.noted();
const ACKNOWLEDGEMENT: FindingSpec = FindingSpec::warning(
    "support-acknowledgement-late",
    "The automatic answer to a request comes late or not at all",
    "A customer who sees no confirmation sends the request again, twice, and then writes to the bank.",
)
.noted();

const OLDEST: MeasurementSpec = MeasurementSpec {
    name: "oldest-waiting",
    metric: "launchready_support_oldest_waiting_seconds",
    unit: Unit::Seconds,
    help: "How long the customer who waits longest has waited, in business hours where they are set.",
    label: None,
    window: Duration::ZERO,
};
const P90: MeasurementSpec = MeasurementSpec {
    name: "waiting-p90",
    metric: "launchready_support_waiting_p90_seconds",
    unit: Unit::Seconds,
    help: "90th percentile of how long customers who wait have waited.",
    label: None,
    window: Duration::ZERO,
};
const BACKLOG: MeasurementSpec = MeasurementSpec {
    name: "waiting",
    metric: "launchready_support_waiting_conversations",
    unit: Unit::Count,
    help: "Customers who wait for an answer.",
    label: None,
    window: Duration::from_hours(24),
};
const OPEN: MeasurementSpec = MeasurementSpec {
    name: "open",
    metric: "launchready_support_open_conversations",
    unit: Unit::Count,
    help: "Conversations that are not closed.",
    label: None,
    window: Duration::ZERO,
};
const NOBODY: MeasurementSpec = MeasurementSpec {
    name: "unassigned",
    metric: "launchready_support_unassigned_conversations",
    unit: Unit::Count,
    help: "Open conversations for which nobody has been responsible for longer than the settle time.",
    label: None,
    window: Duration::ZERO,
};
const BY_HAND: MeasurementSpec = MeasurementSpec {
    name: "made-by-hand",
    metric: "launchready_support_made_by_hand_per_day",
    unit: Unit::Count,
    help: "Conversations of the last 24 hours that somebody of the team typed in.",
    label: None,
    window: Duration::ZERO,
};
const ACKNOWLEDGED: MeasurementSpec = MeasurementSpec {
    name: "acknowledgement",
    metric: "launchready_support_acknowledgement_seconds",
    unit: Unit::Seconds,
    help: "The slowest automatic answer to a recent request.",
    label: None,
    window: Duration::ZERO,
};

/// Who waits for an answer, and for how long.
#[derive(Debug)]
pub struct Backlog;

/// Thresholds of `support-backlog`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Critical when a customer has waited for longer than this.
    pub critical_age: Age,
    /// Warning when a customer has waited for longer than this.
    pub warning_age: Age,
    /// Warning when the backlog has risen at so many looks in a row.
    pub rising_looks: u32,
    /// A smaller backlog is never called rising.
    pub rising_least: u32,
    /// A request may be without somebody responsible, without a tag or in a wrong queue for this long.
    pub settle: Age,
    /// Whether every request has to have a tag.
    pub tagging: bool,
    /// The queues (groups, teams or inboxes) that are worked on; any where none are named.
    pub queues: Vec<String>,
    /// Warning when an automatic answer comes later than this.
    pub acknowledgement: Age,
    /// Hours in which somebody answers, such as `"Mon-Fri 09:00-17:00"`; ages count them alone. Around the
    /// clock where none are named.
    pub business_hours: Vec<OpenHours>,
    /// The time zone of the business hours.
    pub timezone: Zone,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            critical_age: Age::hours(24),
            warning_age: Age::hours(12),
            rising_looks: 3,
            rising_least: 5,
            settle: Age::hours(1),
            tagging: true,
            queues: Vec::new(),
            acknowledgement: Age::minutes(1),
            business_hours: Vec::new(),
            timezone: Zone::default(),
        }
    }
}

impl Check for Backlog {
    const META: CheckMeta = CheckMeta {
        id: "support-backlog",
        area: Area::Support,
        title: "Customers who wait for an answer",
        vantage: Vantage::Provider,
        findings: &[WAITING, RISING, UNASSIGNED, UNTAGGED, WRONG_QUEUE, ACKNOWLEDGEMENT],
        measurements: &[OLDEST, P90, BACKLOG, OPEN, NOBODY, BY_HAND, ACKNOWLEDGED],
        default_schedule: Schedule::Every(Duration::from_mins(10)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_mins(2),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../backlog.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        Ok((look::look(look.now, look.options, target, probes).await?, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}
