//! Keys that are known, wholly or in part, by the name beside them.

use super::Match;
use super::kinds;
use super::shape::{
    assigned_value, before, byte, follows_escape, is_alnum, is_base64, is_base64url, is_hex,
    is_random, is_word, position, run_end, starts_word,
};
use super::vendors::uuid_end;

/// `AKIA` and sixteen digits of base 32, not inside a longer base64 text and not the public part
/// of a signed address (`X-Amz-Credential=AKIA…/20261123/…`).
pub(super) fn aws_access_key_id(bytes: &[u8], at: usize) -> Option<Match> {
    let end = at + 20;
    let body = bytes.get(at + 4..end)?;
    let inside = |byte: u8| is_base64(byte) || byte == b'_' || byte == b'-';
    let fits = body.iter().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(byte))
        && (!before(bytes, at, 1).is_some_and(inside) || follows_escape(bytes, at))
        && !byte(bytes, end).is_some_and(|byte| inside(byte) || byte == b'%')
        && is_id(body);
    fits.then_some(Match { kind: kinds::AWS_ACCESS_KEY_ID, start: at, end, lead: 4 })
}

/// Random enough for sixteen characters of one case, and no documentation key.
fn is_id(body: &[u8]) -> bool {
    let distinct = (b'2'..=b'Z').filter(|byte| body.contains(byte)).count();
    distinct >= 5 && !body.ends_with(b"EXAMPLE")
}

/// Forty characters of base64 under the name `secretAccessKey`, however it is written.
pub(super) fn aws_secret_access_key(bytes: &[u8], at: usize) -> Option<Match> {
    let head = bytes.get(at.checked_sub("secre".len())?..at)?;
    if !head.eq_ignore_ascii_case(b"secre") {
        return None;
    }
    let name_end = run_end(bytes, at, "t_access_key".len(), is_word);
    let start = assigned_value(bytes, name_end)?;
    let end = run_end(bytes, start, 41, is_base64);
    let fits = end - start == 40
        && !byte(bytes, end).is_some_and(|byte| is_base64url(byte) || byte == b'=')
        // Digits alone and one case of letters are a digest such as SHA-1.
        && bytes.get(start..end).is_some_and(|value| {
            is_random(value)
                && value.iter().any(u8::is_ascii_uppercase)
                && value.iter().any(u8::is_ascii_lowercase)
        });
    fits.then_some(Match { kind: kinds::AWS_SECRET_ACCESS_KEY, start, end, lead: 0 })
}

/// A UUID within a short distance after the name of Postmark.
pub(super) fn postmark(bytes: &[u8], at: usize) -> Option<Match> {
    const NEAR: usize = 80;
    let name_end = at + "stmark".len();
    let window = bytes.get(name_end..(name_end + NEAR).min(bytes.len()))?;
    let quoted = |start: usize| starts_word(bytes, start) && before(bytes, start, 1) != Some(b'-');
    // The first hyphen of a UUID is its ninth character.
    let (start, end) =
        window.iter().enumerate().filter(|(_, byte)| **byte == b'-').find_map(|(offset, _)| {
            let start = (name_end + offset).checked_sub(8).filter(|start| *start >= name_end)?;
            Some((start, uuid_end(bytes, start)?)).filter(|(start, _)| quoted(*start))
        })?;
    let fits =
        !byte(bytes, end).is_some_and(is_base64url) && bytes.get(start..end).is_some_and(is_random);
    fits.then_some(Match { kind: kinds::POSTMARK_TOKEN, start, end, lead: 0 })
}

/// Thirty-two hexadecimal digits under the name `authToken`, near an account id (`AC…`).
pub(super) fn twilio(bytes: &[u8], at: usize) -> Option<Match> {
    const NEAR: usize = 300;
    let head = bytes.get(at.checked_sub("aut".len())?..at)?;
    if !head.eq_ignore_ascii_case(b"aut") {
        return None;
    }
    let name_end = run_end(bytes, at, "h_token".len(), is_word);
    let start = assigned_value(bytes, name_end)?;
    let end = run_end(bytes, start, 33, is_hex);
    let window = bytes.get(start.saturating_sub(NEAR)..(end + NEAR).min(bytes.len()))?;
    let fits = end - start == 32
        && !byte(bytes, end).is_some_and(is_alnum)
        && bytes.get(start..end).is_some_and(is_random)
        && has_account_id(window);
    fits.then_some(Match { kind: kinds::TWILIO_AUTH_TOKEN, start, end, lead: 0 })
}

fn has_account_id(window: &[u8]) -> bool {
    let mut rest = window;
    while let Some(at) = position(rest, b"AC") {
        let end = run_end(rest, at + 2, 33, is_hex);
        if end - at == 34 && starts_word(rest, at) {
            return true;
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    false
}
