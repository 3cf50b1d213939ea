//! The state of the world that every server asks at each question, and the ports behind which it is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use serde_json::Value;
use toml::Table;

use crate::api::{self, Apis};
use crate::error::LabError;
use crate::gate::Gate;
use crate::kept::locked;
use crate::listener::Servers;
use crate::mail::MailServer;
use crate::plan::Plan;
use crate::tls::Pki;
use crate::web::{Address, Clock, Place};
use crate::{dns, mail, registration, signed, template, web};

/// What the world is at one time.
#[derive(Debug)]
pub(crate) struct State {
    /// The project table of the config.
    pub(crate) project: Table,
    pub(crate) names: dns::Names,
    pub(crate) web: BTreeMap<IpAddr, Arc<Address>>,
    pub(crate) mail: BTreeMap<IpAddr, Arc<MailServer>>,
    pub(crate) registration: BTreeMap<String, Value>,
    /// Addresses that refuse every connection.
    pub(crate) down: BTreeSet<IpAddr>,
    /// Outside systems by name.
    pub(crate) api: Apis,
    /// Files of the lab's folder by name: credentials, and what people have signed.
    pub(crate) secret: BTreeMap<String, String>,
}

/// What outlives each state: keys, certificates and the count of answers.
#[derive(Debug)]
pub(crate) struct Ground {
    pub(crate) pki: Arc<Pki>,
    pub(crate) clock: Clock,
    /// The time of accounts and of the shop, which runs as fast as the agent's.
    pub(crate) fast: Clock,
    keys: Mutex<dns::Keys>,
    answers: Arc<AtomicU64>,
}

impl Ground {
    pub(crate) fn new(pki: Arc<Pki>, speed: f64) -> Self {
        let (clock, fast) = (Clock::new(pki.now(), 1.0), Clock::new(pki.now(), speed));
        Self { pki, clock, fast, keys: Mutex::default(), answers: Arc::default() }
    }

    /// Makes everything that a plan describes.
    pub(crate) fn state(&self, plan: &Plan) -> Result<State, LabError> {
        let now = self.pki.now();
        Ok(State {
            project: plan.project.clone(),
            // Signatures last for days, and a world that changes may have run for longer.
            names: dns::build(plan, &mut locked(&self.keys), self.clock.now())?,
            web: web::build(plan, &self.pki, now, &self.answers)?,
            mail: mail::build(plan, &self.pki)?,
            registration: registration::build(plan, now),
            down: plan.down.clone(),
            api: api::build(plan, now)?,
            secret: plan
                .secret
                .iter()
                .map(|(file, text)| (file.clone(), template::filled(text, now)))
                .chain(signed::file(plan, now))
                .collect(),
        })
    }
}

impl State {
    /// Whether anything takes connections at an address and port.
    pub(crate) fn serves(&self, at: SocketAddr) -> bool {
        let ip = at.ip();
        !self.down.contains(&ip)
            && match at.port() {
                53 => self.names.has(ip),
                25 => self.mail.contains_key(&ip),
                80 => self.web.contains_key(&ip),
                443 => self.web.get(&ip).is_some_and(|address| address.has_tls()),
                _ => false,
            }
    }
}

/// The present state.
#[derive(Debug)]
pub(crate) struct Live {
    state: RwLock<Arc<State>>,
    /// The time of the world, as its machines show it.
    pub(crate) clock: Clock,
    /// The time of accounts and of the shop.
    pub(crate) fast: Clock,
}

impl Live {
    pub(crate) fn new(state: State, clock: Clock, fast: Clock) -> Self {
        Self { state: RwLock::new(Arc::new(state)), clock, fast }
    }

    /// The state at this moment.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, state: Arc<State>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }
}

/// The port on loopback behind an address and port of the world.
#[derive(Debug)]
struct Door {
    at: SocketAddr,
    gate: Gate,
}

/// Every port that the world may ever need; those that it does not need are closed.
#[derive(Debug)]
pub(crate) struct Doors {
    doors: Vec<Door>,
    resolvers: BTreeMap<String, Gate>,
}

