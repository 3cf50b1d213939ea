//! Test events. Shapes and names are those of Stripe's API reference, the pages of events, checkout
//! sessions and payment intents; ids hold the mark of the drill, so that everything that is made
//! of them is found again.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::drill::Scene;

/// The version of the API in which the objects are written.
const API_VERSION: &str = "2025-08-27.basil";

/// One test checkout.
#[derive(Debug, Clone)]
pub(crate) struct Purchase {
    /// Its word within the drill, such as `again`.
    label: &'static str,
    mark: String,
    email: String,
    amount: u64,
    currency: String,
    metadata: Value,
}

/// An event, ready to be signed.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    /// Its id.
    pub(crate) id: String,
    /// The bytes that are signed and sent.
    pub(crate) body: Vec<u8>,
}

/// How a payment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paid {
    Yes,
    No,
}

impl Purchase {
    pub(crate) fn new(scene: &Scene<'_>, label: &'static str) -> Self {
        let mut metadata = Map::new();
        for (key, value) in &scene.table.metadata {
            metadata.insert(key.clone(), value.as_str().into());
        }
        metadata.insert("launchready_drill".to_owned(), scene.mark.into());
        Self {
            label,
            mark: scene.mark.to_owned(),
            email: scene.buyer(),
            amount: scene.table.amount,
            currency: scene.table.currency.clone(),
            metadata: metadata.into(),
        }
    }

    /// The checkout's id.
    pub(crate) fn session(&self) -> String {
        format!("cs_test_{}_{}", self.mark, self.label)
    }

    /// The payment's id.
    pub(crate) fn payment(&self) -> String {
        format!("pi_{}_{}", self.mark, self.label)
    }

    /// What the product's own order would be called.
    pub(crate) fn reference(&self) -> String {
        format!("{}_{}", self.mark, self.label)
    }

    /// Every key by which a row of it may be known.
    pub(crate) fn keys(&self) -> Vec<String> {
        vec![self.session(), self.payment(), self.reference()]
    }

    /// Every id that an event of it may have.
    pub(crate) fn event_ids(&self) -> Vec<String> {
        let kinds = ["completed", "unpaid", "arrived", "bounced", "succeeded", "declined"];
        kinds.into_iter().map(|kind| self.event_id(kind)).collect()
    }

    fn event_id(&self, kind: &str) -> String {
        format!("evt_{}_{}_{kind}", self.mark, self.label)
    }

    /// The buyer has paid: `checkout.session.completed`.
    pub(crate) fn completed(&self, at: Timestamp) -> Event {
        self.event("completed", "checkout.session.completed", at, &self.checkout(at, Paid::Yes))
    }

    /// The buyer has left and the money is under way, as with a bank debit: `checkout.session.completed`.
    pub(crate) fn completed_unpaid(&self, at: Timestamp) -> Event {
        self.event("unpaid", "checkout.session.completed", at, &self.checkout(at, Paid::No))
    }

    /// Money that was under way has come: `checkout.session.async_payment_succeeded`.
    pub(crate) fn arrived(&self, at: Timestamp) -> Event {
        let kind = "checkout.session.async_payment_succeeded";
        self.event("arrived", kind, at, &self.checkout(at, Paid::Yes))
    }

    /// Money that was under way never comes: `checkout.session.async_payment_failed`.
    pub(crate) fn bounced(&self, at: Timestamp) -> Event {
        let kind = "checkout.session.async_payment_failed";
        self.event("bounced", kind, at, &self.checkout(at, Paid::No))
    }

    /// The payment succeeded: `payment_intent.succeeded`.
    pub(crate) fn succeeded(&self, at: Timestamp) -> Event {
        self.event("succeeded", "payment_intent.succeeded", at, &self.intent(at, Paid::Yes))
    }

    /// The card was declined: `payment_intent.payment_failed`.
    pub(crate) fn declined(&self, at: Timestamp) -> Event {
        self.event("declined", "payment_intent.payment_failed", at, &self.intent(at, Paid::No))
    }

    fn event(&self, word: &str, kind: &str, at: Timestamp, object: &Value) -> Event {
        let id = self.event_id(word);
        let body = json!({
            "id": id,
            "object": "event",
            "api_version": API_VERSION,
            "created": at.as_second(),
            "data": { "object": object },
            "livemode": false,
            "pending_webhooks": 1,
            "request": { "id": null, "idempotency_key": null },
            "type": kind,
        });
        Event { id, body: body.to_string().into_bytes() }
    }

    fn checkout(&self, at: Timestamp, paid: Paid) -> Value {
        json!({
            "id": self.session(),
            "object": "checkout.session",
            "amount_subtotal": self.amount,
            "amount_total": self.amount,
            "client_reference_id": self.reference(),
            "created": at.as_second(),
            "currency": self.currency,
            "customer": null,
            "customer_details": { "email": self.email, "name": "Launchready Drill", "phone": null },
            "customer_email": self.email,
            "livemode": false,
            "metadata": self.metadata,
            "mode": "payment",
            "payment_intent": self.payment(),
            "payment_method_types": ["card"],
            "payment_status": if paid == Paid::Yes { "paid" } else { "unpaid" },
            "status": "complete",
            "subscription": null,
        })
    }

    fn intent(&self, at: Timestamp, paid: Paid) -> Value {
        let (status, received, error) = match paid {
            Paid::Yes => ("succeeded", self.amount, Value::Null),
            Paid::No => (
                "requires_payment_method",
                0,
                json!({
                    "type": "card_error",
                    "code": "card_declined",
                    "decline_code": "generic_decline",
                    "message": "Your card was declined.",
                }),
            ),
        };
        json!({
            "id": self.payment(),
            "object": "payment_intent",
            "amount": self.amount,
            "amount_received": received,
            "created": at.as_second(),
            "currency": self.currency,
            "customer": null,
            "last_payment_error": error,
            "livemode": false,
            "metadata": self.metadata,
            "receipt_email": self.email,
            "status": status,
        })
    }
}
