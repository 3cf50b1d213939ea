//! Judges the links at the payment provider.

use launchready_checks::probe::{CheckoutSession, Payment, PaymentEvent, Reversal};

use super::deal::{DELIVERY, Deal, KEPT, SETTLE, length, sum};
use super::{minute, unseen};
use crate::app::trace::chain::{Link, Part, State};
use crate::app::trace::reference::Kind;

const DASHBOARD: &str = "Search for it in the Stripe dashboard, in live mode and in test mode: a key of one mode sees \
                         nothing of the other. Then correct what was typed, or the key in the config.";

/// The checkout.
pub(super) fn checkout(deal: &Deal<'_>) -> Link {
    let part = Part::Checkout;
    let reference = &deal.seen.reference;
    let session = match &deal.seen.checkout {
        Err(why) => return unseen(part, why),
        Ok(session) => session,
    };
    let Some(session) = session else {
        let named = deal.orders().iter().find_map(|order| order.session.clone());
        if reference.kind == Kind::Checkout {
            let says = "Stripe knows no checkout of this id.";
            return Link::new(part, State::Missing, says).ids([&reference.text]).next(DASHBOARD);
        }
        if let (Kind::Order, Some(id)) = (reference.kind, named) {
            let says = "The order names a checkout that Stripe does not know.";
            return Link::new(part, State::Missing, says).ids([id]).next(DASHBOARD);
        }
        return Link::new(part, State::NotDue, "No checkout of Stripe led to it.");
    };
    let mut says = about(session);
    if !deal.seen.others.is_empty() {
        let count = deal.seen.others.len();
        let noun = if count == 1 { "checkout" } else { "checkouts" };
        says = format!(
            "{says} The customer has {count} other paid {noun}, each traced by its own id."
        );
    }
    let ids = [Some(&session.id), session.subscription.as_ref(), session.customer.as_ref()];
    Link::new(part, State::There, says)
        .at(Some(session.created))
        .ids(ids.into_iter().flatten())
        .ids(&deal.seen.others)
}

fn about(session: &CheckoutSession) -> String {
    let money =
        session.amount.as_ref().map_or_else(String::new, |money| format!(", {}", sum(money)));
    let paid = match session.payment_status.as_str() {
        "no_payment_required" => "no payment was needed",
        "paid" => "paid",
        _ => "not paid",
    };
    format!("{} ({}) and {paid}{money}.", capital(&session.status), session.mode)
}

fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map_or_else(|| "Open".to_owned(), |first| first.to_uppercase().chain(letters).collect())
}

/// The payment.
pub(super) fn payment(deal: &Deal<'_>) -> Link {
    let part = Part::Payment;
    let seen = deal.seen;
    let payment = match &seen.payment {
        Err(why) => return unseen(part, why),
        Ok(payment) => payment,
    };
    if let Some(payment) = payment {
        return of_payment(payment, deal);
    }
    let kind = seen.reference.kind;
    if seen.named == Ok(false) || kind == Kind::Payment {
        let what = if kind == Kind::Event {
            return Link::new(part, State::NotDue, "The event leads to no payment.");
        } else {
            kind.as_str()
        };
        return Link::new(part, State::Missing, format!("Stripe knows no {what} of this id."))
            .ids([&seen.reference.text])
            .next(DASHBOARD);
    }
    let session = seen.checkout.as_ref().ok().and_then(Option::as_ref);
    if let Some(session) = session {
        let says = match (&session.subscription, deal.paid) {
            (Some(_), Some(true)) => "It is paid through its subscription.",
            (_, Some(true)) => "No payment was needed.",
            _ => "Nothing was paid.",
        };
        let ids = session.subscription.iter();
        return Link::new(part, State::NotDue, says).ids(ids);
    }
    if kind == Kind::Customer {
        let says = "Stripe knows no checkout of this customer.";
        let found = if deal.orders().is_empty() { State::Missing } else { State::NotDue };
        return Link::new(part, found, says).ids([&seen.reference.text]).next(DASHBOARD);
    }
    if kind == Kind::Order && super::shop::stands_paid(deal.orders()) {
        return Link::new(part, State::Missing, "The order is marked paid, and Stripe knows no payment of it.")
            .ids(deal.orders().iter().map(|order| &order.id))
            .next(
                "Find out who marked it paid: search for the buyer in Stripe, then correct the order, or write \
                 the id of its payment beside it.",
            );
    }
    Link::new(part, State::NotDue, "No payment of Stripe belongs to it.")
}

