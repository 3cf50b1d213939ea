//! The hand-written list of findings and the defects agree by name.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "it serves other tests too")]
#[path = "../../tests/support/planted.rs"]
mod planted;

use std::collections::BTreeSet;

use launchready_checks::registry;
use launchready_lab::World;
use planted::planted;

#[test]
fn every_defect_stands_in_the_list_and_nothing_else_does() {
    let list = planted();
    let listed: BTreeSet<&str> = list.iter().map(|entry| entry.defect.as_str()).collect();
    assert_eq!(listed.len(), list.len(), "a defect stands there twice");
    let world = World::load("healthy").unwrap();
    let known: BTreeSet<&str> = world.defects().iter().map(|d| d.name.as_str()).collect();
    assert_eq!(listed, known);
}

#[test]
fn no_two_defects_cause_the_same_finding() {
    let mut seen = BTreeSet::new();
    for entry in planted() {
        // One defect may be found several times where its subjects are known by their beginning only.
        let own: BTreeSet<_> = entry.findings.into_iter().collect();
        for finding in own {
            let key = (finding.code, finding.subject);
            assert!(!seen.contains(&key), "{}: {key:?}", entry.defect);
            seen.insert(key);
        }
    }
}

#[test]
fn every_code_is_one_of_its_check() {
    for finding in planted().iter().flat_map(|entry| &entry.findings) {
        // A check that is not in the registry cannot be asked for its codes.
        let Some(plugin) = registry::find(&finding.check) else { continue };
        let codes: Vec<&str> = plugin.meta.findings.iter().map(|spec| spec.code).collect();
        assert!(codes.contains(&finding.code.as_str()), "{} {}", finding.check, finding.code);
        assert!(["critical", "warning", "info"].contains(&finding.severity.as_str()));
    }
}
