//! What the loops of the agent share, and the small loops themselves.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::own::{self, Uplink};
use super::page::Page;
use super::setup::Setup;
use super::telling::Telling;
use super::{pulse, step, system};
use crate::app::heard;
use crate::clock::{Clock, SharedClock, pause};
use crate::engine;
use crate::incident::Book;
use crate::notify::outbox::{self, Routes};
use crate::notify::summary;
use crate::probe::Sharers;
use crate::store::{AT_WORK, Store, StoreError};
use crate::telemetry::complain;

/// How often reminders, escalations and what was held back are looked for.
const WAKE: Duration = Duration::from_secs(5);
/// How often the outbox is counted for the metrics.
const COUNT: Duration = Duration::from_secs(5);
/// How often old rows are rolled up.
const UPKEEP: Duration = Duration::from_hours(1);
/// A config that the store did not take over is offered again after this.
const AGAIN: Duration = Duration::from_secs(1);
/// The summary's time is looked at so often.
const MINUTE: Duration = Duration::from_mins(1);

/// What the loops share.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    /// The name under which the agent holds jobs and messages.
    pub(super) me: Arc<str>,
    /// The database.
    pub(super) store: Arc<dyn Store>,
    /// What the machine shows, in step with the store's server.
    pub(super) machine: Arc<SharedClock>,
    /// The time.
    pub(super) clock: Arc<dyn Clock>,
    /// Who is told what was stored and sent.
    pub(super) telling: Arc<Telling>,
    /// The present config.
    pub(super) present: watch::Receiver<Arc<Setup>>,
    /// How many agents share the store, and with it what hosts and accounts may be asked.
    pub(super) sharers: Sharers,
    /// What the agent knows of its own network.
    pub(super) uplink: Arc<Uplink>,
    /// Becomes true when the agent has to stop.
    pub(super) stop: watch::Receiver<bool>,
}

impl Parts {
    /// The present config.
    pub(super) fn setup(&self) -> Arc<Setup> {
        Arc::clone(&self.present.borrow())
    }

    /// Ends when the agent has to stop.
    pub(super) fn stopped(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut stop = self.stop.clone();
        async move {
            // Whoever tells it is gone only when the agent is.
            drop(stop.wait_for(|stop| *stop).await);
        }
    }

    /// Makes jobs and metrics those of the present config.
    pub(super) async fn take_over(&self) -> Result<(), StoreError> {
        let setup = self.setup();
        let jobs = setup.jobs();
        let mended = self.store.reckon_from(&*self.clock, engine::LEASE.max(outbox::LEASE)).await?;
        if mended > 0 {
            tracing::warn!(rows = mended, "the clock was ahead; what it had put off is put right");
        }
        self.store.sync_heartbeats(&setup.promises(), &*self.clock).await?;
        self.store.sync_jobs(&jobs, &*self.clock).await?;
        let keys: BTreeSet<_> = jobs.into_iter().map(|job| job.key).collect();
        self.telling.take_over(&keys, &setup);
        // Project by project: the findings of all of them at once are many times what is kept of them.
        for project in setup.projects.keys().map(String::as_str).chain([own::PROJECT]) {
            let latest = self.store.latest(Some(project)).await?;
            self.telling.take_over_runs(&latest);
        }
        Ok(())
    }

    /// Takes over each config that is read again, and each clock that was set.
    pub(super) async fn adapt(
        self,
        page: Page,
        routes: watch::Sender<Arc<Routes>>,
        book: watch::Sender<Arc<Book>>,
    ) {
        let mut present = self.present.clone();
        loop {
            tokio::select! {
                changed = present.changed() => if changed.is_err() { return std::future::pending().await },
                () = self.telling.resync.notified() => {}
            }
            let setup = Arc::clone(&present.borrow_and_update());
            match setup.routes(&self.clock) {
                Ok(new) => drop(routes.send_replace(Arc::new(new))),
                Err(error) => tracing::error!("the channels stay as they were: {error:#}"),
            }
            book.send_replace(Arc::clone(&setup.book));
            page.adapt(&setup);
            let taken = self.take_over().await;
            self.telling.adapted(taken.as_ref().map(drop));
            if let Err(error) = taken {
                tracing::error!("the config is not taken over yet: {}", error.chain());
                // Until then the store has the jobs of before: what it no longer knows of would never be looked at.
                tokio::time::sleep(AGAIN).await;
                self.telling.resync.notify_one();
            }
            self.telling.scheduler.notify_one();
        }
    }

