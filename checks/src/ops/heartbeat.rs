//! `ops-heartbeat`: see `heartbeat.md`.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::{
    Age, Area, AssessCx, Assessment, Check, CheckError, CheckMeta, Finding, FindingSpec,
    HeartbeatFacts, LookCx, MeasurementSpec, Need, Schedule, Target, Unit, Unseen, Vantage,
};
use crate::probe::{HeartbeatAnswer, ProbeError, Probes, Promised};

const MISSING: FindingSpec = FindingSpec::critical(
    "heartbeat-missing",
    "A job did not call when it had promised to",
    "What runs unseen also stops unseen: the backup, the payout or the sync of today is missing, and \
     nobody notices until the day on which it is needed.",
)
.now();
const FAILED: FindingSpec = FindingSpec::critical(
    "heartbeat-failed",
    "A job reported that it failed",
    "The job itself says that its work was not done, and the next run may fail for the same reason.",
)
.now();
const OVERRUN: FindingSpec = FindingSpec::warning(
    "heartbeat-overrun",
    "A job began and has not ended in its time",
    "A run that hangs holds locks and connections, and the next run meets it or does not begin.",
);
const UNHEARD: FindingSpec = FindingSpec::warning(
    "heartbeat-unheard",
    "A job that had promised to call was never heard",
    "As long as no call has ever come, nobody would notice that the job does not run; more often than \
     not only the line that calls is missing.",
);

/// Calls that jobs of the project have promised.
#[derive(Debug)]
pub struct Heartbeat;

/// `ops-heartbeat` has no options: each promise says its own times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Options {}

/// What was heard of every promise.
#[derive(Debug, Serialize, Deserialize)]
pub struct Evidence {
    promises: Vec<Promised>,
}

const LAST_SUCCESS: MeasurementSpec = MeasurementSpec {
    name: "last-success",
    metric: "launchready_heartbeat_last_success_timestamp_seconds",
    unit: Unit::TimestampSeconds,
    help: "When the job last called to say that it ended well.",
    label: Some("heartbeat"),
    window: Duration::ZERO,
};
const UP: MeasurementSpec = MeasurementSpec {
    name: "up",
    metric: "launchready_heartbeat_up",
    unit: Unit::Count,
    help: "Whether the job keeps its promise: 1, or 0 when a call is missing, late or a failure.",
    label: Some("heartbeat"),
    window: Duration::ZERO,
};

impl Check for Heartbeat {
    const META: CheckMeta = CheckMeta {
        id: "ops-heartbeat",
        area: Area::Ops,
        title: "Promised calls of jobs",
        vantage: Vantage::Outside,
        findings: &[MISSING, FAILED, OVERRUN, UNHEARD],
        measurements: &[LAST_SUCCESS, UP],
        default_schedule: Schedule::Every(Duration::from_mins(1)),
        min_interval: Duration::from_secs(30),
        timeout: Duration::from_secs(10),
        needs: &[Need::Setting("project.heartbeat")],
        evidence_version: 1,
        doc: include_str!("heartbeat.md"),
    };
    type Options = Options;
    type Evidence = Evidence;
    type Carry = ();

    async fn collect(
        _look: &LookCx<'_, Self>,
        target: &Target,
        probes: &Probes,
    ) -> Result<(Evidence, ()), CheckError> {
        if target.heartbeats.is_empty() {
            return Err(CheckError::skipped(
                "no job has promised to call",
                "add [[project.heartbeat]] to the config, with a line that calls at the end of the job",
            ));
        }
        match probes.heartbeats.heard(target.project.clone()).await {
            Ok(HeartbeatAnswer::Agent { promises }) => Ok((Evidence { promises }, ())),
            Ok(HeartbeatAnswer::Nobody) => Err(CheckError::skipped(
                "no agent has listened for the calls, and an audit is there for a moment only",
                "run `launchready agent` with this config, then audit again",
            )),
            Err(ProbeError::Agent(fault)) => Err(fault.into()),
            Err(ProbeError::Target(fault)) => Err(CheckError::unknown(
                format!("what the agent remembers cannot be read: {fault}"),
                "see the log of the agent",
            )),
        }
    }

    fn assess(evidence: &Evidence, cx: &AssessCx<'_, Self>) -> Assessment {
        let mut out = Assessment::default();
        let mut known = false;
        for fact in &cx.target.heartbeats {
            match evidence.promises.iter().find(|promise| promise.name == fact.name) {
                Some(promise) => {
                    known = true;
                    judge(fact, promise, cx.now, &mut out);
                }
                None => out.not_checked(
                    Unseen::Condition,
                    format!("calls of {}", fact.name),
                    "the agent does not know this promise yet",
                    "wait until the agent has read the config again, or start it",
                ),
            }
        }
        out.unless_seen(known);
        out
    }
}

