//! Zendesk as its users see it: search with its limits and its lag, tickets by the hundred, comments, audits.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::made::{Made, Trigger};
use super::rate::Rate;
use super::requests::{AGENT, By, Ticket, Traffic, iso};
use super::{Api, Ask, Reply};
use crate::data::typed;

/// The most results of one search.
const RESULTS: usize = 1_000;
/// The most ids of one request, and entries of one page.
const MANY: usize = 100;

/// The account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    /// Whose token it is.
    user: String,
    token: String,
    /// Requests a minute, by plan.
    #[serde(default = "per_minute")]
    per_minute: u64,
    /// The token sees no ticket.
    #[serde(default)]
    forbidden: bool,
    /// Seconds by which the search index lags.
    #[serde(default = "lag")]
    lag_s: i64,
    /// The token that may make and delete; without it nobody may.
    #[serde(default)]
    writer: Option<String>,
    /// What becomes of requests that are made.
    #[serde(default)]
    trigger: Vec<Trigger>,
    /// Groups by number.
    #[serde(default)]
    groups: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    traffic: Traffic,
}

const fn per_minute() -> u64 {
    700
}

const fn lag() -> i64 {
    60
}

/// The fake.
#[derive(Debug)]
struct Zendesk {
    account: Account,
    start: Timestamp,
    rate: Rate,
    made: Made,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    let rate = Rate::new(account.per_minute, 60);
    Ok(Arc::new(Zendesk { account, start: now, rate, made: Made::default() }))
}

fn error(status: u16, error: &str, description: &str) -> Reply {
    Reply::json(status, &json!({ "error": error, "description": description }))
}

fn not_found() -> Reply {
    error(404, "RecordNotFound", "Not found")
}

impl Api for Zendesk {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let shown = ask.header("authorization");
        let is = |token: &str| {
            let pair = format!("{}/token:{token}", self.account.user);
            shown == Some(format!("Basic {}", STANDARD.encode(pair)).as_str())
        };
        let writes = self.account.writer.as_deref().is_some_and(is);
        if !writes && !is(&self.account.token) {
            return Reply::json(401, &json!({ "error": "Couldn't authenticate you" }));
        }
        let limit = self.account.per_minute.to_string();
        match self.rate.take(ask.now) {
            Err(wait) => error(
                429,
                "APIRateLimitExceeded",
                "Number of allowed API requests per minute exceeded",
            )
            .with("retry-after", wait.to_string())
            .with("x-rate-limit", limit),
            Ok(left) => self
                .route(ask, writes)
                .with("x-rate-limit", limit)
                .with("x-rate-limit-remaining", left.to_string()),
        }
    }
}

impl Zendesk {
    fn route(&self, ask: &Ask<'_>, writes: bool) -> Reply {
        if self.account.forbidden || (ask.method != "GET" && !writes) {
            let message = "You do not have access to this page. Please contact the account owner.";
            let body = json!({ "error": { "title": "Forbidden", "message": message } });
            return Reply::json(403, &body);
        }
        let path = ask.path.strip_prefix("/api/v2/").map(|path| path.trim_end_matches(".json"));
        let Some(path) = path else { return not_found() };
        let parts: Vec<&str> = path.split('/').collect();
        if ask.method != "GET" {
            return self.change(ask, &parts);
        }
        let mut tickets = self.account.traffic.tickets(self.start, ask.now);
        tickets.extend(self.made.tickets(ask.now));
        match parts.as_slice() {
            ["search", "count"] => match self.matching(ask, tickets) {
                Ok(found) => Reply::json(200, &json!({ "count": found.len() })),
                Err(reply) => reply,
            },
            ["search"] => self.search(ask, tickets),
            ["tickets", "show_many"] => show_many(ask, &tickets),
            ["groups", id] => match self.account.groups.get(*id) {
                Some(name) => {
                    let id = id.parse::<u64>().unwrap_or_default();
                    Reply::json(200, &json!({ "group": { "id": id, "name": name } }))
                }
                None => not_found(),
            },
            ["users", "search"] => {
                let email = ask.query("query").unwrap_or_default();
                let user =
                    |id: u64| json!({ "id": id + 500_000, "email": email, "role": "end-user" });
                let users: Vec<_> = self.made.people(email).into_iter().map(user).collect();
                Reply::json(
                    200,
                    &json!({ "users": users, "count": users.len(), "next_page": null }),
                )
            }
            ["users", id, "tickets", "requested"] => {
                let theirs = |ticket: &&Ticket| ticket.requester().to_string() == **id;
                let tickets: Vec<_> = tickets.iter().filter(theirs).map(drawn).collect();
                Reply::json(200, &json!({ "tickets": tickets, "count": tickets.len() }))
            }
            ["tickets", id, what @ ("comments" | "audits")] => {
                let ticket = tickets.iter().find(|ticket| ticket.id.to_string() == **id);
                match (ticket, *what) {
                    (Some(ticket), "comments") => comments(ask, ticket),
                    (Some(ticket), _) => audits(ticket),
                    (None, _) => not_found(),
                }
            }
            _ => not_found(),
        }
    }

