//! Takes out the checkouts whose money has gone back.

use std::collections::{BTreeMap, HashSet};

use jiff::Timestamp;

use super::super::checkout::Checkout;
use super::super::walk;
use crate::contract::CheckError;
use crate::probe::{Payments, Period, Reversal};

/// What an earlier look knew: its checkouts without an order, and until when it had read the refunds.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    pub(super) judged: HashSet<String>,
    pub(super) read: Option<Timestamp>,
}

/// Takes out the checkouts whose money has gone back in full; how many, and whether refunds were left unread.
pub(super) async fn take_refunded(
    left: &mut Vec<Checkout>,
    earlier: &Earlier,
    payments: &dyn Payments,
) -> Result<(u64, bool), CheckError> {
    let is_old = |checkout: &&Checkout| earlier.judged.contains(&checkout.id);
    let is_new = |checkout: &&Checkout| !earlier.judged.contains(&checkout.id);
    let intents = |checkout: &Checkout| checkout.payment_intent.clone();
    let old: HashSet<String> = left.iter().filter(is_old).filter_map(intents).collect();
    let mut back: BTreeMap<String, i64> =
        left.iter().filter(is_new).filter_map(|checkout| Some((intents(checkout)?, 0))).collect();
    let first = left.iter().filter(is_new).map(|checkout| checkout.created).min();
    let read = if old.is_empty() { None } else { earlier.read };
    let Some(since) = first.into_iter().chain(read).min() else { return Ok((0, false)) };
    if back.is_empty() && old.is_empty() {
        return Ok((0, false));
    }
    let mut touched = HashSet::new();
    let period = Period { since, until: None };
    let walked = walk::refunds(payments, period, &mut |refund| {
        let Some(intent) = &refund.payment_intent else { return };
        if let Some(sum) = back.get_mut(intent) {
            *sum = sum.saturating_add(gone(&refund));
        } else if old.contains(intent) {
            touched.insert(intent.clone());
        }
    })
    .await?;
    // A part of the money may have gone back before the last look.
    for intent in touched {
        let reversals = payments.reversals_of(intent.clone()).await.map_err(CheckError::unseen)?;
        back.insert(intent, reversals.refunds.iter().map(gone).fold(0, i64::saturating_add));
    }
    let before = left.len();
    left.retain(|checkout| {
        let gone = checkout.payment_intent.as_ref().and_then(|intent| back.get(intent));
        let owed = checkout.amount.as_ref().map_or(0, |amount| amount.amount_minor);
        !gone.is_some_and(|gone| owed > 0 && *gone >= owed)
    });
    Ok((u64::try_from(before - left.len()).unwrap_or(u64::MAX), walked.cut))
}

/// What of a refund has left, or is about to.
fn gone(refund: &Reversal) -> i64 {
    let has_left = matches!(refund.status.as_str(), "succeeded" | "pending");
    if has_left { refund.amount.amount_minor } else { 0 }
}
