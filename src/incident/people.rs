//! What people make of incidents.

use jiff::Timestamp;

use super::moment::Moment;
use super::{Acknowledgement, Book, Change, ChangeKind, Incident, State, Tell, turns};

/// The most characters of a name.
const NAME_CHARS: usize = 200;
/// The most characters of a note.
const NOTE_CHARS: usize = 2_000;

/// Somebody is on it, or takes it over from somebody else.
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
    let before = match (incident.state, &incident.acknowledged) {
        (State::Open, _) | (State::Acknowledged, None) => None,
        (State::Suspected, _) => return Err(suspected(incident)),
        (State::Acknowledged, Some(other)) if other.by == by => {
            return Err(format!("{by} has been on it since {:.0}", other.at));
        }
        (State::Acknowledged, Some(other)) => Some(other.by.clone()),
        (State::Resolved, _) => return Err(over(incident)),
    };
    let mut incident = incident.clone();
    incident.state = State::Acknowledged;
    let note = cut(note, NOTE_CHARS);
    incident.acknowledged = Some(Acknowledgement { by, at: now, before, note });
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
    let tell = turns::told_end(&incident);
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
        (Some(at), Some(by)) => format!("it is over already: {by} ended it at {at:.0}"),
        (Some(at), None) => format!("it is over already, since {at:.0}"),
        (None, _) => "it is over already".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample::{at, incident, member, silence};
    use super::*;
    use crate::incident::Unheard;

    const NOON: &str = "2026-11-22T12:00:00Z";

    fn open() -> Incident {
        let mut incident = incident("web-uptime", "endpoint-down");
        incident.state = State::Open;
        incident.told_at = Some(at("2026-11-22T10:00:00Z"));
        incident.members.insert("new".to_owned(), member("b.example"));
        incident
    }

    fn on_it(incident: &Incident, book: &Book) -> Result<Change, String> {
        acknowledge(incident, " ana\n", "rolling\u{7} back", book, at(NOON))
    }

    #[test]
    fn somebody_is_on_it_once_or_takes_it_over() {
        let book = Book::default();
        let change = on_it(&open(), &book).unwrap();
        assert_eq!((change.kind, &change.tell), (ChangeKind::Acknowledged, &Tell::Grouped));
        let incident = change.incident;
        assert_eq!(incident.state, State::Acknowledged);
        assert_eq!(incident.last_told_at, Some(at(NOON)));
        let who = incident.acknowledged.clone().unwrap();
        assert_eq!((who.by.as_str(), who.note.as_str()), ("ana", "rolling  back"));
        assert!(!incident.members["new"].told, "what joined before still speaks for itself");
        let again = on_it(&incident, &book).unwrap_err();
        assert_eq!(again, "ana has been on it since 2026-11-22T12:00:00Z");
        let taken = acknowledge(&incident, "bo", "", &book, at(NOON)).unwrap();
        assert_eq!((taken.kind, taken.tell), (ChangeKind::Acknowledged, Tell::Grouped));
        let taken = taken.incident.acknowledged.unwrap();
        assert_eq!((taken.by.as_str(), taken.before.as_deref()), ("bo", Some("ana")));
        assert!(acknowledge(&open(), "  ", "", &book, at(NOON)).is_err());
        let long = acknowledge(&open(), &"é".repeat(9_000), &"é".repeat(9_000), &book, at(NOON));
        let long = long.unwrap().incident.acknowledged.unwrap();
        assert_eq!((long.by.chars().count(), long.note.chars().count()), (200, 2_000));
    }

    #[test]
    fn people_end_what_is_believed_and_nothing_else() {
        let book = Book::default();
        for state in [State::Open, State::Acknowledged] {
            let change = resolve(&Incident { state, ..open() }, "ana", &book, at(NOON)).unwrap();
            assert_eq!((change.kind, &change.tell), (ChangeKind::Resolved, &Tell::Grouped));
            let over = change.incident;
            assert_eq!((over.state, over.resolved_at), (State::Resolved, Some(at(NOON))));
            assert_eq!(over.turns, [at(NOON)]);
            for error in [resolve(&over, "bo", &book, at(NOON)), on_it(&over, &book)] {
                let error = error.unwrap_err();
                assert_eq!(error, "it is over already: ana ended it at 2026-11-22T12:00:00Z");
            }
        }
        let suspected = incident("web-uptime", "endpoint-down");
        for error in [resolve(&suspected, "bo", &book, at(NOON)), on_it(&suspected, &book)] {
            assert!(error.unwrap_err().contains("only suspected"));
        }
    }

    #[test]
    fn what_nobody_heard_of_is_ended_without_a_word() {
        let mut unheard = open();
        unheard.told_at = None;
        unheard.unheard = Some(Unheard::Digest);
        let book = Book::default();
        for change in [on_it(&unheard, &book), resolve(&unheard, "ana", &book, at(NOON))] {
            assert_eq!(change.unwrap().tell, Tell::No(Some(Unheard::Digest)));
        }
        let silences = vec![silence("2026-11-22T11:00:00Z", "2026-11-22T13:00:00Z")];
        let book = Book { silences, ..Book::default() };
        let why = Unheard::Silenced { silence: "sil_1".to_owned() };
        assert_eq!(on_it(&open(), &book).unwrap().tell, Tell::No(Some(why)));
        let over = resolve(&open(), "ana", &book, at(NOON)).unwrap();
        assert_eq!(over.tell, Tell::Grouped, "what was told as open is told as over");
    }
}
