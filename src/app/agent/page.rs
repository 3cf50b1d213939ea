//! The page of the agent, and what it may ask of the rest.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use launchready_checks::contract::Age;
use tokio::sync::watch;

use super::parts::Parts;
use super::setup::Setup;
use super::telling::Telling;
use crate::clock::Clock;
use crate::config::{HeartbeatToken, Promise};
use crate::metrics::{Board, probe_text};
use crate::probe::{Blackbox, ProbeDenied};
use crate::store::HeartbeatKey;
use crate::web::{
    Facts, HeartbeatDoor, MetricsPage, ProbeNow, ProbeRefused, ProjectFacts, Ready, Site,
};

/// What the page shows of the config.
#[derive(Debug)]
pub(super) struct Page {
    facts: watch::Sender<Arc<Facts>>,
    blackbox: Arc<Blackbox>,
    address: SocketAddr,
}

impl Page {
    pub(super) fn new(setup: &Setup, address: SocketAddr) -> anyhow::Result<Self> {
        let facts = watch::Sender::new(Arc::new(facts(setup, address)));
        Ok(Self {
            facts,
            blackbox: Arc::new(setup.session.blackbox(setup.probe_targets())?),
            address,
        })
    }

    /// Takes over a config.
    pub(super) fn adapt(&self, setup: &Setup) {
        self.facts.send_replace(Arc::new(facts(setup, self.address)));
        self.blackbox.set_targets(setup.probe_targets());
    }

    /// The routes.
    pub(super) fn router(&self, parts: &Parts) -> axum::Router {
        crate::web::router(Arc::new(Site {
            store: Arc::clone(&parts.store),
            clock: Arc::clone(&parts.clock),
            facts: self.facts.subscribe(),
            metrics: Arc::new(Metrics(parts.telling.board())),
            probe_now: Arc::new(Prober(Arc::clone(&self.blackbox))),
            ready: Arc::new(State(Arc::clone(&parts.telling), Arc::clone(&parts.clock))),
        }))
    }
}

fn facts(setup: &Setup, listen: SocketAddr) -> Facts {
    let project = |project: &crate::config::Project| ProjectFacts {
        name: project.target.project.clone(),
        domain: project.target.domain.clone(),
        goal: project.target.goal,
        settled: project.settled(),
        not_used: project.not_used.clone(),
        public: project.watch.public,
        timezone: project.watch.policy.timezone.clone(),
        recheck: setup.recheck(&project.target.project),
        heartbeats: project.watch.heartbeats.iter().map(words).collect(),
        handover: setup.handovers.get(&project.target.project).cloned().unwrap_or_default(),
        signed: project.target.attestations.clone().unwrap_or_default(),
    };
    let door = |of: &HeartbeatToken| {
        let key = HeartbeatKey { project: of.project.clone(), name: of.name.clone() };
        HeartbeatDoor::new(key, &of.token)
    };
    Facts {
        projects: setup.projects.values().map(project).collect(),
        book: Arc::clone(&setup.book),
        password: setup.agent.password.clone(),
        metrics_token: setup.agent.metrics_token.clone(),
        public_url: setup.agent.public_url.clone(),
        listen,
        heartbeats: setup.agent.heartbeats.iter().map(door).collect(),
    }
}

/// When a job calls, as the page says it.
fn words(promise: &Promise) -> (String, String) {
    let grace = Age(promise.grace);
    (promise.name.clone(), format!("{promise}, with {grace} of grace"))
}

/// The modules that are as `blackbox_exporter` has them in its own example.
const MODULES: [&str; 3] = ["http_2xx", "tcp_tls", "dns_a"];

struct Metrics(Arc<Board>);

impl MetricsPage for Metrics {
    fn render(&self, shard: Option<(u32, u32)>, openmetrics: bool) -> Result<String, String> {
        self.0.render(shard, openmetrics).map_err(|error| error.to_string())
    }

    fn service_discovery(&self, address: &str) -> serde_json::Value {
        self.0.service_discovery(address)
    }
}

struct State(Arc<Telling>, Arc<dyn Clock>);

impl Ready for State {
    fn ready(&self) -> Result<(), String> {
        self.0.well(self.1.now())
    }
}

struct Prober(Arc<Blackbox>);

#[async_trait]
impl ProbeNow for Prober {
    async fn probe(
        &self,
        module: &str,
        target: &str,
        limit: Duration,
    ) -> Result<String, ProbeRefused> {
        match self.0.probe(module, target, limit).await {
            Ok(result) => Ok(probe_text(&result)),
            Err(ProbeDenied::Module(name)) => {
                Err(ProbeRefused::Module { name, known: MODULES.join(", ") })
            }
            Err(ProbeDenied::Target { .. } | ProbeDenied::NotListed(_)) => {
                Err(ProbeRefused::Target(target.chars().take(100).collect()))
            }
        }
    }
}
