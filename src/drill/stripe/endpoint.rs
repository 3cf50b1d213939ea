//! The product's own endpoint, and how an event is signed for it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use aws_lc_rs::hmac;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use launchready_checks::probe::{ProbeError, TargetFault};
use tokio::sync::Barrier;
use tokio::time::timeout;

use super::Event;
use crate::config::Secret;
use crate::drill::Scene;
use crate::probe::{bounded, fault};

/// Stripe's own libraries refuse a signature that is older than this: "Verify the webhook signature".
const TOLERANCE_S: i64 = 300;
/// The most bytes of an answer.
const ANSWER_BYTES: usize = 64 * 1024;
/// How long the last byte of one event waits for those of the others.
const TOGETHER: Duration = Duration::from_secs(5);

/// How an event is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signing {
    /// As Stripe does it.
    Good,
    /// By somebody who does not know the secret.
    Forged,
    /// Rightly, and twice as long ago as is accepted.
    Stale,
    /// Not at all.
    None,
}

/// What the endpoint answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sent {
    /// The status.
    pub(crate) status: u16,
}

impl Sent {
    /// Whether Stripe would take it for delivered.
    pub(crate) fn is_taken(self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Where test events go.
pub(crate) struct Endpoint<'a> {
    scene: &'a Scene<'a>,
    url: String,
    secret: Secret,
}

impl<'a> Endpoint<'a> {
    /// The endpoint of the config.
    ///
    /// # Errors
    /// What is lacking, with the remedy.
    pub(crate) fn new(scene: &'a Scene<'a>) -> Result<Self, String> {
        let (Some(url), Some(secret)) = (&scene.table.webhook, &scene.table.webhook_secret) else {
            return Err("no endpoint for test events is configured: add webhook = \"https://…\" and \
                        webhook_secret = { env = \"STRIPE_TEST_WEBHOOK_SECRET\" } under [project.drill]"
                .to_owned());
        };
        let secret = scene
            .accounts
            .read(secret)
            .map_err(|missing| format!("{}: {}", missing.reason, missing.unlock))?;
        let url = url.clone();
        Ok(Self { scene, url, secret })
    }

    /// Where it is, for people.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Sends one event.
    ///
    /// # Errors
    /// No answer came.
    pub(crate) async fn send(&self, event: &Event, signing: Signing) -> Result<Sent, ProbeError> {
        self.post(event, signing, reqwest::Body::from(event.body.clone())).await
    }

    /// Sends the same event on several connections. All but the last byte of each goes first, and the last
    /// bytes go together, so that the product has them at the same moment.
    ///
    /// # Errors
    /// No answer came to one of them.
    pub(crate) async fn send_at_once(
        &self,
        event: &Event,
        times: usize,
    ) -> Result<Vec<Sent>, ProbeError> {
        let gate = Arc::new(Barrier::new(times));
        let all = (0..times).map(|_| {
            let body = Held::new(&event.body, Arc::clone(&gate));
            self.post(event, Signing::Good, reqwest::Body::wrap(body))
        });
        futures_util::future::try_join_all(all).await
    }

    async fn post(
        &self,
        event: &Event,
        signing: Signing,
        body: reqwest::Body,
    ) -> Result<Sent, ProbeError> {
        let mut request = self
            .scene
            .reach
            .client
            .post(&self.url)
            .header("content-type", "application/json; charset=utf-8")
            .header("user-agent", "Stripe/1.0 (+https://stripe.com/docs/webhooks)");
        if let Some(signature) = self.signature(event, signing) {
            request = request.header("stripe-signature", signature);
        }
        let answer =
            request.body(body).send().await.map_err(|error| fault(&error, "the endpoint"))?;
        let status = answer.status().as_u16();
        // An endpoint that talks much has answered all the same.
        match bounded(answer, ANSWER_BYTES).await {
            Ok(_) | Err(ProbeError::Target(TargetFault::TooLarge(_))) => Ok(Sent { status }),
            Err(error) => Err(error),
        }
    }

    /// The header: `t=SECONDS,v1=HEX`, an HMAC with SHA-256 of `SECONDS.BODY` under the whole secret.
    fn signature(&self, event: &Event, signing: Signing) -> Option<String> {
        let now = self.scene.now().as_second();
        let (at, secret) = match signing {
            Signing::Good => (now, self.secret.expose()),
            Signing::Stale => (now - 2 * TOLERANCE_S, self.secret.expose()),
            Signing::Forged => (now, "whsec_of_somebody_else"),
            Signing::None => return None,
        };
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{at}.").as_bytes());
        context.update(&event.body);
        Some(format!("t={at},v1={}", hex::encode(context.sign())))
    }
}

/// A body whose last byte waits for those of others.
struct Held {
    parts: Pin<Box<dyn futures_util::Stream<Item = Bytes> + Send + Sync>>,
    length: u64,
}

impl Held {
    fn new(body: &[u8], gate: Arc<Barrier>) -> Self {
        let length = body.len() as u64;
        let (first, last) = body.split_at(body.len().saturating_sub(1));
        let (first, last) = (Bytes::copy_from_slice(first), Bytes::copy_from_slice(last));
        let last = async move {
            // One that is late must not keep the others for ever.
            drop(timeout(TOGETHER, gate.wait()).await);
            last
        };
        let parts = futures_util::stream::once(async move { first });
        let parts = futures_util::StreamExt::chain(parts, futures_util::stream::once(last));
        Self { parts: Box::pin(parts), length }
    }
}

impl Body for Held {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let next = self.parts.as_mut().poll_next(cx);
        next.map(|part| part.map(|part| Ok(Frame::data(part))))
    }

    /// The length is known, so that the request names it as Stripe's do.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;

    use super::*;

    #[tokio::test]
    async fn last_bytes_wait_for_each_other_and_the_length_is_known() {
        let gate = Arc::new(Barrier::new(2));
        let mut one = Held::new(b"abc", Arc::clone(&gate));
        assert_eq!(one.size_hint().exact(), Some(3));
        let first = one.frame().await.unwrap().unwrap().into_data().unwrap();
        assert_eq!(&first[..], b"ab");
        let late = timeout(Duration::from_millis(1), one.frame()).await;
        assert!(late.is_err(), "the last byte waits");
        let (rest, other) = tokio::join!(one.frame(), Held::new(b"xyz", gate).collect());
        assert_eq!(&rest.unwrap().unwrap().into_data().unwrap()[..], b"c");
        assert_eq!(&other.unwrap().to_bytes()[..], b"xyz");
    }
}
