//! What time makes of incidents, without a look.

use jiff::Timestamp;

use super::moment::Moment;
use super::{Book, Incident, Outcome, Policy, State, muting, news, turns};

/// Lets time pass for the unresolved incidents of one project: reminders, escalations, what was held
/// back by a silence or a window, calm after flapping.
///
/// What hung on something that was down is not told here: a look has to see it once more.
pub fn wake(known: &[Incident], book: &Book, now: Timestamp) -> Outcome {
    let mut outcome = Outcome::default();
    let Some(first) = known.first() else { return outcome };
    let moment = Moment::new(known, &first.key.project, book, now);
    for before in known {
        if !matches!(before.state, State::Open | State::Acknowledged) {
            continue;
        }
        let mut incident = before.clone();
        let changes = &mut outcome.changes;
        turns::calm(&mut incident, &moment, changes);
        news::unmute(&mut incident, false, &moment, changes);
        news::escalate(&mut incident, &moment, changes);
        news::join(&mut incident, &moment, changes);
        news::remind(&mut incident, &moment, changes);
        if incident != *before {
            outcome.incidents.push(incident);
        }
    }
    outcome
}

/// When [`wake`] may next make something of an incident, reckoned at `now` and true for as long as neither
/// incident nor book changes; never where absent. [`Timestamp::MIN`] means at once.
pub fn wakes_at(incident: &Incident, book: &Book, now: Timestamp) -> Option<Timestamp> {
    if !matches!(incident.state, State::Open | State::Acknowledged) {
        return None;
    }
    let fallback = Policy::default();
    let policy = book.policies.get(&incident.key.project).unwrap_or(&fallback);
    let mute = muting::mute(incident, book, now);
    let told = news::due_at(incident, policy, mute.as_ref());
    [turns::calm_at(incident, policy), told].into_iter().flatten().min()
}

/// Takes times of an incident that lie beyond `ahead` back to `now`: a clock that was wrong wrote them.
/// Gives back whether there was one.
pub fn put_back(incident: &mut Incident, now: Timestamp, ahead: Timestamp) -> bool {
    let mut was_ahead = false;
    let mut put = |time: &mut Timestamp| {
        if *time > ahead {
            *time = now;
            was_ahead = true;
        }
    };
    put(&mut incident.first_seen);
    put(&mut incident.last_seen);
    for member in incident.members.values_mut() {
        put(&mut member.first_seen);
        put(&mut member.last_seen);
    }
    incident.turns.iter_mut().for_each(&mut put);
    if let Some(acknowledged) = &mut incident.acknowledged {
        put(&mut acknowledged.at);
    }
    let Incident { last_good, opened_at, told_at, last_told_at, escalated_at, .. } = incident;
    for time in [last_good, opened_at, told_at, last_told_at, escalated_at] {
        time.iter_mut().for_each(&mut put);
    }
    was_ahead
}
