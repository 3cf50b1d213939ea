//! Puts right what a clock that was ahead has left behind.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::{SqliteStore, incidents};
use crate::clock::Clock;
use crate::incident;
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::incidents::read;
use crate::store::jobs::{ahead, lease_end};
use crate::store::row::Columns as _;
use crate::store::words::{json, ms};

/// Takes the present and what lies too far ahead. A wait stays as long as it was, and begins at present;
/// a lease ends with the third value at the latest.
const STATEMENTS: [&str; 6] = [
    "UPDATE job SET lease_until = ?3 WHERE lease_until > ?3 AND ?1 < ?2",
    "UPDATE job SET last_at = min(last_at, ?1), last_look = min(last_look, ?1), \
     since = min(since, ?1), blind_since = min(blind_since, ?1) \
     WHERE (last_at > ?2 OR since > ?2) AND ?3 > ?1",
    "UPDATE delivery SET lease_until = ?3 WHERE state = 'pending' AND lease_until > ?3 AND ?1 < ?2",
    "UPDATE delivery SET made_at = min(made_at, ?1), due_at = ?1 + max(0, due_at - max(made_at, \
     coalesce((SELECT max(at) FROM attempt WHERE delivery = delivery.seq), made_at))) \
     WHERE state = 'pending' AND ?3 > ?1 AND max(made_at, \
     coalesce((SELECT max(at) FROM attempt WHERE delivery = delivery.seq), made_at)) > ?2",
    "UPDATE attempt SET at = ?1 WHERE at > ?2 AND ?3 > ?1 \
     AND delivery IN (SELECT seq FROM delivery WHERE state = 'pending')",
    "UPDATE notification SET due_at = ?1 + max(0, due_at - made_at), made_at = ?1 \
     WHERE made_at > ?2 AND ?3 > ?1",
];

/// See [`Store::reckon_from`](crate::store::Store::reckon_from).
pub(super) async fn reckon_from(
    store: &SqliteStore,
    clock: &dyn Clock,
    lease: Duration,
) -> Result<u64, StoreError> {
    let mut write = store.connections.write().await?;
    let now = clock.now();
    let done = reckon_in(write.on(), now, lease_end(now, lease)).await;
    let rows = write.end("put right what a wrong clock has left", done).await?;
    store.woken.forget();
    Ok(rows)
}

async fn reckon_in(
    on: &mut SqliteConnection,
    now: Timestamp,
    lease_end: i64,
) -> Result<u64, Fault> {
    let ahead = ahead(now);
    let mut rows = 0;
    for statement in STATEMENTS {
        let query = sqlx::query(statement).bind(ms(now)).bind(ms(ahead)).bind(lease_end);
        rows += query.execute(&mut *on).await?.rows_affected();
    }
    // Without this, nothing would be said again of an incident before the wrong time has come.
    for row in sqlx::query(incidents::LASTING).fetch_all(&mut *on).await? {
        let Some(mut incident) = read(&row) else {
            incidents::set_aside(on, row.text("id")?, now).await?;
            continue;
        };
        if incident::put_back(&mut incident, now, ahead) {
            sqlx::query(
                "UPDATE incident SET body = ?2, first_seen = ?3, wake_at = 0 WHERE id = ?1",
            )
            .bind(&incident.id)
            .bind(json(&incident)?)
            .bind(ms(incident.first_seen))
            .execute(&mut *on)
            .await?;
            rows += 1;
        }
    }
    Ok(rows)
}
