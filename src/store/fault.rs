//! What ends a call of a store early, before it has the words that a user meets.

use std::error::Error;
use std::fmt;

use launchready_checks::contract::json;

use super::StoreError;

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

impl From<json::Error> for Fault {
    fn from(source: json::Error) -> Self {
        Self::Row(Box::new(source))
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Told(error)
    }
}

/// What a database says, once: the wrapper around it says the same in its own text and in its cause.
pub(super) fn said(source: sqlx::Error) -> Box<dyn Error + Send + Sync> {
    match source {
        sqlx::Error::Database(database) => database.into_error(),
        other => other.into(),
    }
}

/// The error of a call after [`close`](super::Store::close).
pub(super) fn closed() -> StoreError {
    StoreError::State("the store is closed".to_owned())
}
