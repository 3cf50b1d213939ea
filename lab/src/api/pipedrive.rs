//! Pipedrive as its users see it: persons by search, with a burst limit.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::customers::Customers;
use super::rate::Rate;
use super::{Api, Ask, Reply};
use crate::data::typed;

/// Results of one page at most.
const MOST: usize = 500;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    /// Searches in two seconds.
    #[serde(default = "searches")]
    searches: u64,
    /// The token may not see persons.
    #[serde(default)]
    forbidden: bool,
    #[serde(default)]
    customers: Customers,
}

const fn searches() -> u64 {
    10
}

#[derive(Debug)]
struct Pipedrive {
    account: Account,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.searches, 2);
    Ok(Arc::new(Pipedrive { account, start: now, rate }))
}

fn error(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "success": false, "error": message, "errorCode": status }))
}

impl Api for Pipedrive {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if ask.header("x-api-token") != Some(&self.account.token) {
            return error(401, "unauthorized access");
        }
        if self.account.forbidden {
            return error(403, "Scope and URL mismatch");
        }
        if self.rate.take(ask.now).is_err() {
            return error(429, "request over limit").with("retry-after", "2");
        }
        match (ask.method, ask.path) {
            ("GET", "/api/v2/persons") => {
                let any = self.account.customers.any();
                let data: Vec<Value> = any.then(|| json!({ "id": 1 })).into_iter().collect();
                Reply::json(200, &json!({ "success": true, "data": data }))
            }
            ("GET", "/api/v2/persons/search") => self.search(ask),
            _ => error(404, "unknown method"),
        }
    }
}

impl Pipedrive {
    fn search(&self, ask: &Ask<'_>) -> Reply {
        let term = ask.query("term").unwrap_or_default();
        let limit = ask.query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100_usize);
        if term.is_empty() || limit == 0 || limit > MOST {
            return error(400, "validation failed");
        }
        let first = match ask.query("cursor") {
            None => Some(0),
            Some(cursor) => {
                cursor.strip_prefix("lab").and_then(|cursor| cursor.parse::<usize>().ok())
            }
        };
        let Some(first) = first else { return error(400, "invalid cursor") };
        let all = self.account.customers.holding(term, self.start, ask.now);
        let items: Vec<Value> = all
            .iter()
            .skip(first)
            .take(limit)
            .map(|contact| {
                json!({ "result_score": 1.0, "item": {
                    "id": contact.id, "type": "person", "emails": contact.emails, "phones": [],
                } })
            })
            .collect();
        let next = (first + limit < all.len()).then(|| format!("lab{}", first + limit));
        let body = json!({
            "success": true, "data": { "items": items },
            "additional_data": { "next_cursor": next },
        });
        Reply::json(200, &body)
    }
}
