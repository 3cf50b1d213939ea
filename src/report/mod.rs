//! The report: one model, drawn as terminal text, HTML, Markdown, JSON, SARIF and JUnit.
//!
//! Every format holds the same findings, and the same model gives the same bytes.

mod build;
mod checklist;
mod html;
mod json;
mod junit;
mod markdown;
mod page;
mod sarif;
mod terminal;
mod verdict;
mod words;

pub use build::build;
pub use checklist::{
    CheckReport, Coverage, FindingReport, MoneyAtRisk, NotCheckedReport, Report, Tool, UnseenPart,
    Waived,
};
pub use html::to_html;
pub use json::to_json;
pub use junit::to_junit;
pub use markdown::to_markdown;
pub use page::page_to_terminal;
pub use sarif::to_sarif;
pub use terminal::{Paint, check_to_terminal, to_terminal};
pub use verdict::{AREAS_BY_SETTING, Verdict, decide};
