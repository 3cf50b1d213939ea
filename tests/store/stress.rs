//! Random lives, and commits that end in the middle.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::FixedClock;
use launchready::incident::{ChannelRule, Sight, State};
use launchready::store::{
    AttemptOutcome, Claimed, DeliveryState, Finished, IncidentFilter, JobSpec,
};
use launchready_checks::contract::{Status, Urgency};

use crate::bench::{Bench, LEASE, at, blind, channel, finding, job, later, run, silence, sleeper};

/// Lets a future run until it has waited so often, and drops it then.
async fn drop_after<F: Future>(future: F, waits: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = waits;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

pub(crate) async fn a_commit_that_is_dropped_anywhere_leaves_all_or_nothing(bench: Bench) {
    let start = at("10:00:00");
    let (mut whole, mut nothing, mut waits) = (0, 0, 0);
    bench.harbor(&["web"], start).await;
    for round in 0.. {
        assert!(round < 1000, "the commit never ends");
        let now = later(start, 7200 * i64::from(round));
        let mut done = run("harbor", "web", now, vec![finding("web-down", "www")]);
        done.evidence = Some((1, serde_json::json!({ "round": round })));
        done.assessment.measure(crate::bench::measured("time", None, 1.0));
        let ended = drop_after(bench.store.commit(&[done.clone()], &bench.book), waits).await;
        // The next one who writes comes after whatever the dropped commit still does.
        bench.store.put("after", "it").await.unwrap();
        let latest = bench.store.latest(None).await.unwrap().remove(0);
        let is_stored = latest.at == Some(now);
        let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
        let waiting = bench.claim(later(now, 60)).await;
        let hours = bench.store.history("harbor", "web", now).await.unwrap();
        let evidence = bench.previous("web", now).await.unwrap();
        assert_eq!(open.len(), usize::from(is_stored), "after {waits} waits");
        assert_eq!(waiting.len(), usize::from(is_stored), "after {waits} waits");
        assert_eq!(evidence["round"] == round, is_stored, "after {waits} waits");
        assert_eq!(hours.is_empty(), !is_stored, "after {waits} waits");
        let again = bench.commit(done).await;
        assert_ne!(again.stored, is_stored, "after {waits} waits");
        if is_stored {
            whole += 1;
        } else {
            nothing += 1;
        }
        // Everything is mended before the next one.
        let claimed = if is_stored { waiting } else { bench.claim(later(now, 60)).await };
        bench.sent(&claimed[0], later(now, 61)).await;
        bench
            .store
            .resolve(&again_id(&bench).await, "Ada", &bench.book, later(now, 62))
            .await
            .unwrap();
        let over = bench.claim(later(now, 120)).await;
        bench.sent(&over[0], later(now, 121)).await;
        if ended.is_none() {
            waits += 1;
            continue;
        }
        assert!(is_stored);
        // A server answers sooner or later, so that a commit waits more or less often.
        if nothing > 5 {
            break;
        }
        waits = 0;
    }
    assert!(whole > 0 && nothing > 5, "{whole} whole, {nothing} nothing");
}

async fn again_id(bench: &Bench) -> String {
    bench.store.incidents(&IncidentFilter::default()).await.unwrap().remove(0).id
}

/// A small generator: the same seed makes the same life.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.roll(all.len() as u64)).unwrap()]
    }
}

const PROJECTS: [&str; 3] = ["harbor", "meadow", "quay"];
const CHECKS: [&str; 3] = ["dns", "mail", "web"];

/// What a life has shown so far.
#[derive(Debug, Default)]
struct Seen {
    /// The notification under which a channel was told a change.
    ids: BTreeMap<(String, i64), String>,
    /// Changes in the order in which a channel accepted them.
    accepted: BTreeMap<String, Vec<(String, i64)>>,
}

impl Seen {
    fn claimed(&mut self, claims: &[Claimed]) {
        for claim in claims {
            assert!(!claim.notification.told.is_empty(), "an empty message");
            for told in &claim.notification.told {
                let key = (claim.delivery.channel.clone(), told.change);
                let id = &claim.notification.id;
                let before = self.ids.entry(key).or_insert_with(|| id.clone());
                assert_eq!(before, id, "a change has two ids for one channel");
            }
        }
    }

    fn accepted(&mut self, claim: &Claimed) {
        let list = self.accepted.entry(claim.delivery.channel.clone()).or_default();
        for told in &claim.notification.told {
            list.push((told.incident.id.clone(), told.change));
        }
    }
}

fn random_run(dice: &mut Dice, project: &str, check: &str, now: Timestamp) -> Finished {
    let mut found = Vec::new();
    for code in ["down", "slow", "old"] {
        if dice.roll(3) == 0 {
            let mut finding = finding(&format!("{check}-{code}"), &format!("{code}.example"));
            finding.certain = dice.roll(2) == 0;
            if dice.roll(4) == 0 {
                finding.urgency = Urgency::Now;
            }
            found.push(finding);
        }
    }
    match dice.roll(10) {
        0 => blind(project, check, now),
        1 => {
            let mut skipped = run(project, check, now, Vec::new());
            skipped.status = Status::Skipped;
            skipped.seen.sight = Sight::Skipped;
            skipped
        }
        _ => run(project, check, now, found),
    }
}