    /// What only the token that writes may do.
    fn change(&self, ask: &Ask<'_>, parts: &[&str]) -> Reply {
        let number = |id: &str| id.parse::<u64>().unwrap_or_default();
        match (ask.method, parts) {
            ("POST", ["tickets"]) => {
                let body = ask.json();
                let text = |path: &str| body.pointer(path).and_then(Value::as_str);
                let (Some(email), Some(_)) =
                    (text("/ticket/requester/email"), text("/ticket/comment/body"))
                else {
                    return error(422, "RecordInvalid", "Record validation errors");
                };
                let subject = text("/ticket/subject").unwrap_or_default();
                let ticket = self.made.make(email, subject, &self.account.trigger, ask.now);
                Reply::json(201, &json!({ "ticket": drawn(&ticket) }))
            }
            ("DELETE", ["tickets", id]) if self.made.delete(number(id)) => {
                Reply { status: 204, headers: Vec::new(), body: String::new() }
            }
            ("DELETE", ["deleted_tickets", id]) if self.made.purge(number(id)) => {
                Reply::json(200, &json!({ "job_status": { "id": "82de0b", "status": "queued" } }))
            }
            ("DELETE", ["users", id]) => {
                match self.made.forget(number(id).saturating_sub(500_000)) {
                    Some(true) => {
                        Reply::json(200, &json!({ "user": { "id": number(id), "active": false } }))
                    }
                    Some(false) => {
                        error(422, "RecordInvalid", "User is requester on one or more tickets")
                    }
                    None => not_found(),
                }
            }
            _ => not_found(),
        }
    }

    /// The tickets of a query that the index has.
    fn matching(&self, ask: &Ask<'_>, tickets: Vec<Ticket>) -> Result<Vec<Ticket>, Reply> {
        let Some(query) = ask.query("query").filter(|query| !query.trim().is_empty()) else {
            return Err(error(422, "invalid", "Query is missing"));
        };
        let indexed = ask.now.as_second() - self.account.lag_s;
        let (mut open, mut from) = (false, i64::MIN);
        for word in query.split_whitespace() {
            if word == "status<solved" {
                open = true;
            } else if let Some(time) = word.strip_prefix("created>=") {
                let time = time.parse::<Timestamp>().ok();
                from = time.ok_or_else(|| error(422, "invalid", "Invalid date"))?.as_second();
            } else if word != "type:ticket" {
                return Ok(Vec::new());
            }
        }
        Ok(tickets
            .into_iter()
            .filter(|ticket| ticket.created <= indexed && ticket.created >= from)
            .filter(|ticket| !open || !ticket.is_done())
            .collect())
    }

    fn search(&self, ask: &Ask<'_>, tickets: Vec<Ticket>) -> Reply {
        let number = |name: &str, usual: usize| {
            ask.query(name).and_then(|text| text.parse().ok()).unwrap_or(usual).max(1)
        };
        let (size, page) = (number("per_page", MANY).min(MANY), number("page", 1));
        let mut found = match self.matching(ask, tickets) {
            Ok(found) => found,
            Err(reply) => return reply,
        };
        if ask.query("sort_order") != Some("asc") {
            found.reverse();
        }
        let first = (page - 1) * size;
        if first >= RESULTS {
            let what = "Requested response size was greater than Search Response Limits";
            return error(422, "invalid", what);
        }
        let count = found.len();
        let results: Vec<Value> = found
            .iter()
            .take(RESULTS)
            .skip(first)
            .take(size)
            .map(|ticket| {
                let mut value = drawn(ticket);
                if let Some(map) = value.as_object_mut() {
                    map.insert("result_type".to_owned(), json!("ticket"));
                }
                value
            })
            .collect();
        let more = count.min(RESULTS) > first + size;
        let next = more.then(|| format!("https://lab.zendesk.com/api/v2/search?page={}", page + 1));
        let body = json!({
            "results": results, "count": count, "next_page": next, "previous_page": null,
            "facets": null,
        });
        Reply::json(200, &body)
    }
}

