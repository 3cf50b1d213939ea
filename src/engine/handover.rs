//! What the config and the store say of a project beside what its checks see, for whoever takes it over.

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::incident::State;
use crate::store::{DeliveryState, IncidentFilter, Store, StoreError};

/// The most incidents that are listed as mended.
const MENDED: usize = 50;

/// What config and store say. It holds no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Handover {
    /// Who holds which account, in the order of the config.
    pub accounts: Vec<Account>,
    /// Where each credential is kept that the config names.
    pub secrets: Vec<SecretPlace>,
    /// Who is told.
    pub channels: Vec<Channel>,
    /// What is looked at, and how often.
    pub watched: Vec<Watched>,
    /// When the agent looked last, where one has.
    pub last_look: Option<Timestamp>,
    /// What was mended while the agent watched, newest first.
    pub mended: Vec<Mended>,
}

impl Handover {
    /// The same, with what the store remembers of the project.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn remembered(
        mut self,
        store: &dyn Store,
        project: &str,
    ) -> Result<Self, StoreError> {
        let latest = store.latest(Some(project)).await?;
        self.last_look = latest.iter().filter_map(|run| run.at).max();
        for count in store.outbox().await? {
            let channel = self.channels.iter_mut().find(|channel| channel.name == count.channel);
            let Some(channel) = channel else { continue };
            match count.state {
                DeliveryState::Sent => channel.delivered += count.count,
                DeliveryState::Failed => channel.failed += count.count,
                DeliveryState::Pending => {}
            }
        }
        let filter = IncidentFilter {
            project: Some(project.to_owned()),
            states: vec![State::Resolved],
            limit: MENDED,
            ..IncidentFilter::default()
        };
        let over = store.incidents(&filter).await?.into_iter();
        self.mended = over
            .map(|incident| Mended {
                title: incident.title.clone(),
                code: incident.key.code.clone(),
                from: incident.first_seen,
                to: incident.resolved_at.unwrap_or(incident.last_seen),
                by: incident.resolved_by,
            })
            .collect();
        Ok(self)
    }
}

/// One account.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "each is what `[[project.account]]` says under the same name")]
pub struct Account {
    pub system: String,
    pub account: Option<String>,
    pub owner: Option<String>,
    pub second: Option<String>,
    pub mfa: Option<bool>,
    pub renews: Option<Date>,
    pub recovery: Option<String>,
    pub cost: Option<String>,
}

/// Where a credential is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPlace {
    /// The key of the config that names it, such as `stripe.key`.
    pub key: String,
    /// `variable NAME` or `file PATH`.
    pub kept: String,
    /// Whether it is there and can be read.
    pub is_there: bool,
}

/// A channel of messages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// `email`, `slack`, ….
    pub kind: String,
    /// Severities that it takes.
    pub severities: Vec<String>,
    /// The channel that is told when this one fails.
    pub fallback: Option<String>,
    /// Messages that it accepted, and that it refused for good, as far as the store remembers.
    pub delivered: u64,
    /// Messages that it did not take.
    pub failed: u64,
}

/// A check with its rhythm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The check's id.
    pub check: String,
    /// When it looks, such as `every 1m`.
    pub rhythm: String,
}

/// An incident that is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// What was wrong.
    pub title: String,
    /// The finding code.
    pub code: String,
    /// When it was seen first.
    pub from: Timestamp,
    /// When it was over.
    pub to: Timestamp,
    /// Who said so; none where a look saw it.
    pub by: Option<String>,
}
