//! What is kept of one page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::legal::Kind;
use super::traces;
use crate::contract::Bounded;
use crate::document::{Document, Element};
use crate::probe::HttpAnswer;
use crate::web::recipe::Stack;
use crate::web::walk::{shown, shown_text};

/// The most lines of one kind that are kept of a page.
const LINES: usize = 3;
/// The most insecure addresses of one kind that are looked for in one page.
pub(super) const INSECURE: usize = 500;
/// The most characters of a title or header that are kept.
const TEXT_CHARS: usize = 120;

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    pub(super) url: String,
    pub(super) stack: Stack,
    /// An empty frame that JavaScript fills.
    pub(super) shell: bool,
    pub(super) title: Option<String>,
    /// Where the canonical links lead.
    pub(super) canonical: Bounded<String>,
    /// The elements and headers that keep search engines away.
    pub(super) noindex: Bounded<String>,
    pub(super) test_keys: Bounded<String>,
    pub(super) localhost: Bounded<String>,
    /// What the browser refuses to load from http.
    pub(super) active: Bounded<String>,
    /// What the browser loads from http with a warning, or upgrades.
    pub(super) passive: Bounded<String>,
    /// The legal subjects that the page names.
    pub(super) mentions: Vec<Kind>,
}

impl Facts {
    /// Reads a page.
    pub(super) fn of(answer: &HttpAnswer, document: &Document, is_home: bool) -> Self {
        let (active, passive) = mixed_content(answer, document);
        let text = answer.text().to_lowercase();
        Self {
            url: shown_text(&answer.url),
            stack: Stack::of(answer),
            shell: document.is_script_shell(),
            title: document.title().map(cut),
            canonical: Bounded::keep(canonical(answer, document), LINES),
            noindex: Bounded::keep(noindex(answer, document), LINES),
            test_keys: Bounded::keep(traces::test_keys(document), LINES),
            localhost: Bounded::keep(traces::local_addresses(document, is_home), LINES),
            active,
            passive,
            mentions: Kind::ALL.into_iter().filter(|kind| kind.is_named_in(&text)).collect(),
        }
    }
}

fn cut(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TEXT_CHARS).collect()
}

/// The address against which a page resolves its links.
pub(super) fn base(answer: &HttpAnswer, document: &Document) -> Option<Url> {
    let url = Url::parse(&answer.url).ok()?;
    let base = document.all("base").find_map(|base| base.attribute("href"));
    Some(base.and_then(|base| url.join(base).ok()).unwrap_or(url))
}

/// The web addresses that the links of a page lead to, without fragments, each once.
pub(super) fn links(answer: &HttpAnswer, document: &Document) -> Vec<Url> {
    let Some(base) = base(answer, document) else { return Vec::new() };
    let mut links: Vec<Url> = Vec::new();
    for element in document.elements.iter().filter(|e| matches!(e.name.as_str(), "a" | "area")) {
        let Some(mut url) = element.attribute("href").and_then(|href| base.join(href).ok()) else {
            continue;
        };
        url.set_fragment(None);
        if matches!(url.scheme(), "http" | "https") && links.len() < 400 && !links.contains(&url) {
            links.push(url);
        }
    }
    links
}

fn canonical(answer: &HttpAnswer, document: &Document) -> Vec<String> {
    let Some(base) = base(answer, document) else { return Vec::new() };
    let elements = document.all("link").filter(|link| link.has_word("rel", "canonical"));
    let elements =
        elements.filter_map(|link| link.attribute("href")).filter(|href| !href.is_empty());
    // RFC 8288: `Link: <https://…>; rel="canonical"`.
    let headers = answer.all("link").flat_map(|line| line.split(','));
    let headers = headers.filter_map(|link| {
        let (target, parameters) = link.split_once('>')?;
        let parameters = parameters.to_ascii_lowercase().replace('"', "");
        let is = parameters.split(';').any(|part| part.trim() == "rel=canonical");
        if is { target.trim().strip_prefix('<') } else { None }
    });
    elements.chain(headers).filter_map(|href| base.join(href).ok()).map(|url| shown(&url)).collect()
}

