//! One probe on request, as `blackbox_exporter` makes it: the modules `http_2xx`, `tcp_tls` and `dns_a`,
//! for targets that the config names.
//!
//! It shares one TLS setup, asks on a connection of its own, and remembers nothing of a target but that a
//! chain of certificates was found good.

mod chains;
mod targets;
mod web;

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use hickory_proto::op::ResponseCode;
use launchready_checks::probe::{Dns, ProbeError, TargetFault, addresses};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use self::chains::Chains;
use self::targets::Target;
use super::dns::ask_server;
use super::route::{Dialer, Network};
use super::trust::{Accepting, Judge, provider};
use crate::clock::Clock;
use crate::metrics::{ProbeDns, ProbeResult};

pub use self::targets::{ProbeDenied, ProbeTargets};

/// No probe may take longer, whatever the caller allows.
const LIMIT: Duration = Duration::from_secs(30);
/// Probes that may be under way at once; sockets are what this saves.
const UNDER_WAY: usize = 128;

/// Makes probes.
pub struct Blackbox {
    dns: Arc<dyn Dns>,
    dialer: Arc<Dialer>,
    /// For addresses that the user wrote into the config, which may be private.
    own: Dialer,
    chains: Chains,
    clock: Arc<dyn Clock>,
    tls: TlsConnector,
    targets: RwLock<ProbeTargets>,
    under_way: Semaphore,
}

impl fmt::Debug for Blackbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blackbox").field("targets", &self.targets).finish_non_exhaustive()
    }
}

/// What a probe adds to, so that one that runs out of time keeps what it saw.
struct Look<'a> {
    result: &'a mut ProbeResult,
    dialer: &'a Dialer,
}

impl Blackbox {
    /// Probes `targets` through `dialer`, and judges certificates with `judge` at the time of `clock`.
    ///
    /// # Errors
    /// When the cryptography of this build cannot speak TLS 1.2 and 1.3.
    pub fn new(
        network: &Network,
        dns: Arc<dyn Dns>,
        dialer: Arc<Dialer>,
        judge: Arc<Judge>,
        clock: Arc<dyn Clock>,
        targets: ProbeTargets,
    ) -> Result<Self, rustls::Error> {
        let provider = Arc::new(provider());
        let verifier = Arc::new(Accepting::new(&provider));
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(rustls::ALL_VERSIONS)?
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Each probe shakes hands in full: that is what it is there to see.
        config.resumption = Resumption::disabled();
        Ok(Self {
            dns,
            dialer,
            own: Dialer::new(&Network { allow_private: true, ..network.clone() }),
            chains: Chains::new(judge),
            clock,
            tls: TlsConnector::from(Arc::new(config)),
            targets: RwLock::new(targets),
            under_way: Semaphore::new(UNDER_WAY),
        })
    }

    /// Replaces the targets, as after a new config.
    pub fn set_targets(&self, targets: ProbeTargets) {
        *self.targets.write().unwrap_or_else(PoisonError::into_inner) = targets;
    }

    /// Probes once, within `limit` and 30 seconds. A target that fails is a result.
    ///
    /// # Errors
    /// The module is unknown, or the target is not one of those that the config names.
    pub async fn probe(
        &self,
        module: &str,
        target: &str,
        limit: Duration,
    ) -> Result<ProbeResult, ProbeDenied> {
        let target =
            self.targets.read().unwrap_or_else(PoisonError::into_inner).read(module, target)?;
        let began = Instant::now();
        let mut result = ProbeResult::default();
        let dialer = if target.is_own { &self.own } else { &*self.dialer };
        let mut look = Look { result: &mut result, dialer };
        let work = async {
            // Acquiring fails only on a closed semaphore, and this one is never closed.
            let _permit = self.under_way.acquire().await.ok();
            match module {
                "dns_a" => self.dns_a(&mut look, &target).await,
                "tcp_tls" => self.tcp_tls(&mut look, &target).await,
                _ => self.http_2xx(&mut look, &target).await,
            }
        };
        match timeout(limit.min(LIMIT), work).await {
            Ok(Ok(())) => result.success = true,
            Ok(Err(failure)) => result.failure = Some(failure),
            Err(_elapsed) => result.failure = Some("it did not end in time".to_owned()),
        }
        result.duration = began.elapsed();
        Ok(result)
    }

    /// The first address of a host.
    async fn address(
        &self,
        look: &mut Look<'_>,
        host: &str,
        port: u16,
    ) -> Result<(IpAddr, Duration), String> {
        let began = Instant::now();
        let address = if let Ok(literal) = host.parse() {
            literal
        } else if host == "localhost" || host.ends_with(".localhost") {
            // Names that never leave the machine (RFC 6761, section 6.3).
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        } else if let Some(fixed) = look.dialer.fixed(host, port) {
            fixed.ip()
        } else {
            let known = addresses(&*self.dns, host).await.and_then(|known| known.require(host));
            let known = known.map_err(|error| error.to_string())?.addresses;
            known.first().copied().ok_or_else(|| format!("{host} has no address"))?
        };
        let took = began.elapsed();
        look.result.lookup = Some(look.result.lookup.unwrap_or_default() + took);
        look.result.address = Some(address);
        Ok((address, took))
    }

    /// Shakes hands, and says what was shown. The certificate is judged, and whoever is not trusted
    /// has still shown when it runs out.
    async fn shake(
        &self,
        look: &mut Look<'_>,
        host: &str,
        stream: TcpStream,
    ) -> Result<TlsStream<TcpStream>, String> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_source| format!("{host:?} is no host name"))?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| error.to_string())?;
        let connection = stream.get_ref().1;
        let chain = connection.peer_certificates().unwrap_or_default();
        let (mut certificate, trust) = self.chains.judge(chain, host, self.clock.now());
        certificate.version = match connection.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3".to_owned(),
            _ => "TLS 1.2".to_owned(),
        };
        look.result.tls = Some(certificate);
        trust.map(|()| stream)
    }

    async fn tcp_tls(&self, look: &mut Look<'_>, target: &Target) -> Result<(), String> {
        look.result.reads = true;
        let (address, _) = self.address(look, &target.host, target.port).await?;
        let stream = look.dialer.tcp(&target.host, address, target.port, LIMIT).await;
        let stream = stream.map_err(|error| error.to_string())?;
        self.shake(look, &target.host, stream).await.map(drop)
    }

    async fn dns_a(&self, look: &mut Look<'_>, target: &Target) -> Result<(), String> {
        look.result.dns = Some(ProbeDns::default());
        let (address, resolve) = self.address(look, &target.host, target.port).await?;
        let mut seen = ProbeDns { resolve, ..ProbeDns::default() };
        let to = look.dialer.route(&target.host, address, target.port);
        let to: SocketAddr = to.map_err(|error| error.to_string())?;
        let began = Instant::now();
        let answer = ask_server(look.dialer, &target.name, to, LIMIT).await;
        seen.request = began.elapsed();
        look.result.dns = Some(seen);
        let answer = answer.map_err(|error| match error {
            ProbeError::Target(TargetFault::Malformed(what)) => format!("no DNS answer: {what}"),
            other => other.to_string(),
        })?;
        seen.answered = true;
        seen.answer = answer.answers.len();
        seen.authority = answer.authorities.len();
        // The option record of EDNS is one of them on the wire.
        seen.additional = answer.additionals.len() + usize::from(answer.edns.is_some());
        look.result.dns = Some(seen);
        match answer.metadata.response_code {
            ResponseCode::NoError => Ok(()),
            code => Err(format!("the answer to {} is {code}", target.name)),
        }
    }
}
