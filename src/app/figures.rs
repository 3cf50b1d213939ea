//! What other checks of a project measured last, behind the port of the checks: in an audit from the runs
//! beside it, in the agent from the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use launchready_checks::contract::{Assessment, CheckError, Need, Status};
use launchready_checks::probe::{AgentFault, Answer, Figure, Figures, ProbeError};
use launchready_checks::registry;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::heard::Nobody;
use crate::engine::{AuditRecord, Progress, RunRecord, judge_run};
use crate::store::{LatestRun, Store, StoreError};

/// The agent waits so long for runs that have never ended, such as those of its first minute.
const FIRST_RUNS: Duration = Duration::from_secs(20);
/// The store is asked so often meanwhile.
const ASKED_EVERY: Duration = Duration::from_millis(500);
/// The part of an audit's time that is left for what counts, once it has waited.
const LEFT: Duration = Duration::from_secs(2);

/// What the runs of one audit ended in, by check.
type Known = BTreeMap<String, (jiff::Timestamp, Result<Assessment, CheckError>)>;

/// The checks that a check counts; nothing where it counts none.
pub(crate) fn counted_by(id: &str) -> impl Iterator<Item = &'static str> {
    let needs = registry::find(id).map_or(&[][..], |plugin| plugin.meta.needs);
    let counted = needs.iter().filter_map(|need| match need {
        Need::Figures(figures) => Some(figures.iter().map(|(check, _)| *check)),
        Need::Ownership | Need::Setting(_) => None,
    });
    counted.flatten().collect::<BTreeSet<_>>().into_iter()
}

/// The figures of the runs of one audit, and of a store where there is one.
#[derive(Debug)]
pub(crate) struct Beside {
    known: watch::Receiver<Known>,
    /// The checks that look in this audit.
    asked: BTreeSet<&'static str>,
    /// What has not ended then does not count.
    deadline: Instant,
    store: Option<Arc<dyn Store>>,
}

/// Tells [`Beside`] of each run that ends, and passes everything on.
pub(crate) struct Overheard<'a> {
    known: watch::Sender<Known>,
    counted: BTreeSet<&'static str>,
    /// Looked with for their figures alone: the reader did not ask for them.
    extra: BTreeSet<&'static str>,
    record: AuditRecord,
    further: &'a dyn Progress,
}

/// The two ends for an audit that runs these checks, and some more for their figures alone.
pub(crate) fn overhear<'a>(
    (ids, extra): (&[&'static str], &[&'static str]),
    record: AuditRecord,
    (began, limit): (Instant, Duration),
    store: Option<Arc<dyn Store>>,
    further: &'a dyn Progress,
) -> (Beside, Overheard<'a>) {
    let (sender, known) = watch::channel(Known::new());
    let deadline = began + limit.checked_sub(LEFT).unwrap_or(limit / 2);
    let asked: BTreeSet<_> = ids.iter().chain(extra).copied().collect();
    let counted = ids.iter().flat_map(|id| counted_by(id)).collect();
    let extra = extra.iter().copied().collect();
    let beside = Beside { known, asked, deadline, store };
    (beside, Overheard { known: sender, counted, extra, record, further })
}

impl Progress for Overheard<'_> {
    fn begin(&self, total: usize) {
        self.further.begin(total.saturating_sub(self.extra.len()));
    }

    fn ended(&self, run: &RunRecord) {
        if let Some(id) = self.counted.get(run.id.as_str()) {
            let judged = (self.record.started_at, judge_run(&self.record, run));
            self.known.send_modify(|known| drop(known.insert((*id).to_owned(), judged)));
        }
        if !self.extra.contains(run.id.as_str()) {
            self.further.ended(run);
        }
    }

    fn finish(&self) {
        self.further.finish();
    }
}

