//! What follows from a stored run, a sent message and the passing of time: metrics, and waking those who
//! wait for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::parts::Parts;
use super::setup::Setup;
use crate::clock::{between, pause};
use crate::engine::{Observer, Stored};
use crate::metrics::{Board, BySeverity, ProjectFigures};
use crate::notify::outbox::{self, Tried};
use crate::report::{self, Standing};
use crate::store::{Committed, Finished, IncidentFilter, JobKey, LatestRun, StoreError};
use crate::telemetry::complain;

/// The most open incidents of one project that are counted: more codes than all checks have.
const COUNTED: usize = 5_000;
/// Verdicts are reckoned anew at most so often.
const RECKON: Duration = Duration::from_millis(500);
/// The scheduler counts as stalled when it was not alive for this long.
pub(super) const STALLED: Duration = Duration::from_mins(2);

/// Listens to scheduler and committer.
#[derive(Debug)]
pub(super) struct Telling {
    board: Arc<Board>,
    /// Wakes the sender of messages.
    pub(super) outbox: Arc<Notify>,
    /// Wakes the scheduler.
    pub(super) scheduler: Arc<Notify>,
    /// Asks for every due time to be reckoned anew.
    pub(super) resync: Arc<Notify>,
    changed: Mutex<BTreeSet<String>>,
    /// Whether other agents may have stored runs that the metrics do not have yet.
    follows: AtomicBool,
    reckon: Notify,
    alive: Mutex<Option<Timestamp>>,
    /// Why nothing that is due can be taken at present.
    stuck: Mutex<Option<String>>,
    /// When the scheduler last went round, whatever came of it, in real time.
    moved: Mutex<Option<Instant>>,
    /// Why runs are not stored at present.
    failing: Mutex<Option<String>>,
    /// Why the jobs of the store are not yet those of the config.
    behind: Mutex<Option<String>>,
    sending: Mutex<Sending>,
}

/// How the sender fares.
#[derive(Debug, Default)]
struct Sending {
    /// When it last asked the store, in real time.
    asked: Option<Instant>,
    /// Why the outbox cannot be read at present.
    failing: Option<String>,
    /// Why time does not pass for incidents at present: no reminder and no escalation.
    asleep: Option<String>,
    /// Channels on which what was sent cannot be recorded, each with the reason.
    unrecorded: BTreeMap<String, String>,
}

impl Telling {
    pub(super) fn new(board: Arc<Board>) -> Self {
        Self {
            board,
            outbox: Arc::default(),
            scheduler: Arc::default(),
            resync: Arc::default(),
            changed: Mutex::default(),
            follows: AtomicBool::new(false),
            reckon: Notify::new(),
            alive: Mutex::default(),
            stuck: Mutex::default(),
            moved: Mutex::default(),
            failing: Mutex::default(),
            behind: Mutex::default(),
            sending: Mutex::default(),
        }
    }

    /// The metrics.
    pub(super) fn board(&self) -> Arc<Board> {
        Arc::clone(&self.board)
    }

    /// Makes the metrics those of these jobs.
    pub(super) fn take_over(&self, jobs: &BTreeSet<JobKey>, setup: &Setup) {
        self.board.set_max_checks(setup.agent.metrics_max_checks);
        let channels: Vec<_> = setup.agent.channels.iter().map(|it| it.name.clone()).collect();
        self.board.set_channels(&channels);
        self.board.keep(jobs);
        for project in setup.projects.keys() {
            self.touch(project);
        }
    }

    /// Makes the metrics of these runs what was last stored of them; the board leaves out what the config has not.
    pub(super) fn take_over_runs(&self, latest: &[LatestRun]) {
        for run in latest.iter().filter(|run| run.at.is_some()) {
            self.board.set_run(run);
        }
    }

    /// Has metrics taken from the store from now on, beside those of runs that this agent stores; or no longer.
    pub(super) fn set_follows(&self, follows: bool) {
        self.follows.store(follows, Ordering::Relaxed);
    }

    /// Has the verdict and the metrics of a project read anew.
    pub(super) fn touch(&self, project: &str) {
        self.changed.lock().unwrap_or_else(PoisonError::into_inner).insert(project.to_owned());
        self.reckon.notify_one();
    }

