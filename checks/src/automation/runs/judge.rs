//! Judges the flows: how many runs failed, which flow is silent, off, or edited.

use jiff::{SignedDuration, Timestamp};

use super::{
    EDITED, EXPIRED, Evidence, FAILED, FAILED_RUN, FAILING, FlowSeen, Options, RUNS, Runs, SILENT,
    SILENT_FLOWS, SUCCESS, SWITCHED_OFF, unseen,
};
use crate::contract::{Age, AssessCx, Assessment, Fact, Finding, Ratio, Severity, number};
use crate::probe::ExpiredCredential;

/// Without a baseline, an edit is told for so long.
const TOLD: SignedDuration = SignedDuration::from_hours(24);
/// Without a baseline or an earlier look, a flow that is off and began by itself within this long was on.
const WAS_ON: SignedDuration = SignedDuration::from_hours(7 * 24);
/// A silence is longer than usual where it exceeds the longest one of late by a quarter.
const LONGER: (i64, i64) = (5, 4);
/// Names in one line.
const NAMES: usize = 8;

pub(super) fn judge(evidence: &Evidence, cx: &AssessCx<'_, Runs>) -> Assessment {
    let mut out = Assessment::default();
    let flows = &evidence.flows.items;
    let baseline = cx.baseline.as_ref().map(|baseline| &baseline.flows.items);
    let then = |id: &str| baseline.and_then(|flows| flows.iter().find(|flow| flow.id == id));
    let mut silent = 0_u32;
    let mut failing = false;
    for flow in flows {
        let found = success(evidence, flow, cx.options);
        failing |= found.as_ref().is_some_and(|it| it.severity == Severity::Critical);
        found.or_else(|| waits(evidence, flow, cx)).into_iter().for_each(|it| out.find(it));
        if let Some(found) = silence(evidence, flow, cx) {
            silent += 1;
            out.find(found);
        }
        let was = then(&flow.id);
        let off = off(evidence, flow, was, baseline.is_some(), cx.now);
        if let Some(it) = off {
            out.find(it);
        }
        let edited = edited(evidence, flow, was, baseline.is_some(), cx.now);
        if let Some(it) = edited {
            out.find(it);
        }
    }
    for gone in baseline.into_iter().flatten().filter(|then| then.active) {
        if evidence.flows.cut == 0 && !flows.iter().any(|flow| flow.id == gone.id) {
            out.find(vanished(evidence, gone));
        }
    }
    for credential in &evidence.expired.items {
        out.find(expired(evidence, credential));
    }
    let (succeeded, failed) = totals(flows);
    let ended = succeeded + failed;
    if ended > 0 {
        let critical = Some(cx.options.success.0);
        out.measure(SUCCESS.value(None, ratio(succeeded, ended)).bounds(None, critical));
        if !failing
            && ended >= u64::from(cx.options.least_runs)
            && ratio(succeeded, ended) < cx.options.success.0
        {
            out.find(together(evidence, succeeded, ended, cx.options));
        }
    }
    out.measure(RUNS.value(None, number(ended)));
    out.measure(FAILED.value(None, number(failed)));
    out.measure(SILENT_FLOWS.value(None, f64::from(silent)).bounds(None, Some(0.0)));
    unseen::not_seen(evidence, cx, &mut out);
    out
}

fn totals(flows: &[FlowSeen]) -> (u64, u64) {
    let kept = flows.iter().filter(|flow| !flow.forgets_successes);
    kept.fold((0, 0), |(good, bad), flow| (good + flow.succeeded, bad + flow.failed))
}

fn ratio(part: u64, whole: u64) -> f64 {
    number(part) / number(whole)
}

/// Where the runs of a flow are shown.
fn history(vendor: &str, flow: &str) -> String {
    match vendor {
        "Make" => format!("In Make, open the scenario “{flow}” → History"),
        "Zapier" => format!("In Zapier, open the Zap “{flow}” → Zap history"),
        _ => format!("In {vendor}, open the workflow “{flow}” → Executions"),
    }
}

fn window(evidence: &Evidence) -> String {
    let from = evidence.seen_from.unwrap_or(evidence.since);
    format!("runs seen since {}", from.strftime("%Y-%m-%d %H:%M UTC"))
}

fn failures(flow: &FlowSeen) -> impl Iterator<Item = String> + '_ {
    flow.failures.iter().map(|(id, at)| format!("run {id} failed, {at}"))
}

