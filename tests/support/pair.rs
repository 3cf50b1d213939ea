//! Two agents on one database, the world that they watch, and a journal of what was stored.

use std::net::SocketAddr;
use std::time::Duration;

use launchready::incident::State;
use launchready::store::{DeliveryState, IncidentFilter};
use launchready_lab::{SinkKind, World};
use tokio::time::Instant;

use crate::cluster::{Cluster, OWNER};
use crate::heard::{Heard, one_project_each};
use crate::journal::{self, Kept};
use crate::port::free_port;
use crate::rig::{Agent, PATIENCE, Rig, Setup, table};

/// How much faster than the machine's the clocks of both run.
pub(crate) const SPEED: f64 = 60.0;
/// The database.
pub(crate) const DATABASE: &str = "watch";

/// Two agents and everything around them.
pub(crate) struct Pair {
    pub(crate) agents: [Agent; 2],
    pub(crate) rig: Rig,
    pub(crate) cluster: Cluster,
    /// For how long the database may have been kept from storing anything, in the time of the test.
    pub(crate) away: Duration,
}

/// The address of a store on a server.
pub(crate) fn store_at(server: SocketAddr) -> String {
    format!("postgres://{OWNER}@{server}/{DATABASE}?sslmode=disable")
}

impl Pair {
    /// Two agents that reach the server of the cluster itself.
    pub(crate) async fn new(cluster: Cluster) -> Self {
        let address = cluster.address;
        Self::by(cluster, [address; 2]).await
    }

    /// Two agents, each of which reaches the server by an address of its own. None of them is started yet.
    pub(crate) async fn by(cluster: Cluster, servers: [SocketAddr; 2]) -> Self {
        Self::watching(cluster, servers, World::load("healthy").unwrap(), SPEED).await
    }

    /// The same, in another world or with clocks that run less fast.
    pub(crate) async fn watching(
        cluster: Cluster,
        servers: [SocketAddr; 2],
        world: World,
        speed: f64,
    ) -> Self {
        cluster.sql_in("postgres", &format!("create database {DATABASE}")).await;
        let store = |server: SocketAddr| store_at(server);
        let first = |config: &mut toml::Table| {
            one_project_each(config);
            let agent = table(config, &["agent"]);
            agent.insert("store".to_owned(), store(servers[0]).into());
        };
        let rig = Rig::new(Setup { world, speed, edit: &first }).await;
        journal::keep(&cluster).await;
        let mut config: toml::Table =
            toml::from_str(&std::fs::read_to_string(rig.config()).unwrap()).unwrap();
        let pages = [rig.page, free_port()];
        let path = rig.path().join("second.toml");
        let agent = table(&mut config, &["agent"]);
        agent.insert("store".to_owned(), store(servers[1]).into());
        agent.insert("listen".to_owned(), pages[1].to_string().into());
        // The same service by another name, so that it is known who calls.
        let mut dead_man = toml::Table::new();
        dead_man.insert("file".to_owned(), "second-dead-man".into());
        agent.insert("heartbeat_url".to_owned(), dead_man.into());
        let url = format!("{}/log", rig.sinks.url(SinkKind::DeadMan));
        std::fs::write(rig.path().join("second-dead-man"), url).unwrap();
        std::fs::write(&path, config.to_string()).unwrap();
        let agents = [
            rig.another(&rig.config(), "first.log", pages[0]),
            rig.another(&path, "second.log", pages[1]),
        ];
        Self { agents, rig, cluster, away: Duration::ZERO }
    }

    /// Starts both and waits until both are ready.
    pub(crate) async fn start(&mut self) {
        for agent in &mut self.agents {
            agent.start();
        }
        self.both_ready().await;
    }

    /// Waits until both can do their work.
    pub(crate) async fn both_ready(&self) {
        self.wait_for("both are ready", async |pair: &Self| {
            pair.agents[0].is_ready().await && pair.agents[1].is_ready().await
        })
        .await;
    }

    /// Waits until something is so.
    pub(crate) async fn wait_for(&self, what: &str, mut so: impl AsyncFnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(self).await {
            let [first, second] = &self.agents;
            assert!(
                Instant::now() < end,
                "{what}: not within {PATIENCE:?}\n{}\n\n{}",
                first.tail(),
                second.tail()
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What was stored up to now.
    pub(crate) async fn journal(&self) -> Vec<Kept> {
        journal::read(&self.cluster).await
    }

    /// Waits until these agents have stored so many more runs of each job.
    pub(crate) async fn goes_on(&self, agents: &[usize], runs: usize) {
        let names: Vec<String> =
            agents.iter().map(|at| self.agents[*at].page.to_string()).collect();
        let before = self.journal().await.len();
        self.wait_for("runs are stored", async |pair: &Self| {
            let journal = pair.journal().await;
            let new = &journal[before.min(journal.len())..];
            let jobs = journal::jobs(&journal);
            let of = |job: i64| new.iter().filter(|kept| kept.job == job).count();
            jobs.into_iter().all(|job| of(job) >= runs)
                && names.iter().all(|name| new.iter().any(|kept| kept.by.starts_with(name)))
        })
        .await;
    }

    /// Waits until a message of each of these outages has come.
    pub(crate) async fn told(&self, url: &str) {
        let mail = self.rig.mailbox.wait_for(
            |mails| mails.iter().any(|it| it.text.as_ref().is_some_and(|text| text.contains(url))),
            PATIENCE,
        );
        assert!(mail.await.is_some(), "{}\n\n{}", self.agents[0].tail(), self.agents[1].tail());
    }

    /// Waits until nothing is open and everything is sent.
    pub(crate) async fn all_over(&self) {
        let store = self.rig.store().await;
        self.wait_for("everything is over and told", async |_: &Self| {
            let Ok(open) = store.incidents(&IncidentFilter::default()).await else { return false };
            let Ok(outbox) = store.outbox().await else { return false };
            open.is_empty() && outbox.iter().all(|count| count.state != DeliveryState::Pending)
        })
        .await;
        store.close().await;
    }

    /// Stops both and proves that no run and no message was lost, and nothing done twice; gives back how many
    /// changes were told.
    pub(crate) async fn prove(&mut self) -> usize {
        for agent in &mut self.agents {
            agent.stop().await;
        }
        let mut heard = Heard::default();
        heard.listen(&self.rig);
        let store = self.rig.store().await;
        let told = heard.compare(&*store).await;
        let states = vec![State::Suspected, State::Open, State::Acknowledged, State::Resolved];
        let filter = IncidentFilter { states, limit: 10_000, ..IncidentFilter::default() };
        for incident in store.incidents(&filter).await.unwrap() {
            let record = store.incident(&incident.id).await.unwrap().unwrap();
            let kinds: Vec<_> = record.changes.iter().map(|change| change.kind.as_str()).collect();
            let times: Vec<_> = record.changes.iter().map(|change| change.at).collect();
            assert!(times.is_sorted(), "an incident ends before it begins: {kinds:?} {times:?}");
            let turns =
                kinds.iter().filter(|kind| ["opened", "reopened", "resolved"].contains(kind));
            let turns: Vec<_> = turns.map(|kind| *kind == "resolved").collect();
            assert!(turns.windows(2).all(|pair| pair[0] != pair[1]), "opened twice: {kinds:?}");
        }
        store.close().await;
        journal::prove(&self.cluster, &self.journal().await, self.away).await;
        told
    }
}
