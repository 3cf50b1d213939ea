//! What is wrong with deliveries.

use jiff::Timestamp;

use super::{
    Candidate, Evidence, FAILING, LATE, LOST, LOST_EVENTS, Lost, OLDEST, Options, RATE, RATIO,
    UNDELIVERED, Waiting,
};
use crate::contract::{Assessment, Bounded, Finding, Ratio, Severity, Unseen};
use crate::stripe::{note_mode, seen};

/// Where deliveries and their answers are shown.
const PAGE: &str = "https://dashboard.stripe.com/webhooks";
/// The ids that one finding names.
const NAMED: usize = 10;

pub(super) fn judge(evidence: &Evidence, options: &Options, now: Timestamp) -> Assessment {
    let mut out = Assessment::default();
    note_mode(evidence.key, "deliveries of live mode", Unseen::Blocks, &mut out);
    #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
    let count = |count: usize| count as f64;
    let waiting = evidence.waiting.total();
    out.measure(UNDELIVERED.value(None, count(waiting)));
    let oldest = evidence.oldest.map_or(0, |at| now.as_second() - at.as_second());
    #[allow(clippy::cast_precision_loss, reason = "an age of days in seconds is far below 2^52")]
    let oldest_s = oldest.max(0) as f64;
    out.measure(OLDEST.value(None, oldest_s).bounds(Some(options.late.seconds()), None));
    if evidence.cut {
        out.not_checked(
            Unseen::Condition,
            "all undelivered events",
            format!("there are more than one run can read; the newest {waiting} were"),
            "mend the destination that takes none of them, or delete it",
        );
    }
    let is_failing = failing(evidence, options, now, &mut out);
    if evidence.late > 0 {
        late(evidence, options, oldest, &mut out);
    }
    rate(evidence, options, is_failing, &mut out);
    lost(&evidence.lost, &mut out);
    out
}

/// The most events of the settled ones that were created within one window.
pub(super) fn densest<'a>(
    waiting: &'a [Waiting],
    options: &Options,
    now: Timestamp,
) -> &'a [Waiting] {
    let settled = waiting
        .iter()
        .position(|event| now.as_second() - event.at.as_second() > options.settle.whole_seconds());
    let settled = settled.and_then(|first| waiting.get(first..)).unwrap_or_default();
    let mut best: &[Waiting] = &[];
    let mut newest = 0;
    for (place, event) in settled.iter().enumerate() {
        // Newest first: the window slides towards the older ones.
        while settled.get(newest).is_some_and(|first| {
            first.at.as_second() - event.at.as_second() > options.window.whole_seconds()
        }) {
            newest += 1;
        }
        let window = settled.get(newest..=place).unwrap_or_default();
        if window.len() > best.len() {
            best = window;
        }
    }
    best
}

fn failing(evidence: &Evidence, options: &Options, now: Timestamp, out: &mut Assessment) -> bool {
    let burst = densest(&evidence.waiting.items, options, now);
    let (Some(newest), Some(oldest)) = (burst.first(), burst.last()) else { return false };
    if burst.len() <= options.failures {
        return false;
    }
    let all = evidence.waiting.total();
    out.find(
        with_candidates(FAILING.finding("events"), &evidence.candidates)
            .summary(format!(
                "{} events that were created within {} are undelivered; {all} are in all.",
                burst.len(),
                options.window
            ))
            .saw(format!("created {} to {}", oldest.at, newest.at))
            .saw_all(burst.iter().take(NAMED).map(|event| format!("{} {} {}", event.id, event.kind, event.at)))
            .fix(format!(
                "Open {PAGE} → each destination above → Event deliveries, and read what it answered: 401 or \
                 400 is a wrong signing secret, 404 or a redirect a wrong address, 5xx or no answer the \
                 product itself. Mend that. Stripe then tries again by itself for three days; to be quick, \
                 send them again: {}",
                resend(burst.iter().map(|event| event.id.as_str()), &evidence.candidates)
            ))
            .undo("Nothing has to be undone; an event that arrives twice has to be taken once."),
    );
    true
}

fn late(evidence: &Evidence, options: &Options, oldest: i64, out: &mut Assessment) {
    let late = &evidence.late;
    let last = evidence.waiting.items.iter().rev().take(NAMED);
    out.find(
        with_candidates(LATE.finding("events"), &evidence.candidates)
            .summary(format!(
                "{late} undelivered {} older than {}; the oldest has waited for {}.",
                if *late == 1 { "event is" } else { "events are" },
                options.late,
                hours_and_minutes(oldest)
            ))
            .saw_all(last.clone().map(|event| format!("{} {} {}", event.id, event.kind, event.at)))
            .fix(format!(
                "Open {PAGE} → each destination above → Event deliveries → Failed, read the answer and mend \
                 its cause. Then send them again: {}",
                resend(last.map(|event| event.id.as_str()), &evidence.candidates)
            ))
            .undo("Nothing has to be undone; an event that arrives twice has to be taken once."),
    );
}

