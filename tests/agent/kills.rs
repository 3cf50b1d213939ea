//! A crash at any instant loses no message, and says nothing under two names.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use launchready::incident::State;
use launchready::store::{DeliveryState, IncidentFilter, Store};
use launchready_lab::{MailFault, SinkFault, SinkKind, When, World};
use toml::Value;

use crate::rig::{Rig, Setup, only, project, table};

/// How often the process is killed.
const KILLS: usize = 200;

/// Outages, each with the address that it takes away.
const OUTAGES: [(&str, &str); 3] = [
    ("app-down", "https://app.harbor.example/"),
    ("site-down", "https://harbor.example/"),
    ("help-certificate-garbage", "https://docs.harbor.example/"),
];

/// A small generator: the same instants on each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        // The constants of Knuth's MMIX generator.
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// One project for each outage, so that each has incidents of its own.
pub(crate) fn one_project_each(config: &mut toml::Table) {
    only(config, &[("web-uptime", "30s")]);
    let options = table(config, &["checks", "web-uptime"]);
    options.insert("samples".to_owned(), 1.into());
    let defaults = table(config, &["defaults"]);
    defaults.insert("group_wait".to_owned(), "5s".into());
    defaults.insert("flap_turns".to_owned(), 1000.into());
    let pattern = project(config).clone();
    let projects = OUTAGES.iter().map(|(name, url)| {
        let mut project = pattern.clone();
        project.insert("name".to_owned(), (*name).into());
        let checks = table(&mut project, &["checks", "web-uptime"]);
        let mut endpoint = toml::Table::new();
        endpoint.insert("name".to_owned(), (*name).into());
        endpoint.insert("url".to_owned(), (*url).into());
        checks.insert("endpoints".to_owned(), vec![Value::Table(endpoint)].into());
        Value::Table(project)
    });
    let projects: Vec<Value> = projects.collect();
    config.insert("project".to_owned(), projects.into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_no_message_and_give_none_two_names() {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 60.0, edit: &one_project_each }).await;
    let half = |seed| When::Chance { share: 0.25, seed };
    rig.sinks.set_fault(SinkKind::Webhook, SinkFault::Status(503, None), half(1));
    rig.sinks.set_fault(SinkKind::Webhook, SinkFault::AnswerLost, half(2));
    rig.mailbox.set_fault(MailFault::Later, half(3));
    rig.mailbox.set_fault(MailFault::AcceptUnacknowledged, half(4));

    let mut dice = Dice(20_261_127);
    let mut heard = Heard::default();
    let mut down = BTreeSet::new();
    for _ in 0..KILLS {
        rig.start();
        let (name, _) = OUTAGES[usize::try_from(dice.roll(3)).unwrap()];
        if down.remove(name) {
            rig.lab.heal(name).await.unwrap();
        } else {
            rig.lab.plant(name).await.unwrap();
            down.insert(name);
        }
        // The instant of the kill is what is tried: it falls into start, look, commit, send or rest.
        tokio::time::sleep(Duration::from_millis(100 + dice.roll(900))).await;
        rig.kill();
        heard.listen(&rig);
    }

    for name in down {
        rig.lab.heal(name).await.unwrap();
    }
    rig.sinks.clear_faults();
    rig.mailbox.clear_faults();
    rig.start();
    rig.wait_for("everything is over and told", async |rig: &Rig| {
        let store = rig.store().await;
        let open = store.incidents(&IncidentFilter::default()).await.unwrap();
        let outbox = store.outbox().await.unwrap();
        open.is_empty() && outbox.iter().all(|count| count.state != DeliveryState::Pending)
    })
    .await;
    rig.stop().await;
    heard.listen(&rig);

    let store = rig.store().await;
    let told = heard.compare(&*store).await;
    println!(
        "{KILLS} kills: {told} changes told, {} webhooks",
        heard.repeats.values().sum::<usize>()
    );
    assert!(told >= 40, "too little happened to show anything: {told}");
    sound(&rig).await;
}

/// What the other side has taken.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// The webhook ids under which each change came.
    names: BTreeMap<i64, BTreeSet<String>>,
    /// The `Message-ID`s of all mail.
    mails: BTreeSet<String>,
    /// How often each webhook id came.
    repeats: BTreeMap<String, usize>,
    /// The changes that each webhook id told.
    told: BTreeMap<String, BTreeSet<i64>>,
}

impl Heard {
    /// Takes what has come since the last time.
    pub(crate) fn listen(&mut self, rig: &Rig) {
        for received in rig.sinks.received(SinkKind::Webhook) {
            let id = received.headers["webhook-id"].clone();
            let changes = changes(&received.json());
            for change in &changes {
                self.names.entry(*change).or_default().insert(id.clone());
            }
            let before = self.told.entry(id.clone()).or_insert_with(|| changes.clone());
            assert_eq!(*before, changes, "{id} is repeated with the same content");
            *self.repeats.entry(id).or_default() += 1;
        }
        self.mails.extend(rig.mailbox.mails().iter().filter_map(|mail| mail.message_id.clone()));
        rig.sinks.clear();
        rig.mailbox.clear();
    }

    /// Compares with what the store has recorded; gives back how many changes were told.
    pub(crate) async fn compare(&self, store: &dyn Store) -> usize {
        let states = vec![State::Open, State::Acknowledged, State::Resolved];
        let filter = IncidentFilter { states, limit: 10_000, ..IncidentFilter::default() };
        let mut told = 0;
        for incident in store.incidents(&filter).await.unwrap() {
            let record = store.incident(&incident.id).await.unwrap().unwrap();
            for change in record.changes {
                let Some(notification) = change.notification else { continue };
                told += 1;
                let names = self.names.get(&change.id).cloned().unwrap_or_default();
                assert_eq!(
                    names.len(),
                    1,
                    "change {} ({:?}) came as {names:?}",
                    change.id,
                    change.kind
                );
                assert!(
                    self.mails.iter().any(|id| id.starts_with(notification.as_str()))
                        || names.contains(&notification),
                    "change {} was promised as {notification}",
                    change.id
                );
            }
            for delivery in record.deliveries {
                assert_eq!(delivery.state, DeliveryState::Sent, "{delivery:?}");
                if delivery.channel == "founder" {
                    let mailed = self.mails.iter().any(|id| id.starts_with(&delivery.notification));
                    assert!(mailed, "{delivery:?} never reached the mailbox");
                }
            }
        }
        told
    }
}

/// The ids of the changes that a webhook tells.
fn changes(body: &serde_json::Value) -> BTreeSet<i64> {
    fn collect(value: &serde_json::Value, all: &mut BTreeSet<i64>) {
        match value {
            serde_json::Value::Object(map) => {
                all.extend(map.get("change_id").and_then(serde_json::Value::as_i64));
                map.values().for_each(|value| collect(value, all));
            }
            serde_json::Value::Array(list) => list.iter().for_each(|value| collect(value, all)),
            _ => {}
        }
    }
    let mut all = BTreeSet::new();
    collect(body, &mut all);
    all
}

/// The database itself has no fault.
pub(crate) async fn sound(rig: &Rig) {
    use sqlx::Connection as _;
    let path = rig.path().join("launchready.db");
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await.unwrap();
    let says: String =
        sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(says, "ok");
}
