//! What the config says of a channel.

use std::time::Duration;

use crate::config::Secret;
use crate::probe::Network;

/// A channel, read and checked.
#[derive(Debug, Clone)]
pub struct ChannelSettings {
    /// Its name.
    pub name: String,
    /// Where it leads.
    pub kind: ChannelKind,
    /// How it is reached: the resolvers, rules and certificate authorities of `[network]`.
    pub network: Network,
    /// A try ends after this long.
    pub timeout: Duration,
}

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmtpSecurity {
    /// `smtp://`: no encryption.
    Plain,
    /// `smtp+starttls://`: encryption is demanded after the greeting.
    StartTls,
    /// `smtps://`: encrypted from the first byte.
    Tls,
}

/// Where a channel leads.
#[derive(Debug, Clone)]
pub enum ChannelKind {
    /// Mail through an SMTP server.
    Email {
        /// The server's name or address.
        host: String,
        /// Its port.
        port: u16,
        /// How it is spoken to.
        security: SmtpSecurity,
        /// Who signs in, with the password.
        login: Option<(String, Secret)>,
        /// The From address.
        from: String,
        /// The To addresses.
        to: Vec<String>,
    },
    /// A Slack incoming webhook.
    Slack {
        /// Its URL, which is a secret.
        url: Secret,
    },
    /// Any URL, signed as Standard Webhooks has it.
    Webhook {
        /// Its URL.
        url: Secret,
        /// The key that signs, `whsec_…`; unsigned where absent.
        key: Option<Secret>,
    },
    /// PagerDuty Events API v2.
    PagerDuty {
        /// The integration's routing key.
        routing_key: Secret,
        /// The address of the API.
        api: String,
    },
    /// Alertmanager API v2.
    Alertmanager {
        /// Its address, without `/api/v2/alerts`.
        url: String,
        /// A bearer token.
        token: Option<Secret>,
    },
}
