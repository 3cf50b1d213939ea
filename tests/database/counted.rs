//! Counts what a look asks for: rows of the database, and requests to the payment provider.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use launchready::clock::SystemClock;
use launchready::config::parse;
use launchready::connect::{Reach, accounts};
use launchready_checks::probe::{
    Accounts, Answer, Catalogue, Database, DatabaseFacts, ProbeError, Repeated, RowQuery, Slot,
    SqlAnswer, Strays, TableRole, TableShape, VisitRow, Walked,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// The ports that a config leads to.
pub(crate) fn ports(config: &str, folder: &Path) -> Accounts {
    let config = parse(config, folder).unwrap_or_else(|errors| panic!("{errors}"));
    // The first test of a process installs it, and the others find it there.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    #[allow(clippy::disallowed_methods, reason = "the composition root of this test")]
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap();
    let reach = Reach::new(client, Arc::new(SystemClock));
    accounts(&config.projects[0].accounts, &reach)
}

/// A database whose rows are counted as they are told.
#[derive(Clone)]
pub(crate) struct CountedRows {
    inner: Slot<dyn Database>,
    rows: Arc<AtomicU64>,
}

impl CountedRows {
    pub(crate) fn new(inner: Slot<dyn Database>) -> Self {
        Self { inner, rows: Arc::default() }
    }

    fn inner(&self) -> &dyn Database {
        self.inner.get().unwrap()
    }

    /// The port.
    pub(crate) fn slot(&self) -> Slot<dyn Database> {
        Slot::ready(Arc::new(self.clone()))
    }

    /// Rows since the last call.
    pub(crate) fn take(&self) -> u64 {
        self.rows.swap(0, Ordering::Relaxed)
    }
}

impl Database for CountedRows {
    fn facts(&self) -> Answer<'_, Result<DatabaseFacts, ProbeError>> {
        self.inner().facts()
    }

    fn shape(&self, table: TableRole) -> Answer<'_, Result<Option<TableShape>, ProbeError>> {
        self.inner().shape(table)
    }

    fn rows<'a>(
        &'a self,
        query: RowQuery,
        visit: VisitRow<'a>,
    ) -> Answer<'a, Result<Walked, ProbeError>> {
        Box::pin(async move {
            let walked = self.inner().rows(query, visit).await;
            let entries = walked.as_ref().map_or(0, |walked| walked.entries);
            self.rows.fetch_add(entries, Ordering::Relaxed);
            walked
        })
    }

    fn repeated(
        &self,
        table: TableRole,
        column: &'static str,
    ) -> Answer<'_, Result<Repeated, ProbeError>> {
        self.inner().repeated(table, column)
    }

    fn strays(
        &self,
        from: (TableRole, &'static str),
        to: (TableRole, &'static str),
    ) -> Answer<'_, Result<Strays, ProbeError>> {
        self.inner().strays(from, to)
    }

    fn catalogue(&self) -> Answer<'_, Result<Catalogue, ProbeError>> {
        self.inner().catalogue()
    }

    fn ask(&self, sql: String) -> Answer<'_, Result<SqlAnswer, ProbeError>> {
        self.inner().ask(sql)
    }
}

/// A relay in front of the payment provider that counts requests.
pub(crate) struct Relay {
    requests: Arc<AtomicU64>,
}

impl Relay {
    /// Puts a relay in front of the provider that a config names, and names the relay in its place.
    pub(crate) async fn before(config: &str) -> (Self, String) {
        let (_, after) = config.split_once("api = \"http://").expect("the address of the provider");
        let address = after.split_once('"').unwrap().0.to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let own = listener.local_addr().unwrap().to_string();
        let config = config.replace(&address, &own);
        let requests = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&address).await.unwrap();
                tokio::spawn(relay(near, far, Arc::clone(&counted)));
            }
        });
        (Self { requests }, config)
    }

    /// Requests since the last call.
    pub(crate) fn take(&self) -> u64 {
        self.requests.swap(0, Ordering::Relaxed)
    }
}

/// Passes bytes on both ways. A request fits into one piece, and none begins before the last was answered.
async fn relay(near: TcpStream, far: TcpStream, requests: Arc<AtomicU64>) {
    let ((mut ask, mut told), (mut answer, mut asked)) = (near.into_split(), far.into_split());
    let answers = tokio::spawn(async move { tokio::io::copy(&mut answer, &mut told).await });
    let mut piece = vec![0; 16 * 1024];
    while let Ok(length @ 1..) = ask.read(&mut piece).await {
        requests.fetch_add(u64::from(piece.starts_with(b"GET ")), Ordering::Relaxed);
        if asked.write_all(&piece[..length]).await.is_err() {
            break;
        }
    }
    drop(asked);
    drop(answers.await);
}
