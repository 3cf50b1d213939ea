//! Help Scout as its users see it: a token for an application's id and secret, and conversations in pages.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::rate::Rate;
use super::requests::{AGENT, By, Ticket, Traffic, iso};
use super::{Api, Ask, Reply};
use crate::data::typed;

/// Conversations of one page.
const PAGE: usize = 25;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    id: String,
    secret: String,
    /// The token that is handed out.
    token: String,
    #[serde(default = "per_minute")]
    per_minute: u64,
    /// The owner of the application sees no inbox.
    #[serde(default)]
    forbidden: bool,
    #[serde(default)]
    traffic: Traffic,
}

const fn per_minute() -> u64 {
    400
}

#[derive(Debug)]
struct HelpScout {
    account: Account,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.per_minute, 60);
    Ok(Arc::new(HelpScout { account, start: now, rate }))
}

impl Api for HelpScout {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if (ask.method, ask.path) == ("POST", "/v2/oauth2/token") {
            return self.token(ask);
        }
        if ask.bearer() != Some(&self.account.token) {
            return Reply::json(
                401,
                &json!({ "error": "invalid_token", "error_description": "Invalid token" }),
            );
        }
        if let Err(wait) = self.rate.take(ask.now) {
            return Reply::json(429, &json!({ "message": "Too many requests" }))
                .with("x-ratelimit-retry-after", wait.to_string());
        }
        match (ask.method, ask.path) {
            _ if self.account.forbidden => {
                Reply::json(403, &json!({ "message": "Access denied", "logRef": "lab" }))
            }
            ("GET", "/v2/conversations") => self.list(ask),
            _ => Reply::json(404, &json!({ "message": "Not found", "logRef": "lab" })),
        }
    }
}

impl HelpScout {
    fn token(&self, ask: &Ask<'_>) -> Reply {
        let form: Vec<(String, String)> =
            url::form_urlencoded::parse(ask.body).into_owned().collect();
        let has = |name: &str, value: &str| form.iter().any(|(n, v)| n == name && v == value);
        let right = has("grant_type", "client_credentials")
            && has("client_id", &self.account.id)
            && has("client_secret", &self.account.secret);
        if right {
            let body = json!({ "token_type": "bearer", "access_token": self.account.token, "expires_in": 172_800 });
            Reply::json(200, &body)
        } else {
            Reply::json(
                401,
                &json!({ "error": "invalid_client", "error_description": "Client authentication failed" }),
            )
        }
    }

    fn list(&self, ask: &Ask<'_>) -> Reply {
        let mut tickets = self.account.traffic.tickets(self.start, ask.now);
        match ask.query("status").unwrap_or("active") {
            "open" => tickets.retain(|ticket| !ticket.is_done()),
            "active" => tickets.retain(|ticket| !ticket.is_done() && ticket.status != "pending"),
            "closed" => tickets.retain(Ticket::is_done),
            "all" => {}
            _ => return Reply::json(400, &json!({ "message": "Bad request", "logRef": "lab" })),
        }
        if let Some(query) = ask.query("query") {
            let since = query.strip_prefix("(createdAt:[").and_then(|rest| rest.split_once(' '));
            let Some(Ok(since)) = since.map(|(since, _)| since.parse::<Timestamp>()) else {
                return Reply::json(400, &json!({ "message": "Invalid query", "logRef": "lab" }));
            };
            tickets.retain(|ticket| ticket.created >= since.as_second());
        }
        if ask.query("sortField") == Some("waitingSince") {
            tickets.sort_by_key(|ticket| ticket.waiting_since().unwrap_or(i64::MAX));
        }
        let page = ask.query("page").and_then(|page| page.parse().ok()).unwrap_or(1_usize).max(1);
        let drawn: Vec<Value> =
            tickets.iter().skip((page - 1) * PAGE).take(PAGE).map(drawn).collect();
        let body = json!({
            "_embedded": { "conversations": drawn },
            "page": {
                "size": PAGE, "totalElements": tickets.len(),
                "totalPages": tickets.len().div_ceil(PAGE), "number": page,
            },
        });
        Reply::json(200, &body)
    }
}

fn drawn(ticket: &Ticket) -> Value {
    let status = match ticket.status.as_str() {
        "solved" | "closed" => "closed",
        "pending" => "pending",
        _ => "active",
    };
    let (kind, via) = match ticket.by {
        By::Customer => ("email", "customer"),
        By::Hand => ("web", "user"),
        By::Product => ("api", "customer"),
    };
    let theirs = ticket.said.last().is_some_and(|(_, theirs)| *theirs);
    let tags: Vec<_> = ticket.tags.iter().map(|tag| json!({ "id": 1, "tag": tag })).collect();
    json!({
        "id": ticket.id,
        "number": ticket.id,
        "status": status,
        "createdAt": iso(ticket.created),
        "mailboxId": ticket.group,
        "assignee": ticket.assigned.then(|| json!({ "id": AGENT })),
        "tags": tags,
        "customerWaitingSince": {
            "time": ticket.waiting_since().or_else(|| ticket.asked()).map(iso),
            "friendly": "a while ago",
            "latestReplyFrom": if theirs { "customer" } else { "user" },
        },
        "source": { "type": kind, "via": via },
        "primaryCustomer": { "id": ticket.requester(), "email": ticket.email() },
    })
}
