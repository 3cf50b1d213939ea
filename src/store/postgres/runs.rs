//! What one run leaves behind beside incidents: its job's row, span, evidence, figures and points.

use std::collections::HashMap;

use launchready_checks::contract::{Assessment, Status};
use sqlx::postgres::PgConnection;

use super::gathered::{Row, Span};
use crate::store::evidence::{hash, hash_text, pack};
use crate::store::fault::Fault;
use crate::store::figures::Figures;
use crate::store::jobs;
use crate::store::row::Columns as _;
use crate::store::runs::{Job, Next, lasting, readable};
use crate::store::words::{ms, plain};
use crate::store::{Finished, JobKey};

/// What a run has to know of its job.
pub(super) const LOAD: &str = "SELECT job.id, job.project, job.check_id, target, due_at, last_due, last_look, \
     status, since, reason, blind_runs, blind_since, span, evidence, judged, carried, hour, figures \
     FROM unnest($1::text[], $2::text[]) AS asked (project, check_id) \
     JOIN job ON job.project = asked.project AND job.check_id = asked.check_id \
     WHERE gone_at IS NULL FOR NO KEY UPDATE OF job";

/// Takes evidence away that nothing points to any more. What another agent is pointing to at this moment is
/// passed over; upkeep comes for it.
pub(super) const DROP_EVIDENCE: &str = "DELETE FROM evidence WHERE hash IN \
     (SELECT hash FROM evidence WHERE hash = $1 \
     AND NOT EXISTS (SELECT 1 FROM job WHERE evidence = $1) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE first_evidence = $1) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE last_evidence = $1) FOR UPDATE SKIP LOCKED)";

pub(super) const KEEP_EVIDENCE: &str =
    "INSERT INTO evidence (hash, body) VALUES ($1, $2) ON CONFLICT (hash) DO NOTHING";
pub(super) const HOLD_EVIDENCE: &str = "SELECT hash FROM evidence WHERE hash = $1 FOR KEY SHARE";

/// The jobs of keys; none where the config no longer has one.
pub(super) async fn load(
    on: &mut PgConnection,
    keys: impl Iterator<Item = &JobKey> + Send,
) -> Result<HashMap<JobKey, Job>, Fault> {
    let (projects, checks): (Vec<&str>, Vec<&str>) =
        keys.map(|key| (&*key.project, &*key.check)).unzip();
    let rows = sqlx::query(LOAD).bind(projects).bind(checks).fetch_all(on).await?;
    rows.iter().map(|row| Ok((jobs::key(row)?, Job::read(row)?))).collect()
}

/// Stores what a run leaves behind beside the row of its job, and gives back what goes there. `evidence` is that of
/// the run, kept already.
pub(super) async fn save(
    on: &mut PgConnection,
    job: &Job,
    run: &Finished,
    evidence: Option<&[u8]>,
    next: Next,
) -> Result<Row, Fault> {
    let reason = run.reason.as_ref().map(|(reason, _)| plain(reason));
    let reason = reason.as_deref();
    let span = match job.extends(run, reason) {
        Some(span) => Span::Longer(span),
        None => Span::New(begin_span(on, job.id, run, run.status, reason).await?),
    };
    let judged = judge(on, job, &run.assessment).await?;
    let carried = carry(on, job, run).await?;
    let counted = job.count(run);
    if let Some((hour, figures)) = counted.over {
        add_hour(on, job.id, &run.key, hour, figures).await?;
    }
    replace_evidence(on, job, run, evidence).await?;
    Ok(Row { next, span, judged, carried, hour: counted.hour, figures: counted.figures })
}

pub(super) async fn begin_span(
    on: &mut PgConnection,
    job: i64,
    run: &Finished,
    status: Status,
    reason: Option<&str>,
) -> Result<i64, Fault> {
    let row = sqlx::query(
        "INSERT INTO span (job, status, reason, from_at, to_at, runs) VALUES ($1, $2, $3, $4, $4, 1) \
         RETURNING id",
    )
    .bind(job)
    .bind(status.as_str())
    .bind(reason.map(plain))
    .bind(ms(run.started_at))
    .fetch_one(on)
    .await?;
    row.number("id")
}

