//! Why a store could not do something, in words that say what to do next.

use std::path::PathBuf;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is none.
    #[error("{0:?} is no store; write \"sqlite:launchready.db\"")]
    Address(String),
    /// The file cannot be opened or made.
    #[error("cannot open the store {path}; name a file in a folder that you may write to")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file is damaged.
    #[error(
        "the store {path} is damaged; stop the agent, move the file away, and start again with the last `launchready backup` in its place, or with none"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room left.
    #[error("the disk of the store {path} is full; make room, and the agent goes on by itself")]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "the store {path} was written by a newer version of launchready; install that version again"
    )]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// Another process has held the file for too long.
    #[error("the store is busy: another process has locked it")]
    Busy,
    /// There is nothing of that id.
    #[error("there is no {what} {id:?}")]
    Missing {
        /// `incident`, `silence` or `waiver`.
        what: &'static str,
        /// The id.
        id: String,
    },
    /// It cannot be done in the state that it is in.
    #[error("{0}")]
    State(String),
    /// Anything else that the database says.
    #[error("the store could not {doing}")]
    Database {
        /// What was attempted, as in "could not …".
        doing: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
