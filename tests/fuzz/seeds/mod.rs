//! Writes the seeds of the corpora from the cases of `tests/fixtures`: what a case has answered, in the order in
//! which it was asked for. Run by `fuzz/seeds`.

mod handmade;
mod tape;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use launchready::engine::{Outcome, RunRecord};
use launchready_checks::contract::{History, Target};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::registry;
use launchready_checks::secrets::detector;
use serde::Deserialize;
use serde_json::Value;

use super::folder;
use tape::Tape;

/// The most bytes of the seeds of one target, and of one seed.
const SEEDS: usize = 120 * 1024;
const SEED: usize = 12 * 1024;

/// What of a case is needed here.
#[derive(Deserialize)]
struct Case {
    now: Timestamp,
    #[serde(default)]
    options: Value,
    target: Target,
    #[serde(default)]
    world: World,
}

/// Seeds by target and name.
#[derive(Default)]
pub(crate) struct Seeds(BTreeMap<String, BTreeMap<String, Vec<u8>>>);

impl Seeds {
    /// Adds a seed, unless it is too long or the target has enough.
    pub(crate) fn add(&mut self, target: &str, name: &str, data: impl Into<Vec<u8>>) {
        let seeds = self.0.entry(target.to_owned()).or_default();
        let data = data.into();
        let size: usize = seeds.values().map(Vec::len).sum();
        if data.len() <= SEED && size + data.len() <= SEEDS && !seeds.values().any(|d| *d == data) {
            seeds.insert(name.to_owned(), data);
        }
    }

    /// Writes them in the place of the earlier ones.
    pub(crate) fn write(self) {
        for (target, seeds) in self.0 {
            let corpus = folder().join("corpus").join(target);
            std::fs::create_dir_all(&corpus).unwrap();
            for old in std::fs::read_dir(&corpus).unwrap().map(|entry| entry.unwrap().path()) {
                if old.file_name().unwrap().to_str().unwrap().starts_with("seed-") {
                    std::fs::remove_file(old).unwrap();
                }
            }
            for (name, data) in seeds {
                std::fs::write(corpus.join(format!("seed-{name}")), data).unwrap();
            }
        }
    }
}

/// Cuts what looks like a key into two with a byte that the targets take out.
fn in_two(mut data: Vec<u8>) -> Vec<u8> {
    while let Some(found) = detector::scan(&data).first() {
        data.insert(found.start + 2, 0x1a);
    }
    data
}

/// The cases of a check, by name.
fn cases(id: &str) -> Vec<(String, Case)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(id);
    let mut cases: Vec<(String, Case)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .map(|path| {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, toml::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap())
        })
        .collect();
    cases.sort_by(|a, b| a.0.cmp(&b.0));
    cases
}

/// What a case has answered, and its evidence where it saw any.
async fn look(id: &str, case: &Case) -> (Arc<Tape>, Option<RunRecord>) {
    let probes = Replay::new(case.world.clone(), case.now).unwrap().probes();
    let (tape, probes) = Tape::around(probes);
    let plugin = registry::find(id).unwrap();
    let check = (plugin.build)(&case.options).unwrap();
    let looked = check.collect(case.now, None, &case.target, &probes).await.ok();
    let record = looked.map(|looked| RunRecord {
        id: id.to_owned(),
        evidence_version: plugin.meta.evidence_version,
        options: case.options.clone(),
        duration_ms: 12,
        outcome: Outcome::Looked { evidence: looked.evidence },
        baseline: None,
        previous: None,
        history: History::default(),
        carry: None,
    });
    (tape, record)
}

/// The checks whose answers go into a target of their own.
const OF_CHECKS: [(&str, &str); 16] = [
    ("spf", "mail-spf"),
    ("dkim", "mail-dkim"),
    ("dmarc", "mail-dmarc"),
    ("mta_sts", "mail-transport"),
    ("bundle", "secrets-bundle"),
    ("pages", "web-pages"),
    ("html", "secrets-bundle"),
    ("headers", "web-redirects"),
    ("headers", "web-headers"),
    ("headers", "web-cors"),
    ("headers", "web-caching"),
    ("headers", "web-edge"),
    ("headers", "web-uptime"),
    ("headers", "web-rate-limits"),
    ("headers", "secrets-files"),
    ("headers", "ops-deployment"),
];

#[tokio::test]
#[ignore = "it writes the seeds of fuzz/corpus; fuzz/seeds runs it"]
async fn write() {
    let mut seeds = Seeds::default();
    for (target, id) in OF_CHECKS {
        let nth =
            OF_CHECKS.iter().filter(|(other, _)| other == &target).position(|(_, i)| *i == id);
        for (name, case) in cases(id) {
            let (tape, _) = look(id, &case).await;
            let pages = tape.pages();
            let data = match target {
                "spf" | "dkim" | "dmarc" => tape.texts(),
                "mta_sts" => [tape.texts(), pages].join(&0x1e),
                "html" => tape.bodies(),
                "headers" => {
                    let letter = [b'a' + u8::try_from(nth.unwrap() + 2).unwrap()];
                    // 'c' is the first of the nine, because 99 is a multiple of nine.
                    [letter.as_slice(), &pages].concat()
                }
                _ => pages,
            };
            if !data.is_empty() {
                seeds.add(target, &format!("{id}-{name}"), in_two(data));
            }
        }
    }
    for plugin in registry::ALL {
        let id = plugin.meta.id;
        for (kept, (name, case)) in cases(id).into_iter().enumerate() {
            let (tape, Some(record)) = look(id, &case).await else { continue };
            drop(tape);
            // One that passes and one that does not are enough of each check.
            if kept < 2 || name == "pass" {
                let record = serde_json::to_vec(&record).unwrap();
                seeds.add("evidence", &format!("{id}-{name}"), [b"".to_vec(), record].join(&0x1e));
            }
        }
    }
    for (name, case) in cases("secrets-source") {
        let files = case.world.file.iter().map(|file| format!("{}\n{}", file.path, file.text));
        let files = files.collect::<Vec<_>>().join("\u{1e}").into_bytes();
        seeds.add("source_file", &name, in_two(files));
    }
    for (id, target) in [("external-command", "perfdata"), ("web-speed", "perfdata")] {
        for (name, case) in cases(id) {
            for (nth, entry) in case.world.command.iter().enumerate() {
                let said = format!("0{}\u{1e}{}", entry.stdout, entry.stderr);
                seeds.add(target, &format!("{id}-{name}-{nth}"), said);
            }
        }
    }
    for (name, case) in cases("external-http") {
        for entry in &case.world.http {
            let data = format!("$.queue.depth\u{1e}100\u{1e}{}", entry.body);
            seeds.add("json_answer", &name, data);
        }
    }
    handmade::add(&mut seeds);
    seeds.write();
}
