//! Intercom as its users see it: a search with its limits and its cursor.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rate::Rate;
use super::requests::{AGENT, By, Ticket, Traffic};
use super::{Api, Ask, Reply};
use crate::data::typed;

/// Conversations of one page, usually and at most.
const USUAL: u64 = 20;
const MOST: u64 = 150;
/// The most filters of one group, and levels of groups.
const FILTERS: usize = 15;
const LEVELS: usize = 2;

/// The account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    /// Requests in ten seconds: 10,000 a minute, spread.
    #[serde(default = "per_window")]
    per_window: u64,
    /// The application may not read conversations.
    #[serde(default)]
    forbidden: bool,
    #[serde(default)]
    traffic: Traffic,
}

const fn per_window() -> u64 {
    1_666
}

#[derive(Debug)]
struct Intercom {
    account: Account,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.per_window, 10);
    Ok(Arc::new(Intercom { account, start: now, rate }))
}

fn error(status: u16, code: &str, message: &str) -> Reply {
    let errors = json!([{ "code": code, "message": message }]);
    Reply::json(status, &json!({ "type": "error.list", "request_id": "req_lab", "errors": errors }))
}

impl Api for Intercom {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if ask.bearer() != Some(&self.account.token) {
            return error(401, "token_unauthorized", "Access Token Invalid");
        }
        let limit = self.account.per_window.to_string();
        let left = match self.rate.take(ask.now) {
            Err(wait) => {
                return error(429, "rate_limit_exceeded", "Exceeded rate limit")
                    .with("x-ratelimit-limit", limit)
                    .with("x-ratelimit-reset", (ask.now.as_second() + wait).to_string());
            }
            Ok(left) => left,
        };
        let reply = match (ask.method, ask.path) {
            _ if self.account.forbidden => {
                error(403, "api_plan_restricted", "Active subscription or permission needed.")
            }
            ("POST", "/conversations/search") => self.search(ask),
            _ => error(404, "not_found", "Resource Not Found"),
        };
        reply.with("x-ratelimit-limit", limit).with("x-ratelimit-remaining", left.to_string())
    }
}

impl Intercom {
    fn search(&self, ask: &Ask<'_>) -> Reply {
        let body = ask.json();
        let Some(query) = body.get("query") else {
            return error(400, "parameter_not_found", "query is missing");
        };
        if !fits(query, 1) {
            return error(400, "parameter_invalid", "The query is too deep or too long");
        }
        let size = body.pointer("/pagination/per_page").and_then(Value::as_u64).unwrap_or(USUAL);
        if size == 0 || size > MOST {
            return error(400, "parameter_invalid", "per_page must be between 1 and 150");
        }
        let after = body.pointer("/pagination/starting_after").and_then(Value::as_str);
        let first = after.map_or(Some(0), |after| after.strip_prefix("lab")?.parse().ok());
        let Some(first) = first else {
            return error(400, "parameter_invalid", "starting_after is not valid");
        };
        let size = usize::try_from(size).unwrap_or(1);
        let all: Vec<Value> =
            self.account.traffic.tickets(self.start, ask.now).iter().rev().map(drawn).collect();
        let found: Vec<Value> = all.into_iter().filter(|one| matches(query, one)).collect();
        let total = found.len();
        let page: Vec<Value> = found.into_iter().skip(first).take(size).collect();
        let next = (first + size < total)
            .then(|| json!({ "page": first / size + 2, "starting_after": format!("lab{}", first + size) }));
        Reply::json(
            200,
            &json!({
                "type": "conversation.list", "conversations": page, "total_count": total,
                "pages": {
                    "type": "pages", "page": first / size + 1, "per_page": size,
                    "total_pages": total.div_ceil(size), "next": next,
                },
            }),
        )
    }
}

/// Whether a query keeps to the limits.
fn fits(query: &Value, level: usize) -> bool {
    match query.get("value").and_then(Value::as_array) {
        Some(all) if query.get("field").is_none() => {
            level <= LEVELS && all.len() <= FILTERS && all.iter().all(|one| fits(one, level + 1))
        }
        _ => query.get("field").is_some(),
    }
}

fn matches(query: &Value, one: &Value) -> bool {
    let operator = query.get("operator").and_then(Value::as_str).unwrap_or_default();
    if let Some(field) = query.get("field").and_then(Value::as_str) {
        let (has, wanted) = (one.get(field), query.get("value"));
        let number = |value: Option<&Value>| {
            value.and_then(|value| value.as_i64().or_else(|| value.as_str()?.parse().ok()))
        };
        return match operator {
            "=" => has == wanted,
            "!=" => has != wanted,
            ">" => number(has).zip(number(wanted)).is_some_and(|(has, wanted)| has > wanted),
            "<" => number(has).zip(number(wanted)).is_some_and(|(has, wanted)| has < wanted),
            _ => false,
        };
    }
    let Some(all) = query.get("value").and_then(Value::as_array) else { return false };
    match operator {
        "AND" => all.iter().all(|part| matches(part, one)),
        "OR" => all.iter().any(|part| matches(part, one)),
        _ => false,
    }
}

fn drawn(ticket: &Ticket) -> Value {
    let state = if ticket.is_done() { "closed" } else { "open" };
    let (kind, delivered) = match ticket.by {
        By::Customer => ("email", "customer_initiated"),
        By::Hand => ("conversation", "admin_initiated"),
        By::Product => ("api", "customer_initiated"),
    };
    let tags: Vec<_> =
        ticket.tags.iter().map(|name| json!({ "type": "tag", "id": name, "name": name })).collect();
    json!({
        "type": "conversation",
        "id": ticket.id.to_string(),
        "created_at": ticket.created,
        "updated_at": ticket.updated,
        "waiting_since": ticket.waiting_since(),
        "open": state == "open",
        "state": state,
        "priority": "not_priority",
        "admin_assignee_id": ticket.assigned.then_some(AGENT),
        "team_assignee_id": ticket.group,
        "tags": { "type": "tag.list", "tags": tags },
        "statistics": { "first_admin_reply_at": ticket.replies().0 },
        "source": {
            "type": kind, "delivered_as": delivered,
            "author": { "type": "user", "id": ticket.customer.to_string(), "email": ticket.email() },
        },
        "custom_attributes": { "submission_id": ticket.form },
    })
}
