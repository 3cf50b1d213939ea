//! A few connections to one server, and the order in which those who write wait for each other.
//!
//! SQLite lets one write at a time, and everything else follows from that. Here whoever changes incidents of
//! a project holds that project until the end of the transaction, and whoever changes something of all
//! projects waits for all who hold one ([`Hold`]). Jobs and deliveries are taken by their rows, so that
//! agents that look and send do not wait for each other.

use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use super::address::Server;
use super::fault::{ends_connection, explain, explain_open, is_again, is_unreachable};
use crate::store::StoreError;
use crate::store::evidence::hash_text;
use crate::store::fault::{Fault, closed};

/// How long a call may take before its connection is given up: longer than the server lets a statement run.
pub(super) const PATIENCE: Duration = Duration::from_mins(1);
/// The same for what has to do with every row: a start, and upkeep.
pub(super) const LONG: Duration = Duration::from_mins(15);
/// Connections of one agent: runs, sending, upkeep and a few pages at once. A small managed server has twenty
/// for everybody.
const CONNECTIONS: usize = 8;
/// How long a call waits for one of them.
const WAIT: Duration = Duration::from_secs(10);
/// How long the server may take to take a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a connection that rested may take to begin. A network that is cut drops packets without a word, and
/// nothing but the wait says so.
const BEGIN: Duration = Duration::from_secs(5);
/// Tries of one call when others are in its way.
const TRIES: u32 = 6;
/// The wait before the second try; each further one is longer by as much.
const PAUSE: Duration = Duration::from_millis(5);
/// Whoever holds more projects than this holds all: each is a place in the table of locks of the server, which
/// has some thousands.
const PROJECTS: usize = 256;

/// `LRdy`: the number under which launchready locks in a database.
const LOCK: i32 = 0x4c52_6479;

/// What every connection is told first. A statement that takes longer is ended, as is one that waits for a
/// lock, and a transaction whose agent went silent: sooner than others give up waiting for what it holds. The
/// server finds out within half a minute that an agent is cut off, so that dead connections do not fill it.
const GREETING: &str = "SET search_path = launchready; SET statement_timeout = '30s'; \
     SET lock_timeout = '10s'; SET idle_in_transaction_session_timeout = '8s'; \
     SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3; \
     SET tcp_user_timeout = '20s'; SET client_min_messages = 'warning'";

/// The connections to one server.
///
/// One is taken out of its place for the time of a call and put back when the call has ended well. A call that
/// is dropped in the middle drops its connection: the server takes back what was not committed.
#[derive(Debug)]
pub(super) struct Connections {
    pub(super) server: Server,
    places: Semaphore,
    resting: Mutex<Vec<PgConnection>>,
    /// Changes whenever nothing reaches the server.
    lost: watch::Sender<()>,
    closed: AtomicBool,
}

/// What a transaction holds of what others may change at the same time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Hold<'h> {
    /// Nothing but the rows that it changes.
    Rows,
    /// Everything of these projects.
    Projects(&'h BTreeSet<&'h str>),
    /// Everything.
    All,
}

/// A connection that is in use.
#[derive(Debug)]
pub(super) struct Taken<'c> {
    connections: &'c Connections,
    connection: PgConnection,
    doing: &'static str,
    /// Whether a transaction has begun.
    is_open: bool,
    _place: SemaphorePermit<'c>,
}

impl Deref for Taken<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Taken<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Taken<'_> {
    /// The connection.
    pub(super) fn on(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// Gives the connection back; the value of the call, or its error. What a transaction wrote is taken back.
    pub(super) async fn told<T>(mut self, done: Result<T, Fault>) -> Result<T, StoreError> {
        let (connections, doing) = (self.connections, self.doing);
        let is_lost = done.as_ref().is_err_and(ends_connection);
        if !is_lost {
            let rolled_back =
                !self.is_open || sqlx::raw_sql("ROLLBACK").execute(self.on()).await.is_ok();
            if rolled_back {
                self.rest();
            }
        } else if let Err(fault) = &done {
            tracing::debug!("a connection to the store is given up: {fault}");
            connections.forget();
        }
        done.map_err(|fault| explain(&connections.server, doing, fault))
    }

    /// Commits what went well and takes back what did not. Nothing, where the call has to be tried again because
    /// others were in its way; `left` counts its tries.
    pub(super) async fn end<T>(
        mut self,
        left: &mut Tries,
        done: Result<T, Fault>,
    ) -> Result<Option<T>, StoreError> {
        let ended = match done {
            Ok(value) => match sqlx::raw_sql("COMMIT").execute(self.on()).await {
                Ok(_) => Ok(value),
                Err(source) => Err(source.into()),
            },
            Err(fault) => Err(fault),
        };
        match ended {
            Ok(value) => {
                self.rest();
                Ok(Some(value))
            }
            Err(fault) => {
                let is_again = is_again(&fault) && left.has_one();
                let told = self.told::<T>(Err(fault)).await;
                if is_again {
                    left.pause().await;
                    return Ok(None);
                }
                told.map(Some)
            }
        }
    }

    fn rest(self) {
        let Self { connections, connection, .. } = self;
        if !connections.closed.load(Ordering::Acquire) {
            let mut resting = connections.resting.lock().unwrap_or_else(PoisonError::into_inner);
            resting.push(connection);
        }
    }
}

/// How often a call may still be tried.
#[derive(Debug)]
pub(super) struct Tries(u32);

impl Tries {
    /// Those of a new call.
    pub(super) const fn new() -> Self {
        Self(TRIES)
    }

    /// Those of a call that is not tried again.
    pub(super) const fn none() -> Self {
        Self(1)
    }

    fn has_one(&mut self) -> bool {
        self.0 = self.0.saturating_sub(1);
        self.0 > 0
    }

