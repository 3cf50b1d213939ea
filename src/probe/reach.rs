//! Where a service is found that the user named: `connect_to` first, then the configured resolvers, then
//! those of the system.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use launchready_checks::probe::addresses;

use super::dns::DnsProbe;
use super::route::{Dialer, Network};

/// Finds the services of the user's own: mail servers, webhooks. They may stand at private addresses,
/// which is why the guard of the outside look is not asked.
#[derive(Debug)]
pub struct Reach {
    dialer: Arc<Dialer>,
    /// The configured resolvers, where there are any.
    dns: Option<DnsProbe>,
}

impl Reach {
    /// With the resolvers and rules of these settings.
    pub fn new(network: &Network) -> Self {
        let network = Network { allow_private: true, ..network.clone() };
        let dialer = Arc::new(Dialer::new(&network));
        let dns =
            (!network.resolvers.is_empty()).then(|| DnsProbe::new(&network, Arc::clone(&dialer)));
        Self { dialer, dns }
    }

    /// Where a connection to a port of a host leads, best first.
    ///
    /// # Errors
    /// No resolver knows the name.
    pub async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        if let Some(to) = self.dialer.fixed(&host, port) {
            return Ok(vec![to]);
        }
        let found = self.look(&host, port).await?;
        let lead = |address: IpAddr| {
            self.dialer.detour(&host, address, port).unwrap_or(SocketAddr::new(address, port))
        };
        Ok(found.into_iter().map(lead).collect())
    }

    async fn look(&self, host: &str, port: u16) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        // A name without a dot is that of a machine nearby, which no resolver outside knows.
        if let Some(dns) = self.dns.as_ref().filter(|_| host.contains('.'))
            && let Ok(look) = addresses(dns, host).await
            && !look.addresses.is_empty()
        {
            return Ok(look.addresses);
        }
        // Also where the configured resolvers fail: a message must not wait for them.
        Ok(tokio::net::lookup_host((host, port)).await?.map(|found| found.ip()).collect())
    }
}
