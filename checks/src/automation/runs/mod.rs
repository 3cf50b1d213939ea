//! `automation-runs`: see `runs.md`.

mod judge;
mod look;
mod past;
#[cfg(test)]
mod tests;
mod unseen;

use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Approvable, Area, AssessCx, Assessment, Bounded, Check, CheckError, CheckMeta, Fact,
    FindingSpec, LookCx, MeasurementSpec, Need, Ratio, Schedule, Target, Unit, Vantage,
};
use crate::probe::{AgentFault, ExpiredCredential, Probes};

const FAILING: FindingSpec = FindingSpec::critical(
    "automation-failing",
    "An automation fails too often",
    "Each run that fails is a customer without an e-mail, a contact without a sale, or a ticket that \
     nobody sees, and someone has to find and repair it by hand.",
);
const FAILED_RUN: FindingSpec = FindingSpec::warning(
    "automation-run-failed",
    "A run failed, and nobody has tried it again",
    "What that run should have done has not been done: nobody was written to, and nothing was recorded.",
);
const SILENT: FindingSpec = FindingSpec::critical(
    "automation-silent",
    "An automation has fallen silent",
    "A flow that does not start reports no error: nothing happens any more, and the first to notice is a \
     customer.",
)
.now();
const SWITCHED_OFF: FindingSpec = FindingSpec::critical(
    "automation-switched-off",
    "An automation that was on is off",
    "A flow that is off does nothing and reports nothing; services switch one off by themselves after \
     errors, and a click does it too.",
)
.now();
const EDITED: FindingSpec = FindingSpec::warning(
    "automation-edited",
    "An automation was edited",
    "A change in a flow is live at once and was tested by nobody; when something breaks tomorrow, this is \
     where to look first.",
)
.noted();
const EXPIRED: FindingSpec = FindingSpec::critical(
    "automation-credential-expired",
    "A credential of the automations has expired",
    "Every flow that uses it fails from now on, until somebody signs in again.",
)
.now()
.noted();

const fn counted(name: &'static str, metric: &'static str, help: &'static str) -> MeasurementSpec {
    MeasurementSpec { name, metric, unit: Unit::Count, help, label: None, window: Duration::ZERO }
}

const SUCCESS: MeasurementSpec = MeasurementSpec {
    name: "success",
    metric: "launchready_automation_success_ratio",
    unit: Unit::Ratio,
    help: "Runs of automations that went well, or were recovered by a retry, of those that ended within the window.",
    label: None,
    window: Duration::ZERO,
};
const RUNS: MeasurementSpec = counted(
    "runs",
    "launchready_automation_runs",
    "Runs of automations that ended within the window.",
);
const FAILED: MeasurementSpec = counted(
    "failed-runs",
    "launchready_automation_failed_runs",
    "Runs of automations that failed within the window and were not recovered.",
);
const SILENT_FLOWS: MeasurementSpec = counted(
    "silent-flows",
    "launchready_automation_silent_flows",
    "Automations that have not run for much longer than is usual for them.",
);

/// Whether the automations run, and run well.
#[derive(Debug)]
pub struct Runs;

/// Thresholds of `automation-runs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Critical when fewer runs than this part went well.
    pub success: Ratio,
    /// The window in which runs are counted, in whole days of UTC.
    pub window: Age,
    /// So many runs are needed before a part of them says anything.
    pub least_runs: u32,
    /// Critical when a flow has been silent for so many times its usual gap.
    pub silent_gaps: u32,
    /// A shorter silence is never told, so that a run that takes a while is none.
    pub silent_least: Age,
    /// Below `least_runs`, a warning when a failed run has waited for so long.
    pub failed_age: Age,
    /// Ids or names of flows that are not looked at.
    pub ignore: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            success: Ratio(0.98),
            window: Age::days(30),
            least_runs: 50,
            silent_gaps: 3,
            silent_least: Age::minutes(2),
            failed_age: Age::hours(24),
            ignore: Vec::new(),
        }
    }
}

/// One flow with what was seen of its runs.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FlowSeen {
    id: String,
    name: String,
    active: bool,
    archived: bool,
    /// Since when it is off, where an earlier look saw it on.
    off_since: Option<Timestamp>,
    /// When its owner last touched it, where the vendor says so.
    updated: Option<Timestamp>,
    definition: Option<String>,
    /// When a look first saw that it had been edited.
    changed: Option<Timestamp>,
    forgets_successes: bool,
    /// Its list of runs was not read to the end.
    cut: bool,
    succeeded: u64,
    failed: u64,
    /// The last failed runs that nothing has recovered: id and beginning.
    failures: Vec<(String, Timestamp)>,
    /// The oldest failed run that nothing has recovered.
    oldest_failure: Option<Timestamp>,
    /// When it last began by itself.
    last: Option<Timestamp>,
    /// Seconds between two runs: as declared, else the median; absent where too few were seen.
    usual_s: Option<i64>,
    /// The longest time between two runs of the last two weeks, in seconds.
    longest_s: i64,
}

/// What the automation service said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    vendor: String,
    /// The window begins here.
    since: Timestamp,
    /// The oldest run that was really seen; absent where there was none.
    seen_from: Option<Timestamp>,
    /// Runs before that are there, and could not be read.
    cut: bool,
    flows: Bounded<FlowSeen>,
    expired: Bounded<ExpiredCredential>,
    /// Why credentials were not seen; nothing where the vendor does not tell.
    credentials: CredentialsSeen,
}

/// Whether expired credentials were seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "fault")]
enum CredentialsSeen {
    Seen,
    Untold,
    Refused(AgentFault),
    NoAnswer(String),
}

impl Check for Runs {
    const META: CheckMeta = CheckMeta {
        id: "automation-runs",
        area: Area::Automation,
        title: "Runs of automations",
        vantage: Vantage::Provider,
        findings: &[FAILING, FAILED_RUN, SILENT, SWITCHED_OFF, EDITED, EXPIRED],
        measurements: &[SUCCESS, RUNS, FAILED, SILENT_FLOWS],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_mins(2),
        needs: &[Need::Setting("project.automation")],
        evidence_version: 1,
        doc: include_str!("../runs.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = past::Carry;

    async fn collect(
        look: &LookCx<'_, Self>,
        _target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, past::Carry), CheckError> {
        look::look(look, probes.accounts.automation.get()?).await
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        judge::judge(evidence, cx)
    }

    const BASELINE: Option<Approvable> = Some(Approvable {
        what: "automations",
        codes: &["automation-switched-off", "automation-edited"],
    });

    fn facts(evidence: &Evidence) -> Vec<Fact> {
        let flows = evidence.flows.items.iter().filter(|flow| !flow.archived);
        flows.map(judge::fact).collect()
    }
}
