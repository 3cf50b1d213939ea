//! Zapier behind the automation port, for applications whose access token may list runs.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::probe::{
    Answer, Automation, Credentials, Flow, ProbeError, Run, RunStatus, RunsWalked, TargetFault,
    Visit,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::api::{Api, Vendor};
use super::pages::Pages;
use super::reach::Reach;
use super::shape::{Id, needs};
use super::shown::Shown;
use crate::config::Secret;

/// The vendor's address.
const ADDRESS: &str = "https://api.zapier.com";
/// Entries of one page, and the most pages of Zaps and of runs.
const PAGE: usize = 100;
const ZAP_PAGES: u32 = 20;
const RUN_PAGES: u32 = 500;

const VENDOR: Vendor = Vendor {
    name: "Zapier",
    pace: Duration::from_millis(250),
    headers: &[],
    permission: |_body| None,
    where_to: "https://developer.zapier.com",
};

/// The account behind an access token.
#[derive(Debug)]
pub struct Zapier {
    api: Api,
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(alias = "results")]
    data: Vec<T>,
}

#[derive(Deserialize)]
struct Zap {
    id: Id,
    title: Option<String>,
    is_enabled: Option<bool>,
    updated_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct ZapRun {
    id: Id,
    zap_id: Id,
    status: String,
    start_time: Timestamp,
    end_time: Option<Timestamp>,
}

impl Zapier {
    /// An account at the vendor's address, or at `address`.
    ///
    /// # Errors
    /// The address is none of the web.
    pub fn new(token: Secret, address: Option<&str>, reach: &Reach) -> Result<Self, ProbeError> {
        let address = address.unwrap_or(ADDRESS).trim_end_matches('/');
        let api = Api::new(VENDOR, &format!("{address}/v2"), Shown::Bearer(token), reach)?;
        Ok(Self { api })
    }

    /// Hands over every entry of a list; whether its end was reached.
    async fn walk<T: DeserializeOwned>(
        &self,
        path: &str,
        pairs: &[(&str, &str)],
        most: u32,
        scope: &str,
        take: &mut (dyn FnMut(T, &mut Pages) -> bool + Send),
    ) -> Result<bool, ProbeError> {
        let mut pages = Pages::new(VENDOR.name, most);
        let limit = PAGE.to_string();
        let mut offset = 0;
        while pages.more() {
            let from = offset.to_string();
            let mut query = pairs.to_vec();
            query.extend([("limit", limit.as_str()), ("offset", from.as_str())]);
            let page: Page<T> = self.api.get(path, &query).await.map_err(|error| {
                needs(error, &format!("Zapier: give the application the scope {scope}"))
            })?;
            let entries = page.data.len();
            let mut fresh = 0;
            for entry in page.data {
                fresh += usize::from(take(entry, &mut pages));
            }
            pages.read(entries, fresh)?;
            // The vendor may give fewer than were asked for.
            if entries == 0 {
                return Ok(true);
            }
            offset += entries;
        }
        Ok(false)
    }
}

fn status(word: &str) -> RunStatus {
    match word {
        "success" | "error_handled" => RunStatus::Succeeded,
        "error" | "held" => RunStatus::Failed,
        "delayed" | "scheduled" | "pending" | "throttled" => RunStatus::Running,
        _ => RunStatus::Other,
    }
}

impl Automation for Zapier {
    fn vendor(&self) -> &'static str {
        VENDOR.name
    }

    fn flows(&self) -> Answer<'_, Result<Vec<Flow>, ProbeError>> {
        Box::pin(async {
            let mut all = Vec::new();
            let mut keep = |zap: Zap, pages: &mut Pages| {
                let id = zap.id.text();
                let fresh = pages.is_new(&id);
                if fresh {
                    all.push(Flow {
                        id,
                        name: zap.title.unwrap_or_default(),
                        active: zap.is_enabled.unwrap_or_default(),
                        updated: zap.updated_at,
                        definition: zap.updated_at.map(|at| at.to_string()),
                        ..Flow::default()
                    });
                }
                fresh
            };
            if self.walk("zaps", &[], ZAP_PAGES, "zap", &mut keep).await? {
                return Ok(all);
            }
            Err(TargetFault::TooLarge("the list of Zaps has no end".to_owned()).into())
        })
    }

    fn runs<'a>(
        &'a self,
        _flows: Vec<String>,
        since: Timestamp,
        visit: Visit<'a, Run>,
    ) -> Answer<'a, Result<RunsWalked, ProbeError>> {
        Box::pin(async move {
            let mut walked = RunsWalked::default();
            let from = since.to_string();
            let mut take = |run: ZapRun, pages: &mut Pages| {
                let id = run.id.text();
                let fresh = pages.is_new(&id);
                if fresh && run.start_time >= since {
                    walked.runs += 1;
                    visit(Run {
                        id,
                        flow: run.zap_id.text(),
                        status: status(&run.status),
                        started: run.start_time,
                        stopped: run.end_time,
                        recovered: false,
                        retry_of: None,
                        manual: false,
                    });
                }
                fresh
            };
            let pairs = [("from_date", from.as_str())];
            let whole = self.walk("zap-runs", &pairs, RUN_PAGES, "zap:runs", &mut take).await?;
            walked.cut = !whole;
            Ok(walked)
        })
    }

    fn credentials(&self) -> Answer<'_, Result<Credentials, ProbeError>> {
        Box::pin(async { Ok(Credentials::Untold) })
    }
}
