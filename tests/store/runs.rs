//! Runs: stored once, with their spans, evidence, figures and points.

use std::time::Duration;

use launchready::clock::FixedClock;
use launchready::store::{Approved, JobKey};
use launchready_checks::contract::Status;
use serde_json::json;

use crate::bench::{Bench, at, blind, finding, job, key, later, measured, run};

fn dns() -> JobKey {
    key("harbor", "dns")
}

pub(crate) async fn a_run_is_stored_once_for_each_due_time(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns"], now).await;
    let done = run("harbor", "dns", now, vec![finding("no-record", "www")]);
    let first = bench.commit(done.clone()).await;
    assert!(first.stored);
    assert_eq!(first.changes.len(), 1);
    assert_eq!(first.next_due, later(now, 300));
    let mut late = done;
    late.started_at = later(now, 5);
    let second = bench.commit(late).await;
    assert!(!second.stored && second.changes.is_empty());
    assert_eq!(second.next_due, later(now, 300));
    let spans = bench.store.spans("harbor", "dns", at("00:00:00")).await.unwrap();
    assert_eq!(spans.iter().map(|span| span.runs).sum::<u64>(), 2);
    let nobody = bench.commit(run("harbor", "nothing", now, Vec::new())).await;
    assert!(!nobody.stored);
}

pub(crate) async fn runs_that_end_alike_extend_one_span_and_others_begin_one(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns"], now).await;
    for minute in 0..5 {
        bench.commit(run("harbor", "dns", later(now, 60 * minute), Vec::new())).await;
    }
    bench.commit(blind("harbor", "dns", later(now, 300))).await;
    let mut other = blind("harbor", "dns", later(now, 360));
    other.reason = Some(("forbidden".to_owned(), "grant it".to_owned()));
    bench.commit(other).await;
    let spans = bench.store.spans("harbor", "dns", at("00:00:00")).await.unwrap();
    let seen: Vec<_> =
        spans.iter().map(|span| (span.status, span.runs, span.reason.as_deref())).collect();
    let wanted = [
        (Status::Pass, 6, None),
        (Status::Unknown, 1, Some("no answer")),
        (Status::Unknown, 1, Some("forbidden")),
    ];
    assert_eq!(seen, wanted);
    assert_eq!((spans[0].from, spans[0].to), (later(now, -3600), later(now, 240)));
    let newer = bench.store.spans("harbor", "dns", later(now, 300)).await.unwrap();
    assert_eq!(newer.len(), 2);
    let latest = bench.store.latest(Some("harbor")).await.unwrap();
    assert_eq!(latest[0].status, Status::Unknown);
    assert_eq!(latest[0].since, Some(later(now, 300)), "the reason changed, the status did not");
    assert_eq!(latest[0].reason, Some(("forbidden".to_owned(), "grant it".to_owned())));
}

pub(crate) async fn the_next_run_is_given_evidence_carry_and_history(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns"], now).await;
    for (step, value) in [(0, 1.0), (1, 2.0), (2, 3.0)] {
        let mut done = run("harbor", "dns", later(now, 60 * step), Vec::new());
        done.evidence = Some((3, json!({"z": step, "a": {"b": [1, 2]}, "total_ms": value})));
        done.carry = Some(json!({"mark": step}));
        done.windows = vec![("age".to_owned(), Duration::from_secs(150))];
        done.assessment.measure(measured("age", Some("ns1"), value));
        done.assessment.measure(measured("size", None, value));
        bench.commit(done).await;
    }
    let inputs = bench.inputs(&dns(), later(now, 170)).await;
    let (version, evidence) = inputs.previous.unwrap();
    assert_eq!((version, &evidence["z"]), (3, &json!(2)));
    assert_eq!(inputs.carry, Some(json!({"mark": 2})));
    let values: Vec<f64> = inputs.history.of("age").iter().map(|point| point.value).collect();
    assert_eq!(values, [2.0, 3.0], "the oldest is outside the window");
    assert_eq!(inputs.history.of("age")[0].subject.as_deref(), Some("ns1"));
    assert_eq!(inputs.history.of("age")[0].at, later(now, 60));
    assert!(inputs.history.of("size").is_empty(), "it has no window");
    let nobody = bench.inputs(&key("harbor", "none"), now).await;
    assert_eq!(nobody, launchready::store::RunInputs::default());
}

pub(crate) async fn runs_that_begin_together_are_given_what_is_theirs_in_their_order(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "mail", "web"], now).await;
    for (check, size) in [("web", 2.0), ("dns", 1.0)] {
        let mut done = run("harbor", check, now, Vec::new());
        done.evidence = Some((1, json!({"of": check})));
        done.carry = Some(json!({"size": size}));
        done.windows = vec![("size".to_owned(), Duration::from_hours(1))];
        done.assessment.measure(measured("size", None, size));
        bench.commit(done).await;
    }
    let keys = ["web", "none", "mail", "dns"].map(|check| key("harbor", check));
    let all = bench.store.run_inputs(&keys, later(now, 1)).await.unwrap();
    let told = all.into_iter().map(Result::unwrap).map(|inputs| {
        let points = inputs.history.of("size").iter().map(|point| point.value).collect::<Vec<_>>();
        (
            inputs.previous.and_then(|(_, evidence)| evidence.get("of").cloned()),
            inputs.carry,
            points,
        )
    });
    let of = |check: &str, size| (Some(json!(check)), Some(json!({"size": size})), vec![size]);
    let nothing = || (None, None, Vec::new());
    assert_eq!(told.collect::<Vec<_>>(), [of("web", 2.0), nothing(), nothing(), of("dns", 1.0)]);
    assert!(bench.store.run_inputs(&[], now).await.unwrap().is_empty());
}

