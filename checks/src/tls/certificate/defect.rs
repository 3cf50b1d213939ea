//! What is wrong with one certificate.

use jiff::Timestamp;

use super::Options;
use super::evidence::{Handshake, Leaf};
use crate::contract::{Age, Ratio, Severity};
use crate::probe::{KeyKind, SignatureHash, Trust};

/// One defect of one certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Defect {
    Expired,
    NotYetValid,
    NameMismatch,
    Untrusted,
    Incomplete,
    Expiring(Severity),
    Revoked,
    WeakKey,
    WeakSignature,
    TooLong,
    IntermediateFirst,
}

impl Defect {
    /// Whether a client refuses the connection because of it.
    pub(super) const fn stops_clients(self) -> bool {
        matches!(
            self,
            Self::Expired
                | Self::NotYetValid
                | Self::NameMismatch
                | Self::Untrusted
                | Self::Incomplete
                | Self::Revoked
        )
    }
}

/// The longest lives of publicly trusted certificates by their date of issue, latest first
/// (CA/Browser Forum Baseline Requirements 6.3.2): Unix seconds of 2029-03-15, 2027-03-15,
/// 2026-03-15 and 2020-09-01, and days.
const LONGEST: [(i64, i64); 4] =
    [(1_868_227_200, 47), (1_805_068_800, 100), (1_773_532_800, 200), (1_598_918_400, 398)];
/// The shortest keys that browsers take (Baseline Requirements 6.1.5).
const RSA_BITS: usize = 2048;
const EC_BITS: usize = 256;
/// Certificates that live no longer than this many days are renewed by a program.
const AUTOMATIC_DAYS: i64 = 100;

const DAY: i64 = 86_400;

/// Every defect of a certificate, looked at at the time `now`.
pub(super) fn defects(
    shake: &Handshake,
    leaf: &Leaf,
    now: Timestamp,
    options: &Options,
) -> Vec<Defect> {
    let mut found = Vec::new();
    let expired = leaf.not_after <= now || shake.trust == Trust::Expired;
    let early = leaf.not_before > now || shake.trust == Trust::NotYetValid;
    let weak_signature = has_weak_signature(shake, leaf);
    let mut add = |is: bool, defect: Defect| {
        if is {
            found.push(defect);
        }
    };
    add(expired, Defect::Expired);
    add(early && !expired, Defect::NotYetValid);
    add(shake.trust == Trust::NameMismatch || leaf.for_host == Some(false), Defect::NameMismatch);
    add(is_untrusted(shake, leaf, weak_signature), Defect::Untrusted);
    add(shake.trust == Trust::Incomplete, Defect::Incomplete);
    if let Some(severity) = expiring(leaf, now, options).filter(|_| !expired) {
        add(true, Defect::Expiring(severity));
    }
    add(shake.trust == Trust::Revoked || shake.revoked == Some(true), Defect::Revoked);
    add(has_weak_key(shake, leaf), Defect::WeakKey);
    add(weak_signature, Defect::WeakSignature);
    add(longest_life(shake, leaf).is_some(), Defect::TooLong);
    add(
        shake.above.first().is_some_and(|issuer| {
            !issuer.self_issued && issuer.not_after < leaf.not_after && issuer.not_after > now
        }),
        Defect::IntermediateFirst,
    );
    found
}

fn is_untrusted(shake: &Handshake, leaf: &Leaf, weak_signature: bool) -> bool {
    match &shake.trust {
        Trust::SelfSigned | Trust::UnknownIssuer => true,
        // A verifier that refuses SHA-1 says so in its own words; that is a finding of its own.
        Trust::Other(_) => !weak_signature,
        // A verifier stops at the first defect; that a certificate signed itself is seen anyway.
        Trust::Expired | Trust::NotYetValid | Trust::NameMismatch => leaf.self_issued,
        Trust::Trusted | Trust::Incomplete | Trust::Revoked => false,
    }
}

/// Seconds from the start to the end of validity.
pub(super) fn life(leaf: &Leaf) -> i64 {
    leaf.not_after.as_second().saturating_sub(leaf.not_before.as_second()).max(0)
}

/// Whether it lives so briefly that a program renews it.
pub(super) fn is_automatic(leaf: &Leaf) -> bool {
    life(leaf) <= AUTOMATIC_DAYS * DAY
}

/// The seconds before the end at which a threshold begins: the shorter of a time and a part of life.
pub(super) fn window(age: Age, part: Ratio, leaf: &Leaf) -> i64 {
    #[allow(clippy::cast_possible_truncation, reason = "a life in seconds times a part of one")]
    let of_life = (life(leaf) as f64 * part.0) as i64;
    age.whole_seconds().min(of_life)
}

fn expiring(leaf: &Leaf, now: Timestamp, options: &Options) -> Option<Severity> {
    let left = leaf.not_after.as_second().saturating_sub(now.as_second());
    if left <= window(options.critical, options.critical_life, leaf) {
        Some(Severity::Critical)
    } else if left <= window(options.warning, options.warning_life, leaf) {
        Some(Severity::Warning)
    } else {
        None
    }
}

/// The limit in days that a publicly trusted certificate breaks.
pub(super) fn longest_life(shake: &Handshake, leaf: &Leaf) -> Option<i64> {
    // These verdicts are given only after a path to a known root was found.
    let public = matches!(
        shake.trust,
        Trust::Trusted | Trust::Incomplete | Trust::NameMismatch | Trust::Revoked
    );
    let issued = leaf.not_before.as_second();
    let (_, days) = LONGEST.iter().find(|(from, _)| issued >= *from)?;
    (public && !leaf.self_issued && life(leaf) > days * DAY).then_some(*days)
}

/// Whether a key is too short; a length of 0 could not be read.
pub(super) fn is_short(key: KeyKind, bits: usize) -> bool {
    match key {
        KeyKind::Rsa => bits > 0 && bits < RSA_BITS,
        KeyKind::Ecdsa => bits > 0 && bits < EC_BITS,
        KeyKind::Ed25519 | KeyKind::Other => false,
    }
}

/// Whether a hash can be forged.
pub(super) fn is_forgeable(hash: SignatureHash) -> bool {
    matches!(hash, SignatureHash::Md5 | SignatureHash::Sha1)
}

// A root is trusted by its key and not by what it says of itself, so roots are left out.
fn has_weak_key(shake: &Handshake, leaf: &Leaf) -> bool {
    is_short(leaf.key, leaf.key_bits)
        || shake.above.iter().any(|c| !c.self_issued && is_short(c.key, c.key_bits))
}

fn has_weak_signature(shake: &Handshake, leaf: &Leaf) -> bool {
    (!leaf.self_issued && is_forgeable(leaf.hash))
        || shake.above.iter().any(|c| !c.self_issued && is_forgeable(c.hash))
}
