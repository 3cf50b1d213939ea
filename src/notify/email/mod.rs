//! Mail through an SMTP server.

mod conversation;
mod html;
mod letter;

use async_trait::async_trait;
use lettre::message::Mailbox;

use conversation::Server;

use super::message::draw;
use super::{BuildError, ChannelKind, ChannelSettings, Envelope, Notifier, NotifyError};
use crate::store::Notification;

/// Sends letters from one address to some others.
#[derive(Debug)]
pub(super) struct Email {
    server: Server,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Email {
    pub(super) fn new(settings: &ChannelSettings) -> Result<Self, BuildError> {
        let ChannelKind::Email { host, port, security, login, from, to } = &settings.kind else {
            return Err(BuildError::Url { channel: settings.name.clone() });
        };
        let read = |address: &String| {
            address.trim().parse::<Mailbox>().map_err(|_source| BuildError::Address {
                channel: settings.name.clone(),
                address: address.clone(),
            })
        };
        if to.is_empty() {
            return Err(BuildError::Nobody { channel: settings.name.clone() });
        }
        Ok(Self {
            server: Server::new(settings, host, *port, *security, login.as_ref())?,
            from: read(from)?,
            to: to.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

#[async_trait]
impl Notifier for Email {
    async fn send(
        &self,
        notification: &Notification,
        envelope: &Envelope,
    ) -> Result<(), NotifyError> {
        let message = draw(notification, envelope);
        let letter = letter::write(&message, notification, envelope, &self.from, &self.to)?;
        self.server.deliver(&letter).await
    }
}
