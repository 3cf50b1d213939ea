//! Servers that show an edge's page at an address beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use futures_util::future::join_all;
use futures_util::join;
use sha2::{Digest as _, Sha256};

use super::Origin;
use super::look::{Visited, telling_title};
use crate::contract::Bounded;
use crate::document::Document;
use crate::probe::{
    AddressLook, AgentFault, Dns, Http, HttpAnswer, HttpRequest, ProbeError, Trust, addresses,
};
use crate::vendor::{by_address, by_alias, by_headers};
use crate::web::headers::is_html;
use crate::web::site::Site;
use crate::web::visit::challenge;
use crate::web::walk::{shown_error, shown_text};

/// Labels that hosting panels and founders give to the server itself.
const LABELS: [&str; 16] = [
    "origin",
    "direct",
    "ftp",
    "cpanel",
    "mail",
    "webmail",
    "server",
    "host",
    "vps",
    "old",
    "backend",
    "ssh",
    "whm",
    "plesk",
    "origin-www",
    "web",
];
/// The most labels from the config.
const MORE: usize = 20;
/// The most addresses beside the edge that are asked.
pub(super) const ADDRESSES: usize = 6;
/// The most hosts that are asked for at each address.
pub(super) const HOSTS: usize = 4;
/// A body of fewer bytes says too little to prove that two pages are the same.
const TELLING_BYTES: usize = 64;
/// A server that does not answer this soon is not asked any longer.
const WITHIN_MS: u64 = 4000;

/// The most names that no resolver answered of which evidence keeps the fault.
const UNSEEN: usize = 4;

type Siblings = Vec<(String, AddressLook)>;

pub(super) fn names(site: &Site, more: &[String]) -> Vec<String> {
    let sound = |label: &&String| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    let more = more.iter().filter(sound).take(MORE).map(|label| label.to_ascii_lowercase());
    let labels = LABELS.iter().map(|label| (*label).to_owned()).chain(more);
    labels.map(|label| format!("{label}.{}", site.apex)).collect()
}

/// Looks the names up; also says which of them no resolver answered.
pub(super) async fn look_up(
    dns: &dyn Dns,
    names: Vec<String>,
) -> (Siblings, Bounded<(String, AgentFault)>) {
    let looks = names.into_iter().map(async |name| {
        let look = addresses(dns, &name).await;
        (name, look)
    });
    let (mut found, mut unseen) = (Vec::new(), Vec::new());
    for (name, look) in join_all(looks).await {
        match look {
            Ok(look) => found.push((name, look)),
            Err(ProbeError::Agent(fault)) => unseen.push((name, fault)),
            // A name whose servers fail shows nobody an address.
            Err(ProbeError::Target(_)) => {}
        }
    }
    (found, Bounded::keep(unseen, UNSEEN))
}

/// What the search for servers found.
pub(super) struct Search {
    pub(super) origins: Vec<Origin>,
    /// Addresses that could not be asked.
    pub(super) unasked: Vec<(IpAddr, AgentFault)>,
    /// Addresses beyond the most that one run asks.
    pub(super) more_addresses: Vec<IpAddr>,
    /// Hosts behind an edge beyond the most that one run asks for.
    pub(super) more_hosts: Vec<String>,
}

/// Asks every address beside the edge for the pages behind it.
pub(super) async fn find(http: &dyn Http, hosts: &[Visited], siblings: &Siblings) -> Search {
    let fronted: Vec<&Visited> = hosts
        .iter()
        .filter(|host| host.facts.edge.as_ref().is_some_and(|edge| edge.fronts))
        .collect();
    let mut behind: Vec<&Visited> =
        fronted.iter().copied().filter(|host| host.facts.comparable).collect();
    let more_hosts = behind.split_off(behind.len().min(HOSTS));
    let open = hosts.iter().filter(|host| host.facts.edge.is_none());
    let open = open.filter_map(|host| Some((host.facts.name.as_str(), host.look.as_ref()?)));
    let stray: Vec<IpAddr> = fronted.iter().flat_map(|host| strays(host)).collect();
    let mixed = fronted.iter().filter(|host| !strays(host).is_empty());
    let mixed = mixed.filter_map(|host| Some((host.facts.name.as_str(), host.look.as_ref()?)));
    let all = siblings.iter().map(|(name, look)| (name.as_str(), look)).chain(open).chain(mixed);
    let mut beside: BTreeMap<IpAddr, Vec<String>> = BTreeMap::new();
    let mut more_addresses = BTreeSet::new();
    for (name, look) in all.filter(|(_, look)| !look.aliases.iter().any(|a| by_alias(a).is_some()))
    {
        for address in &look.addresses {
            let edges = |host: &Visited| {
                host.look.as_ref().is_some_and(|look| look.addresses.contains(address))
            };
            let edges = !stray.contains(address) && fronted.iter().any(|host| edges(host));
            let known = by_address(*address).is_some() || edges;
            if known {
                continue;
            }
            if beside.len() < ADDRESSES || beside.contains_key(address) {
                beside.entry(*address).or_default().push(name.to_owned());
            } else {
                more_addresses.insert(*address);
            }
        }
    }
    let pairs = beside.iter().flat_map(|pair| behind.iter().map(move |host| (pair, *host)));
    let asked = join_all(
        pairs.map(async |((address, names), host)| compare(http, host, *address, names).await),
    );
    let (mut origins, mut unasked) = (Vec::new(), Vec::new());
    for one in asked.await {
        match one {
            Ok(origin) => origins.extend(origin),
            Err(fault) => unasked.push(fault),
        }
    }
    let nothing_to_ask = behind.is_empty() || beside.is_empty();
    Search {
        origins,
        unasked,
        // Without a page behind an edge, no address is a way around it, and the other way round.
        more_addresses: if nothing_to_ask {
            Vec::new()
        } else {
            more_addresses.into_iter().collect()
        },
        more_hosts: if nothing_to_ask {
            Vec::new()
        } else {
            more_hosts.iter().map(|host| host.facts.name.clone()).collect()
        },
    }
}

