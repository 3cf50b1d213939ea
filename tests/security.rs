//! What SECURITY.md claims: each claim names a test that exists, and what no other test shows is shown here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says so when it is skipped"
)]

#[allow(dead_code, reason = "other tests need more of it")]
#[path = "support/postgres.rs"]
mod cluster;
#[path = "support/port.rs"]
mod port;
#[allow(dead_code, reason = "other tests run tools, too")]
#[path = "support/process.rs"]
mod process;
#[allow(dead_code, reason = "other tests need more of it")]
#[path = "support/rig.rs"]
mod rig;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use launchready_lab::{PEOPLE, World};
use serde_json::Value;
use sqlx::{Connection as _, Row as _};

use self::cluster::{Cluster, OWNER};
use self::rig::{Rig, Setup, table};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(file(name)).unwrap()
}

/// Where a test stands: `binary module::name`, where the binary is a file or folder of `tests`, or a crate
/// whose units are meant.
fn sources(named: &str) -> Vec<PathBuf> {
    let (binary, path) = named.split_once(' ').unwrap_or_else(|| panic!("{named}"));
    let modules: Vec<&str> = path.split("::").collect();
    let modules = &modules[..modules.len() - 1];
    let below = modules.join("/");
    let unit = |crate_: &str| {
        let folder = file(crate_).join("src");
        vec![
            folder.join(format!("{below}.rs")),
            folder.join(&below).join("mod.rs"),
            folder.join(&below).join("tests.rs"),
        ]
    };
    match binary {
        "launchready" => unit("."),
        "launchready-checks" => unit("checks"),
        "launchready-lab" => unit("lab"),
        _ if modules.is_empty() => {
            vec![file(&format!("tests/{binary}.rs")), file(&format!("tests/{binary}/main.rs"))]
        }
        _ => vec![file(&format!("tests/{binary}/{below}.rs"))],
    }
}

/// Whether a source holds a test of that name.
fn holds(source: &str, name: &str) -> bool {
    let mut is_test = false;
    source.lines().map(str::trim).any(|line| {
        let here = is_test
            && [format!("fn {name}("), format!("async fn {name}(")]
                .iter()
                .any(|start| line.starts_with(start));
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if line.contains("fn ") {
            is_test = false;
        }
        here
    })
}

#[test]
fn every_claim_names_a_test_that_exists() {
    let page = text("SECURITY.md");
    let model = page.split_once("\n## Threat model\n").unwrap().1;
    let mut sections = 0;
    let mut tests = 0;
    for section in model.split("\n### ").skip(1) {
        let claims: Vec<&str> = section.lines().filter(|line| line.starts_with("- ")).collect();
        assert!(claims.len() >= 3, "{section}");
        // Each says what can still be done, too.
        let rest =
            section.lines().skip(1).filter(|line| !line.is_empty() && !claims.contains(line));
        assert!(rest.count() >= 1, "{section}");
        for claim in claims {
            let named: Vec<&str> = claim
                .split("`test: ")
                .skip(1)
                .map(|rest| rest.split('`').next().unwrap())
                .collect();
            assert!(!named.is_empty(), "no test backs: {claim}");
            for test in named {
                let name = test.rsplit([' ', ':']).next().unwrap();
                let is_there = sources(test).iter().any(|source| {
                    std::fs::read_to_string(source).is_ok_and(|source| holds(&source, name))
                });
                assert!(is_there, "there is no test {test}, which is to back: {claim}");
                tests += 1;
            }
        }
        sections += 1;
    }
    assert!(sections >= 9 && tests > 45, "{sections} sections with {tests} tests");
}

#[test]
fn a_test_is_told_from_what_only_has_its_name() {
    let source = "#[test]\n// why\nfn one() {}\nfn two() {}\n#[tokio::test]\nasync fn three() {}\n";
    assert!(holds(source, "one") && holds(source, "three"));
    assert!(!holds(source, "two") && !holds(source, "on") && !holds(source, "four"));
}