impl Figures for Beside {
    fn figures<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [(&'static str, &'static str)],
    ) -> Answer<'a, Result<Vec<Figure>, ProbeError>> {
        Box::pin(async move {
            let awaited = |known: &Known| wanted.iter().all(|(id, _)| self.is_settled(known, id));
            let mut known = self.known.clone();
            // Whatever has ended by then counts.
            drop(timeout_at(self.deadline, known.wait_for(awaited)).await);
            let known = known.borrow().clone();
            let elsewhere = wanted.iter().any(|(id, _)| !self.asked.contains(id));
            let stored = match &self.store {
                Some(store) if elsewhere => store.latest(Some(project)).await.map_err(failed)?,
                _ => Vec::new(),
            };
            let figure = |(id, name): &(&'static str, &'static str)| match known.get(*id) {
                Some((at, judged)) => figure_of(judged.as_ref(), *at, name),
                None if self.asked.contains(id) => Figure::Unknown {
                    cause: format!("{id} had not ended when the hand-work was counted"),
                    unlock: "give the audit more time with --time-limit".to_owned(),
                },
                None => stored_figure(&stored, id, name),
            };
            Ok(wanted.iter().map(figure).collect())
        })
    }
}

impl Beside {
    fn is_settled(&self, known: &Known, id: &str) -> bool {
        !self.asked.contains(id) || known.contains_key(id)
    }
}

/// The figures of the runs that an agent has stored.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) store: Arc<dyn Store>,
}

impl Figures for Nobody {
    fn figures<'a>(
        &'a self,
        _project: &'a str,
        wanted: &'a [(&'static str, &'static str)],
    ) -> Answer<'a, Result<Vec<Figure>, ProbeError>> {
        Box::pin(async move { Ok(vec![Figure::NotAsked; wanted.len()]) })
    }
}

impl Figures for Kept {
    fn figures<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [(&'static str, &'static str)],
    ) -> Answer<'a, Result<Vec<Figure>, ProbeError>> {
        Box::pin(async move {
            let until = Instant::now() + FIRST_RUNS;
            let latest = loop {
                let latest = self.store.latest(Some(project)).await.map_err(failed)?;
                let is_new = |run: &LatestRun| {
                    run.at.is_none() && wanted.iter().any(|(id, _)| run.key.check == *id)
                };
                if !latest.iter().any(is_new) || Instant::now() > until {
                    break latest;
                }
                sleep(ASKED_EVERY).await;
            };
            Ok(wanted.iter().map(|(id, name)| stored_figure(&latest, id, name)).collect())
        })
    }
}

#[allow(clippy::needless_pass_by_value, reason = "it is handed to map_err")]
fn failed(error: StoreError) -> ProbeError {
    AgentFault::Bug(error.to_string()).into()
}

fn stored_figure(latest: &[LatestRun], id: &str, name: &str) -> Figure {
    let Some(run) = latest.iter().find(|run| run.key.check == id) else { return Figure::NotAsked };
    let Some(at) = run.at else {
        return Figure::Unknown {
            cause: format!("{id} has not run yet"),
            unlock: "wait for its first run".to_owned(),
        };
    };
    let ended = match (run.status, &run.reason) {
        (Status::Skipped, Some((reason, unlock))) => Err(CheckError::skipped(reason, unlock)),
        (Status::Unknown, Some((cause, unlock))) => Err(CheckError::unknown(cause, unlock)),
        _ => Ok(&run.assessment),
    };
    figure_of(ended.as_ref().map(|assessment| *assessment), at, name)
}

/// What a run says of one measurement.
fn figure_of(judged: Result<&Assessment, &CheckError>, at: jiff::Timestamp, name: &str) -> Figure {
    match judged {
        Err(CheckError::Skipped { reason, unlock }) => {
            Figure::Skipped { reason: reason.clone(), unlock: unlock.clone() }
        }
        Err(CheckError::Unknown { cause, unlock }) => {
            Figure::Unknown { cause: cause.clone(), unlock: unlock.clone() }
        }
        Ok(assessment) => {
            let mine = assessment.measurements.iter().filter(|measured| measured.name == name);
            let values: Vec<f64> = mine.map(|measured| measured.value).collect();
            let value = values.iter().sum::<f64>();
            if values.is_empty() || !value.is_finite() {
                Figure::Unmeasured
            } else {
                Figure::Measured { value, at }
            }
        }
    }
}
