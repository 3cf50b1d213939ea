//! Walks: the redirects of a visit and its end, as they stand in evidence.

use serde::{Deserialize, Serialize};
use url::Url;

use super::visit::HOPS;
use crate::probe::{AgentFault, ProbeError, TargetFault};

/// The most characters of a URL that are kept.
pub(super) const URL_CHARS: usize = 120;
/// The most characters of the detail of a fault that are kept.
pub(super) const FAULT_CHARS: usize = 120;
/// Query values longer than this are one-time tokens and are not kept.
const VALUE_CHARS: usize = 24;

/// One redirect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hop {
    /// The URL that was asked, as [`shown`] writes it.
    pub(super) url: String,
    /// The status of the answer.
    pub(super) status: u16,
}

/// One redirect with both of its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step<'a> {
    /// The URL that was asked.
    pub(super) from: &'a str,
    /// The status of the answer.
    pub(super) status: u16,
    /// Where it leads.
    pub(super) to: &'a str,
}

impl Step<'_> {
    /// The redirect in one line of evidence.
    pub(super) fn line(&self) -> String {
        format!("{} → {} {}", self.from, self.status, self.to)
    }
}

/// How a visit ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum End {
    /// At an answer that is no redirect, whatever its status.
    Page { url: String, status: u16 },
    /// At an edge network that asks for a proof of humanity, or to slow down.
    Challenged { url: String, sign: String },
    /// At a URL that was asked before.
    Loop { url: String },
    /// After ten redirects, at a URL that was not asked any more.
    TooMany { url: String },
    /// At a redirect to somebody else's site, which was not asked.
    OffSite { url: String },
    /// At a redirect that no visitor can follow.
    Nowhere { url: String, location: String },
    /// At a URL that does not answer.
    NoAnswer { url: String, fault: TargetFault },
    /// At a URL that we could not ask.
    NotSeen { url: String, fault: AgentFault },
}

/// The redirects of a visit and its end, as they stand in evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    /// The first URL.
    pub(super) start: String,
    /// The redirects in order, at most ten.
    pub(super) hops: Vec<Hop>,
    /// How it ended.
    pub(super) end: End,
}

impl Walk {
    /// The URL and status of the page at the end, if there is one.
    pub(super) fn page(&self) -> Option<(&str, u16)> {
        if let End::Page { url, status } = &self.end { Some((url, *status)) } else { None }
    }

    /// The redirects, each with both ends.
    pub(super) fn steps(&self) -> impl Iterator<Item = Step<'_>> {
        let next = self.hops.iter().skip(1).map(|hop| hop.url.as_str()).chain([self.end.url()]);
        self.hops.iter().zip(next).map(|(hop, to)| Step { from: &hop.url, status: hop.status, to })
    }

    /// The redirects and the end, one line each, for evidence.
    pub(super) fn lines(&self) -> Vec<String> {
        self.steps().map(|step| step.line()).chain([self.end.line()]).collect()
    }
}

impl End {
    /// The end at a URL that gave no answer, and why.
    pub(super) fn of_fault(url: &str, error: ProbeError) -> Self {
        let url = shown_text(url);
        match shown_error(error) {
            ProbeError::Target(fault) => Self::NoAnswer { url, fault },
            ProbeError::Agent(fault) => Self::NotSeen { url, fault },
        }
    }

    /// The same end with the detail of a fault in the target cut to so many characters.
    pub(super) fn cut_fault(self, characters: usize) -> Self {
        match self {
            Self::NoAnswer { url, fault } => {
                let fault = detailed(fault, |detail| front(detail.to_owned(), characters));
                Self::NoAnswer { url, fault }
            }
            other => other,
        }
    }

    /// Whether the end is an answer of the site itself.
    pub(super) fn answered(&self) -> bool {
        !matches!(self, Self::Challenged { .. } | Self::NoAnswer { .. } | Self::NotSeen { .. })
    }

