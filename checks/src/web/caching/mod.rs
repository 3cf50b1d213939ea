//! `web-caching`: see `caching.md`.

mod assets;
mod fetch;
mod judge;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use self::fetch::Fetch;
use super::recipe::Stack;
use super::site::Site;
use super::visit::{Visit, follow, home};
use super::walk::{End, shown_text};
use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, FindingSpec, LookCx, Schedule,
    Target, Unseen, Vantage,
};
use crate::document::Document;
use crate::probe::{Probes, Seen};

const SHARED_SESSION: FindingSpec = FindingSpec::critical(
    "session-shared-by-cache",
    "A cache hands the same session to every visitor",
    "The first customer's session cookie is stored with the page and given to everybody after: they \
     are all signed in as that customer.",
)
.now();
const PRIVATE_PUBLIC: FindingSpec = FindingSpec::warning(
    "private-answer-public",
    "An answer for one person may be kept for everybody",
    "A cache on the way may keep the page with one customer's data or session and show it to the \
     next one.",
);
const SHORT_LIVED: FindingSpec = FindingSpec::warning(
    "asset-short-lived",
    "Browsers fetch files again that never change",
    "Every visit asks for every script anew; on a phone that is a second or more before the page can \
     be used.",
);
const UNCOMPRESSED: FindingSpec = FindingSpec::warning(
    "compression-missing",
    "Text is sent without compression",
    "Pages and scripts travel at three to five times their size: they load slowly on a phone, and \
     the traffic is billed.",
);
const PAST_EDGE: FindingSpec = FindingSpec::warning(
    "asset-never-cached-at-edge",
    "The edge network never keeps the files that it could",
    "Every request goes on to the server behind it: visitors far away wait, and a crowd from an \
     advertisement reaches the server at once.",
);
const NO_VALIDATOR: FindingSpec = FindingSpec::info(
    "validator-missing",
    "Answers cannot be checked for changes",
    "Without ETag or Last-Modified a browser downloads the whole answer again where a few bytes \
     would have told that nothing changed.",
);

/// The most files that one run asks.
const ASSETS: usize = 6;
/// How often a file is asked before it is said that the edge never keeps it; one edge network has
/// several caches, and each has to be filled once.
const ROUNDS: usize = 3;

/// How the site's answers are cached and compressed.
#[derive(Debug)]
pub struct Caching;

/// Thresholds of `web-caching`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning when a file with a hash in its name may be kept for less than this.
    pub asset_min_age: Age,
    /// Text of more bytes than this should be compressed.
    pub compress_above_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { asset_min_age: Age::days(30), compress_above_bytes: 2048 }
    }
}

/// Two looks at each page, and some at the files of the home page.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    pages: Vec<Page>,
    /// Hosts that lead to no page.
    unread: Vec<(String, End)>,
    assets: Vec<Asset>,
}

/// A page, asked twice by clients without cookies.
#[derive(Debug, Serialize, Deserialize)]
struct Page {
    url: String,
    stack: Stack,
    /// Its path is that of a page for one person, and it is no empty shell.
    personal: bool,
    fetches: Vec<Seen<Fetch>>,
}

/// A file of the home page.
#[derive(Debug, Serialize, Deserialize)]
struct Asset {
    url: String,
    stack: Stack,
    /// Its name holds a hash of its content.
    hashed: bool,
    fetches: Vec<Seen<Fetch>>,
}

impl Check for Caching {
    const META: CheckMeta = CheckMeta {
        id: "web-caching",
        area: Area::Web,
        title: "Caching and compression",
        vantage: Vantage::Outside,
        findings: &[
            SHARED_SESSION,
            PRIVATE_PUBLIC,
            SHORT_LIVED,
            UNCOMPRESSED,
            PAST_EDGE,
            NO_VALIDATOR,
        ],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../caching.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        let site = Site::of(target);
        let http = &*probes.http;
        let others = site.others.iter().map(async |host| {
            (host.clone(), follow(http, &site, &format!("https://{host}/")).await)
        });
        let (home, others) = join!(home(http, &site), join_all(others));
        let mut answers: Vec<(Url, &Visit)> = Vec::new();
        let mut unread = Vec::new();
        let visits = [(site.apex.clone(), &home)].into_iter();
        for (host, visit) in visits.chain(others.iter().map(|(host, visit)| (host.clone(), visit)))
        {
            match visit.good_page().and_then(|answer| Url::parse(&answer.url).ok()) {
                Some(url) if answers.iter().any(|(known, _)| *known == url) => {}
                Some(url) => answers.push((url, visit)),
                None => unread.push((host, visit.walk.end.clone())),
            }
        }
        let files =
            home.good_page().map(|answer| assets::of_page(answer, &site)).unwrap_or_default();
        let pages = answers.iter().map(async |(url, visit)| page(http, look.now, url, visit).await);
        let (pages, assets) =
            join!(join_all(pages), assets::fetch_all(http, look.now, files, ROUNDS));
        Ok((Evidence { pages, unread, assets }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        judge::judge(evidence, cx.options, &mut out);
        let main = Site::of(cx.target);
        for (host, end) in &evidence.unread {
            // An API may answer 401 or 404 at its root and is healthy.
            let api = !main.is_main(host) && matches!(end, End::Page { status: ..500, .. });
            if let Some((reason, unlock)) = end.unread().filter(|_| !api) {
                out.not_checked(Unseen::Condition, format!("caching of {host}"), reason, unlock);
            }
        }
        out.unless_seen(
            evidence.pages.iter().any(|page| judge::good(&page.fetches).next().is_some()),
        );
        main.note_cut(&mut out);
        out
    }
}

async fn page(
    http: &dyn crate::probe::Http,
    now: jiff::Timestamp,
    url: &Url,
    visit: &Visit,
) -> Page {
    let (one, two) = join!(fetch::fresh(http, url.as_str()), fetch::fresh(http, url.as_str()));
    let mut values = Vec::new();
    let fetches = [one, two]
        .map(|answer| Seen::from(answer).map(|answer| Fetch::of(&answer, now, &mut values)));
    let shell =
        visit.good_page().is_none_or(|answer| Document::parse(&answer.text()).is_script_shell());
    Page {
        url: shown_text(url.as_str()),
        stack: visit.good_page().map(Stack::of).unwrap_or_default(),
        personal: !shell && fetch::is_personal(url),
        fetches: fetches.into(),
    }
}
