//! A lab, a mailbox, sinks, and an agent as a process of its own.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::{Clock as _, SystemClock};
use launchready::drill::{Drill, Outcome, Record, new_mark};
use launchready::store::Store;
use launchready_lab::{Lab, LabOptions, Mailbox, MailboxOptions, SinkKind, Sinks, World};
use serde_json::Value;
use sqlx::Connection as _;
use tempfile::TempDir;
use tokio::time::Instant;

use crate::port::free_port;

#[path = "agent.rs"]
mod agent;
#[path = "small.rs"]
mod small;

#[allow(unused_imports, reason = "other tests ask pages too")]
pub(crate) use agent::{Agent, client};

/// The longest that a test waits for something that has to happen.
pub(crate) const PATIENCE: Duration = Duration::from_mins(3);

/// Secrets of the rig: none of them may ever be seen.
pub(crate) const SMTP_PASSWORD: &str = "smtp-Zq7vT2mXw9";
pub(crate) const PAGE_PASSWORD: &str = "page-Hn4kR8sLd3";
pub(crate) const METRICS_TOKEN: &str = "metrics-Yb6cJ1fGp5";
pub(crate) const JOB_TOKEN: &str = "job-Qx3vN7kTz1-Rd64";
pub(crate) const WEBHOOK_KEY: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3";

/// The file of the config.
const CONFIG: &str = "launchready.toml";

/// How an agent is set up.
pub(crate) struct Setup<'a> {
    /// The world that it watches.
    pub(crate) world: World,
    /// How much faster its clock runs.
    pub(crate) speed: f64,
    /// Changes the config before it is written: project tables, checks, defaults.
    pub(crate) edit: &'a dyn Fn(&mut toml::Table),
}

/// A lab with everything that an agent reaches, and the agent.
pub(crate) struct Rig {
    // Ended before what it reaches goes.
    agent: Agent,
    pub(crate) lab: Lab,
    pub(crate) mailbox: Mailbox,
    pub(crate) sinks: Sinks,
    pub(crate) folder: TempDir,
    pub(crate) page: SocketAddr,
}

impl Rig {
    /// Starts the lab and writes the config; the agent is started apart.
    pub(crate) async fn new(setup: Setup<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let options = LabOptions {
            now,
            delay: Duration::ZERO,
            speed: setup.speed,
            dir: folder.path().to_owned(),
        };
        let lab = Lab::start(&small::small(setup.world), options).await.unwrap();
        let login = Some(("alerts".to_owned(), SMTP_PASSWORD.to_owned()));
        let mailbox =
            Mailbox::start(lab.authority(), MailboxOptions { login, ..Default::default() })
                .unwrap();
        let sinks = Sinks::start(now).unwrap();
        sinks.set_webhook_key(Some(WEBHOOK_KEY)).unwrap();
        let page = free_port();
        let config = folder.path().join(CONFIG);
        let agent = Agent::new(&config, "agent.log", page, now, setup.speed);
        let rig = Self { agent, lab, mailbox, sinks, folder, page };
        rig.write_config(setup.edit);
        rig.drilled(now).await;
        rig
    }

    /// Its founder has tried whether alerts arrive, so that a first look has nothing to say about that.
    async fn drilled(&self, at: Timestamp) {
        let mut record = Record::begun(Drill::Alert, "harbor", &new_mark().unwrap(), at);
        record.outcome = Outcome::Passed;
        let store = self.store().await;
        store.record_drill(&record.stored(true)).await.unwrap();
        store.close().await;
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join(CONFIG)
    }

    /// Writes the config anew.
    pub(crate) fn write_config(&self, edit: &dyn Fn(&mut toml::Table)) {
        let secret = |name: &str, value: &str| {
            fs::write(self.folder.path().join(name), value).unwrap();
        };
        secret("smtp-password", SMTP_PASSWORD);
        secret("page-password", PAGE_PASSWORD);
        secret("metrics-token", METRICS_TOKEN);
        secret("slack-url", &self.sinks.url(SinkKind::Slack));
        secret("webhook-url", &self.sinks.url(SinkKind::Webhook));
        secret("webhook-key", WEBHOOK_KEY);
        secret("job-token", JOB_TOKEN);
        secret("dead-man", &self.sinks.url(SinkKind::DeadMan));
        let mut config: toml::Table = toml::from_str(&self.lab.config_toml()).unwrap();
        let agent = format!(
            r#"
            [agent]
            listen = "{page}"
            # A test that runs on a Monday has the same messages as on other days.
            summary = "never"
            heartbeat_url = {{ file = "dead-man" }}
            [agent.auth]
            password = {{ file = "page-password" }}
            metrics_token = {{ file = "metrics-token" }}
            [[channel]]
            name = "founder"
            kind = "email"
            smtp = "smtp+starttls://{mail}"
            user = "alerts"
            password = {{ file = "smtp-password" }}
            from = "launchready@harbor.example"
            to = ["founder@harbor.example"]
            timeout = "2s"
            [[channel]]
            name = "ops"
            kind = "slack"
            url = {{ file = "slack-url" }}
            timeout = "2s"
            [[channel]]
            name = "hook"
            kind = "webhook"
            url = {{ file = "webhook-url" }}
            key = {{ file = "webhook-key" }}
            timeout = "2s"
            "#,
            page = self.page,
            mail = self.mailbox.starttls(),
        );
        let agent: toml::Table = toml::from_str(&agent).unwrap();
        config.extend(agent);
        edit(&mut config);
        fs::write(self.config(), config.to_string()).unwrap();
    }

