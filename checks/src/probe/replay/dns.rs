//! The DNS port of a written-down world.

use std::net::IpAddr;

use super::Replay;
use crate::probe::{
    Answer, Dns, DnsAnswer, DnsQuestion, ProbeError, Rcode, RecordType, Transfer, Via,
};

impl Replay {
    fn fault_for(&self, question: &DnsQuestion) -> Option<&str> {
        let found = self.world.dns_fault.iter().find(|fault| {
            let name = fault.name.as_ref().is_none_or(|name| *name == question.name);
            let kind = fault.kind.as_ref().is_none_or(|kind| kind == question.kind.as_str());
            let who = match (question.via, fault.server, fault.resolver) {
                (Via::Server(address), Some(server), None) => address == server,
                (Via::Resolver(index), None, Some(resolver)) => index == resolver,
                (Via::Resolvers | Via::Resolver(_), None, None) => true,
                _ => false,
            };
            name && kind && who
        })?;
        Some(found.fault.as_str())
    }

    fn is_signed(&self, name: &str) -> bool {
        self.world.signed.iter().any(|zone| {
            name == zone || name.strip_suffix(zone.as_str()).is_some_and(|rest| rest.ends_with('.'))
        })
    }

    fn look_up(&self, question: &DnsQuestion) -> Result<DnsAnswer, ProbeError> {
        self.count(format!("{} {}", question.kind, question.name));
        let (zone, authoritative) = match question.via {
            Via::Server(address) => {
                let entry = self.world.dns_server.iter().find(|s| s.address == Some(address));
                let lame = entry.is_some_and(|server| server.lame);
                (self.servers.get(&address).unwrap_or(&self.zone), !lame)
            }
            Via::Resolvers | Via::Resolver(_) => (&self.zone, false),
        };
        let code = |rcode| {
            let answer = DnsAnswer {
                rcode,
                authoritative,
                authenticated: false,
                answers: Vec::new(),
                authority: Vec::new(),
            };
            Ok(answer)
        };
        match self.fault_for(question) {
            Some("servfail") => return code(Rcode::ServFail),
            Some("bogus") if !question.checking_disabled => return code(Rcode::ServFail),
            Some("nxdomain") => return code(Rcode::NxDomain),
            Some("nodata") => return code(Rcode::NoError),
            Some("refuse") => return code(Rcode::Refused),
            Some("bogus") | None => {}
            Some(word) => return Err(super::fault(word, &question.name)),
        }
        if matches!(question.via, Via::Server(_)) && !authoritative {
            return code(Rcode::Refused);
        }
        let mut answer = zone.answer(&question.name, question.kind, question.dnssec);
        answer.authoritative = authoritative;
        answer.authenticated = question.dnssec && !authoritative && self.is_signed(&question.name);
        Ok(answer)
    }
}

impl Dns for Replay {
    fn lookup(&self, question: DnsQuestion) -> Answer<'_, Result<DnsAnswer, ProbeError>> {
        let answer = self.look_up(&question);
        Box::pin(async move { answer })
    }

    fn transfer(&self, zone: String, server: IpAddr) -> Answer<'_, Result<Transfer, ProbeError>> {
        self.count(format!("AXFR {zone}"));
        let question = DnsQuestion::new(zone, RecordType::Soa).via(Via::Server(server));
        let entry = self.world.dns_server.iter().find(|s| s.address == Some(server));
        let answer = match self.fault_for(&question) {
            Some(word @ ("timeout" | "refused" | "no_network")) => {
                Err(super::fault(word, &server.to_string()))
            }
            _ => Ok(entry
                .and_then(|server| server.transfer)
                .map_or(Transfer::Refused, |records| Transfer::Open { records })),
        };
        Box::pin(async move { answer })
    }

    fn resolvers(&self) -> Vec<String> {
        (0..self.world.resolvers.unwrap_or(2)).map(|n| format!("198.51.100.{}", n + 1)).collect()
    }
}
