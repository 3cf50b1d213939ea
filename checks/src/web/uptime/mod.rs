//! `web-uptime`: see `uptime.md`.

mod endpoint;
mod judge;
mod look;
mod response;
mod times;

use std::time::Duration;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::endpoint::{Endpoint, Rule};
use self::look::{Look, SAMPLES, followed};
use super::site::Site;
use super::walk::shown_text;
use crate::contract::{
    Age, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    MeasurementSpec, Ratio, Schedule, Target, Unit, Unseen, Vantage,
};
use crate::probe::{HostLook, Probes, look_up_hosts};

const DOWN: FindingSpec = FindingSpec::critical(
    "endpoint-down",
    "An address of the product does not answer",
    "Visitors see an error page and leave, payments stop, and webhooks that arrive meanwhile are \
     retried for a while and then lost.",
)
.now()
.blocks();
const WRONG_STATUS: FindingSpec = FindingSpec::critical(
    "endpoint-wrong-status",
    "An address answers with another status than it should",
    "The page or function behind it is gone or refuses its callers, although the server is up.",
)
.now();
const WRONG_HEADER: FindingSpec = FindingSpec::critical(
    "endpoint-wrong-header",
    "An answer lacks a header that it should have",
    "Whoever declared the header relies on it; another build, another server or a cache answers.",
)
.now();
const WRONG_BODY: FindingSpec = FindingSpec::critical(
    "endpoint-wrong-body",
    "An answer lacks the text that it should contain",
    "A status of 200 with the wrong content is how a broken page looks from outside: customers see \
     an empty shop or an error text.",
)
.now();
const UNSTEADY: FindingSpec = FindingSpec::warning(
    "endpoint-unsteady",
    "Some of a short run of equal requests fail",
    "One visitor in a few sees an error, perhaps on the page that takes the payment, and does not \
     try again.",
);
const ERROR_RATE: FindingSpec = FindingSpec::warning(
    "endpoint-error-rate",
    "An address failed too often in the last 24 hours",
    "Short outages that nobody notices add up: each one costs the visitors, orders and webhooks of \
     its minutes.",
)
.noted();
const SLOW_API: FindingSpec = FindingSpec::warning(
    "endpoint-slow",
    "An API answers too slowly",
    "Every click waits for it: buttons seem dead, customers click twice, and callers with a time \
     limit give up.",
);
const SLOW_PAGE: FindingSpec = FindingSpec::warning(
    "page-first-byte-slow",
    "A page keeps its visitors waiting for the first byte",
    "Nothing can appear before the first byte: visitors from an advertisement leave before they see \
     the page they were paid for.",
);

const UP: MeasurementSpec = MeasurementSpec {
    name: "up",
    metric: "launchready_web_up",
    unit: Unit::Count,
    help: "Whether the endpoint gives the right answer: 1 or 0.",
    label: Some("endpoint"),
    window: Duration::from_hours(24),
};
const FIRST_BYTE: MeasurementSpec = MeasurementSpec {
    name: "first-byte-p95",
    metric: "launchready_web_first_byte_p95_seconds",
    unit: Unit::Seconds,
    help: "95th percentile of the time to the first byte on a warm connection.",
    label: Some("endpoint"),
    window: Duration::ZERO,
};
const P95: MeasurementSpec = MeasurementSpec {
    name: "p95",
    metric: "launchready_web_response_p95_seconds",
    unit: Unit::Seconds,
    help: "95th percentile of the time to the last byte on a warm connection.",
    label: Some("endpoint"),
    window: Duration::ZERO,
};

/// The most endpoints that one run asks.
const ENDPOINTS: usize = 16;

/// Whether the product answers, rightly and in time.
#[derive(Debug)]
pub struct Uptime;

/// Endpoints and thresholds of `web-uptime`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The addresses that have to answer; where none are declared, the home of every host of the
    /// project that resolves.
    pub endpoints: Vec<Endpoint>,
    /// Timed requests to each endpoint, one after the other; at most 20.
    #[schemars(range(min = 1, max = 20))]
    pub samples: u32,
    /// Warning when the p95 of an API's whole answer is above this.
    pub api_p95_warning: Age,
    /// Critical when the p95 of an API's whole answer is above this.
    pub p95_critical: Age,
    /// Warning when the p95 of a page's time to the first byte is above this.
    pub first_byte_warning: Age,
    /// Warning when more than this part of the looks of the last 24 hours failed.
    pub error_rate_warning: Ratio,
    /// The error rate is judged from this many looks on.
    pub error_rate_looks: u32,
    /// The error rate is judged from this many failures on.
    pub error_rate_failures: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            samples: 20,
            api_p95_warning: Age::millis(300),
            p95_critical: Age::secs(2),
            first_byte_warning: Age::millis(800),
            error_rate_warning: Ratio(0.01),
            error_rate_looks: 500,
            error_rate_failures: 5,
        }
    }
}

