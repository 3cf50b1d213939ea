//! What people mute and accept, read anew only when it has changed.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use launchready_checks::contract::json;

use super::fault::Fault;
use super::row::Columns;
use crate::incident::{Book, RunSeen, Silence, Waiver};

/// The silences and waivers as they were read last.
#[derive(Debug, Default)]
pub(super) struct Muting(Mutex<Option<Read>>);

/// What was read last.
#[derive(Debug, Clone)]
pub(super) struct Read {
    version: i64,
    silences: Arc<Vec<Silence>>,
    waivers: Arc<Vec<Waiver>>,
    /// The book that they were put into, before and after.
    book: Option<(Arc<Book>, Arc<Book>)>,
}

impl Read {
    /// What the database holds at a version.
    pub(super) fn new(version: i64, silences: Vec<Silence>, waivers: Vec<Waiver>) -> Self {
        Self { version, silences: Arc::new(silences), waivers: Arc::new(waivers), book: None }
    }
}

/// A book with the silences and waivers of the database.
pub(super) enum Merged<'b> {
    /// There are none.
    Same(&'b Book),
    /// A copy with them.
    With(Arc<Book>),
}

impl Deref for Merged<'_> {
    type Target = Book;

    fn deref(&self) -> &Book {
        match self {
            Self::Same(book) => book,
            Self::With(book) => book,
        }
    }
}

impl Muting {
    /// What was read last, where it is of this version.
    pub(super) fn last(&self, version: i64) -> Option<Read> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        last.filter(|read| read.version == version)
    }

    /// A book with what was read, which is kept.
    pub(super) fn put_into<'b>(&self, mut read: Read, book: &'b Book) -> Merged<'b> {
        let merged = if read.silences.is_empty() && read.waivers.is_empty() {
            Merged::Same(book)
        } else {
            Merged::With(match &read.book {
                Some((before, merged)) if **before == *book => Arc::clone(merged),
                _ => {
                    let mut merged = book.clone();
                    merged.silences.extend(read.silences.iter().cloned());
                    merged.waivers.extend(read.waivers.iter().cloned());
                    let merged = Arc::new(merged);
                    read.book = Some((Arc::new(book.clone()), Arc::clone(&merged)));
                    merged
                }
            })
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        merged
    }
}

/// What can be read of the rows. The rest mutes and accepts nothing, which is louder and never quieter.
pub(super) fn readable<R, T>(rows: &[R], read: fn(&R) -> Result<T, Fault>) -> Vec<T> {
    let read = |row: &R| {
        let read = read(row);
        if let Err(fault) = &read {
            tracing::error!("a silence or waiver cannot be read, and does nothing: {fault}");
        }
        read.ok()
    };
    rows.iter().filter_map(read).collect()
}

/// The silence of a row with `body`.
pub(super) fn silence(row: &impl Columns) -> Result<Silence, Fault> {
    Ok(json::from_str(row.text("body")?)?)
}

/// The waiver of a row with `body` and `last_used`.
pub(super) fn waiver(row: &impl Columns) -> Result<Waiver, Fault> {
    let mut waiver: Waiver = json::from_str(row.text("body")?)?;
    waiver.last_used = row.some_time("last_used")?;
    Ok(waiver)
}

/// Takes the findings out of a run that a waiver accepts; gives back the ids of the waivers that did.
pub(super) fn accept(seen: &mut RunSeen, book: &Book) -> BTreeSet<String> {
    let mut used = BTreeSet::new();
    let (project, when) = (&seen.project, seen.at);
    seen.findings.retain(|finding| {
        let accepts = |waiver: &&Waiver| {
            waiver.project == *project
                && waiver.code == finding.code
                && waiver.until > when
                && waiver.subject.as_ref().is_none_or(|subject| *subject == finding.subject)
        };
        match book.waivers.iter().find(accepts) {
            Some(waiver) => {
                used.insert(waiver.id.clone());
                false
            }
            None => true,
        }
    });
    used
}
