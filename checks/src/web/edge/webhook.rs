//! Whether the edge network lets a webhook through.

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use url::Url;

use super::WEBHOOK_BLOCKED;
use crate::contract::{Assessment, Bounded, Target, Unseen};
use crate::probe::{AgentFault, Http, HttpAnswer, HttpRequest, Method, ProbeError, TargetFault};
use crate::vendor::by_headers;
use crate::web::headers::is_html;
use crate::web::site::Site;
use crate::web::visit::challenge;
use crate::web::walk::{shown, shown_error, shown_text};

/// The most webhook addresses that are asked.
const HOOKS: usize = 6;

/// One webhook address.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hook {
    url: String,
    outcome: Outcome,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Outcome {
    /// It was not asked, because the domain is not proven to be the user's.
    Unproven,
    /// It was not asked, because it is no address on a host of the project.
    Foreign,
    /// The answer came from the product, whatever it says.
    Reached {
        status: u16,
    },
    /// The edge answered by itself.
    Stopped {
        edge: String,
        sign: String,
    },
    /// It was redirected, which senders of webhooks do not follow.
    Redirected {
        status: u16,
        to: String,
    },
    /// The edge asked us to slow down.
    Limited,
    NoAnswer {
        fault: TargetFault,
    },
    NotSeen {
        fault: AgentFault,
    },
}

/// Sends an empty JSON object to each address, where the domain is proven to be the user's.
pub(super) async fn ask(http: &dyn Http, site: &Site, target: &Target) -> Bounded<Hook> {
    let home = Url::parse(&format!("https://{}/", site.apex)).ok();
    let paths = Bounded::keep(&target.web.webhook_paths, HOOKS);
    let proven = target.ownership.is_proven();
    let hooks = join_all(paths.items.iter().map(async |path| {
        let url = home.as_ref().and_then(|home| home.join(path).ok());
        match url.filter(|url| site.owns(url)) {
            None => Hook { url: shown_text(path), outcome: Outcome::Foreign },
            Some(url) if !proven => Hook { url: shown(&url), outcome: Outcome::Unproven },
            Some(url) => Hook { url: shown(&url), outcome: post(http, &url).await },
        }
    }));
    Bounded { items: hooks.await, cut: paths.cut }
}

async fn post(http: &dyn Http, url: &Url) -> Outcome {
    let answer = http.send(HttpRequest::get(url.as_str()).method(Method::Post)).await;
    match answer.map_err(shown_error) {
        Ok(answer) => outcome(&answer),
        Err(ProbeError::Target(fault)) => Outcome::NoAnswer { fault },
        Err(ProbeError::Agent(fault)) => Outcome::NotSeen { fault },
    }
}

fn outcome(answer: &HttpAnswer) -> Outcome {
    let edge = by_headers(&answer.headers).filter(|platform| platform.is_edge);
    let name = edge.map_or("the edge network", |platform| platform.name).to_owned();
    let status = answer.status;
    if status == 429 {
        return Outcome::Limited;
    }
    if let Some(sign) = challenge(answer) {
        return Outcome::Stopped { edge: name, sign };
    }
    if answer.is_redirect() {
        let to = answer.header("location").unwrap_or_default();
        let to = answer.location().map_or_else(|| shown_text(to), |url| shown(&url));
        return Outcome::Redirected { status, to };
    }
    // The page that Vercel shows in front of protected deployments sets this cookie.
    if status == 401 && answer.all("set-cookie").any(|c| c.starts_with("_vercel_sso_nonce")) {
        let sign = "401 with the sign-in of Deployment Protection".to_owned();
        return Outcome::Stopped { edge: "Vercel".to_owned(), sign };
    }
    // Cloudflare's own block page; a product refuses an unsigned call with words of its own.
    let text = answer.text().to_lowercase();
    let words = ["attention required! | cloudflare", "just a moment...", "cf-error-details"];
    let block_page = is_html(answer) && words.iter().any(|word| text.contains(word));
    if edge.is_some() && matches!(status, 403 | 503) && block_page {
        return Outcome::Stopped { edge: name, sign: format!("{status} with its own block page") };
    }
    Outcome::Reached { status }
}

/// Why a webhook is not asked.
const UNPROVEN: &str = "the domain is not proven to be yours, so nothing is sent to it";

pub(super) fn judge(hooks: &Bounded<Hook>, target: &Target, out: &mut Assessment) {
    for hook in &hooks.items {
        let url = &hook.url;
        let part = format!("a webhook at {url}");
        let (summary, saw) = match &hook.outcome {
            Outcome::Reached { .. } => continue,
            Outcome::Unproven => {
                out.not_checked(
                    Unseen::Noted,
                    part,
                    target.ownership.reason(UNPROVEN),
                    target.ownership.unlock(&target.domain),
                );
                continue;
            }
            Outcome::Foreign => {
                out.not_checked(
                    Unseen::Noted,
                    part,
                    "it is no address on a host of the project, so nothing is sent to it",
                    "name a path, or the full address on a host of the project, in webhook_paths",
                );
                continue;
            }
            Outcome::Limited => {
                let reason = "it answers 429 (too many requests)";
                out.not_checked(Unseen::Condition, part, reason, "wait, then run it again");
                continue;
            }
            Outcome::NoAnswer { fault } => {
                let unlock = "fix what web-uptime finds first, then run it again";
                out.not_checked(Unseen::Condition, part, fault.to_string(), unlock);
                continue;
            }
            Outcome::NotSeen { fault } => {
                out.not_checked(Unseen::Condition, part, fault.to_string(), fault.unlock());
                continue;
            }
            Outcome::Stopped { edge, sign } => (
                format!("{edge} stops a POST to {url} before the product sees it."),
                format!("POST {{}} to {url} → {sign}"),
            ),
            Outcome::Redirected { status, to } => (
                format!("A POST to {url} is redirected, and senders of webhooks do not follow."),
                format!("POST {{}} to {url} → {status} {to}"),
            ),
        };
        out.find(
            WEBHOOK_BLOCKED
                .finding(url)
                .summary(summary)
                .saw(saw)
                .fix(format!(
                    "Let POST requests to {url} through unchanged. On Cloudflare: Security → WAF → \
                     Custom rules → a rule for this path with the action Skip, Bot Fight Mode \
                     included, and no redirect rule for it. On Vercel: Settings → Deployment \
                     Protection must not cover the production domain. Where it is redirected, enter \
                     the final address at the sender. The signature of the webhook is what protects \
                     it."
                ))
                .undo("Delete the rule again."),
        );
    }
    if hooks.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("{} more webhook addresses", hooks.cut),
            format!("one run asks {HOOKS}"),
            "declare the others in a project of their own",
        );
    }
}
