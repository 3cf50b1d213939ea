//! Placeholders in the data: times, and secrets that look real and never were.
//!
//! The secrets are made from parts when a world starts, so that no file of the project holds one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};

/// The Supabase project that the scenarios speak of.
const PROJECT: &str = "abcdefghijklmnopqrst";

/// Fills in every `{{name}}`; a name that `value` does not know stays as it is.
pub(crate) fn fill(text: &str, value: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        out.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            rest = text.get(text.len() - after.len() - 2..).unwrap_or_default();
            break;
        };
        match value(name.trim()) {
            Some(value) => out.push_str(&value),
            None => out.extend(["{{", name, "}}"]),
        }
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Fills in every placeholder that holds for the life of a world.
pub(crate) fn filled(text: &str, now: Timestamp) -> String {
    fill(text, |name| fixed(name, now))
}

/// A table with the placeholders of its texts filled in.
pub(crate) fn fill_table(table: &toml::Table, now: Timestamp) -> toml::Table {
    let mut table = table.clone();
    table.iter_mut().for_each(|(_, value)| fill_value(value, now));
    table
}

fn fill_value(value: &mut toml::Value, now: Timestamp) {
    match value {
        toml::Value::String(text) => *text = filled(text, now),
        toml::Value::Array(values) => values.iter_mut().for_each(|value| fill_value(value, now)),
        toml::Value::Table(table) => {
            table.iter_mut().for_each(|(_, value)| fill_value(value, now));
        }
        toml::Value::Integer(_)
        | toml::Value::Float(_)
        | toml::Value::Boolean(_)
        | toml::Value::Datetime(_) => {}
    }
}

/// The value of a placeholder that holds for the life of a world.
pub(crate) fn fixed(name: &str, now: Timestamp) -> Option<String> {
    if let Some(days) = name.strip_prefix("day") {
        let days = SignedDuration::from_hours(days.parse::<i64>().ok()?.checked_mul(24)?);
        return Some(now.checked_add(days).ok()?.strftime("%Y-%m-%dT00:00:00Z").to_string());
    }
    Some(match name {
        "stripe_live_key" | "stripe_full_key" => {
            ["sk", "live", &format!("51{}", letters(name, 97))].join("_")
        }
        "stripe_restricted_key" => ["rk", "live", &format!("51{}", letters(name, 97))].join("_"),
        "stripe_test_key" => ["sk", "test", &format!("51{}", letters(name, 97))].join("_"),
        "stripe_publishable_key" => ["pk", "live", &format!("51{}", letters(name, 97))].join("_"),
        "stripe_publishable_test_key" => {
            ["pk", "test", &format!("51{}", letters(name, 97))].join("_")
        }
        "stripe_webhook_secret" => ["whsec", &letters(name, 32)].join("_"),
        "anon_jwt" => jwt("anon", now),
        "service_role_jwt" => jwt("service_role", now),
        "supabase_publishable_key" => {
            ["sb", "publishable", &letters(name, 22), &letters("check", 8)].join("_")
        }
        "supabase_secret_key" => {
            ["sb", "secret", &letters(name, 22), &letters("check", 8)].join("_")
        }
        "pagespeed_key" => ["AIza", &letters(name, 35)].concat(),
        // Tokens of help desks and CRMs, in the length of the vendor's own.
        "zendesk_token" | "pipedrive_token" | "edge_token" => letters(name, 40),
        "intercom_token" => letters(name, 60),
        "freshdesk_key" => letters(name, 20),
        "helpscout_secret" => letters(name, 32),
        "helpscout_token" => letters(name, 36),
        "front_token" => letters(name, 48),
        "hubspot_token" => ["pat", "eu1", &letters(name, 36)].join("-"),
        "attio_token" => letters(name, 64),
        "supabase_token" => ["sbp", &format!("fc{}", letters(name, 38).to_lowercase())].join("_"),
        "supabase_full_token" => {
            ["sbp", &format!("0{}", letters(name, 39).to_lowercase())].join("_")
        }
        "automation_key" => jwt("automation", now),
        "hosting_token" | "database_password" => letters(name, 24),
        "openai_key" => {
            format!("sk-proj-{}T3BlbkFJ{}", letters("openai", 74), letters("openai end", 74))
        }
        "supabase_project" => PROJECT.to_owned(),
        _ => return None,
    })
}

/// Letters and digits that depend on the seed alone (`SplitMix64`, a public-domain generator).
fn letters(seed: &str, length: usize) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut state = seed.bytes().fold(0x1a2b_3c4d_5e6f_7081_u64, |state, byte| {
        state.rotate_left(9).wrapping_mul(0x0100_0000_01b3) ^ u64::from(byte)
    });
    (0..length)
        .filter_map(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            let index = usize::try_from(z % 62).ok()?;
            ALPHABET.get(index).map(|byte| char::from(*byte))
        })
        .collect()
}

/// A JWT as Supabase issues its older keys: three years old, ten years long.
fn jwt(role: &str, now: Timestamp) -> String {
    const YEAR: i64 = 365 * 86_400;
    let issued = now.as_second() - 3 * YEAR;
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let head = encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let claims = encode(&format!(
        r#"{{"iss":"supabase","ref":"{PROJECT}","role":"{role}","iat":{issued},"exp":{}}}"#,
        issued + 10 * YEAR
    ));
    [head, claims, letters(role, 43)].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_filled_in_and_others_stay() {
        let value = |name: &str| (name == "a").then(|| "1".to_owned());
        assert_eq!(fill("x{{a}}y{{ a }}z{{b}}{{", value), "x1y1z{{b}}{{");
    }

    #[test]
    fn secrets_are_the_same_each_time_and_of_the_right_shape() {
        let now = Timestamp::UNIX_EPOCH;
        let key = fixed("stripe_live_key", now).unwrap();
        assert_eq!(key, fixed("stripe_live_key", now).unwrap());
        assert_eq!(key.len(), 107);
        let jwt = fixed("service_role_jwt", now).unwrap();
        let claims = jwt.split('.').nth(1).unwrap();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert!(claims.contains(r#""role":"service_role""#));
        assert_eq!(fixed("day+180", now).unwrap(), "1970-06-30T00:00:00Z");
        assert_eq!(fixed("nonsense", now), None);
    }
}
