//! Opening, ending, and flapping: what opens and closes too often is said once.

use jiff::Timestamp;
use launchready_checks::contract::Severity;

use super::moment::Moment;
use super::span::{after, since};
use super::{Change, ChangeKind, Incident, Policy, State, Tell, Unheard};

/// The most turns that are remembered, whatever the policy says.
const TURNS: usize = 1_000;

/// A suspected incident is believed.
pub(super) fn open(incident: &mut Incident, moment: &Moment<'_>, changes: &mut Vec<Change>) {
    incident.state = State::Open;
    incident.opened_at = Some(moment.at);
    incident.recoveries = 0;
    turn(incident, &moment.policy, moment.at);
    let muted = moment.muting.of_trouble(incident);
    let begins = muted.is_none() && begins_to_flap(incident, &moment.policy);
    incident.flapping |= begins;
    let tell = match moment.unheard(incident) {
        Some(why) => Tell::No(Some(why)),
        None if incident.from_start => Tell::FirstLook,
        None => Tell::Grouped,
    };
    moment.record(incident, ChangeKind::Opened, tell, changes);
    if begins {
        moment.record(incident, ChangeKind::Flapping, Tell::Grouped, changes);
    }
}

/// An incident is over. That is told only to those who heard that it began.
pub(super) fn close(
    incident: &mut Incident,
    kind: ChangeKind,
    moment: &Moment<'_>,
    changes: &mut Vec<Change>,
) {
    end(incident, moment.at, &moment.policy);
    let muted = moment.muting.of_end(incident);
    let is_heard = incident.told_at.is_some() && muted.is_none();
    let begins = is_heard && begins_to_flap(incident, &moment.policy);
    incident.flapping |= begins;
    let tell = told_end(incident);
    moment.record(incident, kind, tell, changes);
    if begins {
        moment.record(incident, ChangeKind::Flapping, Tell::Grouped, changes);
    }
}

/// Puts an incident at its end, without a word.
pub(super) fn end(incident: &mut Incident, at: Timestamp, policy: &Policy) {
    incident.state = State::Resolved;
    incident.resolved_at = Some(at);
    turn(incident, policy, at);
}

/// How it is told that an incident is over.
pub(super) fn told_end(incident: &Incident) -> Tell {
    if incident.told_at.is_none() {
        return Tell::No(incident.unheard.clone());
    }
    if incident.flapping {
        return Tell::No(Some(Unheard::Flapping));
    }
    // Within a silence or a window `route` holds it back for people until that is over.
    Tell::Grouped
}

/// A flapping incident that has not turned for long enough is calm: that is told with what it is by then.
pub(super) fn calm(
    incident: &mut Incident,
    moment: &Moment<'_>,
    changes: &mut Vec<Change>,
) -> bool {
    let is_over = incident.state == State::Resolved;
    let policy = &moment.policy;
    let wait = if is_over {
        // The incident is handed over for as long as the window only.
        policy.flap_calm.min(policy.flap_window / 2)
    } else {
        policy.flap_calm
    };
    let is_quiet = incident.turns.last().is_none_or(|last| since(*last, moment.at) >= wait);
    if !incident.flapping || incident.state == State::Suspected || !is_quiet {
        return false;
    }
    incident.flapping = false;
    let muted = if is_over { None } else { moment.muting.of_trouble(incident) };
    let tell = muted.map_or(Tell::Grouped, |why| Tell::No(Some(why)));
    moment.record(incident, ChangeKind::Calm, tell, changes);
    true
}

/// When an incident that lasts may be calm at the earliest; none where it does not flap.
pub(super) fn calm_at(incident: &Incident, policy: &Policy) -> Option<Timestamp> {
    let last = incident.turns.last().copied().unwrap_or(Timestamp::MIN);
    incident.flapping.then(|| after(last, policy.flap_calm))
}

/// Told at once, also while it flaps or is acknowledged: an incident became critical. What swings between
/// severities is told of once per reminder.
pub(super) fn worsen(
    incident: &mut Incident,
    before: Severity,
    moment: &Moment<'_>,
    changes: &mut Vec<Change>,
) {
    if before == Severity::Critical || incident.severity != Severity::Critical {
        return;
    }
    let was_told = incident.told_as.iter().any(|(severity, _)| *severity == Severity::Critical);
    let rests =
        incident.last_told_at.is_some_and(|last| since(last, moment.at) < moment.policy.reminder);
    let tell = match moment.muting.of_trouble(incident) {
        Some(why) => Tell::No(Some(why)),
        None if was_told && (rests || incident.flapping) => Tell::No(incident.unheard.clone()),
        None => Tell::Grouped,
    };
    moment.record(incident, ChangeKind::Worsened, tell, changes);
}

/// What a new incident takes over from the last one of its key.
pub(super) fn inherit(incident: &mut Incident, last: Option<&Incident>) {
    let Some(last) = last else { return };
    incident.turns.clone_from(&last.turns);
    incident.flapping = last.flapping;
    if last.flapping {
        // Whoever was told that it flaps is told that it is calm.
        incident.told_as.clone_from(&last.told_as);
    }
}

fn turn(incident: &mut Incident, policy: &Policy, at: Timestamp) {
    let turns = &mut incident.turns;
    turns.push(at);
    turns.retain(|turn| since(*turn, at) <= policy.flap_window);
    let kept = policy.flap_turns.clamp(1, TURNS);
    turns.drain(..turns.len().saturating_sub(kept));
}

/// No number of turns is flapping where the policy says 0.
fn begins_to_flap(incident: &Incident, policy: &Policy) -> bool {
    let wanted = policy.flap_turns.min(TURNS);
    !incident.flapping && wanted > 0 && incident.turns.len() >= wanted
}
