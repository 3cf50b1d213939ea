//! Runs one check as the program does, with ports of the test's choice.

use std::collections::BTreeSet;

use jiff::Timestamp;
use launchready_checks::contract::{AssessInput, Assessment, History, Target};
use launchready_checks::probe::Probes;
use launchready_checks::registry;
use serde_json::Value;

/// Looks and judges; an error is what the check says when it cannot look.
pub(crate) async fn look(
    id: &str,
    target: &Target,
    probes: &Probes,
    now: Timestamp,
) -> Result<Assessment, String> {
    let check = (registry::find(id).unwrap().build)(&Value::Null).unwrap();
    let looked = check.collect(now, None, target, probes).await.map_err(|e| e.to_string())?;
    let history = History::default();
    let input = AssessInput { now, target, previous: None, history: &history, baseline: None };
    Ok(check.assess(&looked.evidence, &input).unwrap())
}

/// The codes of what was found.
pub(crate) fn codes(assessment: &Assessment) -> BTreeSet<&str> {
    assessment.findings.iter().map(|finding| finding.code.as_str()).collect()
}

/// `yes` or `no`.
pub(crate) fn yes(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}
