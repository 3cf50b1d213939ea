//! Judges whether an endpoint is up and answers rightly.

use jiff::SignedDuration;

use super::look::{Facts, HOPS, Look};
use super::{
    DOWN, ERROR_RATE, UNSTEADY, UP, Uptime, WRONG_BODY, WRONG_HEADER, WRONG_STATUS, response,
};
use crate::contract::{AssessCx, Assessment, Finding, Ratio, Unseen};
use crate::probe::{HostLook, Seen, TargetFault};
use crate::web::recipe::Stack;
use crate::web::walk::End;

const RESOLUTION_FIRST: &str = "fix dns-resolution first";
const EDGE: &str =
    "let the address of this machine through at the edge, or run it from another one";

/// Judges one endpoint: `Some(true)` when it is up, `None` when that was not seen.
pub(super) fn judge(look: &Look, cx: &AssessCx<'_, Uptime>, out: &mut Assessment) -> Option<bool> {
    let part = || look.name.clone();
    if let Some((unseen, reason, unlock)) = unreached(look) {
        out.not_checked(unseen, part(), reason, unlock);
        return None;
    }
    match look.tries.last()? {
        Seen::Agent(fault) => {
            out.not_checked(Unseen::Blocks, part(), fault.to_string(), fault.unlock());
            None
        }
        Seen::Target(fault) => no_answer(look, fault, cx, out),
        Seen::Ok(facts) => answer(look, facts, cx, out),
    }
}

/// Why the redirects led to nothing that could be tried.
fn unreached(look: &Look) -> Option<(Unseen, String, String)> {
    let walk = look.walk.as_ref()?;
    let unseen = match walk.end {
        End::NotSeen { .. } => Unseen::Blocks,
        End::Challenged { .. } | End::Loop { .. } | End::TooMany { .. } | End::Nowhere { .. } => {
            Unseen::Condition
        }
        _ if walk.hops.len() > HOPS => {
            let reason = format!("{} redirects lead to {}", walk.hops.len(), walk.end.url());
            let unlock = "fix what web-redirects finds first, then run it again".to_owned();
            return Some((Unseen::Condition, reason, unlock));
        }
        _ => return None,
    };
    let (reason, unlock) = walk.end.unread()?;
    Some((unseen, reason, unlock))
}

fn no_answer(
    look: &Look,
    fault: &TargetFault,
    cx: &AssessCx<'_, Uptime>,
    out: &mut Assessment,
) -> Option<bool> {
    let resolution = matches!(fault, TargetFault::Unresolvable(_));
    let declared = look.host().is_some_and(|host| cx.target.declared_hosts().contains(&host));
    if resolution && declared {
        out.not_checked(Unseen::Condition, &look.name, fault.to_string(), RESOLUTION_FIRST);
        return None;
    }
    if let TargetFault::TooLarge(_) = fault {
        let unlock = "send fewer or shorter headers; cookies are the usual cause";
        out.not_checked(Unseen::Condition, &look.name, fault.to_string(), unlock);
        return None;
    }
    let how = match fault {
        TargetFault::TimedOut(_) => "does not answer in time",
        TargetFault::Tls(_) => "breaks off the encrypted connection",
        TargetFault::Malformed(_) => "answers with something that is no web page",
        TargetFault::Unresolvable(_) => "has no address",
        TargetFault::PrivateAddress(_) => "leads to a private address that no visitor can reach",
        TargetFault::Refused(_) | TargetFault::TooLarge(_) => "refuses the connection",
    };
    out.find(down(look, format!("{} {how}.", look.asked)));
    Some(false)
}

