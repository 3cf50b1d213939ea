//! Looks at the home page, the pages it links to, and the files that every site should have.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use futures_util::join;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::facts::{Facts, links};
use super::legal::{self, Kind};
use super::{Evidence, Icon, Legal, Link, Missing, Robots, SecurityTxt, robots};
use crate::contract::{Bounded, Target};
use crate::document::Document;
use crate::probe::{Http, HttpAnswer, HttpRequest, Method};
use crate::web::headers::is_html;
use crate::web::site::Site;
use crate::web::visit::{Visit, follow};
use crate::web::walk::{End, shown, shown_text};

/// The most pages beside the home page that are read.
const PAGES: usize = 12;
/// The most further links that are tried.
const LINKS: usize = 12;
/// The most declared legal pages that are asked.
const DECLARED: usize = 8;
/// The most broken or unseen links that are kept.
const KEPT: usize = 12;

/// Looks at everything beside the home page at once, and then at what those pages link to.
pub(super) async fn look(http: &dyn Http, site: &Site, target: &Target, home: &Visit) -> Evidence {
    let end = home.walk.end.clone();
    let Some(answer) = home.good_page().filter(|answer| is_html(answer)) else {
        return Evidence { home: None, end, ..Evidence::default() };
    };
    let document = Document::parse(&answer.text());
    let facts = Facts::of(answer, &document, true);
    let own: Vec<Url> =
        links(answer, &document).into_iter().filter(|url| is_own(site, url)).collect();
    let foreign_legal: Vec<Kind> = foreign_legal(site, answer, &document);
    let core = core_pages(&own, &[&answer.url, &home.walk.start]);
    let declared: Vec<Url> = declared(target, answer);
    let at = |path: &str| Url::parse(&answer.url).ok().and_then(|url| url.join(path).ok());
    let file = async |path: &str| match at(path) {
        Some(url) => follow(http, site, url.as_str()).await,
        None => home.clone(),
    };
    let missing_path = format!("/{}", unlikely_path(&site.apex));
    let pages = join_all(core.iter().map(|url| follow(http, site, url.as_str())));
    let legal_pages = join_all(declared.iter().map(|url| follow(http, site, url.as_str())));
    let (pages, legal_pages, robots, missing, security, icon) = join!(
        pages,
        legal_pages,
        file("/robots.txt"),
        file(&missing_path),
        file("/.well-known/security.txt"),
        icon(http, site, answer, &document),
    );
    let missing_hash = missing.good_page().map(hash);
    let mut asked: BTreeSet<String> = core.iter().map(Url::to_string).collect();
    asked.insert(answer.url.clone());
    asked.insert(home.walk.start.clone());
    let on_pages = further_links(site, &own, &answer.url, &pages, &asked);
    let unlinked = Kind::ALL.into_iter().filter(|kind| {
        target.web.legal_pages.is_empty()
            && !core.iter().any(|url| kind.is_path_of(url))
            && !foreign_legal.contains(kind)
    });
    let usual = unlinked.flat_map(|kind| kind.usual_paths().map(|path| (kind, path)));
    let usual: Vec<(Kind, Url)> =
        usual.filter_map(|(kind, path)| Some((kind, at(path)?))).collect();
    let usual_visits = join_all(usual.iter().map(|(_, url)| follow(http, site, url.as_str())));
    let further = join_all(on_pages.iter().map(|(url, _)| try_link(http, site, url.as_str())));
    let (usual_visits, further) = join!(usual_visits, further);

    let entry = |kind, url: &Url, visit: &Visit| Legal {
        kind,
        url: shown(url),
        same_as_missing: visit.good_page().map(hash).is_some_and(|h| Some(h) == missing_hash),
        end: visit.walk.end.clone(),
    };
    let mut legal: Vec<Legal> =
        declared.iter().zip(&legal_pages).map(|(url, visit)| entry(None, url, visit)).collect();
    for (url, visit) in core.iter().zip(&pages) {
        let kinds = Kind::ALL.into_iter().filter(|kind| kind.is_path_of(url));
        legal.extend(kinds.map(|kind| entry(Some(kind), url, visit)));
    }
    // What could not be asked stays: it is not known to be missing.
    let absent = |visit: &Visit| matches!(visit.walk.end, End::Page { status: 300..500, .. });
    let found_at = usual.iter().zip(&usual_visits).filter(|(_, visit)| !absent(visit));
    legal.extend(found_at.map(|((kind, url), visit)| entry(Some(*kind), url, visit)));
    let home_url = shown_text(&answer.url);
    let tried = core.iter().zip(&pages).map(|(url, visit)| (url, &home_url, &visit.walk.end));
    let tried = tried.chain(on_pages.iter().zip(&further).map(|((url, on), end)| (url, on, end)));
    let bad =
        tried.filter(|(_, _, end)| end.unread().is_some() && !matches!(end, End::OffSite { .. }));
    let broken =
        bad.map(|(url, on, end)| Link { url: shown(url), on: on.clone(), end: end.clone() });
    Evidence {
        pages: read(&pages, &facts.url),
        home: Some(facts),
        end,
        links: Bounded::keep(broken, KEPT),
        links_tried: core.len() + on_pages.len(),
        legal,
        foreign_legal,
        usual_asked: usual.iter().map(|(_, url)| shown(url)).collect(),
        robots: Some(robots_facts(&robots)),
        missing: Some(Missing {
            url: at(&missing_path).map(|url| shown(&url)).unwrap_or_default(),
            shell: missing
                .good_page()
                .is_some_and(|a| Document::parse(&a.text()).is_script_shell()),
            end: missing.walk.end.clone(),
        }),
        icon: Some(icon),
        security: Some(SecurityTxt {
            has_contact: security.good_page().is_some_and(has_contact),
            end: security.walk.end.clone(),
        }),
    }
}

