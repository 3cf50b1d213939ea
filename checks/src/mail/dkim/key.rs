//! DKIM key records (RFC 6376 §3.6.1, RFC 8301, RFC 8463).

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer as _;
use x509_parser::public_key::{PublicKey, RSAPublicKey};
use x509_parser::x509::SubjectPublicKeyInfo;

/// Characters of a record that are kept for the report.
const SAMPLE_CHARS: usize = 64;
/// Characters of a tag's value that are kept.
const VALUE_CHARS: usize = 40;
/// The length of an Ed25519 key (RFC 8032 §5.1.5).
const ED25519_BYTES: usize = 32;

/// What a TXT record at a selector holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::mail) struct KeyRecord {
    /// How the record begins.
    pub(super) sample: String,
    /// The key.
    pub(super) key: Key,
    /// `t=y`: the domain is testing.
    pub(super) testing: bool,
    /// `h=` as it stands there, where it leaves out SHA-256.
    pub(super) hashes: Option<String>,
    /// `s=` as it stands there, where it leaves out mail.
    pub(super) services: Option<String>,
}

/// The key in a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::mail) enum Key {
    /// `p=` is empty: the key is revoked.
    Revoked,
    /// An RSA key of so many bits.
    Rsa(usize),
    /// An Ed25519 key.
    Ed25519,
    /// A kind that receivers do not know.
    UnknownKind(String),
    /// It cannot be read; the end of a sentence that begins with "the record".
    Broken(String),
}

impl Key {
    /// Whether receivers can check signatures with it: RSA from 1024 bits on (RFC 8301 §3.2).
    pub(in crate::mail) const fn is_live(&self) -> bool {
        matches!(self, Self::Ed25519) || matches!(self, Self::Rsa(bits) if *bits >= 1024)
    }
}

impl KeyRecord {
    /// Reads the text of a TXT record.
    pub(super) fn parse(text: &str) -> Self {
        let mut sample: String = text.chars().take(SAMPLE_CHARS).map(plain).collect();
        if text.chars().nth(SAMPLE_CHARS).is_some() {
            sample.push('…');
        }
        let broken = |why: &str| Self {
            sample: sample.clone(),
            key: Key::Broken(why.to_owned()),
            testing: false,
            hashes: None,
            services: None,
        };
        let tags = match tags(text) {
            Ok(tags) => tags,
            Err(why) => return broken(&why),
        };
        let value = |name: &str| tags.iter().find(|(tag, _)| *tag == name).map(|(_, value)| *value);
        if let Some(at) = tags.iter().position(|(tag, _)| *tag == "v") {
            if value("v") != Some("DKIM1") {
                return broken("does not say v=DKIM1, with these capitals");
            }
            if at != 0 {
                return broken("does not begin with v=DKIM1");
            }
        }
        let Some(p) = value("p") else { return broken("has no p= with the key") };
        let lists = |name: &str, wanted: &[&str]| -> Option<String> {
            let list = value(name)?;
            let has = list.split(':').any(|item| wanted.contains(&item.trim()));
            (!has).then(|| list.chars().take(VALUE_CHARS).map(plain).collect())
        };
        Self {
            sample,
            key: key(value("k").unwrap_or("rsa"), p),
            testing: value("t").is_some_and(|t| t.split(':').any(|flag| flag.trim() == "y")),
            hashes: lists("h", &["sha256"]),
            services: lists("s", &["*", "email"]),
        }
    }
}

fn plain(c: char) -> char {
    if c.is_ascii_graphic() || c == ' ' { c } else { '?' }
}

/// A tag list `name=value; …` (§3.2).
fn tags(text: &str) -> Result<Vec<(&str, &str)>, String> {
    let mut tags: Vec<(&str, &str)> = Vec::new();
    let text = text.trim();
    let text = text.strip_suffix(';').unwrap_or(text);
    for part in text.split(';') {
        let (name, value) = part.split_once('=').ok_or("is no list of tags such as p=…")?;
        let name = name.trim();
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            return Err("is no list of tags such as p=…".to_owned());
        }
        if tags.iter().any(|(known, _)| *known == name) {
            let name: String = name.chars().take(VALUE_CHARS).collect();
            return Err(format!("has the tag {name}= twice"));
        }
        tags.push((name, value.trim()));
    }
    Ok(tags)
}

