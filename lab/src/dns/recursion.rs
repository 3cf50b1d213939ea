//! A validating resolver that knows every zone of the world and asks nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use super::authority::{deepest, deny};
use super::zone::{Zone, ZoneAnswer, origin};
use super::{ALIASES, Question, Responder};
use crate::error::LabError;
use crate::plan::{ResolverFault, Signing};

/// One resolver.
#[derive(Debug)]
pub(super) struct Recursion {
    zones: Vec<Arc<Zone>>,
    faults: BTreeMap<Name, ResolverFault>,
}

/// What a validator says about a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chain {
    Secure,
    Insecure,
    Bogus,
}

impl Recursion {
    pub(super) fn new(
        zones: Vec<Arc<Zone>>,
        faults: &BTreeMap<String, ResolverFault>,
    ) -> Result<Self, LabError> {
        let faults = faults.iter().map(|(name, fault)| Ok((origin(name)?, *fault)));
        Ok(Self { zones, faults: faults.collect::<Result<_, LabError>>()? })
    }

    /// Follows the chain of trust from the root, which is trusted, down to a zone.
    fn chain(&self, zone: &Zone) -> Chain {
        if zone.origin.is_root() {
            return Chain::Secure;
        }
        let above = deepest(&self.zones, &zone.origin.base_name(), RecordType::SOA);
        match above.map_or(Chain::Secure, |above| self.chain(above)) {
            Chain::Secure if zone.signing == Signing::Intact => Chain::Secure,
            Chain::Secure if zone.signing.is_bogus() => Chain::Bogus,
            Chain::Secure => Chain::Insecure,
            broken => broken,
        }
    }
}

impl Responder for Recursion {
    fn respond(&self, question: &Question) -> Option<Message> {
        match self.faults.get(&question.name) {
            Some(ResolverFault::Silent) => return None,
            Some(ResolverFault::Servfail) => return Some(question.reply(ResponseCode::ServFail)),
            Some(ResolverFault::Nxdomain) => return Some(question.reply(ResponseCode::NXDomain)),
            None => {}
        }
        let fail = || {
            let mut reply = question.reply(ResponseCode::ServFail);
            reply.metadata.recursion_available = true;
            Some(reply)
        };
        let mut reply = question.reply(ResponseCode::NoError);
        reply.metadata.recursion_available = true;
        let mut secure = true;
        let mut name = question.name.clone();
        for _ in 0..=ALIASES {
            let Some(zone) = deepest(&self.zones, &name, question.kind) else { return fail() };
            let chain = self.chain(zone);
            if chain == Chain::Bogus && !question.unchecked {
                return fail();
            }
            secure &= chain == Chain::Secure;
            let answer = zone.answer(&name, question.kind);
            if let ZoneAnswer::Alias(set, target) = answer {
                reply.add_answers(set.all(question.signed).cloned());
                name = target;
                continue;
            }
            match answer {
                ZoneAnswer::Records(set) => {
                    reply.add_answers(set.all(question.signed).cloned());
                }
                ZoneAnswer::NoName => {
                    reply.metadata.response_code = ResponseCode::NXDomain;
                    deny(&mut reply, zone, &name, question.signed);
                }
                // A delegation to servers that this world does not have.
                ZoneAnswer::Referral(_) => return fail(),
                ZoneAnswer::NoData | ZoneAnswer::Alias(..) => {
                    deny(&mut reply, zone, &name, question.signed);
                }
            }
            reply.metadata.authentic_data = secure && question.wants_verdict;
            return Some(reply);
        }
        // Aliases in a circle.
        fail()
    }
}
