//! The TLS port: full handshakes with rustls, and hand-made greetings for everything that it cannot
//! speak.

mod der;
mod hello;
mod ocsp;
mod server_hello;
mod shake;
mod suites;
mod verdict;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{
    AgentFault, Answer, Dns, HelloAnswer, HelloQuestion, Http, ProbeError, TargetFault, Tls,
    TlsAnswer, TlsQuestion, Trust, addresses, certificate_facts,
};
use rustls::crypto::CryptoProvider;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

pub(super) use self::ocsp::is_revoked as read_ocsp;
use self::server_hello::Reading;
use self::verdict::Verdicts;
use super::limits::{Hosts, Limits, Sharers};
use super::route::Dialer;
use super::trust::{Judge, provider};
use crate::clock::Clock;

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(4);
/// How long connecting and a handshake may take together.
const HANDSHAKE: Duration = Duration::from_secs(8);
/// How long connecting and the answer to a hand-made greeting may take together.
const HELLO: Duration = Duration::from_secs(6);
/// Connections that may be open at once, in all and to one address: the seven greetings and two
/// handshakes of one host go out together.
const OPEN: usize = 64;
pub(super) const OPEN_PER_ADDRESS: usize = 16;
/// Certificates of a chain that are kept.
const CHAIN: usize = 10;

/// Shakes hands.
pub struct TlsProbe {
    dns: Arc<dyn Dns>,
    dialer: Arc<Dialer>,
    clock: Arc<dyn Clock>,
    provider: Arc<CryptoProvider>,
    verdicts: Verdicts,
    limits: Limits,
}

impl fmt::Debug for TlsProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsProbe").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl TlsProbe {
    /// Connects through `dialer`, asks `dns` where a question names no address, fetches missing
    /// issuers and OCSP answers through `http`, and judges certificates at the time of `clock`.
    pub fn new(
        dns: Arc<dyn Dns>,
        dialer: Arc<Dialer>,
        http: Arc<dyn Http>,
        judge: Arc<Judge>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let provider = Arc::new(provider());
        let algorithms = provider.signature_verification_algorithms;
        let hosts = Arc::new(Hosts::new(OPEN_PER_ADDRESS, &Sharers::default()));
        let limits = Limits::new(OPEN, &hosts);
        let verdicts = Verdicts { judge, http, algorithms };
        Self { dns, dialer, clock, provider, verdicts, limits }
    }

    /// The same, with the handshakes that may be under way with one address shared with others.
    #[must_use]
    pub fn sharing(self, hosts: &Arc<Hosts>) -> Self {
        Self { limits: Limits::new(OPEN, hosts), ..self }
    }

    /// Shakes hands over a connection that is open, as after STARTTLS. The caller limits the time.
    ///
    /// # Errors
    /// The fault of the handshake.
    pub(super) async fn over<S>(
        &self,
        stream: S,
        host: &str,
        address: IpAddr,
        ecdsa: Option<bool>,
    ) -> Result<(Handshake, TlsStream<S>), ProbeError>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let shaken = shake::shake(stream, &self.provider, host, address, ecdsa).await?;
        let chain: Vec<_> =
            shaken.chain.iter().take(CHAIN).filter_map(|der| certificate_facts(der)).collect();
        // The facts of the leaf come first or not at all.
        if shaken.chain.first().is_none_or(|leaf| certificate_facts(leaf).is_none()) {
            let what = format!("{host} at {address}: the certificate cannot be read");
            return Err(TargetFault::Malformed(what).into());
        }
        let answer = Handshake {
            host: host.to_owned(),
            chain: shaken.chain,
            stapled: shaken.stapled,
            answer: TlsAnswer {
                address,
                version: shaken.version,
                suite: shaken.suite,
                chain,
                // Until it is judged, nobody trusts it.
                trust: Trust::UnknownIssuer,
                revoked: None,
                handshake_ms: shaken.milliseconds,
            },
        };
        Ok((answer, shaken.stream))
    }

    /// Judges the certificates of a handshake.
    pub(super) async fn judge(&self, shaken: Handshake) -> TlsAnswer {
        let Handshake { host, chain, stapled, mut answer } = shaken;
        let now = self.clock.now();
        (answer.trust, answer.revoked) = self.verdicts.of(&chain, &stapled, &host, now).await;
        answer
    }

    async fn address(
        &self,
        host: &str,
        address: Option<IpAddr>,
        port: u16,
    ) -> Result<IpAddr, ProbeError> {
        if let Some(address) = address.or_else(|| host.parse().ok()) {
            return Ok(address);
        }
        if let Some(fixed) = self.dialer.fixed(host, port) {
            return Ok(fixed.ip());
        }
        let look = addresses(self.dns.as_ref(), host).await?.require(host)?;
        look.addresses
            .first()
            .copied()
            .ok_or_else(|| TargetFault::Unresolvable(format!("{host}: no address records")).into())
    }

    async fn full(&self, question: TlsQuestion) -> Result<TlsAnswer, ProbeError> {
        let TlsQuestion { host, address, port, ecdsa } = question;
        let address = self.address(&host, address, port).await?;
        let permit = self.limits.enter(&format!("{host} at {address}")).await;
        let work = async {
            let stream = self.dialer.tcp(&host, address, port, CONNECT).await?;
            self.over(stream, &host, address, ecdsa).await
        };
        let late =
            |_elapsed| TargetFault::TimedOut(format!("TLS handshake with {host} at {address}"));
        let (shaken, stream) = timeout(HANDSHAKE, work).await.map_err(late)??;
        drop((stream, permit));
        Ok(self.judge(shaken).await)
    }

    async fn greet(&self, question: HelloQuestion) -> Result<HelloAnswer, ProbeError> {
        let HelloQuestion { ref host, address, port, version, .. } = question;
        let address = self.address(host, address, port).await?;
        let mut random = [0; 64];
        self.provider
            .secure_random
            .fill(&mut random)
            .map_err(|_source| AgentFault::Bug("this machine gives no random bytes".to_owned()))?;
        let bytes = hello::client_hello(&question, &random);
        let _permit = self.limits.enter(&format!("{host} at {address}")).await;
        let what = || format!("{host} at {address}, asked for {}", version.as_str());
        let work = async {
            let stream = self.dialer.tcp(host, address, port, CONNECT).await?;
            first_answer(stream, &bytes).await.map_err(|fault| {
                match fault {
                    HelloFault::Garbage(why) => {
                        TargetFault::Malformed(format!("{}: {why}", what()))
                    }
                    HelloFault::TooLong => TargetFault::TooLarge(what()),
                }
                .into()
            })
        };
        let late = |_elapsed| ProbeError::from(TargetFault::TimedOut(what()));
        timeout(HELLO, work).await.map_err(late)?
    }
}

