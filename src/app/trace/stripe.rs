//! Follows a reference through the payment provider: the checkout, the payment, what went back, the events.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use launchready_checks::orders::references;
use launchready_checks::probe::{
    CheckoutSession, Missing, Payment, PaymentEvent, PaymentKey, Payments, Period, ProbeError,
    Reversals,
};

use super::events::{events, spans, told};
use super::reference::{Kind, Reference};
use super::seen::{Look, OrderRow, unseen};

/// The first payment of a subscription is made within this time of its checkout.
const NEAR: SignedDuration = SignedDuration::from_hours(25);
/// A checkout is looked for by what the shop wrote down in those of so many days.
const WALK: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The ids of one payment.
#[derive(Debug, Clone, Default)]
pub(super) struct Ids {
    pub(super) session: Option<String>,
    pub(super) payment: Option<String>,
    pub(super) subscription: Option<String>,
    pub(super) customer: Option<String>,
    /// What the shop may call its order.
    pub(super) references: Vec<String>,
    /// Charges, refunds and disputes that an event may be about.
    pub(super) more: Vec<String>,
}

impl Ids {
    /// The ids that an order knows.
    pub(super) fn of_order(order: &OrderRow) -> Self {
        Self {
            session: order.session.clone(),
            payment: order.payment_intent.clone(),
            subscription: order.subscription.clone(),
            customer: order.customer.clone(),
            ..Self::default()
        }
    }

    /// Puts an id where its kind belongs.
    fn put(&mut self, id: String) {
        let place = match Kind::of(&id) {
            Kind::Checkout => &mut self.session,
            Kind::Payment => &mut self.payment,
            Kind::Subscription => &mut self.subscription,
            Kind::Customer => &mut self.customer,
            _ => return self.more.push(id),
        };
        place.get_or_insert(id);
    }

    fn learn(&mut self, session: &CheckoutSession) {
        self.session = Some(session.id.clone());
        let fill = |place: &mut Option<String>, id: &Option<String>| {
            if place.is_none() {
                place.clone_from(id);
            }
        };
        fill(&mut self.payment, &session.payment_intent);
        fill(&mut self.subscription, &session.subscription);
        fill(&mut self.customer, &session.customer);
        self.write(session.reference.clone(), &session.metadata);
    }

    fn write(&mut self, reference: Option<String>, metadata: &BTreeMap<String, String>) {
        for reference in references(reference, metadata) {
            if !self.references.contains(&reference) {
                self.references.push(reference);
            }
        }
    }

    /// Whether an event is about one of them.
    pub(super) fn names(&self, event: &PaymentEvent) -> bool {
        let own = [&self.session, &self.payment, &self.subscription];
        let about = [&event.object, &event.payment_intent];
        let mut about = about.into_iter().flatten();
        about.any(|id| own.into_iter().flatten().any(|own| own == id) || self.more.contains(id))
    }
}

/// What the payment provider says.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) ids: Ids,
    pub(super) named: Look<bool>,
    pub(super) checkout: Look<Option<CheckoutSession>>,
    pub(super) others: Vec<String>,
    pub(super) payment: Look<Option<Payment>>,
    pub(super) reversals: Look<Reversals>,
    pub(super) events: Look<Vec<PaymentEvent>>,
    pub(super) told: Option<Vec<String>>,
}

impl Provider {
    /// Nothing could be asked.
    pub(super) fn missing(why: &Missing, ids: Ids) -> Self {
        Self {
            ids,
            named: Err(why.clone()),
            checkout: Err(why.clone()),
            others: Vec::new(),
            payment: Err(why.clone()),
            reversals: Err(why.clone()),
            events: Err(why.clone()),
            told: None,
        }
    }
}

/// Follows a reference, with what an order of it already knows.
pub(super) async fn ask(
    payments: &dyn Payments,
    reference: &Reference,
    mut ids: Ids,
    now: Timestamp,
) -> Provider {
    let mut event = None;
    let named = name(payments, reference, &mut ids, &mut event).await;
    if let Err(why) = &named {
        return Provider::missing(why, ids);
    }
    let (checkout, others) = checkout(payments, reference, &mut ids, now).await;
    let found = checkout.as_ref().ok().and_then(Option::as_ref);
    let payment = match (&checkout, payment(payments, &mut ids, found).await) {
        // Of a checkout that could not be read nobody knows the payment.
        (Err(why), Ok(None)) => Err(why.clone()),
        (_, payment) => payment,
    };
    // A renewal has no checkout of its own: its subscription began with one.
    let checkout = match (checkout, &payment) {
        (Ok(None), Ok(Some(payment))) if payment.invoice => {
            let begun = begun(payments, payment).await;
            if let Ok(Some(session)) = &begun {
                ids.learn(session);
            }
            begun
        }
        (other, _) => other,
    };
    let reversals = match ids.payment.clone() {
        Some(id) => payments.reversals_of(id).await.map_err(unseen),
        None => payment.as_ref().map(|_| Reversals::default()).map_err(Clone::clone),
    };
    if let Ok(reversals) = &reversals {
        let all = reversals.refunds.iter().chain(&reversals.disputes);
        ids.more.extend(all.map(|one| one.id.clone()));
    }
    let session = checkout.as_ref().ok().and_then(Option::as_ref);
    let paid = payment.as_ref().ok().and_then(Option::as_ref);
    let spans = spans(session, paid, reversals.as_ref().ok(), now);
    let events = match (&checkout, &payment) {
        (Err(why), _) | (_, Err(why)) if spans.is_empty() && event.is_none() => Err(why.clone()),
        _ => events(payments, &ids, spans, event).await,
    };
    let told = told(payments).await;
    Provider { ids, named, checkout, others, payment, reversals, events, told }
}

