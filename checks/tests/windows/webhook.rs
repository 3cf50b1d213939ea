//! Failed webhooks: more than 3 within 10 minutes, more than 1 % of a day, stuck for more than 10 minutes.

use launchready_checks::contract::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ago, first, measured, told};

const MINUTES: i64 = 600;
const DAY: i64 = 86_400;

/// One row of the table of events: the event, its word, its age, and how long after its making it arrived.
type Row = (String, &'static str, i64, i64);

fn row(id: &str, word: &'static str, age: i64) -> Row {
    (id.to_owned(), word, age, 2)
}

fn handled(count: usize) -> Vec<Row> {
    (0..count).map(|nth| row(&format!("good_{nth}"), "processed", 2_000)).collect()
}

fn world(rows: &[Row]) -> Value {
    let row = |(id, word, age, lag): &Row| json!([id, word, ago(age + lag), ago(*age)]);
    let rows: Vec<Value> = rows.iter().map(row).collect();
    json!({ "database": { "table": {
        "events": { "columns": ["id", "status", "created", "received"], "rows": rows },
    } } })
}

/// Ages on both sides of each edge, and far from them.
fn age() -> impl Strategy<Value = i64> {
    prop_oneof![
        MINUTES - 2..=MINUTES + 2,
        0..2 * MINUTES,
        DAY - 2..=DAY + 2,
        7 * DAY - 2..=7 * DAY + 2
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn failures_are_counted_to_the_second_and_their_part_to_the_event(
        ages in prop::collection::vec(age(), 0..9),
        good in prop_oneof![42_usize..52, 95_usize..105, 295_usize..305, 795_usize..805],
    ) {
        let mut rows = handled(good);
        rows.extend(ages.iter().enumerate().map(|(nth, age)| row(&format!("bad_{nth}"), "failed", *age)));
        let count = |within: i64| ages.iter().filter(|age| **age <= within).count();
        let mut wanted = Vec::new();
        if count(MINUTES) > 3 {
            wanted.push(("webhook-failures", Severity::Critical));
        }
        let (failed, finished) = (count(DAY), good + count(DAY));
        let is_left = ages.iter().any(|age| *age > DAY && *age <= 7 * DAY);
        if if finished >= 50 { failed * 100 > finished } else { is_left } {
            wanted.push(("webhook-error-rate", Severity::Warning));
        }
        let found = first("webhook-processing", world(&rows));
        prop_assert_eq!(told(&found), wanted);
    }

    #[test]
    fn an_open_event_is_stuck_after_ten_minutes_and_no_second_earlier(
        ages in prop::collection::vec(MINUTES - 3..=MINUTES + 3, 0..6),
    ) {
        let open = ages.iter().enumerate();
        let open = open.map(|(nth, age)| row(&format!("open_{nth}"), "processing", *age));
        let found = first("webhook-processing", world(&[handled(60), open.collect()].concat()));
        let stuck = ages.iter().filter(|age| **age > MINUTES).count();
        let wanted: &[_] =
            if stuck > 0 { &[("webhook-stuck", Severity::Warning)] } else { &[] };
        prop_assert_eq!(told(&found), wanted);
        prop_assert_eq!(measured(&found, "stuck-events"), Some(f64::from(u32::try_from(stuck).unwrap())));
    }

    /// A retry is another row of its event, and a replay the same row again; the order of rows means nothing.
    #[test]
    fn what_is_retried_or_replayed_is_not_counted_twice(
        rows in prop::collection::btree_map(
            prop_oneof![MINUTES - 5..=MINUTES + 5, 0..2 * MINUTES],
            (0_u32..6, prop::sample::select(vec!["failed", "processing", "processed"])),
            0..14,
        ),
        good in 40_usize..110,
        times in prop::collection::vec(1_usize..4, 130),
        seed in any::<u64>(),
    ) {
        let tries = rows.into_iter().map(|(age, (id, word))| row(&format!("evt_{id}"), word, age));
        let rows = [handled(good), tries.collect()].concat();
        let mut again: Vec<Row> = rows
            .iter()
            .zip(times.iter().cycle())
            .flat_map(|(row, times)| std::iter::repeat_n(row.clone(), *times))
            .collect();
        shuffle(&mut again, seed);
        let (once, noisy) =
            (first("webhook-processing", world(&rows)), first("webhook-processing", world(&again)));
        prop_assert_eq!(told(&noisy), told(&once));
        for name in ["failed-events", "stuck-events", "error-ratio", "lag-p95"] {
            prop_assert_eq!(measured(&noisy, name), measured(&once, name), "{}", name);
        }
    }

    /// What was resent by hand after a while came in time once.
    #[test]
    fn an_event_that_is_sent_again_was_not_late(good in 20_usize..60, resent in 1_usize..60) {
        let mut rows = handled(good);
        let again = rows.iter().take(resent).map(|(id, word, age, lag)| {
            (id.clone(), *word, 60, age + lag - 60)
        });
        rows.extend(again.collect::<Vec<_>>());
        let found = first("webhook-processing", world(&rows));
        prop_assert_eq!(measured(&found, "lag-p95"), Some(2.0));
        prop_assert_eq!(told(&found), vec![]);
    }

    /// Stripe's own list of what is undelivered: more than 3 that were made within 10 minutes, each of them
    /// older than 2, however often a page repeats one.
    #[test]
    fn a_burst_of_undelivered_events_is_found_wherever_it_lies(
        ages in prop::collection::vec(prop_oneof![118_i64..=123, 715_i64..=726, 0_i64..3_000], 0..9),
        times in prop::collection::vec(1_usize..3, 9),
    ) {
        let event = |(nth, age): (usize, &i64)| json!({
            "id": format!("evt_{nth}"), "kind": "invoice.paid", "created": ago(*age), "pending": 1,
            "live": true,
        });
        let mut ages = ages;
        ages.sort_unstable();
        let events = ages.iter().enumerate().map(event).zip(&times);
        let events: Vec<_> =
            events.flat_map(|(event, times)| std::iter::repeat_n(event, *times)).collect();
        let found = first("stripe-deliveries", json!({ "payments": { "event": events } }));
        let settled: Vec<i64> = ages.iter().copied().filter(|age| *age > 120).collect();
        let within = |first: i64| {
            settled.iter().filter(|age| (first..=first + MINUTES).contains(age)).count()
        };
        let most = settled.iter().map(|first| within(*first)).max().unwrap_or(0);
        let is_told = told(&found).iter().any(|(code, _)| *code == "stripe-events-undelivered");
        prop_assert_eq!(is_told, most > 3, "{:?}", ages);
    }
}

/// Another order, by a generator of Knuth's: any will do.
fn shuffle(rows: &mut [Row], mut seed: u64) {
    for place in (1..rows.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(place, usize::try_from(seed >> 33).unwrap() % (place + 1));
    }
}
