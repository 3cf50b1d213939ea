//! Jobs that have promised to call, and their calls.

use std::collections::BTreeSet;

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::connection::{Connections, Hold, Tries};
use crate::clock::Clock;
use crate::store::fault::Fault;
use crate::store::looks;
use crate::store::row::Columns as _;
use crate::store::words::ms;
use crate::store::{HeartbeatCall, HeartbeatKey, HeartbeatRecord, Signal, StoreError};

/// The calls of one promise that are kept one by one; earlier ones are only counted.
const CALLS: i64 = 100;

pub(super) const NOTE: &str = "INSERT INTO heartbeat AS h \
     (project, name, promised_at, first_call, last_start, last_success, last_failure, exit, calls, failures) \
     VALUES ($1, $2, $3, $3, $4, $5, $6, $7, 1, $8) \
     ON CONFLICT (project, name) DO UPDATE SET \
     first_call = coalesce(h.first_call, excluded.first_call), \
     exit = CASE WHEN excluded.last_failure IS NULL THEN h.exit ELSE excluded.exit END, \
     last_start = greatest(h.last_start, excluded.last_start), \
     last_success = greatest(h.last_success, excluded.last_success), \
     last_failure = greatest(h.last_failure, excluded.last_failure), \
     calls = h.calls + 1, failures = h.failures + excluded.failures \
     RETURNING id, calls";
pub(super) const KEEP: &str = "INSERT INTO heartbeat_call (heartbeat, number, at, signal, exit) \
     VALUES ($1, $2, $3, $4, $5)";
pub(super) const DROP: &str = "DELETE FROM heartbeat_call WHERE heartbeat = $1 AND number <= $2";
pub(super) const OF_PROJECT: &str =
    "SELECT * FROM heartbeat WHERE project = $1 AND gone_at IS NULL ORDER BY name";
pub(super) const CALLS_OF: &str = "SELECT c.at, c.signal, c.exit FROM heartbeat_call c \
     JOIN heartbeat h ON h.id = c.heartbeat WHERE h.project = $1 AND h.name = $2 \
     ORDER BY c.number DESC LIMIT $3";
pub(super) const OLD_PROMISES: &str = "DELETE FROM heartbeat WHERE id IN \
     (SELECT id FROM heartbeat WHERE gone_at IS NOT NULL AND gone_at < $1 LIMIT $2)";

/// See [`Store::sync_heartbeats`](crate::store::Store::sync_heartbeats).
pub(super) async fn sync(
    connections: &Connections,
    promises: &[HeartbeatKey],
    clock: &dyn Clock,
) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let doing = "take over the promises of the config";
        let mut write = connections.write(doing, Hold::All).await?;
        let done = sync_in(write.on(), promises, clock.now()).await;
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

async fn sync_in(
    on: &mut PgConnection,
    promises: &[HeartbeatKey],
    now: Timestamp,
) -> Result<(), Fault> {
    let rows = sqlx::query("SELECT project, name FROM heartbeat WHERE gone_at IS NULL")
        .fetch_all(&mut *on)
        .await?;
    let known = rows.iter().map(looks::promise).collect::<Result<BTreeSet<_>, _>>()?;
    let wanted: BTreeSet<_> = promises.iter().cloned().collect();
    for new in wanted.difference(&known) {
        // One that comes back has its past, and has promised anew.
        sqlx::query(
            "INSERT INTO heartbeat (project, name, promised_at) VALUES ($1, $2, $3) \
             ON CONFLICT (project, name) DO UPDATE SET gone_at = NULL, promised_at = $3",
        )
        .bind(&new.project)
        .bind(&new.name)
        .bind(ms(now))
        .execute(&mut *on)
        .await?;
    }
    for gone in known.difference(&wanted) {
        sqlx::query("UPDATE heartbeat SET gone_at = $3 WHERE project = $1 AND name = $2")
            .bind(&gone.project)
            .bind(&gone.name)
            .bind(ms(now))
            .execute(&mut *on)
            .await?;
    }
    Ok(())
}

/// See [`Store::record_call`](crate::store::Store::record_call).
pub(super) async fn record(
    connections: &Connections,
    key: &HeartbeatKey,
    call: &HeartbeatCall,
) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("keep a call", Hold::Rows).await?;
        let done = record_in(write.on(), key, call).await;
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

async fn record_in(
    on: &mut PgConnection,
    key: &HeartbeatKey,
    call: &HeartbeatCall,
) -> Result<(), Fault> {
    let time = |signal: Signal| (call.signal == signal).then_some(ms(call.at));
    let row = sqlx::query(NOTE)
        .bind(&key.project)
        .bind(&key.name)
        .bind(ms(call.at))
        .bind(time(Signal::Start))
        .bind(time(Signal::Success))
        .bind(time(Signal::Failure))
        .bind(call.exit.map(i64::from))
        .bind(i64::from(call.signal == Signal::Failure))
        .fetch_one(&mut *on)
        .await?;
    let (id, number) = (row.number("id")?, row.number("calls")?);
    sqlx::query(KEEP)
        .bind(id)
        .bind(number)
        .bind(ms(call.at))
        .bind(call.signal.as_str())
        .bind(call.exit.map(i64::from))
        .execute(&mut *on)
        .await?;
    sqlx::query(DROP).bind(id).bind(number - CALLS).execute(on).await?;
    Ok(())
}

/// See [`Store::heartbeats`](crate::store::Store::heartbeats).
pub(super) async fn of_project(
    connections: &Connections,
    project: &str,
) -> Result<Vec<HeartbeatRecord>, StoreError> {
    let mut on = connections.reader("read promises").await?;
    let done = async {
        let rows = sqlx::query(OF_PROJECT).bind(project).fetch_all(on.on()).await?;
        rows.iter().map(looks::heartbeat).collect()
    };
    let done = done.await;
    on.told(done).await
}

/// See [`Store::heartbeat_calls`](crate::store::Store::heartbeat_calls).
pub(super) async fn calls(
    connections: &Connections,
    key: &HeartbeatKey,
    limit: usize,
) -> Result<Vec<HeartbeatCall>, StoreError> {
    let mut on = connections.reader("read calls").await?;
    let done = async {
        let rows = sqlx::query(CALLS_OF)
            .bind(&key.project)
            .bind(&key.name)
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .fetch_all(on.on())
            .await?;
        rows.iter().map(looks::call).collect()
    };
    let done = done.await;
    on.told(done).await
}
