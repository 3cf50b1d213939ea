//! Rows that cannot be stored or read: each costs itself and nothing else.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::{Clock, FixedClock};
use launchready::engine::{Committer, Ended, Stored, commit_all};
use launchready::incident::State;
use launchready::store::{Committed, Finished, IncidentFilter, StoreError};
use launchready_checks::contract::Status;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tokio::sync::{Semaphore, mpsc, watch};

use crate::bench::{Bench, at, finding, job, later, run, silence, told};

/// Does to the file what no agent does.
async fn harm(bench: &Bench, statement: &str) {
    let options = SqliteConnectOptions::new().filename(bench.file());
    let mut on = options.connect().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut on).await.unwrap();
}

async fn number(bench: &Bench, statement: &str) -> i64 {
    let options = SqliteConnectOptions::new().filename(bench.file());
    let mut on = options.connect().await.unwrap();
    sqlx::query(AssertSqlSafe(statement.to_owned())).fetch_one(&mut on).await.unwrap().get(0)
}

/// A clock that a test sets.
#[derive(Debug, Clone)]
pub(crate) struct Set(pub(crate) Arc<Mutex<Timestamp>>);

impl Set {
    pub(crate) fn to(time: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(time)))
    }
}

impl Clock for Set {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<(Finished, Committed)>>, Mutex<Vec<String>>);

impl Stored for Told {
    fn stored(&self, runs: &[Finished], became: &[Committed], _took: Duration) {
        let both = runs.iter().cloned().zip(became.iter().cloned());
        self.0.lock().unwrap().extend(both);
    }

    fn failed(&self, error: &StoreError) {
        self.1.lock().unwrap().push(error.to_string());
    }
}

/// Lets the committer store these runs as one batch, and gives back what it told.
pub(crate) async fn commit(
    bench: &Bench,
    clock: &Set,
    runs: Vec<Finished>,
) -> Vec<(Finished, Committed)> {
    let (told, failed) = commit_to_slow(bench, clock, runs).await;
    assert!(failed.is_empty(), "the store was taken for one that is away: {failed:?}");
    told
}

/// The same, with what it told of a store that is away.
async fn commit_to_slow(
    bench: &Bench,
    clock: &Set,
    runs: Vec<Finished>,
) -> (Vec<(Finished, Committed)>, Vec<String>) {
    let (send, ended) = mpsc::unbounded_channel();
    let places = Arc::new(Semaphore::new(runs.len()));
    for run in runs {
        let permit = Arc::clone(&places).try_acquire_owned().unwrap();
        send.send(Ended { run, permit }).unwrap();
    }
    drop(send);
    let told = Arc::new(Told::default());
    let (_book, book) = watch::channel(Arc::new(bench.book.clone()));
    let committer = Committer {
        store: bench.store.clone(),
        clock: Arc::new(clock.clone()),
        book,
        told: Arc::clone(&told) as _,
    };
    let all = commit_all(ended, committer);
    tokio::time::timeout(Duration::from_secs(30), all).await.expect("nothing is tried for ever");
    let taken = std::mem::take(&mut *told.0.lock().unwrap());
    let failed = std::mem::take(&mut *told.1.lock().unwrap());
    (taken, failed)
}

#[tokio::test]
async fn what_a_slow_store_does_not_take_together_it_takes_in_parts() {
    let Some(bench) = Bench::on_postgres("what_a_slow_store_does_not_take_together").await else {
        return;
    };
    let now = at("10:00:00");
    let checks = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    bench.harbor(&checks, now).await;
    // As a statement ends that takes too long: here, one that writes more than three jobs.
    let (cluster, database) = bench.server();
    cluster
        .sql_in(
            database,
            "create function launchready.slow() returns trigger language plpgsql as $$ begin \
             if (select count(*) from written) > 3 then raise exception using errcode = '57014'; \
             end if; return null; end $$; \
             create trigger slow after update on launchready.job \
             referencing new table as written for each statement \
             execute function launchready.slow()",
        )
        .await;
    let runs = checks.map(|check| run("harbor", check, now, Vec::new()));
    let (told, failed) = commit_to_slow(&bench, &Set::to(now), runs.to_vec()).await;
    let stored: Vec<_> = told.iter().map(|(run, it)| (run.key.check.as_str(), it.stored)).collect();
    assert_eq!(stored, checks.map(|check| (check, true)), "each once, in their order");
    // Ten, five, six and four were too many; three, three, two and two went through.
    assert_eq!(failed.len(), 4, "{failed:?}");
    let latest = bench.store.latest(None).await.unwrap();
    assert!(latest.iter().all(|run| run.at == Some(now)), "{latest:?}");
}