/// The pages that the home page links to first, and the legal ones among its links.
fn core_pages(own: &[Url], home: &[&String; 2]) -> Vec<Url> {
    let is_home = |url: &Url| home.iter().any(|home| url.as_str() == home.as_str());
    let mut core: Vec<Url> =
        own.iter().filter(|url| !is_home(url) && is_page(url)).take(PAGES).cloned().collect();
    for url in own.iter().filter(|url| legal::is_legal(url)).take(Kind::ALL.len()) {
        if !core.contains(url) {
            core.push(url.clone());
        }
    }
    core
}

/// What stands in the pages that answered, each once and without the home page.
fn read(pages: &[Visit], home: &str) -> Vec<Facts> {
    let mut read: Vec<Facts> = Vec::new();
    for page in pages.iter().filter_map(Visit::good_page).filter(|answer| is_html(answer)) {
        let page = Facts::of(page, &Document::parse(&page.text()), false);
        if page.url != home && !read.iter().any(|other| other.url == page.url) {
            read.push(page);
        }
    }
    read
}

/// Links on the pages that were read, not asked so far, each with the page that holds it.
fn further_links(
    site: &Site,
    own: &[Url],
    home: &str,
    pages: &[Visit],
    asked: &BTreeSet<String>,
) -> Vec<(Url, String)> {
    let mut asked = asked.clone();
    let mut found = Vec::new();
    let of_pages = pages.iter().filter_map(Visit::good_page).filter(|answer| is_html(answer));
    let of_pages = of_pages.flat_map(|answer| {
        let links = links(answer, &Document::parse(&answer.text()));
        links.into_iter().map(|url| (url, shown_text(&answer.url)))
    });
    for (url, on) in own.iter().map(|url| (url.clone(), shown_text(home))).chain(of_pages) {
        if found.len() < LINKS && is_own(site, &url) && asked.insert(url.to_string()) {
            found.push((url, on));
        }
    }
    found
}

/// Asks for the head, and for the whole where the head is refused or leads elsewhere.
async fn try_link(http: &dyn Http, site: &Site, url: &str) -> End {
    if let Ok(answer) = http.send(HttpRequest::get(url).method(Method::Head)).await
        && (200..300).contains(&answer.status)
    {
        return End::Page { url: shown_text(url), status: answer.status };
    }
    follow(http, site, url).await.walk.end
}

/// A link to the project's own pages that may be asked: no trial host, nothing that changes a
/// session, and none of the paths that an edge network answers by itself.
fn is_own(site: &Site, url: &Url) -> bool {
    const TRIAL: [&str; 8] =
        ["dev", "staging", "stage", "test", "sandbox", "demo", "preview", "localhost"];
    let path = url.path().to_ascii_lowercase();
    let label = url.host_str().and_then(|host| host.split('.').next()).unwrap_or_default();
    let acts = ["logout", "log-out", "signout", "sign-out", "unsubscribe", "delete", "/cdn-cgi/"];
    site.owns(url) && !TRIAL.contains(&label) && !acts.iter().any(|word| path.contains(word))
}

