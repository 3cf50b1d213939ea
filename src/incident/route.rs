//! Who is told of a change, and when at the earliest.

use jiff::Timestamp;
use launchready_checks::contract::{Severity, Urgency};

use super::muting::{end_of_mute, is_for_digest};
use super::quiet::end_of_quiet;
use super::{Book, Change, ChangeKind, ChannelRule, Incident, State, Tell};

/// The channels that are told of a change, each with the earliest time at which it may be, before any
/// grouping: later than `now` where the channel has quiet hours.
///
/// What begins or lasts goes to the channels that take what it is at present. What is over, or has found
/// somebody, goes to the channels that took what it was when they were told of it; so does calm, which
/// also goes to those that take what it is by then. A change that is not told goes to none.
///
/// Within a silence or a window, what is over is held back until that ends, other than for channels whose
/// other side keeps the incident open until it is told: they make no noise of an end.
pub fn route(change: &Change, book: &Book, now: Timestamp) -> Vec<(String, Timestamp)> {
    let incident = &change.incident;
    let is_end =
        change.kind.is_end() || matches!(change.kind, ChangeKind::Calm | ChangeKind::Acknowledged);
    let grades = grades(change.kind, incident);
    let zone = book.policies.get(&incident.key.project).map_or("UTC", |policy| &policy.timezone);
    let is_urgent = grades.iter().any(|(_, urgency)| *urgency == Urgency::Now);
    let channels = book.channels.iter().filter(|channel| {
        takes_kind(channel, change, is_end, book) && takes(channel, incident, &grades)
    });
    let is_over = incident.state == State::Resolved;
    let unmuted = if is_over { end_of_mute(incident, book, now) } else { None };
    channels
        .map(|channel| {
            let earliest = unmuted.filter(|_| !channel.ungrouped).unwrap_or(now);
            let held = channel.quiet.filter(|_| !is_urgent);
            let due = held.and_then(|quiet| end_of_quiet(quiet, zone, earliest));
            (channel.name.clone(), due.unwrap_or(earliest))
        })
        .collect()
}

/// Whether a change is for those who heard of the incident, whatever it is by then.
pub(super) fn is_for_listeners(kind: ChangeKind, incident: &Incident) -> bool {
    incident.state == State::Resolved || kind == ChangeKind::Acknowledged
}

/// A channel is told a change when it takes one of these.
fn grades(kind: ChangeKind, incident: &Incident) -> Vec<(Severity, Urgency)> {
    let heard = incident.told_as.iter().copied();
    let present =
        (!is_for_digest(incident)).then_some((incident.severity, incident.urgency)).into_iter();
    if is_for_listeners(kind, incident) && !incident.told_as.is_empty() {
        heard.collect()
    } else if kind == ChangeKind::Calm {
        heard.chain(present).collect()
    } else {
        present.collect()
    }
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
    channel.tells_of(&incident.key.project)
        && grades.iter().any(|(severity, urgency)| {
            channel.severities.contains(severity) && channel.urgencies.contains(urgency)
        })
}

#[cfg(test)]
mod tests {
    use launchready_checks::contract::{Severity, Urgency};

    use super::super::Quiet;
    use super::super::tests::sample::{at, channel, incident, silence};
    use super::*;

    const NOON: &str = "2026-11-22T12:00:00Z";
    const CRITICAL: (Severity, Urgency) = (Severity::Critical, Urgency::Now);
    const MILD: (Severity, Urgency) = (Severity::Warning, Urgency::Day);

    fn change(kind: ChangeKind, tell: Tell, grade: (Severity, Urgency)) -> Change {
        let mut incident = incident("web-uptime", "endpoint-down");
        (incident.severity, incident.urgency) = grade;
        incident.state = if kind.is_end() { State::Resolved } else { State::Open };
        incident.told_as = vec![grade];
        Change { kind, incident, members: Vec::new(), tell }
    }

    fn told(change: &Change, book: &Book, now: &str) -> Vec<(String, String)> {
        let all = route(change, book, at(now)).into_iter();
        all.map(|(name, due)| (name, due.to_string())).collect()
    }

    fn names(change: &Change, book: &Book) -> Vec<String> {
        route(change, book, at(NOON)).into_iter().map(|(name, _)| name).collect()
    }

    fn book(channels: &[ChannelRule]) -> Book {
        Book { channels: channels.to_vec(), ..Book::default() }
    }

    #[test]
    fn a_channel_is_told_what_it_takes() {
        let mut critical = channel("critical");
        critical.severities = vec![Severity::Critical];
        let mut day = channel("day");
        day.urgencies = vec![Urgency::Day];
        let mut quay = channel("quay");
        quay.projects = vec!["quay".to_owned()];
        let mut harbor = channel("harbor");
        harbor.projects = vec!["quay".to_owned(), "harbor".to_owned()];
        let book = book(&[critical, day, quay, harbor]);
        let opened = |grade| change(ChangeKind::Opened, Tell::Grouped, grade);
        assert_eq!(names(&opened(CRITICAL), &book), ["critical", "harbor"]);
        assert_eq!(names(&opened(MILD), &book), ["day", "harbor"]);
        assert!(names(&opened((Severity::Info, Urgency::Digest)), &book).is_empty());
        assert!(names(&change(ChangeKind::Opened, Tell::No(None), CRITICAL), &book).is_empty());
    }

