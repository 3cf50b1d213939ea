//! Judges the links in the product's own database: the rows of the events, the order, its hand-over.

use launchready_checks::orders::{Standing, minor};
use launchready_checks::probe::PaymentEvent;

use super::deal::{Deal, SETTLE, SYNC, WORK, is_money_back, is_money_in, length};
use super::unseen;
use crate::app::trace::chain::{Link, Part, State};
use crate::app::trace::reference::Kind;
use crate::app::trace::seen::{EventRow, OrderRow, RowState, SyncState};

/// The rows of the events.
pub(super) fn rows(deal: &Deal<'_>) -> Link {
    let part = Part::EventRow;
    let rows = match &deal.seen.rows {
        Err(why) => return unseen(part, why),
        Ok(rows) => rows,
    };
    let told = deal.told();
    if told.is_empty() && rows.is_empty() {
        return no_events(deal);
    }
    let ids = || rows.iter().map(|row| &row.id);
    if let Some(failed) = rows.iter().find(|row| row.state == RowState::Failed) {
        return Link::new(part, State::Wrong, format!("{} ended in an error.", kind(failed, &told)))
            .at(failed.at)
            .ids([&failed.id])
            .next(format!(
                "Read the log of the webhook function about {}, mend what it says, and press Resend at the event \
                 in Stripe.",
                failed.id
            ));
    }
    let is_late = |row: &&EventRow| {
        row.state == RowState::Open && row.at.is_none_or(|at| deal.age(at) > WORK)
    };
    if let Some(stuck) = rows.iter().find(is_late) {
        let since =
            stuck.at.map_or_else(String::new, |at| format!(" {} ago", length(deal.age(at))));
        let says = format!("{} was taken{since} and never finished.", kind(stuck, &told));
        return Link::new(part, State::Wrong, says).at(stuck.at).ids([&stuck.id]).next(format!(
            "Look in the log of the webhook function for {}: it ran into its time limit or fell over. Then press \
             Resend at the event in Stripe.",
            stuck.id
        ));
    }
    if let Some(lost) = without_row(deal, &told, rows) {
        let says = format!("There is no row of {}.", lost.kind);
        let state = if deal.age(lost.created) > SETTLE { State::Missing } else { State::Waiting };
        return Link::new(part, state, says).at(Some(lost.created)).ids([&lost.id]).next(format!(
            "In Stripe, open Developers → Events, search for {}, look at what the endpoint answered, and press \
             Resend; the webhook should write the row before it answers 2xx.",
            lost.id
        ));
    }
    let at = rows.iter().filter_map(|row| row.at).min();
    if rows.iter().any(|row| row.state == RowState::Open) {
        return Link::new(part, State::Waiting, "The work on it is under way.").at(at).ids(ids());
    }
    let known = rows.iter().all(|row| row.state == RowState::Done);
    let says = if known {
        "Every event of it that the product keeps is processed."
    } else {
        "The rows are there; what their status means is not known."
    };
    Link::new(part, State::There, says).at(at).ids(ids())
}

fn no_events(deal: &Deal<'_>) -> Link {
    let part = Part::EventRow;
    if deal.seen.reference.kind == Kind::Event {
        let says = "There is no row of this event.";
        return Link::new(part, State::Missing, says)
            .ids([&deal.seen.reference.text])
            .next("Press Resend at the event in Stripe, where it is not older than 30 days.");
    }
    if deal.paid == Some(true) {
        let says = "No event of it is known, and so no row to look for.";
        return Link::new(part, State::NotLookedAt, says).next("mend the link before this one");
    }
    Link::new(part, State::NotDue, "There is no event of it.")
}

fn kind(row: &EventRow, told: &[&PaymentEvent]) -> String {
    let event = told.iter().find(|event| event.id == row.id);
    event.map_or_else(|| "The event".to_owned(), |event| event.kind.clone())
}

