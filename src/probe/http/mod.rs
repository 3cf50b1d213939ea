//! The HTTP port: requests made connection by connection, so that address, timing and trust of each
//! one are known. hyper speaks HTTP/1.1; pooling is by host, and nothing is ever followed.

mod body;
mod connection;
mod dates;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use launchready_checks::probe::{
    AgentFault, Answer, Dns, Http, HttpAnswer, HttpRequest, Method, ProbeError, TargetFault,
    addresses,
};
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

pub(super) use self::body::decode as decode_body;
use self::connection::{Connection, Connector, Endpoint};
pub(super) use self::connection::{HEAD_BYTES, HEAD_LINES, USER_AGENT};
use self::dates::Dates;
use super::limits::{Hosts, Limits, Sharers};
use super::route::Dialer;
use super::trust::Judge;
use crate::clock::Clock;

/// Addresses of a host that are tried before it counts as unreachable.
const ADDRESSES_TRIED: usize = 4;
/// Requests that may be under way at once in all.
const OPEN: usize = 128;
/// Requests that may be under way at once to one host and port; a browser opens as many.
pub(super) const OPEN_PER_HOST: usize = 6;
/// Idle connections kept for one endpoint.
const IDLE_KEPT: usize = 6;
/// Bytes of shared bodies that one audit keeps in memory.
const SHARED_BYTES: usize = 12 * 1024 * 1024;

/// What a captive network answers in the place of the site (RFC 6585, section 6).
const NETWORK_AUTHENTICATION_REQUIRED: u16 = 511;

type Outcome = Result<HttpAnswer, ProbeError>;

/// Asks web servers.
pub struct HttpProbe {
    dns: Arc<dyn Dns>,
    dialer: Arc<Dialer>,
    connector: Connector,
    limits: Limits,
    idle: Mutex<HashMap<Endpoint, Vec<Connection>>>,
    shared: Mutex<BTreeMap<HttpRequest, Arc<OnceCell<Outcome>>>>,
    shared_bytes: AtomicUsize,
    clock: Arc<dyn Clock>,
    dates: Dates,
    /// POST is allowed: the ownership of the domain is proven.
    active: bool,
}

impl fmt::Debug for HttpProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpProbe").field("active", &self.active).finish_non_exhaustive()
    }
}