/// One step of sending: some deliveries are accepted, some not, and some agents die in between.
async fn send(dice: &mut Dice, bench: &Bench, seen: &mut Seen, now: Timestamp) {
    let agent = *dice.one_of(&["one", "two"]);
    let claims = bench.store.claim(agent, &[], now, LEASE).await.unwrap();
    seen.claimed(&claims);
    for claim in &claims {
        let error = "no".to_owned();
        let outcome = match dice.roll(8) {
            0 => continue,
            1 => AttemptOutcome::Retry { at: later(now, 40), error },
            2 => AttemptOutcome::Failed { error },
            _ => AttemptOutcome::Sent,
        };
        if outcome == AttemptOutcome::Sent {
            seen.accepted(claim);
        }
        let fallback = (claim.delivery.channel != "last").then_some("last");
        bench.record(claim, now, outcome, fallback).await;
    }
}

async fn live(seed: u64, mut bench: Bench) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    bench.book.channels = vec![
        channel("founder"),
        sleeper("partner"),
        ChannelRule { ungrouped: true, ..channel("pager") },
        ChannelRule { projects: vec!["quay".to_owned()], ..channel("last") },
    ];
    let jobs: Vec<JobSpec> = PROJECTS
        .iter()
        .flat_map(|project| CHECKS.iter().map(|check| job(project, check)))
        .collect();
    let mut now = at("04:00:00");
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let mut seen = Seen::default();
    for _ in 0..150 {
        now = later(now, i64::try_from(dice.roll(90)).unwrap());
        match dice.roll(12) {
            0 => drop(bench.store.wake(&bench.book, &FixedClock(now)).await.unwrap()),
            1 => {
                let until = later(now, 300);
                let project = *dice.one_of(&PROJECTS);
                bench.store.add_silence(&silence(project, now, until)).await.unwrap();
            }
            2 => {
                let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
                if !open.is_empty() {
                    let id = &dice.one_of(&open).id;
                    let _ = bench.store.acknowledge(id, "Ada", "", &bench.book, now).await;
                }
            }
            // The agent dies and another one goes on with the same file.
            3 => bench.store = bench.second().await,
            4 | 5 => send(&mut dice, &bench, &mut seen, now).await,
            _ => {
                let done = random_run(&mut dice, dice_project(seed, now), dice_check(now), now);
                let runs = [done.clone(), done];
                let waits = usize::try_from(dice.roll(60)).unwrap();
                // Some commits end in the middle, and then the run is stored again.
                if dice.roll(3) == 0 {
                    drop_after(bench.store.commit(&runs[..1], &bench.book), waits).await;
                }
                let stored = bench.store.commit(&runs, &bench.book).await.unwrap();
                assert!(!stored[1].stored, "one run was stored twice");
            }
        }
    }
    finish(&bench, &mut seen, now).await;
}

/// A project and a check that differ from step to step.
fn dice_project(seed: u64, now: Timestamp) -> &'static str {
    PROJECTS[usize::try_from((now.as_second().unsigned_abs() / 7 + seed) % 3).unwrap()]
}

fn dice_check(now: Timestamp) -> &'static str {
    CHECKS[usize::try_from((now.as_second().unsigned_abs() / 3) % 3).unwrap()]
}

/// Lets everything go out, and looks whether each promise was kept.
async fn finish(bench: &Bench, seen: &mut Seen, mut now: Timestamp) {
    now = later(now, 6 * 3600);
    loop {
        let claims = bench.store.claim("one", &[], now, Duration::from_mins(1)).await.unwrap();
        if claims.is_empty() {
            break;
        }
        seen.claimed(&claims);
        for claim in &claims {
            seen.accepted(claim);
            bench.sent(claim, now).await;
        }
    }
    let counts = bench.store.outbox().await.unwrap();
    assert!(counts.iter().all(|count| count.state != DeliveryState::Pending), "{counts:?}");
    let filter = IncidentFilter {
        states: vec![State::Open, State::Acknowledged, State::Suspected, State::Resolved],
        limit: 10_000,
        ..IncidentFilter::default()
    };
    let mut unresolved = BTreeMap::new();
    for incident in bench.store.incidents(&filter).await.unwrap() {
        let record = bench.store.incident(&incident.id).await.unwrap().unwrap();
        if incident.state != State::Resolved {
            *unresolved.entry(incident.key.clone()).or_insert(0) += 1;
        }
        for change in &record.changes {
            let is_told = change.notification.is_some();
            assert_ne!(is_told, change.unheard.is_some(), "told or said why not: {change:?}");
        }
    }
    assert!(unresolved.values().all(|count| *count == 1), "{unresolved:?}");
    // A channel that neither sleeps nor stands in for others hears each life in its order.
    for name in ["founder", "pager"] {
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        for (incident, change) in seen.accepted.get(name).into_iter().flatten() {
            let before = last.insert(incident, *change);
            assert!(before.is_none_or(|before| before <= *change), "{name}: {incident} {change}");
        }
    }
    assert!(seen.accepted.contains_key("founder"), "nothing was told at all");
}

pub(crate) async fn random_lives_keep_every_promise(bench: Bench) {
    for seed in 1..=12 {
        println!("seed {seed}");
        live(seed, bench.another().await).await;
    }
}
