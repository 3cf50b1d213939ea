//! The store in a PostgreSQL database that several agents may share.

mod address;
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
mod inputs;
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
use tokio::time::timeout;

use super::muting::Muting;
use super::waking::Woken;
use super::{
    Approved, Attempt, Claimed, Committed, Delivery, DrillRecord, DueJob, Finished, HeartbeatCall,
    HeartbeatKey, HeartbeatRecord, HistoryPoint, IncidentCount, IncidentFilter, IncidentRecord,
    JobKey, JobSpec, LatestRun, Notification, OutboxCount, RunInputs, Span, Store, StoreError,
};
use crate::clock::Clock;
use crate::incident::{Book, Incident, Silence, Waiver};
use connection::{Connections, LONG, PATIENCE};
pub use plans::{OFTEN, SMALL};

/// A store in a database. Several agents may share it, each with a few connections.
#[derive(Debug)]
pub struct PostgresStore {
    connections: Connections,
    muting: Muting,
    woken: Woken,
}

impl PostgresStore {
    /// Opens the database of an address, and brings it to the tables of this version. Paths of certificates in
    /// the address count from `folder`.
    ///
    /// # Errors
    /// The address is none, the database cannot be reached or used, or a newer version has written it.
    pub async fn open(address: &str, folder: &Path) -> Result<Self, StoreError> {
        let connections = Connections::open(address::read(address, folder)?).await?;
        migrate::migrate(&connections).await?;
        Ok(Self { connections, muting: Muting::default(), woken: Woken::default() })
    }

