//! What one run has to know of its job, and what it leaves behind beside incidents.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{Assessment, History, Measurement, Point, Status};
use serde_json::Value;

use super::evidence::{hash_text, unpack};
use super::fault::Fault;
use super::figures::{Figures, hour_of};
use super::row::Columns;
use super::words::{at, json, ms, word};
use super::{Approved, Committed, Finished, JobKey, RunInputs};
use crate::incident::{RunSeen, Sight};

/// The most points that a run is given of its history.
pub(super) const POINTS: i64 = 20_000;

/// What a run that cannot be stored asks of people.
pub const REPORT_IT: &str = "report it as a bug of launchready, with the log of the agent";

/// A job with what it remembers of earlier runs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) target: String,
    pub(super) due_at: i64,
    pub(super) last_due: Option<i64>,
    pub(super) evidence: Option<Vec<u8>>,
    pub(super) judged: Option<Vec<u8>>,
    pub(super) carried: Option<Vec<u8>>,
    last_look: Option<i64>,
    blind_runs: i64,
    blind_since: Option<i64>,
    status: Option<Status>,
    since: Option<i64>,
    reason: Option<String>,
    span: Option<i64>,
    hour: Option<i64>,
    figures: Option<Vec<u8>>,
}

impl Job {
    /// The job of a row with the names of these fields.
    pub(super) fn read(row: &impl Columns) -> Result<Self, Fault> {
        Ok(Self {
            id: row.number("id")?,
            target: row.text("target")?.to_owned(),
            due_at: row.number("due_at")?,
            last_due: row.some_number("last_due")?,
            last_look: row.some_number("last_look")?,
            blind_runs: row.number("blind_runs")?,
            blind_since: row.some_number("blind_since")?,
            evidence: row.some_bytes("evidence")?,
            // A word that nobody knows is no status to go on from.
            status: row.some_text("status")?.and_then(|status| word(status).ok()),
            since: row.some_number("since")?,
            reason: row.some_text("reason")?,
            span: row.some_number("span")?,
            judged: row.some_bytes("judged")?,
            carried: row.some_bytes("carried")?,
            hour: row.some_number("hour")?,
            figures: row.some_bytes("figures")?,
        })
    }

    /// Whether a run is left out: one of the same or a later due time is stored, or it looked at the domain
    /// that the project had before, which says nothing of the present one.
    pub(super) fn leaves_out(&self, run: &Finished) -> bool {
        self.target != run.seen.target || self.last_due.is_some_and(|last| ms(run.due_at) <= last)
    }

    /// What a run saw, with what only the store knows.
    pub(super) fn fill_in(&self, run: &Finished) -> RunSeen {
        let mut seen = run.seen.clone();
        seen.first = self.last_due.is_none();
        seen.last_look = self.last_look.map(at);
        if let Sight::Blind { runs, since, .. } = &mut seen.sight {
            *runs = u32::try_from(self.blind_runs.saturating_add(1)).unwrap_or(u32::MAX);
            *since = self.blind_since.map_or(run.started_at, at);
        }
        seen
    }

    /// The span that a run makes longer; none where it begins one. `reason` is that of the run, as it is kept.
    pub(super) fn extends(&self, run: &Finished, reason: Option<&str>) -> Option<i64> {
        let is_alike = self.status == Some(run.status) && self.reason.as_deref() == reason;
        self.span.filter(|_| is_alike)
    }

    /// Since when the job has the status of a run.
    pub(super) fn since(&self, run: &Finished) -> i64 {
        self.since.filter(|_| self.status == Some(run.status)).unwrap_or(ms(run.started_at))
    }

    /// When the job looked last, after how many runs in a row that could not, and since when they could not.
    pub(super) fn sight(&self, run: &Finished) -> (Option<i64>, i64, Option<i64>) {
        let started = ms(run.started_at);
        match run.seen.sight {
            Sight::Looked { .. } => (Some(started), 0, None),
            Sight::Blind { .. } => {
                (self.last_look, self.blind_runs + 1, Some(self.blind_since.unwrap_or(started)))
            }
            Sight::Skipped => (self.last_look, 0, None),
        }
    }

    /// The figures of the hour of a run with its measurements, and those of an hour that is over.
    pub(super) fn count(&self, run: &Finished) -> Counted {
        let hour = hour_of(run.started_at);
        let (mut figures, mut over) = (Figures::default(), None);
        if let (Some(before), Some(bytes)) = (self.hour, &self.figures) {
            let kept = readable(bytes, &run.key);
            if before == hour {
                figures = kept;
            } else if !kept.is_empty() {
                over = Some((before, kept));
            }
        }
        figures.add(&run.assessment.measurements);
        Counted { hour, figures: figures.to_bytes(), over }
    }
}

/// See [`Job::count`].
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) hour: i64,
    pub(super) figures: Vec<u8>,
    /// Figures that move into a row of their own.
    pub(super) over: Option<(i64, Figures)>,
}

/// Figures that are kept. Those that cannot be read begin anew: they must not keep a run from being stored.
pub(super) fn readable(bytes: &[u8], key: &JobKey) -> Figures {
    Figures::from_bytes(bytes).unwrap_or_else(|| {
        let JobKey { project, check } = key;
        tracing::error!(project, check, "the figures of an hour cannot be read, and begin anew");
        Figures::default()
    })
}

