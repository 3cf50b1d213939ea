//! Who is told of a change, and when at the earliest.

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Urgency};

use super::muting::is_for_digest;
use super::quiet::end_of_quiet;
use super::{Book, Change, ChangeKind, ChannelRule, Incident, Tell};

/// The channels that are told of a change, each with the earliest time at which it may be, before any
/// grouping: later than `now` where the channel has quiet hours.
///
/// What begins or lasts goes to the channels that take what it is at present. What ends, becomes calm or
/// has found somebody goes to the channels that took what it was when it was told. A change that is not
/// told goes to none.
pub fn route(change: &Change, book: &Book, now: Timestamp) -> Vec<(String, Timestamp)> {
    let incident = &change.incident;
    let is_end =
        change.kind.is_end() || matches!(change.kind, ChangeKind::Calm | ChangeKind::Acknowledged);
    let present = [(incident.severity, incident.urgency)];
    let grades = if is_end && !incident.told_as.is_empty() {
        incident.told_as.as_slice()
    } else if is_for_digest(incident) {
        return Vec::new();
    } else {
        present.as_slice()
    };
    let zone = book.policies.get(&incident.key.project).map_or("UTC", |policy| &policy.timezone);
    let is_urgent = grades.iter().any(|(_, urgency)| *urgency == Urgency::Now);
    let channels = book.channels.iter().filter(|channel| {
        takes_kind(channel, change, is_end, book) && takes(channel, incident, grades)
    });
    channels
        .map(|channel| {
            let held = channel.quiet.filter(|_| !is_urgent);
            let due = held.and_then(|quiet| end_of_quiet(quiet, zone, now)).unwrap_or(now);
            (channel.name.clone(), due)
        })
        .collect()
}

/// Escalation channels take escalations, and the ends of what was escalated; the others take the rest,
/// and escalations too where there is no channel for them.
fn takes_kind(channel: &ChannelRule, change: &Change, is_end: bool, book: &Book) -> bool {
    match (&change.tell, channel.escalation) {
        (Tell::No(_), _) => false,
        (Tell::Escalation, true) | (Tell::Grouped | Tell::FirstLook, false) => true,
        (Tell::Escalation, false) => !book.channels.iter().any(|channel| channel.escalation),
        (Tell::Grouped | Tell::FirstLook, true) => is_end && change.incident.escalated_at.is_some(),
    }
}

fn takes(channel: &ChannelRule, incident: &Incident, grades: &[(Severity, Urgency)]) -> bool {
    let is_project =
        channel.projects.is_empty() || channel.projects.contains(&incident.key.project);
    is_project
        && grades.iter().any(|(severity, urgency)| {
            channel.severities.contains(severity) && channel.urgencies.contains(urgency)
        })
}
