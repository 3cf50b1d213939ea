//! Asks the endpoints.

use serde::{Deserialize, Serialize};
use url::Url;

use super::endpoint::{Endpoint, Rule};
use super::times::{Samples, Stop};
use crate::contract::Age;
use crate::probe::{Http, HttpAnswer, HttpRequest, ProbeError, Seen, TargetFault};
use crate::web::recipe::Stack;
use crate::web::site::Site;
use crate::web::visit::{challenge, follow};
use crate::web::walk::{End, Walk, shown_error, shown_text};

/// Redirects that a visit to an endpoint may take: `web-redirects` finds more than that.
pub(super) const HOPS: usize = 5;
/// The most requests of one run to one endpoint.
pub(super) const SAMPLES: usize = 20;
/// After this long a request has failed.
const REQUEST_MS: u64 = 8_000;
/// No further request of a run begins after this many milliseconds of asking, so that a slow
/// endpoint ends with what is known and not with the time-out of the check.
const RUN_MS: f64 = 12_000.0;
/// Bytes of a body that a timed request reads.
const TIMED_BYTES: usize = 512 * 1024;
/// The most characters of a header value or a condition that are kept.
const VALUE_CHARS: usize = 80;
/// The most conditions on headers that are reported at once.
const HEADERS: usize = 8;

/// What one endpoint did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Look {
    /// Its name in reports and metrics.
    pub(super) name: String,
    /// The declared URL.
    pub(super) url: String,
    /// Which statuses are right.
    pub(super) rule: Rule,
    /// It was declared to be an API.
    pub(super) api: bool,
    /// Its own bound.
    pub(super) p95: Option<Age>,
    /// The redirects that were followed; absent where a redirect is the right answer.
    pub(super) walk: Option<Walk>,
    /// The URL at the end, which was asked again.
    pub(super) asked: String,
    /// The name of an earlier endpoint that has the same end and stands for this one.
    pub(super) same_as: Option<String>,
    /// The first try, and the second where that failed.
    pub(super) tries: Vec<Seen<Facts>>,
    /// The timed requests, where the last try was right.
    pub(super) samples: Option<Samples>,
}

/// What one answer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Facts {
    /// Its status.
    pub(super) status: u16,
    /// The sign of an edge that answered by itself.
    pub(super) challenge: Option<String>,
    /// What a hosting platform says when no product is connected to the name.
    #[serde(default)]
    pub(super) unconnected: Option<String>,
    /// It is JSON.
    pub(super) json: bool,
    /// The platform it comes from.
    pub(super) stack: Stack,
    /// Conditions on headers that are not met, each as a line.
    pub(super) wrong_headers: Vec<String>,
    /// Whether the body holds the text that it must contain, and what that is.
    pub(super) body: Option<BodyLook>,
}

/// Whether the body holds what it must.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct BodyLook {
    /// The wanted text.
    pub(super) wanted: String,
    /// It is there.
    pub(super) found: bool,
    /// Only the beginning of the body was read.
    pub(super) cut: bool,
}

/// An endpoint whose redirects were followed.
#[derive(Debug)]
pub(super) struct Followed {
    endpoint: Endpoint,
    look: Look,
    /// The full URL to ask; absent where the walk ended at nothing that can be asked.
    target: Option<String>,
    /// The page at the end.
    page: Option<HttpAnswer>,
}

/// Follows the redirects of an endpoint.
pub(super) async fn followed(
    http: &dyn Http,
    site: &Site,
    endpoint: Endpoint,
    name: String,
    rule: Rule,
) -> Followed {
    let mut look = Look {
        name,
        url: shown_text(&endpoint.url),
        rule,
        api: endpoint.api,
        p95: endpoint.p95,
        walk: None,
        asked: shown_text(&endpoint.url),
        same_as: None,
        tries: Vec::new(),
        samples: None,
    };
    if endpoint.is_redirect() {
        let target = Some(endpoint.url.clone());
        return Followed { endpoint, look, target, page: None };
    }
    let visit = follow(http, site, &endpoint.url).await;
    let last = visit.answers.last();
    let target = match &visit.walk.end {
        _ if visit.walk.hops.len() > HOPS => None,
        End::Page { .. } | End::OffSite { .. } => last.map(|answer| answer.url.clone()),
        End::NoAnswer { fault, .. } => {
            look.tries.push(Seen::Target(fault.clone()));
            let next = last.and_then(HttpAnswer::location).map(String::from);
            Some(next.unwrap_or_else(|| endpoint.url.clone()))
        }
        _ => None,
    };
    if let Some(target) = &target {
        look.asked = shown_text(target);
    }
    let page = visit.page().cloned();
    look.walk = Some(visit.walk);
    Followed { endpoint, look, target, page }
}

