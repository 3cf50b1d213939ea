//! Name servers and resolvers.

mod authority;
mod kin;
mod recursion;
mod transport;
mod zone;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use jiff::Timestamp;

use self::authority::Authority;
pub(crate) use self::kin::{Kin, Responders, authority_of, resolver_of};
use self::recursion::Recursion;
use self::zone::{Zone, ZoneKey, origin, problem};
use crate::error::LabError;
use crate::gate::Gate;
use crate::listener::Servers;
use crate::live::Live;
use crate::plan::{NameServerPlan, Plan, Signing, ZonePlan};
use crate::world::begins;

/// The most aliases that a server follows, as common resolvers do.
const ALIASES: usize = 16;

/// Everything that answers questions in one state of the world.
#[derive(Debug)]
pub(crate) struct Names {
    /// Name servers by address.
    authorities: BTreeMap<IpAddr, Arc<Authority>>,
    /// Resolvers by name.
    resolvers: BTreeMap<String, Arc<Recursion>>,
}

impl Names {
    /// Whether a name server has this address.
    pub(crate) fn has(&self, address: IpAddr) -> bool {
        self.authorities.contains_key(&address)
    }

    /// The addresses of the name servers.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.authorities.keys().copied()
    }

    /// The names of the resolvers.
    pub(crate) fn resolvers(&self) -> impl Iterator<Item = &str> {
        self.resolvers.keys().map(String::as_str)
    }
}

/// The keys of zones that were ever signed: a world that changes keeps them.
pub(crate) type Keys = BTreeMap<String, Arc<ZoneKey>>;

/// Something that answers questions.
trait Responder: Send + Sync + 'static {
    /// The answer; `None` is silence.
    fn respond(&self, question: &Question) -> Option<Message>;

    /// The records of a zone transfer, where it is allowed.
    fn transfer(&self, _zone: &Name) -> Option<Vec<hickory_proto::rr::Record>> {
        None
    }
}

/// What was asked, and how.
#[derive(Debug)]
struct Question {
    name: Name,
    kind: RecordType,
    /// Signatures are wanted (DO).
    signed: bool,
    /// Validation is not wanted (CD).
    unchecked: bool,
    /// The asker understands the AD bit.
    wants_verdict: bool,
    request: Message,
}

impl Question {
    /// An answer without records yet.
    fn reply(&self, code: ResponseCode) -> Message {
        let request = &self.request.metadata;
        let mut reply = Message::response(request.id, OpCode::Query);
        reply.metadata.response_code = code;
        reply.metadata.recursion_desired = request.recursion_desired;
        reply.metadata.checking_disabled = request.checking_disabled;
        reply.queries.clone_from(&self.request.queries);
        reply
    }
}

/// Reads every zone and signs it.
pub(crate) fn build(plan: &Plan, keys: &mut Keys, now: Timestamp) -> Result<Names, LabError> {
    let signed = Signed::new(plan, keys)?;
    let mut zones = BTreeMap::new();
    for (name, zone) in &plan.zone {
        zones.insert(name.clone(), Arc::new(signed.zone(name, zone, None, now)?));
    }
    let mut authorities = BTreeMap::new();
    for (host, server) in &plan.name_server {
        let authority = Arc::new(authority(host, server, plan, &signed, &zones, now)?);
        for address in &server.addresses {
            if authorities.insert(*address, Arc::clone(&authority)).is_some() {
                return Err(LabError::Plan(format!("{address} is two name servers")));
            }
        }
    }
    let mut resolvers = BTreeMap::new();
    for (name, resolver) in &plan.resolver {
        let zones = zones.values().map(Arc::clone).collect();
        resolvers.insert(name.clone(), Arc::new(Recursion::new(zones, &resolver.faults)?));
    }
    Ok(Names { authorities, resolvers })
}

/// A closed port of the name server of an address; its datagrams are answered at once.
pub(crate) async fn name_server(
    live: &Arc<Live>,
    address: IpAddr,
    servers: &mut Servers,
) -> Result<Gate, LabError> {
    transport::listen(servers, Arc::new(AtAddress { live: Arc::clone(live), address })).await
}

/// An open port of a resolver.
pub(crate) async fn resolver(
    live: &Arc<Live>,
    name: &str,
    servers: &mut Servers,
) -> Result<Gate, LabError> {
    let named = Named { live: Arc::clone(live), name: name.to_owned() };
    let mut gate = transport::listen(servers, Arc::new(named)).await?;
    gate.open()?;
    Ok(gate)
}

