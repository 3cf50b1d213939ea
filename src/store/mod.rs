//! What is worth keeping: jobs, runs, incidents and the outbox, behind one trait.
//!
//! A run, its measurements, the changes of its incidents and the outbox rows are one transaction
//! ([`Store::commit`]). Everything is read anew by each loop, so restart, crash and a second agent take
//! the same path.

mod drill;
mod error;
mod evidence;
mod fault;
mod figures;
mod heartbeat;
mod histogram;
mod ids;
mod incidents;
mod jobs;
mod keeping;
mod known;
mod looks;
mod messages;
mod model;
mod muting;
mod open;
mod plan;
pub mod postgres;
mod row;
mod runs;
pub mod sqlite;
mod transfer;
mod waking;
mod words;

use std::fmt::Debug;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

pub use drill::{DRILLS, DrillRecord};
pub use error::StoreError;
pub use heartbeat::{
    HeartbeatCall, HeartbeatKey, HeartbeatRecord, Listener, Signal, forget_listener, last_listened,
    listeners, note_ending, note_listening,
};
pub use model::{
    Approved, Attempt, AttemptOutcome, Claimed, Committed, Delivery, DeliveryState, DueJob,
    Finished, HistoryPoint, IncidentCount, IncidentFilter, IncidentRecord, JobKey, JobSpec,
    LatestRun, Notification, NotificationKind, OutboxCount, Plain, RecordedChange, RunInputs, Span,
    Told,
};
pub use open::{is_there, open, rehearse};
pub use runs::REPORT_IT;
pub use transfer::{Carried, transfer};

use crate::clock::Clock;
use crate::incident::{Book, Incident, Silence, Waiver};

/// An agent that has not noted for so long that it is at work counts as gone: four times the time between two
/// notes. What it held is taken over later, when its lease ends.
pub const AT_WORK: Duration = Duration::from_mins(1);

/// The id of a message that is made outside a store.
///
/// # Errors
/// The machine has no randomness.
pub fn new_message_id() -> Result<String, StoreError> {
    ids::new_id(ids::NOTIFICATION)
}

/// The database of the agent. Every call is one transaction.
#[async_trait]
pub trait Store: Send + Sync + Debug {
    // ── Jobs ──────────────────────────────────────────────────────────────────────────────────────

    /// Makes the jobs those of the config: new ones are due at once, changed schedules count from now, also
    /// where a run is under way, and jobs that are gone end, as do their incidents. The time is read
    /// when it is the turn of the call, which may have waited for other agents.
    async fn sync_jobs(&self, jobs: &[JobSpec], clock: &dyn Clock) -> Result<(), StoreError>;

    /// Puts right what a clock that was ahead has left behind: no lease ends later than `lease` from now,
    /// no delivery waits longer than it was to wait, and nothing happened in the future. To be called
    /// before [`sync_jobs`](Self::sync_jobs), at the start and when the clock was put back. Returns how
    /// many rows were put right. The time is read as by [`sync_jobs`](Self::sync_jobs).
    async fn reckon_from(&self, clock: &dyn Clock, lease: Duration) -> Result<u64, StoreError>;

