//! `web-headers`: see `headers.md`.

mod drift;
mod judge;
mod policy;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use self::policy::Policy;
use super::cookie::{self, Cookie};
use super::recipe::Stack;
use super::site::Site;
use super::visit::{Visit, follow, home};
use super::walk::{End, shown_text};
use crate::contract::{
    Age, Approvable, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Fact, FindingSpec,
    LookCx, Schedule, Target, Unseen, Vantage,
};
use crate::document::Document;
use crate::probe::{HttpAnswer, Probes};

const NO_HSTS: FindingSpec = FindingSpec::warning(
    "hsts-missing",
    "Browsers are not told to use https only",
    "On a network that somebody else controls, the first request of a returning customer can be kept \
     on http and read, sign-in included.",
);
const SHORT_HSTS: FindingSpec = FindingSpec::warning(
    "hsts-short",
    "Browsers forget too soon to use https only",
    "A customer who comes back after that time is as open to a hostile network as on the first visit.",
);
const PRELOAD: FindingSpec = FindingSpec::warning(
    "hsts-preload-unready",
    "The site asks to be built into browsers without meeting the conditions",
    "Anybody can submit a domain that asks for it, and once it is in, every host below that has no \
     https is out of reach for months.",
);
const NO_CSP: FindingSpec = FindingSpec::warning(
    "csp-missing",
    "No Content-Security-Policy",
    "One injected script, from a comment field or a hacked npm package, can read what customers type \
     at the checkout, and nothing in the browser stops it.",
);
const OPEN_CSP: FindingSpec = FindingSpec::info(
    "csp-scripts-unlimited",
    "The Content-Security-Policy lets scripts in from anywhere",
    "The policy is there, and an injected script still runs.",
);
const INLINE: FindingSpec = FindingSpec::info(
    "csp-unsafe-inline",
    "The Content-Security-Policy lets scripts inside the page run",
    "A script that somebody manages to write into a page runs like the product's own.",
);
const FRAMING: FindingSpec = FindingSpec::warning(
    "framing-allowed",
    "Any site may show the pages in a frame",
    "A hostile page can lay the shop invisibly under its own buttons, so that a signed-in customer \
     pays or changes an address without knowing.",
);
const NO_NOSNIFF: FindingSpec = FindingSpec::warning(
    "nosniff-missing",
    "Browsers may guess the type of a file",
    "A file that a customer uploaded as a picture can be run as a script.",
);
const NO_REFERRER: FindingSpec = FindingSpec::info(
    "referrer-policy-missing",
    "No Referrer-Policy",
    "Older browsers tell every linked site the full address of the page, which may hold an order \
     number or a token.",
);
const BANNER: FindingSpec = FindingSpec::info(
    "version-banner",
    "Answers name the version of the server software",
    "Whoever looks for servers with a known hole finds this one in a list.",
);
const INSECURE: FindingSpec = FindingSpec::critical(
    "session-cookie-insecure",
    "A session cookie may travel unencrypted",
    "One request over http, such as an old link on a café network, hands the session to whoever \
     listens, who is then signed in as the customer.",
);
const READABLE: FindingSpec = FindingSpec::warning(
    "session-cookie-readable",
    "Scripts can read a session cookie",
    "One injected script sends every visitor's session away, and its owner is signed in as them.",
);
const NO_SAME_SITE: FindingSpec = FindingSpec::info(
    "cookie-samesite-missing",
    "A session cookie does not say which sites may use it",
    "Browsers differ in what they take for the default, so sign-in and payment returns work in one \
     and not in the other.",
);

const CHANGED: FindingSpec = FindingSpec::warning(
    "headers-changed",
    "The security headers of a host differ from the approved ones",
    "A release or a setting of the host has changed what protects visitors, and no page shows it.",
);

/// The headers and cookies of the site's pages.
#[derive(Debug)]
pub struct Headers;

/// Thresholds of `web-headers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning when browsers are told to use https only for less than this.
    pub hsts_min_age: Age,
}

impl Default for Options {
    fn default() -> Self {
        Self { hsts_min_age: Age::days(180) }
    }
}

/// The pages of the home and of the declared hosts.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    looks: Vec<Look>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Look {
    /// The host that was asked first.
    host: String,
    /// How the visit ended.
    end: End,
    /// The page, where the end is one with HTML.
    page: Option<Page>,
    /// The type of the content at the end.
    content_type: String,
}

/// The most cookies of one page that are kept.
const COOKIES: usize = 12;
/// The most characters of one header that are kept.
const VALUE_CHARS: usize = 160;

/// What the headers of one page say.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    url: String,
    stack: Stack,
    /// Over http nothing of HSTS counts.
    https: bool,
    /// The first Strict-Transport-Security header; browsers read no other.
    hsts: Option<String>,
    policies: Vec<Policy>,
    /// There is a policy that only reports.
    report_only: bool,
    frame_options: Option<String>,
    content_type_options: Option<String>,
    referrer_policy: Option<String>,
    /// Headers that name software with a version.
    banners: Vec<(String, String)>,
    cookies: Vec<Cookie>,
}

