//! The agent's look at itself: whether its own machine still has a network, so that a lost uplink is one
//! incident and not one for each check.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use launchready_checks::contract::{Assessment, FindingSpec, Status};
use launchready_checks::probe::AgentFault;

use super::setup::Setup;
use crate::clock::{Clock, between, later};
use crate::engine::seen_finding;
use crate::incident::{RunSeen, SeenFinding, Sight};
use crate::schedule::Schedule;
use crate::store::{DueJob, Finished, JobKey, JobSpec};

/// The name under which the agent reports about itself; the config refuses it for a project.
pub(super) const PROJECT: &str = "launchready";
/// The name of the look.
const CHECK: &str = "agent-network";
/// As often as the fastest checks are looked at again.
const EVERY: Duration = Duration::from_secs(30);

const LOST: FindingSpec = FindingSpec::critical(
    "agent-network-lost",
    "The machine of the agent has no network",
    "While it lasts nothing is watched: a product that goes down now is noticed only when the network is \
     back.",
)
.now();

/// The job of the look.
pub(super) fn job() -> JobSpec {
    JobSpec {
        key: JobKey { project: PROJECT.to_owned(), check: CHECK.to_owned() },
        target: "this machine".to_owned(),
        schedule: Schedule::Every(EVERY),
        phase: 0.0,
    }
}

/// Asks the resolvers: no answer at all from any of them means that the network is gone.
pub(super) async fn look(
    setup: &Setup,
    due: &DueJob,
    clock: &Arc<dyn Clock>,
    lost: &AtomicBool,
) -> Finished {
    let started_at = clock.now();
    let fault = if setup.session.dns().is_reachable().await {
        None
    } else {
        Some(AgentFault::NoResolver("none of those that the config or the system names".to_owned()))
    };
    lost.store(fault.is_some(), Ordering::Relaxed);
    let finding = fault.map(|fault| {
        LOST.finding("this machine")
            .summary(format!("The agent cannot see anything: {fault}."))
            .saw(fault.to_string())
            .fix(format!(
                "Bring the network of the machine that runs the agent back; then {}.",
                fault.unlock()
            ))
            .undo("Nothing has to be undone.")
    });
    let seen = finding.iter().map(|finding| seen_finding(finding, LOST.title, false));
    let findings: Vec<SeenFinding> = seen.collect();
    Finished {
        key: due.key.clone(),
        due_at: due.due_at,
        started_at,
        duration: between(started_at, clock.now()),
        status: if findings.is_empty() { Status::Pass } else { Status::Fail },
        reason: None,
        assessment: Assessment { findings: finding.into_iter().collect(), ..Assessment::default() },
        evidence: None,
        carry: None,
        windows: Vec::new(),
        seen: RunSeen {
            project: PROJECT.to_owned(),
            check: CHECK.to_owned(),
            check_title: "The agent's own network".to_owned(),
            target: "this machine".to_owned(),
            at: started_at,
            first: due.first,
            last_look: None,
            sight: Sight::Looked { unseen_parts: Vec::new() },
            findings,
            expired: Vec::new(),
            recheck: "launchready audit".to_owned(),
        },
        next_due: later(started_at, EVERY),
    }
}
