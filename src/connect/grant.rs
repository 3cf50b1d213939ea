//! OAuth 2.0 client credentials (RFC 6749 section 4.4): a token that is fetched when it is first needed.

use std::fmt;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::config::Secret;

/// A token that says no end is asked for anew after this long.
const LIFE: Duration = Duration::from_mins(10);
/// A token is given up so long before its end.
const MARGIN: Duration = Duration::from_mins(1);

/// The application that asks for tokens.
pub struct Grant {
    /// Where tokens are handed out, relative to the API.
    pub path: &'static str,
    /// The application's id.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
    token: Mutex<Option<(Secret, Instant)>>,
}

impl fmt::Debug for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grant").field("path", &self.path).finish_non_exhaustive()
    }
}

/// What the vendor hands out.
#[derive(serde::Deserialize)]
pub(super) struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<u64>,
}

impl Grant {
    /// An application.
    pub fn new(path: &'static str, id: String, secret: Secret) -> Self {
        Self { path, id, secret, token: Mutex::new(None) }
    }

    /// The form that asks for a token.
    pub(super) fn form(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.id)
            .append_pair("client_secret", self.secret.expose())
            .finish()
    }

    /// The token, while it is good.
    pub(super) async fn token(&self) -> Option<Secret> {
        let kept = self.token.lock().await;
        kept.as_ref().filter(|(_, end)| Instant::now() < *end).map(|(token, _)| token.clone())
    }

    /// Keeps what was handed out.
    pub(super) async fn keep(&self, granted: Granted) -> Secret {
        let life = granted.expires_in.map_or(LIFE, Duration::from_secs);
        // No vendor's token lives for longer than a few days, and a wrong number must not overflow.
        let life = life.min(Duration::from_hours(24)).saturating_sub(MARGIN);
        let token = Secret::new(granted.access_token);
        *self.token.lock().await = Some((token.clone(), Instant::now() + life));
        token
    }

    /// Forgets the token, because it was refused; says whether there was one.
    pub(super) async fn forget(&self) -> bool {
        self.token.lock().await.take().is_some()
    }
}
