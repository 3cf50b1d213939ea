//! The services to which alerts are sent: each keeps what it takes, judges it, and fails when told to.

mod pagerduty;
mod server;
mod slack;
mod webhook;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::error::LabError;
use crate::fault::{Faults, When};
use crate::gate::Gate;
use crate::kept::{Kept, locked};
use crate::web::Clock;

/// How many requests are kept, those to all services together.
const KEPT: usize = 1_000;

/// A service that takes alerts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SinkKind {
    /// A Slack incoming webhook.
    Slack,
    /// A receiver of Standard Webhooks.
    Webhook,
    /// The `PagerDuty` Events API v2.
    PagerDuty,
    /// A dead man's switch as healthchecks.io has it.
    DeadMan,
}

impl SinkKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Slack, Self::Webhook, Self::PagerDuty, Self::DeadMan];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Webhook => "webhook",
            Self::PagerDuty => "pagerduty",
            Self::DeadMan => "deadman",
        }
    }
}

/// What a service does wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SinkFault {
    /// The connection is reset before a request is read.
    Reset,
    /// This status and an empty body; with a `Retry-After` in seconds where one is given.
    Status(u16, Option<u64>),
    /// Nothing is answered, for as long as the client waits.
    Stall,
    /// The head of the answer says 200 and its body breaks off; what came is not taken.
    CloseMidBody,
    /// What came is taken, and the connection ends without an answer.
    AnswerLost,
}

/// One request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// Counts from 1 over all services and is never used again.
    pub number: u64,
    /// Where it came.
    pub kind: SinkKind,
    /// When it came, in the time of the lab.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// The headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: Bytes,
    /// The status that was answered; `None` where the answer was lost or never came.
    pub status: Option<u16>,
    /// Whether it was taken, told to the client or not.
    pub taken: bool,
    /// Why it was refused, beside the injected faults.
    pub refused: Option<String>,
}

impl Received {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The running services. Dropping it ends them.
#[derive(Debug)]
pub struct Sinks {
    inside: Arc<Inside>,
    gate: tokio::sync::Mutex<Gate>,
    address: SocketAddr,
}

/// What all connections share.
#[derive(Debug)]
struct Inside {
    kept: Kept<Received>,
    faults: Faults<(SinkKind, SinkFault)>,
    webhook_key: Mutex<Option<String>>,
    clock: Clock,
}

impl Sinks {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// No port.
    pub fn start(now: Timestamp) -> Result<Self, LabError> {
        let inside = Arc::new(Inside {
            kept: Kept::new(KEPT),
            faults: Faults::default(),
            webhook_key: Mutex::new(None),
            clock: Clock::new(now, 1.0),
        });
        let shared = Arc::clone(&inside);
        let mut gate =
            Gate::new(Duration::ZERO, move |link| server::serve(link, Arc::clone(&shared)))?;
        gate.open()?;
        let address = gate.address();
        Ok(Self { inside, gate: tokio::sync::Mutex::new(gate), address })
    }

    /// Where the service is called.
    pub fn url(&self, kind: SinkKind) -> String {
        format!("http://{}{}", self.address, server::path(kind))
    }

    /// Everything that came to a service and was taken, oldest first, of the last 1,000 requests.
    pub fn received(&self, kind: SinkKind) -> Vec<Arc<Received>> {
        self.requests(kind).into_iter().filter(|received| received.taken).collect()
    }

    /// Every request that came to a service, those that were refused or lost included.
    pub fn requests(&self, kind: SinkKind) -> Vec<Arc<Received>> {
        self.inside.kept.all().into_iter().filter(|received| received.kind == kind).collect()
    }

    /// The request of this number, while it is kept.
    pub fn request(&self, number: u64) -> Option<Arc<Received>> {
        self.inside.kept.all().into_iter().find(|received| received.number == number)
    }

    /// Waits until what a service has taken fits; `None` when it does not within `limit`.
    pub async fn wait_for(
        &self,
        kind: SinkKind,
        fits: impl Fn(&[Arc<Received>]) -> bool,
        limit: Duration,
    ) -> Option<Vec<Arc<Received>>> {
        let own = |all: &[Arc<Received>]| -> Vec<_> {
            all.iter().filter(|r| r.kind == kind && r.taken).cloned().collect()
        };
        self.inside.kept.wait_for(|all| fits(&own(all)), limit).await.map(|all| own(&all))
    }

    /// Waits until the requests of a service fit, those that were refused or lost included; `None`
    /// when they do not within `limit`.
    pub async fn wait_for_requests(
        &self,
        kind: SinkKind,
        fits: impl Fn(&[Arc<Received>]) -> bool,
        limit: Duration,
    ) -> Option<Vec<Arc<Received>>> {
        let own = |all: &[Arc<Received>]| -> Vec<_> {
            all.iter().filter(|r| r.kind == kind).cloned().collect()
        };
        self.inside.kept.wait_for(|all| fits(&own(all)), limit).await.map(|all| own(&all))
    }

    /// From here on webhooks have to be signed with this key, `whsec_…`; with none, any is taken.
    ///
    /// # Errors
    /// A key that Standard Webhooks does not allow.
    pub fn set_webhook_key(&self, key: Option<&str>) -> Result<(), LabError> {
        if let Some(key) = key {
            webhook::key(key).map_err(LabError::Plan)?;
        }
        *locked(&self.inside.webhook_key) = key.map(str::to_owned);
        Ok(())
    }

    /// Adds a fault to those that a service has.
    pub fn set_fault(&self, kind: SinkKind, fault: SinkFault, when: When) {
        self.inside.faults.add((kind, fault), when);
    }

    /// Takes every fault of every service away. Requests that stall go on doing so.
    pub fn clear_faults(&self) {
        self.inside.faults.clear();
    }

    /// Forgets everything that came.
    pub fn clear(&self) {
        self.inside.kept.clear();
    }

    /// Refuses connections, and ends those that are open.
    pub async fn close(&self) {
        self.gate.lock().await.close().await;
    }

    /// Takes connections again, at the same address.
    ///
    /// # Errors
    /// Somebody else has taken the port.
    pub async fn open(&self) -> Result<(), LabError> {
        self.gate.lock().await.open()
    }
}
