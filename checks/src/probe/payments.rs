//! The port to the payment provider, in the words of Stripe, which is the one there is.
//!
//! Times are those of the provider to the second; amounts are in the minor unit of their currency
//! (ISO 4217), as the provider counts them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, Email, ProbeError, Trail};

/// The most entries of `metadata` that are kept: Stripe allows 50 keys.
pub const METADATA_KEYS: usize = 50;

/// An amount in the minor unit of its currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Money {
    /// ISO 4217, lower case.
    pub currency: String,
    /// Cents, or whole yen.
    pub amount_minor: i64,
}

/// What a key may do, as far as its form tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyPower {
    /// It belongs to live mode, and not to test mode or a sandbox.
    pub live: bool,
    /// It may do only what was granted (`rk_`), and not everything (`sk_`).
    pub restricted: bool,
}

/// Whether the account can take and pay out money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaymentAccount {
    /// `acct_…`.
    pub id: String,
    /// Two letters, upper case.
    pub country: Option<String>,
    /// It can take payments.
    pub charges_enabled: bool,
    /// It can pay out.
    pub payouts_enabled: bool,
    /// The form of the owner is complete.
    pub details_submitted: bool,
    /// Why it is disabled, in the provider's word.
    pub disabled_reason: Option<String>,
    /// What is demanded and late, in the provider's words; at most 50.
    pub past_due: Vec<String>,
    /// What is demanded next; at most 50.
    pub currently_due: Vec<String>,
    /// When that has to be there.
    pub deadline: Option<Timestamp>,
}

/// Whose events a destination is told.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum EventScope {
    /// The account's own.
    #[default]
    Account,
    /// Those of connected accounts.
    Connect,
    /// The provider does not say.
    Unsaid,
}

/// Where the provider sends events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Destination {
    /// `we_…` or `ed_…`.
    pub id: String,
    /// `webhook_endpoint`, `amazon_eventbridge`, `azure_event_grid`, or a word we do not know.
    pub kind: String,
    /// The address, where it is one of the web.
    pub url: Option<String>,
    /// Whether events are sent.
    pub enabled: bool,
    /// Event types; `*` means all but those that need to be named.
    pub events: Vec<String>,
    /// The version in which events are drawn; that of the account where absent.
    pub api_version: Option<String>,
    /// Live mode.
    pub live: bool,
    /// Events carry an id alone (`thin`) and not the object.
    pub thin: bool,
    /// Whose events.
    pub scope: EventScope,
}

/// Everything that is told of events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Destinations {
    /// Each once, whichever way it was listed.
    pub all: Vec<Destination>,
    /// Why those of a newer kind could not be listed; they may exist.
    pub unseen: Option<String>,
}

/// A span of time; `since` counts, `until` does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// From then on.
    pub since: Timestamp,
    /// Before then; open where absent.
    pub until: Option<Timestamp>,
}

/// Which events are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// When they were created; the provider keeps 30 days.
    pub period: Period,
    /// At most 20 types, a `*` at the end stands for the rest; all types where empty.
    pub types: Vec<String>,
    /// Only those that some destination has not taken.
    pub undelivered: bool,
}

/// One event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct PaymentEvent {
    /// `evt_…`.
    pub id: String,
    /// Such as `checkout.session.completed`.
    pub kind: String,
    /// When it happened.
    pub created: Timestamp,
    /// Destinations that have not taken it.
    pub pending: u32,
    /// The object that it is about, such as a session, an intent or a charge.
    pub object: Option<String>,
    /// The payment that the object belongs to (`pi_…`).
    pub payment_intent: Option<String>,
    /// The connected account that it belongs to.
    pub account: Option<String>,
    /// Live mode.
    pub live: bool,
}

/// One checkout.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CheckoutSession {
    /// `cs_…`.
    pub id: String,
    /// When the buyer was sent to it.
    pub created: Timestamp,
    /// `open`, `complete`, `expired`, or a word we do not know.
    pub status: String,
    /// `paid`, `unpaid`, `no_payment_required`, or a word we do not know.
    pub payment_status: String,
    /// `payment`, `subscription`, `setup`, or a word we do not know.
    pub mode: String,
    /// What was to be paid.
    pub amount: Option<Money>,
    /// `pi_…`.
    pub payment_intent: Option<String>,
    /// `sub_…`.
    pub subscription: Option<String>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// What the shop wrote down to know it again.
    pub reference: Option<String>,
    /// What the shop wrote beside it; at most [`METADATA_KEYS`].
    pub metadata: BTreeMap<String, String>,
    /// The payment link that led to it.
    pub payment_link: Option<String>,
    /// The buyer.
    pub email: Option<Email>,
    /// Live mode.
    pub live: bool,
}

