//! The store in one SQLite file.

mod agents;
mod baselines;
mod changes;
mod clock;
mod commit;
mod connection;
mod drills;
mod fault;
mod gathered;
mod heartbeats;
mod incidents;
mod jobs;
mod look;
mod migrate;
mod outbox;
mod people;
mod plans;
mod runs;
mod sending;
mod upkeep;
mod waking;
mod whole;

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use super::muting::Muting;
use super::waking::Woken;
use super::{
    Approved, Attempt, Claimed, Committed, Delivery, DrillRecord, DueJob, Finished, HeartbeatCall,
    HeartbeatKey, HeartbeatRecord, HistoryPoint, IncidentCount, IncidentFilter, IncidentRecord,
    JobKey, JobSpec, LatestRun, Notification, OutboxCount, RunInputs, Span, Store, StoreError,
};
use crate::clock::Clock;
use crate::incident::{Book, Incident, Silence, Waiver};
use connection::Connections;

/// A store in a file of its own. Several agents on one machine may share it.
#[derive(Debug)]
pub struct SqliteStore {
    connections: Connections,
    muting: Muting,
    woken: Woken,
}

impl SqliteStore {
    /// Opens a file, makes it where there is none, and brings it to the tables of this version.
    ///
    /// # Errors
    /// The file cannot be opened, is damaged, is locked, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let connections = Connections::open(path).await?;
        migrate::migrate(&connections).await?;
        Ok(Self { connections, muting: Muting::default(), woken: Woken::default() })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn sync_jobs(&self, jobs: &[JobSpec], clock: &dyn Clock) -> Result<(), StoreError> {
        jobs::sync(&self.connections, jobs, clock).await
    }

    async fn reckon_from(&self, clock: &dyn Clock, lease: Duration) -> Result<u64, StoreError> {
        clock::reckon_from(self, clock, lease).await
    }

    async fn take_due(
        &self,
        agent: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<DueJob>, StoreError> {
        jobs::take_due(&self.connections, agent, now, lease, limit).await
    }

    async fn release(&self, agent: &str) -> Result<(), StoreError> {
        jobs::release(&self.connections, agent).await
    }

    async fn let_go_of_jobs(&self, agent: &str, but: &[JobKey]) -> Result<(), StoreError> {
        jobs::let_go(&self.connections, agent, but).await
    }

    async fn let_go_of_deliveries(&self, agent: &str, but_on: &[String]) -> Result<(), StoreError> {
        sending::let_go(&self.connections, agent, but_on).await
    }

    async fn note_at_work(
        &self,
        agent: &str,
        now: Timestamp,
        within: Duration,
    ) -> Result<(), StoreError> {
        agents::note(&self.connections, agent, now, within).await
    }

    async fn at_work(&self, now: Timestamp, within: Duration) -> Result<Vec<String>, StoreError> {
        agents::at_work(&self.connections, now, within).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        jobs::next_due(&self.connections).await
    }

    async fn make_due(
        &self,
        project: &str,
        check: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        jobs::make_due(&self.connections, project, check, now).await
    }

    async fn run_inputs(
        &self,
        jobs: &[JobKey],
        now: Timestamp,
    ) -> Result<Vec<Result<RunInputs, StoreError>>, StoreError> {
        runs::inputs(&self.connections, jobs, now).await
    }

    async fn commit(&self, runs: &[Finished], book: &Book) -> Result<Vec<Committed>, StoreError> {
        commit::commit(self, runs, book).await
    }

    async fn give_up(&self, run: &Finished, why: &str) -> Result<Committed, StoreError> {
        commit::give_up(&self.connections, run, why).await
    }

    async fn wake(&self, book: &Book, clock: &dyn Clock) -> Result<u64, StoreError> {
        waking::wake(self, book, clock).await
    }

    async fn claim(
        &self,
        agent: &str,
        busy: &[String],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        sending::claim(&self.connections, agent, busy, now, lease).await
    }

    async fn record_attempt(
        &self,
        agent: &str,
        delivery: &str,
        attempt: &Attempt,
        fallback: Option<&str>,
    ) -> Result<(), StoreError> {
        sending::record_attempt(&self.connections, agent, delivery, attempt, fallback).await
    }

    async fn enqueue(
        &self,
        notification: &Notification,
        channels: &[String],
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        outbox::enqueue(&self.connections, notification, channels, due_at).await
    }

    async fn waiting(&self) -> Result<Vec<OutboxCount>, StoreError> {
        outbox::waiting(&self.connections).await
    }

    async fn outbox(&self) -> Result<Vec<OutboxCount>, StoreError> {
        outbox::all(&self.connections).await
    }

    async fn acknowledge(
        &self,
        incident: &str,
        by: &str,
        note: &str,
        book: &Book,
        now: Timestamp,
    ) -> Result<Incident, StoreError> {
        incidents::acknowledge(self, incident, by, note, book, now).await
    }

    async fn resolve(
        &self,
        incident: &str,
        by: &str,
        book: &Book,
        now: Timestamp,
    ) -> Result<Incident, StoreError> {
        incidents::resolve(self, incident, by, book, now).await
    }

    async fn add_silence(&self, silence: &Silence) -> Result<String, StoreError> {
        people::add_silence(&self.connections, silence).await
    }

    async fn end_silence(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        people::end_silence(&self.connections, id, now).await
    }

    async fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        people::silences(&self.connections, now).await
    }

