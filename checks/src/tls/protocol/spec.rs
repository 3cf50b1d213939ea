//! The closed lists of what `tls-protocol` finds and measures.

use std::time::Duration;

use crate::contract::{FindingSpec, MeasurementSpec, Unit};

pub(super) const SSL3: FindingSpec = FindingSpec::critical(
    "tls-ssl3-accepted",
    "The server accepts SSL 3.0",
    "SSL 3.0 is broken (POODLE): whoever sits in the same café can read the session cookies of your \
     customers. Card schemes forbid it.",
);
pub(super) const OLD: FindingSpec = FindingSpec::warning(
    "tls-old-version-accepted",
    "The server accepts TLS 1.0 or 1.1",
    "RFC 8996 retired both versions in 2021. No browser in use needs them, and a payment provider's \
     PCI scan fails a site that accepts them.",
);
pub(super) const NO_13: FindingSpec = FindingSpec::warning(
    "tls-1-3-missing",
    "The server does not offer TLS 1.3",
    "Every first visit costs one more round trip, which is felt on phones, and the older handshake \
     shows the certificate to anyone who listens.",
);
pub(super) const WEAK: FindingSpec = FindingSpec::warning(
    "tls-suites-weak",
    "The server offers only weak cipher suites",
    "What customers type is protected by ciphers that are known to leak, and browsers are about to \
     drop them; then the site does not open.",
);
pub(super) const NO_FORWARD_SECRECY: FindingSpec = FindingSpec::warning(
    "tls-forward-secrecy-missing",
    "The server offers no forward secrecy",
    "Whoever records the traffic today and gets the server's key one day can read every customer's \
     session from the record.",
);

/// Every code, the gravest first.
pub(super) const FINDINGS: &[FindingSpec] = &[SSL3, OLD, NO_13, WEAK, NO_FORWARD_SECRECY];

pub(super) const OLD_VERSIONS: MeasurementSpec = MeasurementSpec {
    name: "old-versions",
    metric: "launchready_tls_old_versions_accepted",
    unit: Unit::Count,
    help: "How many versions older than TLS 1.2 the host accepts.",
    label: Some("host"),
    window: Duration::ZERO,
};
