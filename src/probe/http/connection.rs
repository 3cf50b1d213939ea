//! One connection to a web server.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use launchready_checks::probe::{
    AgentFault, HttpAnswer, HttpRequest, Method, ProbeError, TargetFault, Timings, Trust,
};
use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::pki_types::{ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::body;
use crate::clock::Clock;
use crate::probe::route::{Dialer, blame};
use crate::probe::trust::{Accepting, Judge, provider};

/// The most bytes of a response head: a browser gives up sooner.
pub(in crate::probe) const HEAD_BYTES: usize = 64 * 1024;
/// The most header lines of a response.
pub(in crate::probe) const HEAD_LINES: usize = 256;
/// How long connecting to one address and its handshake may take each.
const CONNECT: Duration = Duration::from_secs(4);
/// Sessions that are remembered for one look: a product has a few hosts.
const SESSIONS: usize = 64;
/// How requests name themselves.
pub(in crate::probe) const USER_AGENT: &str =
    concat!("Mozilla/5.0 (compatible; launchready/", env!("CARGO_PKG_VERSION"), ")");

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) tls: bool,
    pub(super) address: Option<IpAddr>,
    /// The user named it: it may be a private address.
    pub(super) chosen: bool,
}

impl Endpoint {
    pub(super) fn of(request: &HttpRequest) -> Result<Self, ProbeError> {
        let malformed = || TargetFault::Malformed(format!("{:?} is no web address", request.url));
        let url = url::Url::parse(&request.url).map_err(|_source| malformed())?;
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(malformed().into()),
        };
        Ok(Self {
            host: url.host_str().ok_or_else(malformed)?.to_owned(),
            port: url.port_or_known_default().ok_or_else(malformed)?,
            tls,
            address: request.address,
            chosen: request.chosen,
        })
    }
}

/// Opens connections.
#[derive(Debug)]
pub(super) struct Connector {
    dialer: Arc<Dialer>,
    judge: Arc<Judge>,
    clock: Arc<dyn Clock>,
    tls: TlsSetup,
}

/// The settings of every handshake, which differ in the memory of sessions alone.
static SETTINGS: LazyLock<Result<ClientConfig, rustls::Error>> = LazyLock::new(|| {
    let provider = Arc::new(provider());
    let verifier = Arc::new(Accepting::new(&provider));
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(rustls::ALL_VERSIONS)?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    // The usual memory of sessions would be copied along.
    config.resumption = Resumption::disabled();
    Ok(config)
});

#[derive(Clone)]
struct TlsSetup(TlsConnector);

impl fmt::Debug for TlsSetup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsSetup")
    }
}

impl Connector {
    pub(super) fn new(
        dialer: Arc<Dialer>,
        judge: Arc<Judge>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, rustls::Error> {
        let mut config = (*SETTINGS).clone()?;
        // A session is resumed within one look only: another look has to see the certificate anew.
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        Ok(Self { dialer, judge, clock, tls: TlsSetup(TlsConnector::from(Arc::new(config))) })
    }

    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        address: IpAddr,
    ) -> Result<Connection, ProbeError> {
        let began = Instant::now();
        let host = endpoint.host.as_str();
        let stream = if endpoint.chosen {
            self.dialer.tcp_chosen(host, address, endpoint.port, CONNECT).await?
        } else {
            self.dialer.tcp(host, address, endpoint.port, CONNECT).await?
        };
        if !endpoint.tls {
            return Connection::open(stream, address, None, began).await;
        }
        let what = || format!("{host} at {address}");
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_source| TargetFault::Malformed(format!("{host:?} is no host name")))?;
        let stream = timeout(CONNECT, self.tls.0.connect(name, stream))
            .await
            .map_err(|_elapsed| TargetFault::TimedOut(format!("TLS handshake with {}", what())))?
            .map_err(|error| tls_fault(&error, what()))?;
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let now = self.clock.now().as_duration();
        let now = UnixTime::since_unix_epoch(now.try_into().unwrap_or_default());
        let trust = self.judge.verdict(chain, host.trim_matches(['[', ']']), now);
        Connection::open(stream, address, Some(trust), began).await
    }
}

/// What rustls says about a handshake comes as an I/O error.
fn tls_fault(error: &std::io::Error, what: String) -> ProbeError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(tls) => TargetFault::Tls(format!("{what}: {tls}")).into(),
        None if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            TargetFault::Tls(format!("{what}: the server closed the connection")).into()
        }
        None => blame(error, what),
    }
}

