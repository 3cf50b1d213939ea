//! Judges what did not reach the CRM, and why.

use super::compare::{Compared, Missed};
use super::look::Evidence;
use super::table::{Attempt, Attempts};
use super::{ACCESS, FAILING, FAILURES, HANGING, MISSING, PAYMENT, STUCK, Sync, UNSYNCED, UNTOLD};
use crate::contract::{AssessCx, Assessment, Finding, Severity, Unseen, number};
use crate::crm::words::{count, name, tokens};
use crate::probe::Seen;

type Cx<'a> = AssessCx<'a, Sync>;

/// Lines of evidence about single orders.
const LINES: usize = 10;
const RETRY: &str = "Run the job again for these orders once the cause is mended";
const UNDO: &str = "Delete the records that were made in the CRM.";

pub(super) fn judge(seen: &Evidence, cx: &Cx<'_>) -> Assessment {
    let mut out = Assessment::default();
    access(seen, cx, &mut out);
    match &seen.attempts {
        Seen::Ok(Some(attempts)) => judge_attempts(attempts, seen, cx, &mut out),
        Seen::Ok(None) => out.not_checked(
            Unseen::Noted,
            "failures of the sync",
            "the config names no table of what was handed to the CRM",
            "name it under [project.database.crm_sync], with its columns order, status and at",
        ),
        Seen::Target(fault) => {
            missed_part(&mut out, "failures of the sync", fault, "run it again once it answers");
        }
        Seen::Agent(fault) => missed_part(&mut out, "failures of the sync", fault, fault.unlock()),
    }
    match &seen.compared {
        Seen::Ok(Some(compared)) => judge_orders(compared, seen, cx, &mut out),
        Seen::Ok(None) => out.not_checked(
            Unseen::Condition,
            "orders against the CRM",
            "there is no list of orders",
            "name your orders under [project.database.orders], or add [project.stripe]",
        ),
        Seen::Target(fault) => {
            missed_part(&mut out, "orders against the CRM", fault, "run it again once it answers");
        }
        Seen::Agent(fault) => {
            missed_part(&mut out, "orders against the CRM", fault, fault.unlock());
        }
    }
    let looked = matches!(&seen.attempts, Seen::Ok(Some(_)))
        || matches!(&seen.compared, Seen::Ok(Some(compared)) if !compared.by.is_empty());
    out.unless_seen(looked);
    out
}

fn missed_part(out: &mut Assessment, part: &str, fault: &dyn ToString, unlock: &str) {
    out.not_checked(Unseen::Condition, part, fault.to_string(), unlock);
}

fn subject(seen: &Evidence) -> &str {
    seen.crm.as_deref().unwrap_or("crm")
}

fn access(seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let crm = seen.crm.as_deref();
    let finding = |why: String| {
        ACCESS
            .finding(subject(seen))
            .summary(why)
            .fix(format!(
                "Make a new token with the scopes that the old one had, and put it where your product and \
                 this config read it. {}. Then run the job again for the orders since.",
                tokens(crm)
            ))
            .undo("Delete the new token.")
    };
    let told = match &seen.attempts {
        Seen::Ok(Some(attempts)) => attempts.refusal.as_ref().map(|why| (attempts, why)),
        _ => None,
    };
    if let Some((attempts, (why, at))) = told {
        let good = attempts.last_good.map_or_else(
            || format!("none went well within {}", cx.options.window),
            |good| format!("the last one that went well was at {good}"),
        );
        let summary = format!(
            "{} refuses the product: {why}, {} so far.",
            name(crm),
            count(usize::try_from(attempts.refused).unwrap_or(usize::MAX), "order")
        );
        let last = format!("the last attempt that was refused was at {at}; {good}");
        out.find(finding(summary).saw(last));
        return;
    }
    let Some(access) = &seen.access else { return };
    if let Some((fault, worked_at)) = access.lost() {
        let summary = format!("{} refuses the token, which it took at {worked_at}.", name(crm));
        out.find(finding(summary).saw(fault.to_string()));
        return;
    }
    match &access.any {
        Seen::Ok(_) => {}
        Seen::Target(fault) => {
            missed_part(out, name(crm), fault, "run it again once it answers");
        }
        Seen::Agent(fault) => missed_part(out, name(crm), fault, fault.unlock()),
    }
}

