//! Windows and thresholds at their edges, and events that came twice.

use std::collections::BTreeMap;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::collect::collect;
use super::{Evidence, Options, judge};
use crate::probe::TableRole;
use crate::probe::replay::{DatabaseWorld, Replay, TableWorld, World};

const NOW: &str = "2026-11-20T12:00:00Z";

/// One row: the number of its event, its word, and its age in seconds.
type Told = (u32, &'static str, i64);

fn look(rows: &[Told]) -> Evidence {
    let now: Timestamp = NOW.parse().unwrap();
    let row = |(id, word, age): &Told| {
        let at = (now - SignedDuration::from_secs(*age)).to_string();
        vec![format!("evt_{id}"), (*word).to_owned(), at]
    };
    let table = TableWorld {
        columns: ["id", "status", "received"].map(str::to_owned).to_vec(),
        rows: rows.iter().map(row).collect(),
    };
    let database = DatabaseWorld {
        table: BTreeMap::from([(TableRole::Events, table)]),
        ..DatabaseWorld::default()
    };
    let world = World { database: Some(database), ..World::default() };
    let replay = Replay::new(world, now).unwrap();
    collect(&replay, &Options::default(), now).now_or_never().unwrap().unwrap()
}

fn codes(rows: &[Told]) -> Vec<String> {
    let found = judge::judge(&look(rows), &Options::default(), NOW.parse().unwrap());
    found.findings.into_iter().map(|finding| finding.code).collect()
}

/// Many events that were handled, with numbers of their own.
fn handled(count: u32) -> Vec<Told> {
    (0..count).map(|nth| (1_000 + nth, "processed", 2_000 + i64::from(nth))).collect()
}

#[test]
fn the_edges_of_each_threshold() {
    let with = |count: u32, rows: &[Told]| codes(&[handled(count), rows.to_vec()].concat());
    let failed = |count: u32, age: i64| -> Vec<Told> {
        (0..count).map(|nth| (nth, "failed", age)).collect()
    };
    let none: [&str; 0] = [];
    assert_eq!(with(500, &failed(3, 60)), none);
    assert_eq!(with(500, &failed(4, 60)), ["webhook-failures"]);
    assert_eq!(with(500, &failed(4, 600)), ["webhook-failures"]);
    assert_eq!(with(500, &failed(4, 601)), none);
    assert_eq!(with(10, &[(1, "processing", 600)]), none);
    assert_eq!(with(10, &[(1, "processing", 601)]), ["webhook-stuck"]);
    assert_eq!(with(99, &failed(1, 5_000)), none);
    assert_eq!(with(98, &failed(1, 5_000)), ["webhook-error-rate"]);
    assert_eq!(with(49, &failed(1, 5_000)), ["webhook-error-rate"]);
    // Below fifty events only what was left for a day counts.
    assert_eq!(with(48, &failed(1, 5_000)), none);
    assert_eq!(with(48, &failed(1, 86_400)), none);
    assert_eq!(with(47, &failed(1, 86_401)), ["webhook-error-rate"]);
    assert_eq!(with(10, &failed(1, 7 * 86_400 + 1)), none);
}

#[test]
fn the_lag_is_that_of_the_slowest_twentieth() {
    let now: Timestamp = NOW.parse().unwrap();
    let evidence =
        |lag: f64, of: u64| Evidence { lag_p95: Some(lag), lag_of: of, ..look(&handled(60)) };
    let codes =
        |evidence: &Evidence| judge::judge(evidence, &Options::default(), now).findings.len();
    assert_eq!(codes(&evidence(60.0, 20)), 0);
    assert_eq!(codes(&evidence(60.1, 20)), 1);
    assert_eq!(codes(&evidence(60.1, 19)), 0);
}

proptest! {
    #[test]
    fn an_event_counts_once_and_as_its_last_row_says(
        rows in prop::collection::btree_map(
            0_i64..1_500,
            (0_u32..6, prop::sample::select(vec!["failed", "processing", "processed"])),
            0..20,
        ),
    ) {
        // By age: the first of an event is the last that was told of it.
        let rows: Vec<Told> = rows.into_iter().map(|(age, (id, word))| (id, word, age)).collect();
        let mut last: BTreeMap<u32, (&str, i64)> = BTreeMap::new();
        for (id, word, age) in &rows {
            last.entry(*id).or_insert((*word, *age));
        }
        last.retain(|id, _| !rows.iter().any(|(other, word, _)| other == id && *word == "processed"));
        let count = |word: &str, fits: &dyn Fn(i64) -> bool| {
            last.values().filter(|(known, age)| *known == word && fits(*age)).count()
        };
        let evidence = look(&rows);
        prop_assert_eq!(
            usize::try_from(evidence.failed_in_window).unwrap(),
            count("failed", &|age| age <= 600)
        );
        prop_assert_eq!(evidence.failed.items.len(), count("failed", &|_| true));
        prop_assert_eq!(evidence.stuck.items.len(), count("processing", &|age| age > 600));
    }
}
