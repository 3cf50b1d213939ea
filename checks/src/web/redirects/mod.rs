//! `web-redirects`: see `redirects.md`.

mod declared;
mod drift;
mod hops;
mod look;
mod matrix;

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::look::{Face, Short};
use super::site::Site;
use super::visit::follow;
use super::walk::Walk;
use crate::contract::{
    Approvable, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, Fact,
    FindingSpec, LookCx, MeasurementSpec, Schedule, Target, Unit, Vantage,
};
use crate::probe::Probes;

const NOT_SECURE: FindingSpec = FindingSpec::critical(
    "http-not-redirected",
    "The unencrypted address does not lead to https",
    "Whoever types the name or follows an old link stays on an unencrypted page: a café network can \
     read and change it, and browsers mark the shop as not secure at the moment of paying.",
)
.blocks();
const LOOP: FindingSpec = FindingSpec::critical(
    "redirect-loop",
    "The site redirects in a loop",
    "Every visitor sees the browser's error page in place of the product, and search engines drop \
     the address.",
)
.now();
const DOWNGRADE: FindingSpec = FindingSpec::critical(
    "redirect-downgrade",
    "A secure address redirects to an unencrypted one",
    "The step over http can be read and changed on the way, together with whatever the address \
     carries, such as a sign-in code.",
);
const BROKEN: FindingSpec = FindingSpec::critical(
    "redirect-broken",
    "A redirect leads nowhere",
    "Every visitor who follows it ends at an error page; a development address that was left in the \
     settings works for its developer alone.",
);
const MANY: FindingSpec = FindingSpec::warning(
    "redirect-chain",
    "Visitors are redirected more than once",
    "Each further hop costs a visitor from an advertisement up to half a second on a phone before \
     anything is shown, and some leave.",
);
const MAP_WRONG: FindingSpec = FindingSpec::critical(
    "redirect-map-wrong",
    "An entry of the redirect map does not work",
    "People who follow an old link, a printed address or a search result miss the page, and the \
     ranking that the old address had is lost.",
);
const CALLBACK: FindingSpec = FindingSpec::critical(
    "callback-redirected",
    "A webhook or sign-in callback address redirects",
    "Stripe counts a redirect as a failed delivery and never follows it, so payments are taken and \
     no order is written; a sign-in provider's answer can lose its code on the way.",
);
const TWO_HOMES: FindingSpec = FindingSpec::warning(
    "two-canonical-hosts",
    "The site answers at two names",
    "Cookies belong to one name: a customer who signs in at one is signed out at the other, and \
     search engines split the ranking between the two.",
);
const LOST: FindingSpec = FindingSpec::warning(
    "redirect-drops-path",
    "A redirect loses the path or the query",
    "Links to a product, password resets and campaign tags end at the home page: buyers do not find \
     what they clicked, and paid clicks cannot be told apart.",
);
const OFF_SITE: FindingSpec = FindingSpec::warning(
    "redirect-off-site",
    "The site leads to another domain",
    "Visitors leave the domain that is audited. Where nobody meant that, somebody else has the \
     traffic; where it is meant, the other domain is the one to audit.",
);
const TEMPORARY: FindingSpec = FindingSpec::info(
    "redirect-temporary",
    "A redirect that looks permanent says that it is temporary",
    "Search engines keep the old address in their index, and browsers ask for it anew each time.",
);
const CHANGED: FindingSpec = FindingSpec::warning(
    "redirects-changed",
    "An address leads elsewhere than approved",
    "Advertisements, search results and callbacks point at addresses that a release or a rule of the host \
     has moved.",
);
const PORT_80: FindingSpec = FindingSpec::info(
    "port-80-closed",
    "The site does not answer on port 80",
    "Old links and older browsers that try http first wait and then fail, although the site is up.",
);

const HOPS: MeasurementSpec = MeasurementSpec {
    name: "hops",
    metric: "launchready_web_redirect_hops",
    unit: Unit::Count,
    help: "The most redirects from any usual address to its page, not counting the upgrade to https.",
    label: None,
    window: Duration::ZERO,
};

/// A path that no site has, to see what a redirect keeps.
const DEEP: &str = "/launchready-redirect-probe?q=1";
/// The most rows of the redirect map that one run asks.
const ROWS: usize = 32;
/// The most redirects of all other declared hosts together that one run keeps.
const OTHER_HOPS: usize = 32;
/// The most webhook and the most sign-in addresses that one run asks.
const CALLBACKS: usize = 8;

/// The redirects of the site.
#[derive(Debug)]
pub struct Redirects;

/// Thresholds of `web-redirects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Warning above this many redirects after the upgrade to https on the same host.
    pub max_hops: usize,
    /// Critical above this many.
    pub critical_hops: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { max_hops: 1, critical_hops: 5 }
    }
}

/// The redirects from every usual and every declared address.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// From http and https, apex and www, the root and a deep path.
    walks: Vec<Walk>,
    /// The pages at the https roots that do not leave their host.
    faces: Vec<Face>,
    /// From the roots of the other declared hosts, over https and http.
    others: Vec<Walk>,
    /// Other hosts with more redirects than one run keeps.
    not_kept: BTreeSet<String>,
    /// The rows of the redirect map.
    map: Bounded<look::Row>,
    /// The webhook addresses.
    webhooks: Bounded<Short>,
    /// The sign-in callback addresses.
    sign_in: Bounded<Short>,
    /// Rows and callbacks that are paths, while no home was found to ask them at.
    homeless: usize,
}

