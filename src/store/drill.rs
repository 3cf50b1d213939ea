//! What is remembered of drills.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

/// The most drills of a kind that are given back, beside those that have left something.
pub const DRILLS: usize = 50;

/// One drill, begun or ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DrillRecord {
    /// The mark that everything of the drill carries; no two drills share one.
    pub mark: String,
    /// The project's name.
    pub project: String,
    /// The drill's name, such as `webhook-replay`.
    pub drill: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; none while it runs, or where it was ended in the middle.
    pub finished_at: Option<Timestamp>,
    /// Whether every step held; none where that could not be told.
    pub passed: Option<bool>,
    /// Something of it is still in the product.
    pub left: bool,
    /// The whole record, for people and for later versions.
    pub record: Value,
}