    async fn pause(&self) {
        sleep(PAUSE * (TRIES - self.0)).await;
    }
}

impl Connections {
    /// The connections to a server, of which the first is made at once.
    pub(super) async fn open(server: Server) -> Result<Self, StoreError> {
        let connections = Self {
            server,
            places: Semaphore::new(CONNECTIONS),
            resting: Mutex::default(),
            lost: watch::Sender::default(),
            closed: AtomicBool::new(false),
        };
        let connection = connections.connect().await;
        let connection = connection.map_err(|fault| explain_open(&connections.server, fault))?;
        connections.resting.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(connections)
    }

    /// The server.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    async fn connect(&self) -> Result<PgConnection, Fault> {
        let late = || Fault::Sql(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
        let connect = async {
            let mut connection = self.server.options.connect().await?;
            sqlx::raw_sql(GREETING).execute(&mut connection).await?;
            Ok(connection)
        };
        let made = timeout(CONNECT, connect).await.unwrap_or_else(|_elapsed| Err(late()));
        if made.as_ref().is_err_and(is_unreachable) {
            // What is under way on other connections waits for an answer that does not come either.
            self.forget();
            self.lost.send_replace(());
        }
        made
    }

    /// Ends when nothing reaches the server any more.
    pub(super) fn lost(&self) -> impl Future<Output = ()> + use<> {
        let mut lost = self.lost.subscribe();
        async move {
            if lost.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    /// Lets go of every connection that rests: what ended one has mostly ended all.
    pub(super) fn forget(&self) {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn resting(&self) -> Option<PgConnection> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Takes a connection and begins with this; anew on another one where a connection that rested is dead.
    async fn take(
        &self,
        doing: &'static str,
        begin: Option<&'static str>,
    ) -> Result<Taken<'_>, StoreError> {
        let place = timeout(WAIT, self.places.acquire()).await.map_err(|_late| StoreError::Busy)?;
        let place = place.map_err(|_closed| closed())?;
        let taken = |connection| Taken {
            connections: self,
            connection,
            doing,
            is_open: begin.is_some(),
            _place: place,
        };
        if let Some(mut connection) = self.resting() {
            // The server may have been started anew since.
            let begun = async {
                match begin {
                    Some(begin) => sqlx::raw_sql(begin).execute(&mut connection).await.is_ok(),
                    None => connection.ping().await.is_ok(),
                }
            };
            if timeout(BEGIN, begun).await.unwrap_or(false) {
                return Ok(taken(connection));
            }
            self.forget();
        }
        let connection = async {
            let mut connection = self.connect().await?;
            if let Some(begin) = begin {
                sqlx::raw_sql(begin).execute(&mut connection).await?;
            }
            Ok(connection)
        };
        let connection = connection.await.map_err(|fault| explain(&self.server, doing, fault))?;
        Ok(taken(connection))
    }

    /// Begins to write.
    pub(super) async fn write(
        &self,
        doing: &'static str,
        hold: Hold<'_>,
    ) -> Result<Taken<'_>, StoreError> {
        let mut write = self.take(doing, Some("BEGIN")).await?;
        match lock(write.on(), hold).await {
            Ok(()) => Ok(write),
            Err(fault) => write.told(Err(fault)).await,
        }
    }

    /// Begins to read: every statement sees the database as it is at the first one.
    pub(super) async fn read(&self, doing: &'static str) -> Result<Taken<'_>, StoreError> {
        self.take(doing, Some("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await
    }

    /// A connection for one statement that reads.
    pub(super) async fn reader(&self, doing: &'static str) -> Result<Taken<'_>, StoreError> {
        self.take(doing, None).await
    }

    /// Ends what is under way and closes every connection.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        // What is under way has its place until it has ended.
        let all = u32::try_from(CONNECTIONS).unwrap_or(u32::MAX);
        let waited = timeout(WAIT, self.places.acquire_many(all)).await;
        self.places.close();
        drop(waited);
        while let Some(connection) = self.resting() {
            if let Err(error) = connection.close().await {
                tracing::warn!(%error, "the store was not closed cleanly; nothing is lost");
            }
        }
    }
}

/// Waits for whoever holds the same. The gate is always first and projects are in order, so that nobody waits
/// for somebody who waits for him.
async fn lock(on: &mut PgConnection, hold: Hold<'_>) -> Result<(), Fault> {
    let projects = match hold {
        Hold::Rows => return Ok(()),
        Hold::Projects(projects) if projects.len() <= PROJECTS => projects,
        Hold::Projects(_) | Hold::All => {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(i64::from(LOCK))
                .execute(on)
                .await?;
            return Ok(());
        }
    };
    let numbers: BTreeSet<i32> = projects.iter().map(|project| number(project)).collect();
    let numbers: Vec<i32> = numbers.into_iter().collect();
    sqlx::query(
        "SELECT pg_advisory_xact_lock_shared($1) \
         UNION ALL SELECT pg_advisory_xact_lock($2, number) FROM unnest($3::int[]) AS number",
    )
    .bind(i64::from(LOCK))
    .bind(LOCK)
    .bind(numbers)
    .execute(on)
    .await?;
    Ok(())
}

/// The number of a project. Two that have the same wait for each other, and that is all.
fn number(project: &str) -> i32 {
    let [a, b, c, d, ..] = hash_text(project);
    i32::from_be_bytes([a, b, c, d])
}

/// Waits until no other agent brings the database to its tables.
pub(super) async fn lock_tables(on: &mut PgConnection) -> Result<(), Fault> {
    sqlx::query("SELECT pg_advisory_xact_lock($1, $1)").bind(LOCK).execute(on).await?;
    Ok(())
}
