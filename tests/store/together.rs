//! Agents on one server that do the same at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use launchready::clock::FixedClock;
use launchready::incident::State;
use launchready::store::{Attempt, AttemptOutcome, IncidentFilter, JobSpec};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::bench::{Bench, LEASE, at, channel, finding, job, later, run, told};
use crate::postgres::SOON;

/// The checks of a project whose runs are stored by all agents at once.
const CHECKS: [&str; 6] = ["crm", "dns", "mail", "orders", "tls", "web"];

#[tokio::test]
async fn agents_that_store_the_same_at_once_open_each_incident_once() {
    let test = "agents_that_store_the_same_at_once";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let now = at("10:00:00");
    let projects = ["harbor", "meadow", "quay"];
    let jobs: Vec<JobSpec> = projects
        .iter()
        .flat_map(|project| CHECKS.iter().map(|check| job(project, check)))
        .collect();
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let mut agents = JoinSet::new();
    for agent in 0..4_usize {
        let (store, book) = (bench.second().await, bench.book.clone());
        agents.spawn(async move {
            let mut stored = Vec::new();
            for round in 0..6 {
                let time = later(now, 300 * round);
                // Each agent has them in another order, and each batch is over several projects.
                let mut runs = Vec::new();
                for number in 0..projects.len() * CHECKS.len() {
                    let place =
                        (number * (2 * agent + 1) + agent) % (projects.len() * CHECKS.len());
                    let (project, check) =
                        (projects[place % projects.len()], CHECKS[place / projects.len()]);
                    let found = vec![finding(&format!("{check}-down"), "www")];
                    let mut done = run(project, check, time, found);
                    // The evidence of each round takes the place of that of the round before.
                    done.evidence = Some((1, serde_json::json!({ "round": round })));
                    runs.push(done);
                }
                for part in runs.chunks(7) {
                    let became = store.commit(part, &book).await.unwrap();
                    let new = became.into_iter().filter(|became| became.stored);
                    stored.extend(new.map(|became| (became.key, round)));
                }
            }
            store.wake(&book, &FixedClock(later(now, 9 * 3600))).await.unwrap();
            stored
        });
    }
    let stored = timeout(SOON * 2, agents.join_all()).await.expect("nobody waits for ever");
    let stored: Vec<_> = stored.into_iter().flatten().collect();
    let different: BTreeSet<_> = stored.iter().collect();
    assert_eq!((stored.len(), different.len()), (108, 108), "each run is stored once");
    let filter = IncidentFilter {
        states: vec![State::Suspected, State::Open, State::Acknowledged, State::Resolved],
        limit: 1000,
        ..IncidentFilter::default()
    };
    let incidents = bench.store.incidents(&filter).await.unwrap();
    let keys: BTreeSet<_> = incidents.iter().map(|incident| &incident.key).collect();
    assert_eq!((incidents.len(), keys.len()), (18, 18));
    for incident in &incidents {
        let record = bench.store.incident(&incident.id).await.unwrap().unwrap();
        let kinds: Vec<_> = record.changes.iter().map(|change| change.kind.as_str()).collect();
        assert_eq!(kinds, ["opened", "reminded"], "{:?}", incident.key);
    }
    for project in projects {
        for check in CHECKS {
            let spans = bench.store.spans(project, check, at("00:00:00")).await.unwrap();
            assert_eq!((spans.len(), spans[0].runs), (1, 6), "{project} {check}");
        }
    }
    let (cluster, database) = bench.server();
    let evidence = "select count(*)::text from launchready.evidence";
    bench.store.roll_up(later(now, 3600), Duration::from_hours(24)).await.unwrap();
    // That of the first round is pointed to by each incident, that of the last by each job.
    assert_eq!(cluster.value_in(database, evidence).await, "2");
}

