//! Which names in CAA records stand for which certificate issuer.
//!
//! The identifiers are those that the issuers state in their certification practice statements.

/// Parts of an issuer's distinguished name in lower case, and the identifiers that allow it.
const ISSUERS: &[(&[&str], &[&str])] = &[
    (&["let's encrypt", "internet security research group"], &["letsencrypt.org"]),
    (&["google trust services"], &["pki.goog", "google.com"]),
    (
        &["digicert", "geotrust", "thawte", "rapidssl", "cloudflare inc", "encryption everywhere"],
        &[
            "digicert.com",
            "www.digicert.com",
            "digicert.ne.jp",
            "digitalcertvalidation.com",
            "symantec.com",
            "geotrust.com",
            "rapidssl.com",
            "thawte.com",
        ],
    ),
    (
        &[
            "sectigo",
            "comodo",
            "usertrust",
            "zerossl",
            "network solutions",
            "trust asia",
            "trustasia",
        ],
        &[
            "sectigo.com",
            "comodo.com",
            "comodoca.com",
            "usertrust.com",
            "trust-provider.com",
            "zerossl.com",
            "networksolutions.com",
            "trustasia.com",
            "entrust.net",
        ],
    ),
    (
        &["o=amazon", "amazon trust", "cn=amazon"],
        &["amazon.com", "amazontrust.com", "awstrust.com", "amazonaws.com", "aws.amazon.com"],
    ),
    (&["globalsign"], &["globalsign.com"]),
    (&["ssl corp", "ssl.com"], &["ssl.com", "entrust.net"]),
    (&["buypass"], &["buypass.com", "buypass.no"]),
    (&["entrust", "affirmtrust"], &["entrust.net", "affirmtrust.com", "sectigo.com", "ssl.com"]),
    (&["godaddy", "starfield"], &["godaddy.com", "starfieldtech.com"]),
    (&["identrust", "trustid"], &["identrust.com"]),
    (&["microsoft corporation"], &["microsoft.com"]),
    (&["apple inc"], &["pki.apple.com"]),
    (&["certum", "asseco", "unizeto"], &["certum.pl", "certum.eu"]),
    (&["harica", "hellenic academic"], &["harica.gr"]),
    (&["actalis"], &["actalis.it"]),
    (&["swisssign"], &["swisssign.com"]),
    (&["quovadis"], &["quovadisglobal.com", "digicert.com"]),
    (&["deutsche telekom", "t-systems", "telesec"], &["telesec.de"]),
    (&["d-trust"], &["d-trust.net"]),
    (&["certigna", "dhimyotis"], &["certigna.fr"]),
    (&["certsign"], &["certsign.ro"]),
    (&["telia"], &["telia.com"]),
    (
        &["trustwave", "securetrust", "viking cloud", "vikingcloud"],
        &["trustwave.com", "securetrust.com"],
    ),
];

/// The identifiers that allow an issuer, the usual one first; `None` for an issuer that is not known.
pub(super) fn identifiers(issuer: &str) -> Option<&'static [&'static str]> {
    let issuer = issuer.to_lowercase().replace('\u{2019}', "'");
    ISSUERS
        .iter()
        .find(|(parts, _)| parts.iter().any(|part| issuer.contains(part)))
        .map(|(_, identifiers)| *identifiers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_issuers_are_known_and_others_are_not() {
        let first = |issuer| identifiers(issuer).and_then(|all| all.first().copied());
        assert_eq!(first("C=US, O=Let's Encrypt, CN=R11"), Some("letsencrypt.org"));
        assert_eq!(first("C=US, O=Google Trust Services, CN=WE1"), Some("pki.goog"));
        assert_eq!(
            first("C=AT, O=ZeroSSL, CN=ZeroSSL ECC Domain Secure Site CA"),
            Some("sectigo.com")
        );
        assert_eq!(first("C=US, O=Amazon, CN=Amazon RSA 2048 M02"), Some("amazon.com"));
        assert_eq!(first("CN=Harbor Test Root"), None);
    }
}
