//! Incidents: which are known, time passing, people, and the end of a job.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::fault::Fault;
use super::{SqliteStore, changes};
use crate::incident::{
    self, Book, Change, ChangeKind, Incident, Outcome, Policy, RunSeen, State, Tell,
};
use crate::store::words::{NOT_CONFIGURED, json, ms};
use crate::store::{JobKey, StoreError};

/// What the state machine has to know for one run.
pub(super) const KNOWN: &str = "SELECT body FROM incident \
     WHERE project = ?1 AND state <> 'resolved' \
     UNION ALL \
     SELECT * FROM (SELECT body FROM incident WHERE project = ?1 AND check_id = ?2 \
       AND state = 'resolved' AND resolved_at >= ?3 ORDER BY resolved_at DESC)";

/// What the state machine has to know when time passes.
pub(super) const ASLEEP: &str = "SELECT body FROM incident \
     WHERE project = ?1 AND state <> 'resolved'";

/// The projects for which time passes.
pub(super) const PROJECTS: &str =
    "SELECT DISTINCT project FROM incident WHERE state <> 'resolved' ORDER BY project";

fn read(row: &SqliteRow) -> Result<Incident, Fault> {
    let body: &str = row.try_get("body")?;
    Ok(serde_json::from_str(body)?)
}

/// Every unresolved incident of the run's project, and of its check the latest that is over of each key.
pub(super) async fn known(
    on: &mut SqliteConnection,
    seen: &RunSeen,
    policy: &Policy,
) -> Result<Vec<Incident>, Fault> {
    let since = SignedDuration::try_from(policy.flap_window)
        .ok()
        .and_then(|window| seen.at.checked_sub(window).ok())
        .unwrap_or(Timestamp::MIN);
    let rows = sqlx::query(KNOWN)
        .bind(&seen.project)
        .bind(&seen.check)
        .bind(ms(since))
        .fetch_all(on)
        .await?;
    let mut known: Vec<Incident> = Vec::with_capacity(rows.len());
    let mut over = HashMap::new();
    for row in &rows {
        let incident = read(row)?;
        if incident.state != State::Resolved {
            known.push(incident);
        } else if !over.contains_key(&incident.key) {
            over.insert(incident.key.clone(), incident);
        }
    }
    let mut over: Vec<Incident> = over.into_values().collect();
    over.sort_by(|one, other| one.key.cmp(&other.key));
    known.extend(over);
    Ok(known)
}

async fn asleep(on: &mut SqliteConnection, project: &str) -> Result<Vec<Incident>, Fault> {
    let rows = sqlx::query(ASLEEP).bind(project).fetch_all(on).await?;
    rows.iter().map(read).collect()
}

/// See [`Store::wake`](crate::store::Store::wake). What nothing happens to is only read.
pub(super) async fn wake(
    store: &SqliteStore,
    book: &Book,
    now: Timestamp,
) -> Result<u64, StoreError> {
    const DOING: &str = "let time pass for incidents";
    let mut on = store.connections.read().await?;
    let moved = async {
        let book = store.muting.book(&mut on, book).await?;
        let mut moved = Vec::new();
        for row in sqlx::query(PROJECTS).fetch_all(&mut *on).await? {
            let project: String = row.try_get(0)?;
            let known = asleep(&mut on, &project).await?;
            if incident::wake(&known, &book, now) != Outcome::default() {
                moved.push(project);
            }
        }
        Ok(moved)
    };
    let moved = moved.await;
    drop(on);
    let moved = store.connections.told(DOING, moved)?;
    if moved.is_empty() {
        return Ok(0);
    }
    let mut write = store.connections.write().await?;
    let done = async {
        let book = store.muting.book(write.on(), book).await?;
        let mut count = 0;
        for project in moved {
            let known = asleep(write.on(), &project).await?;
            let outcome = incident::wake(&known, &book, now);
            let happened = changes::apply(write.on(), outcome, &book, &project, now, None).await?;
            count += happened.len() as u64;
        }
        Ok(count)
    };
    let done = done.await;
    write.end(DOING, done).await
}

/// See [`Store::acknowledge`](crate::store::Store::acknowledge).
pub(super) async fn acknowledge(
    store: &SqliteStore,
    id: &str,
    by: &str,
    note: &str,
    book: &Book,
    now: Timestamp,
) -> Result<Incident, StoreError> {
    let say =
        |incident: &Incident, book: &Book| incident::acknowledge(incident, by, note, book, now);
    by_hand(store, id, book, now, "acknowledge the incident", say).await
}

/// See [`Store::resolve`](crate::store::Store::resolve).
pub(super) async fn resolve(
    store: &SqliteStore,
    id: &str,
    by: &str,
    book: &Book,
    now: Timestamp,
) -> Result<Incident, StoreError> {
    let say = |incident: &Incident, book: &Book| incident::resolve(incident, by, book, now);
    by_hand(store, id, book, now, "resolve the incident", say).await
}

async fn by_hand(
    store: &SqliteStore,
    id: &str,
    book: &Book,
    now: Timestamp,
    doing: &'static str,
    say: impl Fn(&Incident, &Book) -> Result<Change, String> + Send,
) -> Result<Incident, StoreError> {
    let mut write = store.connections.write().await?;
    let done = async {
        let book = store.muting.book(write.on(), book).await?;
        let incident = find(write.on(), id).await?;
        let change = say(&incident, &book).map_err(StoreError::State)?;
        let after = change.incident.clone();
        let project = after.key.project.clone();
        let outcome =
            Outcome { incidents: vec![after.clone()], changes: vec![change], ..Outcome::default() };
        changes::apply(write.on(), outcome, &book, &project, now, None).await?;
        Ok(after)
    };
    let done = done.await;
    write.end(doing, done).await
}

async fn find(on: &mut SqliteConnection, id: &str) -> Result<Incident, Fault> {
    let row =
        sqlx::query("SELECT body FROM incident WHERE id = ?1").bind(id).fetch_optional(on).await?;
    match row {
        Some(row) => read(&row),
        None => Err(StoreError::Missing { what: "incident", id: id.to_owned() }.into()),
    }
}

/// Ends the incidents of a job that the config no longer has. Nobody is told: nothing was mended.
pub(super) async fn end_of_job(
    on: &mut SqliteConnection,
    key: &JobKey,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM incident WHERE project = ?1 AND check_id = ?2 AND state = 'suspected'",
    )
    .bind(&key.project)
    .bind(&key.check)
    .execute(&mut *on)
    .await?;
    let rows = sqlx::query(
        "SELECT body FROM incident WHERE project = ?1 AND check_id = ?2 AND state <> 'resolved'",
    )
    .bind(&key.project)
    .bind(&key.check)
    .fetch_all(&mut *on)
    .await?;
    for row in &rows {
        let mut incident = read(row)?;
        incident.state = State::Resolved;
        incident.resolved_at = Some(now);
        incident.unheard = None;
        incident.flapping = false;
        sqlx::query(
            "UPDATE incident SET state = 'resolved', resolved_at = ?2, flapping = 0, body = ?3 \
             WHERE id = ?1",
        )
        .bind(&incident.id)
        .bind(ms(now))
        .bind(json(&incident)?)
        .execute(&mut *on)
        .await?;
        let change = Change {
            kind: ChangeKind::Resolved,
            incident,
            members: Vec::new(),
            tell: Tell::No(None),
        };
        changes::insert(on, &change, now, Some(NOT_CONFIGURED)).await?;
    }
    Ok(())
}
