//! Active probes run only where DNS holds the record that belongs to the domain and the token of the config.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::process::Command;
use std::time::Duration;

use launchready::clock::{Clock as _, SystemClock};
use launchready_checks::contract::OwnershipRecord;
use launchready_lab::{Lab, LabOptions, World};
use serde_json::Value;
use toml::Table;

const DOMAIN: &str = "harbor.example";

/// The token of the lab's config.
fn token(config: &str) -> String {
    let config: Table = config.parse().unwrap();
    config["project"][0]["ownership"].as_str().unwrap().to_owned()
}

/// What an active check says while `_launchready` holds this text.
async fn looked(lab: &Lab, folder: &std::path::Path, text: Option<&str>) -> Value {
    let record = text.map_or_else(String::new, |text| {
        format!("\"records+\" = ['_launchready 300 TXT \"{text}\"']\n")
    });
    let change =
        format!("[zone.\"harbor.example\"]\n\"records-\" = ['_launchready TXT']\n{record}");
    let world = World::load("healthy").unwrap().changed(&change).unwrap();
    lab.replace(&world).await.unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    command.args(["check", "web-rate-limits", "--format", "json", "--quiet"]).current_dir(folder);
    let said = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    serde_json::from_slice(&said.stdout).unwrap_or_else(|error| panic!("{error}: {said:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hash_proves_and_neither_the_token_nor_the_hash_of_another_domain_does() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    let options = LabOptions { now: SystemClock.now(), delay: Duration::ZERO, speed: 1.0, dir };
    let lab = Lab::start(&World::load("healthy").unwrap(), options).await.unwrap();
    let config = lab.config_toml();
    std::fs::write(folder.path().join("launchready.toml"), &config).unwrap();
    let token = token(&config);
    let record = OwnershipRecord::new(DOMAIN, &token);
    let at = folder.path();

    let right = looked(&lab, at, Some(&record.text)).await;
    assert_eq!(right["status"], "pass", "{right:#}");

    let other = OwnershipRecord::new("cove.example", &token).text;
    for (text, why) in [
        (Some(token.as_str()), "holds the token itself"),
        (Some(other.as_str()), "is not the one that belongs to this domain"),
        (None, "ownership of harbor.example is not proven"),
    ] {
        let refused = looked(&lab, at, text).await;
        assert_eq!(refused["status"], "skipped", "{text:?}: {refused:#}");
        assert!(refused["reason"].as_str().unwrap().contains(why), "{refused:#}");
        let unlock = refused["unlock"].as_str().unwrap();
        assert!(unlock.contains(&record.name) && unlock.contains(&record.text), "{refused:#}");
        assert!(!refused.to_string().contains(&token), "what is told does not hold the token");
    }
    lab.stop().await;

    // The same record is printed wherever the config is checked.
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready"));
    let said = command.args(["config", "check"]).current_dir(at).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains(&record.to_string()) && !said.contains(&token), "{said}");
}

#[test]
fn the_record_of_the_lab_is_the_one_that_belongs_to_its_token() {
    let source = include_str!("../lab/scenarios/healthy.toml");
    let value = |key: &str| source.split_once(key).unwrap().1.split('"').next().unwrap().to_owned();
    let record = OwnershipRecord::new(DOMAIN, &value("ownership = \""));
    assert_eq!(value("'_launchready 300 TXT \""), record.text);
}

#[test]
fn a_token_that_can_be_guessed_is_refused() {
    let config = |token: &str| {
        format!("[[project]]\nname = \"a\"\ndomain = \"shop.example\"\nownership = \"{token}\"\n")
    };
    let here = std::path::Path::new(".");
    assert!(launchready::config::parse(&config("0123456789abcdef"), here).is_ok());
    for short in ["", "  ", "secret", "0123456789abcde "] {
        let error = launchready::config::parse(&config(short), here).unwrap_err().to_string();
        assert!(error.contains("line 4: project[0].ownership"), "{error}");
        assert!(error.contains("openssl rand -hex 16"), "{error}");
        assert!(short.trim().is_empty() || !error.contains(short.trim()), "{error}");
    }
}
