//! Judges what the table of events says.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    ERROR_RATE, Event, Evidence, FAILED, FAILURES, LAG, LAG_SAMPLE, LATE, OPEN, Options, RATIO,
    STUCK,
};
use crate::contract::{Age, Assessment, Bounded, Unseen, number};

/// What failed longer ago and is still failed is lost unless somebody looks.
const LEFT: Age = Age::hours(24);

/// Judges; `now` is when the run began.
pub(super) fn judge(evidence: &Evidence, options: &Options, now: Timestamp) -> Assessment {
    let mut out = Assessment::default();
    failures(evidence, options, now, &mut out);
    stuck(evidence, options, now, &mut out);
    error_rate(evidence, options, now, &mut out);
    lag(evidence, options, &mut out);
    let table = &evidence.table;
    for (word, times) in &evidence.unknown.items {
        out.not_checked(
            Unseen::Condition,
            format!("{times} of {} events, with the status {word:?}", evidence.rows),
            format!("the word says nothing to launchready in {table}"),
            "name it under [checks.webhook-processing], in failed_words, open_words or done_words",
        );
    }
    if evidence.cut {
        out.not_checked(
            Unseen::Condition,
            format!("some events of {table}"),
            "more of them failed or are open than one run follows",
            "mend what is found first",
        );
    }
    if evidence.rows == 0 {
        out.not_checked(
            Unseen::Condition,
            "how events are handled",
            format!("{table} holds none of the last days"),
            "make a payment in test mode, or see whether the webhook writes into this table",
        );
    }
    out.unless_seen(evidence.rows > 0);
    out
}

/// So many events, with the verb that follows.
fn events(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 event {one}") } else { format!("{number} events {many}") }
}

fn lines(events: &Bounded<Event>, now: Timestamp) -> Vec<String> {
    let line = |event: &Event| {
        let age = Age::secs(u64::try_from(now.duration_since(event.at).as_secs()).unwrap_or(0));
        format!("{} {} {} ago", event.id, event.kind, readable(age))
    };
    events.items.iter().take(20).map(line).collect()
}

/// An age in its largest whole unit.
fn readable(age: Age) -> Age {
    let seconds = age.0.as_secs();
    match seconds {
        0..120 => age,
        120..7_200 => Age::minutes(seconds / 60),
        7_200..172_800 => Age::hours(seconds / 3_600),
        _ => Age::days(seconds / 86_400),
    }
}

/// A number of seconds as people write it, in whole ones.
fn seconds(seconds: f64) -> Age {
    Age(Duration::try_from_secs_f64(seconds.max(0.0).round()).unwrap_or(Duration::MAX))
}

/// How a person sees the rows, and has them sent again.
fn mend(table: &str) -> String {
    format!(
        "Look at the rows of {table} with this status and at the log of the function that handles them, and \
         mend what it says. Then have the events sent again: Stripe Dashboard → Developers → Webhooks → the \
         endpoint → each failed event → Resend, or `stripe events resend EVENT`. An event can be sent again \
         for 30 days."
    )
}

fn failures(evidence: &Evidence, options: &Options, now: Timestamp, out: &mut Assessment) {
    let failed = evidence.failed_in_window;
    let bound = number(options.failures);
    out.measure(FAILED.value(None, number(failed)).bounds(None, Some(bound)));
    if failed <= options.failures {
        return;
    }
    let window = options.window;
    let newest = usize::try_from(failed).unwrap_or(usize::MAX);
    let recent = Bounded::keep(evidence.failed.items.iter().take(newest).cloned(), usize::MAX);
    out.find(
        FAILURES
            .finding(&evidence.table)
            .summary(format!(
                "{failed} events failed in the last {window}; more than {} is an outage.",
                options.failures
            ))
            .saw_all(lines(&recent, now))
            .fix(mend(&evidence.table))
            .undo("Roll the function back to the version before; events that were handled twice are found by orders-duplicates."),
    );
}

fn stuck(evidence: &Evidence, options: &Options, now: Timestamp, out: &mut Assessment) {
    let stuck = evidence.stuck.total();
    out.measure(OPEN.value(None, stuck as f64).bounds(Some(0.0), None));
    if stuck == 0 {
        return;
    }
    let allowed = options.stuck;
    out.find(
        STUCK
            .finding(&evidence.table)
            .summary(format!(
                "{} more than {allowed} ago and never finished.",
                events(stuck, "was taken", "were taken")
            ))
            .saw_all(lines(&evidence.stuck, now))
            .fix(format!(
                "See whether the function ran into its time limit or was stopped between taking the event and \
                 finishing it. Have it set the status in the same transaction as its work, and a job that takes \
                 up what is older than {allowed}. {}",
                mend(&evidence.table)
            ))
            .undo("Take the job out again."),
    );
}

fn error_rate(evidence: &Evidence, options: &Options, now: Timestamp, out: &mut Assessment) {
    let (finished, failed) = (evidence.finished, evidence.failed_in_period);
    let (table, period) = (&evidence.table, options.period);
    if finished >= options.sample.max(1) {
        let ratio = number(failed) / number(finished);
        out.measure(RATIO.value(None, ratio).bounds(Some(options.error_rate.0), None));
        // Multiplied and not divided: 1 of 100 is no more than 1 %.
        if number(failed) > options.error_rate.0 * number(finished) + 1e-9 {
            out.find(
                ERROR_RATE
                    .finding(table)
                    .summary(format!(
                        "{failed} of {finished} events of the last {period} failed; more than {} is too many.",
                        options.error_rate
                    ))
                    .saw_all(lines(&evidence.failed, now))
                    .fix(mend(table))
                    .undo("Roll the function back to the version before."),
            );
        }
        return;
    }
    let left = evidence.failed.items.iter();
    let left = left.filter(|event| now.duration_since(event.at).as_secs() > LEFT.whole_seconds());
    let left = Bounded::keep(left.cloned(), usize::MAX);
    if !left.items.is_empty() {
        out.find(
            ERROR_RATE
                .finding(table)
                .summary(format!(
                    "{} more than {LEFT} ago and never handled.",
                    events(left.items.len(), "failed", "failed")
                ))
                .saw_all(lines(&left, now))
                .fix(mend(table))
                .undo("Nothing is to be taken back: an event that is handled again changes nothing where the handler knows its id."),
        );
    }
}

fn lag(evidence: &Evidence, options: &Options, out: &mut Assessment) {
    let Some(lag) = evidence.lag_p95.filter(|_| evidence.lag_of >= LAG_SAMPLE) else { return };
    let bound = options.lag.seconds();
    out.measure(LATE.value(None, lag).bounds(Some(bound), None));
    if lag <= bound {
        return;
    }
    out.find(
        LAG.finding(&evidence.table)
            .summary(format!(
                "One event in twenty arrives {} or more after it was made; more than {} is late.",
                seconds(lag),
                options.lag
            ))
            .saw(format!("measured over {} events of the last {}", evidence.lag_of, options.period))
            .fix(
                "Answer 200 as soon as the event is written down, and do the work after it. Look in Stripe under \
                 Developers → Webhooks at the time that the endpoint takes to answer, and at deliveries that are \
                 tried again: each waits longer than the one before.",
            )
            .undo("Do the work before the answer again."),
    );
}
