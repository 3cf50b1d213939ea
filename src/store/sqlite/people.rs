//! What people mute and accept.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use crate::incident::{Book, RunSeen, Silence, Waiver};
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::ids::{SILENCE, WAIVER, new_id};
use crate::store::muting::{self, Merged, Muting, Read, readable, silence, waiver};
use crate::store::row::Columns as _;
use crate::store::words::{json, ms};

const BUMP: &str = "UPDATE muting SET version = version + 1 WHERE only = 1";

/// A book with the silences and waivers of the file, read anew only when they have changed.
pub(super) async fn book<'b>(
    muting: &Muting,
    on: &mut SqliteConnection,
    book: &'b Book,
) -> Result<Merged<'b>, Fault> {
    let row = sqlx::query("SELECT version FROM muting").fetch_one(&mut *on).await?;
    let version = row.number("version")?;
    let read = match muting.last(version) {
        Some(read) => read,
        None => Read::new(version, all_silences(on).await?, all_waivers(on).await?),
    };
    Ok(muting.put_into(read, book))
}

async fn all_silences(on: &mut SqliteConnection) -> Result<Vec<Silence>, Fault> {
    let rows = sqlx::query("SELECT body FROM silence ORDER BY from_at, id").fetch_all(on).await?;
    Ok(readable(&rows, silence))
}

async fn all_waivers(on: &mut SqliteConnection) -> Result<Vec<Waiver>, Fault> {
    let rows =
        sqlx::query("SELECT body, last_used FROM waiver ORDER BY rowid").fetch_all(on).await?;
    Ok(readable(&rows, waiver))
}

/// Takes the findings out of a run that a waiver accepts, and notes that it did.
pub(super) async fn accept(
    on: &mut SqliteConnection,
    seen: &mut RunSeen,
    book: &Book,
) -> Result<(), Fault> {
    for id in muting::accept(seen, book) {
        sqlx::query("UPDATE waiver SET last_used = max(coalesce(last_used, ?2), ?2) WHERE id = ?1")
            .bind(id)
            .bind(ms(seen.at))
            .execute(&mut *on)
            .await?;
    }
    Ok(())
}

/// See [`Store::add_silence`](crate::store::Store::add_silence).
pub(super) async fn add_silence(
    connections: &Connections,
    silence: &Silence,
) -> Result<String, StoreError> {
    let silence = Silence { id: new_id(SILENCE)?, ..silence.clone() };
    let mut write = connections.write().await?;
    let done = async {
        sqlx::query("INSERT INTO silence (id, from_at, until_at, body) VALUES (?1, ?2, ?3, ?4)")
            .bind(&silence.id)
            .bind(ms(silence.from))
            .bind(ms(silence.until))
            .bind(json(&silence)?)
            .execute(write.on())
            .await?;
        sqlx::query(BUMP).execute(write.on()).await?;
        Ok(())
    };
    let done = done.await;
    write.end("add a silence", done).await?;
    Ok(silence.id)
}

/// See [`Store::end_silence`](crate::store::Store::end_silence).
pub(super) async fn end_silence(
    connections: &Connections,
    id: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = async {
        let row = sqlx::query("SELECT body FROM silence WHERE id = ?1")
            .bind(id)
            .fetch_optional(write.on())
            .await?;
        let Some(row) = row else {
            return Err(StoreError::Missing { what: "silence", id: id.to_owned() }.into());
        };
        let mut ended = silence(&row)?;
        if ended.until > now {
            release(write.on(), &ended, now).await?;
        }
        ended.until = ended.until.min(now);
        ended.from = ended.from.min(ended.until);
        sqlx::query("UPDATE silence SET from_at = ?2, until_at = ?3, body = ?4 WHERE id = ?1")
            .bind(id)
            .bind(ms(ended.from))
            .bind(ms(ended.until))
            .bind(json(&ended)?)
            .execute(write.on())
            .await?;
        sqlx::query(BUMP).execute(write.on()).await?;
        Ok(())
    };
    let done = done.await;
    write.end("end a silence", done).await
}

