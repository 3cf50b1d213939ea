//! Judges the signatures of the zone (RFC 4035): the DS records above, the keys and signatures below.

use super::evidence::{DsFact, Evidence, HostView, SignatureFact, Signer};
use super::{BROKEN, Cx, EXPIRING, SIGNATURE_EXPIRES, UNSIGNED};
use crate::contract::{Assessment, Finding, Unseen};
use crate::dns::providers;
use crate::probe::Rcode;
use crate::vendor::is_below;

/// A signature is renewed in time when more than a tenth of its life is left. Signers that sign
/// anew for every answer give out signatures of two days and less.
const LIFE_PART: i64 = 10;

/// Judges the signatures; true when they are broken.
pub(super) fn judge(evidence: &Evidence, cx: &Cx<'_>, out: &mut Assessment) -> bool {
    let zone = &evidence.zone;
    let provider = providers::of_all(evidence.servers.items.iter().map(|s| s.name.as_str()));
    let bogus: Vec<&str> = evidence
        .validation
        .iter()
        .zip(&evidence.resolvers)
        .filter(|(look, _)| {
            look.plain == Some(Rcode::ServFail)
                && look.unchecked.is_some_and(|code| code != Rcode::ServFail)
        })
        .map(|(_, resolver)| resolver.as_str())
        .collect();
    let ds: &[DsFact] = evidence.delegation.ds.as_ref().map_or(&[], |ds| ds.items.as_slice());
    let mut lines: Vec<String> = bogus
        .iter()
        .map(|resolver| {
            format!("resolver {resolver}: SERVFAIL, and NOERROR when told not to validate")
        })
        .collect();
    let mut fix = None;
    if !ds.is_empty() {
        lines.extend(bogus_hosts(evidence).map(|name| {
            format!("{name}: resolvers fail with it, and do not when told not to validate")
        }));
        for signer in &evidence.signers {
            if let Some((line, how)) = defect(evidence, signer, ds, cx.now.as_second()) {
                if !lines.contains(&line) {
                    lines.push(line);
                }
                fix.get_or_insert(how);
            }
        }
    }
    if !lines.is_empty() {
        let listed = ds
            .iter()
            .map(|ds| format!("{zone} DS {} {} {} …", ds.key_tag, ds.algorithm, ds.digest_type));
        let fix = fix.unwrap_or(Fix::Resign);
        out.find(fix.fill(
            BROKEN
                .finding(zone)
                .summary(format!("The DNSSEC signatures of {zone} are broken, so validating resolvers refuse the domain."))
                .saw_all(lines)
                .saw_all(listed),
            zone,
            provider,
        ));
        return true;
    }
    match &evidence.delegation.ds {
        None => out.not_checked(
            Unseen::Condition,
            "signatures (DNSSEC)",
            "nobody answered whether the zone above holds DS records",
            "name a resolver that answers, such as network.resolvers = [\"1.1.1.1\"]",
        ),
        Some(_) if ds.is_empty() => unsigned(evidence, provider, out),
        Some(_) => {
            expiring(evidence, cx, provider, out);
            if evidence.signers.is_empty() {
                out.not_checked(
                    Unseen::Condition,
                    "signatures (DNSSEC)",
                    "no name server could be asked for its keys and signatures",
                    "run it from a network that lets DNS out to any server (UDP and TCP port 53)",
                );
            }
            if !evidence.validation.iter().any(|look| look.authenticated) {
                out.not_checked(
                    Unseen::Noted,
                    "validation by a resolver",
                    "none of the configured resolvers validates signatures",
                    "name a resolver that does, such as network.resolvers = [\"1.1.1.1\"]",
                );
            }
        }
    }
    false
}

/// Hosts of the zone whose own records are kept back. An alias may lead to a zone that somebody else
/// has broken.
fn bogus_hosts(evidence: &Evidence) -> impl Iterator<Item = &str> {
    let is_alias = |host: &&HostView| host.look.ok().is_some_and(|look| look.aliases > 0);
    let hosts = evidence.hosts.items.iter().filter(|host| host.bogus);
    let own = hosts.filter(move |host| !is_alias(host));
    own.map(|host| host.name.as_str()).filter(|name| is_below(name, &evidence.zone))
}

/// The two ways out of broken signatures.
#[derive(Debug, Clone, Copy)]
enum Fix {
    /// The registry holds a fingerprint of a key that does not exist.
    Ds,
    /// The zone's signatures are missing or out of date.
    Resign,
}

impl Fix {
    fn fill(self, finding: Finding, zone: &str, provider: &str) -> Finding {
        match self {
            Self::Ds => finding
                .fix(format!(
                    "At your registrar, open DNSSEC for {zone} and delete the DS records shown \
                     above, or replace them by the DS record that {provider} shows for the zone."
                ))
                .undo("Enter the DS records that are shown above at your registrar again."),
            Self::Resign => finding
                .fix(format!(
                    "At {provider}, sign the zone {zone} again (switch DNSSEC signing off and on, or \
                     ask its support); if that takes long, delete the DS records of {zone} at your \
                     registrar first, which makes the domain reachable again without signatures."
                ))
                .undo("Enter the DS record that the DNS provider shows at your registrar again."),
        }
    }
}