/// One open connection.
#[derive(Debug)]
pub(super) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
    address: IpAddr,
    trust: Option<Trust>,
    /// Milliseconds that opening took, until a request has counted them.
    opened_ms: Option<f64>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    async fn open<S>(
        stream: S,
        address: IpAddr,
        trust: Option<Trust>,
        began: Instant,
    ) -> Result<Self, ProbeError>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut builder = http1::Builder::new();
        builder.max_buf_size(HEAD_BYTES).max_headers(HEAD_LINES);
        let (sender, connection) = builder
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| http_fault(&error, &address.to_string()))?;
        // The driver ends with the connection; its error reaches the request that waits.
        let driver = tokio::spawn(async move { drop(connection.await) });
        Ok(Self { sender, driver, address, trust, opened_ms: Some(milliseconds(began)) })
    }

    pub(super) fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    pub(super) async fn send(
        &mut self,
        request: &HttpRequest,
        endpoint: &Endpoint,
        began: Instant,
    ) -> Result<HttpAnswer, ProbeError> {
        let fault = |error: &hyper::Error| http_fault(error, &request.url);
        let message = message(request, endpoint)?;
        self.sender.ready().await.map_err(|error| fault(&error))?;
        let sent = Instant::now();
        let response = self.sender.send_request(message).await.map_err(|error| fault(&error))?;
        let first_byte_ms = milliseconds(sent);
        let (status, headers, encoding) = head(&response);
        let read = body::read(response.into_body(), encoding.as_deref(), request.max_body).await;
        let read = read.map_err(|error| match error {
            body::ReadError::Http(error) => fault(&error),
            body::ReadError::Encoding(what) => {
                TargetFault::Malformed(format!("{}: {what}", request.url)).into()
            }
        })?;
        Ok(HttpAnswer {
            url: request.url.clone(),
            address: self.address,
            version: "HTTP/1.1".to_owned(),
            status,
            headers,
            body: read.bytes,
            body_cut: read.cut,
            timings: Timings {
                connect_ms: self.opened_ms.take().unwrap_or_default(),
                first_byte_ms,
                total_ms: milliseconds(began),
            },
            trust: self.trust.clone(),
        })
    }
}

fn message(request: &HttpRequest, endpoint: &Endpoint) -> Result<Request<Full<Bytes>>, ProbeError> {
    let bug = |what: String| ProbeError::from(AgentFault::Bug(what));
    let url = url::Url::parse(&request.url).map_err(|error| bug(error.to_string()))?;
    let mut path = url.path().to_owned();
    if let Some(query) = url.query() {
        path.push('?');
        path.push_str(query);
    }
    let default_port = if endpoint.tls { 443 } else { 80 };
    let host = if endpoint.port == default_port {
        endpoint.host.clone()
    } else {
        format!("{}:{}", endpoint.host, endpoint.port)
    };
    let body =
        if request.method == Method::Post { Bytes::from_static(b"{}") } else { Bytes::new() };
    let mut builder = Request::builder()
        .method(request.method.as_str())
        .uri(path)
        .header("host", host)
        .header("user-agent", USER_AGENT);
    for (name, default) in [("accept", "*/*"), ("accept-encoding", "gzip")] {
        if !request.headers.iter().any(|(given, _)| given == name) {
            builder = builder.header(name, default);
        }
    }
    if request.method == Method::Post {
        builder = builder.header("content-type", "application/json");
    }
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name).map_err(|error| bug(error.to_string()))?;
        let value = HeaderValue::try_from(value).map_err(|error| bug(error.to_string()))?;
        builder = builder.header(name, value);
    }
    builder.body(Full::new(body)).map_err(|error| bug(error.to_string()))
}

type Head = (u16, Vec<(String, String)>, Option<String>);

fn head(response: &Response<Incoming>) -> Head {
    let headers: Vec<(String, String)> = response
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        })
        .collect();
    let encoding = headers
        .iter()
        .find(|(name, _)| name == "content-encoding")
        .map(|(_, value)| value.trim().to_ascii_lowercase());
    (response.status().as_u16(), headers, encoding)
}

/// Whose fault a failed exchange is.
fn http_fault(error: &hyper::Error, what: &str) -> ProbeError {
    let detail = format!("{what}: {error}");
    if error.is_parse() && detail.contains("too large") {
        return TargetFault::TooLarge(format!("{what}: head over {} KiB", HEAD_BYTES / 1024))
            .into();
    }
    if error.is_parse() {
        return TargetFault::Malformed(detail).into();
    }
    if error.is_incomplete_message() || error.is_closed() || error.is_canceled() {
        return TargetFault::Refused(format!("{what}: the server closed the connection")).into();
    }
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        if let Some(io) = inner.downcast_ref::<std::io::Error>() {
            return blame(io, what.to_owned());
        }
        source = inner.source();
    }
    TargetFault::Malformed(detail).into()
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
