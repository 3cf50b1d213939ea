//! Finished runs with everything that follows from them, in one transaction.

use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::Status;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use super::fault::Fault;
use super::runs::{self, Job, Next};
use super::{SqliteStore, changes, incidents, people};
use crate::incident::{Book, Policy, RunSeen, Sight, observe};
use crate::store::words::{at, ms};
use crate::store::{Committed, Finished, StoreError};

/// See [`Store::commit`](crate::store::Store::commit).
pub(super) async fn commit(
    store: &SqliteStore,
    runs: &[Finished],
    book: &Book,
) -> Result<Vec<Committed>, StoreError> {
    let mut write = store.connections.write().await?;
    let done = async {
        let book = store.muting.book(write.on(), book).await?;
        let mut committed = Vec::with_capacity(runs.len());
        for run in runs {
            committed.push(one(write.on(), run, &book).await?);
        }
        Ok(committed)
    };
    let done = done.await;
    write.end("store finished runs", done).await
}

const GIVE_UP: &str = "UPDATE job SET due_at = ?2, early = 0, lease_by = NULL, \
     lease_until = NULL, last_due = ?3, last_at = ?4, duration_ms = ?5, \
     since = CASE WHEN status = 'unknown' THEN coalesce(since, ?4) ELSE ?4 END, \
     status = 'unknown', reason = ?6, unlock = ?7, blind_runs = blind_runs + 1, \
     blind_since = coalesce(blind_since, ?4), span = ?8, judged = NULL, measured = '[]' WHERE id = ?1";

/// What a run that cannot be stored asks of people.
const UNLOCK: &str = "report it as a bug of launchready, with the log of the agent";

/// See [`Store::give_up`](crate::store::Store::give_up). It reads and writes as little as it can.
pub(super) async fn give_up(
    connections: &Connections,
    run: &Finished,
    why: &str,
) -> Result<Committed, StoreError> {
    let mut write = connections.write().await?;
    let done = give_up_in(write.on(), run, why).await;
    write.end("record that a run cannot be stored", done).await
}

async fn give_up_in(
    on: &mut SqliteConnection,
    run: &Finished,
    why: &str,
) -> Result<Committed, Fault> {
    let mut became = Committed {
        key: run.key.clone(),
        stored: false,
        changes: Vec::new(),
        next_due: run.next_due,
    };
    let row = sqlx::query(
        "SELECT id, last_due, due_at FROM job \
         WHERE project = ?1 AND check_id = ?2 AND target = ?3 AND gone_at IS NULL",
    )
    .bind(&run.key.project)
    .bind(&run.key.check)
    .bind(&run.seen.target)
    .fetch_optional(&mut *on)
    .await?;
    let Some(row) = row else { return Ok(became) };
    let (job, last_due): (i64, Option<i64>) = (row.try_get("id")?, row.try_get("last_due")?);
    if last_due.is_some_and(|last| ms(run.due_at) <= last) {
        became.next_due = at(row.try_get("due_at")?);
        return Ok(became);
    }
    let span = runs::begin_span(on, job, run, Status::Unknown, Some(why)).await?;
    sqlx::query("DELETE FROM judgement WHERE job = ?1").bind(job).execute(&mut *on).await?;
    let next = next(run, None);
    sqlx::query(GIVE_UP)
        .bind(job)
        .bind(ms(next.at))
        .bind(ms(run.due_at))
        .bind(ms(run.started_at))
        .bind(i64::try_from(run.duration.as_millis()).unwrap_or(i64::MAX))
        .bind(why)
        .bind(UNLOCK)
        .bind(span)
        .execute(on)
        .await?;
    (became.stored, became.next_due) = (true, next.at);
    Ok(became)
}

async fn one(on: &mut SqliteConnection, run: &Finished, book: &Book) -> Result<Committed, Fault> {
    let left_out =
        |next_due| Committed { key: run.key.clone(), stored: false, changes: Vec::new(), next_due };
    let Some(job) = runs::load(on, &run.key).await? else { return Ok(left_out(run.next_due)) };
    // A look at the domain that the project had before says nothing of the present one.
    if job.target != run.seen.target || job.last_due.is_some_and(|last| ms(run.due_at) <= last) {
        return Ok(left_out(at(job.due_at)));
    }
    let mut seen = fill_in(run, &job);
    people::accept(on, &mut seen, book).await?;
    let fallback = Policy::default();
    let policy = book.policies.get(&run.key.project).unwrap_or(&fallback);
    let known = incidents::known(on, &seen, policy).await?;
    let outcome = observe(&known, &seen, book);
    let ended = SignedDuration::try_from(run.duration)
        .ok()
        .and_then(|duration| run.started_at.checked_add(duration).ok())
        .unwrap_or(run.started_at);
    let next = next(run, outcome.look_again_at);
    let evidence = runs::keep_evidence(on, &job, run).await?;
    let sighting =
        evidence.as_deref().map(|hash| changes::Sighting { check: &run.key.check, hash });
    let changes = changes::apply(on, outcome, book, &run.key.project, ended, sighting).await?;
    runs::save(on, &job, run, evidence.as_deref(), next).await?;
    Ok(Committed { key: run.key.clone(), stored: true, changes, next_due: next.at })
}

/// What the run saw, with what only the store knows.
fn fill_in(run: &Finished, job: &Job) -> RunSeen {
    let mut seen = run.seen.clone();
    seen.first = job.last_due.is_none();
    seen.last_look = job.last_look.map(at);
    if let Sight::Blind { runs, since, .. } = &mut seen.sight {
        *runs = u32::try_from(job.blind_runs.saturating_add(1)).unwrap_or(u32::MAX);
        *since = job.blind_since.map_or(run.started_at, at);
    }
    seen
}

/// When the job is due next: with its schedule, or sooner where a finding is suspected. Never within a
/// second of the run's beginning, and always after its own due time, which is the key of the run.
fn next(run: &Finished, look_again: Option<Timestamp>) -> Next {
    let after = |time: Timestamp, gap: SignedDuration| time.checked_add(gap).unwrap_or(time);
    let least = after(run.started_at, SignedDuration::from_secs(1))
        .max(after(run.due_at, SignedDuration::from_millis(1)));
    let early = look_again.filter(|again| *again < run.next_due);
    Next { at: early.unwrap_or(run.next_due).max(least), early: early.is_some() }
}
