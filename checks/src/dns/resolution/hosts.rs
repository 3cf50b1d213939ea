//! Asks the configured resolvers for the hosts and for the records at the apex.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;

use super::evidence::{HostAnswer, Outcome, OutcomeView, SetViews, Validation};
use super::servers::{note_outcome, outcome};
use super::sets::group_sets;
use super::zone::{ask, unchecked};
use crate::dns::records::shorten;
use crate::probe::{
    AddressLook, Dns, DnsAnswer, DnsQuestion, HostLook, Rcode, RecordType, Seen, Via,
};
use crate::vendor;

/// The types at the apex that are compared between resolvers.
const COMPARED: [RecordType; 5] =
    [RecordType::Ns, RecordType::Mx, RecordType::Txt, RecordType::Caa, RecordType::Ds];
/// The most resolvers that are compared.
const RESOLVERS: usize = 6;
/// The longest chain of aliases that is followed by hand, twice the length that is reported.
const HOPS: usize = 16;

/// What each resolver says, past the cache.
#[derive(Debug, Default)]
pub(super) struct ResolversLook {
    pub(super) resolvers: Vec<String>,
    pub(super) sets: Vec<SetViews>,
    pub(super) validation: Vec<Validation>,
    /// One for each host asked for, in order.
    pub(super) hosts: Vec<Vec<OutcomeView>>,
}

/// Asks every resolver for the apex and for each host.
pub(super) async fn ask_resolvers(dns: &dyn Dns, zone: &str, hosts: &[String]) -> ResolversLook {
    let resolvers: Vec<String> =
        dns.resolvers().iter().take(RESOLVERS).map(|name| shorten(name, 80)).collect();
    let via =
        |index: usize, name: &str, kind| DnsQuestion::new(name, kind).via(Via::Resolver(index));
    let looks = join_all((0..resolvers.len()).map(|index| async move {
        let sets = COMPARED.iter().map(|kind| ask(dns, via(index, zone, *kind)));
        let hosts = hosts.iter().map(async |host| -> [Seen<DnsAnswer>; 2] {
            let (v4, v6) = join!(
                ask(dns, via(index, host, RecordType::A)),
                ask(dns, via(index, host, RecordType::Aaaa)),
            );
            [v4, v6]
        });
        let soa = via(index, zone, RecordType::Soa);
        join!(
            join_all(sets),
            join_all(hosts),
            ask(dns, soa.clone().signed(false)),
            ask(dns, soa.signed(true)),
        )
    }))
    .await;
    let mut out = ResolversLook { resolvers, ..ResolversLook::default() };
    for (n, kind) in COMPARED.iter().enumerate() {
        let answers = looks.iter().enumerate().filter_map(|(index, (sets, ..))| {
            let answer = sets.get(n)?.ok()?;
            // A resolver that fails is no different opinion about the records.
            matches!(answer.rcode, Rcode::NoError | Rcode::NxDomain).then_some((index, answer))
        });
        out.sets.push(group_sets(*kind, answers));
    }
    for n in 0..hosts.len() {
        let mut views = Vec::new();
        for (index, (_, answers, ..)) in looks.iter().enumerate() {
            if let Some(outcome) = answers.get(n).and_then(outcome) {
                note_outcome(&mut views, outcome, index);
            }
        }
        out.hosts.push(views);
    }
    out.validation = looks
        .iter()
        .map(|(_, _, plain, unchecked)| Validation {
            plain: plain.ok().map(|answer| answer.rcode),
            unchecked: unchecked.ok().map(|answer| answer.rcode),
            authenticated: plain.ok().is_some_and(|answer| answer.authenticated),
        })
        .collect();
    out
}

/// A host as evidence; where it does not resolve, the chain of aliases is followed by hand, and the
/// resolvers are asked again without validation.
pub(super) async fn describe(dns: &dyn Dns, host: &HostLook) -> (Seen<HostAnswer>, bool) {
    let look = match &host.look {
        Seen::Ok(look) => look.clone(),
        Seen::Target(fault) => return (Seen::Target(fault.clone()), false),
        Seen::Agent(fault) => return (Seen::Agent(fault.clone()), false),
    };
    if !look.addresses.is_empty() {
        return (Seen::Ok(answer(&host.name, &look, look.aliases.clone())), false);
    }
    let failed = look.rcode == Rcode::ServFail;
    let (aliases, v4, v6) = join!(
        async {
            if look.aliases.is_empty() {
                follow(dns, &host.name).await
            } else {
                look.aliases.clone()
            }
        },
        ask(dns, unchecked(&host.name, RecordType::A)),
        ask(dns, unchecked(&host.name, RecordType::Aaaa)),
    );
    let resolves = outcome(&[v4, v6]) == Some(Outcome::Answers);
    (Seen::Ok(answer(&host.name, &look, aliases)), failed && resolves)
}

async fn follow(dns: &dyn Dns, name: &str) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut current = name.to_owned();
    for _ in 0..HOPS {
        let answer = ask(dns, unchecked(&current, RecordType::Cname)).await;
        let next = answer
            .ok()
            .and_then(|answer| answer.aliases().first().map(|target| (*target).to_owned()));
        let Some(next) = next else { break };
        let seen = next == name || path.contains(&next);
        path.push(next.clone());
        if seen {
            break;
        }
        current = next;
    }
    path
}

fn answer(name: &str, look: &AddressLook, mut aliases: Vec<String>) -> HostAnswer {
    let names: BTreeSet<&str> = aliases.iter().map(String::as_str).chain([name]).collect();
    let loops = look.addresses.is_empty() && names.len() <= aliases.len();
    let total = aliases.len();
    let platform = look
        .addresses
        .first()
        .and_then(|address| vendor::by_address(*address))
        .or_else(|| aliases.last().and_then(|alias| vendor::by_alias(alias)));
    let last = if total > 4 { aliases.pop() } else { None };
    let path = aliases.iter().take(if total > 4 { 3 } else { 4 }).chain(&last);
    HostAnswer {
        rcode: look.rcode,
        addresses: look.addresses.len(),
        platform: platform.map(|platform| platform.name.to_owned()),
        aliases: total,
        path: path.map(|alias| shorten(alias, 100)).collect(),
        loops,
    }
}
