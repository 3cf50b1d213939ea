//! Orders handed to the CRM: more than 2 % of at least 50 failed, three of them at least, within a day.

use launchready_checks::contract::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{ago, first, measured, told};

const DAY: i64 = 86_400;

/// One attempt: its order, its word, its age.
type Attempt = (usize, &'static str, i64);

fn world(attempts: &[Attempt]) -> Value {
    let row = |(nth, (order, word, age)): (usize, &Attempt)| {
        json!([format!("row_{nth}"), format!("order_{order}"), word, ago(*age)])
    };
    let rows: Vec<Value> = attempts.iter().enumerate().map(row).collect();
    json!({ "database": { "table": {
        "crm_sync": { "columns": ["id", "order", "status", "at"], "rows": rows },
    } } })
}

/// As many orders as there are in all, of which some failed last.
fn attempts(ended: usize, failed: usize, age: i64) -> Vec<Attempt> {
    let word = |nth: usize| if nth < failed { "failed" } else { "succeeded" };
    (0..ended).map(|nth| (nth, word(nth), age)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_rate_is_above_two_per_cent_to_the_order_and_small_samples_say_nothing(
        ended in prop_oneof![45_usize..56, 95_usize..106, 145_usize..156, 990_usize..1_010],
        beside in -2_i64..=2,
        age in 0_i64..=DAY,
    ) {
        let edge = i64::try_from(ended / 50).unwrap();
        let failed = usize::try_from((edge + beside).max(0)).unwrap();
        let found = first("crm-sync", world(&attempts(ended, failed, age)));
        let is_told = ended >= 50 && failed >= 3 && failed * 100 > ended * 2;
        let wanted = if is_told { vec![("crm-sync-failing", Severity::Critical)] } else { Vec::new() };
        prop_assert_eq!(told(&found), wanted, "{} of {}", failed, ended);
    }

    #[test]
    fn a_retry_is_the_same_order_whatever_came_before_it(
        ended in 50_usize..120,
        failed in 0_usize..6,
        tries in prop::collection::vec((0_usize..120, any::<bool>(), 61_i64..DAY), 0..60),
        backwards in any::<bool>(),
    ) {
        let once = attempts(ended, failed, 60);
        let earlier = tries.iter().map(|(order, bad, age)| {
            (order % ended, if *bad { "failed" } else { "pending" }, *age)
        });
        let mut all: Vec<Attempt> = earlier.chain(once.iter().copied()).collect();
        if backwards {
            all.reverse();
        }
        let (plain, retried) = (first("crm-sync", world(&once)), first("crm-sync", world(&all)));
        prop_assert_eq!(told(&retried), told(&plain));
        prop_assert_eq!(measured(&retried, "failure-ratio"), measured(&plain, "failure-ratio"));
        prop_assert_eq!(measured(&retried, "stuck"), Some(0.0));
    }

    #[test]
    fn a_failure_that_nobody_tried_again_is_told_after_a_day_and_what_hangs_too(
        age in DAY - 3..=DAY + 3,
        hangs in any::<bool>(),
    ) {
        let word = if hangs { "pending" } else { "failed" };
        let code = if hangs { "crm-sync-stuck" } else { "crm-sync-failing" };
        let all = [attempts(60, 0, 60), vec![(99, word, age)]].concat();
        let wanted = if age > DAY { vec![(code, Severity::Warning)] } else { Vec::new() };
        let found = first("crm-sync", world(&all));
        prop_assert_eq!(told(&found), wanted);
    }
}
