//! Attio as its users see it: people by a query over their addresses.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::customers::{Contact, Customers};
use super::rate::Rate;
use super::{Api, Ask, Reply};
use crate::data::typed;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    /// Reads in a second.
    #[serde(default = "reads")]
    reads: u64,
    /// The key may not read records.
    #[serde(default)]
    forbidden: bool,
    #[serde(default)]
    customers: Customers,
}

const fn reads() -> u64 {
    100
}

#[derive(Debug)]
struct Attio {
    account: Account,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.reads, 1);
    Ok(Arc::new(Attio { account, start: now, rate }))
}

fn error(status: u16, kind: &str, code: &str, message: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "status_code": status, "type": kind, "code": code, "message": message }),
    )
}

impl Api for Attio {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if ask.bearer() != Some(&self.account.token) {
            return error(401, "auth_error", "unauthorized", "The token is not valid.");
        }
        if self.account.forbidden {
            let message = "The key lacks the scope record_permission:read.";
            return error(403, "auth_error", "insufficient_scopes", message);
        }
        if self.rate.take(ask.now).is_err() {
            return error(429, "rate_limit_error", "rate_limit_exceeded", "Too many requests.")
                .with("retry-after", "1");
        }
        if (ask.method, ask.path) != ("POST", "/v2/objects/people/records/query") {
            return error(404, "invalid_request_error", "not_found", "There is no such object.");
        }
        let body = ask.json();
        let limit = body.get("limit").and_then(Value::as_u64).unwrap_or(500);
        let customers = &self.account.customers;
        let found = match body.pointer("/filter/email_addresses").and_then(Value::as_str) {
            Some(email) => customers.holding(email, self.start, ask.now),
            None if customers.any() => {
                vec![Contact {
                    id: 1,
                    emails: vec!["first@customers.example".to_owned()],
                    age_s: 0,
                }]
            }
            None => Vec::new(),
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let data: Vec<Value> = found.iter().take(limit).map(|one| drawn(one, ask.now)).collect();
        Reply::json(200, &json!({ "data": data }))
    }
}

fn drawn(contact: &Contact, now: Timestamp) -> Value {
    let made = now.checked_sub(SignedDuration::from_secs(contact.age_s)).unwrap_or(now).to_string();
    let addresses: Vec<_> =
        contact.emails.iter().map(|email| json!({ "email_address": email })).collect();
    json!({
        "id": { "workspace_id": "lab", "object_id": "people", "record_id": format!("rec-{}", contact.id) },
        "created_at": made,
        "values": { "email_addresses": addresses },
    })
}
