//! Tells people: takes committed deliveries from the outbox, sends them, and records what came of it.

//!
//! `message` says what, once for all; each channel gives it its own form and sends it once
//! ([`Notifier::send`]); [`outbox`] decides when, and keeps what came of it.

mod alertmanager;
mod channel;
mod email;
mod harmless;
mod http;
mod message;
pub mod outbox;
mod pagerduty;
#[cfg(test)]
mod sample;
mod slack;
pub mod summary;
mod webhook;

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

pub use channel::{ChannelKind, ChannelSettings, SmtpSecurity};

use crate::clock::Clock;
use crate::probe::RootsError;
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

/// Why a channel of the config cannot be used. No text holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The URL is none.
    #[error(
        "channel {channel:?}: its address is none; write a whole one that begins with https:// or http://"
    )]
    Url {
        /// The channel.
        channel: String,
    },
    /// An address of a letter is none.
    #[error(
        "channel {channel:?}: {address:?} is no mail address; write name@domain or \"Name <name@domain>\""
    )]
    Address {
        /// The channel.
        channel: String,
        /// What stands there.
        address: String,
    },
    /// Nobody would get the letter.
    #[error("channel {channel:?}: nobody gets its mail; write at least one address into `to`")]
    Nobody {
        /// The channel.
        channel: String,
    },
    /// The key that signs is none.
    #[error(
        "channel {channel:?}: its key is none; write whsec_ and the base64 of 24 to 64 random bytes, as in `echo whsec_$(openssl rand -base64 32)`"
    )]
    Key {
        /// The channel.
        channel: String,
    },
    /// The token cannot stand in a header.
    #[error("channel {channel:?}: its token holds a character that no token has; copy it again")]
    Token {
        /// The channel.
        channel: String,
    },
    /// A file of extra roots cannot be used.
    #[error("channel {channel:?}: cannot use network.extra_roots")]
    Roots {
        /// The channel.
        channel: String,
        /// Why.
        #[source]
        source: RootsError,
    },
    /// The client cannot be made.
    #[error("channel {channel:?}: cannot make its client")]
    Client {
        /// The channel.
        channel: String,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// Builds the channel of the config. `clock` gives the times that go into signatures.
///
/// # Errors
/// See [`BuildError`].
pub fn build(
    settings: &ChannelSettings,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Notifier>, BuildError> {
    Ok(match &settings.kind {
        ChannelKind::Email { .. } => Arc::new(email::Email::new(settings)?),
        ChannelKind::Slack { url } => Arc::new(slack::Slack::new(settings, url, clock)?),
        ChannelKind::Webhook { url, key } => {
            Arc::new(webhook::Webhook::new(settings, url, key.as_ref(), clock)?)
        }
        ChannelKind::PagerDuty { routing_key, api } => {
            Arc::new(pagerduty::PagerDuty::new(settings, routing_key, api, clock)?)
        }
        ChannelKind::Alertmanager { url, token } => {
            Arc::new(alertmanager::Alertmanager::new(settings, url, token.as_ref(), clock)?)
        }
    })
}
