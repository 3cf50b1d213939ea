//! The numbers are moved across each threshold.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Options, Sync};
use crate::contract::{AssessCx, Assessment, Check as _, History, LookCx, Severity, Target};
use crate::probe::replay::{Replay, World};

fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn ago(seconds: i64) -> String {
    now().checked_sub(SignedDuration::from_secs(seconds)).unwrap().to_string()
}

async fn run(rows: Vec<Value>, orders: Vec<Value>) -> Assessment {
    let world: World = serde_json::from_value(json!({ "database": { "table": {
        "crm_sync": { "columns": ["id", "order", "status", "at", "error"], "rows": rows },
        "orders": { "columns": ["id", "created", "status"], "rows": orders },
    } } }))
    .unwrap();
    let probes = Replay::new(world, now()).unwrap().probes();
    let (options, target) = (Options::default(), Target::default());
    let look = LookCx::<Sync> { now: now(), options: &options, carry: None };
    let (evidence, _) = Sync::collect(&look, &target, &probes).await.unwrap();
    let cx = AssessCx::<Sync> {
        now: now(),
        options: &options,
        target: &target,
        previous: None,
        history: &History::default(),
        baseline: None,
    };
    Sync::assess(&evidence, &cx)
}

fn codes(assessment: &Assessment) -> Vec<(&str, Severity)> {
    assessment.findings.iter().map(|found| (found.code.as_str(), found.severity)).collect()
}

fn attempts(good: usize, bad: usize) -> Vec<Value> {
    let row = |n: usize, word: &str| json!([format!("r{n}"), format!("o{n}"), word, ago(60), ""]);
    let bad = (good..good + bad).map(|n| row(n, "failed"));
    (0..good).map(|n| row(n, "succeeded")).chain(bad).collect()
}

#[tokio::test]
async fn the_rate_is_judged_above_two_per_cent_and_from_fifty_and_three_on() {
    let failing = [("crm-sync-failing", Severity::Critical)];
    for (good, bad, wanted) in [
        (98, 2, false),   // 2.0 %, and two failures
        (147, 3, false),  // 2.0 %
        (140, 3, true),   // 2.1 %
        (979, 21, true),  // 2.1 %
        (980, 20, false), // 2.0 %
        (46, 3, false),   // 49 attempts
        (47, 3, true),    // 50 attempts
        (48, 2, false),   // two failures of 50
    ] {
        let assessment = run(attempts(good, bad), Vec::new()).await;
        let wanted: &[_] = if wanted { &failing } else { &[] };
        assert_eq!(codes(&assessment), wanted, "{bad} of {}", good + bad);
    }
}

#[tokio::test]
async fn a_retry_that_went_well_is_no_failure_and_an_old_failure_is_a_warning() {
    const DAY: i64 = 86_400;
    let row = |word: &str, age: i64| json!(["r", "o", word, ago(age), ""]);
    assert!(
        codes(&run(vec![row("failed", 2 * DAY), row("succeeded", DAY)], vec![]).await).is_empty()
    );
    assert!(codes(&run(vec![row("failed", DAY)], vec![]).await).is_empty());
    let old = run(vec![row("failed", DAY + 1)], vec![]).await;
    assert_eq!(codes(&old), [("crm-sync-failing", Severity::Warning)]);
    assert!(codes(&run(vec![row("pending", DAY)], vec![]).await).is_empty());
    let stuck = run(vec![row("pending", DAY + 60)], vec![]).await;
    assert_eq!(codes(&stuck), [("crm-sync-stuck", Severity::Warning)]);
}

#[tokio::test]
async fn an_order_has_fifteen_minutes_to_reach_the_crm() {
    let order = |age: i64, word: &str| json!(["o1", ago(age), word]);
    let other =
        || attempts(1, 0).into_iter().map(|_| json!(["r", "o0", "ok", ago(9), ""])).collect();
    for (age, word, wanted) in [
        (14 * 60 + 59, "paid", &[][..]),
        (15 * 60, "paid", &[]),
        (15 * 60 + 1, "paid", &[("crm-order-missing", Severity::Critical)]),
        (3_600, "declined", &[("crm-failed-payment-missing", Severity::Warning)]),
        (3_600, "refunded", &[]),
        (3_600, "pending", &[]),
    ] {
        let assessment = run(other(), vec![order(age, word)]).await;
        assert_eq!(codes(&assessment), wanted, "{word} {age} s");
    }
}

#[tokio::test]
async fn a_refused_token_is_told_until_something_goes_well_again() {
    let row =
        |order: &str, word: &str, age: i64, error: &str| json!(["r", order, word, ago(age), error]);
    let refused = vec![row("a", "ok", 600, ""), row("b", "failed", 300, "HTTP 401 unauthorized")];
    let found = run(refused.clone(), vec![]).await;
    assert_eq!(codes(&found), [("crm-access-lost", Severity::Critical)]);
    let mended = [refused, vec![row("c", "ok", 60, "")]].concat();
    assert!(codes(&run(mended, vec![]).await).is_empty());
}
