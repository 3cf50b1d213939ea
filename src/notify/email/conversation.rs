//! The conversation with a mail server, bounded in time and in what is read, and what its answers mean.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use lettre::Message as Letter;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, AsyncTokioStream, Certificate, CertificateStore, TlsParameters,
};
use lettre::transport::smtp::extension::ClientId;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::ServerName;
use rustls::pki_types::pem::PemObject as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::config::Secret;
use crate::notify::{BuildError, ChannelSettings, NotifyError, SmtpSecurity};
use crate::probe::{Reach, provider, roots};

/// Bytes that are read of a server in one conversation; an ordinary one says below 2 KiB.
const ANSWER_BYTES: usize = 64 * 1024;
/// What is said in EHLO: an address literal, because the machine's own name may be a person's.
const HELLO: &str = "[127.0.0.1]";

/// A mail server and how to speak to it.
pub(super) struct Server {
    host: String,
    port: u16,
    security: SmtpSecurity,
    login: Option<(String, Secret)>,
    upgrade: TlsParameters,
    wrap: TlsConnector,
    name: ServerName<'static>,
    reach: Reach,
    limit: Duration,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn new(
        settings: &ChannelSettings,
        host: &str,
        port: u16,
        security: SmtpSecurity,
        login: Option<&(String, Secret)>,
    ) -> Result<Self, BuildError> {
        let channel = || settings.name.clone();
        let broken = |source: Box<dyn std::error::Error + Send + Sync>| BuildError::Client {
            channel: channel(),
            source,
        };
        let roots = roots(&settings.network.extra_roots)
            .map_err(|source| BuildError::Roots { channel: channel(), source })?;
        let config = rustls::ClientConfig::builder_with_provider(provider().into())
            .with_safe_default_protocol_versions()
            .map_err(|source| broken(source.into()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host.clone())
            .map_err(|_source| BuildError::Url { channel: channel() })?;
        let mut upgrade =
            TlsParameters::builder(host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        // `roots` has read the same files without an error.
        for path in &settings.network.extra_roots {
            let certificates = CertificateDer::pem_file_iter(path).into_iter().flatten().flatten();
            for certificate in certificates {
                let certificate = Certificate::from_der(certificate.to_vec());
                let certificate = certificate.map_err(|source| broken(source.into()))?;
                upgrade = upgrade.add_root_certificate(certificate);
            }
        }
        Ok(Self {
            upgrade: upgrade.build_rustls().map_err(|source| broken(source.into()))?,
            wrap: TlsConnector::from(std::sync::Arc::new(config)),
            host,
            port,
            security,
            login: login.cloned(),
            name,
            reach: Reach::new(&settings.network),
            limit: settings.timeout,
        })
    }

    /// Hands a letter over; success means that the server has taken it.
    pub(super) async fn deliver(&self, letter: &Letter) -> Result<(), NotifyError> {
        match timeout(self.limit, self.converse(letter)).await {
            Ok(done) => done,
            Err(_late) => Err(self.later("timeout", "did not answer in time")),
        }
    }

    async fn converse(&self, letter: &Letter) -> Result<(), NotifyError> {
        let places = self.reach.addresses(&self.host, self.port).await;
        let places = places.map_err(|error| self.broken(&error))?;
        let stream = TcpStream::connect(places.as_slice()).await;
        let stream = stream.map_err(|error| self.broken(&error))?;
        // Each line of a conversation waits for its answer.
        _ = stream.set_nodelay(true);
        let stream = Bounded { stream, left: ANSWER_BYTES };
        let stream: Box<dyn AsyncTokioStream> = if self.security == SmtpSecurity::Tls {
            let wrapped = self.wrap.connect(self.name.clone(), stream).await;
            Box::new(Wrapped(wrapped.map_err(|error| self.broken(&error))?))
        } else {
            Box::new(stream)
        };
        let hello = ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST);
        debug_assert_eq!(hello.to_string(), HELLO);
        let opened = AsyncSmtpConnection::connect_with_transport(stream, &hello).await;
        let mut server = opened.map_err(|error| self.blame(&error, Step::Greeting))?;
        if self.security == SmtpSecurity::StartTls {
            if !server.can_starttls() {
                return Err(NotifyError::Permanent {
                    reason: "no_starttls",
                    why: format!("{} offers no STARTTLS", self.who()),
                    remedy:
                        "use smtps:// with its port (often 465), or ask the provider for the port \
                             that offers STARTTLS (often 587)"
                            .to_owned(),
                });
            }
            let upgraded = server.starttls(self.upgrade.clone(), &hello).await;
            upgraded.map_err(|error| self.blame(&error, Step::Greeting))?;
        }
        if let Some((user, password)) = &self.login {
            let login = Credentials::new(user.clone(), password.expose().to_owned());
            let signed_in = server.auth(&[Mechanism::Plain, Mechanism::Login], &login).await;
            signed_in.map_err(|error| self.blame(&error, Step::Login))?;
        }
        let sent = server.send(letter.envelope(), &letter.formatted()).await;
        sent.map_err(|error| self.blame(&error, Step::Letter))?;
        // It has taken the letter; whether it also says good-bye does not matter.
        drop(timeout(Duration::from_secs(1), server.quit()).await);
        Ok(())
    }

    fn who(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn later(&self, reason: &'static str, what: &str) -> NotifyError {
        let why = format!("{} {what}", self.who());
        NotifyError::Transient { reason, why, retry_after: None }
    }

    fn broken(&self, error: &io::Error) -> NotifyError {
        let tls = error.get_ref().is_some_and(is_tls);
        match error.kind() {
            _ if tls => {
                self.later("tls", "cannot be reached securely: its certificate is not accepted")
            }
            io::ErrorKind::ConnectionRefused => self.later("refused", "refuses the connection"),
            _ => self.later("unreachable", "cannot be reached"),
        }
    }

    /// What a refusal means. The server's own words are left out: they may hold what it was told.
    fn blame(&self, error: &Error, step: Step) -> NotifyError {
        let code = error.status().map(u16::from);
        let at = match step {
            Step::Greeting => "at the greeting",
            Step::Login => "at the login",
            Step::Letter => "to the letter",
        };
        if let (Some(code), true) = (code, error.is_transient()) {
            return self.later("server_error", &format!("answered {code} {at}"));
        }
        let no_login = step == Step::Login && error.is_client();
        let Some(code) = code.or(no_login.then_some(504)) else {
            let mut source: Option<&dyn std::error::Error> = Some(error);
            while let Some(inner) = source {
                if let Some(io) = inner.downcast_ref::<io::Error>()
                    && io.get_ref().is_some_and(is_tls)
                {
                    return self.broken(io);
                }
                source = inner.source();
            }
            return self.later("closed", &format!("broke off {at}"));
        };
        let why = format!("{} answered {code} {at}", self.who());
        let (reason, remedy) = match (code, step) {
            (530 | 534 | 535 | 538, _) => (
                "unauthorized",
                "check user and password of this channel; Gmail and Microsoft want an app password",
            ),
            (_, Step::Login) => (
                "unauthorized",
                "the server knows no login that we speak (PLAIN, LOGIN); check its address, or leave \
                 user and password out",
            ),
            (550 | 551 | 553, _) => (
                "recipient",
                "check the From and To addresses of this channel: the server must be allowed to send \
                 for the one and must know the other",
            ),
            (552, _) => {
                ("too_large", "the mailbox is full, or the server takes no letter of this size")
            }
            _ => ("invalid", "ask the provider of the mail server what this code means"),
        };
        NotifyError::Permanent { reason, why, remedy: remedy.to_owned() }
    }
}

/// Whether an error of the socket is one of the encryption.
fn is_tls(error: &(dyn std::error::Error + Send + Sync + 'static)) -> bool {
    error.is::<rustls::Error>()
}

/// Where in the conversation something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Greeting,
    Login,
    Letter,
}

/// A connection of which only so much is read.
#[derive(Debug)]
struct Bounded {
    stream: TcpStream,
    left: usize,
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return Poll::Ready(Err(io::Error::other("the server says too much")));
        }
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        // The reader's own buffer bounds by how much one read may go past the limit.
        self.left = self.left.saturating_sub(buf.filled().len() - before);
        polled
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Bounded {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

/// A connection that was encrypted from its first byte.
#[derive(Debug)]
struct Wrapped(TlsStream<Bounded>);

impl AsyncRead for Wrapped {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl AsyncWrite for Wrapped {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncTokioStream for Wrapped {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.get_ref().0.peer_addr()
    }
}
