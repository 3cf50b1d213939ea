//! Judges which policy each domain has, and whether its mail can pass it.

use std::collections::{BTreeMap, BTreeSet};

use super::super::published::{Published, Unanswered, shown};
use super::defects;
use super::look::{DomainLook, Evidence, ReportLook};
use super::record::{Kind, Record, kind};
use super::sender::{Alignment, SenderLook};
use super::specs::{ALIGNMENT, MISPLACED, MISSING, UNAUTHORISED};
use super::walk::{Source, Walk, names, walk};
use super::{is_ours, registrable, valid_record};
use crate::contract::{Assessment, Severity, Target, Unseen};

pub(super) fn judge(evidence: &Evidence, target: &Target) -> Assessment {
    let mut out = Assessment::default();
    let records: BTreeMap<&str, Record> =
        evidence.policies.iter().filter_map(valid_record).collect();
    let ours = || evidence.policies.iter().filter_map(|p| Some((domain_of(p)?, p)));
    let mut missing = BTreeSet::new();
    for domain in &evidence.domains.items {
        let walk = walk(&domain.name, |name| records.get(name));
        judge_presence(domain, &walk, evidence, target, &mut missing, &mut out);
        if let Some(sender) = &domain.sender {
            judge_alignment(domain, sender, &walk, &mut out);
        }
    }
    for (domain, published) in ours() {
        let organisation = walk(domain, |name| records.get(name)).organisation;
        let elsewhere = evidence.domains.items.iter().find(|look| look.name == domain);
        let elsewhere = elsewhere.and_then(|look| look.misplaced.last());
        defects::judge(domain, published, elsewhere, organisation == domain, &mut out);
    }
    for domain in &evidence.domains.items {
        let right = format!("_dmarc.{}", domain.name);
        let right = evidence.policies.iter().find(|p| p.name == right);
        judge_misplaced(domain, right.map_or(&[], Published::records), &mut out);
    }
    for report in &evidence.reports.items {
        judge_report(report, &mut out);
    }
    note_the_unseen(evidence, &mut out);
    out
}

/// The domain of a `_dmarc` name, where that is not a registry's.
fn domain_of(published: &Published) -> Option<&str> {
    published.name.strip_prefix("_dmarc.").filter(|domain| is_ours(domain))
}

fn judge_presence(
    domain: &DomainLook,
    walk: &Walk<'_>,
    evidence: &Evidence,
    target: &Target,
    missing: &mut BTreeSet<String>,
    out: &mut Assessment,
) {
    let name = domain.name.as_str();
    let suffix = match &walk.applied {
        Some((_, _, Source::Own | Source::Organisation)) => return,
        Some((suffix, _, Source::Suffix)) => Some(suffix.as_str()),
        None => None,
    };
    let way: Vec<&Published> = names(name)
        .iter()
        .filter_map(|name| evidence.policies.iter().find(|p| domain_of(p) == Some(name)))
        .collect();
    // What is broken, doubled or unseen is told as that.
    let meant = |p: &&Published| p.records().iter().any(|text| kind(text) != Kind::Other);
    if way.iter().any(|p| meant(p) || p.cut() > 0 || p.unanswered().is_some()) {
        return;
    }
    let home = registrable(name);
    if !missing.insert(home.to_owned()) {
        return;
    }
    let unused = target.mail.not_used;
    let record = if unused {
        format!("v=DMARC1; p=reject; rua=mailto:dmarc@{home}")
    } else {
        format!("v=DMARC1; p=none; rua=mailto:dmarc@{home}")
    };
    let mut finding = MISSING
        .finding(format!("_dmarc.{home}"))
        .summary(format!("No DMARC record applies to mail from {name}."))
        .saw_all(way.iter().map(|p| format!("TXT {}: no DMARC record", p.name)))
        .fix(if unused {
            format!(
                "The domain sends no mail, so refuse all of it: publish the TXT record \
                 _dmarc.{home} with the value “{record}”. Drop the rua part if nobody reads \
                 dmarc@{home}."
            )
        } else {
            format!(
                "Publish the TXT record _dmarc.{home} with the value “{record}”, with an address \
                 that somebody reads. Read the reports for two weeks, mend what fails, then set \
                 p=quarantine and later p=reject."
            )
        })
        .undo(format!("Delete the TXT record _dmarc.{home}."));
    if let Some(suffix) = suffix {
        finding = finding.saw(format!(
            "the record at _dmarc.{suffix} is that of the registry and applies meanwhile"
        ));
    }
    if unused || suffix.is_some() {
        finding = finding.at(Severity::Warning);
    }
    out.find(finding);
}

