//! Name servers and a resolver for zones that are made when they are first asked for.

use std::sync::Arc;

use hickory_proto::op::Message;

use super::authority::Authority;
use super::recursion::Recursion;
use super::zone::Zone;
use super::{Question, Responder, transport};
use crate::error::LabError;
use crate::gate::Gate;
use crate::listener::Servers;
use crate::plan::Signing;

/// A zone, what lies above it, and who answers for them.
#[derive(Debug)]
pub(crate) struct Kin {
    own: Authority,
    above: Authority,
    resolver: Recursion,
}

impl Kin {
    /// Reads zones: origins with their lines.
    pub(crate) fn new(
        own: &[(String, Vec<String>)],
        above: &[(String, Vec<String>)],
    ) -> Result<Self, LabError> {
        let read = |zones: &[(String, Vec<String>)]| {
            let zone = |(origin, lines): &(String, Vec<String>)| {
                Zone::read(origin, lines, &[], Signing::Unsigned).map(Arc::new)
            };
            zones.iter().map(zone).collect::<Result<Vec<_>, _>>()
        };
        let (own, above) = (read(own)?, read(above)?);
        let all = own.iter().chain(&above).map(Arc::clone).collect();
        let authority = |zones| Authority { zones, transfer: false, silent: false };
        let resolver = Recursion::new(all, &std::collections::BTreeMap::new())?;
        Ok(Self { own: authority(own), above: authority(above), resolver })
    }
}

/// Finds who answers for a name.
pub(crate) trait Responders: Send + Sync + 'static {
    /// The zones around a name; `None` is silence.
    fn kin(&self, name: &str) -> Option<Arc<Kin>>;
}

/// Which of the answers is given.
#[derive(Debug, Clone, Copy)]
enum Side {
    Own,
    Above,
    Resolver,
}

struct Chosen<R> {
    responders: Arc<R>,
    side: Side,
}

impl<R: Responders> Responder for Chosen<R> {
    fn respond(&self, question: &Question) -> Option<Message> {
        let kin = self.responders.kin(&question.name.to_ascii())?;
        match self.side {
            Side::Own => kin.own.respond(question),
            Side::Above => kin.above.respond(question),
            Side::Resolver => kin.resolver.respond(question),
        }
    }
}

/// A closed port of a resolver for every name.
pub(crate) async fn resolver_of<R: Responders>(
    responders: Arc<R>,
    servers: &mut Servers,
) -> Result<Gate, LabError> {
    transport::listen(servers, Arc::new(Chosen { responders, side: Side::Resolver })).await
}

/// A closed port of the name server of the zones themselves, or of what lies above them.
pub(crate) async fn authority_of<R: Responders>(
    responders: Arc<R>,
    above: bool,
    servers: &mut Servers,
) -> Result<Gate, LabError> {
    let side = if above { Side::Above } else { Side::Own };
    transport::listen(servers, Arc::new(Chosen { responders, side })).await
}
