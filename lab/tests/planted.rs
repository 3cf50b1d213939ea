//! The hand-written list of findings and the defects agree by name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use launchready_checks::registry;
use launchready_lab::World;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    planted: Vec<Planted>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Planted {
    defect: String,
    findings: Vec<Expected>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    check: String,
    code: String,
    severity: String,
    subject: String,
}

fn list() -> List {
    toml::from_str(include_str!("../planted.toml")).unwrap()
}

#[test]
fn every_defect_stands_in_the_list_and_nothing_else_does() {
    let list = list();
    let listed: BTreeSet<&str> = list.planted.iter().map(|p| p.defect.as_str()).collect();
    assert_eq!(listed.len(), list.planted.len(), "a defect stands there twice");
    let world = World::load("healthy").unwrap();
    let known: BTreeSet<&str> = world.defects().iter().map(|d| d.name.as_str()).collect();
    assert_eq!(listed, known);
}

#[test]
fn no_two_defects_cause_the_same_finding() {
    let list = list();
    let mut seen = BTreeSet::new();
    for finding in list.planted.iter().flat_map(|planted| &planted.findings) {
        assert!(
            seen.insert((&finding.code, &finding.subject)),
            "{} {} {}",
            finding.check,
            finding.code,
            finding.subject
        );
    }
}

#[test]
fn every_code_is_one_of_its_check() {
    for finding in list().planted.iter().flat_map(|planted| &planted.findings) {
        // A check that is not in the registry cannot be asked for its codes.
        let Some(plugin) = registry::find(&finding.check) else { continue };
        let codes: Vec<&str> = plugin.meta.findings.iter().map(|spec| spec.code).collect();
        assert!(codes.contains(&finding.code.as_str()), "{} {}", finding.check, finding.code);
        assert!(["critical", "warning", "info"].contains(&finding.severity.as_str()));
    }
}