/// What each endpoint did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    looks: Bounded<Look>,
    /// Hosts of the project that have no address, or whose address we could not look up.
    nowhere: Bounded<HostLook>,
    /// Declared endpoints whose URL is none.
    unusable: Bounded<String>,
}

impl Check for Uptime {
    const META: CheckMeta = CheckMeta {
        id: "web-uptime",
        area: Area::Web,
        title: "Uptime and response time",
        vantage: Vantage::Outside,
        findings: &[
            DOWN,
            WRONG_STATUS,
            WRONG_HEADER,
            WRONG_BODY,
            UNSTEADY,
            ERROR_RATE,
            SLOW_API,
            SLOW_PAGE,
        ],
        measurements: &[UP, FIRST_BYTE, P95],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../uptime.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let declared = !look.options.endpoints.is_empty();
        let (endpoints, nowhere) = if declared {
            (look.options.endpoints.clone(), Vec::new())
        } else {
            let hosts = look_up_hosts(target, &*probes.dns).await;
            let (there, nowhere): (Vec<_>, Vec<_>) =
                hosts.into_iter().partition(HostLook::is_there);
            (there.iter().map(|host| Endpoint::home(&host.name)).collect(), nowhere)
        };
        let (usable, unusable): (Vec<_>, Vec<_>) =
            endpoints.into_iter().partition(|endpoint| endpoint.address().is_some());
        let usable = Bounded::keep(usable, ENDPOINTS);
        let site = site_of(target, &usable.items);
        let http = &*probes.http;
        let names = names(&usable.items);
        let walks = usable.items.into_iter().zip(names).map(async |(endpoint, name)| {
            let rule = Rule::of(&endpoint, declared, target);
            followed(http, &site, endpoint, name, rule).await
        });
        let mut walks = join_all(walks).await;
        let mut ends = Vec::new();
        for walk in &mut walks {
            if !declared {
                walk.stand_in(&ends);
            }
            ends.extend(walk.end());
        }
        let samples = usize::try_from(look.options.samples).unwrap_or(SAMPLES).min(SAMPLES);
        let looks = join_all(walks.into_iter().map(async |walk| walk.timed(http, samples).await));
        let evidence = Evidence {
            looks: Bounded { items: looks.await, cut: usable.cut },
            nowhere: Bounded::keep(nowhere.into_iter().filter(missed), ENDPOINTS),
            unusable: Bounded::keep(unusable.iter().map(|one| shown_text(&one.url)), ENDPOINTS),
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let mut ups: Vec<(&str, Option<bool>)> = Vec::new();
        for look in &evidence.looks.items {
            let earlier = look.same_as.as_deref();
            let up = match earlier {
                Some(name) => ups.iter().find(|(known, _)| *known == name).and_then(|(_, up)| *up),
                None => judge::judge(look, cx, &mut out),
            };
            ups.push((&look.name, up));
            if let Some(up) = up {
                out.measure(UP.value(Some(&look.name), if up { 1.0 } else { 0.0 }));
            }
        }
        judge::error_rates(&ups, cx, &mut out);
        for host in &evidence.nowhere.items {
            judge::nowhere(host, &mut out);
        }
        out.unless_seen(ups.iter().any(|(_, up)| up.is_some()));
        for url in &evidence.unusable.items {
            out.not_checked(
                Unseen::Blocks,
                format!("endpoint {url:?}"),
                "it is no web address",
                "write the full URL of the endpoint, beginning with https://",
            );
        }
        let more = evidence.looks.cut + evidence.nowhere.cut + evidence.unusable.cut;
        if more > 0 {
            out.not_checked(
                Unseen::Condition,
                format!("{more} more endpoints"),
                format!("one run asks {ENDPOINTS} endpoints"),
                "declare the other endpoints in a project of their own",
            );
        }
        out
    }
}

/// An undeclared `www` may be missing.
fn missed(host: &HostLook) -> bool {
    host.declared || host.look.agent_fault().is_some()
}

/// The site, with the hosts of declared endpoints as its own.
fn site_of(target: &Target, endpoints: &[Endpoint]) -> Site {
    let mut target = target.clone();
    for url in endpoints.iter().filter_map(Endpoint::address) {
        target.hosts.extend(url.host_str().map(str::to_owned));
    }
    Site::of(&target)
}

/// The most characters of an endpoint's name.
const NAME_CHARS: usize = 60;

/// A name for each endpoint: its own or its URL, and both where another has the same.
fn names(endpoints: &[Endpoint]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for endpoint in endpoints {
        let url = shown_text(&endpoint.url);
        let own: String = endpoint.name.chars().take(NAME_CHARS).collect();
        let name = if own.is_empty() { url.clone() } else { own };
        let name = if names.contains(&name) { format!("{name} {url}") } else { name };
        names.push(name);
    }
    names
}
