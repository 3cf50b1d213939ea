//! Where a connection really goes: the address guard, `connect_to`, and whose fault a failure is.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use launchready_checks::probe::{AgentFault, ProbeError, TargetFault};
use tokio::net::{TcpStream, UdpSocket};

use super::egress::{Egress, Sign};

/// One `connect_to` rule, as curl has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectTo {
    /// Host name or address that was asked for; `None` for any.
    host: Option<String>,
    /// Port that was asked for; `None` for any.
    port: Option<u16>,
    /// Where to connect instead.
    to: SocketAddr,
}

/// Why a `connect_to` rule cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectToError {
    /// `from` is not `HOST:PORT`.
    #[error("{0:?} is no HOST:PORT; write \"shop.example:443\", \"203.0.113.7:443\" or \"*:443\"")]
    From(String),
    /// `to` is not `ADDRESS:PORT`.
    #[error("{0:?} is no ADDRESS:PORT; write \"203.0.113.7:443\" or \"[2001:db8::7]:443\"")]
    To(String),
}

impl ConnectTo {
    /// Reads a rule; `*` stands for any host or any port.
    pub fn new(from: &str, to: &str) -> Result<Self, ConnectToError> {
        let error = || ConnectToError::From(from.to_owned());
        let (host, port) = from.rsplit_once(':').ok_or_else(error)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        if host.is_empty() || host.contains('/') {
            return Err(error());
        }
        let port = match port {
            "*" => None,
            port => Some(port.parse().map_err(|_source| error())?),
        };
        let to = SocketAddr::from_str(to).map_err(|_source| ConnectToError::To(to.to_owned()))?;
        Ok(Self { host: (host != "*").then_some(host), port, to })
    }
}

/// The `[network]` settings, read and checked.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Resolvers; empty means the system's.
    pub resolvers: Vec<SocketAddr>,
    /// PEM files of roots beside the usual ones.
    pub extra_roots: Vec<PathBuf>,
    /// Addresses learned from the product may be private.
    pub allow_private: bool,
    /// Where to connect instead; the first rule for the name wins, then the first for the address,
    /// then the first for any host.
    pub connect_to: Vec<ConnectTo>,
    /// An RDAP server that is asked instead of the registry's.
    pub rdap: Option<String>,
    /// For how long a DNS answer is remembered; [`Network::REMEMBERED`] where absent.
    pub remembered: Option<Duration>,
    /// What looks at products have met outside.
    pub egress: Arc<Egress>,
}

impl Network {
    /// As long as most audits take, and shorter than the pause before a failing check looks again.
    pub const REMEMBERED: Duration = Duration::from_secs(20);
}

/// Opens every connection.
#[derive(Debug, Clone)]
pub struct Dialer {
    allow_private: bool,
    rules: Arc<[ConnectTo]>,
    ipv6: OnceLock<bool>,
    egress: Arc<Egress>,
    /// The registrable domain of the product that is looked at.
    product: Option<Arc<str>>,
}

impl Dialer {
    /// A dialer with the guard and rules of these settings.
    pub fn new(network: &Network) -> Self {
        Self {
            allow_private: network.allow_private,
            rules: network.connect_to.as_slice().into(),
            ipv6: OnceLock::new(),
            egress: Arc::clone(&network.egress),
            product: None,
        }
    }

    /// The same for looks at the product with this registrable domain: what becomes of connections to its hosts is
    /// noted.
    pub(crate) fn to_product(&self, domain: Option<&str>) -> Self {
        Self { product: domain.map(Into::into), ..self.clone() }
    }

    /// Whether anything outside answers, as far as is known.
    pub(crate) async fn is_anything_there(&self) -> bool {
        self.egress.is_there().await
    }

    /// Takes in how a connection ended.
    fn note(&self, (host, address, port): (&str, IpAddr, u16), to: SocketAddr, sign: Sign) {
        let Some(product) = &self.product else { return };
        let below = host.trim_end_matches('.').strip_suffix(&**product);
        if below.is_some_and(|below| below.is_empty() || below.ends_with('.')) {
            self.egress.note(product, (address, port), to, sign);
        }
    }

    /// The rule that holds for a name or address and port.
    fn rule(&self, host: &str, address: Option<IpAddr>, port: u16) -> Option<SocketAddr> {
        let on_port = || self.rules.iter().filter(|rule| rule.port.is_none_or(|p| p == port));
        let named = |wanted: &str| on_port().find(|rule| rule.host.as_deref() == Some(wanted));
        named(host)
            .or_else(|| address.and_then(|address| named(&address.to_string())))
            .or_else(|| on_port().find(|rule| rule.host.is_none()))
            .map(|rule| rule.to)
    }

