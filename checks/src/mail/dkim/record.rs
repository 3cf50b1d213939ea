//! Judges each record that stands at a selector.

use std::collections::BTreeMap;

use super::findings;
use super::key::{Key, KeyRecord};
use super::{Dkim, Evidence, Origin, SHORTEST_KEY, Selector};
use crate::contract::{AssessCx, Assessment, Finding, FindingSpec, Severity};
use crate::mail::providers::Provider;
use crate::mail::selectors::provider_of;

/// Below this receivers must refuse a key (RFC 8301 §3.2).
const LEAST_BITS: usize = 1024;

pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Dkim>, out: &mut Assessment) {
    let mut shortest: BTreeMap<&str, usize> = BTreeMap::new();
    for selector in &evidence.selectors {
        let Some(records) = selector.look.records.ok() else { continue };
        if records.total() > 1 {
            multiple(selector, &records.items, records.total(), out);
        } else if let Some(record) = records.items.first() {
            judge_record(evidence, selector, record, cx.options.rsa_bits, out);
            if let Key::Rsa(bits) = record.key {
                let least = shortest.entry(&selector.look.domain).or_insert(bits);
                *least = bits.min(*least);
            }
        }
    }
    for (domain, bits) in shortest {
        out.measure(
            SHORTEST_KEY
                .value(Some(domain), bits as f64)
                .bounds(Some(cx.options.rsa_bits as f64), Some(LEAST_BITS as f64)),
        );
    }
}

/// The provider that publishes the key, where that is known.
fn provider(selector: &Selector) -> Option<&'static Provider> {
    let by_name = || provider_of(&selector.look.selector);
    selector.look.provider().or_else(|| selector.origin.provider()).or_else(by_name)
}

/// Where the right record is shown.
fn source(selector: &Selector) -> String {
    match provider(selector) {
        Some(provider) => format!("{} (open {})", provider.name, provider.selectors_at),
        None => "the tool that signs with this selector".to_owned(),
    }
}

fn multiple(selector: &Selector, items: &[KeyRecord], total: usize, out: &mut Assessment) {
    let name = selector.look.name();
    out.find(
        findings::MULTIPLE
            .finding(&name)
            .summary(format!("{name} has {total} TXT records where one is allowed."))
            .saw_all(items.iter().map(|record| format!("{name} TXT {}", record.sample)))
            .fix(format!(
                "Keep the record that {} shows and delete the others at {name}.",
                source(selector)
            ))
            .undo("Add the deleted TXT records again."),
    );
}

fn judge_record(
    evidence: &Evidence,
    selector: &Selector,
    record: &KeyRecord,
    rsa_bits: usize,
    out: &mut Assessment,
) {
    let name = selector.look.name();
    let start = |spec: &FindingSpec| {
        let alias = selector.look.alias.as_ref();
        let finding = spec.finding(&name).saw(format!("{name} TXT {}", record.sample));
        match alias {
            Some(alias) => finding.saw(format!("{name} is an alias of {alias}")),
            None => finding,
        }
    };
    let publish = |finding: Finding| {
        finding
            .fix(format!(
                "Copy the record again from {} and publish it as {name}, whole and on one line.",
                source(selector)
            ))
            .undo("Put the old record back.")
    };
    match &record.key {
        Key::Broken(why) => out.find(publish(
            start(&findings::MALFORMED).summary(format!("The record at {name} {why}.")),
        )),
        Key::UnknownKind(kind) => out
            .find(publish(start(&findings::UNKNOWN_KIND).summary(format!(
            "The record at {name} has a key of the kind “{kind}”; receivers know rsa and ed25519."
        )))),
        Key::Revoked => revoked(evidence, selector, &start(&findings::REVOKED), out),
        Key::Rsa(bits) if *bits < LEAST_BITS => out.find(longer(
            start(&findings::WEAK).summary(format!(
                "The RSA key at {name} has {bits} bits; receivers refuse fewer than 1024."
            )),
            selector,
        )),
        Key::Rsa(bits) if *bits < rsa_bits => {
            let fixed = provider(selector).is_some_and(|provider| provider.fixes_key_size);
            let severity = if fixed { Severity::Info } else { Severity::Warning };
            let note = match provider(selector) {
                Some(provider) if fixed => format!(", as {} chose", provider.name),
                _ => String::new(),
            };
            let finding = start(&findings::SHORT).at(severity).summary(format!(
                "The RSA key at {name} has {bits} bits{note}; {rsa_bits} are recommended."
            ));
            out.find(match provider(selector) {
                Some(provider) if fixed => finding
                    .fix(format!(
                        "{} decides how long its keys are: open {} and renew the key where that is \
                         offered, else leave it.",
                        provider.name, provider.selectors_at
                    ))
                    .undo("A renewed key needs no undoing; the old one stops being used."),
                _ => longer(finding, selector),
            });
        }
        Key::Rsa(_) | Key::Ed25519 => {}
    }
    if let Some(hashes) = &record.hashes {
        out.find(
            start(&findings::SHA1_ONLY)
                .summary(format!("The record at {name} allows h={hashes} and not sha256."))
                .fix(format!("Remove “h={hashes};” from the TXT record at {name}: without it SHA-256 is allowed."))
                .undo(format!("Add “h={hashes};” to the record again.")),
        );
    }
    if let Some(services) = &record.services {
        out.find(
            start(&findings::NOT_FOR_MAIL)
                .summary(format!("The record at {name} says s={services}, which leaves out email."))
                .fix(format!("Remove “s={services};” from the TXT record at {name}: without it the key is for mail too."))
                .undo(format!("Add “s={services};” to the record again.")),
        );
    }
    if record.testing && record.key != Key::Revoked {
        out.find(
            start(&findings::TESTING)
                .summary(format!("The record at {name} says t=y, which means testing."))
                .fix(format!(
                    "Remove “t=y” from the TXT record at {name}, and keep everything else."
                ))
                .undo("Add “t=y;” to the record again."),
        );
    }
}

fn longer(finding: Finding, selector: &Selector) -> Finding {
    finding
        .fix(format!(
            "In {}, create a new key of 2048 bits with a new selector, publish its record, and switch \
             signing over. Remove {} a week later.",
            source(selector),
            selector.look.name()
        ))
        .undo("Switch signing back to the old selector while its record still stands.")
}

/// A revoked key is how rotation ends; it matters only where nothing else signs.
fn revoked(evidence: &Evidence, selector: &Selector, start: &Finding, out: &mut Assessment) {
    let domain = &selector.look.domain;
    let live = evidence.selectors.iter().find(|s| s.look.domain == *domain && s.look.is_live());
    // Microsoft 365 keeps the second of its selectors empty until the first rotation, and other
    // vendors do alike, so an empty key at a guessed selector says nothing while another lives.
    if live.is_some() && selector.origin != Origin::Declared {
        return;
    }
    let name = selector.look.name();
    let (severity, rest) = match live {
        Some(other) => (Severity::Info, format!("; {} lives", other.look.name())),
        None => (Severity::Warning, format!(", and no other key of {domain} was found")),
    };
    out.find(
        start
            .clone()
            .at(severity)
            .summary(format!("The key at {name} is revoked{rest}."))
            .fix(match live {
                Some(_) => format!(
                    "If no tool signs with {} any more, take it out of mail.selectors; the record may stay.",
                    selector.look.selector
                ),
                None => format!("Create a new key in {} and publish its record.", source(selector)),
            })
            .undo(match live {
                Some(_) => format!("Add {} to mail.selectors again.", selector.look.selector),
                None => "Remove the new record.".to_owned(),
            }),
    );
}
