//! What pages, metrics and reports read.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Assessment, Status};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::Connections;
use super::fault::Fault;
use super::incidents;
use super::sending::delivery;
use crate::incident::{Incident, State};
use crate::store::figures::{Figures, hour_of};
use crate::store::words::{at, json, ms, word};
use crate::store::{
    HistoryPoint, IncidentCount, IncidentFilter, IncidentRecord, JobKey, LatestRun, RecordedChange,
    Span, StoreError,
};

/// The most spans that are given at once; the newest are kept.
const SPANS: i64 = 2_000;
/// The most incidents that are given where the filter says nothing.
const LIMIT: usize = 200;

pub(super) const LATEST: &str = "SELECT project, check_id, target, last_at, duration_ms, status, \
     since, reason, unlock, measured, due_at, judgement.body AS judgement \
     FROM job LEFT JOIN judgement ON judgement.job = job.id \
     WHERE gone_at IS NULL ORDER BY project, check_id";

pub(super) const LATEST_OF: &str = "SELECT project, check_id, target, last_at, duration_ms, status, \
     since, reason, unlock, measured, due_at, judgement.body AS judgement \
     FROM job LEFT JOIN judgement ON judgement.job = job.id \
     WHERE project = ?1 AND gone_at IS NULL ORDER BY project, check_id";

pub(super) const SPANS_OF: &str = "SELECT status, reason, from_at, to_at, runs FROM span \
     WHERE job = (SELECT id FROM job WHERE project = ?1 AND check_id = ?2) AND to_at >= ?3 \
     ORDER BY to_at DESC, id DESC LIMIT ?4";

pub(super) const HOURS_OF: &str = "SELECT hour, figures FROM hourly \
     WHERE job = (SELECT id FROM job WHERE project = ?1 AND check_id = ?2) AND hour >= ?3 \
     ORDER BY hour";

/// See [`Store::latest`](crate::store::Store::latest).
pub(super) async fn latest(
    connections: &Connections,
    project: Option<&str>,
) -> Result<Vec<LatestRun>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let rows = match project {
            Some(project) => sqlx::query(LATEST_OF).bind(project).fetch_all(&mut *on).await?,
            None => sqlx::query(LATEST).fetch_all(&mut *on).await?,
        };
        rows.iter().map(latest_run).collect()
    };
    connections.told("read the latest runs", done.await)
}

/// What is kept of the judgement of a run.
fn judged(row: &SqliteRow) -> Result<Assessment, Fault> {
    let judgement: Option<&str> = row.try_get("judgement")?;
    let mut assessment: Assessment =
        judgement.map(serde_json::from_str).transpose()?.unwrap_or_default();
    assessment.measurements = serde_json::from_str(row.try_get("measured")?)?;
    Ok(assessment)
}

/// The latest run of a row. One that cannot be read is not known, and hides no other.
fn latest_run(row: &SqliteRow) -> Result<LatestRun, Fault> {
    let key = JobKey { project: row.try_get("project")?, check: row.try_get("check_id")? };
    let status: Option<String> = row.try_get("status")?;
    let reason: Option<String> = row.try_get("reason")?;
    let unlock: Option<String> = row.try_get("unlock")?;
    let mut reason = reason.map(|reason| (reason, unlock.unwrap_or_default()));
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
    let (last_at, since): (Option<i64>, Option<i64>) =
        (row.try_get("last_at")?, row.try_get("since")?);
    let duration: i64 = row.try_get("duration_ms")?;
    Ok(LatestRun {
        key,
        target: row.try_get("target")?,
        at: last_at.map(at),
        duration: Duration::from_millis(u64::try_from(duration).unwrap_or_default()),
        status,
        since: since.map(at),
        reason,
        assessment,
        next_due: at(row.try_get("due_at")?),
    })
}

