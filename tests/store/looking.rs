//! Incidents: from a look, from blindness, by hand, and how they are read.

use launchready::clock::FixedClock;
use launchready::incident::{ChangeKind, Incident, State};
use launchready::store::{IncidentFilter, StoreError};
use launchready_checks::contract::Severity;

use crate::bench::{Bench, LEASE, at, blind, finding, job, later, run};

pub(crate) async fn a_suspected_finding_is_looked_at_again_and_then_opens_one_incident(
    bench: Bench,
) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let mut doubtful = finding("web-slow", "www");
    doubtful.certain = false;
    let first = bench.commit(run("harbor", "web", now, vec![doubtful.clone()])).await;
    assert!(first.stored && first.changes.is_empty());
    assert_eq!(first.next_due, later(now, 30));
    let due = bench.store.take_due("one", later(now, 30), LEASE, 10).await.unwrap();
    assert!(due[0].early && !due[0].first);
    assert!(bench.store.incidents(&IncidentFilter::default()).await.unwrap().is_empty());
    let second = bench.commit(run("harbor", "web", later(now, 30), vec![doubtful.clone()])).await;
    assert_eq!(second.changes.len(), 1);
    let (kind, id) = &second.changes[0];
    assert_eq!(*kind, ChangeKind::Opened);
    assert!(id.starts_with("inc_") && id.len() == 24, "{id}");
    let third = bench.commit(run("harbor", "web", later(now, 60), vec![doubtful])).await;
    assert!(third.changes.is_empty());
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].id, *id);
    assert_eq!((open[0].first_seen, open[0].last_seen), (now, later(now, 60)));
    assert_eq!(open[0].last_good, Some(later(now, -3600)));
}

pub(crate) async fn a_recovery_has_a_check_look_again_that_is_under_way(bench: Bench) {
    let now = at("10:00:00");
    let (up, tls) = ("web-uptime", "tls-certificate");
    let cut = || vec![finding("certificate-handshake-failed", "app.harbor.example")];
    bench.harbor(&[up, tls], now).await;
    let down = finding("endpoint-down", "app.harbor.example");
    bench.commit(run("harbor", up, now, vec![down])).await;
    bench.commit(run("harbor", tls, later(now, 10), cut())).await;
    let taken = bench.store.take_due("one", later(now, 400), LEASE, 10).await.unwrap();
    assert_eq!(taken.len(), 2);
    let ended = |check: &str, findings| {
        let due = taken.iter().find(|due| due.key.check == check).unwrap();
        let mut done = run("harbor", check, due.due_at, findings);
        (done.started_at, done.seen.at) = (later(now, 400), later(now, 400));
        done.next_due = later(now, 700);
        done
    };
    // They end together: the second one is read before the first one has asked for it.
    let runs = [ended(up, Vec::new()), ended(tls, cut())];
    let became = bench.store.commit(&runs, &bench.book).await.unwrap();
    assert!(became.iter().all(|became| became.stored), "{became:?}");
    assert_eq!(became[0].next_due, later(now, 700));
    assert_eq!(became[1].next_due, later(now, 401), "never within a second of the last one");
}

pub(crate) async fn an_incident_resolves_and_the_record_tells_its_life(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let opened = bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let id = &opened.changes[0].1;
    let claimed = bench.claim(later(now, 60)).await;
    bench.sent(&claimed[0], later(now, 61)).await;
    let over = bench.commit(run("harbor", "web", later(now, 300), Vec::new())).await;
    assert_eq!(over.changes, [(ChangeKind::Resolved, id.clone())]);
    let record = bench.store.incident(id).await.unwrap().unwrap();
    assert_eq!(record.incident.state, State::Resolved);
    let kinds: Vec<_> = record.changes.iter().map(|change| change.kind).collect();
    assert_eq!(kinds, [ChangeKind::Opened, ChangeKind::Resolved]);
    assert!(record.changes.iter().all(|change| change.notification.is_some()));
    assert_ne!(record.changes[0].notification, record.changes[1].notification);
    assert_eq!(record.deliveries.len(), 2);
    assert_eq!(record.deliveries[0].sent_at, Some(later(now, 61)));
    assert!(bench.store.incident("inc_nothing").await.unwrap().is_none());
    // The same defect is a new incident.
    let again =
        bench.commit(run("harbor", "web", later(now, 600), vec![finding("web-down", "www")])).await;
    assert_ne!(again.changes[0].1, *id);
}

pub(crate) async fn a_check_that_is_blind_for_three_runs_is_news(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    for (step, wanted) in [(0, 0), (1, 0), (2, 1), (3, 0)] {
        let done = bench.commit(blind("harbor", "web", later(now, 300 * step))).await;
        assert_eq!(done.changes.len(), wanted, "run {step}");
    }
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].key.code, Incident::BLIND);
    let done = bench.commit(run("harbor", "web", later(now, 1500), Vec::new())).await;
    assert_eq!(done.changes.len(), 1);
    // It counts from the beginning again.
    let done = bench.commit(blind("harbor", "web", later(now, 1800))).await;
    assert!(done.changes.is_empty());
}

