//! Runs every case under `tests/fixtures/<id>/` against the check of that id.
//!
//! A case is a TOML file: the time, the declared facts, a written-down world, and by hand the codes
//! that must come out. The whole assessment is also kept as a snapshot.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use launchready_checks::contract::{
    AssessInput, Assessment, CheckError, History, Severity, Target,
};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::registry;
use serde::Deserialize;
use serde_json::Value;

/// One case.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    now: Timestamp,
    /// The codes that must be found, each as often as it is found, sorted.
    #[serde(default)]
    codes: Vec<String>,
    /// The parts that must be listed as not checked, sorted.
    #[serde(default)]
    not_checked: Vec<String>,
    /// The run must be skipped with a reason that contains this.
    skipped: Option<String>,
    /// The run must be unknown with a cause that contains this.
    unknown: Option<String>,
    #[serde(default)]
    options: Value,
    target: Target,
    #[serde(default)]
    world: World,
    /// Earlier values for `history`.
    #[serde(default)]
    history: History,
    /// A world whose evidence is the approved baseline.
    baseline: Option<World>,
    /// The domain that the baseline is of, where it is another one.
    baseline_domain: Option<String>,
    /// A world whose evidence is that of the last run.
    previous: Option<World>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")
}

fn cases() -> Vec<(String, String, PathBuf)> {
    let mut all = Vec::new();
    for check in std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        let id = check.file_name().unwrap().to_string_lossy().into_owned();
        if !check.is_dir() || registry::find(&id).is_none() {
            continue;
        }
        for case in std::fs::read_dir(&check).unwrap().map(|entry| entry.unwrap().path()) {
            if case.extension().is_some_and(|extension| extension == "toml") {
                let name = case.file_stem().unwrap().to_string_lossy().into_owned();
                all.push((id.clone(), name, case));
            }
        }
    }
    all.sort();
    all
}

/// Looks and judges; the second judgement, from stored evidence, must be the same to the byte.
async fn run(id: &str, case: &Case) -> Result<Assessment, CheckError> {
    let plugin = registry::find(id).unwrap();
    let check = (plugin.build)(&case.options).unwrap_or_else(|error| panic!("{id}: {error:?}"));
    let look = async |world: &World, target: &Target| {
        let probes = Replay::new(world.clone(), case.now).unwrap().probes();
        check.collect(case.now, None, target, &probes).await
    };
    let other = async |world: &Option<World>, target: &Target| match world {
        Some(world) => Some(look(world, target).await.unwrap().evidence),
        None => None,
    };
    let domain = case.baseline_domain.as_ref().unwrap_or(&case.target.domain).clone();
    let approved = Target { domain, ..case.target.clone() };
    let baseline = other(&case.baseline, &approved).await;
    let previous = other(&case.previous, &case.target).await;
    let looked = look(&case.world, &case.target).await?;
    let input = AssessInput {
        now: case.now,
        target: &case.target,
        previous: previous.as_ref(),
        history: &case.history,
        baseline: baseline.as_ref(),
    };
    let first = check.assess(&looked.evidence, &input)?;
    let stored: Value = serde_json::from_str(&looked.evidence.to_string()).unwrap();
    let second = check.assess(&stored, &input)?;
    assert_eq!(
        serde_json::to_string(&first).unwrap(),
        serde_json::to_string(&second).unwrap(),
        "{id}: stored evidence replays to the same assessment"
    );
    Ok(first)
}

fn sorted(items: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut items: Vec<_> = items.into_iter().collect();
    items.sort();
    items
}

