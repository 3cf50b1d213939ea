//! Jobs: what the config has, what is due, and who has it.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::agents;
use super::connection::{Connections, Hold, Tries};
use super::incidents;
use crate::clock::Clock;
use crate::store::fault::Fault;
use crate::store::jobs::{self, Step, ahead, lease_end};
use crate::store::row::Columns as _;
use crate::store::words::{at, ms};
use crate::store::{DueJob, JobKey, JobSpec, StoreError};

/// Takes what is due and free, and what was due and whose holder has not come back. What another agent is
/// taking at this moment is passed over. The jobs of a project that another agent is at are left to it as
/// long as there are others: looks of one agent share what they ask for.
pub(super) const TAKE: &str = "WITH theirs AS MATERIALIZED (SELECT DISTINCT project FROM job \
       WHERE lease_until > $3 AND lease_by IS DISTINCT FROM $1), \
     free AS MATERIALIZED (SELECT id, due_at FROM job \
       WHERE lease_until IS NULL AND gone_at IS NULL AND due_at <= $3 \
         AND project NOT IN (SELECT project FROM theirs) \
       ORDER BY due_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED), \
     shared AS MATERIALIZED (SELECT id, due_at FROM job \
       WHERE lease_until IS NULL AND gone_at IS NULL AND due_at <= $3 \
         AND project = ANY(ARRAY(SELECT project FROM theirs)) \
       ORDER BY due_at LIMIT $4 - (SELECT count(*) FROM free) FOR NO KEY UPDATE SKIP LOCKED), \
     left_over AS MATERIALIZED (SELECT id, due_at FROM job \
       WHERE lease_until IS NOT NULL AND lease_until <= $3 AND gone_at IS NULL AND due_at <= $3 \
       ORDER BY due_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED) \
     UPDATE job SET lease_by = $1, lease_until = $2 WHERE id = ANY(ARRAY(SELECT id FROM \
       (SELECT * FROM free UNION ALL SELECT * FROM shared UNION ALL SELECT * FROM left_over) AS due \
       ORDER BY due_at LIMIT $4)) \
     RETURNING project, check_id, due_at, last_due IS NULL AS first, early, \
       project IN (SELECT project FROM theirs) AS beside";

/// The earliest time at which a free job is due.
pub(super) const NEXT_FREE: &str = "SELECT due_at FROM job \
     WHERE lease_until IS NULL AND gone_at IS NULL ORDER BY due_at LIMIT 1";
/// The earliest time at which a job that is held may be taken from its holder.
pub(super) const NEXT_HELD: &str = "SELECT min(greatest(due_at, lease_until)) AS due_at FROM job \
     WHERE lease_until IS NOT NULL AND gone_at IS NULL";

/// Has the next run write its judgement where the last one cannot be read, even where it is the same.
const WRITE_ANEW: &str = "UPDATE job SET judged = NULL WHERE id IN \
     (SELECT job FROM judgement WHERE NOT is_json(body))";

const KNOWN: &str = "SELECT id, project, check_id, target, schedule, due_at, last_due, \
     lease_by IS NOT NULL AS held, gone_at IS NOT NULL AS gone FROM job";

const LET_GO: &str = "UPDATE job SET lease_by = NULL, lease_until = NULL WHERE lease_by = $1 \
     AND NOT EXISTS (SELECT FROM unnest($2::text[], $3::text[]) AS held (project, check_id) \
       WHERE held.project = job.project AND held.check_id = job.check_id)";

pub(super) const RELEASE: [&str; 3] = [
    "UPDATE job SET lease_by = NULL, lease_until = NULL WHERE lease_by = $1",
    "UPDATE delivery SET lease_by = NULL, lease_until = NULL WHERE lease_by = $1",
    agents::LEAVE,
];

/// See [`Store::sync_jobs`](crate::store::Store::sync_jobs).
pub(super) async fn sync(
    connections: &Connections,
    jobs: &[JobSpec],
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let doing = "take over the jobs of the config";
        let mut write = connections.write(doing, Hold::All).await?;
        let done = sync_in(write.on(), jobs, clock.now()).await;
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

async fn sync_in(on: &mut PgConnection, jobs: &[JobSpec], now: Timestamp) -> Result<(), Fault> {
    sqlx::query(WRITE_ANEW).execute(&mut *on).await?;
    let before = jobs::known(&sqlx::query(KNOWN).fetch_all(&mut *on).await?)?;
    let (mut new, mut changed) = (New::default(), Changed::default());
    for step in jobs::steps(jobs, before, now) {
        match step {
            Step::Add { job, schedule, due_at } => new.push(job, schedule, due_at),
            Step::Change { id, schedule, due_at, last_due } => {
                changed.push(id, schedule, due_at, last_due);
            }
            // It goes before the job of the same key comes.
            Step::Forget { id, key } => {
                incidents::end_of_job(on, key, now).await?;
                sqlx::query("DELETE FROM job WHERE id = $1").bind(id).execute(&mut *on).await?;
            }
            Step::End { id, key } => {
                incidents::end_of_job(on, &key, now).await?;
                sqlx::query(
                    "UPDATE job SET gone_at = $2, lease_by = NULL, lease_until = NULL WHERE id = $1",
                )
                .bind(id)
                .bind(ms(now))
                .execute(&mut *on)
                .await?;
            }
        }
    }
    changed.store(on).await?;
    new.store(on).await
}

/// New jobs by columns: a statement for each would take minutes for many projects on a server that is far.
#[derive(Debug, Default)]
struct New<'j> {
    projects: Vec<&'j str>,
    checks: Vec<&'j str>,
    targets: Vec<&'j str>,
    schedules: Vec<String>,
    due: Vec<i64>,
}

