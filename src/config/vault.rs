//! Reads the secrets that the config names, and collects what is wrong with them.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use url::Url;

use super::document::ConfigError;
use super::plan::{Named, Route, TokenPlan};
use super::promise::HeartbeatToken;
use super::secret::{Secret, SecretRef};
use super::store::StoreAddress;
use crate::notify::ChannelKind;

/// What a secret has to be.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Anything.
    Any,
    /// At least eight characters.
    Password,
    /// At least sixteen characters that may stand in an address.
    Token,
    /// A web address.
    Url,
    /// A key as Standard Webhooks has it.
    Key,
    /// The address of a store.
    Store,
}

impl Form {
    /// What is wrong with a secret, without a word of it.
    fn fault(self, secret: &str) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Store => super::store::fault(secret, true),
            Self::Password => (secret.chars().count() < 8)
                .then_some("it is shorter than 8 characters; choose a longer one"),
            Self::Token => {
                let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
                if secret.len() < 16 {
                    Some("it is shorter than 16 characters; choose a longer one")
                } else if secret.len() > 200 || !secret.chars().all(safe) {
                    Some("write at most 200 letters, digits, hyphens, underscores or dots")
                } else {
                    None
                }
            }
            Self::Url => {
                let url = Url::parse(secret).ok();
                let good = url.is_some_and(|url| {
                    matches!(url.scheme(), "http" | "https") && url.host().is_some()
                });
                (!good).then_some("it is no web address that begins with https:// or http://")
            }
            Self::Key => {
                let key = secret.strip_prefix("whsec_").and_then(|key| STANDARD.decode(key).ok());
                let good = key.is_some_and(|key| (24..=64).contains(&key.len()));
                (!good).then_some(
                    "it is no signing key; write whsec_ and 24 to 64 random bytes in base64",
                )
            }
        }
    }
}

/// Reads secrets and collects what is missing.
pub(super) struct Vault<'a> {
    pub(super) folder: &'a Path,
    pub(super) errors: Vec<ConfigError>,
}

impl Vault<'_> {
    /// The secret; an empty one where there is an error.
    fn read(&mut self, named: &Named, form: Form) -> Secret {
        self.try_read(named, form).unwrap_or_else(|_message| Secret::new(""))
    }

    /// The address of the store, which says later why it cannot be read, too: not everybody needs it.
    pub(super) fn store(&mut self, named: &Named) -> StoreAddress {
        StoreAddress::named(&named.reference, self.try_read(named, Form::Store))
    }

    fn try_read(&mut self, named: &Named, form: Form) -> Result<Secret, String> {
        let read = named.reference.read(self.folder).and_then(|secret| {
            match form.fault(secret.expose()) {
                None => Ok(secret),
                Some(fault) => Err(match &named.reference {
                    SecretRef::Env(name) => format!("the variable {name} is of no use: {fault}"),
                    SecretRef::File(path) => format!("{} is of no use: {fault}", path.display()),
                }),
            }
        });
        read.inspect_err(|message| {
            let (key, message) = (named.key.clone(), message.clone());
            self.errors.push(ConfigError { line: named.line, key, message });
        })
    }

    pub(super) fn maybe(&mut self, named: Option<&Named>, form: Form) -> Option<Secret> {
        named.map(|named| self.read(named, form))
    }

    /// The tokens of the promises; no two jobs may share one, because their calls could not be told apart.
    pub(super) fn tokens(&mut self, plans: &[TokenPlan]) -> Vec<HeartbeatToken> {
        let mut tokens: Vec<HeartbeatToken> = Vec::new();
        for TokenPlan { project, name, named } in plans {
            let token = self.read(named, Form::Token);
            if token.expose().is_empty() {
                continue;
            }
            if tokens.iter().any(|other| other.token.is(token.expose())) {
                let message = "another job has the same token; give each its own".to_owned();
                let error = ConfigError { line: named.line, key: named.key.clone(), message };
                self.errors.push(error);
                continue;
            }
            tokens.push(HeartbeatToken { project: project.clone(), name: name.clone(), token });
        }
        tokens
    }

    pub(super) fn route(&mut self, route: &Route) -> ChannelKind {
        match route {
            Route::Email { host, port, security, login, from, to } => ChannelKind::Email {
                host: host.clone(),
                port: *port,
                security: *security,
                login: login
                    .as_ref()
                    .map(|(user, password)| (user.clone(), self.read(password, Form::Any))),
                from: from.clone(),
                to: to.clone(),
            },
            Route::Slack { url } => ChannelKind::Slack { url: self.read(url, Form::Url) },
            Route::Webhook { url, key } => ChannelKind::Webhook {
                url: self.read(url, Form::Url),
                key: self.maybe(key.as_ref(), Form::Key),
            },
            Route::PagerDuty { routing_key, api } => ChannelKind::PagerDuty {
                routing_key: self.read(routing_key, Form::Any),
                api: api.clone(),
            },
            Route::Alertmanager { url, token } => ChannelKind::Alertmanager {
                url: url.clone(),
                token: self.maybe(token.as_ref(), Form::Any),
            },
        }
    }
}
