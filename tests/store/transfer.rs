//! Everything that a store holds, carried to the other kind of database and back.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::{Clock, FixedClock};
use launchready::incident::{Book, Waiver};
use launchready::store::{
    self, Approved, Attempt, AttemptOutcome, Carried, DrillRecord, HeartbeatCall, HeartbeatKey,
    IncidentFilter, Signal, Store, StoreError, note_ending, note_listening, transfer,
};
use serde_json::json;

use crate::bench::{Bench, at, channel, finding, job, key, later, measured, run, silence};

const HERE: &str = "/";

/// A file of its own, with its address.
fn file(name: &str) -> (tempfile::TempDir, PathBuf, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    let address = format!("sqlite:{}", path.display());
    (folder, path, address)
}

async fn carry(from: &str, to: &str) -> Result<Vec<Carried>, StoreError> {
    carry_by(&FixedClock(at("12:00:00")), from, to).await
}

async fn carry_by(clock: &dyn Clock, from: &str, to: &str) -> Result<Vec<Carried>, StoreError> {
    let here = Path::new(HERE);
    transfer((from, here), (to, here), clock).await
}

/// A clock that shows five minutes more each time it is asked: a transfer that takes a while.
#[derive(Debug, Default)]
struct Strides(AtomicI64);

impl Clock for Strides {
    fn now(&self) -> Timestamp {
        later(at("12:00:00"), self.0.fetch_add(300, Ordering::Relaxed))
    }
}

fn waiver(code: &str) -> Waiver {
    Waiver {
        id: String::new(),
        project: "harbor".to_owned(),
        code: code.to_owned(),
        subject: None,
        by: "ada".to_owned(),
        reason: "known, and dull\0".to_owned(),
        at: at("10:00:00"),
        until: at("20:00:00"),
        last_used: None,
    }
}

/// Something in every table.
async fn live(store: &dyn Store) {
    let now = at("10:00:00");
    let book = Book { channels: vec![channel("founder"), channel("second")], ..Book::default() };
    store
        .sync_jobs(
            &[job("harbor", "web"), job("harbor", "mail"), job("quay", "web")],
            &FixedClock(now),
        )
        .await
        .unwrap();
    for round in 0..30 {
        let due = later(now, round * 300);
        let seen = if round % 7 < 4 { vec![finding("web-down", "www")] } else { Vec::new() };
        let mut mail = run("harbor", "mail", due, Vec::new());
        mail.carry = Some(json!({ "mark": round }));
        mail.windows = vec![("age".to_owned(), Duration::from_hours(24))];
        mail.assessment.measure(measured("age", Some("ns1"), 0.25));
        let runs = [run("harbor", "web", due, seen), mail];
        store.commit(&runs, &book).await.unwrap();
        store.wake(&book, &FixedClock(later(due, 60))).await.unwrap();
    }
    let claimed = store.claim("one", &[], later(now, 9_000), Duration::from_mins(1)).await.unwrap();
    let first = claimed.first().unwrap();
    let attempt = Attempt {
        at: later(now, 9_001),
        duration: Duration::from_millis(40),
        outcome: AttemptOutcome::Sent,
    };
    store.record_attempt("one", &first.delivery.id, &attempt, None).await.unwrap();
    store.release("one").await.unwrap();
    store.add_silence(&silence("harbor", later(now, 60), later(now, 90_000))).await.unwrap();
    for code in ["web-slow", "a-first", "z-last"] {
        store.add_waiver(&waiver(code)).await.unwrap();
    }
    store.put("page.key", "s3cret").await.unwrap();
    let promise = HeartbeatKey { project: "harbor".to_owned(), name: "nightly".to_owned() };
    store.sync_heartbeats(std::slice::from_ref(&promise), &FixedClock(now)).await.unwrap();
    let call = HeartbeatCall { at: later(now, 5), signal: Signal::Failure, exit: Some(3) };
    store.record_call(&promise, &call).await.unwrap();
    let approved = Approved {
        project: "harbor".to_owned(),
        check: "dns-drift".to_owned(),
        at: now,
        by: "ada".to_owned(),
        note: String::new(),
        version: 1,
        evidence: json!({ "records": ["a", "b"] }),
    };
    store.approve(&[approved]).await.unwrap();
    let drill = DrillRecord {
        mark: "launchready_drill_1".to_owned(),
        project: "harbor".to_owned(),
        drill: "webhook-replay".to_owned(),
        started_at: now,
        finished_at: None,
        passed: None,
        left: true,
        record: json!({ "steps": [] }),
    };
    store.record_drill(&drill).await.unwrap();
}

