//! The page of the agent before our own checks, over https as strangers reach it.

use std::process::Command;

use launchready_lab::World;
use serde_json::Value;
use toml::Table;

use crate::front::{Front, HOST, behind};
use crate::rig::{Rig, Setup, table};
use crate::support::has;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_passes_our_own_checks_behind_nginx() {
    if !has("the_page_passes_our_own_checks_behind_nginx", &["nginx", "setpriv"]) {
        return;
    }
    let world = World::load("healthy").unwrap();
    let mut rig = Rig::new(Setup { world, speed: 1.0, edit: &behind }).await;
    rig.start_ready().await;
    let front = Front::start(rig.path(), rig.lab.authority(), rig.page);

    let mut config: Table = toml::from_str(&rig.lab.config_toml()).unwrap();
    let led = [(80, front.http), (443, front.https)].map(|(port, to)| {
        let mut rule = Table::new();
        rule.insert("from".to_owned(), format!("{HOST}:{port}").into());
        rule.insert("to".to_owned(), to.to_string().into());
        toml::Value::Table(rule)
    });
    table(&mut config, &["network"])["connect_to"].as_array_mut().unwrap().extend(led);
    let mut project = Table::new();
    project.insert("name".to_owned(), "watch".into());
    project.insert("domain".to_owned(), HOST.into());
    config.insert("project".to_owned(), vec![toml::Value::Table(project)].into());
    let file = rig.path().join("watch.toml");
    std::fs::write(&file, config.to_string()).unwrap();

    let output = Command::new(env!("CARGO_BIN_EXE_launchready"))
        .args(["audit", "--only", "web-headers,web-cors", "--format", "json", "--config"])
        .arg(&file)
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{errors}"));
    let checks = report["checks"].as_array().unwrap();
    assert_eq!(checks.len(), 2, "{report:#}");
    for check in checks {
        assert_eq!(check["status"], "pass", "{check:#}");
        let findings = check["findings"].as_array().unwrap().iter();
        let bad: Vec<_> = findings.filter(|finding| finding["severity"] != "info").collect();
        assert!(bad.is_empty(), "{bad:#?}");
    }
    rig.stop().await;
}
