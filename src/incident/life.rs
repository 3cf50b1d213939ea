//! The state machine: what a look, time and people make of an incident.

use jiff::Timestamp;

use super::{Book, Change, Incident, Outcome, RunSeen};

/// Compares one run with the incidents that are known.
///
/// `known` holds every unresolved incident of the project, of all checks, and of the run's own check also
/// the latest resolved one of each key whose `resolved_at` is within the policy's `flap_window`.
pub fn observe(known: &[Incident], run: &RunSeen, book: &Book) -> Outcome {
    let _ = (known, run, book);
    Outcome::default()
}

/// Lets time pass for the unresolved incidents of one project: reminders, escalations, what was held
/// back by a silence, a window or something that was down, calm after flapping.
pub fn wake(known: &[Incident], book: &Book, now: Timestamp) -> Outcome {
    let _ = (known, book, now);
    Outcome::default()
}

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
    let _ = (incident, by, note, book, now);
    Err(String::new())
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
    let _ = (incident, by, book, now);
    Err(String::new())
}

/// The channels that are told of a change, each with the earliest time at which it may be, before any
/// grouping: later than `now` where the channel has quiet hours.
pub fn route(change: &Change, book: &Book, now: Timestamp) -> Vec<(String, Timestamp)> {
    let _ = (change, book, now);
    Vec::new()
}
