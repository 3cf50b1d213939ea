//! What one run leaves behind beside incidents: its job's row, span, evidence, figures and points.

use std::collections::HashMap;

use jiff::Timestamp;
use launchready_checks::contract::{Assessment, Status};
use sqlx::sqlite::SqliteConnection;

use super::baselines;
use super::connection::Connections;
use super::gathered::Gathered;
use crate::store::evidence::{hash, hash_text, pack};
use crate::store::fault::Fault;
use crate::store::figures::Figures;
use crate::store::jobs;
use crate::store::row::Columns as _;
use crate::store::runs::{
    Job, Next, POINTS, duration_ms, inputs as given, lasting, measured, readable,
};
use crate::store::words::{json, ms};
use crate::store::{Finished, JobKey, RunInputs, StoreError};

/// What runs have to know of their jobs.
pub(super) const LOAD: &str = "SELECT job.id, project, check_id, target, due_at, last_due, last_look, status, since, \
     reason, blind_runs, blind_since, span, evidence, judged, carried, hour, figures \
     FROM json_each(?1) CROSS JOIN job \
     ON project = json_each.value ->> 0 AND check_id = json_each.value ->> 1 WHERE gone_at IS NULL";

/// A job that was moved during its run is due then, where that is sooner: see [`Next`].
const SAVE: &str = "UPDATE job SET due_at = CASE WHEN due_at > ?4 THEN min(?2, max(due_at, ?5 + 1000)) ELSE ?2 END, \
     early = ?3 AND (due_at <= ?4 OR due_at >= ?2), lease_by = NULL, lease_until = NULL, \
     last_due = ?4, last_at = ?5, last_look = ?6, duration_ms = ?7, status = ?8, since = ?9, \
     reason = ?10, unlock = ?11, blind_runs = ?12, blind_since = ?13, span = ?14, judged = ?15, \
     carried = ?16, measured = ?17, hour = ?18, figures = ?19 WHERE id = ?1 \
     RETURNING due_at";

/// Takes evidence away that nothing points to any more.
pub(super) const DROP_EVIDENCE: &str = "DELETE FROM evidence WHERE hash = ?1 \
     AND NOT EXISTS (SELECT 1 FROM job WHERE evidence = ?1) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE first_evidence = ?1) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE last_evidence = ?1)";

pub(super) const POINTS_OF: &str = "SELECT name, subject, at, value FROM point \
     WHERE job = ?1 AND keep_until > ?2 ORDER BY at DESC LIMIT ?3";

/// The jobs of keys; none where the config no longer has one.
pub(super) async fn load(
    on: &mut SqliteConnection,
    keys: impl Iterator<Item = &JobKey> + Send,
) -> Result<HashMap<JobKey, Job>, Fault> {
    let keys: Vec<(&str, &str)> = keys.map(|key| (&*key.project, &*key.check)).collect();
    let rows = sqlx::query(LOAD).bind(json(&keys)?).fetch_all(on).await?;
    rows.iter().map(|row| Ok((jobs::key(row)?, Job::read(row)?))).collect()
}

/// Stores what a run leaves behind, but for what is gathered, and gives back when its job is due. `evidence` is that
/// of the run, kept already.
pub(super) async fn save(
    on: &mut SqliteConnection,
    job: &Job,
    run: &Finished,
    evidence: Option<&[u8]>,
    next: Next,
    gathered: &mut Gathered,
) -> Result<Timestamp, Fault> {
    let started = ms(run.started_at);
    let reason = run.reason.as_ref().map(|(reason, _)| reason.as_str());
    let span = match job.extends(run, reason) {
        Some(span) => {
            gathered.make_longer(span, run);
            span
        }
        None => begin_span(on, job.id, run, run.status, reason).await?,
    };
    let judged = judge(on, job, &run.assessment).await?;
    let carried = carry(on, job, run).await?;
    let counted = job.count(run);
    if let Some((hour, figures)) = counted.over {
        add_hour(on, job.id, &run.key, hour, figures).await?;
    }
    let (look, blind_runs, blind_since) = job.sight(run);
    let saved = sqlx::query(SAVE)
        .bind(job.id)
        .bind(ms(next.at))
        .bind(next.early)
        .bind(ms(run.due_at))
        .bind(started)
        .bind(look)
        .bind(duration_ms(run))
        .bind(run.status.as_str())
        .bind(job.since(run))
        .bind(reason)
        .bind(run.reason.as_ref().map(|(_, unlock)| unlock.as_str()))
        .bind(blind_runs)
        .bind(blind_since)
        .bind(span)
        .bind(judged)
        .bind(carried)
        .bind(measured(run)?)
        .bind(counted.hour)
        .bind(counted.figures)
        .fetch_one(&mut *on)
        .await?;
    replace_evidence(on, job, run, evidence).await?;
    gathered.push_points(job.id, run);
    saved.time("due_at")
}

pub(super) async fn begin_span(
    on: &mut SqliteConnection,
    job: i64,
    run: &Finished,
    status: Status,
    reason: Option<&str>,
) -> Result<i64, Fault> {
    let done = sqlx::query(
        "INSERT INTO span (job, status, reason, from_at, to_at, runs) VALUES (?1, ?2, ?3, ?4, ?4, 1)",
    )
    .bind(job)
    .bind(status.as_str())
    .bind(reason)
    .bind(ms(run.started_at))
    .execute(on)
    .await?;
    Ok(done.last_insert_rowid())
}

