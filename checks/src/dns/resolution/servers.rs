//! Asks each name server of the zone, and the servers of the zone above.

use std::net::IpAddr;

use futures_util::future::{join, join_all};
use futures_util::join;

use super::evidence::{
    Delegation, DsFact, KEYS, KeyFact, Outcome, OutcomeView, SERVERS, SIGNERS, ServerState,
    ServerView, SetViews, SignatureFact, Signer, Ttls,
};
use super::sets::{APEX_KINDS, group_sets};
use super::zone::{Zones, ask, at, name_servers, server_addresses, unchecked};
use crate::contract::Bounded;
use crate::dns::records::shorten;
use crate::probe::{Dns, DnsAnswer, DnsData, Rcode, RecordType, Seen, TargetFault};
use crate::vendor::is_below;

/// The types that must not stand beside an alias (RFC 1034 section 3.6.2) and are looked for there.
const BESIDE: [RecordType; 4] = [RecordType::A, RecordType::Aaaa, RecordType::Mx, RecordType::Txt];
/// How many addresses of the parent's name servers are asked before it is given up.
const PARENT_SERVERS: usize = 3;

/// What the name servers say.
#[derive(Debug, Default)]
pub(super) struct ServersLook {
    pub(super) servers: Bounded<ServerView>,
    pub(super) sets: Vec<SetViews>,
    pub(super) signers: Vec<Signer>,
    pub(super) delegation: Delegation,
    /// One for each host asked for, in order.
    pub(super) hosts: Vec<HostAtServers>,
}

/// What the name servers say about one host.
#[derive(Debug, Default)]
pub(super) struct HostAtServers {
    pub(super) outcomes: Vec<OutcomeView>,
    pub(super) alias: Option<String>,
    pub(super) beside: Vec<String>,
    pub(super) ttl: Option<Ttls>,
}

/// Everything that one address of a name server answered.
struct ServerLook {
    view: ServerView,
    soa: Seen<DnsAnswer>,
    /// `None` for a server that does not answer for the zone.
    rest: Option<Rest>,
}

impl ServerLook {
    fn is_sound(&self) -> bool {
        self.view.state.ok().is_some_and(ServerState::is_sound)
    }
}

/// What a server is asked once it answers for the zone.
struct Rest {
    sets: Vec<Seen<DnsAnswer>>,
    keys: Seen<DnsAnswer>,
    hosts: Vec<Option<HostLook>>,
}

/// One host at one server: addresses, alias, and what stands beside it.
struct HostLook {
    name: String,
    addresses: [Seen<DnsAnswer>; 2],
    more: Vec<Seen<DnsAnswer>>,
}

/// Asks the name servers of both zones; `hosts` outside the zone are left out.
pub(super) async fn ask_servers(dns: &dyn Dns, zones: &Zones, hosts: &[String]) -> ServersLook {
    let (mut known, delegation) =
        join(server_addresses(dns, &zones.servers), ask_parent(dns, zones)).await;
    if known.is_empty()
        && let Some(names) = &delegation.names
    {
        // No resolver gets an answer from them, which is exactly why they are looked at.
        known = server_addresses(dns, names).await;
    }
    let mut servers = Vec::new();
    let mut without = Vec::new();
    for (name, seen) in known {
        match seen {
            Seen::Ok(found) if !found.is_empty() => {
                let turns = found.into_iter().enumerate();
                servers.extend(turns.map(|(turn, address)| (turn, name.clone(), address)));
            }
            Seen::Ok(_) => without.push(view(
                &name,
                None,
                Seen::Target(TargetFault::Unresolvable(format!("{name} has no address"))),
            )),
            Seen::Agent(fault) => without.push(view(&name, None, Seen::Agent(fault))),
            Seen::Target(fault) => without.push(view(&name, None, Seen::Target(fault))),
        }
    }
    // The first address of each before any second one: the limit then costs no server.
    servers.sort_by_key(|(turn, _, _)| *turn);
    let total = servers.len();
    servers.truncate(SERVERS);
    let asked = servers.iter().enumerate();
    let looks = join_all(
        asked.map(|(index, (_, name, address))| one(dns, zones, name, *address, hosts, index < 2)),
    )
    .await;
    let mut out = assemble(looks, hosts.len());
    out.servers.items.extend(without);
    out.servers.cut = total.saturating_sub(SERVERS);
    out.delegation = delegation;
    out
}

fn view(name: &str, address: Option<IpAddr>, state: Seen<ServerState>) -> ServerView {
    ServerView { name: shorten(name, 120), address, state, transfer: None }
}

