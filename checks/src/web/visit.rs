//! Visits: one URL asked for, and its redirects followed one hop at a time.

use std::collections::BTreeMap;

use futures_util::join;
use url::{Host, Url};

use super::site::Site;
use super::walk::{End, Hop, Walk, shown, shown_text};
use crate::probe::{Http, HttpAnswer, HttpRequest};

/// After this many redirects a visit gives up; browsers give up after 20.
pub(super) const HOPS: usize = 10;
/// The most cookies that a visit carries from hop to hop.
const COOKIES: usize = 30;

/// A walk with its answers.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// The redirects and the end.
    pub(super) walk: Walk,
    /// Every answer, the redirects first.
    pub(super) answers: Vec<HttpAnswer>,
}

impl Visit {
    /// The answer at the end, whatever its status; `None` unless the walk ended at a page.
    pub(super) fn page(&self) -> Option<&HttpAnswer> {
        self.walk.page().and(self.answers.last())
    }

    /// The answer at the end when its status lies between 200 and 299.
    pub(super) fn good_page(&self) -> Option<&HttpAnswer> {
        self.page().filter(|answer| (200..300).contains(&answer.status))
    }
}

/// Visits the canonical home: `https://apex/`, or the `www` beside it when the apex leads to no page.
pub(super) async fn home(http: &dyn Http, site: &Site) -> Visit {
    let apex = format!("https://{}/", site.apex);
    let Some(www) = &site.www else { return follow(http, site, &apex).await };
    let www = format!("https://{www}/");
    let (apex, www) = join!(follow(http, site, &apex), follow(http, site, &www));
    if apex.page().is_some() || www.page().is_none() { apex } else { www }
}

/// Follows the redirects from one URL with shared GET requests.
///
/// A site that sets a cookie and sends the visitor once round is no loop in a browser: where a walk
/// without cookies goes round, it is walked again with them.
pub(super) async fn follow(http: &dyn Http, site: &Site, start: &str) -> Visit {
    let plain = walk(http, site, start, false, HOPS).await;
    let sets_cookie = || plain.answers.iter().any(|answer| answer.header("set-cookie").is_some());
    if matches!(plain.walk.end, End::Loop { .. } | End::TooMany { .. }) && sets_cookie() {
        return walk(http, site, start, true, HOPS).await;
    }
    plain
}

/// Asks one URL and follows nothing; a redirect ends as [`End::OffSite`], [`End::Nowhere`] or
/// [`End::TooMany`], with its one hop recorded.
pub(super) async fn glance(http: &dyn Http, site: &Site, start: &str) -> Visit {
    walk(http, site, start, false, 1).await
}

async fn walk(
    http: &dyn Http,
    site: &Site,
    start: &str,
    with_cookies: bool,
    limit: usize,
) -> Visit {
    let mut url = start.to_owned();
    let mut hops = Vec::new();
    let mut answers = Vec::new();
    let mut jar = BTreeMap::new();
    let mut visited = Vec::new();
    let end = loop {
        visited.push((url.clone(), jar.clone()));
        let mut request = HttpRequest::get(url.clone());
        if !jar.is_empty() {
            let pairs: Vec<_> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.unshared().header("cookie", pairs.join("; "));
        }
        let answer = match http.send(request).await {
            Ok(answer) => answer,
            Err(error) => break End::of_fault(&url, error),
        };
        let next = step(site, &answer);
        let status = answer.status;
        if with_cookies {
            remember(&mut jar, &answer);
        }
        answers.push(answer);
        let next = match next {
            Ok(next) => next,
            Err(end) => break end,
        };
        let to = shown(&next);
        hops.push(Hop { url: shown_text(&url), status });
        if !site.owns(&next) {
            break End::OffSite { url: to };
        }
        url = next.into();
        if visited.iter().any(|(seen, cookies)| *seen == url && *cookies == jar) {
            break End::Loop { url: to };
        }
        if hops.len() >= limit {
            break End::TooMany { url: to };
        }
    };
    Visit { walk: Walk { start: shown_text(start), hops, end }, answers }
}

/// Where an answer leads, or how it ends the walk.
fn step(site: &Site, answer: &HttpAnswer) -> Result<Url, End> {
    let url = shown_text(&answer.url);
    if let Some(sign) = challenge(answer) {
        return Err(End::Challenged { url, sign });
    }
    if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
        return Err(End::Page { url, status: answer.status });
    }
    let nowhere = || {
        let location = answer.header("location").unwrap_or_default();
        End::Nowhere { url: url.clone(), location: shown_text(location) }
    };
    let mut next = answer.header("location").and_then(|_| answer.location()).ok_or_else(nowhere)?;
    next.set_fragment(None);
    let web = matches!(next.scheme(), "http" | "https") && next.host().is_some();
    if !web || (!site.owns(&next) && is_local(&next)) {
        return Err(nowhere());
    }
    Ok(next)
}

