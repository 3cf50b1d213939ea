//! Takes what is due from the store and has it looked at, never more at once than allowed.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::clock::{Clock, between, later};
use crate::store::{DueJob, Finished, JobKey, RunInputs, Store, StoreError};

/// A job is leased for this long: longer than any check may take, so that a second agent takes over only
/// what is lost.
pub const LEASE: Duration = Duration::from_mins(3);
/// The longest time between two looks into the store.
const IDLE: Duration = Duration::from_secs(1);
/// How long places that come free are gathered where more is due than there are places.
const GATHERING: Duration = Duration::from_millis(20);
/// The most jobs that are taken at once, so that many projects share what is free.
const TAKEN: usize = 256;
/// A clock that goes back by more than this was set, and every due time is reckoned anew.
pub(super) const SET_BACK: Duration = Duration::from_secs(30);

/// A job with what its run is given.
#[derive(Debug)]
pub struct Assignment {
    /// The job.
    pub job: DueJob,
    /// What earlier runs have left.
    pub inputs: RunInputs,
    /// Held until the run is stored, so that no more are under way than allowed.
    pub permit: OwnedSemaphorePermit,
}

/// A run that has ended, and the place that it held.
#[derive(Debug)]
pub struct Ended {
    /// The run.
    pub run: Finished,
    /// Given back once it is stored.
    pub permit: OwnedSemaphorePermit,
}

/// Looks at one project with some of its checks.
#[async_trait]
pub trait Looker: Send + Sync + Debug {
    /// Sends each run as it ends. An assignment whose check is no longer configured is dropped.
    async fn look(
        &self,
        project: &str,
        assignments: Vec<Assignment>,
        ended: &mpsc::UnboundedSender<Ended>,
    );
}

/// Told how the scheduler fares.
pub trait Observer: Send + Sync + Debug {
    /// A job is run this long after it was due.
    fn lag(&self, lag: Duration);
    /// So many looks are under way.
    fn in_flight(&self, looks: usize);
    /// The scheduler is alive at this moment.
    fn alive(&self, at: Timestamp);
    /// It cannot take what is due, and tries again.
    fn stuck(&self, error: &StoreError);
}

/// The loop that keeps every job at its times.
#[derive(Debug)]
pub struct Scheduler {
    /// Who holds the leases.
    pub agent: String,
    /// Where the jobs are.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who looks.
    pub looker: Arc<dyn Looker>,
    /// Who is told.
    pub observer: Arc<dyn Observer>,
    /// Looks that may be under way at once.
    pub limit: usize,
    /// Wakes the loop before its time.
    pub wake: Arc<Notify>,
    /// Asked to reckon every due time anew.
    pub resync: Arc<Notify>,
}

impl Scheduler {
    /// Runs until `stop` is true; then waits for the looks that are under way, `grace` at most.
    pub async fn run(
        self,
        ended: mpsc::UnboundedSender<Ended>,
        mut stop: watch::Receiver<bool>,
        grace: Duration,
    ) {
        let places = Arc::new(Semaphore::new(self.limit));
        let mut looks = Looks::default();
        let mut last = (self.clock.now(), Instant::now());
        while !*stop.borrow() {
            looks.reap();
            let now = self.clock.now();
            self.observer.in_flight(self.limit - places.available_permits());
            let passed = last.1.elapsed();
            // A fast clock passes more time than the machine; only going back is looked for.
            if between(now, later(last.0, passed)) > SET_BACK && now < last.0 {
                tracing::warn!("the clock went back; every check is scheduled anew");
                self.resync.notify_one();
            }
            last = (now, Instant::now());
            let pause = match self.take(now, &places, &mut looks, &ended).await {
                Ok(pause) => {
                    self.observer.alive(now);
                    pause
                }
                Err(error) => {
                    self.observer.stuck(&error);
                    tracing::error!("{:#}", anyhow::Error::new(error));
                    IDLE
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.wake.notified() => {}
                _ = stop.changed() => {}
            }
        }
        let waited =
            tokio::time::timeout(grace, async { while looks.tasks.join_next().await.is_some() {} });
        if waited.await.is_err() {
            looks.tasks.shutdown().await;
        }
    }

    /// Takes what is due and starts it; gives back how long to wait before the next time.
    async fn take(
        &self,
        now: Timestamp,
        places: &Arc<Semaphore>,
        looks: &mut Looks,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Result<Duration, StoreError> {
        let free = places.available_permits().min(TAKEN);
        // Places that come free together are filled together: one question, and looks that share what they ask.
        let gathering = self.clock.takes(IDLE).min(GATHERING);
        if free == 0 {
            return Ok(gathering);
        }
        if looks.astray {
            self.store.let_go_of_jobs(&self.agent, &looks.keys()).await?;
            looks.astray = false;
        }
        // Where no answer comes, the store may have done it all the same.
        let jobs = self.store.take_due(&self.agent, now, LEASE, free).await;
        let jobs = jobs.inspect_err(|_error| looks.astray = true)?;
        let full = jobs.len() == free;
        let keys: Vec<JobKey> = jobs.iter().map(|job| job.key.clone()).collect();
        // A run that does not know of its past would end what the past has found: without it none begins.
        let inputs = self.store.run_inputs(&keys, now).await;
        let inputs = inputs.inspect_err(|_error| looks.astray = true)?;
        let mut projects: BTreeMap<String, Vec<Assignment>> = BTreeMap::new();
        for (job, inputs) in jobs.into_iter().zip(inputs) {
            if !job.first {
                self.observer.lag(between(job.due_at, now));
            }
            let Ok(permit) = Arc::clone(places).try_acquire_owned() else { continue };
            // A row that cannot be read costs this run its past, and no other run anything.
            let inputs = inputs.unwrap_or_else(|error| {
                let check = &job.key.check;
                tracing::error!(check, "{:#}", anyhow::Error::new(error));
                RunInputs::default()
            });
            let project = job.key.project.clone();
            projects.entry(project).or_default().push(Assignment { job, inputs, permit });
        }
        for (project, assignments) in projects {
            let (looker, ended) = (Arc::clone(&self.looker), ended.clone());
            let keys = assignments.iter().map(|it| it.job.key.clone()).collect();
            looks.begin(keys, async move { looker.look(&project, assignments, &ended).await });
        }
        if full {
            return Ok(if free == TAKEN { Duration::ZERO } else { gathering });
        }
        let due = self.store.next_due().await?;
        let wait = due.map_or(IDLE, |due| between(now, due)).clamp(Duration::from_millis(5), IDLE);
        Ok(self.clock.takes(wait))
    }
}

/// The looks that are under way, each with its jobs.
#[derive(Debug, Default)]
struct Looks {
    tasks: JoinSet<()>,
    jobs: HashMap<tokio::task::Id, Vec<JobKey>>,
    /// Whether the store may hold jobs for this agent that none of them looks at.
    astray: bool,
}

impl Looks {
    fn begin(&mut self, jobs: Vec<JobKey>, look: impl Future<Output = ()> + Send + 'static) {
        let task = self.tasks.spawn(look);
        self.jobs.insert(task.id(), jobs);
    }

    /// Forgets those that have ended.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = match ended {
                Ok((id, ())) => id,
                Err(panicked) => panicked.id(),
            };
            self.jobs.remove(&id);
        }
    }

    fn keys(&self) -> Vec<JobKey> {
        self.jobs.values().flatten().cloned().collect()
    }
}
