//! The scripts and styles of a page, and whether their names hold a hash of their content.

use futures_util::future::join_all;
use jiff::Timestamp;
use url::Url;

use super::fetch::{Fetch, request};
use super::{ASSETS, Asset};
use crate::document::Document;
use crate::probe::{Http, HttpAnswer, ProbeError, Seen};
use crate::web::headers::is_html;
use crate::web::recipe::Stack;
use crate::web::site::Site;
use crate::web::walk::{shown_error, shown_text};

/// The files of a page on the project's own hosts, hashed names first, at most [`ASSETS`].
pub(super) fn of_page(answer: &HttpAnswer, site: &Site) -> Vec<Url> {
    if !is_html(answer) {
        return Vec::new();
    }
    let Ok(page) = Url::parse(&answer.url) else { return Vec::new() };
    let document = Document::parse(&answer.text());
    let base = document
        .all("base")
        .next()
        .and_then(|base| page.join(base.attribute("href")?).ok())
        .unwrap_or(page);
    let (mut hashed, mut others): (Vec<Url>, Vec<Url>) = (Vec::new(), Vec::new());
    for element in &document.elements {
        let address = match element.name.as_str() {
            "script" => element.attribute("src"),
            "link"
                if ["stylesheet", "modulepreload"].iter().any(|w| element.has_word("rel", w))
                    || (element.has_word("rel", "preload")
                        && element
                            .attribute("as")
                            .is_some_and(|kind| ["script", "style", "font"].contains(&kind))) =>
            {
                element.attribute("href")
            }
            _ => None,
        };
        let Some(mut url) = address.and_then(|address| base.join(address).ok()) else { continue };
        url.set_fragment(None);
        let web = matches!(url.scheme(), "http" | "https");
        if web && site.owns(&url) {
            let files = if is_hashed(&url) { &mut hashed } else { &mut others };
            if files.len() < ASSETS && !files.contains(&url) {
                files.push(url);
            }
        }
    }
    hashed.append(&mut others);
    hashed.truncate(ASSETS);
    hashed
}

/// Asks every file, and again while a cache says of every hashed one that it did not have it.
pub(super) async fn fetch_all(
    http: &dyn Http,
    now: Timestamp,
    files: Vec<Url>,
    rounds: usize,
) -> Vec<Asset> {
    let mut assets: Vec<Asset> = files
        .iter()
        .map(|url| Asset {
            url: shown_text(url.as_str()),
            stack: Stack::Other,
            hashed: is_hashed(url),
            fetches: Vec::new(),
        })
        .collect();
    for _round in 0..rounds {
        let answers = join_all(files.iter().map(|url| http.send(request(url.as_str())))).await;
        for (asset, answer) in assets.iter_mut().zip(answers) {
            asset.keep(answer, now);
        }
        let missed = |asset: &Asset| {
            asset.fetches.last().and_then(Seen::ok).is_some_and(|fetch| fetch.hit == Some(false))
        };
        let mut hashed = assets.iter().filter(|asset| asset.hashed).peekable();
        if hashed.peek().is_none() || !hashed.all(missed) {
            break;
        }
    }
    assets
}

impl Asset {
    fn keep(&mut self, answer: Result<HttpAnswer, ProbeError>, now: Timestamp) {
        if let Ok(answer) = &answer {
            self.stack = Stack::of(answer);
        }
        let seen = Seen::from(answer.map_err(shown_error));
        let seen = seen.map(|answer| Fetch::of(&answer, now, &mut Vec::new()));
        self.fetches.push(seen);
    }
}

/// Folders in which build tools keep nothing but files with a hash in their name.
const HASHED_FOLDERS: [&str; 4] = ["/_next/static/", "/_app/immutable/", "/_nuxt/", "/_astro/"];
/// The shortest hash that build tools write; Vite and webpack write eight characters or more.
const HASH_CHARS: usize = 8;

/// Whether the name of a file changes with its content, so that it can be kept for ever.
pub(super) fn is_hashed(url: &Url) -> bool {
    if HASHED_FOLDERS.iter().any(|folder| url.path().contains(folder)) {
        return true;
    }
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let Some((stem, _extension)) = name.rsplit_once('.') else { return false };
    // Rollup's hashes may hold `-` and `_` themselves, so the whole end counts as well as each part.
    let end = stem.get(stem.len().saturating_sub(HASH_CHARS)..).unwrap_or_default();
    let after_separator = stem
        .len()
        .checked_sub(HASH_CHARS + 1)
        .and_then(|at| stem.get(at..=at))
        .is_some_and(|separator| matches!(separator, "-" | "." | "_"));
    let parts: Vec<&str> = stem.split(['-', '.', '_']).collect();
    let whole_is_hash = parts.len() == 1;
    (after_separator && looks_random(end))
        || parts.iter().skip(usize::from(!whole_is_hash)).any(|part| looks_random(part))
}

/// Whether a word is a hash: hexadecimal with digits, or letters and digits mixed as no word is.
fn looks_random(word: &str) -> bool {
    let count = |f: fn(&char) -> bool| word.chars().filter(f).count();
    let digits = count(char::is_ascii_digit);
    let (upper, lower) = (count(char::is_ascii_uppercase), count(char::is_ascii_lowercase));
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if word.len() < HASH_CHARS || !plain {
        return false;
    }
    let hexadecimal = word.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    (hexadecimal && digits > 0 && lower > 0)
        || (upper > 0 && lower > 0 && (digits > 0 || upper > 2))
        || (upper + lower > 2 && digits > 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_that_build_tools_write_are_hashed() {
        for name in [
            "/assets/index-BxY12abc.js",
            "/assets/index-D_kL-nOp.js",
            "/assets/vendor-DkLmnOpQ.css",
            "/static/js/main.3f2a1b9c.chunk.js",
            "/_next/static/chunks/webpack.js",
            "/js/2473c16c0c2f6b5f.js",
            "/app-9f8e7d6c5b4a.css",
        ] {
            assert!(
                is_hashed(&Url::parse("https://a.example").unwrap().join(name).unwrap()),
                "{name}"
            );
        }
        for name in [
            "/main.js",
            "/bootstrap.bundle.min.js",
            "/jquery-3.7.1.min.js",
            "/fontawesome5.js",
            "/js/app-bootstrap5.js",
            "/js/app-mainBundle.js",
            "/polyfills-legacy.js",
            "/20261123.js",
            "/",
        ] {
            assert!(
                !is_hashed(&Url::parse("https://a.example").unwrap().join(name).unwrap()),
                "{name}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_without_panic(path in ".{0,120}") {
            let base = Url::parse("https://a.example/").unwrap();
            if let Ok(url) = base.join(&path) {
                let _either = is_hashed(&url);
            }
        }
    }
}