impl Followed {
    /// The URL at the end, and the name of this endpoint.
    pub(super) fn end(&self) -> Option<(String, String)> {
        Some((self.target.clone()?, self.look.name.clone()))
    }

    /// Lets an earlier endpoint with the same end stand for this one.
    pub(super) fn stand_in(&mut self, earlier: &[(String, String)]) {
        let same = earlier.iter().find(|(end, _)| Some(end) == self.target.as_ref());
        if let Some((_, name)) = same {
            self.look.same_as = Some(name.clone());
            self.look.tries.clear();
        }
    }

    /// Tries the end, twice where the first try fails, and times it where it answers rightly.
    pub(super) async fn timed(self, http: &dyn Http, samples: usize) -> Look {
        let Self { endpoint, mut look, target, page } = self;
        let Some(target) = target.filter(|_| look.same_as.is_none()) else { return look };
        // A walk that ended without an answer was the first try.
        while look.tries.len() < 2 {
            let seen = attempt(http, &endpoint, &target, page.as_ref()).await;
            let done = match &seen {
                Seen::Ok(facts) => is_right(&look.rule, facts) || facts.challenge.is_some(),
                Seen::Agent(_) => true,
                Seen::Target(_) => false,
            };
            look.tries.push(seen);
            if done {
                break;
            }
        }
        let right = look.tries.last().and_then(Seen::ok);
        if right.is_some_and(|facts| facts.challenge.is_none() && is_right(&look.rule, facts)) {
            look.samples = Some(sample(http, &look.rule, &target, samples).await);
        }
        look
    }
}

fn is_right(rule: &Rule, facts: &Facts) -> bool {
    let body = facts.body.as_ref().is_none_or(|body| body.found);
    rule.allows(facts.status)
        && !facts.is_unconnected(rule)
        && facts.wrong_headers.is_empty()
        && body
}

async fn attempt(
    http: &dyn Http,
    endpoint: &Endpoint,
    url: &str,
    page: Option<&HttpAnswer>,
) -> Seen<Facts> {
    let request = HttpRequest::get(url).unshared().within_ms(REQUEST_MS);
    let seen: Seen<HttpAnswer> = http.send(request).await.map_err(shown_error).into();
    seen.map(|answer| match page {
        // A site that sends visitors without its cookie once round was walked with the cookie.
        Some(page) if answer.is_redirect() => facts(endpoint, page),
        _ => facts(endpoint, &answer),
    })
}

fn facts(endpoint: &Endpoint, answer: &HttpAnswer) -> Facts {
    let wrong = endpoint.headers.iter().filter_map(|(name, wanted)| {
        let name = name.to_ascii_lowercase();
        let wanted_lower = wanted.to_ascii_lowercase();
        if answer.all(&name).any(|value| value.to_ascii_lowercase().contains(&wanted_lower)) {
            return None;
        }
        let seen = match answer.header(&name) {
            None => "absent".to_owned(),
            // A session is nobody's evidence.
            Some(_) if name == "set-cookie" => "present with another value".to_owned(),
            Some(value) => format!("{:?}", clipped(value)),
        };
        let name = clipped(&name);
        Some(if wanted.is_empty() {
            format!("{name}: {seen}")
        } else {
            format!("{name}: {seen}, wanted {:?}", clipped(wanted))
        })
    });
    let body = endpoint.body_contains.as_ref().map(|wanted| BodyLook {
        wanted: clipped(wanted),
        found: answer.text().contains(wanted.as_str()),
        cut: answer.body_cut,
    });
    Facts {
        status: answer.status,
        challenge: challenge(answer),
        unconnected: unconnected(answer),
        json: answer
            .header("content-type")
            .is_some_and(|value| value.to_ascii_lowercase().contains("json")),
        stack: Stack::of(answer),
        wrong_headers: wrong.take(HEADERS).collect(),
        body,
    }
}