/// Whatever name server the world has at an address at the time of a question.
struct AtAddress {
    live: Arc<Live>,
    address: IpAddr,
}

impl AtAddress {
    fn authority(&self) -> Option<Arc<Authority>> {
        let state = self.live.state();
        let up = !state.down.contains(&self.address);
        state.names.authorities.get(&self.address).filter(|_| up).cloned()
    }
}

impl Responder for AtAddress {
    fn respond(&self, question: &Question) -> Option<Message> {
        self.authority()?.respond(question)
    }

    fn transfer(&self, zone: &Name) -> Option<Vec<hickory_proto::rr::Record>> {
        self.authority()?.transfer(zone)
    }
}

/// The resolver of a name, as the world has it at the time of a question.
struct Named {
    live: Arc<Live>,
    name: String,
}

impl Responder for Named {
    fn respond(&self, question: &Question) -> Option<Message> {
        self.live.state().names.resolvers.get(&self.name)?.respond(question)
    }
}

fn authority(
    host: &str,
    server: &NameServerPlan,
    plan: &Plan,
    signed: &Signed,
    zones: &BTreeMap<String, Arc<Zone>>,
    now: Timestamp,
) -> Result<Authority, LabError> {
    let mut own = Vec::new();
    for name in &server.zones {
        let zone = plan.zone.get(name).zip(zones.get(name));
        let (zone, shared) =
            zone.ok_or_else(|| LabError::Plan(format!("{host} serves {name}, which is no zone")))?;
        own.push(match server.differs.get(name) {
            Some(difference) => {
                let mut copy = zone.clone();
                for beginning in &difference.remove {
                    let before = copy.records.len();
                    copy.records.retain(|line| !begins(line, beginning));
                    if copy.records.len() == before {
                        let message = format!("{host} lacks {beginning:?}, which nobody has");
                        return Err(problem(name, message));
                    }
                }
                copy.records.extend(difference.add.iter().cloned());
                Arc::new(signed.zone(name, &copy, Some(host), now)?)
            }
            None => Arc::clone(shared),
        });
    }
    Ok(Authority { zones: own, transfer: server.transfer, silent: server.silent })
}

/// The keys of the signed zones, and the DS records that parents hold.
struct Signed {
    keys: BTreeMap<String, Arc<ZoneKey>>,
    /// By origin of the parent.
    ds: BTreeMap<String, Vec<(Name, hickory_proto::rr::RData)>>,
}

impl Signed {
    fn new(plan: &Plan, known: &mut Keys) -> Result<Self, LabError> {
        let mut kept = |name: &str| {
            if let Some(key) = known.get(name) {
                return Ok(Arc::clone(key));
            }
            let key = Arc::new(ZoneKey::generate(name)?);
            known.insert(name.to_owned(), Arc::clone(&key));
            Ok::<_, LabError>(key)
        };
        let mut this = Self { keys: BTreeMap::new(), ds: BTreeMap::new() };
        for (name, zone) in plan.zone.iter().filter(|(_, z)| z.signing != Signing::Unsigned) {
            let key = kept(name)?;
            if zone.signing.has_ds()
                && let Some(parent) = parent(plan, name)
            {
                let published = if zone.signing == Signing::WrongDs {
                    ZoneKey::generate(name)?.ds(name)?
                } else {
                    key.ds(name)?
                };
                this.ds.entry(parent.to_owned()).or_default().push((origin(name)?, published));
            }
            this.keys.insert(name.clone(), key);
        }
        Ok(this)
    }

    fn zone(
        &self,
        name: &str,
        zone: &ZonePlan,
        host: Option<&str>,
        now: Timestamp,
    ) -> Result<Zone, LabError> {
        let ds = self.ds.get(name).map(Vec::as_slice).unwrap_or_default();
        let read = Zone::read(name, &zone.records, ds, zone.signing)?;
        match self.keys.get(name).filter(|_| zone.signing.is_signed()) {
            Some(key) => read.sign(key, now),
            None => Ok(read),
        }
        .inspect(|_| tracing::trace!(zone = name, host, "zone is ready"))
    }
}

/// The origin of the zone above, if the world has one.
fn parent<'a>(plan: &'a Plan, zone: &str) -> Option<&'a str> {
    let above = |candidate: &str| {
        candidate == "." || zone.strip_suffix(candidate).is_some_and(|rest| rest.ends_with('.'))
    };
    plan.zone
        .keys()
        .map(String::as_str)
        .filter(|candidate| *candidate != zone && above(candidate))
        .max_by_key(|candidate| if *candidate == "." { 0 } else { candidate.len() })
}
