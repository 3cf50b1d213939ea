//! The objects as the API draws them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::entries::{Entry, List};
use super::{Destination, Stripe, VERSION, Webhook};
use crate::api::Ask;
use crate::sales::{Sale, id};

pub(super) fn account(stripe: &Stripe, _live: bool) -> Value {
    let account = &stripe.account;
    let deadline = account.deadline_days.map(|days| stripe.start.as_second() + days * 86_400);
    json!({
        "id": account.id, "object": "account", "country": "DE", "default_currency": "eur",
        "type": "standard", "charges_enabled": account.charges_enabled,
        "payouts_enabled": account.payouts_enabled, "details_submitted": true,
        "requirements": {
            "alternatives": [], "current_deadline": deadline, "currently_due": account.currently_due,
            "disabled_reason": account.disabled_reason, "errors": [],
            "eventually_due": account.currently_due, "past_due": account.past_due,
            "pending_verification": []
        }
    })
}

pub(super) fn webhook(name: &str, webhook: &Webhook) -> Value {
    json!({
        "id": format!("we_1{name}"), "object": "webhook_endpoint", "api_version": webhook.api_version,
        "application": webhook.application, "created": 1_760_000_000, "description": null,
        "enabled_events": webhook.events, "livemode": true, "metadata": {}, "status": webhook.status,
        "url": webhook.url
    })
}

pub(super) fn destination(name: &str, destination: &Destination, included: bool) -> Value {
    let url = destination.url.as_ref().filter(|_| included);
    let webhook = (destination.kind == "webhook_endpoint").then(|| json!({ "url": url }));
    json!({
        "id": format!("ed_1{name}"), "object": "v2.core.event_destination", "created":
        "2026-09-01T08:00:00.000Z", "description": "", "enabled_events": destination.events,
        "event_payload": destination.payload, "events_from": destination.from, "livemode": true,
        "name": name, "snapshot_api_version": null, "status": destination.status,
        "status_details": null, "type": destination.kind, "webhook_endpoint": webhook
    })
}

/// The object of an entry.
pub(super) fn object(stripe: &Stripe, list: List, entry: Entry, ask: &Ask<'_>) -> Value {
    let Some(sales) = &stripe.sales else { return Value::Null };
    let sale = sales.sale(entry.number, ask.now);
    let charge = ask.query.iter().any(|(name, value)| {
        name.starts_with("expand") && value.trim_start_matches("data.") == "latest_charge"
    });
    match list {
        List::Sessions => session(&sale, entry),
        List::Intents => intent(&sale, entry, charge),
        List::Charges => self::charge(&sale, entry),
        List::Refunds => refund(&sale),
        List::Disputes => dispute(&sale, ask.now),
        List::Subscriptions => subscription(&sale),
        List::Events => event(stripe, &sale, entry, ask.now),
    }
}

fn session(sale: &Sale, entry: Entry) -> Value {
    let complete = matches!(entry.kind, 'S' | 'T');
    let own = List::Sessions.id(entry);
    let begins = sale.subscription.is_some() && complete;
    json!({
        "id": own, "object": "checkout.session", "amount_subtotal": sale.amount_minor,
        "amount_total": sale.amount_minor, "automatic_tax": { "enabled": false },
        "cancel_url": "https://app.harbor.example/cart", "client_reference_id":
        complete.then_some(&sale.reference), "created": entry.at, "currency": sale.currency,
        "customer": complete.then_some(&sale.customer), "customer_creation": "always",
        "customer_details": { "email": sale.email, "name": "A. Buyer", "address": { "country": "DE" } },
        "expires_at": entry.at + 86_400, "livemode": true,
        "metadata": { "shop": "harbor", "order": sale.reference },
        "mode": if begins { "subscription" } else { "payment" },
        "payment_intent": (complete && !begins).then(|| intent_id(entry)),
        "payment_link": null, "payment_method_types": ["card"],
        "payment_status": if complete { "paid" } else { "unpaid" },
        "status": if complete { "complete" } else { "expired" },
        "subscription": sale.subscription.as_ref().filter(|_| complete),
        "success_url": "https://app.harbor.example/thanks", "total_details": { "amount_discount": 0 },
        "url": null
    })
}

/// The id of the payment behind an entry of intents or charges, or behind an event.
fn intent_id(entry: Entry) -> String {
    id("pi_3", entry.kind, entry.number, 10)
}

