//! Brings a file to the tables of this version.

use sqlx::sqlite::SqliteConnection;
use sqlx::{Row as _, raw_sql};

use super::connection::Connections;
use super::fault::explain_open;
use crate::store::StoreError;
use crate::store::fault::Fault;

/// The steps in order; a file that has `n` of them has the `user_version` n.
const STEPS: &[&str] = &[
    include_str!("../migrations/sqlite/0001_agent.sql"),
    include_str!("../migrations/sqlite/0002_waking.sql"),
    include_str!("../migrations/sqlite/0003_heartbeat.sql"),
    include_str!("../migrations/sqlite/0004_baseline.sql"),
    include_str!("../migrations/sqlite/0005_drill.sql"),
    include_str!("../migrations/sqlite/0006_agent_at_work.sql"),
    include_str!("../migrations/sqlite/0007_index.sql"),
];
/// `LRdy`: marks a file as ours, so that the file of another program is left alone.
const APPLICATION: i64 = 0x4c52_6479;
/// Files up to this size are read through once at start, which takes a moment; a larger one is found to
/// be damaged when the damaged place is read.
const READ_THROUGH_BYTES: u64 = 32 * 1024 * 1024;

/// Checks the file and takes the steps that it lacks, each in a transaction of its own.
pub(super) async fn migrate(connections: &Connections) -> Result<(), StoreError> {
    let path = connections.path();
    let mut write = connections.write().await?;
    let sound = check(write.on(), path).await;
    if let Err(fault) = sound {
        return Err(explain_open(path, fault));
    }
    let mut done = version(write.on()).await;
    if let Ok(version) = done {
        done = upgrade(write.on(), path, version).await;
    }
    write.end("be brought to the tables of this version", done).await.map(drop)
}

/// The number of steps that the file has.
async fn version(on: &mut SqliteConnection) -> Result<usize, Fault> {
    let version: i64 = sqlx::query("PRAGMA user_version").fetch_one(on).await?.try_get(0)?;
    Ok(usize::try_from(version).unwrap_or(usize::MAX))
}

async fn upgrade(
    on: &mut SqliteConnection,
    path: &std::path::Path,
    version: usize,
) -> Result<usize, Fault> {
    if version > STEPS.len() {
        return Err(StoreError::Newer { store: path.display().to_string() }.into());
    }
    for step in STEPS.iter().skip(version) {
        raw_sql(*step).execute(&mut *on).await?;
    }
    if version < STEPS.len() {
        let number = STEPS.len();
        // A pragma takes no parameters; both values are numbers of this file.
        let mark = format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {number}");
        raw_sql(sqlx::AssertSqlSafe(mark)).execute(on).await?;
    }
    Ok(STEPS.len())
}

/// Whether the file is sound and ours.
async fn check(on: &mut SqliteConnection, path: &std::path::Path) -> Result<(), Fault> {
    let pages: i64 = sqlx::query("PRAGMA page_count").fetch_one(&mut *on).await?.try_get(0)?;
    let application: i64 =
        sqlx::query("PRAGMA application_id").fetch_one(&mut *on).await?.try_get(0)?;
    let tables: i64 =
        sqlx::query("SELECT count(*) FROM sqlite_schema").fetch_one(&mut *on).await?.try_get(0)?;
    if tables > 0 && application != APPLICATION {
        return Err(Fault::Row("it is the database of another program".into()));
    }
    let size: i64 = sqlx::query("PRAGMA page_size").fetch_one(&mut *on).await?.try_get(0)?;
    let bytes = u64::try_from(pages.saturating_mul(size)).unwrap_or(u64::MAX);
    if tables > 0 && bytes <= READ_THROUGH_BYTES {
        let row = sqlx::query("PRAGMA quick_check(1)").fetch_one(on).await?;
        let verdict: String = row.try_get(0)?;
        if verdict != "ok" {
            let damaged = StoreError::Damaged { path: path.to_owned(), source: verdict.into() };
            return Err(damaged.into());
        }
    }
    Ok(())
}
