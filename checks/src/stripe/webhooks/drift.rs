//! The destinations of events against the approved ones.

use super::{CHANGED, Evidence, Told};
use crate::contract::{Assessment, Change, Fact, Severity, Unseen, changes};

/// Each destination with its address, its events and whether it is on.
pub(super) fn facts(evidence: &Evidence) -> Vec<Fact> {
    evidence.destinations.items.iter().map(|told| Fact::new(&told.id, lines(told))).collect()
}

fn lines(told: &Told) -> Vec<String> {
    let mut lines = vec![
        format!("address {}", told.shown),
        if told.enabled { "enabled" } else { "disabled" }.to_owned(),
    ];
    lines.extend(told.api_version.as_ref().map(|version| format!("version {version}")));
    lines.extend(told.events.items.iter().map(|kind| format!("event {kind}")));
    if told.events.cut > 0 {
        lines.push(format!("and {} more events", told.events.cut));
    }
    lines
}

/// Compares with the approved destinations.
pub(super) fn judge(evidence: &Evidence, baseline: &Evidence, out: &mut Assessment) {
    let (then, now) = (facts(baseline), facts(evidence));
    // A list that was not seen whole proves neither that something is gone nor that it is new.
    let is_partial =
        [evidence, baseline].iter().any(|look| look.unseen.is_some() || look.destinations.cut > 0);
    if is_partial {
        out.not_checked(
            Unseen::Noted,
            "destinations that were added or are gone",
            "the destinations were not all listed, now or when they were approved",
            "give the key Read on Event Destinations, then run `launchready baseline approve`",
        );
    }
    for change in changes(&then, &now) {
        if is_partial && (change.then.is_none() || change.now.is_none()) {
            continue;
        }
        // Evidence of before events were kept says nothing of them.
        let before = baseline.destinations.items.iter().find(|told| told.id == change.subject);
        if before.is_some_and(|told| told.events.total() == 0) {
            continue;
        }
        let (severity, what) = weigh(&change);
        let place = "in Stripe, under Developers → Webhooks,";
        let secret = if change.now.is_none() {
            "A destination that was deleted cannot be restored: add one with the address, the version and the \
             events below, and put its new signing secret into the settings of the product. "
        } else {
            ""
        };
        out.find(
            change
                .finding(&CHANGED)
                .at(severity)
                .summary(format!(
                    "The destination {} {what} since the baseline was approved.",
                    change.subject
                ))
                .fix(format!("{secret}{}", change.rollback(place))),
        );
    }
}

/// What loses events is worse than what adds some.
fn weigh(change: &Change<'_>) -> (Severity, &'static str) {
    match (change.then, change.now) {
        (None, _) => (Severity::Warning, "was added"),
        (_, None) => (Severity::Critical, "is gone"),
        _ if change.gone().iter().any(|line| !line.starts_with("version ")) => {
            (Severity::Critical, "was changed")
        }
        _ => (Severity::Warning, "was changed"),
    }
}
