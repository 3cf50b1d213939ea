//! What people mute and accept.

use std::collections::BTreeSet;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::connection::Connections;
use super::fault::Fault;
use crate::incident::{Book, RunSeen, Silence, Waiver};
use crate::store::StoreError;
use crate::store::ids::{SILENCE, WAIVER, new_id};
use crate::store::words::{at, json, ms};

const BUMP: &str = "UPDATE muting SET version = version + 1 WHERE only = 1";

/// The silences and waivers of the file, read anew only when they have changed.
#[derive(Debug, Default)]
pub(super) struct Muting(Mutex<Option<Read>>);

/// What was read last.
#[derive(Debug, Clone)]
struct Read {
    version: i64,
    silences: Arc<Vec<Silence>>,
    waivers: Arc<Vec<Waiver>>,
    /// The book that they were put into, before and after.
    book: Option<(Arc<Book>, Arc<Book>)>,
}

/// A book with the silences and waivers of the file.
pub(super) enum Merged<'b> {
    /// There are none.
    Same(&'b Book),
    /// A copy with them.
    With(Arc<Book>),
}

impl Deref for Merged<'_> {
    type Target = Book;

    fn deref(&self) -> &Book {
        match self {
            Self::Same(book) => book,
            Self::With(book) => book,
        }
    }
}

impl Muting {
    /// A book with the silences and waivers of the file.
    pub(super) async fn book<'b>(
        &self,
        on: &mut SqliteConnection,
        book: &'b Book,
    ) -> Result<Merged<'b>, Fault> {
        let version: i64 =
            sqlx::query("SELECT version FROM muting").fetch_one(&mut *on).await?.try_get(0)?;
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut read = match last.filter(|read| read.version == version) {
            Some(read) => read,
            None => Read {
                version,
                silences: Arc::new(all_silences(on).await?),
                waivers: Arc::new(all_waivers(on).await?),
                book: None,
            },
        };
        if read.silences.is_empty() && read.waivers.is_empty() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
            return Ok(Merged::Same(book));
        }
        let merged = match &read.book {
            Some((before, merged)) if **before == *book => Arc::clone(merged),
            _ => {
                let mut merged = book.clone();
                merged.silences.extend(read.silences.iter().cloned());
                merged.waivers.extend(read.waivers.iter().cloned());
                let merged = Arc::new(merged);
                read.book = Some((Arc::new(book.clone()), Arc::clone(&merged)));
                merged
            }
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(read);
        Ok(Merged::With(merged))
    }
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

/// What can be read of the rows. The rest mutes and accepts nothing, which is louder and never quieter.
fn readable<T>(rows: &[SqliteRow], read: fn(&SqliteRow) -> Result<T, Fault>) -> Vec<T> {
    let read = |row: &SqliteRow| {
        let read = read(row);
        if let Err(fault) = &read {
            tracing::error!("a silence or waiver cannot be read, and does nothing: {fault}");
        }
        read.ok()
    };
    rows.iter().filter_map(read).collect()
}

fn silence(row: &SqliteRow) -> Result<Silence, Fault> {
    let body: &str = row.try_get("body")?;
    Ok(serde_json::from_str(body)?)
}

fn waiver(row: &SqliteRow) -> Result<Waiver, Fault> {
    let body: &str = row.try_get("body")?;
    let mut waiver: Waiver = serde_json::from_str(body)?;
    let used: Option<i64> = row.try_get("last_used")?;
    waiver.last_used = used.map(at);
    Ok(waiver)
}

/// Takes the findings out of a run that a waiver accepts, and notes that it did.
pub(super) async fn accept(
    on: &mut SqliteConnection,
    seen: &mut RunSeen,
    book: &Book,
) -> Result<(), Fault> {
    let mut used = BTreeSet::new();
    let (project, when) = (&seen.project, seen.at);
    seen.findings.retain(|finding| {
        let accepts = |waiver: &&Waiver| {
            waiver.project == *project
                && waiver.code == finding.code
                && waiver.until > when
                && waiver.subject.as_ref().is_none_or(|subject| *subject == finding.subject)
        };
        match book.waivers.iter().find(accepts) {
            Some(waiver) => {
                used.insert(waiver.id.clone());
                false
            }
            None => true,
        }
    });
    for id in used {
        sqlx::query("UPDATE waiver SET last_used = max(coalesce(last_used, ?2), ?2) WHERE id = ?1")
            .bind(id)
            .bind(ms(when))
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
