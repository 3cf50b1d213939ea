//! What the sides say together: whether it was paid, when, and how much.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::amount;
use launchready_checks::probe::{Money, PaymentEvent};

use crate::app::trace::seen::{OrderRow, Seen};

/// The time that the product has from a payment to its row and its order.
pub(super) const SETTLE: SignedDuration = SignedDuration::from_mins(5);
/// The time that it has to hand an order to the CRM.
pub(super) const SYNC: SignedDuration = SignedDuration::from_mins(15);
/// The time that a delivery may take.
pub(super) const DELIVERY: SignedDuration = SignedDuration::from_mins(2);
/// The time that the work on an event may take.
pub(super) const WORK: SignedDuration = SignedDuration::from_mins(10);
/// A customer who waits longer is one too many.
pub(super) const ANSWER: SignedDuration = SignedDuration::from_hours(24);
/// How long the provider keeps events.
pub(super) const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is known of the money.
#[derive(Debug, Clone)]
pub(super) struct Deal<'a> {
    pub(super) seen: &'a Seen,
    /// Whether it was paid; nothing where no side could say.
    pub(super) paid: Option<bool>,
    /// When it was paid, as far as that is known.
    pub(super) at: Option<Timestamp>,
    pub(super) money: Option<Money>,
    /// All of it was paid back.
    pub(super) returned: bool,
}

/// The events that say that money came in.
const MONEY_IN: [&str; 6] = [
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "payment_intent.succeeded",
    "charge.succeeded",
    "invoice.paid",
    "invoice.payment_succeeded",
];

impl<'a> Deal<'a> {
    pub(super) fn of(seen: &'a Seen) -> Self {
        let session = seen.checkout.as_ref().ok().and_then(Option::as_ref);
        let payment = seen.payment.as_ref().ok().and_then(Option::as_ref);
        let by_session = session.map(|session| {
            session.status == "complete"
                && matches!(session.payment_status.as_str(), "paid" | "no_payment_required")
        });
        let by_payment = payment.map(|payment| payment.status == "succeeded");
        let paid = match (by_payment, by_session) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (Some(false), _) | (_, Some(false)) => Some(false),
            // Both sides were asked and know nothing.
            (None, None) => (seen.checkout.is_ok() && seen.payment.is_ok()).then_some(false),
        };
        let events = seen.events.as_deref().unwrap_or_default();
        let told = events.iter().find(|event| is_money_in(event)).map(|event| event.created);
        let money = payment
            .map(|payment| payment.amount.clone())
            .filter(|_| by_payment == Some(true))
            .or_else(|| session.and_then(|session| session.amount.clone()))
            .or_else(|| payment.map(|payment| payment.amount.clone()));
        let back: i64 = seen.reversals.as_ref().map_or(0, |reversals| {
            let done = reversals.refunds.iter().filter(|refund| refund.status == "succeeded");
            done.map(|refund| refund.amount.amount_minor).sum()
        });
        let at = told
            .or(payment.map(|payment| payment.created))
            .or(session.map(|session| session.created));
        let returned = money.as_ref().is_some_and(|money| back > 0 && back >= money.amount_minor);
        Self { seen, paid, at, money, returned }
    }

    /// The orders that were found.
    pub(super) fn orders(&self) -> &'a [OrderRow] {
        self.seen.orders.as_ref().map_or(&[], |orders| orders.rows.as_slice())
    }

    /// Whether so much time has passed since the payment, or since the order where nothing is known of it.
    pub(super) fn is_past(&self, time: SignedDuration) -> bool {
        let made = self.orders().iter().filter_map(|order| order.created).min();
        self.at.or(made).is_none_or(|at| self.age(at) > time)
    }

    pub(super) fn age(&self, at: Timestamp) -> SignedDuration {
        self.seen.now.duration_since(at)
    }

    /// `EUR 49.00`, or nothing.
    pub(super) fn sum(&self) -> Option<String> {
        self.money.as_ref().map(sum)
    }

    /// The events that some destination is told, of those that were found: whoever is told everything is told
    /// all of them.
    pub(super) fn told(&self) -> Vec<&'a PaymentEvent> {
        let events = self.seen.events.as_deref().unwrap_or_default();
        let Some(types) = &self.seen.told else { return events.iter().collect() };
        let all = types.iter().any(|kind| kind == "*");
        events.iter().filter(|event| all || types.contains(&event.kind)).collect()
    }
}

pub(super) fn is_money_in(event: &PaymentEvent) -> bool {
    MONEY_IN.contains(&event.kind.as_str())
}

/// Whether an event says that money goes back.
pub(super) fn is_money_back(event: &PaymentEvent) -> bool {
    event.kind == "charge.refunded"
        || event.kind == "charge.dispute.created"
        || event.kind == "refund.created"
}

/// `EUR 49.00`.
pub(super) fn sum(money: &Money) -> String {
    amount(&money.currency, money.amount_minor)
}

/// `3 minutes`, `2 hours`, `5 days`.
pub(super) fn length(span: SignedDuration) -> String {
    let seconds = span.as_secs().max(0);
    let (number, unit) = match seconds {
        ..90 => (seconds, "second"),
        90..5_400 => (seconds / 60, "minute"),
        5_400..129_600 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}
