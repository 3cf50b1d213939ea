//! What could not be seen, and whose fault that is.

use super::evidence::{AddressSeen, Evidence, HostSeen, PAIRS};
use crate::contract::{Assessment, Unseen};
use crate::probe::{AgentFault, Seen, TargetFault};
use crate::tls::reach::Part;

/// The server answers, but no certificate comes of it.
pub(super) fn is_broken(at: &AddressSeen) -> bool {
    match &at.shake {
        Seen::Ok(shake) => shake.leaf.is_none(),
        Seen::Target(fault) => matches!(
            fault,
            TargetFault::Tls(_) | TargetFault::Malformed(_) | TargetFault::TooLarge(_)
        ),
        Seen::Agent(_) => false,
    }
}

/// Nothing came within the time-out.
pub(super) fn is_silent(at: &AddressSeen) -> bool {
    matches!(at.shake, Seen::Target(TargetFault::TimedOut(_)))
}

/// Whether every IPv6 address is silent while IPv4 answers: then the IPv6 network of this machine
/// is as likely a cause as the target.
pub(super) fn is_ipv6_silent(evidence: &Evidence) -> bool {
    let all = || evidence.hosts.iter().flat_map(|host| &host.at);
    let mut v6 = all().filter(|at| at.address.is_ipv6()).peekable();
    v6.peek().is_some()
        && v6.all(is_silent)
        && all().any(|at| at.address.is_ipv4() && at.shake.ok().is_some())
}

/// Lists the parts that were not seen.
pub(super) fn note(evidence: &Evidence, out: &mut Assessment) {
    let nothing =
        !evidence.hosts.iter().flat_map(|host| &host.at).any(|at| at.shake.ok().is_some());
    for host in &evidence.hosts {
        host_parts(host, nothing, out);
    }
    without_ipv6(evidence, out);
    if evidence.pairs_cut > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("{} more addresses", evidence.pairs_cut),
            format!("one run looks at {PAIRS} pairs of host and address"),
            "split the hosts over several projects in the config",
        );
    }
}

/// A host of which no certificate was seen, and addresses that we could not look at.
fn host_parts(host: &HostSeen, nothing: bool, out: &mut Assessment) {
    let name = &host.name;
    // When no host at all showed a certificate, nothing is proven and the run is no pass.
    let theirs = if nothing { Unseen::Blocks } else { Unseen::Condition };
    let part = Part {
        host: name,
        declared: host.declared,
        words: format!("certificate of {name}"),
        unseen: (Unseen::Blocks, theirs),
    };
    if part.note_unresolved(&host.addresses, out) {
        return;
    }
    // The judgement covers what answered, and servers that answer without a certificate.
    let judged = host.at.iter().any(|at| at.shake.ok().is_some() || is_broken(at));
    let agent = |at: &AddressSeen| at.shake.agent_fault().cloned();
    if judged {
        let faults = host.at.iter().filter_map(|at| Some((at.address, agent(at)?)));
        let mut faults = faults.filter(|(_, fault)| *fault != AgentFault::NoIpv6);
        if let Some((address, fault)) = faults.next() {
            let part = Part {
                words: format!("certificate of {name} at {address}"),
                unseen: (Unseen::Condition, Unseen::Condition),
                ..part
            };
            part.note(true, fault.to_string(), fault.unlock().to_owned(), out);
        }
    } else if let Some(fault) = host.at.iter().find_map(agent) {
        part.note(true, fault.to_string(), fault.unlock().to_owned(), out);
    } else if let Some(fault) = host.at.iter().find_map(|at| at.shake.target_fault()) {
        let unlock = format!(
            "make {name} answer on port 443, or take it out of `hosts` if it is no web site"
        );
        part.note(false, fault.to_string(), unlock, out);
    }
}

/// One part for all IPv6 addresses that this machine could not reach beside IPv4 ones that it could.
fn without_ipv6(evidence: &Evidence, out: &mut Assessment) {
    let silent = is_ipv6_silent(evidence);
    let is_unseen = |at: &&AddressSeen| {
        at.shake.agent_fault() == Some(&AgentFault::NoIpv6)
            || (silent && at.address.is_ipv6() && is_silent(at))
    };
    let partly = evidence.hosts.iter().filter(|host| {
        host.at.iter().any(|at| at.shake.ok().is_some()) && host.at.iter().any(|at| is_unseen(&at))
    });
    let names: Vec<&str> = partly.map(|host| host.name.as_str()).collect();
    if names.is_empty() {
        return;
    }
    // Many networks have no IPv6; that alone must not keep a project from its launch.
    let (reason, unseen) = if silent {
        let both = "no IPv6 address answered, while IPv4 did; the fault may be the network of this \
                    machine";
        (both.to_owned(), Unseen::Condition)
    } else {
        (AgentFault::NoIpv6.to_string(), Unseen::Noted)
    };
    out.not_checked(
        unseen,
        format!("IPv6 addresses of {}", names.join(", ")),
        reason,
        AgentFault::NoIpv6.unlock(),
    );
}
