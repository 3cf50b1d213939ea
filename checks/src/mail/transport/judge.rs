//! Judges whether mail for each domain finds a server at all.

use super::super::published::{Unanswered, spf_lets_somebody_send, unanswered_code};
use super::look::{DomainLook, Evidence, Mx, MxLook, ServerLook};
use super::specs::{ADDRESS, ALIAS, NO_MX, NULL_MX, UNRESOLVABLE};
use super::{policies, servers};
use crate::contract::{Assessment, Severity, Target, Unseen};
use crate::probe::{Rcode, Seen};

pub(super) fn judge(evidence: &Evidence, target: &Target) -> Assessment {
    let mut out = Assessment::default();
    for domain in &evidence.domains.items {
        match &domain.mx {
            Seen::Ok(mx) => match unanswered_code(&domain.name, "MX", mx.rcode) {
                None => judge_mx(domain, mx, evidence, target, &mut out),
                Some(why) => unseen_mx(&domain.name, why, &mut out),
            },
            Seen::Target(fault) => unseen_mx(
                &domain.name,
                Unanswered {
                    reason: format!("the name servers of {} do not answer: {fault}", domain.name),
                    unlock: "mend the name servers of the domain, then run it again".to_owned(),
                },
                &mut out,
            ),
            Seen::Agent(fault) => unseen_mx(
                &domain.name,
                Unanswered { reason: fault.to_string(), unlock: fault.unlock().to_owned() },
                &mut out,
            ),
        }
    }
    for server in &evidence.servers.items {
        judge_name(server, evidence, &mut out);
    }
    servers::judge(evidence, &mut out);
    for domain in &evidence.domains.items {
        policies::judge(domain, &mut out);
    }
    let answered = |domain: &DomainLook| {
        domain.mx.ok().is_some_and(|mx| unanswered_code(&domain.name, "MX", mx.rcode).is_none())
    };
    out.unless_seen(evidence.domains.items.iter().any(answered));
    if evidence.servers.cut > 0 {
        out.not_checked(
            Unseen::Noted,
            "further mail servers",
            format!("mail servers past the sixth: {}", evidence.servers.cut),
            "remove MX records that are not needed",
        );
    }
    if evidence.domains.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "further From domains",
            format!("domains past the third: {}", evidence.domains.cut),
            "audit them as a project of their own",
        );
    }
    out
}

fn unseen_mx(domain: &str, why: Unanswered, out: &mut Assessment) {
    out.not_checked(NO_MX.unseen, format!("mail servers of {domain}"), why.reason, why.unlock);
}

fn judge_mx(
    domain: &DomainLook,
    mx: &MxLook,
    evidence: &Evidence,
    target: &Target,
    out: &mut Assessment,
) {
    let name = domain.name.as_str();
    let declared = !target.mail.not_used && target.mail.sends_from.iter().any(|from| from == name);
    let null = mx.records.items.iter().any(Mx::is_null);
    if null && (declared || mx.real().next().is_some()) {
        judge_null(name, mx, out);
    } else if !null && mx.real().next().is_none() {
        judge_none(domain, declared, evidence, target, out);
    }
    for record in mx.real().filter(|record| record.is_address()) {
        out.find(
            ADDRESS
                .finding(name)
                .key(&record.host)
                .summary(format!("An MX record of {name} holds the address {}.", record.host))
                .saw(said(name, record))
                .fix(format!(
                    "Give the server a name, such as mx.{name} with an A or AAAA record for {}, and \
                     change the MX record to “{} mx.{name}”.",
                    record.host, record.preference
                ))
                .undo(format!("Set the MX record to “{} {}” again.", record.preference, record.host)),
        );
    }
}

/// A record as it stands in the zone.
fn said(domain: &str, mx: &Mx) -> String {
    let host = if mx.is_null() { "." } else { mx.host.as_str() };
    format!("MX {domain}: {} {host}", mx.preference)
}

fn judge_null(name: &str, mx: &MxLook, out: &mut Assessment) {
    let beside = mx.real().next().is_some();
    out.find(
        NULL_MX
            .finding(name)
            .summary(if beside {
                format!("{name} has a null MX record beside real mail servers.")
            } else {
                format!("{name} says that it takes no mail, and sends mail all the same.")
            })
            .saw_all(mx.records.items.iter().map(|record| said(name, record)))
            .fix(if beside {
                format!("Delete the record “MX 0 .” of {name}; it may only stand alone.")
            } else {
                format!(
                    "Replace the record “MX 0 .” of {name} by the MX records of your mailbox \
                     provider, so that answers and delivery failures reach somebody."
                )
            })
            .undo(format!("Publish “MX 0 .” at {name} again.")),
    );
}