impl<'j> New<'j> {
    fn push(&mut self, job: &'j JobSpec, schedule: String, due_at: i64) {
        self.projects.push(&job.key.project);
        self.checks.push(&job.key.check);
        self.targets.push(&job.target);
        self.schedules.push(schedule);
        self.due.push(due_at);
    }

    async fn store(self, on: &mut PgConnection) -> Result<(), Fault> {
        sqlx::query(
            "INSERT INTO job (project, check_id, target, schedule, due_at) \
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])",
        )
        .bind(self.projects)
        .bind(self.checks)
        .bind(self.targets)
        .bind(self.schedules)
        .bind(self.due)
        .execute(on)
        .await?;
        Ok(())
    }
}

/// Jobs whose rows differ, by columns.
#[derive(Debug, Default)]
struct Changed {
    ids: Vec<i64>,
    schedules: Vec<String>,
    due: Vec<i64>,
    last_due: Vec<Option<i64>>,
}

impl Changed {
    fn push(&mut self, id: i64, schedule: String, due_at: i64, last_due: Option<i64>) {
        self.ids.push(id);
        self.schedules.push(schedule);
        self.due.push(due_at);
        self.last_due.push(last_due);
    }

    async fn store(self, on: &mut PgConnection) -> Result<(), Fault> {
        sqlx::query(
            "UPDATE job SET schedule = n.schedule, due_at = n.due_at, last_due = n.last_due, \
             gone_at = NULL, lease_by = CASE WHEN gone_at IS NULL THEN lease_by END, \
             lease_until = CASE WHEN gone_at IS NULL THEN lease_until END \
             FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[]) \
             AS n (id, schedule, due_at, last_due) WHERE job.id = n.id",
        )
        .bind(self.ids)
        .bind(self.schedules)
        .bind(self.due)
        .bind(self.last_due)
        .execute(on)
        .await?;
        Ok(())
    }
}

/// See [`Store::take_due`](crate::store::Store::take_due).
pub(super) async fn take_due(
    connections: &Connections,
    agent: &str,
    now: Timestamp,
    lease: Duration,
    limit: usize,
) -> Result<Vec<DueJob>, StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("take jobs that are due", Hold::Rows).await?;
        let rows = sqlx::query(TAKE)
            .bind(agent)
            .bind(lease_end(now, lease))
            .bind(ms(now))
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(write.on())
            .await;
        let done = rows.map_err(Fault::from).and_then(|rows| jobs::taken(&rows));
        if let Some(taken) = write.end(&mut tries, done).await? {
            return Ok(taken);
        }
    }
}

/// See [`Store::release`](crate::store::Store::release).
pub(super) async fn release(connections: &Connections, agent: &str) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("let go of what an agent holds", Hold::All).await?;
        let done = async {
            for statement in RELEASE {
                sqlx::query(statement).bind(agent).execute(write.on()).await?;
            }
            Ok(())
        };
        let done = done.await;
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

/// See [`Store::let_go_of_jobs`](crate::store::Store::let_go_of_jobs).
pub(super) async fn let_go(
    connections: &Connections,
    agent: &str,
    but: &[JobKey],
) -> Result<(), StoreError> {
    let (projects, checks): (Vec<&str>, Vec<&str>) =
        but.iter().map(|key| (&*key.project, &*key.check)).unzip();
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("let go of jobs", Hold::Rows).await?;
        let query = sqlx::query(LET_GO).bind(agent).bind(&projects).bind(&checks);
        let done = query.execute(write.on()).await.map(drop).map_err(Fault::from);
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

/// See [`Store::next_due`](crate::store::Store::next_due).
pub(super) async fn next_due(connections: &Connections) -> Result<Option<Timestamp>, StoreError> {
    let mut on = connections.reader("say when a job is due").await?;
    let done = async {
        let free = sqlx::query(NEXT_FREE).fetch_optional(on.on()).await?;
        let held = sqlx::query(NEXT_HELD).fetch_one(on.on()).await?.some_number("due_at")?;
        let free = free.map(|row| row.number("due_at")).transpose()?;
        Ok([free, held].into_iter().flatten().min().map(at))
    };
    let done = done.await;
    on.told(done).await
}

/// See [`Store::make_due`](crate::store::Store::make_due).
pub(super) async fn make_due(
    connections: &Connections,
    project: &str,
    check: Option<&str>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let projects = [project].into();
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("make jobs due", Hold::Projects(&projects)).await?;
        let done = look_now(write.on(), project, check, now).await;
        if let Some(count) = write.end(&mut tries, done).await? {
            return Ok(count);
        }
    }
}

/// Makes a check of a project, or all of them, due now; one that is under way looks again when it has ended.
pub(super) async fn look_now(
    on: &mut PgConnection,
    project: &str,
    check: Option<&str>,
    now: Timestamp,
) -> Result<u64, Fault> {
    // A due time is the key of a run: it has to be later than that of the last one, and than that of one that is
    // under way. Whose clock is right takes no job that is due further ahead than the fourth value.
    let done = sqlx::query(
        "UPDATE job SET due_at = greatest(coalesce(last_due + 1, $3), CASE WHEN lease_by IS NULL \
         THEN least(due_at, $3) ELSE greatest(least(due_at + 1, $4), $3) END) \
         WHERE project = $1 AND ($2::text IS NULL OR check_id = $2) AND gone_at IS NULL",
    )
    .bind(project)
    .bind(check)
    .bind(ms(now))
    .bind(ms(ahead(now)))
    .execute(on)
    .await?;
    Ok(done.rows_affected())
}
