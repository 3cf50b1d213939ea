//! The closed lists of what `tls-certificate` finds and measures.

use std::time::Duration;

use crate::contract::{FindingSpec, MeasurementSpec, Unit};

const BROWSER_STOPS: &str = "Browsers show a full-page warning in place of the shop, and payment and \
     webhook calls to the host are refused: nobody can buy.";

pub(super) const EXPIRED: FindingSpec =
    FindingSpec::critical("certificate-expired", "The certificate has run out", BROWSER_STOPS)
        .now()
        .blocks();
pub(super) const NOT_YET_VALID: FindingSpec = FindingSpec::critical(
    "certificate-not-yet-valid",
    "The certificate is not valid yet",
    BROWSER_STOPS,
)
.now();
pub(super) const NAME_MISMATCH: FindingSpec = FindingSpec::critical(
    "certificate-name-mismatch",
    "The certificate is for another name",
    BROWSER_STOPS,
)
.now()
.blocks();
pub(super) const UNTRUSTED: FindingSpec = FindingSpec::critical(
    "certificate-untrusted",
    "No browser trusts the issuer of the certificate",
    BROWSER_STOPS,
)
.now()
.blocks();
pub(super) const HANDSHAKE_FAILED: FindingSpec = FindingSpec::critical(
    "certificate-handshake-failed",
    "No secure connection comes about",
    "Browsers show an error page in place of the shop, and payment and webhook calls to the host \
     fail: nobody can buy.",
)
.now()
.blocks();
pub(super) const INCOMPLETE: FindingSpec = FindingSpec::critical(
    "certificate-chain-incomplete",
    "The server leaves out a certificate of the chain",
    "Some desktop browsers fill the gap by themselves, so it looks fine to you; phones, payment \
     webhooks, mail clients and scripts refuse the connection.",
);
pub(super) const EXPIRING: FindingSpec = FindingSpec::critical(
    "certificate-expiring",
    "The certificate runs out soon",
    "From that second on browsers show a full-page warning in place of the shop, and webhooks are \
     refused.",
)
.now();
pub(super) const REVOKED: FindingSpec = FindingSpec::critical(
    "certificate-revoked",
    "The issuer has revoked the certificate",
    "Browsers that look it up refuse the connection, and a revocation often means that the private \
     key is in other hands.",
);
pub(super) const WEAK_KEY: FindingSpec = FindingSpec::critical(
    "certificate-key-weak",
    "A key in the chain is too short",
    "Browsers refuse short keys, and who has enough computers can forge the site and read what \
     customers send.",
);
pub(super) const WEAK_SIGNATURE: FindingSpec = FindingSpec::critical(
    "certificate-signature-weak",
    "A signature in the chain uses SHA-1 or MD5",
    "Browsers refuse such signatures, because certificates with them can be forged.",
);
pub(super) const TOO_LONG: FindingSpec = FindingSpec::warning(
    "certificate-lifetime-too-long",
    "The certificate is valid for longer than is allowed",
    "Browsers may refuse it on some devices and not on others, and a certificate of that length is \
     renewed by hand, which is forgotten.",
);
pub(super) const INTERMEDIATE_FIRST: FindingSpec = FindingSpec::warning(
    "certificate-intermediate-expires-first",
    "The issuer's certificate runs out before the certificate",
    "The site breaks on a day that no renewal reminder knows about.",
);
pub(super) const ADDRESSES_DIFFER: FindingSpec = FindingSpec::warning(
    "certificate-addresses-differ",
    "Some addresses of the host have a good certificate and some do not",
    "A part of the visitors gets an error while you see a working site, so complaints look like \
     nonsense and sales are lost in silence.",
);

pub(super) const ISSUER_CHANGED: FindingSpec = FindingSpec::warning(
    "certificate-issuer-changed",
    "Another authority issues the certificate than was approved",
    "Somebody has moved the host, or somebody else can prove to an authority that the name is theirs.",
);

/// Every code, the gravest first.
pub(super) const FINDINGS: &[FindingSpec] = &[
    EXPIRED,
    NOT_YET_VALID,
    NAME_MISMATCH,
    UNTRUSTED,
    HANDSHAKE_FAILED,
    INCOMPLETE,
    EXPIRING,
    REVOKED,
    WEAK_KEY,
    WEAK_SIGNATURE,
    TOO_LONG,
    INTERMEDIATE_FIRST,
    ADDRESSES_DIFFER,
    ISSUER_CHANGED,
];

pub(super) const NOT_AFTER: MeasurementSpec = MeasurementSpec {
    name: "not-after",
    metric: "launchready_tls_certificate_not_after_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the first of the host's certificates runs out.",
    label: Some("host"),
    window: Duration::ZERO,
};
