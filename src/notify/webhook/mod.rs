//! Any URL, signed as Standard Webhooks has it: `webhook-id` is the idempotency key.

mod body;

use std::sync::Arc;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use reqwest::{Client, Url};

use super::http::{self, Side};
use super::{BuildError, ChannelSettings, Envelope, Notifier, NotifyError};
use crate::clock::Clock;
use crate::config::Secret;
use crate::store::Notification;

/// Bytes of a key, as Standard Webhooks has them.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Posts to one URL.
pub(super) struct Webhook {
    client: Client,
    url: Url,
    key: Option<hmac::Key>,
    side: Side,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("host", &self.side.host).finish_non_exhaustive()
    }
}

impl Webhook {
    pub(super) fn new(
        settings: &ChannelSettings,
        url: &Secret,
        key: Option<&Secret>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, BuildError> {
        let (url, client) = http::door(settings, url.expose())?;
        let read =
            |key| read_key(key).ok_or_else(|| BuildError::Key { channel: settings.name.clone() });
        let side = Side {
            host: http::host(&url),
            credential: "check the URL and the key of this channel, and that the receiver still \
                         exists",
            message: "look into the receiver's log for the reason; it must answer 2xx",
            words: &[],
        };
        let key = key.map(read).transpose()?;
        Ok(Self { client, url, key, side, clock })
    }
}

#[async_trait]
impl Notifier for Webhook {
    async fn send(
        &self,
        notification: &Notification,
        envelope: &Envelope,
    ) -> Result<(), NotifyError> {
        let body = body::body(notification, envelope);
        let now = self.clock.now();
        let mut request = self
            .client
            .post(self.url.clone())
            .header("webhook-id", &envelope.id)
            .header("webhook-timestamp", now.as_second());
        if let Some(key) = &self.key {
            request = request.header("webhook-signature", signature(key, &envelope.id, now, &body));
        }
        http::post(request, body, &self.side, now).await
    }
}

/// The key after `whsec_`, which is base64.
fn read_key(key: &Secret) -> Option<hmac::Key> {
    let text = key.expose().trim();
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
    KEY_BYTES.contains(&bytes.len()).then(|| hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// `v1,` and the base64 of the HMAC over `id.timestamp.body`.
fn signature(key: &hmac::Key, id: &str, at: Timestamp, body: &[u8]) -> String {
    let mut context = hmac::Context::with_key(key);
    context.update(format!("{id}.{}.", at.as_second()).as_bytes());
    context.update(body);
    format!("v1,{}", STANDARD.encode(context.sign()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_that_of_the_standard() {
        let key = read_key(&Secret::new("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3")).unwrap();
        let at = Timestamp::from_second(1_767_225_600).unwrap();
        assert_eq!(
            signature(&key, "msg_demo_1", at, br#"{"type":"check.failed"}"#),
            "v1,0zB55v7KPcsMRCqVff85UBGW9smtplHm4hYwcLJs1wo="
        );
    }

    #[test]
    fn a_key_that_is_too_short_or_no_base64_is_none() {
        assert!(read_key(&Secret::new("whsec_c2hvcnQ=")).is_none());
        assert!(read_key(&Secret::new("whsec_§§§")).is_none());
    }
}