fn intent(sale: &Sale, entry: Entry, expand: bool) -> Value {
    let declined = entry.kind == 'F';
    let charge = if expand { charge(sale, entry) } else { json!(List::Charges.id(entry)) };
    let of_invoice = sale.subscription.is_some() && !declined;
    let failure = json!({ "code": "card_declined", "decline_code": "insufficient_funds", "type": "card_error" });
    json!({
        "id": intent_id(entry), "object": "payment_intent", "amount": sale.amount_minor,
        "amount_received": if declined { 0 } else { sale.amount_minor }, "created": entry.at,
        "currency": sale.currency, "customer": (!declined).then_some(&sale.customer),
        "invoice": of_invoice.then(|| id("in_1", entry.kind, entry.number, 10)),
        "last_payment_error": declined.then_some(failure), "latest_charge": charge, "livemode": true,
        "metadata": { "order": sale.reference }, "receipt_email": sale.email,
        "status": if declined { "requires_payment_method" } else { "succeeded" }
    })
}

fn charge(sale: &Sale, entry: Entry) -> Value {
    let declined = entry.kind == 'F';
    let own = entry.kind == 'S';
    let refunded = own && sale.refunded.is_some();
    json!({
        "id": List::Charges.id(entry), "object": "charge", "amount": sale.amount_minor,
        "amount_captured": if declined { 0 } else { sale.amount_minor },
        "amount_refunded": if refunded { sale.amount_minor } else { 0 }, "billing_details":
        { "email": sale.email }, "captured": !declined, "created": entry.at, "currency": sale.currency,
        "customer": (!declined).then_some(&sale.customer), "disputed": own && sale.disputed.is_some(),
        "failure_code": declined.then_some("card_declined"), "livemode": true, "paid": !declined,
        "payment_intent": intent_id(entry), "refunded": refunded,
        "status": if declined { "failed" } else { "succeeded" }
    })
}

fn refund(sale: &Sale) -> Value {
    json!({
        "id": id("re_3", 'S', sale.number, 10), "object": "refund", "amount": sale.amount_minor,
        "charge": sale.charge, "created": sale.refunded.map(Timestamp::as_second), "currency": sale.currency,
        "failure_reason": null, "payment_intent": sale.intent, "reason": "requested_by_customer",
        "status": "succeeded"
    })
}

fn dispute(sale: &Sale, now: Timestamp) -> Value {
    let created = sale.disputed.unwrap_or(sale.at).as_second();
    let open = created + 14 * 86_400 > now.as_second();
    json!({
        "id": id("du_1", 'S', sale.number, 10), "object": "dispute", "amount": sale.amount_minor,
        "charge": sale.charge, "created": created, "currency": sale.currency, "evidence_details": {
            "due_by": created + 9 * 86_400, "has_evidence": true, "past_due": false, "submission_count": 1
        }, "livemode": true, "payment_intent": sale.intent, "reason": "product_not_received",
        "status": if open { "under_review" } else { "won" }
    })
}

pub(super) fn subscription_status(stripe: &Stripe, entry: Entry, now: Timestamp) -> &'static str {
    let ended = stripe.sales.as_ref().and_then(|sales| sales.fate(entry.number, now).ended);
    if ended.is_some() { "canceled" } else { "active" }
}

fn subscription(sale: &Sale) -> Value {
    let second = |at: Option<Timestamp>| at.map(Timestamp::as_second);
    json!({
        "id": sale.subscription, "object": "subscription", "canceled_at": second(sale.ended),
        "cancel_at_period_end": false, "created": sale.at.as_second(), "currency": sale.currency,
        "customer": sale.customer, "ended_at": second(sale.ended), "items": { "object": "list", "data": [] },
        "livemode": true, "metadata": { "order": sale.reference },
        "status": if sale.ended.is_some() { "canceled" } else { "active" }
    })
}

fn event(stripe: &Stripe, sale: &Sale, entry: Entry, now: Timestamp) -> Value {
    let of = |kind: char| Entry { kind, ..entry };
    let object = match entry.kind {
        'C' => session(sale, of('S')),
        'X' | 'T' => session(sale, entry),
        'P' => intent(sale, of('S'), false),
        'V' => intent(sale, of('T'), false),
        'H' | 'R' => charge(sale, of('S')),
        'W' => charge(sale, of('T')),
        'Q' | 'F' => intent(sale, entry, false),
        'I' | 'J' => json!({
            "id": id("in_1", if entry.kind == 'I' { 'S' } else { 'Q' }, entry.number, 10),
            "object": "invoice", "amount_paid": sale.amount_minor, "customer": sale.customer,
            "status": "paid"
        }),
        'U' | 'E' => subscription(sale),
        'N' => refund(sale),
        'D' => dispute(sale, now),
        _ => {
            json!({ "id": intent_id(entry), "object": "payment_intent", "amount": sale.amount_minor })
        }
    };
    let pending = i32::from(stripe.undelivered(entry));
    json!({
        "id": List::Events.id(entry), "object": "event", "api_version": VERSION, "created": entry.at,
        "data": { "object": object }, "livemode": true, "pending_webhooks": pending,
        "request": { "id": null, "idempotency_key": null }, "type": stripe.event_type(entry.kind)
    })
}
