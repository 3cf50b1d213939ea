//! Which messages a change goes into.
//!
//! Channels that may be told at the same time share a notification: one for what is told now, one for
//! each end of quiet hours. Channels whose other side does the grouping are told each change by itself.

use jiff::{SignedDuration, Timestamp};

use super::NotificationKind;
use crate::incident::{Book, Change, Policy, Tell, route};

/// The most changes of one notification; what follows begins another one.
pub(super) const CHANGES: i64 = 500;

/// One notification that a change goes into, with its channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// What kind of message it is.
    pub(super) kind: NotificationKind,
    /// The end of the quiet hours for which it waits; none where it is told now.
    pub(super) hold: Option<Timestamp>,
    /// It tells this change and no other.
    pub(super) alone: bool,
    /// When it may be sent at the earliest.
    pub(super) due_at: Timestamp,
    /// The channels, in the order of the config.
    pub(super) channels: Vec<String>,
}

/// The notifications that a change goes into; none where it is not told or where no channel takes it.
pub(super) fn plan(change: &Change, book: &Book, now: Timestamp) -> Vec<Group> {
    let fallback = Policy::default();
    let policy = book.policies.get(&change.incident.key.project).unwrap_or(&fallback);
    let (kind, wait) = match change.tell {
        Tell::Grouped => (NotificationKind::Changes, policy.group_wait),
        Tell::FirstLook => (NotificationKind::FirstLook, policy.first_look_wait),
        Tell::Escalation => (NotificationKind::Escalation, std::time::Duration::ZERO),
        Tell::No(_) => return Vec::new(),
    };
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::ZERO);
    let mut groups: Vec<Group> = Vec::new();
    for (channel, earliest) in route(change, book, now) {
        let alone = book.channels.iter().any(|rule| rule.name == channel && rule.ungrouped);
        let hold = (earliest > now).then_some(earliest);
        let waited = if alone { now } else { now.checked_add(wait).unwrap_or(now) };
        let due_at = waited.max(earliest);
        match groups.iter_mut().find(|group| group.alone == alone && group.hold == hold) {
            Some(group) => group.channels.push(channel),
            None => groups.push(Group { kind, hold, alone, due_at, channels: vec![channel] }),
        }
    }
    groups
}
