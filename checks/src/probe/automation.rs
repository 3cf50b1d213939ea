//! The automation service of a project: its flows, their runs, and the credentials that they use.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError, Visit};

/// One flow: a workflow, scenario or zap.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Flow {
    /// The vendor's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// It is switched on.
    pub active: bool,
    /// It was put away for good, so that its being off says nothing.
    pub archived: bool,
    /// When it was last edited, where the vendor says so.
    pub updated: Option<Timestamp>,
    /// A hash of what it does; absent where the vendor does not show it.
    pub definition: Option<String>,
    /// Seconds between two of its runs, where a timer starts it and the vendor says how often.
    pub every_s: Option<u64>,
    /// The vendor keeps no record of runs that went well.
    pub forgets_successes: bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It did what it should.
    Succeeded,
    /// It broke off.
    Failed,
    /// It has not ended.
    Running,
    /// It was cancelled, or the vendor says something that is not known here.
    #[default]
    Other,
}

/// One run of a flow.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The vendor's id.
    pub id: String,
    /// The flow's id.
    pub flow: String,
    /// How it ended.
    pub status: RunStatus,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    #[serde(default)]
    pub stopped: Option<Timestamp>,
    /// A later try of the same work went well.
    #[serde(default)]
    pub recovered: bool,
    /// The run that this one tries again.
    #[serde(default)]
    pub retry_of: Option<String>,
    /// Somebody started it by hand, as one does while building.
    #[serde(default)]
    pub manual: bool,
}

/// How a walk over runs ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunsWalked {
    /// Runs that were told.
    pub runs: u64,
    /// The walk ended before it had seen the whole period.
    pub cut: bool,
    /// Flows whose runs could not be walked to the end of the period.
    pub flows_cut: Vec<String>,
}

/// A credential whose time is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpiredCredential {
    /// The vendor's id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// Since when.
    pub since: Timestamp,
}

/// What the vendor says about credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credentials {
    /// Those that have expired.
    Expired(Vec<ExpiredCredential>),
    /// It does not say when one expires.
    Untold,
}

/// Asks the automation service. Nothing is changed.
pub trait Automation: Send + Sync {
    /// The vendor's name, for people.
    fn vendor(&self) -> &'static str;

    /// Every flow.
    fn flows(&self) -> Answer<'_, Result<Vec<Flow>, ProbeError>>;

    /// Walks over the runs of these flows that began at `since` or later, newest first.
    fn runs<'a>(
        &'a self,
        flows: Vec<String>,
        since: Timestamp,
        visit: Visit<'a, Run>,
    ) -> Answer<'a, Result<RunsWalked, ProbeError>>;

    /// The credentials that have expired.
    fn credentials(&self) -> Answer<'_, Result<Credentials, ProbeError>>;
}
