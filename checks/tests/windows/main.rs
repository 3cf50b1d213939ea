//! Windows and thresholds: the clock and the counts are moved across each edge, and what is told is compared
//! with a plain reckoning in whole numbers. What was tried or sent again is never counted twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod automation;
mod crm;
mod orders;
mod support;
mod webhook;

use futures_util::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use launchready_checks::contract::{
    AccountFacts, AssessInput, Assessment, DynCheck, History, Severity, StripeFacts, Target,
};
use launchready_checks::probe::replay::{Replay, World};
use launchready_checks::registry;
use serde_json::Value;

/// The time around which the worlds are written.
pub(crate) fn now() -> Timestamp {
    "2026-11-23T09:00:00Z".parse().unwrap()
}

/// So many seconds before it.
pub(crate) fn ago(seconds: i64) -> String {
    (now() - SignedDuration::from_secs(seconds)).to_string()
}

/// A check that looks again and again, as the agent runs it.
pub(crate) struct Watched {
    check: Box<dyn DynCheck>,
    carry: Option<Value>,
}

impl Watched {
    pub(crate) fn new(id: &str) -> Self {
        let check = (registry::find(id).unwrap().build)(&Value::Null).unwrap();
        Self { check, carry: None }
    }

    /// Looks at a world so many seconds after the time around which it is written.
    pub(crate) fn look(&mut self, world: Value, after: i64) -> Assessment {
        let now = now() + SignedDuration::from_secs(after);
        let target = Target {
            domain: "harbor.example".to_owned(),
            accounts: AccountFacts {
                stripe: Some(StripeFacts::default()),
                database: true,
                ..AccountFacts::default()
            },
            ..Target::default()
        };
        let world: World = serde_json::from_value(world).unwrap();
        let probes = Replay::new(world, now).unwrap().probes();
        let looked = self.check.collect(now, self.carry.take(), &target, &probes);
        let looked = looked.now_or_never().unwrap().unwrap();
        self.carry = Some(looked.carry);
        let history = History::default();
        let input =
            AssessInput { now, target: &target, previous: None, history: &history, baseline: None };
        self.check.assess(&looked.evidence, &input).unwrap()
    }
}

/// What a check tells of a world at its first look.
pub(crate) fn first(id: &str, world: Value) -> Assessment {
    Watched::new(id).look(world, 0)
}

/// Each finding's code and severity.
pub(crate) fn told(assessment: &Assessment) -> Vec<(&str, Severity)> {
    assessment.findings.iter().map(|found| (found.code.as_str(), found.severity)).collect()
}

/// Each finding's subject, sorted.
pub(crate) fn subjects(assessment: &Assessment) -> Vec<&str> {
    let mut all: Vec<_> = assessment.findings.iter().map(|found| found.subject.as_str()).collect();
    all.sort_unstable();
    all
}

/// The value of a measurement.
pub(crate) fn measured(assessment: &Assessment, name: &str) -> Option<f64> {
    let found = assessment.measurements.iter().find(|measured| measured.name == name);
    found.map(|measured| measured.value)
}
