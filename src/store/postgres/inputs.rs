//! What runs are given: of all that were taken together by three questions, because each costs a way to the server.

use std::collections::HashMap;

use jiff::Timestamp;
use sqlx::postgres::{PgConnection, PgRow};

use super::connection::Connections;
use super::fault::explain;
use crate::store::fault::Fault;
use crate::store::jobs;
use crate::store::row::Columns as _;
use crate::store::runs::{self, POINTS};
use crate::store::words::ms;
use crate::store::{JobKey, RunInputs, StoreError};

pub(super) const JOBS: &str = "SELECT job.id, job.project, job.check_id, evidence_version, \
     evidence.body AS evidence, carry.body AS carry \
     FROM unnest($1::text[], $2::text[]) AS asked (project, check_id) \
     JOIN job ON job.project = asked.project AND job.check_id = asked.check_id \
     LEFT JOIN evidence ON evidence.hash = job.evidence LEFT JOIN carry ON carry.job = job.id";

pub(super) const APPROVED: &str = "SELECT DISTINCT ON (baseline.project, baseline.check_id) baseline.* \
     FROM unnest($1::text[], $2::text[]) AS asked (project, check_id) \
     JOIN baseline ON baseline.project = asked.project AND baseline.check_id = asked.check_id \
     ORDER BY baseline.project, baseline.check_id, approved_at DESC";

/// The newest points of each job stand together, newest first.
pub(super) const POINTS_OF: &str = "SELECT asked.job, name, subject, at, value \
     FROM unnest($1::bigint[]) AS asked (job) CROSS JOIN LATERAL \
       (SELECT name, subject, at, value FROM point WHERE point.job = asked.job AND keep_until > $2 \
        ORDER BY at DESC LIMIT $3) AS newest \
     ORDER BY asked.job, at DESC";

/// What the database has of some jobs.
struct Read {
    jobs: Vec<PgRow>,
    approved: Vec<PgRow>,
    points: Vec<PgRow>,
}

/// See [`Store::run_inputs`](crate::store::Store::run_inputs).
pub(super) async fn inputs(
    connections: &Connections,
    keys: &[JobKey],
    now: Timestamp,
) -> Result<Vec<Result<RunInputs, StoreError>>, StoreError> {
    let doing = "read what runs are given";
    let mut on = connections.read(doing).await?;
    let done = read(on.on(), keys, now).await;
    let read = on.told(done).await?;
    let told = |fault| explain(&connections.server, doing, fault);
    Ok(given(&read, keys).into_iter().map(|one| one.map_err(told)).collect())
}

async fn read(on: &mut PgConnection, keys: &[JobKey], now: Timestamp) -> Result<Read, Fault> {
    let (projects, checks): (Vec<&str>, Vec<&str>) =
        keys.iter().map(|key| (&*key.project, &*key.check)).unzip();
    let jobs = sqlx::query(JOBS).bind(&projects).bind(&checks).fetch_all(&mut *on).await?;
    let approved = sqlx::query(APPROVED).bind(&projects).bind(&checks).fetch_all(&mut *on).await?;
    let ids = jobs.iter().map(|row| row.number("id")).collect::<Result<Vec<_>, _>>()?;
    let points = sqlx::query(POINTS_OF).bind(ids).bind(ms(now)).bind(POINTS).fetch_all(on).await?;
    Ok(Read { jobs, approved, points })
}

/// Sorts the rows by job.
fn given(read: &Read, keys: &[JobKey]) -> Vec<Result<RunInputs, Fault>> {
    let by_key = |rows: &'_ [PgRow]| -> HashMap<JobKey, usize> {
        let keyed = rows.iter().enumerate();
        keyed.filter_map(|(place, row)| Some((jobs::key(row).ok()?, place))).collect()
    };
    let (rows, approved) = (by_key(&read.jobs), by_key(&read.approved));
    let of = |row: &PgRow| row.number("job").ok();
    let parts = read.points.chunk_by(|one, next| of(one) == of(next));
    let points: HashMap<i64, &[PgRow]> =
        parts.filter_map(|part| Some((of(part.first()?)?, part))).collect();
    let one = |key: &JobKey| {
        let Some(row) = rows.get(key).and_then(|place| read.jobs.get(*place)) else {
            return Ok(RunInputs::default());
        };
        let approved = approved.get(key).and_then(|place| read.approved.get(*place));
        let approved = approved.map(runs::approved).transpose()?;
        let points = points.get(&row.number("id")?).copied().unwrap_or_default();
        runs::inputs(row, points, approved)
    };
    keys.iter().map(one).collect()
}