    #[test]
    fn an_end_goes_to_those_who_heard_the_beginning() {
        let mut critical = channel("critical");
        critical.severities = vec![Severity::Critical];
        let mut warnings = channel("warnings");
        warnings.severities = vec![Severity::Warning];
        let book = book(&[critical, warnings]);
        for kind in [ChangeKind::Resolved, ChangeKind::Expired, ChangeKind::Acknowledged] {
            let mut end = change(kind, Tell::Grouped, MILD);
            end.incident.told_as = vec![CRITICAL];
            assert_eq!(names(&end, &book), ["critical"], "{kind:?}");
            (end.incident.severity, end.incident.urgency) = (Severity::Info, Urgency::Digest);
            assert_eq!(names(&end, &book), ["critical"], "{kind:?}");
            end.incident.told_as.push(MILD);
            assert_eq!(names(&end, &book), ["critical", "warnings"], "{kind:?}");
        }
        let mut calm = change(ChangeKind::Calm, Tell::Grouped, MILD);
        calm.incident.told_as = vec![CRITICAL];
        assert_eq!(names(&calm, &book), ["critical", "warnings"]);
        calm.incident.state = State::Resolved;
        assert_eq!(names(&calm, &book), ["critical"]);
    }

    #[test]
    fn escalations_have_channels_of_their_own_where_there_are_any() {
        let mut boss = channel("boss");
        boss.escalation = true;
        let with = book(&[channel("team"), boss]);
        let without = book(&[channel("team")]);
        let escalated = change(ChangeKind::Escalated, Tell::Escalation, CRITICAL);
        assert_eq!(names(&escalated, &with), ["boss"]);
        assert_eq!(names(&escalated, &without), ["team"]);
        let all = [
            ChangeKind::Opened,
            ChangeKind::Worsened,
            ChangeKind::Unmuted,
            ChangeKind::Joined,
            ChangeKind::Reminded,
            ChangeKind::Flapping,
        ];
        for kind in all {
            let mut lasting = change(kind, Tell::Grouped, CRITICAL);
            lasting.incident.escalated_at = Some(at(NOON));
            assert_eq!(names(&lasting, &with), ["team"], "{kind:?}");
        }
        let ends =
            [ChangeKind::Resolved, ChangeKind::Expired, ChangeKind::Calm, ChangeKind::Acknowledged];
        for kind in ends {
            let mut end = change(kind, Tell::Grouped, CRITICAL);
            assert_eq!(names(&end, &with), ["team"], "{kind:?}");
            end.incident.escalated_at = Some(at(NOON));
            assert_eq!(names(&end, &with), ["team", "boss"], "{kind:?}");
        }
    }

    #[test]
    fn what_is_over_in_a_silence_is_told_after_it_and_at_once_where_it_stays_open_otherwise() {
        let mut pager = channel("pager");
        pager.ungrouped = true;
        let mut quiet = channel("quiet");
        quiet.quiet = Some(Quiet { from: 13 * 60, to: 15 * 60 });
        let mut book = book(&[channel("team"), pager, quiet]);
        book.silences.push(silence("2026-11-22T11:00:00Z", "2026-11-22T14:00:00Z"));
        let late = "2026-11-22T14:00:00Z";
        for kind in [ChangeKind::Resolved, ChangeKind::Expired] {
            let end = change(kind, Tell::Grouped, MILD);
            let wanted = [("team", late), ("pager", NOON), ("quiet", "2026-11-22T15:00:00Z")];
            let wanted = wanted.map(|(name, due)| (name.to_owned(), due.to_owned()));
            assert_eq!(told(&end, &book, NOON), wanted, "{kind:?}");
        }
        let worse = change(ChangeKind::Worsened, Tell::Grouped, CRITICAL);
        assert_eq!(told(&worse, &book, NOON)[0].1, NOON, "what is not over is not held here");
    }

    #[test]
    fn what_is_not_urgent_waits_for_the_end_of_quiet_hours() {
        let mut quiet = channel("quiet");
        quiet.quiet = Some(Quiet { from: 22 * 60, to: 7 * 60 });
        let mut book = book(&[quiet, channel("loud")]);
        let mild = change(ChangeKind::Opened, Tell::Grouped, MILD);
        let due = |quiet: &str, now: &str| {
            vec![("quiet".to_owned(), quiet.to_owned()), ("loud".to_owned(), now.to_owned())]
        };
        let night = "2026-11-22T23:00:00Z";
        assert_eq!(told(&mild, &book, night), due("2026-11-23T07:00:00Z", night));
        assert_eq!(told(&mild, &book, NOON), due(NOON, NOON));
        let urgent = change(ChangeKind::Opened, Tell::Grouped, CRITICAL);
        assert_eq!(told(&urgent, &book, night), due(night, night));
        let mut end = change(ChangeKind::Resolved, Tell::Grouped, MILD);
        end.incident.told_as = vec![CRITICAL];
        assert_eq!(told(&end, &book, night), due(night, night), "whoever was woken may sleep");
        let policy =
            super::super::Policy { timezone: "Asia/Tokyo".to_owned(), ..Default::default() };
        book.policies.insert("harbor".to_owned(), policy);
        assert_eq!(told(&mild, &book, night), due(night, night), "it is morning in Tokyo");
    }
}
