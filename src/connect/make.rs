//! Make behind the automation port: scenarios of one team, their logs, and connections.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{
    AgentFault, Answer, Automation, Credentials, ExpiredCredential, Flow, ProbeError, Run,
    RunStatus, RunsWalked, TargetFault, Visit,
};
use serde::Deserialize;

use super::api::{Api, Vendor};
use super::pages::Pages;
use super::reach::Reach;
use super::shape::{Id, needs};
use super::shown::Shown;
use crate::config::Secret;

/// Entries of one page.
const PAGE: usize = 100;
/// Pages of scenarios, and of the log of one scenario.
const SCENARIO_PAGES: u32 = 20;
const LOG_PAGES: u32 = 200;

const VENDOR: Vendor = Vendor {
    name: "Make",
    // The smallest plan allows 60 requests a minute; a look is over before the next one begins.
    pace: Duration::from_millis(250),
    headers: &[],
    permission: |_body| None,
    where_to: "https://www.make.com → Profile → API access",
};

/// One team in one zone of Make.
#[derive(Debug)]
pub struct Make {
    api: Api,
    team: String,
}

#[derive(Deserialize)]
struct Scenarios {
    scenarios: Vec<Scenario>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Scenario {
    id: Id,
    name: String,
    is_active: Option<bool>,
    /// The older name of `isActive`.
    islinked: Option<bool>,
    last_edit: Option<Timestamp>,
    scheduling: Option<Scheduling>,
}

#[derive(Deserialize)]
struct Scheduling {
    #[serde(rename = "type")]
    kind: Option<String>,
    interval: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    scenario_logs: Vec<Log>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    id: Option<Id>,
    imt_id: Option<Id>,
    status: Option<i64>,
    timestamp: Timestamp,
    /// Milliseconds.
    duration: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Connections {
    connections: Vec<Connection>,
}

#[derive(Deserialize)]
struct Connection {
    id: Id,
    name: String,
    expire: Option<Timestamp>,
}

impl Make {
    /// A team at the address of its zone.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(
        token: Secret,
        address: &str,
        team: String,
        reach: &Reach,
    ) -> Result<Self, ProbeError> {
        let address = address.trim_end_matches('/').trim_end_matches("/api/v2");
        let api = Api::new(VENDOR, &format!("{address}/api/v2"), Shown::Token(token), reach)?;
        Ok(Self { api, team })
    }

    /// Walks over the log of one scenario; whether its end was reached.
    async fn log(
        &self,
        flow: &str,
        since: Timestamp,
        walked: &mut RunsWalked,
        visit: &mut (dyn FnMut(Run) + Send),
    ) -> Result<bool, ProbeError> {
        // What is no id of theirs must not change the path.
        if flow.is_empty() || !flow.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(false);
        }
        let mut pages = Pages::new(VENDOR.name, LOG_PAGES);
        let (path, limit) = (format!("scenarios/{flow}/logs"), PAGE.to_string());
        let mut offset = 0;
        while pages.more() {
            let from = offset.to_string();
            let query = [("pg[limit]", limit.as_str()), ("pg[offset]", from.as_str())];
            let logs: Logs =
                self.api.get(&path, &query).await.map_err(|error| {
                    needs(error, "Make: give the token the scope scenarios:read")
                })?;
            let entries = logs.scenario_logs.len();
            let (mut fresh, mut past) = (0, false);
            for log in logs.scenario_logs {
                // Without an id its time tells it apart.
                let own = log.id.or(log.imt_id).map(Id::text);
                let own = own.unwrap_or_else(|| log.timestamp.to_string());
                // A run that begins meanwhile moves the last one of a page to the next.
                if !pages.is_new(&own) {
                    continue;
                }
                fresh += 1;
                // It is newest first, and ends where the period does. The filter by time is documented in
                // two units, so it is not used.
                past |= log.timestamp < since;
                let Some(status) = log.status else { continue };
                if log.timestamp < since {
                    continue;
                }
                walked.runs += 1;
                let took = log.duration.unwrap_or_default().max(0);
                visit(Run {
                    id: own,
                    flow: flow.to_owned(),
                    status: match status {
                        1 | 2 => RunStatus::Succeeded,
                        3 => RunStatus::Failed,
                        _ => RunStatus::Other,
                    },
                    started: log.timestamp,
                    stopped: log
                        .timestamp
                        .checked_add(jiff::SignedDuration::from_millis(took))
                        .ok(),
                    recovered: false,
                    retry_of: None,
                    manual: log.kind.as_deref() == Some("manual"),
                });
            }
            pages.read(entries, fresh)?;
            if past || entries < PAGE {
                return Ok(true);
            }
            offset += entries;
        }
        Ok(false)
    }
}

