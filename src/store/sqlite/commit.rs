//! Finished runs with everything that follows from them, in one transaction.

use std::collections::BTreeSet;

use jiff::Timestamp;
use launchready_checks::contract::Status;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use super::gathered::Gathered;
use super::{SqliteStore, changes, incidents, people, runs};
use crate::incident::{Book, ChangeKind, observe};
use crate::store::fault::Fault;
use crate::store::incidents::Sighting;
use crate::store::known::Known;
use crate::store::row::Columns as _;
use crate::store::runs::{Job, Next, duration_ms, end_of, not_stored};
use crate::store::words::ms;
use crate::store::{Committed, Finished, REPORT_IT, StoreError};

/// See [`Store::commit`](crate::store::Store::commit).
pub(super) async fn commit(
    store: &SqliteStore,
    runs: &[Finished],
    book: &Book,
) -> Result<Vec<Committed>, StoreError> {
    let mut write = store.connections.write().await?;
    let done = all(write.on(), store, runs, book).await;
    write.end("store finished runs", done).await
}

async fn all(
    on: &mut SqliteConnection,
    store: &SqliteStore,
    runs: &[Finished],
    book: &Book,
) -> Result<Vec<Committed>, Fault> {
    let book = people::book(&store.muting, on, book).await?;
    let mut loaded = runs::load(on, runs.iter().map(|run| &run.key)).await?;
    let mut known = Known::for_runs(runs, &book);
    let projects: BTreeSet<&str> = runs.iter().map(|run| run.key.project.as_str()).collect();
    let now = runs.iter().map(|run| run.seen.at).max().unwrap_or_default();
    for project in projects {
        incidents::know(on, &mut known, project, now).await?;
    }
    let mut committed = Vec::with_capacity(runs.len());
    let mut gathered = Gathered::default();
    for run in runs {
        let mut job = loaded.remove(&run.key);
        if job.is_none() {
            // The second run of a job comes after the first.
            gathered.write(on).await?;
            job = runs::load(on, std::iter::once(&run.key)).await?.remove(&run.key);
        }
        let mut became = not_stored(run, job.as_ref().map(|job| job.due_at));
        if let Some(job) = job.filter(|job| !job.leaves_out(run)) {
            let (changes, next_due) = one(on, run, &job, &book, &mut known, &mut gathered).await?;
            (became.stored, became.changes, became.next_due) = (true, changes, next_due);
        }
        committed.push(became);
    }
    gathered.write(on).await?;
    Ok(committed)
}

const GIVE_UP: &str = "UPDATE job SET \
     due_at = CASE WHEN due_at > ?3 THEN min(?2, max(due_at, ?4 + 1000)) ELSE ?2 END, \
     early = 0, lease_by = NULL, lease_until = NULL, last_due = ?3, last_at = ?4, duration_ms = ?5, \
     since = CASE WHEN status = 'unknown' THEN coalesce(since, ?4) ELSE ?4 END, \
     status = 'unknown', reason = ?6, unlock = ?7, blind_runs = blind_runs + 1, \
     blind_since = coalesce(blind_since, ?4), span = ?8, judged = NULL, measured = '[]' WHERE id = ?1 \
     RETURNING due_at";

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
    let mut became = not_stored(run, None);
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
    let (job, last_due) = (row.number("id")?, row.some_number("last_due")?);
    if last_due.is_some_and(|last| ms(run.due_at) <= last) {
        became.next_due = row.time("due_at")?;
        return Ok(became);
    }
    let span = runs::begin_span(on, job, run, Status::Unknown, Some(why)).await?;
    sqlx::query("DELETE FROM judgement WHERE job = ?1").bind(job).execute(&mut *on).await?;
    let next = Next::after(run, None);
    let saved = sqlx::query(GIVE_UP)
        .bind(job)
        .bind(ms(next.at))
        .bind(ms(run.due_at))
        .bind(ms(run.started_at))
        .bind(duration_ms(run))
        .bind(why)
        .bind(REPORT_IT)
        .bind(span)
        .fetch_one(on)
        .await?;
    (became.stored, became.next_due) = (true, saved.time("due_at")?);
    Ok(became)
}

/// Stores one run, but for what is gathered: gives back what happened, and when its job is due.
async fn one(
    on: &mut SqliteConnection,
    run: &Finished,
    job: &Job,
    book: &Book,
    known: &mut Known,
    gathered: &mut Gathered,
) -> Result<(Vec<(ChangeKind, String)>, Timestamp), Fault> {
    let mut seen = job.fill_in(run);
    people::accept(on, &mut seen, book).await?;
    let mut outcome = observe(&known.of(&seen, book), &seen, book);
    let next = Next::after(run, outcome.look_again_at);
    let evidence = runs::keep_evidence(on, job, run).await?;
    let sighting = evidence.as_deref().map(|hash| Sighting { check: &run.key.check, hash });
    let changes =
        changes::apply(on, &mut outcome, book, &run.key.project, end_of(run), sighting).await?;
    known.follow(&outcome, &seen.project);
    let next_due = runs::save(on, job, run, evidence.as_deref(), next, gathered).await?;
    Ok((changes, next_due))
}
