//! `orders-orphaned-checkouts`: see `orphaned_checkouts.md`.

mod look;
mod refunds;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checkout::Checkout;
use super::matching::Found;
use crate::contract::{
    Age, Area, AssessCx, Assessment, AtRisk, Bounded, Check, CheckError, CheckMeta, Finding,
    FindingSpec, LookCx, MeasurementSpec, Need, Schedule, Target, Unit, Unseen, Vantage, amount,
    number, whole,
};
use crate::probe::Probes;

const MISSING: FindingSpec = FindingSpec::critical(
    "checkout-without-order",
    "A checkout was paid, and there is no order for it",
    "The buyer has paid and gets nothing: no confirmation, no access, no entry in your books. They write \
     to support, or to their bank.",
)
.now()
.blocks();
const FOREIGN: FindingSpec = FindingSpec::warning(
    "checkout-of-another-product",
    "A paid checkout lacks the reference that all others carry",
    "It may belong to another product of the same Stripe account, or to a payment link that writes no \
     order. Nobody can tell which, and in the second case a buyer waits.",
);

const ORPHANED: MeasurementSpec = MeasurementSpec {
    name: "orphaned-checkouts",
    metric: "launchready_orders_orphaned_checkouts",
    unit: Unit::Count,
    help: "Paid checkouts without an order.",
    label: None,
    window: Duration::ZERO,
};
const AMOUNT: MeasurementSpec = MeasurementSpec {
    name: "orphaned-amount",
    metric: "launchready_orders_orphaned_amount_minor",
    unit: Unit::Count,
    help: "What was paid for checkouts without an order, in the minor unit of each currency.",
    label: Some("currency"),
    window: Duration::ZERO,
};
const CHECKOUTS: MeasurementSpec = MeasurementSpec {
    name: "checkouts",
    metric: "launchready_orders_checkouts",
    unit: Unit::Count,
    help: "Paid checkouts that were compared with the orders.",
    label: None,
    window: Duration::ZERO,
};

/// Checkouts that are findings of their own; the others are one together.
const OWN_FINDINGS: usize = 20;

/// Paid checkouts against the orders in the database.
#[derive(Debug)]
pub struct OrphanedCheckouts;

/// Thresholds of `orders-orphaned-checkouts`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// A checkout is left alone for this long, so that its webhook can arrive and be handled.
    pub settle: Age,
    /// Checkouts of this long ago and later are compared; Stripe keeps their events for 30 days.
    pub since: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { settle: Age::minutes(5), since: Age::days(30) }
    }
}

/// One paid checkout that no order knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Missing {
    id: String,
    created: Timestamp,
    at_risk: Option<AtRisk>,
    reference: Option<String>,
}

impl Missing {
    fn of(checkout: &Checkout) -> Self {
        Self {
            id: checkout.id.clone(),
            created: checkout.created,
            at_risk: checkout.at_risk(),
            reference: checkout.references.first().cloned(),
        }
    }
}

/// What both sides said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// Checkouts of this time and later were compared.
    since: Timestamp,
    /// How many were paid.
    checkouts: u64,
    /// By which column how many were found.
    found: Found,
    /// Those that no order knows.
    missing: Bounded<Missing>,
    /// The money of those that are only counted.
    rest: Vec<AtRisk>,
    /// Those without the reference that the others carry.
    foreign: Bounded<String>,
    /// Those that are too young to tell.
    young: u64,
    /// Those without an order whose money has gone back.
    refunded: u64,
    /// The list of checkouts was not read to its end.
    cut: bool,
}

