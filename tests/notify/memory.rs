//! The outbox of a store in memory: the part of it that the sender calls, with the same rules.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use launchready::incident::{Book, Incident, Silence, Waiver};
use launchready::store::*;

/// A delivery, what it says, and until when it is claimed.
type Row = (Delivery, Notification, Option<Timestamp>);

/// The outbox.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    rows: Mutex<BTreeMap<String, Row>>,
    /// Records that fail before the next one works.
    pub(crate) full: Mutex<u32>,
    pub(crate) attempts: Mutex<Vec<(String, Attempt)>>,
}

impl Memory {
    pub(crate) fn put_in(&self, notification: &Notification, channel: &str, due_at: Timestamp) {
        self.insert(notification, channel, due_at, None);
    }

    fn insert(&self, told: &Notification, channel: &str, due_at: Timestamp, other: Option<&str>) {
        let delivery = Delivery {
            id: format!("dlv_{}_{channel}", told.id),
            notification: told.id.clone(),
            channel: channel.to_owned(),
            instead_of: other.map(str::to_owned),
            state: DeliveryState::Pending,
            due_at,
            attempts: 0,
            last_error: None,
            sent_at: None,
        };
        let mut rows = self.rows.lock().unwrap();
        rows.entry(delivery.id.clone()).or_insert((delivery, told.clone(), None));
    }

    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.rows.lock().unwrap().values().map(|(delivery, _, _)| delivery.clone()).collect()
    }

    pub(crate) fn all_are(&self, state: DeliveryState) -> bool {
        self.deliveries().iter().all(|delivery| delivery.state == state)
    }
}

fn not_kept<T>() -> Result<T, StoreError> {
    Err(StoreError::State("only the outbox is kept in memory".to_owned()))
}

#[async_trait]
impl Store for Memory {
    async fn claim(
        &self,
        _agent: &str,
        busy: &[String],
        now: Timestamp,
        lease: Duration,
    ) -> Result<Vec<Claimed>, StoreError> {
        let mut rows = self.rows.lock().unwrap();
        let mut taken: Vec<String> = busy.to_vec();
        let mut claimed = Vec::new();
        let mut due: Vec<_> = rows.values_mut().collect();
        due.sort_by_key(|(delivery, _, _)| (delivery.due_at, delivery.id.clone()));
        for (delivery, notification, until) in due {
            let free = until.is_none_or(|until| until <= now);
            let pending = delivery.state == DeliveryState::Pending && delivery.due_at <= now;
            if pending && free && !taken.contains(&delivery.channel) {
                taken.push(delivery.channel.clone());
                *until = Some(now.checked_add(lease).unwrap());
                delivery.attempts += 1;
                let (delivery, notification) = (delivery.clone(), notification.clone());
                claimed.push(Claimed { delivery, notification });
            }
        }
        Ok(claimed)
    }

    async fn record_attempt(
        &self,
        delivery: &str,
        attempt: &Attempt,
        fallback: Option<&str>,
    ) -> Result<(), StoreError> {
        {
            let mut full = self.full.lock().unwrap();
            if *full > 0 {
                *full -= 1;
                return Err(StoreError::Full { path: "memory".into() });
            }
        }
        self.attempts.lock().unwrap().push((delivery.to_owned(), attempt.clone()));
        let told = {
            let mut rows = self.rows.lock().unwrap();
            let Some((row, notification, until)) = rows.get_mut(delivery) else {
                return Err(StoreError::Missing { what: "delivery", id: delivery.to_owned() });
            };
            *until = None;
            match &attempt.outcome {
                AttemptOutcome::Sent => {
                    row.state = DeliveryState::Sent;
                    row.sent_at = Some(attempt.at);
                }
                AttemptOutcome::Retry { at, error } => {
                    row.due_at = *at;
                    row.last_error = Some(error.clone());
                }
                AttemptOutcome::Failed { error } => {
                    row.state = DeliveryState::Failed;
                    row.last_error = Some(error.clone());
                }
            }
            (notification.clone(), row.channel.clone())
        };
        if let Some(fallback) = fallback {
            self.insert(&told.0, fallback, attempt.at, Some(&told.1));
        }
        Ok(())
    }

    async fn enqueue(
        &self,
        notification: &Notification,
        channels: &[String],
        due_at: Timestamp,
    ) -> Result<bool, StoreError> {
        for channel in channels {
            self.insert(notification, channel, due_at, None);
        }
        Ok(true)
    }

