//! What pages, metrics and reports are given, of the rows that hold it.

use std::time::Duration;

use launchready_checks::contract::{Assessment, Status, json};

use super::fault::Fault;
use super::figures::Figures;
use super::jobs::key;
use super::row::Columns;
use super::words::word;
use super::{
    DrillRecord, HeartbeatCall, HeartbeatKey, HeartbeatRecord, HistoryPoint, IncidentCount,
    IncidentFilter, JobKey, LatestRun, Span,
};
use crate::incident::State;

/// The most spans that are given at once; the newest are kept.
pub(super) const SPANS: i64 = 2_000;
/// The most incidents that are given where the filter says nothing.
const LIMIT: usize = 200;

/// What is kept of the judgement of a run.
fn judged(row: &impl Columns) -> Result<Assessment, Fault> {
    let judgement = row.some_text("judgement")?;
    let judgement = judgement.map(|judgement| json::from_str(&judgement)).transpose()?;
    let mut assessment: Assessment = judgement.unwrap_or_default();
    assessment.measurements = json::from_str(row.text("measured")?)?;
    Ok(assessment)
}

/// Both databases read it alike.
pub(super) const LAST_LOOKS: &str = "SELECT project, CAST(sum(last_at) AS bigint) AS looked FROM job \
     WHERE last_at IS NOT NULL AND gone_at IS NULL GROUP BY project";

/// The sums of rows with `project` and `looked`.
pub(super) fn last_looks<R: Columns>(rows: &[R]) -> Result<Vec<(String, i64)>, Fault> {
    rows.iter().map(|row| Ok((row.text("project")?.to_owned(), row.number("looked")?))).collect()
}

/// The latest run of a row. One that cannot be read is not known, and hides no other.
pub(super) fn latest_run(row: &impl Columns) -> Result<LatestRun, Fault> {
    let key = key(row)?;
    let status = row.some_text("status")?;
    let unlock = row.some_text("unlock")?;
    let mut reason = row.some_text("reason")?.map(|reason| (reason, unlock.unwrap_or_default()));
    let read = judged(row).and_then(|assessment| {
        Ok((assessment, status.map(word).transpose()?.unwrap_or(Status::Unknown)))
    });
    let (assessment, status) = read.unwrap_or_else(|fault| {
        let JobKey { project, check } = &key;
        tracing::error!(project, check, "the last run cannot be read: {fault}");
        let unlock = "wait for the next look, or look again by hand".to_owned();
        reason = Some(("what is stored of the last run cannot be read".to_owned(), unlock));
        (Assessment::default(), Status::Unknown)
    });
    Ok(LatestRun {
        key,
        target: row.text("target")?.to_owned(),
        at: row.some_time("last_at")?,
        duration: Duration::from_millis(row.count("duration_ms")?),
        status,
        since: row.some_time("since")?,
        reason,
        assessment,
        next_due: row.time("due_at")?,
    })
}

/// The spans of rows that are newest first, oldest first.
pub(super) fn spans<R: Columns>(rows: &[R]) -> Result<Vec<Span>, Fault> {
    let span = |row: &R| {
        Ok(Span {
            status: row.word("status")?,
            from: row.time("from_at")?,
            to: row.time("to_at")?,
            runs: row.count("runs")?,
            reason: row.some_text("reason")?,
        })
    };
    rows.iter().rev().map(span).collect()
}

/// The figures of hours that are over, with those of the present one, by hour.
pub(super) fn points<R: Columns>(
    over: &[R],
    present: Option<&R>,
) -> Result<Vec<HistoryPoint>, Fault> {
    let figures = |row: &R| {
        let figures = Figures::from_bytes(row.bytes("figures")?).unwrap_or_default();
        Ok::<_, Fault>((row.number("hour")?, figures))
    };
    let mut hours = over.iter().map(figures).collect::<Result<Vec<_>, _>>()?;
    if let Some(present) = present {
        let (hour, figures) = figures(present)?;
        // The same hour is there already when the clock was put back.
        match hours.iter_mut().find(|(other, _)| *other == hour) {
            Some((_, other)) => other.merge(figures),
            None => hours.push((hour, figures)),
        }
    }
    hours.sort_by_key(|(hour, _)| *hour);
    Ok(hours.iter().flat_map(|(hour, figures)| figures.points(*hour)).collect())
}

impl IncidentFilter {
    /// The words of the states that are wanted.
    pub(super) fn words(&self) -> Vec<&'static str> {
        let states = match self.states.as_slice() {
            [] => &[State::Open, State::Acknowledged],
            states => states,
        };
        states.iter().map(|state| state.as_str()).collect()
    }

    /// How many are given, and how many of the newest are left out.
    pub(super) fn part(&self) -> (i64, i64) {
        let limit = if self.limit == 0 { LIMIT } else { self.limit };
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        (number(limit), number(self.offset))
    }
}

/// Incidents counted in rows.
pub(super) fn counts<R: Columns>(rows: &[R]) -> Result<Vec<IncidentCount>, Fault> {
    let mut counts = Vec::with_capacity(rows.len());
    for row in rows {
        // A body that could not be read when the column was made has no severity.
        let Ok(severity) = row.word("severity") else { continue };
        counts.push(IncidentCount {
            project: row.text("project")?.to_owned(),
            state: row.word("state")?,
            severity,
            count: row.count("count")?,
        });
    }
    Ok(counts)
}

/// The promise of a row.
pub(super) fn promise(row: &impl Columns) -> Result<HeartbeatKey, Fault> {
    Ok(HeartbeatKey {
        project: row.text("project")?.to_owned(),
        name: row.text("name")?.to_owned(),
    })
}

/// What is remembered of the promise of a row.
pub(super) fn heartbeat(row: &impl Columns) -> Result<HeartbeatRecord, Fault> {
    Ok(HeartbeatRecord {
        key: promise(row)?,
        promised_at: row.time("promised_at")?,
        first_call: row.some_time("first_call")?,
        last_start: row.some_time("last_start")?,
        last_success: row.some_time("last_success")?,
        last_failure: row.some_time("last_failure")?,
        exit: exit(row)?,
        calls: row.count("calls")?,
        failures: row.count("failures")?,
    })
}

/// The call of a row.
pub(super) fn call(row: &impl Columns) -> Result<HeartbeatCall, Fault> {
    Ok(HeartbeatCall { at: row.time("at")?, signal: row.word("signal")?, exit: exit(row)? })
}

fn exit(row: &impl Columns) -> Result<Option<u8>, Fault> {
    Ok(row.some_number("exit")?.and_then(|code| u8::try_from(code).ok()))
}

/// What is remembered of the drill of a row.
pub(super) fn drill(row: &impl Columns) -> Result<DrillRecord, Fault> {
    Ok(DrillRecord {
        mark: row.text("mark")?.to_owned(),
        project: row.text("project")?.to_owned(),
        drill: row.text("drill")?.to_owned(),
        started_at: row.time("started_at")?,
        finished_at: row.some_time("finished_at")?,
        passed: row.some_flag("passed")?,
        left: row.flag("is_left")?,
        // What another version wrote is no reason to forget that the drill was.
        record: json::from_str(row.text("record")?).unwrap_or_default(),
    })
}
