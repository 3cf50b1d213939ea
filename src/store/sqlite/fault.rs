//! What SQLite says, in the words that a user meets.

use std::path::Path;

use crate::store::StoreError;
use crate::store::fault::{Fault, closed, said};

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
        Some(code) if code & 0xff == FULL || code == NO_ROOM_FOR_INDEX => {
            StoreError::Full { store: path.display().to_string() }
        }
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
