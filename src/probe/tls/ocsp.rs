//! OCSP (RFC 6960): asks for the state of a certificate, and believes only an answer that the
//! issuer has signed and that is in its time.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use jiff::Timestamp;
use launchready_checks::probe::certificate_facts;
use rustls::crypto::WebPkiSupportedAlgorithms;

use super::der::{Element, Reader, element, tag};

/// 1.3.14.3.2.26, SHA-1: the hash that every responder knows (RFC 5019 2.1.1).
const SHA1: [u8; 5] = [0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// 2.5.29.37, extended key usage.
const KEY_USAGE: [u8; 3] = [0x55, 0x1d, 0x25];
/// 1.3.6.1.5.5.7.3.9, signing OCSP answers.
const OCSP_SIGNING: [u8; 8] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x09];
/// 1.3.6.1.5.5.7.48.1.1, the basic answer.
const BASIC: [u8; 9] = [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// Certificates of responders that are tried, and states of certificates that are read.
const RESPONDERS: usize = 4;
const STATES: usize = 64;

/// The parts of a certificate that OCSP needs.
#[derive(Debug, Clone)]
struct Parts<'a> {
    der: &'a [u8],
    signed: Signed<'a>,
    serial: &'a [u8],
    issuer: &'a [u8],
    subject: &'a [u8],
    key: Key<'a>,
    extensions: Option<Reader<'a>>,
}

/// Something signed, with the identifier of the algorithm.
#[derive(Debug, Clone, Copy)]
struct Signed<'a> {
    message: &'a [u8],
    algorithm: &'a [u8],
    signature: &'a [u8],
}

/// A public key with the identifier of its algorithm.
#[derive(Debug, Clone, Copy)]
struct Key<'a> {
    algorithm: &'a [u8],
    bits: &'a [u8],
}

/// What is inside a bit string without unused bits.
fn bits<'a>(reader: &mut Reader<'a>) -> Option<&'a [u8]> {
    match reader.one(tag::BIT_STRING)?.content {
        [0, bits @ ..] => Some(bits),
        _ => None,
    }
}

impl<'a> Parts<'a> {
    fn of(der: &'a [u8]) -> Option<Self> {
        let mut outer = Reader::new(der).enter(tag::SEQUENCE)?;
        let message = outer.one(tag::SEQUENCE)?;
        let algorithm = outer.one(tag::SEQUENCE)?.content;
        let signature = bits(&mut outer)?;
        let mut inner = Reader::new(message.content);
        inner.one(tag::context(0));
        let serial = inner.one(tag::INTEGER)?.content;
        inner.one(tag::SEQUENCE)?;
        let issuer = inner.one(tag::SEQUENCE)?.whole;
        let _validity = inner.one(tag::SEQUENCE)?;
        let subject = inner.one(tag::SEQUENCE)?.whole;
        let mut key = inner.enter(tag::SEQUENCE)?;
        let key = Key { algorithm: key.one(tag::SEQUENCE)?.content, bits: bits(&mut key)? };
        let mut extensions = inner.filter(|element| element.tag == tag::context(3));
        let extensions =
            extensions.next().and_then(|e| Reader::new(e.content).enter(tag::SEQUENCE));
        let signed = Signed { message: message.whole, algorithm, signature };
        Some(Self { der, signed, serial, issuer, subject, key, extensions })
    }

    /// Whether its issuer lets it sign OCSP answers (RFC 6960 4.2.2.2).
    fn is_responder(&self) -> bool {
        self.extensions.clone().into_iter().flatten().any(|extension| {
            let mut fields = Reader::new(extension.content);
            let is_usage = fields.one(tag::OID).is_some_and(|oid| oid.content == KEY_USAGE);
            fields.one(tag::BOOLEAN);
            let list = fields.enter(tag::OCTET_STRING).and_then(|mut s| s.enter(tag::SEQUENCE));
            is_usage && list.into_iter().flatten().any(|oid| oid.content == OCSP_SIGNING)
        })
    }
}

/// The certificate in `chain` that issued the first one.
pub(super) fn issuer(chain: &[impl AsRef<[u8]>]) -> Option<&[u8]> {
    let (leaf, rest) = chain.split_first()?;
    let wanted = Parts::of(leaf.as_ref())?.issuer;
    rest.iter().map(AsRef::as_ref).find(|der| Parts::of(der).is_some_and(|p| p.subject == wanted))
}

/// A request for the state of `leaf`.
pub(super) fn request(leaf: &[u8], issuer: &[u8]) -> Option<Vec<u8>> {
    let (leaf, issuer) = (Parts::of(leaf)?, Parts::of(issuer)?);
    let hash = |bytes: &[u8]| {
        element(tag::OCTET_STRING, digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref())
    };
    let algorithm = [element(tag::OID, &SHA1), element(tag::NULL, &[])].concat();
    let id = [
        element(tag::SEQUENCE, &algorithm),
        hash(leaf.issuer),
        hash(issuer.key.bits),
        element(tag::INTEGER, leaf.serial),
    ];
    // OCSPRequest { TBSRequest { list of Request { CertID } } }
    Some(
        (0..4)
            .fold(element(tag::SEQUENCE, &id.concat()), |inner, _| element(tag::SEQUENCE, &inner)),
    )
}