    /// Whether an agent has opened the database of an address before.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub async fn is_there(address: &str, folder: &Path) -> Result<bool, StoreError> {
        let connections = Connections::open(address::read(address, folder)?).await?;
        let done = migrate::is_there(&connections).await;
        connections.close().await;
        done
    }

    /// Whether an address has the form of one, as far as it says.
    ///
    /// # Errors
    /// It has not.
    pub fn check(address: &str, folder: &Path) -> Result<(), StoreError> {
        address::read(address, folder).map(drop)
    }

    /// The outcome of a call. One that no answer comes to ends, and its connection with it; sooner where
    /// another call finds that nothing reaches the server any more.
    async fn within<T>(
        &self,
        patience: Duration,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let lost = self.connections.lost();
        tokio::select! {
            biased;
            done = timeout(patience, call) => done.unwrap_or_else(|_elapsed| {
                self.connections.forget();
                Err(self.away("it did not answer in time"))
            }),
            () = lost => Err(self.away("nothing reaches it any more")),
        }
    }

    fn away(&self, why: &'static str) -> StoreError {
        StoreError::Away { server: self.connections.server().name.clone(), source: why.into() }
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn sync_jobs(&self, jobs: &[JobSpec], clock: &dyn Clock) -> Result<(), StoreError> {
        self.within(LONG, jobs::sync(&self.connections, jobs, clock)).await
    }

    async fn reckon_from(&self, clock: &dyn Clock, lease: Duration) -> Result<u64, StoreError> {
        self.within(LONG, clock::reckon_from(self, clock, lease)).await
    }

    async fn take_due(
        &self,
        agent: &str,
        now: Timestamp,
        lease: Duration,
        limit: usize,
    ) -> Result<Vec<DueJob>, StoreError> {
        self.within(PATIENCE, jobs::take_due(&self.connections, agent, now, lease, limit)).await
    }

    async fn release(&self, agent: &str) -> Result<(), StoreError> {
        self.within(PATIENCE, jobs::release(&self.connections, agent)).await
    }

    async fn let_go_of_jobs(&self, agent: &str, but: &[JobKey]) -> Result<(), StoreError> {
        self.within(PATIENCE, jobs::let_go(&self.connections, agent, but)).await
    }

    async fn let_go_of_deliveries(&self, agent: &str, but_on: &[String]) -> Result<(), StoreError> {
        self.within(PATIENCE, sending::let_go(&self.connections, agent, but_on)).await
    }

    async fn note_at_work(
        &self,
        agent: &str,
        _now: Timestamp,
        within: Duration,
    ) -> Result<(), StoreError> {
        self.within(PATIENCE, agents::note(&self.connections, agent, within)).await
    }

    async fn at_work(&self, _now: Timestamp, within: Duration) -> Result<Vec<String>, StoreError> {
        self.within(PATIENCE, agents::at_work(&self.connections, within)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.within(PATIENCE, jobs::next_due(&self.connections)).await
    }

    async fn make_due(
        &self,
        project: &str,
        check: Option<&str>,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        self.within(PATIENCE, jobs::make_due(&self.connections, project, check, now)).await
    }

    async fn run_inputs(
        &self,
        jobs: &[JobKey],
        now: Timestamp,
    ) -> Result<Vec<Result<RunInputs, StoreError>>, StoreError> {
        self.within(PATIENCE, inputs::inputs(&self.connections, jobs, now)).await
    }

    async fn commit(&self, runs: &[Finished], book: &Book) -> Result<Vec<Committed>, StoreError> {
        self.within(PATIENCE, commit::commit(self, runs, book)).await
    }

    async fn give_up(&self, run: &Finished, why: &str) -> Result<Committed, StoreError> {
        self.within(PATIENCE, commit::give_up(&self.connections, run, why)).await
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
        self.within(PATIENCE, sending::claim(&self.connections, agent, busy, now, lease)).await
    }

    async fn record_attempt(
        &self,
        agent: &str,
        delivery: &str,
        attempt: &Attempt,
        fallback: Option<&str>,
    ) -> Result<(), StoreError> {
        let kept = sending::record_attempt(&self.connections, agent, delivery, attempt, fallback);
        self.within(PATIENCE, kept).await
    }

    async fn enqueue(
        &self,
        notification: &Notification,
        channels: &[String],
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.within(PATIENCE, outbox::enqueue(&self.connections, notification, channels, due_at))
            .await
    }

    async fn waiting(&self) -> Result<Vec<OutboxCount>, StoreError> {
        self.within(PATIENCE, outbox::waiting(&self.connections)).await
    }

    async fn outbox(&self) -> Result<Vec<OutboxCount>, StoreError> {
        self.within(PATIENCE, outbox::all(&self.connections)).await
    }

    async fn acknowledge(
        &self,
        incident: &str,
        by: &str,
        note: &str,
        book: &Book,
        now: Timestamp,
    ) -> Result<Incident, StoreError> {
        self.within(PATIENCE, incidents::acknowledge(self, incident, by, note, book, now)).await
    }

    async fn resolve(
        &self,
        incident: &str,
        by: &str,
        book: &Book,
        now: Timestamp,
    ) -> Result<Incident, StoreError> {
        self.within(PATIENCE, incidents::resolve(self, incident, by, book, now)).await
    }

    async fn add_silence(&self, silence: &Silence) -> Result<String, StoreError> {
        self.within(PATIENCE, people::add_silence(&self.connections, silence)).await
    }

    async fn end_silence(&self, id: &str, now: Timestamp) -> Result<(), StoreError> {
        self.within(PATIENCE, people::end_silence(&self.connections, id, now)).await
    }

    async fn silences(&self, now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        self.within(PATIENCE, people::silences(&self.connections, now)).await
    }

    async fn add_waiver(&self, waiver: &Waiver) -> Result<String, StoreError> {
        self.within(PATIENCE, people::add_waiver(&self.connections, waiver)).await
    }

    async fn remove_waiver(&self, id: &str) -> Result<(), StoreError> {
        self.within(PATIENCE, people::remove_waiver(&self.connections, id)).await
    }

    async fn waivers(&self) -> Result<Vec<Waiver>, StoreError> {
        self.within(PATIENCE, people::waivers(&self.connections)).await
    }

    async fn approve(&self, approved: &[Approved]) -> Result<(), StoreError> {
        self.within(PATIENCE, baselines::approve(&self.connections, approved)).await
    }

    async fn approved(&self, project: &str) -> Result<Vec<Approved>, StoreError> {
        self.within(PATIENCE, baselines::approved(&self.connections, project)).await
    }

    async fn record_drill(&self, drill: &DrillRecord) -> Result<(), StoreError> {
        self.within(PATIENCE, drills::record(&self.connections, drill)).await
    }

    async fn drills(&self, project: &str) -> Result<Vec<DrillRecord>, StoreError> {
        self.within(PATIENCE, drills::of(&self.connections, project)).await
    }

    async fn deliveries(&self, notification: &str) -> Result<Vec<Delivery>, StoreError> {
        self.within(PATIENCE, drills::deliveries(&self.connections, notification)).await
    }

    async fn sync_heartbeats(
        &self,
        promises: &[HeartbeatKey],
        clock: &dyn Clock,
    ) -> Result<(), StoreError> {
        self.within(LONG, heartbeats::sync(&self.connections, promises, clock)).await
    }

    async fn record_call(
        &self,
        promise: &HeartbeatKey,
        call: &HeartbeatCall,
    ) -> Result<(), StoreError> {
        self.within(PATIENCE, heartbeats::record(&self.connections, promise, call)).await
    }

    async fn heartbeats(&self, project: &str) -> Result<Vec<HeartbeatRecord>, StoreError> {
        self.within(PATIENCE, heartbeats::of_project(&self.connections, project)).await
    }

    async fn heartbeat_calls(
        &self,
        promise: &HeartbeatKey,
        limit: usize,
    ) -> Result<Vec<HeartbeatCall>, StoreError> {
        self.within(PATIENCE, heartbeats::calls(&self.connections, promise, limit)).await
    }

    async fn latest(&self, project: Option<&str>) -> Result<Vec<LatestRun>, StoreError> {
        self.within(PATIENCE, look::latest(&self.connections, project)).await
    }

    async fn last_looks(&self) -> Result<Vec<(String, i64)>, StoreError> {
        self.within(PATIENCE, look::last_looks(&self.connections)).await
    }

    async fn spans(
        &self,
        project: &str,
        check: &str,
        since: Timestamp,
    ) -> Result<Vec<Span>, StoreError> {
        self.within(PATIENCE, look::spans(&self.connections, project, check, since)).await
    }

    async fn history(
        &self,
        project: &str,
        check: &str,
        since: Timestamp,
    ) -> Result<Vec<HistoryPoint>, StoreError> {
        self.within(PATIENCE, look::history(&self.connections, project, check, since)).await
    }

    async fn incident_counts(
        &self,
        project: Option<&str>,
    ) -> Result<Vec<IncidentCount>, StoreError> {
        self.within(PATIENCE, look::incident_counts(&self.connections, project)).await
    }

    async fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError> {
        self.within(PATIENCE, look::incidents(&self.connections, filter)).await
    }

    async fn incident(&self, id: &str) -> Result<Option<IncidentRecord>, StoreError> {
        self.within(PATIENCE, look::incident(&self.connections, id)).await
    }

    async fn get(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.within(PATIENCE, upkeep::get(&self.connections, name)).await
    }

    async fn put(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.within(PATIENCE, upkeep::put(&self.connections, name, value)).await
    }

    async fn put_once(&self, name: &str, value: &str) -> Result<String, StoreError> {
        self.within(PATIENCE, upkeep::put_once(&self.connections, name, value)).await
    }

    async fn listed(&self, beginning: &str) -> Result<Vec<(String, String)>, StoreError> {
        self.within(PATIENCE, upkeep::listed(&self.connections, beginning)).await
    }

    async fn forget(&self, name: &str) -> Result<(), StoreError> {
        self.within(PATIENCE, upkeep::forget(&self.connections, name)).await
    }

    async fn roll_up(&self, now: Timestamp, figures: Duration) -> Result<u64, StoreError> {
        self.within(LONG, upkeep::roll_up(&self.connections, now, figures)).await
    }

    async fn backup(&self, to: &Path) -> Result<(), StoreError> {
        upkeep::backup(&self.connections, to)
    }

    async fn time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.within(PATIENCE, upkeep::time(&self.connections)).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.within(PATIENCE, upkeep::ping(&self.connections)).await
    }

    async fn close(&self) {
        self.connections.close().await;
    }
}
