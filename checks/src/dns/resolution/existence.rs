//! Judges whether the hosts resolve, and the aliases on the way.

use super::evidence::{Evidence, HostAnswer, HostView, Outcome};
use super::{APEX_ALIAS, BESIDE_DATA, CHAIN, Cx, LOOP, UNRESOLVABLE};
use crate::contract::{Assessment, Unseen};
use crate::dns::providers;
use crate::dns::records::rcode_name;
use crate::probe::{Rcode, Seen};

/// Judges every host. Where the signatures are broken, that is the finding and not each host.
pub(super) fn judge(evidence: &Evidence, cx: &Cx<'_>, broken: bool, out: &mut Assessment) {
    let provider = providers::of_all(evidence.servers.items.iter().map(|s| s.name.as_str()));
    for host in &evidence.hosts.items {
        aliases(evidence, host, provider, out);
        match &host.look {
            Seen::Ok(look) if look.addresses > 0 => too_long(host, look, cx, provider, out),
            Seen::Ok(look) if look.loops => looped(host, look, provider, out),
            Seen::Ok(look) if host.declared && !(broken && host.bogus) => {
                missing(evidence, cx, host, &reason(look), look, provider, out);
            }
            Seen::Target(fault) if host.declared => {
                let look = HostAnswer {
                    rcode: Rcode::ServFail,
                    addresses: 0,
                    platform: None,
                    aliases: 0,
                    path: Vec::new(),
                    loops: false,
                };
                missing(evidence, cx, host, &fault.to_string(), &look, provider, out);
            }
            Seen::Ok(_) | Seen::Target(_) => {}
            Seen::Agent(fault) => {
                let unseen = if host.declared { Unseen::Blocks } else { Unseen::Noted };
                let part = format!("addresses of {}", host.name);
                out.not_checked(unseen, part, fault.to_string(), fault.unlock());
            }
        }
    }
    if evidence.hosts.cut > 0 {
        out.not_checked(
            Unseen::Blocks,
            "hosts past the limit",
            format!("{} more hosts are declared than are looked at", evidence.hosts.cut),
            "split the hosts over several projects of the config",
        );
    }
}

fn reason(look: &HostAnswer) -> String {
    match look.rcode {
        Rcode::NoError => "it has no address record (A or AAAA)".to_owned(),
        Rcode::NxDomain if look.aliases > 0 => {
            "its alias leads to a name that does not exist (NXDOMAIN)".to_owned()
        }
        Rcode::NxDomain => "the name does not exist (NXDOMAIN)".to_owned(),
        Rcode::ServFail => "the name servers fail to answer (SERVFAIL)".to_owned(),
        other => format!("the resolvers answer {}", rcode_name(other)),
    }
}

/// Nobody holds the domain: it has no name server, and resolvers know no such name.
pub(super) fn no_such_zone(evidence: &Evidence, cx: &Cx<'_>) -> bool {
    let is_missing = |look: &HostAnswer| look.rcode == Rcode::NxDomain && look.aliases == 0;
    let mut hosts = evidence.hosts.items.iter();
    let domain = hosts.find(|host| host.name == cx.target.domain);
    evidence.servers.items.is_empty()
        && domain.is_some_and(|domain| domain.look.ok().is_some_and(is_missing))
}

fn missing(
    evidence: &Evidence,
    cx: &Cx<'_>,
    host: &HostView,
    reason: &str,
    look: &HostAnswer,
    provider: &str,
    out: &mut Assessment,
) {
    let name = &host.name;
    let mut finding = UNRESOLVABLE
        .finding(name)
        .summary(format!("{name} does not resolve: {reason}."))
        .saw(format!("{name} A, AAAA: {reason}"));
    if look.aliases > 0 {
        finding = finding.saw(format!("{name} CNAME {}", path(look)));
    }
    for view in &host.servers {
        finding =
            finding.saw(format!("{} say: {}", servers(evidence, &view.by), words(view.outcome)));
    }
    if look.rcode == Rcode::NxDomain && look.aliases == 0 && no_such_zone(evidence, cx) {
        let zone = &evidence.zone;
        out.find(
            finding
                .summary(if name == zone {
                    format!("The domain {zone} does not exist.")
                } else {
                    format!("{name} does not resolve: the domain {zone} does not exist.")
                })
                .saw(format!("{zone} NS: no name server, as for a domain that nobody registered"))
                .fix(format!(
                    "Check the spelling of {zone} in the config. If it is right, look at your \
                     registrar whether {zone} is registered, paid for and active, and register or \
                     renew it; until then no record of it has an effect."
                ))
                .undo("Put the former name back into the config."),
        );
        return;
    }
    let fix = if look.rcode == Rcode::ServFail {
        format!(
            "At {provider}, check that the zone of {name} exists and is active; where another \
             finding names a broken name server or a broken signature, mend that first."
        )
    } else if look.aliases > 0 {
        format!(
            "At {provider}, point the CNAME record of {name} at the name that your hosting platform \
             shows today under “Domains”, and check there that {name} is added to the project."
        )
    } else {
        format!(
            "At {provider}, add the record for {name} that your hosting platform shows under \
             “Domains” (an A record with its address, or a CNAME record with its name); if {name} is \
             no longer used, take it out of `hosts` in the config."
        )
    };
    let undo = if look.aliases > 0 {
        format!(
            "Point the CNAME record of {name} back at {}.",
            look.path.first().map_or("its former name", String::as_str)
        )
    } else {
        format!("Delete the record of {name} again.")
    };
    out.find(finding.fix(fix).undo(undo));
}

