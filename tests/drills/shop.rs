//! A shop whose handler is drilled: the lab for the domain and its proof, PostgreSQL for the orders, and a
//! config that names both.

use std::process::{Command, Stdio};
use std::time::Duration;

use jiff::Timestamp;
use launchready::clock::{Clock as _, SystemClock};
use launchready_lab::{Lab, LabOptions, World};
use serde_json::Value;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Row as _};
use tempfile::TempDir;
use toml::Table;

use crate::cluster::{Cluster, url_at};
use crate::handler::{Fault, Handler, SECRET, TABLES};

/// The user that takes rows back.
const UNDOER: &str = "undoer";

/// What a drill said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    err: String,
}

impl Said {
    /// What a program printed, and how it ended.
    pub(crate) fn of(output: std::process::Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// The record, where it was asked for as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.err))
    }

    /// The state of the step whose text begins so.
    pub(crate) fn step(&self, start: &str) -> (String, String) {
        let record = self.json();
        let steps = record["steps"].as_array().unwrap().clone();
        let step = steps.iter().find(|step| step["what"].as_str().unwrap().starts_with(start));
        let step = step.unwrap_or_else(|| panic!("no step {start}: {record:#}"));
        let text = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
        (text("state"), format!("{} {}", text("saw"), text("fix")))
    }
}

/// What the shops of one test share: the lab, which knows the domain, and a server of PostgreSQL.
pub(crate) struct Street {
    lab: Lab,
    folder: TempDir,
    cluster: Cluster,
}

impl Street {
    /// Starts both; `None` where PostgreSQL is not installed.
    pub(crate) async fn open(test: &str) -> Option<Self> {
        let cluster = Cluster::start(test, &["max_connections=90"]).await?;
        cluster.sql(&format!("create role {UNDOER} login password 'undo'")).await;
        let folder = tempfile::tempdir().unwrap();
        let options = LabOptions {
            now: Timestamp::from_second(SystemClock.now().as_second()).unwrap(),
            delay: Duration::ZERO,
            speed: 1.0,
            dir: folder.path().to_owned(),
        };
        let lab = Lab::start(&World::load("healthy").unwrap(), options).await.unwrap();
        Some(Self { lab, folder, cluster })
    }

    /// A shop with a database of its own, whose handler has a fault.
    pub(crate) async fn shop(&self, fault: Fault) -> Shop {
        let database = format!("shop_{fault:?}").to_lowercase();
        self.cluster.sql_in("postgres", &format!("create database {database}")).await;
        let owner = PgConnectOptions::new()
            .host("127.0.0.1")
            .port(self.cluster.address.port())
            .username("owner")
            .database(&database);
        let pool = PgPoolOptions::new().max_connections(6).connect_with(owner).await.unwrap();
        let grants = format!(
            "{TABLES} grant select on all tables in schema public to looker;
             grant select, delete on all tables in schema public to {UNDOER}"
        );
        sqlx::raw_sql(AssertSqlSafe(grants)).execute(&pool).await.unwrap();
        let handler = Handler::start(pool.clone(), fault).await;
        let folder = tempfile::tempdir().unwrap();
        let mut config: Table = self.lab.config_toml().parse().unwrap();
        let project = config["project"].as_array_mut().unwrap()[0].as_table_mut().unwrap();
        for account in ["stripe", "supabase", "crm", "support", "automation", "edge", "hosting"] {
            project.remove(account);
        }
        let own = format!(
            "[database]\nurl = {{ file = \"looker\" }}\n\
             [database.orders]\ntable = \"orders\"\n[database.events]\ntable = \"stripe_events\"\n\
             [database.crm_sync]\ntable = \"crm_sync_log\"\n\
             [drill]\nwebhook = \"http://{}/stripe\"\nwebhook_secret = {{ file = \"whsec\" }}\n\
             undo_database = {{ file = \"undoer\" }}\namount = 4900\nsettle = \"10s\"\n[source]\npath = \"src\"\n",
            handler.address
        );
        for (key, value) in own.parse::<Table>().unwrap() {
            project.insert(key, value);
        }
        let address = self.cluster.address;
        for (name, text) in [
            ("looker", url_at(address, &database)),
            ("undoer", format!("postgres://{UNDOER}:undo@{address}/{database}")),
            ("whsec", SECRET.to_owned()),
        ] {
            std::fs::write(folder.path().join(name), text).unwrap();
        }
        let source = folder.path().join("src");
        std::fs::create_dir(&source).unwrap();
        std::fs::write(source.join("main.ts"), "export const shop = \"harbor\";\n").unwrap();
        let shop = Shop { pool, folder, config, _handler: handler };
        shop.edit(|_| {});
        shop
    }

    /// Ends it.
    pub(crate) async fn close(self) {
        self.lab.stop().await;
        drop(self.folder);
    }
}

/// A shop.
pub(crate) struct Shop {
    pool: PgPool,
    folder: TempDir,
    config: Table,
    _handler: Handler,
}

impl Shop {
    /// Writes the config with changes to its project.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Table)) {
        let mut config = self.config.clone();
        change(config["project"].as_array_mut().unwrap()[0].as_table_mut().unwrap());
        std::fs::write(self.folder.path().join("launchready.toml"), config.to_string()).unwrap();
    }

    /// Types a command.
    pub(crate) async fn say(&self, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
        command.current_dir(self.folder.path()).arg("--quiet").args(words).stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        Said::of(output)
    }

    /// Changes the database as its owner.
    pub(crate) async fn sql(&self, sql: &str) {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&self.pool).await.unwrap();
    }

    /// How many rows there are in all tables.
    pub(crate) async fn rows(&self) -> i64 {
        let count = "select (select count(*) from orders) + (select count(*) from crm_sync_log) + \
                     (select count(*) from stripe_events)";
        sqlx::query(count).fetch_one(&self.pool).await.unwrap().get(0)
    }
}