/// An event that should have a row: of money that came in one at least, and each of money that went back.
fn without_row<'a>(
    deal: &Deal<'_>,
    told: &[&'a PaymentEvent],
    rows: &[EventRow],
) -> Option<&'a PaymentEvent> {
    let has = |event: &PaymentEvent| rows.iter().any(|row| row.id == event.id);
    let named = &deal.seen.reference;
    if let Some(event) = told.iter().find(|event| event.id == named.text && !has(event)) {
        return Some(event);
    }
    for group in [is_money_in as fn(&PaymentEvent) -> bool, is_money_back] {
        let mut mine = told.iter().copied().filter(|event| group(event)).peekable();
        let first = mine.peek().copied();
        if first.is_some() && !mine.any(&has) {
            return first;
        }
    }
    None
}

/// Whether an order says that it is paid.
pub(super) fn stands_paid(orders: &[OrderRow]) -> bool {
    orders.iter().any(|order| standing(order) == Standing::Paid)
}

/// A table without a status holds what was sold, and says nothing that could be wrong.
fn standing(order: &OrderRow) -> Standing {
    order.status.as_deref().map_or(Standing::Unknown, Standing::of)
}

/// The order.
pub(super) fn order(deal: &Deal<'_>) -> Link {
    let part = Part::Order;
    let orders = match &deal.seen.orders {
        Err(why) => return unseen(part, why),
        Ok(orders) => orders,
    };
    let Some(first) = orders.rows.first() else { return no_order(deal) };
    let ids = || orders.rows.iter().map(|order| &order.id);
    let made = orders.rows.iter().filter_map(|order| order.created).min();
    let link = |state, says: String| Link::new(part, state, says).at(made).ids(ids());
    let strong = matches!(orders.by, Some("session" | "payment_intent"));
    if orders.rows.len() > 1 && strong {
        return link(State::Wrong, format!("There are {} orders of one payment.", orders.rows.len()))
            .next(
                "Keep the one that was delivered and cancel the others; then make the column with the checkout \
                 unique, so that it cannot happen again.",
            );
    }
    if orders.rows.len() > 1 {
        return link(State::There, format!("{} orders belong to it.", orders.rows.len()));
    }
    let word = first.status.as_deref().map_or("there", |word| word);
    let word: String =
        if word.contains('@') { "there".to_owned() } else { word.chars().take(40).collect() };
    if let Some(says) = contradiction(first, &word, deal) {
        return match says {
            Verdict::NotYet => link(State::Waiting, format!("The order is {word}.")),
            Verdict::Wrong(says, next) => link(State::Wrong, says).next(next),
        };
    }
    let by = orders.by.filter(|by| matches!(*by, "customer" | "email"));
    let by = by.map_or("", |_| ", found by buyer, amount and day");
    link(State::There, format!("The order is {word}{by}."))
}

fn no_order(deal: &Deal<'_>) -> Link {
    let part = Part::Order;
    let named = deal.seen.reference.kind == Kind::Order;
    if deal.paid == Some(true) {
        let sum = deal.sum().map_or_else(|| "It".to_owned(), |sum| format!("{sum} of it"));
        if !deal.is_past(SETTLE) {
            return Link::new(part, State::Waiting, "The order is not there yet.");
        }
        let events = deal.told();
        let event = events.iter().find(|event| is_money_in(event));
        let next = event.map_or_else(
            || "Make the order by hand from the payment, or pay the buyer back.".to_owned(),
            |event| {
                format!(
                    "In Stripe, press Resend at {}, and see whether the order appears; if not, read the log of \
                     the webhook function, or make the order by hand or pay the buyer back.",
                    event.id
                )
            },
        );
        return Link::new(part, State::Missing, format!("{sum} was paid, and there is no order."))
            .next(next);
    }
    if named || deal.paid.is_none() {
        let id = [&deal.seen.reference.text];
        return Link::new(part, State::Missing, "No order of this id or reference is there.")
            .ids(id)
            .next("Check the id, and which columns are mapped as id and reference under [project.database.orders].");
    }
    Link::new(part, State::NotDue, "Nothing was paid, and there is no order.")
}