    /// Takes jobs that are due and that nobody else holds, earliest first, and leases them to `agent`. Where
    /// there are more than `limit`, those of projects that another agent is at are left to it.
    async fn take_due(
        &self,
        agent: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<DueJob>, StoreError>;

    /// Lets go of every job and delivery that an agent of this name holds, and of its note that it is at work:
    /// at its start, for one that was ended in the middle, and at its end.
    async fn release(&self, agent: &str) -> Result<(), StoreError>;

    /// Lets go of the jobs that an agent of this name holds beside these: what it took in a transaction of which
    /// it never heard that it was done, or could not begin.
    async fn let_go_of_jobs(&self, agent: &str, but: &[JobKey]) -> Result<(), StoreError>;

    /// Lets go of the deliveries that an agent of this name holds on channels beside these, for the same reason.
    async fn let_go_of_deliveries(&self, agent: &str, but_on: &[String]) -> Result<(), StoreError>;

    /// Notes that an agent of this name is at work, and forgets those that were not heard of for `within`. On a
    /// server its own clock counts. [`release`](Self::release) takes the note away.
    async fn note_at_work(
        &self,
        agent: &str,
        now: Timestamp,
        within: Duration,
    ) -> Result<(), StoreError>;

    /// The names of the agents that were heard of within this time, in order.
    async fn at_work(&self, now: Timestamp, within: Duration) -> Result<Vec<String>, StoreError>;

    /// The earliest time at which a job is due.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Makes a check of a project, or all of them, due now. One that is under way looks again when it has ended.
    async fn make_due(
        &self,
        project: &str,
        check: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, StoreError>;

    /// What the run of each job is given, in their order: the last evidence, the carried state and the windows
    /// of history. An error in the list is about rows of that job alone.
    async fn run_inputs(
        &self,
        jobs: &[JobKey],
        now: Timestamp,
    ) -> Result<Vec<Result<RunInputs, StoreError>>, StoreError>;

    /// Stores finished runs with everything that follows from them, in one transaction. A run whose job
    /// has a stored run of the same or a later due time is left out, so that a late lease does nothing
    /// twice.
    async fn commit(&self, runs: &[Finished], book: &Book) -> Result<Vec<Committed>, StoreError>;

    /// Records of a run that it cannot be stored: its job is `unknown` for this reason and is due again with
    /// its schedule. Nothing else of the run is kept.
    async fn give_up(&self, run: &Finished, why: &str) -> Result<Committed, StoreError>;

    /// Lets time pass for incidents: reminders, escalations, what a silence or a window held back, calm
    /// after flapping. Returns how many changes were recorded. The time is read as by
    /// [`sync_jobs`](Self::sync_jobs), for each project.
    async fn wake(&self, book: &Book, clock: &dyn Clock) -> Result<u64, StoreError>;

    // ── Outbox ────────────────────────────────────────────────────────────────────────────────────

    /// Claims deliveries that are due, earliest first, at most one for each channel that is not in
    /// `busy`. The notification of a claimed delivery takes no more changes. One that cannot be read is
    /// claimed too, and says so.
    async fn claim(
        &self,
        agent: &str,
        busy: &[String],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError>;

    /// Records what came of an attempt of `agent`. `Retry` makes the delivery due again; `Failed` ends it, and where
    /// a `fallback` is named, that channel is told the same, once however often it is named. Either comes too late
    /// and changes nothing where another agent has the delivery.
    async fn record_attempt(
        &self,
        agent: &str,
        delivery: &str,
        attempt: &Attempt,
        fallback: Option<&str>,
    ) -> Result<(), StoreError>;

    /// Puts a notification of its own into the outbox, such as a summary or an alert of the agent about
    /// itself. `id` makes it once only: a second call with the same one does nothing.
    async fn enqueue(
        &self,
        notification: &Notification,
        channels: &[String],
        due_at: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Deliveries that wait, by channel.
    async fn waiting(&self) -> Result<Vec<OutboxCount>, StoreError>;

    /// All deliveries that are kept, by channel and state. It reads them all.
    async fn outbox(&self) -> Result<Vec<OutboxCount>, StoreError>;

    // ── People ────────────────────────────────────────────────────────────────────────────────────

    /// Somebody is on an incident. The change is told to the channels.
    async fn acknowledge(
        &self,
        incident: &str,
        by: &str,
        note: &str,
        book: &Book,
        now: Timestamp,
    ) -> Result<Incident, StoreError>;

    /// Somebody says that an incident is over. It opens again when the next look sees it.
    async fn resolve(
        &self,
        incident: &str,
        by: &str,
        book: &Book,
        now: Timestamp,
    ) -> Result<Incident, StoreError>;

    /// Adds a silence; its id is given back.
    async fn add_silence(&self, silence: &Silence) -> Result<String, StoreError>;

    /// Ends a silence now.
    async fn end_silence(&self, id: &str, now: Timestamp) -> Result<(), StoreError>;

    /// Silences that have not ended.
    async fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError>;

    /// Adds a waiver; its id is given back.
    async fn add_waiver(&self, waiver: &Waiver) -> Result<String, StoreError>;

    /// Takes a waiver away.
    async fn remove_waiver(&self, id: &str) -> Result<(), StoreError>;

    /// Every waiver, expired ones included.
    async fn waivers(&self) -> Result<Vec<Waiver>, StoreError>;

    // ── What was approved ────────────────────────────────────────────────────────────────────────

    /// Makes evidence the approved state of its checks; what was approved before is kept for a while.
    async fn approve(&self, approved: &[Approved]) -> Result<(), StoreError>;

    /// The approved state of each check of a project, by check.
    async fn approved(&self, project: &str) -> Result<Vec<Approved>, StoreError>;

    // ── Drills ────────────────────────────────────────────────────────────────────────────────────

    /// Keeps what came of a drill; one of the same mark is replaced.
    async fn record_drill(&self, drill: &DrillRecord) -> Result<(), StoreError>;

    /// The drills of a project, newest first: the last [`DRILLS`] of each kind, and every one that has left
    /// something.
    async fn drills(&self, project: &str) -> Result<Vec<DrillRecord>, StoreError>;

    /// What became of a notification on each channel.
    async fn deliveries(&self, notification: &str) -> Result<Vec<Delivery>, StoreError>;

    // ── Jobs that call ────────────────────────────────────────────────────────────────────────────

    /// Makes the promises those of the config: new ones count from now, and what was heard of one that is
    /// gone is kept for a while. The time is read as by [`sync_jobs`](Self::sync_jobs).
    async fn sync_heartbeats(
        &self,
        promises: &[HeartbeatKey],
        clock: &dyn Clock,
    ) -> Result<(), StoreError>;

    /// Keeps a call. The last hundred of each promise are kept one by one, earlier ones are counted.
    async fn record_call(
        &self,
        promise: &HeartbeatKey,
        call: &HeartbeatCall,
    ) -> Result<(), StoreError>;

    /// What was heard of the promises of a project, by name.
    async fn heartbeats(&self, project: &str) -> Result<Vec<HeartbeatRecord>, StoreError>;

    /// The last calls of a promise, newest first.
    async fn heartbeat_calls(
        &self,
        promise: &HeartbeatKey,
        limit: usize,
    ) -> Result<Vec<HeartbeatCall>, StoreError>;

    // ── Looking ───────────────────────────────────────────────────────────────────────────────────

    /// The latest run of every job of a project, or of all projects, by project and check.
    async fn latest(&self, project: Option<&str>) -> Result<Vec<LatestRun>, StoreError>;

    /// For each project the sum of the times at which its jobs looked last, in milliseconds: whoever stores a run
    /// changes it.
    async fn last_looks(&self) -> Result<Vec<(String, i64)>, StoreError>;

    /// The spans of a check that touch the time since `since`, oldest first; at most 2,000.
    async fn spans(
        &self,
        project: &str,
        check: &str,
        since: Timestamp,
    ) -> Result<Vec<Span>, StoreError>;

    /// Hourly figures of the measurements of a check since `since`, oldest first.
    async fn history(
        &self,
        project: &str,
        check: &str,
        since: Timestamp,
    ) -> Result<Vec<HistoryPoint>, StoreError>;

    /// How many incidents are open or acknowledged, of a project or of each.
    async fn incident_counts(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<IncidentCount>, StoreError>;

    /// Incidents, newest first. What cannot be read is left out.
    async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError>;

    /// One incident with everything that happened to it and what was told.
    async fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, StoreError>;

    // ── Upkeep ────────────────────────────────────────────────────────────────────────────────────

    /// A small value of the agent's own, such as a key.
    async fn get(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Stores a small value.
    async fn put(&self, name: &str, value: &str) -> Result<(), StoreError>;

    /// Stores a small value unless there is one, and gives back the one that is there then.
    async fn put_once(&self, name: &str, value: &str) -> Result<String, StoreError>;

    /// The small values whose names begin like this, with their names, by name.
    async fn listed(&self, beginning: &str) -> Result<Vec<(String, String)>, StoreError>;

    /// Takes a small value away, where it is there.
    async fn forget(&self, name: &str) -> Result<(), StoreError>;

    /// Rolls old rows up and takes away what is past its keeping time, hourly figures after `figures`.
    /// Returns how many rows went.
    async fn roll_up(&self, now: Timestamp, figures: Duration) -> Result<u64, StoreError>;

    /// Copies the live database to a file.
    async fn backup(&self, to: &Path) -> Result<(), StoreError>;

    /// What the clock of the database's server shows, where agents on other machines may share it; nothing
    /// where the database is a file of this machine.
    async fn time(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;

    /// Writes what is pending and closes.
    async fn close(&self);
}
