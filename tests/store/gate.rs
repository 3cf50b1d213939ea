//! What holds everything of a store on PostgreSQL, so that whoever writes has to wait.

use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use launchready::clock::Clock;
use sqlx::PgConnection;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::bench::{Bench, LEASE, at, job};

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

    /// Returns when so many wait for it.
    pub(crate) async fn holds_up(&self, count: usize) {
        let (cluster, database) = self.bench.server();
        let waits = "select count(*)::text from pg_locks join pg_database on pg_database.oid = database \
                     where locktype = 'advisory' and not granted and datname = current_database()";
        let end = Instant::now() + SOON;
        while cluster.value_in(database, waits).await != count.to_string() {
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

#[tokio::test]
async fn the_time_that_counts_is_read_when_others_have_been_waited_for() {
    let test = "the_time_that_counts_is_read_when_others_have_been_waited_for";
    let Some(bench) = Bench::on_postgres(test).await else { return };
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    let clock = After { open: AtomicBool::new(false), now };
    let jobs = [job("harbor", "web"), job("harbor", "mail")];
    let gate = Gate::shut(&bench).await;
    let released = async {
        gate.holds_up(2).await;
        clock.open.store(true, Ordering::Release);
        gate.open().await;
    };
    let all = async {
        tokio::join!(
            bench.store.reckon_from(&clock, LEASE),
            bench.store.sync_jobs(&jobs, &clock),
            released
        )
    };
    let (reckoned, synced, ()) = timeout(SOON * 2, all).await.expect("the gate is open");
    assert_eq!(reckoned.unwrap(), 0);
    synced.unwrap();
    let due = bench.store.take_due("one", now, LEASE, 9).await.unwrap();
    assert!(due.iter().any(|due| due.key.check == "mail"), "{due:?}");
}