    /// Whether the scheduler moves, runs are stored and messages can be sent from the store; else why not.
    pub(super) fn well(&self, now: Timestamp) -> Result<(), String> {
        let sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = sending.failing.as_ref().or(sending.unrecorded.values().next()) {
            return Err(format!("messages cannot be sent: {why}"));
        }
        if let Some(why) = &sending.asleep {
            return Err(format!("reminders and escalations cannot be made: {why}"));
        }
        if sending.asked.is_some_and(|at| at.elapsed() > STALLED) {
            return Err("the sender of messages has not moved for minutes".to_owned());
        }
        drop(sending);
        if let Some(why) = &*self.failing.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(format!("runs cannot be stored: {why}"));
        }
        if let Some(why) = &*self.stuck.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(format!("checks that are due cannot be taken: {why}"));
        }
        if let Some(why) = &*self.behind.lock().unwrap_or_else(PoisonError::into_inner) {
            return Err(format!("the config cannot be taken over: {why}"));
        }
        match *self.alive.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Err("the scheduler has not started yet".to_owned()),
            Some(at) if between(at, now) > STALLED => {
                Err(format!("the scheduler has not moved since {at}"))
            }
            Some(_) => Ok(()),
        }
    }

    /// Whether the scheduler and the sender go round. A store that is away stops neither, and ending an agent would
    /// lose what it has seen meanwhile.
    pub(super) fn moves(&self) -> bool {
        let moved = *self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = self.sending.lock().unwrap_or_else(PoisonError::into_inner).asked;
        moved.is_some_and(|at| at.elapsed() <= STALLED)
            && asked.is_none_or(|at| at.elapsed() <= STALLED)
    }

    /// How far the machine's clock is ahead of that of the store's server.
    pub(super) fn clock_ahead(&self, ahead: SignedDuration) {
        self.board.clock_ahead(ahead);
    }

    /// Whether the jobs of the store are those of the config.
    pub(super) fn adapted(&self, outcome: Result<(), &StoreError>) {
        *self.behind.lock().unwrap_or_else(PoisonError::into_inner) =
            outcome.err().map(ToString::to_string);
    }

    /// Whether time passed for incidents.
    pub(super) fn woke(&self, outcome: Result<(), &StoreError>) {
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.asleep = outcome.err().map(ToString::to_string);
    }

    /// Reckons verdicts and open incidents of projects whose runs were stored, until dropped.
    pub(super) async fn reckon_verdicts(&self, parts: &Parts) {
        loop {
            self.reckon.notified().await;
            let changed =
                std::mem::take(&mut *self.changed.lock().unwrap_or_else(PoisonError::into_inner));
            let setup = parts.setup();
            for name in changed {
                if let Err(error) = self.reckon_one(parts, &setup, &name).await {
                    complain(error);
                }
            }
            pause(&*parts.clock, RECKON).await;
        }
    }

    async fn reckon_one(&self, parts: &Parts, setup: &Setup, name: &str) -> Result<(), StoreError> {
        let Some(project) = setup.projects.get(name) else { return Ok(()) };
        let store = &*parts.store;
        let latest = store.latest(Some(name)).await?;
        if self.follows.load(Ordering::Relaxed) {
            self.take_over_runs(&latest);
        }
        let filter = IncidentFilter {
            project: Some(name.to_owned()),
            limit: COUNTED,
            ..IncidentFilter::default()
        };
        let incidents = store.incidents(&filter).await?;
        let report = report::from_latest(&Standing {
            project: name,
            domain: &project.target.domain,
            goal: project.target.goal,
            settled: &project.settled(),
            not_used: &project.not_used,
            recheck: &setup.recheck(name),
            latest: &latest,
            incidents: &incidents,
            waivers: &store.waivers().await?,
            now: parts.clock.now(),
        });
        let live = report.findings().into_iter().filter(|(_, it)| it.waived.is_none());
        let figures = ProjectFigures {
            findings: BySeverity::count(live.map(|(_, finding)| finding.severity)),
            verdict: report.verdict,
            incidents: BySeverity::count(incidents.iter().map(|incident| incident.severity)),
        };
        self.board.set_project(name, &figures);
        Ok(())
    }
}

impl Observer for Telling {
    fn lag(&self, lag: Duration) {
        self.board.scheduler_lag(lag);
    }

