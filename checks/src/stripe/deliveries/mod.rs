//! `stripe-deliveries`: see `deliveries.md`.

mod judge;
mod look;
mod rows;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hours::Hours;
use crate::contract::{
    Age, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Need, Ratio, Schedule, Target, Unit, Vantage,
};
use crate::probe::{KeyPower, PaymentEvent, Probes, Seen};

const FAILING: FindingSpec = FindingSpec::critical(
    "stripe-events-undelivered",
    "The product does not take the payment provider's events",
    "Customers pay right now and get nothing: no order, no mail, no access.",
)
.now()
.blocks();
const LATE: FindingSpec = FindingSpec::warning(
    "stripe-event-late",
    "An event has not been delivered for more than an hour",
    "Whoever it is about has paid or been paid back, and the product does not know it.",
);
const LOST: FindingSpec = FindingSpec::critical(
    "stripe-event-lost",
    "An event will not be delivered any more",
    "The provider has given up: unless somebody sends it again, the product never hears of the payment.",
);
const RATE: FindingSpec = FindingSpec::warning(
    "stripe-delivery-rate",
    "Too many events are still undelivered after an hour",
    "Some calls of the webhook fail again and again: each of them is a customer who waits.",
);

const UNDELIVERED: MeasurementSpec = MeasurementSpec {
    name: "undelivered_events",
    metric: "launchready_stripe_undelivered_events",
    unit: Unit::Count,
    help: "Events of the last 3 days that some destination has not taken.",
    label: None,
    window: Duration::ZERO,
};
const OLDEST: MeasurementSpec = MeasurementSpec {
    name: "oldest_undelivered",
    metric: "launchready_stripe_oldest_undelivered_event_seconds",
    unit: Unit::Seconds,
    help: "Age of the oldest event of the last 3 days that some destination has not taken.",
    label: None,
    window: Duration::ZERO,
};
const LOST_EVENTS: MeasurementSpec = MeasurementSpec {
    name: "lost_events",
    metric: "launchready_stripe_lost_events",
    unit: Unit::Count,
    help: "Events of the last 30 days that the provider has given up on.",
    label: None,
    window: Duration::ZERO,
};
const RATIO: MeasurementSpec = MeasurementSpec {
    name: "undelivered_ratio",
    metric: "launchready_stripe_undelivered_ratio",
    unit: Unit::Ratio,
    help: "Events of the last 24 hours that are still undelivered after an hour, as a part of all.",
    label: None,
    window: Duration::ZERO,
};

/// Whether the events of the payment provider arrive.
#[derive(Debug)]
pub struct Deliveries;

/// Options of `stripe-deliveries`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Critical when more than this many undelivered events were created within `window`.
    pub failures: usize,
    /// The span in which they were created.
    pub window: Age,
    /// Younger events are still on their way.
    pub settle: Age,
    /// An event is late when it is undelivered for longer than this.
    pub late: Age,
    /// The provider gives up on an event that is older than this.
    pub lost: Age,
    /// Warning when more than this part of the events of 24 hours is late.
    pub rate: Ratio,
    /// The rate is judged from this many events on.
    pub sample: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            failures: 3,
            window: Age::minutes(10),
            settle: Age::minutes(2),
            late: Age::hours(1),
            lost: Age::days(3),
            rate: Ratio(0.01),
            sample: 50,
        }
    }
}

/// What was not delivered, and to whom it may have been sent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    key: KeyPower,
    /// Those that are still tried, newest first.
    waiting: Bounded<Waiting>,
    /// How many of them are older than `late`, and the oldest of all.
    late: u64,
    oldest: Option<Timestamp>,
    /// There are more than could be read.
    cut: bool,
    lost: Lost,
    rate: Seen<Rate>,
    candidates: Vec<Candidate>,
}

/// An event that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Waiting {
    id: String,
    kind: String,
    at: Timestamp,
    /// The checkout or payment that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    object: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
}

impl Waiting {
    fn of(event: PaymentEvent) -> Self {
        Self {
            id: event.id,
            kind: event.kind,
            at: event.created,
            object: event.object,
            payment: event.payment_intent,
        }
    }
}

/// Events that the provider has given up on, by what became of the order; ids.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Lost {
    /// There is a row of the order.
    with_row: Bounded<String>,
    /// There is none.
    without_row: Bounded<String>,
    /// It could not be seen whether there is one.
    unmatched: Bounded<String>,
    /// They are about something else than a payment.
    other: Bounded<String>,
    /// Why rows could not be seen, and the step that unlocks it.
    blind: Option<(String, String)>,
    /// When the list was read.
    read: Option<Timestamp>,
}

/// Events of whole hours.
#[derive(Debug, Serialize, Deserialize)]
struct Rate {
    /// From then on.
    since: Timestamp,
    all: u64,
    late: u64,
}

/// A destination that may not have taken them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Candidate {
    id: String,
    /// Its host, or its kind where it is none of the web.
    host: String,
    enabled: bool,
}

/// What is carried, so that a run reads little.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct Carry {
    hours: Hours,
    /// Events that the provider has given up on, and until when they were read.
    lost: Vec<Waiting>,
    lost_more: usize,
    lost_until: Option<Timestamp>,
    /// When the list of those was read.
    lost_read: Option<Timestamp>,
    /// What destinations take, where they are, and when that was read.
    types: Vec<String>,
    candidates: Vec<Candidate>,
    destinations_read: Option<Timestamp>,
}

/// The most ids of each kind that are kept.
const KEPT: usize = 200;

impl Check for Deliveries {
    const META: CheckMeta = CheckMeta {
        id: "stripe-deliveries",
        area: Area::Stripe,
        title: "Stripe deliveries",
        vantage: Vantage::Provider,
        findings: &[FAILING, LATE, LOST, RATE],
        measurements: &[UNDELIVERED, OLDEST, LOST_EVENTS, RATIO],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(42),
        needs: &[Need::Setting("project.stripe")],
        evidence_version: 1,
        doc: include_str!("../deliveries.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = Carry;

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, Carry), CheckError> {
        let payments = probes.accounts.payments.get()?;
        let carry = look.carry.clone().unwrap_or_default();
        look::look(payments, &probes.accounts.database, look.options, look.now, carry).await
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx.options, cx.now)
    }
}
