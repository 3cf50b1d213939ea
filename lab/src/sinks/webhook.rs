//! A receiver of Standard Webhooks that verifies signatures.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Received;
use super::server::Judgement;

/// The bytes that a key may have.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// The largest body that the specification wants.
const BODY: usize = 20 * 1024;

/// The bytes of a key that is written as `whsec_` and base64.
pub(super) fn key(text: &str) -> Result<Vec<u8>, String> {
    let bytes = text.strip_prefix("whsec_").and_then(|encoded| STANDARD.decode(encoded).ok());
    bytes
        .filter(|bytes| KEY_BYTES.contains(&bytes.len()))
        .ok_or_else(|| "a webhook key is whsec_ and 24 to 64 bytes in base64".to_owned())
}

/// Judges a webhook. The time is not compared with the clock, so that a test may have its own.
pub(super) fn judge(received: &Received, secret: Option<&str>) -> Judgement {
    if received.body.len() > BODY {
        return Judgement::refused(413, "", "the body is over 20 KiB");
    }
    if serde_json::from_slice::<serde_json::Value>(&received.body).is_err() {
        return Judgement::refused(400, "", "the body is no JSON");
    }
    let Some(secret) = secret else { return Judgement::taken(200, "") };
    match verify(&received.headers, &received.body, secret) {
        Ok(()) => Judgement::taken(200, ""),
        Err(why) => Judgement::refused(401, "", why),
    }
}

fn verify(headers: &BTreeMap<String, String>, body: &[u8], secret: &str) -> Result<(), String> {
    let header = |name: &str| {
        headers.get(name).map(String::as_str).ok_or_else(|| format!("the header {name} is missing"))
    };
    let (id, time) = (header("webhook-id")?, header("webhook-timestamp")?);
    if id.is_empty() || id.contains('.') {
        return Err("webhook-id is empty or holds a dot".to_owned());
    }
    if time.parse::<u64>().is_err() {
        return Err("webhook-timestamp is no number of seconds".to_owned());
    }
    let signed = [format!("{id}.{time}.").as_bytes(), body].concat();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret)?);
    let fits = |signature: &str| {
        let decoded = signature.strip_prefix("v1,").and_then(|s| STANDARD.decode(s).ok());
        decoded.is_some_and(|tag| hmac::verify(&key, &signed, &tag).is_ok())
    };
    if header("webhook-signature")?.split(' ').any(fits) {
        return Ok(());
    }
    Err("no signature fits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";
    const BODY: &[u8] = br#"{"type":"check.failed"}"#;

    fn headers(id: &str, signature: &str) -> BTreeMap<String, String> {
        let all = [
            ("webhook-id", id),
            ("webhook-timestamp", "1767225600"),
            ("webhook-signature", signature),
        ];
        all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    #[test]
    fn one_right_signature_of_several_is_enough() {
        let right = "v1,0zB55v7KPcsMRCqVff85UBGW9smtplHm4hYwcLJs1wo=";
        let several = format!("v1a,AAAA v1,AAAA {right}");
        for signature in [right, &several] {
            assert_eq!(verify(&headers("msg_demo_1", signature), BODY, SECRET), Ok(()));
        }
        for (id, signature, body) in [
            ("msg_demo_2", right, BODY),
            ("msg_demo_1", "v1,AAAA", BODY),
            ("msg_demo_1", right, br#"{"type":"check.passed"}"#.as_slice()),
            ("msg.demo", right, BODY),
        ] {
            assert!(verify(&headers(id, signature), body, SECRET).is_err());
        }
        let mut short = headers("msg_demo_1", right);
        short.remove("webhook-timestamp");
        assert!(verify(&short, BODY, SECRET).unwrap_err().contains("webhook-timestamp"));
    }

    #[test]
    fn keys_of_the_wrong_shape_are_refused() {
        for wrong in ["", "whsec_", "whsec_AAAA", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3", "whsec_%"] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
    }
}