/// The aliases of a host, with a mark where some were left out.
fn path(look: &HostAnswer) -> String {
    let mut names: Vec<&str> = look.path.iter().map(String::as_str).collect();
    if look.aliases > names.len() {
        names.insert(names.len().saturating_sub(1), "…");
    }
    names.join(" → ")
}

/// The names of servers told by index.
pub(super) fn servers(evidence: &Evidence, by: &[usize]) -> String {
    let mut names: Vec<String> = by
        .iter()
        .filter_map(|index| evidence.servers.items.get(*index))
        .map(|server| match server.address {
            Some(address) => format!("{} ({address})", server.name),
            None => server.name.clone(),
        })
        .collect();
    if names.len() > 4 {
        let more = names.len() - 3;
        names.truncate(3);
        names.push(format!("{more} more"));
    }
    names.join(", ")
}

/// An outcome in words.
pub(super) const fn words(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Answers => "an address or an alias",
        Outcome::NoSuchName => "no such name (NXDOMAIN)",
        Outcome::NoAddress => "no address",
        Outcome::Fails => "an error",
    }
}

fn looped(host: &HostView, look: &HostAnswer, provider: &str, out: &mut Assessment) {
    let name = &host.name;
    out.find(
        LOOP.finding(name)
            .summary(format!("{name} never comes to an address: its aliases lead in a circle."))
            .saw(format!("{name} CNAME {}", path(look)))
            .fix(format!(
                "At {provider}, point one of these CNAME records at the name that your hosting \
                 platform shows under “Domains”, instead of at the next alias of the circle."
            ))
            .undo("Point the record back at the alias that is shown above."),
    );
}

fn too_long(host: &HostView, look: &HostAnswer, cx: &Cx<'_>, provider: &str, out: &mut Assessment) {
    let (name, limit) = (&host.name, cx.options.alias_links);
    if look.aliases <= limit {
        return;
    }
    let last = look.path.last().map_or("the last name", String::as_str);
    out.find(
        CHAIN
            .finding(name)
            .summary(format!(
                "{name} passes through {} aliases before it comes to an address; more than {limit} \
                 is too many.",
                look.aliases
            ))
            .saw(format!("{name} CNAME {}", path(look)))
            .fix(format!("At {provider}, point the CNAME record of {name} straight at {last}."))
            .undo(format!(
                "Point the CNAME record of {name} back at {}.",
                look.path.first().map_or("its first alias", String::as_str)
            )),
    );
}

/// Only what the zone's own name servers publish counts: many of them flatten an alias at the apex
/// into addresses, which is sound.
fn aliases(evidence: &Evidence, host: &HostView, provider: &str, out: &mut Assessment) {
    let (name, Some(alias)) = (&host.name, &host.alias) else { return };
    let at_apex = *name == evidence.zone;
    if at_apex {
        out.find(
            APEX_ALIAS
                .finding(name)
                .summary(format!("{name} is an alias of {alias}, which a bare domain may not be."))
                .saw(format!("{name} CNAME {alias}"))
                .fix(format!(
                    "At {provider}, replace the CNAME record of {name} by the A record that your \
                     hosting platform shows for a bare domain, or by an ALIAS, ANAME or flattened \
                     CNAME record where the provider has one."
                ))
                .undo(format!("Put the CNAME record of {name} to {alias} back.")),
        );
    }
    if !host.beside.is_empty() && !at_apex {
        let kinds = host.beside.join(", ");
        out.find(
            BESIDE_DATA
                .finding(name)
                .summary(format!("{name} has a CNAME record and beside it {kinds} records."))
                .saw(format!("{name} CNAME {alias}"))
                .saw(format!("{name} {kinds}"))
                .fix(format!(
                    "At {provider}, keep either the CNAME record of {name} or its {kinds} records \
                     and delete the others; mail and verification records can move to a name of \
                     their own."
                ))
                .undo("Add the deleted records again as they are shown above."),
        );
    }
}