#[tokio::test]
async fn every_case_finds_exactly_what_it_says() {
    let mut wrong = Vec::new();
    for (id, name, path) in cases() {
        let text = std::fs::read_to_string(&path).unwrap();
        let case: Case = match toml::from_str(&text) {
            Ok(case) => case,
            Err(error) => {
                wrong.push(format!("{}: {error}", path.display()));
                continue;
            }
        };
        let result = run(&id, &case).await;
        match &result {
            Ok(assessment) => {
                let codes = sorted(assessment.findings.iter().map(|f| f.code.clone()));
                if codes != sorted(case.codes.clone()) {
                    wrong.push(format!("{id}/{name}: found {codes:?}, expected {:?}", case.codes));
                }
                let parts = sorted(assessment.not_checked.iter().map(|p| p.part.clone()));
                if parts != sorted(case.not_checked.clone()) {
                    wrong.push(format!(
                        "{id}/{name}: not checked {parts:?}, expected {:?}",
                        case.not_checked
                    ));
                }
                wrong.extend(incomplete(&id, &name, assessment));
                // Shaped like a healthy set-up from the wild: anything above info is a false alarm.
                if (name == "wild" || name.starts_with("wild_"))
                    && assessment.worst() > Some(Severity::Info)
                {
                    wrong.push(format!("{id}/{name}: a false alarm: {codes:?}"));
                }
                if case.skipped.is_some() || case.unknown.is_some() {
                    wrong.push(format!("{id}/{name}: ran, but should not have"));
                }
            }
            Err(CheckError::Skipped { reason, .. }) => {
                if !case.skipped.as_ref().is_some_and(|part| reason.contains(part)) {
                    wrong.push(format!("{id}/{name}: skipped: {reason}"));
                }
            }
            Err(CheckError::Unknown { cause, .. }) => {
                if !case.unknown.as_ref().is_some_and(|part| cause.contains(part)) {
                    wrong.push(format!("{id}/{name}: unknown: {cause}"));
                }
            }
        }
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(folder().join("../snapshots/fixtures"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| match &result {
            Ok(assessment) => insta::assert_json_snapshot!(format!("{id}__{name}"), assessment),
            Err(error) => insta::assert_snapshot!(format!("{id}__{name}"), format!("{error:?}")),
        });
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A finding that a founder cannot act on is a defect of ours.
fn incomplete(id: &str, name: &str, assessment: &Assessment) -> Vec<String> {
    let meta = registry::find(id).unwrap().meta;
    let mut wrong = Vec::new();
    for finding in &assessment.findings {
        if !meta.findings.iter().any(|spec| spec.code == finding.code) {
            wrong.push(format!("{id}/{name}: {} is not in the closed list", finding.code));
        }
        let texts = [&finding.summary, &finding.why, &finding.fix, &finding.undo];
        if texts.iter().any(|text| text.is_empty()) || finding.evidence.is_empty() {
            wrong.push(format!(
                "{id}/{name}: {} lacks summary, evidence, fix or undo",
                finding.code
            ));
        }
    }
    for measurement in &assessment.measurements {
        if !meta.measurements.iter().any(|spec| spec.name == measurement.name) {
            wrong.push(format!(
                "{id}/{name}: measurement {} is not in the closed list",
                measurement.name
            ));
        }
    }
    for part in &assessment.not_checked {
        if part.reason.is_empty() || part.unlock.is_empty() {
            wrong.push(format!("{id}/{name}: not checked {} without reason or unlock", part.part));
        }
    }
    wrong
}

#[test]
fn every_check_has_a_passing_case_and_every_code_a_case() {
    let mut missing = Vec::new();
    for plugin in registry::ALL {
        let id = plugin.meta.id;
        let mine: Vec<_> = cases().into_iter().filter(|(check, _, _)| check == id).collect();
        let read = |path: &PathBuf| toml::from_str::<Case>(&std::fs::read_to_string(path).unwrap());
        let found: BTreeSet<String> = mine
            .iter()
            .filter_map(|(_, _, path)| read(path).ok())
            .flat_map(|case| case.codes)
            .collect();
        for spec in plugin.meta.findings {
            if !found.contains(spec.code) {
                missing.push(format!("{id}: no case finds {}", spec.code));
            }
        }
        // A check that cannot look yet, and therefore finds nothing, has only its skipped case.
        let wanted: &[&str] = if plugin.meta.findings.is_empty() {
            &["skipped"]
        } else {
            &["pass", "malformed", "wild"]
        };
        for wanted in wanted {
            if !mine
                .iter()
                .any(|(_, name, _)| name == wanted || name.starts_with(&format!("{wanted}_")))
            {
                missing.push(format!("{id}: no case named {wanted}…"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}
