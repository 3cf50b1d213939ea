//! Judges MTA-STS, TLS-RPT and BIMI.

use std::collections::BTreeMap;

use super::super::dmarc::record::{Policy as Dmarc, Record};
use super::super::dmarc::valid_record;
use super::super::dmarc::walk::{Source, walk};
use super::super::published::{Published, shown};
use super::look::{DomainLook, MxLook, PolicyLook};
use super::policy::{Mode, sts_record_problem, tag, tls_rpt_problem};
use super::servers::in_words;
use super::specs::{BIMI, STS_MALFORMED, STS_POLICY, STS_UNCOVERED, TLS_REPORTS};
use crate::contract::{Assessment, Finding, FindingSpec, Unseen};
use crate::probe::{Seen, Trust};

pub(super) fn judge(domain: &DomainLook, out: &mut Assessment) {
    let receives = domain.mx.ok().is_some_and(|mx| mx.real().next().is_some());
    if receives {
        judge_sts_record(domain, out);
        judge_tls_reports(domain, out);
    }
    judge_bimi(domain, out);
}

/// Notes a name that was not seen, and says whether that was so.
fn is_unseen(published: &Published, part: &str, unseen: Unseen, out: &mut Assessment) -> bool {
    let Some(why) = published.unanswered() else { return false };
    out.not_checked(unseen, format!("{part} at {}", published.name), why.reason, why.unlock);
    true
}

fn judge_sts_record(domain: &DomainLook, out: &mut Assessment) {
    let name = domain.sts.name.as_str();
    if is_unseen(&domain.sts, "MTA-STS record", STS_MALFORMED.unseen, out) {
        return;
    }
    let records = domain.sts.records();
    let lines = || records.iter().map(|text| format!("TXT {name}: {text}"));
    let problem = match records {
        [] => return,
        [only] => sts_record_problem(only).map(str::to_owned),
        several => Some(format!("{} records stand there, and senders ignore all", several.len())),
    };
    if let Some(problem) = problem {
        out.find(
            STS_MALFORMED
                .finding(name)
                .summary(format!("Senders ignore the MTA-STS record at {name}: {problem}."))
                .saw_all(lines())
                .fix(format!(
                    "Leave one TXT record at {name}, such as “v=STSv1; id=20260101000000;”, with a \
                     new id each time that the policy changes."
                ))
                .undo(format!("Publish the old text at {name} again.")),
        );
        return;
    }
    match &domain.policy {
        None => {}
        Some(Seen::Ok(look)) => judge_policy(domain, look, out),
        Some(Seen::Agent(fault)) => out.not_checked(
            STS_POLICY.unseen,
            format!("MTA-STS policy of {}", domain.name),
            fault.to_string(),
            fault.unlock(),
        ),
        Some(Seen::Target(fault)) => {
            let finding = policy_finding(&STS_POLICY, domain)
                .summary(format!(
                    "{} announces MTA-STS, and its policy cannot be fetched.",
                    domain.name
                ))
                .saw(format!("GET {}: {fault}", url(domain)));
            out.find(finding.fix(serve_the_policy(domain)));
        }
    }
}

fn url(domain: &DomainLook) -> String {
    format!("https://mta-sts.{}/.well-known/mta-sts.txt", domain.name)
}

fn policy_finding(spec: &FindingSpec, domain: &DomainLook) -> Finding {
    spec.finding(format!("mta-sts.{}", domain.name)).undo(format!(
        "Serve the old policy again. To take MTA-STS back, serve “mode: none” for as long as the \
         old max_age, then delete the TXT record {}.",
        domain.sts.name
    ))
}

fn serve_the_policy(domain: &DomainLook) -> String {
    let hosts = domain.mx.ok().into_iter().flat_map(MxLook::real);
    let lines: Vec<_> = hosts.take(5).map(|mx| format!("mx: {}", mx.host)).collect();
    format!(
        "Serve this as text/plain at {} without a redirect and with a valid certificate, then change \
         the id in the TXT record {}: “version: STSv1”, “mode: testing”, “{}”, “max_age: 604800”, \
         each on its own line.",
        url(domain),
        domain.sts.name,
        lines.join("”, “")
    )
}