/// One payment, succeeded or not.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Payment {
    /// `pi_…`.
    pub id: String,
    /// When it was begun.
    pub created: Timestamp,
    /// `succeeded`, `requires_payment_method`, `canceled`, …
    pub status: String,
    /// What was received, or asked for where nothing was.
    pub amount: Money,
    /// What was paid back.
    pub refunded_minor: i64,
    /// A dispute is or was open.
    pub disputed: bool,
    /// The last try was refused; the provider's code.
    pub failure: Option<String>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// It belongs to an invoice, such as a renewal.
    pub invoice: bool,
    /// What the shop wrote beside it.
    pub metadata: BTreeMap<String, String>,
    /// The buyer.
    pub email: Option<Email>,
}

/// One try to take money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Charge {
    /// `ch_…` or `py_…`.
    pub id: String,
    /// When it was tried.
    pub created: Timestamp,
    /// `succeeded`, `pending`, `failed`, or a word we do not know.
    pub status: String,
    /// How much.
    pub amount: Money,
    /// `pi_…`.
    pub payment_intent: Option<String>,
    /// A dispute is or was open.
    pub disputed: bool,
}

/// Money that went, or may go, back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Reversal {
    /// `re_…` or `du_…`/`dp_…`.
    pub id: String,
    /// When it was made.
    pub created: Timestamp,
    /// The provider's word, such as `succeeded` or `needs_response`.
    pub status: String,
    /// How much.
    pub amount: Money,
    /// The payment.
    pub payment_intent: Option<String>,
    /// Until when evidence can be handed in (disputes).
    pub due: Option<Timestamp>,
}

/// One subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// `sub_…`.
    pub id: String,
    /// `trialing`, `active`, `past_due`, `canceled`, `unpaid`, `paused`, `incomplete`, …
    pub status: String,
    /// When it began.
    pub created: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// `cus_…`.
    pub customer: Option<String>,
    /// What the shop wrote beside it.
    pub metadata: BTreeMap<String, String>,
}

/// What checkouts are looked up by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentKey {
    /// The payment (`pi_…`).
    Payment(String),
    /// The customer (`cus_…`).
    Customer(String),
    /// The subscription (`sub_…`).
    Subscription(String),
}

/// How a walk over a list ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Walked {
    /// Entries that were handed over.
    pub entries: u64,
    /// A limit on pages or time came before the end of the list.
    pub cut: bool,
}

/// Told each entry of a list, newest first.
pub type Visit<'a, T> = &'a mut (dyn FnMut(T) + Send);

/// Asks the payment provider. Nothing is changed.
///
/// A walk ends after a time with what it has and says so ([`Walked::cut`]); the rest is walked over with the
/// second after the oldest entry as `until`, which hands over the entries of that second again.
pub trait Payments: Trail {
    /// What the key may do, as far as its form tells.
    fn key(&self) -> KeyPower;

    /// The account.
    fn account(&self) -> Answer<'_, Result<PaymentAccount, ProbeError>>;

    /// Everything that is told of events.
    fn destinations(&self) -> Answer<'_, Result<Destinations, ProbeError>>;

    /// Walks over events.
    fn events<'a>(
        &'a self,
        filter: EventFilter,
        visit: Visit<'a, PaymentEvent>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// Walks over checkouts that are complete.
    fn sessions<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, CheckoutSession>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// One checkout; `None` where there is none of that id.
    fn session(&self, id: String) -> Answer<'_, Result<Option<CheckoutSession>, ProbeError>>;

    /// The newest checkouts of one payment, customer or subscription; at most 100.
    fn sessions_of(&self, key: PaymentKey) -> Answer<'_, Result<Vec<CheckoutSession>, ProbeError>>;

    /// One payment; `None` where there is none of that id.
    fn payment(&self, id: String) -> Answer<'_, Result<Option<Payment>, ProbeError>>;

    /// One event; `None` where there is none of that id, or no more.
    fn event(&self, id: String) -> Answer<'_, Result<Option<PaymentEvent>, ProbeError>>;

    /// Walks over payments.
    fn payments<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Payment>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// Walks over the tries to take money, failed or not.
    fn charges<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Charge>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// Walks over refunds.
    fn refunds<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// Walks over disputes.
    fn disputes<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;

    /// Walks over subscriptions of every status that were begun in a period.
    fn subscriptions<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Subscription>,
    ) -> Answer<'a, Result<Walked, ProbeError>>;
}
