//! Reads the headers that tell a browser what a page may do: CSP, HSTS, framing.

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::probe::HttpAnswer;

/// The most policies of one page that are kept.
const POLICIES: usize = 3;
/// The most sources of one directive that are kept, keywords before hosts.
const SOURCES: usize = 10;
/// The most characters of one source that are kept.
const SOURCE_CHARS: usize = 60;

/// One Content-Security-Policy that a browser enforces, as far as scripts and framing go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Policy {
    /// It stands in a meta tag, where `frame-ancestors` has no effect (CSP level 3, section 3.3).
    pub(super) in_meta: bool,
    /// The sources of scripts: `script-src`, else `default-src`; absent where neither is given.
    pub(super) scripts: Option<Vec<String>>,
    /// The pages that may frame this one; absent where the directive is.
    pub(super) ancestors: Option<Vec<String>>,
}

impl Policy {
    fn read(text: &str, in_meta: bool) -> Self {
        let mut directives: Vec<(String, Vec<String>)> = Vec::new();
        for directive in text.split(';') {
            let mut words = directive.split_ascii_whitespace();
            let Some(name) = words.next().map(str::to_ascii_lowercase) else { continue };
            // Only the first of two directives of the same name counts.
            if !directives.iter().any(|(other, _)| *other == name) {
                directives.push((name, words.map(source).collect()));
            }
        }
        let of = |name: &str| {
            let (_, sources) = directives.iter().find(|(other, _)| other == name)?;
            let mut sources = sources.clone();
            // Keywords and schemes decide, hosts only illustrate: they are cut first.
            sources.sort_by_key(|source| source.contains('.'));
            sources.truncate(SOURCES);
            Some(sources)
        };
        Self {
            in_meta,
            scripts: of("script-src").or_else(|| of("default-src")),
            ancestors: of("frame-ancestors").filter(|_| !in_meta),
        }
    }

    fn scripts_have(&self, part: &str) -> bool {
        self.scripts.iter().flatten().any(|source| source.starts_with(part))
    }

    /// Whether it keeps scripts of strangers out: it lists sources, and none of them is everybody.
    pub(super) fn limits_scripts(&self) -> bool {
        let everybody = ["*", "http:", "https:", "data:"];
        self.scripts.as_ref().is_some_and(|sources| {
            self.scripts_have("'strict-dynamic'")
                || !sources.iter().any(|source| everybody.contains(&source.as_str()))
        })
    }

    /// Whether scripts inside the page run: a nonce, a hash or `strict-dynamic` switches
    /// `unsafe-inline` off (CSP level 3, section 6.7.3.2).
    pub(super) fn allows_inline(&self) -> bool {
        let Some(sources) = &self.scripts else { return true };
        sources.iter().any(|source| source == "'unsafe-inline'")
            && !["'nonce-", "'sha", "'strict-dynamic'"].iter().any(|part| self.scripts_have(part))
    }

    /// Whether it keeps strangers from framing the page.
    pub(super) fn limits_framing(&self) -> bool {
        let everybody = ["*", "http:", "https:"];
        self.ancestors.as_ref().is_some_and(|sources| {
            !sources.iter().any(|source| everybody.contains(&source.as_str()))
        })
    }

    /// The directive in one line of evidence.
    pub(super) fn line(&self) -> String {
        let place = if self.in_meta { "meta tag" } else { "Content-Security-Policy" };
        match &self.scripts {
            Some(sources) => format!("{place}: scripts from {}", sources.join(" ")),
            None => format!("{place}: neither script-src nor default-src"),
        }
    }
}

/// A source in lower case; nonces change with every answer and are not kept.
fn source(word: &str) -> String {
    let word: String = word.chars().take(SOURCE_CHARS).collect::<String>().to_ascii_lowercase();
    if word.starts_with("'nonce-") { "'nonce-…'".to_owned() } else { word }
}

