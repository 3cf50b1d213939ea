//! What is kept of jobs that have promised to call.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

/// Where an agent notes that it listens.
const LISTENING: &str = "heartbeat.listening";

/// Notes that an agent listens at this moment.
///
/// # Errors
/// The store cannot be written.
pub async fn note_listening(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    store.put(LISTENING, &now.to_string()).await
}

/// When an agent last noted that it listens; none where none ever did.
///
/// # Errors
/// The store cannot be read.
pub async fn last_listened(store: &dyn Store) -> Result<Option<Timestamp>, StoreError> {
    Ok(store.get(LISTENING).await?.and_then(|text| text.parse().ok()))
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
