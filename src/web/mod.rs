//! The page and the API: what is stored, for people and for programs.
//!
//! Everything is drawn on the server and readable without JavaScript. A page never runs a check; what it
//! may change is an acknowledgement, a silence, a waiver, what a job said, and when a check is due next. Every route but
//! the open ones (`guard`) demands credentials wherever the page can be reached by others, and so does
//! a route that is added tomorrow.

mod api;
mod chart;
mod fault;
mod forms;
mod guard;
mod heartbeat;
mod limits;
mod live;
mod machine;
mod origin;
mod pages;
mod route;
mod serve;
mod session;
mod show;
mod spans;
mod standing;
mod time;

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use launchready_checks::contract::{AttestationFacts, Goal};
use tokio::sync::watch;

pub use heartbeat::HeartbeatDoor;
pub use route::router;
pub use serve::serve;

use crate::clock::Clock;
use crate::config::Secret;
use crate::engine::Handover;
use crate::incident::Book;
use crate::store::Store;

/// What the page is drawn from.
pub struct Site {
    /// The database of the agent.
    pub store: Arc<dyn Store>,
    /// The present time.
    pub clock: Arc<dyn Clock>,
    /// What the config says at present; a reload sends it anew.
    pub facts: watch::Receiver<Arc<Facts>>,
    /// What `/metrics` answers.
    pub metrics: Arc<dyn MetricsPage>,
    /// What `/probe` asks.
    pub probe_now: Arc<dyn ProbeNow>,
    /// What `/readyz` asks beside the store.
    pub ready: Arc<dyn Ready>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("store", &self.store).finish_non_exhaustive()
    }
}

impl Site {
    /// What the config says at present.
    fn facts(&self) -> Arc<Facts> {
        Arc::clone(&self.facts.borrow())
    }
}

/// What the page needs of the config.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The projects, in the order of the config.
    pub projects: Vec<ProjectFacts>,
    /// Who is told what; the store adds silences and waivers.
    pub book: Arc<Book>,
    /// The password of the page and the API.
    pub password: Option<Secret>,
    /// The bearer token of `/metrics`, `/sd` and `/probe`.
    pub metrics_token: Option<Secret>,
    /// Where people reach the page, without a slash at the end.
    pub public_url: Option<String>,
    /// Where the agent listens.
    pub listen: SocketAddr,
    /// Jobs that may call.
    pub heartbeats: Vec<HeartbeatDoor>,
}

impl Facts {
    /// The project of this name.
    fn project(&self, name: &str) -> Option<&ProjectFacts> {
        self.projects.iter().find(|project| project.name == name)
    }

    /// The scheme, host and port of the public URL, where there is one.
    fn public(&self) -> Option<url::Url> {
        url::Url::parse(self.public_url.as_deref()?).ok()
    }

    /// Whether people reach the page over https.
    fn is_https(&self) -> bool {
        self.public().is_some_and(|url| url.scheme() == "https")
    }
}

/// What the page needs of one project.
#[derive(Debug, Clone)]
pub struct ProjectFacts {
    /// Its name.
    pub name: String,
    /// Its domain.
    pub domain: String,
    /// What it has to be ready for.
    pub goal: Goal,
    /// Parts that are configured, or that the product does not have.
    pub settled: Vec<String>,
    /// Parts that the product does not have.
    pub not_used: Vec<String>,
    /// Whether it is shown on the public status page.
    pub public: bool,
    /// The zone in which its times are shown, such as `Europe/Berlin`.
    pub timezone: String,
    /// The command that looks again; `{id}` stands for the check.
    pub recheck: String,
    /// Jobs that have promised to call, each with when it does, in words.
    pub heartbeats: Vec<(String, String)>,
    /// What the config says of it for whoever takes it over.
    pub handover: Arc<Handover>,
    /// What people have signed.
    pub signed: Vec<AttestationFacts>,
}

/// The exposition of the agent.
pub trait MetricsPage: Send + Sync {
    /// The text of all series, or of one shard of so many.
    ///
    /// # Errors
    /// A sentence why a shard has to be named.
    fn render(&self, shard: Option<(u32, u32)>, openmetrics: bool) -> Result<String, String>;

    /// The shards of it at this address, in the shape of Prometheus' HTTP service discovery.
    fn service_discovery(&self, address: &str) -> serde_json::Value;
}

/// Makes one probe for a scrape of `/probe`, in the names of `blackbox_exporter`.
#[async_trait]
pub trait ProbeNow: Send + Sync {
    /// The text that answers the scrape.
    ///
    /// # Errors
    /// The target or the module is not allowed, or too many probes are under way.
    async fn probe(
        &self,
        module: &str,
        target: &str,
        limit: Duration,
    ) -> Result<String, ProbeRefused>;
}

/// Why a probe was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProbeRefused {
    /// The target is not on the list.
    #[error("{0:?} may not be probed; add it to probe_targets under [agent] in the config")]
    Target(String),
    /// There is no such module.
    #[error("there is no module {name:?}; name one of {known}")]
    Module {
        /// What was asked for.
        name: String,
        /// What there is, with commas.
        known: String,
    },
    /// Too many are under way.
    #[error("too many probes are under way; scrape less often, or fewer targets")]
    Busy,
}

/// Whether the agent does its work.
pub trait Ready: Send + Sync {
    /// Nothing, where it does.
    ///
    /// # Errors
    /// A sentence why it does not.
    fn ready(&self) -> Result<(), String>;
}
