//! Runs the checks of one audit at once.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Age, CheckError, DynCheck, History, Target};
use launchready_checks::probe::{AgentFault, Probes};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::record::{Outcome, RunRecord};

/// One check with what its run is given.
#[derive(Debug)]
pub struct Job {
    /// The check with its options.
    pub check: Box<dyn DynCheck>,
    /// What earlier runs and people have left for this one.
    pub inputs: Inputs,
}

/// What a run is given from earlier ones; empty in a one-shot audit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// The evidence of the last run of the same evidence version.
    pub previous: Option<Value>,
    /// What the last run carried over.
    pub carry: Option<Value>,
    /// Bounded windows of the check's own measurements.
    pub history: History,
    /// The approved evidence that drift is measured against.
    pub baseline: Option<Value>,
}

/// Told as checks end.
pub trait Progress: Send + Sync {
    /// So many checks are about to run.
    fn begin(&self, total: usize);
    /// One check has looked, or could not.
    fn ended(&self, run: &RunRecord);
    /// All have.
    fn finish(&self);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _total: usize) {}
    fn ended(&self, _run: &RunRecord) {}
    fn finish(&self) {}
}

/// Runs every job at once and gives back their records in the order of the jobs. What has not ended
/// when the limit has passed since the audit began is unknown.
pub async fn run_all(
    jobs: Vec<Job>,
    target: &Arc<Target>,
    probes: &Probes,
    now: Timestamp,
    (began, limit): (Instant, Duration),
    progress: &dyn Progress,
) -> Vec<RunRecord> {
    let deadline = began + limit;
    progress.begin(jobs.len());
    let mut running = JoinSet::new();
    let mut records: Vec<Option<RunRecord>> = Vec::new();
    let mut blank = Vec::new();
    for (index, job) in jobs.into_iter().enumerate() {
        let Inputs { previous, carry, history, baseline } = job.inputs;
        let record = RunRecord {
            id: job.check.meta().id.to_owned(),
            evidence_version: job.check.meta().evidence_version,
            options: job.check.options(),
            duration_ms: 0,
            outcome: unknown(&AgentFault::Bug("the run was lost".to_owned())),
            baseline,
            previous,
            history,
            carry: None,
        };
        blank.push(record);
        records.push(None);
        let (target, probes) = (Arc::clone(target), probes.clone());
        running.spawn(async move {
            (index, look(job.check, carry, now, &target, &probes, (deadline, limit)).await)
        });
    }
    while let Some(ended) = running.join_next().await {
        // A panic inside a check is caught by its own task in `look`; this one cannot panic.
        let Ok((index, (outcome, carry, duration_ms))) = ended else { continue };
        if let (Some(blank), Some(place)) = (blank.get(index), records.get_mut(index)) {
            let record = RunRecord { duration_ms, outcome, carry, ..blank.clone() };
            progress.ended(&record);
            *place = Some(record);
        }
    }
    progress.finish();
    records.into_iter().zip(blank).map(|(record, blank)| record.unwrap_or(blank)).collect()
}

/// One look, with its own time-out and panic guard.
async fn look(
    check: Box<dyn DynCheck>,
    carry: Option<Value>,
    now: Timestamp,
    target: &Arc<Target>,
    probes: &Probes,
    (deadline, limit): (Instant, Duration),
) -> (Outcome, Option<Value>, u64) {
    let began = Instant::now();
    let left = deadline.saturating_duration_since(began);
    let own = check.meta().timeout;
    let (target, probes) = (Arc::clone(target), probes.clone());
    let mut task = tokio::spawn(async move { check.collect(now, carry, &target, &probes).await });
    let mut carried = None;
    let outcome = match timeout(own.min(left), &mut task).await {
        Err(_elapsed) => {
            task.abort();
            let (limit, whose) = if left < own { (limit, "audit") } else { (own, "check") };
            unknown(&AgentFault::TimeLimit(format!("{} of the {whose}", Age(limit))))
        }
        Ok(Err(_panic)) => unknown(&AgentFault::Bug("the check panicked".to_owned())),
        Ok(Ok(Ok(looked))) => {
            carried = Some(looked.carry).filter(|carry| !carry.is_null());
            Outcome::Looked { evidence: looked.evidence }
        }
        Ok(Ok(Err(CheckError::Skipped { reason, unlock }))) => Outcome::Skipped { reason, unlock },
        Ok(Ok(Err(CheckError::Unknown { cause, unlock }))) => Outcome::Unknown { cause, unlock },
    };
    (outcome, carried, u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX))
}

fn unknown(fault: &AgentFault) -> Outcome {
    Outcome::Unknown { cause: fault.to_string(), unlock: fault.unlock().to_owned() }
}
