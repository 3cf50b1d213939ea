//! `orders-duplicates`: see `duplicates.md`.

mod payments;
mod rows;

use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::payments::{Group, Paid};
use crate::contract::{
    Age, Area, AssessCx, Assessment, AtRisk, Bounded, Check, CheckError, CheckMeta, Finding,
    FindingSpec, LookCx, MeasurementSpec, Need, Schedule, Target, Unit, Unseen, Vantage, amount,
    number,
};
use crate::probe::{Probes, Repeated};

const PAID_TWICE: FindingSpec = FindingSpec::critical(
    "payment-duplicated",
    "One order was paid for twice",
    "The buyer was charged twice for one thing. They will ask for the money, or have the bank fetch it \
     with a fee for you.",
)
.now();
const ORDER_TWICE: FindingSpec = FindingSpec::critical(
    "order-duplicated",
    "One payment made several orders",
    "Whatever follows an order happens twice: it is sent twice, paid out twice, counted twice.",
);
const EVENT_TWICE: FindingSpec = FindingSpec::critical(
    "event-duplicated",
    "One event of Stripe is stored several times",
    "Stripe sends events more than once by design. A handler that stores one twice has also acted twice.",
);
const POSSIBLE: FindingSpec = FindingSpec::warning(
    "payment-possibly-duplicated",
    "The same customer paid the same amount twice within minutes",
    "It may be two purchases, which is everybody's right, or one that was sent twice by an impatient click.",
);

const PAYMENTS: MeasurementSpec = MeasurementSpec {
    name: "duplicate-payments",
    metric: "launchready_orders_duplicate_payments",
    unit: Unit::Count,
    help: "Orders that were paid for more than once.",
    label: None,
    window: Duration::ZERO,
};
const ROWS: MeasurementSpec = MeasurementSpec {
    name: "duplicate-rows",
    metric: "launchready_orders_duplicate_rows",
    unit: Unit::Count,
    help: "Payments with more than one order, and events that are stored more than once.",
    label: None,
    window: Duration::ZERO,
};

/// Payments for one order, orders for one payment, rows for one event.
#[derive(Debug)]
pub struct Duplicates;

/// Thresholds of `orders-duplicates`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Payments of this long ago and later are compared.
    pub since: Age,
    /// Two payments of one customer over the same amount within this time are a possible duplicate.
    pub near: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { since: Age::days(2), near: Age::minutes(10) }
    }
}

/// Rows of the database that stand twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Twice {
    /// The column that names the payment or the event.
    column: String,
    rows: Repeated,
}

/// What both sides said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    payments: u64,
    cut: bool,
    paid_twice: Bounded<Group>,
    possible: Bounded<Group>,
    /// Nothing where no table of orders is configured.
    orders: Vec<Twice>,
    events: Option<Repeated>,
    /// Why the database was not looked at.
    no_database: Option<(String, String)>,
}

