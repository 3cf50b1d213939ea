//! `support-intake`: see `intake.md`.

mod judge;
mod look;
mod pair;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

use look::Evidence;

const MISSING: FindingSpec = FindingSpec::critical(
    "support-ticket-missing",
    "A form was sent and no ticket came of it",
    "The customer believes that you know, and you never will: nobody answers a request that reached no \
     desk.",
);
const SEVERAL: FindingSpec = FindingSpec::warning(
    "support-ticket-duplicated",
    "One request became several tickets",
    "Two people answer the same customer, often with different words, and every number about support is \
     too high.",
);

const SENT: MeasurementSpec = MeasurementSpec {
    name: "submissions",
    metric: "launchready_support_submissions",
    unit: Unit::Count,
    help: "Forms that were sent within the window.",
    label: None,
    window: Duration::ZERO,
};
const LOST: MeasurementSpec = MeasurementSpec {
    name: "missing",
    metric: "launchready_support_submissions_without_ticket",
    unit: Unit::Count,
    help: "Forms that were sent within the window and of which no ticket came.",
    label: None,
    window: Duration::ZERO,
};

/// Whether every form that is sent becomes one ticket.
#[derive(Debug)]
pub struct Intake;

/// Windows of `support-intake`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// How far back forms are looked at.
    pub window: Age,
    /// Critical when a form has no ticket after this long; the search of a desk lags for minutes.
    pub settle: Age,
    /// Tickets of one customer within this long of one form are one request.
    pub duplicate_within: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { window: Age::days(7), settle: Age::minutes(15), duplicate_within: Age::minutes(10) }
    }
}

impl Check for Intake {
    const META: CheckMeta = CheckMeta {
        id: "support-intake",
        area: Area::Support,
        title: "Forms that become tickets",
        vantage: Vantage::Database,
        findings: &[MISSING, SEVERAL],
        measurements: &[SENT, LOST],
        default_schedule: Schedule::Every(Duration::from_mins(10)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_mins(2),
        needs: &[Need::Setting("project.database.submissions")],
        evidence_version: 1,
        doc: include_str!("../intake.md"),
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
        judge::judge(evidence, cx.options)
    }
}
