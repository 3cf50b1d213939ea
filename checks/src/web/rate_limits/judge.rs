//! Judges what sensitive endpoints and private routes answered.

use super::knock::{KnockEnd, Knocks};
use super::private::Route;
use super::{MISSING, OPEN};
use crate::contract::{Assessment, Unseen};
use crate::web::walk::End;

/// Judges one sensitive endpoint.
pub(super) fn limit(knocks: &Knocks, out: &mut Assessment) {
    match unproven(knocks) {
        Some(Some((reason, unlock))) => {
            let part = format!("rate limit of {}", knocks.name);
            out.not_checked(Unseen::Condition, part, reason, unlock);
        }
        Some(None) => missing(knocks, out),
        None => {}
    }
}

/// `None` when a limit was seen; else why its absence is not proven, if it is not.
#[allow(clippy::option_option, reason = "no finding, a finding, and not proven are three answers")]
fn unproven(knocks: &Knocks) -> Option<Option<(String, String)>> {
    let asked = &knocks.asked;
    let made = format!("{} of {} requests were made", knocks.answered, knocks.planned);
    let because = |reason: String, unlock: &str| Some(Some((reason, unlock.to_owned())));
    match &knocks.end {
        KnockEnd::Limited(_) => return None,
        KnockEnd::Unavailable => {
            return because(
                format!(
                    "{asked} answers 503 at request {}, which is a rate limit or an overload",
                    knocks.answered
                ),
                "have the limiter answer 429; in nginx that is `limit_req_status 429;`",
            );
        }
        KnockEnd::Slow => {
            return because(
                format!("{asked} answers slowly: {made}"),
                "lower `requests` under [checks.web-rate-limits]",
            );
        }
        KnockEnd::NoAnswer(fault) => {
            return because(
                format!("{fault}; {made}"),
                "fix what web-uptime finds first, then run it again",
            );
        }
        KnockEnd::NotSeen(fault) => return because(format!("{fault}; {made}"), fault.unlock()),
        KnockEnd::All => {}
    }
    if knocks.answered == 0 {
        return because("no request was made".to_owned(), "set `requests` to 1 or more");
    }
    let always = |status: u16| format!("{asked} answers {status} every time");
    match knocks.only_status() {
        Some(status @ 300..=399) => because(
            format!("{}, a redirect", always(status)),
            "write the URL to which it redirects",
        ),
        Some(404 | 410) => because(
            "no such address answers: 404 every time".to_owned(),
            "correct `url` of the endpoint",
        ),
        Some(405) => because(always(405), "set `method` of the endpoint to \"post\" or \"get\""),
        Some(403) => because(
            format!("{}, before any limit could count", always(403)),
            "name an address that a visitor without a session may ask",
        ),
        Some(401) if knocks.is_supabase => because(
            format!("{}: the gateway of Supabase wants a key first", always(401)),
            "read the limits in Supabase under Authentication → Rate Limits",
        ),
        Some(status @ 500..) => because(
            always(status),
            "fix the endpoint so that it answers `{}` without an error of the server",
        ),
        _ => Some(None),
    }
}

fn missing(knocks: &Knocks, out: &mut Assessment) {
    let path = &knocks.path;
    let finding = MISSING
        .finding(&knocks.asked)
        .summary(format!(
            "{} was answered {} times in a row without a 429 (too many requests).",
            knocks.asked, knocks.answered
        ))
        .saw(knocks.line());
    let finding = match &knocks.announced {
        Some(line) => finding.saw(format!("the answers announce {line}")),
        None => finding,
    };
    out.find(
        finding
            .fix(format!(
                "Limit {path} to about 5 requests a minute for each address. On Cloudflare: Security \
                 → Security rules → Create → Rate limiting rule, with URI Path equals {path}, action \
                 Block, status 429. On Vercel: Firewall → Add New → Rule, with Request Path equals \
                 {path}, then Rate Limit. In your own code count per address and account, for \
                 instance with @upstash/ratelimit, and answer 429 with Retry-After. Where a higher \
                 limit is meant, raise `requests` above it."
            ))
            .undo("Delete the rule, or raise its number."),
    );
}

/// Judges one private route.
pub(super) fn private(route: &Route, out: &mut Assessment) {
    let part = format!("private route {}", route.url);
    match (&route.walk.end, &route.page) {
        // A route that is refused, missing or redirects elsewhere is closed.
        (End::Page { status, .. }, None) if *status < 500 => {}
        (End::OffSite { .. }, _) => {}
        (End::Page { .. }, Some(page)) => {
            if !route.stayed || page.signs_in || page.refuses {
                return;
            }
            if page.is_shell || page.bytes == 0 || page.is_fallback {
                let what = if page.bytes == 0 {
                    "it answers nothing at all"
                } else if page.is_shell {
                    "it answers an empty frame that a script fills"
                } else {
                    "it answers the same as the home page or an address that does not exist"
                };
                let reason = format!("{what}, so the data behind it comes from an API");
                let unlock = "name the URL of that API under `private` instead";
                out.not_checked(Unseen::Noted, part, reason, unlock);
                return;
            }
            if page.is_empty {
                let reason =
                    "it answers JSON without any value, which shows nothing and proves nothing";
                let unlock = "name a URL under `private` that holds data whenever it is open";
                out.not_checked(Unseen::Condition, part, reason, unlock);
                return;
            }
            let url = &route.url;
            out.find(
                OPEN.finding(url)
                    .summary(format!("{url} answers 200 to a visitor who is not signed in."))
                    .saw_all(route.walk.lines())
                    .saw(format!(
                        "{} bytes of {}, no sign-in form",
                        page.bytes,
                        if page.content_type.is_empty() {
                            "no stated type"
                        } else {
                            &page.content_type
                        }
                    ))
                    .fix(format!(
                        "Check the session on the server before {url} is rendered: in Next.js in \
                         middleware.ts and again in the page or route handler, in Supabase by \
                         auth.getUser() and row-level security. Answer 401, or redirect to the \
                         sign-in page. Then look through the access log for strangers who read it."
                    ))
                    .undo(format!(
                        "Take the session check out again, or take {url} out of `private` if it is \
                         meant to be public."
                    )),
            );
        }
        (end, _) => {
            if let Some((reason, unlock)) = end.unread() {
                out.not_checked(Unseen::Condition, part, reason, unlock);
            }
        }
    }
}