    /// Reckons verdicts as runs are stored.
    pub(super) async fn reckon(self) {
        self.telling.reckon_verdicts(&self).await;
    }

    /// Lets time pass for incidents.
    pub(super) async fn wake(self) {
        loop {
            pause(&*self.clock, WAKE).await;
            let book = Arc::clone(&self.setup().book);
            let woke = self.store.wake(&book, &*self.clock).await;
            self.telling.woke(woke.as_ref().map(drop));
            match woke {
                Ok(0) => {}
                Ok(_changes) => self.telling.outbox.notify_one(),
                Err(error) => complain(error),
            }
        }
    }

    /// Counts the outbox for the metrics.
    pub(super) async fn count(self) {
        loop {
            match self.store.waiting().await {
                Ok(counts) => self.telling.board().set_outbox(&counts),
                Err(error) => complain(error),
            }
            pause(&*self.clock, COUNT).await;
        }
    }

    /// Puts the weekly summary into the outbox at its time. One that was due while the agent was away is
    /// made up for within the day, but none that was due before the first start.
    pub(super) async fn summarise(self) {
        let since = loop {
            match summary::since(&*self.store, self.clock.now()).await {
                Ok(since) => break since,
                Err(error) => complain(error),
            }
            pause(&*self.clock, MINUTE).await;
        };
        let mut done = None;
        loop {
            let now = self.clock.now();
            let setup = self.setup();
            let due = setup.agent.summary.as_ref();
            let due = due.and_then(|cron| cron.last_within(now, Duration::from_hours(24)));
            if due.is_some_and(|due| due >= since) && due != done {
                let rules = setup.book.channels.iter().filter(|rule| rule.summary);
                let channels: Vec<String> = rules.map(|rule| rule.name.clone()).collect();
                let zone = &setup.agent.timezone;
                match summary::enqueue(&*self.store, &channels, now, zone).await {
                    Ok(is_new) => {
                        done = due;
                        if is_new {
                            self.telling.outbox.notify_one();
                        }
                    }
                    Err(error) => complain(error),
                }
            }
            pause(&*self.clock, MINUTE).await;
        }
    }

    /// Rolls old rows up.
    pub(super) async fn keep_up(self) {
        loop {
            pause(&*self.clock, UPKEEP).await;
            match self.store.roll_up(self.clock.now(), self.setup().agent.keep).await {
                Ok(0) => {}
                Ok(rows) => tracing::info!(rows, "old rows were rolled up"),
                Err(error) => complain(error),
            }
        }
    }

    /// Notes again and again that the agent watches: it hears calls of jobs, sends what a drill puts into the
    /// outbox, and takes its part of what hosts and accounts may be asked.
    pub(super) async fn listen(self) {
        let mut is_noted = true;
        loop {
            pause(&*self.clock, heard::NOTED_EVERY).await;
            let (store, now) = (&*self.store, self.clock.now());
            // While the store was out of reach, no call was kept.
            let noted = if is_noted {
                heard::note(store, &self.me, now).await
            } else {
                heard::begin(store, &self.me, now).await
            };
            is_noted = noted.is_ok();
            for noted in [noted, self.note_at_work().await] {
                if let Err(error) = noted {
                    complain(error);
                }
            }
        }
    }

    /// Notes that this agent is at work, and counts who else is.
    pub(super) async fn note_at_work(&self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.store.note_at_work(&self.me, now, AT_WORK).await?;
        let agents = self.store.at_work(now, AT_WORK).await?.len();
        if self.sharers.count() != agents {
            tracing::info!(agents, "so many agents share this store and what others may be asked");
        }
        self.sharers.set(agents);
        self.telling.board().set_agents(agents);
        Ok(())
    }

    /// Keeps the clock in step with that of the store's server.
    pub(super) async fn keep_step(self) {
        step::keep(&*self.store, &self.machine, &self.telling).await;
    }

    /// Calls the dead man's URL.
    pub(super) async fn ping(self) {
        pulse::ping(self.present.clone(), &self.telling, &*self.clock).await;
    }

    /// Tells the service manager that the agent goes round.
    pub(super) async fn watchdog(self) {
        let Some(every) = system::watchdog() else { return std::future::pending().await };
        loop {
            if self.telling.moves() {
                system::alive();
            }
            tokio::time::sleep(every).await;
        }
    }
}