/// Lets what waited for the end of a silence go out: the ends of incidents that were told before it.
async fn release(on: &mut SqliteConnection, ended: &Silence, now: Timestamp) -> Result<(), Fault> {
    sqlx::query(
        "UPDATE delivery SET due_at = ?3 WHERE state = 'pending' AND attempts = 0 AND notification IN \
         (SELECT seq FROM notification WHERE sealed = 0 AND kind = 'changes' AND hold = ?1 \
           AND (?2 IS NULL OR project = ?2)) \
         AND NOT EXISTS (SELECT 1 FROM told t JOIN change c ON c.id = t.change \
           WHERE t.delivery = delivery.seq AND c.kind NOT IN ('resolved', 'expired', 'calm'))",
    )
    .bind(ms(ended.until))
    .bind(ended.project.as_deref())
    .bind(ms(now))
    .execute(&mut *on)
    .await?;
    // What is held back later has another end to wait for.
    sqlx::query(
        "UPDATE notification SET sealed = 1 WHERE sealed = 0 AND kind = 'changes' AND hold = ?1 \
         AND (?2 IS NULL OR project = ?2)",
    )
    .bind(ms(ended.until))
    .bind(ended.project.as_deref())
    .execute(on)
    .await?;
    Ok(())
}

/// See [`Store::silences`](crate::store::Store::silences).
pub(super) async fn silences(
    connections: &Connections,
    now: Timestamp,
) -> Result<Vec<Silence>, StoreError> {
    let mut on = connections.reader().await?;
    let done = async {
        let rows = sqlx::query("SELECT body FROM silence WHERE until_at > ?1 ORDER BY from_at, id")
            .bind(ms(now))
            .fetch_all(&mut *on)
            .await?;
        Ok(readable(&rows, silence))
    };
    connections.told("read silences", done.await)
}

/// See [`Store::add_waiver`](crate::store::Store::add_waiver).
pub(super) async fn add_waiver(
    connections: &Connections,
    waiver: &Waiver,
) -> Result<String, StoreError> {
    let waiver = Waiver { id: new_id(WAIVER)?, ..waiver.clone() };
    let mut write = connections.write().await?;
    let done = async {
        sqlx::query("INSERT INTO waiver (id, until_at, last_used, body) VALUES (?1, ?2, ?3, ?4)")
            .bind(&waiver.id)
            .bind(ms(waiver.until))
            .bind(waiver.last_used.map(ms))
            .bind(json(&waiver)?)
            .execute(write.on())
            .await?;
        sqlx::query(BUMP).execute(write.on()).await?;
        Ok(())
    };
    let done = done.await;
    write.end("add a waiver", done).await?;
    Ok(waiver.id)
}

/// See [`Store::remove_waiver`](crate::store::Store::remove_waiver).
pub(super) async fn remove_waiver(connections: &Connections, id: &str) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = async {
        let gone =
            sqlx::query("DELETE FROM waiver WHERE id = ?1").bind(id).execute(write.on()).await?;
        if gone.rows_affected() == 0 {
            return Err(StoreError::Missing { what: "waiver", id: id.to_owned() }.into());
        }
        sqlx::query(BUMP).execute(write.on()).await?;
        Ok(())
    };
    let done = done.await;
    write.end("take a waiver away", done).await
}

/// See [`Store::waivers`](crate::store::Store::waivers).
pub(super) async fn waivers(connections: &Connections) -> Result<Vec<Waiver>, StoreError> {
    let mut on = connections.reader().await?;
    let done = all_waivers(&mut on).await;
    connections.told("read waivers", done)
}

/// Takes silences and waivers away that ended before a time.
pub(super) async fn forget(on: &mut SqliteConnection, before: Timestamp) -> Result<u64, Fault> {
    let mut gone = 0;
    for statement in
        ["DELETE FROM silence WHERE until_at < ?1", "DELETE FROM waiver WHERE until_at < ?1"]
    {
        gone += sqlx::query(statement).bind(ms(before)).execute(&mut *on).await?.rows_affected();
    }
    if gone > 0 {
        sqlx::query(BUMP).execute(on).await?;
    }
    Ok(gone)
}