    fn in_flight(&self, looks: usize) {
        self.board.looks_in_flight(looks);
    }

    fn alive(&self, at: Timestamp) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        *self.alive.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
        *self.stuck.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn stuck(&self, error: &StoreError) {
        *self.moved.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        *self.stuck.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.to_string());
    }
}

impl Stored for Telling {
    fn stored(&self, runs: &[Finished], became: &[Committed], took: Duration) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.board.store_commit(took);
        for (run, became) in runs.iter().zip(became) {
            if !became.stored {
                continue;
            }
            self.board.set_run(&LatestRun {
                key: run.key.clone(),
                target: run.seen.target.clone(),
                at: Some(run.started_at),
                duration: run.duration,
                status: run.status,
                since: None,
                reason: run.reason.clone(),
                assessment: run.assessment.clone(),
                next_due: became.next_due,
            });
            self.touch(&run.key.project);
        }
        // A suspected finding is looked at sooner than the scheduler thinks.
        self.scheduler.notify_one();
        if became.iter().any(|became| !became.changes.is_empty()) {
            self.outbox.notify_one();
        }
    }

    fn failed(&self, error: &StoreError) {
        let text = error.to_string();
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        // Said once for as long as it lasts.
        if failing.as_ref() != Some(&text) {
            tracing::error!("{text}");
            *failing = Some(text);
        }
    }
}

impl outbox::Observer for Telling {
    fn tried(&self, tried: &Tried) {
        self.board.notified(&tried.channel, tried.outcome);
        if let Some(latency) = tried.latency {
            self.board.alert_latency(latency);
        }
    }

    fn asked(&self, outcome: Result<(), &StoreError>) {
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        sending.asked = Some(Instant::now());
        sending.failing = outcome.err().map(ToString::to_string);
    }

    fn recorded(&self, channel: &str, outcome: Result<(), &StoreError>) {
        let mut sending = self.sending.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Ok(()) => drop(sending.unrecorded.remove(channel)),
            Err(error) => {
                sending.unrecorded.insert(channel.to_owned(), error.to_string());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_well_only_while_runs_are_stored_and_messages_can_be_sent() {
        let telling = Telling::new(Arc::new(Board::new("0.0.0", 100).unwrap()));
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let why = |telling: &Telling| telling.well(now).err().unwrap_or_default();
        assert_eq!(why(&telling), "the scheduler has not started yet");
        telling.alive(now);
        outbox::Observer::asked(&telling, Ok(()));
        assert_eq!(why(&telling), "");
        outbox::Observer::asked(&telling, Err(&StoreError::Busy));
        assert!(why(&telling).starts_with("messages cannot be sent: the store is busy"));
        outbox::Observer::asked(&telling, Ok(()));
        assert_eq!(why(&telling), "");
        // Two channels: that one of them is recorded says nothing of the other.
        for channel in ["ops", "founder"] {
            outbox::Observer::recorded(&telling, channel, Err(&StoreError::Busy));
        }
        outbox::Observer::recorded(&telling, "ops", Ok(()));
        assert!(why(&telling).starts_with("messages cannot be sent"));
        outbox::Observer::recorded(&telling, "founder", Ok(()));
        assert_eq!(why(&telling), "");
        telling.woke(Err(&StoreError::Busy));
        assert!(why(&telling).starts_with("reminders and escalations"));
        telling.woke(Ok(()));
        telling.failed(&StoreError::Busy);
        assert!(why(&telling).starts_with("runs cannot be stored"));
        telling.stored(&[], &[], Duration::ZERO);
        assert_eq!(why(&telling), "");
        telling.stuck(&StoreError::Busy);
        assert!(telling.moves(), "the store is away, and the agent goes on");
        assert!(why(&telling).starts_with("checks that are due cannot be taken"));
        telling.alive(now);
        assert_eq!(why(&telling), "");
        telling.adapted(Err(&StoreError::Busy));
        assert!(why(&telling).starts_with("the config cannot be taken over: the store is busy"));
        telling.adapted(Ok(()));
        assert_eq!(why(&telling), "");
        let late = crate::clock::later(now, STALLED + Duration::from_secs(1));
        assert!(telling.well(late).unwrap_err().contains("has not moved since"));
    }
}
