//! From a run that has ended to what the store keeps of it.

use std::time::Duration;

use jiff::Timestamp;
use launchready_checks::contract::{Assessment, CheckError, CheckMeta, Finding, Status, Unseen};
use launchready_checks::registry;

use super::judge::judge_run;
use super::record::{AuditRecord, Outcome, RunRecord};
use crate::clock::later;
use crate::incident::{RunSeen, SeenFinding, Sight};
use crate::store::{Finished, JobKey};

/// A check that may look again within this time is asked twice before it is believed; for a slower one
/// the second look would come too late.
const SOON: Duration = Duration::from_mins(1);

/// What is known of a run beside its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// When it was due.
    pub at: Timestamp,
    /// When its schedule has it due next.
    pub next: Timestamp,
    /// The agent's own machine has no network at present.
    pub own_network_lost: bool,
}

/// What the store keeps of a run. `None` for a check that this version does not have.
pub fn finish(record: &AuditRecord, run: &RunRecord, due: Due) -> Option<Finished> {
    let meta = registry::find(&run.id)?.meta;
    let judged = judge_run(record, run);
    let (status, reason, assessment) = match judged {
        Ok(assessment) => (assessment.status(), None, assessment),
        Err(CheckError::Skipped { reason, unlock }) => {
            (Status::Skipped, Some((reason, unlock)), Assessment::default())
        }
        Err(CheckError::Unknown { cause, unlock }) => {
            (Status::Unknown, Some((cause, unlock)), Assessment::default())
        }
    };
    let evidence = match &run.outcome {
        Outcome::Looked { evidence } => Some((run.evidence_version, evidence.clone())),
        Outcome::Skipped { .. } | Outcome::Unknown { .. } => None,
    };
    let project = record.target.project.clone();
    let seen = RunSeen {
        project: project.clone(),
        check: run.id.clone(),
        check_title: meta.title.to_owned(),
        target: record.target.domain.clone(),
        at: record.started_at,
        first: false,
        last_look: None,
        sight: sight(status, reason.as_ref(), &assessment, meta, record.started_at, due),
        findings: findings(&assessment.findings, meta),
        expired: Vec::new(),
        recheck: record.recheck(meta.id),
    };
    let windows = meta.measurements.iter().filter(|spec| !spec.window.is_zero());
    Some(Finished {
        key: JobKey { project, check: run.id.clone() },
        due_at: due.at,
        started_at: record.started_at,
        duration: Duration::from_millis(run.duration_ms),
        status,
        reason,
        assessment,
        evidence,
        carry: run.carry.clone(),
        windows: windows.map(|spec| (spec.name.to_owned(), spec.window)).collect(),
        seen,
        next_due: due.next.max(later(record.started_at, Duration::from_secs(1))),
    })
}

fn sight(
    status: Status,
    reason: Option<&(String, String)>,
    assessment: &Assessment,
    meta: &CheckMeta,
    at: Timestamp,
    due: Due,
) -> Sight {
    let blind = |cause: String, unlock: String, unseen| Sight::Blind {
        cause,
        unlock,
        unseen,
        runs: 1,
        since: at,
        own_network: due.own_network_lost,
    };
    let worst = || meta.findings.iter().map(|spec| spec.unseen).max().unwrap_or(Unseen::Condition);
    match (status, reason) {
        (Status::Skipped, _) => Sight::Skipped,
        (Status::Unknown, Some((cause, unlock))) => blind(cause.clone(), unlock.clone(), worst()),
        // What it did see has found nothing: what it did not see is the news.
        (Status::Unknown, None) if assessment.findings.is_empty() => {
            let part = assessment.not_checked.iter().max_by_key(|part| part.unseen);
            part.map_or_else(
                || blind("it saw nothing".to_owned(), String::new(), worst()),
                |part| {
                    blind(
                        format!("{}: {}", part.part, part.reason),
                        part.unlock.clone(),
                        part.unseen,
                    )
                },
            )
        }
        _ => Sight::Looked {
            unseen_parts: assessment
                .not_checked
                .iter()
                .filter(|part| part.unseen != Unseen::Noted)
                .map(|part| part.part.clone())
                .collect(),
        },
    }
}

/// What an incident needs of a finding. `title` is that of its code, and `certain` says that one look is
/// enough.
pub fn seen_finding(finding: &Finding, title: &str, certain: bool) -> SeenFinding {
    SeenFinding {
        code: finding.code.clone(),
        severity: finding.severity,
        urgency: finding.urgency,
        fingerprint: finding.fingerprint.clone(),
        title: title.to_owned(),
        subject: finding.subject.clone(),
        summary: finding.summary.clone(),
        why: finding.why.clone(),
        evidence: finding.evidence.clone(),
        fix: finding.fix.clone(),
        undo: finding.undo.clone(),
        certain,
    }
}

fn findings(found: &[Finding], meta: &CheckMeta) -> Vec<SeenFinding> {
    let seen = |finding: &Finding| {
        let spec = meta.findings.iter().find(|spec| spec.code == finding.code);
        let title = spec.map_or(finding.summary.as_str(), |spec| spec.title);
        seen_finding(finding, title, meta.min_interval > SOON)
    };
    found.iter().map(seen).collect()
}