    /// Another agent beside this one, with the same clock; its config and log are files of the same folder.
    pub(crate) fn another(&self, config: &Path, log: &str, page: SocketAddr) -> Agent {
        self.agent.another(config, log, page)
    }

    /// Starts the agent; what it logs is kept.
    pub(crate) fn start(&mut self) {
        self.agent.start();
    }

    /// Starts the agent and waits until it is ready.
    pub(crate) async fn start_ready(&mut self) {
        self.start();
        self.wait_for("the agent is ready", async |rig: &Self| {
            matches!(rig.get("/readyz").await, Some((200, _)))
        })
        .await;
    }

    /// Ends the agent as a crash does.
    pub(crate) fn kill(&mut self) {
        self.agent.kill();
    }

    /// Asks the agent to end and waits until it has.
    pub(crate) async fn stop(&mut self) {
        self.agent.stop().await;
    }

    /// Sends a signal to the running agent.
    pub(crate) fn signal(&self, name: &str) {
        self.agent.signal(name);
    }

    /// Everything that the agent has logged.
    pub(crate) fn log(&self) -> String {
        self.agent.log()
    }

    /// Status and body of a page; nothing while nobody answers.
    pub(crate) async fn get(&self, path: &str) -> Option<(u16, String)> {
        self.agent.get(path).await
    }

    /// The answer to a request with these headers and no credentials but those among them.
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> reqwest::Response {
        self.agent.ask(method, path, headers).await
    }

    /// Posts JSON to the API and gives back the status.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> u16 {
        self.agent.post(path, body).await
    }

    /// Has every check of a project run.
    pub(crate) async fn look_again(&self, project: &str) {
        let status = self.post(&format!("/api/v1/projects/{project}/run"), &Value::Null).await;
        assert!((200..300).contains(&status), "{status}");
    }

    /// Has these checks of a project run.
    #[allow(dead_code, reason = "not every test needs each kind of look")]
    pub(crate) async fn look_again_at(&self, project: &str, checks: &BTreeSet<&str>) {
        for check in checks {
            let path = format!("/api/v1/projects/{project}/run?check={check}");
            let status = self.post(&path, &Value::Null).await;
            assert!((200..300).contains(&status), "{check}: {status}");
        }
    }

    /// Takes away what checks carry from look to look, so that they read everything again.
    pub(crate) async fn forget_what_was_read(&self, checks: &BTreeSet<&str>) {
        let file = self.folder.path().join("launchready.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
        let mut store = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
        for check in checks {
            sqlx::query("DELETE FROM carry WHERE job IN (SELECT id FROM job WHERE check_id = ?1)")
                .bind(*check)
                .execute(&mut store)
                .await
                .unwrap();
        }
        store.close().await.unwrap();
    }

    /// Waits until something is so.
    pub(crate) async fn wait_for(&self, what: &str, mut so: impl AsyncFnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !so(self).await {
            assert!(Instant::now() < end, "{what}: not within {PATIENCE:?}\n{}", self.tail());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The end of the log.
    pub(crate) fn tail(&self) -> String {
        self.agent.tail()
    }

    /// The store, for looking while the agent runs or after.
    pub(crate) async fn store(&self) -> Arc<dyn Store> {
        let config = fs::read_to_string(self.config()).unwrap();
        let config: toml::Table = toml::from_str(&config).unwrap();
        let address = config["agent"].get("store").and_then(toml::Value::as_str);
        let address = address.unwrap_or("sqlite:launchready.db");
        launchready::store::open(address, self.path()).await.unwrap()
    }

    /// The present time of the agent's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.agent.now()
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A table of a config, made where it is missing.
pub(crate) fn table<'t>(config: &'t mut toml::Table, path: &[&str]) -> &'t mut toml::Table {
    let mut at = config;
    for name in path {
        let entry = at.entry(*name).or_insert_with(|| toml::Table::new().into());
        at = entry.as_table_mut().unwrap();
    }
    at
}

/// Leaves only these checks on, each as often as given.
pub(crate) fn only(config: &mut toml::Table, checks: &[(&str, &str)]) {
    for plugin in launchready_checks::registry::ALL {
        let id = plugin.meta.id;
        let table = table(config, &["checks", id]);
        match checks.iter().find(|(wanted, _)| *wanted == id) {
            Some((_, every)) => table.insert("every".to_owned(), (*every).into()),
            None => table.insert("enabled".to_owned(), false.into()),
        };
    }
}

/// The first project of a config.
pub(crate) fn project(config: &mut toml::Table) -> &mut toml::Table {
    config["project"].as_array_mut().unwrap()[0].as_table_mut().unwrap()
}

/// Has the first project promise that a job calls with [`JOB_TOKEN`], so often and with so much grace.
pub(crate) fn promise(config: &mut toml::Table, every: &str, grace: &str) {
    let promise = format!(
        "name = \"nightly-backup\"\ntoken = {{ file = \"job-token\" }}\nevery = \"{every}\"\ngrace = \"{grace}\""
    );
    let promise: toml::Table = toml::from_str(&promise).unwrap();
    project(config).insert("heartbeat".to_owned(), vec![promise].into());
}
