//! The join of checkouts and orders over several looks: later ones read what is new, and forget nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{
    AccountFacts, AssessInput, Assessment, DynCheck, History, StripeFacts, Target,
};
use launchready_checks::probe::replay::{DatabaseWorld, PaymentsWorld, Replay, TableWorld, World};
use launchready_checks::probe::{CheckoutSession, Money, PaymentEvent, Reversal, TableRole};
use launchready_checks::registry;
use serde_json::Value;

const START: &str = "2026-11-23T09:00:00Z";

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = START.parse().unwrap();
    start.checked_add(SignedDuration::from_mins(minutes)).unwrap()
}

fn money() -> Money {
    Money { currency: "eur".to_owned(), amount_minor: 4900 }
}

/// A shop that sells one thing a call, with the orders of some.
#[derive(Default)]
struct Shop {
    sold: Vec<(u32, Timestamp)>,
    ordered: Vec<u32>,
    refunded: Vec<u32>,
}

impl Shop {
    fn sell(&mut self, number: u32, at: Timestamp) {
        self.sold.push((number, at));
    }

    fn world(&self) -> World {
        let session = |(number, created): &(u32, Timestamp)| CheckoutSession {
            id: format!("cs_{number}"),
            created: *created,
            status: "complete".to_owned(),
            payment_status: "paid".to_owned(),
            mode: "payment".to_owned(),
            amount: Some(money()),
            payment_intent: Some(format!("pi_{number}")),
            reference: Some(format!("order-{number}")),
            live: true,
            ..CheckoutSession::default()
        };
        let event = |(number, created): &(u32, Timestamp)| PaymentEvent {
            id: format!("evt_{number}"),
            kind: "checkout.session.completed".to_owned(),
            created: *created,
            object: Some(format!("cs_{number}")),
            live: true,
            ..PaymentEvent::default()
        };
        let refund = |number: &u32| Reversal {
            id: format!("re_{number}"),
            created: at(9),
            status: "succeeded".to_owned(),
            amount: money(),
            payment_intent: Some(format!("pi_{number}")),
            due: None,
        };
        let rows = self.ordered.iter().map(|number| {
            vec![format!("order-{number}"), format!("cs_{number}"), at(0).to_string()]
        });
        let table = TableWorld {
            columns: ["id", "session", "created"].map(str::to_owned).to_vec(),
            rows: rows.collect(),
        };
        World {
            payments: Some(PaymentsWorld {
                session: self.sold.iter().map(session).collect(),
                event: self.sold.iter().map(event).collect(),
                refund: self.refunded.iter().map(refund).collect(),
                ..PaymentsWorld::default()
            }),
            database: Some(DatabaseWorld {
                table: [(TableRole::Orders, table)].into(),
                ..DatabaseWorld::default()
            }),
            ..World::default()
        }
    }
}

/// A check that is run again and again, as the agent does.
struct Watched {
    check: Box<dyn DynCheck>,
    carry: Option<Value>,
    asked: BTreeMap<String, usize>,
}

impl Watched {
    fn new(id: &str) -> Self {
        let check = (registry::find(id).unwrap().build)(&Value::Null).unwrap();
        Self { check, carry: None, asked: BTreeMap::new() }
    }

    async fn look(&mut self, shop: &Shop, now: Timestamp) -> Assessment {
        let target = Target {
            domain: "harbor.example".to_owned(),
            accounts: AccountFacts {
                stripe: Some(StripeFacts::default()),
                database: true,
                ..AccountFacts::default()
            },
            ..Target::default()
        };
        let replay = Arc::new(Replay::new(shop.world(), now).unwrap());
        let probes = Replay::shared(Arc::clone(&replay));
        let looked = self.check.collect(now, self.carry.take(), &target, &probes).await.unwrap();
        self.carry = Some(looked.carry);
        self.asked = replay.asked();
        let input = AssessInput {
            now,
            target: &target,
            previous: None,
            history: &History::default(),
            baseline: None,
        };
        self.check.assess(&looked.evidence, &input).unwrap()
    }

    fn asked(&self, what: &str) -> usize {
        self.asked.get(what).copied().unwrap_or_default()
    }
}

fn subjects(assessment: &Assessment) -> Vec<&str> {
    assessment.findings.iter().map(|finding| finding.subject.as_str()).collect()
}

#[tokio::test]
async fn later_looks_read_what_is_new_and_keep_what_is_missing() {
    let mut shop = Shop::default();
    for number in 1..=30 {
        shop.sell(number, at(-600));
    }
    shop.ordered = (1..=30).filter(|number| *number != 7).collect();
    let mut watched = Watched::new("orders-orphaned-checkouts");
    assert_eq!(subjects(&watched.look(&shop, at(0)).await), ["cs_7"]);
    assert_eq!(watched.asked("PAYMENTS session"), 1, "the first look walks over all");

    // Nothing has happened: what is missing is still missing, and no list of checkouts is read.
    assert_eq!(subjects(&watched.look(&shop, at(1)).await), ["cs_7"]);
    assert_eq!(watched.asked("PAYMENTS session"), 0);

    // A sale whose order is not there yet, and one that is whole.
    shop.sell(31, at(2));
    shop.sell(32, at(2));
    shop.ordered.push(32);
    assert_eq!(subjects(&watched.look(&shop, at(3)).await), ["cs_7"]);
    assert_eq!(watched.asked("PAYMENTS session"), 1, "only the one without an order is asked for");
    assert_eq!(subjects(&watched.look(&shop, at(6)).await), ["cs_7"], "five minutes are not over");
    assert_eq!(subjects(&watched.look(&shop, at(8)).await), ["cs_7", "cs_31"]);

    // One order appears, and the other buyer gets the money back.
    shop.ordered.push(7);
    assert_eq!(subjects(&watched.look(&shop, at(9)).await), ["cs_31"]);
    shop.refunded.push(31);
    assert_eq!(subjects(&watched.look(&shop, at(10)).await), Vec::<&str>::new());
}

#[tokio::test]
async fn what_leaves_the_window_is_no_longer_asked_for() {
    let mut shop = Shop::default();
    shop.sell(1, at(0));
    let mut watched = Watched::new("orders-orphaned-checkouts");
    assert_eq!(subjects(&watched.look(&shop, at(10)).await), ["cs_1"]);
    let days = |days: i64| at(days * 24 * 60);
    assert_eq!(subjects(&watched.look(&shop, days(30)).await), ["cs_1"]);
    assert_eq!(subjects(&watched.look(&shop, days(31)).await), Vec::<&str>::new());
}

#[tokio::test]
async fn five_hundred_missing_orders_are_counted_and_a_few_are_named() {
    let mut shop = Shop::default();
    for number in 1..=3_000 {
        shop.sell(number, at(-60));
    }
    shop.ordered = (501..=3_000).collect();
    let mut watched = Watched::new("orders-orphaned-checkouts");
    let assessment = watched.look(&shop, at(0)).await;
    let last = assessment.findings.last().unwrap();
    assert_eq!(assessment.findings.len(), 21);
    assert!(last.summary.contains("480 more paid checkouts"), "{}", last.summary);
    let sums = assessment.findings.iter().flat_map(|finding| &finding.at_risk);
    let (amount, count) =
        sums.fold((0, 0), |(amount, count), risk| (amount + risk.amount_minor, count + risk.count));
    assert_eq!((amount, count), (500 * 4900, 500));
}
