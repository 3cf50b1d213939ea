//! An agent's sender with its surroundings: a real store in a file, a clock that is set, and channels that
//! do what they are told.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use launchready::clock::Clock as _;
use launchready::notify::outbox::{Observer, Route, Routes, Sender, Tried};
use launchready::notify::{Envelope, Notifier, NotifyError};
use launchready::store::{self, Notification, Store, StoreError};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Row as _};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::world::{DEADLINE, TestClock, notification};

/// What the sender has told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) tried: Mutex<Vec<Tried>>,
    /// How often the sender went round.
    pub(crate) rounds: AtomicUsize,
    /// Why the outbox cannot be read at present.
    pub(crate) unread: Mutex<Option<String>>,
    /// Every error of a record.
    pub(crate) unrecorded: Mutex<Vec<String>>,
}

impl Observer for Seen {
    fn tried(&self, tried: &Tried) {
        self.tried.lock().unwrap().push(tried.clone());
    }

    fn asked(&self, outcome: Result<(), &StoreError>) {
        self.rounds.fetch_add(1, Ordering::Relaxed);
        *self.unread.lock().unwrap() = outcome.err().map(ToString::to_string);
    }

    fn recorded(&self, _channel: &str, outcome: Result<(), &StoreError>) {
        self.unrecorded.lock().unwrap().extend(outcome.err().map(ToString::to_string));
    }
}

/// A delivery as its row has it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) channel: String,
    pub(crate) state: String,
    pub(crate) due_ms: i64,
    pub(crate) last_error: Option<String>,
}

/// A try as its row has it: the channel, the outcome, and the error.
pub(crate) type Try = (String, String, Option<String>);

/// The surroundings.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: TestClock,
    pub(crate) seen: Arc<Seen>,
    pub(crate) routes: watch::Sender<Arc<Routes>>,
    /// Whether the sender leaves its work to others.
    pub(crate) rests: Arc<AtomicBool>,
    bell: Arc<Notify>,
    folder: tempfile::TempDir,
    reader: tokio::sync::Mutex<SqliteConnection>,
}

impl Post {
    pub(crate) async fn new(channels: Vec<(&str, Arc<dyn Notifier>, Option<&str>)>) -> Self {
        let route = |(name, notifier, fallback): (&str, _, Option<&str>)| {
            let fallback = fallback.map(str::to_owned);
            (name.to_owned(), Route { notifier, fallback, pause: Duration::ZERO })
        };
        let channels = channels.into_iter().map(route).collect();
        let timezones = BTreeMap::from([("harbor".to_owned(), "Europe/Berlin".to_owned())]);
        let routes = Routes { channels, public_url: None, timezones, book: Arc::default() };
        let folder = tempfile::tempdir().unwrap();
        let store = store::open("sqlite:post.db", folder.path()).await.unwrap();
        let reader = connect(folder.path().join("post.db")).await;
        Self {
            store,
            clock: TestClock::new(),
            seen: Arc::default(),
            routes: watch::Sender::new(Arc::new(routes)),
            rests: Arc::default(),
            bell: Arc::default(),
            folder,
            reader: tokio::sync::Mutex::new(reader),
        }
    }

    /// Puts a message for these channels into the outbox.
    pub(crate) async fn put_in(&self, id: &str, channels: &[&str]) {
        let channels: Vec<String> = channels.iter().map(|name| (*name).to_owned()).collect();
        let due_at = self.clock.now();
        assert!(self.store.enqueue(&notification(id), &channels, due_at).await.unwrap());
        self.bell.notify_one();
    }

    pub(crate) fn start(&self) -> Running {
        let mut sender = Sender::new(
            "agent".to_owned(),
            self.store.clone(),
            Arc::new(self.clock.clone()),
            self.routes.subscribe(),
            Arc::clone(&self.bell),
            self.seen.clone(),
        );
        sender.poll = Duration::from_millis(5);
        sender.rests = Arc::clone(&self.rests);
        let (stop, stopped) = oneshot::channel::<()>();
        let task = tokio::spawn(sender.run(async move {
            // Dropped or rung, both mean the end.
            _ = stopped.await;
        }));
        Running { task, stop }
    }

