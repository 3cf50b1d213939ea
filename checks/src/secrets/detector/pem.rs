//! Private keys in PEM (RFC 7468), with real or escaped line ends.

use super::Match;
use super::kinds;
use super::shape::{is_base64, position};

/// The first lines of private keys.
const HEADS: [&str; 6] = [
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN EC PRIVATE KEY-----",
    "-----BEGIN DSA PRIVATE KEY-----",
    "-----BEGIN OPENSSH PRIVATE KEY-----",
    "-----BEGIN ENCRYPTED PRIVATE KEY-----",
];
/// RSA with 8192 bits takes some 6400 characters.
const LONGEST: usize = 12 * 1024;
/// Ed25519 in PKCS #8, the shortest, takes 64 characters.
const SHORTEST: usize = 60;

/// The block around the end of its first line; `at` is where `E KEY-----` begins.
pub(super) fn private_key(bytes: &[u8], at: usize) -> Option<Match> {
    const END: &[u8] = b"-----END ";
    let head_end = at + "E KEY-----".len();
    let head = HEADS
        .iter()
        .find(|head| bytes.get(..head_end).is_some_and(|b| b.ends_with(head.as_bytes())))?;
    let start = head_end - head.len();
    let rest = bytes.get(head_end..(head_end + LONGEST).min(bytes.len()))?;
    let body = rest.get(..position(rest, END)?)?;
    let base64 = body.iter().filter(|byte| is_base64(**byte)).count();
    let mut seen = [false; 256];
    for byte in body {
        if let Some(seen) = seen.get_mut(usize::from(*byte)) {
            *seen = true;
        }
    }
    // Code that builds or takes apart a PEM block holds brackets; a placeholder has few characters.
    let code = body.iter().any(|byte| b"(){}$<>[]*".contains(byte));
    if base64 < SHORTEST || seen.iter().filter(|seen| **seen).count() < 20 || code {
        return None;
    }
    let after = head_end + body.len();
    let last_line = bytes.get(after + END.len()..(after + END.len() + 40).min(bytes.len()))?;
    let end = position(last_line, b"-----").map_or(after, |at| after + END.len() + at + 5);
    let encrypted = head.contains("ENCRYPTED") || position(body, b"ENCRYPTED").is_some();
    let kind = if encrypted {
        kinds::ENCRYPTED_PRIVATE_KEY
    } else if is_service_account(bytes, start) {
        kinds::GOOGLE_SERVICE_ACCOUNT
    } else {
        kinds::PRIVATE_KEY
    };
    Some(Match { kind, start, end, lead: head.len() })
}

/// Whether the JSON object that holds the key calls itself a service account.
fn is_service_account(bytes: &[u8], start: usize) -> bool {
    const NEAR: usize = 600;
    let before = bytes.get(start.saturating_sub(NEAR)..start).unwrap_or_default();
    position(before, b"service_account").is_some()
}