fn drawn(ticket: &Ticket) -> Value {
    let (channel, submitter) = match ticket.by {
        By::Customer => ("email", ticket.requester()),
        By::Hand => ("web", AGENT),
        By::Product => ("api", ticket.requester()),
    };
    json!({
        "id": ticket.id,
        "status": ticket.status,
        "priority": "normal",
        "created_at": iso(ticket.created),
        "updated_at": iso(ticket.updated),
        "requester_id": ticket.requester(),
        "submitter_id": submitter,
        "assignee_id": ticket.assigned.then_some(AGENT),
        "group_id": ticket.group,
        "tags": ticket.tags,
        "external_id": ticket.form,
        "via": { "channel": channel, "source": { "from": {}, "to": {}, "rel": null } },
    })
}

fn show_many(ask: &Ask<'_>, tickets: &[Ticket]) -> Reply {
    let ids: Vec<&str> = ask.query("ids").unwrap_or_default().split(',').collect();
    if ids.len() > MANY {
        return error(400, "TooManyValues", "Too many values for ids");
    }
    let asked: Vec<&Ticket> =
        tickets.iter().filter(|ticket| ids.contains(&ticket.id.to_string().as_str())).collect();
    let include: Vec<&str> = ask.query("include").unwrap_or_default().split(',').collect();
    let mut body = json!({ "tickets": asked.iter().map(|t| drawn(t)).collect::<Vec<_>>(), "count": asked.len() });
    if let Some(map) = body.as_object_mut() {
        if include.contains(&"metric_sets") {
            let metrics: Vec<_> = asked.iter().map(|ticket| metric(ticket)).collect();
            map.insert("metric_sets".to_owned(), json!(metrics));
        }
        if include.contains(&"users") {
            let users: Vec<_> = asked.iter().map(|ticket| customer(ticket)).collect();
            map.insert("users".to_owned(), json!(users));
        }
    }
    Reply::json(200, &body)
}

fn metric(ticket: &Ticket) -> Value {
    let (first, last) = ticket.replies();
    let minutes = first.map(|first| (first - ticket.created) / 60);
    let replies = ticket.said.iter().filter(|(_, theirs)| !theirs).count();
    json!({
        "ticket_id": ticket.id,
        "replies": replies,
        "reply_time_in_minutes": { "calendar": minutes, "business": minutes },
        "requester_updated_at": ticket.asked().map(iso),
        "assignee_updated_at": last.map(iso),
        "latest_comment_added_at": ticket.said.last().map(|(at, _)| iso(*at)),
    })
}

fn customer(ticket: &Ticket) -> Value {
    json!({ "id": ticket.requester(), "email": ticket.email(), "role": "end-user" })
}

fn comments(ask: &Ask<'_>, ticket: &Ticket) -> Reply {
    let mut all: Vec<Value> = ticket
        .said
        .iter()
        .enumerate()
        .map(|(n, (at, theirs))| {
            json!({
                "id": ticket.id * 100 + n as u64, "type": "Comment", "public": true,
                "author_id": if *theirs { ticket.requester() } else { AGENT },
                "created_at": iso(*at),
            })
        })
        .collect();
    if ask.query("sort_order") == Some("desc") {
        all.reverse();
    }
    let agent = json!({ "id": AGENT, "email": "team@harbor.example", "role": "agent" });
    let body =
        json!({ "comments": all, "users": [customer(ticket), agent], "count": ticket.said.len() });
    Reply::json(200, &body)
}

fn audits(ticket: &Ticket) -> Reply {
    let event = |n: u64, at: i64, author: i64, events: Value| {
        json!({
            "id": ticket.id * 1_000 + n, "ticket_id": ticket.id, "created_at": iso(at),
            "author_id": author, "events": events,
        })
    };
    let requester = i64::try_from(ticket.requester()).unwrap_or_default();
    let mut all = vec![event(
        0,
        ticket.created,
        requester,
        json!([
            { "type": "Create", "field_name": "requester_id", "value": ticket.requester().to_string() },
            { "type": "Comment", "public": true, "author_id": ticket.requester() },
            { "type": "Notification", "via": rule("Notify group of assignment"), "recipients": [AGENT] },
        ]),
    )];
    if let Some(at) = ticket.acknowledged {
        let via = rule("Notify requester and CCs of received request");
        let told =
            json!([{ "type": "Notification", "via": via, "recipients": [ticket.requester()] }]);
        all.push(event(1, at, -1, told));
    }
    Reply::json(200, &json!({ "audits": all, "count": all.len(), "next_page": null }))
}

fn rule(title: &str) -> Value {
    json!({ "channel": "rule", "source": { "from": { "title": title }, "to": {}, "rel": "trigger" } })
}
