//! Jobs: what the config has, what is due, and who has it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use super::agents;
use super::connection::Connections;
use super::incidents;
use crate::clock::Clock;
use crate::store::fault::Fault;
use crate::store::jobs::{self, Step, ahead, lease_end};
use crate::store::words::{at, ms};
use crate::store::{DueJob, JobKey, JobSpec, StoreError};

/// Takes what is due and free, and what was due and whose holder has not come back. The jobs of a project
/// that another agent is at are left to it as long as there are others: looks of one agent share what they
/// ask for.
pub(super) const TAKE: &str = "WITH theirs AS MATERIALIZED (SELECT project FROM job \
       WHERE lease_until > ?3 AND lease_by IS NOT ?1), \
     free AS MATERIALIZED (SELECT id, due_at FROM job \
       WHERE lease_until IS NULL AND gone_at IS NULL AND due_at <= ?3 \
         AND project NOT IN (SELECT project FROM theirs) ORDER BY due_at LIMIT ?4), \
     shared AS MATERIALIZED (SELECT id, due_at FROM job \
       WHERE lease_until IS NULL AND gone_at IS NULL AND due_at <= ?3 \
         AND project IN (SELECT project FROM theirs) \
       ORDER BY due_at LIMIT ?4 - (SELECT count(*) FROM free)), \
     left_over AS (SELECT id, due_at FROM job \
       WHERE lease_until IS NOT NULL AND lease_until <= ?3 AND gone_at IS NULL AND due_at <= ?3) \
     UPDATE job SET lease_by = ?1, lease_until = ?2 WHERE id IN (SELECT id FROM \
       (SELECT * FROM free UNION ALL SELECT * FROM shared UNION ALL SELECT * FROM left_over) \
       ORDER BY due_at LIMIT ?4) \
     RETURNING project, check_id, due_at, last_due IS NULL AS first, early, \
       EXISTS (SELECT 1 FROM job other WHERE other.project = job.project \
         AND other.lease_by <> ?1 AND other.lease_until > ?3) AS beside";

/// The earliest time at which a free job is due.
pub(super) const NEXT_FREE: &str = "SELECT due_at FROM job \
     WHERE lease_until IS NULL AND gone_at IS NULL ORDER BY due_at LIMIT 1";
/// The earliest time at which a job that is held may be taken from its holder.
pub(super) const NEXT_HELD: &str = "SELECT min(max(due_at, lease_until)) FROM job \
     WHERE lease_until IS NOT NULL AND gone_at IS NULL";

/// Has the next run write its judgement where the last one cannot be read, even where it is the same.
const WRITE_ANEW: &str = "UPDATE job SET judged = NULL WHERE id IN \
     (SELECT job FROM judgement WHERE NOT json_valid(body))";

const KNOWN: &str = "SELECT id, project, check_id, target, schedule, due_at, last_due, \
     lease_by IS NOT NULL AS held, gone_at IS NOT NULL AS gone FROM job";

const LET_GO: &str = "UPDATE job SET lease_by = NULL, lease_until = NULL WHERE lease_by = ?1 \
     AND NOT EXISTS (SELECT 1 FROM json_each(?2) \
       WHERE value ->> 0 = job.project AND value ->> 1 = job.check_id)";

/// See [`Store::sync_jobs`](crate::store::Store::sync_jobs).
pub(super) async fn sync(
    connections: &Connections,
    jobs: &[JobSpec],
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = sync_in(write.on(), jobs, clock.now()).await;
    write.end("take over the jobs of the config", done).await
}

async fn sync_in(on: &mut SqliteConnection, jobs: &[JobSpec], now: Timestamp) -> Result<(), Fault> {
    sqlx::query(WRITE_ANEW).execute(&mut *on).await?;
    let before = jobs::known(&sqlx::query(KNOWN).fetch_all(&mut *on).await?)?;
    for step in jobs::steps(jobs, before, now) {
        take(on, step, now).await?;
    }
    Ok(())
}

async fn take(on: &mut SqliteConnection, step: Step<'_>, now: Timestamp) -> Result<(), Fault> {
    let query = match &step {
        Step::Add { job, schedule, due_at } => sqlx::query(
            "INSERT INTO job (project, check_id, target, schedule, due_at) \
             VALUES (?1, ?2, ?3, ?4, ?5)",
        )
        .bind(&job.key.project)
        .bind(&job.key.check)
        .bind(&job.target)
        .bind(schedule)
        .bind(due_at),
        Step::Forget { id, key } => {
            incidents::end_of_job(on, key, now).await?;
            sqlx::query("DELETE FROM job WHERE id = ?1").bind(id)
        }
        Step::Change { id, schedule, due_at, last_due } => sqlx::query(
            "UPDATE job SET schedule = ?2, due_at = ?3, last_due = ?4, gone_at = NULL, \
             lease_by = CASE WHEN gone_at IS NULL THEN lease_by END, \
             lease_until = CASE WHEN gone_at IS NULL THEN lease_until END WHERE id = ?1",
        )
        .bind(id)
        .bind(schedule)
        .bind(due_at)
        .bind(last_due),
        Step::End { id, key } => {
            incidents::end_of_job(on, key, now).await?;
            sqlx::query(
                "UPDATE job SET gone_at = ?2, lease_by = NULL, lease_until = NULL WHERE id = ?1",
            )
            .bind(id)
            .bind(ms(now))
        }
    };
    query.execute(on).await?;
    Ok(())
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
        jobs::taken(&rows)
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
            agents::LEAVE,
        ] {
            sqlx::query(statement).bind(agent).execute(write.on()).await?;
        }
        Ok(())
    };
    let done = done.await;
    write.end("let go of what an agent holds", done).await
}

/// See [`Store::let_go_of_jobs`](crate::store::Store::let_go_of_jobs).
pub(super) async fn let_go(
    connections: &Connections,
    agent: &str,
    but: &[JobKey],
) -> Result<(), StoreError> {
    let but: Vec<[&str; 2]> = but.iter().map(|key| [&*key.project, &*key.check]).collect();
    let mut write = connections.write().await?;
    let done = sqlx::query(LET_GO)
        .bind(agent)
        .bind(serde_json::json!(but).to_string())
        .execute(write.on())
        .await;
    write.end("let go of jobs", done.map(drop).map_err(Fault::from)).await
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

/// Makes a check of a project, or all of them, due now; one that is under way looks again when it has ended.
pub(super) async fn look_now(
    on: &mut SqliteConnection,
    project: &str,
    check: Option<&str>,
    now: Timestamp,
) -> Result<u64, Fault> {
    // A due time is the key of a run: it has to be later than that of the last one, and than that of one that is
    // under way. Whose clock is right takes no job that is due further ahead than the fourth value.
    let done = sqlx::query(
        "UPDATE job SET due_at = max(coalesce(last_due + 1, ?3), CASE WHEN lease_by IS NULL \
         THEN min(due_at, ?3) ELSE max(min(due_at + 1, ?4), ?3) END) \
         WHERE project = ?1 AND (?2 IS NULL OR check_id = ?2) AND gone_at IS NULL",
    )
    .bind(project)
    .bind(check)
    .bind(ms(now))
    .bind(ms(ahead(now)))
    .execute(on)
    .await?;
    Ok(done.rows_affected())
}
