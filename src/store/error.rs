//! Why a store could not do something, in words that say what to do next.

use std::path::PathBuf;

/// Why the store could not do something.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The address is none.
    #[error(
        "{0:?} is no store; write \"sqlite:launchready.db\" or \"postgres://USER@HOST/DATABASE\""
    )]
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
        "the store {path} is damaged; stop the agent, move the file away together with {path}-wal and {path}-shm where they are there, and start again with the last `launchready backup` in its place, or with none"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// There is no room left.
    #[error("the disk of the store {store} is full; make room, and the agent goes on by itself")]
    Full {
        /// The file or the server.
        store: String,
    },
    /// A newer version wrote it.
    #[error(
        "the store {store} was written by a newer version of launchready; install that version again"
    )]
    Newer {
        /// The file or the server.
        store: String,
    },
    /// The file is there and cannot be read or written at present.
    #[error(
        "the store {path} cannot be read or written; look at its disk and at who owns the file, and the agent goes on by itself"
    )]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server of a store cannot be used at all.
    #[error(
        "cannot open the store {server}; look whether the server runs and lets this user in, and whether the user may make tables in that database"
    )]
    Refused {
        /// The server, the user and the database.
        server: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The server of a store does not answer at present.
    #[error(
        "the store {server} cannot be reached; look at the server and at the way to it, and the agent goes on by itself"
    )]
    Away {
        /// The server, the user and the database.
        server: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process has held what is needed for too long.
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

impl StoreError {
    /// Whether only what was asked of the store is at fault: a row that cannot be read, or one that it does
    /// not take. Anything else may work, however it is asked, as soon as the store is well again.
    pub const fn is_about_rows(&self) -> bool {
        matches!(self, Self::Database { .. })
    }

    /// The error with its causes in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        text
    }
}
