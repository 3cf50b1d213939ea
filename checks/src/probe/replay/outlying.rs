//! Answers the automation, edge and hosting ports from a written-down world.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use super::{Replay, fault};
use crate::probe::{
    Answer, Automation, Credentials, Deployment, Deployments, Edge, EdgeRecord, EdgeRecords,
    EdgeZone, ExpiredCredential, Flow, Hosting, ProbeError, Run, RunsWalked, Variable, Visit,
};

/// An automation service.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AutomationWorld {
    /// Flows.
    pub flow: Vec<Flow>,
    /// Runs, one by one.
    pub run: Vec<Run>,
    /// Runs that come at regular times.
    pub series: Vec<SeriesWorld>,
    /// Credentials that have expired; absent where the vendor does not tell.
    pub expired: Option<Vec<ExpiredCredential>>,
    /// Flows whose runs are not listed to the end.
    pub cut: Vec<String>,
    /// What fails: `flows`, `runs`, `credentials`, by the words of [`super::HttpEntry::fault`].
    pub fault: BTreeMap<String, String>,
}

/// Runs of one flow at regular times.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesWorld {
    /// The flow.
    pub flow: String,
    /// The last run began so many seconds ago.
    pub last_s: i64,
    /// Seconds between two.
    pub every_s: i64,
    /// How many.
    pub runs: u32,
    /// So many of them failed: the oldest ones.
    #[serde(default)]
    pub failed: u32,
}

/// An account at an edge network.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeWorld {
    /// The zone; absent where the token sees none.
    pub zone: Option<EdgeZone>,
    /// Its records.
    pub record: Vec<EdgeRecord>,
    /// There are more records.
    pub cut: bool,
    /// What fails: `zone`, `records`.
    pub fault: BTreeMap<String, String>,
}

/// An account where a site runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HostingWorld {
    /// What is live, by its id.
    pub live: Option<String>,
    /// Deployments, newest first.
    pub deployment: Vec<Deployment>,
    /// The deployment that answers at each host name, by its id.
    pub at: BTreeMap<String, String>,
    /// Environment variables.
    pub variable: Vec<Variable>,
    /// What fails: `deployments`, `variables`.
    pub fault: BTreeMap<String, String>,
}

fn refused<T>(
    world: Option<&T>,
    faults: impl Fn(&T) -> &BTreeMap<String, String>,
    part: &str,
) -> Result<(), ProbeError> {
    let word = world.and_then(|world| faults(world).get(part));
    word.map_or(Ok(()), |word| Err(fault(word, &format!("the {part} of the vendor"))))
}

impl AutomationWorld {
    /// Every run, newest first.
    fn runs(&self, now: Timestamp) -> Vec<Run> {
        let mut all = self.run.clone();
        for series in &self.series {
            for index in 0..series.runs {
                let ago = series.last_s + series.every_s * i64::from(index);
                let failed = index + series.failed >= series.runs;
                let started = now.as_second() - ago;
                all.push(Run {
                    id: format!("{}-{index}", series.flow),
                    flow: series.flow.clone(),
                    status: if failed {
                        crate::probe::RunStatus::Failed
                    } else {
                        crate::probe::RunStatus::Succeeded
                    },
                    started: Timestamp::from_second(started).unwrap_or(now),
                    stopped: None,
                    recovered: false,
                    retry_of: None,
                    manual: false,
                });
            }
        }
        all.sort_by_key(|run| std::cmp::Reverse(run.started));
        all
    }
}

impl Automation for Replay {
    fn vendor(&self) -> &'static str {
        "n8n"
    }

    fn flows(&self) -> Answer<'_, Result<Vec<Flow>, ProbeError>> {
        let world = self.world.automation.as_ref();
        let flows = refused(world, |world| &world.fault, "flows")
            .map(|()| world.map(|world| world.flow.clone()).unwrap_or_default());
        Box::pin(async move { flows })
    }

    fn runs<'a>(
        &'a self,
        flows: Vec<String>,
        since: Timestamp,
        visit: Visit<'a, Run>,
    ) -> Answer<'a, Result<RunsWalked, ProbeError>> {
        self.count("RUNS".to_owned());
        let world = self.world.automation.as_ref();
        let walked = refused(world, |world| &world.fault, "runs").map(|()| {
            let mut walked = RunsWalked::default();
            let Some(world) = world else { return walked };
            walked.flows_cut.clone_from(&world.cut);
            walked.cut = !world.cut.is_empty();
            let wanted = |run: &Run| run.started >= since && flows.contains(&run.flow);
            for run in world.runs(self.now).into_iter().filter(wanted) {
                walked.runs += 1;
                visit(run);
            }
            walked
        });
        Box::pin(async move { walked })
    }

    fn credentials(&self) -> Answer<'_, Result<Credentials, ProbeError>> {
        let world = self.world.automation.as_ref();
        let told = refused(world, |world| &world.fault, "credentials").map(|()| {
            let expired = world.and_then(|world| world.expired.clone());
            expired.map_or(Credentials::Untold, Credentials::Expired)
        });
        Box::pin(async move { told })
    }
}

impl Edge for Replay {
    fn vendor(&self) -> &'static str {
        "Cloudflare"
    }

    fn zone(&self, _domain: String) -> Answer<'_, Result<Option<EdgeZone>, ProbeError>> {
        let world = self.world.edge.as_ref();
        let zone = refused(world, |world| &world.fault, "zone")
            .map(|()| world.and_then(|world| world.zone.clone()));
        Box::pin(async move { zone })
    }

    fn records(&self, _zone: String) -> Answer<'_, Result<EdgeRecords, ProbeError>> {
        let world = self.world.edge.as_ref();
        let records = refused(world, |world| &world.fault, "records").map(|()| {
            let records =
                |world: &EdgeWorld| EdgeRecords { all: world.record.clone(), cut: world.cut };
            world.map(records).unwrap_or_default()
        });
        Box::pin(async move { records })
    }
}

impl Hosting for Replay {
    fn vendor(&self) -> &'static str {
        "Vercel"
    }

    fn deployments(&self, hosts: Vec<String>) -> Answer<'_, Result<Deployments, ProbeError>> {
        let world = self.world.hosting.as_ref();
        let told = refused(world, |world| &world.fault, "deployments").map(|()| {
            let Some(world) = world else { return Deployments::default() };
            let by_id = |id: &String| world.deployment.iter().find(|one| one.id == *id).cloned();
            let at = |host: String| Some((host.clone(), by_id(world.at.get(&host)?)?));
            Deployments {
                live: world.live.as_ref().and_then(by_id),
                recent: world.deployment.clone(),
                at: hosts.into_iter().filter_map(at).collect(),
            }
        });
        Box::pin(async move { told })
    }

    fn variables(&self) -> Answer<'_, Result<Vec<Variable>, ProbeError>> {
        let world = self.world.hosting.as_ref();
        let variables = refused(world, |world| &world.fault, "variables")
            .map(|()| world.map(|world| world.variable.clone()).unwrap_or_default());
        Box::pin(async move { variables })
    }
}
