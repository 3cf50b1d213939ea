//! Incidents: which are known, what people do, and the end of a job.

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
pub(super) const KNOWN: &str = "SELECT id, body FROM incident \
     WHERE project = ?1 AND state IN ('suspected', 'open', 'acknowledged') \
     UNION ALL \
     SELECT * FROM (SELECT id, body FROM incident WHERE project = ?1 AND check_id = ?2 \
       AND state = 'resolved' AND resolved_at >= ?3 ORDER BY resolved_at DESC)";

/// Everything that lasts.
pub(super) const LASTING: &str =
    "SELECT id, body FROM incident WHERE state IN ('suspected', 'open', 'acknowledged')";

pub(super) const OF_JOB: &str = "SELECT id, body FROM incident WHERE project = ?1 \
     AND check_id = ?2 AND state IN ('suspected', 'open', 'acknowledged')";

/// The incident of a row. What cannot be read is logged, and is none.
pub(super) fn read(row: &SqliteRow) -> Option<Incident> {
    let body: Result<&str, _> = row.try_get("body");
    let read = body.map_err(Fault::from).and_then(|body| Ok(serde_json::from_str(body)?));
    match read {
        Ok(incident) => Some(incident),
        Err(fault) => {
            let id: String = row.try_get("id").unwrap_or_default();
            tracing::error!(
                incident = id,
                "an incident cannot be read, and is left aside: {fault}"
            );
            None
        }
    }
}

/// Takes an incident that cannot be read out of the way of all others, so that what is still wrong opens
/// a new one at the next look. Its row stays until its keeping time is over.
pub(super) async fn set_aside(
    on: &mut SqliteConnection,
    row: &SqliteRow,
    now: Timestamp,
) -> Result<(), Fault> {
    let id: String = row.try_get("id")?;
    sqlx::query(
        "UPDATE incident SET state = 'unreadable', resolved_at = ?2, wake_at = NULL WHERE id = ?1",
    )
    .bind(id)
    .bind(ms(now))
    .execute(on)
    .await?;
    Ok(())
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
        .fetch_all(&mut *on)
        .await?;
    let mut known: Vec<Incident> = Vec::with_capacity(rows.len());
    let mut over = HashMap::new();
    for row in &rows {
        let Some(incident) = read(row) else {
            set_aside(on, row, seen.at).await?;
            continue;
        };
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
    let row = sqlx::query("SELECT id, body FROM incident WHERE id = ?1")
        .bind(id)
        .fetch_optional(on)
        .await?;
    let Some(row) = row else {
        return Err(StoreError::Missing { what: "incident", id: id.to_owned() }.into());
    };
    read(&row).ok_or_else(|| unreadable(id))
}

/// The error of asking for an incident that cannot be read.
pub(super) fn unreadable(id: &str) -> Fault {
    Fault::Row(format!("the row of the incident {id:?} has no known form").into())
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
    let rows = sqlx::query(OF_JOB).bind(&key.project).bind(&key.check).fetch_all(&mut *on).await?;
    for row in &rows {
        let Some(mut incident) = read(row) else {
            set_aside(on, row, now).await?;
            continue;
        };
        incident.state = State::Resolved;
        incident.resolved_at = Some(now);
        incident.unheard = None;
        incident.flapping = false;
        sqlx::query(
            "UPDATE incident SET state = 'resolved', resolved_at = ?2, flapping = 0, body = ?3, \
             wake_at = NULL WHERE id = ?1",
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