/// Writes the judgement where it differs from the last one; gives back its hash.
async fn judge(
    on: &mut SqliteConnection,
    job: &Job,
    assessment: &Assessment,
) -> Result<Vec<u8>, Fault> {
    let (body, judged) = lasting(assessment)?;
    if job.judged.as_ref() != Some(&judged) {
        sqlx::query("INSERT OR REPLACE INTO judgement (job, body) VALUES (?1, ?2)")
            .bind(job.id)
            .bind(body)
            .execute(on)
            .await?;
    }
    Ok(judged)
}

/// Writes what is carried over where it differs. A run that could not look carries nothing over, and
/// what an earlier one did stays.
async fn carry(
    on: &mut SqliteConnection,
    job: &Job,
    run: &Finished,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some(carry) = &run.carry else { return Ok(job.carried.clone()) };
    let body = carry.to_string();
    let carried = Some(hash_text(&body).to_vec());
    if job.carried != carried {
        sqlx::query("INSERT OR REPLACE INTO carry (job, body) VALUES (?1, ?2)")
            .bind(job.id)
            .bind(body)
            .execute(on)
            .await?;
    }
    Ok(carried)
}

/// Adds figures to an hour that is over. It is there already when the clock was put back.
async fn add_hour(
    on: &mut SqliteConnection,
    job: i64,
    key: &JobKey,
    hour: i64,
    mut figures: Figures,
) -> Result<(), Fault> {
    let row = sqlx::query("SELECT figures FROM hourly WHERE job = ?1 AND hour = ?2")
        .bind(job)
        .bind(hour)
        .fetch_optional(&mut *on)
        .await?;
    if let Some(row) = row {
        figures.merge(readable(row.bytes("figures")?, key));
    }
    sqlx::query("INSERT OR REPLACE INTO hourly (job, hour, figures) VALUES (?1, ?2, ?3)")
        .bind(job)
        .bind(hour)
        .bind(figures.to_bytes())
        .execute(on)
        .await?;
    Ok(())
}

/// Keeps the evidence of a run where it is not kept already; gives back its hash.
pub(super) async fn keep_evidence(
    on: &mut SqliteConnection,
    job: &Job,
    run: &Finished,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some((version, evidence)) = &run.evidence else { return Ok(None) };
    let hash = hash(*version, evidence).to_vec();
    if job.evidence.as_ref() != Some(&hash) {
        sqlx::query("INSERT OR IGNORE INTO evidence (hash, body) VALUES (?1, ?2)")
            .bind(&hash)
            .bind(pack(evidence))
            .execute(on)
            .await?;
    }
    Ok(Some(hash))
}

/// Points the job to the evidence of its last look and lets go of what it pointed to before.
async fn replace_evidence(
    on: &mut SqliteConnection,
    job: &Job,
    run: &Finished,
    evidence: Option<&[u8]>,
) -> Result<(), Fault> {
    let (Some(evidence), Some((version, _))) = (evidence, &run.evidence) else { return Ok(()) };
    if job.evidence.as_deref() == Some(evidence) {
        return Ok(());
    }
    sqlx::query("UPDATE job SET evidence = ?2, evidence_version = ?3 WHERE id = ?1")
        .bind(job.id)
        .bind(evidence)
        .bind(i64::from(*version))
        .execute(&mut *on)
        .await?;
    if let Some(before) = &job.evidence {
        sqlx::query(DROP_EVIDENCE).bind(before).execute(on).await?;
    }
    Ok(())
}

/// See [`Store::run_inputs`](crate::store::Store::run_inputs).
pub(super) async fn inputs(
    connections: &Connections,
    keys: &[JobKey],
    now: Timestamp,
) -> Result<Vec<Result<RunInputs, StoreError>>, StoreError> {
    let mut on = connections.read().await?;
    let mut all = Vec::with_capacity(keys.len());
    for key in keys {
        let done = read_inputs(&mut on, key, now).await;
        match connections.told("read what a run is given", done) {
            Err(error) if !error.is_about_rows() => return Err(error),
            given => all.push(given),
        }
    }
    Ok(all)
}

async fn read_inputs(
    on: &mut SqliteConnection,
    key: &JobKey,
    now: Timestamp,
) -> Result<RunInputs, Fault> {
    let row = sqlx::query(
        "SELECT job.id, evidence_version, evidence.body AS evidence, carry.body AS carry FROM job \
         LEFT JOIN evidence ON evidence.hash = job.evidence LEFT JOIN carry ON carry.job = job.id \
         WHERE project = ?1 AND check_id = ?2",
    )
    .bind(&key.project)
    .bind(&key.check)
    .fetch_optional(&mut *on)
    .await?;
    let Some(row) = row else { return Ok(RunInputs::default()) };
    let approved = baselines::newest(&mut *on, &key.project, Some(&key.check)).await?;
    let id = row.number("id")?;
    let points = sqlx::query(POINTS_OF).bind(id).bind(ms(now)).bind(POINTS).fetch_all(on).await?;
    given(&row, &points, approved.into_iter().next())
}
