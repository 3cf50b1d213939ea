//! Judges which versions and suites a host accepts.

use std::net::IpAddr;

use super::spec;
use super::{AddressSeen, Evidence, HostSeen, PAIRS};
use crate::contract::{Assessment, Finding, Severity, Unseen};
use crate::probe::{AgentFault, HelloAnswer, ProtocolVersion, Seen, TargetFault};
use crate::tls::operator;
use crate::tls::reach::Part;

pub(super) fn assess(evidence: &Evidence) -> Assessment {
    let mut out = Assessment::default();
    let nothing = !evidence.hosts.iter().flat_map(|host| &host.at).any(is_judged);
    for host in &evidence.hosts {
        let part = part(host, nothing);
        if !part.note_unresolved(&host.addresses, &mut out) {
            judge(host, &mut out);
            note(host, part, &mut out);
        }
    }
    if evidence.pairs_cut > 0 {
        out.not_checked(
            Unseen::Noted,
            format!("protocol versions at {} more addresses", evidence.pairs_cut),
            format!("one run looks at {PAIRS} pairs of host and address"),
            "split the hosts over several projects in the config",
        );
    }
    out
}

fn part(host: &HostSeen, nothing: bool) -> Part<'_> {
    // When no host at all accepted a version, nothing is proven and the run is no pass.
    let unseen = if nothing { Unseen::Blocks } else { Unseen::Condition };
    Part {
        host: &host.name,
        declared: host.declared,
        words: format!("protocol versions of {}", host.name),
        unseen: (unseen, unseen),
    }
}

fn answer(at: &AddressSeen, version: ProtocolVersion) -> Option<&Seen<HelloAnswer>> {
    at.versions.iter().find(|(asked, _)| *asked == version).map(|(_, answer)| answer)
}

/// The suite that the server chose when only this version was offered.
fn accepted(at: &AddressSeen, version: ProtocolVersion) -> Option<&str> {
    match answer(at, version)?.ok()? {
        HelloAnswer::Accepted { version: chosen, suite } if *chosen == version => Some(suite),
        _ => None,
    }
}

/// Whether an offer was turned down, or answered with an older version, and not merely without an
/// answer.
fn is_refused(offered: ProtocolVersion, answer: Option<&Seen<HelloAnswer>>) -> bool {
    match answer {
        Some(Seen::Ok(HelloAnswer::Accepted { version, .. })) => *version != offered,
        Some(Seen::Ok(HelloAnswer::Rejected { .. })) => true,
        Some(Seen::Target(fault)) => !matches!(fault, TargetFault::TimedOut(_)),
        Some(Seen::Agent(_)) | None => false,
    }
}

/// Only a server that accepts something says anything by what it refuses.
fn is_judged(at: &AddressSeen) -> bool {
    ProtocolVersion::ALL.into_iter().any(|version| accepted(at, version).is_some())
}

fn judge(host: &HostSeen, out: &mut Assessment) {
    let judged: Vec<&AddressSeen> = host.at.iter().filter(|at| is_judged(at)).collect();
    if judged.is_empty() {
        return;
    }
    let accepting = |version| -> Vec<&AddressSeen> {
        judged.iter().copied().filter(|at| accepted(at, version).is_some()).collect()
    };
    let (ssl3, tls10, tls11) = (
        accepting(ProtocolVersion::Ssl3),
        accepting(ProtocolVersion::Tls10),
        accepting(ProtocolVersion::Tls11),
    );
    let count = [&ssl3, &tls10, &tls11].iter().filter(|at| !at.is_empty()).count();
    out.measure(spec::OLD_VERSIONS.value(Some(&host.name), count as f64));
    if !ssl3.is_empty() {
        let finding = spec::SSL3.finding(&host.name).summary(format!(
            "{}{} accepts SSL 3.0.",
            host.name,
            place(host, &ssl3)
        ));
        out.find(minimum(host, saw_versions(finding, &ssl3)));
    }
    old_versions(host, &tls10, &tls11, out);
    let is_without_13 =
        |at: &&AddressSeen| is_refused(ProtocolVersion::Tls13, answer(at, ProtocolVersion::Tls13));
    let without_13: Vec<&AddressSeen> = judged.into_iter().filter(is_without_13).collect();
    if without_13.is_empty() {
        return;
    }
    let finding = spec::NO_13.finding(&host.name).summary(format!(
        "{}{} refuses TLS 1.3.",
        host.name,
        place(host, &without_13)
    ));
    out.find(newer(host, saw_versions(finding, &without_13)));
    suites(host, &without_13, out);
}

fn old_versions(
    host: &HostSeen,
    tls10: &[&AddressSeen],
    tls11: &[&AddressSeen],
    out: &mut Assessment,
) {
    let words = match (tls10.is_empty(), tls11.is_empty()) {
        (true, true) => return,
        (false, true) => "TLS 1.0",
        (true, false) => "TLS 1.1",
        (false, false) => "TLS 1.0 and TLS 1.1",
    };
    let mut at = tls10.to_vec();
    at.extend(tls11.iter().filter(|at| !tls10.iter().any(|known| known.address == at.address)));
    let mut finding = spec::OLD.finding(&host.name);
    let mut by = String::new();
    if let Some(platform) = &host.platform {
        // The vendor's edge answers, with settings that are safe behind modern suites.
        finding = finding.at(Severity::Info);
        by = format!(" at the edge of {platform}");
    }
    let finding =
        finding.summary(format!("{}{} accepts {words}{by}.", host.name, place(host, &at)));
    out.find(minimum(host, saw_versions(finding, &at)));
}

