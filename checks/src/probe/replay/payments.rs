//! Answers the payments port from a written-down world.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{
    Answer, Charge, CheckoutSession, Destination, Destinations, EventFilter, KeyPower, Payment,
    PaymentAccount, PaymentEvent, PaymentKey, Payments, Period, ProbeError, Reversal, Subscription,
    Visit, Walked,
};

/// The account of a payment provider.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PaymentsWorld {
    /// The key belongs to test mode.
    pub test_key: bool,
    /// The key may do everything.
    pub full_key: bool,
    /// The account.
    pub account: PaymentAccount,
    /// What is told of events.
    pub destination: Vec<Destination>,
    /// Why newer destinations cannot be listed.
    pub destinations_unseen: Option<String>,
    /// Events.
    pub event: Vec<PaymentEvent>,
    /// Checkouts.
    pub session: Vec<CheckoutSession>,
    /// Payments.
    pub payment: Vec<Payment>,
    /// Tries to take money.
    pub charge: Vec<Charge>,
    /// Refunds.
    pub refund: Vec<Reversal>,
    /// Disputes.
    pub dispute: Vec<Reversal>,
    /// Subscriptions.
    pub subscription: Vec<Subscription>,
    /// A list ends early, by its name.
    pub cut: Vec<String>,
    /// What fails, by the name of the list: the words of [`super::HttpEntry::fault`], and `bad_credential`,
    /// `forbidden`, `clock_off`.
    pub fault: BTreeMap<String, String>,
}

impl Replay {
    pub(super) fn paid(&self, list: &str) -> Result<&PaymentsWorld, ProbeError> {
        self.count(format!("PAYMENTS {list}"));
        let world = self.world.payments.as_ref();
        let world = world.ok_or_else(|| fault("bad_credential", "no payments are written down"))?;
        match world.fault.get(list) {
            Some(word) => Err(fault(word, "the payment provider")),
            None => Ok(world),
        }
    }

    fn walk<'a, T: Clone>(
        &'a self,
        list: &str,
        entries: impl FnOnce(&'a PaymentsWorld) -> &'a [T],
        matches: impl Fn(&T) -> bool,
        visit: Visit<'a, T>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let walked = self.paid(list).map(|world| {
            let mut walked = Walked { entries: 0, cut: world.cut.iter().any(|cut| cut == list) };
            for entry in entries(world).iter().filter(|entry| matches(entry)) {
                walked.entries += 1;
                visit(entry.clone());
            }
            walked
        });
        Box::pin(async move { walked })
    }
}

impl Period {
    pub(super) fn holds(&self, at: jiff::Timestamp) -> bool {
        at >= self.since && self.until.is_none_or(|until| at < until)
    }
}

impl Payments for Replay {
    fn key(&self) -> KeyPower {
        let world = self.world.payments.as_ref();
        KeyPower {
            live: !world.is_some_and(|world| world.test_key),
            restricted: !world.is_some_and(|world| world.full_key),
        }
    }

    fn account(&self) -> Answer<'_, Result<PaymentAccount, ProbeError>> {
        let account = self.paid("account").map(|world| world.account.clone());
        Box::pin(async move { account })
    }

    fn destinations(&self) -> Answer<'_, Result<Destinations, ProbeError>> {
        let destinations = self.paid("destination").map(|world| Destinations {
            all: world.destination.clone(),
            unseen: world.destinations_unseen.clone(),
        });
        Box::pin(async move { destinations })
    }

    fn events<'a>(
        &'a self,
        filter: EventFilter,
        visit: Visit<'a, PaymentEvent>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let wanted = move |kind: &str| {
            filter.types.is_empty()
                || filter.types.iter().any(|wanted| match wanted.strip_suffix('*') {
                    Some(start) => kind.starts_with(start),
                    None => kind == wanted,
                })
        };
        let matches = move |event: &PaymentEvent| {
            filter.period.holds(event.created)
                && (event.pending > 0 || !filter.undelivered)
                && wanted(&event.kind)
        };
        self.walk("event", |world| &world.event, matches, visit)
    }

    fn sessions<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, CheckoutSession>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let matches = move |session: &CheckoutSession| {
            period.holds(session.created) && session.status == "complete"
        };
        self.walk("session", |world| &world.session, matches, visit)
    }

    fn session(&self, id: String) -> Answer<'_, Result<Option<CheckoutSession>, ProbeError>> {
        let found = self
            .paid("session")
            .map(|world| world.session.iter().find(|session| session.id == id).cloned());
        Box::pin(async move { found })
    }

    fn sessions_of(&self, key: PaymentKey) -> Answer<'_, Result<Vec<CheckoutSession>, ProbeError>> {
        let of = |session: &&CheckoutSession| match &key {
            PaymentKey::Payment(id) => session.payment_intent.as_ref() == Some(id),
            PaymentKey::Customer(id) => session.customer.as_ref() == Some(id),
            PaymentKey::Subscription(id) => session.subscription.as_ref() == Some(id),
        };
        let found = self.paid("session");
        let found = found.map(|world| world.session.iter().filter(of).take(100).cloned().collect());
        Box::pin(async move { found })
    }

    fn payment(&self, id: String) -> Answer<'_, Result<Option<Payment>, ProbeError>> {
        let found = self.paid("payment");
        let found = found.map(|world| world.payment.iter().find(|one| one.id == id).cloned());
        Box::pin(async move { found })
    }

    fn event(&self, id: String) -> Answer<'_, Result<Option<PaymentEvent>, ProbeError>> {
        let found = self.paid("event");
        let found = found.map(|world| world.event.iter().find(|one| one.id == id).cloned());
        Box::pin(async move { found })
    }

    fn payments<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Payment>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let matches = move |payment: &Payment| period.holds(payment.created);
        self.walk("payment", |world| &world.payment, matches, visit)
    }

    fn charges<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Charge>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let matches = move |charge: &Charge| period.holds(charge.created);
        self.walk("charge", |world| &world.charge, matches, visit)
    }

    fn refunds<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let matches = move |refund: &Reversal| period.holds(refund.created);
        self.walk("refund", |world| &world.refund, matches, visit)
    }

    fn disputes<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Reversal>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let matches = move |dispute: &Reversal| period.holds(dispute.created);
        self.walk("dispute", |world| &world.dispute, matches, visit)
    }

    fn subscriptions<'a>(
        &'a self,
        period: Period,
        visit: Visit<'a, Subscription>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        let matches = move |subscription: &Subscription| period.holds(subscription.created);
        self.walk("subscription", |world| &world.subscription, matches, visit)
    }
}
