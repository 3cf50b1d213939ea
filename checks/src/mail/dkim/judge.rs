//! Judges whether each sending domain has a key at all.

use std::collections::BTreeSet;

use super::findings;
use super::{Dkim, Domain, Evidence, Origin, Selector};
use crate::contract::{AssessCx, Assessment, Target, Unseen};
use crate::mail::providers::{self, Provider, Role};
use crate::mail::spf::declared_tools;
use crate::vendor::is_below;

pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Dkim>, out: &mut Assessment) {
    for domain in &evidence.domains {
        judge_domain(evidence, domain, cx.target, out);
    }
    missing_declared(evidence, out);
    tools_without_key(evidence, cx.target, out);
    if evidence.left > 0 {
        out.not_checked(
            Unseen::Condition,
            "some sending domains or selectors",
            format!("{} are past the limits of 8 domains and 32 selectors", evidence.left),
            "split the project in two, each with some of the domains",
        );
    }
}

/// The selectors that can sign for a sending domain: its own and, as relaxed alignment allows,
/// those of names above or below it.
fn of<'a>(evidence: &'a Evidence, domain: &'a str) -> impl Iterator<Item = &'a Selector> {
    evidence.selectors.iter().filter(move |selector| {
        is_below(&selector.look.domain, domain) || is_below(domain, &selector.look.domain)
    })
}

fn judge_domain(evidence: &Evidence, domain: &Domain, target: &Target, out: &mut Assessment) {
    let name = domain.name.as_str();
    if of(evidence, name).any(|selector| selector.look.is_live()) {
        rest_of_senders(evidence, domain, out);
        return;
    }
    let part = format!("DKIM key of {name}");
    let fault = of(evidence, name).find_map(|selector| selector.look.records.agent_fault());
    if let Some(fault) = fault.or(domain.unseen.as_ref()) {
        out.not_checked(Unseen::Blocks, part, fault.to_string(), fault.unlock());
        return;
    }
    let silent = of(evidence, name).filter_map(|s| s.look.records.target_fault().map(|f| (s, f)));
    let silent: Vec<String> =
        silent.map(|(selector, fault)| format!("TXT {}: {fault}", selector.look.name())).collect();
    let has_record = of(evidence, name).any(|s| {
        s.look.records.ok().is_some_and(|records| records.total() > 0) && !s.look.is_revoked()
    });
    let absent: Vec<&Selector> = of(evidence, name).filter(|s| s.look.is_absent()).collect();
    let proven = absent.iter().any(|selector| proves_absence(selector))
        || of(evidence, name).any(|s| s.look.is_revoked() && s.origin == Origin::Declared)
        || !silent.is_empty();
    if proven && !has_record {
        no_key(evidence, domain, &silent, out);
    } else if !has_record {
        out.not_checked(
            Unseen::Blocks,
            part,
            why_unknown(domain, target),
            where_to_read(domain, target),
        );
    }
    // A record that is broken is a finding of its own, and the real defect.
}

/// Whether a key has to be there: it was declared, or its provider always uses this selector.
fn proves_absence(selector: &Selector) -> bool {
    match &selector.origin {
        Origin::Declared => true,
        Origin::Usual => false,
        Origin::Tool(_) | Origin::Seen(_) => {
            selector.origin.provider().is_some_and(|provider| provider.selectors.are_fixed())
        }
    }
}