async fn compare(
    http: &dyn Http,
    host: &Visited,
    address: IpAddr,
    names: &[String],
) -> Result<Option<Origin>, (IpAddr, AgentFault)> {
    let name = names.first().cloned().unwrap_or_default();
    let url = match &host.page {
        Some(page) => page.url.clone(),
        None => format!("https://{}/", host.facts.name),
    };
    let request = |url: &str| HttpRequest::get(url).at(address).within_ms(WITHIN_MS);
    let own_url = format!("https://{name}/");
    let (around, own) = join!(http.send(request(&url)), http.send(request(&own_url)));
    let around = around.map_err(shown_error);
    let origin = |url: String, around: bool, proof: String| Origin {
        host: host.facts.name.clone(),
        url: shown_text(&url),
        address,
        names: Bounded::keep(names.iter().cloned(), 4),
        around,
        proof,
        skips_sign_in: around && host.asks_sign_in,
    };
    if let Err(ProbeError::Agent(fault)) = around {
        return Err((address, fault));
    }
    if let Ok(answer) = &around
        && let Some(proof) = proof(host, answer)
    {
        return Ok(Some(origin(url, true, proof)));
    }
    // Without a page behind the edge, the server's own name proves nothing.
    let own = own.ok().filter(|_| host.page.is_some());
    Ok(own.and_then(|answer| Some(origin(own_url, false, proof(host, &answer)?))))
}

/// What proves that an answer is the page behind the edge, or that it skips the edge's sign-in.
fn proof(host: &Visited, answer: &HttpAnswer) -> Option<String> {
    let edge = by_headers(&answer.headers).is_some_and(|platform| platform.is_edge);
    if !(200..300).contains(&answer.status) || challenge(answer).is_some() || edge {
        return None;
    }
    let Some(page) = &host.page else {
        // Nothing to compare: a certificate for the very name, which a browser trusts, and a page with
        // a title of its own are the proof. A server's start page and a sign-in form are none.
        let trusted = host.asks_sign_in && is_html(answer) && answer.trust == Some(Trust::Trusted);
        let title = telling_title(answer).filter(|_| trusted && !asks_to_sign_in(answer))?;
        return Some(format!("a valid certificate for {}, and “{title}”", host.facts.name));
    };
    let hash = |answer: &HttpAnswer| Sha256::digest(&answer.body);
    if answer.body.len() >= TELLING_BYTES && hash(answer) == hash(page) {
        return Some("the same page, to the byte".to_owned());
    }
    let (one, two) = (telling_title(page)?, telling_title(answer)?);
    (one == two).then(|| format!("the same title, “{one}”"))
}

/// Whether a page has a field for an email address or a password.
fn asks_to_sign_in(answer: &HttpAnswer) -> bool {
    let document = Document::parse(&answer.text());
    let field = |kind: &str| ["password", "email"].iter().any(|one| kind.eq_ignore_ascii_case(one));
    document.all("input").any(|input| input.attribute("type").is_some_and(field))
}

/// Addresses of a host behind Cloudflare that lie outside Cloudflare's ranges, such as an IPv6 record
/// that still leads to the server. Cloudflare alone publishes a list that is complete.
fn strays(host: &Visited) -> Vec<IpAddr> {
    let addresses = host.look.as_ref().map(|look| look.addresses.as_slice()).unwrap_or_default();
    let is_cloudflare = |address: &IpAddr| {
        by_address(*address).is_some_and(|platform| platform.name == "Cloudflare")
    };
    if !addresses.iter().any(is_cloudflare) {
        return Vec::new();
    }
    addresses.iter().filter(|address| by_address(**address).is_none()).copied().collect()
}
