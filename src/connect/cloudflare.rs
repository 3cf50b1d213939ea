//! Cloudflare behind the edge port: one zone, its settings, and its records.

use std::collections::BTreeMap;
use std::time::Duration;

use launchready_checks::contract::json;
use launchready_checks::probe::{
    AgentFault, Answer, Edge, EdgeRecord, EdgeRecords, EdgeZone, ProbeError, TargetFault,
};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::Reply;
use super::api::{Api, Vendor};
use super::pages::Pages;
use super::reach::Reach;
use super::shown::Shown;
use crate::config::Secret;

/// The vendor's address.
const ADDRESS: &str = "https://api.cloudflare.com/client/v4";
/// Pages of records, 100 on each.
const PAGES: u32 = 20;
/// Settings that are read, one by one as the vendor has them.
const SETTINGS: [&str; 3] = ["ssl", "always_use_https", "development_mode"];

const VENDOR: Vendor = Vendor {
    name: "Cloudflare",
    // 1200 requests in 5 minutes are allowed for a whole account, and too many block it for 5 more.
    pace: Duration::from_millis(250),
    headers: &[],
    permission: |_body| None,
    where_to: "https://dash.cloudflare.com/profile/api-tokens",
};

/// The zones that a token may read.
#[derive(Debug)]
pub struct Cloudflare {
    api: Api,
}

#[derive(Deserialize)]
struct Envelope<T> {
    success: bool,
    result: Option<T>,
    result_info: Option<Info>,
}

impl<T> Envelope<Vec<T>> {
    /// The entries; a list that is left out is no empty one.
    fn list(self) -> Result<Vec<T>, ProbeError> {
        self.result.ok_or_else(|| {
            TargetFault::Malformed("Cloudflare answers with success and no list".to_owned()).into()
        })
    }
}

#[derive(Deserialize)]
struct Info {
    total_pages: Option<u32>,
}

#[derive(Deserialize)]
struct Zone {
    id: String,
    name: String,
    status: String,
    #[serde(default)]
    paused: bool,
}

#[derive(Deserialize)]
struct Setting {
    value: Value,
}

#[derive(Deserialize)]
struct Dnssec {
    status: String,
}

#[derive(Deserialize)]
struct Record {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    content: String,
    #[serde(default)]
    proxied: bool,
}

impl Cloudflare {
    /// The vendor's address, or another one.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(token: Secret, address: Option<&str>, reach: &Reach) -> Result<Self, ProbeError> {
        let shown = Shown::Bearer(token);
        Ok(Self { api: Api::new(VENDOR, address.unwrap_or(ADDRESS), shown, reach)? })
    }

    async fn read<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        permission: &str,
    ) -> Result<Envelope<T>, ProbeError> {
        let reply = self.api.any(Method::GET, path, query, None).await?;
        if !(200..300).contains(&reply.status) {
            return Err(self.refused(&reply, permission));
        }
        let envelope: Envelope<T> = reply.json(self.api.vendor())?;
        if envelope.success {
            return Ok(envelope);
        }
        Err(TargetFault::Malformed("Cloudflare answers without success".to_owned()).into())
    }

    /// What a refusal means: the vendor answers a wrong token and a missing permission with one status.
    fn refused(&self, reply: &Reply, permission: &str) -> ProbeError {
        let body: Value = json::value(&reply.body).unwrap_or_default();
        let message = body.pointer("/errors/0/message").and_then(Value::as_str).unwrap_or_default();
        let code = body.pointer("/errors/0/code").and_then(Value::as_i64).unwrap_or_default();
        let wrong = message.contains("Invalid access token") || matches!(code, 1000 | 6003 | 6111);
        match reply.status {
            400 | 401 | 403 if wrong => AgentFault::BadCredential(format!(
                "Cloudflare does not know the token; make a new one at {}",
                VENDOR.where_to
            ))
            .into(),
            403 => AgentFault::Forbidden(format!("Cloudflare: give the token {permission}")).into(),
            _ => self.api.refused(reply),
        }
    }

    async fn setting(&self, zone: &str, name: &str) -> Result<String, ProbeError> {
        let path = format!("zones/{zone}/settings/{name}");
        let setting: Envelope<Setting> =
            self.read(&path, &[], "Zone → Zone Settings → Read").await?;
        let value = setting.result.map(|setting| setting.value);
        value.as_ref().and_then(Value::as_str).map(str::to_owned).ok_or_else(|| {
            TargetFault::Malformed(format!("Cloudflare names no value of {name}")).into()
        })
    }

    async fn dnssec(&self, zone: &str) -> Result<String, ProbeError> {
        let path = format!("zones/{zone}/dnssec");
        let dnssec: Envelope<Dnssec> = self.read(&path, &[], "Zone → DNS → Read").await?;
        dnssec.result.map(|dnssec| dnssec.status).ok_or_else(|| {
            TargetFault::Malformed("Cloudflare names no state of DNSSEC".to_owned()).into()
        })
    }
}

