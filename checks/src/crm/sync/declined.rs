//! Failed payments that the payment provider alone knows of, looked for in the CRM.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Options;
use super::compare::Missed;
use super::table::KEPT;
use crate::contract::{Age, Bounded};
use crate::crm::orders::Order;
use crate::crm::words::short;
use crate::probe::{Crm, Depth, Email, Payments, Period, ProbeError};

/// The most addresses that one look asks the CRM for.
const ADDRESSES: usize = 100;
/// The payments of the window are read again after this long: a look every minute would read all of them.
const AGAIN: Age = Age::minutes(15);

/// What came of it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Declined {
    /// Buyers whose last payment failed and of whom no order is known.
    pub(super) failed: u64,
    /// Payments of buyers that the CRM does not know.
    pub(super) untold: Bounded<Missed>,
    /// Payments that hold no address to look for.
    pub(super) unasked: u64,
    /// Older ones that have not been looked for.
    pub(super) older: u64,
    /// A limit came before the end of the payments.
    pub(super) cut: bool,
}

/// The last look at payments, and what it found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct LastLook {
    at: Timestamp,
    seen: Declined,
}

/// What the orders know already: what is said about an order is said by the orders.
pub(super) struct Known {
    emails: HashSet<Email>,
    ids: HashSet<String>,
}

impl Known {
    pub(super) fn of(orders: &[Order]) -> Self {
        Self {
            emails: orders.iter().filter_map(|order| order.email.clone()).collect(),
            ids: orders.iter().map(|order| order.id.clone()).collect(),
        }
    }
}

/// One failed payment.
struct Failure {
    id: String,
    created: Timestamp,
    email: Option<Email>,
}

/// Looks for the failed payments of the window, or says again what the last look said where that is young.
pub(super) async fn declined(
    payments: &dyn Payments,
    crm: &dyn Crm,
    (known, now, options): (&Known, Timestamp, &Options),
    last: &mut Option<LastLook>,
) -> Result<Declined, ProbeError> {
    if let Some(last) = last.as_ref().filter(|last| last.at > AGAIN.before(now)) {
        return Ok(last.seen.clone());
    }
    let (since, until) = (options.window.before(now), options.settle.before(now));
    let mut seen = Declined::default();
    let mut paid: HashSet<Email> = HashSet::new();
    let mut failures = Vec::new();
    let period = Period { since, until: None };
    let walked = payments
        .payments(period, &mut |payment| {
            let is_failed =
                payment.status == "requires_payment_method" && payment.failure.is_some();
            if payment.status == "succeeded" {
                paid.extend(payment.email);
            } else if is_failed
                && payment.created < until
                && !known.ids.contains(&payment.id)
                && !payment.metadata.values().any(|value| known.ids.contains(value))
            {
                failures.push(Failure {
                    id: payment.id,
                    created: payment.created,
                    email: payment.email,
                });
            }
        })
        .await?;
    seen.cut = walked.cut;
    let asked = last_of_each(failures, &paid, known, &mut seen);
    let addresses: Vec<Email> = asked.iter().map(|(email, _)| email.clone()).collect();
    let mut untold = Vec::new();
    if !addresses.is_empty() {
        let found = crm.contacts(addresses, Depth::Any).await?;
        for ((_, failure), contacts) in asked.into_iter().zip(found) {
            if contacts.ids.is_empty() {
                untold.push(Missed { order: short(&failure.id), created: failure.created });
            }
        }
    }
    untold.sort_by(|a, b| a.created.cmp(&b.created).then_with(|| a.order.cmp(&b.order)));
    seen.untold = Bounded::keep(untold, KEPT);
    *last = Some(LastLook { at: now, seen: seen.clone() });
    Ok(seen)
}

/// The last failure of each buyer who neither paid in the end nor has an order; the newest buyers.
fn last_of_each(
    failures: Vec<Failure>,
    paid: &HashSet<Email>,
    known: &Known,
    seen: &mut Declined,
) -> Vec<(Email, Failure)> {
    let mut last: HashMap<Email, Failure> = HashMap::new();
    for failure in failures {
        let Some(email) = failure.email.clone() else {
            seen.unasked += 1;
            continue;
        };
        if paid.contains(&email) || known.emails.contains(&email) {
            continue;
        }
        let is_newer = last.get(&email).is_none_or(|other| other.created < failure.created);
        if is_newer {
            last.insert(email, failure);
        }
    }
    let mut all: Vec<(Email, Failure)> = last.into_iter().collect();
    all.sort_by(|(_, a), (_, b)| b.created.cmp(&a.created).then_with(|| a.id.cmp(&b.id)));
    seen.failed = all.len() as u64;
    seen.older = all.len().saturating_sub(ADDRESSES) as u64;
    all.truncate(ADDRESSES);
    all
}
