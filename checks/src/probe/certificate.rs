//! The facts of a certificate, read from its DER bytes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use x509_parser::extensions::{DistributionPointName, GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The most names of a certificate that are kept as evidence.
const NAMES_KEPT: usize = 100;

/// The kind of a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// RSA.
    Rsa,
    /// An elliptic curve.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// Anything else.
    Other,
}

/// The hash in a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureHash {
    /// MD5 or older.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256 or longer, or a scheme with its own hash.
    Sha2,
    /// Not recognised.
    Other,
}

/// The facts of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateFacts {
    /// Distinguished name of the holder.
    pub subject: String,
    /// Distinguished name of the issuer.
    pub issuer: String,
    /// DNS names and addresses it is for, lower case; at most 100.
    pub names: Vec<String>,
    /// How many names more there are.
    #[serde(default)]
    pub names_cut: usize,
    /// Start of validity.
    pub not_before: Timestamp,
    /// End of validity.
    pub not_after: Timestamp,
    /// The kind of its key.
    pub key: KeyKind,
    /// The length of its key in bits.
    pub key_bits: usize,
    /// The hash in its signature.
    pub hash: SignatureHash,
    /// SHA-256 of the whole certificate, hexadecimal.
    pub fingerprint: String,
    /// Holder and issuer are the same name.
    pub self_issued: bool,
    /// It may sign other certificates.
    pub is_ca: bool,
    /// Where the issuer publishes its own certificate, at most 4 URLs.
    #[serde(default)]
    pub issuer_urls: Vec<String>,
    /// Where its issuer answers OCSP, at most 4 URLs.
    #[serde(default)]
    pub ocsp_urls: Vec<String>,
    /// Where its issuer publishes revocation lists, at most 4 URLs.
    #[serde(default)]
    pub crl_urls: Vec<String>,
}

/// Reads a certificate; `None` when the bytes are none.
pub fn certificate_facts(der: &[u8]) -> Option<CertificateFacts> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let validity = certificate.validity();
    let (key, key_bits) = match certificate.public_key().parsed() {
        Ok(PublicKey::RSA(key)) => (KeyKind::Rsa, key.key_size()),
        Ok(PublicKey::EC(key)) => (KeyKind::Ecdsa, key.key_size()),
        _ if certificate.public_key().algorithm.algorithm.to_id_string() == "1.3.101.112" => {
            (KeyKind::Ed25519, 256)
        }
        _ => (KeyKind::Other, 0),
    };
    let mut facts = CertificateFacts {
        subject: bounded_name(&certificate.subject().to_string()),
        issuer: bounded_name(&certificate.issuer().to_string()),
        names: Vec::new(),
        names_cut: 0,
        not_before: Timestamp::from_second(validity.not_before.timestamp()).ok()?,
        not_after: Timestamp::from_second(validity.not_after.timestamp()).ok()?,
        key,
        key_bits,
        hash: signature_hash(&certificate.signature_algorithm.algorithm.to_id_string()),
        fingerprint: hex::encode(Sha256::digest(der)),
        self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        is_ca: certificate.is_ca(),
        issuer_urls: Vec::new(),
        ocsp_urls: Vec::new(),
        crl_urls: Vec::new(),
    };
    for extension in certificate.extensions() {
        read_extension(extension.parsed_extension(), &mut facts);
    }
    Some(facts)
}

fn read_extension(extension: &ParsedExtension<'_>, facts: &mut CertificateFacts) {
    match extension {
        ParsedExtension::SubjectAlternativeName(names) => {
            for name in &names.general_names {
                let Some(name) = general_name(name) else { continue };
                if facts.names.len() < NAMES_KEPT {
                    facts.names.push(name);
                } else {
                    facts.names_cut += 1;
                }
            }
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            for description in access.iter() {
                let GeneralName::URI(url) = description.access_location else { continue };
                let list = match description.access_method.to_id_string().as_str() {
                    "1.3.6.1.5.5.7.48.1" => &mut facts.ocsp_urls,
                    "1.3.6.1.5.5.7.48.2" => &mut facts.issuer_urls,
                    _ => continue,
                };
                if list.len() < 4 && url.len() <= 500 {
                    list.push(url.to_owned());
                }
            }
        }
        ParsedExtension::CRLDistributionPoints(points) => {
            for point in points.iter() {
                let Some(DistributionPointName::FullName(names)) = &point.distribution_point else {
                    continue;
                };
                for name in names {
                    if let GeneralName::URI(url) = name
                        && facts.crl_urls.len() < 4
                        && url.len() <= 500
                    {
                        facts.crl_urls.push((*url).to_owned());
                    }
                }
            }
        }
        _ => {}
    }
}

fn general_name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(name) if name.len() <= 255 => Some(name.to_ascii_lowercase()),
        GeneralName::IPAddress(bytes) => match bytes.len() {
            4 => <[u8; 4]>::try_from(*bytes).ok().map(|b| std::net::Ipv4Addr::from(b).to_string()),
            16 => {
                <[u8; 16]>::try_from(*bytes).ok().map(|b| std::net::Ipv6Addr::from(b).to_string())
            }
            _ => None,
        },
        _ => None,
    }
}

/// Object identifiers from RFC 3279, 4055, 5758 and 8410.
fn signature_hash(oid: &str) -> SignatureHash {
    match oid {
        "1.2.840.113549.1.1.2" | "1.2.840.113549.1.1.4" => SignatureHash::Md5,
        "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => SignatureHash::Sha1,
        "1.2.840.113549.1.1.10"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.113549.1.1.12"
        | "1.2.840.113549.1.1.13"
        | "1.2.840.10045.4.3.2"
        | "1.2.840.10045.4.3.3"
        | "1.2.840.10045.4.3.4"
        | "1.3.101.112"
        | "1.3.101.113" => SignatureHash::Sha2,
        _ => SignatureHash::Other,
    }
}

fn bounded_name(name: &str) -> String {
    name.chars().take(200).collect()
}
