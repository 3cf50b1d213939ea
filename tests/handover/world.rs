//! Audits of the lab, by the library and by the program.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use launchready::app::{Baseline, Plan, Session};
use launchready::clock::{Clock as _, SystemClock};
use launchready::config::parse;
use launchready::drill::{Drill, Record, new_mark};
use launchready::engine::{AuditRecord, Outcome, Silent};
use launchready_checks::registry;
use launchready_lab::{Lab, LabOptions, World};

/// What an audit of the healthy world sees, and what the next one sees with its DNS records approved and a drill of
/// the alerts passed.
pub(crate) async fn records() -> [AuditRecord; 2] {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    let options = LabOptions { now: SystemClock.now(), delay: Duration::ZERO, speed: 1.0, dir };
    let lab = Lab::start(&World::load("healthy").unwrap(), options).await.unwrap();
    let channel =
        "[[channel]]\nname = \"founder\"\nkind = \"alertmanager\"\nurl = \"http://127.0.0.1:1/\"\n";
    let text = format!("{}\n{channel}", lab.config_toml());
    let config = parse(&text, folder.path()).unwrap();
    let project = config.projects[0].clone();
    let mut session = Session::new(config.network.clone(), Arc::new(SystemClock)).unwrap();
    let look = async |session: &Session, baseline| {
        let plan = Plan {
            ids: registry::ALL.iter().map(|plugin| plugin.meta.id).collect(),
            time_limit: Duration::from_mins(2),
            baseline,
            recheck: "launchready check {id}".to_owned(),
            config: None,
            handover: None,
            checkouts: None,
        };
        session.audit(&project, &plan, &Silent).await.unwrap()
    };
    let first = look(&session, Baseline::new()).await;
    let drift = first.runs.iter().find(|run| run.id == "dns-drift").unwrap();
    let Outcome::Looked { evidence } = &drift.outcome else { panic!("{:?}", drift.outcome) };
    drilled(folder.path()).await;
    session.remember(&config.settings()).await.unwrap();
    let second = look(&session, [("dns-drift".to_owned(), evidence.clone())].into()).await;
    lab.stop().await;
    [first, second]
}

/// An agent has watched, and a drill of the alerts has passed.
async fn drilled(folder: &Path) {
    let now = SystemClock.now();
    let mut record = Record::begun(Drill::Alert, "harbor", &new_mark().unwrap(), now);
    record.outcome = launchready::drill::Outcome::Passed;
    let store = launchready::store::open("sqlite:launchready.db", folder).await.unwrap();
    launchready::store::note_listening(&*store, "127.0.0.1:9797 quay-1", now).await.unwrap();
    store.record_drill(&record.stored(true)).await.unwrap();
    store.close().await;
}

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the program.
pub(crate) fn say(folder: &Path, words: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.current_dir(folder).stdin(Stdio::null()).args(words);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// The report of a scenario in a form, as the program prints it.
pub(crate) fn report(scenario: &str, more: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let words = ["demo", "--once", "--quiet", "--scenario", scenario, "--time-limit", "2m"];
    let said = say(folder.path(), &[&words[..], more].concat());
    assert!(said.code == Some(0) || said.code == Some(1), "{}", said.err);
    said.out
}
