//! One moment of one project: its rules, what mutes it, and the one place that records a change.

use jiff::Timestamp;

use super::muting::{Muting, is_for_digest};
use super::route::is_for_listeners;
use super::{Book, Change, ChangeKind, Incident, Policy, Tell, Unheard};

/// What every transition is given.
pub(super) struct Moment<'a> {
    /// When it is.
    pub(super) at: Timestamp,
    /// The rules of the project.
    pub(super) policy: Policy,
    /// What keeps changes from being told.
    pub(super) muting: Muting<'a>,
    /// Escalations have channels of their own.
    has_escalation_channels: bool,
}

impl<'a> Moment<'a> {
    /// Collects what holds at a moment; `others` are the incidents on which one may hang.
    pub(super) fn new(
        others: impl IntoIterator<Item = &'a Incident>,
        project: &str,
        book: &'a Book,
        at: Timestamp,
    ) -> Self {
        Self {
            at,
            policy: book.policies.get(project).cloned().unwrap_or_default(),
            muting: Muting::new(others, project, book, at),
            has_escalation_channels: book.channels.iter().any(|channel| channel.escalation),
        }
    }

    /// Why nobody is told at present that something is wrong.
    pub(super) fn unheard(&self, incident: &Incident) -> Option<Unheard> {
        if incident.flapping {
            return Some(Unheard::Flapping);
        }
        self.muting.of_trouble(incident)
    }

    /// Records a change about all members of an incident.
    pub(super) fn record(
        &self,
        incident: &mut Incident,
        kind: ChangeKind,
        tell: Tell,
        changes: &mut Vec<Change>,
    ) {
        self.record_of(incident, kind, Vec::new(), tell, changes);
    }

    /// Records a change about some members; none means all. The incident remembers what was told of it.
    pub(super) fn record_of(
        &self,
        incident: &mut Incident,
        kind: ChangeKind,
        members: Vec<String>,
        tell: Tell,
        changes: &mut Vec<Change>,
    ) {
        match &tell {
            Tell::No(why) => incident.unheard.clone_from(why),
            Tell::Grouped | Tell::FirstLook | Tell::Escalation => {
                self.remember(incident, kind, &members, &tell);
            }
        }
        changes.push(Change { kind, incident: incident.clone(), members, tell });
    }

    fn remember(&self, incident: &mut Incident, kind: ChangeKind, members: &[String], tell: &Tell) {
        incident.last_told_at = Some(self.at);
        let to_escalation_channels = *tell == Tell::Escalation && self.has_escalation_channels;
        if to_escalation_channels {
            return;
        }
        incident.told_at.get_or_insert(self.at);
        incident.unheard = incident.flapping.then_some(Unheard::Flapping);
        let grade = (incident.severity, incident.urgency);
        let is_new = !is_for_listeners(kind, incident) && !is_for_digest(incident);
        if is_new && !incident.told_as.contains(&grade) {
            incident.told_as.push(grade);
        }
        // Who is on it is news about a person; members that joined before still speak for themselves.
        let names_all = members.is_empty() && kind != ChangeKind::Acknowledged;
        for (fingerprint, member) in &mut incident.members {
            member.told |= names_all || members.contains(fingerprint);
        }
    }
}
