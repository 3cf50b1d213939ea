//! A long list of checkouts against as many orders: exact, in little memory, and later looks read what is new.
//!
//! `LAUNCHREADY_TEST_SESSIONS=1000000` makes it the full size.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::contract::{
    AccountFacts, AssessInput, Assessment, DynCheck, History, StripeFacts, Target,
};
use launchready_checks::probe::Probes;
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::registry;
use launchready_lab::{Lab, LabOptions, Sales, SalesPlan};
use tokio::process::Command;

use crate::cluster::Cluster;
use crate::counted::{CountedRows, Relay};

/// How many checkouts nobody ordered, orders stand twice, and orders belong to no checkout.
const MISSING: u64 = 500;
const DUPLICATED: u64 = 200;
const ORPHANS: u64 = MISSING - DUPLICATED;
/// All of our own that the comparison may need: the issue's bound of 53 MiB, less the pages of the program,
/// which a build for tests has many more of.
const OWN_KIB: u64 = 28 * 1024;
/// The bound of a program that is built to be used.
const ALL_KIB: u64 = 53 * 1024;

/// How many checkouts there are.
fn many() -> u64 {
    #[allow(clippy::disallowed_methods, reason = "a test reads its own setting")]
    let set = std::env::var("LAUNCHREADY_TEST_SESSIONS").ok().and_then(|text| text.parse().ok());
    set.unwrap_or(20_000)
}

/// A shop at a payment provider, and its database.
struct Shop {
    lab: Lab,
    cluster: Cluster,
    sales: Sales,
    folder: tempfile::TempDir,
    missing: BTreeSet<String>,
    duplicated: BTreeSet<String>,
    orphans: BTreeSet<String>,
}

impl Shop {
    async fn open(test: &str) -> Option<Self> {
        let cluster = Cluster::start(test, &["shared_buffers=128MB"]).await?;
        let folder = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let plan = SalesPlan { sessions: many(), days: 29, refund_each: 0, ..SalesPlan::default() };
        let sales = Sales { plan, start: now };
        let world = launchready_lab::World::from_toml(&tables(many())).unwrap();
        let dir = folder.path().to_owned();
        let lab = Lab::start(&world, LabOptions { now, delay: Duration::ZERO, speed: 1.0, dir });
        let lab = lab.await.unwrap();
        std::fs::write(folder.path().join("database.url"), cluster.url()).unwrap();
        let mut shop = Self {
            lab,
            cluster,
            sales,
            folder,
            missing: BTreeSet::new(),
            duplicated: BTreeSet::new(),
            orphans: BTreeSet::new(),
        };
        shop.order().await;
        Some(shop)
    }

    /// Writes the orders: one a sale but for the missing ones, some twice, and some of nobody.
    async fn order(&mut self) {
        let now = SystemClock.now();
        self.cluster
            .sql(
                "create table orders (id bigserial, stripe_session_id text, created_at timestamptz); \
                 grant select on orders to looker",
            )
            .await;
        // The newest are left alone: their orders may still be on their way.
        let step = many() * 9 / 10 / MISSING;
        let mut owner = self.cluster.owner(crate::cluster::DATABASE).await;
        let into = "copy orders (stripe_session_id, created_at) from stdin";
        let mut copy = owner.copy_in_raw(into).await.unwrap();
        let mut text = String::new();
        for number in 1..=many() {
            let sale = self.sales.sale(number, now);
            let (place, nth) = (number % step, number / step);
            if place == 1 && nth < MISSING {
                self.missing.insert(sale.session);
                continue;
            }
            writeln!(text, "{}\t{}", sale.session, sale.at).unwrap();
            if place == 2 && nth < DUPLICATED {
                writeln!(text, "{}\t{}", sale.session, sale.at).unwrap();
                self.duplicated.insert(sale.session);
            }
            if place == 3 && nth < ORPHANS {
                let nobody = format!("cs_live_nobody{nth}");
                writeln!(text, "{nobody}\t{}", sale.at).unwrap();
                self.orphans.insert(nobody);
            }
            if text.len() > 1_000_000 {
                copy.send(std::mem::take(&mut text).into_bytes()).await.unwrap();
            }
        }
        copy.send(text.into_bytes()).await.unwrap();
        assert_eq!(copy.finish().await.unwrap(), many());
        self.cluster.sql("create index on orders (stripe_session_id); analyze orders").await;
        assert_eq!(self.missing.len() as u64, MISSING);
    }

