//! One statement that the user wrote, by a cursor: the server itself refuses a second one, and one that
//! changes something.

use launchready_checks::probe::{ProbeError, SqlAnswer};
use sqlx::{AssertSqlSafe, Column as _};
use tokio::time::timeout;

use super::super::ROWS_OF_AN_ANSWER;
use super::{LATE, Postgres};

impl Postgres {
    /// The answer to one statement that only reads.
    pub(in super::super) async fn ask(&self, sql: &str) -> Result<SqlAnswer, ProbeError> {
        let mut reading = self.begin(self.patience.statement).await?;
        // A cursor takes SELECT, VALUES and WITH alone. The extended protocol takes one statement.
        let declare = format!("DECLARE launchready_answer NO SCROLL CURSOR FOR {sql}");
        let declared = sqlx::query(AssertSqlSafe(declare)).persistent(false);
        let wait = self.patience.statement + LATE;
        let declared = timeout(wait, declared.execute(&mut reading.connection)).await;
        let declared = declared.map_err(|_elapsed| self.late("does not answer"))?;
        declared.map_err(|error| self.fault(&error))?;
        let fetch = format!("FETCH FORWARD {} FROM launchready_answer", ROWS_OF_AN_ANSWER + 1);
        let rows = sqlx::raw_sql(AssertSqlSafe(fetch)).fetch_all(&mut reading.connection);
        let rows = timeout(wait, rows).await.map_err(|_elapsed| self.late("does not answer"))?;
        let rows = rows.map_err(|error| self.fault(&error))?;
        let columns = rows.first().map(sqlx::Row::columns).unwrap_or_default();
        let columns = columns.iter().map(|column| column.name().to_owned()).collect();
        let kept = rows.iter().take(ROWS_OF_AN_ANSWER);
        let answer = SqlAnswer {
            columns,
            rows: kept.map(|row| self.read(row)).collect::<Result<_, _>>()?,
            cut: rows.len() > ROWS_OF_AN_ANSWER,
        };
        self.end(reading).await;
        Ok(answer)
    }
}