/// When a run has its job due next, and whether that is early.
///
/// A job may be moved during its run: somebody asks for a look at once, or its schedule changes. It has a due time
/// behind that of the run then, and whoever stores the run keeps the earlier one of both.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next {
    pub(super) at: Timestamp,
    pub(super) early: bool,
}

impl Next {
    /// With its schedule, or sooner where a finding is suspected. Never within a second of the run's
    /// beginning, and always after its own due time, which is the key of the run.
    pub(super) fn after(run: &Finished, look_again: Option<Timestamp>) -> Self {
        let after = |time: Timestamp, gap: SignedDuration| time.checked_add(gap).unwrap_or(time);
        let least = after(run.started_at, SignedDuration::from_secs(1))
            .max(after(run.due_at, SignedDuration::from_millis(1)));
        let early = look_again.filter(|again| *again < run.next_due);
        Self { at: early.unwrap_or(run.next_due).max(least), early: early.is_some() }
    }
}

/// A run that is not stored, and so changes nothing; `due_at` is that of its job, where there is one.
pub(super) fn not_stored(run: &Finished, due_at: Option<i64>) -> Committed {
    let next_due = due_at.map_or(run.next_due, at);
    Committed { key: run.key.clone(), stored: false, changes: Vec::new(), next_due }
}

/// When a run ended.
pub(super) fn end_of(run: &Finished) -> Timestamp {
    SignedDuration::try_from(run.duration)
        .ok()
        .and_then(|duration| run.started_at.checked_add(duration).ok())
        .unwrap_or(run.started_at)
}

/// How long a run took.
pub(super) fn duration_ms(run: &Finished) -> i64 {
    i64::try_from(run.duration.as_millis()).unwrap_or(i64::MAX)
}

/// A judgement without its measurements, which differ from run to run, and its hash.
pub(super) fn lasting(assessment: &Assessment) -> Result<(String, Vec<u8>), Fault> {
    let lasting = Assessment {
        findings: assessment.findings.clone(),
        measurements: Vec::new(),
        not_checked: assessment.not_checked.clone(),
        blind: assessment.blind,
    };
    let body = json(&lasting)?;
    let judged = hash_text(&body).to_vec();
    Ok((body, judged))
}

/// The measurements of a run as they are kept. JSON has no infinity; a value that is no number is no
/// measurement.
pub(super) fn measured(run: &Finished) -> Result<String, Fault> {
    Ok(json(&finite(run).collect::<Vec<_>>())?)
}

fn finite(run: &Finished) -> impl Iterator<Item = &Measurement> {
    run.assessment.measurements.iter().filter(|measurement| measurement.value.is_finite())
}

/// A value that is kept for as long as its check reads it as history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'r> {
    pub(super) name: &'r str,
    pub(super) subject: &'r str,
    pub(super) value: f64,
    pub(super) until: i64,
}

/// Single values of the measurements that the check reads as history.
pub(super) fn points(run: &Finished) -> impl Iterator<Item = Kept<'_>> {
    finite(run).filter_map(|measurement| {
        let window = run.windows.iter().find(|(name, _)| *name == measurement.name);
        let (_, window) = window.filter(|(_, window)| !window.is_zero())?;
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        Some(Kept {
            name: &measurement.name,
            subject: measurement.subject.as_deref().unwrap_or_default(),
            value: measurement.value,
            until: ms(run.started_at).saturating_add(window),
        })
    })
}

/// What a run is given: of its job `evidence_version`, `evidence` and `carry`; the points of its history,
/// newest first; and what was approved.
pub(super) fn inputs<R: Columns>(
    job: &R,
    points: &[R],
    approved: Option<Approved>,
) -> Result<RunInputs, Fault> {
    let mut inputs = RunInputs {
        baseline: approved.map(|one| (one.version, one.evidence)),
        ..RunInputs::default()
    };
    let version = job.some_number("evidence_version")?;
    let version = version.and_then(|version| u32::try_from(version).ok());
    if let (Some(version), Some(bytes)) = (version, job.some_bytes("evidence")?) {
        inputs.previous = Some((version, unpack(&bytes)?));
    }
    let carry = job.some_text("carry")?;
    inputs.carry = carry.map(|carry| serde_json::from_str::<Value>(&carry)).transpose()?;
    let mut history = History::default();
    for row in points.iter().rev() {
        let subject = row.text("subject")?.to_owned();
        let point = Point {
            at: row.time("at")?,
            value: row.real("value")?,
            subject: Some(subject).filter(|subject| !subject.is_empty()),
        };
        history.0.entry(row.text("name")?.to_owned()).or_default().push(point);
    }
    inputs.history = history;
    Ok(inputs)
}

/// What was approved, of a row of the table `baseline`.
pub(super) fn approved(row: &impl Columns) -> Result<Approved, Fault> {
    Ok(Approved {
        project: row.text("project")?.to_owned(),
        check: row.text("check_id")?.to_owned(),
        version: u32::try_from(row.number("evidence_version")?).unwrap_or_default(),
        evidence: unpack(row.bytes("evidence")?)?,
        at: row.time("approved_at")?,
        by: row.text("approved_by")?.to_owned(),
        note: row.text("note")?.to_owned(),
    })
}
