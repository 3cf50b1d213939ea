//! The pure half of a run: what its evidence means.

use std::panic::{AssertUnwindSafe, catch_unwind};

use launchready_checks::contract::{AssessInput, Assessment, CheckError};
use launchready_checks::registry;

use super::record::{AuditRecord, Outcome, RunRecord};

/// The checks whose findings are dates: with a clock that is off they would blame the target.
const JUDGED_BY_THE_CLOCK: [&str; 2] = ["domain-registration", "tls-certificate"];

/// Judges one run. Pure: the same record gives the same judgement.
///
/// # Errors
/// It did not look, or its evidence cannot be judged: what it ends in instead.
pub fn judge_run(record: &AuditRecord, run: &RunRecord) -> Result<Assessment, CheckError> {
    let evidence = match &run.outcome {
        Outcome::Looked { evidence } => evidence,
        Outcome::Skipped { reason, unlock } => {
            return Err(CheckError::skipped(reason, unlock));
        }
        Outcome::Unknown { cause, unlock } => return Err(CheckError::unknown(cause, unlock)),
    };
    if JUDGED_BY_THE_CLOCK.contains(&run.id.as_str())
        && let Some((cause, unlock)) = record.clock_off()
    {
        return Err(CheckError::unknown(cause, unlock));
    }
    let other_version = || {
        CheckError::unknown(
            format!("the evidence of {} is of another version", run.id),
            "look again with this version of launchready",
        )
    };
    let plugin = registry::find(&run.id).ok_or_else(other_version)?;
    let meta = plugin.meta;
    if run.evidence_version != meta.evidence_version {
        return Err(other_version());
    }
    let check = (plugin.build)(&run.options).map_err(|_source| other_version())?;
    let input = AssessInput {
        now: record.started_at,
        target: &record.target,
        previous: run.previous.as_ref(),
        history: &run.history,
        baseline: run.baseline.as_ref(),
    };
    // Evidence is outside data: whatever it makes a judgement do, the other checks are reported.
    catch_unwind(AssertUnwindSafe(|| check.assess(evidence, &input))).unwrap_or_else(|_panic| {
        Err(CheckError::unknown(
            format!("internal error: the judgement of {} panicked", meta.id),
            "report this as a bug of launchready, with what --save-evidence keeps",
        ))
    })
}