/// What can be asked of a store, as one text.
async fn all(store: &dyn Store) -> String {
    let (now, since) = (at("12:00:00"), at("00:00:00"));
    let incidents = store.incidents(&IncidentFilter::default()).await.unwrap();
    assert!(!incidents.is_empty());
    let mut parts = vec![format!("{:#?}", store.latest(None).await.unwrap())];
    for incident in &incidents {
        parts.push(format!("{:#?}", store.incident(&incident.id).await.unwrap()));
    }
    for check in ["web", "mail"] {
        parts.push(format!("{:#?}", store.spans("harbor", check, since).await.unwrap()));
        parts.push(format!("{:#?}", store.history("harbor", check, since).await.unwrap()));
        parts.push(format!("{:#?}", store.run_inputs(&[key("harbor", check)], now).await.unwrap()));
    }
    parts.extend([
        format!("{:#?}", store.outbox().await.unwrap()),
        format!("{:#?}", store.silences(at("10:00:00")).await.unwrap()),
        format!("{:#?}", store.waivers().await.unwrap()),
        format!("{:#?}", store.get("page.key").await.unwrap()),
        format!("{:#?}", store.heartbeats("harbor").await.unwrap()),
        format!("{:#?}", store.approved("harbor").await.unwrap()),
        format!("{:#?}", store.drills("harbor").await.unwrap()),
    ]);
    parts.join("\n")
}

/// Fails with the first line that differs.
#[track_caller]
fn same(found: &str, wanted: &str) {
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {number}");
    }
    assert_eq!(found.len(), wanted.len());
}

#[tokio::test]
async fn everything_goes_from_a_file_to_a_server_and_back_and_goes_on_there() {
    let test = "everything_goes_from_a_file_to_a_server_and_back";
    let Some(server) = Bench::on_postgres(test).await else { return };
    let (_folder, _, from) = file("old.db");
    let old = store::open(&from, Path::new(HERE)).await.unwrap();
    live(&*old).await;
    let wanted = all(&*old).await;
    let known = old.incidents(&IncidentFilter::default()).await.unwrap().len();
    old.close().await;

    let there = carry(&from, &server.address).await.unwrap();
    let empty: Vec<_> = there.iter().filter(|one| one.rows == 0).map(|one| one.table).collect();
    assert_eq!(empty, [""; 0], "something of every table is carried over");
    same(&all(&*server.store).await, &wanted);

    let (_second, _, back) = file("back.db");
    assert_eq!(carry(&server.address, &back).await.unwrap(), there);
    let again = store::open(&back, Path::new(HERE)).await.unwrap();
    same(&all(&*again).await, &wanted);

    // New rows get numbers of their own on both, and the first file is as it was.
    let book = Book { channels: vec![channel("founder")], ..Book::default() };
    for store in [&server.store, &again] {
        let due = at("13:00:00");
        let runs = [run("quay", "web", due, vec![finding("web-down", "www")])];
        assert!(store.commit(&runs, &book).await.unwrap()[0].stored);
        let next = run("quay", "web", later(due, 300), vec![finding("web-down", "www")]);
        assert!(store.commit(&[next], &book).await.unwrap()[0].stored);
        store.add_waiver(&waiver("new")).await.unwrap();
        let codes: Vec<_> =
            store.waivers().await.unwrap().into_iter().map(|waiver| waiver.code).collect();
        assert_eq!(codes, ["web-slow", "a-first", "z-last", "new"]);
        let all = store.incidents(&IncidentFilter::default()).await.unwrap().len();
        assert_eq!(all, known + 1);
    }
    let old = store::open(&from, Path::new(HERE)).await.unwrap();
    same(&all(&*old).await, &wanted);
}

