//! What is kept of jobs that have promised to call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

/// Where agents note that they listen: each with its name behind it, and those that have ended in order together
/// without one.
const LISTENING: &str = "heartbeat.listening";

/// When calls were last listened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// By the agent of this name, which has not ended in order; none for all that have.
    pub agent: Option<String>,
    /// When it last noted it.
    pub at: Timestamp,
}

/// Notes that the agent of this name listens at this moment.
///
/// # Errors
/// The store cannot be written.
pub async fn note_listening(
    store: &dyn Store,
    agent: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.put(&place(agent), &now.to_string()).await
}

/// Notes that the agent of this name ends in order at this moment: nobody waits for it.
///
/// # Errors
/// The store cannot be written.
pub async fn note_ending(store: &dyn Store, agent: &str, now: Timestamp) -> Result<(), StoreError> {
    // In this order, so that it is never forgotten that somebody has listened.
    store.put(LISTENING, &now.to_string()).await?;
    forget_listener(store, agent).await
}

/// Takes the note of an agent away.
///
/// # Errors
/// The store cannot be written.
pub async fn forget_listener(store: &dyn Store, agent: &str) -> Result<(), StoreError> {
    store.forget(&place(agent)).await
}

/// Who has listened, and when last.
///
/// # Errors
/// The store cannot be read.
pub async fn listeners(store: &dyn Store) -> Result<Vec<Listener>, StoreError> {
    let noted = store.listed(LISTENING).await?;
    let listener = |(name, text): (String, String)| {
        let agent = match name.strip_prefix(LISTENING)? {
            "" => None,
            rest => Some(rest.strip_prefix('.')?.to_owned()),
        };
        Some(Listener { agent, at: text.parse().ok()? })
    };
    Ok(noted.into_iter().filter_map(listener).collect())
}

/// When an agent last noted that it listens; none where none ever did.
///
/// # Errors
/// The store cannot be read.
pub async fn last_listened(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    Ok(listeners(store).await?.into_iter().map(|listener| listener.at).max())
}

/// Where the agent of this name notes that it listens.
fn place(agent: &str) -> String {
    format!("{LISTENING}.{agent}")
}

/// One promise of one project.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HeartbeatKey {
    /// The project's name.
    pub project: String,
    /// The promise's name.
    pub name: String,
}

/// What a call says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// The job begins.
    Start,
    /// It ended well.
    Success,
    /// It failed.
    Failure,
}

impl Signal {
    /// The lower-case word used in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Success => "success",
            Self::Failure => "failure",
        }
    }
}

/// One call. Nothing else of it is kept: not its body, and not who made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeartbeatCall {
    /// When it came.
    pub at: Timestamp,
    /// What it says.
    pub signal: Signal,
    /// The exit code of a failure, where it was told.
    pub exit: Option<u8>,
}

/// What is remembered of one promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartbeatRecord {
    /// Which.
    pub key: HeartbeatKey,
    /// Since when the agent knows of it.
    pub promised_at: Timestamp,
    /// The first call of any kind.
    pub first_call: Option<Timestamp>,
    /// The last call that said that it begins.
    pub last_start: Option<Timestamp>,
    /// The last call that said that it ended well.
    pub last_success: Option<Timestamp>,
    /// The last call that said that it failed.
    pub last_failure: Option<Timestamp>,
    /// The exit code of that failure, where it was told.
    pub exit: Option<u8>,
    /// Calls so far.
    pub calls: u64,
    /// Failures among them.
    pub failures: u64,
}

impl HeartbeatRecord {
    /// The last call that said how the job ended.
    pub fn last_end(&self) -> Option<Timestamp> {
        self.last_success.max(self.last_failure)
    }
}
