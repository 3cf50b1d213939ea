//! The edges of windows and thresholds, and what is carried from look to look.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::contract::{History, Severity};
use crate::probe::replay::{AutomationWorld, Replay, SeriesWorld, World};
use crate::probe::{Flow, Run, RunStatus};

const NOW: &str = "2026-11-23T09:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn flow(id: &str) -> Flow {
    Flow { id: id.to_owned(), name: id.to_owned(), active: true, ..Flow::default() }
}

fn series(every_s: i64, last_s: i64, runs: u32, failed: u32) -> SeriesWorld {
    SeriesWorld { flow: "a".to_owned(), last_s, every_s, runs, failed }
}

fn run(id: &str, ago_s: i64, status: RunStatus) -> Run {
    Run {
        id: id.to_owned(),
        flow: "a".to_owned(),
        status,
        started: now() - SignedDuration::from_secs(ago_s),
        stopped: None,
        recovered: false,
        retry_of: None,
        manual: false,
    }
}

async fn collect(
    world: AutomationWorld,
    at: Timestamp,
    carry: Option<past::Carry>,
) -> (Evidence, past::Carry) {
    let world = World { automation: Some(world), ..World::default() };
    let probes = Replay::new(world, at).unwrap().probes();
    let options = Options::default();
    let look = LookCx { now: at, options: &options, carry };
    Runs::collect(&look, &Target::default(), &probes).await.unwrap()
}

fn assess(
    evidence: &Evidence,
    at: Timestamp,
    baseline: Option<Evidence>,
) -> Vec<(String, Severity)> {
    let (options, target, history) = (Options::default(), Target::default(), History::default());
    let cx = AssessCx {
        now: at,
        options: &options,
        target: &target,
        previous: None,
        history: &history,
        baseline,
    };
    Runs::assess(evidence, &cx).findings.into_iter().map(|it| (it.code, it.severity)).collect()
}

async fn codes(world: AutomationWorld) -> Vec<String> {
    let (evidence, _) = collect(world, now(), None).await;
    assess(&evidence, now(), None).into_iter().map(|(code, _)| code).collect()
}

fn world(series: Vec<SeriesWorld>) -> AutomationWorld {
    AutomationWorld {
        flow: vec![flow("a")],
        series,
        expired: Some(Vec::new()),
        ..AutomationWorld::default()
    }
}

#[tokio::test]
async fn the_rate_has_its_edge_at_98_per_cent_and_its_sample_at_50_runs() {
    for (runs, failed, expected) in [
        (50, 1, &[][..]),
        (50, 2, &["automation-failing"][..]),
        (100, 2, &[]),
        (100, 3, &["automation-failing"]),
        (1000, 20, &[]),
        (1000, 21, &["automation-failing"]),
        // Below the sample an old failure is a warning, and a young one nothing.
        (49, 1, &["automation-run-failed"]),
        (49, 49, &["automation-run-failed"]),
    ] {
        // The oldest fail; 49 runs an hour apart reach two days back.
        assert_eq!(
            codes(world(vec![series(3600 / 2, 60, runs, failed)])).await,
            expected,
            "{runs} {failed}"
        );
    }
}

#[tokio::test]
async fn a_failed_run_waits_for_24_hours_before_it_is_told() {
    for (ago, expected) in [(86_399, 0), (86_400, 0), (86_401, 1)] {
        let mut world = world(vec![series(3600, 1800, 10, 0)]);
        world.run = vec![run("f", ago, RunStatus::Failed)];
        assert_eq!(codes(world).await.len(), expected, "{ago}");
    }
}

#[tokio::test]
async fn silence_begins_after_three_usual_gaps() {
    for (last, expected) in [(899, 0), (900, 0), (901, 1), (40_000, 1)] {
        assert_eq!(codes(world(vec![series(300, last, 40, 0)])).await.len(), expected, "{last}");
    }
    // Too few runs have no usual gap, unless the service declares one.
    assert!(codes(world(vec![series(300, 4000, 5, 0)])).await.is_empty());
    let mut declared = world(vec![series(300, 4000, 5, 0)]);
    declared.flow[0].every_s = Some(900);
    assert_eq!(codes(declared.clone()).await, ["automation-silent"]);
    declared.flow[0].updated = Some(now() - SignedDuration::from_secs(600));
    assert!(codes(declared).await.is_empty(), "a flow that was touched is given its time anew");
}

#[tokio::test]
async fn a_flow_that_rests_at_night_is_silent_when_it_rests_for_longer_than_it_used_to() {
    let nights = |last: i64| {
        let day = |n: i64| series(600, last + n * 86_400, 72, 0);
        let mut all = world(Vec::new());
        // Each day of twelve hours is a list of runs of its own; their ids must differ.
        all.run = (0..5)
            .flat_map(|n| (0..72).map(move |i| (n, i)))
            .map(|(n, i)| run(&format!("{n}-{i}"), day(n).last_s + i * 600, RunStatus::Succeeded))
            .collect();
        all
    };
    // The night takes 86400 - 71 * 600 = 43800 seconds, and a quarter more is 54750.
    for (last, expected) in [(3_000, 0), (43_800, 0), (54_750, 0), (54_751, 1)] {
        assert_eq!(codes(nights(last)).await.len(), expected, "{last}");
    }
}

