//! What is told of an incident that lasts: that its mute is over, its new members, a reminder, an
//! escalation.

use jiff::Timestamp;
use launchready_checks::contract::Urgency;

use super::moment::Moment;
use super::muting::is_for_digest;
use super::span::{after, since};
use super::{Change, ChangeKind, Incident, Policy, State, Tell, Unheard};

/// Tells an incident that could not be told, as soon as nothing keeps it from being told.
///
/// What hung on something waits for a look that still sees it (`is_just_seen`): when a host is back, the
/// next look of the other checks nearly always finds that all is well, and nobody has to hear of it.
pub(super) fn unmute(
    incident: &mut Incident,
    is_just_seen: bool,
    moment: &Moment<'_>,
    changes: &mut Vec<Change>,
) {
    let is_believed = matches!(incident.state, State::Open | State::Acknowledged);
    let is_waiting = incident.unheard.is_some() || incident.told_at.is_none();
    let hangs = matches!(incident.unheard, Some(Unheard::DependsOn { .. }));
    if !is_believed || !is_waiting || (hangs && !is_just_seen) {
        return;
    }
    match moment.unheard(incident) {
        Some(why) => incident.unheard = Some(why),
        None => moment.record(incident, ChangeKind::Unmuted, Tell::Grouped, changes),
    }
}

/// Tells of members that joined since the incident was last told of, at most once per reminder.
pub(super) fn join(incident: &mut Incident, moment: &Moment<'_>, changes: &mut Vec<Change>) {
    if !rests(incident, moment) {
        return;
    }
    let members = incident.members.iter();
    let new =
        members.filter(|(_, member)| !member.told).map(|(fingerprint, _)| fingerprint.clone());
    let new: Vec<String> = new.collect();
    if !new.is_empty() && moment.unheard(incident).is_none() {
        moment.record_of(incident, ChangeKind::Joined, new, Tell::Grouped, changes);
    }
}

/// Says again that an incident lasts on which nobody is.
pub(super) fn remind(incident: &mut Incident, moment: &Moment<'_>, changes: &mut Vec<Change>) {
    let is_due = incident.state == State::Open
        && rests(incident, moment)
        && !moment.policy.reminder.is_zero();
    if is_due && moment.unheard(incident).is_none() {
        moment.record(incident, ChangeKind::Reminded, Tell::Grouped, changes);
    }
}

/// Tells others that nobody is on an urgent incident. A host that flaps and then stays down escalates too.
pub(super) fn escalate(incident: &mut Incident, moment: &Moment<'_>, changes: &mut Vec<Change>) {
    let (Some(wait), Some(told_at)) = (moment.policy.escalate_after, incident.told_at) else {
        return;
    };
    let is_due = incident.state == State::Open
        && incident.urgency == Urgency::Now
        && incident.escalated_at.is_none()
        && since(told_at, moment.at) >= wait;
    if is_due && moment.muting.of_trouble(incident).is_none() {
        incident.escalated_at = Some(moment.at);
        moment.record(incident, ChangeKind::Escalated, Tell::Escalation, changes);
    }
}

/// Whether the incident was told, and nothing was said of it for as long as a reminder takes.
fn rests(incident: &Incident, moment: &Moment<'_>) -> bool {
    let last: Option<Timestamp> = incident.told_at.and(incident.last_told_at);
    last.is_some_and(|last| since(last, moment.at) >= moment.policy.reminder)
}

/// When the passing of time may next have something told of an incident that is believed: never later than
/// one of the functions above makes something of it. `mute` is what keeps it from being told at present,
/// and when that may be over.
pub(super) fn due_at(
    incident: &Incident,
    policy: &Policy,
    mute: Option<&(Unheard, Timestamp)>,
) -> Option<Timestamp> {
    let is_digest = is_for_digest(incident);
    let reason = if incident.flapping {
        Some(&Unheard::Flapping)
    } else if is_digest {
        Some(&Unheard::Digest)
    } else {
        mute.map(|(reason, _)| reason)
    };
    let mute_ends = mute.map_or(Timestamp::MIN, |(_, end)| *end);
    let is_waiting = incident.unheard.is_some() || incident.told_at.is_none();
    let hangs = matches!(incident.unheard, Some(Unheard::DependsOn { .. }));
    let unmute = if !is_waiting || hangs {
        None
    } else if reason.is_none() || incident.unheard.as_ref() != reason {
        Some(Timestamp::MIN)
    } else if incident.flapping || is_digest {
        None
    } else {
        Some(mute_ends)
    };
    let escalate = match (policy.escalate_after, incident.told_at) {
        (Some(wait), Some(told_at))
            if incident.state == State::Open
                && incident.urgency == Urgency::Now
                && incident.escalated_at.is_none()
                && !is_digest =>
        {
            Some(after(told_at, wait).max(mute_ends))
        }
        _ => None,
    };
    let says_again = incident.state == State::Open && !policy.reminder.is_zero();
    let has_new = incident.members.values().any(|member| !member.told);
    let last = incident.told_at.and(incident.last_told_at);
    let again = last
        .filter(|_| (says_again || has_new) && !is_digest && !incident.flapping)
        .map(|last| after(last, policy.reminder).max(mute_ends));
    [unmute, escalate, again].into_iter().flatten().min()
}
