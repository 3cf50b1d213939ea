//! Agents at work on the same database. Only the clock of the server counts: theirs may differ.

use std::time::Duration;

use super::connection::{Connections, Hold, Tries};
use crate::store::StoreError;
use crate::store::row::Columns as _;

pub(super) const NOTE: &str = "INSERT INTO agent (name, seen_at) \
     VALUES ($1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) \
     ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at";
/// Whoever was not heard of for so long is dead.
pub(super) const FORGET: &str = "DELETE FROM agent \
     WHERE seen_at < (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1";
pub(super) const LEAVE: &str = "DELETE FROM agent WHERE name = $1";
pub(super) const AT_WORK: &str = "SELECT name FROM agent \
     WHERE seen_at >= (extract(epoch FROM clock_timestamp()) * 1000)::bigint - $1 ORDER BY name";

/// See [`Store::note_at_work`](crate::store::Store::note_at_work).
pub(super) async fn note(
    connections: &Connections,
    agent: &str,
    within: Duration,
) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("note that an agent is at work", Hold::Rows).await?;
        let done = async {
            sqlx::query(FORGET).bind(ms(within)).execute(write.on()).await?;
            sqlx::query(NOTE).bind(agent).execute(write.on()).await?;
            Ok(())
        };
        let done = done.await;
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

/// See [`Store::at_work`](crate::store::Store::at_work).
pub(super) async fn at_work(
    connections: &Connections,
    within: Duration,
) -> Result<Vec<String>, StoreError> {
    let mut on = connections.reader("say which agents are at work").await?;
    let done = async {
        let rows = sqlx::query(AT_WORK).bind(ms(within)).fetch_all(on.on()).await?;
        rows.iter().map(|row| Ok(row.text("name")?.to_owned())).collect()
    };
    let done = done.await;
    on.told(done).await
}

fn ms(within: Duration) -> i64 {
    i64::try_from(within.as_millis()).unwrap_or(i64::MAX)
}
