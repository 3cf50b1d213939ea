//! A small internet on loopback: real servers, every defect, and no need of anything outside.
//!
//! A [`World`] is data; [`Lab::start`] makes it answer. Addresses of the world are those of real
//! vendors, and never leave the machine: [`Lab::config_toml`] leads each of them to a listener on
//! loopback, and all others to a closed port.

mod agent;
mod api;
mod config;
mod crowd;
mod data;
mod dns;
mod error;
mod fault;
mod gate;
mod kept;
mod link;
mod listener;
mod live;
mod mail;
mod mailbox;
mod page;
pub mod plan;
mod registration;
mod sales;
pub mod shop;
mod signed;
mod sinks;
mod template;
mod timetable;
mod tls;
mod web;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Mutex;

pub use self::api::{Asked, Form, PEOPLE, forms};
pub use self::crowd::{Crowd, CrowdOptions};
pub use self::error::LabError;
pub use self::fault::When;
pub use self::mailbox::{Mail, MailEnvelope, MailFault, Mailbox, MailboxOptions};
pub use self::page::Page;
pub use self::sales::{Sale, Sales, SalesPlan, sales};
pub use self::sinks::{Received, SinkFault, SinkKind, Sinks};
pub use self::timetable::{Change, Step, Timetable};
pub use self::tls::{CertificateAuthority, Issued};
pub use self::world::{Defect, SCENARIOS, World};

use crate::kept::locked;
use crate::listener::{ClosedPort, Servers};
use crate::live::{Doors, Ground, Live};
use crate::plan::Plan;
use crate::shop::Shop;

/// How a lab is started.
#[derive(Debug, Clone)]
pub struct LabOptions {
    /// The time in the world: certificates, signatures and dates are made around it.
    pub now: Timestamp,
    /// The round trip that is added to each exchange: connecting, each flight of a handshake, each
    /// answer.
    pub delay: Duration,
    /// How many times faster than the machine's the clock of accounts and of the shop runs: as fast as that of
    /// the agent that watches them; 1 in an audit. Certificates and the `Date` of answers go by the machine's.
    pub speed: f64,
    /// The folder into which `ca.pem` and the credentials of accounts are written; it is made when it is
    /// missing.
    pub dir: PathBuf,
}

/// The secret key that the defect `stripe-key-in-bundle` serves, for tests that look for it where it must
/// never be.
pub fn stripe_key_of_the_bundle() -> String {
    template::fixed("stripe_live_key", Timestamp::UNIX_EPOCH).unwrap_or_default()
}

/// A running world. Dropping it ends every server.
#[derive(Debug)]
pub struct Lab {
    servers: Servers,
    authority: CertificateAuthority,
    ground: Ground,
    live: Arc<Live>,
    shop: Shop,
    changing: Mutex<Changing>,
    /// Jobs of the product that do not run at present.
    stopped: std::sync::Mutex<BTreeSet<String>>,
    ca: PathBuf,
    routes: Vec<Route>,
    resolvers: Vec<SocketAddr>,
    rdap: SocketAddr,
    apis: BTreeMap<String, SocketAddr>,
    /// Held so that nobody else gets the port to which everything unknown leads.
    nowhere: ClosedPort,
}