    /// Another process that has opened the file.
    pub(crate) async fn other(&self) -> SqliteConnection {
        connect(self.folder.path().join("post.db")).await
    }

    /// Does to the file what no agent does.
    pub(crate) async fn harm(&self, statement: &str) {
        let statement = AssertSqlSafe(statement.to_owned());
        sqlx::raw_sql(statement).execute(&mut self.other().await).await.unwrap();
    }

    pub(crate) async fn deliveries(&self) -> Vec<Kept> {
        let rows = sqlx::query("SELECT channel, state, due_at, last_error FROM delivery")
            .fetch_all(&mut *self.reader.lock().await)
            .await
            .unwrap();
        let kept = |row: &sqlx::sqlite::SqliteRow| Kept {
            channel: row.get("channel"),
            state: row.get("state"),
            due_ms: row.get("due_at"),
            last_error: row.get("last_error"),
        };
        rows.iter().map(kept).collect()
    }

    /// How many deliveries of a channel are in a state.
    pub(crate) async fn count(&self, channel: &str, state: &str) -> usize {
        let all = self.deliveries().await;
        all.iter().filter(|kept| kept.channel == channel && kept.state == state).count()
    }

    pub(crate) async fn all_are(&self, state: &str) -> bool {
        let all = self.deliveries().await;
        !all.is_empty() && all.iter().all(|kept| kept.state == state)
    }

    pub(crate) async fn only(&self) -> Kept {
        let mut all = self.deliveries().await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn attempts(&self) -> Vec<Try> {
        let rows = sqlx::query(
            "SELECT channel, outcome, error FROM attempt JOIN delivery ON seq = delivery \
             ORDER BY attempt.rowid",
        )
        .fetch_all(&mut *self.reader.lock().await)
        .await
        .unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
    }

    pub(crate) fn words(&self) -> Vec<(String, &'static str, &'static str)> {
        let seen = self.seen.tried.lock().unwrap();
        seen.iter().map(|tried| (tried.channel.clone(), tried.outcome, tried.reason)).collect()
    }
}

async fn connect(file: PathBuf) -> SqliteConnection {
    SqliteConnectOptions::new().filename(file).connect().await.unwrap()
}

/// A sender that runs.
pub(crate) struct Running {
    task: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

impl Running {
    pub(crate) async fn stop(self) {
        drop(self.stop);
        tokio::time::timeout(DEADLINE, self.task).await.expect("it stops").unwrap();
    }

    /// As a kill does: at once, wherever it is.
    pub(crate) async fn kill(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

/// A channel that does what its list says, and then takes everything.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    pub(crate) script: Mutex<Vec<Result<(), NotifyError>>>,
    pub(crate) taken: Mutex<Vec<Envelope>>,
    /// The send waits for this after the other side has accepted.
    pub(crate) gate: Option<Arc<Notify>>,
    pub(crate) panics: bool,
}

#[async_trait]
impl Notifier for Scripted {
    async fn send(&self, _told: &Notification, envelope: &Envelope) -> Result<(), NotifyError> {
        self.taken.lock().unwrap().push(envelope.clone());
        assert!(!self.panics, "a bug of the channel");
        if let Some(gate) = &self.gate {
            gate.notified().await;
        }
        let mut script = self.script.lock().unwrap();
        if script.is_empty() { Ok(()) } else { script.remove(0) }
    }
}

pub(crate) fn later(retry_after: Option<u64>) -> Result<(), NotifyError> {
    Err(NotifyError::Transient {
        reason: "server_error",
        why: "it answered 503".to_owned(),
        retry_after: retry_after.map(Duration::from_secs),
    })
}

pub(crate) fn never() -> Result<(), NotifyError> {
    Err(NotifyError::Permanent {
        reason: "gone",
        why: "it answered 410".to_owned(),
        remedy: "make a new one".to_owned(),
    })
}

pub(crate) fn scripted(script: Vec<Result<(), NotifyError>>) -> Arc<Scripted> {
    Arc::new(Scripted { script: Mutex::new(script), ..Scripted::default() })
}
