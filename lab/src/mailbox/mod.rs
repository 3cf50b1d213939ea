//! A mail server that keeps what it gets, and fails when it is told to.

mod message;
mod session;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::version::{TLS12, TLS13};
use tokio::sync::Mutex;

pub use self::message::{Mail, MailEnvelope};
use self::session::Session;
use crate::CertificateAuthority;
use crate::error::LabError;
use crate::fault::{Faults, When};
use crate::gate::Gate;
use crate::kept::Kept;
use crate::plan::CertificatePlan;
use crate::web::Clock;

/// How many mails are kept; one takes some 30 kB, and a demo may run for days.
const KEPT: usize = 400;
/// The largest mail that is taken, in bytes, as large providers have it.
const SIZE: usize = 25 * 1024 * 1024;
/// The names of the certificate: clients reach it by address or by one of these.
const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "smtp.harbor.example"];

/// How a mailbox is started.
#[derive(Debug, Clone)]
pub struct MailboxOptions {
    /// User and password that are demanded; where absent, a login is not needed and any is right.
    pub login: Option<(String, String)>,
    /// The largest mail that is taken, in bytes.
    pub size: usize,
}

impl Default for MailboxOptions {
    fn default() -> Self {
        Self { login: None, size: SIZE }
    }
}

/// What a mailbox does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailFault {
    /// The connection is reset before a greeting. For a port that nobody listens on see
    /// [`Mailbox::close`].
    Reset,
    /// `421` instead of a greeting: the service is not available.
    Unavailable,
    /// `450` to a recipient: later, perhaps.
    Later,
    /// `550` to a recipient: never.
    Never,
    /// `535` to a login: the password is wrong.
    LoginRefused,
    /// No greeting, for as long as the client waits.
    Stall,
    /// The whole mail is read and nothing is answered, for as long as the client waits; it is not kept.
    StallAfterData,
    /// The whole mail is read and the connection ends without an answer; it is not kept.
    DieAfterData,
    /// The mail is kept and the connection ends before the client is told.
    AcceptUnacknowledged,
}

/// A running mailbox. Dropping it ends its servers.
#[derive(Debug)]
pub struct Mailbox {
    inside: Arc<Inside>,
    plain: SocketAddr,
    starttls: SocketAddr,
    tls: SocketAddr,
    gates: Mutex<Vec<Gate>>,
}

/// What all conversations share.
#[derive(Debug)]
struct Inside {
    kept: Kept<Mail>,
    faults: Faults<MailFault>,
    options: MailboxOptions,
    clock: Clock,
    tls: Arc<rustls::ServerConfig>,
}

/// Which of the three ports a connection came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Port {
    Plain,
    StartTls,
    Tls,
}

impl Mailbox {
    /// Listens on three free ports of loopback.
    ///
    /// # Errors
    /// No port, or no certificate.
    pub fn start(
        authority: &CertificateAuthority,
        options: MailboxOptions,
    ) -> Result<Self, LabError> {
        let names = NAMES.map(str::to_owned).to_vec();
        let certificate = CertificatePlan { names, ..CertificatePlan::default() };
        let endpoint =
            authority.pki().endpoint("localhost", &certificate, &[&TLS12, &TLS13], &[])?;
        let inside = Arc::new(Inside {
            kept: Kept::new(KEPT),
            faults: Faults::default(),
            options,
            clock: Clock::new(authority.now(), 1.0),
            tls: endpoint.config,
        });
        let gate = |port| {
            let inside = Arc::clone(&inside);
            let mut gate = Gate::new(Duration::ZERO, move |link| {
                let session = Session::new(Arc::clone(&inside), port);
                async move {
                    if let Err(error) = session.serve(link).await {
                        tracing::trace!(%error, "SMTP connection ended");
                    }
                }
            })?;
            gate.open()?;
            Ok::<_, LabError>(gate)
        };
        let gates = [gate(Port::Plain)?, gate(Port::StartTls)?, gate(Port::Tls)?];
        let [plain, starttls, tls] = gates.each_ref().map(Gate::address);
        Ok(Self { inside, plain, starttls, tls, gates: Mutex::new(gates.into()) })
    }

    /// The port without TLS: `smtp://`.
    pub const fn plain(&self) -> SocketAddr {
        self.plain
    }

    /// The port that takes mail after STARTTLS only: `smtp+starttls://`.
    pub const fn starttls(&self) -> SocketAddr {
        self.starttls
    }

    /// The port with TLS from the first byte: `smtps://`.
    pub const fn tls(&self) -> SocketAddr {
        self.tls
    }

    /// User and password that are demanded, if any.
    pub(crate) fn login(&self) -> Option<&(String, String)> {
        self.inside.options.login.as_ref()
    }

    /// The mails that are kept, at most the last 400, oldest first.
    pub fn mails(&self) -> Vec<Arc<Mail>> {
        self.inside.kept.all()
    }

    /// How many mails ever came.
    pub fn count(&self) -> u64 {
        self.inside.kept.ever()
    }

    /// The mail of this number, while it is kept.
    pub fn mail(&self, number: u64) -> Option<Arc<Mail>> {
        self.mails().into_iter().find(|mail| mail.number == number)
    }

    /// Forgets every mail.
    pub fn clear(&self) {
        self.inside.kept.clear();
    }

    /// Waits until the mails that are kept fit; `None` when they do not within `limit`.
    pub async fn wait_for(
        &self,
        fits: impl Fn(&[Arc<Mail>]) -> bool,
        limit: Duration,
    ) -> Option<Vec<Arc<Mail>>> {
        self.inside.kept.wait_for(fits, limit).await
    }

    /// Adds a fault to those that are on.
    pub fn set_fault(&self, fault: MailFault, when: When) {
        self.inside.faults.add(fault, when);
    }

    /// Takes every fault away. Connections that stall go on doing so until the client leaves.
    pub fn clear_faults(&self) {
        self.inside.faults.clear();
    }

    /// Refuses connections on all three ports, and ends those that are open.
    pub async fn close(&self) {
        for gate in self.gates.lock().await.iter_mut() {
            gate.close().await;
        }
    }

    /// Takes connections again, at the same addresses.
    ///
    /// # Errors
    /// Somebody else has taken a port.
    pub async fn open(&self) -> Result<(), LabError> {
        self.gates.lock().await.iter_mut().try_for_each(Gate::open)
    }
}
