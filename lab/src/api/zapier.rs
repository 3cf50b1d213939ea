//! Zapier's API for applications: Zaps and their runs.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::flows::{Flows, TAKES_S, iso, runs};
use super::{Api, Ask, Reply};
use crate::data::typed;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    /// Scopes of the application; all of them where absent.
    #[serde(default)]
    scopes: Option<Vec<String>>,
    #[serde(default)]
    flow: Flows,
}

#[derive(Debug)]
struct Zapier {
    account: Account,
    start: Timestamp,
}

pub(super) fn make(table: &toml::Table, now: Timestamp) -> Result<Arc<dyn Api>, serde_json::Error> {
    let account: Account = typed(table)?;
    Ok(Arc::new(Zapier { account, start: now }))
}

fn refused(status: u16, title: &str, code: &str) -> Reply {
    let error = json!({ "status": status, "code": code, "title": title, "detail": "", "meta": {} });
    Reply::json(status, &json!({ "errors": [error] }))
}

impl Api for Zapier {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        if ask.bearer() != Some(self.account.token.as_str()) {
            return refused(
                401,
                "Authentication credentials were not provided or are wrong.",
                "not_authenticated",
            );
        }
        let may = |scope: &str| {
            let scopes = self.account.scopes.as_ref();
            scopes.is_none_or(|scopes| scopes.iter().any(|own| own == scope))
        };
        let number = |name: &str| ask.query(name).and_then(|text| text.parse::<usize>().ok());
        let (limit, offset) =
            (number("limit").unwrap_or(10).min(100), number("offset").unwrap_or(0));
        let offset = offset.min(1_000_000);
        let denied = || {
            refused(403, "You do not have permission to perform this action.", "permission_denied")
        };
        let data: Vec<Value> = match ask.path {
            "/v2/zaps" if may("zap") => self.zaps(),
            "/v2/zap-runs" if may("zap:runs") => self.runs(ask, limit + offset),
            "/v2/zaps" | "/v2/zap-runs" => return denied(),
            _ => return refused(404, "Not found.", "not_found"),
        };
        let count = data.len();
        let data: Vec<Value> = data.into_iter().skip(offset).take(limit).collect();
        let meta = json!({ "count": count, "limit": limit, "offset": offset });
        Reply::json(
            200,
            &json!({ "links": { "next": null, "prev": null }, "meta": meta, "data": data }),
        )
    }
}

impl Zapier {
    fn zaps(&self) -> Vec<Value> {
        let flows = self.account.flow.values();
        flows
            .map(|flow| {
                json!({
                    "type": "zap", "id": flow.id, "title": flow.name, "is_enabled": flow.active,
                    "updated_at": flow.updated(self.start)
                })
            })
            .collect()
    }

    fn runs(&self, ask: &Ask<'_>, most: usize) -> Vec<Value> {
        let from = ask.query("from_date").and_then(|text| text.parse::<Timestamp>().ok());
        let from = from.map_or(i64::MIN, Timestamp::as_second);
        let at = (self.start, ask.now);
        let all = runs(&self.account.flow, ask.query("zap_id"), at, 30, i64::MAX, most);
        let kept = all.into_iter().filter(|run| run.started >= from);
        kept.map(|run| {
            let flow = self.account.flow.values().nth(run.flow);
            json!({
                "id": format!("{}-{}", run.started, run.flow), "zap_id": flow.map(|flow| &flow.id),
                "zap_title": flow.map(|flow| &flow.name), "status":
                if run.failed { "error" } else { "success" }, "start_time": iso(run.started),
                "end_time": iso(run.started + TAKES_S), "steps": []
            })
        })
        .collect()
    }
}
