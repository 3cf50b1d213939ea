//! What is asked about declared addresses, and in what short form it is kept.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{CALLBACKS, ROWS};
use crate::contract::{Bounded, RedirectRule};
use crate::document::Document;
use crate::probe::{Http, HttpAnswer};
use crate::web::site::Site;
use crate::web::visit::{Visit, follow, glance};
use crate::web::walk::{End, shown};

/// The most characters of a fault that a visit in short keeps: there are many of them.
pub(super) const SHORT_FAULT_CHARS: usize = 60;

/// A visit in short: where it began, its first redirect and its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Short {
    /// The URL that was asked first.
    pub(super) asked: String,
    /// Status and target of the first redirect, if the first answer was one.
    pub(super) first: Option<(u16, String)>,
    /// How many redirects there were.
    pub(super) hops: usize,
    /// How it ended.
    pub(super) end: End,
}

impl Short {
    pub(super) fn of(visit: &Visit) -> Self {
        let walk = &visit.walk;
        Self {
            asked: walk.start.clone(),
            first: walk.steps().next().map(|step| (step.status, step.to.to_owned())),
            hops: walk.hops.len(),
            end: walk.end.clone().cut_fault(SHORT_FAULT_CHARS),
        }
    }

    /// The first answer and the end, for evidence.
    pub(super) fn lines(&self) -> Vec<String> {
        let first =
            self.first.as_ref().map(|(status, to)| format!("{} → {status} {to}", self.asked));
        // After one look at a redirect the end says nothing that the first line does not.
        let end =
            (!matches!(self.end, End::TooMany { .. }) || first.is_none()).then(|| self.end.line());
        first.into_iter().chain(end).collect()
    }
}

/// One row of the redirect map and what its address does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    /// What the map says in its first column.
    pub(super) from: String,
    /// Where it must lead, in full.
    pub(super) to: String,
    /// The status that the map demands.
    pub(super) status: Option<u16>,
    /// Whether the wanted address is passed or reached.
    pub(super) reached: bool,
    /// What was seen.
    pub(super) seen: Short,
}

/// The page at the root of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Face {
    /// The host.
    pub(super) host: String,
    /// The title of the page, at most 120 characters.
    pub(super) title: Option<String>,
    /// Where its `rel=canonical` leads.
    pub(super) canonical: Option<String>,
}

/// Asks the addresses of the redirect map; the number counts rows that need a home and have none.
pub(super) async fn rows(
    http: &dyn Http,
    site: &Site,
    home: Option<&Url>,
    rules: &[RedirectRule],
) -> (Bounded<Row>, usize) {
    let rules = Bounded::keep(rules, ROWS);
    let asked = rules.items.iter().map(async |rule| {
        let from = resolve(home, &rule.from)?;
        let to = resolve(home, &rule.to)?;
        let visit = follow(http, site, from.as_str()).await;
        // The answers hold the addresses in full, the walk only as they may be shown.
        let reached = visit
            .answers
            .iter()
            .filter(|answer| answer.is_redirect())
            .filter_map(HttpAnswer::location)
            .any(|url| same(site, &url, &to));
        Some(Row {
            from: rule.from.chars().take(120).collect(),
            to: shown(&to),
            status: rule.status,
            reached,
            seen: Short::of(&visit),
        })
    });
    let found = join_all(asked).await;
    let homeless = found.iter().filter(|row| row.is_none()).count();
    (Bounded { items: found.into_iter().flatten().collect(), cut: rules.cut }, homeless)
}

/// Looks once at each callback address; the number counts paths that need a home and have none.
pub(super) async fn callbacks(
    http: &dyn Http,
    site: &Site,
    home: Option<&Url>,
    addresses: &[String],
) -> (Bounded<Short>, usize) {
    let addresses = Bounded::keep(addresses, CALLBACKS);
    let asked = addresses.items.iter().map(async |address| {
        let url = resolve(home, address)?;
        Some(Short::of(&glance(http, site, url.as_str()).await))
    });
    let found = join_all(asked).await;
    let homeless = found.iter().filter(|short| short.is_none()).count();
    (Bounded { items: found.into_iter().flatten().collect(), cut: addresses.cut }, homeless)
}

/// A full URL as it stands, a path at the home.
fn resolve(home: Option<&Url>, address: &str) -> Option<Url> {
    let web = |url: &Url| matches!(url.scheme(), "http" | "https");
    let url = Url::parse(address).ok().or_else(|| home?.join(address).ok())?;
    web(&url).then_some(url)
}

/// Whether a URL is the wanted one: the query counts only where the wanted one has one, the scheme
/// and a slash at the end do not, and apex and `www` are one site.
fn same(site: &Site, url: &Url, wanted: &Url) -> bool {
    let host = |url: &Url| {
        let host = url.host_str().unwrap_or_default().to_owned();
        if site.is_main(&host) { site.apex.clone() } else { host }
    };
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    host(url) == host(wanted)
        && path(url) == path(wanted)
        && (wanted.query().is_none() || url.query() == wanted.query())
}

/// The pages at the https roots that answer at their own host.
pub(super) fn faces(homes: &[&Visit]) -> Vec<Face> {
    let face = |visit: &&Visit| {
        let answer = visit.good_page()?;
        let end = Url::parse(&answer.url).ok()?;
        let start = Url::parse(&visit.walk.start).ok()?;
        let host = end.host_str().filter(|host| Some(*host) == start.host_str())?;
        let document = Document::parse(&answer.text());
        let canonical = document
            .all("link")
            .find(|link| link.has_word("rel", "canonical"))
            .and_then(|link| end.join(link.attribute("href")?).ok());
        Some(Face {
            host: host.to_owned(),
            title: document.title().map(|title| title.chars().take(120).collect()),
            canonical: canonical.as_ref().map(shown),
        })
    };
    homes.iter().filter_map(face).collect()
}
