//! Incidents: which are known, what people do, and the end of a job.

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::connection::{Hold, Tries};
use super::{PostgresStore, changes, people};
use crate::incident::{self, Book, Change, Incident};
use crate::store::fault::Fault;
use crate::store::incidents::{Found, by_hand, end_quietly, missing, read, unreadable};
use crate::store::known::Known;
use crate::store::row::Columns as _;
use crate::store::words::{NOT_CONFIGURED, json, ms};
use crate::store::{JobKey, StoreError};

/// What the state machine has to know for runs of projects. Project by project, so that each part has its index: of
/// all projects at once a server makes one bitmap, which leads to every row that was unresolved since the last vacuum.
pub(super) const KNOWN: &str = "SELECT incident.* FROM unnest($1::text[]) AS asked (project) \
     CROSS JOIN LATERAL (SELECT project, id, body, resolved_at FROM incident \
         WHERE project = asked.project AND state IN ('suspected', 'open', 'acknowledged') \
       UNION ALL SELECT project, id, body, resolved_at FROM incident \
         WHERE project = asked.project AND state = 'resolved' AND resolved_at >= $2) AS incident";

/// Everything that lasts.
pub(super) const LASTING: &str =
    "SELECT id, body FROM incident WHERE state IN ('suspected', 'open', 'acknowledged')";

pub(super) const OF_JOB: &str = "SELECT id, body FROM incident WHERE project = $1 \
     AND check_id = $2 AND state IN ('suspected', 'open', 'acknowledged')";

/// Takes an incident that cannot be read out of the way of all others, so that what is still wrong opens
/// a new one at the next look. Its row stays until its keeping time is over.
pub(super) async fn set_aside(
    on: &mut PgConnection,
    id: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE incident SET state = 'unreadable', resolved_at = $2, wake_at = NULL WHERE id = $1",
    )
    .bind(id)
    .bind(ms(now))
    .execute(on)
    .await?;
    Ok(())
}

/// Reads the incidents of projects that may count for runs.
pub(super) async fn know(
    on: &mut PgConnection,
    known: &mut Known,
    projects: &[&str],
    now: Timestamp,
) -> Result<(), Fault> {
    let rows = sqlx::query(KNOWN).bind(projects).bind(known.since).fetch_all(&mut *on).await?;
    for id in known.learn(projects, &rows)? {
        set_aside(on, &id, now).await?;
    }
    Ok(())
}

/// See [`Store::acknowledge`](crate::store::Store::acknowledge).
pub(super) async fn acknowledge(
    store: &PostgresStore,
    id: &str,
    by: &str,
    note: &str,
    book: &Book,
    now: Timestamp,
) -> Result<Incident, StoreError> {
    let say =
        |incident: &Incident, book: &Book| incident::acknowledge(incident, by, note, book, now);
    change(store, id, book, now, "acknowledge the incident", say).await
}

/// See [`Store::resolve`](crate::store::Store::resolve).
pub(super) async fn resolve(
    store: &PostgresStore,
    id: &str,
    by: &str,
    book: &Book,
    now: Timestamp,
) -> Result<Incident, StoreError> {
    let say = |incident: &Incident, book: &Book| incident::resolve(incident, by, book, now);
    change(store, id, book, now, "resolve the incident", say).await
}

async fn change(
    store: &PostgresStore,
    id: &str,
    book: &Book,
    now: Timestamp,
    doing: &'static str,
    say: impl Fn(&Incident, &Book) -> Result<Change, String> + Send,
) -> Result<Incident, StoreError> {
    let mut on = store.connections.reader(doing).await?;
    let project = sqlx::query("SELECT project FROM incident WHERE id = $1")
        .bind(id)
        .fetch_optional(on.on())
        .await;
    let project = project.map_err(Fault::from).and_then(|row| {
        let row = row.ok_or_else(|| missing(id))?;
        Ok(row.text("project")?.to_owned())
    });
    let project = on.told(project).await?;
    let projects = [project.as_str()].into();
    let mut tries = Tries::new();
    loop {
        let mut write = store.connections.write(doing, Hold::Projects(&projects)).await?;
        let done = async {
            let book = people::book(&store.muting, write.on(), book).await?;
            let incident = find(write.on(), id).await?;
            let change = say(&incident, &book).map_err(StoreError::State)?;
            let after = change.incident.clone();
            changes::apply(write.on(), &mut by_hand(change), &book, &project, now, None).await?;
            Ok(after)
        };
        let done = done.await;
        if let Some(after) = write.end(&mut tries, done).await? {
            return Ok(after);
        }
    }
}

async fn find(on: &mut PgConnection, id: &str) -> Result<Incident, Fault> {
    let row = sqlx::query("SELECT id, body FROM incident WHERE id = $1")
        .bind(id)
        .fetch_optional(on)
        .await?;
    read(&row.ok_or_else(|| missing(id))?).ok_or_else(|| unreadable(id))
}

/// Ends the incidents of a job that the config no longer has.
pub(super) async fn end_of_job(
    on: &mut PgConnection,
    key: &JobKey,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(
        "DELETE FROM incident WHERE project = $1 AND check_id = $2 AND state = 'suspected'",
    )
    .bind(&key.project)
    .bind(&key.check)
    .execute(&mut *on)
    .await?;
    let rows = sqlx::query(OF_JOB).bind(&key.project).bind(&key.check).fetch_all(&mut *on).await?;
    let found = Found::of(&rows)?;
    for id in &found.unreadable {
        set_aside(on, id, now).await?;
    }
    for incident in found.known {
        let change = end_quietly(incident, now);
        sqlx::query(
            "UPDATE incident SET state = 'resolved', resolved_at = $2, flapping = FALSE, body = $3, \
             wake_at = NULL WHERE id = $1",
        )
        .bind(&change.incident.id)
        .bind(ms(now))
        .bind(json(&change.incident)?)
        .execute(&mut *on)
        .await?;
        changes::insert(on, &change, now, Some(NOT_CONFIGURED)).await?;
    }
    Ok(())
}
