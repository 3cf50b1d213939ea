//! `launchready notify test`: proves that a channel reaches somebody.
//!
//! The message is no alert and is tried once, so that whoever asked sees at once what came of it; alerts
//! go through the outbox alone.

use std::sync::Arc;

use crate::clock::{Clock as _, SystemClock};
use crate::config::Agent;
use crate::notify::{BuildError, ChannelSettings, Envelope, NotifyError, build};
use crate::store::{Notification, NotificationKind, Plain, StoreError};

/// Why a channel was not proven.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// It cannot be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The machine has no randomness for the message's id.
    #[error(transparent)]
    Id(#[from] StoreError),
    /// It did not take the message.
    #[error(transparent)]
    Notify(#[from] NotifyError),
}

/// Sends one test message to a channel.
///
/// # Errors
/// The other side did not take it.
pub async fn prove(channel: &ChannelSettings, agent: &Agent) -> Result<(), ProofError> {
    let now = SystemClock.now();
    let notification = Notification {
        id: crate::store::new_message_id()?,
        kind: NotificationKind::Test,
        project: String::new(),
        at: now,
        told: Vec::new(),
        text: Some(Plain {
            title: "Test message from launchready".to_owned(),
            lines: vec![
                format!("The channel {:?} works: alerts will come this way.", channel.name),
                "Nothing is wrong, and nothing has to be done.".to_owned(),
            ],
        }),
    };
    let envelope = Envelope {
        id: notification.id.clone(),
        attempt: 1,
        public_url: agent.public_url.clone(),
        timezone: agent.timezone.clone(),
        instead_of: None,
    };
    build(channel, Arc::new(SystemClock))?.send(&notification, &envelope).await?;
    Ok(())
}