fn answer(
    look: &Look,
    facts: &Facts,
    cx: &AssessCx<'_, Uptime>,
    out: &mut Assessment,
) -> Option<bool> {
    if let Some(sign) = &facts.challenge {
        let reason = format!("{} answers {sign} in place of the page", look.asked);
        out.not_checked(Unseen::Condition, &look.name, reason, EDGE);
        return None;
    }
    let asked = &look.asked;
    if let Some(sign) = facts.unconnected.as_ref().filter(|_| facts.is_unconnected(&look.rule)) {
        out.find(unconnected(look, facts, sign));
        return Some(false);
    }
    if !look.rule.allows(facts.status) {
        if facts.status >= 500 {
            out.find(down(
                look,
                format!("{asked} answers {}, an error of the server.", facts.status),
            ));
        } else {
            out.find(wrong_status(look, facts));
        }
        return Some(false);
    }
    let mut up = Some(true);
    if !facts.wrong_headers.is_empty() {
        up = Some(false);
        let summary = format!(
            "{asked} answers {} without {} of the headers that were declared.",
            facts.status,
            facts.wrong_headers.len()
        );
        let fix = "Set the header where the address is served and redeploy, or correct `headers` of \
                   the endpoint in the config.";
        let finding = WRONG_HEADER.finding(asked).summary(summary).saw_all(&facts.wrong_headers);
        out.find(finding.saw_all(tries(look)).fix(fix).undo("Take the header out again."));
    }
    match &facts.body {
        Some(body) if !body.found && body.cut => {
            up = up.filter(|up| !*up);
            out.not_checked(
                Unseen::Condition,
                format!("body of {}", look.name),
                "the body is longer than 2 MiB, and its beginning does not hold the wanted text",
                "choose a text that stands earlier, or a smaller page",
            );
        }
        Some(body) if !body.found => {
            up = Some(false);
            let finding = WRONG_BODY
                .finding(asked)
                .summary(format!(
                    "{asked} answers {} without the text {:?}.",
                    facts.status, body.wanted
                ))
                .saw_all(tries(look))
                .saw(format!("the body does not contain {:?}", body.wanted));
            out.find(finding.fix(rollback(look)).undo(FORWARD));
        }
        _ => {}
    }
    unsteady(look, out);
    response::judge(look, cx.options, out);
    up
}

fn down(look: &Look, summary: String) -> Finding {
    let finding = DOWN.finding(&look.asked).summary(summary).saw_all(tries(look));
    finding.saw("seen from this machine").fix(rollback(look)).undo(FORWARD)
}

fn wrong_status(look: &Look, facts: &Facts) -> Finding {
    let wanted = look.rule.words();
    WRONG_STATUS
        .finding(&look.asked)
        .summary(format!("{} answers {}, where {wanted} is right.", look.asked, facts.status))
        .saw_all(tries(look))
        .fix(format!(
            "{} Where {} is the right answer, set `status = [{}]` for the endpoint in the config.",
            rollback(look),
            facts.status,
            facts.status
        ))
        .undo(FORWARD)
}

fn unconnected(look: &Look, facts: &Facts, sign: &str) -> Finding {
    let host = look.host().unwrap_or_default();
    WRONG_STATUS
        .finding(&look.asked)
        .summary(format!(
            "{} answers {}: the hosting platform has no product for {host}.",
            look.asked, facts.status
        ))
        .saw_all(tries(look))
        .saw(sign)
        .fix(format!(
            "Open the project at the hosting platform, add {host} under its domains (Vercel: Settings \
             → Domains) and see that its production deployment is live; or delete the DNS record of \
             {host} if nothing is meant to be there."
        ))
        .undo(format!("Remove {host} from the project's domains again."))
}

/// Redirects and tries, one line each.
fn tries(look: &Look) -> Vec<String> {
    let steps = look.walk.iter().flat_map(|walk| walk.steps().map(|step| step.line()));
    let tried = look.tries.iter().enumerate().map(|(n, seen)| {
        let outcome = match seen {
            Seen::Ok(facts) => facts.status.to_string(),
            Seen::Target(fault) => fault.to_string(),
            Seen::Agent(fault) => fault.to_string(),
        };
        format!("try {}: GET {} → {outcome}", n + 1, look.asked)
    });
    steps.chain(tried).collect()
}

const FORWARD: &str = "Deploy the newer version again once it works.";

fn rollback(look: &Look) -> String {
    let vercel = "in Vercel open Deployments, the last one that worked, ⋯ → Instant Rollback";
    let netlify = "in Netlify open Deploys, the last one that worked, → Publish deploy";
    let pages = "on Cloudflare Pages open Deployments, the last one that worked, ⋯ → Rollback to \
                 this deployment";
    let how = match look.stack() {
        Stack::Vercel => vercel.to_owned(),
        Stack::Netlify => netlify.to_owned(),
        Stack::Cloudflare => format!("{pages}; behind the proxy, look at the server itself"),
        Stack::Other => format!("{vercel}; {netlify}; {pages}"),
    };
    format!(
        "Run `curl -i {}` from another network, then read the log of the last deployment and the \
         status page of the host. To go back to the last version that worked: {how}.",
        look.asked
    )
}

