//! Finished runs with everything that follows from them, in one transaction.

use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteConnection;

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
