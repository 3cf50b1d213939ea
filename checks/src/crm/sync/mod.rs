//! `crm-sync`: see `sync.md`.

mod access;
mod compare;
mod declined;
mod judge;
mod look;
mod table;
#[cfg(test)]
mod tests;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Ratio, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

use look::{Carry, Evidence};

const ACCESS: FindingSpec = FindingSpec::critical(
    "crm-access-lost",
    "The CRM refuses the token that worked before",
    "From that moment on no order, no customer and no failed payment reaches the CRM, and nobody is told.",
)
.now();
const FAILING: FindingSpec = FindingSpec::critical(
    "crm-sync-failing",
    "Too many orders fail to reach the CRM",
    "Each of them is a customer without a confirmation, a welcome or an owner, who has to be found and \
     mended by hand.",
);
const MISSING: FindingSpec = FindingSpec::critical(
    "crm-order-missing",
    "An order was paid and the CRM never heard of it",
    "The customer paid and waits, and nobody who works in the CRM knows: no mail goes out and no help \
     comes.",
);
const PAYMENT: FindingSpec = FindingSpec::warning(
    "crm-failed-payment-missing",
    "A failed payment is not in the CRM",
    "Nobody writes to a customer whose card was declined, who would often pay on the second try.",
)
.noted();
const STUCK: FindingSpec = FindingSpec::warning(
    "crm-sync-stuck",
    "A sync to the CRM is stuck",
    "It neither ends nor fails, so nothing tries it again and nobody is told.",
);

const FAILURES: MeasurementSpec = MeasurementSpec {
    name: "failure-ratio",
    metric: "launchready_crm_sync_failure_ratio",
    unit: Unit::Ratio,
    help: "Part of the orders handed to the CRM within the window whose last attempt failed.",
    label: None,
    window: Duration::ZERO,
};
const UNSYNCED: MeasurementSpec = MeasurementSpec {
    name: "missing",
    metric: "launchready_crm_orders_missing",
    unit: Unit::Count,
    help: "Paid orders that the CRM never heard of.",
    label: None,
    window: Duration::ZERO,
};
const UNTOLD: MeasurementSpec = MeasurementSpec {
    name: "failed-payments-missing",
    metric: "launchready_crm_failed_payments_missing",
    unit: Unit::Count,
    help: "Failed payments that the CRM never heard of.",
    label: None,
    window: Duration::ZERO,
};
const HANGING: MeasurementSpec = MeasurementSpec {
    name: "stuck",
    metric: "launchready_crm_sync_stuck",
    unit: Unit::Count,
    help: "Attempts to hand an order to the CRM that neither ended nor failed.",
    label: None,
    window: Duration::ZERO,
};

/// Whether every order reaches the CRM.
#[derive(Debug)]
pub struct Sync;

/// Thresholds of `crm-sync`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Critical when more than this part of the orders handed over within `rate_window` failed.
    pub failure_rate: Ratio,
    /// The rate is judged from so many orders on.
    pub attempts: u64,
    /// The rate is judged from so many failures on.
    pub failures: u64,
    /// The span of the rate; below the numbers above, a failure that is older is a warning.
    pub rate_window: Age,
    /// Critical when an order has not been handed over after this long.
    pub settle: Age,
    /// Warning when an attempt neither ended nor failed for longer than this.
    pub stuck_after: Age,
    /// How far back orders and attempts are looked at.
    pub window: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            failure_rate: Ratio(0.02),
            attempts: 50,
            failures: 3,
            rate_window: Age::hours(24),
            settle: Age::minutes(15),
            stuck_after: Age::hours(24),
            window: Age::days(7),
        }
    }
}

impl Check for Sync {
    const META: CheckMeta = CheckMeta {
        id: "crm-sync",
        area: Area::Crm,
        title: "Orders in the CRM",
        vantage: Vantage::Provider,
        findings: &[ACCESS, FAILING, MISSING, PAYMENT, STUCK],
        measurements: &[FAILURES, UNSYNCED, UNTOLD, HANGING],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(90),
        needs: &[],
        evidence_version: 2,
        doc: include_str!("../sync.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = Carry;

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, Carry), CheckError> {
        look::look(look, target, probes).await
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }
}
