//! What an agent took from a store that then went away: it begins nothing without what a run is given, and gives
//! back what it cannot begin.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use launchready::clock::SystemClock;
use launchready::engine::{Assignment, Ended, Looker, Observer, Scheduler};
use launchready::store::{JobKey, StoreError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, at, run};

/// Far less than a lease.
const SOON: Duration = Duration::from_mins(1);

/// Whether each run that began was given what the one before it saw; and how often the store was away.
#[derive(Debug, Default)]
struct Notes {
    given: Mutex<Vec<bool>>,
    stuck: Mutex<usize>,
}

#[async_trait]
impl Looker for Notes {
    async fn look(
        &self,
        _project: &str,
        assignments: Vec<Assignment>,
        _ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey> {
        let given = assignments.iter().map(|it| it.inputs.previous.is_some());
        self.given.lock().unwrap().extend(given);
        Vec::new()
    }
}

impl Observer for Notes {
    fn lag(&self, _lag: Duration) {}

    fn in_flight(&self, _looks: usize) {}

    fn alive(&self, _at: Timestamp) {}

    fn stuck(&self, _error: &StoreError) {
        *self.stuck.lock().unwrap() += 1;
    }
}

#[tokio::test]
async fn no_run_begins_without_its_past_and_its_job_is_soon_taken_again() {
    let Some(bench) = Bench::on_postgres("no_run_begins_without_its_past").await else { return };
    let now = at("10:00:00");
    bench.harbor(&["web"], now).await;
    bench.commit(run("harbor", "web", now, Vec::new())).await;
    let (cluster, database) = bench.server();
    // Jobs can be taken, and what a run is given cannot be read.
    let mut lock = cluster.owner(database).await;
    let lock_it = "BEGIN; LOCK TABLE launchready.evidence IN ACCESS EXCLUSIVE MODE";
    sqlx::raw_sql(lock_it).execute(&mut lock).await.unwrap();
    let notes = Arc::new(Notes::default());
    let scheduler = Scheduler {
        agent: "one".to_owned(),
        store: Arc::clone(&bench.store),
        clock: Arc::new(SystemClock),
        looker: Arc::<Notes>::clone(&notes),
        observer: Arc::<Notes>::clone(&notes),
        limit: 10,
        wake: Arc::new(Notify::new()),
        resync: Arc::new(Notify::new()),
    };
    let (ended, _runs) = mpsc::unbounded_channel();
    let (end, stop) = watch::channel(false);
    let running = tokio::spawn(scheduler.run(ended, stop, Duration::ZERO));
    let patience = Instant::now() + SOON;
    let cut_off = "SELECT count(pg_terminate_backend(pid))::text FROM pg_locks \
                   JOIN pg_database ON pg_database.oid = database \
                   WHERE NOT granted AND datname = current_database()";
    while *notes.stuck.lock().unwrap() == 0 {
        assert!(Instant::now() < patience, "the scheduler never says that the store is away");
        cluster.value_in(database, cut_off).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert!(notes.given.lock().unwrap().is_empty(), "nothing begins meanwhile");
    sqlx::raw_sql("COMMIT").execute(&mut lock).await.unwrap();
    let patience = Instant::now() + SOON;
    while notes.given.lock().unwrap().is_empty() {
        assert!(Instant::now() < patience, "the job is taken again long before its lease ends");
        sleep(Duration::from_millis(20)).await;
    }
    assert!(notes.given.lock().unwrap().iter().all(|given| *given));
    end.send(true).unwrap();
    running.await.unwrap();
}
