//! Judges the calls and the prints of Edge Functions.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    CALLS, Counted, DISABLED, ERRORS, Evidence, FAILURES, Functions, JSON_ERRORS, OPEN, Options,
    P95, PRIVATE, REFUSED, SLOW, TIMEOUTS,
};
use crate::contract::{Age, AssessCx, Assessment, Finding, Ratio, Severity, Target, Unseen};
use crate::probe::{EdgeFunction, FunctionCalls, FunctionPrints, Seen};

/// Where logs are read by people.
const LOGS: &str = "In the dashboard open Edge Functions →";
const DEPLOY_OLD: &str = "Deploy the former version of the function again.";

/// Judges everything that was seen.
pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Functions>) -> Assessment {
    let mut out = Assessment::default();
    let functions = evidence.functions.ok().map(|all| all.items.as_slice()).unwrap_or_default();
    for function in functions {
        listed(function, cx.target, &mut out);
    }
    let seen: Vec<Judged<'_>> = windows(evidence, functions, cx.options);
    let small = seen.iter().filter(|one| !one.is_enough).count();
    for one in &seen {
        calls(one, cx.options, &mut out);
    }
    for prints in evidence.prints.ok().map(|all| all.functions.items.as_slice()).unwrap_or_default()
    {
        printed(prints, name_of(&prints.function, functions), cx.options, &mut out);
    }
    gaps(evidence, &mut out);
    if small > 0 {
        out.not_checked(
            Unseen::Noted,
            format!("rates of {small} quiet functions"),
            format!("they were called fewer than {} times in 24 hours", cx.options.calls),
            "look again when they have more callers",
        );
    }
    out.unless_seen(evidence.day.ok().is_some());
    out
}

/// The calls of one function in the window that is judged.
struct Judged<'e> {
    name: String,
    calls: &'e FunctionCalls,
    total: u64,
    window: &'static str,
    /// There are enough calls for rates.
    is_enough: bool,
}

/// For each function the last hour where it has enough calls, and else the last 24 hours.
fn windows<'e>(
    evidence: &'e Evidence,
    functions: &[EdgeFunction],
    options: &Options,
) -> Vec<Judged<'e>> {
    let by_id = |seen: &'e Seen<Counted<FunctionCalls>>| -> BTreeMap<&'e str, &'e FunctionCalls> {
        let all = seen.ok().map(|all| all.functions.items.as_slice()).unwrap_or_default();
        all.iter().map(|calls| (calls.function.as_str(), calls)).collect()
    };
    let (hour, day) = (by_id(&evidence.hour), by_id(&evidence.day));
    let ids: BTreeSet<&str> = hour.keys().chain(day.keys()).copied().collect();
    let mut seen: Vec<Judged<'e>> = ids
        .into_iter()
        .filter_map(|id| {
            let recent = hour.get(id).filter(|calls| total(calls) >= options.calls);
            let (calls, window) = match recent {
                Some(calls) => (*calls, "last hour"),
                None => (*day.get(id).or_else(|| hour.get(id))?, "last 24 hours"),
            };
            let total = total(calls);
            let name = name_of(id, functions).to_owned();
            Some(Judged { name, calls, total, window, is_enough: total >= options.calls })
        })
        .collect();
    seen.sort_by(|a, b| a.name.cmp(&b.name));
    seen
}

fn name_of<'a>(id: &'a str, functions: &'a [EdgeFunction]) -> &'a str {
    functions.iter().find(|function| function.id == id).map_or(id, |function| &function.slug)
}

fn total(calls: &FunctionCalls) -> u64 {
    calls.statuses.values().fold(0, |sum, times| sum.saturating_add(*times))
}

fn with(calls: &FunctionCalls, wanted: impl Fn(u16) -> bool) -> u64 {
    let matching = calls.statuses.iter().filter(|(status, _)| wanted(**status));
    matching.fold(0, |sum, (_, times)| sum.saturating_add(*times))
}

#[allow(clippy::cast_precision_loss, reason = "counts of calls in a day are far below 2^52")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A ratio to two digits after the point of its percentage.
fn percent(value: f64) -> Ratio {
    Ratio((value * 1e4).round() / 1e4)
}