impl HttpProbe {
    /// Asks through `dialer`; `active` allows POST.
    ///
    /// # Errors
    /// When the cryptography of this build cannot speak TLS 1.2 and 1.3.
    pub fn new(
        dns: Arc<dyn Dns>,
        dialer: Arc<Dialer>,
        judge: Arc<Judge>,
        clock: Arc<dyn Clock>,
        active: bool,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            dns,
            connector: Connector::new(Arc::clone(&dialer), judge, Arc::clone(&clock))?,
            dialer,
            limits: Limits::new(OPEN, &Arc::new(Hosts::new(OPEN_PER_HOST, &Sharers::default()))),
            idle: Mutex::default(),
            shared: Mutex::default(),
            shared_bytes: AtomicUsize::new(0),
            clock,
            dates: Dates::default(),
            active,
        })
    }

    /// The same, with what may be under way at one host shared with others.
    #[must_use]
    pub fn sharing(self, hosts: &Arc<Hosts>) -> Self {
        Self { limits: Limits::new(OPEN, hosts), ..self }
    }

    async fn ask(&self, request: &HttpRequest) -> Outcome {
        if request.method == Method::Post && !self.active {
            return Err(AgentFault::Refused("POST without proven ownership".to_owned()).into());
        }
        let endpoint = Endpoint::of(request)?;
        let _permit = self.limits.enter(&endpoint.host).await;
        let limit = Duration::from_millis(request.timeout_ms);
        let late = |_elapsed| ProbeError::from(TargetFault::TimedOut(request.url.clone()));
        let answer = timeout(limit, self.exchange(request, &endpoint)).await.map_err(late)??;
        if answer.status == NETWORK_AUTHENTICATION_REQUIRED {
            let portal = format!("a portal wants a sign-in before it lets {} through", request.url);
            return Err(AgentFault::NoNetwork(portal).into());
        }
        self.dates.read(&endpoint.host, &answer, self.clock.now());
        Ok(answer)
    }

    /// By how many seconds the clock of this machine is behind what the hosts asked agree on; `None`
    /// where it is right to five minutes or nobody can tell.
    pub fn clock_behind(&self) -> Option<i64> {
        self.dates.behind()
    }

    async fn exchange(&self, request: &HttpRequest, endpoint: &Endpoint) -> Outcome {
        let began = Instant::now();
        // A POST is not sent twice: nobody can tell whether the first one arrived.
        if !request.fresh_connection
            && request.method != Method::Post
            && let Some(mut warm) = self.take_idle(endpoint)
            && let Ok(answer) = warm.send(request, endpoint, began).await
        {
            self.keep(endpoint, warm, &answer);
            return Ok(answer);
        }
        // No idle connection, or one that the server has closed in the meantime.
        let mut fresh = self.connect(endpoint).await?;
        let answer = fresh.send(request, endpoint, began).await?;
        if !request.fresh_connection {
            self.keep(endpoint, fresh, &answer);
        }
        Ok(answer)
    }

    async fn connect(&self, endpoint: &Endpoint) -> Result<Connection, ProbeError> {
        let addresses = self.addresses_of(endpoint).await?;
        let mut last = None;
        for address in addresses.into_iter().take(ADDRESSES_TRIED) {
            match self.connector.connect(endpoint, address).await {
                Ok(connection) => return Ok(connection),
                // A missing IPv6 route explains nothing when another address was refused.
                Err(ProbeError::Agent(AgentFault::NoIpv6)) if last.is_some() => {}
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| TargetFault::Unresolvable(endpoint.host.clone()).into()))
    }

    async fn addresses_of(&self, endpoint: &Endpoint) -> Result<Vec<IpAddr>, ProbeError> {
        if let Some(address) = endpoint.address {
            return Ok(vec![address]);
        }
        if let Ok(address) = endpoint.host.trim_matches(['[', ']']).parse() {
            return Ok(vec![address]);
        }
        if let Some(fixed) = self.dialer.fixed(&endpoint.host, endpoint.port) {
            return Ok(vec![fixed.ip()]);
        }
        let look = addresses(self.dns.as_ref(), &endpoint.host).await?;
        Ok(look.require(&endpoint.host)?.addresses)
    }

    fn take_idle(&self, endpoint: &Endpoint) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let list = idle.get_mut(endpoint)?;
        while let Some(connection) = list.pop() {
            if connection.is_open() {
                return Some(connection);
            }
        }
        None
    }

    fn keep(&self, endpoint: &Endpoint, connection: Connection, answer: &HttpAnswer) {
        if answer.body_cut || !connection.is_open() {
            return;
        }
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let list = idle.entry(endpoint.clone()).or_default();
        if list.len() < IDLE_KEPT {
            list.push(connection);
        }
    }

    /// The place where the answer to a shared request stands or will stand.
    fn shared_cell(&self, request: &HttpRequest) -> Arc<OnceCell<Outcome>> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(shared.entry(request.clone()).or_default())
    }

    /// Gives the place up again once the audit keeps as many bytes as it may.
    fn bound_shared(&self, request: &HttpRequest, outcome: &Outcome) {
        let size = outcome.as_ref().map_or(0, |answer| answer.body.len());
        if self.shared_bytes.fetch_add(size, Ordering::Relaxed) + size > SHARED_BYTES {
            self.shared_bytes.fetch_sub(size, Ordering::Relaxed);
            let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
            shared.remove(request);
        }
    }
}

impl Http for HttpProbe {
    fn send(&self, request: HttpRequest) -> Answer<'_, Outcome> {
        if !request.shared || request.method == Method::Post {
            return Box::pin(async move { self.ask(&request).await });
        }
        let cell = self.shared_cell(&request);
        Box::pin(async move {
            let ask = async || {
                let outcome = self.ask(&request).await;
                self.bound_shared(&request, &outcome);
                outcome
            };
            cell.get_or_init(ask).await.clone()
        })
    }
}
