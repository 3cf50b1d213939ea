//! Which edge network answers for each host.

use futures_util::future::join_all;
use url::Url;

use super::{Host, Recognised};
use crate::contract::{Bounded, Target};
use crate::document::Document;
use crate::probe::{AddressLook, Dns, HostLook, Http, HttpAnswer, look_up_hosts};
use crate::vendor::{Platform, by_address, by_alias, by_headers, is_below};
use crate::web::site::Site;
use crate::web::visit::{Visit, challenge, follow};
use crate::web::walk::End;

/// The most hosts that one run asks.
pub(super) const HOSTS: usize = 10;
/// The most addresses of a host that are kept.
const ADDRESSES: usize = 4;
/// Platforms that pass requests on to a server of the project's own; the others are that server.
const FRONTS: [&str; 9] = [
    "Cloudflare",
    "Fastly",
    "CloudFront",
    "Bunny",
    "Akamai",
    "Azure Front Door",
    "KeyCDN",
    "Imperva",
    "Sucuri",
];

/// A host with its answers.
pub(super) struct Visited {
    pub(super) facts: Host,
    pub(super) look: Option<AddressLook>,
    /// Its own page, as the edge shows it.
    pub(super) page: Option<HttpAnswer>,
    /// The edge asks for a sign-in before it shows anything.
    pub(super) asks_sign_in: bool,
}

pub(super) async fn hosts(
    http: &dyn Http,
    dns: &dyn Dns,
    site: &Site,
    target: &Target,
) -> Vec<Visited> {
    let looks = look_up_hosts(target, dns).await;
    let visits = looks.into_iter().take(HOSTS).map(async |look| {
        let url = format!("https://{}/", look.name);
        let visit = if look.is_there() { Some(follow(http, site, &url).await) } else { None };
        host(look, visit.as_ref())
    });
    join_all(visits).await
}

fn host(look: HostLook, visit: Option<&Visit>) -> Visited {
    let addresses = look.look.ok().map(|look| look.addresses.clone()).unwrap_or_default();
    let alias = look.look.ok().and_then(|look| look.aliases.last().cloned());
    let first = visit.and_then(|visit| visit.answers.first());
    let edge = recognise(first, look.look.ok());
    let is_here =
        |url: &str| Url::parse(url).is_ok_and(|url| url.host_str() == Some(look.name.as_str()));
    let page = visit.and_then(Visit::good_page).filter(|page| is_here(&page.url)).cloned();
    let end = visit.map(|visit| visit.walk.end.clone());
    let asks_sign_in = match &end {
        Some(End::Page { url, status: 401 }) => is_here(url),
        Some(End::OffSite { url }) => Url::parse(url)
            .is_ok_and(|url| url.host_str().is_some_and(|h| is_below(h, "cloudflareaccess.com"))),
        _ => false,
    };
    let moved = visit.is_some_and(|visit| {
        !visit.walk.hops.is_empty() && !is_here(visit.walk.end.url()) && !asks_sign_in
    });
    Visited {
        facts: Host {
            declared: look.declared,
            addresses: Bounded::keep(addresses, ADDRESSES),
            alias,
            end,
            dns_fault: look.look.agent_fault().cloned(),
            moved,
            edge,
            comparable: page.is_some() || asks_sign_in,
            name: look.name,
        },
        look: look.look.ok().cloned(),
        page,
        asks_sign_in,
    }
}

/// Recognises an edge by the headers of an answer, else by alias, else by address.
fn recognise(answer: Option<&HttpAnswer>, look: Option<&AddressLook>) -> Option<Recognised> {
    let found = |platform: &Platform, sign: String| Recognised {
        name: platform.name.to_owned(),
        sign,
        fronts: FRONTS.contains(&platform.name),
    };
    let edge = |platform: &&Platform| platform.is_edge;
    if let Some(answer) = answer {
        if let Some(platform) = by_headers(&answer.headers).filter(edge) {
            let mut names = platform.headers.iter().map(|(name, _)| *name);
            let sign = names.find(|name| answer.header(name).is_some());
            return Some(found(platform, format!("the header {}", sign.unwrap_or("server"))));
        }
        // A challenge is the edge's own answer, whatever else it says.
        if challenge(answer).is_some() && answer.header("x-amzn-waf-action").is_some() {
            let sign = "the header x-amzn-waf-action".to_owned();
            return Some(Recognised { name: "AWS WAF".to_owned(), sign, fronts: true });
        }
    }
    let look = look?;
    let by_name = look.aliases.iter().find_map(|alias| {
        by_alias(alias).filter(edge).map(|platform| found(platform, format!("the alias {alias}")))
    });
    let by_range = || {
        look.addresses.iter().find_map(|address| {
            by_address(*address)
                .filter(edge)
                .map(|platform| found(platform, format!("the address {address}")))
        })
    };
    by_name.or_else(by_range)
}

/// The title of a page, as far as it says which page it is.
pub(super) fn telling_title(answer: &HttpAnswer) -> Option<String> {
    /// Titles that many servers share.
    const COMMON: [&str; 12] = [
        "index of",
        "welcome to nginx",
        "apache2",
        "404",
        "403",
        "not found",
        "forbidden",
        "error",
        "default",
        "just a moment",
        "coming soon",
        "it works",
    ];
    let document = Document::parse(&answer.text());
    let title = document.title()?.split_whitespace().collect::<Vec<_>>().join(" ");
    let lower = title.to_lowercase();
    let telling = title.chars().count() >= 5 && !COMMON.iter().any(|word| lower.contains(word));
    telling.then(|| title.chars().take(120).collect())
}