#[tokio::test]
async fn a_retry_recovers_its_run_and_is_counted_once() {
    let mut world = world(vec![series(3600, 1800, 10, 0)]);
    let failed = run("f", 100_000, RunStatus::Failed);
    world.run = vec![failed.clone()];
    let (evidence, carry) = collect(world.clone(), now(), None).await;
    assert_eq!((evidence.flows.items[0].succeeded, evidence.flows.items[0].failed), (10, 1));
    let retry = Run { retry_of: Some("f".to_owned()), ..run("r", 0, RunStatus::Succeeded) };
    world.run.push(retry.clone());
    let at = now() + SignedDuration::from_secs(60);
    let (evidence, _) = collect(world.clone(), at, Some(carry)).await;
    assert_eq!((evidence.flows.items[0].succeeded, evidence.flows.items[0].failed), (11, 0));
    // The same by the mark that the service sets at the failed run, in any order.
    world.run = vec![retry, Run { recovered: true, ..failed }];
    let (evidence, _) = collect(world.clone(), now(), None).await;
    assert_eq!((evidence.flows.items[0].succeeded, evidence.flows.items[0].failed), (11, 0));
    // What somebody tries out while building is no run.
    world.run = vec![Run { manual: true, ..run("m", 90_000, RunStatus::Failed) }];
    let (evidence, _) = collect(world, now(), None).await;
    assert_eq!((evidence.flows.items[0].succeeded, evidence.flows.items[0].failed), (10, 0));
}

/// Looks every minute and every 7 minutes count what one look at everything counts.
#[tokio::test]
async fn what_is_carried_counts_like_a_look_at_everything() {
    let all: Vec<Run> = (0..600)
        .map(|n| {
            let status = if n % 11 == 0 { RunStatus::Failed } else { RunStatus::Succeeded };
            run(&n.to_string(), 100_000 - n * 37, status)
        })
        .collect();
    for step in [60, 420, 4000] {
        let mut carry: Option<past::Carry> = None;
        let mut at = now() - SignedDuration::from_secs(100_000);
        let mut last = None;
        while at <= now() {
            let mut there = world(Vec::new());
            there.run = all.iter().filter(|run| run.started <= at).cloned().collect();
            let (evidence, next) = collect(there, at, carry.take()).await;
            carry = Some(next);
            last = Some(evidence);
            at += SignedDuration::from_secs(step);
        }
        let flow = &last.unwrap().flows.items[0];
        let mut there = world(Vec::new());
        there.run = all.clone();
        let (whole, _) = collect(there, now(), None).await;
        let expected = &whole.flows.items[0];
        assert_eq!((flow.succeeded, flow.failed), (expected.succeeded, expected.failed), "{step}");
        assert_eq!((flow.usual_s, flow.last), (expected.usual_s, expected.last), "{step}");
    }
}

#[tokio::test]
async fn a_run_that_has_not_ended_is_counted_when_it_has() {
    let mut world = world(vec![series(600, 3600, 10, 0)]);
    world.run = vec![run("slow", 3000, RunStatus::Running)];
    let (evidence, mut carry) = collect(world.clone(), now(), None).await;
    assert_eq!(evidence.flows.items[0].succeeded, 10);
    for minute in 1..=3 {
        if minute == 2 {
            world.run[0].status = RunStatus::Failed;
        }
        let at = now() + SignedDuration::from_mins(minute);
        let mut shifted = world.clone();
        shifted.series[0].last_s += minute * 60;
        let (evidence, next) = collect(shifted, at, Some(carry)).await;
        carry = next;
        let flow = &evidence.flows.items[0];
        assert_eq!((flow.succeeded, flow.failed), (10, u64::from(minute >= 2)), "{minute}");
    }
}

#[tokio::test]
async fn off_and_edited_are_told_against_the_baseline_or_an_earlier_look() {
    let on = world(vec![series(300, 60, 40, 0)]);
    let mut off = on.clone();
    off.flow[0].active = false;
    let critical = vec![("automation-switched-off".to_owned(), Severity::Critical)];
    let warning = vec![("automation-switched-off".to_owned(), Severity::Warning)];
    let (was_on, carry) = collect(on.clone(), now(), None).await;
    let (is_off, _) = collect(off.clone(), now(), None).await;
    assert_eq!(assess(&is_off, now(), None), warning, "a first look knows the runs alone");
    assert_eq!(assess(&is_off, now(), Some(was_on.clone())), critical);
    assert!(assess(&is_off, now(), Some(is_off.clone())).is_empty(), "it was off in the baseline");
    let mut carry = Some(carry);
    for minute in 1..4 {
        let at = now() + SignedDuration::from_mins(minute);
        let (seen, next) = collect(off.clone(), at, carry.take()).await;
        assert_eq!(assess(&seen, at, None), critical, "it stays told");
        carry = Some(next);
    }
    let mut edited = on.clone();
    edited.flow[0].definition = Some("b".to_owned());
    let mut before = on;
    before.flow[0].definition = Some("a".to_owned());
    let (then, carry) = collect(before, now(), None).await;
    let told = vec![("automation-edited".to_owned(), Severity::Warning)];
    let (seen, carry) = collect(edited.clone(), now(), Some(carry)).await;
    assert_eq!(assess(&seen, now(), None), told);
    assert_eq!(assess(&seen, now(), Some(then)), told);
    let (seen, _) = collect(edited, now(), Some(carry)).await;
    let later = now() + SignedDuration::from_hours(24);
    assert!(!assess(&seen, later, None).contains(&told[0]), "after a day it is how things are");
    let gone = Evidence { flows: Bounded::default(), ..was_on.clone() };
    assert_eq!(assess(&gone, now(), Some(was_on)), critical);
}

#[test]
fn the_carry_of_many_flows_stays_small() {
    let mut flows = BTreeMap::new();
    for n in 0..100 {
        let mut past = past::Past::default();
        let runs = (0..5000).map(|i| run(&format!("{i}"), i * 500, RunStatus::Failed)).collect();
        past.add(runs);
        flows.insert(n.to_string(), past);
    }
    let carry = past::Carry { flows, ..past::Carry::default() };
    assert!(serde_json::to_string(&carry).unwrap().len() < 1024 * 1024);
}
