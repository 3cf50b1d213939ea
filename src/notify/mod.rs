//! Tells people: takes committed deliveries from the outbox, sends them, and records what came of it.

mod channel;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

pub use channel::{ChannelKind, ChannelSettings, SmtpSecurity};

use crate::store::Notification;

/// What a channel needs beside the notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The idempotency key: the same on every try, for every channel.
    pub id: String,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// Where the agent's page is, for links; none where the config names none.
    pub public_url: Option<String>,
    /// The zone in which times are written.
    pub timezone: String,
    /// The channel that failed, where this one stands in for it.
    pub instead_of: Option<String>,
}

/// Why a channel did not take a message. Neither text ever holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    /// It may be taken later.
    #[error("{why}")]
    Transient {
        /// A short, bounded word for metrics: `timeout`, `refused`, `rate_limited`, `server_error`, ….
        reason: &'static str,
        /// What happened.
        why: String,
        /// How long the other side asked to wait.
        retry_after: Option<Duration>,
    },
    /// It will never be taken as it is.
    #[error("{why}; {remedy}")]
    Permanent {
        /// A short, bounded word for metrics: `unauthorized`, `gone`, `invalid`, ….
        reason: &'static str,
        /// What happened.
        why: String,
        /// What to do.
        remedy: String,
    },
}

/// One way of telling people.
#[async_trait]
pub trait Notifier: Send + Sync + Debug {
    /// Sends one message once. Success means that the other side has accepted it.
    async fn send(
        &self,
        notification: &Notification,
        envelope: &Envelope,
    ) -> Result<(), NotifyError>;
}
