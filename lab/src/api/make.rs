//! Make's API: scenarios of a team, their logs newest first, and connections.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::flows::{Flow, Flows, Made, TAKES_S, iso, runs};
use super::rate::Rate;
use super::{Api, Ask, Reply};
use crate::data::typed;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    token: String,
    team: String,
    /// Scopes of the token; all of them where absent.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    /// Requests that the plan allows in a minute.
    #[serde(default = "core")]
    per_minute: u64,
    #[serde(default)]
    flow: Flows,
    /// Connections by id.
    #[serde(default)]
    connection: BTreeMap<String, Connection>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Connection {
    name: String,
    /// It expires in so many days; never where absent.
    #[serde(default)]
    expires_days: Option<i64>,
}

const fn core() -> u64 {
    60
}

#[derive(Debug)]
struct Make {
    zone: Zone,
    start: Timestamp,
    rate: Rate,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let zone: Zone = typed(table)?;
    let rate = Rate::new(zone.per_minute, 60);
    Ok(Arc::new(Make { zone, start: now, rate }))
}

fn refused(status: u16, message: &str, detail: &str, code: &str) -> Reply {
    Reply::json(status, &json!({ "detail": detail, "message": message, "code": code }))
}

impl Api for Make {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let (Ok(reply) | Err(reply)) = self.route(ask);
        reply
    }
}

impl Make {
    fn route(&self, ask: &Ask<'_>) -> Result<Reply, Reply> {
        let shown = ask.header("authorization").and_then(|it| it.strip_prefix("Token "));
        if shown != Some(self.zone.token.as_str()) {
            return Err(refused(401, "Access denied.", "Invalid token", "SC401"));
        }
        if self.rate.take(ask.now).is_err() {
            let message = "Requests limit for organization exceeded, please try again later.";
            return Err(refused(429, message, "", "SC429"));
        }
        let parts: Vec<&str> = ask.path.trim_matches('/').split('/').collect();
        match *parts.as_slice() {
            ["api", "v2", "scenarios"] => {
                self.may("scenarios:read")?;
                self.team(ask)?;
                Ok(self.scenarios(ask))
            }
            ["api", "v2", "scenarios", id, "logs"] => {
                self.may("scenarios:read")?;
                self.logs(ask, id)
            }
            ["api", "v2", "connections"] => {
                self.may("connections:read")?;
                self.team(ask)?;
                Ok(self.connections())
            }
            _ => Err(refused(404, "Not found", "", "IM404")),
        }
    }

    fn may(&self, scope: &str) -> Result<(), Reply> {
        let scopes = self.zone.scopes.as_ref();
        if scopes.is_none_or(|scopes| scopes.iter().any(|own| own == scope)) {
            return Ok(());
        }
        Err(refused(
            403,
            "Permission denied",
            "Forbidden to use token authorization for this scope",
            "SC403",
        ))
    }

    fn team(&self, ask: &Ask<'_>) -> Result<(), Reply> {
        match ask.query("teamId") {
            Some(team) if team == self.zone.team => Ok(()),
            Some(_) => Err(refused(403, "Permission denied", "", "SC403")),
            None => Err(refused(
                400,
                "Bad Request",
                "Missing value of required parameter 'teamId'",
                "SC400",
            )),
        }
    }

    fn scenarios(&self, ask: &Ask<'_>) -> Reply {
        let (limit, offset) = page(ask, 10_000);
        let flows = self.zone.flow.values();
        let all: Vec<Value> =
            flows.skip(offset).take(limit).map(|flow| self.scenario(flow)).collect();
        let pg =
            json!({ "sortBy": "proprietal", "limit": limit, "sortDir": "desc", "offset": offset });
        Reply::json(200, &json!({ "scenarios": all, "pg": pg }))
    }

    fn scenario(&self, flow: &Flow) -> Value {
        let scheduling = if flow.timer {
            json!({ "type": "indefinitely", "interval": flow.every_s })
        } else {
            json!({ "type": "immediately" })
        };
        json!({
            "id": flow.id.parse::<i64>().unwrap_or_default(), "name": flow.name, "teamId": self.zone.team,
            "isActive": flow.active, "islinked": flow.active, "isinvalid": false, "isPaused": false,
            "concept": false, "lastEdit": flow.updated(self.start), "scheduling": scheduling,
            "usedPackages": ["http"], "dlqCount": 0
        })
    }

    fn logs(&self, ask: &Ask<'_>, id: &str) -> Result<Reply, Reply> {
        if !self.zone.flow.values().any(|flow| flow.id == id) {
            return Err(refused(404, "Not found", "", "IM404"));
        }
        let (limit, offset) = page(ask, 10);
        let most = limit + offset;
        let mut all = runs(&self.zone.flow, Some(id), (self.start, ask.now), 30, i64::MAX, most);
        match ask.query("status") {
            Some("3") => all.retain(|run| run.failed),
            Some("1") => all.retain(|run| !run.failed),
            _ => {}
        }
        let all: Vec<Value> = all.iter().skip(offset).map(log).collect();
        let pg = json!({ "sortBy": "imtId", "limit": limit, "sortDir": "desc", "offset": offset });
        Ok(Reply::json(200, &json!({ "scenarioLogs": all, "pg": pg })))
    }

    fn connections(&self) -> Reply {
        let all: Vec<Value> = self
            .zone
            .connection
            .iter()
            .map(|(id, connection)| {
                let expires =
                    connection.expires_days.map(|days| self.start.as_second() + days * 86_400);
                json!({
                    "id": id.parse::<i64>().unwrap_or_default(), "name": connection.name,
                    "accountName": "http", "teamId": self.zone.team, "editable": true, "expire":
                    expires.map(iso)
                })
            })
            .collect();
        Reply::json(200, &json!({ "connections": all }))
    }
}

fn log(run: &Made) -> Value {
    let id = format!("{:x}{:02x}", run.started, run.flow);
    json!({
        "id": id, "imtId": id, "status": if run.failed { 3 } else { 1 }, "timestamp": iso(run.started),
        "duration": TAKES_S * 1000, "operations": 4, "transfer": 2112, "type": "auto", "instant": false
    })
}

fn page(ask: &Ask<'_>, usual: usize) -> (usize, usize) {
    let number = |name: &str| ask.query(name).and_then(|text| text.parse::<usize>().ok());
    let limit = number("pg[limit]").unwrap_or(usual).clamp(1, 10_000);
    (limit, number("pg[offset]").unwrap_or(0).min(1_000_000))
}
