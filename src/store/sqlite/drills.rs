//! What is remembered of drills.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use crate::store::fault::Fault;
use crate::store::looks;
use crate::store::messages::delivery;
use crate::store::words::ms;
use crate::store::{DRILLS, Delivery, DrillRecord, StoreError};

/// See [`Store::record_drill`](crate::store::Store::record_drill).
pub(super) async fn record(
    connections: &Connections,
    drill: &DrillRecord,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = sqlx::query(
        "INSERT OR REPLACE INTO drill (mark, project, drill, started_at, finished_at, passed, is_left, record) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(&drill.mark)
    .bind(&drill.project)
    .bind(&drill.drill)
    .bind(ms(drill.started_at))
    .bind(drill.finished_at.map(ms))
    .bind(drill.passed)
    .bind(drill.left)
    .bind(drill.record.to_string())
    .execute(write.on())
    .await;
    write.end("record a drill", done.map(drop).map_err(Fault::from)).await
}

/// See [`Store::drills`](crate::store::Store::drills).
pub(super) async fn of(
    connections: &Connections,
    project: &str,
) -> Result<Vec<DrillRecord>, StoreError> {
    let mut on = connections.reader().await?;
    let done = newest(&mut on, project).await;
    connections.told("read the drills", done)
}

async fn newest(on: &mut SqliteConnection, project: &str) -> Result<Vec<DrillRecord>, Fault> {
    let rows = sqlx::query(
        "SELECT * FROM (SELECT d.*, row_number() OVER (PARTITION BY d.drill \
         ORDER BY d.started_at DESC, d.mark) AS nth FROM drill d WHERE d.project = ?1) AS ranked \
         WHERE nth <= ?2 OR is_left ORDER BY started_at DESC, mark",
    )
    .bind(project)
    .bind(i64::try_from(DRILLS).unwrap_or(i64::MAX))
    .fetch_all(on)
    .await?;
    rows.iter().map(looks::drill).collect()
}

/// See [`Store::deliveries`](crate::store::Store::deliveries).
pub(super) async fn deliveries(
    connections: &Connections,
    notification: &str,
) -> Result<Vec<Delivery>, StoreError> {
    let mut on = connections.reader().await?;
    let rows = sqlx::query(
        "SELECT d.id, n.id AS notification, d.channel, d.state, d.due_at, d.attempts, d.last_error, d.sent_at, \
         d.instead_of FROM notification n JOIN delivery d ON d.notification = n.seq \
         WHERE n.id = ?1 ORDER BY d.seq",
    )
    .bind(notification)
    .fetch_all(&mut *on)
    .await;
    let done = rows.map_err(Fault::from).and_then(|rows| rows.iter().map(delivery).collect());
    connections.told("read what became of a message", done)
}

/// Takes drills away that began before a time and left nothing.
pub(super) async fn forget(on: &mut SqliteConnection, before: Timestamp) -> Result<u64, Fault> {
    let gone = sqlx::query("DELETE FROM drill WHERE started_at < ?1 AND NOT is_left")
        .bind(ms(before))
        .execute(on)
        .await?;
    Ok(gone.rows_affected())
}
