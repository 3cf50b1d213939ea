//! Writes what came of a look, of time passing or of a person: incidents, changes, and what is told.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::{jobs, outbox, runs};
use crate::incident::{Book, Change, ChangeKind, Incident, Outcome};
use crate::store::fault::Fault;
use crate::store::incidents::{Sighting, name, wake_at};
use crate::store::messages::News;
use crate::store::plan::plan;
use crate::store::words::{NO_CHANNEL, json, ms, unheard};

pub(super) const SAVE_INCIDENT: &str = "INSERT INTO incident \
     (id, project, check_id, code, target, state, flapping, first_seen, resolved_at, body, severity, \
     wake_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) \
     ON CONFLICT (id) DO UPDATE SET state = excluded.state, flapping = excluded.flapping, \
     resolved_at = excluded.resolved_at, body = excluded.body, severity = excluded.severity, \
     wake_at = excluded.wake_at";

const INSERT_CHANGE: &str = "INSERT INTO change (incident, kind, at, members, unheard, body) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

/// Writes an outcome, whose new incidents are given ids; gives back what happened, with the ids of the incidents.
pub(super) async fn apply(
    on: &mut SqliteConnection,
    outcome: &mut Outcome,
    book: &Book,
    project: &str,
    now: Timestamp,
    sighting: Option<Sighting<'_>>,
) -> Result<Vec<(ChangeKind, String)>, Fault> {
    let new = name(outcome)?;
    let Outcome { incidents, forgotten, changes, look_too, .. } = &*outcome;
    for gone in forgotten {
        forget(on, gone).await?;
    }
    for incident in incidents {
        save(on, incident, book, now).await?;
        if let Some(sighting) = sighting.filter(|sighting| sighting.check == incident.key.check) {
            see(on, incident, sighting, new.contains_key(&incident.key)).await?;
        }
    }
    let mut happened = Vec::with_capacity(changes.len());
    for change in changes {
        record(on, change, book, now).await?;
        happened.push((change.kind, change.incident.id.clone()));
    }
    for check in look_too {
        jobs::look_now(on, project, Some(check), now).await?;
    }
    Ok(happened)
}

async fn save(
    on: &mut SqliteConnection,
    incident: &Incident,
    book: &Book,
    now: Timestamp,
) -> Result<(), Fault> {
    sqlx::query(SAVE_INCIDENT)
        .bind(&incident.id)
        .bind(&incident.key.project)
        .bind(&incident.key.check)
        .bind(&incident.key.code)
        .bind(&incident.key.target)
        .bind(incident.state.as_str())
        .bind(incident.flapping)
        .bind(ms(incident.first_seen))
        .bind(incident.resolved_at.map(ms))
        .bind(json(incident)?)
        .bind(incident.severity.as_str())
        .bind(wake_at(incident, book, now))
        .execute(on)
        .await?;
    Ok(())
}

/// Points an incident to the evidence of the first and the last run that had to do with it.
async fn see(
    on: &mut SqliteConnection,
    incident: &Incident,
    sighting: Sighting<'_>,
    is_new: bool,
) -> Result<(), Fault> {
    if is_new {
        sqlx::query("UPDATE incident SET first_evidence = ?2, last_evidence = ?2 WHERE id = ?1")
            .bind(&incident.id)
            .bind(sighting.hash)
            .execute(on)
            .await?;
        return Ok(());
    }
    let row: Option<(Option<Vec<u8>>,)> =
        sqlx::query_as("SELECT last_evidence FROM incident WHERE id = ?1")
            .bind(&incident.id)
            .fetch_optional(&mut *on)
            .await?;
    let before = row.and_then(|(before,)| before);
    if before.as_deref() == Some(sighting.hash) {
        return Ok(());
    }
    sqlx::query("UPDATE incident SET last_evidence = ?2 WHERE id = ?1")
        .bind(&incident.id)
        .bind(sighting.hash)
        .execute(&mut *on)
        .await?;
    if let Some(before) = before {
        sqlx::query(runs::DROP_EVIDENCE).bind(before).execute(on).await?;
    }
    Ok(())
}

async fn forget(on: &mut SqliteConnection, incident: &Incident) -> Result<(), Fault> {
    sqlx::query("DELETE FROM incident WHERE id = ?1 AND state = 'suspected'")
        .bind(&incident.id)
        .execute(on)
        .await?;
    Ok(())
}

/// Records a change, and puts it into the outbox where it is told.
async fn record(
    on: &mut SqliteConnection,
    change: &Change,
    book: &Book,
    now: Timestamp,
) -> Result<(), Fault> {
    let groups = plan(change, book, now);
    let silent = unheard(&change.tell);
    let silent = silent.or_else(|| groups.is_empty().then(|| NO_CHANNEL.to_owned()));
    let number = insert(on, change, now, silent.as_deref()).await?;
    let news = News {
        change: number,
        incident: &change.incident.id,
        project: &change.incident.key.project,
    };
    for group in &groups {
        outbox::join(on, news, group, now).await?;
    }
    Ok(())
}

/// Writes the row of a change; gives back its number.
pub(super) async fn insert(
    on: &mut SqliteConnection,
    change: &Change,
    now: Timestamp,
    unheard: Option<&str>,
) -> Result<i64, Fault> {
    let done = sqlx::query(INSERT_CHANGE)
        .bind(&change.incident.id)
        .bind(change.kind.as_str())
        .bind(ms(now))
        .bind(json(&change.members)?)
        .bind(unheard)
        .bind(json(&change.incident)?)
        .execute(on)
        .await?;
    Ok(done.last_insert_rowid())
}
