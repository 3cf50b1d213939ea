//! What one run leaves behind beside incidents: its job's row, span, evidence, figures and points.

use jiff::Timestamp;
use launchready_checks::contract::{Assessment, History, Measurement, Point, Status};
use serde_json::Value;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::baselines;
use super::connection::Connections;
use super::fault::Fault;
use crate::incident::Sight;
use crate::store::evidence::{hash, hash_text, pack, unpack};
use crate::store::figures::{Figures, hour_of};
use crate::store::words::{at, json, ms, word};
use crate::store::{Finished, JobKey, RunInputs, StoreError};

/// The most points that a run is given of its history.
const POINTS: i64 = 20_000;

/// What a run has to know of its job.
pub(super) const LOAD: &str = "SELECT id, target, due_at, last_due, last_look, status, since, reason, \
     blind_runs, blind_since, span, evidence, judged, carried, hour, figures \
     FROM job WHERE project = ?1 AND check_id = ?2 AND gone_at IS NULL";

const SAVE: &str = "UPDATE job SET due_at = ?2, early = ?3, lease_by = NULL, lease_until = NULL, \
     last_due = ?4, last_at = ?5, last_look = ?6, duration_ms = ?7, status = ?8, since = ?9, \
     reason = ?10, unlock = ?11, blind_runs = ?12, blind_since = ?13, span = ?14, judged = ?15, \
     carried = ?16, measured = ?17, hour = ?18, figures = ?19 WHERE id = ?1";

pub(super) const EXTEND_SPAN: &str =
    "UPDATE span SET to_at = max(to_at, ?2), runs = runs + 1 WHERE id = ?1";

/// Takes evidence away that nothing points to any more.
pub(super) const DROP_EVIDENCE: &str = "DELETE FROM evidence WHERE hash = ?1 \
     AND NOT EXISTS (SELECT 1 FROM job WHERE evidence = ?1) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE first_evidence = ?1) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE last_evidence = ?1)";

pub(super) const POINTS_OF: &str = "SELECT name, subject, at, value FROM point \
     WHERE job = ?1 AND keep_until > ?2 ORDER BY at DESC LIMIT ?3";

/// A job with what it remembers of earlier runs.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) id: i64,
    pub(super) target: String,
    pub(super) due_at: i64,
    pub(super) last_due: Option<i64>,
    pub(super) last_look: Option<i64>,
    pub(super) blind_runs: i64,
    pub(super) blind_since: Option<i64>,
    pub(super) evidence: Option<Vec<u8>>,
    status: Option<Status>,
    since: Option<i64>,
    reason: Option<String>,
    span: Option<i64>,
    judged: Option<Vec<u8>>,
    carried: Option<Vec<u8>>,
    hour: Option<i64>,
    figures: Option<Vec<u8>>,
}

impl Job {
    fn read(row: &SqliteRow) -> Result<Self, Fault> {
        let status: Option<String> = row.try_get("status")?;
        Ok(Self {
            id: row.try_get("id")?,
            target: row.try_get("target")?,
            due_at: row.try_get("due_at")?,
            last_due: row.try_get("last_due")?,
            last_look: row.try_get("last_look")?,
            blind_runs: row.try_get("blind_runs")?,
            blind_since: row.try_get("blind_since")?,
            evidence: row.try_get("evidence")?,
            // A word that nobody knows is no status to go on from.
            status: status.and_then(|status| word(status).ok()),
            since: row.try_get("since")?,
            reason: row.try_get("reason")?,
            span: row.try_get("span")?,
            judged: row.try_get("judged")?,
            carried: row.try_get("carried")?,
            hour: row.try_get("hour")?,
            figures: row.try_get("figures")?,
        })
    }
}

/// The job of a key; none where the config no longer has it.
pub(super) async fn load(on: &mut SqliteConnection, key: &JobKey) -> Result<Option<Job>, Fault> {
    let row = sqlx::query(LOAD).bind(&key.project).bind(&key.check).fetch_optional(on).await?;
    row.as_ref().map(Job::read).transpose()
}

/// When the job is due next, and whether that is early.
#[derive(Debug, Clone, Copy)]
pub(super) struct Next {
    pub(super) at: Timestamp,
    pub(super) early: bool,
}

