//! Finished runs with everything that follows from them, in one transaction.

use std::collections::BTreeSet;

use launchready_checks::contract::Status;
use sqlx::postgres::PgConnection;

use super::connection::{Connections, Hold, Tries};
use super::gathered::{Gathered, Row};
use super::{PostgresStore, changes, incidents, people, runs};
use crate::incident::{Book, ChangeKind, observe};
use crate::store::fault::Fault;
use crate::store::incidents::Sighting;
use crate::store::known::Known;
use crate::store::row::Columns as _;
use crate::store::runs::{Job, Next, duration_ms, end_of, not_stored};
use crate::store::words::{ms, plain};
use crate::store::{Committed, Finished, REPORT_IT, StoreError};

/// See [`Store::commit`](crate::store::Store::commit).
pub(super) async fn commit(
    store: &PostgresStore,
    runs: &[Finished],
    book: &Book,
) -> Result<Vec<Committed>, StoreError> {
    let projects: BTreeSet<&str> = runs.iter().map(|run| run.key.project.as_str()).collect();
    let mut tries = Tries::new();
    loop {
        let hold = Hold::Projects(&projects);
        let mut write = store.connections.write("store finished runs", hold).await?;
        let done = all(write.on(), store, runs, &projects, book).await;
        if let Some(committed) = write.end(&mut tries, done).await? {
            return Ok(committed);
        }
    }
}

async fn all(
    on: &mut PgConnection,
    store: &PostgresStore,
    runs: &[Finished],
    projects: &BTreeSet<&str>,
    book: &Book,
) -> Result<Vec<Committed>, Fault> {
    let book = people::book(&store.muting, on, book).await?;
    let mut loaded = runs::load(on, runs.iter().map(|run| &run.key)).await?;
    let mut known = Known::for_runs(runs, &book);
    let projects: Vec<&str> = projects.iter().copied().collect();
    let now = runs.iter().map(|run| run.seen.at).max().unwrap_or_default();
    incidents::know(on, &mut known, &projects, now).await?;
    let mut committed = Vec::with_capacity(runs.len());
    let mut gathered = Gathered::default();
    for run in runs {
        let mut job = loaded.remove(&run.key);
        if job.is_none() {
            // The second run of a job comes after the first.
            gathered.write(on, &mut committed).await?;
            job = runs::load(on, std::iter::once(&run.key)).await?.remove(&run.key);
        }
        let place = committed.len();
        let mut became = not_stored(run, job.as_ref().map(|job| job.due_at));
        if let Some(job) = job.filter(|job| !job.leaves_out(run)) {
            let (changes, row) = one(on, run, &job, &book, &mut known).await?;
            gathered.push(place, &job, run, row)?;
            (became.stored, became.changes) = (true, changes);
        }
        committed.push(became);
    }
    gathered.write(on, &mut committed).await?;
    Ok(committed)
}

const GIVE_UP: &str = "UPDATE job SET \
     due_at = CASE WHEN due_at > $3 THEN least($2, greatest(due_at, $4 + 1000)) ELSE $2 END, \
     early = FALSE, lease_by = NULL, lease_until = NULL, last_due = $3, last_at = $4, duration_ms = $5, \
     since = CASE WHEN status = 'unknown' THEN coalesce(since, $4) ELSE $4 END, \
     status = 'unknown', reason = $6, unlock = $7, blind_runs = blind_runs + 1, \
     blind_since = coalesce(blind_since, $4), span = $8, judged = NULL, measured = '[]' WHERE id = $1 \
     RETURNING due_at";

/// See [`Store::give_up`](crate::store::Store::give_up). It reads and writes as little as it can.
pub(super) async fn give_up(
    connections: &Connections,
    run: &Finished,
    why: &str,
) -> Result<Committed, StoreError> {
    let projects = [run.key.project.as_str()].into();
    let mut tries = Tries::new();
    loop {
        let (doing, hold) = ("record that a run cannot be stored", Hold::Projects(&projects));
        let mut write = connections.write(doing, hold).await?;
        let done = give_up_in(write.on(), run, why).await;
        if let Some(became) = write.end(&mut tries, done).await? {
            return Ok(became);
        }
    }
}

async fn give_up_in(on: &mut PgConnection, run: &Finished, why: &str) -> Result<Committed, Fault> {
    let mut became = not_stored(run, None);
    let row = sqlx::query(
        "SELECT id, last_due, due_at FROM job \
         WHERE project = $1 AND check_id = $2 AND target = $3 AND gone_at IS NULL FOR NO KEY UPDATE",
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
    sqlx::query("DELETE FROM judgement WHERE job = $1").bind(job).execute(&mut *on).await?;
    let next = Next::after(run, None);
    let saved = sqlx::query(GIVE_UP)
        .bind(job)
        .bind(ms(next.at))
        .bind(ms(run.due_at))
        .bind(ms(run.started_at))
        .bind(duration_ms(run))
        .bind(plain(why))
        .bind(REPORT_IT)
        .bind(span)
        .fetch_one(on)
        .await?;
    (became.stored, became.next_due) = (true, saved.time("due_at")?);
    Ok(became)
}

/// Stores one run but for the row of its job: gives back what happened and that row.
async fn one(
    on: &mut PgConnection,
    run: &Finished,
    job: &Job,
    book: &Book,
    known: &mut Known,
) -> Result<(Vec<(ChangeKind, String)>, Row), Fault> {
    let mut seen = job.fill_in(run);
    people::accept(on, &mut seen, book).await?;
    let mut outcome = observe(&known.of(&seen, book), &seen, book);
    let next = Next::after(run, outcome.look_again_at);
    let evidence = runs::keep_evidence(on, job, run).await?;
    let sighting = evidence.as_deref().map(|hash| Sighting { check: &run.key.check, hash });
    let changes =
        changes::apply(on, &mut outcome, book, &run.key.project, end_of(run), sighting).await?;
    known.follow(&outcome, &seen.project);
    let row = runs::save(on, job, run, evidence.as_deref(), next).await?;
    Ok((changes, row))
}
