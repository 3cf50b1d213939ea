//! `ops-busywork`: see `busywork.md`.

mod judge;
mod parts;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Schedule, Target, Unit, Vantage,
};
use crate::probe::{Figure, Probes};

pub use judge::hand_work;

const ABOVE: FindingSpec = FindingSpec::warning(
    "busywork-above-limit",
    "Too many hours a week go into work that software should do",
    "Each order that is put right by hand, each ticket that is typed in and each contact that is copied \
     over costs somebody's time, grows with every sale, and is done wrong on a bad day.",
)
.noted();

const WEEKLY: MeasurementSpec = MeasurementSpec {
    name: "weekly",
    metric: "launchready_ops_busywork_weekly_seconds",
    unit: Unit::Seconds,
    help: "Estimated hand-work of a week, of the parts that could be seen.",
    label: None,
    window: Duration::ZERO,
};
const ITEMS: MeasurementSpec = MeasurementSpec {
    name: "items",
    metric: "launchready_ops_busywork_items",
    unit: Unit::Count,
    help: "Things to put right by hand in a week; a part that could not be seen is absent.",
    label: Some("part"),
    window: Duration::ZERO,
};

/// How much hand-work the product makes.
#[derive(Debug)]
pub struct Busywork;

/// What one thing costs, and how much is too much.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning above so much hand-work a week.
    pub limit: Age,
    /// What it takes to put one order right.
    pub per_order: Age,
    /// What it takes to tell the CRM of one failed payment.
    pub per_failed_payment: Age,
    /// What it takes to make one ticket by hand.
    pub per_ticket: Age,
    /// What it takes to copy one customer into the CRM.
    pub per_contact: Age,
    /// A figure of another check that is older does not count.
    pub max_age: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limit: Age::hours(2),
            per_order: Age::minutes(5),
            per_failed_payment: Age::minutes(5),
            per_ticket: Age::minutes(5),
            per_contact: Age::minutes(5),
            max_age: Age::hours(24),
        }
    }
}

/// What the other checks measured.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    figures: Vec<Told>,
}

/// One figure.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    check: String,
    measurement: String,
    figure: Figure,
}

impl Check for Busywork {
    const META: CheckMeta = CheckMeta {
        id: "ops-busywork",
        area: Area::Ops,
        title: "Hand-work of a week",
        vantage: Vantage::Provider,
        findings: &[ABOVE],
        measurements: &[WEEKLY, ITEMS],
        default_schedule: Schedule::Every(Duration::from_mins(15)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(90),
        needs: &[Need::Figures(parts::WANTED)],
        evidence_version: 1,
        doc: include_str!("../busywork.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let wanted = parts::WANTED;
        let told = probes.figures.figures(&target.project, wanted).await;
        let told = told.map_err(CheckError::unseen)?;
        let figures: Vec<Told> = wanted
            .iter()
            .zip(told)
            .map(|((check, measurement), figure)| Told {
                check: (*check).to_owned(),
                measurement: (*measurement).to_owned(),
                figure,
            })
            .collect();
        nothing(&figures)?;
        Ok((Evidence { figures }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}

/// Fails with what keeps accounts from being read that are configured, such as a variable that is not set.
fn unread(figures: &[Told]) -> Result<(), CheckError> {
    let mut reasons: Vec<&str> = Vec::new();
    let mut steps: Vec<&str> = Vec::new();
    for told in figures {
        let Figure::Skipped { reason, unlock } = &told.figure else { continue };
        if reason.ends_with("is configured") {
            continue;
        }
        if !reasons.contains(&reason.as_str()) {
            reasons.push(reason);
        }
        if !steps.contains(&unlock.as_str()) {
            steps.push(unlock);
        }
    }
    if reasons.is_empty() {
        return Ok(());
    }
    let reason = format!("nothing of it could be counted: {}", reasons.join(", "));
    Err(CheckError::skipped(reason, steps.join("; ")))
}

/// Fails where no part was measured: as unknown where a check could not look, and else as skipped.
fn nothing(figures: &[Told]) -> Result<(), CheckError> {
    if figures.iter().any(|told| matches!(told.figure, Figure::Measured { .. })) {
        return Ok(());
    }
    for told in figures {
        if let Figure::Unknown { cause, unlock } = &told.figure {
            return Err(CheckError::unknown(
                format!("nothing of it could be counted; {}: {cause}", told.check),
                unlock,
            ));
        }
    }
    if figures.iter().any(|told| matches!(told.figure, Figure::Unmeasured)) {
        return Err(CheckError::unknown(
            "the checks of orders, CRM and support looked, and none could count",
            "see what each of them says is not checked",
        ));
    }
    unread(figures)?;
    Err(CheckError::skipped(
        "no account is configured in which hand-work could be seen",
        "add [project.stripe], [project.database], [project.crm] or [project.support] to the config",
    ))
}
