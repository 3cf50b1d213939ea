//! How deliveries are claimed, and what is recorded of a try.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use super::outbox;
use crate::store::fault::Fault;
use crate::store::jobs::lease_end;
use crate::store::messages::{Failed, New, Verdict, claimed};
use crate::store::row::Columns as _;
use crate::store::words::ms;
use crate::store::{Attempt, Claimed, StoreError};

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

/// See [`Store::let_go_of_deliveries`](crate::store::Store::let_go_of_deliveries).
pub(super) async fn let_go(
    connections: &Connections,
    agent: &str,
    but_on: &[String],
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = sqlx::query(
        "UPDATE delivery SET lease_by = NULL, lease_until = NULL WHERE lease_by = ?1 \
         AND channel NOT IN (SELECT value FROM json_each(?2))",
    )
    .bind(agent)
    .bind(serde_json::json!(but_on).to_string())
    .execute(write.on())
    .await;
    write.end("let go of deliveries", done.map(drop).map_err(Fault::from)).await
}

/// Channels that have something to send and are not busy.
async fn waiting(
    on: &mut SqliteConnection,
    busy: &[String],
    now: Timestamp,
) -> Result<Vec<String>, Fault> {
    let mut channels = Vec::new();
    for row in sqlx::query(WAITING).bind(ms(now)).fetch_all(on).await? {
        let channel = row.text("channel")?;
        if !busy.iter().any(|busy| busy == channel) {
            channels.push(channel.to_owned());
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
    let mut all = Vec::new();
    for channel in waiting(on, busy, now).await? {
        let row = sqlx::query(FIRST).bind(&channel).bind(ms(now)).fetch_optional(&mut *on).await?;
        let Some(row) = row else { continue };
        let (seq, notification) = (row.number("seq")?, row.number("notification")?);
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
        let row = sqlx::query(COLUMNS).bind(seq).fetch_one(&mut *on).await?;
        let told = sqlx::query(TOLD).bind(seq).fetch_all(&mut *on).await?;
        all.push(claimed(&row, &told)?);
    }
    Ok(all)
}

/// See [`Store::record_attempt`](crate::store::Store::record_attempt).
pub(super) async fn record_attempt(
    connections: &Connections,
    agent: &str,
    delivery: &str,
    attempt: &Attempt,
    fallback: Option<&str>,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = record_in(write.on(), agent, delivery, attempt, fallback).await;
    write.end("record the attempt to send", done).await
}

async fn record_in(
    on: &mut SqliteConnection,
    agent: &str,
    id: &str,
    attempt: &Attempt,
    fallback: Option<&str>,
) -> Result<(), Fault> {
    let row = sqlx::query(
        "SELECT seq, notification, channel, state, lease_by FROM delivery WHERE id = ?1",
    )
    .bind(id)
    .fetch_optional(&mut *on)
    .await?;
    let Some(row) = row else {
        return Err(StoreError::Missing { what: "delivery", id: id.to_owned() }.into());
    };
    let seq = row.number("seq")?;
    let now = ms(attempt.at);
    let verdict = Verdict::of(attempt);
    sqlx::query(
        "INSERT INTO attempt (delivery, at, duration_ms, outcome, error) VALUES (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(seq)
    .bind(now)
    .bind(i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX))
    .bind(verdict.outcome)
    .bind(verdict.error)
    .execute(&mut *on)
    .await?;
    if !verdict.changes(&row, agent)? {
        return Ok(());
    }
    sqlx::query(
        "UPDATE delivery SET state = ?2, due_at = coalesce(?3, due_at), last_error = ?4, \
         sent_at = ?5, lease_by = NULL, lease_until = NULL WHERE seq = ?1",
    )
    .bind(seq)
    .bind(verdict.state)
    .bind(verdict.due_at)
    .bind(verdict.error)
    .bind(verdict.sent_at)
    .execute(&mut *on)
    .await?;
    if let Some(fallback) = fallback {
        let (notification, channel) = (row.number("notification")?, row.text("channel")?);
        let failed = Failed { seq, notification, channel };
        fall_back(on, failed, fallback, now).await?;
    }
    Ok(())
}

/// Lets another channel tell what one could not, as far as it does not tell it anyway.
async fn fall_back(
    on: &mut SqliteConnection,
    failed: Failed<'_>,
    channel: &str,
    now: i64,
) -> Result<(), Fault> {
    let total = sqlx::query("SELECT count(*) AS total FROM told WHERE delivery = ?1")
        .bind(failed.seq)
        .fetch_one(&mut *on)
        .await?
        .number("total")?;
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
        Some(there) if there.flag("waits")? => there.number("seq")?,
        // What this id says there is said; the rest needs an id of its own.
        Some(_) => {
            let notification = outbox::begin_like(on, failed.notification, now).await?;
            outbox::deliver(on, New { notification, ..new }).await?
        }
    };
    for row in rows {
        outbox::tell(on, row.number("change")?, channel, delivery).await?;
    }
    Ok(())
}