fn of_payment(payment: &Payment, deal: &Deal<'_>) -> Link {
    let part = Part::Payment;
    let money = sum(&payment.amount);
    let ids = [Some(&payment.id), payment.customer.as_ref()];
    let link = |state, says: String| {
        Link::new(part, state, says).at(Some(payment.created)).ids(ids.into_iter().flatten())
    };
    let by_checkout = deal.seen.checkout.as_ref().ok().and_then(Option::as_ref);
    let claims = by_checkout.is_some_and(|session| session.payment_status == "paid");
    match payment.status.as_str() {
        "succeeded" => link(State::There, format!("Succeeded, {money}.")),
        "processing" => link(State::Waiting, format!("The bank is still at it, {money}.")),
        other if claims => link(
            State::Wrong,
            format!("The checkout is paid, and its payment is {other}, {money}."),
        )
        .next("Open the payment in the Stripe dashboard and read its timeline."),
        other => {
            let why = payment.failure.as_ref().map_or_else(String::new, |code| format!(": {code}"));
            link(State::There, format!("Not paid ({other}{why}), {money}."))
        }
    }
}

/// Refunds and disputes.
pub(super) fn reversal(deal: &Deal<'_>) -> Link {
    let part = Part::Reversal;
    let reversals = match &deal.seen.reversals {
        Err(why) => return unseen(part, why),
        Ok(reversals) => reversals,
    };
    let all = || reversals.refunds.iter().chain(&reversals.disputes);
    let Some(first) = all().map(|one| one.created).min() else {
        return Link::new(part, State::NotDue, "Nothing was refunded or disputed.");
    };
    let refund = |one: &Reversal| format!("{} refunded ({})", sum(&one.amount), one.status);
    let dispute = |one: &Reversal| {
        let open = one.status.contains("needs_response");
        let due = one.due.filter(|_| open);
        let due = due.map_or_else(String::new, |due| format!(", answer it until {}", minute(due)));
        format!("{} disputed ({}{due})", sum(&one.amount), one.status)
    };
    let says: Vec<String> = reversals
        .refunds
        .iter()
        .map(refund)
        .chain(reversals.disputes.iter().map(dispute))
        .take(4)
        .collect();
    Link::new(part, State::There, format!("{}.", says.join("; ")))
        .at(Some(first))
        .ids(all().map(|one| &one.id))
}

/// The events, and whether they were delivered.
pub(super) fn webhook(deal: &Deal<'_>) -> Link {
    let part = Part::Webhook;
    let seen = deal.seen;
    let events = match &seen.events {
        Err(why) => return unseen(part, why),
        Ok(events) => events,
    };
    if events.is_empty() {
        return no_event(deal);
    }
    let told = deal.told();
    let words = |events: &[&PaymentEvent]| {
        let mut kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
        kinds.dedup();
        kinds.truncate(4);
        kinds.join(", ")
    };
    let all: Vec<&PaymentEvent> = events.iter().collect();
    let first = events.first().map(|event| event.created);
    let Some(last) = told.last() else {
        return Link::new(part, State::Missing, format!("No destination is told of {}.", words(&all)))
            .at(first)
            .ids(events.iter().map(|event| &event.id))
            .next(format!(
                "In Stripe, open Developers → Webhooks, choose the endpoint and add {}; then send the event \
                 again.",
                words(&all)
            ));
    };
    let pending: Vec<&PaymentEvent> =
        told.iter().copied().filter(|event| event.pending > 0).collect();
    let late = pending.iter().find(|event| deal.age(event.created) > DELIVERY);
    let ids = told.iter().map(|event| &event.id);
    if let Some(late) = late {
        let says =
            format!("{} is not delivered since {}.", late.kind, length(deal.age(late.created)));
        return Link::new(part, State::Wrong, says)
            .at(Some(late.created))
            .ids(pending.iter().map(|event| &event.id))
            .next(format!(
                "In Stripe, open Developers → Events, search for {}, read what the endpoint answered, mend that, \
                 and press Resend.",
                late.id
            ));
    }
    if !pending.is_empty() {
        let says = format!("{} is on its way.", words(&pending));
        return Link::new(part, State::Waiting, says).at(Some(last.created)).ids(ids);
    }
    Link::new(part, State::There, format!("Delivered: {}.", words(&told)))
        .at(told.first().map(|event| event.created))
        .ids(ids)
}

fn no_event(deal: &Deal<'_>) -> Link {
    let part = Part::Webhook;
    let seen = deal.seen;
    if seen.reference.kind == Kind::Event {
        let says = "Stripe knows no event of this id; it keeps them for 30 days.";
        let row = seen.rows.as_ref().is_ok_and(|rows| !rows.is_empty());
        let state = if row { State::NotLookedAt } else { State::Missing };
        return Link::new(part, state, says).ids([&seen.reference.text]).next(DASHBOARD);
    }
    if deal.paid != Some(true) {
        return Link::new(
            part,
            State::NotDue,
            "Nothing was paid, so that there is nothing to tell.",
        );
    }
    if deal.at.is_some_and(|at| deal.age(at) > KEPT) {
        let says = "Stripe keeps events for 30 days, and the payment is older.";
        return Link::new(part, State::NotLookedAt, says)
            .next("look at the order itself, below; newer payments can be followed whole");
    }
    let state = if deal.is_past(SETTLE) { State::Missing } else { State::Waiting };
    Link::new(part, state, "Stripe lists no event about it.")
        .next("Grant the key Events: Read for the account that took the payment, and trace again.")
}
