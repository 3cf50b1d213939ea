//! What a row of the table of events says about its event.

use jiff::Timestamp;

use super::Options;
use crate::probe::Row;

/// The columns that are read, in this order.
pub(super) const COLUMNS: [&str; 7] =
    ["id", "type", "status", "created", "received", "processed", "error"];

/// How an event stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It ended in an error.
    Failed,
    /// It is not finished.
    Open,
    /// It is finished.
    Done,
    /// Its word is not known.
    Unknown(String),
}

/// One row.
#[derive(Debug)]
pub(super) struct Told<'a> {
    /// The id.
    pub(super) id: Option<&'a str>,
    /// The type.
    pub(super) kind: &'a str,
    /// How it stands.
    pub(super) state: State,
    /// When the provider made it.
    pub(super) created: Option<Timestamp>,
    /// When it arrived.
    pub(super) received: Option<Timestamp>,
    /// When it came to its end, or else arrived.
    pub(super) at: Option<Timestamp>,
}

/// Reads a row of [`COLUMNS`].
pub(super) fn read<'a>(row: Row<'a>, options: &Options) -> Told<'a> {
    let (created, received, processed) = (row.time(3), row.time(4), row.time(5));
    let state = state(row.text(2), row.text(5), row.text(6), options);
    Told {
        id: row.text(0),
        kind: row.text(1).unwrap_or_default(),
        state,
        created,
        received,
        at: processed.or(received).or(created),
    }
}

/// How an event stands, by its status, the time or flag of its end, and its error.
pub fn state(
    status: Option<&str>,
    processed: Option<&str>,
    error: Option<&str>,
    options: &Options,
) -> State {
    // A database that has a flag in place of the time says so in a word.
    let finished = processed.is_some_and(|text| !matches!(text, "false" | "f" | "0" | ""));
    let error = error.is_some_and(|text| !text.trim().is_empty());
    match status.map(|word| word.trim().to_lowercase()) {
        Some(word) if !word.is_empty() => by_word(&word, options),
        _ if error && !finished => State::Failed,
        _ if finished => State::Done,
        _ => State::Open,
    }
}

fn by_word(word: &str, options: &Options) -> State {
    let among = |words: &[String]| {
        words.iter().any(|known| known.to_lowercase() == word || known.replace('_', "-") == word)
    };
    if among(&options.failed_words) {
        State::Failed
    } else if among(&options.done_words) {
        State::Done
    } else if among(&options.open_words) {
        State::Open
    } else {
        State::Unknown(shown(word))
    }
}

/// A text of the product's own table as it may be shown: short, and never an address.
pub(super) fn shown(text: &str) -> String {
    if text.contains('@') {
        return "(an address)".to_owned();
    }
    text.chars().filter(|sign| !sign.is_control()).take(64).collect()
}