/// Whether an address looks like that of a page and not of a file to keep.
fn is_page(url: &Url) -> bool {
    let name = url.path().rsplit('/').next().unwrap_or_default();
    match name.rsplit_once('.') {
        Some((_, extension)) => {
            matches!(extension.to_ascii_lowercase().as_str(), "html" | "htm" | "php" | "aspx")
        }
        None => true,
    }
}

fn declared(target: &Target, home: &HttpAnswer) -> Vec<Url> {
    let Ok(home) = Url::parse(&home.url) else { return Vec::new() };
    let pages = target.web.legal_pages.iter().filter_map(|page| home.join(page).ok());
    pages.take(DECLARED).collect()
}

/// The subjects that the home page links to at somebody else's site, as generators of such pages
/// offer; those are not asked.
fn foreign_legal(site: &Site, answer: &HttpAnswer, document: &Document) -> Vec<Kind> {
    let foreign: Vec<Url> =
        links(answer, document).into_iter().filter(|url| !site.owns(url)).collect();
    let named = |kind: &Kind| foreign.iter().any(|url| kind.is_path_of(url));
    Kind::ALL.into_iter().filter(named).collect()
}

fn robots_facts(visit: &Visit) -> Robots {
    let text = visit.good_page().filter(|answer| !is_html(answer)).map(HttpAnswer::text);
    Robots {
        end: visit.walk.end.clone(),
        blocks_home: text.as_deref().and_then(robots::blocks_home),
    }
}

fn has_contact(answer: &HttpAnswer) -> bool {
    let is_contact = |line: &str| {
        line.split_once(':').is_some_and(|(name, value)| {
            name.trim().eq_ignore_ascii_case("contact") && !value.trim().is_empty()
        })
    };
    !is_html(answer) && answer.text().lines().any(is_contact)
}

/// The icon that the page names, or the one that browsers ask for by themselves.
async fn icon(http: &dyn Http, site: &Site, answer: &HttpAnswer, document: &Document) -> Icon {
    let base = super::facts::base(answer, document);
    let named = document
        .all("link")
        .filter(|link| link.has_word("rel", "icon") || link.has_word("rel", "apple-touch-icon"))
        .filter_map(|link| link.attribute("href"))
        .find(|href| !href.is_empty());
    let url = base.and_then(|base| base.join(named.unwrap_or("/favicon.ico")).ok());
    let Some(url) = url else { return Icon::default() };
    let here = matches!(url.scheme(), "http" | "https") && site.owns(&url);
    let visit = if here { Some(follow(http, site, url.as_str()).await) } else { None };
    let page = visit.as_ref().and_then(Visit::good_page);
    Icon {
        url: if url.scheme() == "data" { "data:…".to_owned() } else { shown(&url) },
        named: named.is_some(),
        is_picture: page.is_some_and(|answer| !is_html(answer) && !answer.body.is_empty()),
        of_template: page.and_then(|answer| template_of(&url, answer)).map(str::to_owned),
        end: visit.map(|visit| visit.walk.end),
    }
}

/// SHA-256 of the icons that templates come with: the files in the npm packages create-next-app 15,
/// cra-template 1.2 and create-vite 9.
const TEMPLATE_ICONS: [(&str, &str); 3] = [
    ("2b8ad2d33455a8f736fc3a8ebf8f0bdea8848ad4c0db48a2833bd0f9cd775932", "Next.js"),
    ("3d10f7da6c603178340081668c4ac5b3ae9743ca9a262ab0fcd312fbb9f48bdd", "Create React App"),
    ("61bc9a161de58248288e6905425d7180f0624c2865007b97d763fdac12043a66", "Vite"),
];

/// The template that an icon comes from.
fn template_of(url: &Url, answer: &HttpAnswer) -> Option<&'static str> {
    // The two colours of the gradient in the older template's vite.svg.
    let text = answer.text().to_ascii_lowercase();
    if url.path().ends_with("/vite.svg") && text.contains("#41d1ff") {
        return Some("Vite");
    }
    let hash = hex::encode(Sha256::digest(&answer.body));
    TEMPLATE_ICONS.iter().find(|(known, _)| *known == hash).map(|(_, template)| *template)
}

/// A path that no site has, the same for the same domain from look to look.
fn unlikely_path(domain: &str) -> String {
    let digest = Sha256::digest(domain.as_bytes());
    format!("no-such-page-{}", hex::encode(digest.get(..6).unwrap_or_default()))
}

fn hash(answer: &HttpAnswer) -> Vec<u8> {
    Sha256::digest(&answer.body).to_vec()
}
