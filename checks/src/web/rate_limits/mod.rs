//! `web-rate-limits`: see `rate_limits.md`.

mod judge;
mod knock;
mod private;

use std::time::Duration;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use self::knock::{Knocks, knock};
use self::private::{Route, look_at};
use super::site::Site;
use super::walk::shown_text;
use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx, Need,
    Schedule, Target, Unseen, Vantage,
};
use crate::probe::Probes;
use crate::vendor::is_below;

const MISSING: FindingSpec = FindingSpec::warning(
    "rate-limit-missing",
    "A sensitive address answers as often as anyone asks",
    "A script can try passwords and one-time codes until one fits, have mail sent in your name, or \
     run up the bill of a paid API overnight.",
);
const OPEN: FindingSpec = FindingSpec::critical(
    "private-route-open",
    "A private page answers without a session",
    "Anyone who knows or guesses the address reads what only customers or the team should see.",
)
.now();

/// The most addresses of each list that one run asks.
const ADDRESSES: usize = 8;
/// The most requests to one endpoint, whatever the config says.
const REQUESTS: u32 = 100;

/// Whether sensitive endpoints slow a caller down, and private routes ask for a session.
#[derive(Debug)]
pub struct RateLimits;

/// A sensitive endpoint: sign-in, sign-up, password reset, one-time code, AI call, upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sensitive {
    /// A short name for reports; the URL where it is empty.
    #[serde(default)]
    pub name: String,
    /// The full URL.
    pub url: String,
    /// How it is asked; a POST sends an empty JSON object.
    #[serde(default)]
    pub method: Verb,
}

/// How a sensitive endpoint is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verb {
    /// Reads.
    #[default]
    Get,
    /// Sends `{}`.
    Post,
}

/// What `web-rate-limits` asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The sensitive endpoints.
    pub endpoints: Vec<Sensitive>,
    /// URLs, or paths on the domain, that must not answer 200 without a session.
    pub private: Vec<String>,
    /// Requests to each endpoint before the limit counts as missing; at most 100.
    #[schemars(range(min = 1, max = 100))]
    pub requests: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self { endpoints: Vec::new(), private: Vec::new(), requests: 30 }
    }
}

/// What the addresses answered.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    endpoints: Bounded<Knocks>,
    private: Bounded<Route>,
    /// Addresses that are none, or lie on hosts that the project does not name.
    foreign: Bounded<String>,
}

impl Check for RateLimits {
    const META: CheckMeta = CheckMeta {
        id: "web-rate-limits",
        area: Area::Web,
        title: "Rate limits and private routes",
        vantage: Vantage::Outside,
        findings: &[MISSING, OPEN],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(24)),
        min_interval: Duration::from_hours(1),
        timeout: Duration::from_secs(40),
        needs: &[Need::Ownership],
        evidence_version: 1,
        doc: include_str!("../rate_limits.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let Options { endpoints, private, requests } = look.options;
        let domain = &target.domain;
        if !target.ownership.is_proven() {
            return Err(CheckError::skipped(
                target.ownership.reason(&format!("ownership of {domain} is not proven")),
                target.ownership.unlock(domain),
            ));
        }
        if endpoints.is_empty() && private.is_empty() {
            return Err(CheckError::skipped(
                "no sensitive endpoint and no private route is named",
                "name them as `endpoints` and `private` under [checks.web-rate-limits] in the config",
            ));
        }
        let base = Url::parse(&format!("https://{domain}/")).ok();
        let own = |text: &str| {
            let url = base.as_ref()?.join(text).ok()?;
            is_own(&url, target).then_some(url)
        };
        let mut foreign = Vec::new();
        let mut routes = Vec::new();
        for text in private {
            match own(text) {
                Some(url) => routes.push(url),
                None => foreign.push(shown_text(text)),
            }
        }
        let mut sensitive = Vec::new();
        for endpoint in endpoints {
            match own(&endpoint.url) {
                Some(url) => sensitive.push((endpoint, url)),
                None => foreign.push(shown_text(&endpoint.url)),
            }
        }
        let (routes, sensitive) =
            (Bounded::keep(routes, ADDRESSES), Bounded::keep(sensitive, ADDRESSES));
        let site = Site::of(target);
        let http = &*probes.http;
        // Before the endpoints: an edge that limits this machine would hide the private routes.
        let looks = join_all(routes.items.iter().map(async |url| look_at(http, &site, url).await));
        let looks = looks.await;
        let requests = (*requests).min(REQUESTS);
        let knocks = sensitive.items.iter().map(async |(endpoint, url)| {
            knock(http, &endpoint.name, endpoint.method, url, requests).await
        });
        let evidence = Evidence {
            endpoints: Bounded { items: join_all(knocks).await, cut: sensitive.cut },
            private: Bounded { items: looks, cut: routes.cut },
            foreign: Bounded::keep(foreign, ADDRESSES),
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, _cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for route in &evidence.private.items {
            judge::private(route, &mut out);
        }
        for knocks in &evidence.endpoints.items {
            judge::limit(knocks, &mut out);
        }
        for url in &evidence.foreign.items {
            out.not_checked(
                Unseen::Condition,
                url,
                "it lies on no host of the project, and strangers are not asked again and again",
                "write the full URL, and name its host under `hosts` in the config",
            );
        }
        let more = evidence.endpoints.cut + evidence.private.cut + evidence.foreign.cut;
        if more > 0 {
            out.not_checked(
                Unseen::Condition,
                format!("{more} more addresses"),
                format!("one run asks {ADDRESSES} endpoints and {ADDRESSES} private routes"),
                "declare the other addresses in a project of their own",
            );
        }
        out
    }
}

/// Only the proven domain, what lies below it, and the hosts that the config names.
fn is_own(url: &Url, target: &Target) -> bool {
    let web = matches!(url.scheme(), "http" | "https");
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    web && (is_below(host, &target.domain) || target.declared_hosts().iter().any(|own| own == host))
}
