//! What was seen of the certificates of a project, in few bytes.

use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::probe::{CertificateFacts, KeyKind, Seen, SignatureHash, TlsAnswer, Trust};
use crate::tls::pairs::{TEXT_BYTES, short};

/// Pairs of host and address that are looked at.
pub(super) const PAIRS: usize = 24;
/// Hosts that are asked a second time, for an RSA certificate beside an ECDSA one.
pub(super) const SECOND_LOOKS: usize = 8;
/// Names of a leaf that are kept, and the bytes that they may take together.
const NAMES: usize = 20;
const NAME_BYTES: usize = 400;
/// Certificates above the leaf that are kept.
const ABOVE: usize = 3;
/// Bytes of a distinguished name.
const DN_BYTES: usize = 80;

/// What was seen.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The hosts that were looked at.
    pub(super) hosts: Vec<HostSeen>,
    /// Pairs of host and address past the limit.
    pub(super) pairs_cut: usize,
}

/// One host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct HostSeen {
    pub(super) name: String,
    /// It is the apex or was declared.
    pub(super) declared: bool,
    /// The platform that its aliases or addresses belong to.
    pub(super) platform: Option<String>,
    /// How many addresses the name has, or why that is not known.
    pub(super) addresses: Seen<usize>,
    /// The addresses that were looked at.
    pub(super) at: Vec<AddressSeen>,
}

/// One address of a host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AddressSeen {
    pub(super) address: IpAddr,
    pub(super) shake: Seen<Handshake>,
    /// The other certificate of a server that has one for RSA and one for ECDSA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) other: Option<Handshake>,
}

/// One handshake.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Handshake {
    pub(super) trust: Trust,
    pub(super) revoked: Option<bool>,
    /// Certificates that the server sent.
    pub(super) sent: usize,
    /// The leaf; `None` when its bytes could not be read.
    pub(super) leaf: Option<Leaf>,
    /// The certificates above it that were sent, in the order of issue.
    pub(super) above: Vec<Above>,
}

/// The certificate of the host.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Leaf {
    pub(super) subject: String,
    pub(super) issuer: String,
    pub(super) names: Vec<String>,
    pub(super) names_cut: usize,
    /// Whether it is for the host; `None` when it has more names than were read.
    pub(super) for_host: Option<bool>,
    pub(super) not_before: Timestamp,
    pub(super) not_after: Timestamp,
    pub(super) key: KeyKind,
    pub(super) key_bits: usize,
    pub(super) hash: SignatureHash,
    pub(super) self_issued: bool,
    pub(super) fingerprint: String,
}

/// A certificate above the leaf.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Above {
    pub(super) subject: String,
    pub(super) not_after: Timestamp,
    pub(super) key: KeyKind,
    pub(super) key_bits: usize,
    pub(super) hash: SignatureHash,
    pub(super) self_issued: bool,
}

impl Handshake {
    /// The facts of an answer that matter for `host`.
    pub(super) fn of(answer: &TlsAnswer, host: &str) -> Self {
        let trust = match &answer.trust {
            Trust::Other(text) => Trust::Other(short(text, TEXT_BYTES)),
            other => other.clone(),
        };
        Self {
            trust,
            revoked: answer.revoked,
            sent: answer.chain.len(),
            leaf: answer.chain.first().map(|leaf| Leaf::of(leaf, host)),
            above: path(&answer.chain).into_iter().take(ABOVE).map(Above::of).collect(),
        }
    }
}

impl Leaf {
    fn of(facts: &CertificateFacts, host: &str) -> Self {
        let mut left = NAME_BYTES;
        let mut names = Vec::new();
        for name in facts.names.iter().take(NAMES) {
            let Some(rest) = left.checked_sub(name.len() + 3) else { break };
            left = rest;
            names.push(short(name, NAME_BYTES));
        }
        let matched = facts.names.iter().any(|name| matches(name, host));
        Self {
            subject: short(&facts.subject, DN_BYTES),
            issuer: short(&facts.issuer, DN_BYTES),
            names_cut: facts.names_cut + facts.names.len().saturating_sub(names.len()),
            names,
            for_host: if matched { Some(true) } else { (facts.names_cut == 0).then_some(false) },
            not_before: facts.not_before,
            not_after: facts.not_after,
            key: facts.key,
            key_bits: facts.key_bits,
            hash: facts.hash,
            self_issued: facts.self_issued,
            fingerprint: short(&facts.fingerprint, 64),
        }
    }
}

