//! Cloudflare's API: zones with their settings, DNSSEC and records.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Api, Ask, Reply};
use crate::data::typed;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Account {
    token: String,
    /// `zone`, `settings`, `dns`; all of them where absent.
    #[serde(default)]
    permissions: Option<Vec<String>>,
    /// Zones by name.
    #[serde(default)]
    zone: BTreeMap<String, Zone>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Zone {
    id: String,
    #[serde(default = "active")]
    status: String,
    #[serde(default)]
    paused: bool,
    #[serde(default)]
    settings: BTreeMap<String, String>,
    #[serde(default = "active")]
    dnssec: String,
    /// Records, `name TYPE content`, with a fourth word `proxied` where they are.
    #[serde(default)]
    records: Vec<String>,
}

fn active() -> String {
    "active".to_owned()
}

#[derive(Debug)]
struct Cloudflare(Account);

pub(super) fn make(
    table: &toml::Table,
    _now: Timestamp,
) -> Result<Arc<dyn Api>, serde_json::Error> {
    Ok(Arc::new(Cloudflare(typed(table)?)))
}

fn refused(status: u16, code: i64, message: &str) -> Reply {
    let error = json!({ "code": code, "message": message });
    Reply::json(
        status,
        &json!({ "success": false, "errors": [error], "messages": [], "result": null }),
    )
}

fn result(result: &Value, info: Option<Value>) -> Reply {
    let mut body = json!({ "success": true, "errors": [], "messages": [], "result": result });
    if let (Some(info), Some(body)) = (info, body.as_object_mut()) {
        body.insert("result_info".to_owned(), info);
    }
    Reply::json(200, &body)
}

impl Api for Cloudflare {
    fn answer(&self, ask: &Ask<'_>) -> Reply {
        let (Ok(reply) | Err(reply)) = self.route(ask);
        reply
    }
}

impl Cloudflare {
    fn route(&self, ask: &Ask<'_>) -> Result<Reply, Reply> {
        let Some(shown) = ask.bearer() else {
            return Err(refused(
                400,
                9106,
                "Missing X-Auth-Key, X-Auth-Email or Authorization headers",
            ));
        };
        if shown != self.0.token {
            return Err(refused(403, 9109, "Invalid access token"));
        }
        let parts: Vec<&str> = ask.path.trim_matches('/').split('/').collect();
        let Some((&"zones", below)) = parts.split_first() else {
            return Err(refused(404, 7000, "No route for that URI"));
        };
        let Some((id, below)) = below.split_first() else {
            self.may("zone")?;
            return Ok(self.zones(ask));
        };
        let zone = self.0.zone.iter().find(|(_, zone)| zone.id == *id);
        let Some((name, zone)) = zone else {
            return Err(refused(
                404,
                7003,
                "Could not route to the zone, perhaps your object identifier is invalid?",
            ));
        };
        match *below {
            ["settings", setting] => {
                self.may("settings")?;
                let Some(value) = zone.settings.get(setting) else {
                    return Err(refused(400, 1007, "Undefined zone setting"));
                };
                let body =
                    json!({ "id": setting, "value": value, "editable": true, "modified_on": null });
                Ok(result(&body, None))
            }
            ["dnssec"] => {
                self.may("dns")?;
                Ok(result(&json!({ "status": zone.dnssec, "flags": 257, "algorithm": "13" }), None))
            }
            ["dns_records"] => {
                self.may("dns")?;
                Ok(records(name, zone, ask))
            }
            _ => Err(refused(404, 7000, "No route for that URI")),
        }
    }

    fn may(&self, permission: &str) -> Result<(), Reply> {
        let own = self.0.permissions.as_ref();
        if own.is_none_or(|own| own.iter().any(|own| own == permission)) {
            return Ok(());
        }
        Err(refused(403, 10000, "Authentication error"))
    }

    fn zones(&self, ask: &Ask<'_>) -> Reply {
        let wanted = ask.query("name");
        let zones =
            self.0.zone.iter().filter(|(name, _)| wanted.is_none_or(|wanted| wanted == *name));
        let all: Vec<Value> = zones
            .map(|(name, zone)| {
                json!({
                    "id": zone.id, "name": name, "status": zone.status, "paused": zone.paused, "type": "full",
                    "name_servers": ["amy.ns.cloudflare.com", "brad.ns.cloudflare.com"]
                })
            })
            .collect();
        let info = json!({ "page": 1, "per_page": 20, "count": all.len(), "total_count": all.len(), "total_pages": 1 });
        result(&Value::Array(all), Some(info))
    }
}

fn records(zone_name: &str, zone: &Zone, ask: &Ask<'_>) -> Reply {
    let number = |name: &str| ask.query(name).and_then(|text| text.parse::<usize>().ok());
    let size = number("per_page").unwrap_or(100).clamp(1, 5_000);
    let page = number("page").unwrap_or(1).clamp(1, 10_000);
    let all: Vec<Value> = zone
        .records
        .iter()
        .enumerate()
        .filter_map(|(index, line)| {
            let mut words = line.split_whitespace();
            let (name, kind, content) = (words.next()?, words.next()?, words.next()?);
            let name =
                if name == "@" { zone_name.to_owned() } else { format!("{name}.{zone_name}") };
            Some(json!({
                "id": format!("{:032x}", index + 1), "name": name, "type": kind, "content": content,
                "proxied": words.next() == Some("proxied"), "proxiable": true, "ttl": 1
            }))
        })
        .filter(|record| {
            ask.query("type")
                .is_none_or(|kind| record.get("type").and_then(Value::as_str) == Some(kind))
        })
        .collect();
    let shown: Vec<Value> = all.iter().skip((page - 1) * size).take(size).cloned().collect();
    let info = json!({
        "page": page, "per_page": size, "count": shown.len(), "total_count": all.len(),
        "total_pages": all.len().div_ceil(size)
    });
    result(&Value::Array(shown), Some(info))
}
