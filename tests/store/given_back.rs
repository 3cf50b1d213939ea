//! What an agent took that is for another one: it gives it back at once, and comes second to it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use launchready::clock::SystemClock;
use launchready::engine::{Assignment, Ended, Looker, Observer, Scheduler};
use launchready::store::{JobKey, Store, StoreError};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep};

use crate::bench::{Bench, job, key};

/// Far less than a lease.
const SOON: Duration = Duration::from_mins(1);

/// An agent that has these projects in its config. It looks for as long as the test takes.
#[derive(Debug, Default)]
struct Agent {
    projects: Vec<&'static str>,
    rests: AtomicBool,
    begun: Mutex<Vec<JobKey>>,
    given_back: AtomicUsize,
    rounds: AtomicUsize,
}

#[async_trait]
impl Looker for Agent {
    async fn look(
        &self,
        project: &str,
        assignments: Vec<Assignment>,
        _ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey> {
        let jobs = assignments.iter().map(|it| it.job.key.clone());
        if self.projects.contains(&project) {
            self.begun.lock().unwrap().extend(jobs);
            return std::future::pending().await;
        }
        self.given_back.fetch_add(assignments.len(), Ordering::Relaxed);
        jobs.collect()
    }

    fn takes_jobs(&self) -> bool {
        !self.rests.load(Ordering::Relaxed)
    }
}

impl Observer for Agent {
    fn lag(&self, _lag: Duration) {}

    fn in_flight(&self, _looks: usize) {}

    fn alive(&self, _at: Timestamp) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    fn stuck(&self, error: &StoreError) {
        panic!("the store of this test is well: {error}");
    }
}

/// An agent at work.
struct AtWork {
    end: watch::Sender<bool>,
    running: tokio::task::JoinHandle<()>,
}

impl AtWork {
    fn begin(agent: &Arc<Agent>, name: &str, store: &Arc<dyn Store>) -> Self {
        let scheduler = Scheduler {
            agent: name.to_owned(),
            store: Arc::clone(store),
            clock: Arc::new(SystemClock),
            looker: Arc::<Agent>::clone(agent),
            observer: Arc::<Agent>::clone(agent),
            limit: 10,
            wake: Arc::new(Notify::new()),
            resync: Arc::new(Notify::new()),
        };
        let (ended, _runs) = mpsc::unbounded_channel();
        let (end, stop) = watch::channel(false);
        Self { end, running: tokio::spawn(scheduler.run(ended, stop, Duration::ZERO)) }
    }

    async fn end(self) {
        self.end.send_replace(true);
        self.running.await.unwrap();
    }
}

async fn until(what: &str, so: impl Fn() -> bool) {
    let patience = Instant::now() + SOON;
    while !so() {
        assert!(Instant::now() < patience, "{what}: not within {SOON:?}");
        sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) async fn a_check_that_the_config_of_one_agent_lacks_goes_to_the_one_whose_config_has_it(
    bench: Bench,
) {
    let second = bench.second().await;
    let jobs = [job("harbor", "web"), job("quay", "web")];
    bench.store.sync_jobs(&jobs, &SystemClock).await.unwrap();
    let old = Arc::new(Agent { projects: vec!["harbor"], ..Agent::default() });
    let new = Arc::new(Agent { projects: vec!["harbor", "quay"], ..Agent::default() });
    let one = AtWork::begin(&old, "one", &bench.store);
    until("the old config lacks it", || old.given_back.load(Ordering::Relaxed) > 0).await;
    let two = AtWork::begin(&new, "two", &second);
    until("the new one has it", || new.begun.lock().unwrap().contains(&key("quay", "web"))).await;
    // What it is at itself stays with it.
    until("the old one works", || !old.begun.lock().unwrap().is_empty()).await;
    assert_eq!(*old.begun.lock().unwrap(), [key("harbor", "web")]);
    assert_eq!(*new.begun.lock().unwrap(), [key("quay", "web")]);
    one.end().await;
    two.end().await;
}

pub(crate) async fn an_agent_that_leaves_its_work_to_others_takes_nothing_until_it_works_again(
    bench: Bench,
) {
    bench.store.sync_jobs(&[job("harbor", "web")], &SystemClock).await.unwrap();
    let agent = Arc::new(Agent { projects: vec!["harbor"], ..Agent::default() });
    agent.rests.store(true, Ordering::Relaxed);
    let at_work = AtWork::begin(&agent, "one", &bench.store);
    until("it goes round", || agent.rounds.load(Ordering::Relaxed) > 2).await;
    assert!(agent.begun.lock().unwrap().is_empty());
    agent.rests.store(false, Ordering::Relaxed);
    until("it works", || !agent.begun.lock().unwrap().is_empty()).await;
    at_work.end().await;
}
