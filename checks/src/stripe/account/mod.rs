//! `stripe-account`: see `account.md`.

mod judge;

use std::time::Duration;

use futures_util::join;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::DAYS;
use super::hours::{Counts, Hours, Source, begin, hour};
use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Ratio, Schedule, Target, Unit, Vantage,
};
use crate::probe::{
    KeyPower, PaymentAccount, Payments, Period, ProbeError, Probes, Reversal, Seen,
};

const CHARGES_DISABLED: FindingSpec = FindingSpec::critical(
    "stripe-charges-disabled",
    "The account cannot take payments",
    "Every buyer who tries to pay is refused, and most of them do not come back.",
)
.now()
.blocks();
const PAYOUTS_DISABLED: FindingSpec = FindingSpec::critical(
    "stripe-payouts-disabled",
    "The account cannot pay out",
    "Money of customers comes in and stays with the provider: sellers are not paid, and refunds can fail \
     for want of a balance.",
)
.now()
.blocks();
const TEST_KEY: FindingSpec = FindingSpec::critical(
    "stripe-test-key",
    "The key belongs to test mode",
    "With it nothing of the live account is seen: a live payment that goes wrong stays unnoticed.",
);
const PAST_DUE: FindingSpec = FindingSpec::critical(
    "stripe-requirements-past-due",
    "The provider waits for documents that are late",
    "It pauses payments or payouts of accounts that leave it waiting, often without another warning.",
);
const DUE: FindingSpec = FindingSpec::warning(
    "stripe-requirements-due",
    "The provider wants documents soon",
    "When the deadline passes, payments or payouts are paused, and clearing that takes days.",
);
const FULL_KEY: FindingSpec = FindingSpec::warning(
    "stripe-full-key",
    "A full secret key is used where a restricted one serves",
    "Whoever gets hold of this key can refund, pay out and read every customer; a restricted key can read \
     what the checks need and nothing else.",
);
const DISPUTES: FindingSpec = FindingSpec::warning(
    "stripe-dispute-rate",
    "Too many payments are disputed",
    "Card networks fine shops above their bounds and in the end take card payments away from them.",
);
const FAILURES: FindingSpec = FindingSpec::warning(
    "stripe-failed-payments",
    "Payments fail far more often than usual",
    "Something in the checkout, a fraud rule or a card test is turning buyers away right now.",
);

const DISPUTE_RATIO: MeasurementSpec = MeasurementSpec {
    name: "dispute_ratio",
    metric: "launchready_stripe_dispute_ratio",
    unit: Unit::Ratio,
    help: "Disputes of the last 30 days as a part of the payments of that time.",
    label: None,
    window: Duration::ZERO,
};
const FAILED_RATIO: MeasurementSpec = MeasurementSpec {
    name: "failed_payment_ratio",
    metric: "launchready_stripe_failed_payment_ratio",
    unit: Unit::Ratio,
    help: "Payments of the last 24 hours that failed, as a part of all tries.",
    label: None,
    window: Duration::ZERO,
};

/// Whether the account can take and pay out money, and with which key it is read.
#[derive(Debug)]
pub struct Account;

/// Options of `stripe-account`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Documents are due soon when their deadline is nearer than this.
    pub due_soon: Age,
    /// Warning when more than this part of the payments of 30 days is disputed.
    pub dispute_rate: Ratio,
    /// The rates are judged from this many payments on.
    pub sample: u64,
    /// They are judged from this many disputes, or failed payments, on.
    pub failures: u64,
    /// Warning when the failed part of the last 24 hours is at least this many times that of 30 days.
    pub failure_factor: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            due_soon: Age::days(30),
            dispute_rate: Ratio(0.0075),
            sample: 100,
            failures: 3,
            failure_factor: 2.0,
        }
    }
}

/// The key, the account, and what became of its payments.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    key: KeyPower,
    account: PaymentAccount,
    charges: Seen<Charges>,
    disputes: Seen<Disputes>,
}

/// Payments since a time.
#[derive(Debug, Serialize, Deserialize)]
struct Charges {
    /// From when on every payment was counted.
    since: Timestamp,
    /// That is 30 days.
    whole: bool,
    all: Counts,
    day: Counts,
}

/// Disputes that were opened since the same time.
#[derive(Debug, Serialize, Deserialize)]
struct Disputes {
    count: u64,
    cut: bool,
}

impl Check for Account {
    const META: CheckMeta = CheckMeta {
        id: "stripe-account",
        area: Area::Stripe,
        title: "Stripe account",
        vantage: Vantage::Provider,
        findings: &[
            CHARGES_DISABLED,
            PAYOUTS_DISABLED,
            TEST_KEY,
            PAST_DUE,
            DUE,
            FULL_KEY,
            DISPUTES,
            FAILURES,
        ],
        measurements: &[DISPUTE_RATIO, FAILED_RATIO],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(42),
        needs: &[Need::Setting("project.stripe")],
        evidence_version: 1,
        doc: include_str!("../account.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = Hours;

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, Hours), CheckError> {
        let payments = probes.accounts.payments.get()?;
        let account = payments.account().await.map_err(CheckError::unseen)?;
        let mut hours = look.carry.clone().unwrap_or_default();
        let month = hour(look.now) - DAYS * 24;
        let source = Source::Charges(payments);
        let (read, disputes) = join!(
            hours.fill(&source, (month, hour(look.now) + 1), look.now),
            disputes(payments, look.now),
        );
        let charges = read.map(|()| {
            let first = hours.first().unwrap_or(month);
            Charges {
                since: begin(first),
                whole: first <= month,
                all: hours.since(month),
                day: hours.since(hour(look.now) - 24),
            }
        });
        let since = charges.as_ref().map_or(look.now, |charges| charges.since);
        let disputes = disputes.map(|(times, cut)| Disputes {
            count: times.iter().filter(|at| **at >= since).count() as u64,
            cut,
        });
        let evidence = Evidence {
            key: payments.key(),
            account,
            charges: charges.into(),
            disputes: disputes.into(),
        };
        Ok((evidence, hours))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options, cx.now)
    }
}

/// When the disputes of 30 days were opened.
async fn disputes(
    payments: &dyn Payments,
    now: Timestamp,
) -> Result<(Vec<Timestamp>, bool), ProbeError> {
    let since = now - SignedDuration::from_hours(DAYS * 24);
    let mut times = Vec::new();
    let mut visit = |dispute: Reversal| times.push(dispute.created);
    let walked = payments.disputes(Period { since, until: None }, &mut visit).await?;
    Ok((times, walked.cut))
}