/// Judges one promise by what was heard of it.
fn judge(fact: &HeartbeatFacts, heard: &Promised, now: Timestamp, out: &mut Assessment) {
    let before = out.findings.len();
    if let Some(at) = heard.last_success {
        out.measure(LAST_SUCCESS.value(Some(&fact.name), at.as_duration().as_secs_f64()));
    }
    if let Some(at) = heard.last_failure.filter(|at| Some(*at) > heard.last_success) {
        out.find(failed(fact, heard, at));
    }
    if let (Some(most), Some(began)) = (fact.max_runtime, heard.last_start)
        && Some(began) > heard.last_end()
        && now > later(began, most)
    {
        out.find(overrun(fact, most, began));
    }
    let is_late = now > later(heard.due_at, fact.grace);
    match (is_late, heard.first_call, &heard.away) {
        (true, Some(_), _) => out.find(missing(fact, heard)),
        (true, None, _) => out.find(unheard(fact, heard)),
        (false, _, Some(away)) => {
            out.not_checked(
                Unseen::Condition,
                format!("the last call of {}", fact.name),
                format!(
                    "no agent listened from {} to {}, and the call may have come then",
                    clock(away.from),
                    clock(away.to)
                ),
                format!("wait for the next call, which is due at {}", clock(heard.due_at)),
            );
            return;
        }
        (false, None, None) => {
            out.not_checked(
                Unseen::Condition,
                format!("the first call of {}", fact.name),
                format!("none has come yet; it is due at {}", clock(heard.due_at)),
                "call once by hand, with the line that the job ends with",
            );
            return;
        }
        (false, Some(_), None) => {}
    }
    let is_kept = out.findings.len() == before;
    out.measure(UP.value(Some(&fact.name), if is_kept { 1.0 } else { 0.0 }));
}

fn failed(fact: &HeartbeatFacts, heard: &Promised, at: Timestamp) -> Finding {
    let name = &fact.name;
    let exit = heard.exit.map(|code| format!(" with the exit code {code}"));
    FAILED
        .finding(name)
        .summary(format!(
            "{name} reported at {} that it failed{}.",
            clock(at),
            exit.as_deref().unwrap_or_default()
        ))
        .saw_all(calls(fact, heard))
        .fix(format!(
            "Read the log of {name} on the machine that runs it, mend what it says, and run it again: \
             the call that it ends with closes this."
        ))
        .undo("Nothing was changed; a run that is not needed can be left to the next time.")
}

fn overrun(fact: &HeartbeatFacts, most: Age, began: Timestamp) -> Finding {
    let name = &fact.name;
    OVERRUN
        .finding(name)
        .summary(format!("{name} began at {} and has not ended within {most}.", clock(began)))
        .saw(format!("began at {}", clock(began)))
        .saw(format!("a run may last {most} (max_runtime)"))
        .fix(format!(
            "See on its machine whether {name} still runs (`ps aux`); end it if it hangs. If its work \
             takes longer by now, raise max_runtime of the promise."
        ))
        .undo("Set max_runtime back.")
}

fn missing(fact: &HeartbeatFacts, heard: &Promised) -> Finding {
    let name = &fact.name;
    let last = match heard.last_end() {
        Some(at) => format!("its last one came at {}", clock(at)),
        None => "it has only ever said that it began".to_owned(),
    };
    MISSING
        .finding(name)
        .summary(format!(
            "{name} had to call by {} ({}, and {} of grace) and did not; {last}.",
            clock(later(heard.due_at, fact.grace)),
            fact.rhythm,
            fact.grace
        ))
        .saw_all(calls(fact, heard))
        .fix(format!(
            "See on its machine whether {name} ran (`crontab -l`, `journalctl -u cron`, or the history \
             of the automation) and whether its last line still calls the agent, and run it again: the \
             call closes this. If it runs less often by now, change every or cron of the promise."
        ))
        .undo("Set every or cron back; nothing else was changed.")
}

fn unheard(fact: &HeartbeatFacts, heard: &Promised) -> Finding {
    let name = &fact.name;
    UNHEARD
        .finding(name)
        .summary(format!(
            "{name} has never called: its first call was due at {}.",
            clock(heard.due_at)
        ))
        .saw(format!("promised since {}: {}", clock(heard.promised_at), fact.rhythm))
        .saw("no call has come, of any kind")
        .fix(format!(
            "Put the call at the end of {name}: \
             `curl -fsS -m 10 --retry 5 --retry-connrefused --retry-delay 10 -o /dev/null \
             ADDRESS/heartbeat/TOKEN`, with the agent's address and the token of the promise, and run that \
             line once by hand."
        ))
        .undo(format!("Take the line out again, and the promise {name} out of the config."))
}

/// What was heard, one line each.
fn calls(fact: &HeartbeatFacts, heard: &Promised) -> Vec<String> {
    let line = |what: &str, at: Option<Timestamp>| at.map(|at| format!("{what} {}", clock(at)));
    let lines = [
        Some(format!("promised: {}, with {} of grace", fact.rhythm, fact.grace)),
        line("last began at", heard.last_start),
        line("last ended well at", heard.last_success),
        line("last failed at", heard.last_failure),
        heard.exit.map(|code| format!("exit code {code}")),
        line("due at", Some(heard.due_at)),
    ];
    lines.into_iter().flatten().collect()
}

fn later(at: Timestamp, age: Age) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(age.whole_seconds())).unwrap_or(Timestamp::MAX)
}

/// A time to the second.
fn clock(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