fn key(kind: &str, p: &str) -> Key {
    let p: String = p.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    if !matches!(kind, "rsa" | "ed25519") {
        return Key::UnknownKind(kind.chars().take(VALUE_CHARS).map(plain).collect());
    }
    if p.is_empty() {
        return Key::Revoked;
    }
    // Padding is left out by some tools, and receivers accept it.
    let lenient = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let Ok(bytes) = GeneralPurpose::new(&STANDARD, lenient).decode(p.as_bytes()) else {
        return Key::Broken("has a key that is no base64".to_owned());
    };
    if kind == "ed25519" {
        return if bytes.len() == ED25519_BYTES {
            Key::Ed25519
        } else {
            Key::Broken(format!("has an Ed25519 key of {} bytes instead of 32", bytes.len()))
        };
    }
    rsa_bits(&bytes)
        .map_or_else(|| Key::Broken("has a key that is no RSA public key".to_owned()), Key::Rsa)
}

/// The length of the modulus of a `SubjectPublicKeyInfo`, or of the bare key that RFC 6376 names.
fn rsa_bits(der: &[u8]) -> Option<usize> {
    if let Ok((_, info)) = SubjectPublicKeyInfo::from_der(der) {
        return match info.parsed() {
            Ok(PublicKey::RSA(key)) => bits(key.modulus),
            _ => None,
        };
    }
    RSAPublicKey::from_der(der).ok().and_then(|(_, key)| bits(key.modulus))
}

fn bits(modulus: &[u8]) -> Option<usize> {
    let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
    let first = modulus.get(zeros)?;
    let length = modulus.len().checked_sub(zeros)?.checked_mul(8)?;
    length.checked_sub(usize::try_from(first.leading_zeros()).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PKCS#1 and SPKI wrappings of a modulus of `bytes` bytes, all 0xC3.
    fn der(bytes: usize, wrapped: bool) -> Vec<u8> {
        fn tlv(tag: u8, value: &[u8]) -> Vec<u8> {
            let mut out = vec![tag];
            let [high, low] = u16::try_from(value.len()).unwrap().to_be_bytes();
            if value.len() < 128 {
                out.push(low);
            } else {
                out.extend([0x82, high, low]);
            }
            out.extend(value);
            out
        }
        let mut modulus = vec![0];
        modulus.extend(vec![0xc3; bytes]);
        let pkcs1 = tlv(0x30, &[tlv(2, &modulus), tlv(2, &[1, 0, 1])].concat());
        if !wrapped {
            return pkcs1;
        }
        let oid = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
        tlv(0x30, &[oid.to_vec(), tlv(3, &[vec![0], pkcs1].concat())].concat())
    }

    fn base64(bytes: &[u8]) -> String {
        base64::engine::general_purpose::STANDARD.encode(bytes)
    }

    #[test]
    fn rsa_keys_are_measured_in_both_wrappings() {
        for (bytes, bits) in [(64, 512), (128, 1024), (256, 2048), (512, 4096)] {
            for wrapped in [true, false] {
                let text = format!("v=DKIM1; k=rsa; p={}", base64(&der(bytes, wrapped)));
                assert_eq!(KeyRecord::parse(&text).key, Key::Rsa(bits), "{bytes} {wrapped}");
            }
        }
    }

    #[test]
    fn keys_of_other_kinds_are_told_apart() {
        let key = |text: &str| KeyRecord::parse(text).key;
        assert_eq!(key(&format!("k=ed25519;p={}", base64(&[7; 32]))), Key::Ed25519);
        assert!(matches!(key(&format!("k=ed25519;p={}", base64(&[7; 31]))), Key::Broken(_)));
        assert_eq!(key("v=DKIM1; p="), Key::Revoked);
        assert_eq!(key("v=DKIM1; k=dsa; p=AAAA"), Key::UnknownKind("dsa".to_owned()));
        for broken in [
            "",
            "hello",
            "v=DKIM1",
            "v=dkim1; p=AAAA",
            "p=AAAA; v=DKIM1",
            "p=A; p=B",
            "v=DKIM1; p=!!",
            "v=DKIM1; k=rsa; p=AAAA",
        ] {
            assert!(matches!(key(broken), Key::Broken(_)), "{broken}");
        }
    }

    #[test]
    fn flags_hashes_and_services_are_read() {
        let record = KeyRecord::parse("v=DKIM1; h=sha1; s=tlsrpt; t=s : y; p=");
        assert_eq!(record.hashes.as_deref(), Some("sha1"));
        assert_eq!(record.services.as_deref(), Some("tlsrpt"));
        assert!(record.testing);
        let record = KeyRecord::parse("v=DKIM1; h=sha1:sha256; s=*; t=s; p=; ");
        assert!(record.hashes.is_none() && record.services.is_none() && !record.testing);
    }

    proptest::proptest! {
        #[test]
        fn hostile_records_never_panic(text in ".{0,200}", bytes: Vec<u8>) {
            let record = KeyRecord::parse(&text);
            proptest::prop_assert!(record.sample.chars().count() <= SAMPLE_CHARS + 1);
            let _ = KeyRecord::parse(&format!("v=DKIM1; p={}", base64(&bytes)));
        }
    }
}