#[tokio::test]
async fn a_run_that_cannot_be_stored_is_unknown_and_the_others_go_through() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.harbor(&["dns", "mail", "web"], now).await;
    harm(
        &bench,
        "CREATE TRIGGER harm BEFORE INSERT ON evidence WHEN instr(NEW.body, 'poison') > 0 \
         BEGIN SELECT RAISE(ABORT, 'no such thing may be kept'); END",
    )
    .await;
    let mut poison = run("harbor", "mail", now, vec![finding("no-mail", "mx")]);
    poison.evidence = Some((1, serde_json::json!("poison")));
    let down = run("harbor", "web", now, vec![finding("web-down", "www")]);
    let runs = vec![run("harbor", "dns", now, Vec::new()), poison, down];
    let told = commit(&bench, &Set::to(now), runs).await;
    assert_eq!(told.len(), 3);
    assert!(told.iter().all(|(_, became)| became.stored), "{told:?}");
    let latest = bench.store.latest(None).await.unwrap();
    let seen: Vec<_> =
        latest.iter().map(|run| (run.key.check.as_str(), run.at.unwrap(), run.status)).collect();
    let wanted =
        [("dns", now, Status::Pass), ("mail", now, Status::Unknown), ("web", now, Status::Fail)];
    assert_eq!(seen, wanted);
    let (cause, _) = latest[1].reason.as_ref().unwrap();
    assert!(cause.contains("could not be stored") && cause.contains("no such thing"), "{cause}");
    let spans = bench.store.spans("harbor", "mail", at("00:00:00")).await.unwrap();
    assert_eq!((spans.len(), spans[1].runs, spans[1].status), (2, 1, Status::Unknown));
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    let codes: Vec<_> = open.iter().map(|incident| incident.key.code.as_str()).collect();
    assert_eq!(codes, ["web-down"]);
    assert_eq!(bench.store.next_due().await.unwrap(), Some(later(now, 300)));
}

#[tokio::test]
async fn a_run_that_can_be_stored_in_no_form_is_recorded_in_the_row_of_its_job() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.harbor(&["dns", "web"], now).await;
    harm(
        &bench,
        "CREATE TRIGGER harm BEFORE UPDATE OF carried ON job WHEN NEW.check_id = 'web' \
         BEGIN SELECT RAISE(ABORT, 'not this one'); END",
    )
    .await;
    for step in 0..3 {
        let due = later(now, 300 * step);
        let runs =
            vec![run("harbor", "web", due, Vec::new()), run("harbor", "dns", due, Vec::new())];
        let told = commit(&bench, &Set::to(due), runs).await;
        assert_eq!(told.len(), 2);
        assert!(told.iter().all(|(_, became)| became.stored), "{told:?}");
        assert!(told.iter().all(|(_, became)| became.next_due == later(due, 300)), "{told:?}");
    }
    let latest = bench.store.latest(None).await.unwrap();
    assert_eq!((latest[0].status, latest[1].status), (Status::Pass, Status::Unknown));
    assert!(latest[1].reason.as_ref().unwrap().0.contains("not this one"));
    assert_eq!(latest[1].since, Some(now));
    let due = bench.store.take_due("one", later(now, 900), crate::bench::LEASE, 9).await.unwrap();
    assert_eq!(due.len(), 2, "each is due again with its schedule");
    harm(&bench, "DROP TRIGGER harm").await;
    assert!(bench.commit(run("harbor", "web", later(now, 900), Vec::new())).await.stored);
    assert_eq!(bench.store.latest(None).await.unwrap()[1].status, Status::Pass);
}

