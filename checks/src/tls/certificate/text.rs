//! The words of the findings about certificates.

use std::net::IpAddr;

use jiff::Timestamp;

use super::Certificate;
use super::defect::{Defect, is_automatic, is_forgeable, is_short, life, longest_life};
use super::evidence::{AddressSeen, HostSeen, Leaf};
use super::judge::Sight;
use super::spec;
use super::words::{certificate, count, hash, issuer, key, list, minute, names, span};
use crate::contract::{Age, AssessCx, Finding, in_days};
use crate::probe::{Seen, Trust};
use crate::tls::operator;

const PUT_BACK: &str = "Keep the old certificate and its key until the new one is served; to go back, \
     put them in place again and reload the web server.";

/// The finding for one kind of defect of a host; `first` is the certificate that it is told of,
/// `hit` every one that has it.
pub(super) fn finding(
    kind: Defect,
    host: &HostSeen,
    first: &Sight<'_>,
    hit: &[&Sight<'_>],
    cx: &AssessCx<'_, Certificate>,
) -> Finding {
    let name = host.name.as_str();
    let place = place(host, hit);
    let platform = host.platform.as_deref();
    let renew = operator::renew(platform, name);
    let issue = operator::issue(platform, name);
    let finding = match kind {
        Defect::Expired => spec::EXPIRED.finding(name).summary(expired(name, &place, first, cx.now)).fix(renew),
        Defect::NotYetValid => spec::NOT_YET_VALID
            .finding(name)
            .summary(format!(
                "The certificate of {name}{place} is valid only from {}.",
                minute(first.leaf.not_before)
            ))
            .fix(format!(
                "Serve the earlier certificate until then, or have a new one issued. {renew}"
            )),
        Defect::NameMismatch => spec::NAME_MISMATCH
            .finding(name)
            .summary(format!(
                "The certificate of {name}{place} is for {} and not for {name}.",
                names(first.leaf)
            ))
            .fix(format!("Have a certificate issued that names {name}. {issue}")),
        Defect::Untrusted => untrusted(name, &place, first, &issue),
        Defect::Incomplete => spec::INCOMPLETE
            .finding(name)
            .summary(format!(
                "The server of {name}{place} sends {} and leaves out the certificate of its issuer.",
                count(first.shake.sent, "certificate")
            ))
            .fix(format!(
                "Serve the whole chain: in nginx `ssl_certificate` must point at `fullchain.pem` and \
                 not at `cert.pem`; where a dashboard asks for the certificate, paste it together \
                 with the intermediate that {} publishes.",
                issuer(first.leaf)
            )),
        Defect::Expiring(severity) => spec::EXPIRING
            .finding(name)
            .at(severity)
            .summary(expiring(name, &place, first.leaf, cx.now))
            .fix(renew),
        Defect::Revoked => spec::REVOKED
            .finding(name)
            .summary(format!("{} has revoked the certificate of {name}{place}.", issuer(first.leaf)))
            .fix(format!(
                "Make a new private key, have a new certificate issued for it, and find out why the \
                 old one was revoked. {renew}"
            )),
        Defect::WeakKey => spec::WEAK_KEY
            .finding(name)
            .summary(weak_key(name, &place, first))
            .fix(format!(
                "Have a certificate issued for a new key of 256-bit ECDSA or 2048-bit RSA, such as \
                 `sudo certbot certonly --key-type ecdsa -d {name}`, and serve it."
            )),
        Defect::WeakSignature => spec::WEAK_SIGNATURE
            .finding(name)
            .summary(weak_signature(name, &place, first))
            .fix(format!("Have a certificate issued anew; every public CA signs with SHA-256. {renew}")),
        Defect::TooLong => spec::TOO_LONG
            .finding(name)
            .summary(too_long(name, &place, first))
            .fix(format!("Have a certificate issued that lives within the limit. {renew}")),
        Defect::IntermediateFirst => spec::INTERMEDIATE_FIRST
            .finding(name)
            .summary(intermediate_first(name, &place, first))
            .fix(format!(
                "Serve the newer intermediate that {} publishes, or have the certificate issued \
                 anew. {renew}",
                issuer(first.leaf)
            )),
    };
    let finding = finding.saw_all(hit.iter().map(|sight| seen(sight)));
    if finding.undo.is_empty() { finding.undo(PUT_BACK) } else { finding }
}

/// The finding for servers that answer without a certificate.
pub(super) fn handshake_failed(host: &HostSeen, broken: &[&AddressSeen]) -> Finding {
    let name = host.name.as_str();
    let lines = broken.iter().map(|at| match &at.shake {
        Seen::Target(fault) => format!("{}: {fault}", at.address),
        _ => format!("{}: the server sent no certificate", at.address),
    });
    let place = if broken.len() == host.at.len() {
        String::new()
    } else {
        format!(" at {}", list(broken.iter().map(|at| at.address.to_string())))
    };
    spec::HANDSHAKE_FAILED
        .finding(name)
        .summary(format!("{name}{place} accepts connections on port 443, but the handshake fails."))
        .saw_all(lines)
        .fix(format!(
            "See what the server says with `openssl s_client -connect {name}:443 -servername {name}`. \
             Most often no certificate has been issued for {name} yet. {}",
            operator::issue(host.platform.as_deref(), name)
        ))
        .undo(PUT_BACK)
}

/// The finding for a host whose addresses are not all good.
pub(super) fn addresses_differ(
    host: &HostSeen,
    good: &[(IpAddr, String)],
    bad: &[(IpAddr, String)],
) -> Finding {
    let name = host.name.as_str();
    let addresses = list(bad.iter().map(|(address, _)| address.to_string()));
    let records: Vec<String> = bad
        .iter()
        .take(4)
        .map(|(address, _)| {
            format!("`{name} {} {address}`", if address.is_ipv4() { "A" } else { "AAAA" })
        })
        .collect();
    spec::ADDRESSES_DIFFER
        .finding(name)
        .summary(format!(
            "{} of {} addresses of {name} serve a good certificate; {addresses} {} not.",
            good.len(),
            good.len() + bad.len(),
            if bad.len() == 1 { "does" } else { "do" }
        ))
        .saw_all(bad.iter().map(|(address, what)| format!("{address}: {what}")))
        .saw_all(good.iter().take(4).map(|(address, what)| format!("{address}: {what}")))
        .fix(format!(
            "Bring the certificate to the server behind {addresses}, or, if that server is no longer \
             yours, delete the record {} at your DNS host.",
            records.join(", ")
        ))
        .undo(format!("Add the record {} again.", records.join(", ")))
}

fn expired(name: &str, place: &str, first: &Sight<'_>, now: Timestamp) -> String {
    if first.leaf.not_after <= now {
        let overdue =
            if is_automatic(first.leaf) { " Its automatic renewal has failed." } else { "" };
        return format!(
            "The certificate of {name}{place} ran out on {}.{overdue}",
            minute(first.leaf.not_after)
        );
    }
    match first.shake.above.iter().find(|above| above.not_after <= now) {
        Some(above) => format!(
            "The chain of {name}{place} holds “{}”, which ran out on {}.",
            above.subject,
            minute(above.not_after)
        ),
        None => format!("A certificate in the chain of {name}{place} has run out."),
    }
}

fn expiring(name: &str, place: &str, leaf: &Leaf, now: Timestamp) -> String {
    let left = leaf.not_after.as_second().saturating_sub(now.as_second());
    let far = if left < Age::days(2).whole_seconds() {
        format!("in {}", span(left))
    } else {
        in_days(leaf.not_after, now)
    };
    let when = format!("{}, {far}", leaf.not_after.strftime("%Y-%m-%d"));
    // Programs renew with a third of the life left; a quarter is late for any of them.
    if is_automatic(leaf) && left.saturating_mul(4) <= life(leaf) {
        format!(
            "The automatic renewal of the certificate of {name}{place} is overdue: it runs out on \
             {when}, and should have been replaced by now."
        )
    } else {
        format!("The certificate of {name}{place} runs out on {when}.")
    }
}

fn untrusted(name: &str, place: &str, first: &Sight<'_>, issue: &str) -> Finding {
    let leaf = first.leaf;
    let finding = spec::UNTRUSTED.finding(name);
    // Cloudflare's origin certificates are meant for its own edge alone.
    if leaf.issuer.to_ascii_lowercase().contains("cloudflare origin") {
        return finding
            .summary(format!(
                "{name}{place} serves a Cloudflare origin certificate, which only Cloudflare trusts."
            ))
            .fix(format!(
                "In the Cloudflare dashboard open DNS → Records and set the record of {name} to \
                 Proxied, so that visitors meet Cloudflare's own certificate."
            ))
            .undo("Set the record to DNS only again.");
    }
    let finding = match &first.shake.trust {
        Trust::Other(why) => finding.summary(format!(
            "The certificate of {name}{place} does not stand up to verification: {why}."
        )),
        _ if leaf.self_issued => finding.summary(format!(
            "The certificate of {name}{place} signed itself; no browser trusts it."
        )),
        _ => finding.summary(format!(
            "The certificate of {name}{place} was issued by {}, which no browser knows.",
            issuer(leaf)
        )),
    };
    finding.fix(format!("Serve a certificate of a public CA such as Let's Encrypt. {issue}"))
}

fn weak_key(name: &str, place: &str, first: &Sight<'_>) -> String {
    let leaf = first.leaf;
    if is_short(leaf.key, leaf.key_bits) {
        return format!(
            "The key of the certificate of {name}{place} has {} bits of {}.",
            leaf.key_bits,
            key(leaf.key)
        );
    }
    let above = first.shake.above.iter().find(|c| !c.self_issued && is_short(c.key, c.key_bits));
    above.map_or_else(String::new, |above| {
        format!(
            "The issuer “{}” in the chain of {name}{place} has a key of only {} bits of {}.",
            above.subject,
            above.key_bits,
            key(above.key)
        )
    })
}

fn weak_signature(name: &str, place: &str, first: &Sight<'_>) -> String {
    let leaf = first.leaf;
    if !leaf.self_issued && is_forgeable(leaf.hash) {
        let hash = hash(leaf.hash);
        return format!("The certificate of {name}{place} is signed with {hash}.");
    }
    let above = first.shake.above.iter().find(|c| !c.self_issued && is_forgeable(c.hash));
    above.map_or_else(String::new, |above| {
        let hash = hash(above.hash);
        format!(
            "The issuer “{}” in the chain of {name}{place} is signed with {hash}.",
            above.subject
        )
    })
}

fn too_long(name: &str, place: &str, first: &Sight<'_>) -> String {
    format!(
        "The certificate of {name}{place} lives {}; one issued on {} may live {} days.",
        span(life(first.leaf)),
        first.leaf.not_before.strftime("%Y-%m-%d"),
        longest_life(first.shake, first.leaf).unwrap_or_default()
    )
}

fn intermediate_first(name: &str, place: &str, first: &Sight<'_>) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d");
    let end = first.shake.above.first().map_or(first.leaf.not_after, |above| above.not_after);
    format!(
        "The issuer of the certificate of {name}{place} runs out on {}, before the certificate \
         itself on {}.",
        day(end),
        day(first.leaf.not_after)
    )
}

/// One line of evidence.
fn seen(sight: &Sight<'_>) -> String {
    let Sight { shake, leaf, .. } = sight;
    let verdict = match &shake.trust {
        Trust::Trusted => "trusted".to_owned(),
        Trust::Expired => "expired".to_owned(),
        Trust::NotYetValid => "not yet valid".to_owned(),
        Trust::NameMismatch => "not for this name".to_owned(),
        Trust::SelfSigned => "self-signed".to_owned(),
        Trust::Incomplete => "chain incomplete".to_owned(),
        Trust::UnknownIssuer => "unknown issuer".to_owned(),
        Trust::Revoked => "revoked".to_owned(),
        Trust::Other(why) => why.clone(),
    };
    format!(
        "{}: {}; {} {} bits, {}; verifier: {verdict}",
        sight.at(),
        certificate(leaf),
        key(leaf.key),
        leaf.key_bits,
        hash(leaf.hash)
    )
}

/// At which addresses, where not at all of them.
fn place(host: &HostSeen, hit: &[&Sight<'_>]) -> String {
    let mut looked = host.at.iter().filter(|at| at.shake.agent_fault().is_none());
    let everywhere = looked.all(|at| hit.iter().any(|sight| sight.address == at.address));
    let other_only = hit.iter().all(|sight| sight.is_other);
    if everywhere && !other_only {
        return String::new();
    }
    format!(" at {}", list(hit.iter().map(|sight| sight.at())))
}
