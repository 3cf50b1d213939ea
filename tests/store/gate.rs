//! What holds everything of a store on PostgreSQL, so that whoever writes has to wait.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use launchready::clock::Clock;
use launchready::store::{HeartbeatKey, Store, StoreError};
use sqlx::PgConnection;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::bench::{Bench, LEASE, at, finding, job, later, run, silence};

/// The number under which everything of a store is held.
const NUMBER: i64 = 0x4c52_6479;
/// How long somebody who has to wait is looked for.
const SOON: Duration = Duration::from_secs(30);

/// A gate that is shut until it is opened or dropped.
pub(crate) struct Gate<'b> {
    bench: &'b Bench,
    held: PgConnection,
}

impl<'b> Gate<'b> {
    pub(crate) async fn shut(bench: &'b Bench) -> Self {
        let (cluster, database) = bench.server();
        let mut held = cluster.owner(database).await;
        let query = sqlx::query("select pg_advisory_lock($1)").bind(NUMBER);
        query.execute(&mut held).await.unwrap();
        Self { bench, held }
    }

    /// Returns when somebody waits for it.
    pub(crate) async fn holds_somebody_up(&self) {
        let (cluster, database) = self.bench.server();
        let waits = "select count(*)::text from pg_locks join pg_database on pg_database.oid = database \
                     where locktype = 'advisory' and not granted and datname = current_database()";
        let end = Instant::now() + SOON;
        while cluster.value_in(database, waits).await != "1" {
            assert!(Instant::now() < end, "nobody waits for the gate");
            sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) async fn open(mut self) {
        let query = sqlx::query("select pg_advisory_unlock($1)").bind(NUMBER);
        query.execute(&mut self.held).await.unwrap();
    }
}

/// A clock that nobody may look at before the gate is open.
#[derive(Debug)]
struct After {
    open: AtomicBool,
    now: Timestamp,
}

impl Clock for After {
    fn now(&self) -> Timestamp {
        assert!(self.open.load(Ordering::Acquire), "the time of before others were waited for");
        self.now
    }
}

/// Whether a call looks at its clock when the gate is open, and not before.
async fn looks_after(
    bench: &Bench,
    now: Timestamp,
    call: impl AsyncFnOnce(&dyn Store, &After) -> Result<(), StoreError>,
) {
    let clock = After { open: AtomicBool::new(false), now };
    let gate = Gate::shut(bench).await;
    let opened = async {
        gate.holds_somebody_up().await;
        clock.open.store(true, Ordering::Release);
        gate.open().await;
    };
    let both = async { tokio::join!(call(&*bench.store, &clock), opened) };
    timeout(SOON * 2, both).await.expect("the gate is open").0.unwrap();
}

#[tokio::test]
async fn the_time_that_counts_is_read_when_others_have_been_waited_for() {
    let test = "the_time_that_counts_is_read_when_others_have_been_waited_for";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    looks_after(&bench, now, async |store, clock| {
        store.reckon_from(clock, LEASE).await.map(|rows| assert_eq!(rows, 0))
    })
    .await;
    let jobs = [job("harbor", "web"), job("harbor", "mail")];
    looks_after(&bench, now, async |store, clock| store.sync_jobs(&jobs, clock).await).await;
    let due = bench.store.take_due("one", now, LEASE, 9).await.unwrap();
    assert!(due.iter().any(|due| due.key.check == "mail"), "{due:?}");
    let promise = HeartbeatKey { project: "harbor".to_owned(), name: "backup".to_owned() };
    looks_after(&bench, now, async |store, clock| {
        store.sync_heartbeats(std::slice::from_ref(&promise), clock).await
    })
    .await;
    assert_eq!(bench.store.heartbeats("harbor").await.unwrap().len(), 1);
}

/// A clock that is at another time each time it is looked at.
#[derive(Debug)]
struct Steps(Mutex<Vec<Timestamp>>);

impl Clock for Steps {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap().pop().expect("it is looked at so often")
    }
}

#[tokio::test]
async fn a_silence_that_begins_while_others_are_waited_for_holds() {
    let test = "a_silence_that_begins_while_others_are_waited_for_holds";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let begins = later(now, 60);
    bench.store.add_silence(&silence("harbor", begins, later(now, 7_200))).await.unwrap();
    bench.commit(run("harbor", "web", later(now, 90), vec![finding("web-down", "www")])).await;
    assert!(bench.claim(later(now, 100)).await.is_empty(), "it is silenced");
    // Its first look was before the silence began, and its second is that of the turn of the project.
    let clock = Steps(Mutex::new(vec![later(now, 120), now]));
    assert_eq!(bench.store.wake(&bench.book, &clock).await.unwrap(), 0);
    assert!(bench.claim(later(now, 130)).await.is_empty(), "it is silenced still");
}
