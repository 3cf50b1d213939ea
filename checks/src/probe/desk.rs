//! The port to the help desk: which customers wait and since when, and how their requests came in.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Email, Period, ProbeError, Visit, Walked};

/// The most tags of a conversation that are kept.
pub const TAGS: usize = 20;

/// Who began a conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The customer, by mail, chat or a form of the desk.
    Customer,
    /// Somebody of the team typed it in.
    Hand,
    /// The product, through the desk's API.
    Product,
    /// The desk does not say.
    #[default]
    Unsaid,
}

/// One conversation with a customer, without a word of what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conversation {
    /// The desk's id of it.
    pub id: String,
    /// When it began.
    pub created: Timestamp,
    /// Since when the customer has the last public word; nothing where the team has it.
    pub waiting_since: Option<Timestamp>,
    /// A person is responsible; nothing where the source cannot say.
    pub assigned: Option<bool>,
    /// The group, team or inbox that it is in.
    pub queue: Option<String>,
    /// Its tags, at most [`TAGS`]; nothing where the source has none at all.
    pub tags: Option<Vec<String>>,
    /// When a person answered for the first time.
    pub first_reply: Option<Timestamp>,
    /// The desk's word, such as `urgent`.
    pub priority: Option<String>,
    /// Who began it.
    pub origin: Origin,
    /// What the product wrote beside it to know it again, such as the id of a form that was sent.
    pub submission: Option<String>,
    /// Who asks.
    pub requester: Option<Email>,
}

/// How a walk over conversations ended, and how many the desk counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// The walk.
    pub walked: Walked,
    /// All that the desk counts, where it says.
    pub total: Option<u64>,
}

/// When the desk wrote back by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Acknowledgement {
    /// The conversation.
    pub id: String,
    /// The first message that a rule of the desk sent to the customer; nothing where none was sent.
    pub at: Option<Timestamp>,
}

/// Asks the help desk. Nothing is changed, and no word of a conversation is read further than its time.
pub trait Desk: Send + Sync {
    /// Walks over the conversations that are not closed, the oldest first where the desk can sort.
    fn open<'a>(&'a self, visit: Visit<'a, Conversation>)
    -> Answer<'a, Result<Listed, ProbeError>>;

    /// Walks over the conversations that began in a period, closed ones included. Whether the customer
    /// waits may be left out.
    fn created<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Conversation>,
    ) -> Answer<'a, Result<Listed, ProbeError>>;

    /// When the desk acknowledged these conversations, from its audit events; `None` where it keeps none.
    fn acknowledgements(
        &self,
        ids: Vec<String>,
    ) -> Answer<'_, Result<Option<Vec<Acknowledgement>>, ProbeError>>;
}
