//! Declared tools and hosts: who sends without being allowed to, and who need not be allowed.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;
use serde::{Deserialize, Serialize};

use super::findings;
use super::walk::walk;
use super::{Evidence, declared_tools, is_record};
use crate::contract::{Assessment, Target, Unseen};
use crate::mail::dkim::{KeyLook, declared, look_up_key};
use crate::mail::providers::{self, Provider, Role};
use crate::probe::{Dns, DnsQuestion, RecordType, Seen, addresses};
use crate::vendor::is_below;

/// DKIM keys that are looked up for the declared tools.
const KEYS: usize = 24;
/// Declared hosts that are looked at.
const HOSTS: usize = 30;

/// A DKIM key that may vouch for a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct KeyFacts {
    selector: String,
    domain: String,
    /// Somebody declared it; else it is the usual selector of a declared tool.
    declared: bool,
    /// The provider to which its alias leads.
    provider: Option<String>,
    /// Whether it can be used.
    live: Seen<bool>,
}

/// A declared host that is no sending domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct HostFacts {
    name: String,
    /// It has an address of its own, and is no alias.
    own_address: bool,
    /// It has an SPF record.
    record: Seen<bool>,
}

/// Looks the keys of the declared tools up, at declared and at usual selectors.
pub(super) async fn look_up_keys(
    target: &Target,
    names: &[String],
    dns: &dyn Dns,
) -> Vec<KeyFacts> {
    if target.mail.not_used || declared_tools(target).is_empty() {
        return Vec::new();
    }
    let mut wanted: Vec<(String, String, bool)> = declared(&target.mail.selectors, names)
        .into_iter()
        .map(|(selector, domain)| (selector, domain, true))
        .collect();
    for (_, provider) in declared_tools(target) {
        for (name, selector) in
            names.iter().flat_map(|name| provider.selectors.usual().iter().map(move |s| (name, s)))
        {
            if !wanted.iter().any(|(known, domain, _)| known == selector && domain == name) {
                wanted.push(((*selector).to_owned(), name.clone(), false));
            }
        }
    }
    wanted.truncate(KEYS);
    join_all(wanted.into_iter().map(async |(selector, domain, declared)| {
        let look: KeyLook = look_up_key(dns, &selector, &domain).await;
        KeyFacts {
            provider: look.provider().map(|provider| provider.name.to_owned()),
            live: look.records.clone().map(|_| look.is_live()),
            selector,
            domain,
            declared,
        }
    }))
    .await
}

/// Looks at the declared hosts that send no mail.
pub(super) async fn look_up_hosts(
    target: &Target,
    senders: &[&String],
    dns: &dyn Dns,
) -> Vec<HostFacts> {
    let silent: BTreeSet<&String> =
        target.hosts.iter().filter(|host| !senders.contains(host)).collect();
    join_all(silent.into_iter().take(HOSTS).map(async |name| {
        let (look, texts) = join!(
            addresses(dns, name),
            dns.lookup(DnsQuestion::new(name.clone(), RecordType::Txt)),
        );
        HostFacts {
            name: name.clone(),
            own_address: look
                .is_ok_and(|look| look.aliases.is_empty() && !look.addresses.is_empty()),
            record: Seen::from(super::answered(texts, name))
                .map(|answer| answer.texts().iter().any(|text| is_record(text))),
        }
    }))
    .await
}

/// How a tool is authorised, or why that cannot be said.
enum Cover {
    /// By this.
    By,
    /// We cannot see all of it.
    Unseen(String),
    /// By nothing.
    Nothing,
}

/// Judges each declared tool.
pub(super) fn judge_tools(evidence: &Evidence, target: &Target, out: &mut Assessment) {
    if target.mail.not_used {
        return;
    }
    for word in &target.mail.tools {
        if providers::named(word).is_none() {
            out.not_checked(
                Unseen::Noted,
                format!("whether {word} may send for {}", target.domain),
                format!("the records of a tool called {word:?} are not known here"),
                "write the tool's usual name in mail.tools, or declare its DKIM selector in \
                 mail.selectors",
            );
        }
    }
    let Some(name) = evidence.names.first() else { return };
    for (_, provider) in declared_tools(target) {
        match cover(evidence, provider) {
            Cover::By => {}
            Cover::Unseen(reason) => out.not_checked(
                Unseen::Condition,
                format!("whether {} may send for {name}", provider.name),
                reason,
                format!(
                    "read its DKIM selector at {} and add it to mail.selectors",
                    provider.selectors_at
                ),
            ),
            Cover::Nothing => uncovered(evidence, provider, name, out),
        }
    }
}