fn no_key(evidence: &Evidence, domain: &Domain, silent: &[String], out: &mut Assessment) {
    let name = domain.name.as_str();
    let selectors: Vec<&Selector> = of(evidence, name).collect();
    let guessed: BTreeSet<&'static str> = selectors
        .iter()
        .filter(|selector| matches!(selector.origin, Origin::Seen(_)))
        .filter_map(|selector| selector.origin.provider())
        .map(|provider| provider.name)
        .collect();
    let provider = selectors.iter().find_map(|selector| selector.origin.provider());
    let mut finding = findings::NO_KEY
        .finding(name)
        .summary(if silent.is_empty() {
            format!("No DKIM key was found for {name}.")
        } else {
            format!("No DKIM key of {name} can be read, because its name servers do not answer.")
        })
        .saw_all(selectors.iter().filter(|selector| selector.look.is_absent()).map(|selector| {
            match &selector.look.alias {
                Some(alias) => {
                    format!("TXT {}: an alias of {alias}, and no key there", selector.look.name())
                }
                None => format!("TXT {}: no record", selector.look.name()),
            }
        }))
        .saw_all(
            selectors
                .iter()
                .filter(|selector| selector.look.is_revoked())
                .map(|selector| format!("TXT {}: revoked, p= is empty", selector.look.name())),
        )
        .saw_all(silent)
        .saw_all(domain.senders.iter().map(|sender| sender.sign.as_str()));
    for vendor in guessed {
        let selectors = providers::named(vendor).map(|p| p.selectors.usual()).unwrap_or_default();
        finding = finding.saw(format!(
            "assumed: {vendor} signs with its usual selector {}; another one has to be declared",
            selectors.join(" or ")
        ));
    }
    let fix = match provider {
        _ if !silent.is_empty() => format!(
            "Mend the name servers that answer for _domainkey.{name}. Look yourself with dig TXT and the \
             names above."
        ),
        Some(provider) => format!(
            "Open {}, generate the DKIM key for {name}, publish the record that it shows, and start \
             signing. If another selector is in use, add it to mail.selectors.",
            provider.selectors_at
        ),
        None => format!(
            "In the tool that sends for {name}, generate the DKIM key and publish the record that it \
             shows. If another selector is in use, correct mail.selectors."
        ),
    };
    out.find(finding.fix(fix).undo("Stop signing in the tool, then remove the DKIM record."));
}

fn why_unknown(domain: &Domain, target: &Target) -> String {
    let name = &domain.name;
    let chosen: Vec<&str> = choosers(domain, target).iter().map(|p| p.name).collect();
    if !chosen.is_empty() {
        format!("{} chooses a selector for each domain, and none is declared", chosen.join(" and "))
    } else if let Some(server) = &domain.mail_server
        && providers::behind_mx(server).is_none_or(|provider| provider.role != Role::Forwarder)
    {
        format!("the selectors behind {server} are not known, and none is declared for {name}")
    } else {
        format!("DNS does not tell who sends for {name}, and no selector is declared")
    }
}

fn where_to_read(domain: &Domain, target: &Target) -> String {
    match choosers(domain, target).first() {
        Some(provider) => {
            format!("read the selector at {} and add it to mail.selectors", provider.selectors_at)
        }
        None => "read s= in the DKIM-Signature header of a mail that you received from this domain, and \
                 add it to mail.selectors; or list \"mail\" in not_used"
            .to_owned(),
    }
}

/// The providers of a domain that choose a selector for each domain.
fn choosers(domain: &Domain, target: &Target) -> Vec<&'static Provider> {
    let declared = declared_tools(target).into_iter().map(|(_, provider)| provider);
    let seen = domain.senders.iter().filter_map(|sender| providers::named(&sender.provider));
    let mut all: Vec<&'static Provider> = Vec::new();
    for provider in declared.chain(seen) {
        if !provider.selectors.are_fixed() && !all.contains(&provider) {
            all.push(provider);
        }
    }
    all
}

/// Where one key lives, the mail server without a known key is mentioned and no more.
fn rest_of_senders(evidence: &Evidence, domain: &Domain, out: &mut Assessment) {
    for sender in domain.senders.iter().filter(|sender| sender.is_mail_server) {
        let Some(provider) = providers::named(&sender.provider) else { continue };
        if !signs(evidence, provider, &domain.name) && !undecided(evidence, &domain.name) {
            out.not_checked(
                Unseen::Noted,
                format!("DKIM key of {} at {}", provider.name, domain.name),
                format!(
                    "no key stands at its usual selectors ({}), and another may be in use",
                    provider.selectors.usual().join(", ")
                ),
                format!(
                    "read the selector at {} and add it to mail.selectors",
                    provider.selectors_at
                ),
            );
        }
    }
}

