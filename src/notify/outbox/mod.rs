//! The loop that empties the outbox: claims what is due, sends it, records what came of it.
//!
//! A delivery is marked sent only after the other side has accepted it. Between the two the process may
//! die; then it is sent once more under the same id. Nothing is kept in memory that the store does not
//! hold, other than which channels are busy.
//!
//! **Order and pace.** One delivery at a time for each channel, channels beside each other. A channel that
//! fails is tried again after 5 s, 15 s, 30 s, 1, 2, 5 and then every 10 minutes, a fifth more or less,
//! and at least as long as it asks for, for a day. What it refuses for good is not tried again.
//!
//! **Fallback.** The channel that stands in gets the message when the delivery has failed for good, or
//! four times in a row (about two minutes); in the second case the channel itself goes on trying, so that
//! a message may come both ways, under one id. The store makes one such delivery at most.
//!
//! **A channel that is gone.** What waits for a channel that was renamed or taken out of the config goes
//! to the channel that stood in for it, else to all that take such a message (`lost.rs`).

mod lost;
mod pace;
mod routes;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub use routes::{Route, Routes};

use crate::clock::Clock;
use crate::store::{Claimed, Store, StoreError};

/// A claim is held for so long; another agent takes the delivery after it. A try ends within the `timeout` of its
/// channel, for which the config takes two minutes at most, and the rest is for its record.
pub const LEASE: Duration = Duration::from_mins(3);
/// How often the store is asked for what has become due.
const POLL: Duration = Duration::from_secs(1);
/// After a stop, what is under way may take this long; what then is not recorded is sent again later.
const GRACE: Duration = Duration::from_secs(30);

/// What came of one try, for metrics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The channel.
    pub channel: String,
    /// `sent`, `retry` or `failed`.
    pub outcome: &'static str,
    /// A short, bounded word: `accepted`, or the reason of the error.
    pub reason: &'static str,
    /// From the last good look of what has opened to the accepted message; the longest where it tells
    /// several. None unless it was accepted and tells of an opening that came after a good look.
    pub latency: Option<Duration>,
}

/// Is told of each try.
pub trait Observer: Send + Sync + std::fmt::Debug {
    /// One try has ended and is recorded.
    fn tried(&self, tried: &Tried);
    /// The outbox was read, or could not be.
    fn asked(&self, outcome: Result<(), &StoreError>);
    /// What came of a try on this channel is recorded, or could not be.
    fn recorded(&self, channel: &str, outcome: Result<(), &StoreError>);
}

/// Sends what is in the outbox.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The name under which deliveries are claimed: that of this process.
    pub agent: String,
    /// The database.
    pub store: Arc<dyn Store>,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// The channels; a new value takes effect with the next delivery.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// Is rung after each commit that may have put something into the outbox.
    pub bell: Arc<Notify>,
    /// Is told of each try.
    pub observer: Arc<dyn Observer>,
    /// How often the store is asked, in real time; [`Sender::new`] sets a second.
    pub poll: Duration,
    /// While this is true, another agent sends what is due.
    pub rests: Arc<AtomicBool>,
}

impl Sender {
    /// A sender that asks the store each second and whenever the bell rings.
    pub fn new(
        agent: String,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        routes: watch::Receiver<Arc<Routes>>,
        bell: Arc<Notify>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        let rests = Arc::default();
        Self { agent, store, clock, routes, bell, observer, poll: POLL, rests }
    }

    /// Runs until `stop` ends; then what is under way is finished and recorded, for at most 30 seconds.
    pub async fn run(self, stop: impl Future<Output = ()> + Send) {
        let mut stop = std::pin::pin!(stop);
        let mut under_way = UnderWay::default();
        let (mut said, mut astray) = (false, false);
        let mut routes = self.routes.clone();
        routes.mark_changed();
        loop {
            if routes.has_changed().unwrap_or(false) {
                let present = routes.borrow_and_update().clone();
                if self.remember(&present).await.is_err() {
                    // The claim below says that the store is down.
                    routes.mark_changed();
                }
            }
            let claimed = self.claim(&under_way, &mut said, &mut astray).await;
            let idle = claimed.is_empty();
            for claimed in claimed {
                under_way.begin(&self, claimed);
            }
            if !idle {
                // One for each channel was claimed; there may be more for those that are done by now.
                under_way.reap();
                tokio::task::yield_now().await;
                continue;
            }
            tokio::select! {
                biased;
                () = &mut stop => break,
                () = self.bell.notified() => {}
                () = under_way.one(), if !under_way.is_empty() => {}
                () = tokio::time::sleep(self.poll) => {}
            }
        }
        let finish = async {
            while !under_way.is_empty() {
                under_way.one().await;
            }
        };
        drop(tokio::time::timeout(GRACE, finish).await);
    }

    /// Claims what is due on channels that are free. `said` keeps a store that is down for an hour from
    /// filling the log; after a claim without an answer the store may hold `astray` what nobody here sends.
    async fn claim(
        &self,
        under_way: &UnderWay,
        said: &mut bool,
        astray: &mut bool,
    ) -> Vec<Claimed> {
        if self.rests.load(Ordering::Relaxed) {
            self.observer.asked(Ok(()));
            return Vec::new();
        }
        let busy = under_way.channels();
        let claim = async {
            if *astray {
                self.store.let_go_of_deliveries(&self.agent, &busy).await?;
            }
            self.store.claim(&self.agent, &busy, self.clock.now(), LEASE).await
        };
        match claim.await {
            Ok(claimed) => {
                (*said, *astray) = (false, false);
                self.observer.asked(Ok(()));
                claimed
            }
            Err(error) => {
                *astray = true;
                self.observer.asked(Err(&error));
                if !std::mem::replace(said, true) {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, "cannot read the outbox; trying until it works");
                }
                Vec::new()
            }
        }
    }
}

/// Deliveries that are being sent, each with its channel.
#[derive(Debug, Default)]
struct UnderWay {
    tasks: JoinSet<()>,
    channels: BTreeMap<tokio::task::Id, String>,
}

impl UnderWay {
    fn begin(&mut self, sender: &Sender, claimed: Claimed) {
        let channel = claimed.delivery.channel.clone();
        let sender = sender.clone();
        let task = self.tasks.spawn(async move { sender.work(claimed).await });
        self.channels.insert(task.id(), channel);
    }

    fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    fn channels(&self) -> Vec<String> {
        let busy: BTreeSet<&String> = self.channels.values().collect();
        busy.into_iter().cloned().collect()
    }

    /// Waits until one has ended.
    async fn one(&mut self) {
        let ended = self.tasks.join_next_with_id().await;
        self.forget(ended);
    }

    /// Takes note of those that have ended.
    fn reap(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.forget(Some(ended));
        }
    }

    fn forget(&mut self, ended: Option<Result<(tokio::task::Id, ()), tokio::task::JoinError>>) {
        let id = match ended {
            Some(Ok((id, ()))) => id,
            // The claim of a try that panicked ends with its lease, and it is tried again.
            Some(Err(error)) => error.id(),
            None => return,
        };
        self.channels.remove(&id);
    }
}