/// No mail server at all: a defect where mail is sent.
fn judge_none(
    domain: &DomainLook,
    declared: bool,
    evidence: &Evidence,
    target: &Target,
    out: &mut Assessment,
) {
    let name = domain.name.as_str();
    let spf = domain.spf.records().iter().find(|text| spf_lets_somebody_send(text));
    if target.mail.not_used {
        return;
    }
    if !declared && spf.is_none() {
        if let Some(Unanswered { reason, unlock }) = domain.spf.unanswered() {
            unseen_mx(name, Unanswered { reason, unlock }, out);
        }
        return;
    }
    // A name for sending only, below a domain that receives: answers mostly go to that one.
    let above = evidence.domains.items.iter().find(|other| {
        name.strip_suffix(other.name.as_str()).is_some_and(|rest| rest.ends_with('.'))
            && other.mx.ok().is_some_and(|mx| mx.real().next().is_some())
    });
    let mut finding = NO_MX
        .finding(name)
        .summary(format!("{name} sends mail and has no MX record, so nobody can answer."))
        .saw(format!("MX {name}: no record"));
    if declared {
        finding = finding.saw(format!("project.mail.sends_from names {name}"));
    }
    if let Some(spf) = spf {
        finding = finding.saw(format!("TXT {name}: {spf}"));
    }
    if let Some(above) = above {
        finding = finding
            .at(Severity::Info)
            .saw(format!("{} above it has mail servers", above.name))
            .fix(format!(
                "Set Reply-To in the mail from {name} to an address at {} that somebody reads, or \
                 publish MX records at {name} too.",
                above.name
            ));
    } else {
        finding = finding.fix(format!(
            "Publish the MX records of your mailbox provider at {name}: for Google Workspace “1 \
             smtp.google.com”; Microsoft 365, Fastmail and others show theirs in the set-up page \
             of the domain. If {name} neither sends nor receives mail, publish “0 .” as its only \
             MX record, and the SPF record “v=spf1 -all”."
        ));
    }
    out.find(finding.undo(format!("Delete the MX records of {name} again.")));
}

/// Whether the name of a mail server exists and is no alias.
fn judge_name(server: &ServerLook, evidence: &Evidence, out: &mut Assessment) {
    let host = server.host.as_str();
    let uses: Vec<String> = evidence
        .domains
        .items
        .iter()
        .filter_map(|domain| Some((domain, domain.mx.ok()?)))
        .flat_map(|(domain, mx)| {
            let records = mx.records.items.iter().filter(|record| record.host == host);
            records.map(|record| said(&domain.name, record))
        })
        .collect();
    if let Some(alias) = &server.alias {
        out.find(
            ALIAS
                .finding(host)
                .summary(format!("The mail server {host} is an alias of {alias}."))
                .saw_all(&uses)
                .saw(format!("CNAME {host}: {alias}"))
                .fix(format!(
                    "Change the MX record to the name {alias}, or replace the CNAME of {host} by \
                     A and AAAA records."
                ))
                .undo(format!("Set the MX record to {host} again.")),
        );
    }
    let code = match &server.rcode {
        Seen::Ok(_) if server.addresses > 0 => return,
        Seen::Ok(Rcode::NoError) => "no A or AAAA record",
        Seen::Ok(Rcode::NxDomain) => "NXDOMAIN",
        Seen::Ok(Rcode::ServFail) => "SERVFAIL",
        Seen::Ok(Rcode::Refused | Rcode::Other(_)) => "an answer code that says nothing",
        Seen::Target(_) => "no answer from its name servers",
        Seen::Agent(fault) => {
            out.not_checked(
                UNRESOLVABLE.unseen,
                format!("mail server {host}"),
                fault.to_string(),
                fault.unlock(),
            );
            return;
        }
    };
    if matches!(server.rcode, Seen::Ok(Rcode::Refused | Rcode::Other(_))) {
        out.not_checked(
            UNRESOLVABLE.unseen,
            format!("mail server {host}"),
            format!("A {host} is answered with {code}"),
            "name a resolver that answers, such as network.resolvers = [\"1.1.1.1\"]",
        );
        return;
    }
    let severity = if has_better(host, evidence) { Severity::Warning } else { Severity::Critical };
    out.find(
        UNRESOLVABLE
            .finding(host)
            .at(severity)
            .summary(format!("The mail server {host} has no address."))
            .saw_all(&uses)
            .saw(format!("A and AAAA {host}: {code}"))
            .fix(format!(
                "Correct the MX record to the name that your mailbox provider shows, publish A or \
                 AAAA records for {host}, or delete the MX record if the server is gone."
            ))
            .undo(format!("Publish the MX record with {host} again.")),
    );
}

/// Whether in each domain that uses `host` a server that exists stands strictly before it.
fn has_better(host: &str, evidence: &Evidence) -> bool {
    let exists = |name: &str| {
        evidence.servers.items.iter().any(|server| server.host == name && server.addresses > 0)
    };
    evidence.domains.items.iter().filter_map(|domain| domain.mx.ok()).all(|mx| {
        let mine = mx.records.items.iter().filter(|record| record.host == host);
        mine.map(|record| record.preference).min().is_none_or(|preference| {
            mx.real().any(|other| other.preference < preference && exists(&other.host))
        })
    })
}
