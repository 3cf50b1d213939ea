//! What is read of incidents, and what becomes of their rows.

use std::collections::HashMap;

use jiff::Timestamp;
use launchready_checks::contract::json;
use serde_json::Value;

use super::fault::Fault;
use super::ids::{INCIDENT, new_id};
use super::row::Columns;
use super::words::ms;
use super::{Delivery, IncidentRecord, RecordedChange, StoreError};
use crate::incident::{
    Book, Change, ChangeKind, Incident, IncidentKey, Outcome, State, Tell, wakes_at,
};

/// The incident of a row with `id` and `body`. What cannot be read is logged, and is none.
pub(super) fn read(row: &impl Columns) -> Option<Incident> {
    let read = row.text("body").and_then(|body| Ok(json::from_str(body)?));
    match read {
        Ok(incident) => Some(incident),
        Err(fault) => {
            let id = row.text("id").unwrap_or_default();
            tracing::error!(
                incident = id,
                "an incident cannot be read, and is left aside: {fault}"
            );
            None
        }
    }
}

/// The error of asking for an incident that cannot be read.
pub(super) fn unreadable(id: &str) -> Fault {
    Fault::Row(format!("the row of the incident {id:?} has no known form").into())
}

/// The error of asking for an incident that is not there.
pub(super) fn missing(id: &str) -> Fault {
    StoreError::Missing { what: "incident", id: id.to_owned() }.into()
}

/// Incidents of rows, and the ids of those that cannot be read.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) known: Vec<Incident>,
    pub(super) unreadable: Vec<String>,
}

impl Found {
    /// Those of rows with `id` and `body`.
    pub(super) fn of<R: Columns>(rows: &[R]) -> Result<Self, Fault> {
        let mut found = Self::default();
        for row in rows {
            match read(row) {
                Some(incident) => found.known.push(incident),
                None => found.unreadable.push(row.text("id")?.to_owned()),
            }
        }
        Ok(found)
    }
}

/// The evidence in which the incidents of a check were seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sighting<'s> {
    pub(super) check: &'s str,
    pub(super) hash: &'s [u8],
}

/// Gives an id to each incident of an outcome that has none, in the changes too, and puts those that are
/// over first, so that there is never more than one unresolved of a key. Gives back the new ones.
pub(super) fn name(outcome: &mut Outcome) -> Result<HashMap<IncidentKey, String>, Fault> {
    let mut new: HashMap<IncidentKey, String> = HashMap::new();
    let changed = outcome.changes.iter_mut().map(|change| &mut change.incident);
    for incident in outcome.incidents.iter_mut().chain(changed) {
        if !incident.id.is_empty() {
            continue;
        }
        let id = match new.get(&incident.key) {
            Some(id) => id.clone(),
            None => new_id(INCIDENT)?,
        };
        incident.id.clone_from(&id);
        new.insert(incident.key.clone(), id);
    }
    outcome.incidents.sort_by_key(|incident| incident.state != State::Resolved);
    Ok(new)
}

/// When time may next make something of an incident, as its column holds it.
pub(super) fn wake_at(incident: &Incident, book: &Book, now: Timestamp) -> Option<i64> {
    wakes_at(incident, book, now).map(|at| ms(at).max(0))
}

/// What a person did to one incident.
pub(super) fn by_hand(change: Change) -> Outcome {
    let after = change.incident.clone();
    Outcome { incidents: vec![after], changes: vec![change], ..Outcome::default() }
}

/// The end of an incident whose job the config no longer has. Nobody is told: nothing was mended.
pub(super) fn end_quietly(mut incident: Incident, now: Timestamp) -> Change {
    incident.state = State::Resolved;
    incident.resolved_at = Some(now);
    incident.unheard = None;
    incident.flapping = false;
    Change { kind: ChangeKind::Resolved, incident, members: Vec::new(), tell: Tell::No(None) }
}

/// An incident with its changes and what was told of it. Of a change that a person may have made, `body` is
/// the incident as it stood then.
pub(super) fn record<R: Columns>(
    id: &str,
    incident: &R,
    changes: &[R],
    deliveries: Vec<Delivery>,
) -> Result<IncidentRecord, Fault> {
    let incident = read(incident).ok_or_else(|| unreadable(id))?;
    let mut recorded = Vec::with_capacity(changes.len());
    for row in changes {
        let kind = row.word("kind")?;
        recorded.push(RecordedChange {
            id: row.number("id")?,
            kind,
            at: row.time("at")?,
            by: row.some_text("body")?.and_then(|body| by(kind, &body)),
            notification: row.some_text("notification")?,
            unheard: row.some_text("unheard")?,
        });
    }
    Ok(IncidentRecord { incident, changes: recorded, deliveries })
}

/// Who made a change, of the incident as it stood then.
fn by(kind: ChangeKind, body: &str) -> Option<String> {
    let incident: Value = serde_json::from_str(body).ok()?;
    let place = match kind {
        ChangeKind::Acknowledged => "/acknowledged/by",
        ChangeKind::Resolved => "/resolved_by",
        _ => return None,
    };
    Some(incident.pointer(place)?.as_str()?.to_owned())
}