impl Check for Redirects {
    const META: CheckMeta = CheckMeta {
        id: "web-redirects",
        area: Area::Web,
        title: "Redirects",
        vantage: Vantage::Outside,
        findings: &[
            NOT_SECURE, LOOP, DOWNGRADE, BROKEN, MANY, MAP_WRONG, CALLBACK, TWO_HOMES, LOST,
            OFF_SITE, TEMPORARY, PORT_80, CHANGED,
        ],
        measurements: &[HOPS],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(40),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../redirects.md"),
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
        let main: Vec<&str> = [site.apex.as_str()].into_iter().chain(site.www.as_deref()).collect();
        let at = |scheme: &str, path: &str| {
            main.iter().map(|host| format!("{scheme}://{host}{path}")).collect::<Vec<_>>()
        };
        let starts = [at("https", "/"), at("http", "/"), at("https", DEEP), at("http", DEEP)];
        let visits = starts.concat().into_iter().map(async |url| follow(http, &site, &url).await);
        let others =
            site.others.iter().flat_map(|host| ["https", "http"].map(|s| format!("{s}://{host}/")));
        let others = others.map(async |url| follow(http, &site, &url).await.walk);
        let (visits, others) = join!(join_all(visits), join_all(others));
        let homes: Vec<_> = visits.iter().take(main.len()).collect();
        let home = homes.iter().find_map(|visit| url::Url::parse(&visit.page()?.url).ok());
        let (map, webhooks, sign_in) = join!(
            look::rows(http, &site, home.as_ref(), &target.web.redirect_map),
            look::callbacks(http, &site, home.as_ref(), &target.web.webhook_paths),
            look::callbacks(http, &site, home.as_ref(), &target.web.oauth_paths),
        );
        let (others, not_kept) = keep(others);
        let evidence = Evidence {
            faces: look::faces(&homes),
            walks: visits.into_iter().map(|visit| visit.walk).collect(),
            others,
            not_kept,
            homeless: map.1 + webhooks.1 + sign_in.1,
            map: map.0,
            webhooks: webhooks.0,
            sign_in: sign_in.0,
        };
        Ok((evidence, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        matrix::judge(evidence, cx, &mut out);
        declared::judge(evidence, &mut out);
        if let Some(baseline) = &cx.baseline {
            drift::judge(evidence, baseline, &mut out);
        }
        let mut walks = evidence.walks.iter().chain(&evidence.others);
        out.unless_seen(walks.any(|walk| !walk.hops.is_empty() || walk.end.answered()));
        Site::of(cx.target).note_cut(&mut out);
        out
    }

    const BASELINE: Option<Approvable> =
        Some(Approvable { what: "redirects", codes: &["redirects-changed"] });

    fn facts(evidence: &Evidence) -> Vec<Fact> {
        drift::facts(evidence)
    }
}

/// The walks with at most [`OTHER_HOPS`] redirects together, and the hosts of the rest.
fn keep(walks: Vec<Walk>) -> (Vec<Walk>, BTreeSet<String>) {
    let mut left = OTHER_HOPS;
    let (mut kept, mut not_kept) = (Vec::new(), BTreeSet::new());
    for walk in walks {
        if let Some(rest) = left.checked_sub(walk.hops.len()) {
            left = rest;
            kept.push(walk);
        } else {
            not_kept.insert(matrix::host_of(&walk.start));
        }
    }
    (kept, not_kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::EVIDENCE_LIMIT_BYTES;
    use crate::probe::TargetFault;
    use crate::web::walk::{End, FAULT_CHARS, Hop};

    #[test]
    fn the_largest_evidence_fits() {
        let url = || format!("https://harbor.example/{}…", "x".repeat(97));
        let fault = || TargetFault::Tls(format!("{}…", "x".repeat(FAULT_CHARS)));
        let end = || End::NoAnswer { url: url(), fault: fault() };
        let hops = || (0..10).map(|_| Hop { url: url(), status: 301 }).collect();
        let walk = |_| Walk { start: url(), hops: hops(), end: end() };
        let short = || Short {
            asked: url(),
            first: Some((301, url())),
            hops: 10,
            end: end().cut_fault(look::SHORT_FAULT_CHARS),
        };
        let other = |at| Walk { hops: if at < 3 { hops() } else { Vec::new() }, ..walk(at) };
        let row = |_| look::Row {
            from: url(),
            to: url(),
            status: Some(301),
            reached: false,
            seen: short(),
        };
        let face = |_| Face { host: url(), title: Some("x".repeat(120)), canonical: Some(url()) };
        let evidence = Evidence {
            walks: (0..8).map(walk).collect(),
            faces: (0..2).map(face).collect(),
            others: keep((0..16).map(other).collect()).0,
            not_kept: (0..8).map(|at| format!("{at}{}", "x".repeat(80))).collect(),
            map: Bounded::keep((0..ROWS).map(row), ROWS),
            webhooks: Bounded::keep((0..CALLBACKS).map(|_| short()), CALLBACKS),
            sign_in: Bounded::keep((0..CALLBACKS).map(|_| short()), CALLBACKS),
            homeless: 0,
        };
        let bytes = serde_json::to_string(&evidence).unwrap().len();
        assert!(bytes <= EVIDENCE_LIMIT_BYTES, "{bytes}");
    }
}
