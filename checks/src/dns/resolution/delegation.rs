//! Judges the name servers themselves: how many, where they stand, what they hand out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::evidence::{Evidence, ServerState, ServerView};
use super::{
    Cx, DELEGATION, LAME, ONE_NETWORK, ONE_SERVER, SERIALS, SERIALS_SEEN, SERVERS_ANSWERING,
    TRANSFER,
};
use crate::contract::{Assessment, Severity, Unseen, Urgency};
use crate::dns::providers;
use crate::dns::records::rcode_name;
use crate::probe::{Seen, Transfer};

/// Judges number, network, authority, serials, delegation and transfers.
pub(super) fn judge(evidence: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let servers = &evidence.servers.items;
    let sound = servers.iter().filter(|server| is_sound(server)).count();
    out.measure(SERVERS_ANSWERING.value(None, sound as f64));
    if servers.is_empty() {
        out.not_checked(
            Unseen::Condition,
            "name servers",
            format!(
                "no resolver and no server of the zone above names a server of {}",
                evidence.zone
            ),
            "name a resolver that answers, such as network.resolvers = [\"1.1.1.1\"]",
        );
    } else if sound == 0 && !servers.iter().any(|server| server.state.ok().is_some()) {
        unreached(evidence, servers, out);
    } else {
        authority(evidence, servers, out);
        serials(evidence, servers, cx, out);
    }
    number(evidence, servers, out);
    parent(evidence, out);
    transfers(evidence, servers, out);
    if evidence.servers.cut > 0 {
        out.not_checked(
            Unseen::Noted,
            "name servers past the limit",
            format!("{} more addresses of name servers were not asked", evidence.servers.cut),
            "see the limits in the handbook page of the check",
        );
    }
}

fn is_sound(server: &ServerView) -> bool {
    server.state.ok().is_some_and(ServerState::is_sound)
}

/// Not one of them answers, and yet resolvers know the zone: more likely our own network.
fn unreached(evidence: &Evidence, servers: &[ServerView], out: &mut Assessment) {
    let resolves =
        evidence.hosts.items.iter().any(|host| host.look.ok().is_some_and(|l| l.addresses > 0));
    let with_address = servers.iter().any(|server| server.address.is_some());
    if !resolves && with_address && servers.iter().all(|s| s.state.target_fault().is_some()) {
        authority(evidence, servers, out);
        return;
    }
    out.not_checked(
        Unseen::Condition,
        "name servers",
        "no name server can be reached directly from here, although resolvers know the zone",
        "run it from a network that lets DNS out to any server (UDP and TCP port 53)",
    );
}

/// What is wrong with one address of a server, if anything.
fn defect(server: &ServerView, blind_to_ipv6: bool) -> Option<String> {
    let at = server.address.map_or_else(String::new, |address| format!(" ({address})"));
    let name = &server.name;
    match &server.state {
        Seen::Ok(state) if state.is_sound() => None,
        Seen::Ok(state) if !state.authoritative => {
            Some(format!("{name}{at}: {}, without authority for the zone", rcode_name(state.rcode)))
        }
        Seen::Ok(state) => Some(format!("{name}{at}: {}, no SOA record", rcode_name(state.rcode))),
        Seen::Target(_) if blind_to_ipv6 && server.address.is_some_and(|a| a.is_ipv6()) => None,
        Seen::Target(fault) => Some(format!("{name}{at}: {fault}")),
        Seen::Agent(_) => None,
    }
}