impl Check for Headers {
    const META: CheckMeta = CheckMeta {
        id: "web-headers",
        area: Area::Web,
        title: "Security headers and cookies",
        vantage: Vantage::Outside,
        findings: &[
            NO_HSTS,
            SHORT_HSTS,
            PRELOAD,
            NO_CSP,
            OPEN_CSP,
            INLINE,
            FRAMING,
            NO_NOSNIFF,
            NO_REFERRER,
            BANNER,
            INSECURE,
            READABLE,
            NO_SAME_SITE,
            CHANGED,
        ],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../headers.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let site = Site::of(target);
        let http = &*probes.http;
        let others = site.others.iter().map(async |host| {
            (host.clone(), follow(http, &site, &format!("https://{host}/")).await)
        });
        let (home, others) = join!(home(http, &site), join_all(others));
        let mut looks = vec![look(site.apex.clone(), &home)];
        for (host, visit) in others {
            let look = look(host, &visit);
            let known = |page: &Page| {
                looks
                    .iter()
                    .filter_map(|other| other.page.as_ref())
                    .any(|other| same_host(other, page))
            };
            if !look.page.as_ref().is_some_and(known) {
                looks.push(look);
            }
        }
        Ok((Evidence { looks }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for (index, look) in evidence.looks.iter().enumerate() {
            match &look.page {
                Some(page) => judge::judge(page, cx.options.hsts_min_age, &mut out),
                None => unread(look, index == 0, &mut out),
            }
        }
        if let Some(baseline) = &cx.baseline {
            drift::judge(evidence, baseline, &mut out);
        }
        out.unless_seen(evidence.looks.iter().any(|look| look.page.is_some()));
        Site::of(cx.target).note_cut(&mut out);
        out
    }

    const BASELINE: Option<Approvable> =
        Some(Approvable { what: "security headers", codes: &["headers-changed"] });

    fn facts(evidence: &Evidence) -> Vec<Fact> {
        drift::facts(evidence)
    }
}

fn same_host(one: &Page, two: &Page) -> bool {
    let host = |page: &Page| Url::parse(&page.url).ok()?.host_str().map(str::to_owned);
    host(one) == host(two)
}

fn unread(look: &Look, is_home: bool, out: &mut Assessment) {
    let (reason, unlock) = match look.end.unread() {
        Some(reason) => reason,
        None if is_home => (
            format!("{} answers {} and no HTML", look.end.url(), look.content_type),
            "declare the hosts that show pages under hosts in the config".to_owned(),
        ),
        // An API has no page, and its CORS is judged by web-cors.
        None => return,
    };
    // An API may answer 401 or 404 at its root and is healthy.
    if !is_home && matches!(look.end, End::Page { status: ..500, .. }) {
        return;
    }
    out.not_checked(Unseen::Condition, format!("headers of {}", look.host), reason, unlock);
}

fn look(host: String, visit: &Visit) -> Look {
    let answer = visit.good_page();
    let content_type = answer.and_then(|answer| answer.header("content-type")).unwrap_or("no type");
    Look {
        host,
        end: visit.walk.end.clone(),
        content_type: content_type.chars().take(60).collect(),
        page: answer.filter(|answer| is_html(answer)).map(|answer| page(answer, visit)),
    }
}

/// Whether an answer is a page: by its type, or without one by how it begins.
pub(super) fn is_html(answer: &HttpAnswer) -> bool {
    match answer.header("content-type") {
        Some(kind) => {
            let kind = kind.to_ascii_lowercase();
            kind.contains("text/html") || kind.contains("application/xhtml")
        }
        None => answer.body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<'),
    }
}

fn page(answer: &HttpAnswer, visit: &Visit) -> Page {
    let document = Document::parse(&answer.text());
    let header = |name: &str| {
        answer.header(name).map(|value| value.chars().take(VALUE_CHARS).collect::<String>())
    };
    let mut cookies: Vec<Cookie> = Vec::new();
    let secure = visit.answers.iter().filter(|answer| answer.url.starts_with("https:"));
    for line in secure.flat_map(|answer| answer.all("set-cookie")) {
        if let Some((cookie, _)) = cookie::read(line)
            && cookies.len() < COOKIES
            && cookie.purpose != cookie::Purpose::Other
            && !cookies.iter().any(|other| other.name == cookie.name)
        {
            cookies.push(cookie);
        }
    }
    Page {
        url: shown_text(&answer.url),
        stack: Stack::of(answer),
        https: answer.url.starts_with("https:"),
        hsts: header("strict-transport-security"),
        policies: policy::policies(answer, &document),
        report_only: answer.header("content-security-policy-report-only").is_some(),
        frame_options: header("x-frame-options"),
        content_type_options: header("x-content-type-options"),
        referrer_policy: header("referrer-policy")
            .or_else(|| document.meta("referrer").map(|value| value.chars().take(60).collect())),
        banners: banners(answer),
        cookies,
    }
}

/// The headers that name software with a version number.
fn banners(answer: &HttpAnswer) -> Vec<(String, String)> {
    let names =
        ["server", "x-powered-by", "x-generator", "x-aspnet-version", "x-aspnetmvc-version"];
    let versioned = |name: &str| {
        let value = answer.header(name)?;
        // A number after a slash or with a point in it: `PHP/8.1.2`, `nginx/1.25`, `4.0.30319`.
        let bytes = value.as_bytes();
        let number = bytes.windows(2).any(|pair| matches!(pair, [b'/', b'0'..=b'9']))
            || bytes.windows(3).any(|three| matches!(three, [b'0'..=b'9', b'.', b'0'..=b'9']));
        number.then(|| (name.to_owned(), value.chars().take(80).collect()))
    };
    names.into_iter().filter_map(versioned).collect()
}