/// What a hosting platform answers for a name to which no product is connected.
fn unconnected(answer: &HttpAnswer) -> Option<String> {
    if answer.status < 400 {
        return None;
    }
    // NOT_FOUND is a page that is missing in a product that is there.
    if let Some(code) = answer.header("x-vercel-error").filter(|code| *code != "NOT_FOUND") {
        return Some(format!("x-vercel-error: {}", clipped(code)));
    }
    let header = |name: &str, part: &str| {
        let value = answer.header(name).filter(|value| value.contains(part))?;
        Some(format!("{name}: {}", clipped(value)))
    };
    header("x-render-routing", "no-server")
        .or_else(|| header("x-railway-fallback", "true"))
        .or_else(|| {
            let marks = ["There isn't a GitHub Pages site here", "error-pages/no-such-app"];
            let text = answer.text();
            let mark = marks.into_iter().find(|mark| text.contains(mark))?;
            (answer.status == 404).then(|| format!("a page with “{mark}”"))
        })
}

impl Facts {
    /// Whether the platform says that no product is there, unless the config lists the status.
    pub(super) fn is_unconnected(&self, rule: &Rule) -> bool {
        self.unconnected.is_some() && !matches!(rule, Rule::Listed(_))
    }
}

fn clipped(text: &str) -> String {
    text.chars().take(VALUE_CHARS).collect()
}

/// Asks again and again, one request after the other, on the connection that the tries opened.
async fn sample(http: &dyn Http, rule: &Rule, url: &str, planned: usize) -> Samples {
    let mut samples = Samples { planned, ..Samples::default() };
    let mut spent = 0.0;
    for _ in 0..planned {
        if spent > RUN_MS {
            samples.stopped = Some(Stop::Slow);
            break;
        }
        let request = HttpRequest::get(url).unshared().at_most(TIMED_BYTES).within_ms(REQUEST_MS);
        match http.send(request).await.map_err(shown_error) {
            Ok(answer) => {
                if let Some(sign) = challenge(&answer) {
                    samples.stopped = Some(Stop::Challenged(sign));
                    break;
                }
                let times = answer.timings;
                spent += times.total_ms.max(times.first_byte_ms);
                let count = samples.statuses.entry(answer.status).or_default();
                *count = count.saturating_add(1);
                // A redirect to the same page asks for a cookie, which timed requests do not carry.
                if rule.allows(answer.status) || answer.is_redirect() {
                    let total = times.total_ms - times.connect_ms;
                    samples.keep(times.first_byte_ms, total.max(times.first_byte_ms));
                } else {
                    samples.failed += 1;
                }
            }
            Err(ProbeError::Target(fault)) => {
                if matches!(fault, TargetFault::TimedOut(_)) {
                    // 8000 is exact in a float.
                    spent += f64::from(u32::try_from(REQUEST_MS).unwrap_or(u32::MAX));
                }
                samples.failed += 1;
                if samples.faults.len() < 2 {
                    samples.faults.push(fault.to_string().chars().take(200).collect());
                }
            }
            Err(ProbeError::Agent(fault)) => {
                samples.stopped = Some(Stop::Agent(fault));
                break;
            }
        }
    }
    samples
}

impl Look {
    /// The name in the URL that was asked last.
    pub(super) fn host(&self) -> Option<String> {
        Url::parse(&self.asked).ok()?.host_str().map(str::to_owned)
    }

    /// The platform that answered.
    pub(super) fn stack(&self) -> Stack {
        self.tries.last().and_then(Seen::ok).map(|facts| facts.stack).unwrap_or_default()
    }

    /// Judged as an API.
    pub(super) fn is_api(&self) -> bool {
        self.api || self.tries.last().and_then(Seen::ok).is_some_and(|facts| facts.json)
    }
}
