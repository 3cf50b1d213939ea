//! What of a checkout the joins need: who paid how much, and under which keys an order may know it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::contract::{AtRisk, StripeOnly};
use crate::probe::{CheckoutSession, Email, Money};

/// Keys of metadata under which shops write their own order's id.
const ORDER_KEYS: [&str; 12] = [
    "order_id",
    "orderid",
    "order",
    "order_number",
    "order_ref",
    "reference",
    "booking_id",
    "booking",
    "purchase_id",
    "listing_order_id",
    "cart_id",
    "checkout_id",
];

/// One checkout that was paid. It holds no address but the one for the look itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkout {
    pub(super) id: String,
    pub(super) created: Timestamp,
    pub(super) amount: Option<Money>,
    pub(super) payment_intent: Option<String>,
    pub(super) subscription: Option<String>,
    pub(super) customer: Option<String>,
    /// What the shop wrote down to find its order again: the reference and entries of the metadata.
    pub(super) references: Vec<String>,
    #[serde(skip)]
    pub(super) email: Option<Email>,
}

impl Checkout {
    /// The checkout, where it was paid or needed no payment, and is the product's own.
    pub(super) fn paid(session: CheckoutSession, only: &StripeOnly) -> Option<Self> {
        let paid = matches!(session.payment_status.as_str(), "paid" | "no_payment_required");
        let sale = matches!(session.mode.as_str(), "payment" | "subscription");
        if session.status != "complete" || !paid || !sale || !is_own(&session, only) {
            return None;
        }
        let references = references(session.reference, &session.metadata);
        Some(Self {
            id: session.id,
            created: session.created,
            amount: session.amount,
            payment_intent: session.payment_intent,
            subscription: session.subscription,
            customer: session.customer,
            references,
            email: session.email,
        })
    }

    /// Under which values a column of the orders may know it; the strong keys, each of which is enough.
    pub(super) fn values(&self, column: &str) -> Vec<&str> {
        match column {
            "session" => vec![self.id.as_str()],
            "payment_intent" => self.payment_intent.as_deref().into_iter().collect(),
            "subscription" => self.subscription.as_deref().into_iter().collect(),
            "id" | "reference" => self.references.iter().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The money that hangs on it.
    pub(super) fn at_risk(&self) -> Option<AtRisk> {
        let amount = self.amount.as_ref()?;
        Some(AtRisk {
            currency: amount.currency.clone(),
            amount_minor: amount.amount_minor,
            count: 1,
        })
    }
}

/// What a shop wrote down to find its order again: its reference, and entries of the metadata; at most 4.
pub fn references(reference: Option<String>, metadata: &BTreeMap<String, String>) -> Vec<String> {
    let mut references: Vec<String> = reference.into_iter().collect();
    for (key, value) in metadata {
        let key = key.to_ascii_lowercase();
        if ORDER_KEYS.contains(&key.as_str()) && !references.contains(value) {
            references.push(value.clone());
        }
    }
    references.retain(|reference| !reference.is_empty() && reference.len() <= 200);
    references.truncate(4);
    references
}

/// The columns of the orders that hold a strong key, the best first.
pub(super) const STRONG: [&str; 5] =
    ["session", "payment_intent", "reference", "id", "subscription"];

/// Whether a checkout has the marks that the config names.
fn is_own(session: &CheckoutSession, only: &StripeOnly) -> bool {
    let link = only.payment_link.is_empty()
        || session.payment_link.as_ref().is_some_and(|link| only.payment_link.contains(link));
    let metadata = only.metadata.is_empty()
        || only.metadata.iter().any(|mark| match mark.split_once('=') {
            Some((key, value)) => session.metadata.get(key).is_some_and(|found| found == value),
            None => session.metadata.contains_key(mark),
        });
    link && metadata
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> CheckoutSession {
        CheckoutSession {
            id: "cs_1".to_owned(),
            status: "complete".to_owned(),
            payment_status: "paid".to_owned(),
            mode: "payment".to_owned(),
            reference: Some("order-7".to_owned()),
            metadata: [("Order_ID", "7"), ("colour", "red")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            ..CheckoutSession::default()
        }
    }

    #[test]
    fn only_what_was_sold_counts() {
        let all = StripeOnly::default();
        let checkout = Checkout::paid(session(), &all).unwrap();
        assert_eq!(checkout.values("id"), ["order-7", "7"]);
        assert_eq!((checkout.values("session"), checkout.values("email")), (vec!["cs_1"], vec![]));
        for changed in [
            CheckoutSession { status: "expired".to_owned(), ..session() },
            CheckoutSession { payment_status: "unpaid".to_owned(), ..session() },
            CheckoutSession { mode: "setup".to_owned(), ..session() },
        ] {
            assert_eq!(Checkout::paid(changed, &all), None);
        }
        let free =
            CheckoutSession { payment_status: "no_payment_required".to_owned(), ..session() };
        assert!(Checkout::paid(free, &all).is_some());
    }

    #[test]
    fn marks_leave_other_products_out() {
        let only = |marks: &[&str]| StripeOnly {
            metadata: marks.iter().map(|mark| (*mark).to_owned()).collect(),
            ..StripeOnly::default()
        };
        assert!(Checkout::paid(session(), &only(&["colour=red"])).is_some());
        assert!(Checkout::paid(session(), &only(&["shop", "colour"])).is_some());
        assert!(Checkout::paid(session(), &only(&["colour=blue"])).is_none());
        let link = StripeOnly { payment_link: vec!["plink_1".to_owned()], ..only(&[]) };
        assert!(Checkout::paid(session(), &link).is_none());
    }
}
