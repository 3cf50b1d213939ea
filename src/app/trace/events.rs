//! Finds the events of one payment, and which of them some destination is told.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{
    CheckoutSession, EventFilter, EventScope, Payment, PaymentEvent, Payments, Period, Reversals,
};

use super::seen::{Look, unseen};
use super::stripe::Ids;

/// The types of events that a payment can have; Stripe takes 20 in one question.
const TYPES: [&str; 14] = [
    "checkout.session.*",
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "charge.succeeded",
    "charge.failed",
    "charge.refunded",
    "charge.refund.updated",
    "charge.dispute.*",
    "refund.created",
    "refund.failed",
    "customer.subscription.created",
    "customer.subscription.deleted",
    "invoice.paid",
];
/// Events are looked for so long before and after what they are about.
const BEFORE: SignedDuration = SignedDuration::from_mins(1);
const AFTER: SignedDuration = SignedDuration::from_mins(10);
/// A checkout can be paid for a day; what is paid later than that is another one.
const CHECKOUT: SignedDuration = SignedDuration::from_hours(25);
/// The spans of time in which the events lie.
pub(super) fn spans(
    session: Option<&CheckoutSession>,
    payment: Option<&Payment>,
    reversals: Option<&Reversals>,
    now: Timestamp,
) -> Vec<Period> {
    let around = |at: Timestamp, after: SignedDuration| Period {
        since: at.checked_sub(BEFORE).unwrap_or(at),
        until: at.checked_add(after).ok().filter(|until| *until < now),
    };
    let mut spans: Vec<Period> =
        payment.map(|paid| around(paid.created, AFTER)).into_iter().collect();
    if let Some(session) = session {
        let is_covered = payment.is_some_and(|payment| {
            payment.status == "succeeded"
                && payment.created.duration_since(session.created).abs() <= BEFORE
        });
        if !is_covered {
            spans.push(around(session.created, CHECKOUT));
        }
    }
    for reversal in reversals.into_iter().flat_map(|all| all.refunds.iter().chain(&all.disputes)) {
        spans.push(around(reversal.created, AFTER));
    }
    spans.truncate(6);
    spans
}

/// The events of these spans that are about the ids, oldest first.
pub(super) async fn events(
    payments: &dyn Payments,
    ids: &Ids,
    spans: Vec<Period>,
    event: Option<PaymentEvent>,
) -> Look<Vec<PaymentEvent>> {
    let mut found: BTreeMap<(Timestamp, String), PaymentEvent> = BTreeMap::new();
    let mut keep = |event: PaymentEvent| {
        found.insert((event.created, event.id.clone()), event);
    };
    event.into_iter().for_each(&mut keep);
    for period in spans {
        let types = TYPES.map(str::to_owned).to_vec();
        let filter = EventFilter { period, types, undelivered: false };
        let mut take = |event: PaymentEvent| {
            if ids.names(&event) {
                keep(event);
            }
        };
        payments.events(filter, &mut take).await.map_err(unseen)?;
    }
    Ok(found.into_values().collect())
}

/// The types that some destination is told of the account's own events.
pub(super) async fn told(payments: &dyn Payments) -> Option<Vec<String>> {
    let destinations = payments.destinations().await.ok()?;
    if destinations.unseen.is_some() {
        return None;
    }
    let open = |scope| scope != EventScope::Connect;
    let own = destinations.all.into_iter().filter(|one| one.enabled && open(one.scope));
    let mut types: Vec<String> = own.flat_map(|destination| destination.events).collect();
    types.sort();
    types.dedup();
    Some(types)
}