/// Elements and headers with `noindex` or `none`, for every crawler or for Google's.
fn noindex(answer: &HttpAnswer, document: &Document) -> Vec<String> {
    let refuses = |rules: &str| {
        rules.split([',', ' ']).any(|word| {
            let word = word.trim();
            word.eq_ignore_ascii_case("noindex") || word.eq_ignore_ascii_case("none")
        })
    };
    let mut lines = Vec::new();
    for meta in document.all("meta") {
        let Some(name) = meta.attribute("name") else { continue };
        let content = meta.attribute("content").unwrap_or_default();
        let read = name.eq_ignore_ascii_case("robots") || name.eq_ignore_ascii_case("googlebot");
        if read && refuses(content) {
            lines.push(format!("<meta name=\"{}\" content=\"{}\">", cut(name), cut(content)));
        }
    }
    for value in answer.all("x-robots-tag") {
        // `googlebot: noindex` is for one crawler; `unavailable_after: date` is a rule with a colon.
        let (agent, rules) = match value.split_once(':') {
            Some((agent, rules)) if !agent.contains([',', ' ']) => (agent.trim(), rules),
            _ => ("", value),
        };
        if (agent.is_empty() || agent.eq_ignore_ascii_case("googlebot")) && refuses(rules) {
            lines.push(format!("X-Robots-Tag: {}", cut(value)));
        }
    }
    lines
}

/// What an https page loads over http, as the W3C specification “Mixed Content” divides it.
fn mixed_content(answer: &HttpAnswer, document: &Document) -> (Bounded<String>, Bounded<String>) {
    let policies = answer.all("content-security-policy").chain(
        document
            .all("meta")
            .filter(|meta| {
                meta.attribute("http-equiv")
                    .is_some_and(|name| name.eq_ignore_ascii_case("content-security-policy"))
            })
            .filter_map(|meta| meta.attribute("content")),
    );
    let upgraded = policies
        .into_iter()
        .any(|policy| policy.to_ascii_lowercase().contains("upgrade-insecure-requests"));
    if upgraded || !answer.url.starts_with("https:") {
        return (Bounded::default(), Bounded::default());
    }
    let base = base(answer, document);
    let base_is_http = base.as_ref().is_some_and(|base| base.scheme() == "http");
    let (mut active, mut passive) = (BTreeMap::new(), BTreeMap::new());
    for element in &document.elements {
        let push = |list: &mut BTreeMap<String, usize>, attribute: &str, value: &str| {
            // Most addresses are known to be harmless before they are parsed, which is not cheap.
            if list.len() >= INSECURE || !(leads_to_http(value) || base_is_http) {
                return;
            }
            let url = base.as_ref().and_then(|base| base.join(value).ok());
            if let Some(url) = url.filter(is_insecure) {
                let line = format!("<{} {attribute}=\"{}\">", element.name, shown(&url));
                let place = list.len();
                list.entry(line).or_insert(place);
            }
        };
        for (attribute, is_active) in loaded(element) {
            let Some(value) = element.attribute(attribute) else { continue };
            push(if is_active { &mut active } else { &mut passive }, attribute, value);
        }
        if matches!(element.name.as_str(), "img" | "source")
            && let Some(set) = element.attribute("srcset")
        {
            for candidate in set.split(',').filter_map(|one| one.split_whitespace().next()) {
                push(&mut passive, "srcset", candidate);
            }
        }
    }
    (first_lines(active), first_lines(passive))
}

fn leads_to_http(value: &str) -> bool {
    value.trim_start().get(..5).is_some_and(|front| front.eq_ignore_ascii_case("http:"))
}

/// The lines that stand first in the page, and how many more there are.
fn first_lines(lines: BTreeMap<String, usize>) -> Bounded<String> {
    let mut lines: Vec<(usize, String)> = lines.into_iter().map(|(line, at)| (at, line)).collect();
    lines.sort_unstable();
    Bounded::keep(lines.into_iter().map(|(_, line)| line), LINES)
}

/// The attributes of an element that name something to load, and whether that can change the page.
fn loaded(element: &Element) -> Vec<(&'static str, bool)> {
    match element.name.as_str() {
        "script" | "iframe" | "embed" => vec![("src", true)],
        "object" => vec![("data", true)],
        "link" if element.has_word("rel", "stylesheet") => vec![("href", true)],
        "img" | "audio" | "source" => vec![("src", false)],
        "video" => vec![("src", false), ("poster", false)],
        _ => Vec::new(),
    }
}

/// Plain http to a host that is not the visitor's own machine, which browsers trust.
fn is_insecure(url: &Url) -> bool {
    let local = ["localhost", "127.0.0.1", "[::1]"];
    url.scheme() == "http" && url.host_str().is_some_and(|host| !local.contains(&host))
}
