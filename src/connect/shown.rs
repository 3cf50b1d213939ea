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

#[cfg(test)]
mod tests {
    use super::super::grant::Granted;
    use super::*;

    #[tokio::test]
    async fn however_a_credential_is_shown_an_answer_that_repeats_it_loses_it() {
        let secret = || Secret::new("s3same-s3same");
        let grant = Grant::new("oauth/token", "app".to_owned(), secret());
        let granted: Granted = serde_json::from_str(r#"{"access_token":"t0ken-t0ken"}"#).unwrap();
        grant.keep(granted).await;
        for (shown, repeated) in [
            (Shown::Bearer(secret()), "Bearer s3same-s3same"),
            (Shown::Token(secret()), "Token s3same-s3same"),
            (Shown::Header("x-key", secret()), "s3same-s3same"),
            (Shown::Basic("me".to_owned(), secret()), "s3same-s3same"),
            (Shown::Basic("me".to_owned(), secret()), "Basic bWU6czNzYW1lLXMzc2FtZQ=="),
            (Shown::Basic("me".to_owned(), secret()), "bWU6czNzYW1lLXMzc2FtZQ\\u003d="),
            (Shown::Key(secret()), "\\u00733same-s3same"),
            (Shown::Key(secret()), "Basic czNzYW1lLXMzc2FtZTpY"),
            (Shown::Granted(Arc::new(grant)), "s3same-s3same t0ken-t0ken"),
        ] {
            let body = format!("{{\"error\":\"no such {repeated}!\"}}").into_bytes();
            let told = String::from_utf8(shown.redact(body).await).unwrap();
            assert!(told.starts_with("{\"error\":\"no such ") && told.ends_with("!\"}"), "{told}");
            assert!(told.contains("[secret]"), "{repeated}: {told}");
            for part in ["s3same", "t0ken", "bWU6", "czNz", "u0073"] {
                assert!(!told.contains(part), "{repeated}: {told}");
            }
        }
    }
}
