//! Finds the zone of a domain, its name servers and the zone above.

use std::net::IpAddr;

use futures_util::future::join_all;

use crate::contract::CheckError;
use crate::probe::{AgentFault, Dns, DnsAnswer, DnsData, DnsQuestion, RecordType, Seen, Via};
use crate::suffix::registrable;
use crate::vendor::is_below;

/// The most labels that are walked up; a name has at most 127 (RFC 1035 section 2.3.4).
const LEVELS: usize = 8;
/// The most name servers of one zone that are asked.
const NAMES: usize = 10;

/// A zone, the zone above, and the name servers of both as the resolvers know them.
#[derive(Debug)]
pub(super) struct Zones {
    pub(super) zone: String,
    pub(super) servers: Vec<String>,
    pub(super) parent: Option<String>,
    pub(super) parent_servers: Vec<String>,
}

/// Asks one question.
pub(super) async fn ask(dns: &dyn Dns, question: DnsQuestion) -> Seen<DnsAnswer> {
    dns.lookup(question).await.into()
}

/// A question that no resolver validates, so that a broken signature hides nothing.
pub(super) fn unchecked(name: &str, kind: RecordType) -> DnsQuestion {
    DnsQuestion::new(name, kind).signed(true)
}

/// Asks for the name servers of the domain and of every name above it, all at once.
///
/// # Errors
/// The first fault of ours, when no question was answered.
pub(super) async fn find_zones(dns: &dyn Dns, domain: &str) -> Result<Zones, CheckError> {
    let candidates: Vec<&str> = ancestors(domain).take(LEVELS).collect();
    let answers =
        join_all(candidates.iter().map(|name| ask(dns, unchecked(name, RecordType::Ns)))).await;
    let faults: Vec<&AgentFault> = answers.iter().filter_map(Seen::agent_fault).collect();
    if let (Some(first), true) = (faults.first(), faults.len() == answers.len()) {
        return Err((*first).clone().into());
    }
    // A zone above the registrable domain belongs to a registry, never to the project.
    let registrable = registrable(domain).unwrap_or(domain);
    let mut zones = Zones {
        zone: registrable.to_owned(),
        servers: Vec::new(),
        parent: None,
        parent_servers: Vec::new(),
    };
    for (name, answer) in candidates.iter().zip(&answers) {
        let servers = answer.ok().map(|answer| name_servers(answer, name)).unwrap_or_default();
        if servers.is_empty() {
            continue;
        }
        if is_below(name, registrable) && zones.servers.is_empty() {
            (*name).clone_into(&mut zones.zone);
            zones.servers = servers;
        } else if is_below(&zones.zone, name) && **name != zones.zone {
            zones.parent = Some((*name).to_owned());
            zones.parent_servers = servers;
            break;
        }
    }
    Ok(zones)
}

/// A name and the names above it, longest first.
pub(super) fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, rest)| rest))
}

/// The name servers of `zone` in an answer or in a referral, sorted, at most ten.
pub(super) fn name_servers(answer: &DnsAnswer, zone: &str) -> Vec<String> {
    let records = answer.answers.iter().chain(&answer.authority);
    let mut names: Vec<String> = records
        .filter_map(|record| match &record.data {
            DnsData::Ns(name) if record.name == zone => Some(name.clone()),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names.truncate(NAMES);
    names
}

/// The addresses of each name server, IPv4 first; a fault of ours where we could not ask.
pub(super) async fn server_addresses(
    dns: &dyn Dns,
    names: &[String],
) -> Vec<(String, Seen<Vec<IpAddr>>)> {
    join_all(names.iter().map(async |name| {
        let (v4, v6) = futures_util::join!(
            ask(dns, unchecked(name, RecordType::A)),
            ask(dns, unchecked(name, RecordType::Aaaa)),
        );
        let found: Vec<IpAddr> =
            [&v4, &v6].iter().filter_map(|seen| seen.ok()).flat_map(DnsAnswer::addresses).collect();
        let seen = match (v4, v6) {
            _ if !found.is_empty() => Seen::Ok(found),
            (Seen::Agent(fault), _) | (_, Seen::Agent(fault)) => Seen::Agent(fault),
            _ => Seen::Ok(found),
        };
        (name.clone(), seen)
    }))
    .await
}

/// The question to one name server.
pub(super) fn at(server: IpAddr, name: &str, kind: RecordType) -> DnsQuestion {
    DnsQuestion::new(name, kind).via(Via::Server(server))
}
