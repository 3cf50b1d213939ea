//! A real Prometheus scrapes a real server: every panel of every dashboard shows something, and every
//! rule is evaluated.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use launchready::clock::{Clock as _, SystemClock};
use serde_json::Value;

use super::sample::board;
use super::support::{has, program};
use super::wire::{fetch, serve};
use super::{DASHBOARDS, dashboard, file};

/// How long Prometheus may take to start, scrape and evaluate.
const PATIENCE: Duration = Duration::from_mins(1);

/// A Prometheus that is stopped when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Prometheus {
    async fn start(folder: &Path, agent: SocketAddr) -> Self {
        let config = format!(
            "global: {{ scrape_interval: 1s, evaluation_interval: 1s }}\n\
             rule_files: [\"{}\"]\n\
             scrape_configs:\n  - job_name: launchready\n    static_configs: [{{ targets: [\"{agent}\"] }}]\n",
            file("alerts.yml").display()
        );
        std::fs::write(folder.join("prometheus.yml"), config).unwrap();
        let address = free_port();
        let child = Command::new(program("prometheus").unwrap())
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--log.level=error", "--storage.tsdb.retention.size=64MB"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let prometheus = Self { child, address };
        prometheus
            .until("ready", async |prometheus| {
                fetch(prometheus.address, "/-/ready").await.is_ok_and(|(status, _)| status == 200)
            })
            .await;
        prometheus
    }

    /// Waits for a condition.
    async fn until(&self, what: &str, mut is: impl AsyncFnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(self).await {
            assert!(Instant::now() < deadline, "Prometheus: not {what} in time");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn api(&self, path: &str) -> Value {
        let (status, body) = fetch(self.address, path).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].clone()
    }

    /// How many series a query has now.
    async fn series(&self, query: &str) -> usize {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = self.api(&format!("/api/v1/query?query={query}")).await;
        found["result"].as_array().unwrap().len()
    }
}

/// A query of a panel with Grafana's variables filled in.
fn filled(query: &str) -> String {
    query
        .replace("$__rate_interval", "1m")
        .replace("$__range", "1h")
        .replace("$project", ".*")
        .replace("$check", ".*")
        .replace("$instance", ".*")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_panel_shows_something_and_every_rule_is_evaluated() {
    if !has("every_panel_shows_something_and_every_rule_is_evaluated", &["prometheus"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let agent = serve(board(SystemClock.now())).await;
    let prometheus = Prometheus::start(folder.path(), agent).await;
    // Two scrapes make a rate.
    let scrapes = "count_over_time(launchready_build_info[1m]) >= 3";
    prometheus.until("scraped", async |prometheus| prometheus.series(scrapes).await > 0).await;
    let mut empty = Vec::new();
    for name in DASHBOARDS {
        let dashboard = dashboard(name);
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let query = filled(target["expr"].as_str().unwrap());
                if prometheus.series(&query).await == 0 {
                    empty.push(format!("{name}: {}: {query}", panel["title"]));
                }
            }
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            if let Some(query) = variable["definition"].as_str() {
                let inside = query.trim_start_matches("label_values(").trim_end_matches(')');
                let (series, label) = inside.rsplit_once(", ").unwrap();
                let query = format!("count by ({label}) ({})", filled(series));
                assert!(prometheus.series(&query).await > 0, "{name}: {query}");
            }
        }
    }
    assert!(empty.is_empty(), "panels without data:\n{}", empty.join("\n"));

    let evaluated = async |prometheus: &Prometheus| {
        let groups = prometheus.api("/api/v1/rules").await;
        let groups = groups["groups"].as_array().unwrap().clone();
        let mut rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        !groups.is_empty() && rules.all(|rule| rule["health"] == "ok")
    };
    prometheus.until("all rules evaluated", evaluated).await;
    // What holds at once is pending at once: the sample has a failing check and a no-go.
    let pending =
        "count by (alertname) (ALERTS{alertname=~\"LaunchreadyNoGo|LaunchreadyCheckFailing\"}) > 0";
    prometheus.until("alerts pending", async |p| p.series(pending).await == 2).await;
}
