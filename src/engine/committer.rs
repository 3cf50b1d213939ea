//! Stores runs as they end, several in one transaction.

use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{Assessment, Status, Unseen};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::scheduler::{Ended, SET_BACK};
use crate::clock::{Clock, between};
use crate::incident::{Book, RunSeen, Sight};
use crate::store::{Committed, Finished, REPORT_IT, Store, StoreError};

/// Runs that end within this time are stored together: so little that nobody notices, and enough for the hundreds
/// that a busy agent ends.
const GATHER: Duration = Duration::from_millis(50);
/// The most runs of one transaction.
const BATCH: usize = 256;
/// How long the store is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The most characters of a cause that are kept.
const CAUSE: usize = 500;

/// Told what was stored.
pub trait Stored: Send + Sync + Debug {
    /// These runs are stored, in the same order as what became of them.
    fn stored(&self, runs: &[Finished], became: &[Committed], took: Duration);
    /// The store failed. It is tried again, or what it does not take in any form is lost.
    fn failed(&self, error: &StoreError);
}

/// Where runs are stored, and who hears of it.
#[derive(Debug)]
pub struct Committer {
    /// The database.
    pub store: Arc<dyn Store>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The rules.
    pub book: watch::Receiver<Arc<Book>>,
    /// Who is told.
    pub told: Arc<dyn Stored>,
}

/// Stores what comes until the senders are gone. Nothing that came is lost while the store is away: it
/// waits here, and the scheduler waits for its places. A run that the store does not take, however often
/// it is tried, holds up no other: its job is recorded as unknown.
pub async fn commit_all(mut ended: mpsc::UnboundedReceiver<Ended>, committer: Committer) {
    while let Some(first) = ended.recv().await {
        let mut runs = vec![first.run];
        let mut places = vec![first.permit];
        let until = Instant::now() + GATHER;
        while runs.len() < BATCH {
            let Ok(Some(next)) = timeout_at(until, ended.recv()).await else { break };
            runs.push(next.run);
            places.push(next.permit);
        }
        if let Err(error) = committer.store_all(&mut runs).await {
            if let [run] = runs.as_slice() {
                committer.set_aside(run, &error).await;
            } else {
                tracing::error!("runs are stored one by one: {}", error.chain());
                for run in &mut runs {
                    if let Err(error) = committer.store_all(std::slice::from_mut(run)).await {
                        committer.set_aside(run, &error).await;
                    }
                }
            }
        }
        drop(places);
    }
}

impl Committer {
    /// Stores runs, in one transaction where that can be, and waits for a store that is away. One that is only slow
    /// would never take as many in the time that a call has: after each failure half as many are tried, after
    /// each success twice as many. The error is one of the rows.
    async fn store_all(&self, runs: &mut [Finished]) -> Result<(), StoreError> {
        let mut rest = runs;
        let mut most = rest.len();
        while !rest.is_empty() {
            let count = most.min(rest.len());
            match self.store_once(rest.get_mut(..count).unwrap_or_default()).await {
                Ok(()) => {
                    rest = std::mem::take(&mut rest).get_mut(count..).unwrap_or_default();
                    most = most.saturating_mul(2);
                }
                Err(error) if error.is_about_rows() => return Err(error),
                Err(error) => {
                    most = count.div_ceil(2);
                    self.wait(&error).await;
                }
            }
        }
        Ok(())
    }

    async fn store_once(&self, runs: &mut [Finished]) -> Result<(), StoreError> {
        let began = Instant::now();
        let now = self.clock.now();
        for run in runs.iter_mut() {
            put_back(run, now);
        }
        let book = Arc::clone(&self.book.borrow());
        // What panics has written nothing: its transaction ends with it.
        let commit = AssertUnwindSafe(self.store.commit(runs, &book)).catch_unwind();
        let done = commit.await.unwrap_or_else(|_panic| {
            Err(StoreError::Database {
                doing: "store finished runs",
                source: "launchready itself failed while it did so".into(),
            })
        });
        self.told.stored(runs, &done?, began.elapsed());
        Ok(())
    }

    /// Records of a run that cannot be stored that its job is unknown: as any run that could not look, or
    /// where that cannot be stored either, in the job's row alone.
    async fn set_aside(&self, run: &Finished, error: &StoreError) {
        let why: String = error.chain().chars().take(CAUSE).collect();
        let why = format!("what it saw could not be stored: {why}");
        tracing::error!(
            project = run.key.project,
            check = run.key.check,
            "a run is set aside: {why}"
        );
        let mut blind = unknown(run, &why);
        if self.store_all(std::slice::from_mut(&mut blind)).await.is_ok() {
            return;
        }
        loop {
            match self.store.give_up(&blind, &why).await {
                Ok(became) => {
                    let runs = std::slice::from_ref(&blind);
                    self.told.stored(runs, &[became], Duration::ZERO);
                    return;
                }
                Err(error) if error.is_about_rows() => {
                    // The lease of its job ends, and it is looked at again.
                    tracing::error!("nor can that be recorded: {}", error.chain());
                    self.told.failed(&error);
                    return;
                }
                Err(error) => self.wait(&error).await,
            }
        }
    }

    async fn wait(&self, error: &StoreError) {
        self.told.failed(error);
        tokio::time::sleep(PAUSE).await;
    }
}

/// The run as one that could not look, for this reason.
fn unknown(run: &Finished, why: &str) -> Finished {
    let sight = Sight::Blind {
        cause: why.to_owned(),
        unlock: REPORT_IT.to_owned(),
        unseen: Unseen::Condition,
        runs: 1,
        since: run.started_at,
        own_network: false,
    };
    Finished {
        status: Status::Unknown,
        reason: Some((why.to_owned(), REPORT_IT.to_owned())),
        assessment: Assessment::default(),
        evidence: None,
        carry: None,
        windows: Vec::new(),
        seen: RunSeen { sight, findings: Vec::new(), expired: Vec::new(), ..run.seen.clone() },
        ..run.clone()
    }
}

/// A run that began before the clock was put back is stored as one that began just now: its times would
/// keep its job waiting until the clock has come there again.
fn put_back(run: &mut Finished, now: Timestamp) {
    let ahead = between(now, run.started_at);
    if ahead <= SET_BACK {
        return;
    }
    let ahead = SignedDuration::try_from(ahead).unwrap_or(SignedDuration::MAX);
    let back = |time: Timestamp| time.checked_sub(ahead).unwrap_or(now);
    run.due_at = run.due_at.min(now);
    run.started_at = now;
    run.next_due = back(run.next_due);
    run.seen.at = now;
    if let Sight::Blind { since, .. } = &mut run.seen.sight {
        *since = (*since).min(now);
    }
}