fn judge_policy(domain: &DomainLook, look: &PolicyLook, out: &mut Assessment) {
    let name = &domain.name;
    let trust = look.trust.as_ref().filter(|trust| **trust != Trust::Trusted);
    if look.status != 200 || trust.is_some() {
        let why = match trust {
            Some(trust) => format!("the certificate of the host {}", in_words(trust)),
            None if (300..400).contains(&look.status) => {
                format!("it answers with a redirect ({}), which senders do not follow", look.status)
            }
            None => format!("the answer is {}", look.status),
        };
        out.find(
            policy_finding(&STS_POLICY, domain)
                .summary(format!(
                    "{name} announces MTA-STS, and senders cannot fetch its policy: {why}."
                ))
                .saw(format!("GET {}: status {}", look.url, look.status))
                .fix(serve_the_policy(domain)),
        );
        return;
    }
    let mut problems = look.policy.problems.clone();
    if look.too_large {
        problems.insert(0, "it is larger than 64 KiB".to_owned());
    }
    let media = look.content_type.as_deref().and_then(|value| value.split(';').next());
    if !media.is_some_and(|media| media.trim().eq_ignore_ascii_case("text/plain")) {
        let media = look.content_type.as_deref().unwrap_or("missing");
        problems.push(format!("its content type is {media} and not text/plain"));
    }
    if let Some(first) = problems.first() {
        out.find(
            policy_finding(&STS_MALFORMED, domain)
                .summary(format!("Senders may ignore the MTA-STS policy of {name}: {first}."))
                .saw(format!("GET {}: status 200", look.url))
                .saw_all(&problems)
                .fix(serve_the_policy(domain)),
        );
    }
    let mode = match look.policy.mode {
        Some(Mode::Enforce) => "enforce",
        Some(Mode::Testing) => "testing",
        Some(Mode::None) | None => return,
    };
    let hosts = domain.mx.ok().into_iter().flat_map(MxLook::real);
    let left_out: Vec<_> =
        hosts.map(|mx| mx.host.as_str()).filter(|host| !look.policy.covers(host)).collect();
    if left_out.is_empty() || look.policy.patterns.items.is_empty() {
        return;
    }
    let effect = if mode == "enforce" {
        "so careful senders do not deliver to it"
    } else {
        "so mail to it will fail as soon as the policy is enforced"
    };
    out.find(
        policy_finding(&STS_UNCOVERED, domain)
            .summary(format!(
                "The MTA-STS policy of {name} (mode {mode}) leaves out {}, {effect}.",
                left_out.join(", ")
            ))
            .saw_all(look.policy.patterns.items.iter().map(|p| format!("policy: mx: {p}")))
            .saw_all(left_out.iter().map(|host| format!("MX {name}: {host}")))
            .fix(format!(
                "Add “mx: {}” to the policy at {} and change the id in the TXT record {}, or delete \
                 the MX record.",
                left_out.join("” and “mx: "),
                look.url,
                domain.sts.name
            )),
    );
}

fn judge_tls_reports(domain: &DomainLook, out: &mut Assessment) {
    let name = domain.tls_reports.name.as_str();
    if is_unseen(&domain.tls_reports, "TLS-RPT record", TLS_REPORTS.unseen, out) {
        return;
    }
    let records = domain.tls_reports.records();
    let problem = match records {
        [] => "there is no record".to_owned(),
        [only] => match tls_rpt_problem(only) {
            None => return,
            Some(problem) => problem.to_owned(),
        },
        several => format!("{} records stand there, and senders ignore all", several.len()),
    };
    let finding = TLS_REPORTS
        .finding(name)
        .summary(format!("No reports about failing encryption (TLS-RPT) arrive: {problem}."))
        .saw_all(records.iter().map(|text| format!("TXT {name}: {}", shown(text))))
        .fix(format!(
            "Publish one TXT record {name} with the value “v=TLSRPTv1; \
             rua=mailto:tls-reports@{}”, with an address that somebody reads.",
            domain.name
        ))
        .undo(format!("Delete the TXT record {name}."));
    out.find(if records.is_empty() {
        finding.saw(format!("TXT {name}: no record"))
    } else {
        finding
    });
}

fn judge_bimi(domain: &DomainLook, out: &mut Assessment) {
    // A record without a logo says that none is wanted.
    let Some(text) = domain.bimi.records().first() else { return };
    if tag(text, "l").is_none_or(str::is_empty) {
        return;
    }
    if let Some(unseen) = domain.dmarc.iter().find(|published| published.unanswered().is_some()) {
        is_unseen(unseen, "DMARC record for BIMI", BIMI.unseen, out);
        return;
    }
    let records: BTreeMap<&str, Record> = domain.dmarc.iter().filter_map(valid_record).collect();
    let walk = walk(&domain.name, |name| records.get(name));
    let state = match walk.applied {
        None => "there is no DMARC policy".to_owned(),
        Some((at, record, source)) => {
            let policy = match source {
                Source::Own => record.own_policy(),
                Source::Organisation | Source::Suffix => record.policy_below(true),
            };
            let partly = record.percent.is_some_and(|percent| percent < 100);
            if policy == Dmarc::None || record.has_invalid_policy() {
                format!("the DMARC policy at _dmarc.{at} asks for nothing (p=none)")
            } else if record.testing || partly {
                format!("the DMARC policy at _dmarc.{at} is not applied in full (t=y or pct)")
            } else {
                return;
            }
        }
    };
    let name = &domain.bimi.name;
    out.find(
        BIMI.finding(name)
            .summary(format!("The BIMI logo of {} is not shown, because {state}.", domain.name))
            .saw(format!("TXT {name}: {text}"))
            .fix(format!(
                "First bring the DMARC policy of {} to p=quarantine or p=reject without pct or t; \
                 launchready check mail-dmarc says how.",
                domain.name
            ))
            .undo("Nothing has to be undone; the BIMI record can stay."),
    );
}
