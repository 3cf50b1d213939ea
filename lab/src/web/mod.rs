//! Web servers: many hosts on one address, as edge networks have them.

mod body;
mod server;
mod site;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;
use tokio::time::Instant;

pub(crate) use self::body::{Body, text};
pub(crate) use self::server::serve_plain;
pub(crate) use self::site::Site;
use crate::crowd::CrowdSites;
use crate::error::LabError;
use crate::link::Link;
use crate::live::Live;
use crate::plan::Plan;
use crate::tls::Pki;
use crate::tls::hello::Hello;

/// The time of the world, which goes on from where it was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Timestamp,
    since: Instant,
    speed: f64,
}

impl Clock {
    /// A clock that shows `start` and runs `speed` times as fast as that of the machine.
    pub(crate) fn new(start: Timestamp, speed: f64) -> Self {
        Self { start, since: Instant::now(), speed: speed.max(1.0) }
    }

    /// Now.
    pub(crate) fn now(self) -> Timestamp {
        self.start.checked_add(self.since.elapsed().mul_f64(self.speed)).unwrap_or(self.start)
    }

    /// Now, as a `Date` header has it (RFC 9110 section 5.6.7).
    pub(crate) fn http_date(self) -> String {
        self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// The sites of one address.
#[derive(Debug, Default)]
pub(crate) struct Address {
    sites: BTreeMap<String, Arc<Site>>,
}

impl Address {
    /// Whether any site speaks TLS.
    pub(crate) fn has_tls(&self) -> bool {
        self.sites.values().any(|site| site.tls.is_some())
    }

    /// The site that answers a client without SNI: the only one, or for an old client one that
    /// speaks its version. SSL 3.0 has no way to name a host.
    fn nameless(&self, hello: &Hello) -> Option<&Arc<Site>> {
        let mut sites = self.sites.values();
        match (sites.next(), sites.next()) {
            (only, None) => only,
            _ if hello.is_old() => {
                self.sites.values().find(|site| site.old.iter().any(|old| *old <= hello.version))
            }
            _ => None,
        }
    }
}

/// The sites of every address.
pub(crate) fn build(
    plan: &Plan,
    pki: &Pki,
    now: Timestamp,
    answers: &Arc<AtomicU64>,
) -> Result<BTreeMap<IpAddr, Arc<Address>>, LabError> {
    let mut addresses: BTreeMap<IpAddr, Address> = BTreeMap::new();
    for (name, site) in &plan.site {
        let host = site.host.as_deref().unwrap_or(name);
        let site_at = Arc::new(Site::new(host, site, pki, now, Arc::clone(answers))?);
        for address in &site.addresses {
            let sites = &mut addresses.entry(*address).or_default().sites;
            if sites.insert(host.to_owned(), Arc::clone(&site_at)).is_some() {
                return Err(LabError::Plan(format!("{address} serves {host} twice")));
            }
        }
    }
    Ok(addresses.into_iter().map(|(ip, address)| (ip, Arc::new(address))).collect())
}

/// The sites behind a listener, as they are at the time of a request.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    sites: Sites,
    clock: Clock,
}

#[derive(Debug, Clone)]
enum Sites {
    /// Whatever the world has at an address.
    World(Arc<Live>, IpAddr),
    /// Every project of a crowd.
    Crowd(Arc<CrowdSites>),
}

impl Place {
    /// An address of a world.
    pub(crate) fn world(live: Arc<Live>, ip: IpAddr) -> Self {
        let clock = live.clock;
        Self { sites: Sites::World(live, ip), clock }
    }

    /// The sites of a crowd.
    pub(crate) const fn crowd(sites: Arc<CrowdSites>, clock: Clock) -> Self {
        Self { sites: Sites::Crowd(sites), clock }
    }

    /// Serves a connection on port 80.
    pub(crate) async fn plain(self, link: Link) {
        server::plain(link, self).await;
    }

    /// Serves a connection on port 443.
    pub(crate) async fn tls(self, link: Link) {
        server::tls(link, self).await;
    }

    /// The site of a host name.
    fn site(&self, host: &str) -> Option<Arc<Site>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name).to_ascii_lowercase();
        match &self.sites {
            Sites::World(live, ip) => live.state().web.get(ip)?.sites.get(&name).cloned(),
            Sites::Crowd(crowd) => crowd.site(&name),
        }
    }

    /// The site that answers a client without SNI.
    fn nameless(&self, hello: &Hello) -> Option<Arc<Site>> {
        match &self.sites {
            Sites::World(live, ip) => live.state().web.get(ip)?.nameless(hello).cloned(),
            Sites::Crowd(_) => None,
        }
    }
}
