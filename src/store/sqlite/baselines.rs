//! What was approved.

use jiff::Timestamp;
use sqlx::sqlite::SqliteConnection;

use super::connection::Connections;
use crate::store::evidence::pack;
use crate::store::fault::Fault;
use crate::store::runs;
use crate::store::words::ms;
use crate::store::{Approved, StoreError};

const NEWEST: &str = "SELECT * FROM baseline b WHERE project = ?1 AND (?2 IS NULL OR check_id = ?2) \
     AND approved_at = (SELECT max(approved_at) FROM baseline n \
       WHERE n.project = b.project AND n.check_id = b.check_id) ORDER BY check_id";

/// See [`Store::approve`](crate::store::Store::approve).
pub(super) async fn approve(
    connections: &Connections,
    approved: &[Approved],
) -> Result<(), StoreError> {
    let mut write = connections.write().await?;
    let done = insert(write.on(), approved).await;
    write.end("approve a baseline", done).await
}

async fn insert(on: &mut SqliteConnection, approved: &[Approved]) -> Result<(), Fault> {
    for one in approved {
        sqlx::query(
            "INSERT OR REPLACE INTO baseline (project, check_id, approved_at, approved_by, note, \
             evidence_version, evidence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .bind(&one.project)
        .bind(&one.check)
        .bind(ms(one.at))
        .bind(&one.by)
        .bind(&one.note)
        .bind(one.version)
        .bind(pack(&one.evidence))
        .execute(&mut *on)
        .await?;
    }
    Ok(())
}

/// See [`Store::approved`](crate::store::Store::approved).
pub(super) async fn approved(
    connections: &Connections,
    project: &str,
) -> Result<Vec<Approved>, StoreError> {
    let mut on = connections.reader().await?;
    let done = newest(&mut on, project, None).await;
    connections.told("read the approved baseline", done)
}

/// The newest baseline of each check of a project, or of one of them.
pub(super) async fn newest(
    on: &mut SqliteConnection,
    project: &str,
    check: Option<&str>,
) -> Result<Vec<Approved>, Fault> {
    let rows = sqlx::query(NEWEST).bind(project).bind(check).fetch_all(on).await?;
    rows.iter().map(runs::approved).collect()
}

/// Takes baselines away that another one replaced before a time.
pub(super) async fn forget(on: &mut SqliteConnection, before: Timestamp) -> Result<u64, Fault> {
    let gone = sqlx::query(
        "DELETE FROM baseline WHERE EXISTS (SELECT 1 FROM baseline n WHERE n.project = baseline.project \
         AND n.check_id = baseline.check_id AND n.approved_at > baseline.approved_at AND n.approved_at < ?1)",
    )
    .bind(ms(before))
    .execute(on)
    .await?;
    Ok(gone.rows_affected())
}
