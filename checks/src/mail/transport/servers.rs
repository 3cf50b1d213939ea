//! Judges what the mail servers said at port 25.

use std::collections::BTreeMap;

use super::super::dmarc::registrable;
use super::super::dmarc::walk::is_within;
use super::super::providers;
use super::NOT_AFTER;
use super::look::{DomainLook, Encryption, Evidence, Handshake, ServerLook};
use super::specs::{CERTIFICATE, NO_STARTTLS, STARTTLS_FAILS, UNREACHABLE};
use crate::contract::{Assessment, Severity};
use crate::probe::{AgentFault, Seen, TargetFault, Trust};

pub(super) fn judge(evidence: &Evidence, out: &mut Assessment) {
    let servers = evidence.servers.items.as_slice();
    // One server that answers proves that port 25 is open from here.
    let open = servers
        .iter()
        .flat_map(|server| &server.greetings)
        .any(|greeting| greeting.answer.ok().is_some());
    for server in servers {
        // A large provider never refuses; a network between us and the world may.
        let own = |domain: &DomainLook| is_within(&server.host, registrable(&domain.name));
        let is_own = evidence.domains.items.iter().any(own);
        judge_connection(server, open, is_own, out);
        let more = server.addresses.saturating_sub(server.greetings.len());
        if more > 0 {
            out.not_checked(
                NO_STARTTLS.unseen,
                format!("further addresses of {}", server.host),
                format!("addresses past the fourth: {more}"),
                "nothing can be done; four addresses of a server are looked at",
            );
        }
        judge_encryption(server, is_own, out);
    }
    note_our_limits(servers, out);
}

/// What to do about a server that nobody of the project can log in to.
fn theirs(host: &str, defect: &str) -> String {
    let owner = match providers::behind_mx(host) {
        Some(provider) => provider.name,
        None => registrable(host),
    };
    format!(
        "{host} belongs to {owner} and not to you: report there that {defect}. Compare your MX \
         records with those that {owner} asks for today, and change or delete the one with {host} if \
         it is not among them."
    )
}

fn restore(host: &str) -> String {
    format!("Publish the MX record with {host} again.")
}

/// `open` says that port 25 is open from here, `is_own` that the server has a name of the project's.
fn judge_connection(server: &ServerLook, open: bool, is_own: bool, out: &mut Assessment) {
    let host = server.host.as_str();
    let faults: Vec<_> = server
        .greetings
        .iter()
        .filter_map(|greeting| Some((greeting.address, greeting.answer.target_fault()?)))
        .collect();
    if faults.is_empty() {
        return;
    }
    let works = server.greetings.iter().any(|greeting| greeting.answer.ok().is_some());
    let refused = faults.iter().all(|(_, fault)| matches!(fault, TargetFault::Refused(_)));
    let silent = faults
        .iter()
        .all(|(_, fault)| matches!(fault, TargetFault::Refused(_) | TargetFault::TimedOut(_)));
    if (refused && is_own) || (silent && open) {
        out.find(
            UNREACHABLE
                .finding(host)
                .at(if works { Severity::Info } else { Severity::Warning })
                .summary(format!(
                    "The mail server {host} takes no connections at {} of {} addresses.",
                    faults.len(),
                    server.greetings.len()
                ))
                .saw_all(
                    faults.iter().map(|(address, fault)| format!("{address} port 25: {fault}")),
                )
                .fix(if is_own {
                    format!(
                        "Start the mail service on {host} and open port 25 in its firewall, or \
                         remove the server from the MX records. If mail arrives as usual, the \
                         server refuses only the network that this audit ran from: run it from \
                         another one."
                    )
                } else {
                    format!(
                        "{} If mail arrives as usual, the server refuses only the network that \
                         this audit ran from: run it from another one.",
                        theirs(host, "it takes no connections")
                    )
                })
                .undo(if is_own {
                    "Close the port or publish the MX record again.".to_owned()
                } else {
                    restore(host)
                }),
        );
    } else {
        let what = faults.first().map(|(address, fault)| format!("{address}: {fault}"));
        out.not_checked(
            NO_STARTTLS.unseen,
            format!("encryption of {host}"),
            format!("the server did not talk to us: {}", what.unwrap_or_default()),
            "run it from a network whose mail servers are trusted, such as a server with its own \
             address",
        );
    }
}

