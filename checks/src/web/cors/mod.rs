//! `web-cors`: see `cors.md`.

mod ask;
mod judge;

use std::time::Duration;

use futures_util::future::join_all;
use futures_util::join;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use self::ask::Subject;
use super::site::Site;
use super::visit::{Visit, follow, home};
use super::walk::{End, shown_text};
use crate::contract::{
    Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, FindingSpec, LookCx,
    Schedule, Target, Unseen, Vantage,
};
use crate::probe::Probes;

const WITH_CREDENTIALS: FindingSpec = FindingSpec::critical(
    "cors-credentials-to-strangers",
    "Any site may read answers in the name of a signed-in customer",
    "A customer who is signed in and opens a hostile page hands it everything that this address \
     answers: orders, addresses, tokens.",
);
const WILDCARD_CREDENTIALS: FindingSpec = FindingSpec::warning(
    "cors-wildcard-with-credentials",
    "The answer allows every site and credentials at once",
    "Browsers refuse the combination, so signed-in requests from the product's own pages fail; the \
     usual quick repair opens the address to every site.",
);
const REFLECTED: FindingSpec = FindingSpec::warning(
    "cors-origin-reflected",
    "The answer allows whatever site asks",
    "Any page may read what this address answers to its visitor, and once credentials are switched \
     on it may do so in the customer's name.",
);
const PRIVATE_WILDCARD: FindingSpec = FindingSpec::warning(
    "cors-wildcard-on-private",
    "A function or private API may be called from every site",
    "Any page can use the function with its visitors' browsers: the bill for the AI call or the mail \
     is yours, and a leaked token works from everywhere.",
);
const VENDOR: FindingSpec = FindingSpec::info(
    "cors-open-at-vendor",
    "An address that the vendor runs may be called from every site",
    "That is how the vendor ships it: what protects the data is row-level security, and not the \
     origin.",
);

/// The most Edge Functions that one run asks.
const FUNCTIONS: usize = 8;

/// Which other sites may read the answers of the site, its APIs and its functions.
#[derive(Debug)]
pub struct Cors;

/// `web-cors` has no options.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

/// What each address answered to strangers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    subjects: Bounded<Subject>,
    /// Hosts whose root leads to no page of theirs.
    unread: Vec<(String, End)>,
}

impl Check for Cors {
    const META: CheckMeta = CheckMeta {
        id: "web-cors",
        area: Area::Web,
        title: "Cross-origin access",
        vantage: Vantage::Outside,
        findings: &[WITH_CREDENTIALS, WILDCARD_CREDENTIALS, REFLECTED, PRIVATE_WILDCARD, VENDOR],
        measurements: &[],
        default_schedule: Schedule::Every(Duration::from_hours(1)),
        min_interval: Duration::from_mins(1),
        timeout: Duration::from_secs(30),
        needs: &[],
        evidence_version: 1,
        doc: include_str!("../cors.md"),
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
        let visits = site.others.iter().map(async |host| {
            (host.clone(), follow(http, &site, &format!("https://{host}/")).await)
        });
        let functions = Bounded::keep(&target.web.functions, FUNCTIONS);
        let asked = functions
            .items
            .iter()
            .map(async |url| ask::subject(http, target, url.as_str(), true).await);
        let pages = async {
            let (home, others) = join!(home(http, &site), join_all(visits));
            let (urls, unread) = addresses(&site, &home, &others);
            let pages = urls.iter().map(async |url| ask::subject(http, target, url, false).await);
            (join_all(pages).await, unread)
        };
        let ((mut subjects, unread), functions_seen) = join!(pages, join_all(asked));
        subjects.extend(functions_seen);
        let subjects = Bounded { items: subjects, cut: functions.cut };
        Ok((Evidence { subjects, unread }, ()))
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        for subject in &evidence.subjects.items {
            judge::judge(subject, cx.target, &mut out);
        }
        for (host, end) in &evidence.unread {
            if let Some((reason, unlock)) = end.unread() {
                out.not_checked(
                    Unseen::Condition,
                    format!("cross-origin access to {host}"),
                    reason,
                    unlock,
                );
            }
        }
        let said = |subject: &Subject| subject.said.iter().any(|said| said.ok().is_some());
        out.unless_seen(evidence.subjects.items.iter().any(said));
        if evidence.subjects.cut > 0 {
            out.not_checked(
                Unseen::Condition,
                format!("{} more functions", evidence.subjects.cut),
                format!("one run asks the first {FUNCTIONS}"),
                "split them over several projects with the same domain",
            );
        }
        Site::of(cx.target).note_cut(&mut out);
        out
    }
}

/// The addresses to ask, one per host, and the hosts that gave none. An API may answer 401 or 404
/// at its root and is asked all the same.
fn addresses(
    site: &Site,
    home: &Visit,
    others: &[(String, Visit)],
) -> (Vec<String>, Vec<(String, End)>) {
    let mut urls: Vec<(String, String)> = Vec::new();
    let mut unread = Vec::new();
    let visits = [(site.apex.clone(), home)].into_iter();
    for (host, visit) in visits.chain(others.iter().map(|(host, visit)| (host.clone(), visit))) {
        match visit.page().filter(|answer| answer.status < 500) {
            Some(answer) => {
                let host =
                    Url::parse(&answer.url).ok().and_then(|url| Some(url.host_str()?.to_owned()));
                let host = host.unwrap_or_default();
                if !urls.iter().any(|(known, _)| *known == host) {
                    urls.push((host, answer.url.clone()));
                }
            }
            None => unread.push((host, visit.walk.end.clone())),
        }
    }
    (urls.into_iter().map(|(_, url)| url).collect(), unread)
}

/// The address as it may stand in a finding.
fn name_of(url: &str) -> String {
    shown_text(url)
}
