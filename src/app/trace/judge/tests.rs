//! Chains that were written down, whole and broken at each link.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::probe::{
    CheckoutSession, Conversation, Missing, Money, Payment, PaymentEvent, Reversal, Reversals,
};

use super::judge;
use crate::app::trace::{
    EventRow, OrderRow, Orders, Outcome, Part, People, Reference, RowState, Seen, State, Sync,
    SyncState,
};

const NOW: &str = "2026-11-20T12:00:00Z";

fn ago(minutes: i64) -> Timestamp {
    let now: Timestamp = NOW.parse().unwrap();
    now - SignedDuration::from_mins(minutes)
}

fn money() -> Money {
    Money { currency: "eur".to_owned(), amount_minor: 4_900 }
}

/// A payment of an hour ago of which everything is as it should be.
fn whole() -> Seen {
    let event = PaymentEvent {
        id: "evt_1".to_owned(),
        kind: "checkout.session.completed".to_owned(),
        created: ago(60),
        ..PaymentEvent::default()
    };
    let order = OrderRow {
        id: "order-7".to_owned(),
        session: Some("cs_1".to_owned()),
        amount: Some("49.00".to_owned()),
        currency: Some("EUR".to_owned()),
        status: Some("paid".to_owned()),
        created: Some(ago(60)),
        ..OrderRow::default()
    };
    Seen {
        reference: Reference::read("cs_1").unwrap(),
        now: NOW.parse().unwrap(),
        named: Ok(true),
        checkout: Ok(Some(CheckoutSession {
            id: "cs_1".to_owned(),
            created: ago(60),
            status: "complete".to_owned(),
            payment_status: "paid".to_owned(),
            mode: "payment".to_owned(),
            amount: Some(money()),
            payment_intent: Some("pi_1".to_owned()),
            ..CheckoutSession::default()
        })),
        others: Vec::new(),
        payment: Ok(Some(Payment {
            id: "pi_1".to_owned(),
            created: ago(60),
            status: "succeeded".to_owned(),
            amount: money(),
            ..Payment::default()
        })),
        reversals: Ok(Reversals::default()),
        events: Ok(vec![event]),
        told: Some(vec!["checkout.session.completed".to_owned()]),
        rows: Ok(vec![EventRow {
            id: "evt_1".to_owned(),
            state: RowState::Done,
            at: Some(ago(60)),
        }]),
        orders: Ok(Orders { rows: vec![order], by: Some("session") }),
        sync: Ok(Some(Sync {
            id: Some("4".to_owned()),
            state: SyncState::Done,
            at: Some(ago(59)),
        })),
        contacts: Ok(People { ids: vec!["1007".to_owned()] }),
        tickets: Ok(Vec::new()),
    }
}

fn order(seen: &mut Seen) -> &mut OrderRow {
    &mut seen.orders.as_mut().unwrap().rows[0]
}

fn payment(seen: &mut Seen) -> &mut Payment {
    seen.payment.as_mut().unwrap().as_mut().unwrap()
}

fn back(status: &str) -> Reversal {
    Reversal {
        id: "re_1".to_owned(),
        created: ago(30),
        status: status.to_owned(),
        amount: money(),
        ..Reversal::default()
    }
}

/// The first broken link, its state and what is said of it.
fn broken(seen: &Seen) -> Option<(Part, State, String)> {
    let chain = judge("harbor", seen);
    let link = chain.links.iter().find(|link| Some(link.part) == chain.broken)?;
    assert_eq!(chain.outcome, Outcome::Broken);
    assert!(chain.next.is_some() && chain.in_short.contains(&link.says), "{chain:?}");
    Some((link.part, link.state, link.says.clone()))
}

#[test]
fn a_chain_is_whole_where_every_side_says_the_same() {
    let chain = judge("harbor", &whole());
    assert_eq!((chain.outcome, chain.broken, &chain.next), (Outcome::Whole, None, &None));
    assert_eq!(chain.in_short, "Every link is as it should be.");
    let states: Vec<State> = chain.links.iter().map(|link| link.state).collect();
    let (there, not_due) = (State::There, State::NotDue);
    assert_eq!(states, [there, there, not_due, there, there, there, there, there, not_due]);
}

type Change = fn(&mut Seen);