fn judge_encryption(server: &ServerLook, is_own: bool, out: &mut Assessment) {
    let host = server.host.as_str();
    let said = || {
        server
            .greetings
            .iter()
            .filter_map(|greeting| Some((greeting.address, greeting.answer.ok()?)))
    };
    let plain: Vec<_> = said()
        .filter(|(_, encryption)| matches!(encryption, Encryption::NotOffered))
        .map(|(address, _)| format!("{address} port 25: the answer to EHLO has no STARTTLS"))
        .collect();
    if !plain.is_empty() {
        out.find(
            NO_STARTTLS
                .finding(host)
                .summary(format!(
                    "The mail server {host} does not offer encryption (STARTTLS) at {} of {} \
                     addresses.",
                    plain.len(),
                    server.greetings.len()
                ))
                .saw_all(plain)
                .fix(if is_own {
                    format!(
                        "Switch on STARTTLS with a certificate for {host} (Postfix: \
                         smtpd_tls_security_level = may), or move to a mailbox provider that has it."
                    )
                } else {
                    theirs(host, "it offers no encryption (STARTTLS)")
                })
                .undo(if is_own {
                    "Switch STARTTLS off again (Postfix: smtpd_tls_security_level = none)."
                        .to_owned()
                } else {
                    restore(host)
                }),
        );
    }
    let failed: Vec<_> = said()
        .filter_map(|(address, encryption)| match encryption {
            Encryption::Offered(Seen::Target(fault)) => {
                Some(format!("{address} port 25, STARTTLS: {fault}"))
            }
            _ => None,
        })
        .collect();
    if !failed.is_empty() {
        out.find(
            STARTTLS_FAILS
                .finding(host)
                .summary(format!(
                    "The mail server {host} offers STARTTLS, and the handshake fails."
                ))
                .saw_all(failed)
                .fix(if is_own {
                    format!(
                        "Check the certificate, the key and the TLS versions of the mail service on \
                         {host}; “openssl s_client -starttls smtp -connect {host}:25” shows the \
                         error."
                    )
                } else {
                    theirs(host, "the handshake after STARTTLS fails")
                })
                .undo(if is_own {
                    "Restore the old TLS settings of the mail service.".to_owned()
                } else {
                    restore(host)
                }),
        );
    }
    let shaken: Vec<(std::net::IpAddr, &Handshake)> = said()
        .filter_map(|(address, encryption)| match encryption {
            Encryption::Offered(seen) => Some((address, seen.ok()?)),
            Encryption::NotOffered => None,
        })
        .collect();
    judge_certificate(host, is_own, &shaken, out);
    if let Some(not_after) = shaken.iter().filter_map(|(_, shaken)| shaken.not_after).min() {
        out.measure(NOT_AFTER.value(Some(host), not_after.as_duration().as_secs_f64()));
    }
}

fn judge_certificate(
    host: &str,
    is_own: bool,
    shaken: &[(std::net::IpAddr, &Handshake)],
    out: &mut Assessment,
) {
    let mut wrong = shaken.iter().filter(|(_, shaken)| shaken.trust != Trust::Trusted).peekable();
    let Some((_, first)) = wrong.peek() else { return };
    let why = in_words(&first.trust);
    let lines = wrong.map(|(address, shaken)| {
        let until = shaken.not_after.map_or(String::new(), |at| format!(", valid until {at}"));
        let more = if shaken.names.cut > 0 { " and more" } else { "" };
        format!(
            "{address}: {}; certificate for {}{more}, issued by {}{until}",
            in_words(&shaken.trust),
            shaken.names.items.join(", "),
            shaken.issuer
        )
    });
    out.find(
        CERTIFICATE
            .finding(host)
            .summary(format!("The certificate of the mail server {host} {why}."))
            .saw_all(lines.collect::<Vec<_>>())
            .fix(if is_own {
                format!(
                    "Install a certificate from a public authority for the name {host} with its \
                     whole chain, for instance “certbot certonly -d {host}”, and have the mail \
                     service load it again after each renewal."
                )
            } else {
                theirs(host, &format!("its certificate {why}"))
            })
            .undo(if is_own {
                "Set the mail service to the old certificate and key.".to_owned()
            } else {
                restore(host)
            }),
    );
}

pub(super) fn in_words(trust: &Trust) -> String {
    match trust {
        Trust::Trusted => "is trusted".to_owned(),
        Trust::Expired => "has expired".to_owned(),
        Trust::NotYetValid => "is not valid yet".to_owned(),
        Trust::NameMismatch => "is for another name".to_owned(),
        Trust::SelfSigned => "is self-signed".to_owned(),
        Trust::Incomplete => "is sent without its intermediate".to_owned(),
        Trust::UnknownIssuer => "comes from an issuer that nobody knows".to_owned(),
        Trust::Revoked => "is revoked".to_owned(),
        Trust::Other(detail) => format!("is not trusted: {detail}"),
    }
}

/// One part for each limit of ours, with the servers that it hid.
fn note_our_limits(servers: &[ServerLook], out: &mut Assessment) {
    let mut hidden: BTreeMap<String, (&AgentFault, Vec<&str>)> = BTreeMap::new();
    for server in servers {
        let faults = server.greetings.iter().filter_map(|greeting| match &greeting.answer {
            Seen::Agent(fault) | Seen::Ok(Encryption::Offered(Seen::Agent(fault))) => Some(fault),
            _ => None,
        });
        for fault in faults {
            let (_, hosts) = hidden.entry(kind(fault)).or_insert((fault, Vec::new()));
            if !hosts.contains(&server.host.as_str()) {
                hosts.push(&server.host);
            }
        }
    }
    for (part, (fault, hosts)) in hidden {
        let reason = format!("{fault} ({})", hosts.join(", "));
        out.not_checked(NO_STARTTLS.unseen, part, reason, fault.unlock());
    }
}

/// What a limit of ours hides.
fn kind(fault: &AgentFault) -> String {
    match fault {
        AgentFault::NoIpv6 => "encryption of mail servers over IPv6",
        _ => "encryption of mail servers",
    }
    .to_owned()
}
