//! A small internet on loopback: real servers, every defect, and no need of anything outside.
//!
//! A [`World`] is data; [`Lab::start`] makes it answer. Addresses of the world are those of real
//! vendors, and never leave the machine: [`Lab::config_toml`] leads each of them to a listener on
//! loopback, and all others to a closed port.

mod config;
mod dns;
mod error;
mod fault;
mod gate;
mod kept;
mod link;
mod listener;
mod mail;
mod mailbox;
pub mod plan;
mod registration;
mod sinks;
mod template;
mod tls;
mod web;
mod world;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;

pub use self::error::LabError;
pub use self::fault::When;
pub use self::mailbox::{Mail, MailEnvelope, MailFault, Mailbox, MailboxOptions};
pub use self::sinks::{Received, SinkFault, SinkKind, Sinks};
pub use self::tls::CertificateAuthority;
pub use self::world::{Defect, SCENARIOS, World};
use crate::listener::{ClosedPort, Servers};
use crate::tls::Pki;

/// How a lab is started.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// The time in the world: certificates, signatures and dates are made around it.
    pub now: Timestamp,
    /// The round trip that is added to each exchange: connecting, each flight of a handshake, each
    /// answer.
    pub delay: Duration,
    /// The folder into which `ca.pem` is written; it is made when it is missing.
    pub dir: PathBuf,
}

/// A running world. Dropping it ends every server.
#[derive(Debug)]
pub struct Lab {
    servers: Servers,
    config: String,
    routes: Vec<Route>,
    resolvers: Vec<SocketAddr>,
    rdap: SocketAddr,
    /// Held so that nobody else gets the port to which everything unknown leads.
    _nowhere: ClosedPort,
}

/// Where an address and port of the world really are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The address in the world.
    pub from: SocketAddr,
    /// The listener on loopback.
    pub to: SocketAddr,
}

impl Lab {
    /// Starts every server of a world. It has to be called inside a tokio runtime.
    ///
    /// # Errors
    /// Data that makes no sense, or a loopback that cannot be listened on.
    pub async fn start(world: &World, options: LabOptions) -> Result<Self, LabError> {
        let plan = world.plan()?;
        let mut servers = Servers::new(options.delay);
        let pki = Pki::new(options.now)?;
        let dns = dns::start(&plan, options.now, &mut servers).await?;
        let web = web::start(&plan, &pki, options.now, &mut servers).await?;
        let mail = mail::start(&plan, &pki, &mut servers).await?;
        let rdap = registration::start(&plan, options.now, &mut servers).await?;
        let nowhere = ClosedPort::new()?;

        let ca = options.dir.join("ca.pem");
        let write = |source| LabError::Write { path: ca.clone(), source };
        std::fs::create_dir_all(&options.dir).map_err(write)?;
        std::fs::write(&ca, pki.root_pem()).map_err(write)?;

        let on = |port: u16| {
            move |(ip, to): (IpAddr, SocketAddr)| Route { from: SocketAddr::new(ip, port), to }
        };
        let mut routes: Vec<Route> = dns.name_servers.into_iter().map(on(53)).collect();
        routes.extend(web.into_iter().map(|(ip, port, to)| on(port)((ip, to))));
        routes.extend(mail.into_iter().map(on(25)));
        let resolvers = dns.resolvers;
        let config = config::render(&config::Parts {
            project: &plan.project,
            resolvers: &resolvers,
            rdap,
            ca: &ca,
            routes: &routes,
            nowhere: nowhere.address(),
        });
        Ok(Self { servers, config, routes, resolvers, rdap, _nowhere: nowhere })
    }

    /// A launchready config that audits this world.
    pub fn config_toml(&self) -> String {
        self.config.clone()
    }

    /// Where an address and port of the world really are; `None` when nothing is there.
    pub fn route(&self, from: SocketAddr) -> Option<SocketAddr> {
        self.routes.iter().find(|route| route.from == from).map(|route| route.to)
    }

    /// Every address and port of the world that answers.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The resolvers.
    pub fn resolvers(&self) -> &[SocketAddr] {
        &self.resolvers
    }

    /// The RDAP server.
    pub const fn rdap(&self) -> SocketAddr {
        self.rdap
    }

    /// Ends every server and waits until its sockets are closed.
    pub async fn stop(mut self) {
        self.servers.stop().await;
    }
}
