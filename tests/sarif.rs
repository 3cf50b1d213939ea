//! SARIF as its consumers want it: valid by the published schema, with a rule for every result.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "support/sarif.rs"]
mod schema;

use launchready::report::{CheckReport, Report, to_sarif};
use launchready_checks::contract::Status;
use launchready_checks::registry;
use serde_json::Value;

fn sample() -> Report {
    serde_json::from_str(include_str!("fixtures/report/sample.json")).unwrap()
}

/// The sample with every check of the registry, as if each had passed.
fn with_registry() -> Report {
    let mut report = sample();
    report.checks.extend(registry::ALL.iter().map(|plugin| CheckReport {
        id: plugin.meta.id.to_owned(),
        title: plugin.meta.title.to_owned(),
        area: plugin.meta.area.as_str().to_owned(),
        target: report.domain.clone(),
        vantage: plugin.meta.vantage,
        status: Status::Pass,
        reason: None,
        unlock: None,
        duration_ms: 1,
        evidence_sha256: None,
        measurements: Vec::new(),
        not_checked: Vec::new(),
        findings: Vec::new(),
    }));
    report
}

#[test]
fn the_published_schema_accepts_it() {
    let Some(validator) = schema::validator() else { return };
    for report in [sample(), with_registry()] {
        let log: Value = serde_json::from_str(&to_sarif(&report)).unwrap();
        assert_eq!(schema::faults(&validator, &log), Vec::<String>::new());
        let mut broken = log;
        broken["runs"][0]["results"][0]["level"] = "critical".into();
        assert!(!validator.is_valid(&broken), "the schema refuses a level that is none");
    }
}

#[test]
fn every_code_has_one_rule_and_every_result_points_at_its_own() {
    let log: Value = serde_json::from_str(&to_sarif(&with_registry())).unwrap();
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let mut ids: Vec<_> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    for result in run["results"].as_array().unwrap() {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(rules[index]["id"], result["ruleId"]);
    }
    for spec in registry::ALL.iter().flat_map(|plugin| plugin.meta.findings) {
        assert!(ids.contains(&spec.code), "{} has a rule", spec.code);
    }
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "no rule stands twice");
}

#[test]
fn a_result_points_at_the_config_or_at_the_domain() {
    for (config, wanted) in [
        (None, "harbor.example"),
        (Some("./launchready.toml"), "launchready.toml"),
        (Some("our shops/a:b.toml"), "our%20shops/a%3Ab.toml"),
        (Some("/etc/launchready.toml"), "file:///etc/launchready.toml"),
    ] {
        let report = Report { config: config.map(str::to_owned), ..sample() };
        let log: Value = serde_json::from_str(&to_sarif(&report)).unwrap();
        let location = &log["runs"][0]["results"][0]["locations"][0];
        assert_eq!(location["physicalLocation"]["artifactLocation"]["uri"], wanted);
    }
}

#[test]
fn a_waived_finding_is_suppressed_and_what_was_not_seen_is_a_notification() {
    let log: Value = serde_json::from_str(&to_sarif(&sample())).unwrap();
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    let suppressed: Vec<_> = results
        .iter()
        .filter(|result| result.get("suppressions").is_some())
        .map(|result| result["ruleId"].as_str().unwrap())
        .collect();
    assert_eq!(suppressed, ["sample-markup"]);
    let notes = run["invocations"][0]["toolExecutionNotifications"].as_array().unwrap();
    let levels: Vec<_> = notes.iter().map(|note| note["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["error", "warning", "warning", "note"]);
}
