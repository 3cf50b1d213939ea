//! How deliveries are claimed, and what is recorded of a try.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::Connections;
use super::fault::Fault;
use super::jobs::lease_end;
use super::outbox::{self, New};
use crate::incident::Incident;
use crate::store::words::{at, ms, word};
use crate::store::{
    Attempt, AttemptOutcome, Claimed, Delivery, Notification, NotificationKind, StoreError, Told,
};

pub(super) const WAITING: &str = "SELECT channel FROM delivery \
     WHERE state = 'pending' AND due_at <= ?1 GROUP BY channel ORDER BY min(due_at), channel";

/// The first delivery of a channel that may be sent. One that tells of an incident waits for an earlier
/// one of that channel that tells of the same incident: the end never overtakes the beginning. It does
/// not wait for what quiet hours hold back, because only what is urgent is told then.
pub(super) const FIRST: &str = "SELECT d.seq, d.notification FROM delivery d \
     WHERE d.channel = ?1 AND d.state = 'pending' AND d.due_at <= ?2 \
     AND (d.lease_until IS NULL OR d.lease_until <= ?2) \
     AND NOT EXISTS (SELECT 1 FROM told mine JOIN change m ON m.id = mine.change \
       JOIN change e ON e.incident = m.incident AND e.id < m.id \
       JOIN told earlier ON earlier.change = e.id AND earlier.channel = d.channel \
       JOIN delivery p ON p.seq = earlier.delivery \
       JOIN notification n ON n.seq = p.notification \
       WHERE mine.delivery = d.seq AND p.seq < d.seq AND p.state = 'pending' \
       AND (n.hold = 0 OR p.attempts > 0)) \
     ORDER BY d.due_at, d.seq LIMIT 1";

pub(super) const TOLD: &str = "SELECT c.id, c.kind, c.at, c.members, c.body \
     FROM told t JOIN change c ON c.id = t.change WHERE t.delivery = ?1 ORDER BY t.change";

pub(super) const COLUMNS: &str = "SELECT d.id, n.id AS notification, d.channel, d.state, d.due_at, \
     d.attempts, d.last_error, d.sent_at, d.instead_of, n.kind, n.project, n.made_at, n.body \
     FROM delivery d JOIN notification n ON n.seq = d.notification WHERE d.seq = ?1";

