//! What belongs to one payment, asked object by object: the part of the payments port that follows a trail.

use super::{
    Answer, Charge, CheckoutSession, Payment, PaymentEvent, ProbeError, Reversal, Subscription,
};

/// The most checkouts or payments that are handed over of one owner: a page of Stripe.
pub const OWNED: usize = 100;

/// What a checkout belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// `pi_…`.
    Payment(String),
    /// `sub_…`.
    Subscription(String),
    /// `cus_…`.
    Customer(String),
}

/// The money of one payment that went, or may go, back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reversals {
    /// Refunds, newest first; at most [`OWNED`].
    pub refunds: Vec<Reversal>,
    /// Disputes, newest first; at most [`OWNED`].
    pub disputes: Vec<Reversal>,
}

/// Asks the payment provider for single objects and for what belongs to them. Nothing is changed. Each answer
/// holds one page at most; `None` where there is nothing of that id.
pub trait Trail: Send + Sync {
    /// One event; the provider keeps 30 days.
    fn event(&self, id: String) -> Answer<'_, Result<Option<PaymentEvent>, ProbeError>>;

    /// One try to take money.
    fn charge(&self, id: String) -> Answer<'_, Result<Option<Charge>, ProbeError>>;

    /// One refund.
    fn refund(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>>;

    /// One dispute.
    fn dispute(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>>;

    /// One subscription.
    fn subscription(&self, id: String) -> Answer<'_, Result<Option<Subscription>, ProbeError>>;

    /// The checkouts of an owner, finished or not, newest first; at most [`OWNED`].
    fn sessions_of(&self, owner: Owner) -> Answer<'_, Result<Vec<CheckoutSession>, ProbeError>>;

    /// The payments of a customer, newest first; at most [`OWNED`].
    fn payments_of(&self, customer: String) -> Answer<'_, Result<Vec<Payment>, ProbeError>>;

    /// What went, or may go, back of a payment.
    fn reversals_of(&self, payment: String) -> Answer<'_, Result<Reversals, ProbeError>>;
}
