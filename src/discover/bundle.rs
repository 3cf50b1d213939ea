//! What a page and its scripts hold: the Supabase project and its public key, Stripe's publishable key,
//! Edge Functions, and the widgets of [`super::signs`].

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use regex::bytes::Regex;
use serde_json::Value;

use super::signs::{Sign, tenant};

/// The most functions and projects that are kept.
const MOST: usize = 24;
/// The most bytes of a token that is read.
const TOKEN: usize = 2048;

static PROJECT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\b([a-z]{20})\.supabase\.co\b").ok());
/// docs: “API keys”, the shape of a publishable key.
static PUBLISHABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\bsb_publishable_[A-Za-z0-9_-]{16,64}").ok());
/// A signed token (RFC 7519) of which the middle part is read.
static TOKEN_SHAPE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?-u)\beyJ[A-Za-z0-9_-]{8,200}\.(eyJ[A-Za-z0-9_-]{8,1600})\.[A-Za-z0-9_-]{16,200}")
        .ok()
});
static STRIPE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?-u)\bpk_(live|test)_[A-Za-z0-9]{10,120}").ok());
/// By its address, or by the client library's call.
static FUNCTION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?-u)(?:/functions/v1/|functions\.invoke\(\s*["'`])([a-zA-Z0-9][a-zA-Z0-9_-]{0,62})"#,
    )
    .ok()
});

/// What the scripts of a page show.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Projects of Supabase, by the 20 letters.
    pub projects: BTreeSet<String>,
    /// The public key of Supabase: a publishable one before a token of the role `anon`.
    pub public_key: Option<String>,
    /// The publishable key of Stripe is one of the live mode (`true`) or of a test mode.
    pub stripe_live: Option<bool>,
    /// Edge Functions that scripts call.
    pub functions: BTreeSet<String>,
    /// Services, by their signs, each with where it was seen first.
    pub services: Vec<(&'static Sign, String)>,
    /// The account at Zendesk.
    pub zendesk: Option<String>,
    /// The account at Freshdesk.
    pub freshdesk: Option<String>,
    /// Make's zone, such as `eu1`.
    pub make_zone: Option<String>,
}

impl Bundle {
    /// Takes up the bytes of one page or script; `place` is its address as people read it.
    pub fn read(&mut self, bytes: &[u8], place: &str) {
        for found in captured(&PROJECT, bytes, 1).take(MOST) {
            if self.projects.len() < MOST {
                self.projects.insert(found);
            }
        }
        if let Some(found) = captured(&PUBLISHABLE, bytes, 0).next() {
            self.public_key = Some(found);
        }
        for token in captured(&TOKEN_SHAPE, bytes, 0).take(MOST) {
            if let Some(project) = read_anon_key(&token) {
                let is_publishable =
                    self.public_key.as_ref().is_some_and(|key| key.starts_with("sb_"));
                if !is_publishable {
                    self.public_key = Some(token);
                }
                self.projects.extend(project);
            }
        }
        for mode in captured(&STRIPE, bytes, 1).take(MOST) {
            self.stripe_live = Some(self.stripe_live.unwrap_or(false) || mode == "live");
        }
        for name in captured(&FUNCTION, bytes, 1).take(MOST) {
            if self.functions.len() < MOST {
                self.functions.insert(name);
            }
        }
        for sign in Sign::in_bytes(bytes) {
            if !self.services.iter().any(|(known, _)| known.name == sign.name) {
                self.services.push((sign, place.to_owned()));
            }
            let text = || String::from_utf8_lossy(bytes);
            match sign.system {
                Some("zendesk") if self.zendesk.is_none() => {
                    self.zendesk = tenant(&text(), ".zendesk.com");
                }
                Some("freshdesk") if self.freshdesk.is_none() => {
                    self.freshdesk = tenant(&text(), ".freshdesk.com");
                }
                Some("make") if self.make_zone.is_none() => {
                    self.make_zone = ["eu1", "eu2", "us1", "us2"]
                        .into_iter()
                        .find(|zone| text().contains(&format!("hook.{zone}.make.com")))
                        .map(str::to_owned);
                }
                _ => {}
            }
        }
    }
}

/// The texts of a group of every match.
fn captured<'a>(
    pattern: &'static LazyLock<Option<Regex>>,
    bytes: &'a [u8],
    group: usize,
) -> impl Iterator<Item = String> + 'a {
    pattern.as_ref().into_iter().flat_map(move |pattern| pattern.captures_iter(bytes)).filter_map(
        move |found| Some(std::str::from_utf8(found.get(group)?.as_bytes()).ok()?.to_owned()),
    )
}

