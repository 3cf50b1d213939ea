//! Looks at a project for the scheduler: each run is judged and handed on as it ends.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use launchready_checks::contract::{Status, Target};
use launchready_checks::registry;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio::time::Instant;

use super::own::{self, Uplink};
use super::setup::{Setup, phase};
use crate::app::alerting::{Counter, Told, channels_of};
use crate::app::figures::Kept;
use crate::app::heard::Heard;
use crate::app::{Memory, Session, Visit, job};
use crate::clock::Clock;
use crate::config::Project;
use crate::engine::{
    Assignment, AuditRecord, Due, Ended, Inputs, Job, Looker, Outcome, Progress, RunRecord, finish,
    run_all,
};
use crate::incident::Sight;
use crate::probe::Sharers;
use crate::store::{DueJob, JobKey, RunInputs, Store};
use crate::telemetry::complain;

/// All looks of one visit end within this time; longer than any check may take.
const LIMIT: Duration = Duration::from_mins(1);

/// Looks for the agent.
#[derive(Debug)]
pub(super) struct Watcher {
    /// The name of the agent.
    pub(super) me: Arc<str>,
    /// The present config.
    pub(super) setup: watch::Receiver<Arc<Setup>>,
    /// What was heard of promised calls.
    pub(super) store: Arc<dyn Store>,
    /// What became of messages.
    pub(super) counter: Arc<Counter>,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
    /// What the agent knows of its own network.
    pub(super) uplink: Arc<Uplink>,
    /// How many agents are at work.
    pub(super) sharers: Sharers,
}

