//! Visits a private route without a session.

use futures_util::join;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use crate::document::Document;
use crate::probe::{Http, HttpAnswer};
use crate::web::site::Site;
use crate::web::visit::{Visit, follow};
use crate::web::walk::{Walk, shown};

/// Beside the route: an address that no site has, to know what a site answers to anything.
const NOWHERE: &str = "/launchready-no-such-page";
/// An answer of fewer bytes that speaks of a refusal is one, whatever its status.
const REFUSAL_BYTES: usize = 4096;

/// What a private route answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Route {
    /// The URL that was asked.
    pub(super) url: String,
    /// The redirects and the end.
    pub(super) walk: Walk,
    /// The end is the route itself, and not a page to which it redirects.
    pub(super) stayed: bool,
    /// What the page at the end is.
    pub(super) page: Option<PageFacts>,
}

/// What kind of page an answer is, without its text.
#[allow(clippy::struct_excessive_bools, reason = "each is one sign that a page shows or not")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageFacts {
    /// Bytes of the body.
    pub(super) bytes: usize,
    /// The type that it claims.
    pub(super) content_type: String,
    /// It asks to sign in.
    pub(super) signs_in: bool,
    /// It is short and says that access is refused.
    pub(super) refuses: bool,
    /// It is an empty frame that a script fills.
    pub(super) is_shell: bool,
    /// It is JSON without any value: `null`, or lists and objects of nothing else.
    #[serde(default)]
    pub(super) is_empty: bool,
    /// The site answers the same to an address that does not exist, or it is the home page.
    pub(super) is_fallback: bool,
}

/// Visits one route, and beside it the home and an address that no site has.
pub(super) async fn look_at(http: &dyn Http, site: &Site, url: &Url) -> Route {
    let at = |path: &str| url.join(path).map_or_else(|_bad| url.to_string(), String::from);
    let (nowhere, home) = (at(NOWHERE), at("/"));
    let (visit, nowhere, home) = join!(
        follow(http, site, url.as_str()),
        follow(http, site, &nowhere),
        follow(http, site, &home),
    );
    let page = visit.good_page();
    let stayed = page
        .and_then(|answer| Url::parse(&answer.url).ok())
        .is_some_and(|end| path_of(&end) == path_of(url));
    let page = page.map(|answer| facts(answer, &[&nowhere, &home]));
    Route { url: shown(url), walk: visit.walk, stayed, page }
}

fn path_of(url: &Url) -> String {
    url.path().trim_end_matches('/').to_ascii_lowercase()
}

fn facts(answer: &HttpAnswer, others: &[&Visit]) -> PageFacts {
    let text = answer.text();
    let content_type = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let html = content_type.contains("html") || text.trim_start().starts_with('<');
    let document = Document::parse(if html { &text } else { "" });
    let same = |visit: &&Visit| {
        visit.good_page().is_some_and(|other| looks_like(answer, &document, other))
    };
    PageFacts {
        bytes: answer.body.len(),
        content_type: content_type.chars().take(60).collect(),
        signs_in: html && signs_in(&document),
        refuses: text.len() < REFUSAL_BYTES && !html && refuses(&text),
        is_empty: serde_json::from_str(&text).is_ok_and(|value| holds_nothing(&value)),
        is_shell: html && document.is_script_shell(),
        is_fallback: others.iter().any(same),
    }
}

/// Row-level security answers a stranger with an empty list, and a session route with `{}`.
fn holds_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(list) => list.iter().all(holds_nothing),
        Value::Object(fields) => fields.values().all(holds_nothing),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Equal bytes, or the same title and nearly as much text: tokens in a page differ every time.
fn looks_like(answer: &HttpAnswer, document: &Document, other: &HttpAnswer) -> bool {
    if answer.body == other.body {
        return true;
    }
    let other = Document::parse(&other.text());
    let (one, two) = (document.visible_characters, other.visible_characters);
    document.title().is_some() && document.title() == other.title() && one.abs_diff(two) <= one / 50
}

/// A field for a password or a one-time code, or a title that says so.
fn signs_in(document: &Document) -> bool {
    let field = document.all("input").any(|input| {
        input.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("password"))
            || input.has_word("autocomplete", "current-password")
            || input.has_word("autocomplete", "one-time-code")
            || input.has_word("autocomplete", "username")
    });
    let title = document.title().unwrap_or_default().to_lowercase();
    let words = ["sign in", "signin", "log in", "login", "sign-in", "log-in", "password"];
    field || words.iter().any(|word| title.contains(word))
}

fn refuses(text: &str) -> bool {
    let text = text.to_lowercase();
    let words = [
        "unauthorized",
        "unauthorised",
        "unauthenticated",
        "not authenticated",
        "forbidden",
        "access denied",
        "permission denied",
        "not logged in",
        "not signed in",
        "login required",
        "invalid token",
        "missing token",
        "jwt",
    ];
    words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_page_with_a_password_field_or_such_a_title_asks_to_sign_in() {
        for page in [
            "<form><input type=PASSWORD></form>",
            "<title>Log in – Harbor</title>",
            "<input autocomplete='section-a one-time-code'>",
        ] {
            assert!(signs_in(&Document::parse(page)), "{page}");
        }
        assert!(!signs_in(&Document::parse("<title>Orders</title><input type=search>")));
    }

    #[test]
    fn json_without_a_value_holds_nothing() {
        let nothing = |text: &str| holds_nothing(&serde_json::from_str(text).unwrap());
        assert!(["null", "[]", "{}", r#"{"data":[],"error":null}"#].into_iter().all(nothing));
        assert!(![r#"[{"id":1}]"#, r#"{"count":0}"#, "false"].into_iter().any(nothing));
    }

    #[test]
    fn a_refusal_is_known_by_its_words() {
        assert!(refuses("{\"error\":\"Unauthorized\"}"));
        assert!(!refuses("{\"orders\":[{\"id\":1}]}"));
    }

    proptest! {
        #[test]
        fn any_page_is_read_without_panic(text in ".{0,400}") {
            let _either = signs_in(&Document::parse(&text)) || refuses(&text);
        }
    }
}