    /// The same checkouts as a file, one a line.
    fn file(&self) -> std::path::PathBuf {
        let path = self.folder.path().join("sessions.jsonl");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
        for number in 1..=many() {
            let sale = self.sales.sale(number, self.sales.start);
            let line = serde_json::json!({
                "id": sale.session, "object": "checkout.session", "created": sale.at.as_second(),
                "payment_status": "paid", "amount_total": sale.amount_minor, "currency": sale.currency,
                "client_reference_id": sale.reference, "payment_intent": sale.intent,
            });
            writeln!(file, "{line}").unwrap();
        }
        file.flush().unwrap();
        path
    }

    /// Every difference that the program prints, and the memory of its own and in all, in KiB.
    async fn differences(&self, more: &[&str]) -> (Vec<(String, String)>, (u64, u64)) {
        let config = self.folder.path().join("launchready.toml");
        std::fs::write(&config, self.lab.config_toml()).unwrap();
        let printed = self.folder.path().join("printed");
        let mut child = Command::new(env!("CARGO_BIN_EXE_launchready"))
            .args(["check", "orders-orphaned-checkouts", "--format", "jsonl", "--config"])
            .arg(&config)
            .args(more)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&printed).unwrap())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let status = format!("/proc/{}/status", child.id().unwrap());
        let (mut own, mut all) = (0, 0);
        // The memory is asked for until the program ends.
        while tokio::time::timeout(Duration::from_millis(5), child.wait()).await.is_err() {
            own = own.max(kib(Path::new(&status), "RssAnon:"));
            all = all.max(kib(Path::new(&status), "VmHWM:"));
        }
        let output = child.wait_with_output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        let printed = std::fs::read_to_string(&printed).unwrap();
        let line = |line: &str| {
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            let text = |key: &str| line[key].as_str().unwrap().to_owned();
            (text("difference"), text("checkout"))
        };
        let mut found: Vec<_> = printed.lines().map(line).collect();
        found.sort();
        (found, (own, all))
    }

    fn wanted(&self) -> Vec<(String, String)> {
        let of = |word: &'static str, ids: &BTreeSet<String>| {
            ids.iter().map(|id| (word.to_owned(), id.clone())).collect::<Vec<_>>()
        };
        let mut wanted = of("missing", &self.missing);
        wanted.extend(of("duplicated", &self.duplicated));
        wanted.extend(of("orphan", &self.orphans));
        wanted.sort();
        wanted
    }
}

/// A world with a payment provider that answers as often as it is asked.
fn tables(many: u64) -> String {
    format!(
        r#"
[project]
name = "harbor"
domain = "harbor.example"

[zone."."]
records = ['@ 86400 SOA a.root-servers.net. nstld.verisign-grs.com. 1 1800 900 604800 86400']

[name_server]

[resolver.only]

[project.stripe]
key = {{ file = "stripe.key" }}
api = "lab:stripe"

[project.database]
url = {{ file = "database.url" }}

[project.database.orders]
table = "orders"

[secret]
"stripe.key" = "{{{{stripe_restricted_key}}}}"

[api.stripe]
id = "acct_1HarborExample01"
sales = {{ days = 29, sessions = {many}, refund_each = 0 }}

[api.stripe.key.agent]
key = "{{{{stripe_restricted_key}}}}"
"#
    )
}