fn calls(seen: &Judged<'_>, options: &Options, out: &mut Assessment) {
    let Judged { name, calls, total, window, is_enough } = seen;
    let failed = with(calls, |status| (500..600).contains(&status));
    let rate = ratio(failed, *total);
    #[allow(clippy::cast_precision_loss, reason = "counts of calls in a day are far below 2^52")]
    out.measure(CALLS.value(Some(name), *total as f64));
    if *is_enough {
        let bounds = (options.error_rate_warning.0, options.error_rate_critical.0);
        out.measure(FAILURES.value(Some(name), rate).bounds(Some(bounds.0), Some(bounds.1)));
    }
    let limit = options.limits.get(name).copied().unwrap_or(options.p95_warning);
    if let Some(p95) = calls.p95_ms {
        out.measure(P95.value(Some(name), p95 / 1000.0).bounds(Some(limit.seconds()), None));
    }
    let stopped = with(calls, |status| matches!(status, 504 | 546));
    if let Some(finding) = errors(seen, failed, rate, options) {
        out.find(finding);
    } else if stopped >= options.timeouts {
        out.find(timeouts(seen, stopped));
    }
    if !is_enough {
        return;
    }
    if let Some(p95) = calls.p95_ms.filter(|p95| p95 / 1000.0 > limit.seconds()) {
        out.find(slow(seen, p95, limit));
    }
    let refused = with(calls, |status| status == 401);
    if ratio(refused, *total) > options.refused_warning.0 {
        let part = percent(ratio(refused, *total));
        out.find(
            REFUSED
                .finding(name.as_str())
                .summary(format!(
                    "{name} answered 401 to {refused} of {total} calls ({part}) of the {window}; the threshold \
                     is {}.",
                    options.refused_warning
                ))
                .saw(statuses(calls))
                .fix(format!(
                    "{LOGS} {name} → Invocations, filter by 401 and see who calls. For a webhook turn \
                     \"Enforce JWT verification\" off under Details and check its signature in the code; for \
                     the product refresh the session before the call."
                ))
                .undo("Turn \"Enforce JWT verification\" on again."),
        );
    }
}

fn statuses(calls: &FunctionCalls) -> String {
    let all: Vec<String> =
        calls.statuses.iter().map(|(status, times)| format!("{status} × {times}")).collect();
    format!("answers: {}", all.join(", "))
}

/// The rule for errors of the server: rates from enough calls on; below that, several errors among few
/// calls are a warning and never more.
fn errors(seen: &Judged<'_>, failed: u64, rate: f64, options: &Options) -> Option<Finding> {
    let Judged { name, calls, total, window, is_enough } = seen;
    if failed < options.errors {
        return None;
    }
    let severity = if *is_enough && rate > options.error_rate_critical.0 {
        Severity::Critical
    } else if (*is_enough && rate > options.error_rate_warning.0)
        || (!is_enough && rate > options.error_rate_critical.0)
    {
        Severity::Warning
    } else {
        return None;
    };
    let threshold = match severity {
        Severity::Critical => options.error_rate_critical,
        _ if *is_enough => options.error_rate_warning,
        _ => options.error_rate_critical,
    };
    let finding = ERRORS
        .finding(name.as_str())
        .summary(format!(
            "{name} failed {failed} of {total} calls ({}) of the {window}; the threshold is {threshold}.",
            percent(rate)
        ))
        .saw(statuses(calls))
        .saw("546 means that a call used up its memory or processor time")
        .fix(format!(
            "{LOGS} {name} → Logs, filter by error: a secret that is not set, a changed table and another \
             service that answers with an error are the usual causes. If a deployment began it, deploy the \
             former version: `supabase functions deploy {name}` from the commit before."
        ))
        .undo("Deploy the newer version again once it works.");
    Some(finding.at(severity))
}

fn timeouts(seen: &Judged<'_>, stopped: u64) -> Finding {
    let Judged { name, calls, total, window, .. } = seen;
    TIMEOUTS
        .finding(name.as_str())
        .summary(format!(
            "{name} was broken off {stopped} times in {total} calls of the {window}."
        ))
        .saw(statuses(calls))
        .saw("504: no answer within the time of the gateway; 546: memory or processor time used up")
        .fix(format!(
            "{LOGS} {name} → Invocations, open a call with 504 or 546. Give calls to other services a time \
             limit (`AbortSignal.timeout(5000)`), and move long work behind the answer with \
             `EdgeRuntime.waitUntil(work)`."
        ))
        .undo(DEPLOY_OLD)
}

fn slow(seen: &Judged<'_>, p95: f64, limit: Age) -> Finding {
    let Judged { name, calls, total, window, .. } = seen;
    SLOW.finding(name.as_str())
        .summary(format!(
            "95% of the calls of {name} in the {window} took up to {p95:.0} ms; the limit is {limit}."
        ))
        .saw(format!("{total} calls; {}", statuses(calls)))
        .fix(format!(
            "{LOGS} {name} → Metrics, compare execution time with the calls that it makes: several questions to \
             the database one after another and a region far from the database are the usual causes. Another \
             limit for this one: limits = {{ {name:?} = \"5s\" }} under [checks.supabase-functions]."
        ))
        .undo(DEPLOY_OLD)
}