impl Above {
    fn of(facts: &CertificateFacts) -> Self {
        Self {
            subject: short(&facts.subject, DN_BYTES),
            not_after: facts.not_after,
            key: facts.key,
            key_bits: facts.key_bits,
            hash: facts.hash,
            self_issued: facts.self_issued,
        }
    }
}

/// The certificates above the leaf along issuer and subject, whatever the order of sending and
/// whatever else was sent: an expired cross-signature beside the path harms nobody.
fn path(chain: &[CertificateFacts]) -> Vec<&CertificateFacts> {
    let mut path: Vec<&CertificateFacts> = Vec::new();
    let Some(mut below) = chain.first() else { return path };
    while !below.self_issued && path.len() < chain.len() {
        let next = chain.iter().skip(1).find(|candidate| {
            candidate.subject == below.issuer
                && !path.iter().any(|known| known.fingerprint == candidate.fingerprint)
        });
        let Some(next) = next else { break };
        path.push(next);
        below = next;
    }
    path
}

/// Whether a name of a certificate is for a host (RFC 9525): a wildcard stands for one label.
fn matches(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        None => name == host,
        Some(parent) => host.split_once('.').is_some_and(|(_, rest)| rest == parent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::EVIDENCE_LIMIT_BYTES;
    use crate::probe::ProtocolVersion;

    fn facts(subject: &str, issuer: &str, names: Vec<String>) -> CertificateFacts {
        CertificateFacts {
            subject: subject.to_owned(),
            issuer: issuer.to_owned(),
            names,
            names_cut: 9_900,
            not_before: "2026-10-01T00:00:00Z".parse().unwrap(),
            not_after: "2026-12-30T00:00:00Z".parse().unwrap(),
            key: KeyKind::Ecdsa,
            key_bits: 256,
            hash: SignatureHash::Sha2,
            fingerprint: format!("{subject:f<64}"),
            self_issued: subject == issuer,
            is_ca: false,
            issuer_urls: Vec::new(),
            ocsp_urls: Vec::new(),
            crl_urls: Vec::new(),
        }
    }

    #[test]
    fn the_worst_certificates_stay_within_the_limit_of_evidence() {
        let name = "\u{1}".repeat(200);
        let names: Vec<String> = (0..100).map(|_| "\u{7}".repeat(17)).collect();
        let chain: Vec<_> = (0..10).map(|_| facts(&name, &name, names.clone())).collect();
        let answer = TlsAnswer {
            address: "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff".parse().unwrap(),
            version: ProtocolVersion::Tls13,
            suite: "TLS_AES_128_GCM_SHA256".to_owned(),
            chain,
            trust: Trust::Other("\"".repeat(5_000)),
            revoked: Some(true),
            handshake_ms: 1.0,
        };
        let mut shake = Handshake::of(&answer, "harbor.example");
        shake.above = answer.chain.iter().take(ABOVE).map(Above::of).collect();
        let hosts = (0..PAIRS).map(|nth| HostSeen {
            name: "h".repeat(253),
            declared: true,
            platform: Some("Azure Front Door".to_owned()),
            addresses: Seen::Ok(1),
            at: vec![AddressSeen {
                address: answer.address,
                shake: Seen::Ok(shake.clone()),
                other: (nth < SECOND_LOOKS).then(|| shake.clone()),
            }],
        });
        let evidence = Evidence { hosts: hosts.collect(), pairs_cut: 1_000 };
        let size = serde_json::to_string(&evidence).unwrap().len();
        assert!(size < EVIDENCE_LIMIT_BYTES, "{size}");
    }

    #[test]
    fn the_path_follows_the_issuers_and_not_the_order_of_sending() {
        let chain = [
            facts("leaf", "one", vec![]),
            facts("elsewhere", "old root", vec![]),
            facts("two", "two", vec![]),
            facts("one", "two", vec![]),
        ];
        let subjects: Vec<_> = path(&chain).into_iter().map(|c| c.subject.as_str()).collect();
        assert_eq!(subjects, ["one", "two"]);
        // Two certificates that name each other as issuer end the walk.
        let circle = [facts("a", "b", vec![]), facts("b", "c", vec![]), facts("c", "b", vec![])];
        assert_eq!(path(&circle).len(), 2);
    }

    #[test]
    fn a_wildcard_stands_for_one_label() {
        assert!(matches("harbor.example", "harbor.example"));
        assert!(matches("*.harbor.example", "app.harbor.example"));
        assert!(!matches("*.harbor.example", "harbor.example"));
        assert!(!matches("*.harbor.example", "a.app.harbor.example"));
    }
}