pub(crate) async fn the_next_run_is_given_what_was_approved_last(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    let approved = |check: &str, minute: i64, mark: u32| Approved {
        project: "harbor".to_owned(),
        check: check.to_owned(),
        version: 2,
        evidence: json!({"mark": mark}),
        at: later(now, 60 * minute),
        by: "Ada".to_owned(),
        note: String::new(),
    };
    bench.store.approve(&[approved("dns", 0, 1), approved("web", 0, 2)]).await.unwrap();
    bench.store.approve(&[approved("dns", 5, 3)]).await.unwrap();
    let other = Approved { project: "quay".to_owned(), ..approved("dns", 9, 4) };
    bench.store.approve(&[other]).await.unwrap();
    let inputs = bench.inputs(&dns(), later(now, 600)).await;
    assert_eq!(inputs.baseline, Some((2, json!({"mark": 3}))));
    let all = bench.store.approved("harbor").await.unwrap();
    assert_eq!(all, [approved("dns", 5, 3), approved("web", 0, 2)]);
    // What counts stays, however old; what was replaced goes after its time.
    let years = later(now, 3 * 365 * 86_400);
    bench.store.roll_up(years, Duration::from_hours(24)).await.unwrap();
    assert_eq!(bench.store.approved("harbor").await.unwrap(), all);
}

pub(crate) async fn a_run_that_cannot_look_keeps_what_an_earlier_one_saw(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns"], now).await;
    let mut done = run("harbor", "dns", now, Vec::new());
    done.carry = Some(json!({"mark": 7}));
    done.assessment
        .find(launchready_checks::contract::FindingSpec::critical("x", "X", "Why.").finding("www"));
    bench.commit(done).await;
    assert_eq!(bench.store.latest(None).await.unwrap()[0].assessment.findings.len(), 1);
    bench.commit(blind("harbor", "dns", later(now, 60))).await;
    let inputs = bench.inputs(&dns(), later(now, 70)).await;
    assert_eq!(inputs.carry, Some(json!({"mark": 7})));
    assert_eq!(inputs.previous, Some((1, json!({"findings": 0}))));
    let latest = bench.store.latest(None).await.unwrap();
    assert!(latest[0].assessment.findings.is_empty());
}

pub(crate) async fn measurements_become_hourly_figures(bench: Bench) {
    let now = at("10:00:00");
    bench.store.sync_jobs(&[job("harbor", "dns")], &FixedClock(now)).await.unwrap();
    for minute in 0..120 {
        let mut done = run("harbor", "dns", later(now, 60 * minute), Vec::new());
        done.assessment.measure(measured("time", Some("www"), (minute + 1) as f64));
        bench.commit(done).await;
    }
    // The clock is put back by an hour: the values join the hour that is over.
    let mut again = run("harbor", "dns", later(now, 7300), Vec::new());
    again.started_at = later(now, 3590);
    again.assessment.measure(measured("time", Some("www"), 600.0));
    bench.commit(again).await;
    let hours = bench.store.history("harbor", "dns", at("00:00:00")).await.unwrap();
    assert_eq!(hours.len(), 2, "{hours:?}");
    assert_eq!((hours[0].hour, hours[1].hour), (at("10:00:00"), at("11:00:00")));
    assert_eq!((hours[0].count, hours[0].min, hours[0].max), (61, 1.0, 600.0));
    assert_eq!((hours[1].count, hours[1].min, hours[1].max), (60, 61.0, 120.0));
    assert!((hours[1].mean - 90.5).abs() < 1e-9);
    assert!((hours[1].p95 - 117.0).abs() / 117.0 < 0.05, "{}", hours[1].p95);
    let newest = bench.store.history("harbor", "dns", at("11:30:00")).await.unwrap();
    assert_eq!(newest.len(), 1);
    let latest = bench.store.latest(None).await.unwrap();
    assert!((latest[0].assessment.measurements[0].value - 600.0).abs() < f64::EPSILON);
}

pub(crate) async fn values_that_are_no_number_are_left_out(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns"], now).await;
    let mut done = run("harbor", "dns", now, Vec::new());
    done.windows = vec![("time".to_owned(), Duration::from_hours(1))];
    for value in [f64::NAN, f64::INFINITY, 4.0] {
        done.assessment.measure(measured("time", None, value));
    }
    bench.commit(done).await;
    let latest = bench.store.latest(None).await.unwrap();
    assert_eq!(latest[0].assessment.measurements.len(), 1);
    let inputs = bench.inputs(&dns(), later(now, 5)).await;
    assert_eq!(inputs.history.of("time").len(), 1);
    let hours = bench.store.history("harbor", "dns", at("00:00:00")).await.unwrap();
    assert_eq!((hours[0].count, hours[0].max), (1, 4.0));
}