pub(crate) async fn people_acknowledge_and_resolve_with_words_for_what_cannot_be(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let opened = bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let id = opened.changes[0].1.as_str();
    let (store, book) = (&bench.store, &bench.book);
    let after = store.acknowledge(id, "Ada", "on it", book, later(now, 10)).await.unwrap();
    assert_eq!(after.state, State::Acknowledged);
    assert_eq!(after.acknowledged.unwrap().note, "on it");
    let error = store.acknowledge(id, "Ada", "", book, later(now, 11)).await.unwrap_err();
    assert!(matches!(&error, StoreError::State(why) if !why.is_empty()), "{error:?}");
    let after = store.resolve(id, "Ada", book, later(now, 12)).await.unwrap();
    assert_eq!(after.state, State::Resolved);
    assert!(store.resolve(id, "Ada", book, later(now, 13)).await.is_err());
    let error = store.resolve("inc_none", "Ada", book, later(now, 13)).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no incident \"inc_none\"");
    let record = store.incident(id).await.unwrap().unwrap();
    assert_eq!(record.changes.len(), 3);
    assert_eq!(record.incident, after);
}

pub(crate) async fn incidents_are_filtered_and_newest_first(bench: Bench) {
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("a", "x"), finding("b", "x")])).await;
    bench.commit(run("harbor", "dns", later(now, 60), vec![finding("c", "x")])).await;
    bench.commit(run("harbor", "web", later(now, 300), vec![finding("b", "x")])).await;
    let codes = async |filter: IncidentFilter| {
        let found = bench.store.incidents(&filter).await.unwrap();
        found.into_iter().map(|incident| incident.key.code).collect::<Vec<_>>()
    };
    let all = IncidentFilter::default;
    assert_eq!(codes(all()).await, ["c", "b"]);
    assert_eq!(codes(IncidentFilter { check: Some("web".to_owned()), ..all() }).await, ["b"]);
    assert_eq!(codes(IncidentFilter { states: vec![State::Resolved], ..all() }).await, ["a"]);
    assert_eq!(codes(IncidentFilter { limit: 1, ..all() }).await, ["c"]);
    let none = IncidentFilter { project: Some("other".to_owned()), ..all() };
    assert!(codes(none).await.is_empty());
}

pub(crate) async fn incidents_are_read_in_parts_and_counted_by_severity(bench: Bench) {
    let now = at("10:00:00");
    bench
        .store
        .sync_jobs(&[job("harbor", "web"), job("quay", "web")], &FixedClock(now))
        .await
        .unwrap();
    for project in ["harbor", "quay"] {
        let mut mild = finding("slow", "x");
        mild.severity = Severity::Warning;
        let found = vec![finding("a", "x"), finding("b", "x"), mild];
        bench.commit(run(project, "web", now, found)).await;
    }
    let part = async |project: Option<&str>, offset| {
        let project = project.map(str::to_owned);
        let filter = IncidentFilter { project, limit: 2, offset, ..IncidentFilter::default() };
        let found = bench.store.incidents(&filter).await.unwrap();
        found.into_iter().map(|incident| incident.id).collect::<Vec<_>>()
    };
    for (project, total) in [(None, 6), (Some("harbor"), 3)] {
        let mut all = Vec::new();
        while let some @ [_, ..] = part(project, all.len()).await.as_slice() {
            all.extend_from_slice(some);
        }
        assert_eq!(all.len(), total);
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), total);
    }
    let id = part(Some("quay"), 0).await.remove(0);
    bench.store.acknowledge(&id, "Ada", "", &bench.book, now).await.unwrap();
    let taken = bench.store.incident(&id).await.unwrap().unwrap().incident.severity;
    let counts = bench.store.incident_counts(None).await.unwrap();
    let number = |project: &str, severity, state| {
        let of = counts.iter().filter(|it| it.project == project && it.severity == severity);
        of.filter(|it| it.state == state).map(|it| it.count).sum::<u64>()
    };
    assert_eq!(number("harbor", Severity::Critical, State::Open), 2);
    assert_eq!(number("harbor", Severity::Warning, State::Open), 1);
    assert_eq!(number("quay", taken, State::Acknowledged), 1);
    assert_eq!(counts.iter().map(|it| it.count).sum::<u64>(), 6);
    let own = bench.store.incident_counts(Some("harbor")).await.unwrap();
    assert!(own.iter().all(|it| it.project == "harbor"));
    assert_eq!(own.iter().map(|it| it.count).sum::<u64>(), 3);
    // What is over is counted no more.
    bench.commit(run("harbor", "web", later(now, 300), Vec::new())).await;
    assert!(bench.store.incident_counts(Some("harbor")).await.unwrap().is_empty());
}

pub(crate) async fn whoever_stores_a_run_the_last_looks_of_its_project_change(bench: Bench) {
    let now = at("10:00:00");
    let jobs = [job("harbor", "dns"), job("harbor", "web"), job("quay", "web")];
    bench.store.sync_jobs(&jobs, &FixedClock(now)).await.unwrap();
    assert!(bench.store.last_looks().await.unwrap().is_empty(), "nothing has looked");
    let other = bench.second().await;
    let mut before = Vec::new();
    // The second one began later than the third, and is stored before it.
    for (project, check, second) in
        [("quay", "web", 0), ("harbor", "dns", 0), ("harbor", "web", 9), ("harbor", "dns", 5)]
    {
        let run = run(project, check, later(now, second), Vec::new());
        assert!(other.commit(std::slice::from_ref(&run), &bench.book).await.unwrap()[0].stored);
        let mut marks = bench.store.last_looks().await.unwrap();
        marks.sort();
        let of = |marks: &[(String, i64)]| {
            marks.iter().find(|(name, _)| name == project).map(|(_, mark)| *mark)
        };
        assert!(of(&marks) > of(&before), "{marks:?} after {before:?}");
        assert!(!other.commit(&[run], &bench.book).await.unwrap()[0].stored);
        let mut again = bench.store.last_looks().await.unwrap();
        again.sort();
        assert_eq!(again, marks, "what is left out changes nothing");
        before = marks;
    }
    other.close().await;
}
