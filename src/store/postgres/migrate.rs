//! Brings a database to the tables of this version. They have a schema of their own, so that other programs
//! may use the same database.

use sqlx::postgres::PgConnection;
use sqlx::raw_sql;

use super::connection::{Connections, Hold, Tries, lock_tables};
use super::fault::explain_open;
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::row::Columns as _;

/// The steps in order; a database that has `n` of them has the version n.
const STEPS: &[&str] = &[
    include_str!("../migrations/postgres/0001_agent.sql"),
    include_str!("../migrations/postgres/0002_drill.sql"),
    include_str!("../migrations/postgres/0003_agent_at_work.sql"),
    include_str!("../migrations/postgres/0004_index.sql"),
];

const IS_THERE: &str = "SELECT to_regclass('launchready.version') IS NOT NULL AS there";

/// The most that a wait for another agent's steps takes, and each statement of the own ones: a table may be large.
const PATIENT: &str = "SET LOCAL statement_timeout = '15min'; SET LOCAL lock_timeout = '15min'";
/// For the steps themselves: who runs already waits behind a step that waits for a table.
const BRIEF: &str = "SET LOCAL lock_timeout = '10s'";

const BEGIN: &str = "CREATE TABLE launchready.version \
     (one INTEGER PRIMARY KEY CHECK (one = 1), steps BIGINT NOT NULL); \
     INSERT INTO launchready.version (one, steps) VALUES (1, 0)";

/// Whether an agent has opened this database before.
pub(super) async fn is_there(connections: &Connections) -> Result<bool, StoreError> {
    let mut on = connections.reader("say whether an agent has used it").await?;
    let done = sqlx::query(IS_THERE).fetch_one(on.on()).await.map_err(Fault::from);
    on.told(done.and_then(|row| row.flag("there"))).await
}

/// Takes the steps that the database lacks, all in one transaction. Whoever starts at the same time waits, a
/// quarter of an hour at most, and finds them taken.
pub(super) async fn migrate(connections: &Connections) -> Result<(), StoreError> {
    let mut tries = Tries::new();
    loop {
        let doing = "be brought to the tables of this version";
        let mut write = connections.write(doing, Hold::Rows).await?;
        let done = upgrade(write.on(), &connections.server().name).await;
        let refused = match done {
            Err(Fault::Sql(source)) => explain_open(connections.server(), source.into()),
            done => match write.end(&mut tries, done).await? {
                Some(()) => return Ok(()),
                None => continue,
            },
        };
        return Err(refused);
    }
}

async fn upgrade(on: &mut PgConnection, name: &str) -> Result<(), Fault> {
    raw_sql(PATIENT).execute(&mut *on).await?;
    lock_tables(on).await?;
    raw_sql(BRIEF).execute(&mut *on).await?;
    let row = sqlx::query(IS_THERE).fetch_one(&mut *on).await?;
    if !row.flag("there")? {
        let row = sqlx::query("SELECT to_regnamespace('launchready') IS NOT NULL AS there")
            .fetch_one(&mut *on)
            .await?;
        // Who may not make a schema can be given one.
        if !row.flag("there")? {
            raw_sql("CREATE SCHEMA launchready").execute(&mut *on).await?;
        }
        raw_sql(BEGIN).execute(&mut *on).await?;
    }
    let row = sqlx::query("SELECT steps FROM launchready.version").fetch_one(&mut *on).await?;
    let steps = usize::try_from(row.number("steps")?).unwrap_or(usize::MAX);
    if steps > STEPS.len() {
        return Err(StoreError::Newer { store: name.to_owned() }.into());
    }
    for step in STEPS.iter().skip(steps) {
        raw_sql(*step).execute(&mut *on).await?;
    }
    sqlx::query("UPDATE launchready.version SET steps = $1 WHERE steps <> $1")
        .bind(i64::try_from(STEPS.len()).unwrap_or(i64::MAX))
        .execute(on)
        .await?;
    Ok(())
}