#[async_trait]
impl Looker for Watcher {
    async fn look(
        &self,
        project: &str,
        assignments: Vec<Assignment>,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey> {
        let setup = Arc::clone(&self.setup.borrow());
        if project == own::PROJECT {
            return self.look_at_agents(assignments, ended).await;
        }
        // Another agent may have read a newer config. Where none has, the jobs of a project that has left it go at
        // the next reckoning.
        let Some(project) = setup.projects.get(project) else {
            tracing::info!(
                project,
                "the config has no such project; its checks are left to others"
            );
            return assignments.into_iter().map(|assignment| assignment.job.key).collect();
        };
        match self.visit(&setup, project, assignments, ended).await {
            Ok(back) => back,
            Err(error) => {
                tracing::error!("cannot look at {}: {error:#}", project.target.project);
                Vec::new()
            }
        }
    }

    fn takes_jobs(&self) -> bool {
        !self.uplink.leaves_work()
    }
}

impl Watcher {
    /// Whether the agents have a network.
    async fn look_at_agents(
        &self,
        assignments: Vec<Assignment>,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey> {
        let mut back = Vec::new();
        for Assignment { job, permit, .. } in assignments {
            match own::look(&*self.store, &self.me, &job, &*self.clock).await {
                // The committer outlives the looks; without it there is nothing left to do.
                Ok(run) => drop(ended.send(Ended { run, permit })),
                Err(error) => {
                    complain(error);
                    back.push(job.key);
                }
            }
        }
        back
    }

    async fn visit(
        &self,
        setup: &Setup,
        project: &Project,
        assignments: Vec<Assignment>,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> anyhow::Result<Vec<JobKey>> {
        let began = Instant::now();
        let now = self.clock.now();
        let heartbeats = Arc::new(Heard {
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            me: Some(Arc::clone(&self.me)),
            promises: project.watch.heartbeats.clone(),
        });
        let figures = Arc::new(Kept { store: Arc::clone(&self.store) });
        let alerting = Arc::new(Told {
            store: Arc::clone(&self.store),
            counter: Arc::clone(&self.counter),
            channels: channels_of(&setup.book.channels, &project.target.project),
        });
        let memory = Memory { heartbeats, alerting, figures };
        let is_beside = assignments.iter().any(|assignment| assignment.job.beside);
        let visit = setup.session.visit(project, is_beside, LIMIT, memory);
        let Visit { target, probes, http } = visit.await?;
        let mut jobs = Vec::new();
        let mut places = BTreeMap::new();
        let mut back = Vec::new();
        for assignment in assignments {
            let Assignment { job: due, inputs, permit } = assignment;
            let Some(job) = configured(project, &due, inputs) else {
                let JobKey { project, check } = &due.key;
                tracing::info!(
                    project,
                    check,
                    "the config has no such check; it is left to others"
                );
                back.push(due.key);
                continue;
            };
            let schedule = Setup::schedule(project, &due.key.check)?;
            let next = schedule.after(now, phase(&project.target.project));
            let lost = self.uplink.is_lost();
            places.insert(
                due.key.check.clone(),
                (Due { at: due.due_at, next, own_network_lost: lost }, permit),
            );
            jobs.push(job);
        }
        let record = AuditRecord {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: now,
            finished_at: now,
            target: target.clone(),
            not_used: project.not_used.clone(),
            // What is accepted is put to the findings inside the store.
            waivers: Vec::new(),
            handover: None,
            recheck: setup.recheck(&project.target.project),
            config: Some(setup.path.display().to_string()),
            clock_behind_s: None,
            runs: Vec::new(),
        };
        let http = || http.clock_behind();
        let hand_on = HandOn {
            record,
            places: Mutex::new(places),
            back: Mutex::new(back),
            aside: (self.sharers.count() > 1).then(Mutex::default),
            uplink: &self.uplink,
            clock_behind: &http,
            ended,
        };
        let target: Arc<Target> = Arc::new(target);
        run_all(jobs, &target, &probes, now, (began, LIMIT), &hand_on).await;
        let (mut back, aside) = hand_on.left();
        if !aside.is_empty() {
            back.extend(self.settle(&setup.session, aside, ended).await);
        }
        Ok(back)
    }

    /// Sends on what was put aside, or gives its jobs back: the network may have been lost since the last look at it,
    /// and then another agent sees what this one could not.
    async fn settle(
        &self,
        session: &Session,
        aside: Vec<Ended>,
        ended: &mpsc::UnboundedSender<Ended>,
    ) -> Vec<JobKey> {
        let is_online = session.is_online().await;
        if !is_online
            && let Err(error) = self.uplink.lose(&*self.store, &self.me, self.clock.now()).await
        {
            complain(error);
        }
        if !is_online && self.uplink.leaves_work() {
            return aside.into_iter().map(|one| one.run.key).collect();
        }
        for mut one in aside {
            if let Sight::Blind { own_network, .. } = &mut one.run.seen.sight {
                *own_network |= !is_online;
            }
            drop(ended.send(one));
        }
        Vec::new()
    }
}

/// The job with its options; `None` when the config no longer has it.
fn configured(project: &Project, due: &DueJob, inputs: RunInputs) -> Option<Job> {
    let version = registry::find(&due.key.check)?.meta.evidence_version;
    Setup::schedule(project, &due.key.check).ok()?;
    // Evidence of another version cannot be read, so that what was approved then has to be approved again.
    let own = |(of, evidence)| (of == version).then_some(evidence);
    let RunInputs { previous, carry, history, baseline } = inputs;
    let (previous, baseline) = (previous.and_then(own), baseline.and_then(own));
    let inputs = Inputs { previous, carry, history, baseline };
    // The config was checked when it was read: its options can be built.
    job(project, &due.key.check, inputs).ok()
}

/// Judges runs as they end and sends them to be stored.
struct HandOn<'a> {
    record: AuditRecord,
    places: Mutex<BTreeMap<String, (Due, OwnedSemaphorePermit)>>,
    /// Jobs that are for another agent.
    back: Mutex<Vec<JobKey>>,
    /// Where others are at work, too: runs that are believed only once the network was looked at.
    aside: Option<Mutex<Vec<Ended>>>,
    uplink: &'a Uplink,
    clock_behind: &'a (dyn Fn() -> Option<i64> + Sync + Send),
    ended: &'a mpsc::UnboundedSender<Ended>,
}

impl HandOn<'_> {
    /// The jobs that are for another agent, and what was put aside.
    fn left(self) -> (Vec<JobKey>, Vec<Ended>) {
        let back = self.back.into_inner().unwrap_or_else(PoisonError::into_inner);
        let aside =
            self.aside.map(|aside| aside.into_inner().unwrap_or_else(PoisonError::into_inner));
        (back, aside.unwrap_or_default())
    }
}

impl Progress for HandOn<'_> {
    fn begin(&self, _total: usize) {}

    fn ended(&self, run: &RunRecord) {
        let place = self.places.lock().unwrap_or_else(PoisonError::into_inner).remove(&run.id);
        let Some((mut due, permit)) = place else { return };
        due.own_network_lost |= self.uplink.is_lost();
        if let Outcome::Unknown { cause, .. } = &run.outcome {
            tracing::info!(
                project = self.record.target.project,
                check = run.id,
                "unknown: {cause}"
            );
        }
        let record = AuditRecord { clock_behind_s: (self.clock_behind)(), ..self.record.clone() };
        let Some(run) = finish(&record, run, due) else { return };
        let is_doubtful = !matches!(run.status, Status::Pass | Status::Skipped);
        if is_doubtful && self.uplink.leaves_work() {
            // The network was lost meanwhile, and another agent sees what this one could not.
            self.back.lock().unwrap_or_else(PoisonError::into_inner).push(run.key);
            return;
        }
        let ended = Ended { run, permit };
        match &self.aside {
            Some(aside) if is_doubtful => {
                aside.lock().unwrap_or_else(PoisonError::into_inner).push(ended);
            }
            _ => drop(self.ended.send(ended)),
        }
    }

    fn finish(&self) {}
}