/// What a change of the world has to hold.
#[derive(Debug)]
struct Changing {
    world: World,
    doors: Doors,
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
        let authority = CertificateAuthority::new(options.now)?;
        let ground = Ground::new(Arc::clone(authority.pki()), options.speed);
        let live = Arc::new(Live::new(ground.state(&plan)?, ground.clock, ground.fast));
        // A scenario that the defects do not fit has no addresses but its own.
        let everything = world.everything().plan().ok();
        let plans: Vec<&Plan> = std::iter::once(&plan).chain(&everything).collect();
        let doors = Doors::new(&plans, &live, &mut servers).await?;
        let rdap = registration::start(&live, &mut servers).await?;
        let apis = api::start(&live, &mut servers).await?;
        let nowhere = ClosedPort::new()?;
        std::fs::create_dir_all(&options.dir)
            .map_err(|source| LabError::Write { path: options.dir.clone(), source })?;
        let shop = Shop::new(&options.dir, options.now, ground.fast);
        shop.enter(&plan).await?;
        servers.spawn(shop.clone().run());
        let ca = authority.write_root(&options.dir)?;
        write_secrets(&options.dir, &live.state().secret)?;
        let routes = doors.routes().map(|(from, to)| Route { from, to }).collect();
        let resolvers = doors.resolvers();
        let changing = Mutex::new(Changing { world: world.clone(), doors });
        Ok(Self {
            servers,
            authority,
            ground,
            live,
            shop,
            changing,
            stopped: std::sync::Mutex::default(),
            ca,
            routes,
            resolvers,
            rdap,
            apis,
            nowhere,
        })
    }

    /// A launchready config that audits this world.
    ///
    /// Some defects lie in what is audited and not in the world; the config of a lab that has
    /// changed holds them.
    pub fn config_toml(&self) -> String {
        config::render(&config::Parts {
            project: &self.live.state().project,
            resolvers: &self.resolvers,
            rdap: self.rdap,
            apis: &self.apis,
            ca: &self.ca,
            routes: &self.routes,
            nowhere: self.nowhere.address(),
        })
    }

    /// Turns the running world into another one; every listener stays where it is.
    ///
    /// When this returns, every question is answered from the new world. A connection that was
    /// opened before keeps its certificate, as in reality, and ends when its host goes down.
    ///
    /// # Errors
    /// Data that makes no sense, or a world with an address that this one could not have with any
    /// of its defects; nothing has changed then.
    pub async fn replace(&self, world: &World) -> Result<(), LabError> {
        self.change(|_| Ok(world.clone())).await
    }

    /// Plants a defect or an outage in the running world.
    ///
    /// # Errors
    /// An unknown name, or a change that does not fit.
    pub async fn plant(&self, defect: &str) -> Result<(), LabError> {
        self.change(|world| world.with(defect)).await
    }

    /// Takes a defect or an outage out of the running world.
    ///
    /// # Errors
    /// An unknown name.
    pub async fn heal(&self, defect: &str) -> Result<(), LabError> {
        self.change(|world| world.without(defect)).await
    }

    /// The names of the defects and outages that are planted.
    pub async fn planted(&self) -> Vec<String> {
        let changing = self.changing.lock().await;
        changing.world.planted().map(|defect| defect.name.clone()).collect()
    }

    /// What the outside systems were asked since the world began or changed, and how often a fault of theirs
    /// changed an answer.
    pub fn asked(&self) -> BTreeMap<String, Asked> {
        let state = self.live.state();
        state.api.iter().map(|(name, served)| (name.clone(), served.asked())).collect()
    }

    /// Has a job of the product stop or run. A job is no server: whoever plays it asks [`Lab::runs`].
    pub fn set_job(&self, job: &str, runs: bool) {
        let mut stopped = locked(&self.stopped);
        if runs {
            stopped.remove(job);
        } else {
            stopped.insert(job.to_owned());
        }
    }

    /// Whether a job of the product runs.
    pub fn runs(&self, job: &str) -> bool {
        !locked(&self.stopped).contains(job)
    }

    async fn change(
        &self,
        to: impl FnOnce(World) -> Result<World, LabError>,
    ) -> Result<(), LabError> {
        let mut changing = self.changing.lock().await;
        let world = to(changing.world.clone())?;
        let plan = world.plan()?;
        let state = self.ground.state(&plan)?;
        write_secrets(self.dir(), &state.secret)?;
        changing.doors.enter(&self.live, state).await?;
        self.shop.enter(&plan).await?;
        changing.world = world;
        Ok(())
    }

    /// The authority that issued every good certificate of this world.
    pub const fn authority(&self) -> &CertificateAuthority {
        &self.authority
    }

    /// The folder of the lab.
    pub(crate) fn dir(&self) -> &Path {
        self.ca.parent().unwrap_or(&self.ca)
    }

    /// Where an address and port of the world really are; `None` when nothing can ever be there.
    pub fn route(&self, from: SocketAddr) -> Option<SocketAddr> {
        self.routes.iter().find(|route| route.from == from).map(|route| route.to)
    }

    /// Every address and port of the world that answers, and those that refuse connections because
    /// only a defect would make them answer.
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
        self.changing.lock().await.doors.close().await;
        self.servers.stop().await;
    }
}

/// Writes the credentials that the config names into the folder of the lab.
fn write_secrets(folder: &Path, secrets: &BTreeMap<String, String>) -> Result<(), LabError> {
    for (name, secret) in secrets {
        let path = folder.join(name);
        std::fs::write(&path, secret).map_err(|source| LabError::Write { path, source })?;
    }
    Ok(())
}
