//! Climbs to the CAA records of each host, and looks at the certificate where there are some.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::evidence::{CaaRecord, CaaSet, Issuer};
use super::zone::{ancestors, ask};
use crate::contract::Bounded;
use crate::dns::records::shorten;
use crate::probe::{
    AgentFault, CertificateFacts, Dns, DnsAnswer, DnsData, DnsQuestion, Rcode, RecordType, Seen,
    TargetFault, Tls, TlsQuestion,
};

/// The most sets of CAA records that are kept, the most records of one and characters of a value.
const SETS: usize = 6;
const RECORDS: usize = 10;
const VALUE: usize = 100;
/// The most names above a host that are climbed (RFC 8659 section 3 climbs to the top).
const LEVELS: usize = 10;

/// The CAA answers of every host and of every name above one.
#[derive(Debug)]
pub(super) struct Climb {
    answers: BTreeMap<String, Seen<DnsAnswer>>,
}

impl Climb {
    /// Asks all names at once.
    pub(super) async fn ask(dns: &dyn Dns, hosts: &[String]) -> Self {
        let mut names: Vec<&str> =
            hosts.iter().flat_map(|host| ancestors(host).take(LEVELS)).collect();
        names.sort_unstable();
        names.dedup();
        let answers = join_all(names.into_iter().map(async |name| {
            (name.to_owned(), ask(dns, DnsQuestion::new(name, RecordType::Caa)).await)
        }));
        Self { answers: answers.await.into_iter().collect() }
    }

    /// The first name, from `name` up, that has CAA records.
    pub(super) fn from(&self, name: &str) -> Seen<Option<String>> {
        for at in ancestors(name).take(LEVELS) {
            match self.answers.get(at) {
                Some(Seen::Ok(answer)) if !records(answer).is_empty() => {
                    return Seen::Ok(Some(at.to_owned()));
                }
                Some(Seen::Ok(answer))
                    if matches!(answer.rcode, Rcode::NoError | Rcode::NxDomain) => {}
                Some(Seen::Ok(_)) => {
                    return Seen::Target(TargetFault::Malformed(format!("CAA of {at}")));
                }
                Some(Seen::Target(fault)) => return Seen::Target(fault.clone()),
                Some(Seen::Agent(fault)) => return Seen::Agent(fault.clone()),
                None => {}
            }
        }
        Seen::Ok(None)
    }

    /// The sets at these names, each once.
    pub(super) fn sets<'a>(&self, names: impl Iterator<Item = &'a String>) -> Bounded<CaaSet> {
        let mut names: Vec<&String> = names.collect();
        names.sort();
        names.dedup();
        let sets = names.into_iter().filter_map(|at| {
            let answer = self.answers.get(at)?.ok()?;
            Some(CaaSet { at: at.clone(), records: Bounded::keep(records(answer), RECORDS) })
        });
        Bounded::keep(sets, SETS)
    }
}

fn records(answer: &DnsAnswer) -> Vec<CaaRecord> {
    answer.of(|data| match data {
        DnsData::Caa { critical, tag, value } => Some(CaaRecord {
            critical: *critical,
            tag: shorten(&tag.to_ascii_lowercase(), 20),
            value: shorten(value, VALUE),
        }),
        _ => None,
    })
}

/// The certificate that a host shows.
pub(super) async fn issuer(tls: &dyn Tls, host: &str) -> Seen<Issuer> {
    let question = TlsQuestion { host: host.to_owned(), address: None, port: 443, ecdsa: None };
    match tls.handshake(question).await.into() {
        Seen::Ok(answer) => match answer.chain.first() {
            Some(leaf) => Seen::Ok(Issuer {
                name: shorten(&leaf.issuer, 160),
                wildcard: is_wildcard_for(leaf, host),
                not_before: leaf.not_before,
                not_after: leaf.not_after,
            }),
            None => {
                Seen::Agent(AgentFault::Bug(format!("{host}: a handshake without a certificate")))
            }
        },
        Seen::Target(fault) => Seen::Target(fault),
        Seen::Agent(fault) => Seen::Agent(fault),
    }
}

fn is_wildcard_for(leaf: &CertificateFacts, host: &str) -> bool {
    let above = host.split_once('.').map(|(_, rest)| format!("*.{rest}"));
    !leaf.names.iter().any(|name| name == host)
        && above.is_some_and(|wildcard| leaf.names.contains(&wildcard))
}
