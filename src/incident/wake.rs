//! What time makes of incidents, without a look.

use jiff::Timestamp;

use super::moment::Moment;
use super::{Book, Incident, Outcome, State, news, turns};

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