/// Two projects, each with an incident; that of `harbor` can no longer be read.
async fn unreadable(bench: &Bench, now: Timestamp) {
    bench
        .store
        .sync_jobs(&[job("harbor", "web"), job("quay", "web")], &FixedClock(now))
        .await
        .unwrap();
    for project in ["harbor", "quay"] {
        bench.commit(run(project, "web", now, vec![finding("web-down", "www")])).await;
    }
    harm(bench, "UPDATE incident SET body = '{\"id\": 7' WHERE project = 'harbor'").await;
}

#[tokio::test]
async fn an_incident_that_cannot_be_read_holds_up_no_run_and_opens_anew() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    unreadable(&bench, now).await;
    let open = bench.store.incidents(&IncidentFilter::default()).await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].key.project, "quay");
    let again = run("harbor", "web", later(now, 300), vec![finding("web-down", "www")]);
    let told = commit(&bench, &Set::to(later(now, 300)), vec![again]).await;
    assert_eq!((told[0].1.stored, told[0].1.changes.len()), (true, 1));
    assert_eq!(told[0].0.status, Status::Fail, "it is stored as it is");
    assert_eq!(bench.store.incidents(&IncidentFilter::default()).await.unwrap().len(), 2);
    let states = [State::Open, State::Acknowledged, State::Suspected, State::Resolved].to_vec();
    let all = IncidentFilter { states, ..IncidentFilter::default() };
    assert_eq!(bench.store.incidents(&all).await.unwrap().len(), 2);
    assert_eq!(number(&bench, "SELECT count(*) FROM incident").await, 3);
    let kept = Duration::from_hours(90 * 24);
    bench.store.roll_up(later(now, 401 * 24 * 3600), kept).await.unwrap();
    assert_eq!(number(&bench, "SELECT count(*) FROM incident").await, 2, "it goes at its time");
}

#[tokio::test]
async fn an_incident_that_cannot_be_read_holds_up_neither_time_nor_a_start() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    unreadable(&bench, now).await;
    let reminded = bench.store.wake(&bench.book, &FixedClock(later(now, 5 * 3600))).await.unwrap();
    assert_eq!(reminded, 1, "that of the other project is reminded");
    let state = "SELECT count(*) FROM incident WHERE state = 'unreadable'";
    assert_eq!(number(&bench, state).await, 1);
    harm(&bench, "UPDATE incident SET state = 'open'").await;
    harm(&bench, "UPDATE job SET status = 'purple', measured = '[', figures = x'09'").await;
    harm(&bench, "UPDATE judgement SET body = '{'").await;
    let again = bench.second().await;
    again.reckon_from(&FixedClock(later(now, 60)), crate::bench::LEASE).await.unwrap();
    again.sync_jobs(&[job("quay", "web")], &FixedClock(later(now, 60))).await.unwrap();
    let latest = again.latest(None).await.unwrap();
    assert_eq!((latest.len(), latest[0].status), (1, Status::Unknown));
    assert!(latest[0].reason.as_ref().unwrap().0.contains("cannot be read"));
    assert!(again.history("quay", "web", at("00:00:00")).await.unwrap().is_empty());
    assert!(bench.commit(run("quay", "web", later(now, 9000), Vec::new())).await.stored);
    assert_eq!(again.latest(None).await.unwrap()[0].status, Status::Pass);
}

