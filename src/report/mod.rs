//! The report: one model, drawn as terminal text, HTML, Markdown, JSON, SARIF and JUnit.
//!
//! Every format holds the same findings, and the same model gives the same bytes.

mod checklist;
mod verdict;

pub use checklist::{
    CheckReport, Coverage, FindingReport, MoneyAtRisk, NotCheckedReport, Report, Tool, UnseenPart,
    Waived,
};
pub use verdict::{AREAS_BY_SETTING, Verdict, decide};