#[tokio::test]
async fn nothing_is_carried_from_nowhere_beside_an_agent_or_over_something() {
    let (_one, path, from) = file("from.db");
    let (_two, other, to) = file("to.db");
    let error = carry(&from, &to).await.unwrap_err().to_string();
    assert!(error.contains(&format!("there is no file {}", path.display())), "{error}");
    assert!(error.contains("--from sqlite:/var/lib/launchready/launchready.db"), "{error}");
    assert!(!path.exists() && !other.exists(), "nothing is made where there is nothing to carry");

    let source = store::open(&from, Path::new(HERE)).await.unwrap();
    live(&*source).await;
    source.note_at_work("127.0.0.1:9797 quay-1", at("11:59:30"), store::AT_WORK).await.unwrap();
    let error = carry(&from, &to).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:9797 quay-1; stop it first"), "{error}");
    source.release("127.0.0.1:9797 quay-1").await.unwrap();
    source.close().await;

    let target = store::open(&to, Path::new(HERE)).await.unwrap();
    target.put("page.key", "of another").await.unwrap();
    let error = carry(&from, &to).await.unwrap_err().to_string();
    assert!(error.contains("holds something already"), "{error}");
    assert_eq!(target.get("page.key").await.unwrap().as_deref(), Some("of another"));
    assert!(target.latest(None).await.unwrap().is_empty(), "and nothing was added");
}

#[tokio::test]
async fn nothing_is_carried_where_an_agent_begins_on_the_old_store_meanwhile() {
    let (_one, _, from) = file("from.db");
    let (_two, _, to) = file("to.db");
    let source = store::open(&from, Path::new(HERE)).await.unwrap();
    live(&*source).await;
    // It begins after the first question and before the second one.
    let agent = "127.0.0.1:9797 quay-1";
    source.note_at_work(agent, at("12:05:00"), store::AT_WORK).await.unwrap();
    let clock = Strides::default();
    let error = carry_by(&clock, &from, &to).await.unwrap_err().to_string();
    assert!(error.contains("that --from names: 127.0.0.1:9797 quay-1; stop it first"), "{error}");
    assert_eq!(clock.0.into_inner(), 600, "it was asked twice");
    let target = store::open(&to, Path::new(HERE)).await.unwrap();
    assert!(target.latest(None).await.unwrap().is_empty());
    assert_eq!(target.get("page.key").await.unwrap(), None);
    target.close().await;

    source.release(agent).await.unwrap();
    let carried = carry_by(&Strides::default(), &from, &to).await.unwrap();
    assert!(carried.iter().any(|one| one.rows > 0), "the empty file of before is taken");
}

/// A clock that lets an agent begin and end on a store when it is asked for the second time.
#[derive(Debug)]
struct Visited {
    address: String,
    asked: AtomicI64,
}

impl Clock for Visited {
    fn now(&self) -> Timestamp {
        let now = at("12:00:00");
        let visit = || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let visited = store::open(&self.address, Path::new(HERE)).await.unwrap();
                note_listening(&*visited, "127.0.0.1:9797 quay-1", now).await.unwrap();
                note_ending(&*visited, "127.0.0.1:9797 quay-1", now).await.unwrap();
                visited.close().await;
            });
        };
        if self.asked.fetch_add(1, Ordering::Relaxed) == 1 {
            std::thread::scope(|threads| threads.spawn(visit).join()).unwrap();
        }
        now
    }
}

#[tokio::test]
async fn nothing_is_carried_where_an_agent_has_begun_and_ended_on_the_old_store_meanwhile() {
    let (_one, _, from) = file("from.db");
    let (_two, _, to) = file("to.db");
    let source = store::open(&from, Path::new(HERE)).await.unwrap();
    live(&*source).await;
    source.close().await;
    let clock = Visited { address: from.clone(), asked: AtomicI64::new(0) };
    let error = carry_by(&clock, &from, &to).await.unwrap_err().to_string();
    assert!(error.contains("an agent was at work on the store that --from names"), "{error}");
    let target = store::open(&to, Path::new(HERE)).await.unwrap();
    assert!(target.latest(None).await.unwrap().is_empty(), "nothing was written");
    target.close().await;
    // It has changed nothing since.
    assert!(!carry(&from, &to).await.unwrap().is_empty());
}