/// Stores what a run leaves behind. `evidence` is that of the run, kept already.
pub(super) async fn save(
    on: &mut SqliteConnection,
    job: &Job,
    run: &Finished,
    evidence: Option<&[u8]>,
    next: Next,
) -> Result<(), Fault> {
    let started = ms(run.started_at);
    let reason = run.reason.as_ref().map(|(reason, _)| reason.as_str());
    let span = match job.span {
        Some(span) if job.status == Some(run.status) && job.reason.as_deref() == reason => {
            sqlx::query(EXTEND_SPAN).bind(span).bind(started).execute(&mut *on).await?;
            span
        }
        _ => begin_span(on, job.id, run, run.status, reason).await?,
    };
    let judged = judge(on, job, &run.assessment).await?;
    let carried = carry(on, job, run).await?;
    let measured: Vec<&Measurement> = finite(&run.assessment.measurements).collect();
    let (hour, figures) = count(on, job, run).await?;
    let is_same = job.status == Some(run.status);
    let (look, blind_runs, blind_since) = match run.seen.sight {
        Sight::Looked { .. } => (Some(started), 0, None),
        Sight::Blind { .. } => {
            (job.last_look, job.blind_runs + 1, Some(job.blind_since.unwrap_or(started)))
        }
        Sight::Skipped => (job.last_look, 0, None),
    };
    sqlx::query(SAVE)
        .bind(job.id)
        .bind(ms(next.at))
        .bind(next.early)
        .bind(ms(run.due_at))
        .bind(started)
        .bind(look)
        .bind(i64::try_from(run.duration.as_millis()).unwrap_or(i64::MAX))
        .bind(run.status.as_str())
        .bind(job.since.filter(|_| is_same).unwrap_or(started))
        .bind(reason)
        .bind(run.reason.as_ref().map(|(_, unlock)| unlock.as_str()))
        .bind(blind_runs)
        .bind(blind_since)
        .bind(span)
        .bind(judged)
        .bind(carried)
        .bind(json(&measured)?)
        .bind(hour)
        .bind(figures)
        .execute(&mut *on)
        .await?;
    replace_evidence(on, job, run, evidence).await?;
    points(on, job.id, run).await
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
    let lasting = Assessment {
        findings: assessment.findings.clone(),
        measurements: Vec::new(),
        not_checked: assessment.not_checked.clone(),
        blind: assessment.blind,
    };
    let body = json(&lasting)?;
    let judged = hash_text(&body).to_vec();
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

/// JSON has no infinity; a value that is no number is no measurement.
fn finite(measurements: &[Measurement]) -> impl Iterator<Item = &Measurement> {
    measurements.iter().filter(|measurement| measurement.value.is_finite())
}

/// Counts the measurements of a run into the figures of its hour. Those of an hour that is over move into
/// a row of their own.
async fn count(
    on: &mut SqliteConnection,
    job: &Job,
    run: &Finished,
) -> Result<(i64, Vec<u8>), Fault> {
    let hour = hour_of(run.started_at);
    let mut figures = Figures::default();
    if let (Some(before), Some(bytes)) = (job.hour, &job.figures) {
        let kept = readable(bytes, &run.key);
        if before == hour {
            figures = kept;
        } else if !kept.is_empty() {
            add_hour(on, job.id, &run.key, before, kept).await?;
        }
    }
    figures.add(&run.assessment.measurements);
    Ok((hour, figures.to_bytes()))
}

/// Figures that are kept. Those that cannot be read begin anew: they must not keep a run from being stored.
fn readable(bytes: &[u8], key: &JobKey) -> Figures {
    Figures::from_bytes(bytes).unwrap_or_else(|| {
        let JobKey { project, check } = key;
        tracing::error!(project, check, "the figures of an hour cannot be read, and begin anew");
        Figures::default()
    })
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
        let bytes: Vec<u8> = row.try_get(0)?;
        figures.merge(readable(&bytes, key));
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

/// Keeps single values of the measurements that the check reads as history.
async fn points(on: &mut SqliteConnection, job: i64, run: &Finished) -> Result<(), Fault> {
    for measurement in finite(&run.assessment.measurements) {
        let window = run.windows.iter().find(|(name, _)| *name == measurement.name);
        let Some((_, window)) = window.filter(|(_, window)| !window.is_zero()) else { continue };
        let window = i64::try_from(window.as_millis()).unwrap_or(i64::MAX);
        sqlx::query(
            "INSERT OR REPLACE INTO point (job, at, name, subject, value, keep_until) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )
        .bind(job)
        .bind(ms(run.started_at))
        .bind(&measurement.name)
        .bind(measurement.subject.as_deref().unwrap_or_default())
        .bind(measurement.value)
        .bind(ms(run.started_at).saturating_add(window))
        .execute(&mut *on)
        .await?;
    }
    Ok(())
}

/// See [`Store::run_inputs`](crate::store::Store::run_inputs).
pub(super) async fn inputs(
    connections: &Connections,
    key: &JobKey,
    now: Timestamp,
) -> Result<RunInputs, StoreError> {
    let mut on = connections.read().await?;
    let done = read_inputs(&mut on, key, now).await;
    connections.told("read what a run is given", done)
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
    let baseline = approved.into_iter().next().map(|one| (one.version, one.evidence));
    let mut inputs = RunInputs { baseline, ..RunInputs::default() };
    let version: Option<u32> = row.try_get("evidence_version")?;
    let evidence: Option<Vec<u8>> = row.try_get("evidence")?;
    if let (Some(version), Some(bytes)) = (version, evidence) {
        inputs.previous = Some((version, unpack(&bytes)?));
    }
    let carry: Option<String> = row.try_get("carry")?;
    inputs.carry = carry.map(|carry| serde_json::from_str::<Value>(&carry)).transpose()?;
    let id: i64 = row.try_get("id")?;
    let rows = sqlx::query(POINTS_OF).bind(id).bind(ms(now)).bind(POINTS).fetch_all(on).await?;
    let mut history = History::default();
    for row in rows.iter().rev() {
        let subject: String = row.try_get("subject")?;
        let point = Point {
            at: at(row.try_get("at")?),
            value: row.try_get("value")?,
            subject: Some(subject).filter(|subject| !subject.is_empty()),
        };
        history.0.entry(row.try_get("name")?).or_default().push(point);
    }
    inputs.history = history;
    Ok(inputs)
}
