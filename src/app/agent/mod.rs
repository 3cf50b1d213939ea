//! The agent: scheduler, store, messages, metrics and page, held together until it is told to stop.

mod others;
mod own;
mod page;
mod parts;
mod proof;
mod pulse;
mod rehearsal;
mod reload;
mod setup;
mod step;
mod system;
mod telling;
mod watcher;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use self::own::Uplink;
use self::page::Page;
use self::parts::Parts;
use self::setup::{Setup, Shared};
use self::telling::Telling;
use self::watcher::Watcher;
use super::heard;
use crate::clock::{Clock, SharedClock};
use crate::engine::{Committer, Scheduler, commit_all};
use crate::metrics::Board;
use crate::notify::outbox::{Routes, Sender};
use crate::probe::Sharers;

pub use self::proof::{ProofError, prove};
pub use self::rehearsal::{Rehearsal, rehearse};

/// How long looks that are under way may go on once the agent is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// How an agent is started.
pub struct AgentOptions {
    /// The config file.
    pub config: PathBuf,
    /// What the machine shows, brought in step with the server of a store that other machines share.
    pub machine: Arc<SharedClock>,
    /// The time: `machine` itself, or a faster one on it.
    pub clock: Arc<dyn Clock>,
    /// Becomes true when the agent has to stop.
    pub stop: watch::Receiver<bool>,
    /// Called once with the address of the page, when all is started.
    pub started: Box<dyn FnOnce(SocketAddr) + Send>,
}

impl fmt::Debug for AgentOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgentOptions").field("config", &self.config).finish_non_exhaustive()
    }
}

/// The runtime of the agent: one thread looks, and a second one keeps the page and the store answering
/// while it does.
///
/// # Errors
/// The machine gives no more resources.
pub fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().context("cannot start the runtime")
}

/// The loops that need nothing but what all parts share.
fn small_loops(parts: &Parts, tasks: &mut JoinSet<()>) {
    tasks.spawn(parts.clone().reckon());
    tasks.spawn(parts.clone().wake());
    tasks.spawn(parts.clone().count());
    tasks.spawn(parts.clone().summarise());
    tasks.spawn(parts.clone().keep_up());
    tasks.spawn(parts.clone().listen());
    tasks.spawn(parts.clone().keep_step());
    tasks.spawn(parts.clone().ping());
    tasks.spawn(own::watch(parts.clone()));
    tasks.spawn(others::follow(parts.clone()));
}

/// The name under which an agent holds jobs and messages. On two machines the address may be the same, and on
/// copies of one machine the host name, too.
fn name(address: SocketAddr) -> String {
    // Where the system has no such files, an agent is alone on its store.
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    named(address, &read("/proc/sys/kernel/hostname"), &read("/etc/machine-id"))
}

/// See [`name`]. The id of a machine is confidential, says machine-id(5), so that only a part of its hash is shown.
fn named(address: SocketAddr, host: &str, machine: &str) -> String {
    let mut name = address.to_string();
    let host = host.trim();
    if !host.is_empty() {
        name.push(' ');
        name.push_str(host);
    }
    let machine = machine.trim();
    // An image may hold this word, which its first start replaces.
    if !machine.is_empty() && machine != "uninitialized" {
        name.push(' ');
        name.extend(hex::encode(Sha256::digest(machine)).chars().take(8));
    }
    name
}

async fn listen(on: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(on).await;
    listener.with_context(|| format!("cannot listen on {on}; name another address as agent.listen"))
}

/// Who looks.
fn watcher(parts: &Parts) -> Watcher {
    Watcher {
        me: Arc::clone(&parts.me),
        setup: parts.present.clone(),
        store: Arc::clone(&parts.store),
        counter: Arc::default(),
        clock: Arc::clone(&parts.clock),
        uplink: Arc::clone(&parts.uplink),
        sharers: parts.sharers.clone(),
    }
}

/// The loop that sends.
fn sender(parts: &Parts, agent: &str, routes: watch::Receiver<Arc<Routes>>) -> Sender {
    let mut sender = Sender::new(
        agent.to_owned(),
        Arc::clone(&parts.store),
        Arc::clone(&parts.clock),
        routes,
        Arc::clone(&parts.telling.outbox),
        Arc::clone(&parts.telling) as _,
    );
    // A fast clock makes what waits due sooner.
    sender.poll = parts.clock.takes(sender.poll).max(Duration::from_millis(20));
    sender.rests = parts.uplink.left();
    sender
}