/// How a check ended by a report; nothing where the report does not list it.
fn status<'r>(report: &'r Value, id: &str) -> Option<&'r str> {
    let checks = report["checks"].as_array();
    let check = checks.into_iter().flatten().find(|check| check["id"].as_str() == Some(id))?;
    check["status"].as_str()
}

/// Everything that a store holds, in every column of every table; what is packed is unpacked. The second
/// number says how much was.
async fn contents(file: &Path) -> (Vec<u8>, usize) {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file);
    let mut store = sqlx::sqlite::SqliteConnection::connect_with(&options).await.unwrap();
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut store).await.unwrap();
    let (mut bytes, mut packed) = (Vec::new(), 0);
    for table in tables {
        let all = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
        for row in sqlx::query(all).fetch_all(&mut store).await.unwrap() {
            for column in 0..row.len() {
                let value: Vec<u8> = row.try_get_unchecked(column).unwrap_or_default();
                packed += unpack(&value, &mut bytes);
            }
        }
    }
    (bytes, packed)
}

/// The same of a store on PostgreSQL.
async fn contents_of_server(cluster: &Cluster) -> (Vec<u8>, usize) {
    let mut store = cluster.owner(DATABASE).await;
    let columns = "SELECT table_name, column_name, data_type FROM information_schema.columns \
                   WHERE table_schema = 'launchready'";
    let (mut bytes, mut packed) = (Vec::new(), 0);
    for column in sqlx::query(columns).fetch_all(&mut store).await.unwrap() {
        let (table, name): (String, String) = (column.get(0), column.get(1));
        let value = match column.get(2) {
            "bytea" => format!("\"{name}\""),
            _ => format!("convert_to(\"{name}\"::text, 'UTF8')"),
        };
        let all =
            format!("SELECT {value} FROM launchready.\"{table}\" WHERE \"{name}\" IS NOT NULL");
        let all = sqlx::query_scalar(sqlx::AssertSqlSafe(all));
        let values: Vec<Vec<u8>> = all.fetch_all(&mut store).await.unwrap();
        packed += values.iter().map(|value| unpack(value, &mut bytes)).sum::<usize>();
    }
    (bytes, packed)
}

/// Adds a value, and what is packed in it; gives back how much that was.
fn unpack(value: &[u8], bytes: &mut Vec<u8>) -> usize {
    bytes.extend(value);
    let Some((1, rest)) = value.split_first() else { return 0 };
    let before = bytes.len();
    // What only begins like a packed body is no such body.
    let is_body = flate2::read::DeflateDecoder::new(rest).read_to_end(bytes).is_ok();
    if is_body { bytes.len() - before } else { 0 }
}

/// The files that a config names, and what is in them: every secret that it has.
fn secrets(rig: &Rig) -> BTreeMap<String, String> {
    let config = std::fs::read_to_string(rig.config()).unwrap();
    let files = std::fs::read_dir(rig.path()).unwrap().map(|entry| entry.unwrap());
    let named = files.filter_map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        let is_named = config.contains(&format!("file = \"{name}\""));
        let text = std::fs::read_to_string(entry.path()).ok().filter(|_| is_named)?;
        Some((name, text.trim().to_owned()))
    });
    let named: BTreeMap<String, String> = named.collect();
    // Those of the agent, of its channels, and of accounts.
    for name in ["page-password", "slack-url", "dead-man", "stripe.key", "zendesk.key", "n8n.key"] {
        assert!(named.contains_key(name), "{name}: {:?}", named.keys());
    }
    for (name, secret) in &named {
        assert!(secret.len() >= 8, "{name}");
    }
    named
}

/// Files of the config that hold no secret: browsers download the one, and the other leads to a file.
const NO_SECRETS: [&str; 2] = ["supabase-public.key", "database.url"];

