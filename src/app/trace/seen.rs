//! What was seen of one payment, on every side that could be asked.

use jiff::Timestamp;
use launchready_checks::contract::CheckError;
use launchready_checks::probe::{
    CheckoutSession, Conversation, Email, Missing, Payment, PaymentEvent, ProbeError, Reversals,
};

use super::reference::Reference;

/// What a look gave, or why there was none and the step that unlocks it.
pub type Look<T> = Result<T, Missing>;

/// Why a port gave no answer.
pub(super) fn unseen(error: ProbeError) -> Missing {
    match CheckError::unseen(error) {
        CheckError::Skipped { reason, unlock } | CheckError::Unknown { cause: reason, unlock } => {
            Missing { reason, unlock }
        }
    }
}

/// Why there was no look.
pub(super) fn missing(reason: impl Into<String>, unlock: impl Into<String>) -> Missing {
    Missing { reason: reason.into(), unlock: unlock.into() }
}

/// How an event stands in the product's own table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowState {
    /// It was dealt with.
    Done,
    /// It was taken and is not finished.
    Open,
    /// It ended in an error.
    Failed,
    /// A word that we do not know.
    Unknown,
}

/// A row of the table of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// The id of the event.
    pub id: String,
    /// How it stands.
    pub state: RowState,
    /// When it came to its end, or else arrived.
    pub at: Option<Timestamp>,
}

/// A row of the table of orders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderRow {
    /// Its id, or what stands in its place.
    pub id: String,
    /// `cs_…`.
    pub session: Option<String>,
    /// `pi_…`.
    pub payment_intent: Option<String>,
    /// `sub_…`.
    pub subscription: Option<String>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// The buyer.
    pub email: Option<Email>,
    /// The amount as it stands there.
    pub amount: Option<String>,
    /// ISO 4217, as it stands there.
    pub currency: Option<String>,
    /// The shop's word for how it stands; nothing where there is no such column.
    pub status: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// When it was handed to the CRM.
    pub synced: Option<Timestamp>,
}

/// The orders of a payment, and by which column they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Orders {
    /// The rows.
    pub rows: Vec<OrderRow>,
    /// The agreed name of the column; nothing where none was found.
    pub by: Option<&'static str>,
}

/// How a hand-over to the CRM ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncState {
    /// It went well.
    Done,
    /// It is under way.
    Open,
    /// It failed.
    Failed,
    /// A word that we do not know, or one that asks for nothing.
    Other,
}

/// The last hand-over to the CRM that is written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// The row's id, where it has one.
    pub id: Option<String>,
    /// How it ended.
    pub state: SyncState,
    /// When.
    pub at: Option<Timestamp>,
}

/// The contacts of the buyer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Their ids.
    pub ids: Vec<String>,
}

/// Everything that was seen. What depends on a part that was not seen says so itself.
#[derive(Debug, Clone)]
pub struct Seen {
    /// What was followed.
    pub reference: Reference,
    /// When.
    pub now: Timestamp,
    /// The object that the reference names, where it is none of those below: `Ok(false)` where Stripe knows no such
    /// id.
    pub named: Look<bool>,
    /// The checkout.
    pub checkout: Look<Option<CheckoutSession>>,
    /// Other checkouts of the same customer, newest first.
    pub others: Vec<String>,
    /// The payment.
    pub payment: Look<Option<Payment>>,
    /// What went back.
    pub reversals: Look<Reversals>,
    /// The events about it, oldest first.
    pub events: Look<Vec<PaymentEvent>>,
    /// The types that some destination is told, each as Stripe has it; nothing where that could not be seen.
    pub told: Option<Vec<String>>,
    /// The rows of those events.
    pub rows: Look<Vec<EventRow>>,
    /// The orders.
    pub orders: Look<Orders>,
    /// The last hand-over; nothing where none is written down.
    pub sync: Look<Option<Sync>>,
    /// The contacts.
    pub contacts: Look<People>,
    /// The requests, oldest first.
    pub tickets: Look<Vec<Conversation>>,
}