async fn one(
    dns: &dyn Dns,
    zones: &Zones,
    name: &str,
    address: IpAddr,
    hosts: &[String],
    in_depth: bool,
) -> ServerLook {
    let zone = zones.zone.as_str();
    let soa = ask(dns, at(address, zone, RecordType::Soa).signed(false)).await;
    let view = view(name, Some(address), soa.clone().map(|answer| state(&answer)));
    let mut look = ServerLook { view, soa, rest: None };
    // A silent or foreign server is not kept waiting for, question after question.
    if !look.is_sound() {
        return look;
    }
    let kinds = APEX_KINDS.iter().map(|kind| ask(dns, at(address, zone, *kind)));
    let hosts = hosts.iter().map(async |host| {
        if !is_below(host, zone) {
            return None;
        }
        let more: &[RecordType] = if in_depth {
            &[RecordType::Cname, RecordType::Mx, RecordType::Txt]
        } else {
            &[RecordType::Cname]
        };
        let more = more.iter().map(|kind| ask(dns, at(address, host, *kind)));
        let (v4, v6, more) = join!(
            ask(dns, at(address, host, RecordType::A)),
            ask(dns, at(address, host, RecordType::Aaaa)),
            join_all(more),
        );
        Some(HostLook { name: host.clone(), addresses: [v4, v6], more })
    });
    let (keys, sets, hosts, transfer) = join!(
        ask(dns, at(address, zone, RecordType::Dnskey).signed(false)),
        join_all(kinds),
        join_all(hosts),
        dns.transfer(zone.to_owned(), address),
    );
    look.view.transfer = Some(transfer.into());
    look.rest = Some(Rest { sets, keys, hosts });
    look
}

fn state(answer: &DnsAnswer) -> ServerState {
    let soa = answer.answers.iter().find_map(|record| match &record.data {
        DnsData::Soa { serial, mname, .. } => Some((*serial, shorten(mname, 120))),
        _ => None,
    });
    ServerState {
        rcode: answer.rcode,
        authoritative: answer.authoritative,
        serial: soa.as_ref().map(|(serial, _)| *serial),
        primary: soa.map(|(_, primary)| primary),
    }
}

fn assemble(looks: Vec<ServerLook>, hosts: usize) -> ServersLook {
    let mut out = ServersLook::default();
    let sound: Vec<(usize, &ServerLook, &Rest)> = looks
        .iter()
        .enumerate()
        .filter_map(|(index, look)| Some((index, look, look.rest.as_ref()?)))
        .collect();
    for (n, kind) in APEX_KINDS.iter().enumerate() {
        let answers = sound.iter();
        let answers =
            answers.filter_map(|(index, _, rest)| Some((*index, rest.sets.get(n)?.ok()?)));
        out.sets.push(group_sets(*kind, answers));
    }
    for n in 0..hosts {
        let mut host = HostAtServers::default();
        for (index, _, rest) in &sound {
            if let Some(Some(at_server)) = rest.hosts.get(n) {
                note_host(&mut host, *index, at_server);
            }
        }
        out.hosts.push(host);
    }
    for (server, look, rest) in &sound {
        if out.signers.len() < SIGNERS
            && let (Some(soa), Some(keys)) = (look.soa.ok(), rest.keys.ok())
        {
            out.signers.push(signer(*server, soa, keys));
        }
    }
    out.servers.items = looks.into_iter().map(|look| look.view).collect();
    out
}

fn signer(server: usize, soa: &DnsAnswer, keys: &DnsAnswer) -> Signer {
    let facts = keys.of(|data| match data {
        DnsData::Dnskey { key_tag, algorithm, .. } => {
            Some(KeyFact { key_tag: *key_tag, algorithm: *algorithm })
        }
        _ => None,
    });
    let signatures = soa.answers.iter().chain(&keys.answers).filter_map(|record| {
        let DnsData::Rrsig { covered, key_tag, inception, expiration, .. } = &record.data else {
            return None;
        };
        matches!(covered.as_str(), "SOA" | "DNSKEY").then(|| SignatureFact {
            covered: covered.clone(),
            key_tag: *key_tag,
            inception: *inception,
            expiration: *expiration,
        })
    });
    Signer { server, keys: Bounded::keep(facts, KEYS), signatures: Bounded::keep(signatures, KEYS) }
}