impl Check for OrphanedCheckouts {
    const META: CheckMeta = CheckMeta {
        id: "orders-orphaned-checkouts",
        area: Area::Orders,
        title: "Paid checkouts and their orders",
        vantage: Vantage::Database,
        findings: &[MISSING, FOREIGN],
        measurements: &[ORPHANED, AMOUNT, CHECKOUTS],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(10),
        needs: &[Need::Setting("project.stripe"), Need::Setting("project.database.orders")],
        evidence_version: 1,
        doc: include_str!("../orphaned_checkouts.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = look::Carry;

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, look::Carry), CheckError> {
        look::look(look, target, probes).await
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let missing = &evidence.missing;
        for one in missing.items.iter().take(OWN_FINDINGS) {
            out.find(orphan(one, cx.now));
        }
        let others = missing.items.iter().skip(OWN_FINDINGS);
        let more = missing.total().saturating_sub(OWN_FINDINGS);
        let rest = others.clone().filter_map(|one| one.at_risk.clone());
        let rest = AtRisk::sum(rest.chain(evidence.rest.iter().cloned()));
        if more > 0 {
            out.find(further(more, &rest, others));
        }
        if evidence.foreign.total() > 0 {
            out.find(foreign(&evidence.foreign));
        }
        let all = missing.items.iter().filter_map(|one| one.at_risk.clone());
        for sum in AtRisk::sum(all.chain(evidence.rest.iter().cloned())) {
            out.measure(AMOUNT.value(Some(&sum.currency), whole(sum.amount_minor)));
        }
        let count = number(missing.total() as u64);
        out.measure(ORPHANED.value(None, count).bounds(None, Some(0.0)));
        out.measure(CHECKOUTS.value(None, number(evidence.checkouts)));
        if evidence.cut {
            out.not_checked(
                Unseen::Blocks,
                "the oldest checkouts",
                "the list of Stripe was not read to its end",
                "shorten orders-orphaned-checkouts.since, or run it again",
            );
        } else if evidence.checkouts == 0 {
            out.not_checked(
                Unseen::Condition,
                "a paid checkout with its order",
                format!("no checkout was paid since {}", evidence.since.strftime("%Y-%m-%d")),
                "buy something yourself, and look again after five minutes",
            );
        }
        out.unless_seen(evidence.checkouts > 0 || !out.findings.is_empty());
        out
    }
}

fn orphan(one: &Missing, now: Timestamp) -> Finding {
    let paid = one.at_risk.as_ref().map_or_else(
        || "an amount that Stripe does not name".to_owned(),
        |risk| amount(&risk.currency, risk.amount_minor),
    );
    let age = Age::secs(u64::try_from(now.duration_since(one.created).as_secs()).unwrap_or(0));
    let reference = one.reference.as_ref().map(|it| format!("its reference is {it}"));
    MISSING
        .finding(&one.id)
        .summary(format!("{paid} were paid {} ago, and no order knows the checkout.", about(age)))
        .saw(format!("{}: complete and paid, {}", one.id, one.created))
        .saw_all(reference)
        .fix(format!(
            "In Stripe, search for {}, open its checkout.session.completed event and press Resend; if no order \
             appears, read the log of your webhook function for the error. Until it is mended, write the order \
             by hand or refund the buyer.",
            one.id
        ))
        .undo("A webhook that is sent again changes nothing where the handler stores each event id once; delete a row that was written twice.")
        .at_risk(one.at_risk.clone().into_iter().collect())
}

/// An age in its largest unit.
fn about(age: Age) -> String {
    let seconds = age.whole_seconds();
    match seconds {
        ..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn further<'a>(more: usize, rest: &[AtRisk], others: impl Iterator<Item = &'a Missing>) -> Finding {
    let sums: Vec<String> =
        rest.iter().map(|sum| amount(&sum.currency, sum.amount_minor)).collect();
    MISSING
        .finding("further checkouts")
        .summary(format!("{more} more paid checkouts have no order: {}.", sums.join(", ")))
        .saw_all(others.map(|one| format!("{}, {}", one.id, one.created)))
        .fix("So many at once are one fault and not many: read the log of your webhook function, mend it, then resend the events in Stripe under Developers → Events.")
        .undo("A webhook that is sent again changes nothing where the handler stores each event id once.")
        .at_risk(rest.to_vec())
}

fn foreign(ids: &Bounded<String>) -> Finding {
    FOREIGN
        .finding("checkouts without a reference")
        .summary(format!(
            "{} paid without the reference that the other checkouts carry, and without an order.",
            if ids.total() == 1 { "1 checkout was".to_owned() } else { format!("{} checkouts were", ids.total()) }
        ))
        .saw_all(&ids.items)
        .fix("Open them in Stripe. If they belong to another product, say so in the config, such as stripe.only = { metadata = [\"product=NAME\"] }; if they are yours, give the payment link or the code that makes them client_reference_id or metadata.order_id.")
        .undo("Take stripe.only out of the config again.")
}
