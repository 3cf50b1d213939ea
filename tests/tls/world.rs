//! The TLS and SMTP probes over a loopback port, with roots of the test's choice.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use launchready::clock::{Clock, FixedClock, SystemClock};
use launchready::probe::{ConnectTo, Dialer, Judge, Network, SmtpProbe, TlsProbe, provider};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::probe::{
    Answer, Dns, HelloAnswer, HelloQuestion, Http, HttpAnswer, HttpRequest, ProbeError,
    ProtocolVersion, Smtp as _, SmtpAnswer, SmtpQuestion, SuiteSet, TargetFault, Timings, Tls as _,
    TlsAnswer, TlsQuestion,
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// An address that every connection is diverted from.
pub(crate) const ADDRESS: &str = "203.0.113.7";

/// Web servers that publish these bodies, by the beginning of the URL.
#[derive(Debug, Default)]
pub(crate) struct Published(pub(crate) BTreeMap<String, Vec<u8>>);

impl Http for Published {
    fn send(&self, request: HttpRequest) -> Answer<'_, Result<HttpAnswer, ProbeError>> {
        let found = self.0.iter().find(|(url, _)| request.url.starts_with(url.as_str()));
        let answer = found.map(|(_, body)| HttpAnswer {
            url: request.url.clone(),
            address: ADDRESS.parse().unwrap(),
            version: "HTTP/1.1".to_owned(),
            status: 200,
            headers: Vec::new(),
            body: Bytes::from(body.clone()),
            body_cut: false,
            timings: Timings::default(),
            trust: None,
        });
        let refused = ProbeError::from(TargetFault::Refused(request.url));
        Box::pin(async move { answer.ok_or(refused) })
    }
}

/// How a test looks at a server.
pub(crate) struct Looker {
    pub(crate) port: u16,
    pub(crate) roots: Vec<Vec<u8>>,
    pub(crate) published: Published,
    /// The time at which certificates are judged; the machine's where absent.
    pub(crate) now: Option<&'static str>,
}

impl Looker {
    pub(crate) fn at(port: u16) -> Self {
        Self { port, roots: Vec::new(), published: Published::default(), now: None }
    }

    pub(crate) fn trusting(mut self, root: &[u8]) -> Self {
        self.roots.push(root.to_vec());
        self
    }

    pub(crate) fn publishing(mut self, url: &str, body: &[u8]) -> Self {
        self.published.0.insert(url.to_owned(), body.to_vec());
        self
    }

    fn probes(self) -> (TlsProbe, Arc<Dialer>) {
        let to = format!("127.0.0.1:{}", self.port);
        let connect_to = vec![ConnectTo::new("*:*", &to).unwrap()];
        let dialer = Arc::new(Dialer::new(&Network { connect_to, ..Network::default() }));
        let clock: Arc<dyn Clock> = match self.now {
            Some(now) => Arc::new(FixedClock(now.parse().unwrap())),
            None => Arc::new(SystemClock),
        };
        let nothing = Replay::new(World::default(), clock.now()).unwrap();
        let dns: Arc<dyn Dns> = Arc::new(nothing);
        let mut roots = RootCertStore::empty();
        for root in self.roots {
            roots.add(CertificateDer::from(root)).unwrap();
        }
        let judge = Arc::new(Judge::new(Arc::new(roots), Arc::new(provider())));
        let tls = TlsProbe::new(dns, Arc::clone(&dialer), Arc::new(self.published), judge, clock);
        (tls, dialer)
    }

    pub(crate) async fn handshake(self, host: &str) -> Result<TlsAnswer, ProbeError> {
        self.handshake_for(host, None).await
    }

    pub(crate) async fn handshake_for(
        self,
        host: &str,
        ecdsa: Option<bool>,
    ) -> Result<TlsAnswer, ProbeError> {
        let address = Some(ADDRESS.parse().unwrap());
        let question = TlsQuestion { host: host.to_owned(), address, port: 443, ecdsa };
        self.probes().0.handshake(question).await
    }

    pub(crate) async fn hello(
        self,
        version: ProtocolVersion,
        suites: SuiteSet,
    ) -> Result<HelloAnswer, ProbeError> {
        let question = HelloQuestion {
            host: "harbor.example".to_owned(),
            address: Some(ADDRESS.parse().unwrap()),
            port: 443,
            version,
            suites,
        };
        self.probes().0.hello(question).await
    }

    pub(crate) async fn greet(self) -> Result<SmtpAnswer, ProbeError> {
        let (tls, dialer) = self.probes();
        let question = SmtpQuestion {
            host: "mx.harbor.example".to_owned(),
            address: ADDRESS.parse().unwrap(),
            port: 25,
        };
        SmtpProbe::new(dialer, Arc::new(tls)).greet(question).await
    }
}