fn judge_alignment(
    domain: &DomainLook,
    sender: &SenderLook,
    walk: &Walk<'_>,
    out: &mut Assessment,
) {
    let name = domain.name.as_str();
    let (organisation, record) = match &walk.applied {
        Some((_, record, _)) => (walk.organisation.as_str(), Some(*record)),
        // Without a policy nothing is compared yet; the record will stand at this domain.
        None => (registrable(name), None),
    };
    let strict_spf = record.is_some_and(|record| record.strict_spf);
    let strict_dkim = record.is_some_and(|record| record.strict_dkim);
    match sender.alignment(name, organisation, strict_spf, strict_dkim) {
        Alignment::Possible => {}
        _ if !domain.declared && sender.spf_denies => {}
        Alignment::Unseen(_) | Alignment::Impossible if !domain.declared => out.not_checked(
            Unseen::Noted,
            format!("alignment of mail from {name}"),
            "no From domain is declared, and no sign of sent mail was found",
            format!("set project.mail.sends_from, such as [\"{name}\"], or list mail in not_used"),
        ),
        Alignment::Unseen(why) => {
            let part = format!("alignment of mail from {name}");
            out.not_checked(ALIGNMENT.unseen, part, why.reason, why.unlock);
        }
        Alignment::Impossible => {
            let asked = sender.dkim.as_ref().map_or(0, |dkim| dkim.asked);
            let strict = match (strict_spf, strict_dkim) {
                (true, true) => " The record asks for strict alignment (aspf=s, adkim=s).",
                (true, false) => " The record asks for strict SPF alignment (aspf=s).",
                (false, true) => " The record asks for strict DKIM alignment (adkim=s).",
                (false, false) => "",
            };
            let finding = ALIGNMENT
                .finding(name)
                .summary(format!(
                    "Mail from {name} can pass DMARC neither by SPF nor by DKIM.{strict}"
                ))
                .saw(format!(
                    "SPF: none of {} usual return-path names lets anybody send in alignment with \
                     {name}",
                    sender.spf_asked
                ))
                .saw_all(sender.spf.items.iter().map(|other| {
                    format!("SPF: {other} publishes a record, which does not align with {name}")
                }))
                .saw(format!("DKIM: no aligned key at any of {asked} usual and declared names"))
                .saw_all(sender.dkim.iter().flat_map(|dkim| &dkim.domains.items).map(|other| {
                    format!("DKIM: {other} publishes a key, which does not align with {name}")
                }))
                .saw_all(
                    sender.dkim.iter().filter(|dkim| dkim.none_exist).map(|_| {
                        format!("_domainkey.{name} does not exist, and so no key below it")
                    }),
                )
                .fix(format!(
                    "In your sending service (Resend, Postmark, Google Workspace, …) verify the \
                     domain {name} and publish the DKIM records that it shows, so that mail is \
                     signed with d={name}. Where it offers a custom return path, set that up too."
                ))
                .undo("Delete the DNS records that the sending service asked for.");
            out.find(finding);
        }
    }
}

fn judge_misplaced(domain: &DomainLook, in_place: &[String], out: &mut Assessment) {
    let right = format!("_dmarc.{}", domain.name);
    for published in &domain.misplaced {
        // A wildcard record answers at every name; what also stands in the right place is harmless.
        let wrong = |text: &&String| kind(text) != Kind::Other && !in_place.contains(text);
        let Some(text) = published.records().iter().find(wrong) else { continue };
        let in_place = in_place.iter().any(|text| kind(text) == Kind::Dmarc);
        let (wrong, text) = (&published.name, shown(text));
        let (summary, severity) = if in_place {
            let said = "which has no effect beside the one at";
            (format!("Another DMARC record stands at {wrong}, {said} {right}."), Severity::Info)
        } else {
            let said = "where no receiver looks";
            (
                format!("A DMARC record stands at {wrong}, {said}, and not at {right}."),
                Severity::Warning,
            )
        };
        out.find(
            MISPLACED
                .finding(wrong)
                .at(severity)
                .summary(summary)
                .saw(format!("TXT {wrong}: {text}"))
                .fix(if in_place {
                    format!("Delete the TXT record at {wrong}; the one at {right} stays.")
                } else {
                    format!(
                        "Publish the same text as TXT record at {right} (many control panels want \
                         only “_dmarc” as the name), then delete the one at {wrong}."
                    )
                })
                .undo(format!("Publish the TXT record at {wrong} again.")),
        );
    }
}

fn judge_report(report: &ReportLook, out: &mut Assessment) {
    let ReportLook { domain, host, consent } = report;
    let name = &consent.name;
    if let Some(Unanswered { reason, unlock }) = consent.unanswered() {
        let part = format!("consent of {host} to reports about {domain}");
        out.not_checked(Unseen::Noted, part, reason, unlock);
        return;
    }
    // RFC 9990 section 3: the record needs no more than its version.
    if consent.cut() > 0 || consent.records().iter().any(|text| kind(text) == Kind::Dmarc) {
        return;
    }
    out.find(
        UNAUTHORISED
            .finding(format!("_dmarc.{domain}"))
            .key(host)
            .summary(format!(
                "Reports about {domain} are to go to an address at {host}, which has not agreed to \
                 receive them."
            ))
            .saw(format!("TXT {name}: no record v=DMARC1"))
            .fix(format!(
                "Have whoever runs {host} publish the TXT record {name} with the value \
                 “v=DMARC1”, or use an address at {domain} in the rua tag of _dmarc.{domain}."
            ))
            .undo(format!("Delete the TXT record {name}, or set the old rua address again.")),
    );
}

fn note_the_unseen(evidence: &Evidence, out: &mut Assessment) {
    for published in &evidence.policies {
        if domain_of(published).is_none() {
            continue;
        }
        if let Some(Unanswered { reason, unlock }) = published.unanswered() {
            let part = format!("DMARC record at {}", published.name);
            out.not_checked(MISSING.unseen, part, reason, unlock);
        } else if published.cut() > 0 {
            out.not_checked(
                MISSING.unseen,
                format!("DMARC record at {}", published.name),
                format!("records beyond the fifth or over 2000 bytes: {}", published.cut()),
                "leave one DMARC record of at most 2000 characters at this name",
            );
        }
    }
    if evidence.domains.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            "further From domains",
            format!("domains past the fifth: {}", evidence.domains.cut),
            "audit them as a project of their own",
        );
    }
    if evidence.reports.cut > 0 {
        out.not_checked(
            Unseen::Noted,
            "further report addresses",
            format!("outside report addresses past the twelfth: {}", evidence.reports.cut),
            "use fewer report addresses",
        );
    }
}
