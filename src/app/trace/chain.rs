//! The chain from a payment to the ticket, in the shape of its JSON (`schema_version` 1).

use jiff::Timestamp;
use serde::Serialize;

use super::reference::Kind;

/// The most ids that one link shows.
pub const IDS: usize = 10;

/// A place of the chain, in the order of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The checkout at Stripe.
    Checkout,
    /// The payment at Stripe.
    Payment,
    /// Refunds and disputes at Stripe.
    Reversal,
    /// The events about it, and whether they were delivered.
    Webhook,
    /// The product's own rows of those events.
    EventRow,
    /// The order.
    Order,
    /// The hand-over of the order to the CRM.
    CrmSync,
    /// The buyer in the CRM.
    Contact,
    /// The buyer's requests at the help desk.
    Ticket,
}

impl Part {
    /// The name for people.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Checkout => "Stripe checkout",
            Self::Payment => "Stripe payment",
            Self::Reversal => "Refunds and disputes",
            Self::Webhook => "Webhook",
            Self::EventRow => "Events table",
            Self::Order => "Order",
            Self::CrmSync => "CRM sync",
            Self::Contact => "CRM contact",
            Self::Ticket => "Ticket",
        }
    }
}

/// How a link is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is there, and as it should be.
    There,
    /// It is not there, and should be.
    Missing,
    /// It is there, and not as it should be.
    Wrong,
    /// It is not there yet, and there is still time.
    Waiting,
    /// It is not there, and nothing is due.
    NotDue,
    /// It was not looked at.
    NotLookedAt,
}

impl State {
    /// The words for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Missing => "MISSING",
            Self::Wrong => "WRONG",
            Self::Waiting => "waiting",
            Self::NotDue => "not due",
            Self::NotLookedAt => "not looked at",
        }
    }

    /// The chain ends here.
    pub const fn is_broken(self) -> bool {
        matches!(self, Self::Missing | Self::Wrong)
    }
}

/// One link of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// Which.
    pub part: Part,
    /// How it is.
    pub state: State,
    /// When it came to be, where that is known.
    pub at: Option<Timestamp>,
    /// One sentence: what was seen, or why nothing was.
    pub says: String,
    /// What it was seen by: ids alone, at most [`IDS`].
    pub ids: Vec<String>,
    /// What to do: to mend what is broken, or to have looked at what was not.
    pub next: Option<String>,
}

/// What the whole came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// No link that was looked at is broken.
    Whole,
    /// A link is broken.
    Broken,
    /// Nobody who could be asked knows the reference, so that there is no chain.
    Unknown,
    /// Nothing could be looked at.
    Unseen,
}

/// What became of one payment, from Stripe to the ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// 1.
    pub schema_version: u32,
    /// The project.
    pub project: String,
    /// What was followed.
    pub reference: String,
    /// What that is.
    pub kind: Kind,
    /// When it was looked at.
    pub looked_at: Timestamp,
    /// What it came to.
    pub outcome: Outcome,
    /// The first broken link.
    pub broken: Option<Part>,
    /// One sentence.
    pub in_short: String,
    /// What to do next; each line is a step of its own.
    pub next: Option<String>,
    /// Every link, in the order of the chain.
    pub links: Vec<Link>,
}

impl Link {
    /// A link in a state.
    pub(super) fn new(part: Part, state: State, says: impl Into<String>) -> Self {
        Self { part, state, at: None, says: says.into(), ids: Vec::new(), next: None }
    }

    /// The same with the time at which it came to be.
    pub(super) fn at(self, at: Option<Timestamp>) -> Self {
        Self { at, ..self }
    }

    /// The same with ids; each once.
    pub(super) fn ids<T: AsRef<str>>(mut self, ids: impl IntoIterator<Item = T>) -> Self {
        for id in ids {
            let id = shown(id.as_ref());
            if self.ids.len() < IDS && !self.ids.contains(&id) {
                self.ids.push(id);
            }
        }
        self
    }

    /// The same with the step that follows.
    pub(super) fn next(self, next: impl Into<String>) -> Self {
        Self { next: Some(next.into()), ..self }
    }
}

/// An id as it may be shown: short, and never an address, which some shops use as one.
pub(super) fn shown(text: &str) -> String {
    if text.contains('@') {
        return "(an address)".to_owned();
    }
    text.chars().take(120).collect()
}