fn printed(prints: &FunctionPrints, name: &str, options: &Options, out: &mut Assessment) {
    let FunctionPrints { lines, json_errors, secrets, addresses, .. } = prints;
    if *json_errors >= options.json_errors {
        out.find(
            JSON_ERRORS
                .finding(name)
                .summary(format!(
                    "{json_errors} of {lines} lines that {name} printed in the last 24 hours tell of JSON that \
                     it could not read."
                ))
                .saw(format!("{json_errors} lines such as SyntaxError: Unexpected token … in JSON"))
                .fix(format!(
                    "{LOGS} {name} → Logs, search for JSON. Answer 400 to a body that is none, look at the \
                     status before `response.json()`, and compare the sender's present format with the code."
                ))
                .undo(DEPLOY_OLD),
        );
    }
    if *secrets + *addresses > 0 {
        let what = match (*secrets > 0, *addresses > 0) {
            (true, true) => "credentials and e-mail addresses",
            (true, false) => "credentials",
            _ => "e-mail addresses",
        };
        out.find(
            PRIVATE
                .finding(name)
                .summary(format!("{name} printed {what} into its log in the last 24 hours."))
                .saw(format!("{secrets} lines with a credential, {addresses} with an address, of {lines}"))
                .saw("counted where the logs are kept: no line was read")
                .fix(format!(
                    "Take the line out of {name} that prints a whole request, session or error object, and print \
                     an id. Replace every key that was printed: it is in the logs for as long as they are kept."
                ))
                .undo("Print the line again; a replaced key stays replaced."),
        );
    }
}

fn listed(function: &EdgeFunction, target: &Target, out: &mut Assessment) {
    let name = &function.slug;
    if matches!(function.status.as_str(), "REMOVED" | "THROTTLED") {
        let word = function.status.to_lowercase();
        out.find(
            DISABLED
                .finding(name.as_str())
                .summary(format!("The Edge Function {name} is {word}."))
                .saw(format!("status: {}", function.status))
                .fix(format!(
                    "A removed one: deploy it again with `supabase functions deploy {name}`, or take its calls \
                     out of the product. A throttled one: see the usage under Settings → Usage, and raise the \
                     plan or the spend cap."
                ))
                .undo(format!("`supabase functions delete {name}`")),
        );
    }
    let path = format!("/functions/v1/{name}");
    let is_webhook =
        target.web.webhook_paths.iter().any(|url| url.trim_end_matches('/').ends_with(&path));
    if function.verify_jwt == Some(false) && !is_webhook {
        out.find(
            OPEN.finding(name.as_str())
                .summary(format!("{name} can be called without a token."))
                .saw("verify_jwt: false")
                .fix(format!(
                    "A webhook needs it so: add its address to webhook_paths in [project.web], and see that the \
                     code checks the signature. Else turn \"Enforce JWT verification\" on under {LOGS} {name} → \
                     Details, and verify_jwt on in supabase/config.toml."
                ))
                .undo("Turn \"Enforce JWT verification\" off again."),
        );
    }
}

/// Lists what could not be seen.
fn gaps(evidence: &Evidence, out: &mut Assessment) {
    fault(&evidence.functions, "which functions there are", out);
    fault(&evidence.day, "calls of the last 24 hours", out);
    fault(&evidence.hour, "calls of the last hour", out);
    fault(&evidence.prints, "what functions print", out);
    let more = evidence.functions.ok().is_some_and(|all| all.cut > 0)
        || [&evidence.hour, &evidence.day]
            .into_iter()
            .filter_map(Seen::ok)
            .any(|all| all.cut || all.functions.cut > 0)
        || evidence.prints.ok().is_some_and(|all| all.cut || all.functions.cut > 0);
    if more {
        out.not_checked(
            Unseen::Condition,
            "more functions",
            "there are more than one run looks at",
            "look at the others under Edge Functions in the dashboard",
        );
    }
}

fn fault<T>(seen: &Seen<T>, part: &str, out: &mut Assessment) {
    let (reason, unlock) = match seen {
        Seen::Ok(_) => return,
        Seen::Agent(fault) => (fault.to_string(), fault.unlock()),
        Seen::Target(fault) => (fault.to_string(), "run it again once it answers"),
    };
    out.not_checked(Unseen::Condition, part, reason, unlock);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn severity(failed: u64, total: u64) -> Option<Severity> {
        let options = Options::default();
        let calls = FunctionCalls::default();
        let is_enough = total >= options.calls;
        let name = "checkout".to_owned();
        let seen = Judged { name, calls: &calls, total, window: "last hour", is_enough };
        errors(&seen, failed, ratio(failed, total), &options).map(|finding| finding.severity)
    }

    #[test]
    fn a_threshold_is_crossed_above_it_and_not_at_it() {
        let (warning, critical) = (Some(Severity::Warning), Some(Severity::Critical));
        for (failed, total, wanted) in [
            (3, 300, None),
            (4, 399, warning),
            (5, 100, warning),
            (6, 100, critical),
            (50, 1000, warning),
            (51, 1000, critical),
            (2, 20, None),
            (3, 60, None),
            (3, 59, warning),
            (99, 99, warning),
            (0, 0, None),
        ] {
            assert_eq!(severity(failed, total), wanted, "{failed} of {total}");
        }
    }

    proptest! {
        #[test]
        fn rates_are_compared_exactly(total in 0_u64..5_000, part in 0_u64..=5_000) {
            let failed = part.min(total);
            let (above_one, above_five) = (failed * 100 > total, failed * 20 > total);
            let wanted = match (failed >= 3, total >= 100) {
                (true, true) if above_five => Some(Severity::Critical),
                (true, enough) if (enough && above_one) || above_five => Some(Severity::Warning),
                _ => None,
            };
            prop_assert_eq!(severity(failed, total), wanted);
        }
    }
}
