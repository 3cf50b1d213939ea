//! A page on a loopback port with a store of realistic content.

mod content;
mod facts;
mod runs;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use launchready::clock::Clock;
use launchready::store::{Store, open};
use launchready::web::{MetricsPage, ProbeNow, ProbeRefused, Ready, Site, router, serve};
use tokio::sync::{oneshot, watch};

use content::fill;
pub(crate) use content::out_of_step;
use facts::facts;

/// The time that it is.
pub(crate) const NOW: &str = "2026-11-22T08:00:00Z";

/// A job of `harbor` that has promised to call, and the token that it calls with.
pub(crate) const JOB: &str = "nightly-backup";
pub(crate) const JOB_TOKEN: &str = "job-Wn5tQ8zKe2-Ba71";

/// A clock that a test moves.
#[derive(Debug)]
pub(crate) struct Hand(Mutex<Timestamp>);

impl Hand {
    pub(crate) fn forward(&self, minutes: i64) {
        let mut now = self.0.lock().unwrap();
        *now = now.checked_add(SignedDuration::from_mins(minutes)).unwrap();
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

/// Metrics of three shards.
struct Metrics;

impl MetricsPage for Metrics {
    fn render(&self, shard: Option<(u32, u32)>, openmetrics: bool) -> Result<String, String> {
        match shard {
            None => Err("There are too many series for one answer.".to_owned()),
            Some((index, count)) => Ok(format!("shard_{index}_of_{count} {openmetrics}\n")),
        }
    }

    fn service_discovery(&self, address: &str) -> serde_json::Value {
        let target = |shard: u32| {
            let shard = format!("{shard}/3");
            let labels = serde_json::json!({ "__param_shard": shard, "shard": shard });
            serde_json::json!({ "targets": [address], "labels": labels })
        };
        (1..=3).map(target).collect()
    }
}

/// Probes one host.
struct OneHost;

#[async_trait]
impl ProbeNow for OneHost {
    async fn probe(
        &self,
        module: &str,
        target: &str,
        limit: Duration,
    ) -> Result<String, ProbeRefused> {
        match (module, target) {
            ("http_2xx", "harbor.example") => Ok(format!("probe_success 1 # {limit:?}\n")),
            ("http_2xx", other) => Err(ProbeRefused::Target(other.to_owned())),
            (other, _) => {
                Err(ProbeRefused::Module { name: other.to_owned(), known: "http_2xx".to_owned() })
            }
        }
    }
}

/// Ready or not.
struct Switch(Mutex<Result<(), String>>);

impl Ready for Switch {
    fn ready(&self) -> Result<(), String> {
        self.0.lock().unwrap().clone()
    }
}

/// What a page is started with.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    pub(crate) password: Option<&'static str>,
    pub(crate) metrics_token: Option<&'static str>,
    pub(crate) public_url: Option<&'static str>,
    /// Whether the config has no channel.
    pub(crate) untold: bool,
    /// Projects beside `harbor` and `quay`.
    pub(crate) more: usize,
    /// Whether strangers see those.
    pub(crate) more_public: bool,
}

/// The page, and what it stands on.
pub(crate) struct Page {
    pub(crate) at: SocketAddr,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<Hand>,
    pub(crate) ready: Arc<dyn Fn(Result<(), String>) + Send + Sync>,
    stop: Option<oneshot::Sender<()>>,
    served: tokio::task::JoinHandle<()>,
    _folder: tempfile::TempDir,
}

/// A text that would act in a page if it were not escaped.
pub(crate) const HOSTILE: &str =
    "<script>alert(1)</script>\" onload='x' {{7*7}} \u{202e}<img src=x onerror=alert(1)>";

impl Page {
    /// Starts the page with what `fill` puts into the store.
    pub(crate) async fn start(plan: &Plan) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("sqlite:{}", folder.path().join("store.db").display());
        let store: Arc<dyn Store> = open(&address, folder.path()).await.unwrap();
        let clock = Arc::new(Hand(Mutex::new(NOW.parse().unwrap())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let facts = Arc::new(facts(plan, at));
        fill(&*store, &facts).await;
        let ready = Arc::new(Switch(Mutex::new(Ok(()))));
        let (_send, receive) = watch::channel(facts);
        let site = Site {
            store: Arc::clone(&store),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            facts: receive,
            metrics: Arc::new(Metrics),
            probe_now: Arc::new(OneHost),
            ready: Arc::clone(&ready) as Arc<dyn Ready>,
        };
        let (stop, stopped) = oneshot::channel();
        let router = router(Arc::new(site));
        let served = tokio::spawn(async move {
            serve(listener, router, async { _ = stopped.await }).await.unwrap();
        });
        let set = move |state| *ready.0.lock().unwrap() = state;
        Self { at, store, clock, ready: Arc::new(set), stop: Some(stop), served, _folder: folder }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Stops the page; every connection ends.
    pub(crate) async fn stop(mut self) {
        _ = self.stop.take().unwrap().send(());
        (&mut self.served).await.unwrap();
        self.store.close().await;
    }
}