fn note_host(host: &mut HostAtServers, server: usize, look: &HostLook) {
    let answers = look.addresses.iter().chain(&look.more).filter_map(Seen::ok);
    let mut kinds = Vec::new();
    for record in answers.flat_map(|answer| &answer.answers) {
        if record.name != look.name {
            continue;
        }
        match &record.data {
            DnsData::Cname(target) => host.alias = Some(shorten(target, 120)),
            DnsData::A(_) => kinds.push(RecordType::A),
            DnsData::Aaaa(_) => kinds.push(RecordType::Aaaa),
            DnsData::Mx { .. } => kinds.push(RecordType::Mx),
            DnsData::Txt(_) => kinds.push(RecordType::Txt),
            _ => {}
        }
        if matches!(record.data, DnsData::A(_) | DnsData::Aaaa(_) | DnsData::Cname(_)) {
            widen(&mut host.ttl, record.ttl);
        }
    }
    for kind in BESIDE.iter().filter(|kind| kinds.contains(kind)) {
        if !host.beside.iter().any(|known| known == kind.as_str()) {
            host.beside.push(kind.as_str().to_owned());
        }
    }
    if let Some(outcome) = outcome(&look.addresses) {
        note_outcome(&mut host.outcomes, outcome, server);
    }
}

/// Adds a time to live to a range.
pub(super) fn widen(ttls: &mut Option<Ttls>, ttl: u32) {
    let seen = ttls.get_or_insert(Ttls { least: ttl, most: ttl });
    seen.least = seen.least.min(ttl);
    seen.most = seen.most.max(ttl);
}

/// What two answers, A and AAAA, say about the existence of a name; `None` where nothing was seen
/// or the server only points to another zone.
pub(super) fn outcome(answers: &[Seen<DnsAnswer>; 2]) -> Option<Outcome> {
    let seen: Vec<&DnsAnswer> = answers.iter().filter_map(Seen::ok).collect();
    if seen.iter().any(|answer| !answer.answers.is_empty()) {
        return Some(Outcome::Answers);
    }
    let refers = |answer: &&DnsAnswer| {
        answer.authority.iter().any(|record| matches!(record.data, DnsData::Ns(_)))
            && !answer.authority.iter().any(|record| matches!(record.data, DnsData::Soa { .. }))
    };
    if seen.len() < 2 || seen.iter().any(refers) {
        return None;
    }
    if seen.iter().any(|answer| answer.rcode == Rcode::NxDomain) {
        Some(Outcome::NoSuchName)
    } else if seen.iter().all(|answer| answer.rcode == Rcode::NoError) {
        Some(Outcome::NoAddress)
    } else {
        Some(Outcome::Fails)
    }
}

/// Adds a server to those that say the same.
pub(super) fn note_outcome(views: &mut Vec<OutcomeView>, outcome: Outcome, by: usize) {
    match views.iter_mut().find(|view| view.outcome == outcome) {
        Some(view) => view.by.push(by),
        None => views.push(OutcomeView { outcome, by: vec![by] }),
    }
}

/// Asks the parent's servers for the delegation, and whoever answers for the DS records.
async fn ask_parent(dns: &dyn Dns, zones: &Zones) -> Delegation {
    let names: Vec<String> = zones.parent_servers.iter().take(PARENT_SERVERS).cloned().collect();
    let known = server_addresses(dns, &names).await;
    let addresses = known.iter().filter_map(|(_, seen)| seen.ok()?.first().copied());
    let looks = addresses.map(async |address| {
        join!(
            ask(dns, at(address, &zones.zone, RecordType::Ns)),
            ask(dns, at(address, &zones.zone, RecordType::Ds).signed(false)),
        )
    });
    let (looks, fallback) =
        join(join_all(looks), ask(dns, unchecked(&zones.zone, RecordType::Ds))).await;
    let sound = |answer: &&DnsAnswer| answer.rcode == Rcode::NoError;
    let mut delegation = Delegation::default();
    for (ns, ds) in &looks {
        if delegation.names.is_none()
            && let Some(answer) = ns.ok().filter(sound)
        {
            let names = name_servers(answer, &zones.zone);
            delegation.names = (!names.is_empty()).then_some(names);
        }
        if delegation.ds.is_none() {
            delegation.ds = ds.ok().filter(sound).map(ds_facts);
        }
    }
    if delegation.ds.is_none() {
        delegation.ds = fallback.ok().filter(sound).map(ds_facts);
    }
    delegation
}

fn ds_facts(answer: &DnsAnswer) -> Bounded<DsFact> {
    let facts = answer.of(|data| match data {
        DnsData::Ds { key_tag, algorithm, digest_type, .. } => {
            Some(DsFact { key_tag: *key_tag, algorithm: *algorithm, digest_type: *digest_type })
        }
        _ => None,
    });
    Bounded::keep(facts, KEYS)
}
