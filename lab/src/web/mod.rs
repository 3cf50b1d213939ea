//! Web servers: many hosts on one address, as edge networks have them.

mod body;
mod server;
mod site;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

pub(crate) use self::body::{Body, text};
pub(crate) use self::server::serve_plain;
use self::site::Site;
use crate::error::LabError;
use crate::listener::Servers;
use crate::plan::Plan;
use crate::tls::Pki;
use crate::tls::hello::Hello;

/// The time of the world, which goes on from where it was started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    start: Timestamp,
    since: Instant,
}

impl Clock {
    pub(crate) fn new(start: Timestamp) -> Self {
        Self { start, since: Instant::now() }
    }

    /// Now.
    pub(crate) fn now(self) -> Timestamp {
        self.start.checked_add(self.since.elapsed()).unwrap_or(self.start)
    }

    /// Now, as a `Date` header has it (RFC 9110 section 5.6.7).
    pub(crate) fn http_date(self) -> String {
        self.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

/// The sites of one address.
#[derive(Debug)]
pub(crate) struct Address {
    sites: BTreeMap<String, Arc<Site>>,
    clock: Clock,
}

impl Address {
    /// The site of a host name.
    fn site(&self, host: &str) -> Option<&Arc<Site>> {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        self.sites.get(&name.to_ascii_lowercase())
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

/// Starts the listeners of every address that holds a site; the port is 80 or 443.
pub(crate) async fn start(
    plan: &Plan,
    pki: &Pki,
    now: Timestamp,
    servers: &mut Servers,
) -> Result<Vec<(IpAddr, u16, SocketAddr)>, LabError> {
    let mut addresses: BTreeMap<IpAddr, BTreeMap<String, Arc<Site>>> = BTreeMap::new();
    for (name, site) in &plan.site {
        let host = site.host.as_deref().unwrap_or(name);
        let site_at = Arc::new(Site::new(host, site, pki, now)?);
        for address in &site.addresses {
            let sites = addresses.entry(*address).or_default();
            if sites.insert(host.to_owned(), Arc::clone(&site_at)).is_some() {
                return Err(LabError::Plan(format!("{address} serves {host} twice")));
            }
        }
    }
    let clock = Clock::new(now);
    let mut listening = Vec::new();
    for (ip, sites) in addresses {
        let has_tls = sites.values().any(|site| site.tls.is_some());
        let address = Arc::new(Address { sites, clock });
        let plain = Arc::clone(&address);
        let handle = move |link| server::plain(link, Arc::clone(&plain));
        listening.push((ip, 80, servers.tcp(handle).await?));
        if has_tls {
            let handle = move |link| server::tls(link, Arc::clone(&address));
            listening.push((ip, 443, servers.tcp(handle).await?));
        }
    }
    Ok(listening)
}
