//! Endpoints: the addresses that have to answer, and what counts as a right answer.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::contract::{Age, Target};
use crate::web::site::Site;

/// One address that has to answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// A short name for reports and metrics; the URL where it is empty.
    #[serde(default)]
    pub name: String,
    /// The full URL.
    pub url: String,
    /// The statuses that are right; where empty, any from 200 to 399 at the end of the redirects.
    #[serde(default)]
    pub status: Vec<u16>,
    /// The slowest acceptable p95 of this endpoint, in place of the general one.
    #[serde(default)]
    pub p95: Option<Age>,
    /// Headers that the answer must have, each with a text that its value must contain; an empty
    /// text asks for the header alone.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A text that the body must contain.
    #[serde(default)]
    pub body_contains: Option<String>,
    /// Judge it as an API, by the time of the whole answer; so is whatever answers JSON.
    #[serde(default)]
    pub api: bool,
}

impl Endpoint {
    /// The home of a host of the project that declared no endpoints.
    pub(super) fn home(host: &str) -> Self {
        Self {
            name: String::new(),
            url: format!("https://{host}/"),
            status: Vec::new(),
            p95: None,
            headers: BTreeMap::new(),
            body_contains: None,
            api: false,
        }
    }

    /// The address, if it is one of the web.
    pub(super) fn address(&self) -> Option<Url> {
        let url = Url::parse(&self.url).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.host().is_some()).then_some(url)
    }

    /// Whether a redirect is itself the right answer.
    pub(super) fn is_redirect(&self) -> bool {
        self.status.iter().any(|status| (300..400).contains(status))
    }
}

/// Which statuses of an endpoint are right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rule {
    /// These.
    Listed(Vec<u16>),
    /// A webhook: it may turn a reader away, and does so by 400, 401 or 405.
    Webhook,
    /// A declared endpoint: success or a redirect.
    Declared,
    /// The home of the site, which visitors open: success or a redirect.
    Home,
    /// The home of a host that nobody declared as an endpoint: an API host may well have none.
    Host,
}

/// The most statuses of one list that are kept.
const STATUSES: usize = 16;

impl Rule {
    /// The rule of an endpoint.
    pub(super) fn of(endpoint: &Endpoint, declared: bool, target: &Target) -> Self {
        if !endpoint.status.is_empty() {
            return Self::Listed(endpoint.status.iter().copied().take(STATUSES).collect());
        }
        let path = endpoint.address().map(|url| url.path().to_owned());
        let webhook = |known: &String| {
            *known == endpoint.url || path.as_ref().is_some_and(|path| path == known)
        };
        if target.web.webhook_paths.iter().any(webhook) {
            Self::Webhook
        } else if declared {
            Self::Declared
        } else if is_home(endpoint, target) {
            Self::Home
        } else {
            Self::Host
        }
    }

    /// Whether this status is right.
    pub(super) fn allows(&self, status: u16) -> bool {
        match self {
            Self::Listed(list) => list.contains(&status),
            Self::Webhook => matches!(status, 200..=399 | 400 | 401 | 405),
            Self::Declared | Self::Home => (200..400).contains(&status),
            Self::Host => status < 500,
        }
    }

    /// The right statuses in words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Listed(list) => {
                list.iter().map(ToString::to_string).collect::<Vec<_>>().join(" or ")
            }
            Self::Webhook => "a status from 200 to 399, or 400, 401 or 405".to_owned(),
            Self::Declared | Self::Home => "a status from 200 to 399".to_owned(),
            Self::Host => "a status below 500".to_owned(),
        }
    }
}

/// Whether an endpoint is the home of the registered domain itself or of its `www`; a project whose
/// domain lies below that may well be an API.
fn is_home(endpoint: &Endpoint, target: &Target) -> bool {
    let site = Site::of(target);
    let host = endpoint.address().and_then(|url| url.host_str().map(str::to_owned));
    site.www.is_some() && host.is_some_and(|host| site.is_main(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(url: &str, declared: bool) -> Rule {
        let mut target = Target { domain: "harbor.example".to_owned(), ..Target::default() };
        target.web.webhook_paths = vec!["/api/stripe".to_owned()];
        let endpoint = Endpoint { url: url.to_owned(), ..Endpoint::home("harbor.example") };
        Rule::of(&endpoint, declared, &target)
    }

    #[test]
    fn a_webhook_may_turn_a_reader_away() {
        let webhook = rule("https://harbor.example/api/stripe", true);
        assert!([200, 400, 401, 405].into_iter().all(|status| webhook.allows(status)));
        assert!(![404, 500].into_iter().any(|status| webhook.allows(status)));
    }

    #[test]
    fn a_host_without_a_home_is_up_and_a_declared_endpoint_without_a_page_is_not() {
        assert!(rule("https://api.harbor.example/", false).allows(404));
        assert!(!rule("https://api.harbor.example/", false).allows(502));
        assert!(!rule("https://api.harbor.example/", true).allows(404));
        assert!(!rule("https://harbor.example/", false).allows(404));
        assert!(!rule("https://www.harbor.example/", false).allows(401));
    }
}
