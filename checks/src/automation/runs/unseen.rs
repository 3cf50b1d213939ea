//! Lists what a look could not see: flows that never ran, runs that are not kept, credentials.

use jiff::SignedDuration;

use super::{CredentialsSeen, Evidence, FlowSeen, Runs};
use crate::contract::{AssessCx, Assessment, Unseen};

/// Names in one line.
const NAMES: usize = 8;

pub(super) fn not_seen(evidence: &Evidence, cx: &AssessCx<'_, Runs>, out: &mut Assessment) {
    let (flows, vendor) = (&evidence.flows.items, &evidence.vendor);
    let active: Vec<&FlowSeen> = flows.iter().filter(|flow| flow.active).collect();
    let named =
        |out: &mut Assessment, unseen, part: &str, some: Vec<&str>, reason: &str, unlock: &str| {
            if !some.is_empty() {
                let more = some.len().saturating_sub(NAMES);
                let mut names =
                    some.iter().take(NAMES).map(|name| format!("“{name}”")).collect::<Vec<_>>();
                if more > 0 {
                    names.push(format!("{more} more"));
                }
                out.not_checked(unseen, format!("{part} {}", names.join(", ")), reason, unlock);
            }
        };
    if active.is_empty() {
        out.not_checked(
            Unseen::Condition,
            "a flow that is on",
            format!("{vendor} lists {} flows, and none of them is on", evidence.flows.total()),
            "switch the flows on that the product needs; if there are none, add \"automation\" to not_used",
        );
    }
    let some = |test: &dyn Fn(&FlowSeen) -> bool| -> Vec<&str> {
        active.iter().filter(|flow| test(flow)).map(|flow| flow.name.as_str()).collect()
    };
    let reason = format!("{vendor} lists no run since {}", evidence.since.strftime("%Y-%m-%d"));
    let never =
        some(&|flow| flow.last.is_none() && flow.usual_s.is_none() && !flow.forgets_successes);
    named(
        out,
        Unseen::Condition,
        "whether it works:",
        never,
        &reason,
        "let it run once, as a customer would cause it",
    );
    let few =
        some(&|flow| flow.last.is_some() && flow.usual_s.is_none() && !flow.forgets_successes);
    let reason = "it has run too seldom for its usual gap to be known";
    named(
        out,
        Unseen::Noted,
        "silence of",
        few,
        reason,
        "wait for six runs, or let it call a heartbeat",
    );
    let forgets = some(&|flow| flow.forgets_successes);
    let reason = format!("{vendor} keeps no record of its runs that went well");
    let unlock = "open the workflow → Settings → Save successful production executions → Save";
    named(out, Unseen::Condition, "success and silence of", forgets, &reason, unlock);
    let cut = some(&|flow| flow.cut);
    let reason = "their list was not read to its end";
    named(
        out,
        Unseen::Condition,
        "silence and older runs of",
        cut,
        reason,
        "run it again, or shorten automation-runs.window",
    );
    window_seen(evidence, cx, out);
    if evidence.flows.cut > 0 {
        out.not_checked(
            Unseen::Condition,
            format!("{} more flows", evidence.flows.cut),
            format!("one run looks at {} flows", flows.len()),
            "name flows that do not matter in automation-runs.ignore",
        );
    }
    let (unseen, reason, unlock) = match &evidence.credentials {
        CredentialsSeen::Seen => {
            out.unless_seen(!active.is_empty());
            return;
        }
        CredentialsSeen::Untold => (
            Unseen::Noted,
            format!("{vendor} does not say when one expires"),
            "keep the dates yourself; a credential that fails shows as failed runs",
        ),
        CredentialsSeen::Refused(fault) => (Unseen::Noted, fault.to_string(), fault.unlock()),
        CredentialsSeen::NoAnswer(why) => {
            (Unseen::Noted, why.clone(), "run it again once it answers")
        }
    };
    out.not_checked(unseen, "credentials that have expired", reason, unlock);
    out.unless_seen(!active.is_empty());
}

/// Says what window was really seen.
fn window_seen(evidence: &Evidence, cx: &AssessCx<'_, Runs>, out: &mut Assessment) {
    let Some(from) = evidence.seen_from else { return };
    if evidence.cut && !evidence.flows.items.iter().any(|flow| flow.cut) {
        out.not_checked(
            Unseen::Condition,
            format!("runs before {}", from.strftime("%Y-%m-%d %H:%M UTC")),
            "the list of runs was not read to its end",
            "run it again, or shorten automation-runs.window",
        );
    } else if from.duration_since(evidence.since) > SignedDuration::from_hours(48) {
        out.not_checked(
            Unseen::Noted,
            format!("runs before {}", from.strftime("%Y-%m-%d")),
            format!(
                "{} lists none that are older; the window is {}",
                evidence.vendor, cx.options.window
            ),
            "keep runs for longer: for n8n, EXECUTIONS_DATA_MAX_AGE in hours",
        );
    }
}
