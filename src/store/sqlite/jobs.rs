//! Jobs: what the config has, what is due, and who has it.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::Connections;
use super::fault::Fault;
use super::incidents;
use crate::schedule::Schedule;
use crate::store::words::{at, ms};
use crate::store::{DueJob, JobKey, JobSpec, StoreError};

/// New jobs of one project after those of another, so that many projects do not all begin at once.
const STEP_MS: i64 = 50;
/// The most by which the first look of a project waits for those of others.
const SPREAD_MS: i64 = 30_000;

/// Takes what is due and free, and what was due and whose holder has not come back.
pub(super) const TAKE: &str = "UPDATE job SET lease_by = ?1, lease_until = ?2 WHERE id IN ( \
     SELECT id FROM ( \
       SELECT * FROM (SELECT id, due_at FROM job \
         WHERE lease_until IS NULL AND gone_at IS NULL AND due_at <= ?3 ORDER BY due_at LIMIT ?4) \
       UNION ALL \
       SELECT id, due_at FROM job \
         WHERE lease_until IS NOT NULL AND lease_until <= ?3 AND gone_at IS NULL AND due_at <= ?3 \
     ) ORDER BY due_at LIMIT ?4) \
     RETURNING project, check_id, due_at, last_due IS NULL AS first, early";

/// The earliest time at which a free job is due.
pub(super) const NEXT_FREE: &str = "SELECT due_at FROM job \
     WHERE lease_until IS NULL AND gone_at IS NULL ORDER BY due_at LIMIT 1";
/// The earliest time at which a job that is held may be taken from its holder.
pub(super) const NEXT_HELD: &str = "SELECT min(max(due_at, lease_until)) FROM job \
     WHERE lease_until IS NOT NULL AND gone_at IS NULL";

/// Has the next run write its judgement where the last one cannot be read, even where it is the same.
const WRITE_ANEW: &str = "UPDATE job SET judged = NULL WHERE id IN \
     (SELECT job FROM judgement WHERE NOT json_valid(body))";

/// What is kept of a schedule, to notice a change.
fn written(job: &JobSpec) -> String {
    match &job.schedule {
        Schedule::Every(interval) => format!("every {} ms at {}", interval.as_millis(), job.phase),
        Schedule::Cron(cron) => format!("cron {} in {}", cron.text(), cron.zone_name()),
    }
}

/// A job as the file has it.
struct Known {
    id: i64,
    target: String,
    schedule: String,
    due_at: i64,
    last_due: Option<i64>,
    gone: bool,
}

async fn known(on: &mut SqliteConnection) -> Result<HashMap<JobKey, Known>, Fault> {
    let rows = sqlx::query(
        "SELECT id, project, check_id, target, schedule, due_at, last_due, \
         gone_at IS NOT NULL AS gone FROM job",
    )
    .fetch_all(on)
    .await?;
    let mut known = HashMap::with_capacity(rows.len());
    for row in rows {
        let job = Known {
            id: row.try_get("id")?,
            target: row.try_get("target")?,
            schedule: row.try_get("schedule")?,
            due_at: row.try_get("due_at")?,
            last_due: row.try_get("last_due")?,
            gone: row.try_get("gone")?,
        };
        known.insert(key(&row)?, job);
    }
    Ok(known)
}

fn key(row: &SqliteRow) -> Result<JobKey, sqlx::Error> {
    Ok(JobKey { project: row.try_get("project")?, check: row.try_get("check_id")? })
}

/// See [`Store::sync_jobs`](crate::store::Store::sync_jobs).
pub(super) async fn sync(
    connections: &Connections,
    jobs: &[JobSpec],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = sync_in(write.on(), jobs, now).await;
    write.end("take over the jobs of the config", done).await
}

async fn sync_in(on: &mut SqliteConnection, jobs: &[JobSpec], now: Timestamp) -> Result<(), Fault> {
    sqlx::query(WRITE_ANEW).execute(&mut *on).await?;
    let mut before = known(on).await?;
    let first_looks = first_looks(jobs, &before, now);
    for job in jobs {
        let schedule = written(job);
        let regular = ms(job.schedule.after(now, job.phase));
        let soon = first_looks.get(job.key.project.as_str()).copied().unwrap_or_else(|| ms(now));
        let known = match before.remove(&job.key) {
            // What was seen of another domain is no past of this one.
            Some(known) if known.target != job.target => {
                incidents::end_of_job(on, &job.key, now).await?;
                sqlx::query("DELETE FROM job WHERE id = ?1")
                    .bind(known.id)
                    .execute(&mut *on)
                    .await?;
                None
            }
            known => known,
        };
        let Some(known) = known else {
            insert(on, job, &schedule, soon).await?;
            continue;
        };
        let due_at = if known.gone || known.last_due.is_none() {
            known.due_at.min(soon)
        } else if known.schedule != schedule {
            regular
        } else {
            // Later than the schedule has it only when the clock was ahead and was put right.
            known.due_at.min(regular)
        };
        let last_due = known.last_due.map(|last| last.min(ms(now)));
        let same = due_at == known.due_at && last_due == known.last_due;
        if !same || known.schedule != schedule || known.gone {
            sqlx::query(
                "UPDATE job SET schedule = ?2, due_at = ?3, last_due = ?4, gone_at = NULL, \
                 lease_by = CASE WHEN gone_at IS NULL THEN lease_by END, \
                 lease_until = CASE WHEN gone_at IS NULL THEN lease_until END WHERE id = ?1",
            )
            .bind(known.id)
            .bind(&schedule)
            .bind(due_at)
            .bind(last_due)
            .execute(&mut *on)
            .await?;
        }
    }
    for (key, known) in before.iter().filter(|(_, known)| !known.gone) {
        incidents::end_of_job(on, key, now).await?;
        sqlx::query(
            "UPDATE job SET gone_at = ?2, lease_by = NULL, lease_until = NULL WHERE id = ?1",
        )
        .bind(known.id)
        .bind(ms(now))
        .execute(&mut *on)
        .await?;
    }
    Ok(())
}

