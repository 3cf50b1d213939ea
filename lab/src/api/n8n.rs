//! n8n's public API: workflows and executions, with cursors as the vendor makes them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::flows::{Flow, Flows, Made, TAKES_S, iso, runs};
use super::{Api, Ask, Reply};
use crate::data::typed;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Instance {
    key: String,
    /// Scopes of the key; all of them where absent.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// Executions are kept for so many days.
    #[serde(default = "fortnight")]
    keeps_days: i64,
    /// The public API is off.
    #[serde(default)]
    off: bool,
    #[serde(default)]
    flow: Flows,
}

const fn fortnight() -> i64 {
    14
}

#[derive(Debug)]
struct N8n {
    instance: Instance,
    start: Timestamp,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let instance: Instance = typed(table)?;
    Ok(Arc::new(N8n { instance, start: now }))
}

fn refused(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "message": message }))
}

impl Api for N8n {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let (Ok(reply) | Err(reply)) = self.route(ask);
        reply
    }
}

impl N8n {
    fn route(&self, ask: &Ask<'_>) -> Result<Reply, Reply> {
        if self.instance.off {
            return Err(refused(404, "not found"));
        }
        let Some(key) = ask.header("x-n8n-api-key") else {
            return Err(refused(401, "'X-N8N-API-KEY' header required"));
        };
        if key != self.instance.key {
            return Err(refused(401, "unauthorized"));
        }
        match (ask.method, ask.path) {
            ("GET", "/api/v1/workflows") => {
                self.may("workflow:list")?;
                let known =
                    ["active", "tags", "name", "projectId", "excludePinnedData", "limit", "cursor"];
                self.workflows(ask, known_only(ask, &known)?)
            }
            ("GET", "/api/v1/executions") => {
                self.may("execution:list")?;
                let known = ["includeData", "status", "workflowId", "projectId", "limit", "cursor"];
                self.executions(ask, known_only(ask, &known)?)
            }
            _ => Err(refused(404, "not found")),
        }
    }

    fn may(&self, scope: &str) -> Result<(), Reply> {
        let scopes = self.instance.scopes.as_ref();
        if scopes.is_none_or(|scopes| scopes.iter().any(|own| own == scope)) {
            return Ok(());
        }
        Err(refused(403, "Forbidden"))
    }

    fn workflows(&self, ask: &Ask<'_>, limit: usize) -> Result<Reply, Reply> {
        let offset = match ask.query("cursor") {
            Some(cursor) => usize::try_from(number(cursor, "offset")?).unwrap_or(0),
            None => 0,
        };
        let flows: Vec<&Flow> = self.instance.flow.values().collect();
        let data: Vec<Value> =
            flows.iter().skip(offset).take(limit).map(|flow| self.workflow(flow)).collect();
        let next = offset + limit;
        let next = (next < flows.len())
            .then(|| STANDARD.encode(json!({ "limit": limit, "offset": next }).to_string()));
        Ok(Reply::json(200, &json!({ "data": data, "nextCursor": next })))
    }

    fn workflow(&self, flow: &Flow) -> Value {
        let trigger = if flow.timer {
            let every = flow.every_s;
            let rule = if every % 60 == 0 {
                json!({ "field": "minutes", "minutesInterval": every / 60 })
            } else {
                json!({ "field": "seconds", "secondsInterval": every })
            };
            json!({
                "id": "1", "name": "Schedule", "type": "n8n-nodes-base.scheduleTrigger", "typeVersion": 1.2,
                "position": [0, 0], "parameters": { "rule": { "interval": [rule] } }
            })
        } else {
            json!({
                "id": "1", "name": "Webhook", "type": "n8n-nodes-base.webhook", "typeVersion": 2,
                "position": [0, 0], "parameters": { "path": flow.id, "httpMethod": "POST" }
            })
        };
        let step = json!({
            "id": "2", "name": "Send", "type": "n8n-nodes-base.httpRequest", "typeVersion": 4.2,
            "position": [220, 0], "parameters": { "url": format!("https://api.example/{}", flow.does) }
        });
        let settings = if flow.forgets {
            json!({ "executionOrder": "v1", "saveDataSuccessExecution": "none" })
        } else {
            json!({ "executionOrder": "v1" })
        };
        json!({
            "id": flow.id, "name": flow.name, "active": flow.active, "isArchived": flow.archived,
            "createdAt": "2026-03-02T09:00:00.000Z", "updatedAt": flow.updated(self.start),
            "nodes": [trigger, step], "settings": settings, "staticData": null, "tags": [],
            "connections": { "Start": { "main": [[{ "node": "Send", "type": "main", "index": 0 }]] } }
        })
    }

