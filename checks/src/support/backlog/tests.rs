//! The clock is moved across each threshold.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Backlog, Options};
use crate::contract::{AssessCx, Assessment, Check as _, History, Point, Severity, Target};

fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

fn before(seconds: i64) -> Timestamp {
    now().checked_sub(SignedDuration::from_secs(seconds)).unwrap()
}

fn judged(waiting: &[i64], ack_s: Option<i64>, history: &[f64]) -> Assessment {
    let held: Vec<_> = waiting
        .iter()
        .enumerate()
        .map(|(n, age)| json!({ "id": n.to_string(), "since": before(*age) }))
        .collect();
    let created = before(3_600);
    let at = ack_s.map(|s| created.checked_add(SignedDuration::from_secs(s)).unwrap());
    let evidence = serde_json::from_value(json!({
        "desk": "zendesk", "open": waiting.len(), "total": null, "cut": false, "any": true,
        "waiting": { "items": held, "cut": 0 }, "p90_since": null,
        "unassigned": { "items": [], "cut": 0 }, "untagged": null,
        "misplaced": { "items": [], "cut": 0 },
        "day": { "ok": { "begun": 1, "by_hand": 0, "unsaid": 0, "cut": false } },
        "acknowledged": { "ok": [{ "id": "1", "created": created, "at": at }] },
    }))
    .unwrap();
    let point = |value: &f64| Point { at: now(), value: *value, subject: None };
    let points = history.iter().map(point).collect();
    let history = History([("waiting".to_owned(), points)].into());
    let (options, target) = (Options::default(), Target::default());
    Backlog::assess(
        &evidence,
        &AssessCx::<Backlog> {
            now: now(),
            options: &options,
            target: &target,
            previous: None,
            history: &history,
            baseline: None,
        },
    )
}

fn codes(assessment: &Assessment) -> Vec<(&str, Severity)> {
    assessment.findings.iter().map(|found| (found.code.as_str(), found.severity)).collect()
}

#[test]
fn each_age_is_judged_to_the_second() {
    const HOUR: i64 = 3_600;
    let code = "support-customer-waiting";
    for (age, wanted) in [
        (12 * HOUR - 60, None),
        (12 * HOUR, None),
        (12 * HOUR + 1, Some(Severity::Warning)),
        (24 * HOUR - 60, Some(Severity::Warning)),
        (24 * HOUR, Some(Severity::Warning)),
        (24 * HOUR + 60, Some(Severity::Critical)),
    ] {
        let assessment = judged(&[age], Some(5), &[]);
        let wanted: Vec<_> = wanted.map(|severity| (code, severity)).into_iter().collect();
        assert_eq!(codes(&assessment), wanted, "{age} s");
    }
}

#[test]
fn three_rises_in_a_row_are_told_and_two_are_not() {
    let six = [60; 6];
    let rising = [("support-backlog-rising", Severity::Warning)];
    assert_eq!(codes(&judged(&six, Some(5), &[3.0, 4.0, 5.0])), rising);
    assert_eq!(codes(&judged(&six, Some(5), &[9.0, 3.0, 4.0, 5.0])), rising);
    for steady in [&[3.0, 4.0, 6.0][..], &[4.0, 4.0, 5.0], &[4.0, 5.0], &[], &[5.0, 4.0, 5.0]] {
        assert!(codes(&judged(&six, Some(5), steady)).is_empty(), "{steady:?}");
    }
    assert!(codes(&judged(&[60; 4], Some(5), &[1.0, 2.0, 3.0])).is_empty(), "a small backlog");
}

#[test]
fn an_acknowledgement_may_take_a_minute_and_no_second_more() {
    let late = [("support-acknowledgement-late", Severity::Warning)];
    assert!(codes(&judged(&[], Some(60), &[])).is_empty());
    assert_eq!(codes(&judged(&[], Some(61), &[])), late);
    assert_eq!(codes(&judged(&[], None, &[])), late);
}