/// See [`Store::spans`](crate::store::Store::spans).
pub(super) async fn spans(
    connections: &Connections,
    project: &str,
    check: &str,
    since: Timestamp,
) -> Result<Vec<Span>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let rows = sqlx::query(SPANS_OF)
            .bind(project)
            .bind(check)
            .bind(ms(since))
            .bind(SPANS)
            .fetch_all(&mut *on)
            .await?;
        let mut spans = Vec::with_capacity(rows.len());
        for row in rows.iter().rev() {
            let runs: i64 = row.try_get("runs")?;
            spans.push(Span {
                status: word(row.try_get("status")?)?,
                from: at(row.try_get("from_at")?),
                to: at(row.try_get("to_at")?),
                runs: u64::try_from(runs).unwrap_or_default(),
                reason: row.try_get("reason")?,
            });
        }
        Ok(spans)
    };
    connections.told("read the spans of a check", done.await)
}

/// See [`Store::history`](crate::store::Store::history).
pub(super) async fn history(
    connections: &Connections,
    project: &str,
    check: &str,
    since: Timestamp,
) -> Result<Vec<HistoryPoint>, StoreError> {
    let mut on = connections.read().await?;
    let done = hours(&mut on, project, check, hour_of(since)).await;
    connections.told("read the figures of a check", done)
}

async fn hours(
    on: &mut SqliteConnection,
    project: &str,
    check: &str,
    since: i64,
) -> Result<Vec<HistoryPoint>, Fault> {
    let mut hours: Vec<(i64, Figures)> = Vec::new();
    let rows =
        sqlx::query(HOURS_OF).bind(project).bind(check).bind(since).fetch_all(&mut *on).await?;
    for row in rows {
        let bytes: &[u8] = row.try_get("figures")?;
        hours.push((row.try_get("hour")?, Figures::from_bytes(bytes).unwrap_or_default()));
    }
    let present = sqlx::query(
        "SELECT hour, figures FROM job \
         WHERE project = ?1 AND check_id = ?2 AND hour >= ?3 AND figures IS NOT NULL",
    )
    .bind(project)
    .bind(check)
    .bind(since)
    .fetch_optional(on)
    .await?;
    if let Some(row) = present {
        let hour: i64 = row.try_get("hour")?;
        let bytes: &[u8] = row.try_get("figures")?;
        let figures = Figures::from_bytes(bytes).unwrap_or_default();
        // The same hour is there already when the clock was put back.
        match hours.iter_mut().find(|(other, _)| *other == hour) {
            Some((_, other)) => other.merge(figures),
            None => hours.push((hour, figures)),
        }
    }
    hours.sort_by_key(|(hour, _)| *hour);
    Ok(hours.iter().flat_map(|(hour, figures)| figures.points(*hour)).collect())
}

/// Incidents of all projects. What is sorted is read from an index alone.
pub(super) const INCIDENTS: &str = "SELECT id, body FROM incident WHERE rowid IN \
     (SELECT rowid FROM incident WHERE state IN (SELECT value FROM json_each(?1)) \
     AND (?2 IS NULL OR check_id = ?2) ORDER BY first_seen DESC, id DESC LIMIT ?3 OFFSET ?4) \
     ORDER BY first_seen DESC, id DESC";

/// Incidents of one project.
pub(super) const INCIDENTS_OF: &str = "SELECT id, body FROM incident WHERE rowid IN \
     (SELECT rowid FROM incident WHERE project = ?5 AND state IN (SELECT value FROM json_each(?1)) \
     AND (?2 IS NULL OR check_id = ?2) ORDER BY first_seen DESC, id DESC LIMIT ?3 OFFSET ?4) \
     ORDER BY first_seen DESC, id DESC";

/// See [`Store::incidents`](crate::store::Store::incidents).
pub(super) async fn incidents(
    connections: &Connections,
    filter: &IncidentFilter,
) -> Result<Vec<Incident>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let states = match filter.states.as_slice() {
            [] => &[State::Open, State::Acknowledged],
            states => states,
        };
        let limit = if filter.limit == 0 { LIMIT } else { filter.limit };
        let query = match &filter.project {
            Some(_) => sqlx::query(INCIDENTS_OF),
            None => sqlx::query(INCIDENTS),
        };
        let query = query
            .bind(json(&states)?)
            .bind(filter.check.as_deref())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(i64::try_from(filter.offset).unwrap_or(i64::MAX));
        let query = match &filter.project {
            Some(project) => query.bind(project),
            None => query,
        };
        Ok(query.fetch_all(&mut *on).await?.iter().filter_map(incidents::read).collect())
    };
    connections.told("read incidents", done.await)
}