    /// Where a rule leads instead of a service that the user named; one for any host leaves what runs on
    /// this machine where it is.
    pub(super) fn detour(&self, host: &str, address: IpAddr, port: u16) -> Option<SocketAddr> {
        let is_named = |rule: &ConnectTo| {
            let named = rule.host.as_deref();
            named.is_some_and(|named| named == host || named == address.to_string())
                && rule.port.is_none_or(|wanted| wanted == port)
        };
        if address.is_loopback() && !self.rules.iter().any(is_named) {
            return None;
        }
        self.rule(host, Some(address), port)
    }

    /// Where a rule for this very name leads, so that no resolver has to know the name.
    pub fn fixed(&self, host: &str, port: u16) -> Option<SocketAddr> {
        let named = |rule: &&ConnectTo| {
            rule.host.as_deref() == Some(host) && rule.port.is_none_or(|p| p == port)
        };
        self.rules.iter().find(named).map(|rule| rule.to)
    }

    /// Where a connection to `address` really goes.
    ///
    /// # Errors
    /// [`TargetFault::PrivateAddress`] when the product leads to a private address, and
    /// [`AgentFault::NoIpv6`] when this machine has no route for its family.
    pub fn route(&self, host: &str, address: IpAddr, port: u16) -> Result<SocketAddr, ProbeError> {
        if let Some(to) = self.rule(host, Some(address), port) {
            return Ok(to);
        }
        if !self.allow_private && is_private(address) {
            return Err(TargetFault::PrivateAddress(format!("{host} leads to {address}")).into());
        }
        if address.is_ipv6() && !self.has_ipv6() {
            return Err(AgentFault::NoIpv6.into());
        }
        Ok(SocketAddr::new(address, port))
    }

    /// Whether this machine has a route to the IPv6 internet; found once, without sending a packet.
    pub fn has_ipv6(&self) -> bool {
        *self.ipv6.get_or_init(|| {
            // Connecting a datagram socket only asks the routing table. Any global address serves;
            // this one is the documentation prefix of RFC 3849, which nothing answers.
            let local = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
            let there = SocketAddr::from((Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9));
            std::net::UdpSocket::bind(local).and_then(|socket| socket.connect(there)).is_ok()
        })
    }

    /// A TCP connection to one address that was learned from the product.
    pub async fn tcp(
        &self,
        host: &str,
        address: IpAddr,
        port: u16,
        timeout: Duration,
    ) -> Result<TcpStream, ProbeError> {
        self.tcp_to(self.route(host, address, port)?, (host, address, port), timeout).await
    }

    /// A TCP connection to one address that the user wrote in the config, private or not.
    pub async fn tcp_chosen(
        &self,
        host: &str,
        address: IpAddr,
        port: u16,
        timeout: Duration,
    ) -> Result<TcpStream, ProbeError> {
        let to = match self.route(host, address, port) {
            Err(ProbeError::Target(TargetFault::PrivateAddress(_))) => {
                SocketAddr::new(address, port)
            }
            routed => routed?,
        };
        self.tcp_to(to, (host, address, port), timeout).await
    }

    async fn tcp_to(
        &self,
        to: SocketAddr,
        (host, address, port): (&str, IpAddr, u16),
        timeout: Duration,
    ) -> Result<TcpStream, ProbeError> {
        let what = || format!("{host} at {address} port {port}");
        let connected = tokio::time::timeout(timeout, TcpStream::connect(to)).await;
        self.note((host, address, port), to, Sign::of(connected.as_ref().ok()));
        match connected {
            Err(_elapsed) => Err(TargetFault::TimedOut(what()).into()),
            Ok(Err(error)) => Err(blame(&error, what())),
            Ok(Ok(stream)) => {
                // Small exchanges: waiting to fill a segment would only add delay.
                stream.set_nodelay(true).map_err(|error| blame(&error, what()))?;
                Ok(stream)
            }
        }
    }

    /// A datagram socket connected to one address, with the first datagram on its way: a new socket
    /// has room, so nothing waits.
    pub fn udp(&self, to: SocketAddr, first: &[u8]) -> Result<UdpSocket, ProbeError> {
        let local: SocketAddr = if to.is_ipv4() {
            (Ipv4Addr::UNSPECIFIED, 0).into()
        } else {
            (Ipv6Addr::UNSPECIFIED, 0).into()
        };
        let open = || {
            let socket = std::net::UdpSocket::bind(local)?;
            socket.connect(to)?;
            socket.set_nonblocking(true)?;
            socket.send(first)?;
            UdpSocket::from_std(socket)
        };
        open().map_err(|error| blame(&error, to.to_string()))
    }
}

