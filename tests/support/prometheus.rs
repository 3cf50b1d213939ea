//! A real Prometheus, what it knows, and what a dashboard would show from it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::port::free_port;
use crate::process::{Ready, Server};
use crate::support::program;

/// How long Prometheus may take to start, scrape and evaluate on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(3);

/// A Prometheus that is stopped when dropped.
pub(crate) struct Prometheus {
    address: SocketAddr,
    client: reqwest::Client,
    _server: Server,
}

impl Prometheus {
    /// Starts it with a config; its data goes into the same folder.
    pub(crate) async fn start(folder: &Path, config: &str) -> Self {
        let file = folder.join("prometheus.yml");
        std::fs::write(&file, config).unwrap();
        let address = free_port();
        let arguments = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
            format!("--web.listen-address={address}"),
            "--log.level=error".to_owned(),
            "--storage.tsdb.retention.size=64MB".to_owned(),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let server =
            Server::start(&program("prometheus").unwrap(), &arguments, Ready::Accepts(address));
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let prometheus = Self { address, client, _server: server };
        prometheus
            .until("ready", async |it| {
                let asked = it.client.get(format!("http://{}/-/ready", it.address)).send().await;
                asked.is_ok_and(|answer| answer.status() == 200)
            })
            .await;
        prometheus
    }

    /// Waits for a condition.
    pub(crate) async fn until(&self, what: &str, mut is: impl AsyncFnMut(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is(self).await {
            assert!(Instant::now() < deadline, "Prometheus: not {what} in time");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// What the API answers.
    pub(crate) async fn api(&self, path: &str) -> Value {
        let answer = self.client.get(format!("http://{}{path}", self.address)).send().await;
        let answer = answer.unwrap();
        let status = answer.status();
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].clone()
    }

    /// The series that a query has now.
    pub(crate) async fn query(&self, query: &str) -> Vec<Value> {
        let query: String = url::form_urlencoded::byte_serialize(query.as_bytes()).collect();
        let found = self.api(&format!("/api/v1/query?query={query}")).await;
        found["result"].as_array().unwrap().clone()
    }

    /// How many series a query has now.
    pub(crate) async fn series(&self, query: &str) -> usize {
        self.query(query).await.len()
    }

    /// The values that a label has in a query, in order and each once.
    pub(crate) async fn labels(&self, query: &str, label: &str) -> Vec<String> {
        let found = self.query(query).await;
        let values = found.iter().filter_map(|series| series["metric"][label].as_str());
        let mut values: Vec<String> = values.map(str::to_owned).collect();
        values.sort();
        values.dedup();
        values
    }

    /// The panels and variables of a dashboard that would be empty.
    pub(crate) async fn empty(&self, name: &str, dashboard: &Value) -> Vec<String> {
        let mut empty = Vec::new();
        for panel in dashboard["panels"].as_array().unwrap() {
            for target in panel["targets"].as_array().into_iter().flatten() {
                let query = filled(target["expr"].as_str().unwrap());
                if self.series(&query).await == 0 {
                    empty.push(format!("{name}: {}: {query}", panel["title"]));
                }
            }
        }
        for variable in dashboard["templating"]["list"].as_array().unwrap() {
            let Some(query) = variable["definition"].as_str() else { continue };
            let inside = query.trim_start_matches("label_values(").trim_end_matches(')');
            let (series, label) = inside.rsplit_once(", ").unwrap();
            let query = format!("count by ({label}) ({})", filled(series));
            if self.series(&query).await == 0 {
                empty.push(format!("{name}: variable {}: {query}", variable["name"]));
            }
        }
        empty
    }

    /// Whether every rule was evaluated without an error.
    pub(crate) async fn rules_are_fine(&self) -> bool {
        let groups = self.api("/api/v1/rules").await;
        let groups = groups["groups"].as_array().unwrap().clone();
        let mut rules = groups.iter().flat_map(|group| group["rules"].as_array().unwrap());
        !groups.is_empty() && rules.all(|rule| rule["health"] == "ok")
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