fn authority(evidence: &Evidence, servers: &[ServerView], out: &mut Assessment) {
    // When every IPv6 address is silent and IPv4 is not, it is our own route that is missing.
    let v6 = |server: &&ServerView| server.address.is_some_and(|address| address.is_ipv6());
    let silent = |server: &ServerView| server.state.ok().is_none();
    let blind = servers.iter().any(|s| v6(&s))
        && servers.iter().filter(v6).all(silent)
        && servers.iter().any(|server| !v6(&server) && is_sound(server));
    let mut by_name: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for server in servers {
        if let Some(defect) = defect(server, blind) {
            by_name.entry(server.name.as_str()).or_default().push(defect);
        }
    }
    for (name, defects) in by_name {
        let zone = &evidence.zone;
        out.find(
            LAME.finding(name)
                .summary(format!("The name server {name} does not answer for {zone}."))
                .saw_all(defects)
                .fix(format!(
                    "At the provider that runs {name}, check that the zone {zone} exists and is \
                     active there; if {name} is no longer used, take it out of the name servers at \
                     your registrar and out of the NS records of {zone}."
                ))
                .undo(format!("Add {name} to the name servers at your registrar again.")),
        );
    }
    let unseen = servers.iter().find_map(|server| match &server.state {
        Seen::Agent(fault) => Some((fault.to_string(), fault.unlock())),
        _ => None,
    });
    let no_route =
        ("no name server answers over IPv6".to_owned(), "run it from a machine that has IPv6");
    if let Some((reason, unlock)) = unseen.or_else(|| blind.then_some(no_route)) {
        out.not_checked(Unseen::Noted, "some addresses of name servers", reason, unlock);
    }
}

fn serials(evidence: &Evidence, servers: &[ServerView], cx: &Cx<'_>, out: &mut Assessment) {
    // Two providers that are both primary count on their own.
    let mut by_primary: BTreeMap<&str, BTreeMap<u32, Vec<usize>>> = BTreeMap::new();
    for (index, server) in servers.iter().enumerate() {
        if let Some(ServerState { serial: Some(serial), primary: Some(primary), .. }) =
            server.state.ok().filter(|state| state.is_sound())
        {
            let serials = by_primary.entry(primary.as_str()).or_default();
            serials.entry(*serial).or_default().push(index);
        }
    }
    let Some((primary, serials)) = by_primary.iter().max_by_key(|(_, serials)| serials.len())
    else {
        return;
    };
    out.measure(SERIALS_SEEN.value(None, serials.len() as f64));
    if serials.len() < 2 {
        return;
    }
    // Since the last look at which they were in step.
    let earlier = cx.history.of(SERIALS_SEEN.name).iter().rev();
    let since = earlier.take_while(|point| point.value > 1.0).last().map(|point| point.at);
    let bound = cx.options.serial_warning.whole_seconds();
    let lasting =
        since.is_some_and(|at| cx.now.as_second().saturating_sub(at.as_second()) >= bound);
    let severity = if lasting { Severity::Warning } else { Severity::Info };
    let zone = &evidence.zone;
    let lines = serials.iter().map(|(serial, by)| {
        format!("serial {serial}: {}", super::existence::servers(evidence, by))
    });
    let since = since.filter(|_| lasting).map(|at| format!(" since {at}")).unwrap_or_default();
    let mut finding = SERIALS.finding(zone).at(severity);
    if lasting {
        finding.urgency = Urgency::Day;
    }
    out.find(
        finding
            .summary(format!(
                "The name servers of {zone} hold {} versions of the zone{since}.",
                serials.len()
            ))
            .saw_all(lines)
            .fix(format!(
                "Wait for the change to spread; if it stays so, check at your DNS provider why the \
                 other servers do not fetch the zone from {primary}."
            ))
            .undo("Nothing was changed."),
    );
}

fn number(evidence: &Evidence, servers: &[ServerView], out: &mut Assessment) {
    let zone = &evidence.zone;
    let names: BTreeSet<&str> = servers.iter().map(|server| server.name.as_str()).collect();
    if let (Some(only), 1) = (names.first(), names.len()) {
        out.find(
            ONE_SERVER
                .finding(zone)
                .summary(format!("{zone} has only one name server, {only}."))
                .saw(format!("{zone} NS {only}"))
                .fix(format!(
                    "At your registrar, enter a second name server of your DNS provider for {zone}, \
                     and add it as an NS record of the zone."
                ))
                .undo("Take the second name server out again."),
        );
        return;
    }
    // An anycast provider answers from many places behind neighbouring addresses.
    if names.iter().any(|name| providers::of_name_server(name).is_some()) {
        return;
    }
    let networks: BTreeSet<String> =
        servers.iter().filter_map(|server| server.address).map(network).collect();
    let (v6, v4): (Vec<&String>, Vec<&String>) = networks.iter().partition(|n| n.contains(':'));
    let placed: BTreeSet<&str> =
        servers.iter().filter(|s| s.address.is_some()).map(|s| s.name.as_str()).collect();
    if placed.len() > 1 && v4.len() <= 1 && v6.len() <= 1 {
        let listed: Vec<&str> = networks.iter().map(String::as_str).collect();
        let count = names.len();
        out.find(
            ONE_NETWORK
                .finding(zone)
                .summary(format!(
                    "All {count} name servers of {zone} stand in {}.",
                    listed.join(" and ")
                ))
                .saw_all(servers.iter().filter_map(|s| Some(format!("{} {}", s.name, s.address?))))
                .fix(format!(
                    "Move {zone} to a DNS provider that answers from several places (most hosted \
                     ones do), or add a name server in another network at your registrar."
                ))
                .undo("Enter the former name servers at your registrar again."),
        );
    }
}

