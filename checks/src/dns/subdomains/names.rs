//! Where names below the domain come from: a list of usual words, certificates, SPF and pages.

use std::collections::BTreeSet;

use regex::Regex;
use sha2::{Digest as _, Sha256};

use crate::vendor::is_below;

/// Labels under which products usually run something.
pub const WORDS: [&str; 60] = [
    "www",
    "app",
    "api",
    "admin",
    "auth",
    "login",
    "accounts",
    "dashboard",
    "portal",
    "my",
    "pay",
    "checkout",
    "billing",
    "shop",
    "store",
    "cdn",
    "static",
    "assets",
    "media",
    "img",
    "files",
    "docs",
    "help",
    "support",
    "status",
    "blog",
    "news",
    "go",
    "link",
    "links",
    "click",
    "email",
    "mail",
    "webmail",
    "m",
    "dev",
    "develop",
    "staging",
    "stage",
    "test",
    "qa",
    "uat",
    "beta",
    "demo",
    "preview",
    "sandbox",
    "internal",
    "vpn",
    "git",
    "ci",
    "grafana",
    "monitor",
    "db",
    "old",
    "legacy",
    "graphql",
    "ws",
    "hooks",
    "webhooks",
    "n8n",
];

/// The most characters of a name (RFC 1035 section 2.3.4).
const NAME: usize = 253;

/// A label that nobody has registered, the same for the same domain from look to look.
pub fn unlikely_label(domain: &str) -> String {
    let digest = Sha256::digest(domain.as_bytes());
    format!("lr-{}", hex::encode(digest.get(..6).unwrap_or_default()))
}

/// A name below the domain in lower case, if it is one that can be looked up.
pub fn below(name: &str, domain: &str) -> Option<String> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let sound = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    (name != domain && name.len() <= NAME && is_below(&name, domain) && name.split('.').all(sound))
        .then_some(name)
}

/// The names below the domain that a page holds, in links, scripts and inline settings.
pub fn in_page(page: &str, domain: &str) -> BTreeSet<String> {
    let pattern = format!(r"(?i-u)(?:[a-z0-9][a-z0-9-]{{0,62}}\.){{1,4}}{}", regex::escape(domain));
    let Ok(pattern) = Regex::new(&pattern) else { return BTreeSet::new() };
    pattern.find_iter(page).filter_map(|found| below(found.as_str(), domain)).collect()
}

/// The names below the domain that an SPF record refers to.
pub fn in_spf(record: &str, domain: &str) -> BTreeSet<String> {
    if !record.to_ascii_lowercase().starts_with("v=spf1") {
        return BTreeSet::new();
    }
    record
        .split_whitespace()
        .filter_map(|term| term.split_once([':', '=']))
        .filter_map(|(_, name)| below(name.split('/').next().unwrap_or_default(), domain))
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_read_from_pages_and_records() {
        let page = r#"<a href="https://App.harbor.com/x">{"api":"https:\/\/api.eu.harbor.com\/v1"}
            notharbor.com harbor.com a.harbor.community"#;
        let found: Vec<String> = in_page(page, "harbor.com").into_iter().collect();
        assert_eq!(found, ["a.harbor.com", "api.eu.harbor.com", "app.harbor.com"]);
        let spf = "v=spf1 include:_spf.harbor.com a:out.harbor.com/24 include:mail.test -all";
        let found: Vec<String> = in_spf(spf, "harbor.com").into_iter().collect();
        assert_eq!(found, ["_spf.harbor.com", "out.harbor.com"]);
        assert_eq!(below("*.harbor.com", "harbor.com"), None);
    }

    #[test]
    fn the_unlikely_label_is_a_label_and_stays_the_same() {
        assert_eq!(unlikely_label("harbor.com"), unlikely_label("harbor.com"));
        assert!(
            below(&format!("{}.harbor.com", unlikely_label("harbor.com")), "harbor.com").is_some()
        );
    }

    proptest! {
        #[test]
        fn whatever_a_page_holds_only_names_below_the_domain_come_out(page in any::<String>()) {
            for name in in_page(&page, "harbor.com") {
                prop_assert!(name.ends_with(".harbor.com"));
            }
            in_spf(&page, "harbor.com");
        }
    }
}
