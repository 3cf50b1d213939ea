//! One answer, as far as caches and compression are concerned.

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::probe::{Http, HttpAnswer, HttpRequest, ProbeError};
use crate::vendor::by_headers;
use crate::web::cookie::{self, Purpose};
use crate::web::headers::is_html;
use crate::web::walk::shown_error;

/// The most bytes of an answer that are read here; only whether it is large counts.
const BODY_BYTES: usize = 64 * 1024;
/// The most characters of a header that are kept.
const VALUE_CHARS: usize = 160;
/// The most session cookies of one answer that are kept.
const COOKIES: usize = 8;
/// A session has a value that cannot be guessed; what is shorter is a flag such as `guest`.
const SESSION_CHARS: usize = 8;

/// A session cookie that an answer sets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Session {
    /// The name of the cookie.
    pub(super) name: String,
    /// The number of its value among those of this page: the same number is the same value.
    pub(super) value: usize,
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fetch {
    /// The status.
    pub(super) status: u16,
    /// The `Age` header, in seconds.
    pub(super) age: Option<u64>,
    /// Whether a shared cache says that it had the answer; `None` where none says anything.
    pub(super) hit: Option<bool>,
    /// The header that says so.
    pub(super) hit_line: Option<String>,
    /// The name of the edge network that answered.
    pub(super) edge: Option<String>,
    /// The `Cache-Control` header.
    pub(super) cache_control: Option<String>,
    /// Seconds until the date in `Expires`.
    pub(super) expires_in: Option<i64>,
    /// The `Content-Encoding` header.
    pub(super) encoding: Option<String>,
    /// The type is one that compresses well.
    pub(super) is_text: bool,
    /// Bytes that were read, decoded, at most 64 KiB.
    pub(super) bytes: usize,
    /// It has an `ETag` or a `Last-Modified`.
    pub(super) has_validator: bool,
    /// The session cookies that it sets.
    pub(super) sessions: Vec<Session>,
}

/// Asks as a client that nobody has seen before, without cookies.
pub(super) async fn fresh(http: &dyn Http, url: &str) -> Result<HttpAnswer, ProbeError> {
    http.send(request(url).on_a_fresh_connection()).await.map_err(shown_error)
}

/// A request that a shared answer cannot satisfy.
pub(super) fn request(url: &str) -> HttpRequest {
    HttpRequest::get(url).unshared().at_most(BODY_BYTES).header("accept-encoding", "gzip, br")
}

impl Fetch {
    /// Reads an answer; `values` numbers the cookie values of one page.
    pub(super) fn of(answer: &HttpAnswer, now: Timestamp, values: &mut Vec<String>) -> Self {
        let joined = |name: &str| {
            let all: Vec<_> = answer.all(name).map(str::trim).collect();
            (!all.is_empty()).then(|| all.join(", ").chars().take(VALUE_CHARS).collect::<String>())
        };
        let (hit, hit_line) = cache_status(answer);
        let mut sessions: Vec<Session> = Vec::new();
        for (cookie, value) in answer.all("set-cookie").filter_map(cookie::read) {
            if cookie.purpose == Purpose::Other
                || value.chars().count() < SESSION_CHARS
                || sessions.len() >= COOKIES
            {
                continue;
            }
            let number = values.iter().position(|known| known == value).unwrap_or_else(|| {
                values.push(value.to_owned());
                values.len() - 1
            });
            sessions.push(Session { name: cookie.name, value: number });
        }
        Self {
            status: answer.status,
            age: answer.header("age").and_then(|value| value.trim().parse().ok()),
            hit,
            hit_line,
            edge: by_headers(&answer.headers)
                .filter(|platform| platform.is_edge)
                .map(|platform| platform.name.to_owned()),
            cache_control: joined("cache-control"),
            expires_in: expires_in(answer, now),
            encoding: joined("content-encoding"),
            is_text: is_text(answer),
            bytes: answer.body.len(),
            has_validator: ["etag", "last-modified"]
                .iter()
                .any(|name| answer.header(name).is_some()),
            sessions,
        }
    }

    /// Whether a shared cache had the answer.
    pub(super) fn was_cached(&self) -> bool {
        self.age.is_some_and(|age| age > 0) || self.hit == Some(true)
    }

    /// The seconds that a directive of `Cache-Control` names.
    fn seconds(&self, directive: &str) -> Option<u64> {
        self.directives().find_map(|(name, value)| {
            (name == directive).then(|| value.trim_matches('"').parse().ok())?
        })
    }

    fn has(&self, directive: &str) -> bool {
        self.directives().any(|(name, _)| name == directive)
    }

    fn directives(&self) -> impl Iterator<Item = (String, String)> {
        self.cache_control.as_deref().unwrap_or_default().split(',').map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (name.trim().to_ascii_lowercase(), value.trim().to_owned())
        })
    }

    /// For how many seconds a browser may use the answer without asking.
    pub(super) fn browser_life(&self) -> u64 {
        if self.has("no-store") || self.has("no-cache") {
            return 0;
        }
        let expires = self.expires_in.and_then(|seconds| u64::try_from(seconds).ok());
        self.seconds("max-age").or(expires).unwrap_or(0)
    }

    /// Whether a shared cache is told that it may keep the answer for a while.
    pub(super) fn is_public(&self) -> bool {
        let kept = self.seconds("s-maxage").is_some_and(|seconds| seconds > 0)
            || (self.has("public") && self.seconds("max-age").is_some_and(|seconds| seconds > 0));
        kept && !self.has("private") && !self.has("no-store")
    }

    /// Whether nobody may keep the answer.
    pub(super) fn is_never_kept(&self) -> bool {
        self.has("no-store")
    }

    /// Whether it is text above a size and came as it is.
    pub(super) fn is_uncompressed(&self, above: usize) -> bool {
        let plain =
            self.encoding.as_deref().is_none_or(|value| value.eq_ignore_ascii_case("identity"));
        self.is_text && plain && self.bytes > above
    }
}

