//! Front as its users see it: conversations by status in pages of a hundred, times with a fraction.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rate::Rate;
use super::requests::{Ticket, Traffic};
use super::{Api, Ask, Reply};
use crate::data::typed;

/// Conversations of one page, usually and at most.
const USUAL: usize = 50;
const MOST: usize = 100;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    #[serde(default = "per_minute")]
    per_minute: u64,
    /// The token lacks the scope.
    #[serde(default)]
    forbidden: bool,
    #[serde(default)]
    traffic: Traffic,
}

const fn per_minute() -> u64 {
    100
}

#[derive(Debug)]
struct Front {
    account: Account,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.per_minute, 60);
    Ok(Arc::new(Front { account, start: now, rate }))
}

fn error(status: u16, title: &str) -> Reply {
    Reply::json(
        status,
        &json!({ "_error": { "status": status, "title": title, "message": title } }),
    )
}

impl Api for Front {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if ask.bearer() != Some(&self.account.token) {
            return error(401, "Unauthenticated");
        }
        if let Err(wait) = self.rate.take(ask.now) {
            return error(429, "Rate limit exceeded").with("retry-after", wait.to_string());
        }
        match (ask.method, ask.path) {
            _ if self.account.forbidden => error(403, "Forbidden"),
            ("GET", "/conversations") => self.list(ask),
            _ => error(404, "Not found"),
        }
    }
}

impl Front {
    fn list(&self, ask: &Ask<'_>) -> Reply {
        let query: Value = serde_json::from_str(ask.query("q").unwrap_or("{}")).unwrap_or_default();
        let statuses = query.get("statuses").and_then(Value::as_array).cloned().unwrap_or_default();
        let size = ask.query("limit").and_then(|size| size.parse().ok()).unwrap_or(USUAL);
        if size == 0 || size > MOST {
            return error(400, "Bad request");
        }
        let first = match ask.query("page_token") {
            None => Some(0),
            Some(token) => token.strip_prefix("lab").and_then(|token| token.parse::<usize>().ok()),
        };
        let Some(first) = first else { return error(400, "Bad request") };
        let mut tickets = self.account.traffic.tickets(self.start, ask.now);
        tickets.retain(|ticket| statuses.is_empty() || statuses.contains(&json!(status(ticket))));
        tickets.sort_by_key(|ticket| ticket.updated);
        if ask.query("sort_order") != Some("asc") {
            tickets.reverse();
        }
        let drawn: Vec<Value> = tickets.iter().skip(first).take(size).map(drawn).collect();
        let next = (first + size < tickets.len()).then(|| {
            format!("https://api2.frontapp.com/conversations?page_token=lab{}", first + size)
        });
        Reply::json(200, &json!({ "_pagination": { "next": next }, "_results": drawn }))
    }
}

fn status(ticket: &Ticket) -> &'static str {
    match (ticket.is_done(), ticket.assigned) {
        (true, _) => "archived",
        (false, true) => "assigned",
        (false, false) => "unassigned",
    }
}

#[allow(clippy::cast_precision_loss, reason = "seconds since 1970 fit into a float")]
fn drawn(ticket: &Ticket) -> Value {
    let float = |second: i64| second as f64 + 0.5;
    let category = if ticket.is_done() { "resolved" } else { "open" };
    let tags: Vec<_> =
        ticket.tags.iter().map(|name| json!({ "id": "tag_1", "name": name })).collect();
    json!({
        "id": format!("cnv_{:x}", ticket.id),
        "status": status(ticket),
        "status_category": category,
        "created_at": ticket.created as f64,
        "waiting_since": ticket.waiting_since().map(float),
        "assignee": ticket.assigned.then(|| json!({ "id": "tea_1" })),
        "tags": tags,
        "recipient": { "handle": ticket.email(), "role": "from" },
        "last_message": { "created_at": float(ticket.updated) },
    })
}