enum Verdict {
    NotYet,
    Wrong(String, String),
}

/// What the order says against the payment.
fn contradiction(order: &OrderRow, word: &str, deal: &Deal<'_>) -> Option<Verdict> {
    let wrong = |says: String, next: &str| Some(Verdict::Wrong(says, next.to_owned()));
    let lost =
        deal.seen.reversals.as_ref().is_ok_and(|reversals| {
            reversals.disputes.iter().any(|dispute| dispute.status == "lost")
        });
    match (standing(order), deal.paid) {
        (Standing::Unpaid, Some(true)) if deal.is_past(SETTLE) => wrong(
            format!("It was paid, and the order is still {word}."),
            "Set the order to paid and deliver it; then read the log of the webhook function about its events.",
        ),
        (Standing::Unpaid, Some(true)) => Some(Verdict::NotYet),
        (Standing::Paid, Some(false)) => wrong(
            format!("The order is {word}, and Stripe took nothing."),
            "Take back what was delivered, or set the order to unpaid; then look for what marked it paid.",
        ),
        (Standing::Paid, _) if deal.returned || lost => wrong(
            format!("All of it went back, and the order is still {word}."),
            "Set the order to refunded and close the access; then handle charge.refunded and \
             charge.dispute.created in the webhook.",
        ),
        (Standing::Paid | Standing::Unknown, Some(true)) => amount_differs(order, deal),
        _ => None,
    }
}

fn amount_differs(order: &OrderRow, deal: &Deal<'_>) -> Option<Verdict> {
    let money = deal.money.as_ref()?;
    let mine = minor(order.amount.as_deref()?, &money.currency)?;
    let currency =
        order.currency.as_deref().is_none_or(|own| own.eq_ignore_ascii_case(&money.currency));
    if mine == money.amount_minor && currency {
        return None;
    }
    let own = order.currency.as_deref().unwrap_or(&money.currency);
    let own = launchready_checks::contract::amount(own, mine);
    let paid = super::deal::sum(money);
    Some(Verdict::Wrong(
        format!("The order is of {own}, and {paid} was paid."),
        "Compare the price of the checkout with that of the order, and settle the difference with the buyer."
            .to_owned(),
    ))
}

/// The hand-over to the CRM.
pub(super) fn sync(deal: &Deal<'_>) -> Link {
    let part = Part::CrmSync;
    let sync = match &deal.seen.sync {
        Err(why) => return unseen(part, why),
        Ok(sync) => sync,
    };
    let Some(sync) = sync else {
        if deal.orders().is_empty() {
            return Link::new(part, State::NotDue, "There is no order to hand over.");
        }
        if deal.paid == Some(false) {
            return Link::new(part, State::NotDue, "Nothing was paid, so that nothing is due.");
        }
        if !deal.is_past(SYNC) {
            return Link::new(part, State::Waiting, "The order was not handed over yet.");
        }
        return Link::new(
            part,
            State::Missing,
            "Nothing says that the order was handed to the CRM.",
        )
        .ids(deal.orders().iter().map(|order| &order.id))
        .next(
            "Start the sync of this order again, and look why the job that does it never saw it.",
        );
    };
    let link = |state, says: &str| Link::new(part, state, says).at(sync.at).ids(&sync.id);
    match sync.state {
        SyncState::Done => link(State::There, "The order was handed over."),
        SyncState::Other => link(State::There, "A hand-over is written down; its status is not known."),
        SyncState::Failed => link(State::Wrong, "The last try to hand the order over failed.").next(
            "Read the error of that row, mend what it says (often the token or a field that the CRM refuses), and \
             start the sync of this order again.",
        ),
        SyncState::Open if sync.at.is_some_and(|at| deal.age(at) > SYNC) => {
            link(State::Wrong, "The hand-over was begun and never ended.")
                .next("Start the sync of this order again, and look whether the job that does it still runs.")
        }
        SyncState::Open => link(State::Waiting, "The hand-over is under way."),
    }
}
