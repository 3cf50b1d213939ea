//! How evidence is kept: once for the same content, and small.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use launchready_checks::contract::EVIDENCE_LIMIT_BYTES;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// Shorter bodies are kept as they are: packing them saves no page.
const PLAIN_BYTES: usize = 512;
/// The first byte of a body that is kept as it is.
const PLAIN: u8 = 0;
/// The first byte of a packed body.
const PACKED: u8 = 1;
/// The most bytes of a body that is unpacked; evidence has a limit far below.
const UNPACKED_BYTES: u64 = 16 * EVIDENCE_LIMIT_BYTES as u64;

/// What makes two pieces of evidence the same: their content in an order of its own, without what only
/// says how long a look took.
pub(super) fn hash(version: u32, evidence: &Value) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(version.to_be_bytes());
    digest(evidence, &mut hasher);
    hasher.finalize().into()
}

/// Whether a field holds how long something took, or how long an answer may still be kept: such a
/// number differs from look to look and says nothing of the target.
fn is_time(name: &str) -> bool {
    name.ends_with("_ms") || name == "ttl"
}

fn digest(value: &Value, hasher: &mut Sha256) {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().filter(|(name, _)| !is_time(name)).collect();
            fields.sort_unstable_by_key(|(name, _)| name.as_str());
            hasher.update([b'{']);
            for (name, value) in fields {
                text(name, hasher);
                digest(value, hasher);
            }
            hasher.update([b'}']);
        }
        Value::Array(items) => {
            hasher.update([b'[']);
            for item in items {
                digest(item, hasher);
            }
            hasher.update([b']']);
        }
        Value::String(string) => text(string, hasher),
        Value::Number(number) => {
            hasher.update([b'#']);
            text(&number.to_string(), hasher);
        }
        Value::Bool(true) => hasher.update([b't']),
        Value::Bool(false) => hasher.update([b'f']),
        Value::Null => hasher.update([b'0']),
    }
}

/// The length goes first, so that no text can look like two.
fn text(text: &str, hasher: &mut Sha256) {
    hasher.update([b'"']);
    hasher.update((text.len() as u64).to_be_bytes());
    hasher.update(text.as_bytes());
}

/// The hash of a text.
pub(super) fn hash_text(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The bytes that are kept.
pub(super) fn pack(evidence: &Value) -> Vec<u8> {
    let body = evidence.to_string();
    if body.len() > PLAIN_BYTES {
        let mut packer = DeflateEncoder::new(vec![PACKED], Compression::fast());
        if packer.write_all(body.as_bytes()).is_ok()
            && let Ok(packed) = packer.finish()
        {
            return packed;
        }
    }
    let mut plain = vec![PLAIN];
    plain.extend_from_slice(body.as_bytes());
    plain
}

/// The evidence of kept bytes.
///
/// # Errors
/// They are damaged.
pub(super) fn unpack(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    match bytes.split_first() {
        Some((&PACKED, packed)) => {
            let mut body = Vec::new();
            DeflateDecoder::new(packed)
                .take(UNPACKED_BYTES)
                .read_to_end(&mut body)
                .map_err(serde::de::Error::custom)?;
            serde_json::from_slice(&body)
        }
        Some((&PLAIN, plain)) => serde_json::from_slice(plain),
        _ => Err(serde::de::Error::custom("the body of a piece of evidence has no known form")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_the_time_of_a_look_do_not_count_and_all_else_does() {
        let one = json!({"a": [1, "x"], "b": null, "total_ms": 31.5, "answers": [{"ttl": 60}]});
        let same = json!({"answers": [{"ttl": 59}], "b": null, "a": [1, "x"], "total_ms": 77.0});
        assert_eq!(hash(1, &one), hash(1, &same));
        for other in [
            json!({"a": ["x", 1], "b": null, "answers": [{}]}),
            json!({"a": [1, "x"], "b": false, "answers": [{}]}),
            json!({"a": [1, "x"], "c": null, "answers": [{}]}),
            json!({"a": ["1", "x"], "b": null, "answers": [{}]}),
        ] {
            assert_ne!(hash(1, &one), hash(1, &other), "{other}");
        }
        assert_ne!(hash(1, &one), hash(2, &one));
        assert_ne!(hash(1, &json!(["ab", "c"])), hash(1, &json!(["a", "bc"])));
    }

    #[test]
    fn long_evidence_is_packed_and_comes_back_whole() {
        for evidence in [json!({"host": "a"}), json!({"hosts": vec!["www.harbor.example"; 500]})] {
            assert_eq!(unpack(&pack(&evidence)).unwrap(), evidence);
        }
        assert!(pack(&json!(vec!["www.harbor.example"; 500])).len() < 500);
        for damaged in [&b""[..], b"\x07{}", b"\x00{", b"\x01\xff\xff"] {
            assert!(unpack(damaged).is_err());
        }
    }
}
