//! Outages, and whether all that an agent has promised to tell of them was told once.

use std::collections::{BTreeMap, BTreeSet};

use launchready::incident::{ChangeKind, State};
use launchready::store::{DeliveryState, IncidentFilter, Store};
use launchready_lab::SinkKind;
use toml::Value;

use crate::rig::{Rig, only, project, table};

/// Outages, each with the address that it takes away.
pub(crate) const OUTAGES: [(&str, &str); 3] = [
    ("app-down", "https://app.harbor.example/"),
    ("site-down", "https://harbor.example/"),
    ("help-certificate-garbage", "https://docs.harbor.example/"),
];

/// A small generator: the same instants on each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    /// A number below this one.
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
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

    /// How many changes came.
    pub(crate) fn changes(&self) -> usize {
        self.names.len()
    }

    /// How many webhooks came.
    pub(crate) fn webhooks(&self) -> usize {
        self.repeats.values().sum()
    }

    /// Compares with what the store has recorded; gives back how many changes were told.
    pub(crate) async fn compare(&self, store: &dyn Store) -> usize {
        let states = vec![State::Open, State::Acknowledged, State::Resolved];
        let filter = IncidentFilter { states, limit: 10_000, ..IncidentFilter::default() };
        let silences = store.silences(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let mut told = 0;
        let mut known = BTreeSet::new();
        for incident in store.incidents(&filter).await.unwrap() {
            let record = store.incident(&incident.id).await.unwrap().unwrap();
            for change in record.changes {
                known.insert(change.id);
                let Some(notification) = change.notification else {
                    // Whatever opens and ends is told, unless the project is silenced.
                    let (kind, project) = (change.kind, &incident.key.project);
                    let is_turn = matches!(kind, ChangeKind::Opened | ChangeKind::Resolved);
                    let is_silent = silences.iter().any(|it| it.project.as_ref() == Some(project));
                    assert!(
                        !is_turn || is_silent,
                        "change {} ({kind:?}) was promised to nobody",
                        change.id
                    );
                    continue;
                };
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
        let unknown: Vec<_> = self.names.keys().filter(|id| !known.contains(id)).collect();
        assert!(unknown.is_empty(), "the store no longer knows what was told: {unknown:?}");
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
