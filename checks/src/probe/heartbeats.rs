//! The port to the calls that jobs of the project make to the agent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// What was heard of the promised calls of one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "listener")]
pub enum HeartbeatAnswer {
    /// An agent listens, and this is what it remembers of each promise.
    Agent {
        /// The promises that the agent knows, by name.
        promises: Vec<Promised>,
    },
    /// Nobody listens: a one-shot audit is there for a moment only.
    Nobody,
}

/// What is remembered of one promise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    /// Its name in the config.
    pub name: String,
    /// When the agent first knew of it.
    pub promised_at: Timestamp,
    /// The first call of any kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_call: Option<Timestamp>,
    /// The last call that said that the job began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_start: Option<Timestamp>,
    /// The last call that said that it ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// The last call that said that it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_failure: Option<Timestamp>,
    /// The exit code of that failure, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<u8>,
    /// When the call that says how the job ended is expected next, without the grace.
    pub due_at: Timestamp,
    /// The time in which the awaited call may have come unheard, because no agent listened; `due_at`
    /// then counts from its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub away: Option<Away>,
}

impl Promised {
    /// The last call that said how the job ended.
    pub fn last_end(&self) -> Option<Timestamp> {
        self.last_success.max(self.last_failure)
    }
}

/// A time in which no agent listened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    /// An agent listened until then.
    pub from: Timestamp,
    /// An agent listens again since then.
    pub to: Timestamp,
}

/// Remembers the calls of jobs.
pub trait Heartbeats: Send + Sync {
    /// What was heard of the promises of a project.
    fn heard(&self, project: String) -> Answer<'_, Result<HeartbeatAnswer, ProbeError>>;
}
