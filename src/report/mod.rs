//! The report: one model, drawn as terminal text, HTML, Markdown, JSON, SARIF and JUnit.
//!
//! Every format holds the same findings, and the same model gives the same bytes.

mod build;
mod checklist;
mod json;
mod terminal;
mod verdict;

pub use build::build;
pub use checklist::{
    CheckReport, Coverage, FindingReport, MoneyAtRisk, NotCheckedReport, Report, Tool, UnseenPart,
    Waived,
};
pub use json::to_json;
pub use terminal::{Paint, check_to_terminal, to_terminal};
pub use verdict::{AREAS_BY_SETTING, Verdict, decide};
