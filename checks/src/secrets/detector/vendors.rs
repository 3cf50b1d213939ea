//! Keys with a vendor's own prefix and shape.

use super::Match;
use super::kinds::{self, Kind};
use super::shape::{
    before, byte, is_alnum, is_base64, is_base64url, is_hex, is_random, is_word, position, run_end,
    run_start, starts_word,
};

/// The longest run that is read as one key.
const LONGEST: usize = 256;

fn part(bytes: &[u8], from: usize, to: usize) -> &[u8] {
    bytes.get(from..to).unwrap_or_default()
}

/// A match of a key whose changing part begins at `body`, if a word may begin at `start`.
fn token(
    bytes: &[u8],
    kind: &'static Kind,
    start: usize,
    body: usize,
    end: usize,
) -> Option<Match> {
    let fits = starts_word(bytes, start)
        && !byte(bytes, end).is_some_and(is_word)
        && is_random(part(bytes, body, end));
    fits.then(|| Match { kind, start, end, lead: body - start })
}

/// `sk_live_…`, `rk_live_…` and their test twins: 24 letters and digits or more. `pk_` is public.
pub(super) fn stripe(bytes: &[u8], at: usize) -> Option<Match> {
    const SHORTEST: usize = 24;
    let live = byte(bytes, at + 2) == Some(b'l');
    let kind = match (before(bytes, at, 1)?, live) {
        (b's', true) => kinds::STRIPE_SECRET,
        (b'r', true) => kinds::STRIPE_RESTRICTED,
        (b's', false) => kinds::STRIPE_SECRET_TEST,
        (b'r', false) => kinds::STRIPE_RESTRICTED_TEST,
        _ => return None,
    };
    let body = at + "k_live_".len();
    let end = run_end(bytes, body, LONGEST, is_alnum);
    if end - body < SHORTEST { None } else { token(bytes, kind, at - 1, body, end) }
}

/// `whsec_` and 32 letters and digits (Stripe) or base64 of 24 bytes and more (Standard Webhooks).
pub(super) fn webhook_secret(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + "whsec_".len();
    let end = run_end(bytes, body, LONGEST, is_base64);
    if end - body < 32 {
        return None;
    }
    let found = token(bytes, kinds::WEBHOOK_SECRET, at, body, end)?;
    Some(Match { end: run_end(bytes, end, 2, |byte| byte == b'='), ..found })
}

/// `sb_secret_`, 22 characters, an underscore and a checksum of 8; or another length with the
/// letters and digits of a random text.
pub(super) fn supabase_secret(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + "sb_secret_".len();
    let end = run_end(bytes, body, 65, is_base64url);
    let value = part(bytes, body, end);
    let documented = value.len() == 31 && value.get(22) == Some(&b'_');
    let has = |class: fn(&u8) -> bool| value.iter().any(class);
    let similar = (28..=64).contains(&value.len())
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_digit);
    if documented || similar { token(bytes, kinds::SUPABASE_SECRET, at, body, end) } else { None }
}

/// `sbp_`, perhaps `oauth_` or `v0_`, and 40 hexadecimal digits.
pub(super) fn supabase_access_token(bytes: &[u8], at: usize) -> Option<Match> {
    let prefix = at + "sbp_".len();
    let body = ["oauth_", "v0_"]
        .iter()
        .find(|more| part(bytes, prefix, prefix + more.len()) == more.as_bytes())
        .map_or(prefix, |more| prefix + more.len());
    let end = run_end(bytes, body, 41, is_hex);
    if end - body == 40 { token(bytes, kinds::SUPABASE_ACCESS_TOKEN, at, body, end) } else { None }
}

/// `ghp_` and its siblings: 30 letters and digits, then their CRC-32 in base 62, six digits.
pub(super) fn github(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + 4;
    let end = run_end(bytes, body, 37, is_alnum);
    let value = part(bytes, body, end);
    let (random, checksum) = value.split_at_checked(30)?;
    if checksum.len() == 6 && base62(crc32(random)) == checksum {
        token(bytes, kinds::GITHUB_TOKEN, at, body, end)
    } else {
        None
    }
}

/// The CRC-32 of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xEDB8_8320;
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _bit| {
            if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 }
        })
    })
}

/// Six digits of base 62, with zeros in front.
fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = DIGITS.get((number % 62) as usize).copied().unwrap_or(b'0');
        number /= 62;
    }
    text
}

