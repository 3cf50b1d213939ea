//! Tokens of three parts: JSON Web Tokens (RFC 7519) by their role, and the tokens of Mapbox.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::Match;
use super::kinds;
use super::shape::{before, byte, is_base64url, position, run_end, run_start, starts_word};

/// The longest header that is read; real ones take some forty bytes.
const HEADER: usize = 1024;
/// The longest payload or signature that is read.
const PART: usize = 16 * 1024;
/// HMAC-SHA256 in base64url takes 43 characters; a shorter signature is none.
const SIGNATURE: usize = 43;

/// The token around a second part, which begins with `{"` and so with `eyJ`.
pub(super) fn in_three_parts(bytes: &[u8], at: usize) -> Option<Match> {
    if before(bytes, at, 1) == Some(b'k')
        && before(bytes, at, 2) == Some(b's')
        && starts_word(bytes, at - 2)
    {
        return mapbox(bytes, at);
    }
    let first = run_start(bytes, at, HEADER, is_base64url);
    // The letter of an escape such as `\n` belongs to the run but not to the token.
    let start = first + position(bytes.get(first..at)?, b"eyJ")?;
    let payload_end = run_end(bytes, at + 1, PART, is_base64url);
    let end = run_end(bytes, payload_end + 1, PART, is_base64url);
    if byte(bytes, payload_end) != Some(b'.') || end < payload_end + 1 + SIGNATURE {
        return None;
    }
    json(bytes.get(start..at)?)?.get("alg")?;
    let payload = json(bytes.get(at + 1..payload_end)?)?;
    let text = |name| payload.get(name).and_then(Value::as_str);
    // The keys of the local development stack are the same on every machine and public.
    let opens = text("role") == Some("service_role") && text("iss") != Some("supabase-demo");
    opens.then_some(Match { kind: kinds::SUPABASE_SERVICE_ROLE, start, end, lead: 3 })
}

/// `sk.<payload>.<signature>`; `pk.` is the public twin.
fn mapbox(bytes: &[u8], at: usize) -> Option<Match> {
    let payload_end = run_end(bytes, at + 1, PART, is_base64url);
    let end = run_end(bytes, payload_end + 1, PART, is_base64url);
    let fits = byte(bytes, payload_end) == Some(b'.')
        && end >= payload_end + 1 + 20
        && json(bytes.get(at + 1..payload_end)?)?.get("u").is_some();
    fits.then_some(Match { kind: kinds::MAPBOX_SECRET_TOKEN, start: at - 2, end, lead: 3 })
}

fn json(part: &[u8]) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
