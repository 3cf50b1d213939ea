//! The model of a report, in the shape of its JSON (`schema_version` 1).

use std::cmp::Reverse;

use jiff::Timestamp;
use launchready_checks::contract::{
    AtRisk, Finding, Goal, Measurement, Severity, Status, Unseen, Urgency, Vantage,
};
use launchready_checks::registry::place;
use serde::{Deserialize, Serialize};

use super::Verdict;
use crate::engine::{Account, Handover};

/// One audit of one project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// 1.
    pub schema_version: u32,
    /// Who made it.
    pub tool: Tool,
    /// The project's name.
    pub project: String,
    /// The domain that was audited.
    pub domain: String,
    /// The config that named it, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
    /// What the project has to be ready for.
    pub goal: Goal,
    /// Whether it is.
    pub verdict: Verdict,
    /// Why, most serious first; one full sentence each.
    pub verdict_reasons: Vec<String>,
    /// When the audit began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Timestamp,
    /// How much was looked at.
    pub coverage: Coverage,
    /// What the findings put at risk, by currency.
    pub money_at_risk: Vec<AtRisk>,
    /// Every check, in the order of the registry.
    pub checks: Vec<CheckReport>,
    /// Who holds which account, as the config says.
    pub ownership: Vec<Account>,
    /// What people have signed, in the order of the list of items.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attestations: Vec<AttestationReport>,
    /// What people have accepted, expired waivers included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<WaiverReport>,
    /// What config and store say for whoever takes over; absent without a config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// Everything that was not looked at, over all checks and areas.
    pub not_checked: Vec<UnseenPart>,
}

/// Something that a person has signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttestationReport {
    /// The item.
    pub item: String,
    /// What was signed.
    pub title: String,
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Until when it holds.
    pub until: Timestamp,
    /// Whether it holds at the time of the report.
    pub holds: bool,
    /// What was done.
    pub note: String,
}

/// A finding or an unseen part that somebody accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaiverReport {
    /// The finding code, the check's id or the area's setting.
    pub code: String,
    /// One subject, or all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Who.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
    /// Whether it holds at the time of the report.
    pub holds: bool,
}

/// Who made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `launchready`.
    pub name: String,
    /// The version.
    pub version: String,
}

/// How much was looked at; numbers of checks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "each is the number of checks that ended so")]
pub struct Coverage {
    /// Checks that looked: passed, warned or failed.
    pub run: usize,
    pub passed: usize,
    pub warned: usize,
    pub failed: usize,
    pub unknown: usize,
    pub skipped: usize,
}

/// One check of a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckReport {
    /// The check's id.
    pub id: String,
    /// The check's name for headings.
    pub title: String,
    /// The part of the product it belongs to: `dns`, `mail`, ….
    pub area: String,
    /// What it looked at.
    pub target: String,
    /// Where it looked from.
    pub vantage: Vantage,
    /// What it ended in.
    pub status: Status,
    /// Why it was skipped or is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The step that unlocks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unlock: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// The SHA-256 of what it saw, as `--save-evidence` keeps it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence_sha256: Option<String>,
    /// Its numbers.
    pub measurements: Vec<Measurement>,
    /// The parts of its question that it could not see.
    pub not_checked: Vec<NotCheckedReport>,
    /// The defects it found.
    pub findings: Vec<FindingReport>,
}

/// A part of one check's question that was not seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCheckedReport {
    /// Which part.
    pub part: String,
    /// Why.
    pub reason: String,
    /// The step that unlocks it.
    pub unlock: String,
    /// What that means for the verdict.
    pub unseen: Unseen,
}

/// Something that was not looked at, with the check or area that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnseenPart {
    /// The check's id, or the name of an area's setting such as `stripe`.
    pub of: String,
    /// Which part.
    pub part: String,
    /// Why.
    pub reason: String,
    /// The step that unlocks it.
    pub unlock: String,
    /// What that means for the verdict.
    pub unseen: Unseen,
}

/// One finding of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingReport {
    /// The code, such as `spf-too-many-lookups`.
    pub code: String,
    /// How bad it is for the launch.
    pub severity: Severity,
    /// Whom it may wake.
    pub urgency: Urgency,
    /// What it is about.
    pub subject: String,
    /// The same from run to run for the same defect.
    pub fingerprint: String,
    /// One plain sentence.
    pub summary: String,
    /// Who is hurt and how.
    pub why: String,
    /// What was seen.
    pub evidence: Vec<String>,
    /// What to do, exactly.
    pub fix: String,
    /// How to take it back.
    pub undo: String,
    /// The money that hangs on it, by currency.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub at_risk: Vec<AtRisk>,
    /// The command that looks again.
    pub recheck: String,
    /// The handbook page: `launchready explain CODE`.
    pub docs: String,
    /// Since when it has been seen, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who accepted it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
}

/// An accepted finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// Who accepted it.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub until: Timestamp,
}

impl FindingReport {
    /// A finding with the command that looks again.
    pub fn new(finding: Finding, recheck: String) -> Self {
        Self {
            docs: format!("launchready explain {}", finding.code),
            code: finding.code,
            severity: finding.severity,
            urgency: finding.urgency,
            subject: finding.subject,
            fingerprint: finding.fingerprint,
            summary: finding.summary,
            why: finding.why,
            evidence: finding.evidence,
            fix: finding.fix,
            undo: finding.undo,
            at_risk: finding.at_risk,
            recheck,
            since: None,
            waived: None,
        }
    }
}

impl FindingReport {
    /// What puts the findings of one check in order.
    pub(super) fn rank(&self) -> (Reverse<(Severity, Urgency, bool)>, String, String) {
        let weight = (self.severity, self.urgency, !self.at_risk.is_empty());
        (Reverse(weight), self.subject.clone(), self.code.clone())
    }
}

impl Coverage {
    /// Counts checks by what they ended in.
    pub fn of(checks: &[CheckReport]) -> Self {
        let count = |status| checks.iter().filter(|check| check.status == status).count();
        let (passed, warned, failed) =
            (count(Status::Pass), count(Status::Warn), count(Status::Fail));
        Self {
            run: passed + warned + failed,
            passed,
            warned,
            failed,
            unknown: count(Status::Unknown),
            skipped: count(Status::Skipped),
        }
    }

    /// All checks.
    pub const fn total(&self) -> usize {
        self.run + self.unknown + self.skipped
    }
}

impl Report {
    /// The findings with their checks: most serious first, then most urgent, then those with money at risk,
    /// then in the order of the registry, then by subject.
    pub fn findings(&self) -> Vec<(&CheckReport, &FindingReport)> {
        let mut all: Vec<_> = self
            .checks
            .iter()
            .flat_map(|check| check.findings.iter().map(move |finding| (check, finding)))
            .collect();
        all.sort_by_key(|(check, finding)| {
            let (weight, subject, code) = finding.rank();
            (weight, place(&check.id), subject, code)
        });
        all
    }
}
