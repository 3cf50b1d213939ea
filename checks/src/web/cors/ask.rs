//! Asks one address in the name of strangers.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use url::Url;

use super::name_of;
use crate::contract::Target;
use crate::probe::{Http, HttpAnswer, HttpRequest, Method, Seen};
use crate::suffix::registrable;
use crate::vendor::by_headers;
use crate::web::headers::is_html;
use crate::web::visit::challenge;
use crate::web::walk::shown_error;

/// A site that nobody has: the name is reserved (RFC 2606).
pub(super) const STRANGER: &str = "https://launchready-foreign-origin.example";
/// The most bytes of an answer that are read; the head is what counts.
const BODY_BYTES: usize = 4096;
/// The most characters of a header that are kept.
const VALUE_CHARS: usize = 160;

/// Who is said to ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Asker {
    /// Nobody: no `Origin` header.
    Nobody,
    /// A site that has nothing to do with the project.
    Stranger,
    /// A stranger whose name begins with that of the project.
    LookAlike,
    /// A stranger whose name ends with that of the project.
    Suffix,
    /// A sandboxed frame or a local file, which browsers call `null`.
    Null,
}

impl Asker {
    /// The value of the `Origin` header.
    pub(super) fn origin(self, domain: &str) -> Option<String> {
        match self {
            Self::Nobody => None,
            Self::Stranger => Some(STRANGER.to_owned()),
            Self::LookAlike => Some(format!("https://{domain}.launchready-foreign-origin.example")),
            // Below the registrable domain it would be a host of the project.
            Self::Suffix => Some(format!("https://evil{}", registrable(domain).unwrap_or(domain))),
            Self::Null => Some("null".to_owned()),
        }
    }
}

/// What an address said to one asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Said {
    /// Who asked.
    pub(super) asker: Asker,
    /// How.
    pub(super) method: Method,
    /// The status of the answer.
    pub(super) status: u16,
    /// Its `Access-Control-Allow-Origin`; browsers refuse more than one, which is then joined.
    pub(super) allow_origin: Option<String>,
    /// Its `Access-Control-Allow-Credentials`.
    pub(super) allow_credentials: Option<String>,
}

/// One address and what it said to each asker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Subject {
    /// The address, as it may be shown.
    pub(super) url: String,
    /// It was declared as a function that browsers call.
    pub(super) is_function: bool,
    /// Supabase runs it, and it is no function of the project.
    pub(super) is_vendors: bool,
    /// Without an origin it answers 401 or 403, or JSON.
    pub(super) is_private: bool,
    /// An edge network answered in its place.
    pub(super) challenge: Option<String>,
    /// The answers, in a fixed order.
    pub(super) said: Vec<Seen<Said>>,
}

/// Asks an address with GET and with a browser's preflight.
pub(super) async fn subject(
    http: &dyn Http,
    target: &Target,
    url: &str,
    is_function: bool,
) -> Subject {
    let get = |asker| (Method::Get, asker);
    let preflight = |asker| (Method::Options, asker);
    let questions = [
        get(Asker::Nobody),
        get(Asker::Stranger),
        get(Asker::LookAlike),
        get(Asker::Suffix),
        get(Asker::Null),
        preflight(Asker::Stranger),
        preflight(Asker::Null),
    ];
    let asked = questions.map(async |(method, asker)| {
        // The plain request is the one that other checks make too.
        let mut request = HttpRequest::get(url).method(method);
        if let Some(origin) = asker.origin(&target.domain) {
            request = request.at_most(BODY_BYTES).header("origin", origin);
        }
        if method == Method::Options {
            request = request
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization, content-type");
        }
        (method, asker, http.send(request).await.map_err(shown_error))
    });
    let answers = join_all(asked).await;
    let plain = answers
        .iter()
        .find_map(|(_, asker, answer)| answer.as_ref().ok().filter(|_| *asker == Asker::Nobody));
    let parsed = Url::parse(url).ok();
    let path = parsed.as_ref().map(Url::path).unwrap_or_default();
    let at_supabase =
        parsed.as_ref().and_then(Url::host_str).is_some_and(|host| host.ends_with(".supabase.co"))
            || answers.iter().filter_map(|(_, _, answer)| answer.as_ref().ok()).any(|answer| {
                answer.header("sb-project-ref").is_some()
                    || by_headers(&answer.headers)
                        .is_some_and(|platform| platform.name == "Supabase")
            });
    Subject {
        url: name_of(url),
        is_function,
        is_vendors: at_supabase && !path.starts_with("/functions/v1/"),
        is_private: plain.is_some_and(is_private),
        challenge: plain.and_then(challenge),
        said: answers
            .into_iter()
            .map(|(method, asker, answer)| {
                Seen::from(answer).map(|answer| said(asker, method, &answer))
            })
            .collect(),
    }
}

/// Whether an answer is meant for somebody: it asks who is there, or is data.
fn is_private(answer: &HttpAnswer) -> bool {
    let json = answer
        .header("content-type")
        .is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    json || (matches!(answer.status, 401 | 403) && !is_html(answer))
}

fn said(asker: Asker, method: Method, answer: &HttpAnswer) -> Said {
    let joined = |name: &str| {
        let values: Vec<_> = answer.all(name).map(str::trim).collect();
        (!values.is_empty()).then(|| values.join(", ").chars().take(VALUE_CHARS).collect())
    };
    Said {
        asker,
        method,
        status: answer.status,
        allow_origin: joined("access-control-allow-origin"),
        allow_credentials: joined("access-control-allow-credentials"),
    }
}