/// Whether the type is one that compresses well.
fn is_text(answer: &HttpAnswer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let words = ["text/", "javascript", "json", "xml", "wasm"];
    is_html(answer) || words.iter().any(|word| kind.contains(word))
}

fn expires_in(answer: &HttpAnswer, now: Timestamp) -> Option<i64> {
    let date = |name: &str| {
        let value: String = answer.header(name)?.chars().take(40).collect();
        DateTimeParser::new().parse_timestamp(&value).ok()
    };
    let now = date("date").unwrap_or(now);
    date("expires")?.as_second().checked_sub(now.as_second())
}

/// What the caches on the way say about themselves, in the headers of Cloudflare, Vercel, Netlify
/// (RFC 9211) and of `CloudFront`, Fastly and Akamai.
fn cache_status(answer: &HttpAnswer) -> (Option<bool>, Option<String>) {
    const HEADERS: [(&str, &[&str], &[&str]); 4] = [
        (
            "cf-cache-status",
            &["hit", "stale", "updating", "revalidated", "expired"],
            &["miss", "bypass", "dynamic", "none"],
        ),
        ("x-vercel-cache", &["hit", "stale", "prerender", "revalidated"], &["miss", "bypass"]),
        ("cache-status", &["hit"], &["fwd="]),
        ("x-cache", &["hit"], &["miss"]),
    ];
    let mut miss = None;
    for (name, hits, misses) in HEADERS {
        for value in answer.all(name) {
            let lower = value.to_ascii_lowercase();
            let line: String = format!("{name}: {value}").chars().take(80).collect();
            if hits.iter().any(|word| lower.contains(word)) {
                return (Some(true), Some(line));
            }
            if misses.iter().any(|word| lower.contains(word)) {
                miss = miss.or(Some(line));
            }
        }
    }
    (miss.is_some().then_some(false), miss)
}

/// Whether a path is that of a page for one person.
pub(super) fn is_personal(url: &Url) -> bool {
    let words = ["account", "admin", "billing", "dashboard", "me", "orders", "profile", "settings"];
    url.path_segments().is_some_and(|mut parts| {
        parts.next().is_some_and(|first| words.contains(&first.to_ascii_lowercase().as_str()))
    })
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use proptest::prelude::*;

    use super::*;
    use crate::probe::Timings;

    fn fetch(headers: &[(&str, &str)]) -> Fetch {
        let answer = HttpAnswer {
            url: "https://harbor.example/".to_owned(),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            version: "HTTP/2".to_owned(),
            status: 200,
            headers: headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect(),
            body: bytes::Bytes::new(),
            body_cut: false,
            timings: Timings::default(),
            trust: None,
        };
        Fetch::of(&answer, Timestamp::UNIX_EPOCH, &mut Vec::new())
    }

    #[test]
    fn the_life_of_an_answer_is_max_age_or_expires() {
        let life = |value| fetch(&[("cache-control", value)]).browser_life();
        assert_eq!(life("public, max-age=31536000, immutable"), 31_536_000);
        assert_eq!(life("Public,Max-Age=60"), 60);
        assert_eq!(life("no-cache, max-age=60"), 0);
        assert_eq!(life("max-age=soon"), 0);
        let dated = fetch(&[
            ("date", "Mon, 23 Nov 2026 09:00:00 GMT"),
            ("expires", "Tue, 24 Nov 2026 09:00:00 GMT"),
        ]);
        assert_eq!(dated.browser_life(), 86_400);
        assert_eq!(fetch(&[("expires", "0")]).browser_life(), 0);
    }

    #[test]
    fn only_what_a_shared_cache_may_keep_for_a_while_is_public() {
        let public = |value| fetch(&[("cache-control", value)]).is_public();
        assert!(public("s-maxage=60, stale-while-revalidate"));
        assert!(public("public, max-age=600"));
        assert!(!public("public, max-age=0, must-revalidate"));
        assert!(!public("private, s-maxage=60"));
        assert!(!public("max-age=600"));
    }

    #[test]
    fn caches_say_whether_they_had_the_answer() {
        let hit = |name, value| fetch(&[(name, value)]).hit;
        assert_eq!(hit("cf-cache-status", "DYNAMIC"), Some(false));
        assert_eq!(hit("x-vercel-cache", "PRERENDER"), Some(true));
        assert_eq!(hit("cache-status", "\"Netlify Edge\"; fwd=miss"), Some(false));
        assert_eq!(hit("cache-status", "\"Netlify Edge\"; hit"), Some(true));
        assert_eq!(hit("x-cache", "MISS, HIT"), Some(true));
        assert_eq!(hit("x-cache", "Miss from cloudfront"), Some(false));
        assert_eq!(hit("x-other", "HIT"), None);
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_panic(value in ".{0,200}", date in ".{0,60}") {
            let fetch = fetch(&[
                ("cache-control", &value),
                ("age", &value),
                ("expires", &date),
                ("cache-status", &value),
                ("set-cookie", &value),
            ]);
            let _life = (fetch.browser_life(), fetch.is_public(), fetch.was_cached());
        }
    }
}