fn judge_attempts(attempts: &Attempts, seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let options = cx.options;
    let rate =
        if attempts.ended == 0 { 0.0 } else { number(attempts.failed) / number(attempts.ended) };
    out.measure(FAILURES.value(None, rate).bounds(None, Some(options.failure_rate.0)));
    out.measure(HANGING.value(None, number(attempts.stuck.total() as u64)));
    let enough = attempts.ended >= options.attempts && attempts.failed >= options.failures;
    let line = |one: &Attempt| format!("{} failed at {}", one.order, one.at);
    if enough && above(attempts, options.failure_rate.0) {
        let finding = failing(seen)
            .summary(format!(
                "{} of {} orders failed to reach {} within {}, which is {:.1}%; {} are tolerated.",
                attempts.failed,
                attempts.ended,
                name(seen.crm.as_deref()),
                options.rate_window,
                rate * 100.0,
                options.failure_rate
            ))
            .saw_all(attempts.failures.items.iter().take(LINES).map(line));
        out.find(finding);
    } else if attempts.old_failures.total() > 0 {
        let total = attempts.old_failures.total();
        let finding = failing(seen)
            .at(Severity::Warning)
            .summary(format!(
                "{} failed to reach {} more than {} ago, and nothing tried again.",
                count(total, "order"),
                name(seen.crm.as_deref()),
                options.rate_window
            ))
            .saw_all(attempts.old_failures.items.iter().take(LINES).map(line));
        out.find(finding);
    }
    if attempts.stuck.total() > 0 {
        let line = |one: &Attempt| format!("{} is under way since {}", one.order, one.at);
        let finding = STUCK
            .finding(subject(seen))
            .summary(format!(
                "{} neither reached {} nor failed within {}.",
                count(attempts.stuck.total(), "order"),
                name(seen.crm.as_deref()),
                options.stuck_after
            ))
            .saw_all(attempts.stuck.items.iter().take(LINES).map(line))
            .fix(format!(
                "Look whether the job still runs, then put these rows back to \"pending\" so that it takes \
                 them again. Give each attempt a time-out, and have the job take up what is older. {RETRY}."
            ))
            .undo(UNDO);
        out.find(finding);
    }
    if !attempts.unknown.is_empty() {
        let words: Vec<_> = attempts.unknown.iter().map(|word| format!("{word:?}")).collect();
        out.not_checked(
            Unseen::Condition,
            "attempts with a status of their own",
            format!("the status {} is not known here", words.join(", ")),
            "write succeeded, failed or pending into the column, or map another one",
        );
    }
    if attempts.cut {
        out.not_checked(
            Unseen::Condition,
            "attempts past the limit",
            "a limit came before the end of the sync table",
            "lower window under [checks.crm-sync]",
        );
    }
}

/// Whether the rate is above a bound, without the dust of a division: 2 of 100 is not above 2 %.
fn above(attempts: &Attempts, bound: f64) -> bool {
    number(attempts.failed) > number(attempts.ended) * bound + 1e-9
}

fn failing(seen: &Evidence) -> Finding {
    FAILING
        .finding(subject(seen))
        .fix(format!(
            "Read the error column of these rows: 401 and 403 are the token, 400 and 422 a field, 429 too \
             many at once, 5xx the other side. Mend the cause, and have the job try again with growing \
             pauses. {RETRY}."
        ))
        .undo(UNDO)
}