/// What is wrong at one name server.
fn defect(evidence: &Evidence, signer: &Signer, ds: &[DsFact], now: i64) -> Option<(String, Fix)> {
    let server = evidence.servers.items.get(signer.server)?.name.as_str();
    let matching: Vec<u16> = signer
        .keys
        .items
        .iter()
        .filter(|key| {
            ds.iter().any(|ds| (ds.key_tag, ds.algorithm) == (key.key_tag, key.algorithm))
        })
        .map(|key| key.key_tag)
        .collect();
    // With more keys than evidence keeps the right one may be among the others.
    if matching.is_empty() && signer.keys.cut == 0 {
        let tags: Vec<String> =
            signer.keys.items.iter().map(|key| key.key_tag.to_string()).collect();
        let published =
            if tags.is_empty() { "no key".to_owned() } else { format!("keys {}", tags.join(", ")) };
        return Some((
            format!("{server} publishes {published}, and none of the DS records fits"),
            Fix::Ds,
        ));
    }
    for covered in ["SOA", "DNSKEY"] {
        let all = signer.signatures.items.iter().filter(|signature| signature.covered == covered);
        let usable: Vec<&SignatureFact> = all
            .filter(|s| covered != "DNSKEY" || matching.is_empty() || matching.contains(&s.key_tag))
            .collect();
        if usable.iter().any(|s| s.inception <= now && now < s.expiration)
            || signer.signatures.cut > 0
        {
            continue;
        }
        let line = match usable.iter().map(|signature| signature.expiration).max() {
            None => {
                format!("{server} sends no signature (RRSIG) over {covered} by a key that counts")
            }
            Some(expiration) if expiration <= now => {
                format!(
                    "{server}: the signature (RRSIG) over {covered} ran out at {}",
                    time(expiration)
                )
            }
            Some(_) => format!("{server}: the signature (RRSIG) over {covered} is not valid yet"),
        };
        return Some((line, Fix::Resign));
    }
    None
}

fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

fn expiring(evidence: &Evidence, cx: &Cx<'_>, provider: &str, out: &mut Assessment) {
    let now = cx.now.as_second();
    // A server may send an old signature beside a new one: the last of each kind counts.
    let last = |signer: &Signer, covered: &str| {
        let all = signer.signatures.items.iter().filter(|signature| signature.covered == covered);
        all.max_by_key(|signature| signature.expiration).cloned()
    };
    let soonest = evidence
        .signers
        .iter()
        .flat_map(|signer| [last(signer, "SOA"), last(signer, "DNSKEY")])
        .flatten()
        .min_by_key(|signature| signature.expiration);
    let Some(soonest) = soonest else { return };
    let life = soonest.expiration.saturating_sub(soonest.inception);
    let bound = cx.options.signature_warning.whole_seconds().min(life / LIFE_PART);
    let warning = soonest.expiration.saturating_sub(bound);
    out.measure(
        SIGNATURE_EXPIRES
            .value(None, soonest.expiration as f64)
            .bounds(Some(now.saturating_add(bound) as f64), None),
    );
    if now < warning {
        return;
    }
    let zone = &evidence.zone;
    let hours = soonest.expiration.saturating_sub(now) / 3600;
    out.find(
        EXPIRING
            .finding(zone)
            .summary(format!("A DNSSEC signature of {zone} runs out in {hours} hours and has not been renewed."))
            .saw(format!("RRSIG {} by key {} until {}", soonest.covered, soonest.key_tag, time(soonest.expiration)))
            .fix(format!(
                "At {provider}, check that automatic signing of {zone} runs, and sign the zone again."
            ))
            .undo("A new signature needs no undoing."),
    );
}

fn unsigned(evidence: &Evidence, provider: &str, out: &mut Assessment) {
    let zone = &evidence.zone;
    let has_keys = evidence.signers.iter().any(|signer| !signer.keys.items.is_empty());
    let finding = UNSIGNED.finding(zone);
    let finding = if has_keys {
        finding
            .summary(format!("{zone} is signed, but the registry does not know it, so nobody checks the signatures."))
            .saw(format!("{zone} DNSKEY is there"))
            .saw(format!("{zone} DS is empty at the registry"))
            .fix(format!("Copy the DS record that {provider} shows for {zone} to your registrar, under DNSSEC."))
    } else {
        finding
            .summary(format!("{zone} is not signed with DNSSEC."))
            .saw(format!("{zone} DS is empty at the registry"))
            .fix(format!(
                "At {provider}, switch on DNSSEC for {zone}, then copy the DS record that it shows to \
                 your registrar; switch it on only where the provider signs by itself."
            ))
    };
    out.find(finding.undo(format!(
        "Delete the DS record of {zone} at your registrar, wait two days, then switch signing off."
    )));
}
