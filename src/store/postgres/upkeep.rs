//! Small values, keeping times, and whether the server answers.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use super::address::dump;
use super::connection::{Connections, Hold, Tries};
use super::{baselines, drills, heartbeats, people};
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::figures::hour_of;
use crate::store::keeping::{Before, ROWS, Upkeep};
use crate::store::row::Columns as _;
use crate::store::words::ms;

const DOING: &str = "take away what is past its keeping time";

/// What goes when it is past its keeping time: first the statement, which takes a time and the most rows.
pub(super) const OLD_POINTS: &str = "DELETE FROM point WHERE ctid = ANY(ARRAY \
     (SELECT ctid FROM point WHERE keep_until <= $1 LIMIT $2))";
pub(super) const OLD_HOURS: &str = "DELETE FROM hourly WHERE (job, hour) IN \
     (SELECT job, hour FROM hourly WHERE hour < $1 LIMIT $2)";
pub(super) const OLD_SPANS: &str = "DELETE FROM span WHERE id = ANY(ARRAY \
     (SELECT s.id FROM span s WHERE s.from_at < $1 AND s.to_at < $1 AND s.id IS DISTINCT FROM \
     (SELECT j.span FROM job j WHERE j.id = s.job) LIMIT $2))";
pub(super) const OLD_INCIDENTS: &str = "DELETE FROM incident WHERE id = ANY(ARRAY \
     (SELECT id FROM incident WHERE resolved_at < $1 LIMIT $2))";
pub(super) const OLD_DELIVERIES: &str = "DELETE FROM notification WHERE seq = ANY(ARRAY \
     (SELECT seq FROM notification n WHERE made_at < $1 AND NOT coalesce((SELECT \
     bool_or(d.state = 'pending' OR coalesce(d.sent_at, d.made_at) >= $1) \
     FROM delivery d WHERE d.notification = n.seq), FALSE) LIMIT $2))";

/// What hangs on jobs that are gone, table by table: a job has rows of months, and would take them all along in one
/// statement.
macro_rules! of_gone {
    ($table:literal, $unless:literal) => {
        concat!(
            "DELETE FROM ",
            $table,
            " WHERE ctid = ANY(ARRAY (SELECT its.place FROM job j CROSS JOIN LATERAL (SELECT c.ctid AS place FROM ",
            $table,
            " c WHERE c.job = j.id",
            $unless,
            " LIMIT $2) AS its WHERE j.gone_at IS NOT NULL AND j.gone_at < $1 LIMIT $2))"
        )
    };
}

pub(super) const GONE_POINTS: &str = of_gone!("point", "");
pub(super) const GONE_HOURS: &str = of_gone!("hourly", "");
/// The span that a job extends stays with it: the job may come back before its turn.
pub(super) const GONE_SPANS: &str = of_gone!("span", " AND c.id IS DISTINCT FROM j.span");
pub(super) const GONE_JOBS: &str = "DELETE FROM job WHERE id = ANY(ARRAY \
     (SELECT id FROM job WHERE gone_at IS NOT NULL AND gone_at < $1 LIMIT $2))";
pub(super) const LOOSE_EVIDENCE: &str = "DELETE FROM evidence WHERE hash IN \
     (SELECT hash FROM evidence e WHERE $1 = $1 \
     AND NOT EXISTS (SELECT 1 FROM job WHERE evidence = e.hash) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE first_evidence = e.hash) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE last_evidence = e.hash) LIMIT $2)";

/// See [`Store::get`](crate::store::Store::get).
pub(super) async fn get(
    connections: &Connections,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let mut on = connections.reader("read a value").await?;
    let row = sqlx::query("SELECT value FROM setting WHERE name = $1")
        .bind(name)
        .fetch_optional(on.on())
        .await;
    let value = row.map_err(Fault::from).and_then(|row| match row {
        Some(row) => row.some_text("value"),
        None => Ok(None),
    });
    on.told(value).await
}

/// See [`Store::put`](crate::store::Store::put). It comes after whatever a call of the same name that was dropped
/// still does, as of one project.
pub(super) async fn put(
    connections: &Connections,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    let names = [name].into();
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("store a value", Hold::Projects(&names)).await?;
        let done = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        )
        .bind(name)
        .bind(value)
        .execute(write.on())
        .await;
        let done = done.map(drop).map_err(Fault::from);
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

/// See [`Store::put_once`](crate::store::Store::put_once).
pub(super) async fn put_once(
    connections: &Connections,
    name: &str,
    value: &str,
) -> Result<String, StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("store a value once", Hold::Rows).await?;
        let done = async {
            sqlx::query(
                "INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            )
            .bind(name)
            .bind(value)
            .execute(write.on())
            .await?;
            let row = sqlx::query("SELECT value FROM setting WHERE name = $1")
                .bind(name)
                .fetch_one(write.on())
                .await?;
            Ok(row.text("value")?.to_owned())
        };
        let done = done.await;
        if let Some(value) = write.end(&mut tries, done).await? {
            return Ok(value);
        }
    }
}

