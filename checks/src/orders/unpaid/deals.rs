//! What Stripe says of each payment, findable by every key that an order may have of it.

use std::collections::HashMap;

use super::super::checkout::references;
use crate::contract::CheckError;
use crate::probe::{CheckoutSession, Money, Payments, Period, RunKey};

/// Where a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The money is there.
    Paid,
    /// It was refused or cancelled.
    Failed,
    /// It went back whole, or a dispute took it.
    Returned,
    /// Under way, or a word that we do not know.
    Other,
}

/// One payment.
#[derive(Debug, Clone)]
pub(super) struct Deal {
    pub(super) amount: Option<Money>,
    pub(super) state: State,
}

/// Every payment of a period.
pub(super) struct Deals {
    key: RunKey,
    all: Vec<Deal>,
    by_key: HashMap<u64, usize>,
    pub(super) cut: bool,
}

impl Deals {
    pub(super) async fn read(payments: &dyn Payments, period: Period) -> Result<Self, CheckError> {
        let mut deals =
            Self { key: RunKey::random(), all: Vec::new(), by_key: HashMap::new(), cut: false };
        let walked = payments
            .payments(period, &mut |payment| {
                let state = match payment.status.as_str() {
                    "succeeded" if payment.refunded_minor >= payment.amount.amount_minor => {
                        State::Returned
                    }
                    "succeeded" => State::Paid,
                    "canceled" => State::Failed,
                    "requires_payment_method" if payment.failure.is_some() => State::Failed,
                    _ => State::Other,
                };
                let names = references(None, &payment.metadata);
                let deal = deals.add(Deal { amount: Some(payment.amount), state });
                deals.name(deal, [payment.id].into_iter().chain(names));
            })
            .await
            .map_err(CheckError::unseen)?;
        deals.cut |= walked.cut;
        let walked = payments
            .sessions(period, &mut |session| deals.take(session))
            .await
            .map_err(CheckError::unseen)?;
        deals.cut |= walked.cut;
        let walked = payments
            .disputes(period, &mut |dispute| {
                let lost =
                    matches!(dispute.status.as_str(), "lost" | "needs_response" | "under_review");
                let deal = dispute.payment_intent.and_then(|id| deals.place(&id));
                let deal = deal.and_then(|deal| deals.all.get_mut(deal));
                if let Some(deal) = deal.filter(|_| lost) {
                    deal.state = State::Returned;
                }
            })
            .await
            .map_err(CheckError::unseen)?;
        deals.cut |= walked.cut;
        Ok(deals)
    }

    /// A checkout is another name of its payment; one without a payment, such as a trial, is its own deal.
    fn take(&mut self, session: CheckoutSession) {
        let own = session.payment_intent.as_deref().and_then(|intent| self.place(intent));
        let state = match session.payment_status.as_str() {
            "paid" | "no_payment_required" => State::Paid,
            _ => State::Other,
        };
        let deal = own.unwrap_or_else(|| self.add(Deal { amount: session.amount, state }));
        let names = references(session.reference, &session.metadata);
        let keys = [Some(session.id), session.payment_intent, session.subscription];
        self.name(deal, keys.into_iter().flatten().chain(names));
    }

    fn add(&mut self, deal: Deal) -> usize {
        self.all.push(deal);
        self.all.len() - 1
    }

    fn name(&mut self, deal: usize, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.by_key.entry(self.key.hash(&name)).or_insert(deal);
        }
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.by_key.get(&self.key.hash(name)).copied()
    }

    /// The payment of this name.
    pub(super) fn find(&self, name: &str) -> Option<&Deal> {
        self.all.get(self.place(name)?)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }
}
