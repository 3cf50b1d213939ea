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

use super::given_back::GivenBack;
use crate::clock::{Clock, between, later};
use crate::store::{DueJob, Finished, JobKey, RunInputs, Store, StoreError};
use crate::telemetry::complain;

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
    /// Sends each run as it ends, and gives back the jobs that are for another agent, such as those that the
    /// config does not have.
    async fn look(
        &self,
        project: &str,
        assignments: Vec<Assignment>,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey>;

    /// Whether it takes jobs at present, or leaves them to other agents.
    fn takes_jobs(&self) -> bool {
        true
    }
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
            self.give_back(&mut looks);
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
                    complain(error);
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

    /// Notes which jobs were given back. Those of other agents that can look at them come first from then on.
    fn give_back(&self, looks: &mut Looks) {
        let jobs = looks.reap();
        if jobs.is_empty() {
            return;
        }
        let now = Instant::now();
        let unwanted = looks.given_back.note(jobs, now, self.clock.takes(LEASE));
        if unwanted > 0 {
            tracing::warn!(
                checks = unwanted,
                "checks are due that this agent does not look at, and no other agent takes them; give all agents \
                 the same config"
            );
        }
        looks.astray = true;
        looks.rests_until = Some(now + self.clock.takes(IDLE));
    }

    /// Takes what is due and starts it; gives back how long to wait before the next time.
    async fn take(
        &self,
        now: Timestamp,
        places: &Arc<Semaphore>,
        looks: &mut Looks,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Result<Duration, StoreError> {
        if looks.astray {
            let held = looks.keys(self.clock.takes(LEASE));
            self.store.let_go_of_jobs(&self.agent, &held).await?;
            looks.astray = false;
        }
        if !self.looker.takes_jobs() {
            return Ok(self.clock.takes(IDLE));
        }
        if let Some(rest) = looks.rest() {
            return Ok(rest);
        }
        let free = places.available_permits().min(TAKEN);
        // Places that come free together are filled together: one question, and looks that share what they ask.
        let gathering = self.clock.takes(IDLE).min(GATHERING);
        if free == 0 {
            return Ok(gathering);
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
            let wake = Arc::clone(&self.wake);
            let keys = assignments.iter().map(|it| it.job.key.clone()).collect();
            looks.begin(keys, async move {
                let back = looker.look(&project, assignments, &ended).await;
                if !back.is_empty() {
                    wake.notify_one();
                }
                back
            });
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
    /// Each ends with the jobs that it gives back.
    tasks: JoinSet<Vec<JobKey>>,
    jobs: HashMap<tokio::task::Id, Vec<JobKey>>,
    given_back: GivenBack,
    /// Until then what was given back is there for others alone.
    rests_until: Option<Instant>,
    /// Whether the store may hold jobs for this agent that none of them looks at.
    astray: bool,
}

impl Looks {
    fn begin(
        &mut self,
        jobs: Vec<JobKey>,
        look: impl Future<Output = Vec<JobKey>> + Send + 'static,
    ) {
        let task = self.tasks.spawn(look);
        self.jobs.insert(task.id(), jobs);
    }

    /// Forgets those that have ended, and says which jobs they have given back.
    fn reap(&mut self) -> Vec<JobKey> {
        let mut back = Vec::new();
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            let id = match ended {
                Ok((id, jobs)) => {
                    back.extend(jobs);
                    id
                }
                Err(panicked) => panicked.id(),
            };
            self.jobs.remove(&id);
        }
        back
    }

    /// How long nothing is taken yet.
    fn rest(&self) -> Option<Duration> {
        let left = self.rests_until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// The jobs that stay held.
    fn keys(&self, lease: Duration) -> Vec<JobKey> {
        let held = self.given_back.held(Instant::now(), lease);
        self.jobs.values().flatten().chain(held).cloned().collect()
    }
}
