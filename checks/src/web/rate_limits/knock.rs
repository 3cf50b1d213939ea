//! Asks one sensitive endpoint again and again, until it asks to slow down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use super::Verb;
use crate::probe::{AgentFault, Http, HttpRequest, Method, ProbeError, TargetFault};
use crate::vendor::is_below;
use crate::web::visit::challenge;
use crate::web::walk::{shown, shown_error};

/// After this long a request has failed.
const REQUEST_MS: u64 = 8_000;
/// No further request begins after this many milliseconds of asking.
const RUN_MS: f64 = 15_000.0;
/// Bytes of an answer that are read.
const BODY_BYTES: usize = 64 * 1024;
/// The most characters of a name or a header that are kept.
const CHARS: usize = 60;
/// The most different statuses that are kept.
const STATUSES: usize = 16;

/// What an endpoint answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Knocks {
    /// Its name in reports.
    pub(super) name: String,
    /// `POST https://…`.
    pub(super) asked: String,
    /// Its path, for the fix.
    pub(super) path: String,
    /// It is run by Supabase, which limits by itself.
    pub(super) is_supabase: bool,
    /// How many requests were meant.
    pub(super) planned: u32,
    /// How many were answered.
    pub(super) answered: u32,
    /// How often each status came.
    pub(super) statuses: BTreeMap<u16, u32>,
    /// The limit that the answers announce.
    pub(super) announced: Option<String>,
    /// How it ended.
    pub(super) end: KnockEnd,
}

/// Why no more requests were made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "detail")]
pub(super) enum KnockEnd {
    /// All were made.
    All,
    /// The endpoint, or the edge before it, asked to slow down.
    Limited(String),
    /// 503 after other answers: a limiter's choice of status, or an overload.
    Unavailable,
    /// The answers took more time than one run has.
    Slow,
    /// It did not answer.
    NoAnswer(TargetFault),
    /// We could not ask.
    NotSeen(AgentFault),
}

/// Asks at most `planned` times, one request after the other.
pub(super) async fn knock(
    http: &dyn Http,
    name: &str,
    verb: Verb,
    url: &Url,
    planned: u32,
) -> Knocks {
    let method = match verb {
        Verb::Get => Method::Get,
        Verb::Post => Method::Post,
    };
    let asked = format!("{} {}", method.as_str(), shown(url));
    let mut knocks = Knocks {
        name: if name.is_empty() { asked.clone() } else { name.chars().take(CHARS).collect() },
        asked,
        path: url.path().chars().take(CHARS).collect(),
        is_supabase: url.host_str().is_some_and(|host| is_below(host, "supabase.co")),
        planned,
        answered: 0,
        statuses: BTreeMap::new(),
        announced: None,
        end: KnockEnd::All,
    };
    let mut spent = 0.0;
    for _ in 0..planned {
        if spent > RUN_MS {
            knocks.end = KnockEnd::Slow;
            break;
        }
        let request = HttpRequest::get(url.as_str())
            .method(method)
            .unshared()
            .at_most(BODY_BYTES)
            .within_ms(REQUEST_MS);
        let answer = match http.send(request).await.map_err(shown_error) {
            Ok(answer) => answer,
            Err(ProbeError::Target(fault)) => {
                knocks.end = KnockEnd::NoAnswer(fault);
                break;
            }
            Err(ProbeError::Agent(fault)) => {
                knocks.end = KnockEnd::NotSeen(fault);
                break;
            }
        };
        let other_before = knocks.statuses.keys().any(|status| *status < 500);
        spent += answer.timings.total_ms.max(answer.timings.first_byte_ms);
        knocks.answered += 1;
        if knocks.statuses.len() < STATUSES || knocks.statuses.contains_key(&answer.status) {
            let count = knocks.statuses.entry(answer.status).or_default();
            *count = count.saturating_add(1);
        }
        // RateLimit is the IETF draft's header; the other is what most frameworks send.
        let announced = ["ratelimit", "ratelimit-limit", "x-ratelimit-limit"]
            .into_iter()
            .find_map(|name| Some(format!("{name}: {}", answer.header(name)?)));
        if let Some(line) = announced {
            knocks.announced = Some(line.chars().take(CHARS).collect());
        }
        if let Some(sign) = challenge(&answer) {
            knocks.end = KnockEnd::Limited(sign);
            break;
        }
        if answer.status == 503 && other_before {
            knocks.end = KnockEnd::Unavailable;
            break;
        }
    }
    knocks
}

impl Knocks {
    /// The answers in one line of evidence.
    pub(super) fn line(&self) -> String {
        let each: Vec<_> =
            self.statuses.iter().map(|(status, n)| format!("{status} × {n}")).collect();
        format!("{}, {} times, one after the other: {}", self.asked, self.answered, each.join(", "))
    }

    /// The status, if all answers had the same.
    pub(super) fn only_status(&self) -> Option<u16> {
        let mut statuses = self.statuses.keys();
        statuses.next().copied().filter(|_| statuses.next().is_none())
    }
}