pub(super) const COUNTS: &str = "SELECT project, state, severity, count(*) AS count FROM incident \
     WHERE state IN ('open', 'acknowledged') GROUP BY project, state, severity";

pub(super) const COUNTS_OF: &str = "SELECT project, state, severity, count(*) AS count \
     FROM incident WHERE state IN ('open', 'acknowledged') AND project = ?1 \
     GROUP BY project, state, severity";

/// See [`Store::incident_counts`](crate::store::Store::incident_counts).
pub(super) async fn incident_counts(
    connections: &Connections,
    project: Option<&str>,
) -> Result<Vec<IncidentCount>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let rows = match project {
            Some(project) => sqlx::query(COUNTS_OF).bind(project).fetch_all(&mut *on).await?,
            None => sqlx::query(COUNTS).fetch_all(&mut *on).await?,
        };
        let mut counts = Vec::with_capacity(rows.len());
        for row in rows {
            // A body that could not be read when the column was made has no severity.
            let Ok(severity) = word(row.try_get("severity")?) else { continue };
            let count: i64 = row.try_get("count")?;
            counts.push(IncidentCount {
                project: row.try_get("project")?,
                state: word(row.try_get("state")?)?,
                severity,
                count: u64::try_from(count).unwrap_or_default(),
            });
        }
        Ok(counts)
    };
    connections.told("count incidents", done.await)
}

pub(super) const CHANGES_OF: &str = "SELECT c.id, c.kind, c.at, c.unheard, \
     CASE c.kind WHEN 'acknowledged' THEN json_extract(c.body, '$.acknowledged.by') \
       WHEN 'resolved' THEN json_extract(c.body, '$.resolved_by') END AS who, \
     (SELECT n.id FROM told t JOIN delivery d ON d.seq = t.delivery \
        JOIN notification n ON n.seq = d.notification \
      WHERE t.change = c.id ORDER BY n.seq LIMIT 1) AS notification \
     FROM change c WHERE c.incident = ?1 ORDER BY c.id";

pub(super) const DELIVERIES_OF: &str = "SELECT d.id, n.id AS notification, d.channel, d.state, \
     d.due_at, d.attempts, d.last_error, d.sent_at, d.instead_of \
     FROM delivery d JOIN notification n ON n.seq = d.notification WHERE d.seq IN \
     (SELECT t.delivery FROM change c JOIN told t ON t.change = c.id WHERE c.incident = ?1) \
     ORDER BY d.seq";

/// See [`Store::incident`](crate::store::Store::incident).
pub(super) async fn incident(
    connections: &Connections,
    id: &str,
) -> Result<Option<IncidentRecord>, StoreError> {
    let mut on = connections.read().await?;
    let done = record(&mut on, id).await;
    connections.told("read an incident", done)
}

async fn record(on: &mut SqliteConnection, id: &str) -> Result<Option<IncidentRecord>, Fault> {
    let row = sqlx::query("SELECT id, body FROM incident WHERE id = ?1")
        .bind(id)
        .fetch_optional(&mut *on)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let incident = incidents::read(&row).ok_or_else(|| incidents::unreadable(id))?;
    let mut changes = Vec::new();
    for row in sqlx::query(CHANGES_OF).bind(id).fetch_all(&mut *on).await? {
        changes.push(RecordedChange {
            id: row.try_get("id")?,
            kind: word(row.try_get("kind")?)?,
            at: at(row.try_get("at")?),
            by: row.try_get("who")?,
            notification: row.try_get("notification")?,
            unheard: row.try_get("unheard")?,
        });
    }
    let rows = sqlx::query(DELIVERIES_OF).bind(id).fetch_all(on).await?;
    let deliveries = rows.iter().map(delivery).collect::<Result<_, Fault>>()?;
    Ok(Some(IncidentRecord { incident, changes, deliveries }))
}