/// What is no id of theirs must not change the path.
fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

impl Edge for Cloudflare {
    fn vendor(&self) -> &'static str {
        VENDOR.name
    }

    fn zone(&self, domain: String) -> Answer<'_, Result<Option<EdgeZone>, ProbeError>> {
        Box::pin(async move {
            let query = [("name", domain.as_str())];
            let zones: Envelope<Vec<Zone>> =
                self.read("zones", &query, "Zone → Zone → Read").await?;
            let mut zones = zones.list()?.into_iter();
            let Some(zone) = zones.find(|zone| zone.name == domain && is_id(&zone.id)) else {
                return Ok(None);
            };
            let (mut settings, mut unseen) = (BTreeMap::new(), BTreeMap::new());
            let mut keep = |name: &str, value: Result<String, ProbeError>| match value {
                Ok(value) => {
                    settings.insert(name.to_owned(), value.chars().take(40).collect());
                    Ok(())
                }
                // A wrong token or a full plate holds for the others too.
                Err(
                    error @ ProbeError::Agent(
                        AgentFault::BadCredential(_) | AgentFault::RateLimited(_),
                    ),
                ) => Err(error),
                Err(error) => {
                    unseen.insert(name.to_owned(), error.to_string());
                    Ok(())
                }
            };
            for name in SETTINGS {
                keep(name, self.setting(&zone.id, name).await)?;
            }
            keep("dnssec", self.dnssec(&zone.id).await)?;
            Ok(Some(EdgeZone {
                active: zone.status == "active",
                id: zone.id,
                status: zone.status,
                paused: zone.paused,
                settings,
                unseen,
            }))
        })
    }

    fn records(&self, zone: String) -> Answer<'_, Result<EdgeRecords, ProbeError>> {
        Box::pin(async move {
            if !is_id(&zone) {
                return Ok(EdgeRecords::default());
            }
            let path = format!("zones/{zone}/dns_records");
            let mut pages = Pages::new(VENDOR.name, PAGES);
            let mut records = EdgeRecords::default();
            let mut page = 1_u32;
            while pages.more() {
                let number = page.to_string();
                let query = [("per_page", "100"), ("page", number.as_str())];
                let answer: Envelope<Vec<Record>> =
                    self.read(&path, &query, "Zone → DNS → Read").await?;
                let last = answer.result_info.as_ref().and_then(|info| info.total_pages);
                let all = answer.list()?;
                let entries = all.len();
                let mut fresh = 0;
                for record in all {
                    if !pages.is_new(&record.id) {
                        continue;
                    }
                    fresh += 1;
                    if matches!(record.kind.as_str(), "A" | "AAAA" | "CNAME") {
                        records.all.push(EdgeRecord {
                            id: record.id,
                            name: record.name.to_lowercase(),
                            kind: record.kind,
                            content: record.content,
                            proxied: record.proxied,
                        });
                    }
                }
                pages.read(entries, fresh)?;
                if entries == 0 || page >= last.unwrap_or(1) {
                    return Ok(records);
                }
                page += 1;
            }
            records.cut = true;
            Ok(records)
        })
    }
}
