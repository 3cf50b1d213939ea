//! n8n behind the automation port: workflows, and executions newest first.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{
    Answer, Automation, Credentials, Flow, ProbeError, Run, RunStatus, RunsWalked, TargetFault,
    Visit,
};
use reqwest::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::api::{Api, Vendor};
use super::pages::Pages;
use super::reach::Reach;
use super::shape::{Id, needs};
use super::shown::Shown;
use crate::config::Secret;

/// Pages of workflows: 50 on each, because each carries all its steps.
const FLOW_PAGES: u32 = 40;
const FLOWS: &str = "50";
/// Pages of executions, 250 on each, the most that the vendor gives.
const RUN_PAGES: u32 = 2_000;
const RUNS: &str = "250";

const VENDOR: Vendor = Vendor {
    name: "n8n",
    // It names no rate; one's own server is left room for its work.
    pace: Duration::from_millis(20),
    headers: &[],
    permission: |_body| None,
    where_to: "https://YOUR-N8N/settings/api",
};

/// An instance of n8n.
#[derive(Debug)]
pub struct N8n {
    api: Api,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Workflow {
    id: Id,
    name: String,
    active: bool,
    #[serde(default)]
    is_archived: bool,
    updated_at: Option<Timestamp>,
    #[serde(default)]
    nodes: Vec<Value>,
    #[serde(default)]
    connections: Value,
    #[serde(default)]
    settings: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    id: Id,
    workflow_id: Option<Id>,
    status: Option<String>,
    mode: Option<String>,
    finished: Option<bool>,
    started_at: Option<Timestamp>,
    stopped_at: Option<Timestamp>,
    retry_of: Option<Id>,
    retry_success_id: Option<Id>,
}

impl N8n {
    /// The instance at an address.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(key: Secret, address: &str, reach: &Reach) -> Result<Self, ProbeError> {
        let address = address.trim_end_matches('/').trim_end_matches("/api/v1");
        let shown = Shown::Header("x-n8n-api-key", key);
        Ok(Self { api: Api::new(VENDOR, &format!("{address}/api/v1"), shown, reach)? })
    }

    async fn page<T: DeserializeOwned>(
        &self,
        list: &str,
        limit: &str,
        cursor: Option<&str>,
        scope: &str,
    ) -> Result<Page<T>, ProbeError> {
        let mut query = vec![("limit", limit)];
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let reply = self.api.any(Method::GET, list, &query, None).await?;
        match reply.status {
            200..=299 => reply.json(self.api.vendor()),
            404 => Err(TargetFault::Malformed(
                "n8n answers 404: project.automation.api is not its address, or its public API is off, as it \
                 is in a trial"
                    .to_owned(),
            )
            .into()),
            _ => Err(needs(self.api.refused(&reply), &format!("n8n: give the API key the scope {scope}"))),
        }
    }
}

impl Workflow {
    fn normal(self) -> Flow {
        let forgets = self.settings.get("saveDataSuccessExecution").and_then(Value::as_str);
        Flow {
            every_s: every_s(&self.nodes),
            definition: Some(self.definition()),
            forgets_successes: forgets == Some("none"),
            id: self.id.text(),
            name: self.name,
            active: self.active,
            archived: self.is_archived,
            updated: self.updated_at,
        }
    }

    /// A hash of what the workflow does. Where its boxes stand on the canvas changes nothing.
    fn definition(&self) -> String {
        let mut hash = Sha256::new();
        for node in &self.nodes {
            let mut node = node.clone();
            if let Some(node) = node.as_object_mut() {
                node.remove("position");
            }
            hash.update(node.to_string());
        }
        hash.update(self.connections.to_string());
        hash.update(self.settings.to_string());
        hex::encode(hash.finalize().get(..8).unwrap_or_default())
    }
}

/// The seconds between two runs, where one schedule alone starts the workflow, and at equal times.
fn every_s(nodes: &[Value]) -> Option<u64> {
    let kind = |node: &&Value| {
        let kind = node.get("type").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        let off = node.get("disabled").and_then(Value::as_bool) == Some(true);
        !off && (kind.ends_with("trigger")
            || kind.ends_with(".webhook")
            || kind.rsplit('.').next() == Some("cron"))
            && !kind.ends_with("manualtrigger")
            && !kind.ends_with("errortrigger")
    };
    let mut triggers = nodes.iter().filter(kind);
    let (only, None) = (triggers.next()?, triggers.next()) else { return None };
    if only.get("type")?.as_str()? != "n8n-nodes-base.scheduleTrigger" {
        return None;
    }
    let rules = only.pointer("/parameters/rule/interval")?.as_array()?;
    let [rule] = rules.as_slice() else { return None };
    let number = |name: &str, usual: u64| rule.get(name).map_or(Some(usual), Value::as_u64);
    // Left out is what the editor shows when the rule is made.
    match rule.get("field").map_or(Some("days"), Value::as_str)? {
        "seconds" => number("secondsInterval", 30),
        "minutes" => number("minutesInterval", 5)?.checked_mul(60),
        "hours" => number("hoursInterval", 1)?.checked_mul(3_600),
        "days" => number("daysInterval", 1)?.checked_mul(86_400),
        _ => None,
    }
}

