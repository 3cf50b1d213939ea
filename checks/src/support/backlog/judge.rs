//! Judges how long customers wait, and what keeps their requests from being answered.

use jiff::Timestamp;

use super::look::{Answered, Evidence, Held};
use super::{
    ACKNOWLEDGED, ACKNOWLEDGEMENT, BACKLOG, BY_HAND, Backlog, NOBODY, OLDEST, OPEN, P90, RISING,
    UNASSIGNED, UNTAGGED, WAITING, WRONG_QUEUE,
};
use crate::contract::{
    AssessCx, Assessment, Bounded, Finding, FindingSpec, Severity, Unseen, number,
};
use crate::probe::Seen;
use crate::support::hours;
use crate::support::words::{count, name, rules, span, waiting_list};

type Cx<'a> = AssessCx<'a, Backlog>;

/// Lines of evidence about single requests.
const LINES: usize = 10;

pub(super) fn judge(seen: &Evidence, cx: &Cx<'_>) -> Assessment {
    let mut out = Assessment::default();
    if !seen.any {
        out.not_checked(
            Unseen::Condition,
            "conversations",
            format!("{} shows none at all, of the last 30 days either", name(&seen.desk)),
            "write one message to your own support address, and look whether the token may see every inbox",
        );
        out.unless_seen(false);
        return out;
    }
    waiting(seen, cx, &mut out);
    rising(seen, cx, &mut out);
    held(seen, cx, &mut out);
    day(seen, &mut out);
    acknowledgements(seen, cx, &mut out);
    if seen.cut {
        let total = seen.total.map(|total| format!(" of {total}")).unwrap_or_default();
        out.not_checked(
            Unseen::Condition,
            "conversations past the limit",
            format!("{}{total} open conversations were read before a limit came", seen.open),
            "close what is done, then run it again",
        );
    }
    out
}

fn age(since: Timestamp, cx: &Cx<'_>) -> f64 {
    hours::age(since, cx.now, &cx.options.business_hours, &cx.options.timezone)
}

fn waiting(seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let options = cx.options;
    let (warning, critical) = (options.warning_age.seconds(), options.critical_age.seconds());
    let oldest = seen.waiting.items.first().map_or(0.0, |held| age(held.since, cx));
    let p90 = seen.p90_since.map_or(0.0, |since| age(since, cx));
    out.measure(OLDEST.value(None, oldest).bounds(Some(warning), Some(critical)));
    out.measure(P90.value(None, p90));
    out.measure(BACKLOG.value(None, number(seen.waiting.total() as u64)));
    out.measure(OPEN.value(None, number(seen.open)));
    let (severity, bound) = if oldest > critical {
        (Severity::Critical, options.critical_age)
    } else if oldest > warning {
        (Severity::Warning, options.warning_age)
    } else {
        return;
    };
    let late = |held: &&Held| age(held.since, cx) > bound.seconds();
    let late: Vec<&Held> = seen.waiting.items.iter().filter(late).collect();
    let hours = if options.business_hours.is_empty() { "" } else { " of business hours" };
    let finding = WAITING
        .finding(&seen.desk)
        .at(severity)
        .summary(format!(
            "{} waited for more than {bound}{hours} for an answer; the oldest request is {} old.",
            if late.len() == 1 {
                "1 customer has".to_owned()
            } else {
                format!("{} customers have", late.len())
            },
            span(oldest)
        ))
        .saw(format!(
            "{} of {} open conversations wait for an answer of yours",
            seen.waiting.total(),
            seen.open
        ))
        .saw_all(late.iter().take(LINES).map(|held| {
            format!("{} waits since {} ({})", held.id, held.since, span(age(held.since, cx)))
        }))
        .fix(format!(
            "Answer the oldest first. {}. Where many ask the same, answer one, keep the text as a macro, \
             and mend the cause.",
            waiting_list(&seen.desk)
        ))
        .undo("An answer cannot be taken back; write a second one.");
    out.find(finding);
}

fn rising(seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let looks = usize::try_from(cx.options.rising_looks).unwrap_or(usize::MAX);
    let present = number(seen.waiting.total() as u64);
    let earlier = cx.history.of(BACKLOG.name);
    let Some(start) = earlier.len().checked_sub(looks) else { return };
    let mut values: Vec<f64> = earlier.iter().skip(start).map(|point| point.value).collect();
    values.push(present);
    let rises = values.windows(2).all(|pair| matches!(pair, [before, after] if after > before));
    if looks == 0 || !rises || present < f64::from(cx.options.rising_least) {
        return;
    }
    let row: Vec<_> = values.iter().map(|value| format!("{value:.0}")).collect();
    let finding = RISING
        .finding(&seen.desk)
        .summary(format!(
            "The number of customers who wait rose at {looks} looks in a row, to {present:.0}."
        ))
        .saw(format!("waiting at the last looks: {}", row.join(", ")))
        .fix(format!(
            "Read the newest requests and look for what they share: a defect, a payment that hangs, a mail \
             that does not arrive. {}. Say on the status page what you know, and answer with one macro.",
            waiting_list(&seen.desk)
        ))
        .undo("Nothing was changed.");
    out.find(finding);
}

