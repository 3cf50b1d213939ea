//! The port to what other checks of the same project measured last.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Answer, ProbeError};

/// What one measurement of another check said last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "look")]
pub enum Figure {
    /// It was measured.
    Measured {
        /// The value in the unit of the measurement; of several subjects, their sum.
        value: f64,
        /// When the run began that measured it.
        at: Timestamp,
    },
    /// The check looked, and could not see what this measurement counts.
    Unmeasured,
    /// The check does not apply or is not configured.
    Skipped {
        /// Why.
        reason: String,
        /// The step that makes it run.
        unlock: String,
    },
    /// The check could not look.
    Unknown {
        /// Why.
        cause: String,
        /// The step that unlocks it.
        unlock: String,
    },
    /// The check is not among those that were asked to look.
    NotAsked,
}

/// Remembers what checks measured.
pub trait Figures: Send + Sync {
    /// The last figure of each check and measurement of a project, in the order of the question. It waits
    /// for checks that are about to measure, for a bounded time.
    fn figures<'a>(
        &'a self,
        project: &'a str,
        wanted: &'a [(&'static str, &'static str)],
    ) -> Answer<'a, Result<Vec<Figure>, ProbeError>>;
}