fn rate(evidence: &Evidence, options: &Options, is_failing: bool, out: &mut Assessment) {
    let Some(rate) = seen(&evidence.rate, "what part of all events is undelivered", out) else {
        return;
    };
    #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
    let part = if rate.all == 0 { 0.0 } else { rate.late as f64 / rate.all as f64 };
    out.measure(RATIO.value(None, part).bounds(Some(options.rate.0), None));
    // While all of them fail, their part says nothing more.
    if rate.all >= options.sample && part > options.rate.0 && !is_failing {
        let shown = Ratio((part * 10_000.0).round() / 10_000.0);
        out.find(
            with_candidates(RATE.finding("events"), &evidence.candidates)
                .summary(format!(
                    "{} of {} events ({shown}) are still undelivered after {}; the bound is {}.",
                    rate.late, rate.all, options.late, options.rate
                ))
                .saw(format!("since {}: {} events, {} undelivered", rate.since, rate.all, rate.late))
                .fix(format!(
                    "Open {PAGE} → each destination above → Event deliveries → Failed, and look for what \
                     the failed ones have in common: one type of event, one customer, one time of day."
                ))
                .undo("Nothing has to be undone."),
        );
    }
}

fn lost(lost: &Lost, out: &mut Assessment) {
    #[allow(clippy::cast_precision_loss, reason = "counts of events are far below 2^52")]
    let of = |ids: &Bounded<String>| ids.total() as f64;
    let parts = [&lost.with_row, &lost.without_row, &lost.unmatched, &lost.other];
    out.measure(LOST_EVENTS.value(None, parts.into_iter().map(of).sum()));
    let each = [
        (&lost.without_row, Severity::Critical, "events-without-order", "its payment has no order"),
        (
            &lost.unmatched,
            Severity::Warning,
            "events-unmatched",
            "whether there is an order was not seen",
        ),
        (&lost.with_row, Severity::Info, "events-with-order", "the order exists all the same"),
        (
            &lost.other,
            Severity::Info,
            "events-other",
            "it is about something else than a new payment",
        ),
    ];
    for (ids, severity, subject, what) in each {
        if ids.total() == 0 {
            continue;
        }
        out.find(
            LOST.finding(subject)
                .at(severity)
                .summary(format!(
                    "{} {} lost unless sent again: {what}.",
                    ids.total(),
                    if ids.total() == 1 { "event is" } else { "events are" },
                ))
                .saw_all(ids.items.iter().take(NAMED))
                .saw_all(lost.read.map(|at| format!("the list was read at {at}")))
                .fix(format!(
                    "Send them again, within 30 days of their creation: {}. In the dashboard (Developers → \
                     Events → the event → Resend) it is 15 days.",
                    resend(ids.items.iter().map(String::as_str), &[])
                ))
                .undo("Nothing has to be undone; an event that arrives twice has to be taken once."),
        );
    }
    if let Some((reason, unlock)) = &lost.blind {
        let part = "whether the orders of lost events exist";
        out.not_checked(Unseen::Condition, part, reason, unlock);
    }
}

/// The API tells neither tries nor the destination that failed, so that all of them are named.
fn with_candidates(finding: Finding, candidates: &[Candidate]) -> Finding {
    finding.saw_all(candidates.iter().take(NAMED).map(|one| {
        let off = if one.enabled { "" } else { " (disabled)" };
        format!("may be sent to {} at {}{off}", one.id, one.host)
    }))
}

/// The command that sends events again.
fn resend<'a>(ids: impl Iterator<Item = &'a str>, candidates: &[Candidate]) -> String {
    let enabled: Vec<&Candidate> = candidates.iter().filter(|one| one.enabled).collect();
    let endpoint = match enabled.as_slice() {
        [one] => one.id.as_str(),
        _ => "we_…",
    };
    let ids: Vec<&str> = ids.take(NAMED).collect();
    format!(
        "for e in {}; do stripe events resend $e --live --webhook-endpoint={endpoint}; done",
        ids.join(" ")
    )
}

fn hours_and_minutes(seconds: i64) -> String {
    let minutes = seconds.max(0) / 60;
    match (minutes / 60, minutes % 60) {
        (0, minutes) => format!("{minutes} minutes"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// Events of these ages in seconds.
    fn waiting(ages: &[i64]) -> Vec<Waiting> {
        let mut ages = ages.to_vec();
        ages.sort_unstable();
        let event = |age: &i64| Waiting {
            id: format!("evt_{age}"),
            kind: "checkout.session.completed".to_owned(),
            at: Timestamp::from_second(NOW - age).unwrap(),
            object: None,
            payment: None,
        };
        ages.iter().map(event).collect()
    }

    #[test]
    fn a_burst_is_more_than_three_within_ten_minutes_each_older_than_two() {
        let now = Timestamp::from_second(NOW).unwrap();
        let options = Options::default();
        for (ages, wanted) in [
            (&[200, 300, 400][..], 3),
            (&[200, 300, 400, 799], 4),
            (&[200, 300, 400, 800], 4),
            (&[200, 300, 400, 801], 3),
            // At two minutes and no second more they may still be on their way.
            (&[120, 300, 400, 500], 3),
            (&[121, 300, 400, 500], 4),
            // An older group counts as well.
            (&[200, 90_000, 90_100, 90_200, 90_300, 90_600], 5),
            (&[], 0),
        ] {
            assert_eq!(densest(&waiting(ages), &options, now).len(), wanted, "{ages:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_densest_window_is_that_of_a_plain_count(ages in proptest::collection::vec(0_i64..4_000, 0..40)) {
            let now = Timestamp::from_second(NOW).unwrap();
            let options = Options::default();
            let settled: Vec<i64> = ages.iter().copied().filter(|age| *age > 120).collect();
            let plain = settled.iter().map(|first| {
                settled.iter().filter(|age| (*first..=first + 600).contains(age)).count()
            });
            let found = densest(&waiting(&ages), &options, now).len();
            proptest::prop_assert_eq!(found, plain.max().unwrap_or(0));
        }
    }
}