impl Scenario {
    fn normal(self) -> Flow {
        let timer = self.scheduling.filter(|it| it.kind.as_deref() == Some("indefinitely"));
        Flow {
            id: self.id.text(),
            name: self.name,
            active: self.is_active.or(self.islinked).unwrap_or_default(),
            archived: false,
            updated: self.last_edit,
            // The list shows when it was last saved, and not what it does.
            definition: self.last_edit.map(|at| at.to_string()),
            every_s: timer.and_then(|timer| timer.interval),
            forgets_successes: false,
        }
    }
}

impl Automation for Make {
    fn vendor(&self) -> &'static str {
        VENDOR.name
    }

    fn flows(&self) -> Answer<'_, Result<Vec<Flow>, ProbeError>> {
        Box::pin(async {
            let mut pages = Pages::new(VENDOR.name, SCENARIO_PAGES);
            let limit = PAGE.to_string();
            let mut all: Vec<Flow> = Vec::new();
            let mut offset = 0;
            while pages.more() {
                let from = offset.to_string();
                let query = [
                    ("teamId", self.team.as_str()),
                    ("pg[limit]", limit.as_str()),
                    ("pg[offset]", from.as_str()),
                ];
                let page: Scenarios = self.api.get("scenarios", &query).await.map_err(|error| {
                    needs(error, "Make: give the token the scope scenarios:read in this team")
                })?;
                let entries = page.scenarios.len();
                let before = all.len();
                let fresh = page.scenarios.into_iter().map(Scenario::normal);
                all.extend(fresh.filter(|flow| pages.is_new(&flow.id)));
                pages.read(entries, all.len() - before)?;
                if entries < PAGE {
                    return Ok(all);
                }
                offset += entries;
            }
            Err(TargetFault::TooLarge("the list of scenarios of Make has no end".to_owned()).into())
        })
    }

    fn runs<'a>(
        &'a self,
        flows: Vec<String>,
        since: Timestamp,
        visit: Visit<'a, Run>,
    ) -> Answer<'a, Result<RunsWalked, ProbeError>> {
        Box::pin(async move {
            let end = tokio::time::Instant::now() + Duration::from_mins(1);
            let mut walked = RunsWalked::default();
            let mut limited = false;
            for (place, flow) in flows.into_iter().enumerate() {
                // The plan's limit comes before the last scenario where there are many.
                if limited || tokio::time::Instant::now() >= end {
                    walked.flows_cut.push(flow);
                    continue;
                }
                match self.log(&flow, since, &mut walked, visit).await {
                    Ok(true) => {}
                    Ok(false) => walked.flows_cut.push(flow),
                    Err(ProbeError::Agent(AgentFault::RateLimited(_))) if place > 0 => {
                        limited = true;
                        walked.flows_cut.push(flow);
                    }
                    Err(error) => return Err(error),
                }
            }
            walked.cut = !walked.flows_cut.is_empty();
            Ok(walked)
        })
    }

    fn credentials(&self) -> Answer<'_, Result<Credentials, ProbeError>> {
        Box::pin(async {
            let query = [("teamId", self.team.as_str())];
            let all: Connections =
                self.api.get("connections", &query).await.map_err(|error| {
                    needs(error, "Make: give the token the scope connections:read")
                })?;
            let now = self.api.now();
            let expired = all.connections.into_iter().filter_map(|connection| {
                let since = connection.expire.filter(|since| *since <= now)?;
                Some(ExpiredCredential { id: connection.id.text(), name: connection.name, since })
            });
            Ok(Credentials::Expired(expired.collect()))
        })
    }
}