    async fn sync_jobs(&self, _jobs: &[JobSpec], _now: Timestamp) -> Result<(), StoreError> {
        not_kept()
    }
    async fn take_due(
        &self,
        _agent: &str,
        _now: Timestamp,
        _lease: Duration,
        _limit: usize,
    ) -> Result<Vec<DueJob>, StoreError> {
        not_kept()
    }
    async fn release(&self, _agent: &str) -> Result<(), StoreError> {
        not_kept()
    }
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        not_kept()
    }
    async fn make_due(
        &self,
        _project: &str,
        _check: Option<&str>,
        _now: Timestamp,
    ) -> Result<u64, StoreError> {
        not_kept()
    }
    async fn run_inputs(&self, _job: &JobKey, _now: Timestamp) -> Result<RunInputs, StoreError> {
        not_kept()
    }
    async fn commit(&self, _runs: &[Finished], _book: &Book) -> Result<Vec<Committed>, StoreError> {
        not_kept()
    }
    async fn wake(&self, _book: &Book, _now: Timestamp) -> Result<u64, StoreError> {
        not_kept()
    }
    async fn outbox(&self) -> Result<Vec<OutboxCount>, StoreError> {
        not_kept()
    }
    async fn acknowledge(
        &self,
        _incident: &str,
        _by: &str,
        _note: &str,
        _book: &Book,
        _now: Timestamp,
    ) -> Result<Incident, StoreError> {
        not_kept()
    }
    async fn resolve(
        &self,
        _incident: &str,
        _by: &str,
        _book: &Book,
        _now: Timestamp,
    ) -> Result<Incident, StoreError> {
        not_kept()
    }
    async fn add_silence(&self, _silence: &Silence) -> Result<String, StoreError> {
        not_kept()
    }
    async fn end_silence(&self, _id: &str, _now: Timestamp) -> Result<(), StoreError> {
        not_kept()
    }
    async fn silences(&self, _now: Timestamp) -> Result<Vec<Silence>, StoreError> {
        not_kept()
    }
    async fn add_waiver(&self, _waiver: &Waiver) -> Result<String, StoreError> {
        not_kept()
    }
    async fn remove_waiver(&self, _id: &str) -> Result<(), StoreError> {
        not_kept()
    }
    async fn waivers(&self) -> Result<Vec<Waiver>, StoreError> {
        not_kept()
    }
    async fn sync_heartbeats(&self, _: &[HeartbeatKey], _: Timestamp) -> Result<(), StoreError> {
        not_kept()
    }

    async fn record_call(&self, _: &HeartbeatKey, _: &HeartbeatCall) -> Result<(), StoreError> {
        not_kept()
    }

    async fn heartbeats(&self, _: &str) -> Result<Vec<HeartbeatRecord>, StoreError> {
        not_kept()
    }

    async fn heartbeat_calls(
        &self,
        _: &HeartbeatKey,
        _: usize,
    ) -> Result<Vec<HeartbeatCall>, StoreError> {
        not_kept()
    }

    async fn latest(&self, _project: Option<&str>) -> Result<Vec<LatestRun>, StoreError> {
        not_kept()
    }
    async fn spans(
        &self,
        _project: &str,
        _check: &str,
        _since: Timestamp,
    ) -> Result<Vec<Span>, StoreError> {
        not_kept()
    }
    async fn history(
        &self,
        _project: &str,
        _check: &str,
        _since: Timestamp,
    ) -> Result<Vec<HistoryPoint>, StoreError> {
        not_kept()
    }
    async fn incidents(&self, _filter: &IncidentFilter) -> Result<Vec<Incident>, StoreError> {
        not_kept()
    }
    async fn incident(&self, _id: &str) -> Result<Option<IncidentRecord>, StoreError> {
        not_kept()
    }
    async fn get(&self, _name: &str) -> Result<Option<String>, StoreError> {
        not_kept()
    }
    async fn put(&self, _name: &str, _value: &str) -> Result<(), StoreError> {
        not_kept()
    }
    async fn put_once(&self, _name: &str, _value: &str) -> Result<String, StoreError> {
        not_kept()
    }
    async fn roll_up(&self, _now: Timestamp, _figures: Duration) -> Result<u64, StoreError> {
        not_kept()
    }
    async fn backup(&self, _to: &Path) -> Result<(), StoreError> {
        not_kept()
    }
    async fn ping(&self) -> Result<(), StoreError> {
        not_kept()
    }
    async fn close(&self) {}
}
