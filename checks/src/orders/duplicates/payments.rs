//! Finds payments for the same thing in two walks: the first keeps hashes, the second names what they meet in.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::checkout::{Checkout, references};
use crate::contract::{Bounded, CheckError, StripeOnly};
use crate::probe::{Money, Payment, Payments, Period, RunKey};

/// Groups that evidence names.
const NAMED: usize = 100;
/// Payments of one group that evidence names.
const MEMBERS: usize = 10;

/// Payments for the same thing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Group {
    /// The reference, or the customer.
    pub(super) name: String,
    pub(super) currency: String,
    /// What one of them was.
    pub(super) amount_minor: i64,
    /// The payments with their times, the earliest first.
    pub(super) payments: Vec<(String, Timestamp)>,
}

/// What was paid.
pub(super) struct Paid {
    pub(super) payments: u64,
    pub(super) cut: bool,
    pub(super) for_one: Bounded<Group>,
    pub(super) possible: Bounded<Group>,
}

/// What the first walk keeps of a payment.
struct Trace {
    reference: u64,
    payment: u64,
}

pub(super) async fn read(
    payments: &dyn Payments,
    since: Timestamp,
    near: SignedDuration,
    only: &StripeOnly,
) -> Result<Paid, CheckError> {
    let period = Period { since, until: None };
    let key = RunKey::random();
    let of_checkouts = checkouts(payments, period, key, only).await?;
    let name = |payment: &Payment| {
        let own = references(None, &payment.metadata).into_iter().next();
        own.or_else(|| of_checkouts.get(&key.hash(&payment.id)).cloned())
    };
    let (mut traces, mut near_ones) = (Vec::new(), Vec::new());
    let mut count = 0;
    let walked = payments
        .payments(period, &mut |payment| {
            let Some(payment) = counts(payment) else { return };
            count += 1;
            match name(&payment) {
                Some(reference) => traces.push(Trace {
                    reference: key.hash(&reference),
                    payment: key.hash(&payment.id),
                }),
                None => {
                    near_ones.extend(who_and_what(&payment, key).map(|who| (who, payment.created)));
                }
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    let (twice, close) = (met_twice(traces), came_close(near_ones, near));
    let mut paid = Paid {
        payments: count,
        cut: walked.cut,
        for_one: Bounded::default(),
        possible: Bounded::default(),
    };
    if twice.is_empty() && close.is_empty() {
        return Ok(paid);
    }
    let (mut groups, mut possible) = (BTreeMap::new(), BTreeMap::new());
    payments
        .payments(period, &mut |payment| {
            let Some(payment) = counts(payment) else { return };
            match name(&payment) {
                Some(reference) if twice.contains(&key.hash(&reference)) => {
                    add(&mut groups, key.hash(&reference), reference, &payment);
                }
                Some(_) => {}
                None => {
                    let who = who_and_what(&payment, key).filter(|who| close.contains_key(who));
                    let Some(who) = who else { return };
                    let is_close =
                        |at: &Timestamp| payment.created.duration_since(*at).abs() <= near;
                    if close.get(&who).is_some_and(|times| times.iter().any(is_close)) {
                        let customer = payment.customer.clone();
                        let customer = customer.unwrap_or_else(|| "one address".to_owned());
                        add(&mut possible, who, customer, &payment);
                    }
                }
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    paid.for_one = finish(groups);
    paid.possible = finish(possible);
    Ok(paid)
}

/// The references of checkouts by the hash of their payment: shops often write them on the checkout alone.
async fn checkouts(
    payments: &dyn Payments,
    period: Period,
    key: RunKey,
    only: &StripeOnly,
) -> Result<HashMap<u64, String>, CheckError> {
    let mut known = HashMap::new();
    payments
        .sessions(period, &mut |session| {
            let Some(checkout) = Checkout::paid(session, only) else { return };
            let reference = checkout.references.into_iter().next();
            if let (Some(payment), Some(reference)) = (checkout.payment_intent, reference) {
                known.insert(key.hash(&payment), reference);
            }
        })
        .await
        .map_err(CheckError::unseen)?;
    Ok(known)
}

/// A payment that succeeded, was not wholly paid back, and is no renewal.
fn counts(payment: Payment) -> Option<Payment> {
    let kept = payment.amount.amount_minor > payment.refunded_minor;
    (payment.status == "succeeded" && kept && !payment.invoice).then_some(payment)
}

/// A hash of the payer and the amount.
fn who_and_what(payment: &Payment, key: RunKey) -> Option<u64> {
    let who = match (&payment.customer, &payment.email) {
        (Some(customer), _) => key.hash(customer),
        (None, Some(email)) => email.keyed(key),
        (None, None) => return None,
    };
    let Money { currency, amount_minor } = &payment.amount;
    Some(key.hash(&format!("{who} {currency} {amount_minor}")))
}

/// The references that two payments have.
fn met_twice(mut traces: Vec<Trace>) -> HashSet<u64> {
    traces.sort_unstable_by_key(|trace| (trace.reference, trace.payment));
    traces.dedup_by_key(|trace| (trace.reference, trace.payment));
    let pairs = traces.iter().zip(traces.iter().skip(1));
    pairs
        .filter(|(one, next)| one.reference == next.reference)
        .map(|(one, _)| one.reference)
        .collect()
}

/// Payers and amounts that came twice within a time, with the times at which they did.
fn came_close(
    mut all: Vec<(u64, Timestamp)>,
    near: SignedDuration,
) -> HashMap<u64, Vec<Timestamp>> {
    all.sort_unstable();
    let mut close: HashMap<u64, Vec<Timestamp>> = HashMap::new();
    for ((who, at), (next_who, next_at)) in all.iter().zip(all.iter().skip(1)) {
        if who == next_who && next_at.duration_since(*at) <= near {
            let times = close.entry(*who).or_default();
            if times.len() < 2 * MEMBERS {
                times.extend([*at, *next_at]);
            }
        }
    }
    close
}

fn add(groups: &mut BTreeMap<u64, Group>, hash: u64, name: String, payment: &Payment) {
    let group = groups.entry(hash).or_insert_with(|| Group {
        name,
        currency: payment.amount.currency.clone(),
        amount_minor: payment.amount.amount_minor,
        payments: Vec::new(),
    });
    if group.payments.len() < MEMBERS {
        group.payments.push((payment.id.clone(), payment.created));
    }
}

fn finish(groups: BTreeMap<u64, Group>) -> Bounded<Group> {
    let mut groups: Vec<Group> = groups.into_values().collect();
    for group in &mut groups {
        group.payments.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
    }
    groups.retain(|group| group.payments.len() > 1);
    groups.sort();
    Bounded::keep(groups, NAMED)
}
