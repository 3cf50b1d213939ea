//! Agents at work on the same file.

use std::time::Duration;

use jiff::Timestamp;

use super::connection::Connections;
use crate::store::StoreError;
use crate::store::row::Columns as _;
use crate::store::words::ms;

pub(super) const NOTE: &str = "INSERT INTO agent (name, seen_at) VALUES (?1, ?2) \
     ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at";
/// Whoever was not heard of for so long is dead, whatever its clock says.
pub(super) const FORGET: &str = "DELETE FROM agent WHERE seen_at < ?1 OR seen_at > ?2";
pub(super) const LEAVE: &str = "DELETE FROM agent WHERE name = ?1";
pub(super) const AT_WORK: &str =
    "SELECT name FROM agent WHERE seen_at BETWEEN ?1 AND ?2 ORDER BY name";

/// See [`Store::note_at_work`](crate::store::Store::note_at_work).
pub(super) async fn note(
    connections: &Connections,
    agent: &str,
    now: Timestamp,
    within: Duration,
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let (first, last) = between(now, within);
    let done = async {
        sqlx::query(FORGET).bind(first).bind(last).execute(write.on()).await?;
        sqlx::query(NOTE).bind(agent).bind(ms(now)).execute(write.on()).await?;
        Ok(())
    };
    let done = done.await;
    write.end("note that an agent is at work", done).await
}

/// See [`Store::at_work`](crate::store::Store::at_work).
pub(super) async fn at_work(
    connections: &Connections,
    now: Timestamp,
    within: Duration,
) -> Result<Vec<String>, StoreError> {
    let mut on = connections.read().await?;
    let (first, last) = between(now, within);
    let done = async {
        let rows = sqlx::query(AT_WORK).bind(first).bind(last).fetch_all(&mut *on).await?;
        rows.iter().map(|row| Ok(row.text("name")?.to_owned())).collect()
    };
    connections.told("say which agents are at work", done.await)
}

/// The times between which an agent was heard of: a clock that was ahead is put right within as long.
fn between(now: Timestamp, within: Duration) -> (i64, i64) {
    let within = i64::try_from(within.as_millis()).unwrap_or(i64::MAX);
    (ms(now).saturating_sub(within), ms(now).saturating_add(within))
}
