//! A job that has promised to call: its silence and its failures reach a mailbox, and its next call ends them.

use std::process::Command;

use launchready::incident::{ChangeKind, Incident, State};
use launchready::store::{IncidentFilter, Store};
use launchready_checks::contract::Status;
use launchready_lab::World;

use crate::rig::{JOB_TOKEN, PATIENCE, Rig, Setup, only, promise};

async fn rig(speed: f64, edit: &dyn Fn(&mut toml::Table)) -> Rig {
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed, edit }).await;
    rig.start_ready().await;
    rig
}

async fn call(rig: &Rig, end: &str) {
    let answer = rig.ask("POST", &format!("/heartbeat/{JOB_TOKEN}{end}"), &[]).await;
    assert_eq!(answer.status(), 200, "{end}: {}", rig.tail());
}

async fn open(store: &dyn Store, code: &str) -> Option<Incident> {
    let all = store.incidents(&IncidentFilter::default()).await.unwrap();
    all.into_iter().find(|incident| incident.key.code == code)
}

async fn is_over(store: &dyn Store, id: &str) -> bool {
    let record = store.incident(id).await.unwrap().unwrap();
    record.incident.state == State::Resolved
}

/// Waits for a mail that holds all of these words, whatever the lines.
async fn mail(rig: &Rig, words: &[&str]) {
    let text = |mail: &launchready_lab::Mail| {
        let text = mail.text.as_deref().unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
    };
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let found = rig.mailbox.wait_for(
        |mails| {
            mails.iter().any(|mail| words.iter().all(|word| text(mail).contains(word.as_str())))
        },
        PATIENCE,
    );
    assert!(found.await.is_some(), "no mail with {words:?}: {}", rig.tail());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_stops_calling_is_told_and_its_next_call_ends_it() {
    let edit = |config: &mut toml::Table| {
        only(config, &[("ops-heartbeat", "1m")]);
        promise(config, "30m", "5m");
    };
    let mut rig = rig(120.0, &edit).await;
    let store = rig.store().await;
    call(&rig, "/start").await;
    call(&rig, "").await;
    rig.wait_for("the agent has judged the call", async |_: &Rig| {
        let latest = store.latest(Some("harbor")).await.unwrap();
        latest.iter().any(|run| {
            run.status == Status::Pass
                && run.assessment.measurements.iter().any(|it| it.name == "up" && it.value > 0.5)
        })
    })
    .await;
    let metrics = rig.get("/metrics").await.unwrap().1;
    for series in
        ["launchready_heartbeat_up", "launchready_heartbeat_last_success_timestamp_seconds"]
    {
        let series = format!("{series}{{project=\"harbor\",heartbeat=\"nightly-backup\"}} ");
        assert!(metrics.contains(&series), "{series}: {metrics}");
    }
    rig.wait_for("the silence is an incident", async |_: &Rig| {
        open(&*store, "heartbeat-missing").await.is_some()
    })
    .await;
    let incident = open(&*store, "heartbeat-missing").await.unwrap();
    mail(&rig, &["nightly-backup had to call by", "did not; its last one came at"]).await;
    call(&rig, "").await;
    rig.wait_for("the call ends it", async |_: &Rig| is_over(&*store, &incident.id).await).await;
    mail(&rig, &[&incident.title, "resolved"]).await;
    let record = store.incident(&incident.id).await.unwrap().unwrap();
    let count = |kind| record.changes.iter().filter(|change| change.kind == kind).count();
    assert_eq!((count(ChangeKind::Opened), count(ChangeKind::Resolved)), (1, 1), "{record:?}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reported_failure_is_looked_at_at_once_and_so_is_the_end_of_it() {
    // The check looks once a month by itself: what happens here, happens because of the calls.
    let edit = |config: &mut toml::Table| {
        only(config, &[("ops-heartbeat", "30d")]);
        promise(config, "24h", "1h");
    };
    let mut rig = rig(30.0, &edit).await;
    let store = rig.store().await;
    rig.wait_for("the first look is over", async |_: &Rig| {
        let latest = store.latest(Some("harbor")).await.unwrap();
        latest.iter().any(|run| run.at.is_some())
    })
    .await;
    call(&rig, "/7").await;
    rig.wait_for("the failure is an incident", async |_: &Rig| {
        open(&*store, "heartbeat-failed").await.is_some()
    })
    .await;
    let incident = open(&*store, "heartbeat-failed").await.unwrap();
    mail(&rig, &["nightly-backup reported at", "that it failed with the exit code 7"]).await;

    // The command of the message asks what the agent remembers, and so does an audit.
    let look = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
        command.args(words).arg("--config").arg(rig.config()).output().unwrap()
    };
    let said = look(&["check", "ops-heartbeat", "--nagios"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert_eq!(said.status.code(), Some(2), "{text} {}", String::from_utf8_lossy(&said.stderr));
    assert!(text.contains("exit code 7"), "{text}");
    let audit = look(&["audit", "--only", "ops-heartbeat", "--format", "json", "--quiet"]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(audit.contains("heartbeat-failed"), "{audit}");

    call(&rig, "/0").await;
    rig.wait_for("the good end closes it", async |_: &Rig| is_over(&*store, &incident.id).await)
        .await;
    mail(&rig, &[&incident.title, "resolved"]).await;
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_that_was_never_heard_is_a_warning_once_its_call_was_due() {
    let edit = |config: &mut toml::Table| {
        only(config, &[("ops-heartbeat", "1m")]);
        promise(config, "10m", "1m");
    };
    let mut rig = rig(120.0, &edit).await;
    let store = rig.store().await;
    rig.wait_for("nobody has called", async |_: &Rig| {
        open(&*store, "heartbeat-unheard").await.is_some()
    })
    .await;
    let incident = open(&*store, "heartbeat-unheard").await.unwrap();
    assert_eq!(incident.severity.as_str(), "warning");
    mail(&rig, &["nightly-backup has never called", "/heartbeat/TOKEN"]).await;
    call(&rig, "/start").await;
    call(&rig, "").await;
    rig.wait_for("the first call ends it", async |_: &Rig| is_over(&*store, &incident.id).await)
        .await;
    rig.stop().await;
}

#[test]
fn an_audit_without_an_agent_skips_the_calls_and_says_what_unlocks_them() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("launchready.toml");
    let text = "[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n[[project.heartbeat]]\n\
                name = \"nightly-backup\"\ntoken = { env = \"T\" }\nevery = \"24h\"\n";
    std::fs::write(&config, text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    let said = command.args(["check", "ops-heartbeat", "--config"]).arg(&config).output().unwrap();
    let text =
        String::from_utf8_lossy(&said.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(said.status.code(), Some(0), "{text}");
    assert!(text.contains("no agent has listened") && text.contains("launchready agent"), "{text}");
    assert!(!folder.path().join("launchready.db").exists(), "an audit makes no store");
}
