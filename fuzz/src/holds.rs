//! What holds for every check, whatever the world says.

use std::cell::RefCell;

use launchready_checks::contract::{
    AssessInput, Assessment, CheckError, CheckMeta, EVIDENCE_LIMIT_BYTES, History, Ownership,
    Target,
};
use launchready_checks::probe::Probes;
use launchready_checks::registry;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::world::now;

/// The most that may be said about one run, as JSON; a report holds the findings of all runs.
const SAID_BYTES: usize = 512 * 1024;

thread_local! {
    static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap(),
    );
}

/// The outcome of work that waits for nothing.
pub(super) fn ready<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.with_borrow(|runtime| runtime.block_on(work))
}

/// A project whose ownership is proven, so that every question may be asked.
pub(super) fn target() -> Target {
    Target {
        project: "harbor".to_owned(),
        domain: "harbor.example".to_owned(),
        ownership: Ownership::Proven { by: "the TXT record".to_owned() },
        ..Target::default()
    }
}

/// Looks with a check and judges what it saw: evidence within its limit that replays byte for byte, and
/// findings of the closed list that somebody can act on.
pub(super) fn check(id: &str, options: &Value, target: &Target, probes: &Probes) {
    let plugin = registry::find(id).unwrap_or_else(|| panic!("no check is named {id}"));
    let check = (plugin.build)(options).unwrap_or_else(|error| panic!("{id}: {error:?}"));
    let looked = match ready(check.collect(now(), None, target, probes)) {
        Ok(looked) => looked,
        Err(CheckError::Skipped { .. }) => return,
        Err(CheckError::Unknown { cause, unlock }) => {
            assert!(!unlock.contains("bug of launchready"), "{id}: {cause}");
            return;
        }
    };
    let size = looked.evidence.to_string().len();
    assert!(size <= EVIDENCE_LIMIT_BYTES, "{id}: {size} bytes of evidence");
    let again = reread(&looked.evidence);
    let first = assess(id, options, target, &looked.evidence);
    let second = assess(id, options, target, &again);
    assert_eq!(text(&first), text(&second), "{id}: stored evidence replays to the same judgement");
    assert!(first.is_some(), "{id}: what it has seen itself cannot be judged");
    check.facts(&looked.evidence).unwrap_or_else(|error| panic!("{id}: {error}"));
}

/// Judges evidence, wherever it is from; nothing where it is none of this check.
pub(super) fn assess(
    id: &str,
    options: &Value,
    target: &Target,
    evidence: &Value,
) -> Option<Assessment> {
    let plugin = registry::find(id).unwrap_or_else(|| panic!("no check is named {id}"));
    let check = (plugin.build)(options).ok()?;
    let history = History::default();
    let input =
        AssessInput { now: now(), target, previous: None, history: &history, baseline: None };
    let assessment = check.assess(evidence, &input).ok()?;
    is_complete(plugin.meta, &assessment);
    Some(assessment)
}

/// A judgement names codes and measurements of the closed lists, and leaves nobody without a step.
fn is_complete(meta: &CheckMeta, assessment: &Assessment) {
    let id = meta.id;
    for finding in &assessment.findings {
        let code = &finding.code;
        assert!(meta.findings.iter().any(|spec| spec.code == code), "{id}: the code {code}");
        for text in [&finding.summary, &finding.why, &finding.fix, &finding.undo] {
            assert!(!text.is_empty(), "{id}: {code} says nothing");
        }
        for line in &finding.evidence {
            assert!(!line.contains(char::is_control), "{id}: {code} drives a terminal: {line:?}");
        }
        assert_eq!(finding.fingerprint.len(), 16, "{id}: {code}");
    }
    for measurement in &assessment.measurements {
        let name = &measurement.name;
        assert!(meta.measurements.iter().any(|spec| spec.name == name), "{id}: measures {name}");
    }
    for part in &assessment.not_checked {
        assert!(!part.reason.is_empty() && !part.unlock.is_empty(), "{id}: {part:?}");
    }
    let size = text(assessment).len();
    assert!(size <= SAID_BYTES, "{id}: {size} bytes of findings");
}

/// A value as JSON; what becomes none is a find.
pub(super) fn text<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| panic!("it becomes no JSON: {error}"))
}

/// A value that has been written and read.
pub(super) fn reread<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = text(value);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// What is written and read again is the same.
pub(super) fn is_stable<T: Serialize + DeserializeOwned>(value: &T) {
    let first = text(value);
    assert_eq!(first, text(&reread(value)), "it changes when it is stored");
}