/// Whether a live key of the provider was found for the domain.
fn signs(evidence: &Evidence, provider: &Provider, domain: &str) -> bool {
    of(evidence, domain).filter(|selector| selector.look.is_live()).any(|selector| {
        let usual = provider.selectors.usual().contains(&selector.look.selector.as_str());
        let aliased = selector.look.provider().map(|known| known.name);
        aliased == Some(provider.name)
            || (usual && aliased.is_none_or(|name| name == provider.name))
    })
}

/// Whether a declared, live key may belong to any tool, because nothing tells whose it is.
fn undecided(evidence: &Evidence, domain: &str) -> bool {
    of(evidence, domain).any(|selector| {
        selector.origin == Origin::Declared
            && selector.look.is_live()
            && selector.look.provider().is_none()
            && !providers::PROVIDERS.iter().any(|provider| {
                provider.selectors.usual().contains(&selector.look.selector.as_str())
            })
    })
}

/// Declared selectors without a key, where the domain has another that lives.
fn missing_declared(evidence: &Evidence, out: &mut Assessment) {
    for selector in &evidence.selectors {
        let look = &selector.look;
        let elsewhere = evidence
            .selectors
            .iter()
            .any(|other| other.look.selector == look.selector && other.look.is_live());
        let other = of(evidence, &look.domain).find(|other| other.look.is_live());
        let (Origin::Declared, true, false, Some(other)) =
            (&selector.origin, look.is_absent(), elsewhere, other)
        else {
            continue;
        };
        let name = look.name();
        out.find(
            findings::SELECTOR_MISSING
                .finding(&name)
                .summary(format!("The declared selector {} has no key at {}.", look.selector, look.domain))
                .saw(format!("TXT {name}: no record"))
                .saw(format!("a key lives at {}", other.look.name()))
                .fix(format!(
                    "Publish the DKIM record of the tool that signs with {} as {name}, or take {} out of \
                     mail.selectors.",
                    look.selector, look.selector
                ))
                .undo(format!("Remove the record at {name}.")),
        );
    }
}

/// Declared tools without a key at any sending domain, where something else signs.
fn tools_without_key(evidence: &Evidence, target: &Target, out: &mut Assessment) {
    let names: Vec<&str> = evidence.domains.iter().map(|domain| domain.name.as_str()).collect();
    let Some(signed) =
        names.iter().find(|name| of(evidence, name).any(|selector| selector.look.is_live()))
    else {
        return;
    };
    for (_, tool) in declared_tools(target) {
        if names.iter().any(|name| signs(evidence, tool, name) || undecided(evidence, name)) {
            continue;
        }
        let looks = || {
            evidence.selectors.iter().filter(|s| {
                tool.selectors.usual().contains(&s.look.selector.as_str())
                    && names.contains(&s.look.domain.as_str())
            })
        };
        let fault = looks().find_map(|selector| selector.look.records.agent_fault());
        // A broken record at its selector is a finding already.
        if looks().any(|s| s.look.records.ok().is_some_and(|records| records.total() > 0)) {
            continue;
        }
        if fault.is_some() || !tool.selectors.are_fixed() {
            out.not_checked(
                Unseen::Condition,
                format!("DKIM key of {}", tool.name),
                fault.map_or_else(
                    || {
                        format!(
                            "{} chooses a selector for each domain, and none is declared",
                            tool.name
                        )
                    },
                    ToString::to_string,
                ),
                format!("read the selector at {} and add it to mail.selectors", tool.selectors_at),
            );
            continue;
        }
        out.find(
            findings::TOOL_WITHOUT_KEY
                .finding(*signed)
                .key(tool.name)
                .summary(format!(
                    "{} is declared as a sending tool, and no DKIM key of it was found.",
                    tool.name
                ))
                .saw_all(looks().map(|selector| format!("TXT {}: no record", selector.look.name())))
                .fix(format!(
                    "Open {}, and publish the DKIM records that it shows. If it signs with another \
                     selector, add that to mail.selectors; if you no longer use it, take it out of \
                     mail.tools.",
                    tool.selectors_at
                ))
                .undo("Remove the added DKIM records."),
        );
    }
}
