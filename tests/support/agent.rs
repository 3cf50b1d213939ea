//! An agent as a process of its own, asked by its page.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::{METRICS_TOKEN, PAGE_PASSWORD, PATIENCE};

/// The program with its config, its log and its page.
pub(crate) struct Agent {
    config: PathBuf,
    log: PathBuf,
    pub(crate) page: SocketAddr,
    since: Timestamp,
    speed: f64,
    /// Variables that it is started with.
    pub(crate) variables: Vec<(String, String)>,
    /// A program that starts it, with its words.
    pub(crate) within: Vec<String>,
    client: reqwest::Client,
    child: Option<Child>,
}

impl Agent {
    /// One that is not started yet. Its clock has run `speed` times as fast since `since`.
    pub(crate) fn new(
        config: &Path,
        log: &str,
        page: SocketAddr,
        since: Timestamp,
        speed: f64,
    ) -> Self {
        Self {
            config: config.to_owned(),
            log: config.with_file_name(log),
            page,
            since,
            speed,
            variables: Vec::new(),
            within: Vec::new(),
            client: client(),
            child: None,
        }
    }

    /// Another one with the same clock.
    pub(crate) fn another(&self, config: &Path, log: &str, page: SocketAddr) -> Self {
        Self::new(config, log, page, self.since, self.speed)
    }

    /// Starts it; what it logs is kept.
    pub(crate) fn start(&mut self) {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log).unwrap();
        let program = env!("CARGO_BIN_EXE_launchready").to_owned();
        let words: Vec<&String> = self.within.iter().chain([&program]).collect();
        let child = Command::new(words[0])
            .args(&words[1..])
            .args(["agent", "--verbose", "--log-format", "json", "--config"])
            .arg(&self.config)
            .args(["--speed", &self.speed.to_string(), "--since", &self.since.to_string()])
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Whether it can do its work.
    pub(crate) async fn is_ready(&self) -> bool {
        matches!(self.get("/readyz").await, Some((200, _)))
    }

    /// Whether it says that it cannot do its work.
    pub(crate) async fn is_not_ready(&self) -> bool {
        matches!(self.get("/readyz").await, Some((503, _)))
    }

    /// Whether the process has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_some())
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Asks it to end and waits until it has, and has said that all is well.
    pub(crate) async fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        self.signal_to(&child, "TERM");
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "the agent does not end when it is asked to");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        assert!(status.success(), "an ordered stop ends with {status}\n{}", self.tail());
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        self.signal_to(self.child.as_ref().unwrap(), name);
    }

    fn signal_to(&self, child: &Child, name: &str) {
        let id = child.id().to_string();
        let sent = Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
        assert!(sent.success(), "{}", self.log());
    }

    /// Everything that it has logged.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The end of the log.
    pub(crate) fn tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"DEBUG\"")).collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }

    /// Status and body of a page; nothing while nobody answers.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let token = if path.starts_with("/metrics") { METRICS_TOKEN } else { PAGE_PASSWORD };
        let url = format!("http://{}{path}", self.page);
        let answer = self.client.get(url).bearer_auth(token).send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    /// The answer to a request with these headers and no credentials but those among them.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        let url = format!("http://{}{path}", self.page);
        let mut request = self.client.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Posts JSON to the API and gives back the status.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> u16 {
        let url = format!("http://{}{path}", self.page);
        let request = self.client.post(url).bearer_auth(PAGE_PASSWORD);
        let request = request.header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap().status().as_u16()
    }

    /// The present time of its clock, where that is right.
    pub(crate) fn now(&self) -> Timestamp {
        use launchready::clock::Clock as _;
        launchready::clock::FastClock::since(self.since, self.speed).now()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn client() -> reqwest::Client {
    let provider = Arc::new(launchready::probe::provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config)
        .no_proxy()
        // The page closes a connection that waits, which it may do at the moment in which it is used again.
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}
