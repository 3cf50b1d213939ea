//! The program starts a world, says where its config is, and ends when it is told to.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// Nothing here takes so long.
const LONG: Duration = Duration::from_mins(1);

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_launchready-lab"));
    command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

#[cfg(unix)]
#[tokio::test]
async fn it_serves_until_it_is_terminated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let arguments = ["serve", "--scenario", "broken", "--without", "noindex", "--dir", path];
    let mut running = program(&arguments).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let line = timeout(LONG, lines.next_line()).await.unwrap().unwrap().unwrap();
    let config = line.strip_prefix("ready ").unwrap();
    let text = std::fs::read_to_string(config).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    let root = config["network"]["extra_roots"][0].as_str().unwrap();
    assert!(std::fs::read_to_string(root).unwrap().contains("BEGIN CERTIFICATE"));
    let id = running.id().unwrap().to_string();
    assert!(Command::new("kill").arg(&id).status().await.unwrap().success());
    assert!(timeout(LONG, running.wait()).await.unwrap().unwrap().success());
}

#[cfg(unix)]
#[tokio::test]
async fn it_serves_a_crowd_until_it_is_terminated() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_str().unwrap();
    let mut running = program(&["crowd", "--projects", "12", "--dir", path]).spawn().unwrap();
    let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
    let line = timeout(LONG, lines.next_line()).await.unwrap().unwrap().unwrap();
    let text = std::fs::read_to_string(line.strip_prefix("ready ").unwrap()).unwrap();
    let config: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(config["project"].as_array().unwrap().len(), 12);
    let id = running.id().unwrap().to_string();
    assert!(Command::new("kill").arg(&id).status().await.unwrap().success());
    assert!(timeout(LONG, running.wait()).await.unwrap().unwrap().success());
}

#[tokio::test]
async fn it_lists_the_defects_and_refuses_what_it_does_not_know() {
    let listed = program(&["defects"]).output().await.unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    assert!(listed.lines().any(|line| line.starts_with("zone-transfer-open  ")));
    for (arguments, code, words) in [
        (&["serve", "--scenario", "perfect"][..], 1, "no scenario is called perfect"),
        (&["serve", "--with", "bad-luck"], 1, "no defect is called bad-luck"),
        (&["serve", "--delay", "soon"], 2, "write milliseconds"),
        (&["serve", "--dir"], 2, "--dir needs a value"),
        (&["crowd", "--projects", "0"], 2, "write 1 to 100000"),
        (&["crowd", "--every", "0s"], 2, "write seconds"),
        (&["crowd", "--checks", "mail-spif"], 1, "no check is called mail-spif"),
        (&[], 2, "no command"),
    ] {
        let refused = program(arguments).output().await.unwrap();
        assert_eq!(refused.status.code(), Some(code), "{arguments:?}");
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(words), "{said}");
    }
}
