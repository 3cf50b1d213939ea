//! Puts right what a clock that was ahead has left behind.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::connection::{Hold, Tries};
use super::{PostgresStore, incidents};
use crate::clock::Clock;
use crate::incident;
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::incidents::read;
use crate::store::jobs::{ahead, lease_end};
use crate::store::row::Columns as _;
use crate::store::words::{json, ms};

/// Takes the present, what lies too far ahead, and the end of a lease that begins now. A wait stays as long as
/// it was, and begins at present; a lease that ends too far behind the third value ends with it. Another agent may
/// have taken one after this one read its clock.
const STATEMENTS: [&str; 6] = [
    "UPDATE job SET lease_until = $3 WHERE lease_until > $3 + $2 - $1",
    "UPDATE job SET last_at = CASE WHEN last_at > $1 THEN $1 ELSE last_at END, \
     last_look = CASE WHEN last_look > $1 THEN $1 ELSE last_look END, \
     since = CASE WHEN since > $1 THEN $1 ELSE since END, \
     blind_since = CASE WHEN blind_since > $1 THEN $1 ELSE blind_since END \
     WHERE (last_at > $2 OR since > $2) AND $3 > $1",
    "UPDATE delivery SET lease_until = $3 WHERE state = 'pending' AND lease_until > $3 + $2 - $1",
    "UPDATE delivery SET made_at = least(made_at, $1), due_at = $1 + greatest(0, due_at - \
     greatest(made_at, (SELECT max(at) FROM attempt a WHERE a.delivery = delivery.seq))) \
     WHERE state = 'pending' AND $3 > $1 AND \
     greatest(made_at, (SELECT max(at) FROM attempt a WHERE a.delivery = delivery.seq)) > $2",
    "UPDATE attempt SET at = $1 WHERE at > $2 AND $3 > $1 \
     AND delivery IN (SELECT seq FROM delivery WHERE state = 'pending')",
    "UPDATE notification SET due_at = $1 + greatest(0, due_at - made_at), made_at = $1 \
     WHERE made_at > $2 AND $3 > $1",
];

/// See [`Store::reckon_from`](crate::store::Store::reckon_from).
pub(super) async fn reckon_from(
    store: &PostgresStore,
    clock: &dyn Clock,
    lease: Duration,
) -> Result<u64, StoreError> {
    let mut tries = Tries::new();
    loop {
        let doing = "put right what a wrong clock has left";
        let mut write = store.connections.write(doing, Hold::All).await?;
        let now = clock.now();
        let done = reckon_in(write.on(), now, lease_end(now, lease)).await;
        if let Some(rows) = write.end(&mut tries, done).await? {
            store.woken.forget();
            return Ok(rows);
        }
    }
}

async fn reckon_in(on: &mut PgConnection, now: Timestamp, lease_end: i64) -> Result<u64, Fault> {
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
                "UPDATE incident SET body = $2, first_seen = $3, wake_at = 0 WHERE id = $1",
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
