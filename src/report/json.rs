//! The report as JSON, `schema_version` 1.

use super::Report;

/// Pretty-printed, with a final line end; the same report gives the same bytes.
pub fn to_json(report: &Report) -> String {
    // The model has string keys and finite numbers only, so it always becomes JSON.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}
