//! What the passing of time has to do with incidents: which of them it may make something of.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use super::fault::Fault;
use super::incidents::{read, wake_at};
use super::row::Columns;
use crate::incident::{self, Book, Incident, Outcome};

/// The rules under which the times in the database were reckoned last; none after a start.
#[derive(Debug, Default)]
pub(super) struct Woken(Mutex<Option<Book>>);

impl Woken {
    /// Whether they were reckoned by this book.
    pub(super) fn is_by(&self, book: &Book) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref() == Some(book)
    }

    /// Remembers by which book they were reckoned.
    pub(super) fn set(&self, book: Option<Book>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = book;
    }

    /// Has every time reckoned anew, such as after the clock was set.
    pub(super) fn forget(&self) {
        self.set(None);
    }
}

/// The incidents of a project that last, each with the time in its row.
#[derive(Debug, Default)]
pub(super) struct Asleep {
    known: Vec<Incident>,
    times: Vec<Option<i64>>,
    /// The ids of those that cannot be read.
    pub(super) unreadable: Vec<String>,
}

impl Asleep {
    /// The incidents of rows with `id`, `body` and `wake_at`.
    pub(super) fn of<R: Columns>(rows: &[R]) -> Result<Self, Fault> {
        let mut asleep = Self::default();
        for row in rows {
            asleep.add(row)?;
        }
        Ok(asleep)
    }

    /// The incidents of several projects, whose rows have `project` too.
    pub(super) fn by_project<R: Columns>(rows: &[R]) -> Result<BTreeMap<String, Self>, Fault> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for row in rows {
            all.entry(row.text("project")?.to_owned()).or_default().add(row)?;
        }
        Ok(all)
    }

    fn add(&mut self, row: &impl Columns) -> Result<(), Fault> {
        if let Some(incident) = read(row) {
            self.known.push(incident);
            self.times.push(row.some_number("wake_at")?);
        } else {
            self.unreadable.push(row.text("id")?.to_owned());
        }
        Ok(())
    }

    /// Incidents whose time in the database is another one than the rules say.
    pub(super) fn put_off<'a>(
        &'a self,
        book: &'a Book,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a Incident, Option<i64>)> {
        let times = self.known.iter().zip(&self.times);
        times.filter_map(move |(incident, time)| {
            let due = wake_at(incident, book, now);
            (due != *time).then_some((incident, due))
        })
    }

    /// What time makes of them.
    pub(super) fn wake(&self, book: &Book, now: Timestamp) -> Outcome {
        incident::wake(&self.known, book, now)
    }

    /// Whether anything has to be written.
    pub(super) fn has_work(&self, book: &Book, now: Timestamp) -> bool {
        !self.unreadable.is_empty()
            || self.put_off(book, now).next().is_some()
            || self.wake(book, now) != Outcome::default()
    }
}