/// Finds what the reference itself names; whether the provider knows it.
async fn name(
    payments: &dyn Payments,
    reference: &Reference,
    ids: &mut Ids,
    event: &mut Option<PaymentEvent>,
) -> Look<bool> {
    let id = reference.text.clone();
    match reference.kind {
        Kind::Event => {
            let found = payments.event(id).await.map_err(unseen)?;
            if let Some(found) = &found {
                let about = [found.object.clone(), found.payment_intent.clone()];
                about.into_iter().flatten().for_each(|id| ids.put(id));
            }
            event.clone_from(&found);
            Ok(found.is_some())
        }
        Kind::Charge => {
            let found = payments.charge(id.clone()).await.map_err(unseen)?;
            ids.more.push(id);
            if let Some(charge) = &found {
                ids.payment.clone_from(&charge.payment_intent);
            }
            Ok(found.is_some())
        }
        Kind::Refund | Kind::Dispute => {
            let found = if reference.kind == Kind::Refund {
                payments.refund(id.clone()).await
            } else {
                payments.dispute(id.clone()).await
            };
            let found = found.map_err(unseen)?;
            ids.more.push(id);
            if let Some(reversal) = &found {
                ids.payment.clone_from(&reversal.payment_intent);
            }
            Ok(found.is_some())
        }
        Kind::Subscription => {
            let found = payments.subscription(id.clone()).await.map_err(unseen)?;
            ids.subscription = Some(id);
            if let Some(found) = &found {
                ids.customer.clone_from(&found.customer);
                ids.write(None, &found.metadata);
            }
            Ok(found.is_some())
        }
        Kind::Checkout | Kind::Payment | Kind::Customer => {
            ids.put(id);
            Ok(true)
        }
        Kind::Order => {
            ids.references.push(id);
            Ok(true)
        }
    }
}

/// The checkout of the ids, and the others of the same customer.
async fn checkout(
    payments: &dyn Payments,
    reference: &Reference,
    ids: &mut Ids,
    now: Timestamp,
) -> (Look<Option<CheckoutSession>>, Vec<String>) {
    let mut others = Vec::new();
    let found = if let Some(id) = ids.session.clone() {
        payments.session(id).await
    } else if let Some(id) = ids.payment.clone() {
        payments.sessions_of(PaymentKey::Payment(id)).await.map(|all| all.into_iter().next())
    } else if let Some(id) = ids.subscription.clone() {
        // The oldest of them began it.
        payments
            .sessions_of(PaymentKey::Subscription(id))
            .await
            .map(|all| all.into_iter().next_back())
    } else if let Some(id) = ids.customer.clone() {
        payments.sessions_of(PaymentKey::Customer(id)).await.map(|mut all| {
            let paid = all.iter().position(is_paid).unwrap_or_default();
            let newest = (paid < all.len()).then(|| all.remove(paid));
            others = all.into_iter().filter(is_paid).map(|session| session.id).collect();
            newest
        })
    } else if reference.kind == Kind::Order {
        by_reference(payments, &reference.text, now).await
    } else {
        Ok(None)
    };
    if let Ok(Some(session)) = &found {
        ids.learn(session);
    }
    (found.map_err(unseen), others)
}

fn is_paid(session: &CheckoutSession) -> bool {
    matches!(session.payment_status.as_str(), "paid" | "no_payment_required")
}

/// The checkout beside which the shop wrote a text, of the last days: Stripe cannot be asked for it.
async fn by_reference(
    payments: &dyn Payments,
    text: &str,
    now: Timestamp,
) -> Result<Option<CheckoutSession>, ProbeError> {
    let since = now.checked_sub(WALK).unwrap_or(now);
    let mut found = None;
    let mut take = |session: CheckoutSession| {
        let written = references(session.reference.clone(), &session.metadata);
        if found.is_none() && written.iter().any(|known| known == text) {
            found = Some(session);
        }
    };
    payments.sessions(Period { since, until: None }, &mut take).await?;
    Ok(found)
}

/// The payment of the ids, or the first one of a subscription, which its checkout does not name.
async fn payment(
    payments: &dyn Payments,
    ids: &mut Ids,
    session: Option<&CheckoutSession>,
) -> Look<Option<Payment>> {
    let found = if let Some(id) = ids.payment.clone() {
        payments.payment(id).await.map_err(unseen)?
    } else if let Some(customer) = ids.customer.clone().filter(|_| ids.subscription.is_some()) {
        let all = payments.payments_of(customer).await.map_err(unseen)?;
        let near = |payment: &Payment| {
            session
                .is_none_or(|session| payment.created.duration_since(session.created).abs() <= NEAR)
        };
        all.into_iter().rfind(|payment| payment.invoice && near(payment))
    } else {
        None
    };
    if let Some(payment) = &found {
        ids.payment = Some(payment.id.clone());
        if ids.customer.is_none() {
            ids.customer.clone_from(&payment.customer);
        }
        ids.write(None, &payment.metadata);
    }
    Ok(found)
}

/// The checkout with which the subscription of a renewal began: the last one before it.
async fn begun(payments: &dyn Payments, payment: &Payment) -> Look<Option<CheckoutSession>> {
    let Some(customer) = payment.customer.clone() else { return Ok(None) };
    let all = payments.sessions_of(PaymentKey::Customer(customer)).await.map_err(unseen)?;
    let before = |session: &CheckoutSession| {
        session.subscription.is_some() && session.created <= payment.created
    };
    Ok(all.into_iter().find(before))
}