/// Several failures among the requests of one run; a single one may be the network's.
fn unsteady(look: &Look, out: &mut Assessment) {
    let Some(samples) = &look.samples else { return };
    let failed = samples.failed + look.tries.len().saturating_sub(1);
    if failed < 2 {
        return;
    }
    let made = samples.failed + samples.total.len() + look.tries.len();
    let finding = UNSTEADY
        .finding(&look.asked)
        .summary(format!("{failed} of {made} requests to {} fail.", look.asked))
        .saw_all(tries(look))
        .saw(samples.answers())
        .saw_all(&samples.faults);
    out.find(
        finding
            .fix(format!(
                "Find the failing requests of this minute in the log of {}: time-outs of a cold or \
                 overloaded function, a full database connection pool and one broken server of \
                 several are the usual causes. Behind Supabase, connect through the pooler (port \
                 6543).",
                look.asked
            ))
            .undo("Set the connection string or the size of the function back to its old value."),
    );
}

/// Judges the failures of the last 24 hours, this look included.
pub(super) fn error_rates(
    ups: &[(&str, Option<bool>)],
    cx: &AssessCx<'_, Uptime>,
    out: &mut Assessment,
) {
    let since = cx.now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(cx.now);
    let wanted = usize::try_from(cx.options.error_rate_looks).unwrap_or(usize::MAX);
    let mut least: Option<usize> = None;
    for (name, now) in ups {
        let earlier = cx.history.of(UP.name).iter().filter(|point| {
            point.at > since && point.at < cx.now && point.subject.as_deref() == Some(*name)
        });
        let looks: Vec<bool> = earlier.map(|point| point.value >= 0.5).chain(*now).collect();
        least = Some(least.map_or(looks.len(), |least| least.min(looks.len())));
        let failures = looks.iter().filter(|up| !**up).count();
        let rate = ratio(failures, looks.len());
        let enough = u32::try_from(failures).is_ok_and(|n| n < cx.options.error_rate_failures);
        if looks.len() < wanted || enough || rate <= cx.options.error_rate_warning.0 {
            continue;
        }
        let percent = Ratio((rate * 1e4).round() / 1e4);
        out.find(
            ERROR_RATE
                .finding(*name)
                .summary(format!(
                    "{name} failed {failures} of {} looks of the last 24 hours ({percent}); the \
                     threshold is {}.",
                    looks.len(),
                    cx.options.error_rate_warning
                ))
                .saw(format!("{failures} of {} looks failed, seen from this machine", looks.len()))
                .fix(format!(
                    "Compare the times of the failures with the deployments and the logs of {name}, \
                     and mend what they have in common."
                ))
                .undo("Deploy the earlier version again."),
        );
    }
    if let Some(least) = least.filter(|least| *least < wanted) {
        out.not_checked(
            Unseen::Noted,
            "error rate over 24 hours",
            format!(
                "one audit looks once, and {least} of the {wanted} looks that it takes were made in \
                 the last 24 hours"
            ),
            "let `launchready agent` run, which asks every minute and finds the error rate itself; or read \
             that of an uptime monitor of your own",
        );
    }
}

fn ratio(part: usize, whole: usize) -> f64 {
    let float = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

/// A host without an address is what `dns-resolution` finds; a second alarm would help nobody.
pub(super) fn nowhere(host: &HostLook, out: &mut Assessment) {
    let part = format!("https://{}/", host.name);
    match &host.look {
        Seen::Agent(fault) => {
            let unseen = if host.declared { Unseen::Blocks } else { Unseen::Condition };
            out.not_checked(unseen, part, fault.to_string(), fault.unlock());
        }
        Seen::Target(fault) => {
            out.not_checked(Unseen::Condition, part, fault.to_string(), RESOLUTION_FIRST);
        }
        Seen::Ok(_) => {
            let reason = format!("{} has no address", host.name);
            out.not_checked(Unseen::Condition, part, reason, RESOLUTION_FIRST);
        }
    }
}
