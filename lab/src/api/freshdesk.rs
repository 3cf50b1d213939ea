//! Freshdesk as its users see it: the list of tickets with statistics, and the search that counts.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rate::Rate;
use super::requests::{AGENT, By, Ticket, Traffic, iso};
use super::{Api, Ask, Reply};
use crate::data::typed;

/// Tickets of one page of the list and of the search, and the last page of each.
const LIST: (usize, usize) = (100, 300);
const SEARCH: (usize, usize) = (30, 10);
/// Without a time the list holds what changed within so many seconds.
const RECENT: i64 = 30 * 86_400;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    key: String,
    #[serde(default = "per_minute")]
    per_minute: u64,
    /// The agent's role sees no ticket.
    #[serde(default)]
    forbidden: bool,
    #[serde(default)]
    traffic: Traffic,
}

const fn per_minute() -> u64 {
    400
}

#[derive(Debug)]
struct Freshdesk {
    account: Account,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.per_minute, 60);
    Ok(Arc::new(Freshdesk { account, start: now, rate }))
}

fn refused(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "code": code, "message": message }))
}

fn invalid(field: &str, message: &str) -> Reply {
    let errors = json!([{ "field": field, "message": message, "code": "invalid_value" }]);
    Reply::json(400, &json!({ "description": "Validation failed", "errors": errors }))
}

impl Api for Freshdesk {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let wanted = format!("Basic {}", STANDARD.encode(format!("{}:X", self.account.key)));
        if ask.header("authorization") != Some(wanted.as_str()) {
            let message = "You have to be logged in to perform this action.";
            return refused(401, "invalid_credentials", message);
        }
        let total = self.account.per_minute.to_string();
        match self.rate.take(ask.now) {
            Err(wait) => Reply::json(
                429,
                &json!({ "message": "You have exceeded the limit of requests per minute" }),
            )
            .with("retry-after", wait.to_string()),
            Ok(_) if self.account.forbidden => {
                refused(403, "access_denied", "You are not authorized to perform this action.")
            }
            Ok(left) => self
                .route(ask)
                .with("x-ratelimit-total", total)
                .with("x-ratelimit-remaining", left.to_string()),
        }
    }
}

impl Freshdesk {
    fn route(&self, ask: &Ask<'_>) -> Reply {
        let tickets = self.account.traffic.tickets(self.start, ask.now);
        let page = ask.query("page").and_then(|page| page.parse().ok()).unwrap_or(1_usize).max(1);
        match (ask.method, ask.path) {
            ("GET", "/api/v2/tickets") => list(ask, tickets, page),
            ("GET", "/api/v2/search/tickets") => search(ask, &tickets, page),
            _ => Reply::json(404, &json!({})),
        }
    }
}

fn list(ask: &Ask<'_>, mut tickets: Vec<Ticket>, page: usize) -> Reply {
    let (most, last) = LIST;
    let size = ask.query("per_page").and_then(|size| size.parse().ok()).unwrap_or(30_usize);
    if size == 0 || size > most {
        return invalid("per_page", "It should be a Positive Integer less than or equal to 100");
    }
    if page > last {
        return invalid("page", "You cannot access tickets beyond the 300th page");
    }
    let since = match ask.query("updated_since").map(str::parse::<Timestamp>) {
        Some(Ok(since)) => since.as_second(),
        Some(Err(_)) => return invalid("updated_since", "It should be a valid date"),
        None => ask.now.as_second() - RECENT,
    };
    tickets.retain(|ticket| ticket.updated >= since);
    if ask.query("order_type") != Some("asc") {
        tickets.reverse();
    }
    let include: Vec<&str> = ask.query("include").unwrap_or_default().split(',').collect();
    let first = (page - 1) * size;
    let more = tickets.len() > first + size;
    let drawn: Vec<Value> =
        tickets.iter().skip(first).take(size).map(|ticket| drawn(ticket, &include)).collect();
    let reply = Reply::json(200, &Value::Array(drawn));
    if more {
        let next =
            format!("<https://lab.freshdesk.com/api/v2/tickets?page={}>; rel=\"next\"", page + 1);
        return reply.with("link", next);
    }
    reply
}

fn search(ask: &Ask<'_>, tickets: &[Ticket], page: usize) -> Reply {
    let (size, last) = SEARCH;
    let query = ask.query("query").unwrap_or_default();
    let Some(inner) = query.strip_prefix('"').and_then(|query| query.strip_suffix('"')) else {
        return invalid("query", "It should be in double quotes");
    };
    if page > last {
        return invalid("page", "You can request only 10 pages");
    }
    let wanted: Vec<&str> =
        inner.split(" OR ").filter_map(|part| part.strip_prefix("status:")).collect();
    let found: Vec<_> = tickets
        .iter()
        .filter(|ticket| wanted.contains(&status(ticket).to_string().as_str()))
        .collect();
    let results: Vec<Value> =
        found.iter().skip((page - 1) * size).take(size).map(|ticket| drawn(ticket, &[])).collect();
    Reply::json(200, &json!({ "total": found.len(), "results": results }))
}

fn status(ticket: &Ticket) -> u8 {
    match ticket.status.as_str() {
        "pending" => 3,
        "solved" => 4,
        "closed" => 5,
        _ => 2,
    }
}

fn drawn(ticket: &Ticket, include: &[&str]) -> Value {
    let source = match ticket.by {
        By::Customer => 1,
        By::Hand => 3,
        By::Product => 2,
    };
    let mut value = json!({
        "id": ticket.id,
        "status": status(ticket),
        "priority": 1,
        "source": source,
        "created_at": iso(ticket.created),
        "updated_at": iso(ticket.updated),
        "responder_id": ticket.assigned.then_some(AGENT),
        "group_id": ticket.group,
        "requester_id": ticket.requester(),
        "tags": ticket.tags,
        "custom_fields": { "cf_submission_id": ticket.form },
    });
    if let Some(map) = value.as_object_mut() {
        if include.contains(&"stats") {
            let (first, last) = ticket.replies();
            let asked = ticket.asked().filter(|at| *at > ticket.created);
            let stats = json!({
                "agent_responded_at": last.map(iso),
                "requester_responded_at": asked.map(iso),
                "first_responded_at": first.map(iso),
            });
            map.insert("stats".to_owned(), stats);
        }
        if include.contains(&"requester") {
            let requester = json!({ "id": ticket.requester(), "email": ticket.email() });
            map.insert("requester".to_owned(), requester);
        }
    }
    value
}