/// Whether a token is a legacy public key of Supabase: `Some` of the project that it names, if it names
/// one. A token of another role is none.
pub fn read_anon_key(token: &str) -> Option<Option<String>> {
    if token.len() > TOKEN {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("role") != Some("anon") || !text("iss").is_some_and(|by| by.starts_with("supabase")) {
        return None;
    }
    let is_project = |name: &&str| name.len() == 20 && name.bytes().all(|b| b.is_ascii_lowercase());
    Some(text("ref").filter(is_project).map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFERENCE: &str = "abcdefghijklmnopqrst";

    fn token(claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part("{\"alg\":\"HS256\"}"), part(claims), "s".repeat(43))
    }

    fn read(text: &str) -> Bundle {
        let mut bundle = Bundle::default();
        bundle.read(text.as_bytes(), "harbor.example");
        bundle
    }

    #[test]
    fn a_project_is_known_by_its_address_or_its_key() {
        let by_address = read(&format!("u=\"https://{REFERENCE}.supabase.co\""));
        assert_eq!(by_address.projects.first().map(String::as_str), Some(REFERENCE));
        let key =
            token(&format!("{{\"iss\":\"supabase\",\"ref\":\"{REFERENCE}\",\"role\":\"anon\"}}"));
        let by_key = read(&format!("k=\"{key}\""));
        assert_eq!(by_key.projects.first().map(String::as_str), Some(REFERENCE));
        assert_eq!(by_key.public_key.as_deref(), Some(key.as_str()));
        let publishable = format!("k=\"{key}\",p=\"sb_publishable_{}\"", "a1".repeat(12));
        assert!(read(&publishable).public_key.unwrap().starts_with("sb_publishable_"));
    }

    #[test]
    fn a_key_that_is_no_public_one_is_never_taken() {
        let service = token(&format!(
            "{{\"iss\":\"supabase\",\"ref\":\"{REFERENCE}\",\"role\":\"service_role\"}}"
        ));
        let bundle = read(&format!(
            "k=\"{service}\" sb_secret_{} sk_live_{}",
            "a".repeat(30),
            "b".repeat(30)
        ));
        assert_eq!((bundle.public_key, bundle.stripe_live), (None, None));
        assert_eq!(read_anon_key(&token("{\"role\":\"anon\",\"iss\":\"somebody\"}")), None);
    }

    #[test]
    fn functions_and_keys_of_payment_are_seen() {
        let bundle = read(
            "s.functions.invoke('checkout');fetch(u+\"/functions/v1/send-mail\");pk_test_0123456789ab",
        );
        assert_eq!(bundle.functions.into_iter().collect::<Vec<_>>(), ["checkout", "send-mail"]);
        assert_eq!(bundle.stripe_live, Some(false));
        assert_eq!(read("pk_test_0123456789ab pk_live_0123456789ab").stripe_live, Some(true));
    }

    #[test]
    fn accounts_are_read_out_of_addresses() {
        let bundle = read(
            "src=https://static.zdassets.com/x href=https://harbor.zendesk.com/hc https://hook.eu2.make.com/abc",
        );
        assert_eq!(bundle.zendesk.as_deref(), Some("harbor"));
        assert_eq!(bundle.make_zone.as_deref(), Some("eu2"));
        let names: Vec<_> = bundle.services.iter().map(|(sign, _)| sign.name).collect();
        assert_eq!(names, ["Zendesk", "Make"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut hostile = b"eyJhbGci.eyJ.functions.invoke('\xff /functions/v1/".to_vec();
            hostile.extend(&bytes);
            let mut bundle = Bundle::default();
            bundle.read(&hostile, "x");
            for name in bundle.functions {
                prop_assert!(name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b)));
            }
        }
    }

    #[test]
    fn a_page_of_a_thousand_projects_is_bounded() {
        let mut many = String::new();
        for number in 0..1000 {
            let digits = format!("{number:020}");
            let letters: String = digits.bytes().map(|b| char::from(b - b'0' + b'a')).collect();
            many += "https://";
            many += &letters;
            many += ".supabase.co /functions/v1/f";
            many += &digits;
            many.push(' ');
        }
        let bundle = read(&many);
        assert!(bundle.projects.len() <= MOST && bundle.functions.len() <= MOST);
    }
}
