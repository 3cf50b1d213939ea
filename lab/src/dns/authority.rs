//! A name server that answers for its own zones and refuses all others.

use std::sync::Arc;

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, Record, RecordType};

use super::zone::{Zone, ZoneAnswer};
use super::{ALIASES, Question, Responder};

/// One name server.
#[derive(Debug)]
pub(super) struct Authority {
    pub(super) zones: Vec<Arc<Zone>>,
    pub(super) transfer: bool,
    pub(super) silent: bool,
}

impl Authority {
    /// The deepest own zone of a name. A DS record is looked for on the parent's side.
    fn zone(&self, name: &Name, kind: RecordType) -> Option<&Arc<Zone>> {
        deepest(&self.zones, name, kind).or_else(|| deepest(&self.zones, name, RecordType::SOA))
    }
}

impl Responder for Authority {
    fn respond(&self, question: &Question) -> Option<Message> {
        if self.silent {
            return None;
        }
        let mut reply = question.reply(ResponseCode::NoError);
        let mut name = question.name.clone();
        for step in 0..=ALIASES {
            let Some(zone) = self.zone(&name, question.kind) else {
                if step == 0 {
                    return Some(question.reply(ResponseCode::Refused));
                }
                break;
            };
            reply.metadata.authoritative = true;
            match zone.answer(&name, question.kind) {
                ZoneAnswer::Records(set) => {
                    reply.add_answers(set.all(question.signed).cloned());
                    break;
                }
                ZoneAnswer::Alias(set, target) => {
                    reply.add_answers(set.all(question.signed).cloned());
                    name = target;
                }
                ZoneAnswer::Referral(set) => {
                    reply.metadata.authoritative = step > 0;
                    if let Some(ns) = set.records.first()
                        && let Some(ds) = zone.get(&ns.name, RecordType::DS)
                        && question.signed
                    {
                        reply.add_authorities(ds.all(true).cloned());
                    }
                    reply.add_additionals(zone.glue(&set));
                    reply.add_authorities(set.records);
                    break;
                }
                ZoneAnswer::NoData => {
                    deny(&mut reply, zone, &name, question.signed);
                    break;
                }
                ZoneAnswer::NoName => {
                    reply.metadata.response_code = ResponseCode::NXDomain;
                    deny(&mut reply, zone, &name, question.signed);
                    break;
                }
            }
        }
        Some(reply)
    }

    fn transfer(&self, name: &Name) -> Option<Vec<Record>> {
        let zone = self.zones.iter().find(|zone| zone.origin == *name);
        zone.filter(|_| self.transfer).map(|zone| zone.transfer())
    }
}

/// The deepest zone that holds a name; that of the parent for a DS record.
pub(super) fn deepest<'a>(
    zones: &'a [Arc<Zone>],
    name: &Name,
    kind: RecordType,
) -> Option<&'a Arc<Zone>> {
    zones
        .iter()
        .filter(|zone| zone.origin.zone_of(name))
        .filter(|zone| kind != RecordType::DS || zone.origin != *name || name.is_root())
        .max_by_key(|zone| zone.origin.num_labels())
}

/// Puts the SOA record and the proof that something is missing into the authority section.
pub(super) fn deny(reply: &mut Message, zone: &Zone, name: &Name, signed: bool) {
    if let Some(soa) = zone.get(&zone.origin, RecordType::SOA) {
        reply.add_authorities(soa.all(signed).cloned());
    }
    if signed {
        let mut proofs: Vec<Record> = Vec::new();
        for record in zone.denial(name).into_iter().flat_map(|set| set.all(true)) {
            if !proofs.contains(record) {
                proofs.push(record.clone());
            }
        }
        reply.add_authorities(proofs);
    }
}
