//! Name servers and resolvers.

mod authority;
mod recursion;
mod transport;
mod zone;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{Name, RecordType};
use jiff::Timestamp;

use self::authority::Authority;
use self::recursion::Recursion;
use self::zone::{Zone, ZoneKey, origin, problem};
use crate::error::LabError;
use crate::listener::Servers;
use crate::plan::{NameServerPlan, Plan, Signing, ZonePlan};
use crate::world::begins;

/// The most aliases that a server follows, as common resolvers do.
const ALIASES: usize = 16;

/// Where the name servers and resolvers listen.
#[derive(Debug)]
pub(crate) struct Listening {
    /// One listener for each address of each name server.
    pub(crate) name_servers: Vec<(std::net::IpAddr, SocketAddr)>,
    /// The resolvers, in the order of their names.
    pub(crate) resolvers: Vec<SocketAddr>,
}

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

/// Reads every zone, signs it, and starts the servers.
pub(crate) async fn start(
    plan: &Plan,
    now: Timestamp,
    servers: &mut Servers,
) -> Result<Listening, LabError> {
    let signed = Signed::new(plan)?;
    let mut zones = BTreeMap::new();
    for (name, zone) in &plan.zone {
        zones.insert(name.clone(), Arc::new(signed.zone(name, zone, None, now)?));
    }
    let mut name_servers = Vec::new();
    for (host, server) in &plan.name_server {
        let authority = Arc::new(authority(host, server, plan, &signed, &zones, now)?);
        for address in &server.addresses {
            let to = transport::listen(servers, Arc::clone(&authority)).await?;
            name_servers.push((*address, to));
        }
    }
    let mut resolvers = Vec::new();
    for resolver in plan.resolver.values() {
        let zones = zones.values().map(Arc::clone).collect();
        let recursion = Recursion::new(zones, &resolver.faults)?;
        resolvers.push(transport::listen(servers, Arc::new(recursion)).await?);
    }
    Ok(Listening { name_servers, resolvers })
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
    keys: BTreeMap<String, ZoneKey>,
    /// By origin of the parent.
    ds: BTreeMap<String, Vec<(Name, hickory_proto::rr::RData)>>,
}

impl Signed {
    fn new(plan: &Plan) -> Result<Self, LabError> {
        let mut this = Self { keys: BTreeMap::new(), ds: BTreeMap::new() };
        for (name, zone) in plan.zone.iter().filter(|(_, z)| z.signing != Signing::Unsigned) {
            let key = ZoneKey::generate(name)?;
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