#[test]
#[allow(clippy::too_many_lines, reason = "it is one table")]
fn each_link_breaks_in_its_own_way() {
    let cases: [(&str, Change, Part, State, &str); 18] = [
        (
            "no checkout",
            |s| {
                s.checkout = Ok(None);
                s.payment = Ok(None);
            },
            Part::Checkout,
            State::Missing,
            "no checkout of this id",
        ),
        (
            "payment stuck",
            |s| payment(s).status = "requires_action".to_owned(),
            Part::Payment,
            State::Wrong,
            "requires_action",
        ),
        (
            "not delivered",
            |s| s.events.as_mut().unwrap()[0].pending = 1,
            Part::Webhook,
            State::Wrong,
            "not delivered since 60 minutes",
        ),
        (
            "nobody is told",
            |s| s.told = Some(vec!["invoice.paid".to_owned()]),
            Part::Webhook,
            State::Missing,
            "No destination is told",
        ),
        (
            "no event",
            |s| {
                s.events = Ok(Vec::new());
                s.rows = Ok(Vec::new());
            },
            Part::Webhook,
            State::Missing,
            "no event about it",
        ),
        (
            "no row",
            |s| s.rows = Ok(Vec::new()),
            Part::EventRow,
            State::Missing,
            "no row of checkout.session.completed",
        ),
        (
            "row failed",
            |s| s.rows.as_mut().unwrap()[0].state = RowState::Failed,
            Part::EventRow,
            State::Wrong,
            "ended in an error",
        ),
        (
            "row stuck",
            |s| s.rows.as_mut().unwrap()[0].state = RowState::Open,
            Part::EventRow,
            State::Wrong,
            "never finished",
        ),
        (
            "no order",
            |s| s.orders = Ok(Orders::default()),
            Part::Order,
            State::Missing,
            "EUR 49.00 of it was paid, and there is no order",
        ),
        (
            "two orders",
            |s| {
                let again = order(s).clone();
                s.orders.as_mut().unwrap().rows.push(again);
            },
            Part::Order,
            State::Wrong,
            "2 orders of one payment",
        ),
        (
            "not marked",
            |s| order(s).status = Some("pending".to_owned()),
            Part::Order,
            State::Wrong,
            "still pending",
        ),
        (
            "amount",
            |s| order(s).amount = Some("4800".to_owned()),
            Part::Order,
            State::Wrong,
            "of EUR 48.00, and EUR 49.00 was paid",
        ),
        (
            "refunded",
            |s| s.reversals.as_mut().unwrap().refunds.push(back("succeeded")),
            Part::Order,
            State::Wrong,
            "All of it went back",
        ),
        (
            "lost",
            |s| s.reversals.as_mut().unwrap().disputes.push(back("lost")),
            Part::Order,
            State::Wrong,
            "All of it went back",
        ),
        (
            "sync failed",
            |s| s.sync.as_mut().unwrap().as_mut().unwrap().state = SyncState::Failed,
            Part::CrmSync,
            State::Wrong,
            "failed",
        ),
        ("no sync", |s| s.sync = Ok(None), Part::CrmSync, State::Missing, "handed to the CRM"),
        (
            "no contact",
            |s| s.contacts = Ok(People::default()),
            Part::Contact,
            State::Missing,
            "no contact",
        ),
        (
            "waits",
            |s| {
                s.tickets = Ok(vec![Conversation {
                    id: "9".to_owned(),
                    created: ago(1_500),
                    waiting_since: Some(ago(1_441)),
                    ..Conversation::default()
                }]);
            },
            Part::Ticket,
            State::Wrong,
            "for 24 hours",
        ),
    ];
    for (name, change, part, state, says) in cases {
        let mut seen = whole();
        change(&mut seen);
        let (at, is, said) = broken(&seen).unwrap_or_else(|| panic!("{name} is whole"));
        assert_eq!((at, is), (part, state), "{name}: {said}");
        assert!(said.contains(says), "{name}: {said}");
    }
}

#[test]
fn what_can_still_come_is_no_break() {
    let young = |minutes: i64| {
        let mut seen = whole();
        payment(&mut seen).created = ago(minutes);
        let events = seen.events.as_mut().unwrap();
        events[0].created = ago(minutes);
        seen
    };
    for (minutes, is_broken) in [(5, false), (6, true)] {
        let mut seen = young(minutes);
        (seen.orders, seen.rows) = (Ok(Orders::default()), Ok(Vec::new()));
        assert_eq!(broken(&seen).is_some(), is_broken, "{minutes}");
    }
    for (minutes, is_broken) in [(2, false), (3, true)] {
        let mut seen = young(minutes);
        seen.events.as_mut().unwrap()[0].pending = 1;
        assert_eq!(broken(&seen).is_some(), is_broken, "{minutes}");
    }
    for (minutes, is_broken) in [(15, false), (16, true)] {
        let mut seen = young(minutes);
        (seen.sync, seen.contacts) = (Ok(None), Ok(People::default()));
        assert_eq!(broken(&seen).is_some(), is_broken, "{minutes}");
        let chain = judge("harbor", &seen);
        assert_eq!(chain.in_short.contains("still to come"), !is_broken, "{}", chain.in_short);
    }
    let mut seen = whole();
    let waits = Conversation { waiting_since: Some(ago(1_440)), ..Conversation::default() };
    seen.tickets = Ok(vec![waits]);
    assert_eq!(broken(&seen), None, "a day to the minute is not over");
}

