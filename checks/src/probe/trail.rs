//! What belongs to one payment, asked object by object: the part of the payments port that follows a trail.

use super::{Answer, Charge, Payment, ProbeError, Reversal, Subscription};

/// The most payments, refunds or disputes that are handed over of one owner: a page of Stripe.
pub const OWNED: usize = 100;

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
    /// One try to take money.
    fn charge(&self, id: String) -> Answer<'_, Result<Option<Charge>, ProbeError>>;

    /// One refund.
    fn refund(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>>;

    /// One dispute.
    fn dispute(&self, id: String) -> Answer<'_, Result<Option<Reversal>, ProbeError>>;

    /// One subscription.
    fn subscription(&self, id: String) -> Answer<'_, Result<Option<Subscription>, ProbeError>>;

    /// The payments of a customer, newest first; at most [`OWNED`].
    fn payments_of(&self, customer: String) -> Answer<'_, Result<Vec<Payment>, ProbeError>>;

    /// What went, or may go, back of a payment.
    fn reversals_of(&self, payment: String) -> Answer<'_, Result<Reversals, ProbeError>>;
}