#[tokio::test]
async fn a_message_that_cannot_be_read_says_so_and_the_others_are_sent() {
    let mut bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.book.channels = vec![crate::bench::channel("founder"), crate::bench::channel("ops")];
    bench.harbor(&["dns", "web"], now).await;
    bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    let first = bench.claim(later(now, 30)).await;
    assert_eq!(first.len(), 2);
    bench.store.release("one").await.unwrap();
    bench.commit(run("harbor", "dns", later(now, 40), vec![finding("no-record", "www")])).await;
    harm(&bench, "UPDATE change SET body = 'nothing' WHERE id = 1").await;
    harm(&bench, "UPDATE notification SET kind = 'purple' WHERE seq = 1").await;
    let claimed = bench.claim(later(now, 90)).await;
    assert_eq!(claimed.len(), 2);
    for claim in &claimed {
        assert!(claim.unreadable.is_some() && claim.notification.told.is_empty(), "{claim:?}");
        assert_eq!(claim.notification.id, first[0].notification.id);
        let error = claim.unreadable.clone().unwrap();
        let failed = launchready::store::AttemptOutcome::Failed { error };
        bench.record(claim, later(now, 91), failed, None).await;
    }
    let rest = bench.claim(later(now, 92)).await;
    assert_eq!(rest.len(), 2);
    assert!(rest.iter().all(|claim| told(claim) == ["opened no-record"]), "{rest:?}");
}

#[tokio::test]
async fn a_silence_or_waiver_that_cannot_be_read_mutes_nothing_and_stops_nothing() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    bench.store.add_silence(&silence("harbor", now, at("12:00:00"))).await.unwrap();
    let one = silence("quay", now, at("12:00:00"));
    bench.store.add_silence(&one).await.unwrap();
    harm(
        &bench,
        "UPDATE silence SET body = '[' WHERE body LIKE '%harbor%'; \
         INSERT INTO waiver (id, until_at, body) VALUES ('wav_1', 9999999999999, '{}'); \
         UPDATE muting SET version = version + 1",
    )
    .await;
    let silences = bench.store.silences(now).await.unwrap();
    assert_eq!((silences.len(), silences[0].project.as_deref()), (1, Some("quay")));
    assert!(bench.store.waivers().await.unwrap().is_empty());
    let opened = bench.commit(run("harbor", "web", now, vec![finding("web-down", "www")])).await;
    assert_eq!(opened.changes.len(), 1);
    assert_eq!(bench.claim(later(now, 60)).await.len(), 1, "it is told");
}

#[tokio::test]
async fn time_reads_only_what_it_can_do_something_to() {
    let bench = Bench::sqlite().await;
    let now = at("10:00:00");
    bench
        .store
        .sync_jobs(&[job("harbor", "web"), job("quay", "web")], &FixedClock(now))
        .await
        .unwrap();
    for project in ["harbor", "quay"] {
        bench.commit(run(project, "web", now, vec![finding("web-down", "www")])).await;
    }
    assert_eq!(bench.store.wake(&bench.book, &FixedClock(later(now, 60))).await.unwrap(), 0);
    // From here on nothing is due before the reminder: what is harmed meanwhile is not noticed.
    harm(&bench, "UPDATE incident SET body = '[' WHERE project = 'harbor'").await;
    assert_eq!(bench.store.wake(&bench.book, &FixedClock(later(now, 120))).await.unwrap(), 0);
    let state = "SELECT count(*) FROM incident WHERE state = 'unreadable'";
    assert_eq!(number(&bench, state).await, 0);
    // Another book asks for every incident anew.
    let mut book = bench.book.clone();
    book.policies.entry("quay".to_owned()).or_default().reminder = Duration::from_mins(1);
    assert_eq!(bench.store.wake(&book, &FixedClock(later(now, 180))).await.unwrap(), 1);
    assert_eq!(number(&bench, state).await, 1);
    assert_eq!(bench.store.wake(&book, &FixedClock(later(now, 181))).await.unwrap(), 0);
    assert_eq!(bench.store.wake(&book, &FixedClock(later(now, 241))).await.unwrap(), 1);
    let counted = bench.store.incident_counts(None).await.unwrap();
    assert_eq!((counted.len(), counted[0].project.as_str(), counted[0].count), (1, "quay", 1));
}
