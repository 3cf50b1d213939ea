//! The config with which the agent watches a world and tells a mailbox and sinks.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};
use toml::Value;

use crate::data;
use crate::error::LabError;
use crate::world::merge;
use crate::{Lab, Mailbox, SinkKind, Sinks};

/// Who signs in to a mailbox that takes anybody.
const LOGIN: (&str, &str) = ("alerts", "lab-mail-password");

impl Lab {
    /// The config of [`Lab::config_toml`] for the agent: beside the audit's part it has `[agent]`,
    /// `[defaults]`, and the channels `founder` (email to the mailbox, over STARTTLS), `ops` (Slack)
    /// and `hook` (a signed webhook). It is meant for a file in the folder of the lab, where this
    /// writes the files that hold the secrets.
    ///
    /// `extra` is TOML in the shape of the config and wins over it: tables are merged, values
    /// replace, and `"channel+"` appends to the channels. The mailbox has to be one of
    /// [`Lab::authority`].
    ///
    /// # Errors
    /// An `extra` that cannot be read, or a file that cannot be written.
    pub fn agent_config_toml(
        &self,
        mailbox: &Mailbox,
        sinks: &Sinks,
        extra: &str,
    ) -> Result<String, LabError> {
        let mut config = data::table("the audit's config", &self.config_toml())?;
        let (user, password) = match mailbox.login() {
            Some((user, password)) => (user.as_str(), password.as_str()),
            None => LOGIN,
        };
        let key = webhook_key();
        sinks.set_webhook_key(Some(&key))?;
        for (name, secret) in [
            ("smtp.password", password),
            ("slack.url", &sinks.url(SinkKind::Slack)),
            ("webhook.url", &sinks.url(SinkKind::Webhook)),
            ("webhook.key", &key),
            ("deadman.url", &sinks.url(SinkKind::DeadMan)),
        ] {
            write(&self.dir().join(name), secret)?;
        }
        let smtp = format!("smtp+starttls://{}", mailbox.starttls());
        let channels = vec![
            table([
                ("name", "founder".into()),
                ("kind", "email".into()),
                ("smtp", smtp.into()),
                ("user", user.into()),
                ("password", file("smtp.password")),
                ("from", "launchready@harbor.example".into()),
                ("to", vec!["founder@harbor.example"].into()),
            ]),
            table([
                ("name", "ops".into()),
                ("kind", "slack".into()),
                ("url", file("slack.url")),
                ("fallback", "founder".into()),
            ]),
            table([
                ("name", "hook".into()),
                ("kind", "webhook".into()),
                ("url", file("webhook.url")),
                ("key", file("webhook.key")),
            ]),
        ];
        let agent = table([
            ("listen", "127.0.0.1:9797".into()),
            ("store", "sqlite:launchready.db".into()),
            ("public_url", "http://127.0.0.1:9797".into()),
            ("heartbeat_url", file("deadman.url")),
        ]);
        config.insert("agent".to_owned(), agent);
        config.insert("defaults".to_owned(), table([("timezone", "UTC".into())]));
        config.insert("channel".to_owned(), channels.into());
        let extra = data::table("the extra config", extra)?;
        merge(&mut config, &extra)
            .map_err(|message| LabError::Plan(format!("the extra config: {message}")))?;
        Ok(config.to_string())
    }
}

/// A key for this machine alone; that it stands in the source protects nothing and need not.
fn webhook_key() -> String {
    format!("whsec_{}", STANDARD.encode(Sha256::digest("the webhook of the lab")))
}

fn write(path: &Path, text: &str) -> Result<(), LabError> {
    std::fs::write(path, text).map_err(|source| LabError::Write { path: path.to_owned(), source })
}

fn file(name: &str) -> Value {
    table([("file", name.into())])
}

fn table<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Table(entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}
