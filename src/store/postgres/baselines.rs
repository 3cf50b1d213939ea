//! What was approved.

use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use super::connection::{Connections, Hold, Tries};
use crate::store::evidence::pack;
use crate::store::fault::Fault;
use crate::store::runs;
use crate::store::words::{ms, plain};
use crate::store::{Approved, StoreError};

pub(super) const NEWEST: &str = "SELECT DISTINCT ON (project, check_id) * FROM baseline \
     WHERE project = $1 ORDER BY project, check_id, approved_at DESC";

/// See [`Store::approve`](crate::store::Store::approve).
pub(super) async fn approve(
    connections: &Connections,
    approved: &[Approved],
) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let mut write = connections.write("approve a baseline", Hold::All).await?;
        let done = insert(write.on(), approved).await;
        if let Some(done) = write.end(&mut tries, done).await? {
            return Ok(done);
        }
    }
}

async fn insert(on: &mut PgConnection, approved: &[Approved]) -> Result<(), Fault> {
    for one in approved {
        sqlx::query(
            "INSERT INTO baseline (project, check_id, approved_at, approved_by, note, \
             evidence_version, evidence) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (project, check_id, approved_at) DO UPDATE SET \
             approved_by = excluded.approved_by, note = excluded.note, \
             evidence_version = excluded.evidence_version, evidence = excluded.evidence",
        )
        .bind(&one.project)
        .bind(&one.check)
        .bind(ms(one.at))
        .bind(plain(&one.by))
        .bind(plain(&one.note))
        .bind(i64::from(one.version))
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
    let mut on = connections.reader("read the approved baseline").await?;
    let done = async {
        let rows = sqlx::query(NEWEST).bind(project).fetch_all(on.on()).await?;
        rows.iter().map(runs::approved).collect()
    };
    let done = done.await;
    on.told(done).await
}

/// Takes baselines away that another one replaced before a time.
pub(super) async fn forget(on: &mut PgConnection, before: Timestamp) -> Result<u64, Fault> {
    let gone = sqlx::query(
        "DELETE FROM baseline WHERE EXISTS (SELECT 1 FROM baseline n WHERE n.project = baseline.project \
         AND n.check_id = baseline.check_id AND n.approved_at > baseline.approved_at AND n.approved_at < $1)",
    )
    .bind(ms(before))
    .execute(on)
    .await?;
    Ok(gone.rows_affected())
}
