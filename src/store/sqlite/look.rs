//! What pages, metrics and reports read.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use crate::incident::Incident;
use crate::store::fault::Fault;
use crate::store::figures::hour_of;
use crate::store::incidents::{read, record};
use crate::store::looks::{self, SPANS};
use crate::store::messages::delivery;
use crate::store::words::{json, ms};
use crate::store::{
    HistoryPoint, IncidentCount, IncidentFilter, IncidentRecord, LatestRun, Span, StoreError,
};

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
     ORDER BY id DESC LIMIT ?4";

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
        rows.iter().map(looks::latest_run).collect()
    };
    connections.told("read the latest runs", done.await)
}

/// See [`Store::last_looks`](crate::store::Store::last_looks).
pub(super) async fn last_looks(
    connections: &Connections,
) -> Result<Vec<(String, i64)>, StoreError> {
    let mut on = connections.reader().await?;
    let rows = sqlx::query(looks::LAST_LOOKS).fetch_all(&mut *on).await.map_err(Fault::from);
    let done = rows.and_then(|rows| looks::last_looks(&rows));
    connections.told("see which projects have looked", done)
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
        looks::spans(&rows)
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
    let over =
        sqlx::query(HOURS_OF).bind(project).bind(check).bind(since).fetch_all(&mut *on).await?;
    let present = sqlx::query(
        "SELECT hour, figures FROM job \
         WHERE project = ?1 AND check_id = ?2 AND hour >= ?3 AND figures IS NOT NULL",
    )
    .bind(project)
    .bind(check)
    .bind(since)
    .fetch_optional(on)
    .await?;
    looks::points(&over, present.as_ref())
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
        let (limit, offset) = filter.part();
        let query = match &filter.project {
            Some(_) => sqlx::query(INCIDENTS_OF),
            None => sqlx::query(INCIDENTS),
        };
        let query = query
            .bind(json(&filter.words())?)
            .bind(filter.check.as_deref())
            .bind(limit)
            .bind(offset);
        let query = match &filter.project {
            Some(project) => query.bind(project),
            None => query,
        };
        Ok(query.fetch_all(&mut *on).await?.iter().filter_map(read).collect())
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
        looks::counts(&rows)
    };
    connections.told("count incidents", done.await)
}

pub(super) const CHANGES_OF: &str = "SELECT c.id, c.kind, c.at, c.unheard, \
     CASE WHEN c.kind IN ('acknowledged', 'resolved') THEN c.body END AS body, \
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
    let done = past(&mut on, id).await;
    connections.told("read an incident", done)
}

async fn past(on: &mut SqliteConnection, id: &str) -> Result<Option<IncidentRecord>, Fault> {
    let row = sqlx::query("SELECT id, body FROM incident WHERE id = ?1")
        .bind(id)
        .fetch_optional(&mut *on)
        .await?;
    let Some(row) = row else { return Ok(None) };
    let changes = sqlx::query(CHANGES_OF).bind(id).fetch_all(&mut *on).await?;
    let rows = sqlx::query(DELIVERIES_OF).bind(id).fetch_all(on).await?;
    let deliveries = rows.iter().map(delivery).collect::<Result<_, Fault>>()?;
    record(id, &row, &changes, deliveries).map(Some)
}