#[tokio::test]
async fn agents_that_send_at_once_tell_each_change_once_and_in_its_order() {
    let test = "agents_that_send_at_once";
    let Some(mut bench) = Bench::on_postgres(test).await else { return };
    bench.book.channels = vec![channel("founder"), channel("ops"), channel("last")];
    let now = at("10:00:00");
    bench.harbor(&CHECKS, now).await;
    let mut agents = JoinSet::new();
    // Two store what opens and closes, two send what is due, and some of it fails.
    for part in 0..2_usize {
        let (store, book) = (bench.second().await, bench.book.clone());
        agents.spawn(async move {
            for round in 0..20 {
                let time = later(now, 300 * round);
                for check in &CHECKS[part * 3..part * 3 + 3] {
                    let found = if round % 2 == 0 { vec![finding("down", check)] } else { vec![] };
                    store.commit(&[run("harbor", check, time, found)], &book).await.unwrap();
                }
            }
            Vec::new()
        });
        let store = bench.second().await;
        agents.spawn(async move {
            let mut heard = Vec::new();
            let name = format!("agent-{part}");
            for step in 0..200_i64 {
                let time = later(now, 30 * step);
                for claim in store.claim(&name, &[], time, LEASE).await.unwrap() {
                    let id = claim.delivery.id.clone();
                    let fails = claim.delivery.channel == "ops" && claim.delivery.attempts % 2 == 1;
                    let outcome = if fails {
                        AttemptOutcome::Failed { error: "no\0pe".to_owned() }
                    } else {
                        AttemptOutcome::Sent
                    };
                    let attempt = Attempt { at: time, duration: Duration::from_millis(1), outcome };
                    let fallback = fails.then_some("last");
                    store.record_attempt(&name, &id, &attempt, fallback).await.unwrap();
                    heard.push((claim, fails));
                }
                tokio::task::yield_now().await;
            }
            heard
        });
    }
    let heard = timeout(SOON * 2, agents.join_all()).await.expect("nobody waits for ever");
    let mut heard: Vec<_> = heard.into_iter().flatten().collect();
    let end = later(now, 9 * 3600);
    loop {
        let claims = bench.store.claim("one", &[], end, LEASE).await.unwrap();
        if claims.is_empty() {
            break;
        }
        for claim in claims {
            bench.sent(&claim, end).await;
            heard.push((claim, false));
        }
    }
    let mut once = BTreeMap::new();
    for (claim, _) in &heard {
        assert!(!told(claim).is_empty(), "an empty message");
        for told in &claim.notification.told {
            // Their clocks differ by more than a lease: what is sent twice is the same message.
            let id = &claim.notification.id;
            let before = once.entry((claim.delivery.channel.clone(), told.change)).or_insert(id);
            assert_eq!(*before, id, "{} {}", claim.delivery.channel, told.change);
        }
    }
    let counts = bench.store.outbox().await.unwrap();
    assert!(counts.iter().all(|count| count.state.as_str() != "pending"), "{counts:?}");
    let founder = once.keys().filter(|(channel, _)| channel == "founder").count();
    let last = once.keys().filter(|(channel, _)| channel == "last").count();
    assert!(founder > 0 && founder == last, "{founder} {last}: each channel hears of everything");
}

#[tokio::test]
async fn an_agent_that_dies_leaves_its_jobs_to_the_other_and_its_late_run_changes_nothing() {
    let test = "an_agent_that_dies_leaves_its_jobs";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let now = at("10:00:00");
    let jobs: Vec<JobSpec> = CHECKS.iter().map(|check| job("harbor", check)).collect();
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    let second = bench.second().await;
    let first = bench.store.take_due("one", now, LEASE, 4).await.unwrap();
    let rest = second.take_due("two", now, LEASE, 9).await.unwrap();
    assert_eq!((first.len(), rest.len()), (4, 2));
    let again = second.take_due("two", later(now, 61), LEASE, 9).await.unwrap();
    assert_eq!(again.len(), 6, "what nobody came back for, its own too");
    let seen = run("harbor", &first[0].key.check, now, vec![finding("down", "www")]);
    assert!(second.commit(std::slice::from_ref(&seen), &bench.book).await.unwrap()[0].stored);
    let late = bench.store.commit(&[seen], &bench.book).await.unwrap().remove(0);
    assert!(!late.stored && late.changes.is_empty(), "{late:?}");
    assert_eq!(bench.store.incidents(&IncidentFilter::default()).await.unwrap().len(), 1);
}
