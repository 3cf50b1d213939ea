//! How a credential is shown to an API, and how it is kept out of what comes back.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::grant::Grant;
use crate::config::Secret;

/// What stands where a password does, beside a key that stands where a name does.
pub(super) const NO_PASSWORD: &str = "X";

/// A name and a password as they are sent (RFC 7617), which whoever knows it can read.
fn basic(name: &str, password: &Secret) -> Secret {
    Secret::new(STANDARD.encode(format!("{name}:{}", password.expose())))
}

/// How a credential is shown.
#[derive(Debug, Clone)]
pub enum Shown {
    /// `Authorization: Bearer …`.
    Bearer(Secret),
    /// `Authorization: Token …`.
    Token(Secret),
    /// `Authorization: Basic …`, of a name and a secret.
    Basic(String, Secret),
    /// `Authorization: Basic …`, of a key that stands where a name does, and a password of no meaning.
    Key(Secret),
    /// A header of its own.
    Header(&'static str, Secret),
    /// `Authorization: Bearer …`, of a token that the vendor hands out for an application.
    Granted(Arc<Grant>),
}

impl Shown {
    /// What tells this credential from others, for nothing but a hash.
    pub(super) fn parts(&self) -> (&str, String) {
        match self {
            Self::Bearer(secret) => ("bearer", secret.expose().to_owned()),
            Self::Token(secret) => ("token", secret.expose().to_owned()),
            Self::Basic(name, secret) => (name, secret.expose().to_owned()),
            Self::Key(secret) => ("key", secret.expose().to_owned()),
            Self::Header(name, secret) => (name, secret.expose().to_owned()),
            Self::Granted(grant) => (grant.path, grant.form()),
        }
    }

    /// An answer of the vendor without the credential that was shown.
    pub(super) async fn redact(&self, body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Bearer(secret) | Self::Token(secret) | Self::Header(_, secret) => {
                secret.redact_answer(body)
            }
            Self::Basic(name, secret) => {
                basic(name, secret).redact_answer(secret.redact_answer(body))
            }
            Self::Key(secret) => basic(secret.expose(), &Secret::new(NO_PASSWORD))
                .redact_answer(secret.redact_answer(body)),
            Self::Granted(grant) => {
                let body = grant.secret.redact_answer(body);
                match grant.token().await {
                    Some(token) => token.redact_answer(body),
                    None => body,
                }
            }
        }
    }
}
