//! A real Alertmanager, and what burns in it.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::port::free_port;
use crate::process::{Ready, Server};
use crate::support::program;

/// Debian's name of the program.
pub(crate) const ALERTMANAGER: &str = "prometheus-alertmanager";

/// How long it may take to start, and to show what it was told.
const PATIENCE: Duration = Duration::from_mins(3);

/// An Alertmanager that tells nobody; it is stopped when dropped.
pub(crate) struct Alertmanager {
    pub(crate) url: String,
    client: reqwest::Client,
    _server: Server,
}

impl Alertmanager {
    /// Starts it; its data goes into the folder.
    pub(crate) async fn start(folder: &Path) -> Self {
        let config = folder.join("alertmanager.yml");
        std::fs::write(&config, "route:\n  receiver: nobody\nreceivers:\n- name: nobody\n")
            .unwrap();
        let address = free_port();
        let arguments = [
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", folder.join("alertmanager").display()),
            format!("--web.listen-address={address}"),
            "--cluster.listen-address=".to_owned(),
        ];
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let server =
            Server::start(&program(ALERTMANAGER).unwrap(), &arguments, Ready::Accepts(address));
        _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let started = Self { url: format!("http://{address}"), client, _server: server };
        let deadline = Instant::now() + PATIENCE;
        while started.alerts().await.is_none() {
            assert!(Instant::now() < deadline, "Alertmanager does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        started
    }

    /// The alerts that burn.
    async fn alerts(&self) -> Option<Vec<Value>> {
        let answer = self.client.get(format!("{}/api/v2/alerts", self.url)).send().await.ok()?;
        serde_json::from_str(&answer.error_for_status().ok()?.text().await.ok()?).ok()
    }

    /// Waits until these severities burn and nothing else, and gives the alerts back.
    pub(crate) async fn shows(&self, wanted: &[&str]) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let alerts = self.alerts().await.unwrap();
            let severities = alerts.iter().map(|alert| alert["labels"]["severity"].as_str());
            if severities.eq(wanted.iter().copied().map(Some)) {
                return alerts;
            }
            assert!(Instant::now() < deadline, "{wanted:?} are not shown: {alerts:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
