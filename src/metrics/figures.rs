//! What is shown of a project as a whole.

use launchready_checks::contract::Severity;

use crate::report::Verdict;

/// A number for each severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BySeverity {
    /// Blocks the launch.
    pub critical: u64,
    /// A condition of the launch.
    pub warning: u64,
    /// Can be mended later.
    pub info: u64,
}

impl BySeverity {
    /// Counts.
    pub fn count(severities: impl IntoIterator<Item = Severity>) -> Self {
        let mut counts = Self::default();
        for severity in severities {
            *match severity {
                Severity::Critical => &mut counts.critical,
                Severity::Warning => &mut counts.warning,
                Severity::Info => &mut counts.info,
            } += 1;
        }
        counts
    }
}

/// What is known of a project as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectFigures {
    /// Findings that are not waived.
    pub findings: BySeverity,
    /// Whether it is ready.
    pub verdict: Verdict,
    /// Incidents that are open or acknowledged.
    pub incidents: BySeverity,
}
