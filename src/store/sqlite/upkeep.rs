//! Small values, keeping times, copies, and whether the file answers.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::{Connection as _, Row as _};

use super::connection::Connections;
use super::{baselines, drills, heartbeats, people};
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::figures::hour_of;
use crate::store::keeping::{Before, ROWS, Upkeep};
use crate::store::words::ms;

const DOING: &str = "take away what is past its keeping time";

/// The most pages that are given back to the disk in one go.
const PAGES: &str = "PRAGMA incremental_vacuum(2000)";

/// What goes when it is past its keeping time: first the statement, which takes a time and the most rows.
pub(super) const OLD_POINTS: &str = "DELETE FROM point WHERE (job, at, name, subject) IN \
     (SELECT job, at, name, subject FROM point WHERE keep_until <= ?1 LIMIT ?2)";
pub(super) const OLD_HOURS: &str = "DELETE FROM hourly WHERE (job, hour) IN \
     (SELECT job, hour FROM hourly WHERE hour < ?1 LIMIT ?2)";
pub(super) const OLD_SPANS: &str = "DELETE FROM span WHERE id IN \
     (SELECT id FROM span WHERE from_at < ?1 AND to_at < ?1 LIMIT ?2) AND id NOT IN \
     (SELECT span FROM job WHERE job.id = span.job AND span IS NOT NULL)";
pub(super) const OLD_INCIDENTS: &str = "DELETE FROM incident WHERE id IN \
     (SELECT id FROM incident WHERE resolved_at < ?1 LIMIT ?2)";
pub(super) const OLD_DELIVERIES: &str = "DELETE FROM notification WHERE seq IN \
     (SELECT seq FROM notification n WHERE made_at < ?1 AND NOT EXISTS \
     (SELECT 1 FROM delivery d WHERE d.notification = n.seq AND \
     (d.state = 'pending' OR coalesce(d.sent_at, d.made_at) >= ?1)) LIMIT ?2)";
/// What hangs on jobs that are gone, table by table: a job has rows of months, and would take them all along in one
/// transaction. The order of the tables is that of the join.
pub(super) const GONE_POINTS: &str = "DELETE FROM point WHERE (job, at, name, subject) IN \
     (SELECT c.job, c.at, c.name, c.subject FROM job j CROSS JOIN point c \
     WHERE c.job = j.id AND j.gone_at IS NOT NULL AND j.gone_at < ?1 LIMIT ?2)";
pub(super) const GONE_HOURS: &str = "DELETE FROM hourly WHERE (job, hour) IN \
     (SELECT c.job, c.hour FROM job j CROSS JOIN hourly c \
     WHERE c.job = j.id AND j.gone_at IS NOT NULL AND j.gone_at < ?1 LIMIT ?2)";
/// The span that a job extends stays with it: the job may come back before its turn.
pub(super) const GONE_SPANS: &str = "DELETE FROM span WHERE id IN \
     (SELECT c.id FROM job j CROSS JOIN span c WHERE c.job = j.id AND c.id IS NOT j.span \
     AND j.gone_at IS NOT NULL AND j.gone_at < ?1 LIMIT ?2)";
pub(super) const GONE_JOBS: &str = "DELETE FROM job WHERE id IN \
     (SELECT id FROM job WHERE gone_at IS NOT NULL AND gone_at < ?1 LIMIT ?2)";
pub(super) const LOOSE_EVIDENCE: &str = "DELETE FROM evidence WHERE hash IN \
     (SELECT hash FROM evidence e WHERE ?1 = ?1 \
     AND NOT EXISTS (SELECT 1 FROM job WHERE evidence = e.hash) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE first_evidence = e.hash) \
     AND NOT EXISTS (SELECT 1 FROM incident WHERE last_evidence = e.hash) LIMIT ?2)";

/// See [`Store::get`](crate::store::Store::get).
pub(super) async fn get(
    connections: &Connections,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let row = sqlx::query("SELECT value FROM setting WHERE name = ?1")
            .bind(name)
            .fetch_optional(&mut *on)
            .await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    };
    connections.told("read a value", done.await)
}

/// See [`Store::put`](crate::store::Store::put).
pub(super) async fn put(
    connections: &Connections,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = sqlx::query(
        "INSERT INTO setting (name, value) VALUES (?1, ?2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(write.on())
    .await;
    write.end("store a value", done.map(drop).map_err(Fault::from)).await
}

/// See [`Store::put_once`](crate::store::Store::put_once).
pub(super) async fn put_once(
    connections: &Connections,
    name: &str,
    value: &str,
) -> Result<String, StoreError> {
    let mut write = connections.write().await?;
    let done = async {
        sqlx::query("INSERT OR IGNORE INTO setting (name, value) VALUES (?1, ?2)")
            .bind(name)
            .bind(value)
            .execute(write.on())
            .await?;
        let row = sqlx::query("SELECT value FROM setting WHERE name = ?1")
            .bind(name)
            .fetch_one(write.on())
            .await?;
        Ok(row.try_get(0)?)
    };
    let done = done.await;
    write.end("store a value once", done).await
}

/// See [`Store::listed`](crate::store::Store::listed).
pub(super) async fn listed(
    connections: &Connections,
    beginning: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let rows = sqlx::query(
            "SELECT name, value FROM setting WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
        )
        .bind(beginning)
        .fetch_all(&mut *on)
        .await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    };
    connections.told("list values", done.await)
}

