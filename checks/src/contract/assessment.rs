//! What a check concludes from what it saw.

use serde::{Deserialize, Serialize};

use super::{Finding, Measurement, Severity, Status, Unseen};

/// A part of a check's question that it could not see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// Which part, in words that finish "Not checked: …".
    pub part: String,
    /// Why it was not seen.
    pub reason: String,
    /// The one step that unlocks it.
    pub unlock: String,
    /// What that means for the verdict.
    pub unseen: Unseen,
}

/// The judgement of one run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Assessment {
    /// The defects, in a stable order.
    pub findings: Vec<Finding>,
    /// The numbers.
    pub measurements: Vec<Measurement>,
    /// What could not be seen.
    pub not_checked: Vec<NotChecked>,
    /// Nothing that the check asks about was seen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub blind: bool,
}

impl Assessment {
    /// Adds a finding.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// Adds a measured value.
    pub fn measure(&mut self, measurement: Measurement) {
        self.measurements.push(measurement);
    }

    /// Notes a part that could not be seen.
    pub fn not_checked(
        &mut self,
        unseen: Unseen,
        part: impl Into<String>,
        reason: impl Into<String>,
        unlock: impl Into<String>,
    ) {
        self.not_checked.push(NotChecked {
            part: part.into(),
            reason: reason.into(),
            unlock: unlock.into(),
            unseen,
        });
    }

    /// Says that nothing was seen of what the check asks about, where `saw_any` is false and a part is
    /// listed as not checked: such a run has proven nothing and is no pass.
    pub fn unless_seen(&mut self, saw_any: bool) {
        self.blind = !saw_any && !self.not_checked.is_empty();
    }

    /// The worst severity found, if any.
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// The status of the run: a critical finding fails; else an unseen part that blocks, or a run that
    /// saw nothing of what the verdict needs, is unknown; else the worst finding decides.
    pub fn status(&self) -> Status {
        let worst = self.worst();
        if worst == Some(Severity::Critical) {
            Status::Fail
        } else if self.not_checked.iter().any(|part| part.unseen == Unseen::Blocks) {
            Status::Unknown
        } else if worst == Some(Severity::Warning) {
            Status::Warn
        } else if self.blind {
            // What the verdict does without is not configured, such as drift without a baseline.
            let needed = self.not_checked.iter().any(|part| part.unseen != Unseen::Noted);
            if needed { Status::Unknown } else { Status::Skipped }
        } else {
            Status::Pass
        }
    }
}