/// A handshake whose certificates are not judged yet.
#[derive(Debug)]
pub(super) struct Handshake {
    host: String,
    chain: Vec<rustls::pki_types::CertificateDer<'static>>,
    stapled: Vec<u8>,
    answer: TlsAnswer,
}

/// What the beginning of a server's answer says; nothing where more has to come.
pub(super) fn read_hello(bytes: &[u8]) -> Result<Option<HelloAnswer>, &'static str> {
    match server_hello::read(bytes) {
        Reading::NeedsMore => Ok(None),
        Reading::Answer(answer) => Ok(Some(answer)),
        Reading::Garbage(why) => Err(why),
    }
}

/// The request for the state of the first certificate of a chain.
pub(super) fn ask_ocsp(chain: &[&[u8]]) -> Option<Vec<u8>> {
    ocsp::request(chain.first()?, ocsp::issuer(chain)?)
}

enum HelloFault {
    Garbage(&'static str),
    TooLong,
}

/// Sends a greeting and reads until the answer is clear. A server that hangs up has refused.
async fn first_answer(mut stream: TcpStream, hello: &[u8]) -> Result<HelloAnswer, HelloFault> {
    let closed = || HelloAnswer::Rejected { alert: "closed".to_owned() };
    if stream.write_all(hello).await.is_err() {
        return Ok(closed());
    }
    let mut seen = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let count = match stream.read(&mut chunk).await {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_hung_up) => return Ok(closed()),
        };
        seen.extend(chunk.iter().take(count));
        match server_hello::read(&seen) {
            Reading::Answer(answer) => return Ok(answer),
            Reading::Garbage(why) => return Err(HelloFault::Garbage(why)),
            Reading::NeedsMore if count == 0 => return Ok(closed()),
            Reading::NeedsMore if seen.len() > server_hello::LIMIT => {
                return Err(HelloFault::TooLong);
            }
            Reading::NeedsMore => {}
        }
    }
}

impl Tls for TlsProbe {
    fn handshake(&self, question: TlsQuestion) -> Answer<'_, Result<TlsAnswer, ProbeError>> {
        Box::pin(self.full(question))
    }

    fn hello(&self, question: HelloQuestion) -> Answer<'_, Result<HelloAnswer, ProbeError>> {
        Box::pin(self.greet(question))
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