/// See [`Store::listed`](crate::store::Store::listed).
pub(super) async fn listed(
    connections: &Connections,
    beginning: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut on = connections.reader("list values").await?;
    let done = async {
        let rows = sqlx::query(
            "SELECT name, value FROM setting WHERE starts_with(name, $1) ORDER BY name",
        )
        .bind(beginning)
        .fetch_all(on.on())
        .await?;
        let rows = rows.iter();
        rows.map(|row| Ok((row.text("name")?.to_owned(), row.text("value")?.to_owned()))).collect()
    };
    let done = done.await;
    on.told(done).await
}

/// See [`Store::forget`](crate::store::Store::forget). It comes after whatever a call of the same name that was
/// dropped still does.
pub(super) async fn forget(connections: &Connections, name: &str) -> Result<(), StoreError> {
    let names = [name].into();
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("take a value away", Hold::Projects(&names)).await?;
        let done = sqlx::query("DELETE FROM setting WHERE name = $1").bind(name);
        let done = done.execute(write.on()).await.map(drop).map_err(Fault::from);
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

/// See [`Store::roll_up`](crate::store::Store::roll_up). What fails in one step holds up no other.
pub(super) async fn roll_up(
    connections: &Connections,
    now: Timestamp,
    figures: Duration,
) -> Result<u64, StoreError> {
    let before = Before::at(now, figures);
    let mut upkeep = Upkeep::default();
    // To these rows nothing leads, so that nobody else is kept waiting while they go.
    for (statement, time) in
        [(OLD_POINTS, ms(now)), (OLD_HOURS, hour_of(before.figures)), (OLD_SPANS, ms(before.past))]
    {
        while upkeep.goes_on(take_away(connections, Hold::Rows, statement, time).await) {}
    }
    for (statement, time) in [
        (OLD_DELIVERIES, ms(before.deliveries)),
        (OLD_INCIDENTS, ms(before.past)),
        (GONE_POINTS, ms(before.gone)),
        (GONE_HOURS, ms(before.gone)),
        (GONE_SPANS, ms(before.gone)),
        (GONE_JOBS, ms(before.gone)),
        (heartbeats::OLD_PROMISES, ms(before.gone)),
        (LOOSE_EVIDENCE, ms(now)),
    ] {
        while upkeep.goes_on(take_away(connections, Hold::All, statement, time).await) {}
    }
    upkeep.goes_on(forget_muted(connections, before).await);
    upkeep.end()
}

/// Small tables: each is read whole.
async fn forget_muted(connections: &Connections, before: Before) -> Result<u64, StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write(DOING, Hold::All).await?;
        let done = async {
            let replaced = baselines::forget(write.on(), before.muted).await?;
            let drills = drills::forget(write.on(), before.past).await?;
            Ok(replaced + drills + people::forget(write.on(), before.muted).await?)
        };
        let done = done.await;
        if let Some(rows) = write.end(&mut tries, done).await? {
            return Ok(rows);
        }
    }
}

async fn take_away(
    connections: &Connections,
    hold: Hold<'_>,
    statement: &'static str,
    time: i64,
) -> Result<u64, StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write(DOING, hold).await?;
        let done = sqlx::query(statement).bind(time).bind(ROWS).execute(write.on()).await;
        let done = done.map(|done| done.rows_affected()).map_err(Fault::from);
        if let Some(rows) = write.end(&mut tries, done).await? {
            return Ok(rows);
        }
    }
}

/// See [`Store::backup`](crate::store::Store::backup). A copy that is whole is made by the tool of the server.
pub(super) fn backup(connections: &Connections, to: &Path) -> Result<(), StoreError> {
    Err(StoreError::State(dump(connections.server(), to)))
}

/// See [`Store::time`](crate::store::Store::time). A transaction's own time is that of its beginning.
pub(super) async fn time(connections: &Connections) -> Result<Option<Timestamp>, StoreError> {
    let mut on = connections.reader("say what time it is").await?;
    let row = sqlx::query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS time")
        .fetch_one(on.on())
        .await;
    let time = row.map_err(Fault::from).and_then(|row| row.time("time"));
    on.told(time.map(Some)).await
}

/// See [`Store::ping`](crate::store::Store::ping).
pub(super) async fn ping(connections: &Connections) -> Result<(), StoreError> {
    let mut on = connections.reader("answer").await?;
    let done = sqlx::query("SELECT version FROM muting").fetch_one(on.on()).await;
    on.told(done.map(drop).map_err(Fault::from)).await
}
