//! The trait that every check implements.

use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    Approvable, Area, Assessment, CheckError, Fact, FindingSpec, History, MeasurementSpec, Target,
    Vantage,
};
use crate::probe::Probes;

/// What is known about a check without running it.
#[derive(Debug, Clone, Copy)]
pub struct CheckMeta {
    /// `area-stem`: also the file name, the config table and the metric label. Never renamed.
    pub id: &'static str,
    /// The folder it lives in.
    pub area: Area,
    /// A short name for headings: the thing looked at.
    pub title: &'static str,
    /// Where it looks from.
    pub vantage: Vantage,
    /// The closed list of its finding codes.
    pub findings: &'static [FindingSpec],
    /// The closed list of its measurements.
    pub measurements: &'static [MeasurementSpec],
    /// How often the agent runs it unless the config says otherwise.
    pub default_schedule: Schedule,
    /// No schedule may be shorter.
    pub min_interval: Duration,
    /// After this long a run ends as `unknown`.
    pub timeout: Duration,
    /// What it cannot run without.
    pub needs: &'static [Need],
    /// Raised when the shape of the evidence changes; older evidence is then no `previous`.
    pub evidence_version: u32,
    /// The handbook page, from the Markdown file beside the check.
    pub doc: &'static str,
}

/// A suggestion of how often a check runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schedule {
    /// Every so often.
    Every(Duration),
}

/// Something that a check cannot run without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Proven ownership of the domain, because the check sends more than a reader would.
    Ownership,
    /// A key of the config file, such as `project.source`.
    Setting(&'static str),
    /// What other checks measure: each check with its measurement.
    Figures(&'static [(&'static str, &'static str)]),
}

/// What `collect` is given beside target and probes.
#[derive(Debug)]
pub struct LookCx<'a, C: Check + ?Sized> {
    /// The time at which the run began.
    pub now: Timestamp,
    /// The check's options.
    pub options: &'a C::Options,
    /// What the last run carried over.
    pub carry: Option<C::Carry>,
}

/// What `assess` is given beside the evidence.
#[derive(Debug)]
pub struct AssessCx<'a, C: Check + ?Sized> {
    /// The time at which the run began.
    pub now: Timestamp,
    /// The check's options.
    pub options: &'a C::Options,
    /// The declared facts of the project.
    pub target: &'a Target,
    /// The evidence of the last run.
    pub previous: Option<C::Evidence>,
    /// Bounded windows of the check's own measurements.
    pub history: &'a History,
    /// The approved evidence that drift is measured against.
    pub baseline: Option<C::Evidence>,
}

/// One question about a project.
///
/// `collect` looks and never judges; `assess` judges and never looks, so that stored evidence
/// gives the same findings again, byte for byte.
pub trait Check: Send + Sync + 'static {
    /// What is known about the check without running it.
    const META: CheckMeta;
    /// The options, with the documented thresholds as their defaults.
    type Options: Default + Debug + Clone + Serialize + DeserializeOwned + JsonSchema + Send + Sync;
    /// What was seen: bounded, replayable, without any secret.
    type Evidence: Debug + Serialize + DeserializeOwned + Send + Sync;
    /// Small state carried between runs; `()` for most.
    type Carry: Debug + Serialize + DeserializeOwned + Send + Sync;

    /// Looks. A defect of the target is evidence; only our own inability is an error.
    fn collect(
        look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> impl Future<Output = Result<(Self::Evidence, Self::Carry), CheckError>> + Send;

    /// Judges. Pure.
    fn assess(evidence: &Self::Evidence, cx: &AssessCx<'_, Self>) -> Assessment;

    /// What of the evidence a person can approve as it is; nothing for a check that measures no drift.
    const BASELINE: Option<Approvable> = None;

    /// The evidence as facts that can be approved. What was not seen is no fact.
    fn facts(_evidence: &Self::Evidence) -> Vec<Fact> {
        Vec::new()
    }
}