    async fn add_waiver(&self, waiver: &Waiver) -> Result<String, StoreError> {
        people::add_waiver(&self.connections, waiver).await
    }

    async fn remove_waiver(&self, id: &str) -> Result<(), StoreError> {
        people::remove_waiver(&self.connections, id).await
    }

    async fn waivers(&self) -> Result<Vec<Waiver>, StoreError> {
        people::waivers(&self.connections).await
    }

    async fn approve(&self, approved: &[Approved]) -> Result<(), StoreError> {
        baselines::approve(&self.connections, approved).await
    }

    async fn approved(&self, project: &str) -> Result<Vec<Approved>, StoreError> {
        baselines::approved(&self.connections, project).await
    }

    async fn record_drill(&self, drill: &DrillRecord) -> Result<(), StoreError> {
        drills::record(&self.connections, drill).await
    }

    async fn drills(&self, project: &str) -> Result<Vec<DrillRecord>, StoreError> {
        drills::of(&self.connections, project).await
    }

    async fn deliveries(&self, notification: &str) -> Result<Vec<Delivery>, StoreError> {
        drills::deliveries(&self.connections, notification).await
    }

    async fn sync_heartbeats(
        &self,
        promises: &[HeartbeatKey],
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        heartbeats::sync(&self.connections, promises, clock).await
    }

    async fn record_call(
        &self,
        promise: &HeartbeatKey,
        call: &HeartbeatCall,
    ) -> Result<(), StoreError> {
        heartbeats::record(&self.connections, promise, call).await
    }

    async fn heartbeats(&self, project: &str) -> Result<Vec<HeartbeatRecord>, StoreError> {
        heartbeats::of_project(&self.connections, project).await
    }

    async fn heartbeat_calls(
        &self,
        promise: &HeartbeatKey,
        limit: usize,
    ) -> Result<Vec<HeartbeatCall>, StoreError> {
        heartbeats::calls(&self.connections, promise, limit).await
    }

    async fn latest(&self, project: Option<&str>) -> Result<Vec<LatestRun>, StoreError> {
        look::latest(&self.connections, project).await
    }

    async fn last_looks(&self) -> Result<Vec<(String, i64)>, StoreError> {
        look::last_looks(&self.connections).await
    }

    async fn spans(
        &self,
        project: &str,
        check: &str,
        since: Timestamp,
    ) -> Result<Vec<Span>, StoreError> {
        look::spans(&self.connections, project, check, since).await
    }

    async fn history(
        &self,
        project: &str,
        check: &str,
        since: Timestamp,
    ) -> Result<Vec<HistoryPoint>, StoreError> {
        look::history(&self.connections, project, check, since).await
    }

    async fn incident_counts(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<IncidentCount>, StoreError> {
        look::incident_counts(&self.connections, project).await
    }

    async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError> {
        look::incidents(&self.connections, filter).await
    }

    async fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, StoreError> {
        look::incident(&self.connections, id).await
    }

    async fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        upkeep::get(&self.connections, name).await
    }

    async fn put(&self, name: &str, value: &str) -> Result<(), StoreError> {
        upkeep::put(&self.connections, name, value).await
    }

    async fn put_once(&self, name: &str, value: &str) -> Result<String, StoreError> {
        upkeep::put_once(&self.connections, name, value).await
    }

    async fn listed(&self, beginning: &str) -> Result<Vec<(String, String)>, StoreError> {
        upkeep::listed(&self.connections, beginning).await
    }

    async fn forget(&self, name: &str) -> Result<(), StoreError> {
        upkeep::forget(&self.connections, name).await
    }

    async fn roll_up(&self, now: Timestamp, figures: Duration) -> Result<u64, StoreError> {
        upkeep::roll_up(&self.connections, now, figures).await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        upkeep::backup(&self.connections, to).await
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        upkeep::ping(&self.connections).await
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}
