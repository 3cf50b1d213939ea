//! Slack's incoming webhooks.

mod blocks;

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::{Client, Url};

use super::http::{self, Side};
use super::message::draw;
use super::{BuildError, ChannelSettings, Envelope, Notifier, NotifyError};
use crate::clock::Clock;
use crate::config::Secret;
use crate::store::Notification;

/// Sends to one incoming webhook.
pub(super) struct Slack {
    client: Client,
    url: Url,
    side: Side,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Slack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL is the secret.
        f.debug_struct("Slack").field("host", &self.side.host).finish_non_exhaustive()
    }
}

impl Slack {
    pub(super) fn new(
        settings: &ChannelSettings,
        url: &Secret,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let (url, client) = http::door(settings, url.expose())?;
        let side = Side {
            host: http::host(&url),
            credential: "open api.slack.com/apps, your app, Incoming Webhooks, \"Add New Webhook to \
                         Workspace\", and put the new URL where the config reads it from",
            message: "open the Slack channel and check that it exists and that apps may post to it",
            words: &[
                "invalid_payload",
                "no_text",
                "action_prohibited",
                "invalid_token",
                "channel_not_found",
                "no_service",
                "channel_is_archived",
                "invalid_blocks",
                "no_active_hooks",
                "posting_to_general_channel_denied",
                "rate_limited",
            ],
        };
        Ok(Self { client, url, side, clock })
    }
}

#[async_trait]
impl Notifier for Slack {
    async fn send(
        &self,
        notification: &Notification,
        envelope: &Envelope,
    ) -> Result<(), NotifyError> {
        let payload = blocks::payload(&draw(notification, envelope));
        let body = payload.to_string().into_bytes();
        http::post(self.client.post(self.url.clone()), body, &self.side, self.clock.now()).await
    }
}
