//! Automations: below 98 % of at least 50 runs, and silent for more than three usual gaps.

use launchready_checks::contract::Severity;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{Watched, ago, first, measured, now, told};

fn world(runs: &[Value]) -> Value {
    let flow = json!([{ "id": "a", "name": "Orders to sheet", "active": true }]);
    json!({ "automation": { "flow": flow, "run": runs, "expired": [] } })
}

fn run(id: &str, age: i64, status: &str) -> Value {
    json!({ "id": id, "flow": "a", "status": status, "started": ago(age) })
}

/// Runs one every ten minutes, the last of them so long ago, of which the newest failed.
fn runs(count: usize, failed: usize, last: i64) -> Vec<Value> {
    let one = |nth: usize| {
        let age = last + 600 * i64::try_from(nth).unwrap();
        run(&format!("run_{nth}"), age, if nth < failed { "failed" } else { "succeeded" })
    };
    (0..count).map(one).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn the_part_that_went_well_is_judged_to_the_run(
        count in prop_oneof![45_usize..56, 95_usize..106, 145_usize..156, 995_usize..1_006],
        beside in -2_i64..=2,
    ) {
        let failed = usize::try_from((i64::try_from(count / 50).unwrap() + beside).max(0)).unwrap();
        let found = first("automation-runs", world(&runs(count, failed, 60)));
        let is_told = count >= 50 && (count - failed) * 100 < count * 98;
        let wanted: &[_] =
            if is_told { &[("automation-failing", Severity::Critical)] } else { &[] };
        prop_assert_eq!(told(&found), wanted, "{} of {}", failed, count);
    }

    #[test]
    fn silence_begins_after_three_usual_gaps_to_the_second(
        gap in prop_oneof![10_i64..=60, 60_i64..7_200],
        beside in -2_i64..=2,
        count in 1_usize..30,
    ) {
        let patience = (3 * gap).max(120);
        let last = patience + beside;
        let one = |nth: usize| {
            run(&format!("run_{nth}"), last + gap * i64::try_from(nth).unwrap(), "succeeded")
        };
        let found = first("automation-runs", world(&(0..count).map(one).collect::<Vec<_>>()));
        // Five gaps are needed before one of them is usual.
        let wanted: &[_] = if count > 5 && last > patience {
            &[("automation-silent", Severity::Critical)]
        } else {
            &[]
        };
        prop_assert_eq!(told(&found), wanted);
    }

    /// The clock goes on, and each look reads a little of what the one before has read.
    #[test]
    fn looks_that_overlap_count_each_run_and_each_retry_once(
        runs in prop::collection::vec((0_i64..4_000, 0_u8..3), 1..70),
        steps in prop::collection::vec(1_i64..900, 1..6),
    ) {
        let mut all = Vec::new();
        for (nth, (after, end)) in runs.iter().enumerate() {
            let started = now() + jiff::SignedDuration::from_secs(*after);
            let status = if *end == 0 { "succeeded" } else { "failed" };
            let run = json!({ "id": format!("run_{nth}"), "flow": "a", "status": status, "started": started });
            all.push((*after, run));
            // One in three failed and was tried again a second later, which went well.
            if *end == 2 {
                let started = started + jiff::SignedDuration::from_secs(1);
                all.push((after + 1, json!({
                    "id": format!("retry_{nth}"), "flow": "a", "status": "succeeded", "started": started,
                    "retry_of": format!("run_{nth}"),
                })));
            }
        }
        let at = |second: i64| {
            let past: Vec<_> =
                all.iter().filter(|(after, _)| *after <= second).map(|(_, run)| run.clone()).collect();
            world(&past)
        };
        let mut watched = Watched::new("automation-runs");
        let mut second = 0;
        for step in steps {
            watched.look(at(second), second);
            second += step;
        }
        let found = watched.look(at(second), second);
        let past = runs.iter().filter(|(after, _)| *after <= second);
        let bad = past.clone().filter(|(after, end)| *end == 1 || (*end == 2 && *after + 1 > second));
        let number = |count: usize| Some(f64::from(u32::try_from(count).unwrap()));
        prop_assert_eq!(measured(&found, "runs"), number(past.count()));
        prop_assert_eq!(measured(&found, "failed-runs"), number(bad.count()));
    }
}