/// The /24 or /48 that an address lies in.
fn network(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
    }
}

fn parent(evidence: &Evidence, out: &mut Assessment) {
    let zone = &evidence.zone;
    let Some(above) = &evidence.delegation.names else {
        out.not_checked(
            Unseen::Noted,
            "name servers at the registry",
            match &evidence.parent {
                Some(parent) => format!("no name server of {parent} answers for the delegation"),
                None => format!("the zone above {zone} was not found"),
            },
            "run it from a network that lets DNS out to any server (UDP and TCP port 53)",
        );
        return;
    };
    let ns = evidence.sets.iter().find(|views| views.kind == "NS");
    // Servers that disagree among themselves are another finding.
    let Some([view]) = ns.map(|views| views.answers.items.as_slice()) else { return };
    let trimmed = view.set.lines.items.iter().map(|line| line.trim_end_matches('.'));
    let below: BTreeSet<&str> = trimmed.collect();
    let above: BTreeSet<&str> = above.iter().map(String::as_str).collect();
    // More records than evidence keeps: what was kept must at least be named above.
    let equal = if view.set.lines.cut == 0 { below == above } else { below.is_subset(&above) };
    if equal || below.is_empty() {
        return;
    }
    let list = |names: &BTreeSet<&str>| names.iter().copied().collect::<Vec<_>>().join(", ");
    let parent = evidence.parent.as_deref().unwrap_or("the zone above");
    let missing: Vec<&str> = below.difference(&above).copied().collect();
    let stale: Vec<&str> = above.difference(&below).copied().collect();
    let mut differences = Vec::new();
    if !stale.is_empty() {
        differences.push(format!("the zone does not name {}", stale.join(", ")));
    }
    if !missing.is_empty() {
        differences.push(format!("the registry does not name {}", missing.join(", ")));
    }
    out.find(
        DELEGATION
            .finding(zone)
            .summary(format!(
                "The registry and the zone name different name servers for {zone}: {}.",
                differences.join(", and ")
            ))
            .saw(format!("at {parent}: {}", list(&above)))
            .saw(format!("in the zone: {}", list(&below)))
            .fix(format!(
                "Decide which name servers are right, then enter exactly these at your registrar and \
                 as NS records of {zone} at your DNS provider."
            ))
            .undo(format!("Enter the former name servers at your registrar again: {}.", list(&above))),
    );
}

fn transfers(evidence: &Evidence, servers: &[ServerView], out: &mut Assessment) {
    let zone = &evidence.zone;
    let open: Vec<String> = servers
        .iter()
        .filter_map(|server| match &server.transfer {
            Some(Seen::Ok(Transfer::Open { records })) => {
                let address = server.address?;
                Some(format!("{} ({address}) sends at least {records} records", server.name))
            }
            _ => None,
        })
        .collect();
    let fault = servers.iter().find_map(|server| server.transfer.as_ref()?.agent_fault());
    if let (Some(fault), true) = (fault, open.is_empty()) {
        out.not_checked(Unseen::Noted, "zone transfers", fault.to_string(), fault.unlock());
    }
    if !open.is_empty() {
        out.find(
            TRANSFER
                .finding(zone)
                .summary(format!(
                    "Anybody can fetch the whole zone {zone} from {} of the {} addresses of its name servers.",
                    open.len(),
                    servers.len()
                ))
                .saw_all(open)
                .fix(format!(
                    "At the provider of these name servers, allow zone transfers (AXFR) of {zone} \
                     only to the addresses of your own secondary servers; in BIND that is \
                     `allow-transfer {{ none; }};`."
                ))
                .undo("Allow the transfer again for the addresses that need it."),
        );
    }
}