impl Doors {
    /// Ports for every address of these plans, and resolvers for those of the present state.
    pub(crate) async fn new(
        plans: &[&Plan],
        live: &Arc<Live>,
        servers: &mut Servers,
    ) -> Result<Self, LabError> {
        let delay = servers.delay;
        let mut doors = Vec::new();
        let mut resolvers = BTreeMap::new();
        for at in addresses(plans) {
            let (ip, live) = (at.ip(), Arc::clone(live));
            let gate = match at.port() {
                53 => dns::name_server(&live, ip, servers).await?,
                25 => {
                    Gate::new(delay, move |link| mail::serve(link, Arc::clone(&live), ip, delay))?
                }
                80 => {
                    Gate::new(delay, move |link| Place::world(Arc::clone(&live), ip).plain(link))?
                }
                _ => Gate::new(delay, move |link| Place::world(Arc::clone(&live), ip).tls(link))?,
            };
            doors.push(Door { at, gate });
        }
        for name in live.state().names.resolvers() {
            resolvers.insert(name.to_owned(), dns::resolver(live, name, servers).await?);
        }
        let mut doors = Self { doors, resolvers };
        doors.follow(&live.state()).await?;
        Ok(doors)
    }

    /// Puts a state into force: questions are answered from it, and ports open and close.
    ///
    /// # Errors
    /// The state needs a port that is not there; nothing has changed then.
    pub(crate) async fn enter(&mut self, live: &Live, state: State) -> Result<(), LabError> {
        let has = |at: SocketAddr| self.doors.iter().any(|door| door.at == at);
        let web = state.web.keys().flat_map(|ip| [(*ip, 80), (*ip, 443)]);
        let mail = state.mail.keys().map(|ip| (*ip, 25));
        for at in web.chain(mail).map(SocketAddr::from) {
            if state.serves(at) && !has(at) {
                return Err(LabError::NoListener(at.to_string()));
            }
        }
        if let Some(ip) = state.names.addresses().find(|ip| !has((*ip, 53).into())) {
            return Err(LabError::NoListener(format!("the name server {ip}")));
        }
        if !state.names.resolvers().eq(self.resolvers.keys()) {
            return Err(LabError::NoListener("other resolvers".to_owned()));
        }
        let state = Arc::new(state);
        live.set(Arc::clone(&state));
        self.follow(&state).await
    }

    async fn follow(&mut self, state: &State) -> Result<(), LabError> {
        for door in &mut self.doors {
            door.gate.set_open(state.serves(door.at)).await?;
        }
        Ok(())
    }

    /// Closes everything.
    pub(crate) async fn close(&mut self) {
        for gate in
            self.doors.iter_mut().map(|door| &mut door.gate).chain(self.resolvers.values_mut())
        {
            gate.close().await;
        }
    }

    /// Each address and port of the world with its listener.
    pub(crate) fn routes(&self) -> impl Iterator<Item = (SocketAddr, SocketAddr)> {
        self.doors.iter().map(|door| (door.at, door.gate.address()))
    }

    /// The resolvers, in the order of their names.
    pub(crate) fn resolvers(&self) -> Vec<SocketAddr> {
        self.resolvers.values().map(Gate::address).collect()
    }
}

/// Every address and port of some plans, each once: name servers, then the web, then mail.
fn addresses(plans: &[&Plan]) -> Vec<SocketAddr> {
    let each = || plans.iter().copied();
    let names = each().flat_map(|plan| plan.name_server.values().flat_map(|s| &s.addresses));
    let names = names.map(|ip| (*ip, 53));
    let sites = || each().flat_map(|plan| plan.site.values());
    let secure: BTreeSet<IpAddr> =
        sites().filter(|site| site.https).flat_map(|site| site.addresses.clone()).collect();
    let web: BTreeSet<IpAddr> = sites().flat_map(|site| site.addresses.clone()).collect();
    let web = web.into_iter().flat_map(|ip| {
        let tls = secure.contains(&ip).then_some((ip, 443));
        std::iter::once((ip, 80)).chain(tls)
    });
    let mail = each().flat_map(|plan| plan.mail_server.values().flat_map(|s| &s.addresses));
    let mail = mail.map(|ip| (*ip, 25));
    let mut all: Vec<SocketAddr> = Vec::new();
    for at in names.chain(web).chain(mail).map(SocketAddr::from) {
        if !all.contains(&at) {
            all.push(at);
        }
    }
    all
}
