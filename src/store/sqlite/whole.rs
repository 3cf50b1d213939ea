//! Everything of a file at once, for a transfer.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::sqlite::{SqliteArguments, SqliteConnection};
use sqlx::{AssertSqlSafe, Sqlite, Transaction};

use super::SqliteStore;
use super::connection::{Connections, Write};
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::transfer::{Row, Table, Value, Whole, values};

/// A transaction on the file.
enum On<'s> {
    Reading(Transaction<'static, Sqlite>),
    Writing(Write<'s>),
}

struct File<'s> {
    connections: &'s Connections,
    on: On<'s>,
}

impl File<'_> {
    fn on(&mut self) -> &mut SqliteConnection {
        match &mut self.on {
            On::Reading(reading) => reading,
            On::Writing(writing) => writing.on(),
        }
    }
}

impl SqliteStore {
    /// Begins to read everything.
    pub(in crate::store) async fn read_whole(&self) -> Result<Box<dyn Whole + '_>, StoreError> {
        let on = On::Reading(self.connections.read().await?);
        Ok(Box::new(File { connections: &self.connections, on }))
    }

    /// Begins to write everything.
    pub(in crate::store) async fn write_whole(&self) -> Result<Box<dyn Whole + '_>, StoreError> {
        let on = On::Writing(self.connections.write().await?);
        Ok(Box::new(File { connections: &self.connections, on }))
    }
}

#[async_trait]
impl Whole for File<'_> {
    fn rows<'w>(&'w mut self, table: &'static Table) -> BoxStream<'w, Result<Row, Fault>> {
        // Waivers are read in the order in which they were added, which has no column here.
        let statement = table.select("rowid");
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch(self.on());
        Box::pin(rows.map_err(Fault::from).and_then(|row| std::future::ready(values(&row, table))))
    }

    async fn add(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), Fault> {
        let names = table.names();
        let places = vec!["?"; table.columns.len()].join(", ");
        let statement = format!("INSERT INTO {} ({}) VALUES ({places})", table.name, names);
        for row in rows {
            let query = sqlx::query(AssertSqlSafe(statement.clone()));
            row.iter().fold(query, bind).execute(self.on()).await?;
        }
        Ok(())
    }

    async fn number_on(&mut self, _table: &'static Table) -> Result<(), Fault> {
        // SQLite goes on after the highest number by itself.
        Ok(())
    }

    async fn end(self: Box<Self>, done: Result<(), Fault>) -> Result<(), StoreError> {
        let doing = "be carried over";
        match self.on {
            On::Reading(reading) => {
                let ended = reading.rollback().await.map_err(Fault::from);
                self.connections.told(doing, done.and(ended))
            }
            On::Writing(writing) => writing.end(doing, done).await,
        }
    }
}

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;

fn bind<'q>(query: Query<'q>, value: &'q Value) -> Query<'q> {
    match value {
        Value::Null => query.bind(None::<i64>),
        Value::Number(number) => query.bind(number),
        Value::Real(number) => query.bind(number),
        Value::Flag(flag) => query.bind(flag),
        Value::Text(text) => query.bind(text),
        Value::Bytes(bytes) => query.bind(bytes),
    }
}
