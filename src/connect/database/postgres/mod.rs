//! A PostgreSQL server, also behind a pooler in transaction mode: every look is one transaction that only
//! reads, and nothing is prepared under a name.

mod ask;
mod catalogue;
mod copied;
mod facts;
mod relations;
mod rows;
pub(in crate::connect) mod statements;

use std::time::Duration;

use launchready_checks::probe::{AgentFault, ProbeError, TargetFault};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _, ValueRef as _};
use tokio::sync::{Mutex, Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::address::Server;
use super::fault::explain;

/// Connections that are open at the same time: a small plan has fifteen for everybody.
const CONNECTIONS: usize = 2;
/// What the other side may be late by, beyond the time that it gives up after by itself.
const LATE: Duration = Duration::from_secs(5);

/// The rows that pieces of COPY hold; nothing where they are none.
pub(super) fn read_rows(pieces: &[&[u8]]) -> Option<Vec<Vec<Option<String>>>> {
    let (mut copied, mut rows) = (copied::Copied::default(), Vec::new());
    for piece in pieces {
        let mut told = |row: launchready_checks::probe::Row<'_>| {
            rows.push(row.0.iter().map(|value| value.map(ToOwned::to_owned)).collect());
        };
        copied.take(piece, &mut told).ok()?;
    }
    Some(rows)
}

/// How long is waited.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For a statement that gives a small answer, and for the next row of a long one.
    pub statement: Duration,
    /// For a statement that gives rows, from its first to its last.
    pub rows: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            statement: Duration::from_secs(30),
            rows: Duration::from_mins(10),
        }
    }
}

/// A server, its user and some connections.
pub(super) struct Postgres {
    server: Server,
    patience: Patience,
    idle: Mutex<Vec<PgConnection>>,
    places: Semaphore,
    plain: std::sync::atomic::AtomicBool,
}

/// A transaction that only reads. When it is dropped before its end, so is its connection.
pub(super) struct Reading<'a> {
    connection: PgConnection,
    limit: Duration,
    place: SemaphorePermit<'a>,
}

/// A row of an answer: its values as text.
pub(super) type Texts = Vec<Option<String>>;

impl Postgres {
    pub(super) fn new(server: Server, patience: Patience) -> Self {
        Self {
            server,
            patience,
            idle: Mutex::default(),
            places: Semaphore::new(CONNECTIONS),
            plain: false.into(),
        }
    }

    pub(super) fn fault(&self, error: &sqlx::Error) -> ProbeError {
        explain(error, &self.server)
    }

    fn late(&self, doing: &str) -> ProbeError {
        TargetFault::TimedOut(format!("{} {doing}", self.server.name())).into()
    }

    /// Begins a transaction that only reads, in one snapshot, and is ended by the server after `limit`.
    ///
    /// Nothing is set outside the transaction: behind a pooler the next one to use the connection is
    /// somebody else.
    async fn begin(&self, limit: Duration) -> Result<Reading<'_>, ProbeError> {
        let place = self.places.acquire().await;
        let place = place.map_err(|_closed| AgentFault::Bug("no more connections".to_owned()))?;
        let millis = limit.as_millis();
        let begin = format!(
            "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; \
             SET LOCAL statement_timeout = {millis}; \
             SET LOCAL lock_timeout = {millis}; \
             SET LOCAL idle_in_transaction_session_timeout = {millis}; \
             SET LOCAL default_transaction_read_only = on; \
             SET LOCAL TimeZone = 'UTC'; \
             SET LOCAL DateStyle = 'ISO, YMD'"
        );
        let idle = self.idle.lock().await.pop();
        if let Some(connection) = idle {
            let mut reading = Reading { connection, limit, place };
            match self.texts(&mut reading, begin.clone()).await {
                Ok(_) => return Ok(reading),
                // The server may have gone away since.
                Err(_) => return self.begin_anew(&begin, limit, reading.place).await,
            }
        }
        self.begin_anew(&begin, limit, place).await
    }

    async fn begin_anew<'a>(
        &self,
        begin: &str,
        limit: Duration,
        place: SemaphorePermit<'a>,
    ) -> Result<Reading<'a>, ProbeError> {
        let connection = self.connect().await?;
        let mut reading = Reading { connection, limit, place };
        self.texts(&mut reading, begin.to_owned()).await?;
        Ok(reading)
    }

    pub(super) async fn connect(&self) -> Result<PgConnection, ProbeError> {
        let mut last = AgentFault::Bug("no way to connect".to_owned()).into();
        for (options, safe) in &self.server.ways {
            let options = options.clone().disable_statement_logging();
            match timeout(self.patience.connect, PgConnection::connect_with(&options)).await {
                Err(_elapsed) => return Err(self.late("takes no connection in time")),
                Ok(Ok(connection)) => {
                    self.plain.store(!safe, std::sync::atomic::Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(error)) => {
                    last = self.fault(&error);
                    // Only a server that does not encrypt is tried the plain way.
                    if !error.to_string().contains("does not support TLS") {
                        return Err(last);
                    }
                }
            }
        }
        Err(last)
    }

    /// Whether nobody can listen to the connection that was made last.
    fn is_safe(&self) -> bool {
        !self.plain.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Ends a transaction and keeps its connection for the next.
    async fn end(&self, mut reading: Reading<'_>) {
        if self.texts(&mut reading, "ROLLBACK".to_owned()).await.is_ok() {
            self.idle.lock().await.push(reading.connection);
        }
    }

    /// The answer to statements of our own, by the simple protocol.
    async fn texts(
        &self,
        reading: &mut Reading<'_>,
        sql: String,
    ) -> Result<Vec<Texts>, ProbeError> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut reading.connection);
        let rows = timeout(reading.limit + LATE, rows).await;
        let rows = rows.map_err(|_elapsed| self.late("does not answer"))?;
        let rows = rows.map_err(|error| self.fault(&error))?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    fn read(&self, row: &PgRow) -> Result<Texts, ProbeError> {
        (0..row.len())
            .map(|place| {
                let value = row.try_get_raw(place).map_err(|error| self.fault(&error))?;
                if value.is_null() {
                    return Ok(None);
                }
                let text = value.as_str().map_err(|_error| {
                    TargetFault::Malformed(format!("{} sends no UTF-8", self.server.name()))
                })?;
                Ok(Some(text.to_owned()))
            })
            .collect()
    }
}