fn cover(evidence: &Evidence, provider: &'static Provider) -> Cover {
    let is_included =
        |name: &String| provider.spf_includes.iter().any(|include| is_below(name, include));
    let included = evidence
        .names
        .iter()
        .any(|name| walk(name, &evidence.answers).names.iter().any(is_included));
    if included || has_return_path(evidence, provider) {
        return Cover::By;
    }
    let mut fault = None;
    for key in &evidence.keys {
        let others = key.provider.as_ref().is_some_and(|known| known != provider.name);
        let usual = provider.selectors.usual().contains(&key.selector.as_str());
        // A declared selector whose owner cannot be told speaks for every tool that chooses its own.
        let chosen = key.declared && key.provider.is_none() && !provider.selectors.are_fixed();
        let aliased = key.provider.as_deref() == Some(provider.name);
        match &key.live {
            Seen::Ok(true) if !others && (usual || chosen || aliased) => return Cover::By,
            Seen::Agent(agent) if usual || key.declared => fault = Some(agent.to_string()),
            _ => {}
        }
    }
    if let Some(fault) = fault {
        return Cover::Unseen(fault);
    }
    if provider.selectors.are_fixed() {
        Cover::Nothing
    } else {
        Cover::Unseen(format!(
            "{} chooses a DKIM selector for each domain, and none of the declared ones is its own",
            provider.name
        ))
    }
}

fn has_return_path(evidence: &Evidence, provider: &Provider) -> bool {
    let hosts = evidence
        .names
        .iter()
        .flat_map(|name| provider.return_paths.iter().map(move |label| format!("{label}.{name}")));
    let theirs = |name: &str, suffixes: &[&str]| suffixes.iter().any(|s| is_below(name, s));
    hosts.into_iter().any(|host| {
        let Some(Seen::Ok(texts)) = evidence.answers.texts(&host) else { return false };
        let aliased =
            texts.alias.as_ref().is_some_and(|to| theirs(to, provider.return_path_targets));
        aliased
            || walk(&host, &evidence.answers)
                .names
                .iter()
                .any(|name| theirs(name, provider.spf_includes))
    })
}

fn uncovered(evidence: &Evidence, provider: &Provider, name: &str, out: &mut Assessment) {
    let selectors = provider.selectors.usual();
    let names = walk(name, &evidence.answers).names.join(", ");
    let mut finding = findings::TOOL
        .finding(name)
        .key(provider.name)
        .summary(format!(
            "{} is declared as a sending tool, but {name} does not authorise it.",
            provider.name
        ))
        .saw(if names.is_empty() {
            format!("{name} has no SPF record that could be followed")
        } else {
            format!("SPF records read: {names}")
        })
        .saw_all(selectors.iter().map(|s| format!("no usable key at {s}._domainkey.{name}")));
    for label in provider.return_paths {
        finding = finding.saw(format!("no return-path of {} at {label}.{name}", provider.name));
    }
    let fix = if provider.role == Role::Mailboxes || provider.return_paths.is_empty() {
        let include = provider.spf_includes.first().copied().unwrap_or_default();
        format!(
            "Open {} and add the DKIM records for {name} that it shows. If mail bounces to an address \
             at {name}, add include:{include} to the SPF record of {name} as well.",
            provider.selectors_at
        )
    } else {
        format!(
            "Open {} and add the DKIM and return-path records for {name} that it shows.",
            provider.selectors_at
        )
    };
    out.find(
        finding
            .fix(format!(
                "{fix} If you no longer use {}, take it out of mail.tools.",
                provider.name
            ))
            .undo("Remove the added records."),
    );
}

/// One note for all hosts that could say that they send nothing.
pub(super) fn judge_hosts(evidence: &Evidence, out: &mut Assessment) {
    let silent: Vec<&str> = evidence
        .hosts
        .iter()
        .filter(|host| host.own_address && host.record == Seen::Ok(false))
        .map(|host| host.name.as_str())
        .collect();
    let (Some(first), Some(name)) = (silent.first(), evidence.names.first()) else { return };
    out.find(
        findings::SILENT_HOSTS
            .finding(name)
            .summary(match silent.len() {
                1 => format!("{first} has an address and no SPF record."),
                n => format!("{n} hosts have an address and no SPF record."),
            })
            .saw_all(silent.iter().map(|host| format!("{host}: no SPF record")))
            .fix(format!(
                "For each host that sends no mail add a TXT record: {first} TXT \"v=spf1 -all\". Skip \
                 it where the DMARC record of {name} has p=reject or sp=reject."
            ))
            .undo("Remove the added TXT records."),
    );
}
