//! The alert drill through a real agent: what each channel did, what is remembered of it, and when it has to be
//! done again.

use std::process::{Command, Stdio};

use launchready_lab::{SinkFault, SinkKind, When, World};
use serde_json::Value;

use crate::rig::{Rig, Setup, table};
use crate::shop::Said;

/// Nothing looks by itself: what is told comes from the drill.
fn on_call(config: &mut toml::Table) {
    for plugin in launchready_checks::registry::ALL {
        table(config, &["checks", plugin.meta.id]).insert("enabled".to_owned(), false.into());
    }
}

async fn rig() -> Rig {
    let world = World::load("healthy").unwrap();
    Rig::new(Setup { world, speed: 1.0, edit: &on_call }).await
}

async fn say(rig: &Rig, words: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.current_dir(rig.path()).arg("--quiet").args(words).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    Said::of(output)
}

/// The codes that `ops-alerting` finds.
async fn found(rig: &Rig) -> Vec<String> {
    let said = say(rig, &["check", "ops-alerting", "--format", "json"]).await;
    let check: Value = said.json();
    assert_ne!(check["status"], "skipped", "{check:#}");
    let findings = check["findings"].as_array().unwrap();
    findings.iter().map(|one| one["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_channel_takes_the_drill_and_it_is_remembered() {
    let mut rig = rig().await;
    let said = say(&rig, &["drill", "alert"]).await;
    assert_eq!(said.code, Some(3), "{}", said.out);
    assert!(said.out.contains("no agent runs with this config"), "{}", said.out);

    rig.start_ready().await;
    let said = say(&rig, &["drill", "alert", "--json"]).await;
    assert_eq!(
        (said.code, &said.json()["outcome"]),
        (Some(0), &Value::from("passed")),
        "{}",
        said.out
    );
    let record = said.json();
    for (index, channel) in ["founder", "ops", "hook"].into_iter().enumerate() {
        assert_eq!(record["channels"][index]["channel"], channel);
        assert!(record["channels"][index]["accepted_after_ms"].as_u64().is_some(), "{record:#}");
        assert_eq!(said.step(&format!("the message reaches {channel}")).0, "held");
    }
    let mails = rig.mailbox.mails();
    assert_eq!(mails.len(), 1, "one letter");
    let subject = mails[0].header("Subject").unwrap();
    assert!(subject.contains("DRILL"), "{subject}");
    assert!(found(&rig).await.is_empty());
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_refuses_is_named_and_found() {
    let mut rig = rig().await;
    rig.sinks.set_fault(SinkKind::Slack, SinkFault::Status(410, None), When::Always);
    rig.start_ready().await;
    let said = say(&rig, &["drill", "alert", "--json"]).await;
    assert_eq!(said.code, Some(1), "{}", said.out);
    let (state, text) = said.step("the message reaches ops");
    assert_eq!(state, "broken", "{text}");
    assert!(text.contains("launchready notify test ops"), "{text}");
    assert_eq!(said.step("the message reaches founder").0, "held");
    assert_eq!(found(&rig).await, ["alert-drill-slow", "channel-never-delivered"]);
    rig.stop().await;
}