/// Whose fault a failed connection is.
pub(super) fn blame(error: &io::Error, what: String) -> ProbeError {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused | Kind::ConnectionReset | Kind::ConnectionAborted => {
            TargetFault::Refused(what).into()
        }
        Kind::TimedOut => TargetFault::TimedOut(what).into(),
        Kind::UnexpectedEof | Kind::BrokenPipe | Kind::InvalidData => {
            TargetFault::Malformed(format!("{what}: {error}")).into()
        }
        // No route, no address, no permission: nothing that the target could do better.
        _ => AgentFault::NoNetwork(format!("{what}: {error}")).into(),
    }
}

/// Whether an address is private, loopback, link-local, multicast or otherwise not on the internet
/// (IANA special-purpose registries). The documentation ranges are let through: they lead nowhere.
pub fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || a == 0
                || a >= 240
                // Carrier-grade NAT, RFC 6598.
                || (a == 100 && (64..128).contains(&b))
                // IETF protocol assignments, RFC 6890.
                || (a == 192 && b == 0 && c == 0)
                // Benchmarking, RFC 2544.
                || (a == 198 && (b == 18 || b == 19))
        }
        IpAddr::V6(v6) => {
            let embedded = v6.to_ipv4_mapped().or_else(|| translated(v6));
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
                // Site-local, RFC 3879, and a network's own translation prefix, RFC 8215.
                || v6.segments().first().is_some_and(|first| first & 0xffc0 == 0xfec0)
                || v6.segments().starts_with(&[0x64, 0xff9b, 1])
                || embedded.is_some_and(|v4| is_private(IpAddr::V4(v4)))
        }
    }
}

/// The IPv4 address to which a gateway turns one inside `64:ff9b::/96` (RFC 6052), `2002::/16`
/// (RFC 3056) or the abandoned `::/96` (RFC 4291 2.5.5.1).
fn translated(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let ([0x64, 0xff9b, 0, 0, 0, 0, high, low]
    | [0x2002, high, low, ..]
    | [0, 0, 0, 0, 0, 0, high, low]) = address.segments()
    else {
        return None;
    };
    Some(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer(rules: &[(&str, &str)], allow_private: bool) -> Dialer {
        let connect_to = rules.iter().map(|(from, to)| ConnectTo::new(from, to).unwrap()).collect();
        Dialer::new(&Network { allow_private, connect_to, ..Network::default() })
    }

    #[test]
    fn private_addresses_of_every_kind_are_refused() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::cb00:7107",
            "2002:7f00:1::1",
            "::10.0.0.1",
            "fec0::1",
            "ff02::1",
            "198.18.0.1",
        ] {
            assert!(is_private(address.parse().unwrap()), "{address}");
        }
        for address in [
            "203.0.113.7",
            "1.1.1.1",
            "2606:4700::1",
            "100.128.0.1",
            "198.20.0.1",
            "64:ff9b::cb00:7107",
        ] {
            assert!(!is_private(address.parse().unwrap()), "{address}");
        }
        let error = dialer(&[], false).route("shop.example", "10.0.0.1".parse().unwrap(), 443);
        assert!(matches!(error, Err(ProbeError::Target(TargetFault::PrivateAddress(_)))));
        assert!(dialer(&[], true).route("shop.example", "10.0.0.1".parse().unwrap(), 443).is_ok());
    }

    #[test]
    fn the_rule_for_the_name_wins_then_for_the_address_then_for_any() {
        let dialer = dialer(
            &[
                ("*:443", "127.0.0.1:1"),
                ("203.0.113.7:443", "127.0.0.1:2"),
                ("shop.example:443", "127.0.0.1:3"),
                ("*:*", "127.0.0.1:4"),
            ],
            false,
        );
        let to = |host, address: &str, port| {
            dialer.route(host, address.parse().unwrap(), port).unwrap().port()
        };
        assert_eq!(to("shop.example", "203.0.113.7", 443), 3);
        assert_eq!(to("www.shop.example", "203.0.113.7", 443), 2);
        assert_eq!(to("www.shop.example", "203.0.113.8", 443), 1);
        assert_eq!(to("www.shop.example", "203.0.113.8", 25), 4);
    }

    #[test]
    fn rules_that_cannot_be_read_say_how_to_write_them() {
        for from in ["shop.example", "shop.example:https", ":443", "https://shop.example:443"] {
            assert!(ConnectTo::new(from, "127.0.0.1:1").is_err(), "{from}");
        }
        assert!(ConnectTo::new("*:443", "localhost:1").is_err());
        assert!(ConnectTo::new("[2001:db8::1]:443", "127.0.0.1:1").is_ok());
    }
}
