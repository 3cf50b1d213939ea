//! Rows of a PostgreSQL server as they come, so that a million of them need no more memory than one.

use futures_util::StreamExt as _;
use launchready_checks::probe::{
    ProbeError, Repeated, Row, RowQuery, Strays, TargetFault, VisitRow, Walked,
};
use tokio::time::timeout;

use super::super::mapping::Mapped;
use super::super::select::{Dialect, repeated, strays};
use super::copied::{Copied, Odd};
use super::{LATE, Postgres};

impl Postgres {
    /// Walks over rows, in one snapshot.
    pub(in super::super) async fn rows(
        &self,
        query: &RowQuery,
        mapped: &Mapped,
        visit: VisitRow<'_>,
    ) -> Result<Walked, ProbeError> {
        let sql = Dialect::Postgres.select(query, mapped)?;
        let mut reading = self.begin(self.long()).await?;
        let walked = {
            let copy = format!("COPY ({sql}) TO STDOUT");
            let wait = self.patience.statement + LATE;
            let rows = timeout(wait, reading.connection.copy_out_raw(&copy)).await;
            let rows = rows.map_err(|_elapsed| self.late("does not answer"))?;
            let mut rows = rows.map_err(|error| self.fault(&error))?;
            let (mut copied, mut walked) = (Copied::default(), Walked::default());
            let mut told = |row: Row<'_>| {
                if query.limit.is_some_and(|limit| walked.entries >= limit) {
                    walked.cut = true;
                    return;
                }
                walked.entries += 1;
                visit(Row(row.0.get(..query.columns.len()).unwrap_or_default()));
            };
            loop {
                let piece = timeout(wait, rows.next()).await;
                let piece = piece.map_err(|_elapsed| self.late("stopped in the middle"))?;
                let Some(piece) = piece else { break };
                let piece = piece.map_err(|error| self.fault(&error))?;
                copied.take(&piece, &mut told).map_err(|odd| self.odd_row(query, odd))?;
            }
            walked
        };
        self.end(reading).await;
        Ok(walked)
    }

    /// Values that stand in more than one row.
    pub(in super::super) async fn repeated(
        &self,
        mapped: &Mapped,
        column: &str,
    ) -> Result<Repeated, ProbeError> {
        let sql = Dialect::Postgres.repeated(mapped, column)?;
        let mut reading = self.begin(self.long()).await?;
        let rows = self.texts(&mut reading, sql).await?;
        self.end(reading).await;
        repeated(rows).ok_or_else(|| self.odd())
    }

    /// Values that lead to no row of another table.
    pub(in super::super) async fn strays(
        &self,
        from: (&Mapped, &str),
        to: (&Mapped, &str),
    ) -> Result<Strays, ProbeError> {
        let sql = Dialect::Postgres.strays(from, to)?;
        let mut reading = self.begin(self.long()).await?;
        let rows = self.texts(&mut reading, sql).await?;
        self.end(reading).await;
        strays(rows).ok_or_else(|| self.odd())
    }

    fn odd_row(&self, query: &RowQuery, odd: Odd) -> ProbeError {
        let what = format!("a row of {} from {}", query.table.as_str(), self.server.name());
        match odd {
            Odd::TooLong => TargetFault::TooLarge(what).into(),
            Odd::NoText => TargetFault::Malformed(format!("{what} is no UTF-8")).into(),
        }
    }
}