/// The policies of a page, from headers first. A header may hold several, joined by commas.
pub(super) fn policies(answer: &HttpAnswer, document: &Document) -> Vec<Policy> {
    let headers = answer
        .all("content-security-policy")
        .flat_map(|value| value.split(','))
        .map(|text| (text.to_owned(), false));
    let metas = document
        .all("meta")
        .filter(|meta| {
            meta.attribute("http-equiv")
                .is_some_and(|name| name.eq_ignore_ascii_case("content-security-policy"))
        })
        .filter_map(|meta| Some((meta.attribute("content")?.to_owned(), true)));
    headers
        .chain(metas)
        .filter(|(text, _)| !text.trim().is_empty())
        .map(|(text, in_meta)| Policy::read(&text, in_meta))
        .take(POLICIES)
        .collect()
}

/// What a Strict-Transport-Security header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hsts {
    /// Seconds for which browsers use https only.
    pub(super) max_age: u64,
    /// It holds for every host below.
    pub(super) subdomains: bool,
    /// It asks to be built into browsers.
    pub(super) preload: bool,
}

/// Reads a Strict-Transport-Security header (RFC 6797, section 6.1); `None` where a browser would
/// ignore it.
pub(super) fn hsts(value: &str) -> Option<Hsts> {
    let mut max_age = None;
    let (mut subdomains, mut preload) = (false, false);
    for directive in value.split(';') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            // A directive that appears twice spoils the header.
            "max-age" if max_age.is_some() => return None,
            "max-age" => {
                let digits = value.trim().trim_matches('"');
                let number = digits.chars().all(|c| c.is_ascii_digit()) && !digits.is_empty();
                max_age = Some(number.then(|| digits.parse().unwrap_or(u64::MAX))?);
            }
            "includesubdomains" => subdomains = true,
            "preload" => preload = true,
            _ => {}
        }
    }
    Some(Hsts { max_age: max_age?, subdomains, preload })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::read(text, false)
    }

    #[test]
    fn hsts_is_read_as_a_browser_reads_it() {
        let read = hsts("max-age=\"63072000\"; includeSubDomains ;PRELOAD").unwrap();
        assert_eq!(read, Hsts { max_age: 63_072_000, subdomains: true, preload: true });
        assert_eq!(hsts("max-age=0").unwrap().max_age, 0);
        for ignored in ["", "includeSubDomains", "max-age=", "max-age=1y", "max-age=1; max-age=2"] {
            assert_eq!(hsts(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn a_policy_limits_scripts_only_when_strangers_are_kept_out() {
        assert!(policy("default-src 'self' https://js.stripe.com").limits_scripts());
        assert!(policy("script-src https: 'nonce-abc' 'strict-dynamic'").limits_scripts());
        assert!(!policy("upgrade-insecure-requests").limits_scripts());
        assert!(!policy("script-src * 'unsafe-inline'").limits_scripts());
        assert!(!policy("default-src 'self'; script-src https:").limits_scripts());
    }

    #[test]
    fn unsafe_inline_is_off_beside_a_nonce_or_a_hash() {
        assert!(policy("script-src 'self' 'unsafe-inline'").allows_inline());
        assert!(!policy("script-src 'unsafe-inline' 'nonce-x'").allows_inline());
        assert!(!policy("script-src 'unsafe-inline' 'sha256-x'").allows_inline());
        assert!(!policy("script-src 'self'; style-src 'unsafe-inline'").allows_inline());
        assert!(policy("script-src 'nonce-SECRET'").line().ends_with("'nonce-…'"));
    }

    #[test]
    fn framing_is_limited_by_a_header_and_not_by_a_meta_tag() {
        assert!(policy("frame-ancestors 'none'").limits_framing());
        assert!(policy("frame-ancestors").limits_framing(), "an empty list is nobody");
        assert!(!policy("frame-ancestors *").limits_framing());
        assert!(!Policy::read("frame-ancestors 'none'", true).limits_framing());
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(text in ".{0,300}") {
            let read = policy(&text);
            prop_assert!(read.scripts.is_none_or(|sources| sources.len() <= SOURCES));
            let _any = hsts(&text);
        }
    }
}