    /// The URL at the end, asked or not.
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Page { url, .. }
            | Self::Challenged { url, .. }
            | Self::Loop { url }
            | Self::TooMany { url }
            | Self::OffSite { url }
            | Self::Nowhere { url, .. }
            | Self::NoAnswer { url, .. }
            | Self::NotSeen { url, .. } => url,
        }
    }

    /// The end in one line of evidence.
    pub(super) fn line(&self) -> String {
        match self {
            Self::Page { url, status } => format!("{url} → {status}"),
            Self::Challenged { url, sign } => format!("{url} → {sign}"),
            Self::Loop { url } => format!("{url} was asked before"),
            Self::TooMany { url } => format!("{url} was not asked any more"),
            Self::OffSite { url } => format!("{url} is another site and was not asked"),
            Self::Nowhere { url, location } => format!("{url} → Location: {location:?}"),
            Self::NoAnswer { url, fault } => format!("{url} → {fault}"),
            Self::NotSeen { url, fault } => format!("{url} → {fault}"),
        }
    }

    /// Why there is no page to judge, and the step that unlocks it; `None` at a page with a status
    /// from 200 to 299.
    pub(super) fn unread(&self) -> Option<(String, String)> {
        let uptime = || "fix what web-uptime finds first, then run it again".to_owned();
        let redirects = || "fix what web-redirects finds first, then run it again".to_owned();
        Some(match self {
            Self::Page { status: 200..=299, .. } => return None,
            Self::Page { url, status } => (format!("{url} answers {status}"), uptime()),
            Self::Challenged { url, sign } => (
                format!("{url} answers {sign} in place of the page"),
                "let the address of this machine through at the edge, or run it from another one"
                    .to_owned(),
            ),
            Self::Loop { url } => (format!("{url} redirects in a loop"), redirects()),
            Self::TooMany { url } => (format!("{HOPS} redirects lead to {url}"), redirects()),
            Self::OffSite { url } => (
                format!("the visit ends at another site, {url}"),
                "name that host under hosts in the config, or audit it by itself".to_owned(),
            ),
            Self::Nowhere { url, .. } => {
                (format!("{url} redirects to no usable address"), redirects())
            }
            Self::NoAnswer { url, fault } => (format!("{url} does not answer: {fault}"), uptime()),
            Self::NotSeen { url, fault } => (format!("{url}: {fault}"), fault.unlock().to_owned()),
        })
    }
}

/// A URL as it may stand in evidence: without user, password and fragment, long query values
/// replaced by `…`, at most 120 characters.
pub(super) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_fragment(None);
    // Both fail only for URLs without a host, which have neither.
    let _no_host = url.set_username("");
    let _no_host = url.set_password(None);
    let query = url.query().map(shown_query);
    url.set_query(None);
    let text = match query {
        Some(query) => format!("{url}?{query}"),
        None => url.to_string(),
    };
    front(text, URL_CHARS)
}

fn shown_query(query: &str) -> String {
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, value)) if value.chars().count() > VALUE_CHARS => format!("{name}=…"),
        _ if pair.chars().count() > 2 * VALUE_CHARS => "…".to_owned(),
        _ => pair.to_owned(),
    });
    pairs.collect::<Vec<_>>().join("&")
}

fn front(text: String, characters: usize) -> String {
    if text.chars().count() > characters {
        text.chars().take(characters).chain(['…']).collect()
    } else {
        text
    }
}

/// [`shown`] for the text of a URL, also of a relative or a broken one.
pub(super) fn shown_text(text: &str) -> String {
    if let Ok(url) = Url::parse(text) {
        return shown(&url);
    }
    let text = text.split('#').next().unwrap_or_default();
    let (path, query) = text.split_once('?').unzip();
    let path = path.unwrap_or(text);
    // What stands between the slashes and an `@` is a user with a password.
    let path = match path.split_once("//") {
        Some((scheme, rest)) => {
            let (host, way) = rest.split_once('/').unzip();
            let host = host.unwrap_or(rest).rsplit('@').next().unwrap_or_default();
            let way = way.map(|way| format!("/{way}")).unwrap_or_default();
            format!("{scheme}//{host}{way}")
        }
        None => path.to_owned(),
    };
    let query = query.map(|query| format!("?{}", shown_query(query))).unwrap_or_default();
    front(format!("{path}{query}"), URL_CHARS)
}

