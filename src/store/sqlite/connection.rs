//! One connection that writes, a few that read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteAutoVacuum, SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool,
    SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions as _, Connection as _, Sqlite, Transaction};
use tokio::sync::{Mutex, MutexGuard};

use super::fault::{explain, explain_open};
use crate::store::StoreError;
use crate::store::fault::{Fault, closed};

/// How long a call waits for another process that has the file.
const BUSY: Duration = Duration::from_secs(5);
/// Connections that read: pages and metrics are drawn at once, and a disk gains nothing from more.
const READERS: u32 = 4;
/// Statements that a connection keeps ready; the store has fewer.
const STATEMENTS: usize = 256;

/// The connections to one file.
///
/// The connection that writes is taken out of its place for the time of a transaction and put back when
/// it has ended well. A call that is dropped in the middle drops the connection with it: the file rolls
/// back, and the next call opens another one. No half state and no open transaction can be left behind.
#[derive(Debug)]
pub(super) struct Connections {
    path: PathBuf,
    options: SqliteConnectOptions,
    writer: Mutex<Option<SqliteConnection>>,
    readers: SqlitePool,
    closed: AtomicBool,
}

/// A transaction that writes.
#[derive(Debug)]
pub(super) struct Write<'c> {
    path: &'c Path,
    place: MutexGuard<'c, Option<SqliteConnection>>,
    connection: SqliteConnection,
}

impl Write<'_> {
    /// The connection, inside the transaction.
    pub(super) fn on(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }

    /// Commits what went well and takes back what did not.
    pub(super) async fn end<T>(
        mut self,
        doing: &'static str,
        done: Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let ended = match done {
            Ok(value) => match sqlx::query("COMMIT").execute(&mut self.connection).await {
                Ok(_) => Ok(value),
                Err(source) => Err(source.into()),
            },
            Err(fault) => Err(fault),
        };
        match ended {
            Ok(value) => {
                *self.place = Some(self.connection);
                Ok(value)
            }
            Err(fault) => {
                // After a full disk the file may have rolled back by itself; then this fails, and the
                // connection goes.
                if sqlx::query("ROLLBACK").execute(&mut self.connection).await.is_ok() {
                    *self.place = Some(self.connection);
                }
                Err(explain(self.path, doing, fault))
            }
        }
    }
}

impl Connections {
    /// Opens a file, or makes it.
    pub(super) async fn open(path: &Path) -> Result<Self, StoreError> {
        make_private(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            // A commit is on the disk when it returns, also after a power cut; runs are committed in
            // groups, so that it costs one wait for many.
            .synchronous(SqliteSynchronous::Full)
            .statement_cache_capacity(STATEMENTS)
            .disable_statement_logging();
        let writer_options = options
            .clone()
            .auto_vacuum(SqliteAutoVacuum::Incremental)
            .journal_mode(SqliteJournalMode::Wal);
        let explained = |source: sqlx::Error| explain_open(path, source.into());
        let writer = writer_options.connect().await.map_err(explained)?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(BUSY)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Self {
            path: path.to_owned(),
            options: writer_options,
            writer: Mutex::new(Some(writer)),
            readers,
            closed: AtomicBool::new(false),
        })
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Begins to write. Waits for other writers of this process, then for those of others.
    pub(super) async fn write(&self) -> Result<Write<'_>, StoreError> {
        let mut place = self.writer.lock().await;
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        let begin = async {
            let mut connection = match place.take() {
                Some(connection) => connection,
                None => self.options.connect().await?,
            };
            sqlx::query("BEGIN IMMEDIATE").execute(&mut connection).await?;
            Ok(connection)
        };
        let connection = begin
            .await
            .map_err(|fault| explain(&self.path, "begin to write", Fault::Sql(fault)))?;
        Ok(Write { path: &self.path, place, connection })
    }

    /// Begins to read: every statement sees the file as it is at the first one.
    pub(super) async fn read(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.readers
            .begin()
            .await
            .map_err(|source| explain(&self.path, "begin to read", source.into()))
    }

    /// A connection for one statement that reads.
    pub(super) async fn reader(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.readers
            .acquire()
            .await
            .map_err(|source| explain(&self.path, "begin to read", source.into()))
    }

    /// A connection outside every transaction, for what cannot be done inside one.
    pub(super) async fn aside(&self) -> Result<SqliteConnection, StoreError> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closed());
        }
        self.options
            .connect()
            .await
            .map_err(|source| explain(&self.path, "open another connection", source.into()))
    }

    /// The value of a call, or its error.
    pub(super) fn told<T>(
        &self,
        doing: &'static str,
        done: Result<T, Fault>,
    ) -> Result<T, StoreError> {
        done.map_err(|fault| explain(&self.path, doing, fault))
    }

    /// Ends what is under way and closes the file.
    pub(super) async fn close(&self) {
        let mut place = self.writer.lock().await;
        self.closed.store(true, Ordering::Release);
        self.readers.close().await;
        if let Some(connection) = place.take()
            && let Err(error) = connection.close().await
        {
            tracing::warn!(%error, "the store was not closed cleanly; nothing is lost");
        }
    }
}

/// Makes the file where there is none, for this user alone: it says what is wrong with a product.
fn make_private(path: &Path) -> Result<(), StoreError> {
    let mut options = std::fs::OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::StorageFull => {
            Err(StoreError::Full { store: path.display().to_string() })
        }
        Err(error) => Err(StoreError::Open { path: path.to_owned(), source: error.into() }),
    }
}
