//! What is needed to reach outside systems.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{sleep, sleep_until};

use super::pace::{Paces, Turn};
use crate::clock::Clock;

/// Answers that are written down: what a request is answered without any network.
pub type Written = Arc<dyn Fn(reqwest::Request) -> reqwest::Response + Send + Sync>;

/// What is needed to reach outside systems.
#[derive(Clone)]
pub struct Reach {
    /// The client: strict about certificates, follows nothing by itself.
    pub client: reqwest::Client,
    /// The clock of this machine.
    pub clock: Arc<dyn Clock>,
    /// PEM files with authorities that are trusted beside the usual ones, for what is no web server.
    pub extra_roots: Vec<PathBuf>,
    /// What the readers of answers are tried with: where it is there, no API is sent anything, and nobody
    /// waits.
    pub written: Option<Written>,
    /// Whose turn it is at each account.
    pub paces: Paces,
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reach").finish_non_exhaustive()
    }
}

impl Reach {
    /// Goes by this client and clock, and shares turns with nobody.
    pub fn new(client: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, extra_roots: Vec::new(), written: None, paces: Paces::default() }
    }

    /// Sends a request of an API.
    ///
    /// # Errors
    /// No answer came.
    pub(super) async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> reqwest::Result<reqwest::Response> {
        match &self.written {
            None => request.send().await,
            Some(answer) => Ok(answer(request.build()?)),
        }
    }

    /// Waits for the next turn; false where too many are waiting for theirs.
    pub(super) async fn has_turn(&self, turn: &Turn, pace: Duration) -> bool {
        if self.written.is_some() {
            return true;
        }
        let Some(at) = turn.take(pace) else { return false };
        sleep_until(at).await;
        true
    }

    /// Waits before the next try.
    pub(super) async fn wait(&self, span: Duration) {
        if self.written.is_none() {
            sleep(span).await;
        }
    }
}