#[test]
fn a_declined_card_asks_for_nothing_and_an_order_of_it_is_wrong() {
    let mut seen = whole();
    {
        let session = seen.checkout.as_mut().unwrap().as_mut().unwrap();
        (session.status, session.payment_status) = ("expired".to_owned(), "unpaid".to_owned());
    }
    payment(&mut seen).status = "requires_payment_method".to_owned();
    payment(&mut seen).failure = Some("card_declined".to_owned());
    let (part, _, says) = broken(&seen).unwrap();
    assert_eq!((part, says.as_str()), (Part::Order, "The order is paid, and Stripe took nothing."));
    seen.orders = Ok(Orders::default());
    (seen.rows, seen.sync, seen.contacts) = (Ok(Vec::new()), Ok(None), Ok(People::default()));
    seen.events = Ok(Vec::new());
    assert_eq!(broken(&seen), None);
}

#[test]
fn what_was_not_seen_is_never_whole_and_says_what_unlocks_it() {
    let why = || Missing { reason: "no CRM is configured".to_owned(), unlock: "add it".to_owned() };
    let mut seen = whole();
    (seen.contacts, seen.tickets) = (Err(why()), Err(why()));
    let chain = judge("harbor", &seen);
    assert_eq!(chain.outcome, Outcome::Whole);
    assert!(chain.in_short.ends_with("2 were not looked at."), "{}", chain.in_short);
    let contact = chain.links.iter().find(|link| link.part == Part::Contact).unwrap();
    assert_eq!(contact.says, "No CRM is configured.");
    assert_eq!(contact.next.as_deref(), Some("add it"));
    (seen.checkout, seen.payment, seen.reversals) = (Err(why()), Err(why()), Err(why()));
    (seen.events, seen.rows) = (Err(why()), Err(why()));
    (seen.orders, seen.sync) = (Err(why()), Err(why()));
    let chain = judge("harbor", &seen);
    assert_eq!(chain.outcome, Outcome::Unseen);
    assert_eq!(chain.next.as_deref(), Some("add it"));
}

#[test]
fn an_address_that_serves_as_an_id_is_never_shown() {
    let mut seen = whole();
    order(&mut seen).id = "buyer@customers.example".to_owned();
    order(&mut seen).status = Some("buyer@customers.example".to_owned());
    let text = serde_json::to_string(&judge("harbor", &seen)).unwrap();
    assert!(!text.contains('@') && text.contains("(an address)"), "{text}");
}

#[test]
fn an_id_that_nobody_knows_is_no_broken_chain() {
    let mut seen = whole();
    seen.reference = Reference::read("cs_test_b2").unwrap();
    (seen.checkout, seen.payment) = (Ok(None), Ok(None));
    (seen.events, seen.rows) = (Ok(Vec::new()), Ok(Vec::new()));
    (seen.orders, seen.sync) = (Ok(Orders::default()), Ok(None));
    let chain = judge("harbor", &seen);
    assert_eq!((chain.outcome, chain.broken), (Outcome::Unknown, None));
    assert_eq!(
        chain.in_short,
        "No system that could be asked knows this checkout: neither Stripe nor the table of orders."
    );
    let next = chain.next.unwrap();
    for part in ["typed whole", "of test mode", "rk_test_", "live mode", "30 days", "cs_…", "cus_…"]
    {
        assert!(next.contains(part), "{part}: {next}");
    }
    let why = || Missing { reason: "no key".to_owned(), unlock: "add it".to_owned() };
    (seen.named, seen.checkout, seen.payment) = (Err(why()), Err(why()), Err(why()));
    let chain = judge("harbor", &seen);
    assert!(chain.in_short.ends_with("this checkout: the table of orders does not."), "{chain:?}");
    seen.orders = whole().orders;
    assert_ne!(judge("harbor", &seen).outcome, Outcome::Unknown, "an order knows it");
}
