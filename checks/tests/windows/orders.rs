//! Checkouts without an order after the settle time, and refunds and disputes that nobody has processed after
//! 10 minutes.

use std::collections::BTreeSet;

use launchready_checks::contract::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Watched, ago, first, subjects, told};

const SETTLE: i64 = 300;
const MINUTES: i64 = 600;

/// One sale: how long after the usual time the buyer was sent to the checkout, how much later it was paid, and
/// how much later than that the order was written, if it ever was.
type Sale = (i64, i64, Option<i64>);

/// What both sides know so many seconds later.
fn shop(sales: &[Sale], second: i64) -> Value {
    let paid = || sales.iter().enumerate().filter(|(_, sale)| sale.0 + sale.1 <= second);
    let sessions: Vec<_> = paid()
        .map(|(nth, sale)| {
            json!({
                "id": format!("cs_{nth}"), "created": ago(-sale.0), "status": "complete",
                "payment_status": "paid", "mode": "payment", "payment_intent": format!("pi_{nth}"),
                "amount": { "currency": "eur", "amount_minor": 4900 }, "live": true,
            })
        })
        .collect();
    let events: Vec<_> = paid()
        .map(|(nth, sale)| {
            json!({
                "id": format!("evt_{nth}"), "kind": "checkout.session.completed",
                "created": ago(-(sale.0 + sale.1)), "object": format!("cs_{nth}"), "live": true,
            })
        })
        .collect();
    let orders: Vec<_> = paid()
        .filter(|(_, sale)| sale.2.is_some_and(|after| sale.0 + sale.1 + after <= second))
        .map(|(nth, _)| json!([format!("cs_{nth}")]))
        .collect();
    json!({
        "payments": { "session": sessions, "event": events },
        "database": { "table": { "orders": { "columns": ["session"], "rows": orders } } },
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The first look reads everything, and the later ones what is new: the answer is the same.
    #[test]
    fn a_checkout_is_an_orphan_from_the_end_of_its_settle_time_on(
        sales in prop::collection::vec(
            (0_i64..900, prop_oneof![Just(0_i64), 0_i64..600], prop::option::of(0_i64..700)),
            0..12,
        ),
        edges in prop::collection::vec((0_usize..12, -2_i64..=2), 1..8),
        any_time in prop::collection::vec(0_i64..2_200, 1..6),
    ) {
        // The looks are at the edge of some sale, and at any other time.
        let edge = |(nth, beside): &(usize, i64)| {
            sales.get(*nth).map(|sale| sale.0 + sale.1 + SETTLE + beside)
        };
        let looks: BTreeSet<i64> = edges.iter().filter_map(edge).chain(any_time).collect();
        let mut watched = Watched::new("orders-orphaned-checkouts");
        for second in looks {
            let world = shop(&sales, second);
            let mut wanted: Vec<String> = sales
                .iter()
                .enumerate()
                .filter(|(_, sale)| {
                    let paid = sale.0 + sale.1;
                    paid + SETTLE <= second && sale.2.is_none_or(|after| paid + after > second)
                })
                .map(|(nth, _)| format!("cs_{nth}"))
                .collect();
            wanted.sort_unstable();
            let alone = Watched::new("orders-orphaned-checkouts").look(world.clone(), second);
            prop_assert_eq!(subjects(&alone), wanted.clone(), "at {}", second);
            let carried = watched.look(world, second);
            prop_assert_eq!(subjects(&carried), wanted, "at {}, carried", second);
        }
    }

    /// Money goes back in parts, and only the whole of it takes a checkout off the list.
    #[test]
    fn parts_of_a_refund_add_up_over_looks_and_are_counted_once(
        parts in prop::collection::vec((0_i64..400, 100_i64..4_900), 0..6),
        looks in prop::collection::btree_set(0_i64..500, 1..6),
    ) {
        let mut watched = Watched::new("orders-orphaned-checkouts");
        for second in looks {
            let mut world = shop(&[(-900, 0, None), (-800, 0, None)], second);
            let refunds: Vec<_> = parts
                .iter()
                .enumerate()
                .filter(|(_, (at, _))| *at <= second)
                .map(|(nth, (at, amount))| json!({
                    "id": format!("re_{nth}"), "created": ago(-at), "status": "succeeded",
                    "amount": { "currency": "eur", "amount_minor": amount }, "payment_intent": "pi_0",
                }))
                .collect();
            world["payments"]["refund"] = json!(refunds);
            let back: i64 =
                parts.iter().filter(|(at, _)| *at <= second).map(|(_, amount)| amount).sum();
            let wanted: &[&str] = if back >= 4_900 { &["cs_1"] } else { &["cs_0", "cs_1"] };
            let found = watched.look(world, second);
            prop_assert_eq!(subjects(&found), wanted, "at {}", second);
        }
    }

    /// Refunds and disputes have ten minutes, whatever was tried before; an event that Stripe's list or the
    /// table holds twice is one.
    #[test]
    fn a_reversal_is_late_after_ten_minutes_and_told_once(
        events in prop::collection::vec(
            (
                prop_oneof![MINUTES - 2..=MINUTES + 2, 0..2 * MINUTES],
                prop::sample::select(vec!["charge.refunded", "charge.dispute.created", "refund.created"]),
                prop::sample::subsequence(vec!["failed", "processing", "processed"], 0..=3),
                1_usize..3,
            ),
            0..8,
        ),
    ) {
        let numbered = || events.iter().enumerate();
        let list: Vec<_> = numbered()
            .flat_map(|(nth, (age, kind, _, times))| {
                let event = json!({
                    "id": format!("evt_{nth}"), "kind": kind, "created": ago(*age),
                    "object": format!("ch_{nth}"), "live": true,
                });
                std::iter::repeat_n(event, *times)
            })
            .collect();
        let rows: Vec<_> = numbered()
            .flat_map(|(nth, (_, kind, words, times))| {
                let row = move |word: &&str| json!([format!("evt_{nth}"), kind, word, ago(1)]);
                words.iter().map(row).flat_map(|row| std::iter::repeat_n(row, *times))
            })
            .collect();
        let columns = ["id", "type", "status", "received"];
        let found = first("orders-unprocessed-events", json!({
            "payments": { "event": list },
            "database": { "table": { "events": { "columns": columns, "rows": rows } } },
        }));
        let is_late = |(age, _, words, _): &(i64, &str, Vec<&str>, usize)| {
            *age > MINUTES && !words.contains(&"processed")
        };
        let mut wanted: Vec<String> = numbered()
            .filter(|(_, event)| is_late(event))
            .map(|(nth, _)| format!("evt_{nth}"))
            .collect();
        wanted.sort_unstable();
        prop_assert_eq!(subjects(&found), wanted);
        prop_assert!(told(&found).iter().all(|it| *it == ("reversal-unprocessed", Severity::Critical)));
    }
}