/// What keeps requests from being answered.
fn held(seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let settle = cx.options.settle;
    let desk = &seen.desk;
    if let Some(all) = &seen.unassigned {
        out.measure(NOBODY.value(None, number(all.total() as u64)));
        let fix = format!(
            "Give each of them to a person, and let a rule do it for what comes next. {}.",
            rules(desk)
        );
        let what = format!("had nobody responsible for more than {settle}");
        out.findings.extend(about(&UNASSIGNED, seen, all, &what, fix));
    } else if seen.open > 0 {
        out.not_checked(
            Unseen::Noted,
            "who is responsible",
            format!("{} does not say who is responsible", name(desk)),
            "name the column assignee under [project.database.tickets]",
        );
    }
    if let Some(all) = &seen.untagged {
        let fix = format!(
            "Tag each of them, and let a rule tag what comes next by its words. {}. Where you do not work \
             with tags, write tagging = false under [checks.support-backlog].",
            rules(desk)
        );
        let what = format!("had no tag for more than {settle}");
        out.findings.extend(about(&UNTAGGED, seen, all, &what, fix));
    }
    let fix = format!(
        "Move each of them to {}, and mend the rule that routes them. {}.",
        cx.options.queues.join(" or "),
        rules(desk)
    );
    let what = "stood in a queue that is not worked on".to_owned();
    out.findings.extend(about(&WRONG_QUEUE, seen, &seen.misplaced, &what, fix));
}

fn about(
    spec: &FindingSpec,
    seen: &Evidence,
    all: &Bounded<Held>,
    what: &str,
    fix: String,
) -> Option<Finding> {
    let line = |held: &Held| {
        let queue = held.queue.as_ref().map(|queue| format!(", queue {queue}"));
        format!("{} began at {}{}", held.id, held.since, queue.unwrap_or_default())
    };
    (all.total() > 0).then(|| {
        spec.finding(&seen.desk)
            .summary(format!("{} {what}.", count(all.total(), "open conversation")))
            .saw_all(all.items.iter().take(LINES).map(line))
            .fix(fix)
            .undo("Put the old assignee, tags or queue back.")
    })
}

fn day(seen: &Evidence, out: &mut Assessment) {
    match &seen.day {
        Seen::Ok(day) if day.unsaid == day.begun && day.begun > 0 => out.not_checked(
            Unseen::Noted,
            "conversations made by hand",
            format!("{} does not say how a conversation came in", name(&seen.desk)),
            "nothing has to be done; the number is not measured",
        ),
        Seen::Ok(day) => {
            out.measure(BY_HAND.value(None, number(day.by_hand)));
        }
        Seen::Target(fault) => out.not_checked(
            Unseen::Noted,
            "conversations of the last 24 hours",
            fault.to_string(),
            "run it again once it answers",
        ),
        Seen::Agent(fault) => out.not_checked(
            Unseen::Noted,
            "conversations of the last 24 hours",
            fault.to_string(),
            fault.unlock(),
        ),
    }
}

fn acknowledgements(seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    const PART: &str = "automatic acknowledgement";
    let (reason, unlock) = match &seen.acknowledged {
        Seen::Ok(Some(all)) if !all.is_empty() => return late(all, seen, cx, out),
        Seen::Ok(Some(_)) => (
            "no request of the last 24 hours could be looked at".to_owned(),
            "write one message to your own support address",
        ),
        Seen::Ok(None) => (
            format!("{} keeps no record of what it sends by itself", name(&seen.desk)),
            "write one message to your own support address, and look when the confirmation arrives",
        ),
        Seen::Target(fault) => (fault.to_string(), "run it again once it answers"),
        Seen::Agent(fault) => (fault.to_string(), fault.unlock()),
    };
    out.not_checked(Unseen::Noted, PART, reason, unlock);
}

fn late(all: &[Answered], seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let limit = cx.options.acknowledgement.seconds();
    let after =
        |one: &Answered| one.at.map(|at| at.duration_since(one.created).as_secs_f64().max(0.0));
    let slowest = all.iter().filter_map(after).fold(None, |most: Option<f64>, seconds| {
        Some(most.map_or(seconds, |most| most.max(seconds)))
    });
    if let Some(slowest) = slowest {
        out.measure(ACKNOWLEDGED.value(None, slowest).bounds(Some(limit), None));
    }
    let wrong: Vec<_> =
        all.iter().filter(|one| after(one).is_none_or(|seconds| seconds > limit)).collect();
    if wrong.is_empty() {
        return;
    }
    let line = |one: &&&Answered| match after(one) {
        Some(seconds) => format!("{} was acknowledged after {}", one.id, span(seconds)),
        None => format!("{} was not acknowledged", one.id),
    };
    let finding = ACKNOWLEDGEMENT
        .finding(&seen.desk)
        .summary(format!(
            "{} of the {} newest requests were not acknowledged within {}.",
            wrong.len(),
            all.len(),
            cx.options.acknowledgement
        ))
        .saw_all(wrong.iter().take(LINES).map(|one| line(&one)))
        .fix(format!(
            "Switch on the rule that confirms a new request at once: in Zendesk the trigger \"Notify requester \
             of new proactive ticket\" or \"Notify requester and CCs of received request\". {}. Then write \
             one message to your own support address.",
            rules(&seen.desk)
        ))
        .undo("Switch the rule off again.");
    out.find(finding);
}
