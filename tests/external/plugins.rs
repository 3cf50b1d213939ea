//! Plugins of Debian's monitoring-plugins, through the check and through the command line.

use std::path::Path;
use std::process::Command;

use launchready_checks::registry;
use serde_json::Value;

use crate::servers;
use crate::support::has;
use crate::support::missing::{lacks, skipped};

const FOLDER: &str = "/usr/lib/nagios/plugins";

/// Whether the plugins are there; a run that requires everything fails without them.
fn are_there(test: &str, names: &[&str]) -> bool {
    let Some(missing) = names.iter().find(|name| !Path::new(FOLDER).join(name).is_file()) else {
        return true;
    };
    lacks(test, &format!("{missing} of monitoring-plugins is not installed"))
}

/// `launchready check external-command` with these questions: its exit code and its report.
fn check(questions: &str) -> (Option<i32>, Value) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("launchready.toml");
    let text = format!("[[project]]\nname = \"harbor\"\ndomain = \"harbor.example\"\n{questions}");
    std::fs::write(&path, text).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["check", "external-command", "--format", "json", "--config"])
        .arg(&path)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let report = serde_json::from_slice(&output.stdout);
    (output.status.code(), report.unwrap_or_else(|error| panic!("{error}: {errors}")))
}

fn question(name: &str, command: &[&str]) -> String {
    let mut words = command.to_vec();
    let path = format!("{FOLDER}/{}", words.remove(0));
    words.insert(0, &path);
    format!("[[project.checks.external-command.command]]\nname = {name:?}\ncommand = {words:?}\n")
}

fn measured(report: &Value, name: &str, subject: &str) -> f64 {
    let all = report["measurements"].as_array().unwrap();
    let found = all.iter().find(|one| one["name"] == name && one["subject"] == subject);
    found.unwrap_or_else(|| panic!("no {name} of {subject}: {report:#}"))["value"].as_f64().unwrap()
}

#[test]
fn plugins_of_debian_are_run_and_their_numbers_are_measured() {
    if !are_there("plugins", &["check_http", "check_disk", "check_dns"]) {
        return;
    }
    let port = servers::page("200 OK").port().to_string();
    let mut questions = question("site", &["check_http", "-I", "127.0.0.1", "-p", &port]);
    questions += &question("disk", &["check_disk", "-w", "0%", "-c", "0%", "-p", "/"]);
    // check_dns asks through it.
    let names = servers::names().filter(|_| has("check_dns", &["nslookup"]));
    if let Some(server) = names {
        let server = server.to_string();
        let words = ["check_dns", "-H", "www.harbor.example", "-s", &server, "-a", "192.0.2.7"];
        questions += &question("name", &words);
    } else {
        skipped("check_dns", "port 53 of the loopback cannot be opened by this user");
    }
    let (exit, report) = check(&questions);
    assert_eq!((exit, report["status"].as_str()), (Some(0), Some("pass")), "{report:#}");
    assert!(measured(&report, "value-seconds", "site:time") > 0.0);
    assert!(measured(&report, "value-bytes", "site:size") > 5.0);
    assert!(measured(&report, "value-bytes", "disk:/") > 0.0);
    for question in ["site", "disk"] {
        assert!(measured(&report, "state", question).abs() < f64::EPSILON);
        assert!(measured(&report, "duration", question) > 0.0);
    }
    if names.is_some() {
        assert!(measured(&report, "value-seconds", "name:time") >= 0.0);
    }
}

#[test]
fn what_plugins_complain_of_is_found() {
    if !are_there("plugins", &["check_http", "check_disk", "check_dns"]) {
        return;
    }
    let port = servers::page("500 Internal Server Error").port().to_string();
    let mut questions = question("site", &["check_http", "-I", "127.0.0.1", "-p", &port]);
    questions += "fix = \"Restart it.\"\n";
    questions += &question("disk", &["check_disk", "-w", "100%", "-c", "0%", "-p", "/"]);
    questions +=
        &question("lost", &["check_disk", "-w", "1%", "-c", "1%", "-p", "/no/such/folder"]);
    questions += "severity = \"warning\"\n";
    questions += &question("usage", &["check_http"]);
    let (exit, report) = check(&questions);
    assert_eq!((exit, report["status"].as_str()), (Some(1), Some("fail")), "{report:#}");
    let found: Vec<_> = report["findings"].as_array().unwrap().iter().collect();
    let codes: Vec<_> = found
        .iter()
        .map(|found| (found["code"].as_str().unwrap(), found["subject"].as_str().unwrap()))
        .collect();
    assert!(codes.contains(&("command-critical", "site")), "{report:#}");
    assert!(codes.contains(&("command-warning", "disk")), "{report:#}");
    let site = found.iter().find(|found| found["subject"] == "site").unwrap();
    assert_eq!(site["fix"], "Restart it.");
    assert!(site["summary"].as_str().unwrap().contains("500"), "{site:#}");
    // It knows no folder of that name in one version and calls it critical in another; never a pass.
    let told = report.to_string();
    assert!(told.contains("lost") && told.contains("/no/such/folder"), "{report:#}");
    let plugin = registry::find("external-command").unwrap();
    assert_eq!(report["id"], plugin.meta.id);
}

#[test]
fn without_questions_the_check_is_skipped_and_says_how_to_ask_one() {
    let (_, report) = check("");
    assert_eq!(report["status"], "skipped", "{report:#}");
    assert!(report.to_string().contains("project.checks.external-command.command"), "{report:#}");
}
