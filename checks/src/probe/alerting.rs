//! The port to what is known of the way of alerts: channels, and drills that went through them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// What is known of the way of alerts for one project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "agent")]
pub enum AlertingAnswer {
    /// An agent has watched with this config, and this is what it remembers.
    Known {
        /// The channels that tell of the project, in the order of the config.
        #[serde(default)]
        channels: Vec<ChannelFacts>,
        /// The last drill that was begun, where there was any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last: Option<AlertDrill>,
        /// When a drill passed last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_at: Option<Timestamp>,
    },
    /// No agent has ever watched: a one-shot audit tells nobody.
    Nobody,
}

/// What became of the messages for one channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelFacts {
    /// Its name in the config.
    pub name: String,
    /// Messages that the other side has accepted.
    pub accepted: u64,
    /// Messages that were given up.
    pub refused: u64,
}

/// One drill of the alerts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertDrill {
    /// When it began.
    pub at: Timestamp,
    /// What each channel did.
    pub channels: Vec<ChannelDrill>,
}

/// What one channel did in a drill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelDrill {
    /// Its name.
    pub name: String,
    /// How long it took until the other side accepted the message, in milliseconds; nothing where it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_after_ms: Option<u64>,
}

/// Remembers messages and drills.
pub trait Alerting: Send + Sync {
    /// What is known of the channels that tell of a project.
    fn known(&self, project: String) -> Answer<'_, Result<AlertingAnswer, ProbeError>>;
}