fn judge_orders(compared: &Compared, seen: &Evidence, cx: &Cx<'_>, out: &mut Assessment) {
    let crm = name(seen.crm.as_deref());
    let line = |one: &Missed| format!("order {} of {}", one.order, one.created);
    let by: Vec<&str> = compared.by.iter().map(String::as_str).collect();
    let by = format!("looked for by {}", by.join(" and "));
    let declined = match &seen.declined {
        Seen::Ok(declined) => declined.as_ref(),
        Seen::Target(_) | Seen::Agent(_) => None,
    };
    let untold = compared.untold.total() + declined.map_or(0, |seen| seen.untold.total());
    if !compared.by.is_empty() {
        out.measure(UNSYNCED.value(None, number(compared.missing.total() as u64)));
    }
    // Where payments could not be read, what the orders tell is not the whole number.
    let is_whole = matches!(&seen.declined, Seen::Ok(_));
    if is_whole && (!compared.by.is_empty() || declined.is_some()) {
        out.measure(UNTOLD.value(None, number(untold as u64)));
    }
    if compared.missing.total() > 0 {
        let finding = MISSING
            .finding(subject(seen))
            .summary(format!(
                "{crm} never heard of {}, of {} paid within {}.",
                count(compared.missing.total(), "order"),
                compared.paid,
                cx.options.window
            ))
            .saw_all(compared.missing.items.iter().take(LINES).map(line))
            .saw(format!("orders from {}, {by}", compared.from))
            .fix(format!(
                "Hand these orders over again. Then open the log of the webhook that follows a payment at the \
                 times above: it ended before it came to {crm}. Write the row of the sync first and call \
                 {crm} from a job, so that what fails can be tried again."
            ))
            .undo(UNDO);
        out.find(finding);
    }
    if untold > 0 {
        let own = declined.map_or(&[][..], |seen| seen.untold.items.as_slice());
        let failed = |one: &Missed| format!("payment {} of {}", one.order, one.created);
        let finding = PAYMENT
            .finding(subject(seen))
            .summary(format!(
                "{crm} never heard of {}, of {} within {}.",
                count(untold, "failed payment"),
                compared.failed + declined.map_or(0, |seen| seen.failed),
                cx.options.window
            ))
            .saw_all(compared.untold.items.iter().take(LINES).map(line))
            .saw_all(own.iter().take(LINES).map(failed));
        let finding = if compared.untold.total() > 0 {
            finding.saw(format!("orders from {}, {by}", compared.from))
        } else {
            finding.saw(
                "failed payments from the payment provider, looked for by the contacts of the CRM",
            )
        };
        let finding = finding
            .fix(format!(
                "Have the webhook take payment_intent.payment_failed and invoice.payment_failed too, and tell \
                 {crm}, so that somebody, or a mail, asks the customer to try another card."
            ))
            .undo("Take the two event types out of the webhook again.");
        out.find(finding);
    }
    unlooked(compared, cx, out);
    unlooked_payments(seen, out);
}

/// Failed payments that could not be looked for.
fn unlooked_payments(seen: &Evidence, out: &mut Assessment) {
    let part = "failed payments that no order knows of";
    let declined = match &seen.declined {
        Seen::Ok(Some(declined)) => declined,
        Seen::Ok(None) => return,
        Seen::Target(fault) => {
            return missed_part(out, part, fault, "run it again once it answers");
        }
        Seen::Agent(fault) => return missed_part(out, part, fault, fault.unlock()),
    };
    if declined.unasked > 0 {
        let reason = format!("{} of them hold no address", declined.unasked);
        let unlock = "set receipt_email or customer when a payment is begun";
        out.not_checked(Unseen::Noted, part, reason, unlock);
    }
    if declined.older > 0 || declined.cut {
        let reason = "a limit came before the end of them";
        out.not_checked(Unseen::Noted, part, reason, "lower window under [checks.crm-sync]");
    }
}

/// What could not be looked for.
fn unlooked(compared: &Compared, cx: &Cx<'_>, out: &mut Assessment) {
    if compared.unasked > 0 {
        out.not_checked(
            Unseen::Condition,
            "orders that could not be looked for",
            format!("{} orders hold no address", compared.unasked),
            "name the sync table under [project.database.crm_sync] with its column order, or the column \
             email of the orders",
        );
    }
    if compared.older > 0 {
        out.not_checked(
            Unseen::Noted,
            "older orders",
            format!("{} older orders were not looked for in the CRM at this look", compared.older),
            "name the sync table under [project.database.crm_sync] with its column order",
        );
    }
    if compared.paid + compared.failed == 0 {
        out.not_checked(
            Unseen::Condition,
            "orders against the CRM",
            format!("nothing was ordered within {}", cx.options.window),
            "buy something yourself, then run it again",
        );
    }
    if compared.cut {
        out.not_checked(
            Unseen::Condition,
            "orders past the limit",
            "a limit came before the end of the orders",
            "lower window under [checks.crm-sync]",
        );
    }
}