/// Writes the judgement where it differs from the last one; gives back its hash.
async fn judge(
    on: &mut PgConnection,
    job: &Job,
    assessment: &Assessment,
) -> Result<Vec<u8>, Fault> {
    let (body, judged) = lasting(assessment)?;
    if job.judged.as_ref() != Some(&judged) {
        sqlx::query(
            "INSERT INTO judgement (job, body) VALUES ($1, $2) \
             ON CONFLICT (job) DO UPDATE SET body = excluded.body",
        )
        .bind(job.id)
        .bind(body)
        .execute(on)
        .await?;
    }
    Ok(judged)
}

/// Writes what is carried over where it differs. A run that could not look carries nothing over, and
/// what an earlier one did stays.
async fn carry(on: &mut PgConnection, job: &Job, run: &Finished) -> Result<Option<Vec<u8>>, Fault> {
    let Some(carry) = &run.carry else { return Ok(job.carried.clone()) };
    let body = carry.to_string();
    let carried = Some(hash_text(&body).to_vec());
    if job.carried != carried {
        sqlx::query(
            "INSERT INTO carry (job, body) VALUES ($1, $2) \
             ON CONFLICT (job) DO UPDATE SET body = excluded.body",
        )
        .bind(job.id)
        .bind(body)
        .execute(on)
        .await?;
    }
    Ok(carried)
}

/// Adds figures to an hour that is over. It is there already when the clock was put back.
async fn add_hour(
    on: &mut PgConnection,
    job: i64,
    key: &JobKey,
    hour: i64,
    mut figures: Figures,
) -> Result<(), Fault> {
    let row = sqlx::query("SELECT figures FROM hourly WHERE job = $1 AND hour = $2")
        .bind(job)
        .bind(hour)
        .fetch_optional(&mut *on)
        .await?;
    if let Some(row) = row {
        figures.merge(readable(row.bytes("figures")?, key));
    }
    sqlx::query(
        "INSERT INTO hourly (job, hour, figures) VALUES ($1, $2, $3) \
         ON CONFLICT (job, hour) DO UPDATE SET figures = excluded.figures",
    )
    .bind(job)
    .bind(hour)
    .bind(figures.to_bytes())
    .execute(on)
    .await?;
    Ok(())
}

/// Keeps the evidence of a run where it is not kept already; gives back its hash.
pub(super) async fn keep_evidence(
    on: &mut PgConnection,
    job: &Job,
    run: &Finished,
) -> Result<Option<Vec<u8>>, Fault> {
    let Some((version, evidence)) = &run.evidence else { return Ok(None) };
    let hash = hash(*version, evidence).to_vec();
    if job.evidence.as_ref() != Some(&hash) {
        let body = pack(evidence);
        loop {
            let new = sqlx::query(KEEP_EVIDENCE).bind(&hash).bind(&body).execute(&mut *on).await?;
            // What was there already may go with whoever pointed to it last, unless it is held.
            if new.rows_affected() > 0
                || sqlx::query(HOLD_EVIDENCE).bind(&hash).fetch_optional(&mut *on).await?.is_some()
            {
                break;
            }
        }
    }
    Ok(Some(hash))
}

/// Points the job to the evidence of its last look and lets go of what it pointed to before.
async fn replace_evidence(
    on: &mut PgConnection,
    job: &Job,
    run: &Finished,
    evidence: Option<&[u8]>,
) -> Result<(), Fault> {
    let (Some(evidence), Some((version, _))) = (evidence, &run.evidence) else { return Ok(()) };
    if job.evidence.as_deref() == Some(evidence) {
        return Ok(());
    }
    sqlx::query("UPDATE job SET evidence = $2, evidence_version = $3 WHERE id = $1")
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
