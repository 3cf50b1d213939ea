//! How addresses, names, dates and lengths are written in findings about certificates.

use jiff::Timestamp;

use super::evidence::Leaf;
use crate::probe::{KeyKind, SignatureHash};

/// A certificate in one line.
pub(super) fn certificate(leaf: &Leaf) -> String {
    format!(
        "certificate for {}, issued by {}, valid {} to {}, SHA-256 {}…",
        names(leaf),
        issuer(leaf),
        minute(leaf.not_before),
        minute(leaf.not_after),
        leaf.fingerprint.chars().take(16).collect::<String>()
    )
}

/// The first four of a list, and how many more there are.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = items.collect();
    let more = items.len().saturating_sub(4);
    let first: Vec<String> = items.into_iter().take(4).collect();
    let first = first.join(", ");
    if more > 0 { format!("{first} and {more} more") } else { first }
}

pub(super) fn names(leaf: &Leaf) -> String {
    let more = leaf.names_cut + leaf.names.len().saturating_sub(4);
    let first: Vec<&str> = leaf.names.iter().take(4).map(String::as_str).collect();
    match (first.is_empty(), more) {
        (true, 0) => format!("no name (“{}”)", leaf.subject),
        (true, more) => count(more, "name"),
        (false, 0) => first.join(", "),
        (false, more) => format!("{} and {more} more", first.join(", ")),
    }
}

/// The issuer as people call it: its organisation and the name of its key.
pub(super) fn issuer(leaf: &Leaf) -> String {
    let dn = leaf.issuer.as_str();
    match (attribute(dn, "O"), attribute(dn, "CN")) {
        (Some(o), Some(cn)) => format!("{o} ({cn})"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => format!("“{dn}”"),
    }
}

/// The organisation of the issuer alone: the name of its key changes from one renewal to the next.
pub(super) fn organisation(leaf: &Leaf) -> String {
    attribute(&leaf.issuer, "O").unwrap_or_else(|| issuer(leaf))
}

/// An attribute of a distinguished name such as `C=US, O=DigiCert, Inc., CN=One`: values may hold
/// commas, so a value ends where the next attribute begins.
fn attribute(dn: &str, name: &str) -> Option<String> {
    let mut found: Option<Vec<&str>> = None;
    for part in dn.split(", ") {
        let key = part
            .split_once('=')
            .map(|(key, _)| key)
            .filter(|key| !key.is_empty() && key.chars().all(|c| c.is_ascii_uppercase()));
        match (&mut found, key) {
            (Some(_), Some(_)) => break,
            (Some(value), None) => value.push(part),
            (None, Some(key)) if key == name => {
                found = part.split_once('=').map(|(_, value)| vec![value]);
            }
            (None, _) => {}
        }
    }
    found.map(|value| value.join(", ")).filter(|value| !value.trim().is_empty())
}

pub(super) fn minute(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A length of time in days, or in hours below two days.
pub(super) fn span(seconds: i64) -> String {
    if seconds >= 2 * 86_400 {
        format!("{} days", seconds / 86_400)
    } else {
        count(usize::try_from(seconds / 3600).unwrap_or_default(), "hour")
    }
}

pub(super) fn count(n: usize, thing: &str) -> String {
    if n == 1 { format!("1 {thing}") } else { format!("{n} {thing}s") }
}

pub(super) const fn key(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Rsa => "RSA",
        KeyKind::Ecdsa => "ECDSA",
        KeyKind::Ed25519 => "Ed25519",
        KeyKind::Other => "an unknown kind",
    }
}

pub(super) const fn hash(hash: SignatureHash) -> &'static str {
    match hash {
        SignatureHash::Md5 => "MD5",
        SignatureHash::Sha1 => "SHA-1",
        SignatureHash::Sha2 => "SHA-2",
        SignatureHash::Other => "an unknown hash",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_with_commas_are_read_whole() {
        let dn = "C=US, O=CloudFlare, Inc., OU=Origin CA, CN=One";
        assert_eq!(attribute(dn, "O").as_deref(), Some("CloudFlare, Inc."));
        assert_eq!(attribute(dn, "CN").as_deref(), Some("One"));
        assert_eq!(attribute(dn, "L"), None);
        assert_eq!(attribute("", "CN"), None);
        assert_eq!(attribute("CN=", "CN"), None);
    }
}