/// When each project that has new jobs looks first.
fn first_looks<'j>(
    jobs: &'j [JobSpec],
    known: &HashMap<JobKey, Known>,
    now: Timestamp,
) -> HashMap<&'j str, i64> {
    let mut projects: Vec<&str> = Vec::new();
    for job in jobs {
        let is_new =
            known.get(&job.key).is_none_or(|known| known.gone || known.target != job.target);
        if is_new && projects.last() != Some(&job.key.project.as_str()) {
            projects.push(&job.key.project);
        }
    }
    projects.sort_unstable();
    projects.dedup();
    let count = i64::try_from(projects.len()).unwrap_or(i64::MAX).max(1);
    let spread = count.saturating_mul(STEP_MS).min(SPREAD_MS);
    let mut times = HashMap::new();
    for (place, project) in (0_i64..).zip(projects) {
        times.insert(project, ms(now).saturating_add(spread.saturating_mul(place) / count));
    }
    times
}

async fn insert(
    on: &mut SqliteConnection,
    job: &JobSpec,
    schedule: &str,
    due_at: i64,
) -> Result<(), Fault> {
    sqlx::query(
        "INSERT INTO job (project, check_id, target, schedule, due_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(&job.key.project)
    .bind(&job.key.check)
    .bind(&job.target)
    .bind(schedule)
    .bind(due_at)
    .execute(on)
    .await?;
    Ok(())
}

/// When a lease that begins now ends.
pub(super) fn lease_end(now: Timestamp, lease: Duration) -> i64 {
    let lease = SignedDuration::try_from(lease).unwrap_or(SignedDuration::MAX);
    ms(now.checked_add(lease).unwrap_or(Timestamp::MAX))
}

/// See [`Store::take_due`](crate::store::Store::take_due).
pub(super) async fn take_due(
    connections: &Connections,
    agent: &str,
    now: Timestamp,
    lease: Duration,
    limit: usize,
) -> Result<Vec<DueJob>, StoreError> {
    let mut write = connections.write().await?;
    let done = async {
        let rows = sqlx::query(TAKE)
            .bind(agent)
            .bind(lease_end(now, lease))
            .bind(ms(now))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(write.on())
            .await?;
        let mut taken = Vec::with_capacity(rows.len());
        for row in &rows {
            taken.push(DueJob {
                key: key(row)?,
                due_at: at(row.try_get("due_at")?),
                first: row.try_get("first")?,
                early: row.try_get("early")?,
            });
        }
        taken.sort_by(|one, other| (one.due_at, &one.key).cmp(&(other.due_at, &other.key)));
        Ok(taken)
    };
    let done = done.await;
    write.end("take jobs that are due", done).await
}

/// See [`Store::release`](crate::store::Store::release).
pub(super) async fn release(connections: &Connections, agent: &str) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = async {
        for statement in [
            "UPDATE job SET lease_by = NULL, lease_until = NULL WHERE lease_by = ?1",
            "UPDATE delivery SET lease_by = NULL, lease_until = NULL WHERE lease_by = ?1",
        ] {
            sqlx::query(statement).bind(agent).execute(write.on()).await?;
        }
        Ok(())
    };
    let done = done.await;
    write.end("let go of what an agent holds", done).await
}

/// See [`Store::next_due`](crate::store::Store::next_due).
pub(super) async fn next_due(connections: &Connections) -> Result<Option<Timestamp>, StoreError> {
    let mut on = connections.read().await?;
    let done = async {
        let free: Option<i64> = match sqlx::query(NEXT_FREE).fetch_optional(&mut *on).await? {
            Some(row) => Some(row.try_get(0)?),
            None => None,
        };
        let held: Option<i64> = sqlx::query(NEXT_HELD).fetch_one(&mut *on).await?.try_get(0)?;
        Ok([free, held].into_iter().flatten().min().map(at))
    };
    connections.told("say when a job is due", done.await)
}

/// See [`Store::make_due`](crate::store::Store::make_due).
pub(super) async fn make_due(
    connections: &Connections,
    project: &str,
    check: Option<&str>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let mut write = connections.write().await?;
    let done = look_now(write.on(), project, check, now).await;
    write.end("make jobs due", done).await
}

/// Makes a check of a project, or all of them, due now.
pub(super) async fn look_now(
    on: &mut SqliteConnection,
    project: &str,
    check: Option<&str>,
    now: Timestamp,
) -> Result<u64, Fault> {
    // A due time is the key of a run: it has to be later than that of the last one.
    let done = sqlx::query(
        "UPDATE job SET due_at = max(min(due_at, ?3), coalesce(last_due + 1, ?3)) \
         WHERE project = ?1 AND (?2 IS NULL OR check_id = ?2) AND gone_at IS NULL",
    )
    .bind(project)
    .bind(check)
    .bind(ms(now))
    .execute(on)
    .await?;
    Ok(done.rows_affected())
}
