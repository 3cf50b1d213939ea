//! What can go wrong inside a call, and the errors that a user meets.

use std::error::Error;
use std::fmt;
use std::path::Path;

use crate::store::StoreError;

/// Anything that ends a call early.
#[derive(Debug)]
pub(super) enum Fault {
    /// The database refuses.
    Sql(sqlx::Error),
    /// A row does not hold what this version writes.
    Row(Box<dyn Error + Send + Sync>),
    /// It has its words already.
    Told(StoreError),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sql(source) => source.fmt(f),
            Self::Row(source) => source.fmt(f),
            Self::Told(error) => error.fmt(f),
        }
    }
}

impl From<sqlx::Error> for Fault {
    fn from(source: sqlx::Error) -> Self {
        Self::Sql(source)
    }
}

impl From<serde_json::Error> for Fault {
    fn from(source: serde_json::Error) -> Self {
        Self::Row(Box::new(source))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

/// The number of what SQLite says; its lowest eight bits are the kind of it.
fn code(error: &sqlx::Error) -> Option<i64> {
    error.as_database_error()?.code()?.parse().ok()
}

/// `SQLITE_BUSY` and `SQLITE_LOCKED`.
const BUSY: [i64; 2] = [5, 6];
/// `SQLITE_FULL`.
const FULL: i64 = 13;
/// `SQLITE_IOERR_SHMSIZE`: there is no room for the index of the write-ahead log.
const NO_ROOM_FOR_INDEX: i64 = 4874;
/// `SQLITE_CORRUPT` and `SQLITE_NOTADB`.
const DAMAGED: [i64; 2] = [11, 26];

/// `SQLITE_PERM`, `SQLITE_NOMEM`, `SQLITE_READONLY`, `SQLITE_IOERR`, `SQLITE_CANTOPEN`, `SQLITE_PROTOCOL`
/// and `SQLITE_AUTH`: the file is out of reach, whatever it is asked.
const OUT_OF_REACH: [i64; 7] = [3, 7, 8, 10, 14, 15, 23];

/// What SQLite says, once: the wrapper around it says the same in its own text and in its cause.
fn said(source: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match source {
        sqlx::Error::Database(database) => database.into_error(),
        other => other.into(),
    }
}

/// The error of a call that could not do what `doing` says.
pub(super) fn explain(path: &Path, doing: &'static str, fault: Fault) -> StoreError {
    let source = match fault {
        Fault::Told(error) => return error,
        Fault::Row(source) => return StoreError::Database { doing, source },
        Fault::Sql(source) => source,
    };
    let path = path.to_owned();
    match code(&source) {
        Some(code) if BUSY.contains(&(code & 0xff)) => StoreError::Busy,
        Some(code) if code & 0xff == FULL || code == NO_ROOM_FOR_INDEX => StoreError::Full { path },
        Some(code) if DAMAGED.contains(&(code & 0xff)) => {
            StoreError::Damaged { path, source: said(source) }
        }
        Some(code) if OUT_OF_REACH.contains(&(code & 0xff)) => {
            StoreError::Unavailable { path, source: said(source) }
        }
        _ if matches!(source, sqlx::Error::PoolTimedOut) => StoreError::Busy,
        _ if matches!(source, sqlx::Error::PoolClosed) => closed(),
        _ if matches!(source, sqlx::Error::Io(_) | sqlx::Error::WorkerCrashed) => {
            StoreError::Unavailable { path, source: said(source) }
        }
        _ => StoreError::Database { doing, source: said(source) },
    }
}

/// The error of opening: what is not told apart is a file that cannot be opened.
pub(super) fn explain_open(path: &Path, fault: Fault) -> StoreError {
    match explain(path, "be opened", fault) {
        StoreError::Database { source, .. } | StoreError::Unavailable { source, .. } => {
            StoreError::Open { path: path.to_owned(), source }
        }
        other => other,
    }
}

/// The error of a call after [`close`](crate::store::Store::close).
pub(super) fn closed() -> StoreError {
    StoreError::State("the store is closed".to_owned())
}