/// See [`Store::forget`](crate::store::Store::forget).
pub(super) async fn forget(connections: &Connections, name: &str) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = sqlx::query("DELETE FROM setting WHERE name = ?1").bind(name);
    let done = done.execute(write.on()).await;
    write.end("take a value away", done.map(drop).map_err(Fault::from)).await
}

/// See [`Store::roll_up`](crate::store::Store::roll_up). What fails in one step holds up no other.
pub(super) async fn roll_up(
    connections: &Connections,
    now: Timestamp,
    figures: Duration,
) -> Result<u64, StoreError> {
    let before = Before::at(now, figures);
    let mut upkeep = Upkeep::default();
    for (statement, time) in [
        (OLD_POINTS, ms(now)),
        (OLD_HOURS, hour_of(before.figures)),
        (OLD_SPANS, ms(before.past)),
        (OLD_DELIVERIES, ms(before.deliveries)),
        (OLD_INCIDENTS, ms(before.past)),
        (GONE_POINTS, ms(before.gone)),
        (GONE_HOURS, ms(before.gone)),
        (GONE_SPANS, ms(before.gone)),
        (GONE_JOBS, ms(before.gone)),
        (heartbeats::OLD_PROMISES, ms(before.gone)),
        (LOOSE_EVIDENCE, ms(now)),
    ] {
        while upkeep.goes_on(take_away(connections, statement, time).await) {}
    }
    upkeep.goes_on(forget_muted(connections, before).await);
    upkeep.goes_on(give_back(connections).await);
    upkeep.end()
}

async fn take_away(
    connections: &Connections,
    statement: &'static str,
    time: i64,
) -> Result<u64, StoreError> {
    let mut write = connections.write().await?;
    let done = sqlx::query(statement).bind(time).bind(ROWS).execute(write.on()).await;
    let done = done.map(|done| done.rows_affected()).map_err(Fault::from);
    write.end(DOING, done).await
}

/// Small tables: each is read whole.
async fn forget_muted(connections: &Connections, before: Before) -> Result<u64, StoreError> {
    let mut write = connections.write().await?;
    let done = async {
        let replaced = baselines::forget(write.on(), before.muted).await?;
        let drills = drills::forget(write.on(), before.past).await?;
        Ok(replaced + drills + people::forget(write.on(), before.muted).await?)
    };
    let done = done.await;
    write.end(DOING, done).await
}

/// Gives pages without rows back to the disk.
async fn give_back(connections: &Connections) -> Result<u64, StoreError> {
    let mut aside = connections.aside().await?;
    let done = async {
        sqlx::raw_sql(PAGES).execute(&mut aside).await?;
        sqlx::raw_sql("PRAGMA optimize").execute(&mut aside).await?;
        aside.close().await?;
        Ok(0)
    };
    connections.told("give room back to the disk", done.await)
}

/// See [`Store::backup`](crate::store::Store::backup). The copy is whole and needs no log beside it.
pub(super) async fn backup(connections: &Connections, to: &Path) -> Result<(), StoreError> {
    let refused = |error: std::io::Error| {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return StoreError::State(format!(
                "{} exists already; name a file that does not",
                to.display()
            ));
        }
        StoreError::Open { path: to.to_owned(), source: error.into() }
    };
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(to).map_err(refused)?;
    let Some(name) = to.to_str() else {
        let error = std::io::Error::other("its name is not UTF-8");
        return Err(StoreError::Open { path: to.to_owned(), source: error.into() });
    };
    let mut aside = connections.aside().await?;
    let done = async {
        // An empty file is one that SQLite writes into.
        sqlx::query("VACUUM INTO ?1").bind(name).execute(&mut aside).await?;
        aside.close().await?;
        Ok(())
    };
    let done = connections.told("copy the store", done.await);
    let done = done.and_then(|()| file.sync_all().map_err(refused));
    if done.is_err() {
        // The half copy is of no use; when it cannot be taken away either, the first error says enough.
        let _ = std::fs::remove_file(to);
    }
    done
}

/// See [`Store::ping`](crate::store::Store::ping).
pub(super) async fn ping(connections: &Connections) -> Result<(), StoreError> {
    let mut on = connections.reader().await?;
    let done = sqlx::query("SELECT version FROM muting").fetch_one(&mut *on).await;
    connections.told("answer", done.map(drop).map_err(Fault::from))
}