/// A line of what the system says about a process; nothing once it has ended.
fn kib(status: &Path, name: &str) -> u64 {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_difference_of_long_lists_is_found_in_little_memory() {
    let Some(shop) = Shop::open("orphans-at-scale").await else { return };
    let file = shop.file();
    for (what, more) in
        [("the provider", vec![]), ("a file", vec!["--sessions", file.to_str().unwrap()])]
    {
        let (found, (own, all)) = shop.differences(&more).await;
        println!("{} checkouts of {what}: {own} KiB of its own, {all} KiB in all", many());
        assert_eq!(found, shop.wanted(), "{what}");
        assert!(own > 0 && own < OWN_KIB, "{what}: {own} KiB");
        if !cfg!(debug_assertions) {
            assert!(all < ALL_KIB, "{what}: {all} KiB");
        }
    }
    shop.lab.stop().await;
}

/// A check that looks again and again.
struct Watched {
    check: Box<dyn DynCheck>,
    probes: Probes,
    carry: Option<serde_json::Value>,
}

impl Watched {
    async fn look(&mut self, now: Timestamp) -> Assessment {
        let target = Target {
            domain: "harbor.example".to_owned(),
            accounts: AccountFacts {
                stripe: Some(StripeFacts::default()),
                database: true,
                ..AccountFacts::default()
            },
            ..Target::default()
        };
        let looked = self.check.collect(now, self.carry.take(), &target, &self.probes).await;
        let looked = looked.unwrap();
        self.carry = Some(looked.carry);
        let history = History::default();
        let input =
            AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
        self.check.assess(&looked.evidence, &input).unwrap()
    }
}

fn orphaned(assessment: &Assessment) -> f64 {
    let mut all = assessment.measurements.iter();
    all.find(|measured| measured.name == "orphaned-checkouts").unwrap().value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn later_looks_at_a_long_list_ask_for_what_is_new_or_was_missing() {
    let Some(shop) = Shop::open("orphans-again").await else { return };
    let config = shop.lab.config_toml();
    let (relay, config) = Relay::before(&config).await;
    let accounts = crate::counted::ports(&config, shop.folder.path());
    let rows = CountedRows::new(accounts.database);
    let now = SystemClock.now();
    let mut probes = Replay::new(World::default(), now).unwrap().probes();
    probes.accounts.payments = accounts.payments;
    probes.accounts.database = rows.slot();
    let check =
        (registry::find("orders-orphaned-checkouts").unwrap().build)(&serde_json::Value::Null);
    let mut watched = Watched { check: check.unwrap(), probes, carry: None };

    let first = watched.look(now).await;
    assert!((orphaned(&first) - 500.0).abs() < f64::EPSILON, "{}", orphaned(&first));
    assert!(relay.take() >= many() / 100, "a hundred checkouts a page");
    assert_eq!(rows.take(), many());

    // What was paid in the two minutes before the last look is asked for again, in case clocks differ.
    let again = SignedDuration::from_mins(2);
    let sold = |number: &u64| shop.sales.second(*number) >= (now - again).as_second();
    let lately = (1..=many()).rev().take_while(sold).count() as u64;
    let next = now + SignedDuration::from_secs(30);
    let second = watched.look(next).await;
    assert!((orphaned(&second) - 500.0).abs() < f64::EPSILON, "{}", orphaned(&second));
    // Events since the last look and of the settle time, a hundred a page, and refunds.
    let pages = 4 + lately.div_ceil(100) * 4;
    let asked = relay.take();
    assert!(asked <= pages, "{asked} requests, of {pages} at most");
    assert!(rows.take() <= lately);

    // Three orders are written by hand.
    let mended: Vec<_> = shop.missing.iter().take(3).map(|id| format!("('{id}')")).collect();
    let insert = format!("insert into orders (stripe_session_id) values {}", mended.join(","));
    shop.cluster.sql(&insert).await;
    let third = watched.look(next + SignedDuration::from_secs(30)).await;
    assert!((orphaned(&third) - 497.0).abs() < f64::EPSILON, "{}", orphaned(&third));
    let (asked, read) = (relay.take(), rows.take());
    assert!(asked <= pages, "{asked} requests, of {pages} at most");
    assert!((3..=lately + 3).contains(&read), "{read} rows");
    shop.lab.stop().await;
}
