//! Stores runs as they end, several in one transaction.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};

use super::scheduler::Ended;
use crate::incident::Book;
use crate::store::{Committed, Finished, Store, StoreError};

/// Runs that end within this time are stored together (DESIGN: at most 50 ms).
const GATHER: Duration = Duration::from_millis(50);
/// The most runs of one transaction.
const BATCH: usize = 256;
/// How long the store is left alone after it failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Told what was stored.
pub trait Stored: Send + Sync + Debug {
    /// These runs are stored, in the same order as what became of them.
    fn stored(&self, runs: &[Finished], became: &[Committed], took: Duration);
    /// The store failed, and will be tried again.
    fn failed(&self, error: &StoreError);
}

/// Stores what comes until the senders are gone. Nothing that came is lost while the store is away: it
/// waits here, and the scheduler waits for its places.
pub async fn commit_all(
    mut ended: mpsc::UnboundedReceiver<Ended>,
    store: Arc<dyn Store>,
    book: watch::Receiver<Arc<Book>>,
    told: Arc<dyn Stored>,
) {
    while let Some(first) = ended.recv().await {
        let mut runs = vec![first.run];
        let mut places = vec![first.permit];
        let until = Instant::now() + GATHER;
        while runs.len() < BATCH {
            let Ok(Some(next)) = timeout_at(until, ended.recv()).await else { break };
            runs.push(next.run);
            places.push(next.permit);
        }
        loop {
            let began = Instant::now();
            let book = Arc::clone(&book.borrow());
            match store.commit(&runs, &book).await {
                Ok(became) => {
                    told.stored(&runs, &became, began.elapsed());
                    break;
                }
                Err(error) => {
                    told.failed(&error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
        drop(places);
    }
}
