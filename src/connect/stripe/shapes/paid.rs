//! Checkouts, payments, what went back, and subscriptions.

use std::collections::BTreeMap;

use launchready_checks::probe::{Charge, CheckoutSession, Money, Payment, Reversal, Subscription};
use serde::Deserialize;

use super::{Ref, email, id, kept, listed, time};

listed!(SessionShape, IntentShape, ChargeShape, RefundShape, DisputeShape, SubscriptionShape);

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct SessionShape {
    id: String,
    created: i64,
    status: Option<String>,
    payment_status: Option<String>,
    mode: Option<String>,
    amount_total: Option<i64>,
    currency: Option<String>,
    payment_intent: Option<Ref>,
    subscription: Option<Ref>,
    customer: Option<Ref>,
    client_reference_id: Option<String>,
    metadata: Option<BTreeMap<String, String>>,
    payment_link: Option<Ref>,
    customer_details: Option<CustomerDetails>,
    #[serde(default)]
    livemode: bool,
}

/// What tells whether a checkout was a sale, and which; the rest of a line is passed over.
#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct BriefShape {
    id: String,
    created: i64,
    status: Option<String>,
    payment_status: Option<String>,
    mode: Option<String>,
}

impl BriefShape {
    pub(in crate::connect::stripe) fn normal(self) -> CheckoutSession {
        CheckoutSession {
            id: self.id,
            created: time(self.created),
            status: self.status.unwrap_or_default(),
            payment_status: self.payment_status.unwrap_or_default(),
            mode: self.mode.unwrap_or_default(),
            ..CheckoutSession::default()
        }
    }
}

#[derive(Debug, Deserialize)]
struct CustomerDetails {
    email: Option<String>,
}

impl SessionShape {
    pub(in crate::connect::stripe) fn normal(self) -> CheckoutSession {
        let amount = self.amount_total.zip(self.currency);
        CheckoutSession {
            id: self.id,
            created: time(self.created),
            status: self.status.unwrap_or_default(),
            payment_status: self.payment_status.unwrap_or_default(),
            mode: self.mode.unwrap_or_default(),
            amount: amount.map(|(amount_minor, currency)| Money { currency, amount_minor }),
            payment_intent: id(self.payment_intent),
            subscription: id(self.subscription),
            customer: id(self.customer),
            reference: self.client_reference_id,
            metadata: kept(self.metadata),
            payment_link: id(self.payment_link),
            email: email(self.customer_details.and_then(|details| details.email)),
            live: self.livemode,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct IntentShape {
    id: String,
    created: i64,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_received: i64,
    currency: String,
    latest_charge: Option<Latest>,
    last_payment_error: Option<PaymentError>,
    customer: Option<Ref>,
    invoice: Option<Ref>,
    metadata: Option<BTreeMap<String, String>>,
    receipt_email: Option<String>,
}

/// The last try, by its id or in full.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Latest {
    Charge(ChargeShape),
    // A permission that is missing leaves the id.
    Id(serde::de::IgnoredAny),
}

#[derive(Debug, Deserialize)]
struct PaymentError {
    code: Option<String>,
    decline_code: Option<String>,
}

impl IntentShape {
    pub(in crate::connect::stripe) fn normal(self) -> Payment {
        let charge = match self.latest_charge {
            Some(Latest::Charge(charge)) => Some(charge),
            Some(Latest::Id(_)) | None => None,
        };
        let received = self.amount_received > 0;
        let failure = self
            .last_payment_error
            .map(|error| error.code.or(error.decline_code).unwrap_or_else(|| "unknown".to_owned()));
        let billing =
            charge.as_ref().and_then(|charge| charge.billing_details.as_ref()?.email.clone());
        Payment {
            id: self.id,
            created: time(self.created),
            status: self.status,
            amount: Money {
                currency: self.currency,
                amount_minor: if received { self.amount_received } else { self.amount },
            },
            refunded_minor: charge.as_ref().map_or(0, |charge| charge.amount_refunded),
            disputed: charge.is_some_and(|charge| charge.disputed),
            failure,
            customer: id(self.customer),
            invoice: self.invoice.is_some(),
            metadata: kept(self.metadata),
            email: email(self.receipt_email.or(billing)),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct ChargeShape {
    id: String,
    created: i64,
    status: String,
    amount: i64,
    #[serde(default)]
    amount_refunded: i64,
    currency: String,
    payment_intent: Option<Ref>,
    #[serde(default)]
    disputed: bool,
    billing_details: Option<CustomerDetails>,
}

impl ChargeShape {
    pub(in crate::connect::stripe) fn normal(self) -> Charge {
        Charge {
            id: self.id,
            created: time(self.created),
            status: self.status,
            amount: Money { currency: self.currency, amount_minor: self.amount },
            payment_intent: id(self.payment_intent),
            disputed: self.disputed,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct RefundShape {
    id: String,
    created: i64,
    status: Option<String>,
    amount: i64,
    currency: String,
    payment_intent: Option<Ref>,
}

impl RefundShape {
    pub(in crate::connect::stripe) fn normal(self) -> Reversal {
        Reversal {
            id: self.id,
            created: time(self.created),
            status: self.status.unwrap_or_default(),
            amount: Money { currency: self.currency, amount_minor: self.amount },
            payment_intent: id(self.payment_intent),
            due: None,
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct DisputeShape {
    id: String,
    created: i64,
    status: String,
    amount: i64,
    currency: String,
    payment_intent: Option<Ref>,
    evidence_details: Option<EvidenceDetails>,
}

#[derive(Debug, Deserialize)]
struct EvidenceDetails {
    due_by: Option<i64>,
}

impl DisputeShape {
    pub(in crate::connect::stripe) fn normal(self) -> Reversal {
        Reversal {
            id: self.id,
            created: time(self.created),
            status: self.status,
            amount: Money { currency: self.currency, amount_minor: self.amount },
            payment_intent: id(self.payment_intent),
            due: self.evidence_details.and_then(|details| details.due_by).map(time),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(in crate::connect::stripe) struct SubscriptionShape {
    id: String,
    status: String,
    created: i64,
    ended_at: Option<i64>,
    customer: Option<Ref>,
    metadata: Option<BTreeMap<String, String>>,
}

impl SubscriptionShape {
    pub(in crate::connect::stripe) fn normal(self) -> Subscription {
        Subscription {
            id: self.id,
            status: self.status,
            created: time(self.created),
            ended: self.ended_at.map(time),
            customer: id(self.customer),
            metadata: kept(self.metadata),
        }
    }
}
