//! Certificates, and what is said about them.

use std::net::{IpAddr, Ipv4Addr};

use jiff::Timestamp;
use launchready::probe::bytes;
use launchready_checks::probe::replay::{PartialTls, TlsEntry, World};
use launchready_checks::probe::{ProtocolVersion, Trust, certificate_facts};
use serde_json::Value;

use super::holds::{check, is_stable, target};
use super::world::{Names, now, probes};

/// Parts with their length in front, two bytes each, at most ten.
fn chain(data: &[u8]) -> Vec<&[u8]> {
    let (mut parts, mut rest) = (Vec::new(), data);
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(behind.len());
        let (part, behind) = behind.split_at(length);
        parts.push(part);
        rest = behind;
        if parts.len() >= 10 {
            break;
        }
    }
    parts
}

/// The certificates of a server, then the checks that judge them.
pub(super) fn certificate(data: &[u8]) {
    let parts = chain(data);
    let facts: Vec<_> = parts.iter().filter_map(|der| certificate_facts(der)).collect();
    for one in &facts {
        assert!(one.names.len() <= 100 && one.names.iter().all(|name| name.len() <= 255));
        assert!(one.subject.chars().count() <= 200 && one.issuer.chars().count() <= 200);
        for urls in [&one.issuer_urls, &one.ocsp_urls, &one.crl_urls] {
            assert!(urls.len() <= 4 && urls.iter().all(|url| url.len() <= 500));
        }
        assert_eq!(one.fingerprint.len(), 64);
        is_stable(one);
    }
    bytes::ocsp_request(&parts);
    if facts.is_empty() {
        return;
    }
    let trusts = [
        Trust::Trusted,
        Trust::UnknownIssuer,
        Trust::Expired,
        Trust::NotYetValid,
        Trust::NameMismatch,
    ];
    let at = usize::from(data.last().copied().unwrap_or_default());
    let trust = trusts.get(at % trusts.len()).cloned().unwrap_or(Trust::Trusted);
    let answer = PartialTls {
        version: ProtocolVersion::Tls13,
        suite: None,
        chain: facts,
        trust,
        revoked: Some(at % 7 == 0),
    };
    let entry = TlsEntry {
        host: target().domain,
        address: None,
        port: 443,
        ecdsa: None,
        answer: Some(answer),
        fault: None,
        hello: Vec::new(),
    };
    let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
    let world = World {
        tls: vec![TlsEntry { address: Some(address), ..entry.clone() }, entry],
        ..World::default()
    };
    let probes = probes(world, Names::Plain, &[]);
    check("tls-certificate", &Value::Null, &target(), &probes);
}

/// Two months later, within the time of the answers of the corpus.
fn later() -> Timestamp {
    Timestamp::from_second(now().as_second() + 60 * 86_400).unwrap_or_else(|_| now())
}

/// An OCSP answer, the certificate that it is about and the one of its issuer.
pub(super) fn ocsp(data: &[u8]) {
    let parts = chain(data);
    let [answer, leaf, issuer, ..] = parts.as_slice() else { return };
    let said = bytes::ocsp(answer, leaf, issuer, later());
    // Whoever changes anything that is signed proves nothing. Bytes behind the answer are no part of it.
    if said.is_some() {
        let cut = answer.get(..outer_length(answer).saturating_sub(1)).unwrap_or_default();
        assert_eq!(
            bytes::ocsp(cut, leaf, issuer, later()),
            None,
            "half an answer proves something"
        );
    }
}

/// How many bytes the outermost value of DER takes (X.690, section 8.1.3); all where it does not say.
fn outer_length(der: &[u8]) -> usize {
    let byte = |at: usize| der.get(at).copied().map_or(0, usize::from);
    let length = match byte(1) {
        short @ 0..=0x7f => 2 + short,
        0x81 => 3 + byte(2),
        0x82 => 4 + (byte(2) << 8) + byte(3),
        _ => der.len(),
    };
    length.min(der.len())
}