/// Whether an answer proves that `leaf` is revoked (`true`) or good (`false`); `None` when it proves
/// nothing.
pub(in crate::probe) fn is_revoked(
    answer: &[u8],
    leaf: &[u8],
    issuer: &[u8],
    now: Timestamp,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Option<bool> {
    let (leaf, issuer) = (Parts::of(leaf)?, Parts::of(issuer)?);
    let mut outer = Reader::new(answer).enter(tag::SEQUENCE)?;
    // Any other status than "successful" has no content.
    outer.one(tag::ENUMERATED).filter(|status| status.content == [0])?;
    let mut typed = outer.enter(tag::context(0))?.enter(tag::SEQUENCE)?;
    typed.one(tag::OID).filter(|oid| oid.content == BASIC)?;
    let mut basic = typed.enter(tag::OCTET_STRING)?.enter(tag::SEQUENCE)?;
    let data = basic.one(tag::SEQUENCE)?;
    let algorithm = basic.one(tag::SEQUENCE)?.content;
    let signed = Signed { message: data.whole, algorithm, signature: bits(&mut basic)? };
    let responders = basic.enter(tag::context(0)).and_then(|mut list| list.enter(tag::SEQUENCE));
    let delegated = || {
        responders.clone().into_iter().flatten().take(RESPONDERS).any(|certificate| {
            Parts::of(certificate.whole).is_some_and(|responder| {
                responder.issuer == issuer.subject
                    && responder.is_responder()
                    && is_in_time(responder.der, now)
                    && is_signed(responder.signed, issuer.key, algorithms)
                    && is_signed(signed, responder.key, algorithms)
            })
        })
    };
    if !is_signed(signed, issuer.key, algorithms) && !delegated() {
        return None;
    }
    let mut fields = Reader::new(data.content);
    // The version is left out where it is 1; the responder is told by name [1] or key [2].
    fields.one(tag::context(0));
    fields.one(tag::context(1)).or_else(|| fields.one(tag::context(2)))?;
    fields.one(tag::GENERALIZED_TIME)?;
    let states = fields.enter(tag::SEQUENCE)?;
    states.take(STATES).find_map(|state| state_of(&state, leaf.serial, now))
}

/// The state in one `SingleResponse`, when it is about this serial number and in its time.
fn state_of(state: &Element<'_>, serial: &[u8], now: Timestamp) -> Option<bool> {
    let mut fields = Reader::new(state.content);
    let id = fields.enter(tag::SEQUENCE)?;
    id.filter(|field| field.tag == tag::INTEGER).find(|field| field.content == serial)?;
    let verdict = fields.next()?;
    let from = time(fields.one(tag::GENERALIZED_TIME)?.content)?;
    let until = fields.enter(tag::context(0)).and_then(|mut time| time.one(tag::GENERALIZED_TIME));
    // Without an end, newer word may be had at any time (RFC 6960 2.4), so it proves nothing.
    let until = time(until?.content)?;
    if now < from || now > until {
        return None;
    }
    match verdict.tag {
        0x80 => Some(false),
        0xa1 => Some(true),
        _ => None,
    }
}

/// `20261123090000Z`.
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok().filter(|text| text.len() == 15)?;
    let part = |from: usize, to: usize| text.get(from..to);
    let (date, hour) = ((part(0, 4)?, part(4, 6)?, part(6, 8)?), part(8, 10)?);
    let (minute, second) = (part(10, 12)?, part(12, 15)?);
    format!("{}-{}-{}T{hour}:{minute}:{second}", date.0, date.1, date.2).parse().ok()
}

fn is_in_time(der: &[u8], now: Timestamp) -> bool {
    certificate_facts(der).is_some_and(|facts| facts.not_before <= now && now <= facts.not_after)
}

fn is_signed(signed: Signed<'_>, key: Key<'_>, algorithms: &WebPkiSupportedAlgorithms) -> bool {
    algorithms.all.iter().any(|algorithm| {
        algorithm.signature_alg_id().as_ref() == signed.algorithm
            && algorithm.public_key_alg_id().as_ref() == key.algorithm
            && algorithm.verify_signature(key.bits, signed.message, signed.signature).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::probe::trust::provider;

    #[test]
    fn times_are_read_and_others_are_not() {
        assert_eq!(time(b"20261123090000Z"), "2026-11-23T09:00:00Z".parse().ok());
        for bad in [&b"20261123090000"[..], b"2026112309000ZZ", b"20261323090000Z", b"", b"\xff"] {
            assert_eq!(time(bad), None);
        }
    }

    proptest! {
        #[test]
        fn reading_never_panics(
            answer in prop::collection::vec(any::<u8>(), 0..300),
            certificate in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let algorithms = provider().signature_verification_algorithms;
            let _ = request(&certificate, &certificate);
            let now = Timestamp::UNIX_EPOCH;
            let _ = is_revoked(&answer, &certificate, &certificate, now, &algorithms);
        }
    }
}
