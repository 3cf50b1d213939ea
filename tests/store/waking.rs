//! Time that passes in more projects than are read at once.

use std::sync::atomic::Ordering;

use launchready::clock::FixedClock;
use launchready::store::{Finished, IncidentFilter, JobSpec};

use crate::bench::{Bench, at, finding, job, later, run};
use crate::silent::by_proxy;

/// More than a server is asked for with one question.
const PROJECTS: u64 = 250;

/// Has each project see something wrong, for the first time.
async fn troubled(bench: &Bench) {
    let (before, now) = (at("09:00:00"), at("10:00:00"));
    let names: Vec<String> = (0..PROJECTS).map(|number| format!("project-{number:03}")).collect();
    let jobs: Vec<JobSpec> = names.iter().map(|name| job(name, "web")).collect();
    bench.store.sync_jobs(&jobs, &FixedClock(before)).await.unwrap();
    for (time, is_down) in [(before, false), (now, true)] {
        let found = || if is_down { vec![finding("web-down", "www")] } else { Vec::new() };
        let runs: Vec<Finished> =
            names.iter().map(|name| run(name, "web", time, found())).collect();
        let became = bench.store.commit(&runs, &bench.book).await.unwrap();
        assert!(became.iter().all(|became| became.stored));
    }
}

pub(crate) async fn time_passes_in_many_projects_at_once(bench: Bench) {
    let now = at("10:00:00");
    troubled(&bench).await;
    let wake = async |second| {
        bench.store.wake(&bench.book, &FixedClock(later(now, second))).await.unwrap()
    };
    assert_eq!(wake(60).await, 0);
    assert_eq!(wake(5 * 3600).await, PROJECTS, "each is reminded of its own");
    assert_eq!(wake(5 * 3600 + 60).await, 0);
    let filter = IncidentFilter { limit: 1_000, ..IncidentFilter::default() };
    let incidents = bench.store.incidents(&filter).await.unwrap();
    assert_eq!(incidents.len() as u64, PROJECTS);
    for incident in incidents {
        let record = bench.store.incident(&incident.id).await.unwrap().unwrap();
        let kinds: Vec<_> = record.changes.iter().map(|change| change.kind.as_str()).collect();
        assert_eq!(kinds, ["opened", "reminded"], "{:?}", incident.key);
    }
}

#[tokio::test]
async fn projects_on_a_server_are_asked_for_by_many_at_once() {
    let test = "projects_on_a_server_are_asked_for_by_many_at_once";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    troubled(&bench).await;
    let (proxy, store) = by_proxy(&bench).await;
    let before = proxy.asked.load(Ordering::Relaxed);
    assert_eq!(store.wake(&bench.book, &FixedClock(at("10:01:00"))).await.unwrap(), 0);
    let asked = proxy.asked.load(Ordering::Relaxed) - before;
    assert!(asked < PROJECTS / 4, "{asked} questions about {PROJECTS} projects");
}