impl Check for Duplicates {
    const META: CheckMeta = CheckMeta {
        id: "orders-duplicates",
        area: Area::Orders,
        title: "Payments and orders that stand twice",
        vantage: Vantage::Provider,
        findings: &[PAID_TWICE, ORDER_TWICE, EVENT_TWICE, POSSIBLE],
        measurements: &[PAYMENTS, ROWS],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(3),
        needs: &[Need::Setting("project.stripe")],
        evidence_version: 1,
        doc: include_str!("../duplicates.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let payments = probes.accounts.payments.get()?;
        let near = SignedDuration::from_secs(look.options.near.whole_seconds());
        let since = look.options.since.before(look.now);
        let only = target.accounts.stripe.clone().unwrap_or_default().only;
        let Paid { payments, cut, for_one: paid_twice, possible } =
            payments::read(payments, since, near, &only).await?;
        let rows = match probes.accounts.database.get() {
            Ok(database) => rows::read(database).await?,
            Err(missing) => {
                rows::Rows { missing: Some((missing.reason, missing.unlock)), ..Default::default() }
            }
        };
        let evidence = Evidence {
            payments,
            cut,
            paid_twice,
            possible,
            orders: rows.orders,
            events: rows.events,
            no_database: rows.missing,
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for group in &evidence.paid_twice.items {
            out.find(paid_twice(group));
        }
        for twice in &evidence.orders {
            for (value, times) in &twice.rows.values {
                out.find(order_twice(&twice.column, value, *times));
            }
        }
        for (id, times) in evidence.events.iter().flat_map(|events| &events.values) {
            out.find(event_twice(id, *times));
        }
        for group in &evidence.possible.items {
            out.find(possible(group, cx.options.near));
        }
        let rows = evidence.orders.iter().map(|twice| &twice.rows).chain(&evidence.events);
        let rows = rows.map(|repeated| repeated.total).sum::<u64>();
        let paid = number(evidence.paid_twice.total() as u64);
        out.measure(PAYMENTS.value(None, paid).bounds(None, Some(0.0)));
        if let Some((reason, unlock)) = &evidence.no_database {
            let part = "orders and events that stand twice";
            out.not_checked(Unseen::Noted, part, reason, unlock);
        } else {
            out.measure(ROWS.value(None, number(rows)).bounds(None, Some(0.0)));
        }
        if evidence.cut {
            out.not_checked(
                Unseen::Condition,
                "the oldest payments",
                "the list of Stripe was not read to its end",
                "shorten orders-duplicates.since, or run it again",
            );
        }
        if evidence.payments == 0 {
            out.not_checked(
                Unseen::Noted,
                "a payment",
                format!("none was made within {}", cx.options.since),
                "buy something yourself, and look again",
            );
        }
        out
    }
}

fn paid_twice(group: &Group) -> Finding {
    let (times, paid) = (group.payments.len(), amount(&group.currency, group.amount_minor));
    let more = i64::try_from(times.saturating_sub(1)).unwrap_or(0);
    PAID_TWICE
        .finding(&group.name)
        .summary(format!("{} was paid {times} times, {paid} each.", group.name))
        .saw_all(group.payments.iter().map(|(id, at)| format!("{id}, succeeded, {at}")))
        .fix(format!(
            "In Stripe, open {} and refund it, then write to the buyer before they write to you. Then give the \
             request that makes the payment an Idempotency-Key made of the order's id, and disable the button once \
             it was pressed.",
            group.payments.last().map_or("the later payment", |(id, _)| id)
        ))
        .undo("A refund cannot be taken back; the buyer would have to pay again.")
        .at_risk(vec![AtRisk {
            currency: group.currency.clone(),
            amount_minor: group.amount_minor.saturating_mul(more),
            count: u64::try_from(more).unwrap_or(0),
        }])
}

fn order_twice(column: &str, value: &str, times: u64) -> Finding {
    ORDER_TWICE
        .finding(value)
        .summary(format!("{times} orders have the same {column} {value}."))
        .saw(format!("{times} rows of the orders with {column} = {value}"))
        .fix(format!(
            "Keep the order that was fulfilled and mark the others as void; then put a unique index on {column}, so \
             that a second row is refused: launchready explain orders-idempotency."
        ))
        .undo("Drop the index again; a row that was marked can be marked back.")
}

fn event_twice(id: &str, times: u64) -> Finding {
    EVENT_TWICE
        .finding(id)
        .summary(format!("The event {id} is stored {times} times."))
        .saw(format!("{times} rows of the events with the id {id}"))
        .fix("See what the handler did for it and undo the second time by hand; then put a unique index on the event's id and store it before anything else, in the same transaction.")
        .undo("Drop the index again.")
}

fn possible(group: &Group, near: Age) -> Finding {
    let paid = amount(&group.currency, group.amount_minor);
    POSSIBLE
        .finding(group.payments.first().map_or(group.name.as_str(), |(id, _)| id))
        .summary(format!(
            "{} paid {paid} {} times within {near}, without a reference that tells the purchases apart.",
            group.name,
            group.payments.len()
        ))
        .saw_all(group.payments.iter().map(|(id, at)| format!("{id}, succeeded, {at}")))
        .fix("Open both payments in Stripe and see whether two things were bought; if not, refund one. Give each checkout client_reference_id or metadata.order_id, so that nobody has to guess.")
        .undo("A refund cannot be taken back.")
}