/// The database of the store on PostgreSQL.
const DATABASE: &str = "watch";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_store_of_an_agent_holds_no_secret_and_nothing_of_people() {
    let rig = watched(&|_| {}).await;
    let file = rig.path().join("launchready.db");
    let (mut bytes, packed) = contents(&file).await;
    // What is free in the file, too.
    bytes.extend(std::fs::read(file).unwrap());
    holds_nothing(&rig, &bytes, packed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_does_the_database_that_agents_share() {
    let Some(cluster) = Cluster::start("nor_does_the_database", &[]) else { return };
    cluster.sql_in("postgres", &format!("create database {DATABASE}")).await;
    let store = format!("postgres://{OWNER}@{}/{DATABASE}?sslmode=disable", cluster.address);
    let rig = watched(&|config| {
        table(config, &["agent"]).insert("store".to_owned(), store.clone().into());
    })
    .await;
    let (bytes, packed) = contents_of_server(&cluster).await;
    holds_nothing(&rig, &bytes, packed);
}

/// An agent has looked at a product with people and a secret in its scripts, and has ended.
async fn watched(edit: &dyn Fn(&mut toml::Table)) -> Rig {
    let world = World::load("healthy").unwrap().with("stripe-key-in-bundle").unwrap();
    let mut rig = Rig::new(Setup { world: world.with_people(), speed: 30.0, edit }).await;
    rig.start_ready().await;
    let wanted = [
        ("stripe-deliveries", "pass"),
        ("support-backlog", "pass"),
        ("crm-sync", "pass"),
        ("secrets-bundle", "fail"),
    ];
    rig.wait_for("accounts and scripts have been read", async |rig: &Rig| {
        let said = rig.get("/api/v1/projects/harbor/report").await;
        let Some((200, said)) = said else { return false };
        let report: Value = serde_json::from_str(&said).unwrap();
        wanted.iter().all(|(id, end)| status(&report, id) == Some(end))
    })
    .await;
    rig.stop().await;
    rig
}

/// That a store of what was watched has something, and nothing of people and secrets.
fn holds_nothing(rig: &Rig, bytes: &[u8], packed: usize) {
    assert!(packed > 10_000, "only {packed} bytes were packed");
    let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    assert!(holds("support-backlog") && holds("harbor.example"));
    let mut secrets = secrets(rig);
    secrets.retain(|name, _| !NO_SECRETS.contains(&name.as_str()));
    secrets.insert("the scripts".to_owned(), launchready_lab::stripe_key_of_the_bundle());
    for (place, secret) in &secrets {
        assert!(!holds(secret), "the store holds the secret of {place}");
    }
    for (field, told) in PEOPLE.into_iter().chain([("email of a buyer", "@customers.example")]) {
        assert!(!holds(told), "the store holds {field}: {told}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_config_opens_nothing() {
    let world = World::load("healthy").unwrap();
    let rig = Rig::new(Setup { world, speed: 1.0, edit: &|_| {} }).await;
    let stolen = std::fs::read_to_string(rig.config()).unwrap();
    for (name, secret) in secrets(&rig) {
        assert!(!stolen.contains(&secret), "the config holds what is in {name}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("launchready.toml"), &stolen).unwrap();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
        command.args(arguments).current_dir(folder.path()).env_clear().output().unwrap()
    };
    // The agent does not start, and says which secrets it lacks.
    let said = run(&["agent"]);
    assert_eq!(said.status.code(), Some(2), "{said:?}");
    let told = String::from_utf8(said.stderr).unwrap();
    for name in ["smtp-password", "page-password", "slack-url", "webhook-key"] {
        assert!(told.contains(name), "{told}");
    }
    // An audit asks no account: each is one that is not looked at.
    let before = rig.lab.asked();
    let said = run(&["audit", "--quiet", "--format", "json", "--time-limit", "1m"]);
    assert!(matches!(said.status.code(), Some(0 | 1)), "{said:?}");
    let report: Value = serde_json::from_slice(&said.stdout).unwrap();
    for id in ["stripe-deliveries", "support-backlog", "crm-sync"] {
        let status = status(&report, id);
        assert!(status.is_some_and(|status| status != "pass"), "{id} has ended as {status:?}");
    }
    let asked = |of: &BTreeMap<String, launchready_lab::Asked>| -> usize {
        of.values().map(|api| api.questions.len()).sum()
    };
    assert_eq!(asked(&rig.lab.asked()), asked(&before), "an account was asked");
}