/// A fault as it may stand in evidence: the URLs in its detail as [`shown`] writes them, at most
/// [`FAULT_CHARS`] characters.
pub(super) fn shown_error(error: ProbeError) -> ProbeError {
    match error {
        ProbeError::Target(fault) => ProbeError::Target(detailed(fault, shown_detail)),
        ProbeError::Agent(fault) => ProbeError::Agent(match fault {
            AgentFault::NoNetwork(detail) => AgentFault::NoNetwork(shown_detail(&detail)),
            AgentFault::NoResolver(detail) => AgentFault::NoResolver(shown_detail(&detail)),
            AgentFault::RateLimited(detail) => AgentFault::RateLimited(shown_detail(&detail)),
            AgentFault::TimeLimit(detail) => AgentFault::TimeLimit(shown_detail(&detail)),
            AgentFault::Refused(detail) => AgentFault::Refused(shown_detail(&detail)),
            other => other,
        }),
    }
}

/// A fault with another detail.
fn detailed(fault: TargetFault, text: impl Fn(&str) -> String) -> TargetFault {
    use TargetFault as Fault;
    match fault {
        Fault::Unresolvable(detail) => Fault::Unresolvable(text(&detail)),
        Fault::Refused(detail) => Fault::Refused(text(&detail)),
        Fault::TimedOut(detail) => Fault::TimedOut(text(&detail)),
        Fault::Tls(detail) => Fault::Tls(text(&detail)),
        Fault::Malformed(detail) => Fault::Malformed(text(&detail)),
        Fault::TooLarge(detail) => Fault::TooLarge(text(&detail)),
        Fault::PrivateAddress(detail) => Fault::PrivateAddress(text(&detail)),
    }
}

fn shown_detail(detail: &str) -> String {
    let words = detail.split(' ').map(|word| {
        let bare = word.trim_start_matches('"').trim_end_matches(['"', ':', ',', ';']);
        if bare.contains("://") {
            word.replacen(bare, &shown_text(bare), 1)
        } else {
            word.to_owned()
        }
    });
    front(words.collect::<Vec<_>>().join(" "), FAULT_CHARS)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_and_tokens_are_not_shown() {
        let url = Url::parse("https://me:secret@a.example/p?state=0123456789012345678901234&q=1#t");
        assert_eq!(shown(&url.unwrap()), "https://a.example/p?state=…&q=1");
    }

    #[test]
    fn tokens_are_not_shown_in_relative_and_broken_targets_nor_in_faults() {
        let token = "SECRETTOKEN0123456789012345678901234567890";
        assert_eq!(shown_text(&format!("/cb?code={token}&a=1#{token}")), "/cb?code=…&a=1");
        let broken = format!("http://me:secret@[bad/cb?code={token}");
        assert_eq!(shown_text(&broken), "http://[bad/cb?code=…");
        let url = format!("https://a.example/cb?code={token}");
        for detail in [url.clone(), format!("{url}: no head"), format!("{url:?} is no web address")]
        {
            let error = shown_error(TargetFault::TimedOut(detail).into());
            assert!(error.to_string().contains("https://a.example/cb?code=…"), "{error}");
            assert!(!error.to_string().contains("SECRET"), "{error}");
        }
        let long = shown_error(TargetFault::Tls("x".repeat(400)).into()).to_string();
        assert!(long.chars().count() < FAULT_CHARS + 40, "{long}");
    }

    proptest! {
        #[test]
        fn any_location_is_shown_without_panic_and_bounded(text in ".{0,400}") {
            prop_assert!(shown_text(&text).chars().count() <= URL_CHARS + 1);
        }
    }
}
