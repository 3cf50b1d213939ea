//! Everything of a database at once, for a transfer.

use async_trait::async_trait;
use futures_util::TryStreamExt as _;
use futures_util::stream::BoxStream;
use sqlx::postgres::PgConnection;
use sqlx::query_builder::Separated;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder};

use super::PostgresStore;
use super::connection::{Hold, Taken, Tries};
use crate::store::StoreError;
use crate::store::fault::Fault;
use crate::store::transfer::{Kind, PATIENCE, Row, Table, Value, Whole, values};

/// A transaction on the database.
struct Database<'s> {
    on: Taken<'s>,
    writes: bool,
}

const DOING: &str = "be carried over";

impl PostgresStore {
    /// Begins to read everything.
    pub(in crate::store) async fn read_whole(&self) -> Result<Box<dyn Whole + '_>, StoreError> {
        let on = patient(self.connections.read(DOING).await?).await?;
        Ok(Box::new(Database { on, writes: false }))
    }

    /// Begins to write everything.
    pub(in crate::store) async fn write_whole(&self) -> Result<Box<dyn Whole + '_>, StoreError> {
        let on = patient(self.connections.write(DOING, Hold::All).await?).await?;
        Ok(Box::new(Database { on, writes: true }))
    }
}

/// The same transaction, whose statements may take as long as a whole table takes.
async fn patient(mut on: Taken<'_>) -> Result<Taken<'_>, StoreError> {
    let ms = PATIENCE.as_millis();
    let settings = format!(
        "SET LOCAL statement_timeout = {ms}; SET LOCAL idle_in_transaction_session_timeout = {ms}"
    );
    match sqlx::raw_sql(AssertSqlSafe(settings)).execute(on.on()).await {
        Ok(_) => Ok(on),
        Err(source) => on.told(Err(source.into())).await,
    }
}

impl Database<'_> {
    fn on(&mut self) -> &mut PgConnection {
        self.on.on()
    }
}

#[async_trait]
impl Whole for Database<'_> {
    fn rows<'w>(&'w mut self, table: &'static Table) -> BoxStream<'w, Result<Row, Fault>> {
        let statement = table.select("seq");
        let rows = sqlx::query(AssertSqlSafe(statement)).fetch(self.on());
        Box::pin(rows.map_err(Fault::from).and_then(|row| std::future::ready(values(&row, table))))
    }

    async fn add(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), Fault> {
        if rows.is_empty() {
            return Ok(());
        }
        let names = table.names();
        let mut query: QueryBuilder<Postgres> = QueryBuilder::new(format!(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE ",
            table.name, names
        ));
        query.push_values(rows, |mut to, row| {
            for (value, (_, kind)) in row.iter().zip(table.columns) {
                bind(&mut to, value, *kind);
            }
        });
        query.build().execute(self.on()).await?;
        Ok(())
    }

    async fn number_on(&mut self, table: &'static Table) -> Result<(), Fault> {
        let Some(number) = table.numbered else { return Ok(()) };
        let statement = format!(
            "SELECT setval(pg_get_serial_sequence('launchready.{0}', '{number}'), \
             greatest(coalesce(max({number}), 0), 1), count(*) > 0) FROM {0}",
            table.name
        );
        sqlx::query(AssertSqlSafe(statement)).execute(self.on()).await?;
        Ok(())
    }

    async fn end(self: Box<Self>, done: Result<(), Fault>) -> Result<(), StoreError> {
        if !self.writes {
            return self.on.told(done).await;
        }
        let ended = self.on.end(&mut Tries::none(), done).await?;
        ended.ok_or(StoreError::Busy)
    }
}

fn bind(to: &mut Separated<'_, Postgres, &'static str>, value: &Value, kind: Kind) {
    match value {
        Value::Number(number) => to.push_bind(*number),
        Value::Real(number) => to.push_bind(*number),
        Value::Flag(flag) => to.push_bind(*flag),
        Value::Text(text) => to.push_bind(text.clone()),
        Value::Bytes(bytes) => to.push_bind(bytes.clone()),
        // Nothing has the kind of its column, too.
        Value::Null => match kind {
            Kind::Number => to.push_bind(None::<i64>),
            Kind::Real => to.push_bind(None::<f64>),
            Kind::Flag => to.push_bind(None::<bool>),
            Kind::Text => to.push_bind(None::<String>),
            Kind::Bytes => to.push_bind(None::<Vec<u8>>),
        },
    };
}
