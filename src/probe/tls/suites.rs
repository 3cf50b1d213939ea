//! Cipher suites by number and IANA name, and which of them a version and a set hold.

use launchready_checks::probe::{ProtocolVersion, SuiteSet};

/// Numbers and names from the IANA registry "TLS Cipher Suites", in the order in which they are
/// offered: the strongest first.
pub(super) const SUITES: &[(u16, &str)] = &[
    (0x1301, "TLS_AES_128_GCM_SHA256"),
    (0x1302, "TLS_AES_256_GCM_SHA384"),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256"),
    (0x1304, "TLS_AES_128_CCM_SHA256"),
    (0x1305, "TLS_AES_128_CCM_8_SHA256"),
    (0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    (0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    (0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xc0ac, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM"),
    (0xc0ad, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM"),
    (0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
    (0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"),
    (0xc09e, "TLS_DHE_RSA_WITH_AES_128_CCM"),
    (0xc09f, "TLS_DHE_RSA_WITH_AES_256_CCM"),
    (0xc0ae, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8"),
    (0xc0af, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8"),
    (0xc05c, "TLS_ECDHE_ECDSA_WITH_ARIA_128_GCM_SHA256"),
    (0xc060, "TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256"),
    (0xc05d, "TLS_ECDHE_ECDSA_WITH_ARIA_256_GCM_SHA384"),
    (0xc061, "TLS_ECDHE_RSA_WITH_ARIA_256_GCM_SHA384"),
    (0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    (0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"),
    (0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
    (0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"),
    (0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    (0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"),
    (0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"),
    (0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"),
    (0x0032, "TLS_DHE_DSS_WITH_AES_128_CBC_SHA"),
    (0x0038, "TLS_DHE_DSS_WITH_AES_256_CBC_SHA"),
    (0x0045, "TLS_DHE_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0088, "TLS_DHE_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (0xc072, "TLS_ECDHE_ECDSA_WITH_CAMELLIA_128_CBC_SHA256"),
    (0xc076, "TLS_ECDHE_RSA_WITH_CAMELLIA_128_CBC_SHA256"),
    (0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"),
    (0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"),
    (0xc09c, "TLS_RSA_WITH_AES_128_CCM"),
    (0xc09d, "TLS_RSA_WITH_AES_256_CCM"),
    (0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"),
    (0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"),
    (0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"),
    (0x0041, "TLS_RSA_WITH_CAMELLIA_128_CBC_SHA"),
    (0x0084, "TLS_RSA_WITH_CAMELLIA_256_CBC_SHA"),
    (0x0096, "TLS_RSA_WITH_SEED_CBC_SHA"),
    (0x0007, "TLS_RSA_WITH_IDEA_CBC_SHA"),
    (0xc008, "TLS_ECDHE_ECDSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x0016, "TLS_DHE_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    (0xc007, "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA"),
    (0xc011, "TLS_ECDHE_RSA_WITH_RC4_128_SHA"),
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA"),
    (0x0004, "TLS_RSA_WITH_RC4_128_MD5"),
    (0x0015, "TLS_DHE_RSA_WITH_DES_CBC_SHA"),
    (0x0009, "TLS_RSA_WITH_DES_CBC_SHA"),
    // Without a certificate, and without encryption: nothing that a browser takes.
    (0xc018, "TLS_ECDH_anon_WITH_AES_128_CBC_SHA"),
    (0xc019, "TLS_ECDH_anon_WITH_AES_256_CBC_SHA"),
    (0x0034, "TLS_DH_anon_WITH_AES_128_CBC_SHA"),
    (0x003a, "TLS_DH_anon_WITH_AES_256_CBC_SHA"),
    (0x003b, "TLS_RSA_WITH_NULL_SHA256"),
    (0x0002, "TLS_RSA_WITH_NULL_SHA"),
];

/// The IANA name of a suite, or `0x` and four digits.
pub(super) fn name(number: u16) -> String {
    let known = SUITES.iter().find(|(n, _)| *n == number).map(|(_, name)| (*name).to_owned());
    known.unwrap_or_else(|| format!("0x{number:04x}"))
}

/// The numbers that a version knows out of a set.
pub(super) fn offered(version: ProtocolVersion, set: SuiteSet) -> impl Iterator<Item = u16> {
    let is_in = move |name: &str| match set {
        SuiteSet::All => true,
        SuiteSet::Strong => is_forward_secret(name) && is_authenticated(name),
        SuiteSet::ForwardSecret => is_forward_secret(name),
    };
    SUITES.iter().filter(move |(_, name)| is_known(name, version) && is_in(name)).map(|(n, _)| *n)
}

fn is_13(name: &str) -> bool {
    !name.contains("_WITH_")
}

fn is_forward_secret(name: &str) -> bool {
    is_13(name) || name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_DHE_")
}

fn is_authenticated(name: &str) -> bool {
    ["_GCM_", "_CCM", "_POLY1305_"].iter().any(|part| name.contains(part))
}

/// Which versions know a suite: those of TLS 1.3 are its own (RFC 8446 B.4), authenticated
/// encryption and SHA-2 came with TLS 1.2 (RFC 5246), elliptic curves with TLS 1.0 (RFC 8422).
fn is_known(name: &str, version: ProtocolVersion) -> bool {
    let needs_12 = is_authenticated(name) || name.ends_with("SHA256") || name.ends_with("SHA384");
    match version {
        ProtocolVersion::Tls13 => is_13(name),
        ProtocolVersion::Tls12 => !is_13(name),
        ProtocolVersion::Tls11 | ProtocolVersion::Tls10 => !is_13(name) && !needs_12,
        ProtocolVersion::Ssl3 => !is_13(name) && !needs_12 && !name.starts_with("TLS_ECDH"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_and_names_are_unique() {
        let numbers: BTreeSet<_> = SUITES.iter().map(|(number, _)| number).collect();
        let names: BTreeSet<_> = SUITES.iter().map(|(_, name)| name).collect();
        assert_eq!((numbers.len(), names.len()), (SUITES.len(), SUITES.len()));
        assert_eq!(name(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!(name(0x0a0a), "0x0a0a");
    }

    #[test]
    fn a_version_is_only_offered_what_it_knows() {
        use ProtocolVersion::{Ssl3, Tls10, Tls12, Tls13};
        let list = |version, set| offered(version, set).collect::<Vec<_>>();
        assert_eq!(list(Tls13, SuiteSet::All).len(), 5);
        assert!(list(Tls12, SuiteSet::All).contains(&0x0005), "RC4");
        assert!(list(Tls10, SuiteSet::All).contains(&0xc013));
        assert!(!list(Tls10, SuiteSet::All).contains(&0xc02f), "GCM came with TLS 1.2");
        assert!(!list(Ssl3, SuiteSet::All).contains(&0xc013), "no elliptic curves in SSL 3.0");
        assert!(list(Tls12, SuiteSet::All).contains(&0xc060), "ARIA");
        assert!(
            list(Tls10, SuiteSet::All).contains(&0xc018)
                && !list(Ssl3, SuiteSet::All).contains(&0xc018)
        );
        let strong = list(Tls12, SuiteSet::Strong);
        assert!(
            !strong.contains(&0x003b) && !strong.contains(&0xc018),
            "no encryption, no certificate"
        );
        assert!(strong.contains(&0xc02b) && !strong.contains(&0xc013) && !strong.contains(&0x009c));
        let secret = list(Tls12, SuiteSet::ForwardSecret);
        assert!(secret.contains(&0xc013) && !secret.contains(&0x009c));
    }
}