/// Enough runs, and too few of them went well.
fn success(evidence: &Evidence, flow: &FlowSeen, options: &Options) -> Option<Finding> {
    let ended = flow.succeeded + flow.failed;
    if ended < u64::from(options.least_runs) || flow.forgets_successes {
        return None;
    }
    if ratio(flow.succeeded, ended) >= options.success.0 {
        return None;
    }
    let part = percent(flow.succeeded, ended);
    Some(
        FAILING
            .finding(&flow.id)
            .summary(format!(
                "“{}” went well in {part} of {ended} runs; {} must.",
                flow.name, options.success
            ))
            .saw(format!("{} of {ended} runs failed and were not recovered", flow.failed))
            .saw(window(evidence))
            .saw_all(failures(flow))
            .fix(format!(
                "{}, filter by failed, and open the last one: the red step shows the error. Mend that step, \
                 then retry the failed runs so that their work is done.",
                history(&evidence.vendor, &flow.name)
            ))
            .undo("Restore the earlier version of the flow; a retried run cannot be taken back, so look at what it does first."),
    )
}

/// Too few runs for a rate, and one of them failed a while ago.
fn waits(evidence: &Evidence, flow: &FlowSeen, cx: &AssessCx<'_, Runs>) -> Option<Finding> {
    let ended = flow.succeeded + flow.failed;
    let oldest = flow.oldest_failure?;
    let age = cx.now.duration_since(oldest).as_secs();
    let few = ended < u64::from(cx.options.least_runs) || flow.forgets_successes;
    if !few || age <= cx.options.failed_age.whole_seconds() {
        return None;
    }
    Some(
        FAILED_RUN
            .finding(&flow.id)
            .summary(format!(
                "“{}” failed {}, {} ago first, and nothing has recovered it.",
                flow.name,
                times(flow.failed),
                about(age)
            ))
            .saw(format!("{} of {ended} runs went well", flow.succeeded))
            .saw(window(evidence))
            .saw_all(failures(flow))
            .fix(format!(
                "{}, open the failed run, mend the step that is red, and retry the run. If its work was done \
                 by hand, delete the run.",
                history(&evidence.vendor, &flow.name)
            ))
            .undo("Restore the earlier version of the flow; a retried run cannot be taken back, so look at what it does first."),
    )
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// After how many seconds of silence a flow is silent: so many usual gaps, or, for one whose gaps differ
/// widely, as one that rests at night does, somewhat more than its longest.
fn patience(flow: &FlowSeen, options: &Options) -> Option<i64> {
    let usual = flow.usual_s?.saturating_mul(i64::from(options.silent_gaps));
    let (times, part) = LONGER;
    let longest = flow.longest_s.saturating_mul(times) / part;
    let gaps = if flow.longest_s > usual { longest.max(usual) } else { usual };
    Some(gaps.max(options.silent_least.whole_seconds()))
}

fn silence(evidence: &Evidence, flow: &FlowSeen, cx: &AssessCx<'_, Runs>) -> Option<Finding> {
    if !flow.active || flow.forgets_successes || flow.cut {
        return None;
    }
    let patience = patience(flow, cx.options)?;
    // A flow that was touched is given its time anew.
    let from = flow.last.max(flow.updated).or(evidence.seen_from)?;
    let silent = cx.now.duration_since(from).as_secs();
    if silent <= patience {
        return None;
    }
    let usual = flow.usual_s.unwrap_or_default();
    let last = flow.last.map_or_else(
        || "no run was seen".to_owned(),
        |last| format!("the last run began at {last}"),
    );
    Some(
        SILENT
            .finding(&flow.id)
            .summary(format!(
                "“{}” has not run for {}; usually it runs every {}.",
                flow.name,
                about(silent),
                about(usual)
            ))
            .saw(last)
            .saw(format!("silent after {} without a run", about(patience)))
            .saw(window(evidence))
            .fix(format!(
                "{}: if nothing has started, look at what starts it. A schedule: switch the flow off and on \
                 again. A webhook: see whether its sender still has this address and what it was answered. A \
                 service that is asked for news: sign in to its credential again.",
                history(&evidence.vendor, &flow.name)
            ))
            .undo("Nothing was changed by switching it off and on; restore the former address at the sender."),
    )
}

/// What of a flow can be approved.
pub(super) fn fact(flow: &FlowSeen) -> Fact {
    let definition = flow.definition.as_ref().map(|hash| format!("definition {hash}"));
    let lines = [format!("name {}", flow.name), if flow.active { "on" } else { "off" }.to_owned()];
    Fact::new(&flow.id, lines.into_iter().chain(definition))
}

fn off(
    evidence: &Evidence,
    flow: &FlowSeen,
    then: Option<&FlowSeen>,
    has_baseline: bool,
    now: Timestamp,
) -> Option<Finding> {
    if flow.active {
        return None;
    }
    let lately = |last: Timestamp| now.duration_since(last) <= WAS_ON;
    let (severity, line) = match (then, flow.off_since) {
        (Some(then), _) if then.active => {
            (Severity::Critical, "it was on when the baseline was saved".to_owned())
        }
        // What the baseline has off, or does not have, is meant to be so.
        _ if has_baseline || flow.archived => return None,
        (_, Some(since)) => {
            (Severity::Critical, format!("it was on at an earlier look, and off at {since}"))
        }
        // That it ran of late is all that a first look knows; it may have been switched off on purpose.
        (_, None) => {
            let last = flow.last.filter(|last| lately(*last))?;
            (Severity::Warning, format!("it last ran by itself at {last}"))
        }
    };
    Some(
        SWITCHED_OFF
            .finding(&flow.id)
            .at(severity)
            .summary(format!("“{}” is switched off.", flow.name))
            .saw(line)
            .fix(format!(
                "In {}, see why it is off (its history shows whether errors did it), then switch “{}” ({}) on. \
                 If that is how it should be, archive or delete the flow, or run `launchready baseline approve`.",
                evidence.vendor, flow.name, flow.id
            ))
            .undo("Switch it off again."),
    )
}

fn vanished(evidence: &Evidence, then: &FlowSeen) -> Finding {
    SWITCHED_OFF
        .finding(&then.id)
        .summary(format!("“{}” is gone.", then.name))
        .saw("it was on when the baseline was saved, and is not listed any more")
        .fix(format!(
            "If it was deleted by mistake, restore it in {} from its version history or from an export. If it \
             is not needed, run `launchready baseline approve`.",
            evidence.vendor
        ))
        .undo("Delete it again.")
}

fn edited(
    evidence: &Evidence,
    flow: &FlowSeen,
    then: Option<&FlowSeen>,
    has_baseline: bool,
    now: Timestamp,
) -> Option<Finding> {
    let line = if has_baseline {
        let before = then?.definition.as_ref()?;
        let differs = flow.definition.as_ref().is_some_and(|after| after != before);
        differs.then(|| "it differs from the baseline".to_owned())?
    } else {
        let changed = flow.changed.filter(|changed| now.duration_since(*changed) < TOLD)?;
        format!("it was seen changed at {changed}")
    };
    let updated = flow.updated.map(|at| format!("last edited at {at}"));
    // What leads back: the version of the time at which it was approved.
    let approved = then.and_then(|then| then.updated);
    let restore = approved.map_or_else(
        || format!("the version before {}", flow.updated.unwrap_or(now)),
        |at| format!("the version of {at}, which was approved"),
    );
    Some(
        EDITED
            .finding(&flow.id)
            .summary(format!("“{}” was edited.", flow.name))
            .saw(line)
            .saw_all(updated)
            .fix(format!(
                "In {}, open the versions of “{}” ({}) and see what was changed, and by whom. If nobody of yours \
                 meant it, restore {restore}. If it is right, run `launchready baseline approve`.",
                evidence.vendor, flow.name, flow.id
            ))
            .undo(match flow.updated {
                Some(at) => format!("Restore the version of {at}."),
                None => "Restore the version that stood before.".to_owned(),
            }),
    )
}

fn expired(evidence: &Evidence, credential: &ExpiredCredential) -> Finding {
    let place = if evidence.vendor == "Make" { "Connections" } else { "Credentials" };
    EXPIRED
        .finding(&credential.id)
        .summary(format!("The credential “{}” has expired.", credential.name))
        .saw(format!("expired at {}", credential.since))
        .fix(format!(
            "In {}, open {place} → “{}” and sign in again, then retry the runs that have failed since.",
            evidence.vendor, credential.name
        ))
        .undo("Withdraw the new access in the settings of the service that it belongs to.")
}

/// All flows together fail too often, and none of them alone.
fn together(evidence: &Evidence, succeeded: u64, ended: u64, options: &Options) -> Finding {
    let mut worst: Vec<&FlowSeen> =
        evidence.flows.items.iter().filter(|flow| flow.failed > 0).collect();
    worst.sort_by_key(|flow| (std::cmp::Reverse(flow.failed), flow.id.clone()));
    let line = |flow: &&FlowSeen| {
        format!("“{}”: {} of {} failed", flow.name, flow.failed, flow.succeeded + flow.failed)
    };
    FAILING
        .finding("all flows")
        .summary(format!(
            "{} of {ended} runs of all automations went well; {} must.",
            percent(succeeded, ended),
            options.success
        ))
        .saw(window(evidence))
        .saw_all(worst.iter().take(NAMES).map(line))
        .fix(format!(
            "In {}, open the failed runs of the flows above, mend the steps that are red, and retry the runs.",
            evidence.vendor
        ))
        .undo("Restore the earlier version of each flow.")
}

/// A part in per cent, rounded down, so that what is below a bound never reads as the bound.
fn percent(part: u64, whole: u64) -> Ratio {
    Ratio((ratio(part, whole) * 1000.0).floor() / 1000.0)
}

/// A time in its largest unit.
fn about(seconds: i64) -> String {
    match seconds {
        ..120 => Age::secs(u64::try_from(seconds).unwrap_or(0)).to_string(),
        120..7_200 => format!("{} minutes", seconds / 60),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