/// `xoxb-`, `xoxp-`, `xapp-` and their kind: parts joined by hyphens, one of them a long number.
pub(super) fn slack(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + "xoxb-".len();
    if byte(bytes, body - 1) != Some(b'-') {
        return None;
    }
    let end = run_end(bytes, body, LONGEST, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let value = part(bytes, body, end);
    let number = |part: &[u8]| part.len() >= 9 && part.iter().all(u8::is_ascii_digit);
    let random = |part: &[u8]| part.len() >= 20 && is_random(part);
    let mut parts = value.split(|byte| *byte == b'-');
    if parts.clone().any(number) && parts.next_back().is_some_and(random) {
        token(bytes, kinds::SLACK_TOKEN, at, body, end)
    } else {
        None
    }
}

/// `hooks.slack.com/services/T…/B…/…`: whoever knows the address may post.
pub(super) fn slack_webhook(bytes: &[u8], at: usize) -> Option<Match> {
    const HOST: &str = "hooks.slack.com/services/";
    let start = at.checked_sub("hooks.slack.co".len())?;
    let body = start + HOST.len();
    if part(bytes, start, body) != HOST.as_bytes() {
        return None;
    }
    let end = run_end(bytes, body, 80, |byte| byte.is_ascii_alphanumeric() || byte == b'/');
    let mut parts = part(bytes, body, end).split(|byte| *byte == b'/');
    let fits = parts.next().is_some_and(|team| team.len() >= 9 && team.first() == Some(&b'T'))
        && parts.next().is_some_and(|hook| hook.len() >= 9 && hook.first() == Some(&b'B'))
        && parts.next().is_some_and(|secret| secret.len() >= 20 && is_random(secret))
        && parts.next().is_none();
    fits.then_some(Match { kind: kinds::SLACK_WEBHOOK, start, end, lead: HOST.len() })
}

/// `discord.com/api/webhooks/<number>/<token>`: whoever knows the address may post.
pub(super) fn discord_webhook(bytes: &[u8], at: usize) -> Option<Match> {
    let host = at.checked_sub("/ap".len())?;
    let start = ["discord.com", "discordapp.com"].iter().find_map(|name| {
        let start = host.checked_sub(name.len())?;
        (part(bytes, start, at) == [name.as_bytes(), b"/ap"].concat()).then_some(start)
    })?;
    let number = at + "i/webhooks/".len();
    let slash = run_end(bytes, number, 24, |byte| byte.is_ascii_digit());
    let body = slash + 1;
    let end = run_end(bytes, body, 100, is_base64url);
    let fits = slash - number >= 17
        && byte(bytes, slash) == Some(b'/')
        && end - body >= 60
        && is_random(part(bytes, body, end));
    fits.then(|| Match { kind: kinds::DISCORD_WEBHOOK, start, end, lead: number - start })
}

/// `sk-…T3BlbkFJ…`: the middle of every key is the name of the company in base64.
pub(super) fn openai(bytes: &[u8], at: usize) -> Option<Match> {
    let first = run_start(bytes, at, LONGEST, is_base64url);
    let start = (first..at)
        .find(|start| part(bytes, *start, start + 3) == b"sk-" && starts_word(bytes, *start))?;
    let lead = ["sk-proj-", "sk-svcacct-", "sk-admin-"]
        .iter()
        .find(|prefix| part(bytes, start, start + prefix.len()) == prefix.as_bytes())
        .map_or(3, |prefix| prefix.len());
    let end = run_end(bytes, at, LONGEST, is_base64url);
    if end - start >= 40 { token(bytes, kinds::OPENAI_KEY, start, start + lead, end) } else { None }
}

/// `sk-proj-…`: proven by the same middle, else only likely.
pub(super) fn openai_project(bytes: &[u8], at: usize) -> Option<Match> {
    let start = at.checked_sub(1).filter(|start| byte(bytes, *start) == Some(b's'))?;
    let body = at + "k-proj-".len();
    let end = run_end(bytes, body, LONGEST, is_base64url);
    let proven = position(part(bytes, body, end), b"T3BlbkFJ").is_some();
    let kind = if proven { kinds::OPENAI_KEY } else { kinds::OPENAI_PROJECT_KEY };
    if end - body >= if proven { 40 } else { 48 } {
        token(bytes, kind, start, body, end)
    } else {
        None
    }
}

/// `re_`, eight characters, an underscore, twenty-four characters.
pub(super) fn resend(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + "re_".len();
    let end = run_end(bytes, body, 34, is_word);
    let value = part(bytes, body, end);
    let (id, rest) = value.split_at_checked(8)?;
    let secret = rest.strip_prefix(b"_")?;
    let fits = id.iter().chain(secret).all(|byte| is_alnum(*byte))
        && secret.len() == 24
        && is_random(secret);
    if fits { token(bytes, kinds::RESEND_KEY, at, body, end) } else { None }
}

/// `SG.`, 22 characters, a full stop, 43 characters.
pub(super) fn sendgrid(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + "SG.".len();
    let stop = run_end(bytes, body, 23, is_base64url);
    let end = run_end(bytes, stop + 1, 44, is_base64url);
    let fits = stop - body == 22
        && byte(bytes, stop) == Some(b'.')
        && end - stop == 44
        && is_random(part(bytes, body, stop));
    if fits { token(bytes, kinds::SENDGRID_KEY, at, body, end) } else { None }
}

/// `pat-na1-` and its siblings in other regions, then a UUID.
pub(super) fn hubspot(bytes: &[u8], at: usize) -> Option<Match> {
    let start = at.checked_sub("pat-".len())?;
    let body = at + "na1-".len();
    if part(bytes, start, at) != b"pat-" {
        return None;
    }
    token(bytes, kinds::HUBSPOT_TOKEN, start, body, uuid_end(bytes, body)?)
}

/// The end of a UUID in lower or upper case that begins here.
pub(super) fn uuid_end(bytes: &[u8], from: usize) -> Option<usize> {
    let end = from + 36;
    let fits = bytes.get(from..end)?.iter().enumerate().all(|(place, byte)| match place {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    fits.then_some(end)
}

/// `sntrys_` (organisation) and `sntryu_` (person).
pub(super) fn sentry(bytes: &[u8], at: usize) -> Option<Match> {
    let body = at + "sntrys_".len();
    if ![&b"s_"[..], b"u_"].contains(&part(bytes, at + 5, body)) {
        return None;
    }
    let end = run_end(bytes, body, 400, |byte| is_base64(byte) || byte == b'_' || byte == b'=');
    if end - body >= 60 { token(bytes, kinds::SENTRY_TOKEN, at, body, end) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_of_github_is_crc32_in_base_62() {
        // The check value of CRC-32 that its catalogue gives for the nine digits.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        // A token that has long been public and revoked, without its prefix.
        let (random, checksum) = ("zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ", "0mLq17");
        assert_eq!(base62(crc32(random.as_bytes())), checksum.as_bytes());
    }
}