    fn executions(&self, ask: &Ask<'_>, limit: usize) -> Result<Reply, Reply> {
        let below = match ask.query("cursor") {
            Some(cursor) => number(cursor, "lastId")?.div_euclid(100),
            None => i64::MAX,
        };
        let only = ask.query("workflowId");
        let at = (self.start, ask.now);
        let mut all =
            runs(&self.instance.flow, only, at, self.instance.keeps_days, below, limit + 1);
        match ask.query("status") {
            Some("error") => all.retain(|run| run.failed),
            Some("success") => all.retain(|run| !run.failed),
            Some("canceled" | "running" | "waiting") => all.clear(),
            Some(_) => {
                return Err(refused(
                    400,
                    "request/query/status must be equal to one of the allowed values",
                ));
            }
            None => {}
        }
        let more = all.len() > limit;
        all.truncate(limit);
        let next = all
            .last()
            .filter(|_| more)
            .map(|last| STANDARD.encode(json!({ "lastId": id(last), "limit": limit }).to_string()));
        let data: Vec<Value> = all.iter().map(|run| self.execution(run)).collect();
        Ok(Reply::json(200, &json!({ "data": data, "nextCursor": next })))
    }

    fn execution(&self, run: &Made) -> Value {
        let flow = self.instance.flow.values().nth(run.flow);
        let other = |started: Option<i64>| started.map(|started| number_of(started, run.flow));
        let mode = match (run.repeats, flow.is_some_and(|flow| flow.timer)) {
            (Some(_), _) => "retry",
            (None, true) => "trigger",
            (None, false) => "webhook",
        };
        json!({
            "id": id(run), "finished": !run.failed, "mode": mode, "retryOf": other(run.repeats),
            "retrySuccessId": other(run.recovered_at), "startedAt": iso(run.started),
            "status": if run.failed { "error" } else { "success" }, "stoppedAt": iso(run.started + TAKES_S),
            "waitTill": null, "workflowId": flow.map(|flow| &flow.id)
        })
    }
}

/// Ids grow with time, as the vendor's do.
fn number_of(started: i64, flow: usize) -> String {
    (started * 100 + i64::try_from(flow).unwrap_or(0)).to_string()
}

fn id(run: &Made) -> String {
    number_of(run.started, run.flow)
}

/// The limit of a page; a parameter that the vendor does not know is an error there.
fn known_only(ask: &Ask<'_>, known: &[&str]) -> Result<usize, Reply> {
    if let Some((name, _)) = ask.query.iter().find(|(name, _)| !known.contains(&name.as_str())) {
        return Err(refused(400, &format!("Unknown query parameter '{name}'")));
    }
    match ask.query("limit").map_or(Ok(100), str::parse::<usize>) {
        Ok(limit @ 1..=250) => Ok(limit),
        Ok(_) => Err(refused(400, "request/query/limit must be <= 250")),
        Err(_) => Err(refused(400, "request/query/limit must be number")),
    }
}

fn number(cursor: &str, name: &str) -> Result<i64, Reply> {
    let read = || -> Option<i64> {
        let value: Value = serde_json::from_slice(&STANDARD.decode(cursor).ok()?).ok()?;
        let value = value.get(name)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    };
    read().ok_or_else(|| refused(400, "An invalid cursor was provided"))
}
