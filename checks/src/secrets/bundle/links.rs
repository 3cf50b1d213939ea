//! What a page loads, and the core pages that it links to.

use url::Url;

use super::crawl::{Job, What};
use super::references;
use crate::document::Document;
use crate::secrets::leak::shortened;

/// Words in the paths of pages that have scripts of their own.
const CORE_PAGES: [&str; 10] = [
    "login",
    "signin",
    "sign-in",
    "signup",
    "sign-up",
    "register",
    "checkout",
    "pricing",
    "dashboard",
    "account",
];

/// The most words of a part of a path that names a core page: `create-account` is one, the title of
/// an article is not.
const WORDS: usize = 3;

/// A page as people write it: `harbor.example/login`.
pub(super) fn page_name(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    shortened(&format!("{host}{}", url.path().trim_end_matches('/')))
}

/// The scripts that a page loads or names, and the core pages that it links to.
pub(super) fn of_page(html: &str, url: &Url) -> Vec<Job> {
    let document = Document::parse(html);
    let base = document.all("base").find_map(|base| url.join(base.attribute("href")?).ok());
    let base = base.as_ref().unwrap_or(url);
    let this = page_name(url);
    let mut jobs = Vec::new();
    for link in document.all("a") {
        let Some(mut url) = link.attribute("href").and_then(|address| base.join(address).ok())
        else {
            continue;
        };
        url.set_query(None);
        url.set_fragment(None);
        if is_core_page(url.path()) {
            jobs.push(Job { page: page_name(&url), url, what: What::Page });
        }
    }
    let mut add = |address: Option<&str>| {
        if let Some(url) = address.and_then(|address| base.join(address).ok()) {
            jobs.push(Job { url, what: What::Script, page: this.clone() });
        }
    };
    for link in document.all("link") {
        let is_script = link.has_word("rel", "modulepreload")
            || ((link.has_word("rel", "preload") || link.has_word("rel", "prefetch"))
                && link.attribute("as").is_some_and(|kind| kind.eq_ignore_ascii_case("script")));
        if is_script {
            add(link.attribute("href"));
        }
    }
    for script in document.all("script") {
        add(script.attribute("src").filter(|source| !source.is_empty()));
        for url in references::scripts(script.text.as_bytes(), url) {
            add(Some(url.as_str()));
        }
    }
    jobs
}

fn is_core_page(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.split('/').any(|part| {
        part.split(['-', '_']).count() <= WORDS && CORE_PAGES.iter().any(|word| part.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_page_is_named_in_a_few_words() {
        for path in ["/login", "/en/Sign-In/", "/create-account", "/pricing.html", "/my_account/x"]
        {
            assert!(is_core_page(path), "{path}");
        }
        for path in ["/", "/about", "/blog/how-to-mend-a-slow-checkout"] {
            assert!(!is_core_page(path), "{path}");
        }
    }

    #[test]
    fn a_page_is_named_without_its_query() {
        let url = Url::parse("https://harbor.example/login?next=/").unwrap();
        let jobs = of_page("<a href='/pricing?from=nav#top'>", &url);
        assert_eq!(
            jobs.first().map(|job| job.url.as_str()),
            Some("https://harbor.example/pricing")
        );
        assert_eq!(page_name(&url), "harbor.example/login");
    }
}