/// What says that an edge network answered by itself instead of the site: a challenge, a block, or
/// a request to slow down. Such an answer says nothing about the site.
pub(super) fn challenge(answer: &HttpAnswer) -> Option<String> {
    // The headers that Cloudflare, Vercel and AWS WAF set on their own pages.
    for name in ["cf-mitigated", "x-vercel-mitigated", "x-amzn-waf-action"] {
        if let Some(value) = answer.header(name) {
            let value: String = value.chars().take(40).collect();
            return Some(format!("{} with {name}: {value}", answer.status));
        }
    }
    if answer.status == 429 {
        return Some("429 (too many requests)".to_owned());
    }
    marked(answer)
}

/// How much of a body is searched for the marks of a block page.
const MARK_BYTES: usize = 32 * 1024;

/// Texts of the block pages of edges that set no header of their own, with the edge's name.
const MARKS: [(&str, &str); 8] = [
    ("<title>Just a moment...", "Cloudflare"),
    ("Attention Required! | Cloudflare", "Cloudflare"),
    ("Vercel Security Checkpoint", "Vercel"),
    ("Incapsula incident ID", "Imperva"),
    ("Sucuri WebSite Firewall", "Sucuri"),
    ("errors.edgesuite.net", "Akamai"),
    ("Reference&#32;&#35;", "Akamai"),
    ("Request blocked.", "CloudFront"),
];

/// A block page, known by its text; only in the answers that edges block with.
fn marked(answer: &HttpAnswer) -> Option<String> {
    if !matches!(answer.status, 403 | 503) {
        return None;
    }
    let head = answer.body.get(..MARK_BYTES).unwrap_or(&answer.body);
    let text = String::from_utf8_lossy(head);
    let (_, edge) = MARKS.iter().find(|(mark, _)| text.contains(mark))?;
    Some(format!("{} with a block page of {edge}", answer.status))
}

/// Whether an address leads to the visitor's own machine or network.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost"
                || [".localhost", ".local", ".internal", ".lan"]
                    .iter()
                    .any(|suffix| name.ends_with(suffix))
        }
        Some(Host::Ipv4(address)) => {
            address.is_loopback()
                || address.is_private()
                || address.is_link_local()
                || address.is_unspecified()
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
        }
        None => true,
    }
}

fn remember(jar: &mut BTreeMap<String, String>, answer: &HttpAnswer) {
    for line in answer.all("set-cookie") {
        let pair = line.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if !name.is_empty() && pair.len() <= 4096 && (jar.len() < COOKIES || jar.contains_key(name))
        {
            jar.insert(name.to_owned(), value.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::contract::Target;
    use crate::probe::replay::{HttpEntry, Replay, World};

    fn redirect(from: &str, to: &str) -> HttpEntry {
        HttpEntry {
            url: from.to_owned(),
            status: Some(301),
            headers: vec![format!("location: {to}")],
            ..HttpEntry::default()
        }
    }

    async fn visit(http: Vec<HttpEntry>) -> Walk {
        let world = World { http, ..World::default() };
        let probes = Replay::new(world, Timestamp::UNIX_EPOCH).unwrap().probes();
        let target = Target { domain: "harbor.example".to_owned(), ..Target::default() };
        follow(&*probes.http, &Site::of(&target), "http://harbor.example/").await.walk
    }

    #[tokio::test]
    async fn redirects_are_followed_to_their_end() {
        let page = HttpEntry { url: "https://www.harbor.example/".into(), ..HttpEntry::default() };
        let seen = visit(vec![
            redirect("http://harbor.example/", "https://harbor.example/"),
            redirect("https://harbor.example/", "//www.harbor.example/#top"),
            page,
        ])
        .await;
        assert_eq!(seen.hops.len(), 2);
        assert_eq!(seen.page(), Some(("https://www.harbor.example/", 200)));
        assert!(seen.end.unread().is_none());
        assert!(seen.lines().len() == 3);
    }

    #[tokio::test]
    async fn loops_other_sites_and_dead_ends_end_a_walk() {
        let seen = visit(vec![redirect("http://harbor.example/", "/")]).await;
        assert!(matches!(seen.end, End::Loop { .. }), "{seen:?}");
        let seen = visit(vec![redirect("http://harbor.example/", "https://other.example/")]).await;
        assert!(matches!(seen.end, End::OffSite { .. }), "{seen:?}");
        for dead in ["http://localhost:3000/", "http://[::1]/", "https://10.0.0.7/", "harbor://x"] {
            let seen = visit(vec![redirect("http://harbor.example/", dead)]).await;
            assert!(matches!(seen.end, End::Nowhere { .. }), "{seen:?}");
        }
    }

    #[tokio::test]
    async fn a_cookie_that_lets_the_visitor_in_is_no_loop() {
        let mut once = redirect("http://harbor.example/", "http://harbor.example/");
        once.headers.push("set-cookie: visited=1; Path=/".to_owned());
        let then = HttpEntry {
            url: "http://harbor.example/".to_owned(),
            when: [("cookie".to_owned(), "visited=1".to_owned())].into(),
            ..HttpEntry::default()
        };
        let seen = visit(vec![once, then]).await;
        assert_eq!(seen.page(), Some(("http://harbor.example/", 200)));
    }
}
