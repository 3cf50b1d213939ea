//! What people make of incidents.

use jiff::Timestamp;

use super::moment::Moment;
use super::{Acknowledgement, Book, Change, ChangeKind, Incident, State, Tell, turns};

/// The most characters of a name.
const NAME_CHARS: usize = 200;
/// The most characters of a note.
const NOTE_CHARS: usize = 2_000;

/// Somebody is on it.
///
/// # Errors
/// A sentence why it cannot be, such as that it is over.
pub fn acknowledge(
    incident: &Incident,
    by: &str,
    note: &str,
    book: &Book,
    now: Timestamp,
) -> Result<Change, String> {
    let by = name(by)?;
    match (incident.state, &incident.acknowledged) {
        (State::Open, _) => {}
        (State::Suspected, _) => return Err(suspected(incident)),
        (State::Acknowledged, Some(other)) => {
            return Err(format!("{} has been on it since {}", other.by, other.at));
        }
        (State::Acknowledged, None) => return Err("somebody is on it already".to_owned()),
        (State::Resolved, _) => return Err(over(incident)),
    }
    let mut incident = incident.clone();
    incident.state = State::Acknowledged;
    incident.acknowledged = Some(Acknowledgement { by, at: now, note: cut(note, NOTE_CHARS) });
    let moment = Moment::new([], &incident.key.project, book, now);
    // Whoever has not heard of it has no use for it, and whoever has waits for it, flapping or not.
    let tell = if incident.told_at.is_none() {
        Tell::No(incident.unheard.clone())
    } else {
        moment.muting.of_end(&incident).map_or(Tell::Grouped, |why| Tell::No(Some(why)))
    };
    Ok(change(incident, ChangeKind::Acknowledged, tell, &moment))
}

/// Somebody says that it is over. The next look that sees it opens a new one.
///
/// # Errors
/// A sentence why it cannot be, such as that it is over already.
pub fn resolve(
    incident: &Incident,
    by: &str,
    book: &Book,
    now: Timestamp,
) -> Result<Change, String> {
    let by = name(by)?;
    match incident.state {
        State::Open | State::Acknowledged => {}
        State::Suspected => return Err(suspected(incident)),
        State::Resolved => return Err(over(incident)),
    }
    let moment = Moment::new([], &incident.key.project, book, now);
    let mut incident = incident.clone();
    incident.resolved_by = Some(by);
    turns::end(&mut incident, now, &moment.policy);
    let tell = turns::told_end(&incident, &moment);
    Ok(change(incident, ChangeKind::Resolved, tell, &moment))
}

fn change(mut incident: Incident, kind: ChangeKind, tell: Tell, moment: &Moment<'_>) -> Change {
    let mut changes = Vec::new();
    moment.record(&mut incident, kind, tell.clone(), &mut changes);
    changes.pop().unwrap_or(Change { kind, incident, members: Vec::new(), tell })
}

fn name(by: &str) -> Result<String, String> {
    let by = cut(by, NAME_CHARS);
    if by.is_empty() { Err("say who you are".to_owned()) } else { Ok(by) }
}

/// A text without control characters and blanks around it, and no longer than that.
fn cut(text: &str, chars: usize) -> String {
    let shown = text.trim().chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c });
    shown.take(chars).collect::<String>().trim_end().to_owned()
}

fn suspected(incident: &Incident) -> String {
    let key = &incident.key;
    format!(
        "{} of {} is only suspected: the next look confirms it or forgets it",
        key.code, key.project
    )
}

fn over(incident: &Incident) -> String {
    match (incident.resolved_at, &incident.resolved_by) {
        (Some(at), Some(by)) => format!("it is over already: {by} ended it at {at}"),
        (Some(at), None) => format!("it is over already, since {at}"),
        (None, _) => "it is over already".to_owned(),
    }
}
