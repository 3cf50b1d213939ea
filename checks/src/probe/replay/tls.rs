//! The TLS port of a written-down world.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;

use super::{Replay, TlsEntry};
use crate::probe::{
    AgentFault, Answer, HelloAnswer, HelloQuestion, ProbeError, RecordType, Seen, Tls, TlsAnswer,
    TlsQuestion,
};

impl Replay {
    fn server<'a>(
        &'a self,
        host: &'a str,
        address: Option<IpAddr>,
        port: u16,
    ) -> impl Iterator<Item = &'a TlsEntry> {
        let at = move |entry: &&TlsEntry| {
            entry.host == host
                && entry.port == port
                && entry.address.is_none_or(|at| address.is_none() || Some(at) == address)
        };
        let entries = self.world.tls.iter();
        // An entry for one address goes before one for all.
        let (exact, any): (Vec<_>, Vec<_>) =
            entries.filter(at).partition(|entry| entry.address.is_some());
        exact.into_iter().chain(any)
    }

    fn route(&self, host: &str, address: Option<IpAddr>) -> Result<IpAddr, ProbeError> {
        if self.world.no_ipv6 && address.is_some_and(|address| address.is_ipv6()) {
            return Err(AgentFault::NoIpv6.into());
        }
        let resolved = self.zone.answer(host, RecordType::A, false).addresses();
        Ok(address.or_else(|| resolved.first().copied()).unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)))
    }

    fn shake(&self, question: &TlsQuestion) -> Result<TlsAnswer, ProbeError> {
        self.count(format!("TLS {}", question.host));
        let address = self.route(&question.host, question.address)?;
        let entry = self
            .server(&question.host, question.address, question.port)
            .find(|entry| entry.ecdsa.is_none() || entry.ecdsa == question.ecdsa)
            .ok_or_else(|| super::fault("refused", &question.host))?;
        if let Some(word) = &entry.fault {
            return Err(super::fault(word, &question.host));
        }
        let partial = entry.answer.clone().ok_or_else(|| super::fault("tls", &question.host))?;
        Ok(super::tls_answer(partial, address))
    }

    fn say_hello(&self, question: &HelloQuestion) -> Result<HelloAnswer, ProbeError> {
        self.count(format!("HELLO {} {}", question.version.as_str(), question.host));
        self.route(&question.host, question.address)?;
        let entry = self
            .server(&question.host, question.address, question.port)
            .next()
            .ok_or_else(|| super::fault("refused", &question.host))?;
        if let Some(word) = &entry.fault {
            return Err(super::fault(word, &question.host));
        }
        let answer = entry.hello.iter().find(|hello| {
            hello.version == question.version
                && hello.suites.is_none_or(|suites| suites == question.suites)
        });
        match answer.map(|hello| hello.answer.clone()) {
            None => Ok(HelloAnswer::Rejected { alert: "protocol_version".to_owned() }),
            Some(Seen::Ok(answer)) => Ok(answer),
            Some(Seen::Target(fault)) => Err(fault.into()),
            Some(Seen::Agent(fault)) => Err(fault.into()),
        }
    }
}

impl Tls for Replay {
    fn handshake(&self, question: TlsQuestion) -> Answer<'_, Result<TlsAnswer, ProbeError>> {
        let answer = self.shake(&question);
        Box::pin(async move { answer })
    }

    fn hello(&self, question: HelloQuestion) -> Answer<'_, Result<HelloAnswer, ProbeError>> {
        let answer = self.say_hello(&question);
        Box::pin(async move { answer })
    }

    fn now(&self) -> Timestamp {
        self.now
    }
}