/// Runs the agent until it is told to stop.
///
/// # Errors
/// The config cannot be used, or the store or the address cannot be opened.
pub async fn run_agent(options: AgentOptions) -> anyhow::Result<()> {
    let AgentOptions { config, machine, clock, mut stop, started } = options;
    let sharers = Sharers::default();
    let shared = Shared::among(&sharers, &machine);
    let setup = Setup::read(&config, &*clock, &shared)?;
    setup.warn();
    let listener = listen(setup.agent.listen).await?;
    let address = listener.local_addr()?;
    let store = crate::app::open_store(&setup.agent).await?;
    // Before anything is compared with a time that another machine has written.
    step::once(&*store, &machine).await?;
    let board = Board::new(env!("CARGO_PKG_VERSION"), setup.agent.metrics_max_checks)?;
    let telling = Arc::new(Telling::new(Arc::new(board)));
    let routes = watch::channel(Arc::new(setup.routes(&clock)?));
    let page = Page::new(&setup, address)?;
    let book = watch::channel(Arc::clone(&setup.book));
    let limit = setup.agent.max_in_flight;
    let (change, present) = watch::channel(Arc::new(setup));
    // The same after a restart, so that what a process that was ended in the middle held is let go of.
    let me: Arc<str> = name(address).into();
    // The parts are told once this function knows: one that obeyed first would be taken for lost.
    let (ending, told) = watch::channel(false);
    let parts = Parts {
        me: Arc::clone(&me),
        store,
        machine,
        clock,
        telling,
        present,
        sharers,
        uplink: Arc::new(Uplink::default()),
        stop: told,
    };
    parts.store.release(&me).await?;
    parts.note_at_work().await?;
    heard::begin(&*parts.store, &me, parts.clock.now()).await?;
    parts.take_over().await?;
    let mut tasks = JoinSet::new();

    let (ended, runs) = mpsc::unbounded_channel();
    let scheduler = Scheduler {
        agent: me.to_string(),
        store: Arc::clone(&parts.store),
        clock: Arc::clone(&parts.clock),
        looker: Arc::new(watcher(&parts)),
        observer: Arc::clone(&parts.telling) as _,
        limit,
        wake: Arc::clone(&parts.telling.scheduler),
        resync: Arc::clone(&parts.telling.resync),
    };
    let mut scheduling = tokio::spawn(scheduler.run(ended, parts.stop.clone(), GRACE));
    let committer = Committer {
        store: Arc::clone(&parts.store),
        clock: Arc::clone(&parts.clock),
        book: book.1,
        told: Arc::clone(&parts.telling) as _,
    };
    let mut committing = tokio::spawn(commit_all(runs, committer));
    let mut sending = tokio::spawn(sender(&parts, &me, routes.1).run(parts.stopped()));
    let router = page.router(&parts);
    let mut serving = tokio::spawn(crate::web::serve(listener, router, parts.stopped()));

    small_loops(&parts, &mut tasks);
    tasks.spawn(parts.clone().adapt(page, routes.0, book.0));
    tasks.spawn(reload::follow(config, Arc::clone(&parts.clock), shared, change));
    started(address);
    system::ready();
    tasks.spawn(parts.clone().watchdog());

    // An agent of which a part is gone would look alive and tell nobody: it ends, and whoever keeps it
    // running starts it again.
    let lost = tokio::select! {
        biased;
        // Without whoever could ask for it, it would run on; that never happens while it runs.
        _ = stop.wait_for(|stop| *stop) => None,
        _ = &mut scheduling => Some("the scheduler"),
        _ = &mut committing => Some("the committer"),
        _ = &mut sending => Some("the sender"),
        _ = &mut serving => Some("the page"),
        _ = tasks.join_next() => Some("one of the agent's loops"),
    };
    if let Some(part) = lost {
        anyhow::bail!("{part} ended by itself; report this as a bug of launchready, with its log");
    }
    system::stopping();
    ending.send_replace(true);
    scheduling.await.context("the scheduler was lost")?;
    // With the scheduler gone, the last runs are stored and the loop ends by itself.
    drop(tokio::time::timeout(GRACE, committing).await);
    sending.await.context("the sender was lost")?;
    drop(serving.await);
    tasks.shutdown().await;
    parts.store.release(&me).await?;
    heard::end(&*parts.store, &me, parts.clock.now()).await?;
    parts.store.close().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_agent_tells_copies_of_a_machine_apart_and_holds_no_id_of_it() {
        let address: SocketAddr = "127.0.0.1:9797".parse().unwrap();
        let id = "4d3c2b1a00000000000000000000abcd";
        let one = named(address, "watch\n", &format!("{id}\n"));
        assert_eq!(one, "127.0.0.1:9797 watch 614992d3");
        assert_eq!(one, named(address, "watch", id), "it is the same after a restart");
        assert_ne!(one, named(address, "watch", "4d3c2b1a00000000000000000000abce"));
        for none in ["", "\n", "uninitialized\n"] {
            assert_eq!(named(address, "watch\n", none), "127.0.0.1:9797 watch");
        }
        assert_eq!(named(address, "", ""), "127.0.0.1:9797");
    }
}