/// Suites of servers without TLS 1.3, whose suites are all strong and forward-secret.
fn suites(host: &HostSeen, without_13: &[&AddressSeen], out: &mut Assessment) {
    let speaks_12 = |at: &&&AddressSeen| accepted(at, ProtocolVersion::Tls12).is_some();
    let without_secrecy: Vec<&AddressSeen> = without_13
        .iter()
        .filter(speaks_12)
        .filter(|at| is_refused(ProtocolVersion::Tls12, Some(&at.forward_secret)))
        .copied()
        .collect();
    let weak: Vec<&AddressSeen> = without_13
        .iter()
        .filter(speaks_12)
        .filter(|at| is_refused(ProtocolVersion::Tls12, Some(&at.strong)))
        .filter(|at| {
            // Without forward secrecy no offer was strong; that finding says it, unless the cipher
            // itself is broken too.
            !is_refused(ProtocolVersion::Tls12, Some(&at.forward_secret))
                || accepted(at, ProtocolVersion::Tls12).is_some_and(is_broken)
        })
        .copied()
        .collect();
    for (spec, what, at) in [
        (&spec::WEAK, "offers only weak cipher suites", weak),
        (&spec::NO_FORWARD_SECRECY, "offers no cipher suite with forward secrecy", without_secrecy),
    ] {
        if !at.is_empty() {
            let finding = spec.finding(&host.name).summary(format!(
                "{}{} {what}.",
                host.name,
                place(host, &at)
            ));
            out.find(newer(host, saw_versions(finding, &at)));
        }
    }
}

/// Whether the cipher of a suite is broken (RFC 7465 for RC4, RFC 9325 section 4.1 for the rest).
fn is_broken(suite: &str) -> bool {
    ["RC4", "3DES", "DES_CBC", "NULL", "EXPORT", "MD5", "anon"]
        .iter()
        .any(|part| suite.contains(part))
}

/// Lists what each address accepts, in the order of versions.
fn saw_versions(finding: Finding, at: &[&AddressSeen]) -> Finding {
    finding.saw_all(at.iter().map(|at| {
        let versions = ProtocolVersion::ALL.into_iter().filter_map(|version| {
            accepted(at, version).map(|suite| format!("{} with {suite}", version.as_str()))
        });
        format!("{} accepts {}", at.address, versions.collect::<Vec<_>>().join("; "))
    }))
}

fn minimum(host: &HostSeen, finding: Finding) -> Finding {
    let (fix, undo) = operator::minimum_version(host.platform.as_deref(), &host.name);
    finding.fix(fix).undo(undo)
}

fn newer(host: &HostSeen, finding: Finding) -> Finding {
    let name = &host.name;
    match host.platform.as_deref() {
        Some("Cloudflare") => finding
            .fix(format!(
                "In the Cloudflare dashboard open the zone of {name}, SSL/TLS → Edge Certificates, \
                 and switch TLS 1.3 on."
            ))
            .undo("Switch TLS 1.3 off in the same place."),
        Some(platform) => finding
            .fix(format!(
                "In the dashboard of {platform} choose the newest TLS security policy for {name}."
            ))
            .undo("Choose the earlier policy in the same place."),
        None => finding
            .fix(format!(
                "On the server of {name} use OpenSSL 1.1.1 or newer and the settings of Mozilla's \
                 “intermediate” profile. nginx: `ssl_protocols TLSv1.2 TLSv1.3;` and `ssl_ciphers \
                 ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:\
                 ECDHE-RSA-CHACHA20-POLY1305;`. Then reload it."
            ))
            .undo("Put the earlier lines back and reload the web server."),
    }
}

/// At which addresses, where not at all of them.
fn place(host: &HostSeen, at: &[&AddressSeen]) -> String {
    if host.at.iter().filter(|at| is_judged(at)).count() == at.len() {
        return String::new();
    }
    let addresses: Vec<String> = at.iter().map(|at| at.address.to_string()).collect();
    format!(" at {}", addresses.join(", "))
}

/// Lists what was not seen at a host that has addresses.
fn note(host: &HostSeen, part: Part<'_>, out: &mut Assessment) {
    let faults = || host.at.iter().flat_map(|at| at.versions.iter().map(move |v| (at.address, v)));
    let agent = |(address, (_, seen)): (IpAddr, &(_, Seen<HelloAnswer>))| {
        seen.agent_fault().map(|fault| (address, fault.clone()))
    };
    if host.at.iter().any(is_judged) {
        // Versions are set per host and not per address: IPv4 alone proves enough.
        let mut ours = faults().filter_map(agent).filter(|(_, f)| *f != AgentFault::NoIpv6);
        if let Some((address, fault)) = ours.next() {
            let words = format!("some protocol versions of {} at {address}", host.name);
            let part = Part { words, ..part };
            part.note(true, fault.to_string(), fault.unlock().to_owned(), out);
        }
        return;
    }
    if let Some((_, fault)) = faults().find_map(agent) {
        part.note(true, fault.to_string(), fault.unlock().to_owned(), out);
        return;
    }
    let reason = faults().find_map(|(_, (_, seen))| match seen {
        Seen::Target(fault) => Some(fault.to_string()),
        Seen::Ok(HelloAnswer::Rejected { alert }) => {
            Some(format!("the server turns down every version: {alert}"))
        }
        _ => None,
    });
    let unlock = format!("make {} answer on port 443 with a certificate", host.name);
    part.note(false, reason.unwrap_or_else(|| "no address was looked at".to_owned()), unlock, out);
}