impl Execution {
    /// A run; `None` for one that has not begun, or whose workflow is not named.
    fn normal(self) -> Option<Run> {
        let status = match (self.status.as_deref(), self.finished, self.stopped_at) {
            (Some("success"), ..) | (None, Some(true), _) => RunStatus::Succeeded,
            (Some("error" | "crashed"), ..) | (None, _, Some(_)) => RunStatus::Failed,
            (Some("running" | "waiting" | "new"), ..) | (None, _, None) => RunStatus::Running,
            (Some(_), ..) => RunStatus::Other,
        };
        Some(Run {
            id: self.id.text(),
            flow: self.workflow_id?.text(),
            status,
            started: self.started_at?,
            stopped: self.stopped_at,
            recovered: self.retry_success_id.and_then(Id::some).is_some(),
            retry_of: self.retry_of.and_then(Id::some),
            manual: self.mode.as_deref() == Some("manual"),
        })
    }
}

impl Automation for N8n {
    fn vendor(&self) -> &'static str {
        VENDOR.name
    }

    fn flows(&self) -> Answer<'_, Result<Vec<Flow>, ProbeError>> {
        Box::pin(async {
            let mut pages = Pages::new(VENDOR.name, FLOW_PAGES);
            let mut all: Vec<Flow> = Vec::new();
            let mut cursor: Option<String> = None;
            while pages.more() {
                let page: Page<Workflow> =
                    self.page("workflows", FLOWS, cursor.as_deref(), "workflow:list").await?;
                let entries = page.data.len();
                let before = all.len();
                let fresh = page.data.into_iter().map(Workflow::normal);
                all.extend(fresh.filter(|flow| pages.is_new(&flow.id)));
                pages.read(entries, all.len() - before)?;
                cursor = page.next_cursor.filter(|cursor| !cursor.is_empty());
                match &cursor {
                    Some(cursor) => pages.follow(cursor)?,
                    None => return Ok(all),
                }
            }
            Err(TargetFault::TooLarge("the list of workflows of n8n has no end".to_owned()).into())
        })
    }

    fn runs<'a>(
        &'a self,
        _flows: Vec<String>,
        since: Timestamp,
        visit: Visit<'a, Run>,
    ) -> Answer<'a, Result<RunsWalked, ProbeError>> {
        Box::pin(async move {
            let mut pages = Pages::new(VENDOR.name, RUN_PAGES);
            let mut walked = RunsWalked::default();
            let mut cursor: Option<String> = None;
            while pages.more() {
                let page: Page<Execution> =
                    self.page("executions", RUNS, cursor.as_deref(), "execution:list").await?;
                let entries = page.data.len();
                let mut fresh = 0;
                let mut past = false;
                for execution in page.data {
                    if !pages.is_new(&execution.id.clone().text()) {
                        continue;
                    }
                    fresh += 1;
                    // There is no filter by time: the list is newest first, and ends where the period does.
                    past |= execution.started_at.is_some_and(|started| started < since);
                    if let Some(run) = execution.normal().filter(|run| run.started >= since) {
                        walked.runs += 1;
                        visit(run);
                    }
                }
                pages.read(entries, fresh)?;
                cursor = page.next_cursor.filter(|cursor| !cursor.is_empty());
                match &cursor {
                    Some(cursor) if !past => pages.follow(cursor)?,
                    _ => return Ok(walked),
                }
            }
            Ok(RunsWalked { cut: true, ..walked })
        })
    }

    fn credentials(&self) -> Answer<'_, Result<Credentials, ProbeError>> {
        Box::pin(async { Ok(Credentials::Untold) })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_schedule_alone_says_how_often() {
        let schedule = |rule: Value| json!({ "type": "n8n-nodes-base.scheduleTrigger", "parameters": { "rule": { "interval": [rule] } } });
        let minutes = schedule(json!({ "field": "minutes", "minutesInterval": 15 }));
        assert_eq!(every_s(std::slice::from_ref(&minutes)), Some(900));
        assert_eq!(every_s(&[schedule(json!({ "field": "hours" }))]), Some(3600));
        assert_eq!(every_s(&[schedule(json!({}))]), Some(86_400));
        assert_eq!(every_s(&[schedule(json!({ "field": "cronExpression" }))]), None);
        let manual = json!({ "type": "n8n-nodes-base.manualTrigger" });
        assert_eq!(every_s(&[minutes.clone(), manual]), Some(900));
        let webhook = json!({ "type": "n8n-nodes-base.webhook" });
        assert_eq!(every_s(&[minutes, webhook]), None, "customers start it too");
    }

    #[test]
    fn the_words_of_the_vendor_are_known_and_new_ones_are_other() {
        let run = |text: &str| {
            let text = format!(
                "{{\"id\":1,\"workflowId\":\"a\",\"startedAt\":\"2026-11-23T08:00:01.120Z\",{text}}}"
            );
            serde_json::from_str::<Execution>(&text).unwrap().normal().unwrap()
        };
        for (text, status) in [
            ("\"status\":\"success\"", RunStatus::Succeeded),
            ("\"status\":\"crashed\"", RunStatus::Failed),
            ("\"status\":\"waiting\"", RunStatus::Running),
            ("\"status\":\"canceled\"", RunStatus::Other),
            ("\"status\":\"evaluating\"", RunStatus::Other),
            ("\"finished\":true", RunStatus::Succeeded),
            ("\"finished\":false,\"stoppedAt\":\"2026-11-23T08:00:02Z\"", RunStatus::Failed),
        ] {
            assert_eq!(run(text).status, status, "{text}");
        }
        let failed = run("\"status\":\"error\",\"retrySuccessId\":48212,\"retryOf\":null");
        assert!(failed.recovered && failed.retry_of.is_none());
        assert!(run("\"status\":\"error\",\"mode\":\"manual\"").manual);
    }
}