/// The delivery of a row.
pub(super) fn delivery(row: &SqliteRow) -> Result<Delivery, Fault> {
    let sent_at: Option<i64> = row.try_get("sent_at")?;
    Ok(Delivery {
        id: row.try_get("id")?,
        notification: row.try_get("notification")?,
        channel: row.try_get("channel")?,
        state: word(row.try_get("state")?)?,
        due_at: at(row.try_get("due_at")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
        last_error: row.try_get("last_error")?,
        sent_at: sent_at.map(at),
        instead_of: row.try_get("instead_of")?,
    })
}

/// See [`Store::claim`](crate::store::Store::claim).
pub(super) async fn claim(
    connections: &Connections,
    agent: &str,
    busy: &[String],
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Claimed>, StoreError> {
    const DOING: &str = "claim deliveries";
    let mut on = connections.reader().await?;
    let waiting = waiting(&mut on, busy, now).await;
    drop(on);
    // Most of the time nothing waits, and then nothing is locked.
    if connections.told(DOING, waiting)?.is_empty() {
        return Ok(Vec::new());
    }
    let mut write = connections.write().await?;
    let done = claim_in(write.on(), agent, busy, now, lease_end(now, lease)).await;
    write.end(DOING, done).await
}

/// Channels that have something to send and are not busy.
async fn waiting(
    on: &mut SqliteConnection,
    busy: &[String],
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let mut channels = Vec::new();
    for row in sqlx::query(WAITING).bind(ms(now)).fetch_all(on).await? {
        let channel: String = row.try_get(0)?;
        if !busy.contains(&channel) {
            channels.push(channel);
        }
    }
    Ok(channels)
}

async fn claim_in(
    on: &mut SqliteConnection,
    agent: &str,
    busy: &[String],
    now: Timestamp,
    until: i64,
) -> Result<Vec<Claimed>, Fault> {
    let mut claimed = Vec::new();
    for channel in waiting(on, busy, now).await? {
        let row = sqlx::query(FIRST).bind(&channel).bind(ms(now)).fetch_optional(&mut *on).await?;
        let Some(row) = row else { continue };
        let (seq, notification): (i64, i64) = (row.try_get("seq")?, row.try_get("notification")?);
        sqlx::query(
            "UPDATE delivery SET lease_by = ?2, lease_until = ?3, attempts = attempts + 1 \
             WHERE seq = ?1",
        )
        .bind(seq)
        .bind(agent)
        .bind(until)
        .execute(&mut *on)
        .await?;
        outbox::seal(on, notification).await?;
        claimed.push(assemble(on, seq).await?);
    }
    Ok(claimed)
}

/// A delivery with all that it says, or with the reason why that cannot be read.
async fn assemble(on: &mut SqliteConnection, seq: i64) -> Result<Claimed, Fault> {
    let row = sqlx::query(COLUMNS).bind(seq).fetch_one(&mut *on).await?;
    let told = sqlx::query(TOLD).bind(seq).fetch_all(on).await?;
    let delivery = delivery(&row)?;
    let head = Notification {
        id: delivery.notification.clone(),
        // What cannot be read is never sent, whatever it was.
        kind: word(row.try_get("kind")?).unwrap_or(NotificationKind::Agent),
        project: row.try_get("project")?,
        at: at(row.try_get("made_at")?),
        told: Vec::new(),
        text: None,
    };
    Ok(match read(&row, &told, &head) {
        Ok(notification) => Claimed { delivery, notification, unreadable: None },
        Err(fault) => {
            let id = &delivery.id;
            tracing::error!(delivery = id, "a message cannot be read, and is not sent: {fault}");
            Claimed { delivery, notification: head, unreadable: Some(fault.to_string()) }
        }
    })
}

fn read(
    row: &SqliteRow,
    changes: &[SqliteRow],
    head: &Notification,
) -> Result<Notification, Fault> {
    let body: Option<&str> = row.try_get("body")?;
    let mut notification = match body {
        Some(body) => serde_json::from_str(body)?,
        None => Notification { kind: word(row.try_get("kind")?)?, ..head.clone() },
    };
    for told in changes {
        let incident: Incident = serde_json::from_str(told.try_get("body")?)?;
        notification.told.push(Told {
            change: told.try_get("id")?,
            kind: word(told.try_get("kind")?)?,
            at: at(told.try_get("at")?),
            incident,
            members: serde_json::from_str(told.try_get("members")?)?,
        });
    }
    Ok(notification)
}

/// See [`Store::record_attempt`](crate::store::Store::record_attempt).
pub(super) async fn record_attempt(
    connections: &Connections,
    delivery: &str,
    attempt: &Attempt,
    fallback: Option<&str>,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = record_in(write.on(), delivery, attempt, fallback).await;
    write.end("record the attempt to send", done).await
}

async fn record_in(
    on: &mut SqliteConnection,
    id: &str,
    attempt: &Attempt,
    fallback: Option<&str>,
) -> Result<(), Fault> {
    let row = sqlx::query("SELECT seq, notification, channel, state FROM delivery WHERE id = ?1")
        .bind(id)
        .fetch_optional(&mut *on)
        .await?;
    let Some(row) = row else {
        return Err(StoreError::Missing { what: "delivery", id: id.to_owned() }.into());
    };
    let seq: i64 = row.try_get("seq")?;
    let now = ms(attempt.at);
    let (outcome, state, due_at, error) = match &attempt.outcome {
        AttemptOutcome::Sent => ("sent", "sent", None, None),
        AttemptOutcome::Retry { at, error } => ("retry", "pending", Some(ms(*at)), Some(error)),
        AttemptOutcome::Failed { error } => ("failed", "failed", None, Some(error)),
    };
    sqlx::query(
        "INSERT INTO attempt (delivery, at, duration_ms, outcome, error) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(seq)
    .bind(now)
    .bind(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX))
    .bind(outcome)
    .bind(error)
    .execute(&mut *on)
    .await?;
    // Accepted is accepted: what another agent tried after its lease ran out changes nothing. Accepted
    // late, after it was given up, is still accepted.
    let before: &str = row.try_get("state")?;
    if before == "sent" || (before == "failed" && state != "sent") {
        return Ok(());
    }
    sqlx::query(
        "UPDATE delivery SET state = ?2, due_at = coalesce(?3, due_at), last_error = ?4, \
         sent_at = ?5, lease_by = NULL, lease_until = NULL WHERE seq = ?1",
    )
    .bind(seq)
    .bind(state)
    .bind(due_at)
    .bind(error)
    .bind((state == "sent").then_some(now))
    .execute(&mut *on)
    .await?;
    if let Some(fallback) = fallback {
        let channel: String = row.try_get("channel")?;
        let failed = Failed { seq, notification: row.try_get("notification")?, channel: &channel };
        fall_back(on, failed, fallback, now).await?;
    }
    Ok(())
}

/// A delivery that was refused for good.
#[derive(Debug, Clone, Copy)]
struct Failed<'f> {
    seq: i64,
    notification: i64,
    channel: &'f str,
}

/// Lets another channel tell what one could not, as far as it does not tell it anyway.
async fn fall_back(
    on: &mut SqliteConnection,
    failed: Failed<'_>,
    channel: &str,
    now: i64,
) -> Result<(), Fault> {
    let total: i64 = sqlx::query("SELECT count(*) FROM told WHERE delivery = ?1")
        .bind(failed.seq)
        .fetch_one(&mut *on)
        .await?
        .try_get(0)?;
    let rows = sqlx::query(
        "SELECT t.change FROM told t WHERE t.delivery = ?1 AND NOT EXISTS \
         (SELECT 1 FROM told other WHERE other.change = t.change AND other.channel = ?2) \
         ORDER BY t.change",
    )
    .bind(failed.seq)
    .bind(channel)
    .fetch_all(&mut *on)
    .await?;
    if total > 0 && rows.is_empty() {
        return Ok(());
    }
    let there = sqlx::query(
        "SELECT seq, state = 'pending' AND attempts = 0 AS waits FROM delivery \
         WHERE notification = ?1 AND channel = ?2",
    )
    .bind(failed.notification)
    .bind(channel)
    .fetch_optional(&mut *on)
    .await?;
    let new = New {
        notification: failed.notification,
        channel,
        instead_of: Some(failed.channel),
        made_at: now,
        due_at: now,
    };
    let delivery = match there {
        None => outbox::deliver(on, new).await?,
        // A message without changes says the same on each channel.
        Some(_) if total == 0 => return Ok(()),
        Some(there) if there.try_get("waits")? => there.try_get("seq")?,
        // What this id says there is said; the rest needs an id of its own.
        Some(_) => {
            let notification = outbox::begin_like(on, failed.notification, now).await?;
            outbox::deliver(on, New { notification, ..new }).await?
        }
    };
    for row in rows {
        outbox::tell(on, row.try_get(0)?, channel, delivery).await?;
    }
    Ok(())
}
